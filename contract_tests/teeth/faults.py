"""What a fault is, and how one is planted."""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

import yaml
from attrs import field, frozen

from contract_tests.document import values_of
from contract_tests.edits import edited

PROJECT = Path(__file__).resolve().parents[2]
# All that the tests read; a fault is planted in a copy of it, never in the tree.
_COPIED = (
    "openapi.yaml",
    "workflows.arazzo.yaml",
    "pyproject.toml",
    "CHANGELOG.md",
    "generated",
    "wrapper",
    "contract_tests",
)

Group = Literal["server", "client", "document"]


class StaleFaultError(Exception):
    """What a fault changes is not there, or not there once, or stays as it is."""


class Edit(Protocol):
    """How a file is changed."""

    def applied_to(self, text: str) -> str:
        """The changed text.

        Raises:
            StaleFaultError: The edit is not about this text.
        """
        ...


@frozen
class Text:
    """Another text in the place of one that stands once in the file."""

    old: str
    new: str

    def applied_to(self, text: str) -> str:
        """The changed text."""
        if (count := text.count(self.old)) != 1:
            raise StaleFaultError(f"its text stands {count} times")
        return text.replace(self.old, self.new)


@frozen
class Code:
    """Other code inside a function, class or constant of a Python file, where the old code stands once.

    Attributes:
        name: The qualified name, such as `Service.remix`.
        old: What is replaced; how it is broken into lines does not matter.
        new: What it is replaced with.
    """

    name: str
    old: str
    new: str

    def applied_to(self, text: str) -> str:
        """The changed text."""
        lines = text.splitlines(keepends=True)
        first, last = lines_of(self.name, text)
        inside = "".join(lines[first:last])
        found = list(re.finditer(_in_any_layout(self.old), inside))
        if len(found) != 1:
            raise StaleFaultError(f"its code stands {len(found)} times in {self.name}")
        (match,) = found
        changed = f"{inside[: match.start()]}{self.new.strip()}{inside[match.end() :]}"
        return "".join([*lines[:first], changed, *lines[last:]])


@frozen
class Values:
    """Other values in a YAML document, by place: see `contract_tests.edits`."""

    edits: Mapping[str, Any] = field(hash=False)

    def applied_to(self, text: str) -> str:
        """The changed text."""
        before = values_of(text)
        try:
            after = edited(before, self.edits)
        except (LookupError, TypeError, ValueError) as error:
            raise StaleFaultError(f"{', '.join(self.edits)}: {error!r}") from None
        return text if after == before else yaml.safe_dump(after, sort_keys=False, allow_unicode=True)


@frozen
class Fault:
    """One edit of one file, and the rule that must notice it.

    Attributes:
        name: What is wrong then, in a few words.
        file: The file, from the project's root.
        edit: How it is changed.
        rule: The tests that must go red: pytest's node ID, from the project's root.
        says: What the failure must say, where the test alone is not the rule.
    """

    name: str
    file: str
    edit: Edit
    rule: str
    says: str = ""

    @property
    def group(self) -> Group:
        """Which part of the system is broken."""
        if self.file == "openapi.yaml":
            return "document"
        return "server" if "/testing/" in self.file else "client"

    def applied_to(self, text: str) -> str:
        """The file's text with the fault in it.

        Raises:
            StaleFaultError: The fault is not about this text, or changes nothing.
        """
        changed = self.edit.applied_to(text)
        if changed == text:
            raise StaleFaultError("it changes nothing")
        return changed


def in_code(place: str, name: str, old: str, new: str, rule: str, says: str = "") -> Fault:
    """A fault in Python code; `place` is the file and the qualified name, parted by `::`."""
    file, _, qualified_name = place.partition("::")
    return Fault(name, file, Code(qualified_name, old, new), rule, says)


def _in_any_layout(code: str) -> str:
    """A pattern for `code`, whatever white space a formatter has put into it."""
    pattern = ""
    for word in re.findall(r"\w+|[^\w\s]", code):
        apart = r"\s+" if pattern[-1:].isalnum() and word[0].isalnum() else r"\s*"
        # A formatter that breaks a call into lines puts a comma behind its last argument.
        comma = ",?" + apart if word in ")]}" else ""
        pattern += f"{apart if pattern else ''}{comma}{re.escape(word)}"
    return pattern


def lines_of(qualified_name: str, text: str) -> tuple[int, int]:
    """The first line of what has the name, counted from 0, and the line after its last one."""
    found: list[ast.AST] = [ast.parse(text)]
    for name in qualified_name.split("."):
        found = [inner for node in found for inner in getattr(node, "body", []) if name in _names_of(inner)]
    if len(found) != 1:
        raise StaleFaultError(f"{len(found)} things are called {qualified_name}")
    (node,) = found
    assert isinstance(node, ast.stmt)
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(each.lineno for each in decorators)])
    return first - 1, node.end_lineno or first


def _names_of(node: ast.AST) -> Iterator[str]:
    """The names that a statement gives to something."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    for target in targets:
        if isinstance(target, ast.Name):
            yield target.id


def copy_project(folder: Path) -> None:
    """Put a copy of what the contract suite reads into `folder`."""
    ignored = shutil.ignore_patterns("__pycache__", "node_modules", ".*_cache", ".hypothesis")
    for name in _COPIED:
        source, target = PROJECT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=ignored)
        else:
            shutil.copy2(source, target)


def plant(fault: Fault, folder: Path) -> None:
    """Plant `fault` in the copy in `folder`, whose files may be links to those of another copy."""
    path = folder / fault.file
    text = fault.applied_to(path.read_text(encoding="utf-8"))
    path.unlink()
    path.write_text(text, encoding="utf-8")

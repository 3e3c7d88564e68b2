"""What a fault is, and how one is planted."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Literal

from attrs import frozen

PROJECT = Path(__file__).resolve().parents[2]
# All that the contract suite reads; a fault is planted in a copy of it, never in the tree.
_COPIED = ("openapi.yaml", "pyproject.toml", "CHANGELOG.md", "generated", "wrapper/deerapi_remix", "contract_tests")

Group = Literal["server", "client", "document"]


class StaleFaultError(Exception):
    """The text that a fault replaces is not there, or not there once, or stays as it is."""


@frozen
class Fault:
    """One edit of one file, and the rule that must notice it.

    Attributes:
        name: What is wrong then, in a few words.
        file: The file, from the project's root.
        old: The text to replace; it must stand there exactly once.
        new: What to replace it with.
        rule: The tests that must go red: pytest's node ID, from the project's root.
        says: What the failure must say, where the test alone is not the rule.
    """

    name: str
    file: str
    old: str
    new: str
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
            StaleFaultError: The fault is not about this text.
        """
        if (count := text.count(self.old)) != 1:
            raise StaleFaultError(f"its text stands {count} times in {self.file}")
        if self.new == self.old:
            raise StaleFaultError("it changes nothing")
        return text.replace(self.old, self.new)


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
    """Plant `fault` in the copy in `folder`."""
    path = folder / fault.file
    path.write_text(fault.applied_to(path.read_text(encoding="utf-8")), encoding="utf-8")

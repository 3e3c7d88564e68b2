"""The bounds that keep the core readable. Line length and complexity are ruff's."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import deerapi_remix

PACKAGE = Path(deerapi_remix.__file__).parent
CORE = sorted(PACKAGE.glob("*.py"))
ALLOWED_IMPORTS = {"httpx", "attrs", "deerapi_remix", "deerapi_remix_generated", "__future__"}


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text()))


def lines_of(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> int:
    """Lines of a definition without docstrings, its own and those of what it holds."""
    assert node.end_lineno is not None
    count = node.end_lineno - node.lineno + 1
    for inner in ast.walk(node):
        if not isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if ast.get_docstring(inner):
            docstring = inner.body[0]
            assert docstring.end_lineno is not None
            count -= docstring.end_lineno - docstring.lineno + 1
    return count


def attributes_of(node: ast.ClassDef) -> set[str]:
    """Fields of the class body, and what its methods set on `self`."""
    fields = {
        each.target.id for each in node.body if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
    }
    for inner in ast.walk(node):
        if not isinstance(inner, ast.Attribute) or not isinstance(inner.ctx, ast.Store):
            continue
        if isinstance(inner.value, ast.Name) and inner.value.id == "self":
            fields.add(inner.attr)
    return fields


# Values of the API have the fields that the API has.
VALUES = {"Video", "Event"}


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.name)
def test_files_functions_and_classes_are_short(path: Path) -> None:
    for node in nodes(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert lines_of(node) <= 40, node.name
        if isinstance(node, ast.ClassDef):
            assert lines_of(node) <= 150, node.name


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.name)
def test_classes_of_the_core_have_few_attributes(path: Path) -> None:
    for node in nodes(path):
        if isinstance(node, ast.ClassDef) and node.name not in VALUES:
            assert len(attributes_of(node)) <= 10, node.name


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.name)
def test_conditional_expressions_are_not_nested(path: Path) -> None:
    for node in nodes(path):
        if isinstance(node, ast.IfExp):
            inner = [each for each in ast.walk(node) if isinstance(each, ast.IfExp) and each is not node]
            assert not inner, f"line {node.lineno}"


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.name)
def test_the_core_imports_httpx_attrs_and_the_standard_library_only(path: Path) -> None:
    for node in nodes(path):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module is not None:
            names = [node.module]
        for name in names:
            root = name.partition(".")[0]
            assert root in ALLOWED_IMPORTS or root in sys.stdlib_module_names, name


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.name)
def test_files_of_the_core_are_short(path: Path) -> None:
    assert path.read_text().count("\n") <= 250


def test_the_core_is_not_packed() -> None:
    found = [node for path in CORE for node in nodes(path)]
    statements = sum(isinstance(node, ast.stmt) for node in found)
    assert sum(isinstance(node, ast.IfExp) for node in found) / statements <= 0.026
    assert sum(isinstance(node, ast.BoolOp) for node in found) / statements <= 0.05

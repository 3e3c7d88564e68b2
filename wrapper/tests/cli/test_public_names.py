"""The command line is a user of the public API, and of nothing else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import deerapi_remix
from deerapi_remix import cli

PACKAGES = {
    *("deerapi_remix.batch", "deerapi_remix.cli", "deerapi_remix.contract", "deerapi_remix.ledger"),
    *("deerapi_remix.testing", "deerapi_remix.testing.asgi"),
}


def names(tree: ast.AST) -> Iterator[str]:
    """What a module takes from the package, by import or as an attribute; packages with their full names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "deerapi_remix":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").startswith("deerapi_remix"):
            yield str(node.module)
        elif isinstance(node, ast.ImportFrom) and node.level > 1:
            yield f"{'.' * node.level}{node.module}"
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("deerapi_remix."))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "deerapi_remix":
            yield node.attr


def test_the_command_line_uses_public_names_only() -> None:
    assert cli.__file__ is not None
    modules = list(Path(cli.__file__).parent.glob("*.py"))
    assert len(modules) > 20
    allowed = {*deerapi_remix.__all__, *PACKAGES}
    used = {(module.name, name) for module in modules for name in names(ast.parse(module.read_text()))}
    assert {"RemixClient", "check_base_url", "Reason"} <= {name for _, name in used}
    assert sorted((module, name) for module, name in used if name not in allowed) == []

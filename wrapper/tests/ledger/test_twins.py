"""The two ledgers are one design: the asynchronous one follows from the synchronous one by a few substitutions."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest

from deerapi_remix.ledger import AsyncLedger, Ledger, _async_drive, _async_ledger, _drive, _ledger

from ..twins import documented

SHELL = [
    (r"\bRemixClient\b", "AsyncRemixClient"),
    (r"\bLedger\b", "AsyncLedger"),
    (r"\bIterator\b", "AsyncIterator"),
    (r"\b_drive\b", "_async_drive"),
    (r"def (remix|remix_to_file|get|entries|resolve|forget)\(", r"async def \1("),
    (r"self\._close\(\)", "await asyncio.to_thread(self._close)"),
    (r"(self\.\w+\([^()]*\))\.result\(\)", r"await \1"),
    (r"(_async_drive\.submit\([^()]*\))\.entry", r"(await \1).entry"),
    (r"(?<!\(await )(_async_drive\.\w+\()", r"await \1"),
    (r"self\.close\(\)", "await self.aclose()"),
    (r"def close\(", "async def aclose("),
    (r"def __(enter|exit)__", r"async def __a\1__"),
    (r"^import os$", "import asyncio\nimport os"),
]
DRIVE = [
    (r"from deerapi_remix import DeerAPIError, RemixClient", "from deerapi_remix import RemixClient, DeerAPIError"),
    (r"\bRemixClient\b", "AsyncRemixClient"),
    (r"^def ", "async def "),
    (r"saving\.is_same\((\w+)\)", r"await asyncio.to_thread(saving.is_same, \1)"),
    (r"((?:submission|saving)\.\w+\([^()]*\))\.result\(\)", r"await \1"),
    (r"(?<!def )\b(client\.\w+\(|_download\(|_was_saved\(|follow\(|fetch\()", r"await \1"),
    (r"_clock\.sleep\(", "await _clock.async_sleep("),
    (r"^from contextlib", "import asyncio\nfrom contextlib"),
]


def code_of(module: ModuleType) -> str:
    """The source without docstrings, comments and layout."""
    tree = ast.parse(Path(str(module.__file__)).read_text())
    for node, _ in documented(tree):
        node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


@pytest.mark.parametrize(
    ("module", "twin", "substitutions"), [(_ledger, _async_ledger, SHELL), (_drive, _async_drive, DRIVE)]
)
def test_the_asynchronous_ledger_follows_from_the_synchronous_one(
    module: ModuleType, twin: ModuleType, substitutions: list[tuple[str, str]]
) -> None:
    derived = code_of(module)
    for pattern, replacement in substitutions:
        derived, count = re.subn(pattern, replacement, derived, flags=re.MULTILINE)
        assert count, f"{pattern} is not needed any more"
    assert ast.unparse(ast.parse(derived)) == code_of(twin)


@pytest.mark.parametrize("name", ["__init__", "remix", "remix_to_file", "get", "resolve", "forget"])
def test_both_ledgers_have_the_same_signatures(name: str) -> None:
    ours, twin = (str(inspect.signature(getattr(kind, name))) for kind in (Ledger, AsyncLedger))
    assert ours.replace("'RemixClient'", "'AsyncRemixClient'") == twin


def test_both_ledgers_have_the_same_public_names() -> None:
    ours, twin = ({name for name in vars(kind) if not name.startswith("_")} for kind in (Ledger, AsyncLedger))
    assert ours - {"close"} == twin - {"aclose"}

"""The two clients are one design: the asynchronous one follows from the synchronous one by a dozen substitutions."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

import deerapi_remix
from deerapi_remix import AsyncRemixClient, RemixClient

PACKAGE = Path(deerapi_remix.__file__).parent
PAIRS = [("client.py", "async_client.py"), ("_sync_jobs.py", "_async_jobs.py"), ("_sync_loops.py", "_async_loops.py")]
SUBSTITUTIONS = [
    (r"\b(RemixClient)\b", r"Async\1"),
    (r"\bSync(Jobs|Loops|Connections)\b", r"Async\1"),
    (r"\b_sync_(jobs|loops)\b", r"_async_\1"),
    (r"\bSeam\b", "AsyncSeam"),
    (r"\bhttpx\.Client\b", "httpx.AsyncClient"),
    # Every method but those that send nothing by themselves.
    (r"def ((?!__|follow\b|close\b|_wait_for\b|_every\b)\w+)\(self", r"async def \1(self"),
    (r"((self\._(run|await_turn|submit|save|connections\.close|loops\._poll)|run\.call\.send)\()", r"await \1"),
    (r"with self\._connections\.turn", "async with self._connections.turn"),
    (r"\bbell\.wait\(", "await bell.wait("),
    (r"_clock\.sleep\(", "await _clock.async_sleep("),
    (r"transfer\.part\.sync\(\)", "await asyncio.to_thread(transfer.part.sync)"),
    (r"\bself\.close\(\)", "await self.aclose()"),
    (r"\bclose\(", "aclose("),
    (r"def aclose\(", "async def aclose("),
    (r"def __(enter|exit|next)__", r"async def __a\1__"),
    (r"def __iter__", "def __aiter__"),
    (r"\b(Iterator|Stop(?=Iteration))", r"\1Async"),
    (r"\bIteratorAsync\b", "AsyncIterator"),
    (r"\bFollowing\b", "AsyncFollowing"),
    (r"for video in AsyncFollowing", "async for video in AsyncFollowing"),
    (r"^from __future__ import annotations$", "from __future__ import annotations\nimport asyncio"),
]


def code_of(name: str) -> str:
    """The source without docstrings, comments and layout."""
    tree = ast.parse((PACKAGE / name).read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def with_sorted_imports(source: str) -> str:
    """Names that begin otherwise stand elsewhere in a sorted list."""
    tree = ast.parse(source)
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    rest = [node for node in tree.body if node not in imports]
    return "\n".join([*sorted(map(ast.unparse, imports)), *map(ast.unparse, rest)])


def test_the_asynchronous_client_follows_from_the_synchronous_one() -> None:
    used = set()
    for ours, twin in PAIRS:
        derived = code_of(ours)
        for pattern, replacement in SUBSTITUTIONS:
            derived, count = re.subn(pattern, replacement, derived, flags=re.MULTILINE)
            if count:
                used.add(pattern)
        # Only the loops need asyncio itself.
        if "asyncio." not in derived:
            derived = derived.replace("import asyncio\n", "")
        assert with_sorted_imports(derived) == with_sorted_imports(code_of(twin))
    assert [pattern for pattern, _ in SUBSTITUTIONS if pattern not in used] == []


# The public methods; `close` has another name in the twin.
SIGNED = [name for name, member in inspect.getmembers(RemixClient, callable) if not name.startswith("_")]


@pytest.mark.parametrize("name", ["__init__", *(name for name in SIGNED if name != "close")])
def test_both_clients_have_the_same_signatures(name: str) -> None:
    ours = inspect.signature(getattr(RemixClient, name))
    twin = inspect.signature(getattr(AsyncRemixClient, name))
    expected = str(ours).replace("-> 'Iterator", "-> 'AsyncIterator")
    assert expected == str(twin)


def test_both_clients_have_the_same_public_names() -> None:
    ours = {name for name in dir(RemixClient) if not name.startswith("_")}
    twin = {name for name in dir(AsyncRemixClient) if not name.startswith("_")}
    assert ours - {"close"} == twin - {"aclose"}

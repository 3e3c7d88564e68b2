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
SUBSTITUTIONS = [
    (r"\bRemixClient\b", "AsyncRemixClient"),
    (r"\bSeam\b", "AsyncSeam"),
    (r"\bhttpx\.Client\b", "httpx.AsyncClient"),
    (r"def (remix|retrieve|wait|download|remix_to_file|models|_follow|_save|_run)\(", r"async def \1("),
    (r"((self\._run|self\._follow|self\._save|run\.call\.send)\()", r"await \1"),
    (r"with self\.", "async with self."),
    (r"_clock\.sleep\(", "await _clock.async_sleep("),
    (r"transfer\.part\.sync\(\)", "await asyncio.to_thread(transfer.part.sync)"),
    (r"(http|self)\.close\(\)", r"await \1.aclose()"),
    (r"def close\(", "async def aclose("),
    (r"def __(enter|exit)__", r"async def __a\1__"),
    (r"^import os$", "import asyncio\nimport os"),
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


def test_the_asynchronous_client_follows_from_the_synchronous_one() -> None:
    derived = code_of("client.py")
    for pattern, replacement in SUBSTITUTIONS:
        derived, count = re.subn(pattern, replacement, derived, flags=re.MULTILINE)
        assert count, f"{pattern} is not needed any more"
    assert ast.unparse(ast.parse(derived)) == code_of("async_client.py")


@pytest.mark.parametrize(
    "name", ["__init__", "remix", "retrieve", "wait", "download", "remix_to_file", "models", "with_options"]
)
def test_both_clients_have_the_same_signatures(name: str) -> None:
    ours = inspect.signature(getattr(RemixClient, name))
    twin = inspect.signature(getattr(AsyncRemixClient, name))
    assert str(ours).replace("httpx.Client", "httpx.AsyncClient") == str(twin)


def test_both_clients_have_the_same_public_names() -> None:
    ours = {name for name in vars(RemixClient) if not name.startswith("_")}
    twin = {name for name in vars(AsyncRemixClient) if not name.startswith("_")}
    assert ours - {"close"} == twin - {"aclose"}

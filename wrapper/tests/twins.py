"""`make twins`: writes the files of the asynchronous client, which follow from those of the synchronous one."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "deerapi_remix"
PAIRS = [("client.py", "async_client.py"), ("_sync_jobs.py", "_async_jobs.py"), ("_sync_loops.py", "_async_loops.py")]
SUBSTITUTIONS = [
    (r"\b(RemixClient)\b", r"Async\1"),
    (r"\bSync(Jobs|Loops|Connections)\b", r"Async\1"),
    (r"\b_sync_(jobs|loops)\b", r"_async_\1"),
    (r"\bSeam\b", "AsyncSeam"),
    (r"\bhttpx\.Client\b", "httpx.AsyncClient"),
    # Every method but those that send nothing by themselves.
    (r"def ((?!__|follow\b|close\b|_wait_for\b|_every\b)\w+)\((\s*)self", r"async def \1(\2self"),
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
    # Only the loops need asyncio itself; what is not needed is removed below.
    (r"^from __future__ import annotations$", "from __future__ import annotations\n\nimport asyncio"),
]
RUFF = Path(sys.executable).with_name("ruff")

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def documented(source: ast.Module) -> Iterator[tuple[Documented, ast.Constant]]:
    """What has a docstring, and the docstring, the last one first."""
    found = [node for node in ast.walk(source) if isinstance(node, Documented) and ast.get_docstring(node)]
    for node in sorted(found, key=lambda node: -node.body[0].lineno):
        statement = node.body[0]
        assert isinstance(statement, ast.Expr)
        assert isinstance(statement.value, ast.Constant)
        yield node, statement.value


def derived(ours: str, twin: str) -> str:
    """The source of the twin.

    Its module and classes keep their own docstrings; those of public methods point to the synchronous client.

    Args:
        ours: The source of the synchronous file.
        twin: The source of the asynchronous file as it is.
    """
    kept = [
        str(text.value) for node, text in documented(ast.parse(twin)) if isinstance(node, ast.Module | ast.ClassDef)
    ]
    lines = ours.splitlines(keepends=True)
    # Where the docstrings of the twin belong, while the rest is changed.
    texts: list[str] = []
    for node, text in documented(ast.parse(ours)):
        value = str(text.value)
        if isinstance(node, ast.Module | ast.ClassDef):
            value = kept.pop(0)
        elif "\n" in value:
            value = f"See `RemixClient.{node.name}`."
        assert text.end_lineno is not None
        lines[text.lineno - 1 : text.end_lineno] = [f'{" " * text.col_offset}"""<{len(texts)}>"""\n']
        texts.append(value)
    source = "".join(lines)
    for pattern, replacement in SUBSTITUTIONS:
        source = re.sub(pattern, replacement, source, flags=re.MULTILINE)
    for number, value in enumerate(texts):
        source = source.replace(f'"""<{number}>"""', f'"""{value}"""')
    for command in (["check", "--fix", "--select", "I,F401"], ["format"]):
        run = [str(RUFF), *command, "--quiet", "--stdin-filename", str(PACKAGE / "client.py"), "-"]
        source = subprocess.run(run, input=source, capture_output=True, text=True, check=True).stdout
    return source


if __name__ == "__main__":
    for name, other in PAIRS:
        ours, path = (PACKAGE / name).read_text(), PACKAGE / other
        ast.parse(ours, name)  # A mistake in it is told with its name.
        path.write_text(derived(ours, path.read_text()))

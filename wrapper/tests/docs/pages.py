"""The pages of the documentation, as the tests read them.

A comment before a block of code tells what happens to it: `<!-- not run: REASON -->`; `<!-- run with: CODE -->`, which
is run before it; `<!-- raises: NAME -->`; `<!-- prints -->`, for a block that the one before it is to print.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import attrs
from markdown_it import MarkdownIt

PROJECT = Path(__file__).parents[3]
PAGES = sorted(
    path.relative_to(PROJECT).as_posix()
    for pattern in ("*.md", "docs/**/*.md", "examples/**/*.md")
    for path in PROJECT.glob(pattern)
)


@attrs.frozen
class Block:
    """A fenced block of code.

    Attributes:
        language: What stands behind the fence.
        line: Where its code begins, counted from 1.
        comments: What stands in comments right before it, by its first words.
    """

    language: str
    code: str
    line: int
    comments: dict[str, str]


def text_of(page: str) -> str:
    return (PROJECT / page).read_text(encoding="utf-8")


def blocks_of(page: str) -> Iterator[Block]:
    comments: dict[str, str] = {}
    for token in MarkdownIt().parse(text_of(page)):
        if token.type == "html_block":
            for found in re.findall(r"<!-- *(.*?) *-->", token.content, re.DOTALL):
                kind, _, told = found.partition(": ")
                comments[kind] = told
            continue
        if token.type == "fence" and token.map:
            yield Block(token.info.strip() or "text", token.content, token.map[0] + 2, comments)
        comments = {}


def code_of(page: str, file: str) -> str:
    """The block of a page that is kept as a file of this name."""
    (code,) = [block.code for block in blocks_of(page) if block.code.startswith(f"# {file}\n")]
    return code


def tables_of(page: str) -> list[list[list[str]]]:
    """Every table of a page: its rows, the header first, as plain text."""
    tables: list[list[list[str]]] = []
    for token in MarkdownIt().enable("table").parse(text_of(page)):
        if token.type == "table_open":
            tables.append([])
        elif token.type == "tr_open":
            tables[-1].append([])
        elif token.type == "inline" and token.level == 4 and token.map and tables:
            tables[-1][-1].append("".join(child.content for child in token.children or []))
    return tables

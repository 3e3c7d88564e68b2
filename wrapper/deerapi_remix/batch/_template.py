"""Texts with `{column}` in them."""

from __future__ import annotations

import string
from collections.abc import Mapping
from pathlib import Path


class Template:
    """A text in which `{column}` stands for what a row has in that column; `{{` is a brace.

    Args:
        text: The text.
        name: What it is for, in messages.

    Attributes:
        columns: The columns that it names, in order.

    Raises:
        ValueError: It has something else in braces, or a brace that is not closed.
    """

    def __init__(self, text: str, name: str) -> None:
        self.text = text
        try:
            self._parts = list(string.Formatter().parse(text))
        except ValueError as error:
            raise ValueError(f"{name} {text!r} cannot be read: {error}") from None
        columns = []
        for _, field, form, conversion in self._parts:
            if field is None:
                continue
            if not field or form or conversion or set(field) & set(".["):
                raise ValueError(
                    f"{name} {text!r} may have {{column}} in braces and nothing else; "
                    "write {{ and }} for braces"
                )
            columns.append(field)
        self.columns = tuple(columns)

    def fill(self, cells: Mapping[str, str]) -> str:
        """The text for one row.

        Raises:
            KeyError: The row has nothing in a column that it names.
        """
        filled = []
        for literal, field, _, _ in self._parts:
            filled.append(literal)
            if field is not None:
                filled.append(cells[field])
        return "".join(filled)

    def folder(self) -> Path:
        """The folder that the text names before its first column."""
        literal = self._parts[0][0] if self._parts else ""
        return Path(f"{literal}x").parent

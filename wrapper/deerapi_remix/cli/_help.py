"""Help that reads the same with every version of Typer, which differ in what they make of flags and of an epilog."""

from __future__ import annotations

import shutil
import textwrap
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

# Below this width of the terminal the names of options are cut off in Typer's boxes.
_ROOM_FOR_BOXES = 60


class _Ended:
    epilog: str | None
    rich_markup_mode: Any

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Add the epilog behind what Typer prints."""
        for parameter in self.get_params(ctx):  # type: ignore[attr-defined]
            if getattr(parameter, "is_flag", False):
                parameter.metavar = ""  # A flag takes no value, whatever its type is.
        columns = shutil.get_terminal_size().columns
        plain = columns < _ROOM_FOR_BOXES and self.rich_markup_mode is not None
        if plain:
            self.rich_markup_mode = None
            formatter.width = min(formatter.width, columns)
        end, self.epilog = self.epilog, None
        try:
            super().format_help(ctx, formatter)  # type: ignore[misc]
        finally:
            self.epilog = end
        if plain:  # Boxes are printed, but plain help is only returned.
            typer.echo(formatter.getvalue(), nl=False)
            formatter.buffer.clear()
        typer.echo(textwrap.indent(f"\n{end}", " "))


class Command(_Ended, TyperCommand):
    """A command, with examples."""


class Group(_Ended, TyperGroup):
    """All of them."""


def examples(*commands: str) -> str:
    """An epilog."""
    return "\n".join(["Examples:", "", *(f"deerapi-remix {command}" for command in commands)])

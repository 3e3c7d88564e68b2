"""Help that ends in lines as they were written. Typer's versions differ in what they make of those of an epilog."""

from __future__ import annotations

import textwrap
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


class _Ended:
    epilog: str | None

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Add the epilog behind what Typer prints."""
        end, self.epilog = self.epilog, None
        try:
            super().format_help(ctx, formatter)  # type: ignore[misc]
        finally:
            self.epilog = end
        typer.echo(textwrap.indent(f"\n{end}", " "))


class Command(_Ended, TyperCommand):
    """A command, with examples."""


class Group(_Ended, TyperGroup):
    """All of them."""


def examples(*commands: str) -> str:
    """An epilog."""
    return "\n".join(["Examples:", "", *(f"deerapi-remix {command}" for command in commands)])

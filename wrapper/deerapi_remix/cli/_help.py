"""Help that reads the same with every version of Typer.

They differ in what they make of flags, of arguments and of an epilog.
"""

from __future__ import annotations

import copy
import shutil
import textwrap
from typing import Any, cast

import typer
from typer.core import TyperCommand, TyperGroup

# The base of what is raised for a command line that cannot be parsed; Typer does not name it.
UsageError = cast(type[Exception], typer.BadParameter.__base__)
# Below this width of the terminal the names of options are cut off in Typer's boxes.
_ROOM_FOR_BOXES = 60
_SHOW_COMPLETION = "--show-completion"
# Typer's own have yellow and cyan, which cannot be read on white.
_STYLES = {
    "STYLE_OPTION": "bold",
    "STYLE_SWITCH": "bold",
    "STYLE_TYPES": "magenta",
    "STYLE_METAVAR": "magenta",  # What Typer 0.26.0 calls the same.
    "STYLE_USAGE": "bold",
    "STYLE_COMMANDS_TABLE_FIRST_COLUMN": "bold",
}


class _Ended:
    epilog: str | None
    rich_markup_mode: Any

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Add the epilog behind what Typer prints."""
        for parameter in self.get_params(ctx):  # type: ignore[attr-defined]
            _name_only(parameter)
        columns = shutil.get_terminal_size().columns
        plain = columns < _ROOM_FOR_BOXES and self.rich_markup_mode is not None
        if plain:
            self.rich_markup_mode = None
            formatter.width = min(formatter.width, columns)
        else:
            _use_readable_colors()
        end, self.epilog = self.epilog, None
        try:
            super().format_help(ctx, formatter)  # type: ignore[misc]
        finally:
            self.epilog = end
        if plain:  # Boxes are printed, but plain help is only returned.
            typer.echo(formatter.getvalue(), nl=False)
            formatter.buffer.clear()
        typer.echo(textwrap.indent(f"\n{end}", " "))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Let every complaint about the command line name the command that it is about."""
        try:
            rest: list[str] = super().parse_args(ctx, args)  # type: ignore[misc]
        except UsageError as error:
            error.ctx = error.ctx or ctx  # type: ignore[attr-defined]
            raise
        return rest

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """What stands behind the name of the command, without the braces of some versions."""
        pieces: list[str] = super().collect_usage_pieces(ctx)  # type: ignore[misc]
        return [piece.strip("{}") for piece in pieces]


class Command(_Ended, TyperCommand):
    """A command, with examples."""


class Group(_Ended, TyperGroup):
    """All of them."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take `--show-completion SHELL`, too: Typer's own option asks the system for the shell."""
        if len(args) == 2 and args[0] == _SHOW_COMPLETION:
            from typer.completion import get_completion_script  # type: ignore[attr-defined]

            name = str(ctx.info_name)
            variable = f"_{name.replace('-', '_').upper()}_COMPLETE"
            script = get_completion_script(prog_name=name, complete_var=variable, shell=args[1])
            typer.echo(script)
            raise typer.Exit
        return super().parse_args(ctx, args)


def _name_only(parameter: Any) -> None:
    """Let the help show no value for a flag, and for an argument its name but not its type."""
    if getattr(parameter, "is_flag", False):
        parameter.metavar = ""
    if parameter.name == "show_completion":
        parameter.help = "Show completion for the current shell, or for the one that is named."
    if parameter.param_type_name == "argument":
        parameter.display_type = _nothing
        if hasattr(parameter, "type"):  # Before Typer 0.29 it is the type that names itself.
            # Types are shared between parameters, so this one gets its own.
            parameter.type = copy.copy(parameter.type)
            parameter.type.get_metavar = _nothing


def _nothing(*_: Any, **__: Any) -> str:
    return ""


def _use_readable_colors() -> None:
    from typer import rich_utils

    for name, style in _STYLES.items():
        setattr(rich_utils, name, style)


def examples(*commands: str) -> str:
    """An epilog."""
    return "\n".join(["Examples:", "", *(f"deerapi-remix {command}" for command in commands)])

"""From a command line to an exit code."""

from __future__ import annotations

import io
import logging
import sys

from ._app import app
from ._complaints import complain
from ._exit_codes import ExitCode
from ._help import UsageError
from ._streams import abandon_stdout

# How Typer ends where it knows no completion for the shell, and says so.
_UNKNOWN_SHELL = 1


def run(arguments: list[str]) -> int:
    """Run one command line; its exit code."""
    # What the log says is told by events and errors.
    logging.getLogger("deerapi_remix").addHandler(logging.NullHandler())
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = int(app(arguments, prog_name="deerapi-remix", standalone_mode=False) or 0)
    except OSError as error:  # Of the help or the completion: a command tells its own.
        abandon_stdout()
        complain(ExitCode.FILE, type(error).__name__, str(error), as_json=False)
        return ExitCode.FILE
    except SystemExit as end:
        if not isinstance(end.__context__, BrokenPipeError):
            raise  # Of the completion.
        abandon_stdout()  # Who reads the help has had enough. Typer and Rich end so, with a 1.
        return ExitCode.DONE
    except UsageError as error:
        return _misused(error, as_json="--json" in arguments)
    asked_for_completion = arguments[:1] in (["--install-completion"], ["--show-completion"])
    if code == _UNKNOWN_SHELL and asked_for_completion:
        return ExitCode.SETUP
    return code


def _misused(error: Exception, *, as_json: bool) -> int:
    message = error.format_message()  # type: ignore[attr-defined]
    if not message:  # Without a command the help is the message, and is printed already.
        return ExitCode.USAGE
    if not message.endswith((".", "?")):
        message += "."
    command = "deerapi-remix"
    context = error.ctx  # type: ignore[attr-defined]
    if context:
        command = context.command_path
    complain(ExitCode.USAGE, "UsageError", f"{message} See: {command} --help", as_json=as_json)
    return ExitCode.USAGE

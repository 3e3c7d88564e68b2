"""The key, where the environment has none. It is never an argument: other users of the machine can see those."""

from __future__ import annotations

import getpass
import os
import sys

import typer


def key_from_terminal() -> str | None:
    """What is typed, unseen; None if DEERAPI_KEY is set, or if there is nobody to ask."""
    if os.environ.get("DEERAPI_KEY", "").strip() or not (
        _is_terminal(sys.stdin) and _is_terminal(sys.stderr)
    ):
        return None
    try:
        return getpass.getpass("DEERAPI_KEY is not set. Key (not shown): ")
    except (EOFError, KeyboardInterrupt) as error:
        typer.echo(err=True)  # The cursor is still behind the prompt.
        if isinstance(error, EOFError):
            return None
        raise


def _is_terminal(stream: object) -> bool:
    # A stream that was closed before the start is None.
    return bool(getattr(stream, "isatty", bool)())

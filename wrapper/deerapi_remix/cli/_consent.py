"""Asking before something is paid."""

from __future__ import annotations

import sys

import typer

from ._streams import is_terminal


def ask_to_pay(what: str, *, yes: bool, stdin_is_taken: bool = False) -> None:
    """Return if it may be paid.

    Args:
        what: What is paid for.
        yes: Whether that was said on the command line.
        stdin_is_taken: Whether stdin is read for something else.

    Raises:
        BadParameter: There is nobody to ask.
        KeyboardInterrupt: It may not be paid.
    """
    if yes:
        return
    if stdin_is_taken or not is_terminal(sys.stdin):
        raise typer.BadParameter(f"there is nobody to ask: add --yes to pay for {what}.")
    try:
        wanted = typer.confirm(f"Pay for {what}?", err=True)
    except typer.Abort:
        wanted = False
    if not wanted:
        raise KeyboardInterrupt

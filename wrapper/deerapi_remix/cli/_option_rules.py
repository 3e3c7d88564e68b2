"""Which options go together."""

from __future__ import annotations

import typer

_APART = (
    ("--no-wait", "--output"),
    ("--no-wait", "--timeout"),
    ("--once", "--resubmit"),
    ("--overwrite", "--output -"),
    ("--resubmit", "--output -"),
    ("--json", "--output -"),
)
_NEEDS = (("--overwrite", "--output"), ("--resubmit", "--output"), ("--database", "--once"))


def check_options(**values: object) -> None:
    """Refuse options that make no sense together.

    Args:
        values: What was given for each option, under its name in Python; None or False if nothing.

    Raises:
        typer.BadParameter: Two do not go together, or one lacks another.
    """
    given = set()
    for name, value in values.items():
        if value is None or value is False:
            continue
        option = f"--{name.replace('_', '-')}"
        given.add(option)
        if str(value) == "-":
            given.add(f"{option} -")
    for first, second in _APART:
        if {first, second} <= given:
            raise typer.BadParameter(f"{first} cannot be combined with {second}.")
    for option, needed in _NEEDS:
        if option in given and needed not in given:
            raise typer.BadParameter(f"{option} needs {needed}.")

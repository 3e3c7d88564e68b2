"""Arguments and options of the commands `batch`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, get_args

import typer


def _above_zero(text: str) -> float:
    problem = typer.BadParameter(f"{text!r} is no number above 0.")
    try:
        number = float(text)
    except ValueError:
        raise problem from None
    if 0 < number < math.inf:
        return number
    raise problem


def _states() -> list[str]:
    from deerapi_remix.batch import RowState

    return list(get_args(RowState))


Table = Annotated[
    str,
    typer.Argument(
        metavar="TABLE",
        help="CSV or JSON Lines with video_id and prompt, maybe model, output, key. - is stdin.",
    ),
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The name of the batch.")]
BatchName = Annotated[
    str | None,
    typer.Option(
        "--name", metavar="NAME", help="The name of the batch. Default: that of the table."
    ),
]
BatchDatabase = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        help="Where it is kept; for many machines a Postgres. Default: sqlite:///batch.db.",
    ),
]
OutputTemplate = Annotated[
    str,
    typer.Option("--output", "-o", metavar="TEXT", help="Where files go; {column} is filled in."),
]
PromptTemplate = Annotated[
    str | None,
    typer.Option("--prompt", metavar="TEXT", help="The prompt of all rows; {column} is filled in."),
]
Submits = Annotated[
    int | None,
    typer.Option(
        "--submits", metavar="N", min=1, help="Submits under way in a worker at most. Default: 8."
    ),
]
InFlight = Annotated[
    int | None,
    typer.Option(
        "--in-flight", metavar="N", min=1, help="Rows under way in a worker. Default: 1000."
    ),
]
Rate = Annotated[
    float | None,
    typer.Option(
        "--rate",
        metavar="N",
        parser=_above_zero,
        help="Submits a second at most, of all workers together.",
    ),
]
Price = Annotated[
    float | None,
    typer.Option(
        "--price", metavar="P", parser=_above_zero, help="What one remix costs, to show the cost."
    ),
]
MaxRows = Annotated[
    int | None, typer.Option("--max-rows", metavar="N", min=1, help="Take the first N rows only.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check everything, and pay nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before paying.")]
OneState = Annotated[
    str | None,
    typer.Option(
        "--state",
        metavar="STATE",
        help="List the rows that are waiting, submitting, rendering, saved, failed or unknown.",
        autocompletion=_states,
    ),
]
RowKey = Annotated[str, typer.Argument(metavar="KEY", help="The key of the row.")]
RowKeys = Annotated[
    list[str] | None,
    typer.Argument(metavar="KEY...", help="The keys of the rows. Default: all that have failed."),
]
ExportFile = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="FILE", help="Where to write it; .csv is CSV. Default: stdout."
    ),
]

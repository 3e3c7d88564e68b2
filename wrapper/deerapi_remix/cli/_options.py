"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._model_names import complete_model

VideoId = Annotated[str, typer.Argument(metavar="VIDEO_ID", help="The completed video to remix.")]
Prompt = Annotated[
    str,
    typer.Option(
        "--prompt", metavar="TEXT", help="What should happen in the new video.", show_default=False
    ),
]
ModelId = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="ID",
        help="One of `models`. Default: the server's choice.",
        autocompletion=complete_model,
    ),
]
Target = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Save the video; checked before anything is paid. - is stdout.",
    ),
]
NoWait = Annotated[
    bool, typer.Option("--no-wait", help="Only submit, and print the ID of the job.")
]
Resubmit = Annotated[
    bool,
    typer.Option(
        "--resubmit", help="Submit again although an earlier submit for FILE may have been charged."
    ),
]
JobId = Annotated[str, typer.Argument(metavar="ID", help="The ID of the job.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object, for errors too.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
BaseUrl = Annotated[
    str | None,
    typer.Option(
        "--base-url", metavar="URL", help="Default: DEERAPI_BASE_URL, else https://api.deerapi.com."
    ),
]


def _seconds(text: str) -> float:
    problem = typer.BadParameter(f"{text!r} is not a number of seconds.")
    try:
        seconds = float(text)
    except ValueError:
        raise problem from None
    if seconds >= 0:  # NaN is not.
        return seconds
    raise problem


Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        metavar="SECONDS",
        parser=_seconds,
        help="How long to wait for the job; inf for ever. Default: 900.",
    ),
]
Once = Annotated[
    str | None,
    typer.Option(
        "--once",
        metavar="KEY",
        help="Submit once for KEY, however often and from wherever this is run: see `ledger`.",
    ),
]
Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        help="Where the keys are kept. Default: sqlite:///deerapi-remix.db.",
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace FILE if it exists.")]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="- is stdout. Default: named after the job, in the current folder.",
    ),
]

"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

VideoId = Annotated[str, typer.Argument(metavar="VIDEO_ID", help="The completed video to remix.")]
Prompt = Annotated[
    str,
    typer.Option(
        "--prompt", metavar="TEXT", help="What should happen in the new video.", show_default=False
    ),
]
ModelId = Annotated[
    str | None,
    typer.Option("--model", metavar="ID", help="One of `models`. Default: the server's choice."),
]
Target = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="FILE", help="Save the video; checked before anything is paid."
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


def _seconds(value: float | None) -> float | None:
    if value is not None and not value >= 0:
        raise typer.BadParameter("it must be a number of seconds, not negative.")
    return value


Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        metavar="SECONDS",
        callback=_seconds,
        help="How long to wait for the job; inf for ever. Default: 900.",
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace FILE if it exists.")]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Default: named after the job, in the current folder.",
    ),
]

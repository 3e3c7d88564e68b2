"""How a failure is told: its exit code, one line on stderr and, for programs, one JSON object on stdout."""

from __future__ import annotations

import contextlib
import json
import os
from enum import IntEnum
from typing import Any

import typer

from deerapi_remix import (
    APIConnectionError,
    APIResponseValidationError,
    APIStatusError,
    AuthenticationError,
    ConfigurationError,
    DeerAPIError,
    DownloadError,
    NotFoundError,
    RateLimitError,
    RemixFailedError,
    WaitTimeoutError,
)

from ._job_file import OutcomeUnknownError
from ._text import clean

OUTCOME_UNKNOWN = (
    "The job may have been accepted and charged. Do not simply run this again: "
    "look at your usage with the vendor first."
)


class ExitCode(IntEnum):
    """The exit codes; the docstring of `deerapi_remix.cli` is their table."""

    DONE = 0
    USAGE = 2
    SETUP = 3
    REFUSED = 4
    RATE_LIMITED = 5
    SERVER = 6
    UNKNOWN = 7
    JOB_FAILED = 8
    DEADLINE = 9
    FILE = 10
    INTERRUPTED = 130


def exit_code(error: BaseException) -> ExitCode:
    """The exit code for what ended a command."""
    match error:
        case KeyboardInterrupt():
            return ExitCode.INTERRUPTED
        case DeerAPIError(may_have_been_charged=True) | OutcomeUnknownError():
            return ExitCode.UNKNOWN
        case ConfigurationError() | AuthenticationError():
            return ExitCode.SETUP
        case RateLimitError():
            return ExitCode.RATE_LIMITED
        case RemixFailedError():
            return ExitCode.JOB_FAILED
        case WaitTimeoutError():
            return ExitCode.DEADLINE
        case DownloadError():
            return ExitCode.FILE
        case APIStatusError(status_code=status) if status < 500 and status != 408:
            return ExitCode.REFUSED
        case DeerAPIError():
            return ExitCode.SERVER
        case OSError():
            return ExitCode.FILE
        case _:
            return ExitCode.USAGE


def explained(error: DeerAPIError) -> str:
    """What happened, to what, and what to do."""
    summary = str(error.args[0]) if error.args else type(error).__name__
    # Messages of the server tend to end in the request ID.
    request_id = None if (error.request_id or "") in summary else error.request_id
    facts = {"video": error.video_id, "request ID": request_id, "attempts": error.attempts}
    if known := ", ".join(f"{name}: {value}" for name, value in facts.items() if value):
        summary = f"{summary} ({known})"
    advice = error.advice
    if error.may_have_been_charged:
        advice = OUTCOME_UNKNOWN
        if error.video is not None:  # Salvaged from the answer to the submit.
            advice = f"As far as the answer can be read, the job was accepted as {error.video.id}. Do not run this again."
    elif isinstance(error, RateLimitError) and error.retry_after:
        advice = f"Run this again in {error.retry_after:.0f} s."
    elif isinstance(error, AuthenticationError):
        advice = "Check DEERAPI_KEY."
    elif isinstance(error, APIConnectionError):
        advice = "Check the network and the base URL."
    elif isinstance(error, NotFoundError) and error.video_id is None:  # Of the models.
        advice = "Check the base URL, which ends without /v1."
    elif isinstance(error, APIResponseValidationError) and error.request_id is None:
        advice = "Is the base URL that of the API?"
    elif isinstance(error, WaitTimeoutError):
        advice = (
            "The job goes on."
            if error.video is not None
            else "Check the video id and the base URL."
        )
    elif isinstance(error, ConfigurationError):
        summary = summary.replace(" or pass api_key", "")  # Which is for programs.
    return f"{summary.rstrip('.')}. {advice}".rstrip()


def complain(exit_code: int, kind: str, message: str, /, *, as_json: bool, **facts: Any) -> None:
    """Tell why a command ends. Whoever cannot be told still gets the exit code."""
    line = clean(message)
    mark = "Error:" if os.environ.get("NO_COLOR") else typer.style("Error:", fg="red", bold=True)
    with contextlib.suppress(OSError):
        typer.echo(f"{mark} {line}", err=True)
    if as_json:
        failure: dict[str, Any] = {"type": kind, "message": line, "exit_code": int(exit_code)}
        failure |= (
            dict.fromkeys(("request_id", "video_id", "video", "next"))
            | {"may_have_been_charged": False}
            | facts
        )
        with contextlib.suppress(OSError):
            typer.echo(json.dumps(failure))

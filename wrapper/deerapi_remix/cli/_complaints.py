"""What is said about a failure: what happened and what to do, for people and for programs."""

from __future__ import annotations

import contextlib
import json
import sys
from typing import Any

import typer

from deerapi_remix import (
    APIConnectionError,
    APIResponseValidationError,
    AuthenticationError,
    ConfigurationError,
    DeerAPIError,
    NotFoundError,
    RateLimitError,
    Reason,
    WaitTimeoutError,
)

from ._streams import has_colors, put_result, tell
from ._text import clean

OUTCOME_UNKNOWN = (
    "The job may have been accepted and charged. Do not simply run this again: "
    "look at your usage with the vendor first."
)
_NO_SUCH_MODEL = "It is not served now. To see what is: deerapi-remix models"
_NO_SUCH_VIDEO = "No such video for this key: check the id."


def explained(error: DeerAPIError) -> str:
    """What happened, to what, and what to do."""
    summary = str(error.args[0]) if error.args else type(error).__name__
    if isinstance(error, ConfigurationError):
        # That part of the message is for programs.
        summary = summary.replace(" or pass api_key", "")
    facts = {"video": error.video_id, "attempts": error.attempts}
    # Messages of the server tend to end in the request ID.
    if error.request_id and error.request_id not in summary:
        facts["request ID"] = error.request_id
    known = ", ".join(f"{name}: {value}" for name, value in facts.items() if value)
    if known:
        summary = f"{summary} ({known})"
    return f"{summary.rstrip('.')}. {_advice(error)}".rstrip()


def _advice(error: DeerAPIError) -> str:
    if error.job_id is not None and error.may_have_been_charged:
        return f"The job was accepted as {error.job_id}."
    if error.may_have_been_charged:
        return OUTCOME_UNKNOWN
    match error.reason:
        case Reason.UNKNOWN_JOB:
            return _NO_SUCH_VIDEO
        case Reason.NO_SUCH_MODEL:
            return _NO_SUCH_MODEL
    return _advice_by_type(error)


def _advice_by_type(error: DeerAPIError) -> str:
    match error:
        case RateLimitError(retry_after=seconds) if seconds:
            return f"Run this again in {seconds:.0f} s."
        case AuthenticationError():
            return "Check DEERAPI_KEY."
        case APIConnectionError():
            return "Check the network and the base URL."
        case NotFoundError(advice=NotFoundError.advice):  # Nothing is wrong with the base URL.
            return _NO_SUCH_VIDEO
        case APIResponseValidationError(request_id=None):
            return "Is the base URL that of the API?"
        case WaitTimeoutError(video=None):
            return "Check the video id and the base URL."
        case WaitTimeoutError():
            return "The job goes on."
        case _:
            return error.advice


def complain(
    exit_code: int, kind: str, message: str, facts: dict[str, Any] | None = None, *, as_json: bool
) -> bool:
    """Tell why a command ends, and say whether anybody could be told.

    Args:
        exit_code: The exit code.
        kind: The name of what ended it.
        message: What happened and what to do.
        facts: More, for programs.
        as_json: Whether a program reads stdout.
    """
    line = clean(message)
    mark = "Error:"
    if has_colors(sys.stderr):
        mark = typer.style(mark, fg="red", bold=True)
    told = tell(f"{mark} {line}")
    if as_json:
        failure: dict[str, Any] = {"type": kind, "message": line, "exit_code": int(exit_code)}
        failure |= dict.fromkeys(("request_id", "video_id", "video", "next"))
        failure |= {"may_have_been_charged": False} | (facts or {})
        with contextlib.suppress(OSError):
            put_result(json.dumps(failure) + "\n")
            told = True
    return told

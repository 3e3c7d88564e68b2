"""The exit code of each end."""

from __future__ import annotations

from enum import IntEnum

from deerapi_remix import (
    APIStatusError,
    AuthenticationError,
    ConfigurationError,
    DeerAPIError,
    DownloadError,
    InternalServerError,
    RateLimitError,
    RemixFailedError,
    WaitTimeoutError,
)

from ._job_record import OutcomeUnknownError


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


class MissingExtraError(Exception):
    """What the command needs is not installed."""


# The first row that fits decides.
_BY_TYPE: tuple[tuple[type[BaseException], ExitCode], ...] = (
    (KeyboardInterrupt, ExitCode.INTERRUPTED),
    (MissingExtraError, ExitCode.SETUP),
    (OutcomeUnknownError, ExitCode.UNKNOWN),
    (ConfigurationError, ExitCode.SETUP),
    (AuthenticationError, ExitCode.SETUP),
    (RateLimitError, ExitCode.RATE_LIMITED),
    (RemixFailedError, ExitCode.JOB_FAILED),
    (WaitTimeoutError, ExitCode.DEADLINE),
    (DownloadError, ExitCode.FILE),
    (InternalServerError, ExitCode.SERVER),
    (APIStatusError, ExitCode.REFUSED),
    (DeerAPIError, ExitCode.SERVER),
    (OSError, ExitCode.FILE),
    (BaseException, ExitCode.USAGE),
)
_REQUEST_TIMEOUT = 408


def exit_code(error: BaseException) -> ExitCode:
    """The exit code for what ended a command."""
    if isinstance(error, DeerAPIError) and error.may_have_been_charged:
        return ExitCode.UNKNOWN
    # Of all 4xx it is the one that tells of the server, not of the request.
    if isinstance(error, APIStatusError) and error.status_code == _REQUEST_TIMEOUT:
        return ExitCode.SERVER
    if type(error).__module__.startswith("deerapi_remix.ledger"):
        return _of_ledger(error)
    return next(code for kind, code in _BY_TYPE if isinstance(error, kind))


def _of_ledger(error: BaseException) -> ExitCode:
    # It is imported where a ledger is in use only, for that takes time.
    from deerapi_remix.ledger import LedgerConflictError, LedgerUnavailableError

    if isinstance(error, LedgerConflictError):
        return ExitCode.USAGE
    if isinstance(error, LedgerUnavailableError):
        return ExitCode.FILE
    # Another run submits, or two jobs were paid.
    return ExitCode.UNKNOWN

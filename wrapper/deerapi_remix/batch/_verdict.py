"""What follows from an error of a row, by one table."""

from __future__ import annotations

import random
from enum import Enum, auto

import attrs

from deerapi_remix import (
    APIConnectionError,
    AuthenticationError,
    ConfigurationError,
    DeerAPIError,
    InsufficientQuotaError,
    Reason,
    WaitTimeoutError,
)
from deerapi_remix.ledger import (
    DuplicateJobError,
    LedgerConflictError,
    LedgerUnavailableError,
    SubmitInProgressError,
)

from ._outage import lasts

_FULL_WORDS = ("database or disk is full", "no space left on device", "disk full")
# Seconds between two looks at a submit that another process has under way.
_PEEK = 1.0
# Bounds of the pause before a row is tried again, in seconds.
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
# So often the file of an accepted job is asked for where the answer says that it is not there.
# With the pauses that is a quarter of an hour.
_FOLLOWED = 20


class Next(Enum):
    """What is done with a row."""

    LATER = auto()
    """It is tried again, after a pause."""
    FAILED = auto()
    """It is given up."""
    PAUSE = auto()
    """The batch pauses: all rows would end like this one."""


@attrs.frozen
class Verdict:
    """What follows from an error.

    Attributes:
        next: What is done with the row.
        pause: Seconds until it is tried again.
    """

    next: Next
    pause: float = 0.0


def verdict(error: Exception, *, accepted: bool, tries: int) -> Verdict:
    """What follows from an error. What the ledger knows of the row is looked at before it.

    Args:
        error: What was raised.
        accepted: Whether the job of the row was known before.
        tries: How often the row was tried, this time included.
    """
    if concerns_all(error):
        return Verdict(Next.PAUSE, _pause(tries))
    if isinstance(error, DeerAPIError):
        return _of_api(error, accepted, tries)
    return Verdict(Next.FAILED)


def concerns_all(error: Exception) -> bool:
    """Whether every other row would meet the same."""
    if isinstance(error, ConfigurationError | AuthenticationError | InsufficientQuotaError):
        return True
    if isinstance(error, LedgerUnavailableError):
        is_full = any(words in str(error).lower() for words in _FULL_WORDS)
        # What the ledger says in its own words concerns one row, or this worker alone.
        return is_full or (error.__cause__ is not None and lasts(error))
    if isinstance(error, DeerAPIError):
        return error.reason is Reason.NO_BALANCE
    # A file that is there is a matter of this row; a disk that is full or gone is one of all rows.
    return isinstance(error, OSError) and not isinstance(error, FileExistsError)


def _of_api(error: DeerAPIError, accepted: bool, tries: int) -> Verdict:
    if isinstance(error, SubmitInProgressError):
        return Verdict(Next.LATER, _PEEK)
    if isinstance(error, LedgerConflictError):
        return Verdict(Next.FAILED)
    if isinstance(error, DuplicateJobError):
        return Verdict(Next.LATER, _PEEK)
    if error.job_id is not None and not accepted:
        return Verdict(Next.LATER, _PEEK)
    if isinstance(error, LedgerUnavailableError | WaitTimeoutError | APIConnectionError):
        return Verdict(Next.LATER, _pause(tries))
    if error.retryable:
        return Verdict(Next.LATER, max(_pause(tries), _asked_for(error)))
    if error.may_have_been_charged and not accepted:
        # The ledger has it as unknown, or will have once the time of the submit is up.
        return Verdict(Next.LATER, _PEEK)
    if accepted and tries < _FOLLOWED:
        return Verdict(Next.LATER, _pause(tries))
    return Verdict(Next.FAILED)


def _asked_for(error: DeerAPIError) -> float:
    """The pause that the server asked for, within reason."""
    seconds: float = getattr(error, "retry_after", None) or 0.0
    return min(seconds, 10 * _LONGEST_PAUSE)


def _pause(tries: int) -> float:
    """Seconds before the next try, drawn so that rows do not come back in step."""
    longest = min(_FIRST_PAUSE * 2 ** min(tries - 1, 10), _LONGEST_PAUSE)
    return random.uniform(longest / 2, longest)  # noqa: S311  # No secret.

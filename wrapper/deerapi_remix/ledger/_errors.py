"""What a ledger raises on its own account. What a client raises passes unchanged.

LedgerError (DeerAPIError)
├ LedgerConflictError (ValueError)   the key is in use otherwise, or its state forbids the call
├ SubmitInProgressError              another call is submitting for the key now
├ OutcomeUnknownError                a submit for the key ended, and nobody knows how
├ DuplicateJobError                  two jobs were accepted for the key
└ LedgerUnavailableError             the database is away, full, read-only, too new or unsafe
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deerapi_remix import DeerAPIError

from ._entry import Entry


class LedgerError(DeerAPIError):
    """Base of what a ledger raises on its own account."""

    def __init__(
        self, summary: str = "", facts: Mapping[str, Any] | None = None, /, **attributes: Any
    ) -> None:
        super().__init__(summary, facts, **attributes)
        entry = vars(self).get("entry")
        if isinstance(entry, dict):  # From `args`, which are ready for JSON.
            vars(self)["entry"] = Entry.from_dict(entry)


class LedgerConflictError(LedgerError, ValueError):
    """The key is in use for another remix, or its state forbids the call. Nothing was sent.

    Attributes:
        entry: What the ledger knows of the key.
    """

    entry: Entry


class SubmitInProgressError(LedgerError):
    """Another call is submitting for the key at this moment. Nothing was sent.

    Attributes:
        entry: What the ledger knows of the key.
        until: When that submit will be over at the latest, in Unix seconds; None if it has no
            limit.
    """

    advice = "Call again later: the job will be known, or that none was charged."
    retryable = True
    entry: Entry
    until: float | None = None


class OutcomeUnknownError(LedgerError):
    """An earlier submit for the key was cut off and may have been charged. Nothing was sent now.

    Attributes:
        entry: What the ledger knows of the key.
    """

    entry: Entry
    may_have_been_charged = True

    def __str__(self) -> str:
        return f"{super().__str__()} {self.advice}".rstrip()


class DuplicateJobError(LedgerError):
    """A job was accepted for the key although the ledger knows of another: both were paid.

    It takes a process that stood still for minutes and a decision by hand meanwhile.
    `job_id` is the job of this call.

    Attributes:
        entry: What the ledger knows of the key; `entry.job_ids` has both jobs. None if it was
            forgotten meanwhile.
    """

    entry: Entry | None = None


class LedgerUnavailableError(LedgerError):
    """The database is away, full, read-only, of another version, or its settings are unsafe."""

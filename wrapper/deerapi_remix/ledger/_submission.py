"""One call for a key: what is decided before its POST, and what after. Both ledgers drive it."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from sqlalchemy import Connection

from deerapi_remix import DeerAPIError, Video, _clock

from . import _holder, _transitions
from ._asked import Asked
from ._entry import differences
from ._errors import (
    DuplicateJobError,
    LedgerConflictError,
    LedgerUnavailableError,
    OutcomeUnknownError,
    SubmitInProgressError,
)
from ._outcome import Outcome
from ._records import Record
from ._store import Store
from ._transitions import Submit

# Seconds that a submit is given beyond what the client needs at most: clocks of machines differ.
MARGIN = 30.0
_LONGEST_ERROR = 1_000


class Submission:
    """One call for a key.

    Args:
        store: Where the ledger is.
        asked: What the caller wants.
    """

    def __init__(self, store: Store, asked: Asked) -> None:
        self._store = store
        self._asked = asked
        now = _clock.now()
        until = now + asked.seconds + MARGIN
        self._until = until if until < math.inf else None
        self._submit = Submit(asked.key, _holder.current(), now, self._until)
        self._begun: Outcome[Record | None] | None = None
        self._may_be_committed = False
        self._video: Video | None = None
        self._recorded: Outcome[Record | None] | None = None

    def begin(self) -> Outcome[Record | None]:
        """Commit the intent; with None the POST may be made, else `earlier` tells what follows."""
        self._begun = self._store.write(self._begin, key=self._asked.key)
        return self._begun

    def _begin(self, connection: Connection) -> Record | None:
        found = _transitions.begin(connection, self._asked.columns(), self._submit)
        self._may_be_committed = found is None
        return found

    def abandon(self) -> None:
        """Take the intent back if it is committed, or will be: nobody waits for it any more."""
        begun = self._begun
        # What raised in `begin` may have come once the write was asked for.
        if begun is not None and begun.is_known() and not self._may_be_committed:
            return
        self._release({"error": "it was given up before anything was sent"})

    def earlier(self, record: Record) -> Record:
        """What another call has made of the key, if one can go on from there.

        Raises:
            LedgerConflictError: It was for another remix.
            SubmitInProgressError: It is under way.
            OutcomeUnknownError: It ended, and nobody knows how.
        """
        entry = record.entry
        if others := differences(entry, self._asked.columns()):
            raise LedgerConflictError(
                f"key {entry.key!r} is in use for another remix: it differs in "
                f"{', '.join(others)}. Nothing was sent.",
                entry=entry,
            )
        check_settled(record)
        return record

    def check_time(self) -> None:
        """Raise where so much time went by that others may soon take this submit for lost.

        Raises:
            LedgerUnavailableError: Nothing was sent.
        """
        if self._until is not None and _clock.now() > self._until - self._asked.seconds:
            raise LedgerUnavailableError(
                "The intent took too long to commit. Nothing was sent.", retryable=True
            )

    def accepted(self, video: Video) -> None:
        """The job is known: record it, whatever happens meanwhile."""
        self._video = video
        work = partial(
            _transitions.accept,
            key=self._asked.key,
            token=self._submit.token,
            video=video,
            accepted_at=_clock.now(),
        )
        self._recorded = self._store.write(work, key=self._asked.key, insist=True)

    def recorded(self, video: Video) -> Outcome[Record | None]:
        """The entry, once the job is in it."""
        if self._recorded is None:
            self.accepted(video)
        assert self._recorded is not None  # noqa: S101  # Just made.
        return self._recorded

    def not_recorded(self, error: LedgerUnavailableError) -> None:
        """Let `error` tell which job it is that could not be recorded."""
        if self._video is not None:
            error.video = self._video
            error.video_id = error.job_id = self._video.id

    def mine(self, record: Record | None) -> Record:
        """The entry, if it is about the job of this submit.

        Raises:
            DuplicateJobError: It is about another.
        """
        video = self._video
        entry = None if record is None else record.entry
        assert video is not None  # noqa: S101  # A job was recorded.
        if record is not None and record.entry.job_id == video.id:
            return record
        state = f"is {entry.state}, job {entry.job_id}" if entry else "was forgotten"
        raise DuplicateJobError(
            f"key {self._asked.key!r}: the job {video.id} was accepted and paid, but meanwhile the "
            f"entry {state}. Both jobs are kept in the ledger.",
            entry=entry,
            video=video,
            video_id=video.id,
            job_id=video.id,
        )

    def ended(self, error: BaseException) -> Outcome[Any]:
        """Record a submit that raised. If that is impossible the future fails and the log tells."""
        if self._video is not None:
            done: Outcome[Any] = self.recorded(self._video)
        else:
            told = {"error": _told(error), "request_id": getattr(error, "request_id", None)}
            if isinstance(error, DeerAPIError):
                charged = error.may_have_been_charged or error.job_id is not None
            else:
                # The client leaves a note on whatever leaves a submit after something was sent.
                charged = bool(getattr(error, "__notes__", ()))
            done = self._lose(told) if charged else self._release(told)
        return done

    def _release(self, told: dict[str, Any]) -> Outcome[bool]:
        work = partial(
            _transitions.release, key=self._asked.key, token=self._submit.token, told=told
        )
        return self._store.write(work, key=self._asked.key, insist=True)

    def _lose(self, told: dict[str, Any]) -> Outcome[bool]:
        work = partial(_transitions.lose, key=self._asked.key, token=self._submit.token, told=told)
        return self._store.write(work, key=self._asked.key, insist=True)


def check_settled(record: Record) -> None:
    """Raise if a submit is under way, or nobody knows how it ended.

    Raises:
        SubmitInProgressError: It is under way.
        OutcomeUnknownError: Nobody knows.
    """
    entry = record.entry
    if entry.state == "submitting":
        raise SubmitInProgressError(
            f"key {entry.key!r}: another call is submitting it now. Nothing was sent.",
            entry=entry,
            until=record.until,
        )
    if entry.state == "unknown":
        why = f" ({entry.error.rstrip('.')})" if entry.error else ""
        raise OutcomeUnknownError(
            f"key {entry.key!r}: it is unknown how its submit ended{why}. Nothing was sent now.",
            advice=f"Once you know, tell the ledger: resolve({entry.key!r}, job_id=...), "
            f"or resolve({entry.key!r}, not_charged=True).",
            entry=entry,
            video_id=entry.video_id,
        )


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:_LONGEST_ERROR]

"""What both ledgers have in common: one database, and in each process a view of its own."""

from __future__ import annotations

import os
from functools import partial

from deerapi_remix import _clock

from . import _records, _transitions
from ._asked import check_decision, check_key
from ._database import checked
from ._entry import STATES, Entry
from ._errors import LedgerConflictError, LedgerUnavailableError
from ._outcome import Outcome
from ._records import Record
from ._store import Store
from ._submission import check_settled

# So many entries are read at once: a transaction that stays open would keep SQLite from tidying up.
_PAGE = 500


class BaseLedger:
    """One database, and in each process a view of its own.

    Args:
        url: Where the ledger is kept: `sqlite:///FILE` or `postgresql://USER@HOST/NAME`.

    Raises:
        ValueError: The URL cannot be that of a ledger.
    """

    def __init__(self, url: str = "sqlite:///deerapi-remix.db") -> None:
        self._url = checked(url)
        self._closed = False
        # By the number of the process: connections must not be shared with a forked child.
        self._stores: dict[int, Store] = {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._url.render_as_string()!r})"

    @property
    def _store(self) -> Store:
        if self._closed:
            raise LedgerUnavailableError("This ledger is closed; make a new one.")
        store = self._stores.get(os.getpid())
        if store is None:
            # Two threads may come here at once, and both get the same.
            store = self._stores.setdefault(os.getpid(), Store(self._url))
        return store

    def _close(self) -> None:
        if store := self._stores.get(os.getpid()):
            store.close()
        self._closed = True

    def _begin_resolve(
        self, key: str, job_id: str | None, not_charged: bool
    ) -> Outcome[Record | None]:
        check_key(key)
        check_decision(job_id, not_charged=not_charged)
        work = partial(_transitions.resolve, key=key, job_id=job_id, now=_clock.now())
        return self._store.write(work, key=key)

    def _begin_forget(self, key: str) -> Outcome[Record | None]:
        work = partial(_transitions.forget, key=check_key(key), now=_clock.now())
        return self._store.write(work, key=key)

    def _begin_find(self, key: str) -> Outcome[Record | None]:
        return self._store.read(partial(_records.find, key=check_key(key)))

    def _begin_page(self, after: str | None, state: str | None) -> Outcome[list[Record]]:
        return self._store.read(partial(_records.page, after=after, state=state, size=_PAGE))


def check_state(state: object) -> None:
    """ValueError if `state` is none."""
    if state is not None and state not in STATES:
        raise ValueError(f"state must be one of {', '.join(STATES)}, not {state!r}")


def resolved(key: str, job_id: str | None, record: Record | None) -> Entry:
    """The entry as it was resolved.

    Raises:
        KeyError: There is none.
        SubmitInProgressError: Its submit is still under way.
        LedgerConflictError: It is not unknown, so there is nothing to resolve.
    """
    if record is None:
        raise KeyError(key)
    entry = record.entry
    if record.is_resolved(job_id):
        return entry
    check_settled(record)
    raise LedgerConflictError(
        f"key {key!r} is {entry.state}, job {entry.job_id}: there is nothing to resolve.",
        entry=entry,
    )

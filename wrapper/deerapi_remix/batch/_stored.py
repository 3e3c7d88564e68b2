"""A batch in its database: looked at, settled and paused, but not worked on."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from functools import partial
from typing import Self, TypeVar

from sqlalchemy import Connection

from deerapi_remix import _clock
from deerapi_remix.ledger._asked import check_decision
from deerapi_remix.ledger._database import checked
from deerapi_remix.ledger._store import Store

from . import _rows, _settling
from ._engine import Queue
from ._errors import BatchError
from ._outage import advising
from ._values import STATES, TOGETHER, Row, RowState, Status, portions

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
T = TypeVar("T")


class StoredBatch:
    """A batch in its database. See `Batch`."""

    def __init__(self, url: str, name: str) -> None:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise BatchError(
                f"{name!r} is no name of a batch: it has letters, digits, dots, dashes and "
                "underscores, 64 at most, and begins with a letter or digit"
            )
        self.name = name
        self._url = checked(url)
        self._store = Store(self._url)
        self._queue: Queue | None = None

    def status(self) -> Status:
        """How far the batch has come.

        Raises:
            BatchError: There is no such batch.
        """
        found = self._read(partial(_rows.status, batch=self.name))
        if found is None:
            raise self._unknown()
        return found

    def rows(self, state: RowState | None = None) -> Iterator[Row]:
        """Look through the rows in their order. They are read as they are asked for.

        Args:
            state: Those in this state only.

        Raises:
            BatchError: There is no such state.
        """
        if state is not None and state not in STATES:
            raise BatchError(f"state must be one of {', '.join(STATES)}, not {state!r}")
        after = 0
        while found := self._read(
            partial(_rows.page, batch=self.name, after=after, state=state, size=TOGETHER)
        ):
            yield from found
            after = found[-1].number

    def resolve(self, key: str, *, job_id: str | None = None, not_charged: bool = False) -> Row:
        """Say what became of a row whose submit nobody knows the end of. It is worked on again.

        Args:
            key: Its key within the batch.
            job_id: The job that was found to be there.
            not_charged: Nothing was charged: it is submitted again.

        Returns:
            The row as it is now.

        Raises:
            BatchError: There is no such row, its outcome is known, or its submit is under way.
            TypeError, ValueError: It is not said what became of it, or the job cannot be one.
        """
        check_decision(job_id, not_charged=not_charged)
        work = partial(
            _settling.resolve,
            batch=self.name,
            key=key,
            job_id=job_id,
            at=_clock.now(),
            put=self._opened_queue().put,
        )
        is_resolved = self._write(work)
        row = self._read(partial(_rows.row, batch=self.name, key=key))
        if row is None:
            raise BatchError(f"batch {self.name} has no row {key!r}")
        if row.state == "submitting":
            raise BatchError(f"row {key!r} is being submitted: nothing can be said of it yet")
        if not is_resolved or row.state == "failed":
            job = f", job {row.job_id}" if row.job_id is not None else ""
            raise BatchError(f"row {key!r} is {row.state}{job}: there is nothing to resolve")
        return row

    def retry(self, keys: Collection[str] | None = None) -> list[str]:
        """Have failed rows worked on again. A job that failed is submitted, and paid for, again.

        Args:
            keys: The rows. Default: all that have failed.

        Returns:
            The keys of those that had failed.
        """
        if keys is None:
            keys = [row.key for row in self.rows("failed")]
        again: list[str] = []
        for some in portions(list(keys)):
            work = partial(
                _settling.retry,
                batch=self.name,
                keys=some,
                at=_clock.now(),
                put=self._opened_queue().put,
            )
            again += self._write(work)
        return again

    def pause(self, why: str = "by hand") -> None:
        """Have all workers submit nothing more; jobs under way are still saved.

        Args:
            why: What `status` tells as the reason.

        Raises:
            BatchError: There is no such batch.
        """
        if not self._write(partial(_rows.pause, batch=self.name, why=why)):
            raise self._unknown()

    def resume(self) -> None:
        """Let workers submit again.

        Raises:
            BatchError: There is no such batch.
        """
        if not self._write(partial(_rows.pause, batch=self.name, why=None)):
            raise self._unknown()

    def close(self) -> None:
        """Finish what is to be recorded, and close the connections."""
        if self._queue is not None:
            self._queue.close()
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, work: Callable[[Connection], T]) -> T:
        with advising(self._url):
            return self._store.read(work).result()

    def _write(self, work: Callable[[Connection], T]) -> T:
        with advising(self._url):
            return self._store.write(work, key=self.name).result()

    def _opened_queue(self) -> Queue:
        if self._queue is None:
            with advising(self._url):
                self._queue = Queue(self._url, self.name)
        return self._queue

    def _check_exists(self) -> None:
        if self._read(partial(_rows.settings, batch=self.name)) is None:
            raise self._unknown()

    def _unknown(self) -> BatchError:
        names = ", ".join(self._read(_rows.names)) or "none"
        return BatchError(f"there is no batch {self.name}; there are: {names}")

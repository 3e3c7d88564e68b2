"""The batch, as programs use it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Self, TypeVar

from sqlalchemy import Connection

from deerapi_remix import AsyncRemixClient, _clock
from deerapi_remix.ledger._database import checked
from deerapi_remix.ledger._store import Store

from . import _rows, _schema
from ._engine import Queue
from ._errors import BatchError
from ._plan import DEFAULT_OUTPUT, Plan, Wanted, make_plan
from ._row_work import OnAccepted
from ._running import OnStatus, Running
from ._table import Line, lines_of
from ._template import Template
from ._values import STATES, Row, RowState, Status

DEFAULT_URL = "sqlite:///batch.db"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_TOGETHER = 500
_PAGE = 500
T = TypeVar("T")


class Batch:
    """Many remixes, worked on by any number of workers, each paid for once.

    Args:
        url: Where it is kept: `sqlite:///FILE`, or `postgresql://USER@HOST/NAME` with the extra
            `postgres`. The ledger is in the same database.
        name: Its name, of letters, digits, dots, dashes and underscores.

    Raises:
        BatchError: The name cannot be one.
        ValueError: The URL cannot be that of a database for it.

    Example:
        >>> with Batch.open("sqlite:///winter.db", "winter") as batch:
        ...     batch.add([{"video_id": "video_123", "prompt": "It snows"}])
        ...     async with AsyncRemixClient() as client:
        ...         status = await batch.run(client)
    """

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
        self._running: Running | None = None

    @classmethod
    def open(cls, url: str = DEFAULT_URL, name: str = "batch") -> Self:
        """Open a batch, and make its tables if there are none.

        Args:
            url: Where it is kept.
            name: Its name.

        Raises:
            BatchError, ValueError: As for `Batch`.
            LedgerUnavailableError: The database cannot be used.
        """
        batch = cls(url, name)
        try:
            batch._store.write(_schema.prepare, key=name).result()
        except BaseException:
            batch.close()
            raise
        return batch

    def plan(
        self,
        rows: Iterable[Mapping[str, object] | Line],
        *,
        prompt: str | None = None,
        model: str | None = None,
        output: str = DEFAULT_OUTPUT,
        price: float | None = None,
        models: Collection[str] | None = None,
    ) -> Plan:
        """Check rows. Nothing is written, and nothing is sent.

        Args:
            rows: With `video_id` and `prompt`, and maybe `model`, `output` and `key`, or what
                `read_table` returned.
            prompt: A template for the prompt, such as `"{animal} in the snow"`, instead of a
                column of that name.
            model: The model of rows that name none.
            output: A template for the path of the file of rows that name none.
            price: What one remix costs.
            models: The models that are served, if they are to be checked.

        Returns:
            The rows that are new, and what they cost.

        Raises:
            TableError: With everything that is wrong with the rows.
            ValueError: A template cannot be read.
        """
        wanted = Wanted(
            None if prompt is None else Template(prompt, "the prompt"),
            model,
            Template(output, "the output"),
            price,
            models,
        )
        known = self._read(partial(_rows.planned, batch=self.name))
        return make_plan(lines_of(rows), wanted, known)

    def add(self, rows: Iterable[Mapping[str, object] | Line], **options: Any) -> Plan:
        """Check rows, and add those that the batch does not have yet. Nothing is sent.

        Args:
            rows: As for `plan`.
            options: As for `plan`.

        Returns:
            What was added.

        Raises:
            TableError, ValueError: As for `plan`. Then nothing was added.
        """
        plan = self.plan(rows, **options)
        self.put(plan)
        return plan

    def put(self, plan: Plan) -> None:
        """Add the rows of a plan.

        Args:
            plan: What `plan` returned.
        """
        work = partial(_rows.set_up, batch=self.name, told={"price": plan.price})
        self._write(work)
        for start in range(0, len(plan.rows), _TOGETHER):
            some = plan.rows[start : start + _TOGETHER]
            self._write(
                partial(_rows.add, batch=self.name, planned=some, put=self._opened_queue().put)
            )

    async def run(
        self,
        client: AsyncRemixClient,
        *,
        submits: int | None = None,
        in_flight: int | None = None,
        rate: float | None = None,
        on_status: OnStatus | None = None,
        on_accepted: OnAccepted | None = None,
    ) -> Status:
        """Work on the rows until all have ended, the batch is paused, or `stop` was called.

        Other workers, in other processes, may do so at the same time. One process can run one
        batch at a time. What a setting was before is kept where none is told.

        Args:
            client: What sends the requests.
            submits: How many submits this and each other worker has under way at most; 8.
            in_flight: How many rows each worker has under way at most; 1000.
            rate: Submits a second, of all workers together. Default: no limit.
            on_status: Called with the status about once a second.
            on_accepted: Called with the key of a row and the id of its job.

        Returns:
            How far the batch has come.

        Raises:
            BatchError: There is no such batch, or its jobs are at another base URL.
            LedgerUnavailableError: The database cannot be used.
        """
        told = {"submits": submits, "in_flight": in_flight, "rate": rate}
        self._check_exists()
        settings = self._write(partial(_rows.set_up, batch=self.name, told=told))
        base_url = self._write(
            partial(_rows.claim_base_url, batch=self.name, base_url=client.base_url)
        )
        if base_url != client.base_url:
            raise BatchError(
                f"the jobs of batch {self.name} are at {base_url}, and not at {client.base_url}"
            )
        queue = self._opened_queue()
        queue.limit(settings.in_flight)
        self._running = Running(
            self._store,
            self._url,
            queue,
            self.name,
            settings,
            client,
            on_status=on_status or _ignore,
            on_accepted=on_accepted or _ignore,
        )
        try:
            return await self._running.run()
        finally:
            self._running = None

    def stop(self) -> None:
        """Let `run` submit nothing more, finish the submits that are under way, and return."""
        if self._running is not None:
            self._running.stop()

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
            partial(_rows.page, batch=self.name, after=after, state=state, size=_PAGE)
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
        """
        if (job_id is None) is not not_charged:
            raise BatchError("say either job_id=... or not_charged=True")
        work = partial(
            _rows.resolve,
            batch=self.name,
            key=key,
            job_id=job_id,
            at=_clock.now(),
            put=self._opened_queue().put,
        )
        record = self._write(work)
        row = self._read(partial(_rows.row, batch=self.name, key=key))
        if row is None:
            raise BatchError(f"batch {self.name} has no row {key!r}")
        wanted = "open" if job_id is None else "accepted"
        if record is None or record.entry.state != wanted or record.entry.job_id != job_id:
            raise BatchError(f"row {key!r} is {row.state}: there is nothing to resolve")
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
        ordered = list(keys)
        for start in range(0, len(ordered), _TOGETHER):
            some = ordered[start : start + _TOGETHER]
            work = partial(
                _rows.retry,
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
        return self._store.read(work).result()

    def _write(self, work: Callable[[Connection], T]) -> T:
        return self._store.write(work, key=self.name).result()

    def _opened_queue(self) -> Queue:
        if self._queue is None:
            self._queue = Queue(self._url, self.name)
        return self._queue

    def _check_exists(self) -> None:
        if self._read(partial(_rows.settings, batch=self.name)) is None:
            raise self._unknown()

    def _unknown(self) -> BatchError:
        names = ", ".join(self._read(_rows.names)) or "none"
        return BatchError(f"there is no batch {self.name}; there are: {names}")


def _ignore(*_: object) -> None:
    pass

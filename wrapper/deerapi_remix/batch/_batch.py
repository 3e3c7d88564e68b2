"""The batch, as programs use it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import partial
from typing import Any, Self

from deerapi_remix import AsyncRemixClient

from . import _adding, _rows, _schema
from ._errors import BatchError
from ._outage import advising
from ._place import has_batches
from ._plan import DEFAULT_OUTPUT, Plan, PlannedRow, Wanted, make_plan
from ._row_work import OnAccepted
from ._running import OnStatus, Running
from ._stored import StoredBatch
from ._table import Line, lines_of
from ._template import Template
from ._values import Status, portions

DEFAULT_URL = "sqlite:///batch.db"


class Batch(StoredBatch):
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
        super().__init__(url, name)
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
            batch._write(_schema.prepare)
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
        """Check rows. Nothing is written, not even a database, and nothing is sent.

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
        return make_plan(lines_of(rows), wanted, self._known())

    def _known(self) -> dict[str, PlannedRow]:
        """The rows that the batch has, where there are any batches."""
        with advising(self._url):
            if not has_batches(self._url):
                return {}
        return self._read(partial(_rows.planned, batch=self.name))

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

        Raises:
            TableError: Another run has added rows that do not go with these since they were
                checked. At most some of these were added.
        """
        work = partial(_rows.set_up, batch=self.name, told={"price": plan.price})
        self._write(work)
        for some in portions(plan.rows):
            self._write(
                partial(_adding.add, batch=self.name, planned=some, put=self._opened_queue().put)
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
            with advising(self._url):
                return await self._running.run()
        finally:
            self._running = None

    def stop(self) -> None:
        """Let `run` submit nothing more, finish the submits that are under way, and return."""
        if self._running is not None:
            self._running.stop()


def _ignore(*_: object) -> None:
    pass

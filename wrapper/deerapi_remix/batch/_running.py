"""One worker at work on a batch: its engine, its signs of life, and its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

import attrs
from sqlalchemy import URL, Connection

from deerapi_remix import AsyncRemixClient
from deerapi_remix.ledger import LedgerUnavailableError
from deerapi_remix.ledger._store import Store

from . import _rows
from ._engine import Queue, RunningEngine
from ._gate import Gate
from ._row_work import OnAccepted, RowWork
from ._rows import Settings, Stray
from ._values import Status

# Seconds between two signs of life, and between two looks for rows that nobody works on. These
# come at once where a worker has gone, or where this one has nothing to do.
_BEAT = 1.0
_SWEEP = 15.0
# Seconds that the work on rows that have ended may take to tidy up.
_SETTLES = 10.0
# So many rows are put back in one transaction.
_TOGETHER = 500

_log = logging.getLogger("deerapi_remix.batch")

OnStatus = Callable[[Status], None]


@attrs.frozen
class View:
    """What a worker sees at one moment.

    Attributes:
        status: How far the batch has come.
        live: The workers that are at work.
        rate: Submits a second that are allowed to all of them.
        strays: Rows that nobody may be working on, if they were looked for.
    """

    status: Status
    live: frozenset[str]
    rate: float | None
    strays: list[Stray]


class Running:
    """One worker.

    Args:
        store: The database.
        url: Where it is.
        queue: The rows that wait.
        settings: How the batch is worked on.
        client: What sends the requests.
        on_status: Called about once a second.
        on_accepted: Called with the key of a row and the id of its job.
    """

    def __init__(
        self,
        store: Store,
        url: URL,
        queue: Queue,
        batch: str,
        settings: Settings,
        client: AsyncRemixClient,
        *,
        on_status: OnStatus,
        on_accepted: OnAccepted,
    ) -> None:
        self._database = _Database(store, url, queue, batch)
        self._gate = Gate(settings.submits)
        self._work = RowWork(
            store, client, self._gate, on_accepted=on_accepted, on_pause=self._pause
        )
        self._on_status = on_status
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stopping = False
        # Why the batch is to pause; it is told to the others as soon as the database takes it.
        self._pausing: str | None = None
        self._wake = asyncio.Event()

    def stop(self) -> None:
        """Submit nothing more, finish the submits that are under way, and end."""
        self._stopping = True
        self._gate.close()
        self._wake.set()

    async def run(self) -> Status:
        """Work until every row has ended, the batch is paused, or `stop` was called."""
        database = self._database
        await database.beat()
        engine = RunningEngine(database.url, database.queue.name, database.worker, self._row)
        try:
            return await self._watch()
        finally:
            await self._cancel()
            await engine.stop()
            await self._cancel()  # What was claimed meanwhile.
            # The engine took the one that the loop had for its own, and has closed that.
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
            await database.leave()

    async def _watch(self) -> Status:
        sweep = _Sweep(self._database)
        while True:
            view = None
            with suppress(LedgerUnavailableError):  # It is away: it is asked again.
                await self._tell_pause()
                view = await sweep.look(set(self._tasks))
                self._follow(view)
            if view is not None:
                self._on_status(view.status)
            if self._stopping and not self._gate.under_way:
                return view.status if view is not None else await self._database.status()
            if view is not None and self._is_over(view.status):
                if view.status.is_finished:
                    await self._settle()
                return view.status
            self._wake.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), _BEAT)

    def _follow(self, view: View) -> None:
        """Do what the view says: pause or go on, and at which pace."""
        if view.status.paused is not None or self._pausing is not None or self._stopping:
            self._gate.close()
        else:
            self._gate.open()
        share = None if view.rate is None else view.rate / max(len(view.live), 1)
        self._gate.pace(share)

    def _is_over(self, status: Status) -> bool:
        if status.is_finished:
            return True
        is_idle = not self._gate.under_way and not self._work.following
        return status.paused is not None and is_idle

    def _pause(self, why: str) -> None:
        """All rows would meet what one met."""
        self._gate.close()
        if self._pausing is None:
            self._pausing = why
            self._wake.set()

    async def _tell_pause(self) -> None:
        if self._pausing is not None:
            _log.warning("batch %s: paused: %s", self._database.batch, self._pausing)
            await self._database.pause(self._pausing)
            self._pausing = None

    async def _row(self, key: str) -> None:
        """What the engine calls for a row that it claimed."""
        running = self._tasks.get(key)
        if running is not None:  # A row that was put back while it was worked on here after all.
            await asyncio.wait([running])
            return
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # The engine runs workflows in tasks.
        self._tasks[key] = task
        try:
            await self._work.work(key)
        finally:
            del self._tasks[key]
            if not self._tasks:
                self._wake.set()

    async def _settle(self) -> None:
        """Let what is about rows that have ended end, too."""
        tasks = list(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=_SETTLES)

    async def _cancel(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


class _Database:
    """The database as a worker uses it."""

    def __init__(self, store: Store, url: URL, queue: Queue, batch: str) -> None:
        self.url = url
        self.queue = queue
        self.batch = batch
        self.worker = _rows.worker_name()
        self._store = store

    async def beat(self) -> None:
        work = partial(_rows.beat, batch=self.batch, worker=self.worker)
        await self._store.write(work, key=self.batch)

    async def leave(self) -> None:
        work = partial(_rows.leave, worker=self.worker)
        with suppress(LedgerUnavailableError):  # Then its time will be up.
            await self._store.write(work, key=self.batch)

    async def pause(self, why: str) -> None:
        work = partial(_rows.pause, batch=self.batch, why=why)
        await self._store.write(work, key=self.batch)

    async def status(self) -> Status:
        def read(connection: Connection) -> Status:
            found = _rows.status(connection, self.batch)
            assert found is not None  # noqa: S101  # A batch is never removed.
            return found

        return await self._store.read(read)

    async def view(self, *, strays: bool) -> View:
        def read(connection: Connection) -> View:
            status = _rows.status(connection, self.batch)
            settings = _rows.settings(connection, self.batch)
            assert status is not None  # noqa: S101  # A batch is never removed.
            assert settings is not None  # noqa: S101
            live = _rows.live_workers(connection, self.batch)
            found = []
            if strays:
                found = _rows.strays(connection, self.batch, live - {self.worker})
            return View(status, live, settings.rate, found)

        return await self._store.read(read)

    async def put_back(self, strays: list[Stray]) -> None:
        for start in range(0, len(strays), _TOGETHER):
            some = strays[start : start + _TOGETHER]
            work = partial(_rows.put_back, found=some, put=self.queue.put)
            count = await self._store.write(work, key=self.batch)
            _log.info("batch %s: %d rows are worked on again", self.batch, count)


class _Sweep:
    """Looks for rows that nobody works on: their worker has gone, or ended too early."""

    def __init__(self, database: _Database) -> None:
        self._database = database
        self._live: frozenset[str] = frozenset()
        self._last = -_SWEEP
        self._suspects: set[Stray] = set()

    async def look(self, here: set[str]) -> View:
        """Give a sign of life, and look; `here` are the rows that this worker works on."""
        await self._database.beat()
        now = asyncio.get_running_loop().time()
        view = await self._database.view(strays=self._is_due(here, now))
        if self._live - view.live:
            view = await self._database.view(strays=True)
        self._live = view.live
        if view.strays:
            await self._put_back(view.strays, here)
        return view

    def _is_due(self, here: set[str], now: float) -> bool:
        if here and now - self._last < _SWEEP:
            return False
        self._last = now
        return True

    async def _put_back(self, strays: list[Stray], here: set[str]) -> None:
        """Put back what nobody works on. What this worker has claimed may be about to begin."""
        mine = {stray for stray in strays if stray.worker == self._database.worker}
        mine = {stray for stray in mine if stray.key not in here}
        gone = [stray for stray in strays if stray.worker != self._database.worker]
        gone += mine & self._suspects
        self._suspects = mine
        await self._database.put_back(gone)

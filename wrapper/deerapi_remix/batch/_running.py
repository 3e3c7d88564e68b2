"""One worker at work on a batch: its engine, its signs of life, and its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from sqlalchemy import URL

from deerapi_remix import AsyncRemixClient
from deerapi_remix.ledger import LedgerUnavailableError
from deerapi_remix.ledger._store import Store

from . import _outage
from ._engine import Queue, RunningEngine
from ._gate import Gate
from ._outage import Outage
from ._row_work import OnAccepted, RowWork
from ._rows import Settings
from ._values import Status
from ._watch import Database, Sweep, View

# Seconds between two signs of life.
_BEAT = 1.0
# Seconds without anything to do after which a worker of a paused batch ends.
_IDLES = 5.0
# Seconds that the work on rows that have ended may take to tidy up.
_SETTLES = 10.0

_log = logging.getLogger("deerapi_remix.batch")

OnStatus = Callable[[Status], None]


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
        self._database = Database(store, url, queue, batch)
        self._outage = Outage(url, batch)
        self._gate = Gate(settings.submits)
        self._work = RowWork(
            store, client, self._gate, on_accepted=on_accepted, on_pause=self._pause
        )
        self._on_status = on_status
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stopping = False
        # Why the batch is to pause; it is told to the others as soon as the database takes it.
        self._pausing: str | None = None
        # Why it last paused, which is told once.
        self._paused_for: str | None = None
        self._wake = asyncio.Event()
        # When something was under way here last, on the clock of the loop.
        self._busy_at = asyncio.get_running_loop().time()

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
        sweep = Sweep(self._database)
        while True:
            view = await self._look(sweep)
            if view is not None:
                self._on_status(view.status)
            if view is not None and self._stopping and not self._gate.under_way:
                return view.status
            if view is not None and self._is_over(view.status):
                if view.status.is_finished:
                    await self._settle()
                return view.status
            self._wake.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), _BEAT)

    async def _look(self, sweep: Sweep) -> View | None:
        """Look at the database; None where that cannot be used, and is asked again later.

        Raises:
            LedgerUnavailableError: It will hardly be usable again, or this worker is to end; and
                nothing is under way.
        """
        loop = asyncio.get_running_loop()
        alarm = loop.call_later(_outage.SLOW, self._outage.waits)
        try:
            self._outage.check_place()
            await self._tell_pause()
            view = await sweep.look(set(self._tasks))
        except LedgerUnavailableError as error:
            self._gate.close()
            self._outage.met(error)
            is_hopeless = self._outage.is_hopeless() and not self._work.following
            if (is_hopeless or self._stopping) and not self._gate.under_way:
                raise
            return None
        finally:
            alarm.cancel()
        self._outage.over()
        self._follow(view)
        return view

    def _follow(self, view: View) -> None:
        """Do what the view says: pause or go on, and at which pace."""
        if view.status.paused is not None or self._pausing is not None or self._stopping:
            self._gate.close()
        else:
            self._gate.open()
            self._paused_for = None
        share = None if view.rate is None else view.rate / max(len(view.live), 1)
        self._gate.pace(share)

    def _is_over(self, status: Status) -> bool:
        now = asyncio.get_running_loop().time()
        if self._gate.under_way or self._work.following:
            self._busy_at = now
        if status.is_finished:
            return True
        if status.paused is None or self._busy_at == now:
            return False
        # Jobs that a worker left when it ended are about to be followed here.
        is_quiet = not status.counts["rendering"] and not status.counts["submitting"]
        return is_quiet or now - self._busy_at > _IDLES

    def _pause(self, why: str) -> None:
        """All rows would meet what one met."""
        self._gate.close()
        if self._pausing is None:
            self._pausing = why
            self._wake.set()
            if why != self._paused_for:
                _log.warning("batch %s: paused: %s", self._database.batch, why)
            self._paused_for = why

    async def _tell_pause(self) -> None:
        if self._pausing is not None:
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

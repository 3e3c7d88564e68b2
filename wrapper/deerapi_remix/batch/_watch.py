"""What a worker sees in the database, and tells there."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from functools import partial

import attrs
from sqlalchemy import URL, Connection

from deerapi_remix.ledger import LedgerUnavailableError
from deerapi_remix.ledger._store import Store

from . import _rows, _workers
from ._engine import Queue
from ._values import Status, portions
from ._workers import Stray

# Seconds between two looks for rows that nobody works on. They come at once where a worker has
# gone, or where this one has nothing to do.
_SWEEP = 15.0

_log = logging.getLogger("deerapi_remix.batch")


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


class Database:
    """The database as a worker uses it."""

    def __init__(self, store: Store, url: URL, queue: Queue, batch: str) -> None:
        self.url = url
        self.queue = queue
        self.batch = batch
        self.worker = _workers.new_name()
        self._store = store

    async def beat(self) -> None:
        work = partial(_workers.beat, batch=self.batch, worker=self.worker)
        await self._store.write(work, key=self.batch)

    async def leave(self) -> None:
        work = partial(_workers.leave, worker=self.worker)
        with suppress(LedgerUnavailableError):  # Then its time will be up.
            await self._store.write(work, key=self.batch)

    async def pause(self, why: str) -> None:
        work = partial(_rows.pause, batch=self.batch, why=why)
        await self._store.write(work, key=self.batch)

    async def view(self, *, strays: bool) -> View:
        def read(connection: Connection) -> View:
            status = _rows.status(connection, self.batch)
            settings = _rows.settings(connection, self.batch)
            assert status is not None  # noqa: S101  # A batch is never removed.
            assert settings is not None  # noqa: S101
            live = _workers.live(connection, self.batch)
            found = []
            if strays:
                found = _workers.strays(connection, self.batch, live - {self.worker})
            return View(status, live, settings.rate, found)

        return await self._store.read(read)

    async def put_back(self, strays: list[Stray]) -> None:
        for some in portions(strays):
            work = partial(_workers.put_back, found=some, put=self.queue.put)
            count = await self._store.write(work, key=self.batch)
            _log.info("batch %s: %d rows are worked on again", self.batch, count)


class Sweep:
    """Looks for rows that nobody works on: their worker has gone, or ended too early."""

    def __init__(self, database: Database) -> None:
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

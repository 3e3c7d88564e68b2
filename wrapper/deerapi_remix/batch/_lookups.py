"""Looks up what rows are about and how far they have come, for many rows at once."""

from __future__ import annotations

import asyncio
from functools import partial

from deerapi_remix import _clock
from deerapi_remix.ledger import LedgerUnavailableError
from deerapi_remix.ledger._store import Store

from . import _rows
from ._rows import Found
from ._values import TOGETHER

# Seconds until a database that is away is asked again.
AWAY = 2.0


class Lookups:
    """Looks rows up. Those that are asked for while one look is under way share the next one.

    Thousands of rows may begin at once, and each read of the database takes a thread and a
    transaction.

    Args:
        store: The database.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._asked: list[tuple[str, asyncio.Future[Found | None]]] = []
        self._looking: asyncio.Task[None] | None = None

    async def find(self, key: str) -> Found | None:
        """The row that has this key in the ledger; None if there is none.

        Where the database is away, this waits until it is back.
        """
        answer: asyncio.Future[Found | None] = asyncio.get_running_loop().create_future()
        self._asked.append((key, answer))
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        return await answer

    async def _look(self) -> None:
        """Look rows up until nobody waits for one any more."""
        while asked := self._next():
            keys = [key for key, _ in asked]
            try:
                found = await self._store.read(partial(_rows.find_all, keys=keys))
            except LedgerUnavailableError:
                await _clock.async_sleep(AWAY)
                continue
            except Exception as error:  # It is for those who wait.
                for _, answer in asked:
                    _end(answer, error)
                continue
            for key, answer in asked:
                _end(answer, found.get(key))

    def _next(self) -> list[tuple[str, asyncio.Future[Found | None]]]:
        """What to look up next. Who was cancelled does not wait any more."""
        self._asked = [each for each in self._asked if not each[1].done()]
        return self._asked[:TOGETHER]


def _end(answer: asyncio.Future[Found | None], outcome: Found | Exception | None) -> None:
    if answer.done():
        return
    if isinstance(outcome, Exception):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)

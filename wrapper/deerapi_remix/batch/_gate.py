"""Who may submit now: so many at once, so many a second, and nobody while the batch is paused."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable
from types import TracebackType


class Gate:
    """Lets rows submit, in the order in which they came.

    After a start one submit is let through, and for each that has ended one more at once, up to
    the limit: each submit that is under way when a process dies is a row whose outcome is unknown,
    and a process that dies again and again must not leave many of them.

    Args:
        submits: How many may be under way at once.

    Attributes:
        under_way: How many are under way.
    """

    def __init__(self, submits: int) -> None:
        self.under_way = 0
        self._most = submits
        self._limit = 1
        self._open = asyncio.Event()
        self._open.set()
        self._waiting: deque[asyncio.Future[None]] = deque()
        # Seconds between two submits, and when the next may begin, on the clock of the loop.
        self._interval = 0.0
        self._next = 0.0
        self._alarm: asyncio.TimerHandle | None = None

    def pace(self, a_second: float | None) -> None:
        """Let so many submits begin in a second; None is no limit."""
        self._interval = 0.0 if a_second is None else 1 / a_second
        self._let_in()

    def close(self) -> None:
        """Let nobody through until it is opened again. Who is through is not affected."""
        self._open.clear()

    def open(self) -> None:
        """Let rows through again."""
        self._open.set()
        self._let_in()

    async def opened(self) -> None:
        """Wait until it is open."""
        await self._open.wait()

    async def __aenter__(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._let_in()
        await _given(turn, self._leave)

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._leave()

    def _leave(self) -> None:
        self.under_way -= 1
        self._limit = min(self._limit + 1, self._most)
        self._let_in()

    def _let_in(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting and self._open.is_set() and self.under_way < self._limit:
            wait = self._next - loop.time()
            if wait > 0:
                self._wake_after(wait)
                return
            turn = self._waiting.popleft()
            if turn.cancelled():
                continue
            self._next = loop.time() + self._interval
            self.under_way += 1
            turn.set_result(None)

    def _wake_after(self, seconds: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = asyncio.get_running_loop().call_later(seconds, self._let_in)


async def _given(turn: asyncio.Future[None], give_back: Callable[[], None]) -> None:
    """Wait for a turn. Who is cancelled just when it comes gives it back."""
    try:
        await turn
    except asyncio.CancelledError:
        if turn.done() and not turn.cancelled():
            give_back()
        raise


class Turns:
    """Lets so many at once, those that are most urgent first.

    Args:
        at_once: How many.
    """

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    async def take(self, urgency: float) -> None:
        """Wait for a turn; the smallest `urgency` is next."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._waiting, (urgency, self._count, turn))
        self._let_in()
        await _given(turn, self.give_back)

    def give_back(self) -> None:
        """Let the next have the turn."""
        self._free += 1
        self._let_in()

    def _let_in(self) -> None:
        while self._waiting and self._free:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.cancelled():
                self._free -= 1
                turn.set_result(None)

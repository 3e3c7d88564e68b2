"""Time that passes only while everyone sleeps."""

import asyncio
import heapq
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from attrs import field, frozen

from deerapi_remix.testing._jobs import VirtualClock

# Real seconds for which the others wait for one who is awake and gives no sign: it is busy with something else.
_PATIENCE = 0.005

_Participant = asyncio.Task[object] | threading.Thread


def _me() -> _Participant:
    try:
        return asyncio.current_task() or threading.current_thread()
    except RuntimeError:  # No event loop runs in this thread.
        return threading.current_thread()


@frozen(order=True)
class _Sleeper:
    until: float
    turn: int
    who: _Participant = field(order=False)
    wake: Callable[[], object] = field(order=False)


class VirtualTime:
    """What clients take for the clock and for sleep.

    Whoever asks for the time takes part: a task or, outside of tasks, a thread. While anyone who takes part is awake,
    time stands still. Once all of them sleep, the one who is due first wakes, at its time. So all wake in the order of
    their times, one after the other, in whatever order the machine runs them.

    Args:
        clock: Shows the time; it is moved on.
    """

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._awake: set[_Participant] = set()
        self._sleepers: list[_Sleeper] = []
        self._turns = itertools.count()
        self._stirred = 0
        self._closed = False

    def now(self) -> float:
        """The time; whoever asks takes part from here on."""
        me = _me()
        with self._lock:
            self._stirred += 1
            if me not in self._awake:
                self._awake.add(me)
                if isinstance(me, asyncio.Task):
                    me.add_done_callback(self._leave)
        return self._clock()

    def sleep(self, seconds: float) -> None:
        """Like `time.sleep`."""
        until = self.now() + seconds
        time.sleep(0)  # Awake, so that other threads begin at the same time.
        woken = threading.Event()
        with self._asleep(until, woken.set):
            stirred = self._stirred
            while not woken.wait(_PATIENCE):
                stirred = self._lose_patience(stirred)

    async def async_sleep(self, seconds: float) -> None:
        """Like `asyncio.sleep`."""
        until = self.now() + seconds
        await asyncio.sleep(0)  # Awake, so that what else is ready begins at the same time.
        loop = asyncio.get_running_loop()
        woken = loop.create_future()
        with self._asleep(until, lambda: loop.call_soon_threadsafe(woken.set_result, None)):
            stirred = self._stirred
            while not woken.done():
                await asyncio.wait([woken], timeout=_PATIENCE)
                stirred = self._lose_patience(stirred)

    def close(self) -> None:
        """Wake all who sleep, with a RuntimeError: what they would do next is not for the real API."""
        with self._lock:
            self._closed = True
            while self._sleepers:
                self._wake(heapq.heappop(self._sleepers))

    @contextmanager
    def _asleep(self, until: float, wake: Callable[[], object]) -> Iterator[None]:
        sleeper = _Sleeper(until, next(self._turns), _me(), wake)
        with self._lock:
            heapq.heappush(self._sleepers, sleeper)
            self._awake.discard(sleeper.who)
            self._go_on()
        try:
            yield
        finally:
            with self._lock:
                if sleeper in self._sleepers:  # Cancelled or interrupted.
                    self._sleepers.remove(sleeper)
                    heapq.heapify(self._sleepers)
        if self._closed:
            raise RuntimeError("mock_deerapi ended while a client was waiting; let the test wait for what it starts")

    def _go_on(self) -> None:
        """If no one is awake, wake the one who is due first."""
        self._stirred += 1
        while self._sleepers and not self._awake:
            sleeper = heapq.heappop(self._sleepers)
            self._clock.advance(max(sleeper.until - self._clock(), 0.0))
            self._wake(sleeper)

    def _wake(self, sleeper: _Sleeper) -> None:
        with suppress(RuntimeError):  # Its event loop was closed.
            sleeper.wake()
            self._awake.add(sleeper.who)

    def _leave(self, task: _Participant) -> None:
        with self._lock:
            self._awake.discard(task)
            self._go_on()

    def _lose_patience(self, stirred: int) -> int:
        """Go on without those who are awake, unless anything has happened since `stirred`."""
        with self._lock:
            if self._stirred == stirred:
                self._awake.clear()
                self._go_on()
            return self._stirred

"""Time that passes only while everyone sleeps."""

import asyncio
import heapq
import itertools
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from time import sleep  # By name, because a test may replace `time.sleep`.
from typing import Any
from unittest.mock import patch

from attrs import field, frozen

from deerapi_remix import _clock

# Real seconds after which time goes on without those who are awake and do not ask for the time:
# they are busy with something else, or they have ended.
_PATIENCE = 0.01
# What the monotonic clock shows at the start. It has nothing to do with the time of day.
_MONOTONIC_START = 1_000.0

_Participant = asyncio.Task[object] | threading.Thread


class VirtualClock:
    """A clock that moves when told to.

    Args:
        start: Unix time in seconds.
    """

    def __init__(self, start: float = 1_758_941_485.0) -> None:
        self._start = start
        # Kept apart from the start: small steps would be rounded away in the sum of both.
        self._elapsed = 0.0
        self._lock = threading.Lock()

    def __call__(self) -> float:
        return self._start + self._elapsed

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self._elapsed

    def advance(self, seconds: float) -> None:
        """Moves on by `seconds`, never back."""
        if not seconds >= 0:
            raise ValueError("seconds must not be negative")
        with self._lock:
            self._elapsed += seconds

    def advance_to(self, elapsed: float) -> None:
        """Moves on to `elapsed` seconds after the start, never back."""
        with self._lock:
            self._elapsed = max(self._elapsed, elapsed)


def _me() -> _Participant:
    try:
        task = asyncio.current_task()
    except RuntimeError:  # No event loop runs in this thread.
        task = None
    return task or threading.current_thread()


@frozen(order=True)
class _Sleeper:
    until: float
    turn: int
    who: _Participant = field(order=False)
    wake: Callable[[], object] = field(order=False)


class VirtualTime:
    """What clients take for the clock and for sleep.

    Whoever asks for the time takes part: a task or, outside of tasks, a thread. While anyone who
    takes part is awake, time stands still. Once all of them sleep, the one who is due first wakes,
    at its time. So all wake in the order of their times, one after the other, in whatever order the
    machine runs them.

    Args:
        clock: Shows the time; it is moved on.

    Attributes:
        slept: The seconds of every sleep, in the order in which they began.
    """

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.slept: list[float] = []
        self._lock = threading.Lock()
        self._awake: set[_Participant] = set()
        self._sleepers: list[_Sleeper] = []
        self._turns = itertools.count()
        self._signs_of_life = 0
        self._watchman: threading.Thread | None = None
        self._closed = False

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Take the place of all time that the clients of this process know."""
        with patch.multiple(_clock, **self.functions), closing(self):
            yield

    @property
    def functions(self) -> Mapping[str, Any]:
        """What takes the place of all time that the clients know, by the names in `_clock`."""
        return {
            "monotonic": self.monotonic,
            "now": self.now,
            "sleep": self.sleep,
            "async_sleep": self.async_sleep,
        }

    @property
    def time(self) -> float:
        """What the monotonic clock shows. Whoever looks here does not take part.

        To set it moves the clock on.
        """
        return _MONOTONIC_START + self._clock.elapsed

    @time.setter
    def time(self, value: float) -> None:
        self._clock.advance_to(value - _MONOTONIC_START)

    def now(self) -> float:
        """Unix time; whoever asks takes part from here on."""
        self._take_part()
        return self._clock()

    def monotonic(self) -> float:
        """Like `time.monotonic`; whoever asks takes part from here on."""
        self._take_part()
        return self.time

    def sleep(self, seconds: float) -> None:
        """Like `time.sleep`."""
        until = self._begin_to_sleep(seconds)
        sleep(0)  # While this thread is awake, so that other threads begin at the same time.
        woken = threading.Event()
        with self._asleep(until, woken.set):
            woken.wait()

    async def async_sleep(self, seconds: float) -> None:
        """Like `asyncio.sleep`."""
        until = self._begin_to_sleep(seconds)
        await asyncio.sleep(0)  # While this task is awake, so that others begin at the same time.
        woken, loop = asyncio.Event(), asyncio.get_running_loop()
        with self._asleep(until, lambda: loop.call_soon_threadsafe(woken.set)):
            await woken.wait()

    def close(self) -> None:
        """Wake all who sleep, with a RuntimeError, so that none of them goes on to the real API."""
        with self._lock:
            self._closed = True
            while self._sleepers:
                self._wake(heapq.heappop(self._sleepers))

    def _begin_to_sleep(self, seconds: float) -> float:
        """Take note of a sleep; the point on the monotonic clock at which it ends."""
        self.slept.append(seconds)
        return self.monotonic() + seconds

    def _take_part(self) -> None:
        me = _me()
        with self._lock:
            self._signs_of_life += 1
            if me not in self._awake:
                self._awake.add(me)
                if isinstance(me, asyncio.Task):
                    me.add_done_callback(self._leave)

    @contextmanager
    def _asleep(self, until: float, wake: Callable[[], object]) -> Iterator[None]:
        self._refuse_once_closed()
        sleeper = _Sleeper(until, next(self._turns), _me(), wake)
        with self._lock:
            heapq.heappush(self._sleepers, sleeper)
            self._awake.discard(sleeper.who)
            # What runs the event loop of a task is not awake outside of it.
            self._awake.discard(threading.current_thread())
            self._go_on()
            if self._sleepers:
                self._set_a_watchman()
        try:
            yield
        finally:
            with self._lock:
                if sleeper in self._sleepers:  # It was cancelled or interrupted.
                    self._sleepers.remove(sleeper)
                    heapq.heapify(self._sleepers)
        self._refuse_once_closed()

    def _set_a_watchman(self) -> None:
        # A thread that was started before a fork is not alive in the child.
        if self._watchman is None or not self._watchman.is_alive():
            self._watchman = threading.Thread(target=self._watch, name="mock_deerapi", daemon=True)
            self._watchman.start()

    def _refuse_once_closed(self) -> None:
        if self._closed:
            raise RuntimeError(
                "mock_deerapi ended while a client was waiting; "
                "let the test wait for what it starts"
            )

    def _go_on(self) -> None:
        """If no one is awake, wake the one who is due first."""
        self._signs_of_life += 1
        while self._sleepers and not self._awake:
            sleeper = heapq.heappop(self._sleepers)
            # Exactly to that point: a sum of the steps would miss it by a rounding error.
            self._clock.advance_to(sleeper.until - _MONOTONIC_START)
            self._wake(sleeper)

    def _wake(self, sleeper: _Sleeper) -> None:
        with suppress(RuntimeError):  # Its event loop may have been closed.
            sleeper.wake()
            self._awake.add(sleeper.who)

    def _leave(self, task: _Participant) -> None:
        with self._lock:
            self._awake.discard(task)
            self._go_on()

    def _watch(self) -> None:
        """Whenever nobody has given a sign of life for a while, go on without those who are awake.

        It ends when nobody sleeps any more.
        """
        seen = self._signs_of_life
        while True:
            sleep(_PATIENCE)
            with self._lock:
                if not self._sleepers:
                    self._watchman = None
                    return
                if self._signs_of_life == seen:
                    self._awake.clear()
                    self._go_on()
                seen = self._signs_of_life

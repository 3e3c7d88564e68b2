"""Time that passes only while everyone sleeps."""

import asyncio
import heapq
import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import sleep  # By name, for a test may replace `time.sleep`.

from attrs import field, frozen

from deerapi_remix.testing._jobs import VirtualClock

# Real seconds for which all wait for those who are awake and give no sign: they are busy with something else, or done.
_PATIENCE = 0.01

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
        self._watchman: threading.Thread | None = None
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
        sleep(0)  # Awake, so that other threads begin at the same time.
        woken = threading.Event()
        with self._asleep(until, woken.set):
            woken.wait()

    async def async_sleep(self, seconds: float) -> None:
        """Like `asyncio.sleep`."""
        until = self.now() + seconds
        await asyncio.sleep(0)  # Awake, so that what else is ready begins at the same time.
        woken, loop = asyncio.Event(), asyncio.get_running_loop()
        with self._asleep(until, lambda: loop.call_soon_threadsafe(woken.set)):
            await woken.wait()

    def close(self) -> None:
        """Wake all who sleep, with a RuntimeError: what they would do next is not for the real API."""
        with self._lock:
            self._closed = True
            while self._sleepers:
                self._wake(heapq.heappop(self._sleepers))

    @contextmanager
    def _asleep(self, until: float, wake: Callable[[], object]) -> Iterator[None]:
        self._check()
        sleeper = _Sleeper(until, next(self._turns), _me(), wake)
        with self._lock:
            heapq.heappush(self._sleepers, sleeper)
            self._awake.discard(sleeper.who)
            self._go_on()
            if self._sleepers and not (
                self._watchman and self._watchman.is_alive()
            ):  # None survives a fork.
                self._watchman = threading.Thread(
                    target=self._watch, name="mock_deerapi", daemon=True
                )
                self._watchman.start()
        try:
            yield
        finally:
            with self._lock:
                if sleeper in self._sleepers:  # Cancelled or interrupted.
                    self._sleepers.remove(sleeper)
                    heapq.heapify(self._sleepers)
        self._check()

    def _check(self) -> None:
        if self._closed:
            raise RuntimeError(
                "mock_deerapi ended while a client was waiting; let the test wait for what it starts"
            )

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

    def _watch(self) -> None:
        """Go on without those who are awake whenever nobody stirs, for as long as anyone sleeps."""
        stirred = self._stirred
        while True:
            sleep(_PATIENCE)
            with self._lock:
                if not self._sleepers:
                    self._watchman = None
                    return
                if self._stirred == stirred:
                    self._awake.clear()
                    self._go_on()
                stirred = self._stirred

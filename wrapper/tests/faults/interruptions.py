"""Interrupts a call at any point of its work, as Ctrl-C, a signal handler or a cancellation would."""

from __future__ import annotations

import asyncio
import inspect
import linecache
import re
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any

import pytest

# Whatever does the work of a call. The loop of asyncio is left out: what strikes there does not leave the call.
WATCHED = ("deerapi_remix", "httpx", "httpcore", "h11", "contextlib", "<attrs generated", "deerapi_remix_generated")
# Seconds.
_AGAIN = 0.0002
_NO_STEPS = ("with ", "async with ", "except")
_GIVES_WAY = re.compile(r"\(|\b(?:await|for|while)\b")
_SUSPENDS = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR

Trace = Callable[[FrameType, str, Any], Any]


class SoftTimeLimit(Exception):  # noqa: N818  # Named as task queues name theirs.
    """What the signal handler of a task queue raises."""


class Stop(BaseException):
    """What a signal handler raises that nobody is to catch."""


class Hung(BaseException):
    """A call took longer than it may."""


# What interruptions may leave to the interpreter, for the tests that make them.
TOLD_TO_NOBODY = pytest.mark.filterwarnings(
    # What strikes while an object is deleted is told to nobody but the interpreter.
    "ignore::pytest.PytestUnraisableExceptionWarning",
    # A socket of which only the frame knew that was interrupted is closed with it.
    "ignore::ResourceWarning",
)
ERRORS: tuple[type[BaseException], ...] = (KeyboardInterrupt, SystemExit, SoftTimeLimit, Stop)


class StrikeAtStep:
    """Raises `error` at the nth step of what runs within it: a line that begins, or a function that returns.

    A signal handler runs at the beginning of a function, after a call, whose result is lost then, and once a loop goes
    round. It runs nowhere else: not while the interpreter enters or leaves a context, nor where it looks for whoever
    handles an exception.

    Attributes:
        steps: How many steps there have been.
    """

    def __init__(self, nth: float, error: BaseException, *, watched: tuple[str, ...] = WATCHED) -> None:
        self._packages = watched
        self._nth = nth
        self._error = error
        self._outermost: FrameType | None = None
        self._watched: dict[str, bool] = {}
        self._before: Any = None
        self.steps = 0

    def __enter__(self) -> StrikeAtStep:
        self._before = sys.gettrace()
        sys.settrace(self._called)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    @property
    def struck(self) -> bool:
        return self.steps >= self._nth

    def _called(self, frame: FrameType, event: str, argument: object) -> Trace | None:
        name = frame.f_code.co_filename
        if name not in self._watched:
            self._watched[name] = _is_watched(name, self._packages)
        if not self._watched[name]:
            return None
        # What has returned from the outermost function has left the call.
        self._outermost = self._outermost or frame
        return _Frame(self).stepped

    def at_end(self, frame: FrameType, result: object) -> None:
        """A function returns."""
        if result is None or frame.f_code.co_flags & _SUSPENDS or frame.f_code.co_name == "__enter__":
            return
        if frame is not self._outermost:
            self.step(frame)

    def step(self, frame: FrameType) -> None:
        """Strike here, or later. Once the call is over there is nothing to strike, though its result may be shown."""
        self.steps += 1
        if self.steps == self._nth and any(each is self._outermost for each in _stack(frame)):
            sys.settrace(None)
            raise self._error


class _Frame:
    """One run of a function."""

    def __init__(self, strike: StrikeAtStep) -> None:
        self._strike = strike
        self._gives_way = True

    def stepped(self, frame: FrameType, event: str, argument: object) -> Trace:
        if event == "return":
            self._strike.at_end(frame, argument)
        if event == "line":
            line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
            if self._gives_way and not line.startswith(_NO_STEPS):
                self._strike.step(frame)
            self._gives_way = _GIVES_WAY.search(line.partition("  #")[0]) is not None
        return self.stepped


@contextmanager
def strike_after(seconds: float, error: BaseException, *, spares_the_loop: bool = False) -> Iterator[None]:
    """A signal comes after that time, and its handler raises `error` if a call of ours is under way, else a bit later.

    Args:
        seconds: Real time.
        error: What the handler raises.
        spares_the_loop: Whether the handler waits until no code of asyncio runs. What is raised there may lose a
            callback, and nobody's call ends any more.
    """

    is_over = threading.Event()

    def handle(_: int, frame: FrameType | None) -> None:
        if is_over.is_set():
            return
        files = [each.f_code.co_filename for each in _stack(frame)]
        is_under_way = any(_is_watched(name, ("deerapi_remix",)) for name in files)
        if is_under_way and (_is_watched(files[0], WATCHED) or not spares_the_loop):
            raise error
        signal.setitimer(signal.ITIMER_REAL, _AGAIN)

    with _handling(signal.SIGALRM, handle):
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield
        finally:
            is_over.set()  # First: a signal that comes between the two would come again, and find no handler.
            signal.setitimer(signal.ITIMER_REAL, 0)


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise Hung if it takes longer, even where a lock is waited for."""

    def handle(*_: object) -> None:
        raise Hung(f"it took more than {seconds} s")

    watch = threading.Timer(seconds, partial(signal.pthread_kill, threading.get_ident(), signal.SIGUSR1))
    watch.daemon = True
    with _handling(signal.SIGUSR1, handle):
        watch.start()
        try:
            yield
        finally:
            watch.cancel()


@contextmanager
def _handling(number: signal.Signals, handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _is_watched(filename: str, packages: tuple[str, ...]) -> bool:
    return any(package in filename for package in packages) and "/testing/" not in filename


class CancelledAt:
    """Awaits `work`, and cancels the task at its nth wait, be it for the network, a lock or a thread."""

    def __init__(self, work: Coroutine[Any, Any, object], nth: int) -> None:
        self._work = work
        self._nth = nth
        self.struck = False

    def __await__(self) -> Generator[Any, Any, object]:
        task = asyncio.current_task()
        steps = self._work.__await__()
        thrown: BaseException | None = None
        wait = 0
        while True:
            try:
                awaited = steps.throw(thrown) if thrown else next(steps)
            except StopIteration as end:
                return end.value
            wait += 1
            if wait == self._nth and task is not None:
                self.struck = True
                task.cancel()
            try:
                yield awaited
            except BaseException as error:  # For the work to deal with.
                thrown = error
            else:
                thrown = None

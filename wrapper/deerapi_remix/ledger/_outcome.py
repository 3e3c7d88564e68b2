"""What is done in other threads, and what becomes of it.

Signal handlers may raise anywhere in the main thread: task queues limit the time of a task so, and
Ctrl-C is one. An exception that strikes in Python code just when it has taken a lock leaves that
lock taken for ever, and SQLAlchemy, `Thread.start` and the futures of the standard library take
locks in Python code. So the main thread takes none of them: it waits in queues and locks that are
C, or in its event loop, while other threads do the work.
"""

from __future__ import annotations

import _thread
import asyncio
from collections import deque
from collections.abc import Callable, Generator
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")


class Outcome(Generic[T]):
    """What becomes of something that another thread does. A task that waits for it awaits it.

    Who waits may be interrupted or cancelled: what is done goes on.
    """

    def __init__(self) -> None:
        self._known: tuple[T | None, BaseException | None] | None = None
        self._rung: SimpleQueue[None] = SimpleQueue()
        self._tasks: deque[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = deque()

    def set_result(self, result: T) -> None:
        """It ended with a result."""
        self._end((result, None))

    def set_exception(self, error: BaseException) -> None:
        """It ended with an error."""
        self._end((None, error))

    def is_known(self) -> bool:
        """Whether it has ended."""
        return self._known is not None

    def result(self, timeout: float | None = None) -> T:
        """Wait for its end; what it returned or raised.

        Raises:
            queue.Empty: It did not end within `timeout` seconds.
        """
        if self._known is None:
            self._rung.get(timeout=timeout)
            self._rung.put(None)  # For whoever waits as well.
        assert self._known is not None  # noqa: S101  # It is set before the queue is.
        result, error = self._known
        if error is not None:
            raise error
        return cast(T, result)

    def __await__(self) -> Generator[Any, None, T]:
        if self._known is None:
            loop = asyncio.get_running_loop()
            waiting = loop.create_future()
            self._tasks.append((loop, waiting))
            if self._known is not None:  # It ended just now, and may not have seen this task.
                self._wake_tasks()
            yield from waiting
        return self.result()

    def _end(self, known: tuple[T | None, BaseException | None]) -> None:
        self._known = known
        self._rung.put(None)
        self._wake_tasks()

    def _wake_tasks(self) -> None:
        while self._tasks:
            with suppress(IndexError, RuntimeError):  # Another was faster, or the loop is closed.
                loop, waiting = self._tasks.popleft()
                loop.call_soon_threadsafe(_wake, waiting)


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():  # The task may have been cancelled.
        waiting.set_result(None)


def aside(work: Callable[[], T]) -> Outcome[T]:
    """Have `work` run in a thread of its own, in which no signal handler can raise.

    Raises:
        RuntimeError: There are too many threads.
    """
    outcome: Outcome[T] = Outcome()
    _thread.start_new_thread(_run, (work, outcome))
    return outcome


def _run(work: Callable[[], T], outcome: Outcome[T]) -> None:
    try:
        result = work()
    except Exception as error:  # It is for whoever waits.
        outcome.set_exception(error)
    else:
        outcome.set_result(result)

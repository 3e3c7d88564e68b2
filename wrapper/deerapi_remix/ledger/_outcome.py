"""What becomes of a write, for whoever waits for it."""

from __future__ import annotations

from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar, cast

T = TypeVar("T")


class Outcome(Future[T]):
    """What becomes of a write. It cannot be cancelled, as asyncio would with a task that waits.

    A signal handler that raises may strike a thread that waits in Python code and holds a lock by
    then, for which the writer would wait forever. So it waits in a queue, which is C.
    """

    def __init__(self) -> None:
        super().__init__()
        self._told: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()
        self.set_running_or_notify_cancel()

    def set_result(self, result: T) -> None:
        """See `Future`."""
        self._told.put((result, None))
        super().set_result(result)

    def set_exception(self, exception: BaseException | None) -> None:
        """See `Future`."""
        self._told.put((None, exception))
        super().set_exception(exception)

    def result(self, timeout: float | None = None) -> T:
        """See `Future`."""
        told = self._told.get(timeout=timeout)
        self._told.put(told)  # For whoever asks next.
        result, error = told
        if error is not None:
            raise error
        return cast(T, result)

    def is_known(self) -> bool:
        """Whether it has ended."""
        return not self._told.empty()

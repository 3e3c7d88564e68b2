"""The thread that writes: all that is asked for at the same time is committed together."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

import attrs
from sqlalchemy import Connection

from ._errors import LedgerUnavailableError
from ._outcome import Outcome, aside

T = TypeVar("T")
Work = Callable[[Connection], T]

# For so many seconds a write that must not be lost is tried again, after pauses from the first to
# the second.
PERSISTENCE = 60.0
_PAUSES = (0.05, 1.0)
# More writes than this are not committed at once, so that the first of them does not wait for long.
_TOGETHER = 200
# Who wrote at the same time is likely to write at the same time again. So many seconds after they
# were committed the next ones are there, and a commit costs as much as several writes.
_GATHERS = 0.005
# For so many seconds the thread waits for more to do before it ends, and so often it looks whether
# the program ends: the interpreter waits for it, as it would not for a daemon.
LINGERS = 1.0
_LOOKS = 0.05

_log = logging.getLogger("deerapi_remix.ledger")


@attrs.define(eq=False)
class Write(Generic[T]):
    """Something to write.

    Attributes:
        work: What to do. It may be run more than once.
        key: The key that it is about. Rows are locked in the order of their keys, so that two
            processes do not wait for each other.
        until: When to give up, on the monotonic clock of the machine; None: at the first failure.
        future: What becomes of it.
        told: Whether the log tells that it is recorded later.
    """

    work: Work[T]
    key: str
    until: float | None
    future: Outcome[T] = attrs.field(factory=Outcome)
    told: bool = False

    def goes_on(self, error: Exception) -> bool:
        """Whether it is tried again after `error`; if not, whoever waits for it is told."""
        if self.until is None or time.monotonic() >= self.until:
            if self.until is not None:
                _log.error("ledger: key %r is not recorded: %s", self.key, error)
            self.future.set_exception(error)
            return False
        if not self.told:
            self.told = True
            _log.warning("ledger: key %r is recorded later: %s", self.key, error)
        return True


class Writer:
    """The thread that writes. It runs while there is something to do, and a little longer.

    Args:
        commit: Commits writes, and returns those that are to be tried again.
        dispose: Called when nothing will be written any more.
    """

    def __init__(
        self, commit: Callable[[list[Write[Any]]], list[Write[Any]]], dispose: Callable[[], None]
    ) -> None:
        self._commit = commit
        self._dispose = dispose
        self._closed = False
        self._changing = threading.Lock()
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._waiting: list[Write[Any]] = []
        self._thread: threading.Thread | None = None

    def write(self, work: Work[T], key: str, *, insist: bool) -> Outcome[T]:
        """Have `work` run and committed. See `Store.write`."""
        write: Write[T] = Write(work, key, time.monotonic() + PERSISTENCE if insist else None)
        with self._changing:
            if self._closed and not insist:  # What is under way may still be recorded.
                raise LedgerUnavailableError("This ledger is closed; make a new one.")
            self._waiting.append(write)
            self._wake.put(None)
        if self._thread is None:
            aside(self._start).result()
        return write.future

    def close(self) -> None:
        """Finish what was asked for."""
        with self._changing:
            self._closed = True
            self._wake.put(None)
        if self._waiting:  # An exception may have kept `write` from it.
            aside(self._start).result()
        thread = self._thread
        if thread is not None:
            thread.join()
        aside(self._dispose).result()

    def _start(self) -> None:
        """Have the thread run if there is something to do."""
        with self._changing:
            if self._waiting and self._thread is None:
                thread = threading.Thread(target=self._run, name="deerapi-remix-ledger")
                thread.start()
                self._thread = thread

    def _run(self) -> None:
        pause, latest = _PAUSES
        while batch := self._next():
            left = self._commit(batch)
            if len(batch) > 1:
                time.sleep(_GATHERS)
            if not left:
                pause = _PAUSES[0]
                continue
            with suppress(Empty):  # Others do not wait for what is tried again.
                self._wake.get(timeout=pause)
            with self._changing:
                self._waiting += left
            pause = min(2 * pause, latest)
        if self._closed:
            self._dispose()

    def _next(self) -> list[Write[Any]]:
        """What to write next, in the order of the keys; nothing if the thread is to end."""
        ends = time.monotonic() + LINGERS
        while True:
            lingers = threading.main_thread().is_alive() and time.monotonic() < ends
            with self._changing:
                while not self._wake.empty():
                    self._wake.get()
                batch = self._waiting[:_TOGETHER]
                del self._waiting[:_TOGETHER]
                if not batch and (self._closed or not lingers):
                    self._thread = None
                    return []
            if batch:
                return sorted(batch, key=lambda write: write.key)
            with suppress(Empty):
                self._wake.get(timeout=_LOOKS)

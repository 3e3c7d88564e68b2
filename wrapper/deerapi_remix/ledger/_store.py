"""The database of a ledger in one process: who asks reads, and one thread writes for all.

Writes that are asked for at the same time are committed together, since it is the disk that takes
the time. All writes may be run twice, so one whose commit was not confirmed is simply run again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

import attrs
from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from . import _forks, _schema
from ._database import engine_for
from ._errors import LedgerUnavailableError
from ._outcome import Outcome

T = TypeVar("T")
Work = Callable[[Connection], T]

# For so many seconds a write that must not be lost is tried again, after pauses from the first to
# the second.
PERSISTENCE = 60.0
_PAUSES = (0.05, 1.0)
# More writes than this are not committed at once, so that the first of them does not wait for long.
_TOGETHER = 200

_log = logging.getLogger("deerapi_remix.ledger")


class _AwayError(Exception):
    """No transaction could be begun."""


@attrs.define(eq=False)
class _Write(Generic[T]):
    work: Work[T]
    # Rows are locked in the order of their keys, so that two processes do not wait for each other.
    key: str
    # When to give up, on the monotonic clock of the machine; None: at the first failure.
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


class Store:
    """The database as one process sees it. Threads may share it; a forked child needs another.

    Args:
        url: Where the database is, checked.
    """

    def __init__(self, url: URL) -> None:
        self._engine = engine_for(url)
        self._prepared = False
        self._closed = False
        # Held while a transaction is under way.
        self._busy = threading.RLock()
        self._changing = threading.Lock()
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._waiting: list[_Write[Any]] = []
        self._writer: threading.Thread | None = None
        _forks.watch(self)

    def read(self, work: Work[T]) -> T:
        """What `work` reads, in a transaction of its own.

        Raises:
            LedgerUnavailableError: The database cannot be read.
        """
        try:
            with self._transaction(writes=False) as connection:
                return work(connection)
        except _AwayError as error:
            raise _as_ours(error) from error.__cause__
        except SQLAlchemyError as error:
            raise _as_ours(error) from error

    def write(self, work: Work[T], *, key: str, insist: bool = False) -> Outcome[T]:
        """Have `work` run and committed; it goes on whatever becomes of the caller.

        Args:
            work: What to do. It may be run more than once.
            key: The key that it is about.
            insist: Whether to try again for a while where the database is away.

        Returns:
            What `work` returns once it is committed, or LedgerUnavailableError.
        """
        write: _Write[T] = _Write(work, key, time.monotonic() + PERSISTENCE if insist else None)
        with self._changing:
            if self._closed and not insist:  # What is under way may still be recorded.
                raise LedgerUnavailableError("This ledger is closed; make a new one.")
            self._waiting.append(write)
            self._wake.put(None)
            if self._writer is None:
                # It ends when there is nothing to do. The interpreter waits for it, as it would not
                # for a daemon.
                self._writer = threading.Thread(target=self._run, name="deerapi-remix-ledger")
                self._writer.start()
        return write.future

    def hold(self) -> None:
        """Let no transaction begin, and close all connections."""
        self._busy.acquire()
        self._engine.dispose()

    def let_go(self) -> None:
        """Let transactions begin again."""
        self._busy.release()

    def close(self) -> None:
        """Finish what was asked for, and close the connections."""
        with self._changing:
            self._closed = True
            writer = self._writer
        if writer is not None:
            writer.join()
        self._engine.dispose()

    def _run(self) -> None:
        """Write until there is nothing to write."""
        pause, latest = _PAUSES
        while True:
            with self._changing:
                while not self._wake.empty():
                    self._wake.get()
                batch = self._waiting[:_TOGETHER]
                del self._waiting[:_TOGETHER]
                if not batch:
                    self._writer = None
                    break
            batch.sort(key=lambda write: write.key)
            left = self._commit(batch)
            if not left:
                pause = _PAUSES[0]
                continue
            with suppress(Empty):  # Others do not wait for what is tried again.
                self._wake.get(timeout=pause)
            with self._changing:
                self._waiting += left
            pause = min(2 * pause, latest)
        if self._closed:
            self._engine.dispose()

    def _commit(self, batch: list[_Write[Any]]) -> list[_Write[Any]]:
        """Commit writes together or, where that fails, one by one; what is to be tried again."""
        try:
            self._commit_together(batch)
        except Exception:  # Whatever it is, it comes again below, and is told there.
            return self._commit_each(batch)
        return []

    def _commit_each(self, batch: list[_Write[Any]]) -> list[_Write[Any]]:
        left: list[_Write[Any]] = []
        for number, write in enumerate(batch):
            try:
                self._commit_together([write])
            except _AwayError as error:
                # It would be the same for the others, and each try may take seconds.
                return left + [each for each in batch[number:] if each.goes_on(_as_ours(error))]
            except Exception as error:  # It is for whoever waits for this write.
                if write.goes_on(_as_ours(error)):
                    left.append(write)
        return left

    def _commit_together(self, batch: list[_Write[Any]]) -> None:
        with self._transaction(writes=True) as connection:
            results = [write.work(connection) for write in batch]
        for write, result in zip(batch, results, strict=True):
            write.future.set_result(result)

    @contextmanager
    def _transaction(self, *, writes: bool) -> Iterator[Connection]:
        """A transaction; _AwayError if it cannot begin."""
        with self._busy, ExitStack() as stack:
            try:
                self._prepare()
                connection = stack.enter_context(_transaction(self._engine, writes=writes))
            except (SQLAlchemyError, OSError, LedgerUnavailableError) as error:
                raise _AwayError from error
            yield connection

    def _prepare(self) -> None:
        if self._prepared:
            return
        with _transaction(self._engine, writes=False) as connection:
            ready = _schema.is_ready(connection)
        if not ready:
            with _transaction(self._engine, writes=True) as connection:
                _schema.prepare(connection)
        self._prepared = True


@contextmanager
def _transaction(engine: Engine, *, writes: bool) -> Iterator[Connection]:
    connected = engine.connect().execution_options(deerapi_writes=writes)
    with connected as connection, connection.begin():
        yield connection


def _as_ours(error: Exception) -> Exception:
    """What a user is told."""
    cause = error.__cause__ if isinstance(error, _AwayError) else error
    if isinstance(cause, SQLAlchemyError | OSError):
        told = str(getattr(cause, "orig", None) or cause).strip()
        ours = LedgerUnavailableError(f"The database of the ledger cannot be used: {told}.")
        ours.__cause__ = cause
        return ours
    assert isinstance(cause, Exception)  # noqa: S101  # _AwayError always has one.
    return cause

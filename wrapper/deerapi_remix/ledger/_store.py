"""The database of a ledger in one process: each read has a thread, and one thread writes for all.

Writes that are asked for at the same time are committed together, since it is the disk that takes
the time. All writes may be run twice, so one whose commit was not confirmed is simply run again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from . import _forks, _schema
from ._database import engine_for, what_it_said
from ._errors import LedgerUnavailableError
from ._outcome import Outcome, aside
from ._writer import Work, Write, Writer

T = TypeVar("T")


class _AwayError(Exception):
    """No transaction could be begun."""


class Store:
    """The database as one process sees it. Threads may share it; a forked child needs another.

    Args:
        url: Where the database is, checked.
    """

    def __init__(self, url: URL) -> None:
        self._engine = engine_for(url)
        self._prepared = False
        # Held while a transaction is under way.
        self._busy = threading.Lock()
        self._writer = Writer(self._commit, self._engine.dispose)
        _forks.watch(self)

    def read(self, work: Work[T]) -> Outcome[T]:
        """Have `work` run in a transaction of its own that writes nothing.

        Returns:
            What `work` returns, or LedgerUnavailableError.
        """
        return aside(partial(self._read, work))

    def _read(self, work: Work[T]) -> T:
        try:
            with self._transaction(writes=False) as connection:
                return work(connection)
        except (_AwayError, SQLAlchemyError) as error:
            ours = _as_ours(error)
            raise ours from ours.__cause__

    def write(self, work: Work[T], *, key: str, insist: bool = False) -> Outcome[T]:
        """Have `work` run and committed; it goes on whatever becomes of the caller.

        Args:
            work: What to do. It may be run more than once.
            key: The key that it is about.
            insist: Whether to try again for a while where the database is away.

        Returns:
            What `work` returns once it is committed, or LedgerUnavailableError.
        """
        return self._writer.write(work, key, insist=insist)

    def held(self) -> _forks.Holding:
        """Close all connections, and let no transaction begin until this is closed."""
        with self._busy:
            aside(self._engine.dispose).result()
            yield

    def close(self) -> None:
        """Finish what was asked for, and close the connections."""
        self._writer.close()

    def _commit(self, batch: list[Write[Any]]) -> list[Write[Any]]:
        """Commit writes together or, where that fails, one by one; what is to be tried again."""
        try:
            self._commit_together(batch)
        except Exception:  # Whatever it is, it comes again below, and is told there.
            return self._commit_each(batch)
        return []

    def _commit_each(self, batch: list[Write[Any]]) -> list[Write[Any]]:
        left: list[Write[Any]] = []
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

    def _commit_together(self, batch: list[Write[Any]]) -> None:
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
        told = what_it_said(cause)
        ours = LedgerUnavailableError(f"The database of the ledger cannot be used: {told}.")
        ours.__cause__ = cause
        return ours
    assert isinstance(cause, Exception)  # noqa: S101  # _AwayError always has one.
    return cause

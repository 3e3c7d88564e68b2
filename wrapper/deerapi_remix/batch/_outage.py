"""A database that cannot be used: whether it may come back by itself, and what to do if not."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.exc import ProgrammingError

from deerapi_remix.ledger import LedgerUnavailableError

# After so many seconds without an answer it is told that the database gives none.
SLOW = 10.0
# For so many seconds a worker waits for a database that will hardly come back by itself.
GIVES_UP = 30.0
# What another process of the same machine causes, and ends.
_PASSING = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_INTERRUPT,
)
_ROOM = "{path}: is its disk full, or broken, or a quota used up?"
_ACCESS = "{path} must be a file that can be read and written, in a folder of which that is true."
_ADVICE = {
    sqlite3.SQLITE_FULL: _ROOM,
    sqlite3.SQLITE_IOERR: _ROOM,
    sqlite3.SQLITE_READONLY: _ACCESS,
    sqlite3.SQLITE_CANTOPEN: _ACCESS,
    sqlite3.SQLITE_PERM: _ACCESS,
    sqlite3.SQLITE_NOTADB: "{path} is another file: name that of the batch.",
    sqlite3.SQLITE_CORRUPT: "{path} is damaged: restore it. A new one does not know what was paid.",
    sqlite3.SQLITE_ERROR: "{path} is not as a batch left it: restore it, or name another.",
}

_log = logging.getLogger("deerapi_remix.batch")


def lasts(error: LedgerUnavailableError) -> bool:
    """Whether it will hardly pass by itself: the disk is full, the file broken, the version new.

    A server that does not answer may well do so later.
    """
    code = _sqlite_code(error)
    if code is not None:
        return code not in _PASSING
    cause = error.__cause__
    if cause is None:  # The ledger's own words.
        return not error.retryable
    return isinstance(cause, OSError | ProgrammingError)


def _sqlite_code(error: LedgerUnavailableError) -> int | None:
    """The primary code of SQLite's error, if that is what it was."""
    found = getattr(error.__cause__, "orig", None)
    if not isinstance(found, sqlite3.Error):
        return None
    return int(getattr(found, "sqlite_errorcode", sqlite3.SQLITE_ERROR)) & 0xFF


@contextmanager
def advising(url: URL) -> Iterator[None]:
    """Let errors of a file of SQLite name it, and tell what to do."""
    try:
        yield
    except LedgerUnavailableError as error:
        _advise(error, url)
        raise


def _advise(error: LedgerUnavailableError, url: URL) -> None:
    told = _ADVICE.get(_sqlite_code(error) or 0)
    if told is not None:
        error.advice = told.format(path=url.database)


class Outage:
    """What a worker knows of the trouble with its database.

    Args:
        url: Where the database is.
        batch: The name of the batch.

    Attributes:
        error: Why it cannot be used now; None if it can.
    """

    def __init__(self, url: URL, batch: str) -> None:
        self.error: LedgerUnavailableError | None = None
        self._url = url
        self._path = url.database if url.get_backend_name() == "sqlite" else None
        self._file = self._found()
        self._batch = batch
        self._since: float | None = None
        self._is_told = False

    def check_place(self) -> None:
        """Look whether the file is still the one that is open here: another run would miss it.

        Raises:
            LedgerUnavailableError: It is not.
        """
        if self._found() != self._file:
            raise LedgerUnavailableError(
                f"{self._path} was removed or replaced while the batch ran: what is being paid is "
                "not in it. Put it back: a new one does not know what was paid."
            )

    def _found(self) -> tuple[int, int] | None:
        if self._path is None:
            return None
        try:
            found = Path(self._path).stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def met(self, error: LedgerUnavailableError) -> None:
        """The database could not be used."""
        _advise(error, self._url)
        if self.error is None:
            self._tell(f"{error} Nothing is submitted until it can be used.")
        self.error = error
        if not lasts(error):
            self._since = None
        elif self._since is None:
            self._since = time.monotonic()

    def waits(self) -> None:
        """The database gives no answer."""
        if not self._is_told:
            self._tell(
                f"the database gives no answer for {SLOW:.0f} s: is it locked, or overloaded?"
            )

    def over(self) -> None:
        """The database could be used."""
        if self._is_told:
            self._tell("the database can be used again")
        self._is_told = False
        self.error = self._since = None

    def _tell(self, news: str) -> None:
        self._is_told = True
        _log.warning("batch %s: %s", self._batch, news)

    def is_hopeless(self) -> bool:
        """Whether there was time enough for it to be mended."""
        return self._since is not None and time.monotonic() - self._since >= GIVES_UP

"""The database of a ledger, opened so that what it has committed is on the disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from ._errors import LedgerUnavailableError

# Seconds that a write waits for other processes, and a connection for its server.
_LOCKED_FOR = 20
_CONNECT_WITHIN = 5
# What each connection to a file keeps in memory. There are a dozen of them, and the system has the
# file in memory anyway.
CACHE_KB = 256
# A server that vanished without a word is noticed within so many seconds; the last is in ms.
_NOTICED = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
# File systems of other machines: their locks cannot be relied on, and SQLite's WAL needs shared
# memory.
_REMOTE = ("nfs", "cifs", "smb", "9p", "afs", "ceph", "gluster", "lustre", "fuse.sshfs", "fuse.s3")


def checked(url: str) -> URL:
    """The address of a database, absolute and with its driver.

    Raises:
        ValueError: It cannot be that of a ledger.
    """
    try:
        found = make_url(url)
    except (ArgumentError, ValueError):
        # The text may hold a password, and so may the cause: that of a URL that is not quoted.
        raise ValueError("the URL of the database cannot be read") from None
    kind = found.get_backend_name()
    if kind in ("postgresql", "postgres"):
        return found.set(drivername="postgresql+psycopg")
    if kind != "sqlite":
        raise ValueError(f"a ledger is kept in SQLite or Postgres, not in {kind}")
    if not found.database or found.database == ":memory:" or found.query:
        raise ValueError("a ledger in SQLite is a file: sqlite:///remixes.db")
    path = Path(found.database).absolute()
    return found.set(drivername="sqlite+pysqlite", database=str(path))


def engine_for(url: URL) -> Engine:
    """An engine for one process. Nothing is opened yet.

    Raises:
        ImportError: The extra `postgres` is not installed.
    """
    # Errors must not quote prompts.
    common: dict[str, Any] = {"hide_parameters": True}
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, connect_args={"timeout": _LOCKED_FOR}, **common)
        event.listen(engine, "do_connect", _make_file)
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    # Poolers that hand a connection on after each transaction cannot keep prepared statements.
    arguments = {"connect_timeout": _CONNECT_WITHIN, "prepare_threshold": None, **_NOTICED}
    try:
        engine = create_engine(url, connect_args=arguments, **common)
    except (ImportError, NoSuchModuleError) as error:
        raise ImportError(
            "Postgres needs psycopg: pip install 'deerapi-remix[postgres]'"
        ) from error
    event.listen(engine, "connect", _check_postgres)
    return engine


def what_it_said(error: Exception) -> str:
    """The words of the database in an error of SQLAlchemy, as they stand within a sentence."""
    return str(getattr(error, "orig", None) or error).strip().rstrip(".?")


def _make_file(_dialect: Any, _record: Any, arguments: list[Any], _options: Any) -> None:
    """Make the file, readable for its owner only; SQLite gives its companions the same mode."""
    path = Path(arguments[0])
    if kind := _remote(path):
        raise LedgerUnavailableError(
            f"{path} is on a file system of another machine ({kind}), where SQLite cannot be "
            "relied on: use a local file, or Postgres"
        )
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Put the names of the files in `folder` on the disk, where a folder can be opened for it."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remote(path: Path, mounts: Path = Path("/proc/self/mounts")) -> str | None:
    """The kind of file system of `path`, if it is that of another machine; only Linux tells."""
    try:
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return None
    folder = path.parent.resolve()
    longest, kind = -1, ""
    for line in lines:
        _, mounted, found, *_ = line.split(" ")
        # Spaces and their like are written as in C.
        where = Path(mounted.encode().decode("unicode_escape"))
        if folder.is_relative_to(where) and len(where.parts) >= longest:
            longest, kind = len(where.parts), found
    return kind if kind.startswith(_REMOTE) else None


@contextmanager
def _closed_unless_usable(connection: Any) -> Iterator[None]:
    """Close a connection that is refused: SQLAlchemy forgets it, and may leave it open."""
    try:
        yield
    except BaseException:
        connection.close()
        raise


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    # The driver must not begin transactions by itself: `_begin_sqlite` does.
    connection.isolation_level = None
    with _closed_unless_usable(connection):
        cursor = connection.cursor()
        (mode,) = cursor.execute("PRAGMA journal_mode = WAL").fetchone()
        cursor.execute("PRAGMA synchronous = FULL")
        # On macOS alone: fsync there leaves data in the cache of the drive.
        cursor.execute("PRAGMA fullfsync = ON")
        cursor.execute(f"PRAGMA cache_size = -{CACHE_KB}")
        (level,) = cursor.execute("PRAGMA synchronous").fetchone()
        cursor.close()
        if mode != "wal" or level != 2:
            raise LedgerUnavailableError(
                f"SQLite gave journal_mode={mode} and synchronous={level}, not WAL and FULL"
            )


def _begin_sqlite(connection: Any) -> None:
    # A transaction that reads first and then writes would fail where another process wrote in
    # between.
    writes = connection.get_execution_options().get("deerapi_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _check_postgres(connection: Any, _record: Any) -> None:
    with _closed_unless_usable(connection):
        with connection.cursor() as cursor:
            (setting,) = cursor.execute("SHOW synchronous_commit").fetchone()
        connection.rollback()
        if setting == "off":
            raise LedgerUnavailableError(
                "synchronous_commit is off in this database, so that a crash could lose what was "
                "committed: set it to on for the role or the database of the ledger"
            )

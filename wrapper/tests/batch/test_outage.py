"""A database that cannot be used while a batch is worked on: it is told, and the worker does not go on for ever."""

from __future__ import annotations

import asyncio
import logging
import random
import resource
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, make_url, text, update
from sqlalchemy.exc import DatabaseError, InterfaceError, OperationalError, ProgrammingError

from deerapi_remix import AsyncRemixClient, RetryPolicy, _clock
from deerapi_remix.batch import Batch, Status, _outage, _verdict, _workers
from deerapi_remix.batch._schema import workers
from deerapi_remix.ledger import LedgerUnavailableError, _writer
from deerapi_remix.testing import DeerAPIMock

ROWS = [{"video_id": "video_123", "prompt": f"Take {number}", "key": f"row-{number}"} for number in range(30)]
FILE = Path("batch.db")


def run(batch: Batch, fault: Callable[[], None] | None = None) -> Status:
    """Work on the batch, five submits a second; the fault comes once a job is accepted."""
    faults = [] if fault is None else [fault]

    async def work() -> Status:
        async with AsyncRemixClient(retry=RetryPolicy(attempts=1)) as client, asyncio.timeout(30.0):
            return await batch.run(client, rate=5.0, on_accepted=lambda *_: faults.pop()() if faults else None)

    return asyncio.run(work())


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_outage, "GIVES_UP", 0.5)
    monkeypatch.setattr(_writer, "PERSISTENCE", 1.0)


def remove() -> None:
    for path in Path().glob("batch.db*"):
        path.unlink()


def replace() -> None:
    remove()
    sqlite3.connect(FILE).close()


def damage() -> None:
    with FILE.open("r+b") as file:
        file.seek(100)
        file.write(random.Random(0).randbytes(FILE.stat().st_size - 100))
    Path("batch.db-wal").write_bytes(b"")


def upgrade() -> None:
    with sqlite3.connect(FILE, timeout=20.0) as connection:
        connection.execute("UPDATE deerapi_ledger_version SET version = 2")
    connection.close()


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (remove, "batch.db was removed or replaced while the batch ran: .* Put it back"),
        (replace, "batch.db was removed or replaced while the batch ran: .* Put it back"),
        (damage, "batch.db is damaged: restore it. A new one does not know what was paid."),
        (upgrade, "is of version 2, and this deerapi-remix knows version 1: upgrade it"),
    ],
)
def test_a_worker_whose_database_is_of_no_use_submits_no_more_and_ends_with_words(
    fault: Callable[[], None], told: str, impatient: None, deerapi_mock: DeerAPIMock, caplog: pytest.LogCaptureFixture
) -> None:
    with Batch.open("sqlite:///batch.db", "winter") as batch:
        batch.add(ROWS)
        with pytest.raises(LedgerUnavailableError, match=told):
            run(batch, fault)
    assert len(deerapi_mock.sent("remix")) < 15
    (line,) = [record.getMessage() for record in caplog.records if "until it can be used" in record.getMessage()]
    assert line.startswith("batch winter: ")


def test_whoever_ends_a_worker_whose_database_is_gone_is_not_told_that_it_goes_on_where_it_was(
    impatient: None, deerapi_mock: DeerAPIMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To run it again would make a new database, and pay again."""
    monkeypatch.setattr(_outage, "GIVES_UP", 60.0)
    with Batch.open("sqlite:///batch.db", "winter") as batch:

        def remove_and_stop() -> None:
            remove()
            asyncio.get_running_loop().call_later(1.5, batch.stop)

        batch.add(ROWS)
        with pytest.raises(LedgerUnavailableError, match="was removed or replaced while the batch ran"):
            run(batch, remove_and_stop)


@contextmanager
def quota() -> Iterator[None]:
    """No file may grow; SQLite says the same where a quota is used up."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE.stat().st_size // 2, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_quota_that_is_used_up_ends_the_worker_and_the_next_one_goes_on(
    impatient: None, deerapi_mock: DeerAPIMock
) -> None:
    with Batch.open("sqlite:///batch.db", "winter") as batch:
        batch.add(ROWS[:12])
        limited = quota()
        with pytest.raises(LedgerUnavailableError, match=r"is its disk full, or broken, or a quota used up\?"):
            run(batch, limited.__enter__)
        limited.__exit__(None, None, None)
        batch.resume()
        counts = run(batch).counts
    assert counts["saved"] + counts["unknown"] == 12
    assert counts["unknown"] <= 2
    assert len(deerapi_mock.sent("remix")) == 12


def test_a_database_that_comes_back_is_worked_with_again(
    impatient: None, deerapi_mock: DeerAPIMock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its file is moved away, and is put back in time."""
    monkeypatch.setattr(_outage, "GIVES_UP", 60.0)
    aside = Path("aside.db")

    def move() -> None:
        FILE.rename(aside)
        asyncio.get_running_loop().call_later(2.5, aside.rename, FILE)

    with Batch.open("sqlite:///batch.db", "winter") as batch:
        batch.add(ROWS[:10])
        assert run(batch, move).counts["saved"] == 10
    assert len(deerapi_mock.sent("remix")) == 10
    assert caplog.messages[-1] == "batch winter: the database can be used again"


def test_a_database_that_is_locked_for_long_is_told_and_waited_for(
    impatient: None, deerapi_mock: DeerAPIMock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(_outage, "SLOW", 1.0)

    def lock() -> None:
        other = sqlite3.connect(FILE, timeout=20.0, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        asyncio.get_running_loop().call_later(3.0, other.close)

    with Batch.open("sqlite:///batch.db", "winter") as batch:
        batch.add(ROWS[:5])
        assert run(batch, lock).counts["saved"] == 5
    assert caplog.messages == [
        "batch winter: the database gives no answer for 1 s: is it locked, or overloaded?",
        "batch winter: the database can be used again",
    ]


def of_sqlite(code: int | None) -> Exception:
    error = sqlite3.OperationalError("disk I/O error")
    if code is not None:
        error.sqlite_errorcode = code
    return OperationalError("SELECT 1", {}, error)


CASES = [
    (of_sqlite(sqlite3.SQLITE_BUSY), False),
    (of_sqlite(sqlite3.SQLITE_LOCKED_SHAREDCACHE), False),
    (of_sqlite(sqlite3.SQLITE_PROTOCOL), False),
    (of_sqlite(sqlite3.SQLITE_IOERR_WRITE), True),
    (of_sqlite(sqlite3.SQLITE_FULL), True),
    (of_sqlite(sqlite3.SQLITE_READONLY_DBMOVED), True),
    (of_sqlite(sqlite3.SQLITE_NOTADB), True),
    (of_sqlite(None), True),
    (OperationalError("SELECT 1", {}, Exception("connection refused")), False),
    (InterfaceError("SELECT 1", {}, Exception("closed")), False),
    (DatabaseError("SELECT 1", {}, Exception("odd")), False),
    (ProgrammingError("SELECT 1", {}, Exception("no such table")), True),
    (FileNotFoundError("no such folder"), True),
]


@pytest.mark.parametrize(("cause", "lasting"), CASES)
def test_what_passes_is_waited_for_and_what_lasts_concerns_every_row(cause: Exception, lasting: bool) -> None:
    error = LedgerUnavailableError("The database of the ledger cannot be used.")
    error.__cause__ = cause
    assert (_outage.lasts(error), _verdict.concerns_all(error)) == (lasting, lasting)


def test_what_the_ledger_says_in_its_own_words_concerns_this_worker_alone() -> None:
    newer = LedgerUnavailableError("The ledger is of version 2")
    slow = LedgerUnavailableError("The intent took too long to commit. Nothing was sent.", retryable=True)
    assert (_outage.lasts(newer), _verdict.concerns_all(newer)) == (True, False)
    assert (_outage.lasts(slow), _verdict.concerns_all(slow)) == (False, False)


def test_a_server_that_is_away_is_waited_for_without_end_and_told_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_outage, "GIVES_UP", 0.0)
    outage = _outage.Outage(make_url("postgresql://db/remixes"), "winter")
    outage.check_place()
    away = LedgerUnavailableError("It cannot be used: refused.")
    away.__cause__ = OperationalError("SELECT 1", {}, Exception("refused"))
    outage.met(away)
    outage.met(away)
    assert not outage.is_hopeless()
    outage.over()
    outage.over()
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.WARNING, "batch winter: It cannot be used: refused. Nothing is submitted until it can be used."),
        (logging.WARNING, "batch winter: the database can be used again"),
    ]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"hello, this is no database" * 100, "cannot be used: file is not a database. .*batch.db is another file"),
        (b"SQLite format 3\0" + b"\x10\0\x01\x01\0\x40\x20\x20" + b"Z" * 5000, "batch.db is damaged: restore it."),
        (None, "unable to open database file. .*batch.db must be a file that can be read and written"),
    ],
)
def test_a_file_that_cannot_be_one_is_named_with_what_to_do(impatient: None, content: bytes | None, told: str) -> None:
    if content is None:
        FILE.mkdir()
    else:
        FILE.write_bytes(content)
    with pytest.raises(LedgerUnavailableError, match=told):
        Batch.open("sqlite:///batch.db", "winter")


def test_tables_that_are_gone_are_told(impatient: None) -> None:
    with Batch.open("sqlite:///batch.db", "winter") as batch:
        batch._store.write(lambda connection: connection.execute(text("DROP TABLE deerapi_batches")), key="").result()
        with pytest.raises(LedgerUnavailableError, match=r"no such table.*batch\.db is not as a batch left it"):
            batch.status()


@pytest.mark.parametrize(("jump", "live"), [(-60.0, 0), (0.0, 1), (86_400.0, 0)])
def test_a_worker_that_told_of_itself_before_the_clock_was_set_is_not_taken_for_alive(
    url: str, jump: float, live: int
) -> None:
    """Those that live tell it every second, by the clock as it is then."""
    with Batch.open(url, "winter") as batch:
        batch.add(ROWS[:1])

        def beat(connection: Connection) -> None:
            _workers.beat(connection, "winter", "elsewhere/boot/7/7#ab")
            connection.execute(update(workers).values(seen_at=workers.c.seen_at + jump))

        batch._store.write(beat, key="winter").result()
        assert batch.status().workers == live


def test_a_clock_that_jumps_all_the_time_has_no_row_paid_twice(
    impatient: None, deerapi_mock: DeerAPIMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(5)
    monkeypatch.setattr(_clock, "now", lambda: time.time() + chance.choice([0.0, 0.0, 3_600.0, -86_400.0]))
    with Batch.open("sqlite:///batch.db", "winter") as batch:
        batch.add(ROWS[:10])
        assert run(batch).counts["saved"] == 10
    assert len(deerapi_mock.sent("remix")) == 10

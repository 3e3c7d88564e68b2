"""How a process works with the database of a ledger."""

from __future__ import annotations

import itertools
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from deerapi_remix.ledger import LedgerUnavailableError, _writer
from deerapi_remix.ledger._database import checked
from deerapi_remix.ledger._store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(checked(f"sqlite:///{tmp_path}/ledger.db"))
    store.write(lambda c: c.execute(text("CREATE TABLE t (n INTEGER)")), key="").result()
    yield store
    store.close()


def add(connection: Connection) -> None:
    connection.execute(text("INSERT INTO t VALUES (1)"))


def count(store: Store) -> int:
    return store.read(lambda c: int(c.execute(text("SELECT count(*) FROM t")).scalar_one()))


class Gate:
    """Work that keeps the writer busy until it is let go."""

    def __init__(self) -> None:
        self.reached, self.open = threading.Event(), threading.Event()

    def __call__(self, _: Connection) -> None:
        self.reached.set()
        assert self.open.wait(30)


def test_writes_that_wait_are_committed_together(store: Store) -> None:
    gate, seen = Gate(), []
    busy = store.write(gate, key="")
    gate.reached.wait(30)
    futures = [store.write(lambda c: seen.append(id(c)), key="") for _ in range(50)]
    gate.open.set()
    for future in [busy, *futures]:
        future.result()
    assert len(set(seen)) == 1


def test_a_write_that_fails_fails_alone(store: Store) -> None:
    gate = Gate()
    store.write(gate, key="")
    gate.reached.wait(30)
    works: list[Callable[[Connection], object]] = [add, lambda c: c.execute(text("NONSENSE")), add]
    futures = [store.write(work, key="") for work in works]
    gate.open.set()
    futures[0].result()
    with pytest.raises(LedgerUnavailableError, match="syntax error"):
        futures[1].result()
    futures[2].result()
    assert count(store) == 2


def test_an_unexpected_error_reaches_whoever_waits(store: Store) -> None:
    with pytest.raises(ZeroDivisionError):
        store.write(lambda _: 1 / 0, key="").result()
    store.write(add, key="").result()


def test_a_write_that_insists_is_tried_again(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    tries = []

    def work(connection: Connection) -> str:
        tries.append(1)
        if len(tries) < 4:
            raise OperationalError("INSERT", {}, Exception("disk is full"))
        add(connection)
        return "done"

    with caplog.at_level(logging.WARNING, logger="deerapi_remix.ledger"):
        assert store.write(work, key="order-7", insist=True).result() == "done"
    assert count(store) == 1
    assert [record.getMessage() for record in caplog.records] == [
        "ledger: key 'order-7' is recorded later: The database of the ledger cannot be used: disk is full."
    ]


def test_a_write_that_insists_gives_up_in_the_end(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_writer, "PERSISTENCE", 0.1)

    def work(_: Connection) -> None:
        raise OperationalError("INSERT", {}, Exception("disk is full"))

    with pytest.raises(LedgerUnavailableError, match="disk is full"):
        store.write(work, key="", insist=True).result()


def test_others_do_not_wait_for_a_write_that_insists(store: Store) -> None:
    let = threading.Event()

    def work(_: Connection) -> None:
        if not let.is_set():
            raise OperationalError("INSERT", {}, Exception("disk is full"))

    insisting = store.write(work, key="", insist=True)
    store.write(add, key="").result(timeout=30)
    assert not insisting.done()
    let.set()
    insisting.result(timeout=30)


def test_what_is_under_way_is_finished_before_the_store_closes(tmp_path: Path) -> None:
    store = Store(checked(f"sqlite:///{tmp_path}/ledger.db"))
    gate, seen = Gate(), []
    store.write(gate, key="")
    store.write(lambda _: seen.append(1), key="")
    threading.Timer(0.05, gate.open.set).start()
    store.close()
    assert seen == [1]


def test_the_writer_ends_when_there_is_nothing_to_write(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_writer, "LINGERS", 0.0)
    store.write(add, key="").result()
    deadline = time.monotonic() + 30
    while any(thread.name == "deerapi-remix-ledger" for thread in threading.enumerate()):
        assert time.monotonic() < deadline
    store.write(add, key="").result()


def test_an_exception_of_a_signal_handler_stops_no_later_write(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_writer, "LINGERS", 0.0)  # So that most writes start a thread.
    number = 0
    while struck_at(number, lambda: store.write(add, key="").result()):
        store.write(add, key="").result(timeout=30)
        number += 1
    assert number > 10


def struck_at(number: int, call: Callable[[], object]) -> bool:
    """Whether `call` still ran when it was to be struck: the nth time that a signal handler could run in it."""
    left = itertools.count(-number)

    def strike(_frame: FrameType, event: str, _argument: object) -> None:
        # Handlers run where a function begins, and after a call of a function in C.
        if event in ("call", "c_return") and next(left) == 0:
            raise TimeoutError

    before = sys.getprofile()
    sys.setprofile(strike)
    try:
        call()
    except TimeoutError:
        return True
    finally:
        sys.setprofile(before)
    return False


def test_many_threads_write(store: Store) -> None:
    with ThreadPoolExecutor(32) as pool:
        for future in [pool.submit(store.write, add, key=str(n)) for n in range(200)]:
            future.result().result()
    assert count(store) == 200


def test_a_future_cannot_be_cancelled(store: Store) -> None:
    assert not store.write(add, key="").cancel()
    store.write(add, key="").result()
    assert count(store) == 2


def test_reads_of_a_broken_file_are_told(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(os.urandom(4096))
    store = Store(checked(f"sqlite:///{tmp_path}/ledger.db"))
    with pytest.raises(LedgerUnavailableError, match="not a database"):
        store.read(lambda _: None)
    store.close()

"""How a process works with the database of a ledger."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from deerapi_remix.ledger import LedgerUnavailableError, _forks, _writer
from deerapi_remix.ledger._database import checked
from deerapi_remix.ledger._outcome import Outcome
from deerapi_remix.ledger._store import Store

from ..strikes import Struck, TimeLimit, strikes


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(checked(f"sqlite:///{tmp_path}/ledger.db"))
    store.write(lambda c: c.execute(text("CREATE TABLE t (n INTEGER)")), key="").result()
    yield store
    store.close()


def add(connection: Connection) -> None:
    connection.execute(text("INSERT INTO t VALUES (1)"))


def count(store: Store) -> int:
    return store.read(lambda c: int(c.execute(text("SELECT count(*) FROM t")).scalar_one())).result()


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


def test_who_wrote_together_is_waited_for(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_writer, "_GATHERS", 0.2)
    gate = Gate()
    seen: list[Connection] = []
    store.write(gate, key="")
    gate.reached.wait(30)
    together = [store.write(add, key="") for _ in range(2)]
    gate.open.set()
    for each in together:
        each.result()
    store.write(seen.append, key="")
    time.sleep(0.01)  # The writer has time to commit it alone.
    store.write(seen.append, key="").result()
    assert seen[0] is seen[1]


def test_who_writes_one_after_the_other_is_not_waited_for(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_writer, "_GATHERS", 60.0)
    for _ in range(5):
        store.write(add, key="").result(timeout=30)
    assert count(store) == 5


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
    assert not insisting.is_known()
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
    for struck in strikes(lambda: store.write(add, key="").result()):
        store.write(add, key="").result(timeout=30)
        assert struck


def test_an_exception_of_a_signal_handler_in_a_read_stops_no_later_write(store: Store) -> None:
    for struck in strikes(lambda: store.read(lambda c: c.execute(text("SELECT 1")).scalar()).result()):
        store.write(add, key="").result(timeout=30)
        store.read(lambda c: c.execute(text("SELECT 1")).scalar()).result(timeout=30)
        assert struck


def test_an_exception_of_a_signal_handler_in_a_task_stops_no_later_write(store: Store) -> None:
    async def wait() -> None:
        await store.write(add, key="")

    begun: list[tuple[asyncio.AbstractEventLoop, Coroutine[Any, Any, None]]] = []

    def run() -> None:
        loop, waiting = begun[-1]
        loop.run_until_complete(waiting)

    for struck in strikes(run, before=lambda: begun.append((asyncio.new_event_loop(), wait()))):
        store.write(add, key="").result(timeout=30)
        assert struck
    for loop, waiting in begun:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        waiting.close()  # It was not begun where the strike came early.
        loop.close()


def test_an_exception_of_a_signal_handler_in_a_fork_stops_no_later_write(store: Store) -> None:
    def fork() -> None:
        # The interpreter calls all three, and goes on after what one raises.
        raised: Struck = []
        for hook in (_forks._before, _forks._after, _forks._after):
            try:
                hook()
            except TimeLimit as error:
                raised.append(error)
        if raised:
            raise raised[0]

    for struck in strikes(fork):
        store.write(add, key="").result(timeout=30)
        assert struck
    assert not _forks._forking.locked()


# A strike may hit what forgets a thread that has ended.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_exception_of_a_signal_handler_in_close_leaves_nothing_that_hangs(tmp_path: Path) -> None:
    stores: list[Store] = []

    def fresh() -> None:
        stores.append(Store(checked(f"sqlite:///{tmp_path}/ledger.db")))
        stores[-1].write(lambda _: None, key="").result()

    for struck in strikes(lambda: stores[-1].close(), before=fresh):
        stores[-1].write(lambda _: None, key="", insist=True).result(timeout=30)
        stores[-1].close()
        assert struck
    gc.collect()


def test_many_threads_write(store: Store) -> None:
    with ThreadPoolExecutor(32) as pool:
        for future in [pool.submit(store.write, add, key=str(n)) for n in range(200)]:
            future.result().result()
    assert count(store) == 200


def test_a_write_goes_on_where_the_task_that_waits_for_it_is_cancelled(store: Store) -> None:
    gate = Gate()
    store.write(gate, key="")
    write = store.write(add, key="")

    async def main() -> None:
        async def wait() -> None:
            await write

        task = asyncio.create_task(wait())
        await asyncio.to_thread(gate.reached.wait, 30)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        gate.open.set()
        await write

    asyncio.run(main())
    assert count(store) == 1


def test_a_write_goes_on_where_the_loop_that_waits_for_it_is_closed(store: Store) -> None:
    gate = Gate()
    store.write(gate, key="")
    write = store.write(add, key="")
    loop = asyncio.new_event_loop()
    waiting = write.__await__()

    async def begin() -> None:
        next(waiting)

    loop.run_until_complete(begin())
    loop.close()
    gate.open.set()
    write.result(timeout=30)
    assert count(store) == 1


def test_many_tasks_wait_for_one_outcome() -> None:
    outcome: Outcome[int] = Outcome()

    async def wait() -> int:
        return await outcome

    async def main() -> list[int]:
        tasks = [asyncio.create_task(wait()) for _ in range(5)]
        await asyncio.sleep(0)
        threading.Thread(target=outcome.set_result, args=(7,)).start()
        return [*await asyncio.gather(*tasks), await outcome]

    assert asyncio.run(main()) == [7] * 6


def test_reads_of_a_broken_file_are_told(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(os.urandom(4096))
    store = Store(checked(f"sqlite:///{tmp_path}/ledger.db"))
    with pytest.raises(LedgerUnavailableError, match="not a database"):
        store.read(lambda _: None).result()
    store.close()


@pytest.mark.parametrize(
    "said", ["it is away", "it is away.", "is it running on that host and accepting TCP/IP connections?\n"]
)
def test_what_the_database_said_stands_within_a_sentence(store: Store, said: str) -> None:
    def fail(_: Connection) -> None:
        raise OperationalError("SELECT 1", {}, Exception(said))

    with pytest.raises(LedgerUnavailableError) as caught:
        store.write(fail, key="").result()
    assert str(caught.value).startswith(f"The database of the ledger cannot be used: {said.strip().rstrip('.?')}.")

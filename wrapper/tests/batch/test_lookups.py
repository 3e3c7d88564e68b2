"""Rows that are looked up at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from deerapi_remix.batch import _rows as rows
from deerapi_remix.batch import _schema as schema
from deerapi_remix.batch._lookups import Lookups
from deerapi_remix.batch._plan import PlannedRow
from deerapi_remix.batch._values import TOGETHER
from deerapi_remix.ledger import LedgerUnavailableError, _transitions
from deerapi_remix.ledger._database import checked
from deerapi_remix.ledger._outcome import Outcome
from deerapi_remix.ledger._store import Store
from deerapi_remix.ledger._transitions import Submit

MANY = TOGETHER + 100


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(checked(f"sqlite:///{tmp_path}/batch.db"))
    planned = [PlannedRow(n, str(n), "video_123", f"Take {n}", None, f"{n}.mp4") for n in range(MANY)]
    store.write(schema.prepare, key="b").result()
    store.write(partial(rows.set_up, batch="b", told={}), key="b").result()
    store.write(partial(rows.add, batch="b", new=planned, put=lambda *_: None), key="b").result()
    yield store
    store.close()


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Exception | None]:
    """One for each read: None, or what is put here before it and is raised by it."""
    reads: list[Exception | None] = []
    read, number = Store.read, iter(range(MANY))

    def counted(store: Store, work: Any) -> Outcome[Any]:
        at = next(number)
        reads.extend([None] * (at + 1 - len(reads)))
        if (error := reads[at]) is not None:
            failed: Outcome[Any] = Outcome()
            failed.set_exception(error)
            return failed
        return read(store, work)

    monkeypatch.setattr(Store, "read", counted)
    monkeypatch.setattr("deerapi_remix.batch._lookups.AWAY", 0.0)
    return reads


def test_rows_that_are_asked_for_at_once_share_their_reads(store: Store, reads: list[Exception | None]) -> None:
    async def look() -> list[Any]:
        lookups = Lookups(store)
        return await asyncio.gather(*(lookups.find(f"b/{n}") for n in range(MANY)), lookups.find("b/none"))

    *found, none = asyncio.run(look())
    assert [each.prompt for each in found] == [f"Take {n}" for n in range(MANY)]
    assert none is None
    assert len(reads) == 2  # No more than so many at a time.


def test_a_row_is_found_with_its_entry_and_all_its_jobs(store: Store) -> None:
    columns = {"video_id": "video_123", "prompt": "Take 1", "model": None, "base_url": "https://example.test"}
    submit = Submit("b/1", "holder", 1.0, None)

    def work(connection: Any) -> None:
        _transitions.begin(connection, columns, submit)
        for job in ("job-2", "job-1"):
            _transitions._append(connection, submit.key, submit.token, job, None, 2.0)
        _transitions.lose(connection, submit.key, submit.token, {"error": "gone"})

    store.write(work, key="b/1").result()
    found = store.read(partial(rows.find_all, keys=["b/1", "b/2"])).result()
    record = found["b/1"].record
    assert record is not None
    assert (found["b/1"].state, record.entry.job_ids, record.token) == ("unknown", ("job-2", "job-1"), submit.token)
    assert found["b/2"].record is None


def test_who_is_cancelled_keeps_nobody_else_from_an_answer(store: Store, reads: list[Exception | None]) -> None:
    async def look() -> tuple[Any, Any, int]:
        lookups = Lookups(store)
        asked = [asyncio.create_task(lookups.find(f"b/{n}")) for n in range(3)]
        await asyncio.sleep(0)
        asked[0].cancel()
        first, second, third = await asyncio.gather(*asked, return_exceptions=True)
        assert isinstance(first, asyncio.CancelledError)
        return second, third, len(lookups._asked)

    second, third, left = asyncio.run(look())
    assert (second.key, third.key, left) == ("1", "2", 0)


def test_nobody_looks_for_rows_that_nobody_waits_for(store: Store, reads: list[Exception | None]) -> None:
    reads.extend([LedgerUnavailableError("away")] * 5)

    async def look() -> None:
        lookups = Lookups(store)
        asked = asyncio.create_task(lookups.find("b/1"))
        await asyncio.sleep(0)
        asked.cancel()
        assert lookups._looking is not None
        _, pending = await asyncio.wait([asked, lookups._looking], timeout=5)
        assert not pending

    asyncio.run(look())


def test_a_database_that_is_away_is_asked_until_it_is_back(store: Store, reads: list[Exception | None]) -> None:
    reads.extend([LedgerUnavailableError("away"), LedgerUnavailableError("away")])
    found = asyncio.run(Lookups(store).find("b/1"))
    assert found is not None
    assert (found.key, len(reads)) == ("1", 3)


def test_what_else_goes_wrong_is_told_to_all_who_wait(store: Store, reads: list[Exception | None]) -> None:
    reads.append(RuntimeError("can't start new thread"))

    async def look() -> tuple[tuple[Any, Any], Any]:
        lookups = Lookups(store)
        both = await asyncio.gather(lookups.find("b/1"), lookups.find("b/2"), return_exceptions=True)
        return both, await lookups.find("b/3")

    both, third = asyncio.run(look())
    assert [str(error) for error in both] == ["can't start new thread"] * 2
    assert third.key == "3"

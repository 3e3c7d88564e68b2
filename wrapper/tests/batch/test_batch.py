"""The batch as a program uses it, on its engine."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from dbos import DBOS
from sqlalchemy import Connection, select, text, update
from sqlalchemy.exc import OperationalError

from deerapi_remix import AsyncRemixClient, RetryPolicy
from deerapi_remix.batch import Batch, BatchError, Status, TableError
from deerapi_remix.batch import _rows as rows
from deerapi_remix.batch import _workers as workers_of
from deerapi_remix.batch._engine import SCHEMA, workflows
from deerapi_remix.batch._schema import workers
from deerapi_remix.ledger import LedgerUnavailableError
from deerapi_remix.testing import DeerAPIMock

ROWS = [{"video_id": "video_123", "prompt": f"Take {number}", "key": f"row-{number}"} for number in range(3)]
# Seconds for what takes one or two.
PATIENCE = 20.0


@pytest.fixture
def batch(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Batch]:
    monkeypatch.chdir(tmp_path)
    with Batch.open(url, "winter") as batch:
        yield batch


def run(batch: Batch, **options: Any) -> Status:
    async def work() -> Status:
        async with AsyncRemixClient(retry=RetryPolicy(attempts=1)) as client:
            async with asyncio.timeout(PATIENCE):
                return await batch.run(client, **options)

    return asyncio.run(work())


def states(batch: Batch) -> list[str]:
    return [row.state for row in batch.rows()]


def test_every_row_is_paid_for_once_and_saved(batch: Batch, deerapi_mock: DeerAPIMock, tmp_path: Path) -> None:
    plan = batch.add(ROWS, price=0.5)
    assert (plan.cost, states(batch)) == (1.5, ["waiting"] * 3)
    accepted: list[str] = []
    seen: list[Status] = []
    status = run(batch, on_status=seen.append, on_accepted=lambda key, _: accepted.append(key))
    assert (status.counts["saved"], status.total, status.cost, status.is_finished) == (3, 3, 1.5, True)
    assert sorted(accepted) == ["row-0", "row-1", "row-2"]
    assert seen[-1] == status
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["row-0.mp4", "row-1.mp4", "row-2.mp4"]
    # Again, with a row more: that one is paid for.
    again = batch.add([*ROWS, {**ROWS[0], "key": "row-3"}])
    assert (again.known, len(again.rows)) == (3, 1)
    assert run(batch).counts["saved"] == 4
    assert len(deerapi_mock.sent("remix")) == 4
    assert batch.status().price == 0.5


def test_what_stopped_goes_on_where_it_was(batch: Batch, deerapi_mock: DeerAPIMock) -> None:
    batch.add(ROWS)
    status = run(batch, on_accepted=lambda *_: batch.stop())
    assert not status.is_finished
    assert status.counts["unknown"] == 0
    assert run(batch).counts["saved"] == 3
    assert len(deerapi_mock.sent("remix")) == 3


def test_a_balance_that_is_used_up_pauses_the_batch_until_it_is_resumed(
    batch: Batch, deerapi_mock: DeerAPIMock
) -> None:
    batch.add(ROWS)
    deerapi_mock.answers("remix", 402, times=3)
    status = run(batch)
    assert status.paused is not None
    assert "InsufficientQuotaError" in status.paused or "balance" in status.paused
    assert (status.counts["waiting"], len(deerapi_mock.sent("remix"))) == (3, 1)
    assert run(batch).paused == status.paused, "nothing is submitted before it is resumed"
    batch.resume()
    deerapi_mock.reset()
    assert run(batch).counts["saved"] == 3
    assert len(deerapi_mock.sent("remix")) == 3


def test_a_batch_that_is_paused_by_hand_submits_nothing(batch: Batch, deerapi_mock: DeerAPIMock) -> None:
    batch.add(ROWS)
    batch.pause()
    batch.pause("another reason")
    assert run(batch).paused == "by hand"
    assert deerapi_mock.sent("remix") == ()


def test_a_paused_batch_still_saves_the_jobs_that_were_paid(batch: Batch, deerapi_mock: DeerAPIMock) -> None:
    batch.add(ROWS[:1])
    run(batch, on_accepted=lambda *_: batch.stop())
    assert batch.status().jobs == 1
    batch.pause()
    batch.add(ROWS)
    status = run(batch)
    assert (status.counts["saved"], status.counts["waiting"]) == (1, 2)
    assert len(deerapi_mock.sent("remix")) == 1


def test_a_key_that_is_refused_while_jobs_render_pauses_and_ends_the_run(
    batch: Batch, deerapi_mock: DeerAPIMock
) -> None:
    batch.add(ROWS)
    deerapi_mock.answers("retrieve", 401, times=100)
    status = run(batch)
    assert status.paused is not None
    assert status.counts["rendering"] > 0
    deerapi_mock.reset()


def test_an_unknown_row_is_resolved_by_its_job(batch: Batch, deerapi_mock: DeerAPIMock) -> None:
    batch.add(ROWS[:1])
    deerapi_mock.answer_lost()
    assert run(batch).counts["unknown"] == 1
    assert batch.retry() == batch.retry(["row-0"]) == []
    (job,) = [name for name in deerapi_mock.jobs if name != "video_123"]
    assert batch.resolve("row-0", job_id=job).state == "rendering"
    assert run(batch).counts["saved"] == 1
    assert len(deerapi_mock.sent("remix")) == 1


def test_an_unknown_row_that_was_not_charged_is_submitted_again(batch: Batch, deerapi_mock: DeerAPIMock) -> None:
    batch.add(ROWS[:1])
    deerapi_mock.answers("remix", 520)
    assert run(batch).counts["unknown"] == 1
    assert batch.resolve("row-0", not_charged=True).state == "waiting"
    assert run(batch).counts["saved"] == 1
    assert len(deerapi_mock.sent("remix")) == 2


def test_a_decision_that_does_not_fit_changes_nothing(batch: Batch, deerapi_mock: DeerAPIMock) -> None:
    """The row stays as it is, and nobody works on it again."""
    batch.add(ROWS[:2])
    deerapi_mock.answers("remix", 520)
    deerapi_mock.answers("remix", 400)
    run(batch)
    unknown = next(row.key for row in batch.rows("unknown"))
    refused = next(row.key for row in batch.rows("failed"))
    with pytest.raises(BatchError, match=f"row '{refused}' is failed: there is nothing to resolve"):
        batch.resolve(refused, not_charged=True)
    for job_id in ("", " ", "..", "a\nb"):
        with pytest.raises(ValueError, match=r"^job_id must not "):
            batch.resolve(unknown, job_id=job_id)
    with pytest.raises(TypeError, match="job_id must be a string, not int"):
        batch.resolve(unknown, job_id=5)  # type: ignore[arg-type]
    assert batch.resolve(unknown, job_id="video_7").state == "rendering"
    before = _workflows(batch)
    assert batch.resolve(unknown, job_id="video_7").job_id == "video_7"
    with pytest.raises(BatchError, match=f"row '{unknown}' is rendering, job video_7: there is nothing to resolve"):
        batch.resolve(unknown, job_id="video_8")
    with pytest.raises(BatchError, match="there is nothing to resolve"):
        batch.resolve(unknown, not_charged=True)
    assert _workflows(batch) == before


def _workflows(batch: Batch) -> list[str]:
    query = select(workflows(batch._url.get_backend_name()).c.workflow_uuid)
    return sorted(batch._store.read(lambda connection: connection.execute(query).scalars().all()).result())


def test_failed_rows_are_tried_again_on_request_only(batch: Batch, deerapi_mock: DeerAPIMock) -> None:
    batch.add(ROWS[:2])
    deerapi_mock.answers("remix", 400)
    deerapi_mock.fails()
    assert run(batch).counts["failed"] == 2
    assert run(batch).counts["failed"] == 2
    assert batch.retry(["row-9"]) == []
    assert batch.retry() == ["row-0", "row-1"]
    status = run(batch)
    assert (status.counts["saved"], status.jobs) == (2, 3)
    assert len(deerapi_mock.sent("remix")) == 4


def test_the_rows_of_a_worker_that_is_gone_are_taken_over(batch: Batch, deerapi_mock: DeerAPIMock) -> None:
    batch.add(ROWS)

    def claim(connection: Connection) -> None:
        flows = workflows(connection.dialect.name)
        connection.execute(update(flows).values(status="PENDING", executor_id="elsewhere/boot/7/7#ab"))
        workers_of.beat(connection, "winter", "elsewhere/boot/7/7#ab")

    batch._store.write(claim, key="winter").result()
    assert batch.status().workers == 1
    assert (
        batch._store.read(partial(workers_of.strays, batch="winter", others=["elsewhere/boot/7/7#ab"])).result() == []
    )

    def vanish(connection: Connection) -> None:
        connection.execute(update(workers).values(seen_at=workers.c.seen_at - 60))

    batch._store.write(vanish, key="winter").result()
    assert batch.status().workers == 0
    assert run(batch).counts["saved"] == 3
    assert len(deerapi_mock.sent("remix")) == 3


def test_tables_of_the_engine_that_a_newer_one_of_its_line_has_changed_are_worked_with(
    batch: Batch, deerapi_mock: DeerAPIMock
) -> None:
    """The engine's own rule: a newer one only adds, and an older one goes on, and leaves the version alone."""
    batch.add(ROWS[:1])
    schema = f"{SCHEMA}." if batch._url.get_backend_name() == "postgresql" else ""
    change = text(f"UPDATE {schema}dbos_migrations SET version = 999")  # No input.
    batch._store.write(lambda connection: connection.execute(change), key="winter").result()
    with Batch.open(batch._url.render_as_string(hide_password=False), "winter") as another:
        another.add(ROWS)
        assert run(another).counts["saved"] == 3
    read = text(f"SELECT version FROM {schema}dbos_migrations")
    assert batch._store.read(lambda connection: connection.execute(read).scalar_one()).result() == 999


def test_rows_that_the_engine_forgot_are_found(batch: Batch, deerapi_mock: DeerAPIMock) -> None:
    batch.add(ROWS)

    def forget(connection: Connection) -> None:
        connection.execute(update(workflows(connection.dialect.name)).values(status="SUCCESS"))

    batch._store.write(forget, key="winter").result()
    assert run(batch).counts["saved"] == 3


def test_the_jobs_of_a_batch_are_at_one_address(batch: Batch, deerapi_mock: DeerAPIMock) -> None:
    batch.add(ROWS)
    run(batch)

    async def elsewhere() -> None:
        async with AsyncRemixClient(base_url="https://other.example") as client:
            await batch.run(client)

    with pytest.raises(BatchError, match=r"are at https://api\.deerapi\.com, and not at https://other\.example"):
        asyncio.run(elsewhere())


def test_a_table_that_is_wrong_adds_nothing(batch: Batch) -> None:
    with pytest.raises(TableError, match="line 2, column prompt: it is missing or blank"):
        batch.add([*ROWS[:1], {"video_id": "video_123"}])
    with pytest.raises(BatchError, match="there is no batch winter; there are: none"):
        batch.status()


def test_two_tables_that_are_checked_before_either_is_added_are_not_mixed_up(
    batch: Batch, deerapi_mock: DeerAPIMock
) -> None:
    """The second is told, rather than that the rows of the first are done for its own."""
    first = batch.plan(ROWS[:2])
    same = batch.plan(ROWS)
    others = batch.plan([{**ROWS[1], "prompt": "Another", "model": "sora-2"}])
    elsewhere = batch.plan([{**ROWS[0], "key": "row-7", "output": "row-1.mp4"}])
    batch.put(first)
    with pytest.raises(
        TableError, match="line 1, column key, 'row-1': the batch has this key with another prompt, model"
    ):
        batch.put(others)
    with pytest.raises(TableError, match=r"line 1, column output, .*: row 'row-1', which was just added, has this"):
        batch.put(elsewhere)
    batch.put(same)
    assert [(row.key, row.prompt) for row in batch.rows()] == [(row["key"], row["prompt"]) for row in ROWS]


def test_what_is_not_there_is_told(batch: Batch, deerapi_mock: DeerAPIMock) -> None:
    for call in (batch.pause, batch.resume, partial(run, batch)):
        with pytest.raises(BatchError, match="there is no batch winter"):
            call()
    batch.add(ROWS)
    with pytest.raises(BatchError, match="batch winter has no row 'x'"):
        batch.resolve("x", not_charged=True)
    with pytest.raises(BatchError, match="row 'row-1' is waiting: there is nothing to resolve"):
        batch.resolve("row-1", not_charged=True)
    with pytest.raises(ValueError, match="say either"):
        batch.resolve("row-1")
    with pytest.raises(BatchError, match="state must be one of"):
        list(batch.rows("gone"))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", "a/b", "a b", ".a", "a" * 65, "ä"])
def test_a_name_has_plain_characters(name: str, url: str) -> None:
    with pytest.raises(BatchError, match="is no name of a batch"):
        Batch.open(url, name)


def test_the_rate_is_shared_and_the_settings_are_kept(batch: Batch, deerapi_mock: DeerAPIMock) -> None:
    batch.add(ROWS)
    run(batch, submits=2, in_flight=7, rate=1000.0)
    run(batch)
    found = batch._store.read(partial(rows.settings, batch="winter")).result()
    assert found == rows.Settings(submits=2, in_flight=7, rate=1000.0, price=None)


def test_a_file_of_sqlite_is_for_its_owner_only(batch: Batch, tmp_path: Path) -> None:
    batch.add(ROWS)
    files = list(tmp_path.glob("batch.db*"))
    assert {path.stat().st_mode & 0o777 for path in files} <= {0o600}


def test_nothing_else_imports_the_engine() -> None:
    program = (
        "import sys, deerapi_remix\n"
        "from deerapi_remix import RemixClient, AsyncRemixClient\n"
        "from deerapi_remix.cli._app import app\n"
        "assert not {'dbos', 'sqlalchemy'} & set(sys.modules), 'imported'\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_missing_extra_is_named() -> None:
    program = (
        "import sys; sys.modules['dbos'] = None\n"
        "try: from deerapi_remix.batch import Batch\n"
        "except ImportError as error: assert 'deerapi-remix[batch]' in str(error), error\n"
        "else: raise AssertionError('no error')\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_an_engine_that_cannot_use_the_database_says_so_and_another_run_can(
    batch: Batch, deerapi_mock: DeerAPIMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch.add(ROWS)

    def away() -> None:
        raise OperationalError("SELECT 1", {}, Exception("it is away"))

    with monkeypatch.context() as patch:
        patch.setattr(DBOS, "launch", away)
        with pytest.raises(LedgerUnavailableError, match="The database of the batch cannot be used: it is away"):
            run(batch)
    assert run(batch).counts["saved"] == 3

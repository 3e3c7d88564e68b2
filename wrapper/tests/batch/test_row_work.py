"""What becomes of a row, and how many submits it costs."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest

from deerapi_remix import AsyncRemixClient, PollingPolicy, RetryPolicy, Video
from deerapi_remix.batch import Row
from deerapi_remix.batch import _rows as rows
from deerapi_remix.batch import _schema as schema
from deerapi_remix.batch._gate import Gate
from deerapi_remix.batch._plan import PlannedRow
from deerapi_remix.batch._row_work import RowWork
from deerapi_remix.ledger import AsyncLedger, LedgerUnavailableError, _transitions
from deerapi_remix.ledger._database import checked
from deerapi_remix.ledger._store import Store
from deerapi_remix.testing import DeerAPIMock

QUOTA = {"error": {"code": "insufficient_user_quota", "message": "no balance", "type": "x"}}


@attrs.define
class Desk:
    """One row, `a` of batch `b`, without an engine."""

    mock: DeerAPIMock
    store: Store
    folder: Path
    accepted: list[tuple[str, str]]
    pauses: list[str]

    @property
    def output(self) -> Path:
        return self.folder / "out" / "a.mp4"

    def add(self) -> None:
        planned = [PlannedRow(1, "a", "video_123", "It snows", None, str(self.output))]
        self.store.write(schema.prepare, key="b").result()
        self.store.write(partial(rows.set_up, batch="b", told={}), key="b").result()
        add = partial(rows.add, batch="b", new=planned, put=lambda *_: None)
        self.store.write(add, key="b").result()

    def work(self, *, seconds: float = 12.0, **policies: Any) -> Row:
        """Work on the row until it ends, or the batch is to pause; the row as it is then."""

        async def work() -> None:
            options = {"retry": RetryPolicy(attempts=1), "polling": PollingPolicy(timeout=60.0), **policies}
            async with AsyncRemixClient(**options) as client:
                gate = Gate(8)

                def pause(why: str) -> None:
                    self.pauses.append(why)
                    gate.close()
                    paused.set()

                paused = asyncio.Event()
                row = RowWork(self.store, client, gate, on_accepted=self.accept, on_pause=pause)
                working = asyncio.create_task(row.work("b/a"))
                pausing = asyncio.create_task(paused.wait())
                await asyncio.wait([working, pausing], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
                assert working.done() or pausing.done(), "it goes on for ever"
                for task in (working, pausing):
                    task.cancel()
                await asyncio.gather(working, pausing, return_exceptions=True)

        asyncio.run(work())
        return self.row()

    def accept(self, key: str, job_id: str) -> None:
        self.accepted.append((key, job_id))

    def row(self) -> Row:
        found = self.store.read(partial(rows.row, batch="b", key="a")).result()
        assert found is not None
        return found

    @property
    def posts(self) -> int:
        return len(self.mock.sent("remix"))


@pytest.fixture
def desk(url: str, tmp_path: Path, deerapi_mock: DeerAPIMock) -> Iterator[Desk]:
    store = Store(checked(url))
    desk = Desk(deerapi_mock, store, tmp_path, [], [])
    desk.add()
    yield desk
    store.close()


def test_a_row_is_submitted_once_and_saved(desk: Desk) -> None:
    row = desk.work()
    assert (row.state, desk.posts, desk.output.stat().st_size) == ("saved", 1, 46349)
    assert desk.accepted == [("a", row.job_id)]


def test_a_row_that_has_ended_is_left_alone(desk: Desk) -> None:
    desk.work()
    sent = len(desk.mock.requests)
    assert desk.work().state == "saved"
    assert len(desk.mock.requests) == sent


def test_a_row_whose_job_was_accepted_before_is_followed_and_not_submitted(desk: Desk, url: str) -> None:
    async def submit() -> None:
        async with AsyncRemixClient() as client, AsyncLedger(url) as ledger:
            await ledger.remix(client, "b/a", "video_123", prompt="It snows")

    asyncio.run(submit())
    part = desk.output.with_name(".a.mp4.0123456789abcdef.part")
    part.parent.mkdir()
    part.touch()
    assert (desk.work().state, desk.posts) == ("saved", 1)
    assert not part.exists(), "what a worker that was killed left behind"


def test_a_lost_answer_is_unknown_and_never_submitted_again(desk: Desk) -> None:
    desk.mock.answer_lost()
    assert (desk.work().state, desk.posts) == ("unknown", 1)
    assert (desk.work().state, desk.posts) == ("unknown", 1)


def test_a_submit_that_another_worker_left_behind_is_unknown(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = _transitions.Submit("b/a", "another/machine/1/1", 1.0, 2.0)
    asked = {"video_id": "video_123", "prompt": "It snows", "model": None, "base_url": "https://api.deerapi.com"}
    desk.store.write(partial(_transitions.begin, asked=asked, submit=begun), key="b/a").result()
    assert (desk.work().state, desk.posts) == ("unknown", 0)


def test_a_submit_that_another_worker_has_under_way_is_waited_for(desk: Desk) -> None:
    now = desk.mock.clock()
    begun = _transitions.Submit("b/a", "another/machine/1/1", now, now + 1000.0)
    asked = {"video_id": "video_123", "prompt": "It snows", "model": None, "base_url": "https://api.deerapi.com"}
    desk.store.write(partial(_transitions.begin, asked=asked, submit=begun), key="b/a").result()
    video = Video(id="video_123", status="completed")

    def answered() -> None:
        accept = partial(_transitions.accept, key="b/a", token=begun.token, video=video, accepted_at=now)
        desk.store.write(accept, key="b/a").result()

    asyncio.run(_after(0.5, answered, desk))
    assert (desk.row().state, desk.row().job_id, desk.posts) == ("saved", "video_123", 0)


async def _after(seconds: float, what: Callable[[], None], desk: Desk) -> None:
    loop = asyncio.get_running_loop()
    loop.call_later(seconds, what)
    await asyncio.to_thread(desk.work)


def test_an_answer_that_breaks_off_but_has_an_id_is_accepted(desk: Desk) -> None:
    desk.mock.truncated("remix", at=200)
    row = desk.work()
    assert (row.state, desk.posts) == ("saved", 1)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_was_not_charged_is_submitted_later(desk: Desk, status: int) -> None:
    desk.mock.answers("remix", status, times=2)
    # 500 may have been charged where it is not said that it was not.
    wanted = ("unknown", 1) if status == 500 else ("saved", 3)
    assert (desk.work().state, desk.posts) == wanted


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422])
def test_a_refusal_fails_the_row_and_costs_one_submit(desk: Desk, status: int) -> None:
    desk.mock.answers("remix", status, body={"error": {"code": "no", "message": "refused", "type": "x"}})
    row = desk.work()
    assert (row.state, desk.posts, row.job_id) == ("failed", 1, None)
    assert row.error


def test_a_model_that_no_channel_serves_fails_the_row(desk: Desk) -> None:
    body = {"error": {"code": "model_not_found", "message": "no channel", "type": "x"}}
    desk.mock.answers("remix", 503, body=body)
    assert (desk.work().state, desk.posts) == ("failed", 1)


@pytest.mark.parametrize(("status", "body"), [(401, None), (402, None), (403, QUOTA), (429, QUOTA)])
def test_what_every_row_would_meet_pauses_the_batch_and_the_row_goes_back(
    desk: Desk, status: int, body: object
) -> None:
    desk.mock.answers("remix", status, body=body)
    assert (desk.work().state, desk.posts, len({*desk.pauses})) == ("waiting", 1, 1)
    assert (desk.work().state, desk.posts) == ("saved", 2)


def test_a_job_that_fails_is_failed_and_not_submitted_again(desk: Desk) -> None:
    desk.mock.fails()
    row = desk.work()
    assert (row.state, desk.posts) == ("failed", 1)
    assert row.error == "The prompt was refused by the safety system."
    assert desk.work().state == "failed"


def test_a_job_that_takes_longer_than_a_wait_is_waited_for_again(desk: Desk) -> None:
    assert (desk.work(polling=PollingPolicy(timeout=60.0)).state, desk.posts) == ("saved", 1)


@pytest.mark.parametrize("operation", ["retrieve", "download"])
@pytest.mark.parametrize("status", [404, 400, 500, 429])
def test_a_poll_or_download_that_fails_is_tried_later_and_pays_nothing(desk: Desk, operation: Any, status: int) -> None:
    desk.mock.answers(operation, status, times=4)
    assert (desk.work(polling=PollingPolicy(timeout=2000)).state, desk.posts) == ("saved", 1)


def test_a_job_that_the_server_forgot_fails_in_the_end(desk: Desk) -> None:
    desk.mock.answers("retrieve", 400, times=1000)
    row = desk.work()
    assert (row.state, desk.posts) == ("failed", 1)
    assert row.job_id is not None


def test_a_refused_key_while_following_pauses_the_batch(desk: Desk) -> None:
    desk.mock.answers("retrieve", 401)
    assert (desk.work().state, len({*desk.pauses})) == ("rendering", 1)


def test_a_target_that_is_there_fails_the_row_before_it_is_paid(desk: Desk) -> None:
    desk.output.parent.mkdir()
    desk.output.write_text("mine")
    row = desk.work()
    assert (row.state, desk.posts, desk.output.read_text()) == ("failed", 0, "mine")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_disk_that_is_full_pauses_the_batch_before_the_row_is_paid(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(number, "the disk is full")

    monkeypatch.setattr(Path, "mkdir", full)
    assert (desk.work().state, desk.posts, len({*desk.pauses})) == ("waiting", 0, 1)


def test_a_database_that_is_full_pauses_the_batch(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise LedgerUnavailableError("The database of the ledger cannot be used: database or disk is full.")

    monkeypatch.setattr(_transitions, "begin", full)
    assert (desk.work().state, desk.posts, len({*desk.pauses})) == ("waiting", 0, 1)


def test_a_database_that_is_away_is_waited_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    reads, read = [0], Store.read

    def away(store: Store, work: Any) -> Any:
        reads[0] += 1
        if reads[0] in (1, 3):
            raise LedgerUnavailableError("away")
        return read(store, work)

    monkeypatch.setattr(Store, "read", away)
    assert (desk.work().state, desk.posts) == ("saved", 1)


def test_a_job_that_could_not_be_recorded_is_told_as_soon_as_the_database_is_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    accept = _transitions.accept

    def away(*_: object, **__: object) -> None:
        raise LedgerUnavailableError("away")

    monkeypatch.setattr(_transitions, "accept", away)
    monkeypatch.setattr("deerapi_remix.ledger._writer.PERSISTENCE", 0.2)
    row = desk.work()
    monkeypatch.setattr(_transitions, "accept", accept)
    assert (row.state, desk.posts) == ("saved", 1)
    # The process may end before that.
    assert f"row 'a': the job {row.job_id} was accepted, and is recorded once" in caplog.text


def test_a_key_that_is_in_use_otherwise_fails_the_row(desk: Desk, url: str) -> None:
    async def submit() -> None:
        async with AsyncRemixClient() as client, AsyncLedger(url) as ledger:
            await ledger.remix(client, "b/a", "video_123", prompt="It rains")

    asyncio.run(submit())
    row = desk.work()
    assert (row.state, desk.posts) == ("failed", 1)
    assert row.error
    assert "is in use for another remix: it differs in prompt" in row.error

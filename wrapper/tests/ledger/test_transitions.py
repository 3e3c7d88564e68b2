"""Every change of an entry: legal and illegal ones, and all of them twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from attrs import evolve

from deerapi_remix import Video
from deerapi_remix.ledger import _holder, _transitions
from deerapi_remix.ledger._database import checked
from deerapi_remix.ledger._records import Record, find
from deerapi_remix.ledger._store import Store
from deerapi_remix.ledger._transitions import Submit

KEY = "order-1042"
NOW = 1_800_000_000.0
ASKED = {
    "video_id": "video_123",
    "prompt": "It snows",
    "model": None,
    "base_url": "https://api.deerapi.com",
    "path": None,
}
JOB = Video(id="task_1", status="queued")

# The state that follows from each state (the rows) by each change (the columns); none: there is no entry.
TABLE = """
            begin       accept    release     lose        job         not_charged save        fail        forget
none        submitting  none      none        none        none        none        none        none        none
submitting  submitting  accepted  open        unknown     submitting  submitting  submitting  submitting  submitting
open        submitting  accepted  open        open        open        open        open        open        none
accepted    accepted    accepted  accepted    accepted    accepted    accepted    saved       failed      none
unknown     unknown     accepted  unknown     unknown     accepted    open        unknown     unknown     unknown
saved       saved       saved     saved       saved       saved       saved       saved       saved       none
failed      failed      failed    failed      failed      failed      open        failed      failed      none
"""
COLUMNS, *ROWS = (line.split() for line in TABLE.split("\n") if line)
CASES = [(row[0], change, after) for row in ROWS for change, after in zip(COLUMNS, row[1:], strict=True)]
# How to come to each state.
WAYS: dict[str, list[str]] = {
    "none": [],
    "submitting": ["begin"],
    "open": ["begin", "release"],
    "accepted": ["begin", "accept"],
    "unknown": ["begin", "lose"],
    "saved": ["begin", "accept", "save"],
    "failed": ["begin", "accept", "fail"],
}


class Desk:
    """A ledger in which one entry is changed."""

    def __init__(self, url: str) -> None:
        self.store = Store(checked(url))
        self.submit = Submit(KEY, _holder.current(), NOW, NOW + 600)

    def does(self, change: str, token: str | None = None) -> None:
        """Make one change, with the token of the latest submit unless another is given."""
        token = token or self.submit.token
        record = self.record()
        if record is not None:
            record = evolve(record, token=token)
        unknown = {"error": "told"}
        changes: dict[str, Callable[..., object]] = {
            "begin": lambda c: _transitions.begin(c, ASKED, self.submit),
            "accept": lambda c: _transitions.accept(c, KEY, token, JOB, NOW + 1),
            "release": lambda c: _transitions.release(c, KEY, token, unknown),
            "lose": lambda c: _transitions.lose(c, KEY, token, unknown),
            "job": lambda c: _transitions.resolve(c, KEY, "task_2", NOW + 1),
            "not_charged": lambda c: _transitions.resolve(c, KEY, None, NOW + 1),
            "save": lambda c: record and _transitions.save(c, record, JOB, "/bow.mp4"),
            "fail": lambda c: record and _transitions.fail(c, record, ("failed", "moderated")),
            "forget": lambda c: _transitions.forget(c, KEY, NOW + 1),
        }
        self.store.write(changes[change], key=KEY).result()

    def record(self) -> Record | None:
        return self.store.read(lambda connection: find(connection, KEY)).result()

    def state(self) -> str:
        record = self.record()
        return "none" if record is None else record.entry.state

    def comes_to(self, state: str) -> None:
        for change in WAYS[state]:
            self.does(change)
        assert self.state() == state


@pytest.fixture
def desk(url: str) -> Iterator[Desk]:
    desk = Desk(url)
    yield desk
    desk.store.close()


@pytest.mark.parametrize(("before", "change", "after"), CASES, ids=[f"{case[0]}-{case[1]}" for case in CASES])
def test_each_change_leads_where_the_table_says_also_when_it_is_made_twice(
    desk: Desk, before: str, change: str, after: str
) -> None:
    desk.comes_to(before)
    if before in ("none", "open"):
        desk.submit = Submit(KEY, _holder.current(), NOW + 2, NOW + 602) if change == "begin" else desk.submit
    desk.does(change)
    once = desk.record()
    assert desk.state() == after
    desk.does(change)
    assert desk.record() == once


@pytest.mark.parametrize("change", ["accept", "release", "lose", "save", "fail"])
@pytest.mark.parametrize("state", [state for state in WAYS if state != "none"])
def test_nothing_is_changed_by_the_token_of_another_submit(desk: Desk, state: str, change: str) -> None:
    desk.comes_to(state)
    before = desk.record()
    desk.does(change, token="another")
    after = desk.record()
    assert before is not None
    assert after is not None
    assert evolve(after.entry, job_ids=()) == evolve(before.entry, job_ids=())


@pytest.mark.parametrize("state", list(WAYS))
def test_an_accepted_id_is_kept_whatever_has_become_of_the_entry(desk: Desk, state: str) -> None:
    desk.comes_to(state)
    late = Video(id="task_late", status="queued")
    desk.store.write(lambda c: _transitions.accept(c, KEY, "late", late, NOW), key=KEY).result()
    desk.submit = Submit(KEY, _holder.current(), NOW, None)
    desk.does("begin")  # So that there is an entry to tell of it.
    record = desk.record()
    assert record is not None
    assert "task_late" in record.entry.job_ids


def test_a_submit_that_begins_after_another_was_given_up_has_a_token_of_its_own(desk: Desk) -> None:
    desk.comes_to("unknown")
    first = desk.submit
    desk.does("not_charged")
    desk.submit = Submit(KEY, _holder.current(), NOW + 5, None)
    desk.does("begin")
    desk.does("release", token=first.token)
    assert desk.state() == "submitting"
    desk.does("accept")
    assert desk.state() == "accepted"


def test_the_answer_of_a_failed_job_does_not_count_for_the_submit_after_it(desk: Desk) -> None:
    desk.comes_to("failed")
    desk.does("not_charged")
    desk.does("accept")
    assert desk.state() == "open"


def test_a_submit_is_unknown_once_its_time_is_up(desk: Desk) -> None:
    desk.comes_to("submitting")
    late = Submit(KEY, _holder.current(), NOW + 601, None)
    desk.store.write(lambda c: _transitions.begin(c, ASKED, late), key=KEY).result()
    assert desk.state() == "unknown"


def test_a_submit_is_unknown_once_its_process_is_gone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.comes_to("submitting")
    monkeypatch.setattr(_holder, "is_gone", lambda holder: True)
    other = Submit(KEY, "host/scope/1/1", NOW + 1, None)
    desk.store.write(lambda c: _transitions.begin(c, ASKED, other), key=KEY).result()
    assert desk.state() == "unknown"


def test_a_late_answer_lands_in_an_entry_that_was_given_up(desk: Desk) -> None:
    desk.comes_to("unknown")
    desk.does("accept")
    record = desk.record()
    assert record is not None
    assert (record.entry.state, record.entry.job_id) == ("accepted", "task_1")

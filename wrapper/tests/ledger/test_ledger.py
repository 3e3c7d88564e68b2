"""What users see of a ledger, with either client."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from deerapi_remix import (
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    InternalServerError,
    RemixClient,
    RemixFailedError,
    WaitTimeoutError,
)
from deerapi_remix.ledger import (
    Ledger,
    LedgerConflictError,
    OutcomeUnknownError,
    SubmitInProgressError,
    _base,
    _holder,
    _saving,
)
from deerapi_remix.testing import DeerAPIMock

from .conftest import Twin

needs_posix = pytest.mark.skipif(os.name != "posix", reason="POSIX file names and FIFOs")
KEY, SOURCE, PROMPT = "order-1042", "video_123", "The cat takes a bow"


def submit(twin: Twin, key: str = KEY, **changes: str) -> str:
    """The id of the job."""
    video = twin.remix(key, **({"video_id": SOURCE, "prompt": PROMPT} | changes))
    return str(video.id)


def save(twin: Twin, path: Path, **options: object) -> Path:
    saved = twin.remix_to_file(KEY, SOURCE, path, prompt=PROMPT, **options)
    assert isinstance(saved, Path)
    return saved


# remix


def test_a_key_is_submitted_once(twin: Twin, deerapi_mock: DeerAPIMock) -> None:
    assert submit(twin) == submit(twin)
    assert len(deerapi_mock.sent("remix")) == 1


def test_every_call_for_a_key_gives_the_same_video(twin: Twin) -> None:
    first = twin.remix(KEY, SOURCE, prompt=PROMPT, model="sora-2")
    assert first == twin.remix(KEY, SOURCE, prompt=PROMPT, model="sora-2")
    assert (first.status, first.prompt, first.model, first.remixed_from_video_id) == (
        "queued",
        PROMPT,
        "sora-2",
        SOURCE,
    )


def test_another_key_is_another_job(twin: Twin) -> None:
    assert submit(twin, "order-1") != submit(twin, "order-2")


@pytest.mark.parametrize("change", [{"video_id": "video_456"}, {"prompt": "Another"}, {"model": "sora-2-pro"}])
def test_a_key_that_is_in_use_for_another_remix_is_refused(
    twin: Twin, deerapi_mock: DeerAPIMock, change: dict[str, str]
) -> None:
    deerapi_mock.add_video("video_456")
    submit(twin)
    with pytest.raises(LedgerConflictError, match="in use for another remix") as caught:
        submit(twin, **change)
    assert isinstance(caught.value, ValueError)
    assert len(deerapi_mock.sent("remix")) == 1


def test_a_key_that_is_in_use_for_another_address_is_refused(
    twin: Twin, url: str, deerapi_mock: DeerAPIMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(twin)
    monkeypatch.setenv("DEERAPI_BASE_URL", "https://other.example")
    with RemixClient() as client, Ledger(url) as ledger, pytest.raises(LedgerConflictError, match="base URL"):
        ledger.remix(client, KEY, SOURCE, prompt=PROMPT)


@pytest.mark.parametrize(
    "arguments",
    [("", SOURCE, PROMPT), ("a\nb", SOURCE, PROMPT), (KEY, "..", PROMPT), (KEY, SOURCE, " "), (KEY, SOURCE, "a\0b")],
)
def test_bad_arguments_leave_no_entry(twin: Twin, arguments: tuple[str, str, str]) -> None:
    key, video_id, prompt = arguments
    with pytest.raises(ValueError, match=r"must not|be blank"):
        twin.remix(key, video_id, prompt=prompt)
    assert twin.entries() == []


# What a submit that failed leaves behind


def test_a_refused_submit_is_open_and_the_next_call_submits(twin: Twin, deerapi_mock: DeerAPIMock) -> None:
    deerapi_mock.answers("remix", 401)
    with pytest.raises(AuthenticationError):
        submit(twin)
    entry = twin.get(KEY)
    assert entry is not None
    assert entry.state == "open"
    assert entry.error is not None
    assert entry.error.startswith("AuthenticationError")
    assert entry.request_id == deerapi_mock.sent("remix")[0].request_id
    assert submit(twin) in deerapi_mock.jobs


def test_a_lost_answer_is_unknown_and_nothing_is_sent_again(twin: Twin, deerapi_mock: DeerAPIMock) -> None:
    deerapi_mock.answer_lost()
    with pytest.raises(APITimeoutError):
        submit(twin)
    assert twin.state(KEY) == "unknown"
    with pytest.raises(OutcomeUnknownError, match=r"resolve\('order-1042', job_id=") as caught:
        submit(twin)
    assert caught.value.may_have_been_charged
    assert not caught.value.retryable
    assert caught.value.entry.submitted_at == pytest.approx(deerapi_mock.clock(), abs=60)
    assert len(deerapi_mock.sent("remix")) == 1


def test_a_submit_that_fails_with_500_is_unknown(twin: Twin, deerapi_mock: DeerAPIMock) -> None:
    deerapi_mock.answers("remix", 500)
    with pytest.raises(InternalServerError):
        submit(twin)
    assert twin.state(KEY) == "unknown"


def test_a_broken_answer_whose_id_came_is_accepted(twin: Twin, deerapi_mock: DeerAPIMock) -> None:
    deerapi_mock.truncated("remix", at=60)
    with pytest.raises(Exception, match="remix") as caught:
        submit(twin)
    (job,) = set(deerapi_mock.jobs) - {SOURCE}
    assert caught.value.job_id == job  # type: ignore[attr-defined]
    assert submit(twin) == job


def test_what_the_key_function_raises_leaves_the_entry_open(twin: Twin, url: str, deerapi_mock: DeerAPIMock) -> None:
    def vault() -> str:
        raise LookupError("the vault is sealed")

    with RemixClient(vault) as client, Ledger(url) as ledger, pytest.raises(LookupError):
        ledger.remix(client, KEY, SOURCE, prompt=PROMPT)
    assert twin.state(KEY) == "open"


# remix_to_file


def test_a_file_is_submitted_followed_and_saved(twin: Twin, tmp_path: Path) -> None:
    target = tmp_path / "bow.mp4"
    seen: list[str] = []
    assert save(twin, target, on_update=lambda video: seen.append(video.status)) == target
    entry = twin.get(KEY)
    assert entry is not None
    assert (entry.state, entry.path, entry.status) == ("saved", str(target), "completed")
    assert entry.expires_at is not None
    assert target.stat().st_size > 1000
    assert seen[0] == "queued"
    assert seen[-1] == "completed"


def test_a_saved_file_is_left_as_it_is(twin: Twin, tmp_path: Path, deerapi_mock: DeerAPIMock) -> None:
    save(twin, tmp_path / "bow.mp4")
    (tmp_path / "bow.mp4").write_bytes(b"edited")
    count = len(deerapi_mock.requests)
    assert save(twin, tmp_path / "bow.mp4").read_bytes() == b"edited"
    assert len(deerapi_mock.requests) == count


def test_a_saved_file_that_was_removed_is_downloaded_again(
    twin: Twin, tmp_path: Path, deerapi_mock: DeerAPIMock
) -> None:
    save(twin, tmp_path / "bow.mp4").unlink()
    assert save(twin, tmp_path / "bow.mp4").exists()
    assert len(deerapi_mock.sent("remix")) == 1


def test_a_saved_file_may_be_wanted_elsewhere(twin: Twin, tmp_path: Path, deerapi_mock: DeerAPIMock) -> None:
    first, second = save(twin, tmp_path / "bow.mp4"), save(twin, tmp_path / "other.mp4")
    assert first.read_bytes() == second.read_bytes()
    entry = twin.get(KEY)
    assert entry is not None
    assert entry.path == str(second)
    assert len(deerapi_mock.sent("remix")) == 1


def test_a_wait_that_was_given_up_goes_on(twin: Twin, tmp_path: Path, deerapi_mock: DeerAPIMock) -> None:
    with pytest.raises(WaitTimeoutError):
        save(twin, tmp_path / "bow.mp4", timeout=60)
    assert twin.state(KEY) == "accepted"
    assert save(twin, tmp_path / "bow.mp4").exists()
    assert len(deerapi_mock.sent("remix")) == 1


def test_a_job_that_was_submitted_alone_can_be_saved(twin: Twin, tmp_path: Path, deerapi_mock: DeerAPIMock) -> None:
    job = submit(twin)
    save(twin, tmp_path / "bow.mp4")
    entry = twin.get(KEY)
    assert entry is not None
    assert (entry.state, entry.job_id) == ("saved", job)


def test_a_file_that_a_dead_process_saved_is_recognised(
    twin: Twin, tmp_path: Path, deerapi_mock: DeerAPIMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(self: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(_saving.Saving, "saved", die)
        with pytest.raises(KeyboardInterrupt):
            save(twin, tmp_path / "bow.mp4")
    assert twin.state(KEY) == "accepted"
    assert save(twin, tmp_path / "bow.mp4").exists()
    assert twin.state(KEY) == "saved"
    assert len(deerapi_mock.sent("remix")) == 1


def test_another_file_that_has_taken_the_name_is_not_touched(
    twin: Twin, tmp_path: Path, deerapi_mock: DeerAPIMock
) -> None:
    with pytest.raises(WaitTimeoutError):
        save(twin, tmp_path / "bow.mp4", timeout=60)
    (tmp_path / "bow.mp4").write_bytes(b"another")
    with pytest.raises(FileExistsError):
        save(twin, tmp_path / "bow.mp4")
    assert (tmp_path / "bow.mp4").read_bytes() == b"another"
    assert twin.state(KEY) == "accepted"
    assert save(twin, tmp_path / "bow.mp4", overwrite=True).stat().st_size > 1000


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("there.mp4", "there.mp4"),
        ("missing/bow.mp4", "missing"),
        ("there.mp4/bow.mp4", "there.mp4"),
        pytest.param(f"{'x' * 300}.mp4", f"{'x' * 300}.mp4", marks=needs_posix),
    ],
)
def test_an_unusable_target_costs_nothing_and_is_named(
    twin: Twin, tmp_path: Path, deerapi_mock: DeerAPIMock, name: str, told: str
) -> None:
    (tmp_path / "there.mp4").touch()
    with pytest.raises(OSError, match=r"exists|No such|Not a directory|too long") as caught:
        save(twin, tmp_path / name)
    assert caught.value.filename == str(tmp_path / told)
    assert deerapi_mock.requests == ()
    assert twin.get(KEY) is None


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("make", [Path.mkdir, pytest.param(make_fifo, marks=needs_posix)], ids=["a folder", "a pipe"])
def test_what_can_not_be_overwritten_costs_nothing(
    twin: Twin, tmp_path: Path, deerapi_mock: DeerAPIMock, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "bow.mp4")
    with pytest.raises(OSError, match=r"Is a directory|Not a regular file"):
        save(twin, tmp_path / "bow.mp4", overwrite=True)
    assert deerapi_mock.requests == ()


def test_a_job_that_fails_is_failed_for_good(twin: Twin, tmp_path: Path, deerapi_mock: DeerAPIMock) -> None:
    deerapi_mock.fails(message="The prompt was refused")
    for _ in range(2):
        with pytest.raises(RemixFailedError, match="The prompt was refused"):
            save(twin, tmp_path / "bow.mp4")
    entry = twin.get(KEY)
    assert entry is not None
    assert (entry.state, entry.status, entry.error) == ("failed", "failed", "The prompt was refused")
    assert len(deerapi_mock.sent("remix")) == 1


@pytest.mark.parametrize("how", ["resolve", "forget"])
def test_a_failed_job_may_be_paid_for_again_on_request(
    twin: Twin, tmp_path: Path, deerapi_mock: DeerAPIMock, how: str
) -> None:
    deerapi_mock.fails()
    with pytest.raises(RemixFailedError):
        save(twin, tmp_path / "bow.mp4")
    if how == "resolve":
        twin.resolve(KEY, not_charged=True)
    else:
        twin.forget(KEY)
    assert save(twin, tmp_path / "bow.mp4").exists()
    entry = twin.get(KEY)
    assert entry is not None
    assert len(entry.job_ids) == 2
    assert entry.error is None


# get, entries, resolve, forget


def test_an_entry_tells_what_was_asked_for_and_what_came(twin: Twin, deerapi_mock: DeerAPIMock) -> None:
    job = submit(twin, model="sora-2-pro")
    entry = twin.get(KEY)
    assert entry is not None
    known = (entry.key, entry.state, entry.video_id, entry.prompt, entry.model, entry.base_url, entry.job_id)
    assert known == (KEY, "accepted", SOURCE, PROMPT, "sora-2-pro", "https://api.deerapi.com", job)
    assert (entry.status, entry.path, entry.error, entry.job_ids) == ("queued", None, None, (job,))
    assert entry.holder == _holder.current()
    assert entry.to_dict()["job_ids"] == [job]


def test_all_entries_come_in_the_order_of_their_keys(twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_base, "_PAGE", 2)
    for key in ("c", "a", "e", "b", "d"):
        submit(twin, key)
    assert [entry.key for entry in twin.entries()] == ["a", "b", "c", "d", "e"]


def test_entries_can_be_asked_for_by_state(twin: Twin, deerapi_mock: DeerAPIMock) -> None:
    submit(twin, "fine")
    deerapi_mock.answers("remix", 400)
    with pytest.raises(BadRequestError):
        submit(twin, "refused")
    assert [entry.key for entry in twin.entries(state="open")] == ["refused"]
    with pytest.raises(ValueError, match="state must be one of submitting, open"):
        twin.entries(state="lost")


def test_an_unknown_submit_is_resolved_with_its_job(twin: Twin, tmp_path: Path, deerapi_mock: DeerAPIMock) -> None:
    deerapi_mock.answer_lost()
    with pytest.raises(APITimeoutError):
        submit(twin)
    (job,) = set(deerapi_mock.jobs) - {SOURCE}
    assert twin.resolve(KEY, job_id=job).state == "accepted"
    assert twin.resolve(KEY, job_id=job).job_ids == (job,)
    assert save(twin, tmp_path / "bow.mp4").exists()


def test_an_unknown_submit_that_was_not_charged_is_submitted_again(twin: Twin, deerapi_mock: DeerAPIMock) -> None:
    deerapi_mock.answers("remix", 500)
    with pytest.raises(InternalServerError):
        submit(twin)
    assert twin.resolve(KEY, not_charged=True).state == "open"
    assert submit(twin) in deerapi_mock.jobs


def test_a_known_outcome_cannot_be_resolved(twin: Twin) -> None:
    submit(twin)
    with pytest.raises(LedgerConflictError, match="nothing to resolve"):
        twin.resolve(KEY, not_charged=True)
    with pytest.raises(LedgerConflictError, match="nothing to resolve"):
        twin.resolve(KEY, job_id="task_other")
    with pytest.raises(KeyError):
        twin.resolve("never", not_charged=True)


@pytest.mark.parametrize("options", [{}, {"job_id": "a", "not_charged": True}, {"job_id": " "}, {"job_id": ".."}])
def test_resolve_wants_one_answer(twin: Twin, options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"job_id"):
        twin.resolve(KEY, **options)


def test_an_unknown_submit_cannot_be_forgotten(twin: Twin, deerapi_mock: DeerAPIMock) -> None:
    deerapi_mock.answer_lost()
    with pytest.raises(APITimeoutError):
        submit(twin)
    with pytest.raises(OutcomeUnknownError):
        twin.forget(KEY)
    assert twin.state(KEY) == "unknown"


def test_a_forgotten_key_is_as_new(twin: Twin) -> None:
    job = submit(twin)
    assert twin.forget(KEY).job_id == job
    assert twin.get(KEY) is None
    assert twin.forget(KEY) is None
    submit(twin, prompt="Another")


def test_errors_of_a_ledger_can_be_sent_to_other_processes(twin: Twin, deerapi_mock: DeerAPIMock) -> None:
    submit(twin)
    with pytest.raises(LedgerConflictError) as caught:
        submit(twin, prompt="Another")
    copy = pickle.loads(pickle.dumps(caught.value))  # Our own.
    assert (str(copy), copy.entry) == (str(caught.value), caught.value.entry)


def test_a_submit_under_way_is_not_joined(url: str, deerapi_mock: DeerAPIMock) -> None:
    seen: list[SubmitInProgressError] = []

    def asks_for_the_same_meanwhile() -> str:
        with pytest.raises(SubmitInProgressError) as caught:
            ledger.remix(other, KEY, SOURCE, prompt=PROMPT)
        seen.append(caught.value)
        return "sk-test-key"

    with RemixClient() as other, RemixClient(asks_for_the_same_meanwhile) as client, Ledger(url) as ledger:
        ledger.remix(client, KEY, SOURCE, prompt=PROMPT)
    (error,) = seen
    assert error.retryable
    assert error.until is not None
    assert error.until > deerapi_mock.clock()
    assert error.entry.state == "submitting"

"""A remix with --output, run again: it goes on with its job, and is never paid for twice unasked."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from deerapi_remix.testing import FakeDeerAPI
from deerapi_remix.testing.fake import Answer, Request

from ..conftest import Clock
from .shell import REMIX, Cli, files, new_job, submits

SAVE = (*REMIX, "--output", "bow.mp4")
JOB_FILE = ".bow.mp4.job.json"
BEGUN = "2027-01-15T08:16:40.123456+00:00"
ASKED = {
    "video_id": "video_123",
    "prompt": "The cat takes a bow",
    "model": None,
    "base_url": "https://api.deerapi.com",
    "begun": BEGUN,
    "job_id": None,
}


def left(**changes: object) -> None:
    """An earlier run has left a job file."""
    Path(JOB_FILE).write_text(json.dumps(ASKED | changes))


def job_file() -> Any:
    return json.loads(Path(JOB_FILE).read_text())


# What is kept, and for how long


def test_the_job_file_is_whole_and_private_and_on_the_disk_before_the_submit(
    fake: FakeDeerAPI, call: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[bool, int]] = []
    seen: dict[str, Any] = {}
    fsync, handle = os.fsync, fake.handle

    def recorded(descriptor: int) -> None:
        kind = os.fstat(descriptor)
        synced.append((stat.S_ISDIR(kind.st_mode), kind.st_ino))
        fsync(descriptor)

    def look(request: Request, **checks: Any) -> Answer:
        if request.method == "POST":
            seen.update(told=job_file(), synced=list(synced), found=Path(JOB_FILE).stat())
        return handle(request, **checks)

    monkeypatch.setattr(os, "fsync", recorded)
    monkeypatch.setattr(fake, "handle", look)
    assert call(*SAVE).code == 0
    assert seen["told"] == ASKED | {"begun": seen["told"]["begun"]}
    assert stat.S_IMODE(seen["found"].st_mode) == 0o600
    assert seen["synced"] == [(False, seen["found"].st_ino), (True, Path().stat().st_ino)]


def test_the_id_of_the_job_is_kept_while_it_renders(
    fake: FakeDeerAPI, call: Cli, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[object] = []

    def look(_: float) -> None:
        kept.append((job_file()["job_id"], stat.S_IMODE(Path(JOB_FILE).stat().st_mode), len(files())))
        raise KeyboardInterrupt

    monkeypatch.setattr("deerapi_remix._clock.sleep", look)
    assert call(*SAVE).code == 130
    assert kept == [(new_job(fake), 0o600, 2)]  # With the part file.


def test_the_job_file_is_gone_once_the_video_is_saved(fake: FakeDeerAPI, call: Cli) -> None:
    assert call(*SAVE).code == 0
    assert files() == ["bow.mp4"]


@pytest.mark.parametrize("model", ["sora-2-pro", None])
def test_a_run_that_reached_its_deadline_is_gone_on_with(fake: FakeDeerAPI, call: Cli, model: str | None) -> None:
    command = (*SAVE, *(() if model is None else ("--model", model)))
    assert call(*command, "--timeout", "4").code == 9
    job = new_job(fake)
    again = call(*command)
    assert (again.code, again.out, files()) == (0, "bow.mp4\n", ["bow.mp4"])
    assert again.err.startswith(f"going on with {job}, which an earlier run submitted; nothing is paid again\n")
    assert "accepted as" not in again.err
    assert submits(fake) == 1


def test_a_run_that_was_interrupted_while_it_waited_is_gone_on_with(
    fake: FakeDeerAPI, call: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr("deerapi_remix._clock.sleep", interrupt)
        assert call(*SAVE).code == 130
    assert call(*SAVE, "--json").json["path"] == "bow.mp4"
    assert submits(fake) == 1


def test_a_download_that_failed_is_gone_on_with(fake: FakeDeerAPI, call: Cli) -> None:
    fake.answers("download", 200, body="<html>", headers={"Content-Type": "text/html"})
    assert call(*SAVE).code == 10
    assert call(*SAVE).code == 0
    assert submits(fake) == 1


def test_a_run_that_goes_on_keeps_to_its_own_deadline_and_to_the_job(fake: FakeDeerAPI, call: Cli) -> None:
    fake.stuck()
    call(*SAVE, "--timeout", "4")
    again = call(*SAVE, "--timeout", "5", "--json")
    assert (again.code, submits(fake)) == (9, 1)
    job = new_job(fake)
    assert again.json["next"] == f"deerapi-remix wait {job} && deerapi-remix download --output bow.mp4 {job}"
    assert job_file()["job_id"] == job


def test_the_commands_that_are_told_leave_no_job_file_either(fake: FakeDeerAPI, call: Cli) -> None:
    call(*SAVE, "--timeout", "4")
    job = new_job(fake)
    assert call("wait", job).code == 0
    assert call("download", "--output", "bow.mp4", job).code == 0
    assert files() == ["bow.mp4"]


@pytest.mark.parametrize("options", [("--variant", "thumbnail"), ()])
def test_a_download_of_something_else_leaves_the_job_file(
    fake: FakeDeerAPI, call: Cli, options: tuple[str, ...]
) -> None:
    left(job_id="video_123" if options else "another")
    assert call("download", "--output", "bow.mp4", *options, "video_123").code == 0
    assert files() == [JOB_FILE, "bow.mp4"]


def test_a_job_that_fails_is_not_gone_on_with(fake: FakeDeerAPI, call: Cli) -> None:
    fake.fails()
    assert call(*SAVE).code == 8
    assert files() == []
    assert call(*SAVE).code == 0
    assert submits(fake) == 2


def test_a_job_that_is_found_to_have_failed_is_not_gone_on_with_again(fake: FakeDeerAPI, call: Cli) -> None:
    fake.fails()
    call(*SAVE, "--timeout", "4")
    assert call(*SAVE).code == 8
    assert (submits(fake), files()) == (1, [])


def test_a_target_that_exists_is_not_touched_by_a_run_that_goes_on(fake: FakeDeerAPI, call: Cli) -> None:
    left(job_id="video_123")
    Path("bow.mp4").write_text("mine")
    outcome = call(*SAVE)
    assert outcome.code == 10
    assert outcome.err.endswith(
        "Error: bow.mp4: File exists. To go on, without paying again: "
        "deerapi-remix wait video_123 && deerapi-remix download video_123\n"
    )
    assert (len(fake.requests), Path("bow.mp4").read_text()) == (0, "mine")
    assert call(*SAVE, "--overwrite").code == 0
    assert (submits(fake), files()) == (0, ["bow.mp4"])


def test_another_target_is_another_remix(fake: FakeDeerAPI, call: Cli) -> None:
    call(*SAVE, "--timeout", "4")
    assert call(*REMIX, "--output", "encore.mp4").code == 0
    assert files() == [JOB_FILE, "encore.mp4"]


def test_without_output_there_is_no_job_file(fake: FakeDeerAPI, call: Cli) -> None:
    fake.stuck()
    assert call(*REMIX, "--timeout", "4").code == 9
    assert files() == []


# What leaves no job file, because nothing was paid


@pytest.mark.parametrize(
    ("status", "times", "code"), [(400, 1, 4), (401, 1, 3), (403, 1, 4), (429, 4, 5), (500, 4, 6), (503, 4, 6)]
)
def test_a_submit_that_was_refused_leaves_no_job_file(
    fake: FakeDeerAPI, call: Cli, status: int, times: int, code: int
) -> None:
    fake.answers("remix", status, times=times)
    assert call(*SAVE).code == code
    assert files() == []


@pytest.mark.usefixtures("clock")
def test_a_submit_that_was_never_sent_leaves_no_job_file(call: Cli) -> None:
    assert call(*SAVE, "--base-url", "http://127.0.0.1:1").code == 6
    assert files() == []


@pytest.mark.parametrize("arguments", [("remix", "..", "--prompt", "x"), ("remix", "v", "--prompt", "\udcff")])
def test_wrong_usage_leaves_no_job_file(fake: FakeDeerAPI, call: Cli, arguments: tuple[str, ...]) -> None:
    assert call(*arguments, "-o", "bow.mp4").code == 2
    assert files() == []


@pytest.mark.parametrize("target", [".", "..", "/", "bow.mp4"])
def test_a_folder_is_no_target_and_gets_no_job_file(fake: FakeDeerAPI, call: Cli, target: str) -> None:
    Path("bow.mp4").mkdir()
    assert call(*REMIX, "-o", target) == (10, "", f"Error: {target}: Is a directory. Nothing was sent.\n")
    assert (files(), len(fake.requests)) == (["bow.mp4"], 0)


def test_a_target_that_exists_gets_no_job_file(fake: FakeDeerAPI, call: Cli) -> None:
    Path("bow.mp4").write_text("mine")
    assert call(*SAVE).code == 10
    assert (files(), len(fake.requests)) == (["bow.mp4"], 0)


def test_ctrl_c_between_two_attempts_leaves_no_job_file(
    fake: FakeDeerAPI, call: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("deerapi_remix._clock.sleep", interrupt)
    fake.rate_limited(retry_after=9)
    assert call(*SAVE).code == 130
    assert files() == []


# Where the outcome is unknown


def test_a_submit_whose_answer_was_lost_is_not_repeated_unasked(fake: FakeDeerAPI, call: Cli) -> None:
    fake.answer_lost()
    call(*SAVE)
    again = call(*SAVE)
    begun = job_file()["begun"][:19]
    assert (again.code, again.out, submits(fake)) == (7, "", 1)
    assert again.err == (
        f"Error: bow.mp4: an earlier run began to submit this remix at {begun} UTC. It was cut off, or is still at it, "
        "so that a job may have been accepted and charged. Look at your usage with the vendor. If there is no job, "
        "run this again with --resubmit. If there is one: deerapi-remix download --output bow.mp4 ID, "
        "and remove .bow.mp4.job.json. Nothing was sent now.\n"
    )


def test_a_refusal_to_repeat_a_submit_is_an_object_for_programs(fake: FakeDeerAPI, call: Cli) -> None:
    left()
    told = call(*SAVE, "--json").json
    assert (told["type"], told["exit_code"], told["may_have_been_charged"]) == ("OutcomeUnknown", 7, True)
    assert (told["video_id"], told["next"]) == (None, None)


def test_resubmit_submits_once_more(fake: FakeDeerAPI, call: Cli) -> None:
    fake.answer_lost()
    call(*SAVE)
    assert call(*SAVE, "--resubmit").code == 0
    assert (submits(fake), files()) == (2, ["bow.mp4"])


def test_resubmit_pays_for_no_other_job_where_one_is_known(fake: FakeDeerAPI, call: Cli) -> None:
    call(*SAVE, "--timeout", "4")
    assert call(*SAVE, "--resubmit").code == 0
    assert submits(fake) == 1


def test_resubmit_is_of_no_consequence_without_an_earlier_run(fake: FakeDeerAPI, call: Cli) -> None:
    assert call(*SAVE, "--resubmit").code == 0
    assert submits(fake) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"video_id": "video_123", "pro',
        b"[]",
        b"7",
        b"\xff\xfe",
        b"[" * 100_000,
        json.dumps(ASKED | {"job_id": 7}).encode(),
        json.dumps(ASKED | {"job_id": ""}).encode(),
        json.dumps(ASKED | {"prompt": None}).encode(),
        json.dumps(ASKED | {"another": "field"}).encode(),
        b'{"video_id": "video_123"}',
    ],
    ids=range(11),
)
def test_a_garbled_job_file_says_that_the_outcome_is_unknown(fake: FakeDeerAPI, call: Cli, content: bytes) -> None:
    Path(JOB_FILE).write_bytes(content)
    outcome = call(*SAVE)
    assert (outcome.code, len(fake.requests), files()) == (7, 0, [JOB_FILE])
    assert "an earlier run began to submit this remix. It was cut off" in outcome.err
    assert call(*SAVE, "--resubmit").code == 0


def test_a_job_file_that_cannot_be_read_says_that_the_outcome_is_unknown(fake: FakeDeerAPI, call: Cli) -> None:
    Path(JOB_FILE).mkdir()
    assert (call(*SAVE).code, len(fake.requests)) == (7, 0)
    assert (call(*SAVE, "--resubmit").code, len(fake.requests)) == (10, 0)


def test_a_salvaged_id_is_gone_on_with(fake: FakeDeerAPI, call: Cli) -> None:
    fake.add_video("video_new")
    headers = {"Content-Type": "application/json"}
    fake.answers("remix", 200, body='{"id": "video_new", "status": "que', headers=headers)
    assert call(*SAVE).code == 7
    assert job_file()["job_id"] == "video_new"
    assert call(*SAVE).code == 0
    assert (submits(fake), files()) == (1, ["bow.mp4"])


def test_ctrl_c_during_a_submit_leaves_the_outcome_unknown_and_tells_what_came(
    fake: FakeDeerAPI, call: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        error = KeyboardInterrupt()
        error.add_note("The job was accepted as video_new.")
        raise error

    with monkeypatch.context() as context:
        context.setattr(fake, "handle", interrupt)
        outcome = call(*SAVE)
    assert outcome.code == 130
    assert outcome.err.endswith(" look at your usage with the vendor first. The job was accepted as video_new.\n")
    assert (call(*SAVE).code, submits(fake)) == (7, 0)


def test_an_error_of_unknown_origin_leaves_the_outcome_unknown_and_tells_what_came(
    fake: FakeDeerAPI, call: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        error = OSError(errno.EIO, "Input/output error")
        error.add_note("The job was accepted as video_new.")
        raise error

    monkeypatch.setattr(fake, "handle", fail)
    outcome = call(*SAVE, "--json")
    assert (outcome.code, outcome.json["may_have_been_charged"]) == (7, True)
    assert outcome.err.endswith(" look at your usage with the vendor first. The job was accepted as video_new.\n")
    assert files() == [JOB_FILE]


# Another remix at the same target


@pytest.mark.parametrize(
    ("earlier", "difference"),
    [
        ({"video_id": "video_9"}, "video 'video_9', not 'video_123'"),
        ({"prompt": "x" * 70}, f"prompt '{'x' * 60}…', not 'The cat takes a bow'"),
        ({"model": "sora-2"}, "model 'sora-2', not '(none)'"),
        ({"base_url": "http://127.0.0.1:8000"}, "base URL 'http://127.0.0.1:8000', not 'https://api.deerapi.com'"),
        ({"prompt": "a\x1b[2J", "model": "m"}, "prompt 'a[2J', not 'The cat takes a bow'; model 'm', not '(none)'"),
    ],
)
@pytest.mark.parametrize(("job_id", "state"), [("video_new", "job video_new"), (None, "outcome unknown")])
@pytest.mark.parametrize("options", [(), ("--resubmit",), ("--overwrite",)])
def test_another_remix_at_the_same_target_is_2_and_told_apart(
    fake: FakeDeerAPI,
    call: Cli,
    earlier: dict[str, str],
    difference: str,
    job_id: str | None,
    state: str,
    options: tuple[str, ...],
) -> None:
    left(**earlier, job_id=job_id)
    outcome = call(*SAVE, *options)
    assert outcome.code == 2
    assert outcome.err == (
        f"Error: bow.mp4 is kept for another remix ({state}): {difference}. Choose another --output, "
        "or finish that one first. To give it up, remove .bow.mp4.job.json. Nothing was sent.\n"
    )
    assert (len(fake.requests), files()) == (0, [JOB_FILE])


def test_a_base_url_is_the_same_in_any_spelling(fake: FakeDeerAPI, call: Cli) -> None:
    left(job_id="video_123")
    assert call(*SAVE, "--base-url", "https://api.deerapi.com/").code == 0


def test_the_job_file_of_a_later_run_is_not_removed(
    fake: FakeDeerAPI, call: Cli, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sleep = clock.sleep

    def intrude(seconds: float) -> None:
        left(prompt="Another")
        sleep(seconds)

    monkeypatch.setattr("deerapi_remix._clock.sleep", intrude)
    assert call(*SAVE).code == 0
    assert files() == [JOB_FILE, "bow.mp4"]


def test_a_run_that_ends_meanwhile_is_no_longer_in_the_way(
    fake: FakeDeerAPI, call: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    left()
    read_bytes = Path.read_bytes

    def ended(path: Path) -> bytes:
        path.unlink()
        return read_bytes(path)

    with monkeypatch.context() as context:
        context.setattr(Path, "read_bytes", ended)
        assert call(*SAVE).code == 0
    assert submits(fake) == 1


# Where the disk does not take it


def refuse(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, code: int, *, when: str) -> None:
    """Let a call of the file system fail where its first argument mentions `when`."""
    original = getattr(owner, name)

    def failing(path: Any, *arguments: Any, **options: Any) -> Any:
        if when in str(path):
            raise OSError(code, os.strerror(code), str(path))
        return original(path, *arguments, **options)

    monkeypatch.setattr(owner, name, failing)


@pytest.mark.parametrize(
    ("code", "problem"), [(errno.EROFS, "Read-only file system"), (errno.EACCES, "Permission denied")]
)
def test_a_folder_that_takes_no_job_file_is_10_before_anything_is_paid(
    fake: FakeDeerAPI, call: Cli, monkeypatch: pytest.MonkeyPatch, code: int, problem: str
) -> None:
    refuse(monkeypatch, os, "open", code, when="job.json")
    assert call(*SAVE) == (10, "", f"Error: bow.mp4: {problem}. Nothing was sent.\n")
    assert (len(fake.requests), files()) == (0, [])


def test_a_name_without_room_for_a_job_file_is_10_before_anything_is_paid(fake: FakeDeerAPI, call: Cli) -> None:
    outcome = call(*REMIX, "-o", "x" * 250)
    assert outcome.code == 10
    assert outcome.err.endswith(": File name too long. Nothing was sent.\n")
    assert len(fake.requests) == 0


def test_a_full_disk_is_10_before_anything_is_paid(
    fake: FakeDeerAPI, call: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert call(*SAVE) == (10, "", "Error: bow.mp4: No space left on device. Nothing was sent.\n")
    assert (len(fake.requests), files()) == (0, [])


def test_a_job_is_followed_to_its_end_though_its_id_cannot_be_kept(
    fake: FakeDeerAPI, call: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, Path, "replace", errno.ENOSPC, when=".json")
    outcome = call(*SAVE)
    assert (outcome.code, files()) == (0, ["bow.mp4"])
    assert outcome.err.startswith(".bow.mp4.job.json could not be updated: No space left on device\naccepted as ")


def test_a_job_file_that_cannot_be_removed_is_told(
    fake: FakeDeerAPI, call: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, Path, "unlink", errno.EACCES, when="job.json")
    outcome = call(*SAVE)
    assert (outcome.code, outcome.out) == (0, "bow.mp4\n")
    assert outcome.err.endswith(".bow.mp4.job.json could not be removed: Permission denied\n")


def test_a_system_that_opens_no_folders_does_without(
    fake: FakeDeerAPI, call: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    opened = os.open

    def files_only(path: Any, *arguments: Any, **options: Any) -> int:
        if Path(path).is_dir():
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path, *arguments, **options)

    monkeypatch.setattr(os, "open", files_only)
    assert call(*SAVE).code == 0

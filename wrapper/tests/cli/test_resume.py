"""A remix with --output, run again: it goes on with its job, and is never paid for twice unasked."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import stat
from operator import methodcaller as does
from pathlib import Path
from typing import Any

import pytest

from deerapi_remix.testing.fake import Answer, Request

from .shell import JOB_FILE, REMIX, SAVE, UNKNOWN, Cli, Prepare, Runner, files, raising

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


def test_the_job_file_is_whole_and_private_and_on_the_disk_before_the_submit(run: Runner) -> None:
    synced: list[tuple[bool, int]] = []
    seen: dict[str, Any] = {}
    fsync, handle = os.fsync, run.fake.handle

    def recorded(descriptor: int) -> None:
        kind = os.fstat(descriptor)
        synced.append((stat.S_ISDIR(kind.st_mode), kind.st_ino))
        fsync(descriptor)

    def look(request: Request, **checks: Any) -> Answer:
        if request.method == "POST":
            seen.update(told=job_file(), synced=list(synced), found=Path(JOB_FILE).stat())
        return handle(request, **checks)

    run.patch.setattr(os, "fsync", recorded)
    run.patch.setattr(run.fake, "handle", look)
    assert run(*SAVE).code == 0
    assert seen["told"] == ASKED | {"begun": seen["told"]["begun"]}
    assert stat.S_IMODE(seen["found"].st_mode) == 0o600
    assert seen["synced"] == [(False, seen["found"].st_ino), (True, Path().stat().st_ino)]
    assert files() == ["bow.mp4"]


def test_the_id_of_the_job_is_kept_while_it_renders_in_room_that_was_taken_before(run: Runner) -> None:
    kept: list[tuple[object, ...]] = []

    def look(_: float) -> None:
        found = Path(JOB_FILE).stat()
        kept.append((job_file()["job_id"], stat.S_IMODE(found.st_mode), found.st_ino, found.st_size, len(files())))
        raise KeyboardInterrupt

    handle = run.fake.handle

    def claimed(request: Request, **checks: Any) -> Answer:
        if request.method == "POST":
            found = Path(JOB_FILE).stat()
            kept.append((found.st_ino, found.st_size))
        return handle(request, **checks)

    run.patch.setattr(run.fake, "handle", claimed)
    run.patch.setattr("deerapi_remix._clock.sleep", look)
    assert run(*SAVE).code == 130
    (inode, size), after = kept
    assert after == (run.job, 0o600, inode, size, 2)  # With the part file.


# What ends the first run, and its exit code. The second goes on, or pays for nothing.
HTML = {"Content-Type": "text/html"}
ENDED: dict[str, tuple[Prepare | None, tuple[str, ...], int]] = {
    "its deadline": (None, ("--timeout", "4"), 9),
    "its deadline, with a model": (None, ("--model", "sora-2-pro", "--timeout", "4"), 9),
    "a file that is no video": (does("answers", "download", 200, body="<html>", headers=HTML), (), 10),
    "a key that is refused": (does("answers", "retrieve", 401), (), 3),
}


@pytest.mark.parametrize("name", ENDED)
def test_a_run_that_ended_is_gone_on_with(run: Runner, name: str) -> None:
    prepare, options, code = ENDED[name]
    if prepare is not None:
        prepare(run.fake)
    assert run(*SAVE, *options).code == code
    job = run.job
    assert job_file()["job_id"] == job
    again = run(*SAVE, *options[:-2])
    assert (again.code, again.out, files()) == (0, "bow.mp4\n", ["bow.mp4"])
    assert again.err.startswith(f"going on with {job}, which an earlier run submitted; nothing is paid again\n")
    assert "accepted as" not in again.err
    assert run.submits == 1


def test_a_run_that_goes_on_keeps_to_its_own_deadline_and_to_the_job(run: Runner) -> None:
    run.fake.stuck()
    run(*SAVE, "--timeout", "4")
    again = run(*SAVE, "--timeout", "5", "--json")
    assert (again.code, run.submits) == (9, 1)
    job = run.job
    assert again.json["next"] == f"deerapi-remix wait {job} && deerapi-remix download --output bow.mp4 {job}"
    assert job_file()["job_id"] == job


def test_the_commands_that_are_told_leave_no_job_file_either(run: Runner) -> None:
    run(*SAVE, "--timeout", "4")
    job = run.job
    assert run("wait", job).code == 0
    assert run("download", "--output", "bow.mp4", job).code == 0
    assert files() == ["bow.mp4"]


@pytest.mark.parametrize("options", [("--variant", "thumbnail"), ()])
def test_a_download_of_something_else_leaves_the_job_file(run: Runner, options: tuple[str, ...]) -> None:
    left(job_id="video_123" if options else "another")
    assert run("download", "--output", "bow.mp4", *options, "video_123").code == 0
    assert files() == [JOB_FILE, "bow.mp4"]


@pytest.mark.parametrize(("options", "code", "posts"), [((), 8, 2), (("--timeout", "4"), 9, 1)])
def test_a_job_that_failed_is_not_gone_on_with_again(
    run: Runner, options: tuple[str, ...], code: int, posts: int
) -> None:
    run.fake.fails()
    assert run(*SAVE, *options).code == code
    assert run(*SAVE).code == (0 if code == 8 else 8)
    assert run.submits == posts
    assert JOB_FILE not in files()


def test_a_target_that_exists_is_not_touched_by_a_run_that_goes_on(run: Runner) -> None:
    left(job_id="video_123")
    Path("bow.mp4").write_text("mine")
    outcome = run(*SAVE)
    assert outcome.code == 10
    assert outcome.err.endswith(
        "Error: bow.mp4 exists. If that is the video you wanted you are done. To go on, without paying again: "
        "deerapi-remix wait video_123 && deerapi-remix download video_123\n"
    )
    assert (len(run.fake.requests), Path("bow.mp4").read_text()) == (0, "mine")
    assert run(*SAVE, "--overwrite").code == 0
    assert (run.submits, files()) == (0, ["bow.mp4"])


def test_a_job_that_has_expired_says_what_to_remove(run: Runner) -> None:
    left(job_id="video_gone")
    outcome = run(*SAVE)
    assert (outcome.code, run.submits, files()) == (4, 0, [JOB_FILE])
    assert outcome.err.endswith(
        " No such video for this key: check the id. If the job has expired, remove .bow.mp4.job.json to submit, and "
        "pay, anew.\n"
    )


def test_another_target_is_another_remix(run: Runner) -> None:
    run(*SAVE, "--timeout", "4")
    assert run(*REMIX, "--output", "encore.mp4").code == 0
    assert files() == [JOB_FILE, "encore.mp4"]


def test_without_output_there_is_no_job_file(run: Runner) -> None:
    run.fake.stuck()
    assert run(*REMIX, "--timeout", "4").code == 9
    assert files() == []


# What leaves no job file, because nothing was paid


@pytest.mark.parametrize(("status", "times", "code"), [(400, 1, 4), (401, 1, 3), (403, 1, 4), (429, 4, 5), (503, 4, 6)])
def test_a_submit_that_was_refused_leaves_no_job_file(run: Runner, status: int, times: int, code: int) -> None:
    run.fake.answers("remix", status, times=times)
    assert run(*SAVE).code == code
    assert files() == []


@pytest.mark.parametrize("status", [303, 304, 408, 500, 502, 520, 600])
def test_a_submit_that_may_have_been_charged_leaves_a_job_file(run: Runner, status: int) -> None:
    run.fake.answers("remix", status, times=4)
    assert run(*SAVE).code == 7
    assert files() == [JOB_FILE]


@pytest.mark.parametrize("status", [301, 400, 429, 500, 503])
def test_a_failure_that_names_a_job_is_gone_on_with(run: Runner, status: int) -> None:
    run.fake.add_video("video_new")
    run.fake.answers("remix", status, body={"id": "video_new", "status": "queued"})
    outcome = run(*SAVE)
    assert outcome.code == 7
    assert outcome.err.endswith(" Run the same command again: it goes on with video_new and pays for no other.\n")
    assert run(*SAVE).code == 0
    assert (run.submits, files()) == (1, ["bow.mp4"])


@pytest.mark.parametrize("job_id", ["\x1b[2J", "..", "\ud800", "a\0b", " "])
def test_an_id_that_cannot_be_sent_back_leaves_the_outcome_unknown(run: Runner, job_id: str) -> None:
    headers = {"Content-Type": "application/json"}
    run.fake.answers("remix", 200, body=json.dumps({"id": job_id, "status": "queued"}), headers=headers)
    outcome = run(*SAVE, "--json")
    assert (outcome.code, files()) == (7, [JOB_FILE])
    assert re.fullmatch(r"[ -~\n]+", outcome.out + outcome.err)


@pytest.mark.usefixtures("clock")
def test_a_submit_that_was_never_sent_leaves_no_job_file(call: Cli) -> None:
    assert call(*SAVE, "--base-url", "http://127.0.0.1:1").code == 6
    assert files() == []


@pytest.mark.parametrize("arguments", [("remix", "..", "--prompt", "x"), ("remix", "v", "--prompt", "\udcff")])
def test_wrong_usage_leaves_no_job_file(run: Runner, arguments: tuple[str, ...]) -> None:
    assert run(*arguments, "-o", "bow.mp4").code == 2
    assert files() == []


@pytest.mark.parametrize("target", [".", "..", "/", "bow.mp4"])
def test_a_folder_is_no_target_and_gets_no_job_file(run: Runner, target: str) -> None:
    Path("bow.mp4").mkdir()
    assert run(*REMIX, "-o", target) == (10, "", f"Error: {target}: Is a directory. Nothing was sent.\n")
    assert (files(), len(run.fake.requests)) == (["bow.mp4"], 0)


# Where the outcome is unknown


def test_a_submit_whose_answer_was_lost_is_not_repeated_unasked(run: Runner) -> None:
    run.fake.answer_lost()
    run(*SAVE)
    again = run(*SAVE)
    begun = job_file()["begun"][:19]
    assert (again.code, again.out, run.submits) == (7, "", 1)
    assert again.err == (
        f"Error: bow.mp4: an earlier run began to submit this remix at {begun} UTC and was cut off, so "
        "that a job may have been accepted and charged. Look at your usage with the vendor. If there is no job, "
        "run this again with --resubmit. If there is one: deerapi-remix download --output bow.mp4 ID, "
        "and remove .bow.mp4.job.json. Nothing was sent now.\n"
    )
    assert run(*SAVE, "--resubmit").code == 0
    assert (run.submits, files()) == (2, ["bow.mp4"])


def test_a_refusal_to_repeat_a_submit_is_an_object_for_programs(run: Runner) -> None:
    left()
    told = run(*SAVE, "--json").json
    assert (told["type"], told["exit_code"], told["may_have_been_charged"]) == ("OutcomeUnknown", 7, True)
    assert (told["video_id"], told["next"]) == (None, None)


@pytest.mark.parametrize("earlier", [("--timeout", "4"), None])
def test_resubmit_pays_for_no_other_job_where_one_is_known_or_none_was_begun(
    run: Runner, earlier: tuple[str, ...] | None
) -> None:
    if earlier is not None:
        run(*SAVE, *earlier)
    assert run(*SAVE, "--resubmit").code == 0
    assert run.submits == 1


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
def test_a_garbled_job_file_says_that_the_outcome_is_unknown(run: Runner, content: bytes) -> None:
    Path(JOB_FILE).write_bytes(content)
    outcome = run(*SAVE)
    assert (outcome.code, len(run.fake.requests), files()) == (7, 0, [JOB_FILE])
    assert "an earlier run began to submit this remix and was cut off" in outcome.err
    assert run(*SAVE, "--resubmit").code == 0


def test_a_salvaged_id_is_gone_on_with(run: Runner) -> None:
    run.fake.add_video("video_new")
    headers = {"Content-Type": "application/json"}
    run.fake.answers("remix", 200, body='{"id": "video_new", "status": "que', headers=headers)
    outcome = run(*SAVE, "--json")
    assert outcome.code == 7
    assert outcome.err.endswith(
        " The job was accepted as video_new. "
        "Run the same command again: it goes on with video_new and pays for no other.\n"
    )
    assert outcome.json["video_id"] == "video_new"
    assert outcome.json["next"] == "deerapi-remix wait video_new && deerapi-remix download --output bow.mp4 video_new"
    assert job_file()["job_id"] == "video_new"
    assert run(*SAVE).code == 0
    assert (run.submits, files()) == (1, ["bow.mp4"])


@pytest.mark.parametrize(
    ("error", "code"), [(KeyboardInterrupt(), 130), (OSError(errno.EIO, "Input/output error"), 7)], ids=repr
)
def test_what_breaks_into_a_submit_leaves_the_outcome_unknown(run: Runner, error: BaseException, code: int) -> None:
    with run.patch.context() as context:
        context.setattr(run.fake, "handle", raising(error))
        outcome = run(*SAVE, "--json")
    assert (outcome.code, outcome.json["may_have_been_charged"]) == (code, True)
    assert outcome.err.endswith(f" {UNKNOWN} first. If no job was charged, run it again with --resubmit.\n")
    assert files() == [JOB_FILE]
    assert (run(*SAVE).code, run.submits) == (7, 0)


# Another remix at the same target


@pytest.mark.parametrize(
    ("earlier", "difference"),
    [
        ({"video_id": "video_9"}, "video 'video_9', not 'video_123'"),
        ({"prompt": "x" * 70}, f"prompt '{'x' * 60}…', not 'The cat takes a bow'"),
        ({"model": "sora-2"}, "model 'sora-2', not '(none)'"),
        ({"base_url": "http://127.0.0.1:8000"}, "base URL 'http://127.0.0.1:8000', not 'https://api.deerapi.com'"),
        (
            {"prompt": "a\x1b[2J", "model": "m"},
            "prompt 'a\\x1b[2J', not 'The cat takes a bow'; model 'm', not '(none)'",
        ),
    ],
)
@pytest.mark.parametrize(("job_id", "state"), [("video_new", "job video_new"), (None, "outcome unknown")])
@pytest.mark.parametrize("options", [(), ("--resubmit",), ("--overwrite",)])
def test_another_remix_at_the_same_target_is_2_and_told_apart(
    run: Runner, earlier: dict[str, str], difference: str, job_id: str | None, state: str, options: tuple[str, ...]
) -> None:
    left(**earlier, job_id=job_id)
    assert run(*SAVE, *options) == (
        2,
        "",
        f"Error: bow.mp4 is reserved for an unfinished remix ({state}): {difference}. Choose another --output, "
        "or finish that one first. To give it up, remove .bow.mp4.job.json. Nothing was sent.\n",
    )
    assert (len(run.fake.requests), files()) == (0, [JOB_FILE])


def test_a_base_url_is_the_same_in_any_spelling(run: Runner) -> None:
    left(job_id="video_123")
    assert run(*SAVE, "--base-url", "https://api.deerapi.com/").code == 0


@pytest.mark.parametrize("moment", ["POST", "GET"])
def test_a_job_file_that_another_run_has_made_meanwhile_is_neither_written_nor_removed(
    run: Runner, moment: str
) -> None:
    handle = run.fake.handle

    def intrude(request: Request, **checks: Any) -> Answer:
        if request.method == moment:
            left(prompt="Another")
        return handle(request, **checks)

    run.patch.setattr(run.fake, "handle", intrude)
    outcome = run(*SAVE)
    assert outcome.code == 0
    assert files() == [JOB_FILE, "bow.mp4"]
    assert job_file() == ASKED | {"prompt": "Another"}
    not_kept = ".bow.mp4.job.json could not be updated: .bow.mp4.job.json is that of another run by now, or gone\n"
    assert (not_kept in outcome.err) == (moment == "POST")


def test_a_run_that_ends_meanwhile_is_no_longer_in_the_way(run: Runner) -> None:
    left()
    lstat = Path.lstat

    def ended(path: Path) -> os.stat_result:
        found = lstat(path)
        path.unlink()
        return found

    with run.patch.context() as context:
        context.setattr(Path, "lstat", ended)
        run(*SAVE)
    assert run.submits == 1


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
    ("owner", "name", "when", "code", "problem"),
    [
        (os, "open", ".json", errno.EROFS, "Read-only file system"),
        (os, "open", ".json", errno.EACCES, "Permission denied"),
        (os, "fsync", "", errno.ENOSPC, "No space left on device"),
        (os, "write", "", errno.EDQUOT, "Disk quota exceeded"),
        (fcntl, "flock", "", errno.ENOLCK, "No locks available"),
    ],
)
def test_a_folder_that_takes_no_job_file_is_10_before_anything_is_paid(
    run: Runner, owner: Any, name: str, when: str, code: int, problem: str
) -> None:
    with run.patch.context() as context:
        refuse(context, owner, name, code, when=when)
        outcome = run(*SAVE)
    assert outcome == (10, "", f"Error: bow.mp4: {problem}. Nothing was sent.\n")
    assert (len(run.fake.requests), files()) == (0, [])


def test_a_file_system_without_links_takes_a_job_file_all_the_same(run: Runner) -> None:
    refuse(run.patch, os, "link", errno.EPERM, when=".json")
    assert run(*SAVE, "--timeout", "4").code == 9
    assert files() == [JOB_FILE]
    assert run(*SAVE).code == 0
    assert run.submits == 1


def test_a_name_without_room_for_a_job_file_is_10_before_anything_is_paid(run: Runner) -> None:
    outcome = run(*REMIX, "-o", "x" * 250)
    assert outcome.code == 10
    assert outcome.err.endswith(": File name too long. Nothing was sent.\n")
    assert (len(run.fake.requests), files()) == (0, [])


def test_a_job_file_that_cannot_be_removed_is_told(run: Runner) -> None:
    refuse(run.patch, Path, "unlink", errno.EACCES, when="job.json")
    outcome = run(*SAVE)
    assert (outcome.code, outcome.out) == (0, "bow.mp4\n")
    assert outcome.err.endswith(".bow.mp4.job.json could not be removed: Permission denied\n")


def test_a_system_that_opens_no_folders_does_without(run: Runner, tmp_path: Path) -> None:
    opened = os.open

    def files_only(path: Any, *arguments: Any, **options: Any) -> int:
        if Path(path).is_dir():
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path, *arguments, **options)

    run.patch.setattr(os, "open", files_only)
    assert run(*SAVE).code == 0

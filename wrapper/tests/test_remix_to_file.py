"""From a prompt to a file in one call, under one deadline, without ever losing what was paid for."""

from __future__ import annotations

import asyncio
import json
import math
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deerapi_remix import (
    APIConnectionError,
    APIResponseValidationError,
    APIStatusError,
    AsyncRemixClient,
    AuthenticationError,
    BadRequestError,
    DeerAPIError,
    DownloadError,
    Event,
    InternalServerError,
    NotFoundError,
    PollingPolicy,
    RemixClient,
    RemixFailedError,
    WaitTimeoutError,
)

from .conftest import Clock
from .wire import Answer, Pieces, Step, Twin, Wire, failure, takes, write_by

pytestmark = pytest.mark.usefixtures("clock")

NOT_READY = Answer(400, {"error": {"code": "invalid_request", "message": "Task is not completed yet"}})


def job(status: str = "queued", progress: int = 0, **more: object) -> Answer:
    return Answer(200, {"id": "video_new", "object": "video", "status": status, "progress": progress, **more})


def file(body: bytes = b"the whole video") -> Answer:
    return Answer(200, body, {"Content-Type": "video/mp4", "Content-Length": str(len(body))})


def run(client: Any, target: Path, **options: Any) -> Path:
    path: Path = client.remix_to_file("video_123", target, prompt="The cat takes a bow", **options)
    return path


# All three in one


def test_a_remix_is_submitted_followed_and_saved(connect: Twin, target: Path) -> None:
    client, wire = connect(job(), job("in_progress", 50), job("completed", 100), file())
    assert run(client, target) == target
    assert target.read_bytes() == b"the whole video"
    assert wire.sent == [
        ("POST", "/v1/videos/video_123/remix"),
        ("GET", "/v1/videos/video_new"),
        ("GET", "/v1/videos/video_new"),
        ("GET", "/v1/videos/video_new/content"),
    ]


def test_prompt_and_model_are_sent(connect: Twin, target: Path) -> None:
    client, wire = connect(job("completed"), file())
    run(client, target, model="sora-2-pro")
    assert json.loads(wire.requests[0].content) == {"prompt": "The cat takes a bow", "model": "sora-2-pro"}


def test_a_job_just_accepted_may_be_unknown_for_a_while(connect: Twin, target: Path) -> None:
    client, wire = connect(job(), Answer(404), Answer(404), job("completed"), file())
    run(client, target)
    assert len(wire.requests) == 5


# Before anything is paid


@pytest.mark.parametrize(
    ("name", "error"), [("existing", FileExistsError), ("missing/bow.mp4", FileNotFoundError), (".", IsADirectoryError)]
)
def test_an_unusable_target_costs_nothing(connect: Twin, tmp_path: Path, name: str, error: type[OSError]) -> None:
    (tmp_path / "existing").write_bytes(b"mine")
    client, wire = connect(job())
    failure(error, run, client, tmp_path / name)
    assert (wire.requests, [path.read_bytes() for path in tmp_path.iterdir()]) == ([], [b"mine"])


def test_a_folder_that_cannot_be_written_costs_nothing(
    connect: Twin, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    client, wire = connect(job())
    with pytest.raises(PermissionError):
        run(client, target)
    assert wire.requests == []


def test_the_part_file_is_there_before_anything_is_paid(connect: Twin, target: Path) -> None:
    seen: list[int] = []

    def submit(_: httpx.Request) -> Answer:
        seen.append(len(list(target.parent.glob(".bow.mp4.*.part"))))
        return job("completed")

    client, _ = connect(submit, file())
    run(client, target)
    assert seen == [1]


def test_a_target_that_appears_meanwhile_is_not_touched(connect: Twin, target: Path) -> None:
    def poll(_: httpx.Request) -> Answer:
        target.write_bytes(b"mine")
        return job("completed")

    client, _ = connect(job(), poll, file())
    error = failure(FileExistsError, run, client, target)
    assert target.read_bytes() == b"mine"
    assert any("video_new" in note for note in error.__notes__)


def test_overwrite_replaces_the_target_at_the_end(connect: Twin, target: Path) -> None:
    target.write_bytes(b"old")
    client, _ = connect(job("completed"), file())
    run(client, target, overwrite=True)
    assert target.read_bytes() == b"the whole video"


# Errors


@pytest.mark.parametrize(
    ("answer", "error", "charged"),
    [
        (Answer(401), AuthenticationError, False),
        (Answer(400), BadRequestError, False),
        (Answer(502), InternalServerError, True),
        (httpx.ReadTimeout("slow"), APIConnectionError, True),
    ],
    ids=["401", "400", "502", "timeout"],
)
def test_a_submit_that_fails_for_good_ends_it_after_one_request(
    connect: Twin, target: Path, answer: Step, error: type[DeerAPIError], charged: bool
) -> None:
    client, wire = connect(answer)
    with pytest.raises(error) as caught:
        run(client, target)
    assert caught.value.may_have_been_charged is charged
    assert caught.value.video is None
    assert len(wire.requests) == 1
    assert not target.exists()


AFTER: dict[str, tuple[list[Step], type[DeerAPIError]]] = {
    "the job fails": ([job("failed")], RemixFailedError),
    "the submit tells of a failed job": ([], RemixFailedError),
    "a poll is final": ([Answer(401)], AuthenticationError),
    "the deadline passes": ([job("queued")], WaitTimeoutError),
    "every poll fails": ([httpx.ConnectError("refused")], WaitTimeoutError),
    "the file is gone": ([job("completed"), Answer(404)], NotFoundError),
    "the file is a page": ([job("completed"), Answer(200, b"<p>", {"Content-Type": "text/html"})], DownloadError),
    "the file is empty": ([job("completed"), Answer(200, b"", {"Content-Type": "video/mp4"})], DownloadError),
    "the server of the file fails": ([job("completed"), Answer(502)], InternalServerError),
    "the file cannot be reached": ([job("completed"), httpx.ConnectError("refused")], APIConnectionError),
}


@pytest.mark.parametrize("fault", AFTER)
def test_every_error_after_the_submit_was_accepted_carries_the_video(connect: Twin, target: Path, fault: str) -> None:
    steps, error = AFTER[fault]
    client, wire = connect(job("queued") if steps else job("failed"), *steps)
    with pytest.raises(error) as caught:
        run(client, target)
    assert caught.value.video is not None
    assert caught.value.video.id == "video_new"
    assert caught.value.video_id == "video_new"
    assert caught.value.may_have_been_charged is False
    assert caught.value.retryable is False  # To call it again would pay again.
    assert [method for method, _ in wire.sent].count("POST") == 1
    assert not target.exists()


def test_a_strict_client_tells_of_the_job_that_it_paid_for(connect: Twin, target: Path) -> None:
    client, wire = connect(Answer(200, {"id": "video_new", "status": "queued"}), strict=True)
    error = failure(APIResponseValidationError, run, client, target)
    assert error.video_id == "video_new"
    assert error.video is not None
    assert len(wire.requests) == 1


@pytest.mark.parametrize("error", [RuntimeError("mine"), OSError("mine"), KeyboardInterrupt("mine")], ids=repr)
@pytest.mark.parametrize("callback", ["on_update", "on_progress"])
def test_what_else_is_raised_after_the_submit_gets_a_note_with_the_id(
    connect: Twin, target: Path, callback: str, error: BaseException
) -> None:
    def fail(*_: object) -> None:
        raise error

    client, _ = connect(job("completed"), file())
    with pytest.raises(type(error), match="mine") as caught:
        run(client, target, **{callback: fail})
    assert caught.value is error
    assert "video_new" in caught.value.__notes__[-1]
    assert not target.exists()


@pytest.mark.parametrize("steps", [[], [job("completed")]], ids=["poll", "download"])
def test_ctrl_c_after_the_submit_gets_a_note_with_the_id(connect: Twin, target: Path, steps: list[Step]) -> None:
    client, _ = connect(job(), *steps, KeyboardInterrupt())
    error = failure(KeyboardInterrupt, run, client, target)
    assert len(error.__notes__) == 1
    assert "video_new" in error.__notes__[0]


def test_an_iterator_that_ends_in_on_update_gets_a_note_with_the_id(target: Path) -> None:
    """Python turns a StopIteration that leaves a generator into another error."""
    wire = Wire(job("completed"))
    with httpx.Client(transport=wire) as http, pytest.raises(StopIteration) as caught:
        run(RemixClient(http_client=http), target, on_update=lambda _: next(iter(())))
    assert "video_new" in caught.value.__notes__[0]


def test_a_full_disk_gets_a_note_with_the_id(connect: Twin, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(*_: object) -> int:
        raise OSError(28, "No space left on device")

    write_by(monkeypatch, write)
    client, _ = connect(job("completed"), file())
    with pytest.raises(OSError, match="No space left on device") as caught:
        run(client, target)
    assert "video_new" in caught.value.__notes__[0]


def test_cancellation_gets_a_note_with_the_id(target: Path) -> None:
    class Stalled(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"some bytes"
            started.set()
            await asyncio.Event().wait()

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(200, json={"id": "video_new", "status": "completed"})
        return httpx.Response(200, headers={"Content-Type": "video/mp4", "Content-Length": "100"}, stream=Stalled())

    async def main() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
            client = AsyncRemixClient(http_client=http)
            task = asyncio.create_task(client.remix_to_file("video_123", target, prompt="Bow"))
            await started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            assert "video_new" in caught.value.__notes__[0]

    started = asyncio.Event()
    asyncio.run(main())
    assert not target.exists()


# One deadline


@pytest.mark.parametrize("options", [{"timeout": 60}, {}], ids=["argument", "policy"])
def test_the_deadline_counts_from_the_start_of_the_submit(
    connect: Twin, clock: Clock, target: Path, options: dict[str, Any]
) -> None:
    client, _ = connect(takes(clock, 40, job()), job("in_progress"), polling=PollingPolicy(timeout=60))
    failure(WaitTimeoutError, run, client, target, **options)
    assert clock.time == 1_060.0


def test_a_submit_that_outlasts_the_deadline_is_not_lost(connect: Twin, clock: Clock, target: Path) -> None:
    client, wire = connect(takes(clock, 50, job()))
    error = failure(WaitTimeoutError, run, client, target, timeout=10)
    assert error.video is not None
    assert error.video.id == "video_new"
    assert len(wire.requests) == 1


@pytest.mark.parametrize("timeout", [0, 0.5, 10, 10_000, math.inf, None])
def test_no_deadline_clips_the_submit(connect: Twin, target: Path, timeout: float | None) -> None:
    client, wire = connect(job("completed"), file(), timeout=60.0)
    try:
        run(client, target, timeout=timeout)
    except WaitTimeoutError:
        assert timeout == 0
    assert wire.requests[0].extensions["timeout"] == {"connect": 60.0, "read": 60.0, "write": 60.0, "pool": 60.0}


def test_polls_and_download_get_no_more_time_than_is_left(connect: Twin, clock: Clock, target: Path) -> None:
    client, wire = connect(
        takes(clock, 20, job()), takes(clock, 1, job("completed")), file(), polling=PollingPolicy(4.0, 4.0)
    )
    run(client, target, timeout=30)
    assert [request.extensions["timeout"]["connect"] for request in wire.requests] == [60.0, 6.0, 5.0]


def test_no_second_submit_starts_after_the_deadline(connect: Twin, clock: Clock, target: Path) -> None:
    client, wire = connect(takes(clock, 20, Answer(503)), job("completed"))
    with pytest.raises(InternalServerError):
        run(client, target, timeout=10)
    assert len(wire.requests) == 1


def test_the_deadline_ends_the_download_between_attempts(connect: Twin, clock: Clock, target: Path) -> None:
    client, wire = connect(job("completed"), takes(clock, 40, Answer(502)))
    error = failure(WaitTimeoutError, run, client, target, timeout=60)
    assert isinstance(error.__cause__, InternalServerError)
    assert error.video is not None
    assert error.video.id == "video_new"
    assert len(wire.requests) == 3
    assert not target.exists()


def test_the_deadline_ends_the_download_in_the_middle_of_the_body(connect: Twin, clock: Clock, target: Path) -> None:
    class Slow(Pieces):
        def __iter__(self) -> Iterator[bytes]:
            for _ in range(100):
                clock.time += 7
                yield b"x"

    slow = Answer(200, Slow(), {"Content-Type": "video/mp4", "Content-Length": "100", "ETag": '"v1"'})
    client, wire = connect(job("completed"), slow)
    error = failure(WaitTimeoutError, run, client, target, timeout=60)
    assert clock.time == 1_063.0
    assert isinstance(error.__cause__, APIConnectionError)
    assert error.video is not None
    assert len(wire.requests) == 2
    assert not target.exists()


def test_a_rate_limit_on_the_file_does_not_pass_the_deadline(connect: Twin, clock: Clock, target: Path) -> None:
    client, _ = connect(job("completed"), Answer(429, b"", {"Retry-After": "50"}))
    with pytest.raises(WaitTimeoutError):
        run(client, target, timeout=20)
    assert clock.time == 1_020.0


# Content that is not there yet


def test_content_that_is_not_completed_yet_is_asked_for_again(connect: Twin, clock: Clock, target: Path) -> None:
    client, wire = connect(job("completed"), *[NOT_READY] * 10, file(), polling=PollingPolicy(3.0, 9.0))
    run(client, target)
    assert target.read_bytes() == b"the whole video"
    assert len(wire.requests) == 12
    assert clock.slept == [3.0] * 10


def test_content_that_never_is_completed_ends_at_the_deadline(connect: Twin, clock: Clock, target: Path) -> None:
    client, wire = connect(job("completed"), NOT_READY, polling=PollingPolicy(10.0, 10.0))
    error = failure(WaitTimeoutError, run, client, target, timeout=35)
    assert clock.time == 1_035.0
    assert isinstance(error.__cause__, BadRequestError)
    assert error.video is not None
    assert len(wire.requests) == 5  # At 0, 10, 20 and 30 seconds.


FINAL: dict[str, Answer] = {
    "another 400": Answer(400, {"error": {"message": "no such variant"}}),
    "another refusal that speaks of completion": Answer(403, {"message": "Identity verification is not completed"}),
}


@pytest.mark.parametrize("answer", FINAL.values(), ids=FINAL)
def test_any_other_refusal_of_the_content_is_final(connect: Twin, target: Path, answer: Answer) -> None:
    client, wire = connect(job("completed"), answer)
    assert failure(APIStatusError, run, client, target).status_code == answer.status
    assert len(wire.requests) == 2


def test_an_id_that_reads_like_the_message_changes_nothing(connect: Twin, target: Path) -> None:
    client, wire = connect(Answer(200, {"id": "not completed", "status": "completed"}), Answer(403))
    failure(APIStatusError, run, client, target)
    assert len(wire.requests) == 2


# What the caller is told


def test_on_update_sees_the_accepted_video_at_once_and_then_changes_only(
    connect: Twin, clock: Clock, target: Path
) -> None:
    seen: list[tuple[str, str, int | None, float]] = []
    client, _ = connect(job(), job(), job("in_progress", 7), job("in_progress", 7), job("completed", 100), file())
    run(client, target, on_update=lambda video: seen.append((video.id, video.status, video.progress, clock.time)))
    assert [each[:3] for each in seen] == [
        ("video_new", "queued", 0),
        ("video_new", "in_progress", 7),
        ("video_new", "completed", 100),
    ]
    assert seen[0][3] == 1_000.0


def test_a_job_that_is_completed_at_once_is_told_once_and_not_polled(connect: Twin, clock: Clock, target: Path) -> None:
    seen: list[object] = []
    client, wire = connect(job("completed"), file())
    run(client, target, on_update=lambda video: seen.append(video.status), on_progress=lambda *v: seen.append(v))
    assert (seen, clock.slept) == (["completed", (15, 15)], [])
    assert [method for method, _ in wire.sent] == ["POST", "GET"]


def test_the_events_tell_of_all_three_phases(connect: Twin, target: Path) -> None:
    events: list[Event] = []
    client, _ = connect(job(), job("completed"), file(), on_event=events.append)
    run(client, target)
    assert [(event.kind, event.operation, event.video_id) for event in events] == [
        ("accepted", "remix", "video_123"),
        ("drifted", "remix", "video_123"),
        ("attempt", "remix", "video_123"),
        ("attempt", "retrieve", "video_new"),
        ("poll", "retrieve", "video_new"),
        ("download", "download", "video_new"),
        ("download", "download", "video_new"),
        ("attempt", "download", "video_new"),
    ]


def test_a_relative_target_stays_where_it_was_meant(
    connect: Twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    client, _ = connect(job(), job("completed"), file())
    path = run(client, Path("bow.mp4"), on_update=lambda _: os.chdir(tmp_path / "elsewhere"))
    assert path == Path("bow.mp4")
    assert [entry.name for entry in sorted(tmp_path.iterdir())] == ["bow.mp4", "elsewhere"]

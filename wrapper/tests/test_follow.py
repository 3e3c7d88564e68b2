"""The iterator over the polls of a job. What it has in common with `wait`, whose loop it is, stands with that."""

from __future__ import annotations

from typing import Any

import pytest

from deerapi_remix import RemixFailedError, Video, WaitTimeoutError

from .conftest import Clock
from .wire import Answer, Twin


def job(status: str, progress: int, **more: Any) -> Answer:
    return Answer(200, {"id": "video_1", "status": status, "progress": progress, **more})


STEPS = (job("queued", 0), Answer(503), job("in_progress", 50), job("in_progress", 50), job("completed", 100))


def seen(videos: Any) -> list[tuple[str, int | None]]:
    return [(video.status, video.progress) for video in videos]


def test_every_answer_is_given_and_the_loop_ends_after_the_completed_video(connect: Twin, clock: Clock) -> None:
    client, wire = connect(*STEPS)
    found = seen(client.follow("video_1"))
    assert found == [("queued", 0), ("in_progress", 50), ("in_progress", 50), ("completed", 100)]
    assert len(wire.requests) == 5


def test_a_finished_video_is_given_back_once_without_a_request(connect: Twin) -> None:
    client, wire = connect(AssertionError("a request was sent"))
    assert seen(client.follow(Video("video_1", "completed", progress=100))) == [("completed", 100)]
    assert wire.requests == []


def test_a_failed_job_is_given_before_the_error_is_raised(connect: Twin, clock: Clock) -> None:
    client, _ = connect(job("queued", 0), job("failed", 10, error={"code": "dark", "message": "too dark"}))
    videos = iter(client.follow("video_1"))
    assert [next(videos).status, next(videos).status] == ["queued", "failed"]
    with pytest.raises(RemixFailedError, match="too dark"):
        next(videos)


def test_the_deadline_ends_the_loop_with_the_last_video(connect: Twin, clock: Clock) -> None:
    client, _ = connect(job("queued", 0))
    with pytest.raises(WaitTimeoutError) as caught:
        seen(client.follow("video_1", timeout=30))
    assert caught.value.video is not None
    assert caught.value.video.status == "queued"
    assert sum(clock.slept) == pytest.approx(30)


def test_nothing_is_sent_before_the_first_step_or_after_the_loop_was_left(connect: Twin, clock: Clock) -> None:
    client, wire = connect(*STEPS)
    videos = iter(client.follow("video_1"))
    assert wire.requests == []
    assert next(videos).status == "queued"
    del videos
    assert len(wire.requests) == 1

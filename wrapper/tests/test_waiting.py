"""How a job is followed until it is finished."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest

from deerapi_remix import (
    APIConnectionError,
    APIResponseValidationError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    DeerAPIError,
    Event,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    PollingPolicy,
    RateLimitError,
    RemixFailedError,
    Video,
    VideoError,
    WaitTimeoutError,
    _clock,
)

from .conftest import Clock
from .wire import Answer, Step, Twin

HTML = {"Content-Type": "text/html"}
QUEUED = Video(id="video_1", status="queued", progress=0)


def job(
    status: object = "in_progress", progress: object = 0, *, headers: Mapping[str, str] | None = None, **more: object
) -> Answer:
    return Answer(200, {"id": "video_1", "object": "video", "status": status, "progress": progress, **more}, headers)


def failure(status: int, code: str = "some_code", message: str = "some message", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"error": {"code": code, "message": message}}, named)


# What is handed in


def test_a_completed_video_is_returned_at_once_without_a_request(connect: Twin, clock: Clock) -> None:
    video = Video(id="video_1", status="completed")
    client, wire = connect()
    assert client.wait(video) is video
    assert wire.requests == []
    assert clock.slept == []


def test_a_failed_video_raises_at_once_without_a_request(connect: Twin, clock: Clock) -> None:
    video = Video(id="video_1", status="failed", request_id="req_9", error=VideoError("policy", "Not that cat."))
    client, wire = connect()
    with pytest.raises(RemixFailedError, match=r"The job ended as 'failed': Not that cat\. \[policy\]") as caught:
        client.wait(video)
    assert caught.value.video is video
    assert caught.value.video_id == "video_1"
    assert caught.value.request_id == "req_9"
    assert caught.value.attempts == 0
    assert wire.requests == []
    assert clock.slept == []


def test_a_finished_video_is_returned_even_when_there_is_no_time(connect: Twin, clock: Clock) -> None:
    client, _ = connect()
    assert client.wait(Video(id="video_1", status="completed"), timeout=0).id == "video_1"


def test_on_update_is_not_called_where_nothing_is_polled(connect: Twin, clock: Clock) -> None:
    seen: list[Video] = []
    client, _ = connect()
    client.wait(Video(id="video_1", status="completed"), on_update=seen.append)
    assert seen == []


def test_an_unfinished_video_sleeps_before_the_first_poll(connect: Twin, clock: Clock) -> None:
    slept_before: list[float] = []

    def answer(_: httpx.Request) -> Answer:
        slept_before.extend(clock.slept)
        return job("completed", 100)

    client, wire = connect(answer, polling=PollingPolicy(5.0, 5.0))
    assert client.wait(QUEUED).status == "completed"
    assert slept_before == [5.0]
    assert len(wire.requests) == 1


def test_an_id_is_polled_at_once(connect: Twin, clock: Clock) -> None:
    client, wire = connect(job("completed", 100))
    assert client.wait("video_1").status == "completed"
    assert [seconds for seconds in clock.slept if seconds] == []
    assert len(wire.requests) == 1


def test_a_poll_asks_for_the_video_by_its_id(connect: Twin, clock: Clock) -> None:
    client, wire = connect(job("completed", 100))
    client.wait("video_1")
    assert wire.requests[0].method == "GET"
    assert str(wire.requests[0].url) == "https://api.deerapi.com/v1/videos/video_1"


@pytest.mark.parametrize(
    ("video", "error"),
    [("", ValueError), (" ", ValueError), ("..", ValueError), ("a\nb", ValueError), (7, TypeError), (None, TypeError)],
)
def test_an_unusable_id_is_refused_before_anything_is_sent(connect: Twin, video: Any, error: type[Exception]) -> None:
    client, wire = connect()
    with pytest.raises(error):
        client.wait(video)
    assert wire.requests == []


@pytest.mark.parametrize(
    ("timeout", "error"),
    [(-1, ValueError), (math.nan, ValueError), ("60", TypeError), (True, TypeError), (-math.inf, ValueError)],
)
def test_an_unusable_timeout_is_refused_before_anything_is_sent(
    connect: Twin, timeout: Any, error: type[Exception]
) -> None:
    client, wire = connect()
    with pytest.raises(error, match="timeout must"):
        client.wait("video_1", timeout=timeout)
    assert wire.requests == []


def test_a_coroutine_function_is_refused_as_on_update(connect: Twin) -> None:
    async def on_update(video: Video) -> None:
        raise AssertionError(video)

    client, wire = connect()
    with pytest.raises(TypeError, match="on_update must be a plain function"):
        client.wait("video_1", on_update=on_update)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert wire.requests == []


# Statuses


@pytest.mark.parametrize(
    "status", ["completed", "succeeded", "success", "COMPLETED", "Succeeded", "SUCCESS", " completed "]
)
def test_these_statuses_finish_the_wait(connect: Twin, clock: Clock, status: str) -> None:
    client, wire = connect(job(status))
    assert client.wait("video_1").status == status
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    "status",
    ["failed", "failure", "error", "cancelled", "canceled", "expired", "FAILED", "Failure", "ERROR", "Canceled"],
)
def test_these_statuses_raise_with_the_reason(connect: Twin, clock: Clock, status: str) -> None:
    answer = job(status, error={"code": "moderation", "message": "Not allowed."})
    client, wire = connect(answer)
    with pytest.raises(RemixFailedError, match=r"Not allowed\. \[moderation\]") as caught:
        client.wait("video_1")
    assert caught.value.video is not None
    assert caught.value.video.error == VideoError(code="moderation", message="Not allowed.")
    assert caught.value.attempts == 1
    assert caught.value.may_have_been_charged is False
    assert len(wire.requests) == 1


def test_a_failure_without_a_reason_says_so(connect: Twin, clock: Clock) -> None:
    client, _ = connect(job("failed"))
    with pytest.raises(RemixFailedError, match="the server gives no reason"):
        client.wait("video_1")


@pytest.mark.parametrize("status", ["queued", "in_progress", "unknown", "NOT_START", "processing", "running", "done?"])
def test_any_other_status_is_polled_on(connect: Twin, clock: Clock, status: str) -> None:
    client, wire = connect(job(status), job(status), job("completed"))
    assert client.wait("video_1").is_completed
    assert len(wire.requests) == 3


def test_a_missing_status_is_polled_on(connect: Twin, clock: Clock) -> None:
    answer = Answer(200, {"id": "video_1"})
    client, wire = connect(answer, job("completed"))
    assert client.wait("video_1").is_completed
    assert len(wire.requests) == 2


# Failed polls

PASSING: dict[str, Step] = {
    "refused": httpx.ConnectError("refused"),
    "connect timeout": httpx.ConnectTimeout("slow"),
    "read timeout": httpx.ReadTimeout("slow"),
    "reset": httpx.ReadError("reset"),
    "cut": httpx.RemoteProtocolError("closed"),
    "408": failure(408),
    "429": failure(429),
    "500": failure(500),
    "502 html": Answer(502, b"<html><title>Bad Gateway</title></html>", HTML),
    "503": failure(503),
    "504": failure(504),
    "520 empty": Answer(520),
    "not json": Answer(200, b"<html>ok</html>", HTML),
    "empty": Answer(200),
    "null": Answer(200, None),
    "a list": Answer(200, [1]),
    "no id": Answer(200, {"status": "completed"}),
    "another id": Answer(200, {"id": "video_2", "status": "completed"}),
}


@pytest.mark.parametrize("poll", PASSING)
def test_a_poll_that_fails_in_passing_does_not_end_the_wait(connect: Twin, clock: Clock, poll: str) -> None:
    answers = [PASSING[poll], PASSING[poll], job("completed")]
    client, wire = connect(*answers)
    assert client.wait("video_1").is_completed
    assert len(wire.requests) == 3


def test_a_failed_poll_is_followed_by_the_interval_not_by_a_backoff(connect: Twin, clock: Clock) -> None:
    client, _ = connect(failure(500), job("completed"), polling=PollingPolicy(7.0, 7.0))
    client.wait("video_1")
    assert [seconds for seconds in clock.slept if seconds] == [7.0]


def test_more_polls_may_fail_than_a_retry_policy_has_attempts(connect: Twin, clock: Clock) -> None:
    answers = [failure(503) for _ in range(30)]
    client, wire = connect(*answers, job("completed"))
    assert client.wait("video_1", timeout=math.inf).is_completed
    assert len(wire.requests) == 31


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, BadRequestError),
        (401, AuthenticationError),
        (403, PermissionDeniedError),
        (404, NotFoundError),
        (409, ConflictError),
        (422, BadRequestError),
    ],
)
def test_a_final_status_ends_the_wait_for_an_id(
    connect: Twin, clock: Clock, status: int, error: type[DeerAPIError]
) -> None:
    client, wire = connect(failure(status))
    with pytest.raises(error) as caught:
        client.wait("video_1")
    assert caught.value.video_id == "video_1"
    assert len(wire.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_final_status_ends_the_wait_for_a_job_just_accepted(connect: Twin, clock: Clock, status: int) -> None:
    client, wire = connect(failure(status))
    with pytest.raises((BadRequestError, AuthenticationError, PermissionDeniedError)) as caught:
        client.wait(QUEUED)
    assert caught.value.video is QUEUED
    assert len(wire.requests) == 1


def test_an_error_that_ends_the_wait_carries_the_video_as_last_seen(connect: Twin, clock: Clock) -> None:
    client, _ = connect(job("in_progress", 40), failure(401))
    with pytest.raises(AuthenticationError) as caught:
        client.wait(QUEUED)
    assert caught.value.video is not None
    assert caught.value.video.progress == 40
    assert caught.value.attempts == 2


def test_a_strict_client_ends_the_wait_at_an_answer_that_breaks_the_contract(connect: Twin, clock: Clock) -> None:
    drifted = Answer(200, {"id": "video_1", "status": 7})
    client, wire = connect(drifted, strict=True)
    with pytest.raises(APIResponseValidationError, match="breaks the contract: status") as caught:
        client.wait("video_1")
    assert caught.value.video_id == "video_1"
    assert len(wire.requests) == 1


def test_a_strict_client_polls_on_after_an_answer_that_cannot_be_read(connect: Twin, clock: Clock) -> None:
    client, wire = connect(Answer(200, b"<html>", HTML), job("completed"), strict=True)
    assert client.wait("video_1").is_completed
    assert len(wire.requests) == 2


# A job that the server does not know yet

UNKNOWN = [
    pytest.param(failure(404), id="404"),
    pytest.param(failure(400, "task_not_exist"), id="400 by code"),
    pytest.param(failure(400, "invalid", "task_not_exist"), id="400 by message"),
]


@pytest.mark.parametrize("answer", UNKNOWN)
def test_a_job_just_accepted_may_be_unknown_for_a_while(connect: Twin, clock: Clock, answer: Answer) -> None:
    client, wire = connect(answer, answer, job("completed"))
    assert client.wait(QUEUED).is_completed
    assert len(wire.requests) == 3


@pytest.mark.parametrize("answer", UNKNOWN)
def test_a_job_that_was_polled_already_may_not_be_unknown(connect: Twin, clock: Clock, answer: Answer) -> None:
    client, wire = connect(job("queued"), answer)
    with pytest.raises((NotFoundError, BadRequestError)):
        client.wait(QUEUED)
    assert len(wire.requests) == 2


@pytest.mark.parametrize("answer", UNKNOWN)
def test_a_job_of_which_only_the_id_is_known_may_not_be_unknown(connect: Twin, clock: Clock, answer: Answer) -> None:
    client, wire = connect(answer)
    with pytest.raises((NotFoundError, BadRequestError)):
        client.wait("video_1")
    assert len(wire.requests) == 1


@pytest.mark.parametrize("answer", UNKNOWN)
def test_a_job_that_stays_unknown_for_30_seconds_ends_the_wait(connect: Twin, clock: Clock, answer: Answer) -> None:
    client, wire = connect(answer, polling=PollingPolicy(10.0, 10.0))
    with pytest.raises((NotFoundError, BadRequestError)) as caught:
        client.wait(QUEUED)
    assert clock.time == 1_030.0
    assert len(wire.requests) == 3
    assert caught.value.video is QUEUED


def test_unknown_polls_are_tolerated_between_other_failures(connect: Twin, clock: Clock) -> None:
    answers = [failure(404), failure(502), failure(404), job("completed")]
    client, wire = connect(*answers)
    assert client.wait(QUEUED).is_completed
    assert len(wire.requests) == 4


# When the next poll comes


def test_a_rate_limit_delays_the_next_poll_as_long_as_it_says(connect: Twin, clock: Clock) -> None:
    client, _ = connect(failure(429, retry_after="47"), job("completed"))
    client.wait("video_1")
    assert [seconds for seconds in clock.slept if seconds] == [47.0]


def test_a_rate_limit_delays_one_poll_only(connect: Twin, clock: Clock) -> None:
    client, _ = connect(failure(429, retry_after="47"), job(), job("completed"), polling=PollingPolicy(3.0, 3.0))
    client.wait("video_1")
    assert [seconds for seconds in clock.slept if seconds] == [47.0, 3.0]


def test_a_rate_limit_with_a_date_is_understood(connect: Twin, clock: Clock) -> None:
    answer = failure(429, retry_after="Sun, 22 Nov 2026 10:00:30 GMT", date="Sun, 22 Nov 2026 10:00:00 GMT")
    client, _ = connect(answer, job("completed"))
    client.wait("video_1")
    assert [seconds for seconds in clock.slept if seconds] == [30.0]


def test_a_rate_limit_may_ask_for_longer_than_the_policy_waits_by_default(connect: Twin, clock: Clock) -> None:
    client, _ = connect(failure(429, retry_after="47"), job("completed"), polling=PollingPolicy(1, 2, 5))
    client.wait("video_1", timeout=600)
    assert [seconds for seconds in clock.slept if seconds] == [47.0]


def test_a_rate_limit_never_makes_polls_come_faster_than_the_policy(connect: Twin, clock: Clock) -> None:
    client, _ = connect(failure(429, retry_after="0.1"), job("completed"), polling=PollingPolicy(5.0, 5.0))
    client.wait("video_1")
    assert [seconds for seconds in clock.slept if seconds] == [5.0]


@pytest.mark.parametrize("value", ["0", "-5", "soon", "Sun, 22 Nov 2020 10:00:00 GMT", "nan", "inf", ""])
def test_a_rate_limit_that_asks_nonsense_is_followed_by_the_interval(connect: Twin, clock: Clock, value: str) -> None:
    client, _ = connect(failure(429, retry_after=value), job("completed"), polling=PollingPolicy(4.0, 4.0))
    client.wait("video_1")
    assert [seconds for seconds in clock.slept if seconds] == [4.0]


@pytest.mark.parametrize("value", ["1000000", "99999999999999999999", "9" * 400])
def test_a_rate_limit_that_asks_for_years_does_not_pass_the_deadline(connect: Twin, clock: Clock, value: str) -> None:
    client, _ = connect(failure(429, retry_after=value))
    with pytest.raises(WaitTimeoutError) as caught:
        client.wait("video_1", timeout=100)
    assert clock.time <= 1_100.0
    assert isinstance(caught.value.__cause__, RateLimitError)


@pytest.mark.parametrize("value", ["1000000", "99999999999999999999"])
def test_a_rate_limit_that_asks_for_years_does_not_silence_a_wait_for_ever(
    connect: Twin, clock: Clock, value: str
) -> None:
    client, _ = connect(failure(429, retry_after=value), job("completed"), polling=PollingPolicy(timeout=math.inf))
    client.wait("video_1", timeout=math.inf)
    assert max(clock.slept) == 3600.0


@pytest.mark.parametrize(
    ("hint", "seconds"), [("3000", 3.0), ("4500.5", 4.5), ("1", 2.0), ("0", 2.0), ("10000000", 15.0), ("15000", 15.0)]
)
def test_a_poll_hint_is_followed_within_the_bounds_of_the_policy(
    connect: Twin, clock: Clock, hint: str, seconds: float
) -> None:
    answers = [job(headers={"openai-poll-after-ms": hint}), job("completed")]
    client, _ = connect(*answers)
    client.wait("video_1")
    assert [seconds for seconds in clock.slept if seconds] == [seconds]


def test_a_poll_hint_counts_for_one_poll_only(connect: Twin, clock: Clock) -> None:
    client, _ = connect(
        job(headers={"openai-poll-after-ms": "9000"}), job(), job("completed"), polling=PollingPolicy(2.0, 10.0)
    )
    client.wait("video_1")
    assert clock.slept[-2] == 9.0
    assert 4.5 <= clock.slept[-1] <= 5.5


@pytest.mark.parametrize("hint", ["", "soon", "-3000", "nan", "inf", "-inf", "3s", "1e999"])
def test_a_poll_hint_that_is_nonsense_is_passed_over(connect: Twin, clock: Clock, hint: str) -> None:
    answers = [job(headers={"openai-poll-after-ms": hint}), job("completed")]
    client, _ = connect(*answers, polling=PollingPolicy(6.0, 6.0))
    client.wait("video_1")
    assert [seconds for seconds in clock.slept if seconds] == [6.0]


@pytest.mark.parametrize("progress", [[0] * 40, list(range(0, 80, 2)), [99] * 40, [50, 20] * 20, [1_000_000] * 40])
def test_every_interval_is_within_the_bounds_of_the_policy(connect: Twin, clock: Clock, progress: list[int]) -> None:
    answers = [*(job("in_progress", each) for each in progress), job("completed")]
    client, _ = connect(*answers, polling=PollingPolicy(3.0, 11.0))
    client.wait(QUEUED, timeout=math.inf)
    assert len(clock.slept) == 41
    assert all(3.0 <= seconds <= 11.0 for seconds in clock.slept)


def test_without_progress_the_interval_is_half_of_the_longest(connect: Twin, clock: Clock) -> None:
    answers = [*(job("queued", 0) for _ in range(60)), job("completed")]
    client, _ = connect(*answers)
    client.wait(QUEUED)
    assert all(6.75 <= seconds <= 8.25 for seconds in clock.slept)
    assert len(set(clock.slept)) > 50  # Thousands of jobs do not poll in step.


def test_one_jump_of_the_progress_predicts_nothing(connect: Twin, clock: Clock) -> None:
    answers = [*(job("in_progress", percent) for percent in (0, 0, 90, 90, 90, 90)), job("completed")]
    client, _ = connect(*answers)
    client.wait(QUEUED)
    assert all(6.75 <= seconds <= 8.25 for seconds in clock.slept)


def render(clock: Clock, seconds: float) -> Callable[[httpx.Request], Answer]:
    """A job whose progress is steady."""

    def answer(_: httpx.Request) -> Answer:
        rendered = int((clock.time - 1_000) / seconds * 100)
        return job("completed", 100) if rendered >= 100 else job("in_progress", rendered)

    return answer


def test_the_interval_is_half_of_what_is_left_by_the_progress(connect: Twin, clock: Clock) -> None:
    client, _ = connect(render(clock, 100))
    client.wait(QUEUED)
    # Three polls tell the pace, at 22 s or so; then half of 78 s is more than the longest interval.
    assert all(6.75 <= seconds <= 8.25 for seconds in clock.slept[:3])
    assert 13.5 <= clock.slept[3] <= 15.0
    assert clock.slept[-1] < 3.0
    assert clock.time - 1_100 < 3.0
    assert len(clock.slept) <= 12


def test_a_job_that_stalls_near_its_end_is_polled_at_the_fixed_interval_again(connect: Twin, clock: Clock) -> None:
    def answer(_: httpx.Request) -> Answer:
        waited = clock.time - 1_000
        return job("completed", 100) if waited > 400 else job("in_progress", min(int(waited), 99))

    client, _ = connect(answer)
    client.wait(QUEUED)
    assert 6.75 <= clock.slept[-1] <= 8.25
    assert min(clock.slept) < 3.0


# The deadline


def test_a_last_look_leaves_time_for_its_answer_before_the_deadline(connect: Twin, clock: Clock) -> None:
    client, _ = connect(job("in_progress"), job("completed"), polling=PollingPolicy(2.0, 60.0))
    assert client.wait("video_1", timeout=20.0).is_completed
    assert clock.slept == [0.0, 18.0]


def test_a_last_look_is_not_taken_before_the_server_allows_it(connect: Twin, clock: Clock) -> None:
    client, wire = connect(failure(429, retry_after="30"), job("completed"))
    with pytest.raises(WaitTimeoutError):
        client.wait("video_1", timeout=20.0)
    assert len(wire.requests) == 1


def test_at_the_deadline_the_wait_ends_with_the_last_video(connect: Twin, clock: Clock) -> None:
    client, wire = connect(job("in_progress", 30))
    with pytest.raises(WaitTimeoutError, match="the job is 'in_progress'") as caught:
        client.wait(QUEUED, timeout=60)
    assert clock.time == 1_060.0
    assert caught.value.video is not None
    assert caught.value.video.progress == 30
    assert caught.value.video_id == "video_1"
    assert caught.value.may_have_been_charged is False
    assert caught.value.attempts == len(wire.requests)


def test_the_deadline_has_no_cause_where_no_poll_failed(connect: Twin, clock: Clock) -> None:
    client, _ = connect(job("in_progress", 30))
    with pytest.raises(WaitTimeoutError) as caught:
        client.wait(QUEUED, timeout=60)
    assert caught.value.__cause__ is None


def test_no_poll_is_sent_for_whose_answer_there_is_no_time(connect: Twin, clock: Clock) -> None:
    def answer(_: httpx.Request) -> Answer:
        assert clock.time < 1_010.0
        return job()

    client, wire = connect(answer, polling=PollingPolicy(4.0, 4.0))
    with pytest.raises(WaitTimeoutError):
        client.wait(QUEUED, timeout=10)
    assert clock.slept == [4.0, 4.0, 2.0]
    assert len(wire.requests) == 2


def test_the_cause_of_the_deadline_is_the_last_error(connect: Twin, clock: Clock) -> None:
    answers = iter([failure(500), job(), failure(503)])
    client, _ = connect(lambda _: next(answers, None) or job())
    with pytest.raises(WaitTimeoutError) as caught:
        client.wait("video_1", timeout=100)
    assert isinstance(caught.value.__cause__, InternalServerError)
    assert caught.value.__cause__.status_code == 503


def test_a_deadline_without_a_video_says_that_none_was_seen(connect: Twin, clock: Clock) -> None:
    client, _ = connect(httpx.ConnectError("refused"))
    with pytest.raises(WaitTimeoutError, match="the job was never seen") as caught:
        client.wait("video_1", timeout=30)
    assert caught.value.video is None
    assert caught.value.video_id == "video_1"
    assert isinstance(caught.value.__cause__, APIConnectionError)


def test_a_deadline_is_a_timeout_error_to_python(connect: Twin, clock: Clock) -> None:
    client, _ = connect(job())
    with pytest.raises(TimeoutError):
        client.wait("video_1", timeout=10)


@pytest.mark.parametrize("video", ["video_1", QUEUED])
def test_a_timeout_of_zero_ends_the_wait_without_a_request(connect: Twin, clock: Clock, video: Any) -> None:
    client, wire = connect()
    with pytest.raises(WaitTimeoutError):
        client.wait(video, timeout=0)
    assert wire.requests == []
    assert clock.time == 1_000.0


def test_without_a_timeout_the_policy_decides(connect: Twin, clock: Clock) -> None:
    client, _ = connect(job(), polling=PollingPolicy(timeout=33))
    with pytest.raises(WaitTimeoutError):
        client.wait(QUEUED)
    assert clock.time == 1_033.0


def test_the_policy_waits_900_seconds_by_default(connect: Twin, clock: Clock) -> None:
    client, _ = connect(job())
    with pytest.raises(WaitTimeoutError):
        client.wait(QUEUED)
    assert clock.time == pytest.approx(1_900.0)


def test_an_infinite_timeout_waits_for_ever(connect: Twin, clock: Clock) -> None:
    def answer(_: httpx.Request) -> Answer:
        return job("completed" if clock.time > 100_000 else "queued")

    client, _ = connect(answer)
    assert client.wait(QUEUED, timeout=math.inf).is_completed


def test_waiting_goes_on_with_the_video_of_the_error(connect: Twin, clock: Clock) -> None:
    def answer(_: httpx.Request) -> Answer:
        return job("completed" if clock.time > 1_100 else "queued")

    client, _ = connect(answer)
    with pytest.raises(WaitTimeoutError) as caught:
        client.wait(QUEUED, timeout=50)
    assert caught.value.video is not None
    assert client.wait(caught.value.video).is_completed


def test_a_poll_gets_no_more_time_than_is_left(connect: Twin, clock: Clock) -> None:
    client, wire = connect(job(), polling=PollingPolicy(4.0, 4.0))
    with pytest.raises(WaitTimeoutError):
        client.wait(QUEUED, timeout=10)
    assert [request.extensions["timeout"]["read"] for request in wire.requests] == [6.0, 2.0]


# What the caller is told


def test_on_update_sees_the_first_video_and_each_change_of_status_or_progress(connect: Twin, clock: Clock) -> None:
    answers = [
        job("queued", 0),
        job("queued", 0),
        job("in_progress", 0),
        job("in_progress", 5),
        job("in_progress", 5),
        job("completed", 100),
    ]
    seen: list[tuple[str, int | None]] = []
    client, _ = connect(*answers)
    client.wait("video_1", on_update=lambda video: seen.append((video.status, video.progress)))
    assert seen == [("queued", 0), ("in_progress", 0), ("in_progress", 5), ("completed", 100)]


def test_on_update_is_not_called_for_changes_of_other_fields(connect: Twin, clock: Clock) -> None:
    answers = [job("queued", 0, size="720x1280"), job("queued", 0, size="1280x720"), job("completed", 100)]
    seen: list[str] = []
    client, _ = connect(*answers)
    client.wait("video_1", on_update=lambda video: seen.append(video.status))
    assert seen == ["queued", "completed"]


def test_on_update_sees_the_first_poll_even_if_it_equals_the_video_handed_in(connect: Twin, clock: Clock) -> None:
    seen: list[str] = []
    client, _ = connect(job("queued", 0), job("completed"))
    client.wait(QUEUED, on_update=lambda video: seen.append(video.status))
    assert seen == ["queued", "completed"]


def test_on_update_sees_a_job_fail_before_the_error_is_raised(connect: Twin, clock: Clock) -> None:
    seen: list[str] = []
    client, _ = connect(job("failed"))
    with pytest.raises(RemixFailedError):
        client.wait("video_1", on_update=lambda video: seen.append(video.status))
    assert seen == ["failed"]


def test_on_update_is_not_called_for_failed_polls(connect: Twin, clock: Clock) -> None:
    seen: list[Video] = []
    client, _ = connect(failure(503), job("queued"), failure(503), job("completed"))
    client.wait(QUEUED, on_update=seen.append)
    assert [(video.status, bool(video.raw)) for video in seen] == [("queued", True), ("completed", True)]


def test_no_sleep_is_negative_however_time_passes(connect: Twin, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    def passing() -> float:
        clock.time += 2.5
        return clock.time

    monkeypatch.setattr(_clock, "monotonic", passing)
    client, _ = connect(job("queued"))
    for timeout in range(1, 400):
        with pytest.raises(WaitTimeoutError):
            client.wait("video_1", timeout=timeout / 4)
    assert min(clock.slept) >= 0


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("mine"),
        TimeoutError("mine"),
        httpx.ReadTimeout("mine"),
        APIConnectionError("mine"),
        APIConnectionError("mine", retryable=True),
    ],
)
def test_what_on_update_raises_passes_unchanged(connect: Twin, clock: Clock, error: Exception) -> None:
    def on_update(_: Video) -> None:
        raise error

    client, wire = connect(job())
    with pytest.raises(type(error), match="mine") as caught:
        client.wait("video_1", on_update=on_update)
    assert caught.value is error
    assert len(wire.requests) == 1


def test_every_poll_is_an_event(connect: Twin, clock: Clock) -> None:
    events: list[Event] = []
    answers = [job(headers={"X-Oneapi-Request-Id": "req_1"}), failure(502), job("completed")]
    client, _ = connect(*answers, on_event=events.append, polling=PollingPolicy(5.0, 5.0))
    client.wait("video_1")
    polls = [event for event in events if event.kind == "poll"]
    assert [(event.attempt, event.status_code, event.elapsed) for event in polls] == [
        (1, 200, 0.0),
        (2, 502, 5.0),
        (3, 200, 10.0),
    ]
    assert [event.request_id for event in polls] == ["req_1", None, None]
    assert {event.operation for event in polls} == {"retrieve"}
    assert {event.video_id for event in polls} == {"video_1"}


def test_a_poll_is_not_announced_as_a_retry(connect: Twin, clock: Clock) -> None:
    events: list[Event] = []
    client, _ = connect(failure(502), job("completed"), on_event=events.append)
    client.wait("video_1")
    assert [event.kind for event in events] == ["attempt", "poll", "attempt", "poll"]


def test_a_failed_poll_is_logged(connect: Twin, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    client, _ = connect(failure(502, x_request_id="req_7"), job("completed"))
    with caplog.at_level(logging.WARNING, "deerapi_remix"):
        client.wait("video_1")
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "retrieve" in caplog.text
    assert "502" in caplog.text
    assert "req_7" in caplog.text

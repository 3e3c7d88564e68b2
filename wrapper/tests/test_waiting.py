"""How a job is followed until it is finished."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import httpx
import pytest

from deerapi_remix import (
    APIConnectionError,
    APIResponseValidationError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ConflictError,
    DeerAPIError,
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
from .wire import Answer, Step, Twin, failure

pytestmark = pytest.mark.usefixtures("clock")

HTML = {"Content-Type": "text/html"}
QUEUED = Video(id="video_1", status="queued", progress=0)


def pauses(clock: Clock) -> list[float]:
    """The sleeps that took any time."""
    return [seconds for seconds in clock.slept if seconds]


def job(
    status: object = "in_progress", progress: object = 0, *, headers: Mapping[str, str] | None = None, **more: object
) -> Answer:
    return Answer(200, {"id": "video_1", "object": "video", "status": status, "progress": progress, **more}, headers)


def refusal(status: int, code: str = "some_code", message: str = "some message", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"error": {"code": code, "message": message}}, named)


DONE = job("completed", 100)

# What is handed in


@pytest.mark.parametrize("timeout", [None, 0])
def test_a_completed_video_is_returned_at_once_without_a_request(
    connect: Twin, clock: Clock, timeout: float | None
) -> None:
    video = Video(id="video_1", status="completed")
    seen: list[Video] = []
    client, wire = connect()
    assert client.wait(video, timeout=timeout, on_update=seen.append) is video
    assert (wire.requests, clock.slept, seen) == ([], [], [])


def test_a_failed_video_raises_at_once_without_a_request(connect: Twin, clock: Clock) -> None:
    video = Video(id="video_1", status="failed", request_id="req_9", error=VideoError("policy", "Not that cat."))
    client, wire = connect()
    with pytest.raises(RemixFailedError, match=r"The job ended as 'failed': Not that cat\. \[policy\]") as caught:
        client.wait(video)
    error = caught.value
    assert error.video is video
    assert (error.video_id, error.request_id, error.attempts) == ("video_1", "req_9", 0)
    assert (wire.requests, clock.slept) == ([], [])


def test_an_unfinished_video_sleeps_before_the_first_poll(connect: Twin, clock: Clock) -> None:
    slept_before: list[float] = []

    def answer(_: httpx.Request) -> Answer:
        slept_before.extend(clock.slept)
        return job("completed", 100)

    client, wire = connect(answer, polling=PollingPolicy(5.0, 5.0))
    assert client.wait(QUEUED).status == "completed"
    assert (slept_before, len(wire.requests)) == ([5.0], 1)


def test_an_id_is_polled_at_once(connect: Twin, clock: Clock) -> None:
    client, wire = connect(job("completed", 100))
    assert client.wait("video_1").status == "completed"
    assert pauses(clock) == []
    assert [(request.method, str(request.url)) for request in wire.requests] == [
        ("GET", "https://api.deerapi.com/v1/videos/video_1")
    ]


# Statuses


@pytest.mark.parametrize("status", ["completed", "complete", "succeeded", " SUCCESS ", "finished", "Done"])
def test_these_statuses_finish_the_wait(connect: Twin, status: str) -> None:
    client, wire = connect(job(status))
    assert client.wait("video_1").status == status
    assert len(wire.requests) == 1


@pytest.mark.parametrize("status", ["failed", "cancelled", "EXPIRED"])
def test_these_statuses_raise_with_the_reason(connect: Twin, status: str) -> None:
    client, wire = connect(job(status, error={"code": "moderation", "message": "Not allowed."}))
    with pytest.raises(RemixFailedError, match=r"Not allowed\. \[moderation\]") as caught:
        client.wait("video_1")
    error = caught.value
    assert error.video is not None
    assert error.video.error == VideoError(code="moderation", message="Not allowed.")
    assert (error.attempts, error.may_have_been_charged, len(wire.requests)) == (1, False, 1)


def test_a_failure_without_a_reason_says_so(connect: Twin) -> None:
    client, _ = connect(job("failed"))
    with pytest.raises(RemixFailedError, match="the server gives no reason"):
        client.wait("video_1")


@pytest.mark.parametrize("answer", [job("queued"), job("NOT_START"), job("completed?"), Answer(200, {"id": "video_1"})])
def test_any_other_status_is_polled_on(connect: Twin, answer: Answer) -> None:
    client, wire = connect(answer, answer, job("completed"))
    assert client.wait("video_1").is_completed
    assert len(wire.requests) == 3


# Failed polls

PASSING: dict[str, Step] = {
    "refused": httpx.ConnectError("refused"),
    "connect timeout": httpx.ConnectTimeout("slow"),
    "read timeout": httpx.ReadTimeout("slow"),
    "reset": httpx.ReadError("reset"),
    "cut": httpx.RemoteProtocolError("closed"),
    "408": refusal(408),
    "429": refusal(429),
    "500": refusal(500),
    "502 html": Answer(502, b"<html><title>Bad Gateway</title></html>", HTML),
    "503": refusal(503),
    "504": refusal(504),
    "520 empty": Answer(520),
    "not json": Answer(200, b"<html>ok</html>", HTML),
    "empty": Answer(200),
    "null": Answer(200, None),
    "a list": Answer(200, [1]),
    "no id": Answer(200, {"status": "completed"}),
}


@pytest.mark.parametrize("poll", PASSING)
def test_a_poll_that_fails_in_passing_does_not_end_the_wait(connect: Twin, poll: str) -> None:
    answers = [PASSING[poll], PASSING[poll], job("completed")]
    client, wire = connect(*answers)
    assert client.wait("video_1").is_completed
    assert len(wire.requests) == 3


def test_more_polls_may_fail_than_a_retry_policy_has_attempts(connect: Twin) -> None:
    answers = [refusal(503) for _ in range(30)]
    client, wire = connect(*answers, job("completed"))
    assert client.wait("video_1", timeout=math.inf).is_completed
    assert len(wire.requests) == 31


@pytest.mark.parametrize("video", ["video_1", QUEUED], ids=["id", "job"])
@pytest.mark.parametrize(
    ("status", "error"),
    [
        *((400, BadRequestError), (401, AuthenticationError), (403, PermissionDeniedError)),
        *((409, ConflictError), (422, BadRequestError)),
    ],
)
def test_a_final_status_ends_the_wait(
    connect: Twin, video: Video | str, status: int, error: type[DeerAPIError]
) -> None:
    client, wire = connect(refusal(status))
    raised = failure(error, client.wait, video)
    assert (raised.video_id, raised.video, len(wire.requests)) == ("video_1", QUEUED if video is QUEUED else None, 1)


def test_an_error_that_ends_the_wait_carries_the_video_as_last_seen(connect: Twin) -> None:
    client, _ = connect(job("in_progress", 40), refusal(401))
    error = failure(AuthenticationError, client.wait, QUEUED)
    assert error.video is not None
    assert error.video.progress == 40
    assert error.attempts == 2


def test_a_strict_client_ends_the_wait_at_an_answer_that_breaks_the_contract(connect: Twin) -> None:
    drifted = Answer(200, {"id": "video_1", "status": 7})
    client, wire = connect(drifted, strict=True)
    with pytest.raises(APIResponseValidationError, match="breaks the contract: status") as caught:
        client.wait("video_1")
    assert caught.value.video_id == "video_1"
    assert len(wire.requests) == 1


def test_a_strict_client_polls_on_after_an_answer_that_cannot_be_read(connect: Twin) -> None:
    client, wire = connect(Answer(200, b"<html>", HTML), job("completed"), strict=True)
    assert client.wait("video_1").is_completed
    assert len(wire.requests) == 2


# A job that the server does not know yet

UNKNOWN = {
    "404": refusal(404),
    "404 in words": refusal(404, "not_found", "Task not found"),
    "404 of a framework": Answer(404, {"detail": "Not Found"}),
    "404 alone": Answer(404),
    "400 by code": refusal(400, "task_not_exist"),
    "400 by message": refusal(400, "invalid", "task_not_exist"),
}
unknown = pytest.mark.parametrize("answer", UNKNOWN.values(), ids=UNKNOWN)
REFUSED = (NotFoundError, BadRequestError)


@unknown
def test_a_job_just_accepted_may_be_unknown_for_a_while(connect: Twin, answer: Answer) -> None:
    client, wire = connect(answer, refusal(502), answer, job("completed"))
    assert client.wait(QUEUED).is_completed
    assert len(wire.requests) == 4


@unknown
def test_a_job_that_was_polled_already_may_not_be_unknown(connect: Twin, answer: Answer) -> None:
    client, wire = connect(job("queued"), answer)
    failure(REFUSED, client.wait, QUEUED)
    assert len(wire.requests) == 2


@unknown
def test_a_job_of_which_only_the_id_is_known_may_be_unknown_for_10_seconds(
    connect: Twin, clock: Clock, answer: Answer
) -> None:
    client, wire = connect(answer, polling=PollingPolicy(5.0, 5.0))
    failure(REFUSED, client.wait, "video_1")
    assert clock.time == 1_010.0
    assert len(wire.requests) == 3


@unknown
def test_a_job_that_stays_unknown_for_30_seconds_ends_the_wait(connect: Twin, clock: Clock, answer: Answer) -> None:
    client, wire = connect(answer, polling=PollingPolicy(10.0, 10.0))
    error = failure(REFUSED, client.wait, QUEUED)
    assert (clock.time, len(wire.requests), error.video) == (1_030.0, 3, QUEUED)


# When the next poll comes


def limited(retry_after: str, **headers: str) -> Answer:
    return refusal(429, retry_after=retry_after, **headers)


def hint(milliseconds: str) -> Answer:
    return job(headers={"openai-poll-after-ms": milliseconds})


DATES = {"retry_after": "Sun, 22 Nov 2026 10:00:30 GMT", "date": "Sun, 22 Nov 2026 10:00:00 GMT"}
FIXED = PollingPolicy(4.0, 4.0)
LATE = ("0", "-5", "soon", "Sun, 22 Nov 2020 10:00:00 GMT", "nan", "inf", "")

# What the polls answer before the job is completed, the policy, and the seconds between the polls.
Pause = tuple[list[Answer], PollingPolicy, list[float]]
PAUSES: list[Pause] = [
    ([refusal(500)], PollingPolicy(7.0, 7.0), [7.0]),
    ([limited("47")], PollingPolicy(), [47.0]),
    ([limited("47")], PollingPolicy(1, 2, 60), [47.0]),
    ([limited("47"), job()], PollingPolicy(3.0, 3.0), [47.0, 3.0]),
    ([limited(**DATES)], PollingPolicy(), [30.0]),
    ([limited("0.1")], PollingPolicy(5.0, 5.0), [5.0]),
    *[([limited(value)], FIXED, [4.0]) for value in LATE],
    ([hint("3000")], PollingPolicy(), [3.0]),
    ([hint("4500.5")], PollingPolicy(), [4.5]),
    *[([hint(value)], PollingPolicy(), [2.0]) for value in ("1", "0")],
    *[([hint(value)], PollingPolicy(), [15.0]) for value in ("10000000", "15000")],
    ([hint("3000"), job()], PollingPolicy(2.0, 2.0), [2.0, 2.0]),
    *[([hint(value)], FIXED, [4.0]) for value in ("", "soon", "-3000", "nan", "inf", "-inf", "3s", "1e999")],
]


@pytest.mark.parametrize(("answers", "policy", "seconds"), PAUSES, ids=range(len(PAUSES)))
def test_the_next_poll_comes_when_server_and_policy_say(
    connect: Twin, clock: Clock, answers: list[Answer], policy: PollingPolicy, seconds: list[float]
) -> None:
    client, _ = connect(*answers, job("completed"), polling=policy)
    client.wait("video_1")
    assert [int(pause * 10) / 10 for pause in pauses(clock)] == seconds


@pytest.mark.parametrize("value", ["1000000", "99999999999999999999", "9" * 400])
def test_a_rate_limit_that_asks_for_years_does_not_pass_the_deadline(connect: Twin, clock: Clock, value: str) -> None:
    client, _ = connect(refusal(429, retry_after=value))
    error = failure(WaitTimeoutError, client.wait, "video_1", timeout=100)
    assert clock.time <= 1_100.0
    assert isinstance(error.__cause__, RateLimitError)


@pytest.mark.parametrize("value", ["1000000", "99999999999999999999"])
def test_a_rate_limit_that_asks_for_years_does_not_silence_a_wait_for_ever(
    connect: Twin, clock: Clock, value: str
) -> None:
    client, _ = connect(refusal(429, retry_after=value), job("completed"), polling=PollingPolicy(timeout=math.inf))
    client.wait("video_1", timeout=math.inf)
    assert max(clock.slept) == 3600.0


def test_a_poll_hint_counts_for_one_poll_only(connect: Twin, clock: Clock) -> None:
    client, _ = connect(hint("9000"), job(), job("completed"), polling=PollingPolicy(2.0, 10.0))
    client.wait("video_1")
    assert clock.slept[-2] == 9.0
    assert 4.5 <= clock.slept[-1] <= 5.5


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


def test_a_last_look_is_not_taken_before_the_server_allows_it(connect: Twin) -> None:
    client, wire = connect(refusal(429, retry_after="30"), job("completed"))
    with pytest.raises(WaitTimeoutError):
        client.wait("video_1", timeout=20.0)
    assert len(wire.requests) == 1


def test_at_the_deadline_the_wait_ends_with_the_last_video(connect: Twin, clock: Clock) -> None:
    client, wire = connect(job("in_progress", 30))
    with pytest.raises(WaitTimeoutError, match="the job is 'in_progress'") as caught:
        client.wait(QUEUED, timeout=60)
    error = caught.value
    assert (clock.time, error.__cause__, error.video_id, error.attempts) == (
        1_060.0,
        None,
        "video_1",
        len(wire.requests),
    )
    assert error.video is not None
    assert (error.video.progress, error.may_have_been_charged, isinstance(error, TimeoutError)) == (30, False, True)


def test_no_poll_is_sent_for_whose_answer_there_is_no_time(connect: Twin, clock: Clock) -> None:
    def answer(_: httpx.Request) -> Answer:
        assert clock.time < 1_010.0
        return job()

    client, wire = connect(answer, polling=PollingPolicy(4.0, 4.0))
    with pytest.raises(WaitTimeoutError):
        client.wait(QUEUED, timeout=10)
    assert clock.slept == [4.0, 4.0, 2.0]
    assert len(wire.requests) == 2


def test_the_cause_of_the_deadline_is_the_last_error(connect: Twin) -> None:
    answers = iter([refusal(500), job(), refusal(503)])
    client, _ = connect(lambda _: next(answers, None) or job())
    error = failure(WaitTimeoutError, client.wait, "video_1", timeout=100)
    assert isinstance(error.__cause__, InternalServerError)
    assert error.__cause__.status_code == 503


def test_a_deadline_without_a_video_says_that_none_was_seen(connect: Twin) -> None:
    client, _ = connect(httpx.ConnectError("refused"))
    with pytest.raises(WaitTimeoutError, match="the job was never seen") as caught:
        client.wait("video_1", timeout=30)
    assert caught.value.video is None
    assert caught.value.video_id == "video_1"
    assert isinstance(caught.value.__cause__, APIConnectionError)


@pytest.mark.parametrize("video", ["video_1", QUEUED])
def test_a_timeout_of_zero_ends_the_wait_without_a_request(connect: Twin, clock: Clock, video: Any) -> None:
    client, wire = connect()
    with pytest.raises(WaitTimeoutError):
        client.wait(video, timeout=0)
    assert wire.requests == []
    assert clock.time == 1_000.0


@pytest.mark.parametrize(("policy", "seconds"), [(PollingPolicy(timeout=33), 33.0), (PollingPolicy(), 900.0)])
def test_without_a_timeout_the_policy_decides(
    connect: Twin, clock: Clock, policy: PollingPolicy, seconds: float
) -> None:
    client, _ = connect(job(), polling=policy)
    failure(WaitTimeoutError, client.wait, QUEUED)
    assert clock.time == pytest.approx(1_000.0 + seconds)


def test_an_infinite_timeout_waits_for_ever(connect: Twin, clock: Clock) -> None:
    def answer(_: httpx.Request) -> Answer:
        return job("completed" if clock.time > 10_000 else "queued")

    client, _ = connect(answer, polling=PollingPolicy(initial_interval=600, max_interval=1_200))
    assert client.wait(QUEUED, timeout=math.inf).is_completed


def test_waiting_goes_on_with_the_video_of_the_error(connect: Twin, clock: Clock) -> None:
    def answer(_: httpx.Request) -> Answer:
        return job("completed" if clock.time > 1_100 else "queued")

    client, _ = connect(answer)
    error = failure(WaitTimeoutError, client.wait, QUEUED, timeout=50)
    assert error.video is not None
    assert client.wait(error.video).is_completed


def test_a_poll_gets_no_more_time_than_is_left(connect: Twin) -> None:
    client, wire = connect(job(), polling=PollingPolicy(4.0, 4.0))
    with pytest.raises(WaitTimeoutError):
        client.wait(QUEUED, timeout=10)
    assert [request.extensions["timeout"]["read"] for request in wire.requests] == [6.0, 2.0]


def test_a_timeout_that_is_shorter_than_what_is_left_stays_as_it_is(connect: Twin) -> None:
    timeout = httpx.Timeout(30.0, connect=1.0, pool=None)
    client, wire = connect(job(), timeout=timeout, polling=PollingPolicy(4.0, 4.0))
    with pytest.raises(WaitTimeoutError):
        client.wait(QUEUED, timeout=7)
    (request,) = wire.requests
    assert request.extensions["timeout"] == {"connect": 1.0, "read": 3.0, "write": 3.0, "pool": 3.0}


# What the caller is told


Told = list[tuple[str, int | None]]

# What is handed in, the answers, and what `on_update` sees.
UPDATES: dict[str, tuple[Video | str, list[Step], Told]] = {
    "changes of status and progress": (
        "video_1",
        [job("queued"), job("queued"), job("in_progress"), job("in_progress", 5), job("in_progress", 5), DONE],
        [("queued", 0), ("in_progress", 0), ("in_progress", 5), ("completed", 100)],
    ),
    "no changes of other fields": (
        "video_1",
        [job("queued", size="720x1280"), job("queued", size="1280x720"), DONE],
        [("queued", 0), ("completed", 100)],
    ),
    "the first poll, though it equals what was handed in": (
        QUEUED,
        [job("queued"), DONE],
        [("queued", 0), ("completed", 100)],
    ),
    "no failed polls": (QUEUED, [refusal(503), job("queued"), refusal(503), DONE], [("queued", 0), ("completed", 100)]),
    "a failure, before it is raised": ("video_1", [job("failed")], [("failed", 0)]),
}


@pytest.mark.parametrize(("video", "answers", "told"), UPDATES.values(), ids=UPDATES)
def test_on_update_sees(connect: Twin, video: Video | str, answers: list[Step], told: Told) -> None:
    seen: list[Video] = []
    client, _ = connect(*answers)
    with suppress(RemixFailedError):
        client.wait(video, on_update=seen.append)
    assert [(each.status, each.progress) for each in seen] == told
    assert all(each.raw for each in seen)


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
def test_what_on_update_raises_passes_unchanged(connect: Twin, error: Exception) -> None:
    def on_update(_: Video) -> None:
        raise error

    client, wire = connect(job())
    with pytest.raises(type(error), match="mine") as caught:
        client.wait("video_1", on_update=on_update)
    assert caught.value is error
    assert len(wire.requests) == 1


# Answers without an id that could be sent back


ENDS = [{"error": {"message": "flagged"}}, {"fail_reason": "flagged"}, {"detail": "flagged"}]


@pytest.mark.parametrize("error", ENDS)
def test_three_failures_in_a_row_without_id_and_status_end_the_wait(connect: Twin, error: dict[str, object]) -> None:
    client, wire = connect(Answer(200, error))
    assert "flagged" in str(failure(RemixFailedError, client.wait, "video_1"))
    assert len(wire.requests) == 3


def test_two_polls_in_a_row_under_an_unusable_id_end_the_wait(connect: Twin) -> None:
    client, wire = connect(Answer(200, {"id": "video\n1", "status": "completed"}))
    video = client.wait("video_1")
    assert (video.id, video.status, len(wire.requests)) == ("video_1", "completed", 2)


def test_three_polls_in_a_row_without_any_id_that_tell_the_same_end_are_believed(connect: Twin) -> None:
    nameless, failed = Answer(200, {"status": "completed"}), {"status": "failed", "error": {"message": "moderation"}}
    client, wire = connect(*[nameless] * 2, job("in_progress"), *[nameless] * 3)
    seen: list[Video] = []
    assert client.wait("video_1", on_update=seen.append).is_completed
    assert ([video.status for video in seen], len(wire.requests)) == (["in_progress", "completed"], 6)

    client, wire = connect(Answer(200, failed))
    error = failure(RemixFailedError, client.wait, "video_1", on_update=seen.append)
    assert ("moderation" in str(error), seen[-1].status, len(wire.requests)) == (True, "failed", 3)


@pytest.mark.parametrize("status", [302, 400, 401, 404, 429, 500, 502, 503])
@pytest.mark.parametrize(
    "body",
    [
        {"id": "video_1", "status": "failed", "error": {"code": "moderation", "message": "no cats"}},
        {"id": "video_1", "status": "failed", "prompt": "x" * 5_000, "fail_reason": "no cats"},
        {"code": "fail", "data": {"task_id": "video_1", "status": "FAILURE", "fail_reason": "no cats"}},
    ],
)
def test_a_failed_job_in_an_answer_of_any_status_ends_the_wait(
    connect: Twin, status: int, body: dict[str, object]
) -> None:
    client, wire = connect(job("in_progress"), Answer(status, body))
    seen: list[str] = []
    error = failure(RemixFailedError, client.wait, "video_1", on_update=lambda video: seen.append(video.status))
    assert error.video is not None
    assert error.video.error is not None
    assert (error.video.error.message, len(wire.requests), len(seen)) == ("no cats", 2, 2)


@pytest.mark.parametrize("status", [400, 500])
def test_a_completed_job_in_an_answer_of_any_status_ends_the_wait(connect: Twin, status: int) -> None:
    client, wire = connect(Answer(status, {"id": "video_1", "status": "completed"}))
    assert client.wait("video_1").is_completed
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"id": "video_789", "status": "failed"},
        {"id": "req_1", "status": "error", "error": {"message": "busy"}},
        {"status": "failed", "error": {"message": "busy"}},
        {"id": "video_1", "error": {"message": "busy"}},
        {"id": "video_1", "status": "in_progress"},
        {"id": "video_1", "status": 500},
    ],
)
def test_an_error_status_that_does_not_tell_how_the_job_ended_is_polled_on(
    connect: Twin, body: dict[str, object]
) -> None:
    client, wire = connect(*[Answer(502, body)] * 5, job("completed"))
    assert client.wait("video_1").is_completed
    assert len(wire.requests) == 6


def test_a_strict_client_still_sees_a_finished_answer_that_breaks_the_contract(connect: Twin) -> None:
    client, _ = connect(job("completed", "100%"), strict=True)
    failure(APIResponseValidationError, client.wait, "video_1")


def test_a_closed_client_says_so_before_it_waits(connect: Twin, clock: Clock) -> None:
    client, _ = connect()
    client.close()
    with pytest.raises(ConfigurationError, match="closed"):
        client.wait(QUEUED)
    assert pauses(clock) == []

"""What a client tells while it works: events for the user's function, and lines in the log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from deerapi_remix import (
    APIConnectionError,
    APIResponseValidationError,
    AsyncRemixClient,
    DeerAPIError,
    Event,
    RetryPolicy,
    _clock,
)

from .conftest import KEY, Clock
from .wire import Answer, Pieces, Step, Twin

JOB: dict[str, Any] = {
    "id": "video_456",
    "object": "video",
    "model": "sora-2",
    "status": "queued",
    "progress": 0,
    "created_at": 1758941485,
    "size": "1280x720",
    "seconds": "8",
    "remixed_from_video_id": "video_123",
}
REQUEST_ID = {"X-Oneapi-Request-Id": "req-1"}
ACCEPTED = Answer(200, JOB, REQUEST_ID)
FILE = Answer(200, b"\0\0\0\x08moov", {"Content-Type": "video/mp4", "Content-Length": "8", "X-Request-Id": "req-9"})
PROMPT = "a prompt that is nobody's business"
NO_JITTER = RetryPolicy(initial_delay=0)
INTERRUPTED = "remix of video_123: interrupted while it was sent; the job may have been accepted and charged"


def takes(clock: Clock, seconds: float, step: Answer | BaseException) -> Callable[[httpx.Request], Answer]:
    """The step, after so much virtual time."""

    def answer(_: httpx.Request) -> Answer:
        clock.time += seconds
        if isinstance(step, BaseException):
            raise step
        return step

    return answer


def lines(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [
        record.getMessage() for record in caplog.records if record.name == "deerapi_remix" and record.levelno == level
    ]


# Events


def test_a_call_that_succeeds_is_one_attempt(connect: Twin, clock: Clock) -> None:
    events: list[Event] = []
    client, _ = connect(takes(clock, 2.5, ACCEPTED), on_event=events.append)
    client.remix("video_123", prompt="x")
    assert events == [
        Event("attempt", "remix", 1, status_code=200, request_id="req-1", video_id="video_123", elapsed=2.5)
    ]


def test_every_attempt_and_every_retry_is_told(connect: Twin, clock: Clock) -> None:
    events: list[Event] = []
    failed = Answer(503, b"", {"Retry-After": "4", "X-Request-Id": "req-0"})
    client, _ = connect(
        takes(clock, 2, failed),
        takes(clock, 1, httpx.ConnectError("x")),
        ACCEPTED,
        on_event=events.append,
        retry=NO_JITTER,
    )
    client.remix("video_123", prompt="x")
    video = "video_123"
    assert events == [
        Event("attempt", "remix", 1, status_code=503, request_id="req-0", video_id=video, elapsed=2.0),
        Event("retry", "remix", 1, status_code=503, delay=4.0, request_id="req-0", video_id=video, elapsed=2.0),
        Event("attempt", "remix", 2, video_id=video, elapsed=1.0),
        Event("retry", "remix", 2, delay=0.0, video_id=video, elapsed=7.0),
        Event("attempt", "remix", 3, status_code=200, request_id="req-1", video_id=video, elapsed=0.0),
    ]


def test_a_call_that_fails_for_good_tells_no_retry(connect: Twin, clock: Clock) -> None:
    events: list[Event] = []
    client, _ = connect(Answer(400), on_event=events.append)
    with pytest.raises(DeerAPIError):
        client.remix("video_123", prompt="x")
    assert [(event.kind, event.status_code) for event in events] == [("attempt", 400)]


def test_the_last_attempt_tells_no_retry(connect: Twin, clock: Clock) -> None:
    events: list[Event] = []
    client, _ = connect(Answer(503), on_event=events.append, retry=RetryPolicy(attempts=2))
    with pytest.raises(DeerAPIError):
        client.remix("video_123", prompt="x")
    assert [event.kind for event in events] == ["attempt", "retry", "attempt"]


def test_an_answer_that_cannot_be_read_is_an_attempt_with_its_status(connect: Twin, clock: Clock) -> None:
    events: list[Event] = []
    client, _ = connect(Answer(200, b"<html>", REQUEST_ID), on_event=events.append)
    with pytest.raises(APIResponseValidationError):
        client.remix("video_123", prompt="x")
    assert [(event.kind, event.status_code, event.request_id) for event in events] == [("attempt", 200, "req-1")]


def test_a_request_id_in_the_body_is_told_too(connect: Twin, clock: Clock) -> None:
    events: list[Event] = []
    client, _ = connect(Answer(400, {"message": "bad (request id: req-2)"}), on_event=events.append)
    with pytest.raises(DeerAPIError):
        client.remix("video_123", prompt="x")
    assert [event.request_id for event in events] == ["req-2"]


def test_models_is_about_no_video(connect: Twin, clock: Clock) -> None:
    events: list[Event] = []
    client, _ = connect(Answer(200, {"object": "list", "data": []}), on_event=events.append)
    client.models()
    assert events == [Event("attempt", "models", 1, status_code=200)]


def test_every_poll_is_told_and_counted(connect: Twin, clock: Clock) -> None:
    events: list[Event] = []
    client, _ = connect(ACCEPTED, Answer(502), Answer(200, JOB | {"status": "completed"}), on_event=events.append)
    client.wait("video_456")
    assert [(event.kind, event.operation, event.attempt, event.status_code, event.video_id) for event in events] == [
        ("attempt", "retrieve", 1, 200, "video_456"),
        ("poll", "retrieve", 1, 200, "video_456"),
        ("attempt", "retrieve", 2, 502, "video_456"),
        ("poll", "retrieve", 2, 502, "video_456"),
        ("attempt", "retrieve", 3, 200, "video_456"),
        ("poll", "retrieve", 3, 200, "video_456"),
    ]


def test_a_download_tells_when_bytes_start_to_come_and_when_they_are_whole(
    connect: Twin, clock: Clock, tmp_path: Path
) -> None:
    events: list[Event] = []
    client, _ = connect(FILE, on_event=events.append)
    client.download("video_456", tmp_path / "bow.mp4")
    about: dict[str, Any] = {"status_code": 200, "request_id": "req-9", "video_id": "video_456"}
    assert events == [
        Event("download", "download", 1, **about),
        Event("download", "download", 1, **about),
        Event("attempt", "download", 1, **about),
    ]


def test_a_copy_tells_the_same_function(connect: Twin, clock: Clock) -> None:
    events: list[Event] = []
    client, _ = connect(ACCEPTED, on_event=events.append)
    client.with_options(timeout=5).remix("video_123", prompt="x")
    assert len(events) == 1


@pytest.mark.parametrize(
    "own", [RuntimeError("metrics"), DeerAPIError("metrics"), httpx.ReadError("metrics")], ids=repr
)
def test_what_on_event_raises_does_not_break_a_paid_call(connect: Twin, clock: Clock, own: Exception) -> None:
    def fail(_: Event) -> None:
        raise own

    client, wire = connect(Answer(503), ACCEPTED, on_event=fail)
    assert client.remix("video_123", prompt="x").id == "video_456"
    assert len(wire.requests) == 2


def test_what_on_event_raises_is_logged(connect: Twin, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: Event) -> None:
        raise RuntimeError("metrics")

    client, _ = connect(ACCEPTED, on_event=fail)
    client.remix("video_123", prompt="x")
    assert lines(caplog, logging.ERROR) == ["on_event failed; the call goes on"]


def test_what_on_event_raises_does_not_break_a_download(connect: Twin, clock: Clock, tmp_path: Path) -> None:
    def fail(_: Event) -> None:
        raise RuntimeError("metrics")

    client, _ = connect(FILE, on_event=fail)
    assert client.download("video_456", tmp_path / "bow.mp4").read_bytes() == b"\0\0\0\x08moov"


def test_no_event_shows_key_or_prompt(connect: Twin, clock: Clock) -> None:
    events: list[Event] = []
    client, _ = connect(
        Answer(503, {"message": f"{KEY} {PROMPT}"}, {"X-Request-Id": KEY}), ACCEPTED, on_event=events.append
    )
    client.remix("video_123", prompt=PROMPT)
    assert KEY not in repr(events)
    assert PROMPT not in repr(events)


# The log


def test_every_failed_attempt_is_one_warning(connect: Twin, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    failed = Answer(503, b"", {"Retry-After": "4", "X-Request-Id": "req-0"})
    client, _ = connect(failed, httpx.ConnectError("refused"), Answer(400, b"", REQUEST_ID), retry=NO_JITTER)
    with pytest.raises(DeerAPIError):
        client.remix("video_123", prompt="x")
    assert lines(caplog, logging.WARNING) == [
        "remix: attempt 1 failed: InternalServerError, status 503, request id req-0; next attempt in 4.00 s",
        "remix: attempt 2 failed: APIConnectionError, status None, request id None; next attempt in 0.00 s",
        "remix: attempt 3 failed: BadRequestError, status 400, request id req-1; no retry",
    ]


def fields(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    """What the records of the client carry for programs."""
    names = [
        {name: value for name, value in vars(record).items() if name.startswith("deerapi_")}
        for record in caplog.records
        if record.name == "deerapi_remix"
    ]
    return [{name.removeprefix("deerapi_"): value for name, value in each.items()} for each in names]


def test_the_record_of_a_failed_attempt_has_fields(
    connect: Twin, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    failed = takes(clock, 2.5, Answer(503, b"", {"Retry-After": "4", "X-Request-Id": "req-0"}))
    client, _ = connect(failed, ACCEPTED)
    client.remix("video_123", prompt="x")
    assert fields(caplog) == [
        {
            "event": "attempt_failed",
            "operation": "remix",
            "attempt": 1,
            "error": "InternalServerError",
            "status_code": 503,
            "delay": 4.0,
            "elapsed": 2.5,
            "request_id": "req-0",
            "video_id": "video_123",
        }
    ]


def test_the_record_of_an_accepted_job_has_fields(
    connect: Twin, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "deerapi_remix")
    client, _ = connect(ACCEPTED)
    client.remix("video_123", prompt="x")
    assert fields(caplog) == [
        {"event": "accepted", "operation": "remix", "request_id": "req-1", "video_id": "video_456"}
    ]


def test_the_record_of_an_answer_that_drifts_has_fields(
    connect: Twin, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    client, _ = connect(Answer(200, JOB | {"status": 1, "size": 2}, REQUEST_ID))
    client.remix("video_123", prompt="x")
    assert fields(caplog) == [
        {
            "event": "drifted",
            "operation": "remix",
            "problems": "status is int, not str, size is int, not str",
            "request_id": "req-1",
        }
    ]


def test_a_failed_poll_is_one_warning_with_its_number(
    connect: Twin, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    client, _ = connect(ACCEPTED, Answer(502), Answer(200, JOB | {"status": "completed"}))
    client.wait("video_456")
    assert [line.partition(",")[0] for line in lines(caplog, logging.WARNING)] == [
        "retrieve: attempt 2 failed: InternalServerError"
    ]


def test_a_call_that_succeeds_warns_of_nothing(connect: Twin, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    client, _ = connect(ACCEPTED)
    client.remix("video_123", prompt="x")
    assert lines(caplog, logging.WARNING) == []


def test_an_accepted_id_is_logged_at_info(connect: Twin, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "deerapi_remix")
    client, _ = connect(ACCEPTED)
    client.remix("video_123", prompt="x")
    assert lines(caplog, logging.INFO) == ["remix: accepted as video_456, request id req-1"]


def test_what_is_free_is_not_logged_as_accepted(connect: Twin, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "deerapi_remix")
    client, _ = connect(ACCEPTED)
    client.retrieve("video_456")
    assert lines(caplog, logging.INFO) == []


@pytest.mark.parametrize(
    "step",
    [
        Answer(400, {"error": {"message": f"{KEY} {PROMPT} body-text", "code": "body-code"}}),
        Answer(503, f"{KEY} {PROMPT} body-text body-code".encode()),
        Answer(200, {"id": "video_456", "prompt": PROMPT, "size": {"a": f"{KEY} body-text"}, "body-code": 1}),
        Answer(200, f"{KEY} {PROMPT} body-text".encode()),
        Answer(200, Pieces(f"{KEY} {PROMPT} body-text".encode(), httpx.ReadError("reset"))),
        Answer(400, b"", {"X-Request-Id": KEY}),
        Answer(200, JOB, {"X-Request-Id": KEY, "Content-Type": KEY}),
    ],
    ids=["400", "503", "drift", "no JSON", "cut off", "request id", "headers"],
)
def test_no_line_shows_key_prompt_or_body(
    connect: Twin, clock: Clock, caplog: pytest.LogCaptureFixture, step: Step
) -> None:
    caplog.set_level(logging.DEBUG, "deerapi_remix")
    client, _ = connect(step)
    try:
        client.remix("video_123", prompt=PROMPT)
    except DeerAPIError:
        assert "no retry" in caplog.text
    else:
        assert "accepted as video_456" in caplog.text
    for secret in (KEY, PROMPT, "body-text", "body-code"):
        assert secret not in caplog.text


def test_all_lines_come_from_one_logger(connect: Twin, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client, _ = connect(Answer(503), ACCEPTED)
    client.remix("video_123", prompt="x")
    assert {record.name for record in caplog.records if record.name.startswith("deerapi")} == {"deerapi_remix"}


# A submit that is interrupted


@pytest.mark.parametrize("where", ["before the answer", "within the body"])
def test_ctrl_c_during_a_submit_warns_once_of_the_charge(
    connect: Twin, clock: Clock, caplog: pytest.LogCaptureFixture, where: str
) -> None:
    stop = KeyboardInterrupt()
    client, wire = connect(stop if where == "before the answer" else Answer(200, Pieces(b'{"id', stop)))
    with pytest.raises(KeyboardInterrupt) as caught:
        client.remix("video_123", prompt="x")
    assert caught.value is stop
    assert lines(caplog, logging.WARNING) == [INTERRUPTED]
    assert len(wire.requests) == 1


def test_ctrl_c_during_the_submit_of_remix_to_file_warns_once_of_the_charge(
    connect: Twin, clock: Clock, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    client, wire = connect(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        client.remix_to_file("video_123", tmp_path / "bow.mp4", prompt="x")
    assert lines(caplog, logging.WARNING) == [INTERRUPTED]
    assert len(wire.requests) == 1


def test_ctrl_c_during_what_is_free_warns_of_nothing(
    connect: Twin, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    client, _ = connect(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        client.retrieve("video_456")
    assert lines(caplog, logging.WARNING) == []


def test_ctrl_c_while_the_key_is_asked_for_warns_of_nothing(
    connect: Twin, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    def ask() -> str:
        raise KeyboardInterrupt

    client, wire = connect(ACCEPTED, api_key=ask)
    with pytest.raises(KeyboardInterrupt):
        client.remix("video_123", prompt="x")
    assert (lines(caplog, logging.WARNING), wire.requests) == ([], [])


def test_ctrl_c_during_the_backoff_does_not_warn_of_a_charge(
    connect: Twin, clock: Clock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_: float) -> None:
        raise KeyboardInterrupt

    async def async_stop(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(_clock, "sleep", stop)
    monkeypatch.setattr(_clock, "async_sleep", async_stop)
    client, wire = connect(Answer(503))
    with pytest.raises(KeyboardInterrupt):
        client.remix("video_123", prompt="x")
    (line,) = lines(caplog, logging.WARNING)
    assert line.startswith("remix: attempt 1 failed: InternalServerError, status 503")
    assert len(wire.requests) == 1


class Hanging(httpx.AsyncBaseTransport):
    """A server that takes the request and never answers, or never ends its answer."""

    def __init__(self, *, answers: bool) -> None:
        self.reached = asyncio.Event()
        self.requests = 0
        self._answers = answers

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        if not self._answers:
            await self.hang()
        return httpx.Response(200, stream=HangingBody(self))

    async def hang(self) -> None:
        self.reached.set()
        await asyncio.Event().wait()


class HangingBody(httpx.AsyncByteStream):
    def __init__(self, server: Hanging) -> None:
        self._server = server

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b'{"object": "video", '
        await self._server.hang()


@pytest.mark.parametrize("answers", [False, True], ids=["before the answer", "within the body"])
async def test_a_submit_that_is_cancelled_warns_once_of_the_charge(
    caplog: pytest.LogCaptureFixture, answers: bool
) -> None:
    server = Hanging(answers=answers)
    async with httpx.AsyncClient(transport=server) as http, AsyncRemixClient(http_client=http) as client:
        task = asyncio.create_task(client.remix("video_123", prompt="x"))
        await server.reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert lines(caplog, logging.WARNING) == [INTERRUPTED]
    assert server.requests == 1


async def test_a_submit_under_a_timeout_of_the_user_warns_once_of_the_charge(caplog: pytest.LogCaptureFixture) -> None:
    server = Hanging(answers=False)
    async with httpx.AsyncClient(transport=server) as http, AsyncRemixClient(http_client=http) as client:
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0):
                await client.remix("video_123", prompt="x")
    assert not isinstance(caught.value, DeerAPIError)
    assert lines(caplog, logging.WARNING) == [INTERRUPTED]
    assert server.requests == 1


async def test_a_retrieve_that_is_cancelled_warns_of_nothing(caplog: pytest.LogCaptureFixture) -> None:
    server = Hanging(answers=False)
    async with httpx.AsyncClient(transport=server) as http, AsyncRemixClient(http_client=http) as client:
        task = asyncio.create_task(client.retrieve("video_456"))
        await server.reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert lines(caplog, logging.WARNING) == []


async def test_a_submit_that_is_cancelled_during_the_backoff_does_not_warn_of_a_charge(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    sleeping = asyncio.Event()

    async def sleep(_: float) -> None:
        sleeping.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(_clock, "async_sleep", sleep)
    transport = httpx.MockTransport(lambda _: httpx.Response(503))
    async with httpx.AsyncClient(transport=transport) as http, AsyncRemixClient(http_client=http) as client:
        task = asyncio.create_task(client.remix("video_123", prompt="x"))
        await sleeping.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    (line,) = lines(caplog, logging.WARNING)
    assert line.startswith("remix: attempt 1 failed: InternalServerError, status 503")


def test_an_answer_that_is_lost_warns_as_a_failed_attempt_only(
    connect: Twin, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    client, _ = connect(httpx.ReadError("reset"))
    with pytest.raises(APIConnectionError):
        client.remix("video_123", prompt="x")
    assert lines(caplog, logging.WARNING) == [
        "remix: attempt 1 failed: APIConnectionError, status None, request id None; no retry"
    ]


def test_an_interrupted_submit_tells_the_id_that_had_come(
    connect: Twin, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "deerapi_remix")
    body = Pieces(b'{"id": "video_456", "status": "queued",', KeyboardInterrupt())
    client, _ = connect(Answer(200, body))
    with pytest.raises(KeyboardInterrupt) as caught:
        client.remix("video_123", prompt="x")
    assert caught.value.__notes__ == ["The job was accepted as video_456: wait for it, do not submit it again."]
    assert "remix: accepted as video_456, request id None" in lines(caplog, logging.INFO)

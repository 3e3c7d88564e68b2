"""What a client tells while it works: events for the user's function, and lines in the log."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, get_args

import attrs
import httpx
import pytest

from deerapi_remix import (
    APIConnectionError,
    AsyncRemixClient,
    DeerAPIError,
    Event,
    PollingPolicy,
    RetryPolicy,
    Video,
    _clock,
    _submission,
)
from deerapi_remix.models import EventKind

from .conftest import KEY, Clock, Log
from .wire import FULL, MODELS, Answer, Pieces, Step, Twin, failure, takes

pytestmark = pytest.mark.usefixtures("clock")

REQUEST_ID = {"X-Oneapi-Request-Id": "req-1"}
ACCEPTED = Answer(200, FULL, REQUEST_ID)
COMPLETED = Answer(200, FULL | {"status": "completed"})
FILE = Answer(200, b"\0\0\0\x08moov", {"Content-Type": "video/mp4", "Content-Length": "8", "X-Request-Id": "req-9"})
PROMPT = "a prompt that is nobody's business"
NO_JITTER = RetryPolicy(initial_delay=0)
INTERRUPTED = "remix of video_123: interrupted while it was sent; the job may have been accepted and charged"


@pytest.fixture
def events() -> list[Event]:
    """For `on_event=events.append`."""
    return []


# Events


def test_the_type_of_an_event_names_the_kinds_that_are_documented() -> None:
    documented = (Event.__doc__ or "").partition("kind: ")[2].partition("operation: ")[0]
    assert sorted(get_args(EventKind)) == sorted(re.findall(r"`(\w+)`", documented))


def test_a_call_that_succeeds_is_one_attempt(connect: Twin, events: list[Event], clock: Clock) -> None:
    client, _ = connect(takes(clock, 2.5, ACCEPTED), on_event=events.append)
    client.remix("video_123", prompt="x")
    answered = Event("attempt", "remix", 1, status_code=200, request_id="req-1", video_id="video_123", elapsed=2.5)
    assert events == [attrs.evolve(answered, kind="accepted", job_id="video_456"), answered]


def test_every_attempt_and_every_retry_is_told(connect: Twin, events: list[Event], clock: Clock) -> None:
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
        Event("accepted", "remix", 3, status_code=200, request_id="req-1", video_id=video, job_id="video_456"),
        Event("attempt", "remix", 3, status_code=200, request_id="req-1", video_id=video, elapsed=0.0),
    ]


# What comes, and the events by kind, attempt, status and request ID.
ENDS: dict[str, tuple[Step, list[tuple[str, int, int | None, str | None]]]] = {
    "a failure for good is no retry": (Answer(400), [("attempt", 1, 400, None)]),
    "the last attempt is no retry": (
        Answer(503),
        [("attempt", 1, 503, None), ("retry", 1, 503, None), ("attempt", 2, 503, None)],
    ),
    "an answer that cannot be read has its status": (
        Answer(200, b"<html>", REQUEST_ID),
        [("attempt", 1, 200, "req-1")],
    ),
    "a request ID in the body": (Answer(400, {"message": "bad (request id: req-2)"}), [("attempt", 1, 400, "req-2")]),
}


@pytest.mark.parametrize(("step", "told"), ENDS.values(), ids=ENDS)
def test_events_tell_how_a_call_fails(
    connect: Twin, events: list[Event], step: Step, told: list[tuple[str, int, int | None, str | None]]
) -> None:
    client, _ = connect(step, on_event=events.append, retry=RetryPolicy(attempts=2))
    failure(DeerAPIError, client.with_options(timeout=5).remix, "video_123", prompt="x")
    assert [(event.kind, event.attempt, event.status_code, event.request_id) for event in events] == told


def test_models_is_about_no_video(connect: Twin, events: list[Event]) -> None:
    client, _ = connect(MODELS, on_event=events.append)
    client.models()
    assert events == [Event("attempt", "models", 1, status_code=200)]


def test_every_poll_is_told_and_counted_and_a_failed_one_is_no_retry_but_a_warning(
    connect: Twin, clock: Clock, events: list[Event], log: Log
) -> None:
    client, _ = connect(ACCEPTED, Answer(502), COMPLETED, on_event=events.append, polling=PollingPolicy(5.0, 5.0))
    client.wait("video_456")
    asked: dict[str, Any] = {"operation": "retrieve", "video_id": "video_456"}
    first, third = {"status_code": 200, "request_id": "req-1", **asked}, {"status_code": 200, **asked}
    assert [attrs.asdict(event) for event in events] == [
        attrs.asdict(Event(**each))
        for each in (
            {"kind": "attempt", "attempt": 1, **first},
            {"kind": "poll", "attempt": 1, **first},
            {"kind": "attempt", "attempt": 2, "status_code": 502, **asked},
            {"kind": "poll", "attempt": 2, "status_code": 502, "elapsed": 5.0, **asked},
            {"kind": "attempt", "attempt": 3, **third},
            {"kind": "poll", "attempt": 3, "elapsed": 10.0, **third},
        )
    ]
    assert [line.partition(",")[0] for line in log.warnings] == ["retrieve: attempt 2 failed: InternalServerError"]


def test_a_download_tells_when_bytes_start_to_come_and_when_they_are_whole(
    connect: Twin, events: list[Event], tmp_path: Path
) -> None:
    client, _ = connect(FILE, on_event=events.append)
    client.download("video_456", tmp_path / "bow.mp4")
    about: dict[str, Any] = {"status_code": 200, "request_id": "req-9", "video_id": "video_456"}
    assert events == [
        Event("download", "download", 1, **about),
        Event("download", "download", 1, **about),
        Event("attempt", "download", 1, **about),
    ]


@pytest.mark.parametrize(
    "own", [RuntimeError("metrics"), DeerAPIError("metrics"), httpx.ReadError("metrics")], ids=repr
)
def test_what_on_event_raises_is_logged_and_breaks_neither_a_paid_call_nor_a_download(
    connect: Twin, log: Log, caplog: pytest.LogCaptureFixture, target: Path, own: Exception
) -> None:
    def fail(_: Event) -> None:
        raise own

    client, wire = connect(Answer(503), ACCEPTED, FILE, on_event=fail)
    assert client.remix("video_123", prompt="x").id == "video_456"
    assert client.download("video_456", target).read_bytes() == b"\0\0\0\x08moov"
    assert len(wire.requests) == 3
    assert set(log.lines(logging.ERROR)) == {"on_event failed; the call goes on"}
    assert {each.exc_info[1] for each in caplog.records if each.levelno == logging.ERROR and each.exc_info} == {own}
    assert {"event": "on_event_failed"} in log.fields


def test_no_event_shows_key_or_prompt(connect: Twin, events: list[Event]) -> None:
    client, _ = connect(
        Answer(503, {"message": f"{KEY} {PROMPT}"}, {"X-Request-Id": KEY}), ACCEPTED, on_event=events.append
    )
    client.remix("video_123", prompt=PROMPT)
    assert KEY not in repr(events)
    assert PROMPT not in repr(events)


# The log


def test_every_failed_attempt_is_one_warning(connect: Twin, log: Log) -> None:
    failed = Answer(503, b"", {"Retry-After": "4", "X-Request-Id": "req-0"})
    client, _ = connect(failed, httpx.ConnectError("refused"), Answer(400, b"", REQUEST_ID), retry=NO_JITTER)
    with pytest.raises(DeerAPIError):
        client.remix("video_123", prompt="x")
    assert log.warnings == [
        "remix: attempt 1 failed: InternalServerError, status 503, request id req-0; next attempt in 4.00 s",
        "remix: attempt 2 failed: APIConnectionError, status None, request id None; next attempt in 0.00 s",
        "remix: attempt 3 failed: BadRequestError, status 400, request id req-1; no retry",
    ]


def test_records_have_fields(connect: Twin, clock: Clock, log: Log) -> None:
    failed = takes(clock, 2.5, Answer(503, b"", {"Retry-After": "4", "X-Request-Id": "req-0"}))
    client, _ = connect(failed, Answer(200, FULL | {"status": 1, "size": 2}, REQUEST_ID))
    client.remix("video_123", prompt="x")
    remix = {"operation": "remix"}
    ended = {"attempt": 1, "error": "InternalServerError", "status_code": 503, "delay": 4.0, "elapsed": 2.5}
    problems = "status is int, not str, size is int, not str"
    assert log.fields == [
        {"event": "attempt_failed", "request_id": "req-0", "video_id": "video_123", **ended, **remix},
        {"event": "accepted", "request_id": "req-1", "video_id": "video_456", **remix},
        {"event": "drifted", "request_id": "req-1", "problems": problems, **remix},
    ]


def test_a_submit_that_succeeds_is_one_line_and_what_is_free_is_none(connect: Twin, log: Log) -> None:
    client, _ = connect(ACCEPTED)
    client.remix("video_123", prompt="x")
    client.retrieve("video_456")
    assert (log.infos, log.warnings) == (["remix: accepted as video_456, request id req-1"], [])


@pytest.mark.parametrize(
    "step",
    [
        Answer(400, {"error": {"message": f"{KEY} {PROMPT} body-text", "code": "body-code"}}),
        Answer(503, f"{KEY} {PROMPT} body-text body-code".encode()),
        Answer(200, {"id": "video_456", "prompt": PROMPT, "size": {"a": f"{KEY} body-text"}, "body-code": 1}),
        Answer(200, f"{KEY} {PROMPT} body-text".encode()),
        Answer(200, Pieces(f"{KEY} {PROMPT} body-text".encode(), httpx.ReadError("reset"))),
        Answer(400, b"", {"X-Request-Id": KEY}),
        Answer(200, FULL, {"X-Request-Id": KEY, "Content-Type": KEY}),
    ],
    ids=["400", "503", "drift", "no JSON", "cut off", "request id", "headers"],
)
def test_no_line_shows_key_prompt_or_body(connect: Twin, log: Log, step: Step) -> None:
    client, _ = connect(step)
    try:
        client.remix("video_123", prompt=PROMPT)
    except DeerAPIError:
        assert "no retry" in log.text
    else:
        assert "accepted as video_456" in log.text
    for secret in (KEY, PROMPT, "body-text", "body-code"):
        assert secret not in log.text


def test_all_lines_come_from_one_logger(connect: Twin, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client, _ = connect(Answer(503), ACCEPTED)
    client.remix("video_123", prompt="x")
    assert {each.name for each in caplog.records if each.name.startswith("deerapi")} == {"deerapi_remix"}


# A submit that is interrupted


@pytest.mark.parametrize("where", ["before the answer", "within the body"])
def test_ctrl_c_during_a_submit_warns_once_of_the_charge(connect: Twin, log: Log, target: Path, where: str) -> None:
    stop = KeyboardInterrupt()
    client, wire = connect(stop if where == "before the answer" else Answer(200, Pieces(b'{"id', stop)))
    assert failure(KeyboardInterrupt, client.remix, "video_123", prompt="x") is stop
    assert log.warnings == [INTERRUPTED]
    assert log.fields == [{"event": "interrupted", "operation": "remix", "video_id": "video_123"}]
    assert failure(KeyboardInterrupt, client.remix_to_file, "video_123", target, prompt="x") is stop
    assert log.warnings == [INTERRUPTED] * 2
    failure(KeyboardInterrupt, client.retrieve, "video_456")
    assert (log.warnings, len(wire.requests)) == ([INTERRUPTED] * 2, 3)


def test_ctrl_c_in_a_hook_that_hears_of_the_job_still_hands_it_over(connect: Twin) -> None:
    def stop(event: Event) -> None:
        raise KeyboardInterrupt

    jobs: list[Video] = []
    client, _ = connect(ACCEPTED, on_event=stop)
    error = failure(KeyboardInterrupt, client.remix, "video_123", prompt="x", on_accepted=jobs.append)
    assert [job.id for job in jobs] == ["video_456"]
    assert "video_456" in error.__notes__[0]


@pytest.mark.parametrize("status", [200, 429, 503])
def test_ctrl_c_while_a_job_is_looked_for_in_a_failed_answer_tells_of_it(connect: Twin, status: int) -> None:
    patch = pytest.MonkeyPatch()

    def stop_once(*_: Any) -> Video | None:
        patch.undo()
        raise KeyboardInterrupt

    patch.setattr(_submission, "salvage", stop_once)
    client, _ = connect(Answer(status, Pieces(b'{"id":"video_456","status":"queued",')))
    error = failure(KeyboardInterrupt, client.remix, "video_123", prompt="x")
    assert "video_456" in error.__notes__[0]


def test_ctrl_c_while_the_key_is_asked_for_warns_of_nothing(connect: Twin, log: Log) -> None:
    def ask() -> str:
        raise KeyboardInterrupt

    client, wire = connect(ACCEPTED, api_key=ask)
    with pytest.raises(KeyboardInterrupt):
        client.remix("video_123", prompt="x")
    assert (log.warnings, wire.requests) == ([], [])


def test_ctrl_c_during_the_backoff_does_not_warn_of_a_charge(
    connect: Twin, log: Log, monkeypatch: pytest.MonkeyPatch
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
    (line,) = log.warnings
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
@pytest.mark.parametrize("paid", [True, False])
async def test_what_is_cancelled_warns_once_of_the_charge_if_it_is_a_submit(
    log: Log, answers: bool, paid: bool
) -> None:
    server = Hanging(answers=answers)
    async with httpx.AsyncClient(transport=server) as http, AsyncRemixClient(http_client=http) as client:
        call = client.remix("video_123", prompt="x") if paid else client.retrieve("video_456")
        task = asyncio.create_task(call)
        await server.reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert (log.warnings, server.requests) == ([INTERRUPTED] if paid else [], 1)


async def test_a_submit_under_a_timeout_of_the_user_warns_once_of_the_charge(log: Log) -> None:
    server = Hanging(answers=False)
    async with httpx.AsyncClient(transport=server) as http, AsyncRemixClient(http_client=http) as client:
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0):
                await client.remix("video_123", prompt="x")
    assert not isinstance(caught.value, DeerAPIError)
    assert log.warnings == [INTERRUPTED]
    assert server.requests == 1


async def test_a_submit_that_is_cancelled_during_the_backoff_does_not_warn_of_a_charge(
    log: Log, monkeypatch: pytest.MonkeyPatch
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
    (line,) = log.warnings
    assert line.startswith("remix: attempt 1 failed: InternalServerError, status 503")


def test_an_answer_that_is_lost_warns_as_a_failed_attempt_only(connect: Twin, log: Log) -> None:
    client, _ = connect(httpx.ReadError("reset"))
    with pytest.raises(APIConnectionError):
        client.remix("video_123", prompt="x")
    assert log.warnings == ["remix: attempt 1 failed: APIConnectionError, status None, request id None; no retry"]


def test_an_interrupted_submit_tells_the_id_that_had_come(connect: Twin, log: Log) -> None:
    body = Pieces(b'{"id": "video_456", "status": "queued",', KeyboardInterrupt())
    client, _ = connect(Answer(200, body))
    error = failure(KeyboardInterrupt, client.remix, "video_123", prompt="x")
    assert error.__notes__ == [
        "The job was accepted as video_456: wait for it and download it, do not submit it again."
    ]
    assert "remix: accepted as video_456, request id None" in log.infos

"""What gateways and proxies were seen to answer, and what must come of it: above all, no paid job is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest

from deerapi_remix import (
    APIResponseValidationError,
    APIStatusError,
    BadRequestError,
    DeerAPIError,
    DownloadError,
    InsufficientQuotaError,
    InternalServerError,
    NotFoundError,
    RemixFailedError,
    RetryPolicy,
    Video,
    VideoError,
    WaitTimeoutError,
)

from .conftest import Clock, Log
from .wire import CALLS, FULL, Answer, Twin, failure, takes

pytestmark = pytest.mark.usefixtures("clock")

ASSETS = Path(__file__).parents[1] / "deerapi_remix" / "testing" / "assets"
VIDEO, THUMBNAIL = (ASSETS / name for name in ("video.mp4", "thumbnail.webp"))
SPRITESHEET = ASSETS / "spritesheet.jpg"


def job(video_id: str = "task_new", status: str | None = "queued", *, code: int = 200, **more: object) -> Answer:
    """An answer with every field of the contract; without a status where it is None."""
    body = FULL | {"id": video_id, "status": status} | more
    return Answer(code, {name: value for name, value in body.items() if value is not None})


def error(status: int, message: str, code: str | None = None) -> Answer:
    return Answer(status, {"error": {"message": message, "type": "api_error", "code": code}})


def flat(status: int, message: str, code: str) -> Answer:
    return Answer(status, {"code": code, "message": message, "data": None})


def text(status: int, body: str, kind: str = "text/plain") -> Answer:
    return Answer(status, body.encode(), {"Content-Type": kind})


def wrapped(**data: object) -> Answer:
    """The envelope of some gateways."""
    return Answer(200, {"code": "success", "message": "", "data": data})


def content(file: Path = VIDEO, kind: str = "video/mp4", *, upto: int | None = None) -> Answer:
    """A file that ends with the connection."""
    return Answer(200, file.read_bytes()[:upto], {"Content-Type": kind, "Connection": "close"})


TAKEN = job()
ENVOY = "upstream connect error or disconnect/reset before headers. reset reason: "
NGINX = "<html><head><title>503 Service Temporarily Unavailable</title></head></html>"


@attrs.frozen
class Ending:
    """How a call must end. What is None is not looked at.

    Attributes:
        sent: How many requests.
        kind: The error; None where the call returns.
        told: Stands in the text of the error.
    """

    sent: int | None = None
    kind: type[DeerAPIError] | None = None
    charged: bool | None = None
    retryable: bool | None = None
    told: str = ""
    job_id: str | None = None
    video_id: str | None = None
    status: str | None = None
    progress: int | None = None


def compare(ending: Ending, call: Any, *arguments: Any, **options: Any) -> None:
    if ending.kind is None:
        video = call(*arguments, **options)
        seen: dict[str, object] = {"video_id": video.id, "status": video.status, "progress": video.progress}
    else:
        raised = failure(ending.kind, call, *arguments, **options)
        assert type(raised) is ending.kind
        assert ending.told in str(raised)
        seen = {"charged": raised.may_have_been_charged, "retryable": raised.retryable, "job_id": raised.job_id}
        if raised.job_id is not None:
            assert raised.video is not None
            assert raised.video.id == raised.job_id
    expected = {name: value for name, value in attrs.asdict(ending).items() if value is not None and name in seen}
    assert {name: seen[name] for name in expected} == expected


LOST = Ending(1, InternalServerError, charged=True, retryable=False)
RESENT = Ending(2, video_id="task_new")
UNSURE = Ending(1, APIStatusError, charged=True, retryable=False)
REFUSED = Ending(1, APIStatusError, charged=False, retryable=False)

# What a submit is answered, and how it must end; after the last answer a job is accepted.
SUBMITS: dict[str, tuple[list[Answer], Ending]] = {
    "500 by the code of a request that was passed on": (
        [flat(500, 'Post "https://up/v1/videos": EOF', "do_request_failed")],
        LOST,
    ),
    "500 by the message of a broken connection upstream": (
        [error(500, "Response payload is not completed", "500")],
        LOST,
    ),
    "500 that shows nothing": ([error(500, "internal error", "")], RESENT),
    "500 to the last attempt": (
        [error(500, "internal error")] * 4,
        Ending(4, InternalServerError, charged=True, retryable=False),
    ),
    "503 of Envoy after the request was passed on": ([text(503, f"{ENVOY}remote reset")], LOST),
    "503 of Envoy before it was passed on": ([text(503, f"{ENVOY}connection failure")], RESENT),
    "503 page of nginx": ([text(503, NGINX, "text/html")], RESENT),
    "503 where no channel serves the model": (
        [error(503, "No available channel for model nope", "model_not_found")],
        Ending(1, InternalServerError, charged=False, retryable=False, told="models()"),
    ),
    "502 whose body is the job": (
        [job(status="failed", code=502, error={"message": "upstream"})],
        Ending(1, InternalServerError, charged=True, job_id="task_new"),
    ),
    "503 whose body is the job": ([job(code=503)], Ending(1, InternalServerError, job_id="task_new")),
    "303": ([Answer(303, b"", {"Location": "/v1/videos/task_new"})], UNSURE),
    "307": ([Answer(307, b"", {"Location": "/v2/videos/video_123/remix"})], REFUSED),
    "403 for want of money": (
        [error(403, "user quota is not enough", "insufficient_user_quota")],
        Ending(1, InsufficientQuotaError, charged=False, retryable=False),
    ),
    "a number beside the id of the task": (
        [Answer(200, {"id": 4711, "task_id": "task_new", "status": "SUBMITTED"})],
        Ending(1, video_id="task_new"),
    ),
    "the envelope": (
        [wrapped(id=4711, task_id="task_new", status="SUBMITTED", progress="0%")],
        Ending(1, video_id="task_new", status="SUBMITTED", progress=0),
    ),
    "an id with a newline": ([job("task\nnew")], Ending(1, APIResponseValidationError, charged=True, retryable=False)),
    "detail of a FastAPI gateway": (
        [Answer(422, {"detail": [{"loc": ["body", "prompt"], "msg": "String should have at most 1000 characters"}]})],
        Ending(1, BadRequestError, charged=False, told="at most 1000 characters"),
    ),
}


@pytest.mark.parametrize(("answers", "ending"), SUBMITS.values(), ids=SUBMITS)
def test_a_submit_ends(connect: Twin, answers: list[Answer], ending: Ending) -> None:
    client, wire = connect(*answers, TAKEN)
    compare(ending, client.remix, "video_123", prompt="x")
    assert [method for method, _ in wire.sent] == ["POST"] * (ending.sent or 0)


@pytest.mark.parametrize(("answers", "ending"), SUBMITS.values(), ids=SUBMITS)
def test_the_submit_of_remix_to_file_ends_alike(
    connect: Twin, target: Path, answers: list[Answer], ending: Ending
) -> None:
    client, wire = connect(*answers, job(status="completed"), content())
    if ending.kind is None:
        client.remix_to_file("video_123", target, prompt="x")
        assert target.read_bytes() == VIDEO.read_bytes()
    else:
        compare(ending, client.remix_to_file, "video_123", target, prompt="x")
    assert [method for method, _ in wire.sent].count("POST") == ending.sent


PASSED_ON = [
    *(flat(500, "failed", code) for code in ("do_request_failed", "read_response_body_failed")),
    Answer(500, {"statusCode": 500, "error": "Internal Server Error", "message": "Server disconnected"}),
    Answer(500, {"error": "do_request_failed"}),
    Answer(500, {"message": "do_request_failed"}),
    Answer(500, {"error": {"message": "x"}, "code": "do_request_failed"}),
    Answer(500, [{"error": {"code": "do_request_failed", "message": "x"}}]),
    Answer(500, b"do_request_failed: Post", {"Content-Type": "text/plain"}),
    Answer(503, b'{"code":"do_request_failed","message":"', {"Content-Type": "application/json"}),
    Answer(500, b'data: {"error": {"code": "do_request_failed"}}\n\n', {"Content-Type": "text/event-stream"}),
    Answer(500, '{"code": "do_request_failed"}'.encode("utf-16")),
    *(flat(500, "failed", code) for code in ("unmarshal_response_body_failed", "invalid_response")),
    *(error(500, message) for message in ("Server disconnected", "Response payload is not completed")),
    error(500, "1 validation error for VideoObject\nstatus\n  Field required"),
    Answer(500, {"detail": "Server disconnected without sending a response."}),
    *(text(503, f"{ENVOY}{why}") for why in ("connection termination", "remote reset", "protocol error")),
    *(text(503, why) for why in ("first byte timeout", "Error 503 first byte timeout", "backend read error")),
    error(503, "backend read error"),
]
NOT_PASSED_ON = [
    *(Answer(status) for status in (500, 503)),
    *(text(status, "<html><title>Oops</title></html>", "text/html") for status in (500, 503)),
    *(error(status, "The server is overloaded") for status in (500, 503)),
    *(text(503, f"{ENVOY}{why}") for why in ("overflow", "connection failure", "connection timeout")),
    text(503, "no healthy upstream"),
]


@pytest.mark.parametrize("answer", PASSED_ON, ids=range(len(PASSED_ON)))
def test_what_shows_that_the_submit_was_passed_on_is_not_resent_and_may_have_been_charged(
    connect: Twin, answer: Answer
) -> None:
    client, wire = connect(answer)
    compare(LOST, client.remix, "video_123", prompt="x")
    assert len(wire.requests) == 1
    free = failure(InternalServerError, client.retrieve, "video_123")
    assert (free.may_have_been_charged, free.retryable, len(wire.requests)) == (False, True, 5)


@pytest.mark.parametrize("answer", NOT_PASSED_ON, ids=range(len(NOT_PASSED_ON)))
def test_what_shows_nothing_of_the_kind_is_resent(connect: Twin, answer: Answer) -> None:
    client, wire = connect(answer)
    raised = failure(InternalServerError, client.remix, "video_123", prompt="x")
    ambiguous = answer.status == 500
    assert (raised.may_have_been_charged, raised.retryable, len(wire.requests)) == (ambiguous, not ambiguous, 4)


@pytest.mark.parametrize("answer", NOT_PASSED_ON, ids=range(len(NOT_PASSED_ON)))
def test_resend_paid_false_resends_none_of_it(connect: Twin, answer: Answer) -> None:
    client, wire = connect(answer, retry=RetryPolicy(resend_paid=False))
    failure(InternalServerError, client.remix, "video_123", prompt="x")
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    "status", [300, 302, 304, 400, 402, 403, 404, 408, 409, 422, 429, 500, 502, 503, 504, 520, 600]
)
@pytest.mark.parametrize(
    "body",
    [
        {"id": "task_new", "status": "queued"},
        {"task_id": "task_new", "status": "SUBMITTED", "error": {"message": "slow"}},
        {"code": "success", "data": {"id": 4711, "task_id": "task_new", "status": "NOT_START"}},
    ],
    ids=["job", "task", "envelope"],
)
def test_a_job_in_an_answer_of_any_status_is_kept_and_never_submitted_again(
    connect: Twin, log: Log, status: int, body: dict[str, Any]
) -> None:
    client, wire = connect(Answer(status, body), TAKEN)
    raised = failure(APIStatusError, client.remix, "video_123", prompt="x")
    assert (raised.job_id, raised.retryable, raised.status_code, len(wire.requests)) == ("task_new", False, status, 1)
    assert raised.video is not None
    assert (raised.video.id, raised.video.is_finished) == ("task_new", False)
    assert any("accepted as task_new" in line for line in log.infos)


@pytest.mark.parametrize(
    "body",
    [
        {"id": "req_123", "error": {"message": "busy"}},
        {"status": "error", "message": "busy"},
        {"id": "task\nnew", "status": "queued"},
        {"id": "", "task_id": None, "status": "queued"},
    ],
)
def test_an_error_that_is_no_job_gives_no_id(connect: Twin, body: dict[str, Any]) -> None:
    client, wire = connect(Answer(503, body), TAKEN)
    assert client.remix("video_123", prompt="x").id == "task_new"
    assert len(wire.requests) == 2


def test_a_job_in_a_failed_answer_to_a_poll_is_no_job_of_ours(connect: Twin) -> None:
    client, wire = connect(job("task_a", code=503), job("task_a", "completed"))
    assert client.wait("task_a").is_completed
    assert len(wire.requests) == 2


NO_MONEY = Answer(
    200, {"id": "req_123", "error": {"message": "insufficient balance", "code": "insufficient_user_quota"}}
)


@pytest.mark.parametrize("call", ["remix", "models"])
def test_want_of_money_told_with_200_says_what_to_do(connect: Twin, tmp_path: Path, call: str) -> None:
    client, _ = connect(Answer(200, {"error": {"message": "insufficient balance", "code": "insufficient_user_quota"}}))
    raised = failure(APIResponseValidationError, CALLS[call], client, tmp_path)
    assert (raised.reason, raised.advice) == ("no_balance", InsufficientQuotaError.advice)


def test_want_of_money_told_with_200_ends_a_wait_after_three_polls(connect: Twin, target: Path) -> None:
    client, wire = connect(NO_MONEY)
    raised = failure(DeerAPIError, client.remix_to_file, "video_123", target, prompt="x")
    assert "insufficient balance" in str(raised)
    assert 1 <= len(wire.requests) <= 4


# Ids that could not be sent back.

UNUSABLE = ["", " ", ".", "..", "a\nb", "a\0b", "a\x1b[2Jb", "a\x7fb", "a\x85b", "\ud800", "a\udfffb", "\u3000"]


@pytest.mark.parametrize("video_id", UNUSABLE, ids=ascii)
@pytest.mark.parametrize("place", ["id", "task_id", "data"])
def test_an_id_that_could_not_be_sent_back_is_no_id(connect: Twin, video_id: str, place: str) -> None:
    body = {"data": {"id": video_id}} if place == "data" else {place: video_id}
    client, wire = connect(Answer(200, body | {"status": "queued"}))
    raised = failure(APIResponseValidationError, client.remix, "video_123", prompt="x")
    assert (raised.may_have_been_charged, raised.retryable, raised.job_id, raised.video) == (True, False, None, None)
    assert (raised.video_id, len(wire.requests)) == ("video_123", 1)
    assert '"queued"' in raised.body


@pytest.mark.parametrize("video_id", UNUSABLE, ids=ascii)
def test_a_usable_id_behind_an_unusable_one_is_taken(connect: Twin, video_id: str) -> None:
    client, _ = connect(Answer(200, {"id": video_id, "task_id": "task_new", "status": "queued"}))
    assert client.remix("video_123", prompt="x").id == "task_new"


def test_a_cut_answer_gives_no_id_that_could_not_be_sent_back(connect: Twin) -> None:
    client, _ = connect(Answer(200, b'{"id": "task\\nnew", "status": "que'))
    raised = failure(DeerAPIError, client.remix, "video_123", prompt="x")
    assert (raised.job_id, raised.may_have_been_charged) == (None, True)


# Polls

FLAGGED = Answer(200, {"id": "task_a", "error": {"message": "flagged", "code": "moderation_blocked"}})
FAILED_FOR = Ending(1, RemixFailedError)

# What the polls of `task_a` are answered, and how the wait must end.
WAITS: dict[str, tuple[list[Answer], Ending]] = {
    "another id, time and again": (
        [job("video_up", "in_progress", progress=40), *[job("video_up", "completed", progress=100)] * 2],
        Ending(3, video_id="task_a", status="completed"),
    ),
    "a failure under another id, once": (
        [job("task_b", "failed"), job("task_a", "completed")],
        Ending(2, video_id="task_a", status="completed"),
    ),
    "a failure under another id, time and again": ([job("task_b", "failed")], Ending(2, RemixFailedError)),
    "another id each time": ([job("task_b", "completed"), job("task_c", "completed")], Ending(2, video_id="task_a")),
    "two ends under another id that differ": (
        [job("task_b", "failed"), job("task_b", "completed"), job("task_b", "completed")],
        Ending(3, video_id="task_a", status="completed"),
    ),
    "an end under another id, and work under it": (
        [job("task_b", "completed"), job("task_b", "in_progress"), *[job("task_b", "completed")] * 2],
        Ending(4, video_id="task_a", status="completed"),
    ),
    "the id in task_id": ([job("video_up", "completed", task_id="task_a")], Ending(1, video_id="task_a")),
    "the suffix of a provider": ([job("task_a:openai", "completed")] * 2, Ending(2, video_id="task_a")),
    "the id on top of an envelope": (
        [
            Answer(200, {"code": "success", "id": "task_a", "data": {"status": "IN_PROGRESS", "progress": "30%"}}),
            Answer(200, {"code": "success", "id": "task_a", "data": {"status": "SUCCESS", "progress": "100%"}}),
        ],
        Ending(2, video_id="task_a", progress=100),
    ),
    "the id of the envelope": (
        [wrapped(id=4711, task_id="task_a", status="SUCCESS", progress="100%", fail_reason="")],
        Ending(1, video_id="task_a", status="SUCCESS", progress=100),
    ),
    "fail_reason": (
        [wrapped(task_id="task_a", status="FAILURE", fail_reason="content policy")],
        Ending(1, RemixFailedError, told="content policy"),
    ),
    "fail_reason on top": (
        [Answer(200, {"id": "task_a", "status": "failed", "fail_reason": "content policy"})],
        Ending(1, RemixFailedError, told="content policy"),
    ),
    "detail": (
        [Answer(200, {"id": "task_a", "status": "failed", "detail": "content policy"})],
        Ending(1, RemixFailedError, told="content policy"),
    ),
    "an error without a status": ([FLAGGED], Ending(3, RemixFailedError, told="flagged")),
    "an error without a status, in passing": (
        [FLAGGED, FLAGGED, job("task_a", "in_progress"), FLAGGED, FLAGGED, job("task_a", "completed")],
        Ending(6, video_id="task_a"),
    ),
    "an error with a status of work": (
        [*[job("task_a", "in_progress", error={"message": "slow", "code": "c"})] * 5, job("task_a", "completed")],
        Ending(6, video_id="task_a"),
    ),
    "failed: moderation": ([job("task_a", "failed: moderation")], Ending(1, RemixFailedError)),
    "done": ([job("task_a", "Done")], Ending(1, video_id="task_a", status="Done")),
    "not known yet": (
        [
            flat(400, "task_not_exist", "task_not_exist"),
            Answer(404, {"detail": "Not Found"}),
            job("task_a", "completed"),
        ],
        Ending(3, video_id="task_a"),
    ),
}


@pytest.mark.parametrize(("answers", "ending"), WAITS.values(), ids=WAITS)
def test_a_wait_by_id_ends(connect: Twin, answers: list[Answer], ending: Ending) -> None:
    client, wire = connect(*answers)
    compare(ending, client.wait, "task_a")
    assert [method for method, _ in wire.sent] == ["GET"] * (ending.sent or 0)
    assert {target for _, target in wire.sent} == {"/v1/videos/task_a"}


WORDS_OF_SUCCESS = ["completed", "complete", "succeeded", "success", "finished", "done"]
WORDS_OF_FAILURE = [
    *("failed", "failure", "fail", "error", "cancelled", "canceled", "rejected", "timeout", "deleted", "expired"),
    *("failed: moderation", "error : x", "rejected:policy", "failed\uff1amoderation"),
]
NO_END = [
    *("queued", "in_progress", "unknown", "incomplete", "not_completed", "unfinished", "failing", "time", "undone"),
    *("processing", "running", "NOT_START", "completed?", "done?", "", ":", ": failed"),
]


def spellings(word: str) -> list[str]:
    return [word, word.upper(), word.title(), f" {word}\n", word.replace("l", "-l", 1), word.replace("e", "e_", 1)]


@pytest.mark.parametrize("status", [each for word in WORDS_OF_SUCCESS for each in spellings(word)])
def test_these_statuses_are_success_whatever_their_case_blanks_and_dashes(status: str) -> None:
    video = Video("task_a", status)
    assert (video.is_completed, video.is_failed, video.is_finished) == (True, False, True)


@pytest.mark.parametrize("status", [each for word in WORDS_OF_FAILURE for each in spellings(word)])
def test_these_statuses_are_failures_whatever_their_case_blanks_and_dashes(status: str) -> None:
    video = Video("task_a", status)
    assert (video.is_completed, video.is_failed, video.is_finished) == (False, True, True)


@pytest.mark.parametrize("status", NO_END, ids=ascii)
def test_no_other_status_is_an_end(status: str) -> None:
    video = Video("task_a", status)
    assert (video.is_completed, video.is_failed, video.is_finished) == (False, False, False)


NO_REASONS: list[object] = [None, "  ", [], True, 5]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"error": {"code": "c", "message": "m"}}, VideoError("c", "m")),
        ({"error": {"code": 5, "message": None}}, VideoError("5", None)),
        ({"error": {}}, VideoError(None, None)),
        *(({"error": value}, None) for value in NO_REASONS),
        ({"error": "m"}, VideoError(None, "m")),
        ({"fail_reason": "m"}, VideoError(None, "m")),
        ({"detail": "m"}, VideoError(None, "m")),
        ({"data": {"fail_reason": "m"}}, VideoError(None, "m")),
        ({"data": {"error": {"code": "c", "message": "m"}}}, VideoError("c", "m")),
        ({"error": {"message": "m"}, "fail_reason": "other"}, VideoError(None, "m")),
        ({"error": None, "fail_reason": "m"}, VideoError(None, "m")),
        ({"error": {}, "fail_reason": "m"}, VideoError(None, "m")),
        ({"fail_reason": "", "detail": None}, None),
        ({"fail_reason": " "}, None),
    ],
    ids=str,
)
def test_the_reason_of_a_failure_is_found_by_any_of_its_names(
    connect: Twin, fields: dict[str, Any], reason: VideoError | None
) -> None:
    client, _ = connect(Answer(200, {"id": "task_a", "status": "failed", **fields}))
    assert client.retrieve("task_a").error == reason


def test_what_the_top_lacks_or_has_as_null_is_taken_from_data(connect: Twin) -> None:
    data = {"id": 4711, "status": "SUCCESS", "progress": "100%", "model": "sora-2", "size": "1x1"}
    client, _ = connect(Answer(200, {"id": "task_a", "status": None, "size": "1280x720", "data": data}))
    video = client.retrieve("task_a")
    assert (video.id, video.status, video.progress, video.model, video.size) == (
        *("task_a", "SUCCESS", 100, "sora-2"),
        "1280x720",
    )


def test_another_id_is_told_once_and_kept_in_raw(connect: Twin, log: Log) -> None:
    client, _ = connect(job("video_up", "in_progress", progress=40))
    videos = [client.retrieve("task_a") for _ in range(3)]
    assert [(video.id, video.progress, video.raw["id"]) for video in videos] == [("task_a", 40, "video_up")] * 3
    assert len(log.warnings) == 1


def test_a_strict_client_raises_for_another_id(connect: Twin) -> None:
    client, wire = connect(job("video_up", "in_progress"), strict=True)
    for call in (client.retrieve, client.wait):
        raised = failure(APIResponseValidationError, call, "task_a")
        assert (raised.video_id, raised.job_id) == ("task_a", None)
    assert len(wire.requests) == 2


def test_a_poll_under_another_id_that_renders_shows_its_progress_at_once(connect: Twin) -> None:
    seen: list[tuple[str, int | None]] = []
    client, _ = connect(job("up", "in_progress", progress=40), *[job("up", "completed", progress=100)] * 2)
    client.wait("task_a", on_update=lambda video: seen.append((video.id, video.progress)))
    assert seen[0] == ("task_a", 40)
    assert {video_id for video_id, _ in seen} == {"task_a"}


def test_the_deadline_quotes_the_error_that_was_last_told(connect: Twin) -> None:
    client, _ = connect(job("task_a", "in_progress", error={"message": "the queue is full", "code": "c"}))
    raised = failure(WaitTimeoutError, client.wait, "task_a", timeout=60)
    assert "the queue is full" in str(raised)


# Content

NOT_YET = {
    "404 in progress": Answer(404, {"detail": "Generation is still in-progress"}),
    "409 not ready": Answer(409, {"detail": "video is not ready"}),
    "400 not ready": error(400, "Video is not ready yet"),
    "400 not completed": error(400, "Task is not completed yet"),
    "422 not ready": error(422, "The video is not ready"),
    "202": Answer(202, {"status": "processing"}),
    "202 without a body": Answer(202),
    "425": Answer(425),
    "404 not found": error(404, "Task not found"),
    "404 page": text(404, "<html><title>404 Not Found</title></html>", "text/html"),
    "404 still processing": Answer(404, {"error": "Video is still processing"}),
    "JSON in place of the file": Answer(200, {"code": "x", "message": "Task is not completed yet", "data": None}),
}


@pytest.mark.parametrize("answer", NOT_YET.values(), ids=NOT_YET)
def test_a_file_that_is_not_there_yet_is_asked_for_again(connect: Twin, target: Path, answer: Answer) -> None:
    client, wire = connect(job(status="completed"), answer, answer, content())
    assert client.remix_to_file("video_123", target, prompt="x").read_bytes() == VIDEO.read_bytes()
    assert [method for method, _ in wire.sent] == ["POST", "GET", "GET", "GET"]


@pytest.mark.parametrize(
    ("name", "kind", "seconds"),
    [
        *((name, WaitTimeoutError, 100) for name in NOT_YET if not name.startswith("404")),
        ("404 in progress", WaitTimeoutError, 100),
        ("404 page", NotFoundError, 30),
    ],
)
def test_a_file_that_never_is_there_ends_with_the_job_in_the_error(
    connect: Twin, clock: Clock, target: Path, name: str, kind: type[DeerAPIError], seconds: int
) -> None:
    client, wire = connect(job(status="completed"), NOT_YET[name])
    raised = failure(kind, client.remix_to_file, "video_123", target, prompt="x", timeout=100)
    assert raised.video is not None
    assert (raised.video.id, raised.job_id, raised.may_have_been_charged) == ("task_new", "task_new", False)
    assert [method for method, _ in wire.sent].count("POST") == 1
    assert seconds - 2.5 <= clock.time - 1_000 <= seconds + 2.5


@pytest.mark.parametrize(("seconds", "times"), [(29.5, 2), (30.0, 1)])
def test_a_file_may_be_unknown_for_less_than_30_seconds(
    connect: Twin, clock: Clock, target: Path, seconds: float, times: int
) -> None:
    unknown = NOT_YET["404 page"]
    client, wire = connect(job(status="completed"), takes(clock, seconds, unknown), takes(clock, 30.0, unknown))
    failure(NotFoundError, client.remix_to_file, "video_123", target, prompt="x")
    assert [method for method, _ in wire.sent].count("GET") == times


def box(name: bytes, payload: bytes) -> bytes:
    """A box of the container that MP4 and AVIF share."""
    return (8 + len(payload)).to_bytes(4, "big") + name + payload


AVIF = box(b"ftyp", b"avif\0\0\0\0mif1") + box(b"meta", b"x" * 40) + box(b"mdat", b"y" * 300)


def test_a_picture_in_the_container_of_videos_is_asked_for_again_where_it_was_cut(connect: Twin, target: Path) -> None:
    client, wire = connect(Answer(200, AVIF[:-1]), Answer(200, AVIF))
    client.download("task_a", target, variant="thumbnail")
    assert (target.read_bytes(), len(wire.requests)) == (AVIF, 2)


@pytest.mark.parametrize(
    ("variant", "answer"),
    [
        ("thumbnail", content()),
        ("spritesheet", content()),
        ("video", content(THUMBNAIL, "image/webp")),
        ("video", Answer(200, AVIF, {"Content-Length": str(len(AVIF))})),
        (None, content(SPRITESHEET, "image/jpeg")),
    ],
    ids=["thumbnail", "spritesheet", "video", "AVIF", "default"],
)
def test_a_video_is_no_picture_and_a_picture_no_video(
    connect: Twin, target: Path, variant: str | None, answer: Answer
) -> None:
    client, wire = connect(answer)
    raised = failure(DownloadError, client.download, "task_a", target, variant=variant)
    assert (raised.retryable, raised.video_id, target.exists(), len(wire.requests)) == (False, "task_a", False, 1)


NO_FILE = {
    "JSON": (b'{"error": {"message": "expired"}}', "expired"),
    "JSON behind blanks": (b'\r\n \t{"detail": "expired"}', "expired"),
    "a list": (b'[{"msg": "expired"}]', ""),
    "a page": (b"\n<!doctype html><title>Sign in</title>", ""),
    "XML": (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", ""),
    "behind many blanks": (b" " * 5000 + b'\n{"error": "expired"}', ""),
    "UTF-16": ('{"error": "expired"}'.encode("utf-16"), ""),
    "UTF-16, big-endian": (b"\xfe\xff" + "<html>".encode("utf-16-be"), ""),
    "behind a byte order mark": (b'\xef\xbb\xbf{"error": "expired"}', "expired"),
}


@pytest.mark.parametrize("kind", [None, "video/mp4", "application/octet-stream"])
@pytest.mark.parametrize(("body", "told"), NO_FILE.values(), ids=NO_FILE)
@pytest.mark.parametrize("announced", [True, False])
def test_text_is_no_video_whatever_its_content_type(
    connect: Twin, target: Path, body: bytes, told: str, kind: str | None, announced: bool
) -> None:
    headers = {"Content-Type": kind} if kind else {}
    headers |= {"Content-Length": str(len(body))} if announced else {}
    client, _ = connect(Answer(200, body, headers))
    raised = failure(DownloadError, client.download, "task_a", target)
    assert told in str(raised)
    assert not target.exists()


WHOLE = [(VIDEO, "video/mp4", None), (THUMBNAIL, "image/webp", "thumbnail"), (SPRITESHEET, "image/jpeg", "spritesheet")]


@pytest.mark.parametrize(("file", "kind", "variant"), WHOLE, ids=["mp4", "webp", "jpeg"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 1.0])
def test_without_a_length_a_file_that_was_cut_is_not_published(
    connect: Twin, target: Path, file: Path, kind: str, variant: str | None, part: float
) -> None:
    size = file.stat().st_size
    client, _ = connect(content(file, kind, upto=int(size * part)))
    if part == 1.0:
        assert client.download("task_a", target, variant=variant).read_bytes() == file.read_bytes()
        return
    raised = failure(DownloadError, client.download, "task_a", target, variant=variant)
    assert (raised.retryable, target.exists()) == (True, False)

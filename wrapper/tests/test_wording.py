"""What the words of gateways and proxies mean: `error.reason`, word by word."""

from __future__ import annotations

import pytest

from deerapi_remix import APIStatusError, Reason, RetryPolicy

from .wire import Answer, Twin, failure

pytestmark = pytest.mark.usefixtures("clock")

# Each is told by its own words alone, as a gateway, a proxy or a library behind it writes them.
PASSED_ON = [
    # Proxies, about what is behind them.
    *("reset before headers", "Upstream request failed", "upstream response missing", "upstream connection failure"),
    *("upstream prematurely ended", "upstream reset", "provider disconnected", "the backend server returned 500"),
    *("origin is timing out", "origin timing out", "server timed out", "peer prematurely closed", "peer dropped it"),
    *("provider sent garbage", "backend closed it", "origin reset it", "upstream_error", "provider error"),
    *("nothing came from the backend", "sent to upstream", "cannot get it from origin", "sent to the provider"),
    *("first byte timeout", "between bytes timeout", "stream timeout", "response time out", "headers timeout"),
    *("body timeout", "502 Bad Gateway", "Gateway Timeout", "Gateway Time-out", "it failed to respond"),
    *("while trying to proxy it", "problem proxying it"),
    # Connections that were there.
    *(
        "connection was reset",
        "connection is aborted",
        "connection terminated",
        "Connection: connection has been closed",
    ),
    *("connection lost", "connection broken", "connection prematurely gone", "connection forcibly gone"),
    *("use of closed network connection", "lost the connection", "closing idle connection", "closed connection"),
    *("broken pipe", "unexpected EOF", "ECONNRESET", "ECONNABORTED", "EPIPE", "socket hang up", "other side closed"),
    *("ReadError", "write error", "socket error", "stream error", "RemoteProtocolError", "Remote protocol error"),
    *("UND_ERR_SOCKET", "RST_STREAM", "GOAWAY", "Remote end closed", "peer closed", "Server disconnected"),
    *("without sending a thing", "empty reply"),
    # Answers that came in part, or were no use.
    *("IncompleteRead", "incomplete chunked read", "payload is not completed", "it ended prematurely"),
    *("chunked encoding", "malformed HTTP answer", "outstanding read data", "unexpected end of JSON input"),
    *("1 validation error for Video", "2 validation errors for Video", "terminated", "aborted"),
    *(
        "failed to read it",
        "unable to parse it",
        "could not decode it",
        "cannot unmarshal it",
        "error deserializing it",
    ),
    *("looking for beginning of value", "Expecting value: line 1", "Unexpected token < in it"),
    # Time that ran out while an answer was awaited.
    *("awaiting response", "exceeded while awaiting headers", "context deadline exceeded", "DeadlineExceeded"),
    *("i/o timeout", "ReadTimeout", "read timed out", "Request timed out", "operation timeout"),
    *("timeout of 60000ms exceeded", "timeout of 5 ms exceeded", "ETIMEDOUT", "ESOCKETTIMEDOUT"),
    *("with 0 bytes received", "response time exceeded", "timeout", "timed out"),
    # Jobs that were taken, and could not be written down.
    *("cannot insert task", "save the job", "store video", "record task", "persist the video"),
    # Codes.
    *("do_request_failed", "read_response_body_failed", "copy_response_body_failed", "close_response_body_failed"),
    *("unmarshal_response_body_failed", "unmarshal_response_failed", "parse_response_failed", "invalid_response"),
    *("bad_response", "empty_response", "upstream_timeout", "fail_to_fetch_task", "aws_invoke_error"),
]
RESET = "upstream connect error or disconnect/reset before headers. "
NOT_PASSED_ON = [
    *("", "The server is overloaded", "busy, try again", "no free slot", "it terminated", "a timeout", "geoffrey"),
    "no healthy upstream",
    *(f"{RESET}reset reason: {why}" for why in ("overflow", "connection failure", "connection timeout")),
    *(f"{RESET}reset reason: {side} refused stream" for side in ("local", "remote")),
    *(f"{RESET}reset reason: {side} connection failure" for side in ("local", "remote")),
    f"{RESET}reset reason: refused stream",
]
TRIED_TWICE = f"{RESET}retried and the latest reset reason: remote connection failure"
NOT_READY = [
    *("not complete", "Task is not completed yet", "it is not ready", "not yet finished", "has not been done"),
    *("not yet available", "not yet been generated", "not yet processed", "not yet rendered", "not yet uploaded"),
    *("not available yet", "not been generated yet", "not processed yet", "not rendered yet", "not uploaded yet"),
    *("still in_progress", "currently processing", "still generating", "still rendering", "currently running"),
    *("still queued", "still pending", "still being processed", "still being generated", "still being rendered"),
    *("generation in progress", "the video is processing", "task pending", "job is queued"),
]
UNKNOWN_JOB = [
    *("task not found", "Video not found", "job not found", "video does not exist", "task id not found"),
    *("jobs not found", "task_not_exist", "it does not exist"),
]
OTHERS = [
    (400, "No available channel for model sora-9", None, Reason.NO_SUCH_MODEL),
    (503, "gone", "model_not_found", Reason.NO_SUCH_MODEL),
    (503, "gone", "MODEL_NOT_AVAILABLE", Reason.NO_SUCH_MODEL),
    (402, "pay", None, Reason.NO_BALANCE),
    *((403, "pay", code, Reason.NO_BALANCE) for code in ("quota_exceeded", "balance_low", "billing", "NO_QUOTA")),
    *((429, "pay", code, Reason.NO_BALANCE) for code in ("insufficient_quota", "balance_low", "billing_hard_limit")),
    (429, "later", "quota_exceeded", None),
    (403, "your balance page is closed", "forbidden", None),
    (400, "the word task", None, None),
    (401, "task not found", None, None),
    (403, "Task is not completed yet", None, None),
    (429, "video is processing", None, None),
]
ROWS = [
    *((500, message, None, Reason.PASSED_ON) for message in PASSED_ON),
    *((503, "x", message, Reason.PASSED_ON) for message in PASSED_ON),
    *((503, message, None, None) for message in NOT_PASSED_ON),
    (503, TRIED_TWICE, None, Reason.PASSED_ON),
    *((status, NOT_READY[0], None, Reason.NOT_READY) for status in (400, 404, 409, 422, 425)),
    *((409, message, None, Reason.NOT_READY) for message in NOT_READY),
    *((status, message, None, Reason.UNKNOWN_JOB) for message in UNKNOWN_JOB for status in (400, 404)),
    *OTHERS,
]


@pytest.mark.parametrize(
    ("status", "message", "code", "reason"), ROWS, ids=[f"{row[0]}: {row[1]} {row[2] or ''}" for row in ROWS]
)
def test_words_mean(connect: Twin, status: int, message: str, code: str | None, reason: Reason | None) -> None:
    client, _ = connect(Answer(status, {"error": {"message": message, "code": code}}), retry=RetryPolicy(attempts=1))
    assert failure(APIStatusError, client.retrieve, "video_1").reason is reason


@pytest.mark.parametrize(("before", "reason"), [(3_989, Reason.PASSED_ON), (4_000, None)])
def test_words_count_within_the_first_4000_characters_of_a_body(
    connect: Twin, before: int, reason: Reason | None
) -> None:
    body = b" " * before + b"broken pipe" + b" and all that" * 1_000
    client, _ = connect(Answer(503, b'["' + body[2:] + b'"]'), retry=RetryPolicy(attempts=1))
    assert failure(APIStatusError, client.retrieve, "video_1").reason is reason


def test_a_reason_is_a_word_for_those_that_read_json() -> None:
    words = ["not_ready", "unknown_job", "no_such_model", "no_balance", "passed_on", "not_sent"]
    assert [str(reason) for reason in Reason] == words

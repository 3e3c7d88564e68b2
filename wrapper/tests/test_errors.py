"""The errors: which one comes, what it tells, and what it never shows."""

from __future__ import annotations

import copy
import json
import pickle
import re
import socket
import ssl
import time
from collections.abc import Callable
from http.client import responses
from pathlib import Path
from typing import Any

import httpx
import pytest

from deerapi_remix import (
    APIConnectionError,
    APIResponseValidationError,
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ConflictError,
    DeerAPIError,
    DownloadError,
    InsufficientQuotaError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RemixClient,
    RetryPolicy,
    Video,
    VideoError,
    errors,
)

from .wire import Answer, Pieces, Step, Twin, failure

pytestmark = pytest.mark.usefixtures("clock")

ONCE = RetryPolicy(attempts=1)
# From a status to a class

CLASS_OF_STATUS = {
    400: BadRequestError,
    401: AuthenticationError,
    402: InsufficientQuotaError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: BadRequestError,
    429: RateLimitError,
    **dict.fromkeys(range(500, 600), InternalServerError),
}


@pytest.mark.parametrize("status", [*range(300, 600), 600, 666, 700, 999])
def test_every_status_other_than_2xx_has_its_class(connect: Twin, status: int) -> None:
    client, _ = connect(Answer(status), retry=ONCE)
    error = failure(APIStatusError, client.retrieve, "video_456")
    assert (type(error), error.status_code) == (CLASS_OF_STATUS.get(status, APIStatusError), status)


# Code, message and request ID

HTML_502 = b"""<html>
<head><title>502 Bad Gateway</title></head>
<body><center><h1>502 Bad Gateway</h1></center><hr><center>cloudflare</center></body>
</html>"""

BALANCE = b'{"error": {"message": "balance too low (request id: 2025AbC)", "code": "insufficient_user_quota"}}'
NESTED = b'{"error": {"message": "prompt is required", "type": "invalid_request_error", "code": "invalid_request"}}'
NOT_EXIST = b'{"code": "task_not_exist", "message": "task_not_exist", "data": null}'

# Status and body; then code and message.
SHAPES: dict[str, tuple[int, bytes, str | None, str]] = {
    "nested": (400, NESTED, "invalid_request", "prompt is required"),
    "flat": (400, NOT_EXIST, "task_not_exist", "task_not_exist"),
    "balance": (403, BALANCE, "insufficient_user_quota", "balance too low (request id: 2025AbC)"),
    "number as code": (400, b'{"code": 1002, "message": "bad"}', "1002", "bad"),
    "zero as code": (400, b'{"code": 0, "message": "bad"}', "0", "bad"),
    "boolean as code": (400, b'{"code": false, "message": "bad"}', None, "bad"),
    "null code": (400, b'{"error": {"code": null, "message": "bad"}}', None, "bad"),
    "blank code": (400, b'{"error": {"code": " ", "message": "bad"}}', None, "bad"),
    "error is text": (400, b'{"error": "bad"}', None, "bad"),
    "error is text beside a message": (400, b'{"error": "bad", "message": "worse"}', None, "bad"),
    "error is text beside a code": (400, b'{"error": "bad", "code": 7}', "7", "bad"),
    "error is null": (400, b'{"error": null, "code": "c", "message": "bad"}', "c", "bad"),
    "error is a list": (400, b'{"error": ["bad"], "message": "worse"}', None, "worse"),
    "message is null": (404, b'{"error": {"message": null, "code": "gone"}}', "gone", "Not Found"),
    "message is blank": (404, b'{"message": "  "}', None, "Not Found"),
    "message is an object": (404, b'{"message": {"a": 1}}', None, "Not Found"),
    "empty object": (404, b"{}", None, "Not Found"),
    "list": (404, b"[]", None, "Not Found"),
    "list of errors": (404, b'[{"message": "bad"}]', None, "Not Found"),
    "null": (404, b"null", None, "null"),
    "text in JSON": (404, b'"no such video"', None, '"no such video"'),
    "page": (502, HTML_502, None, "502 Bad Gateway"),
    "page without a title": (502, b"<html><body>oops</body></html>", None, "Bad Gateway"),
    "plain": (500, b"upstream connect error\n  or disconnect", None, "upstream connect error or disconnect"),
    "200 characters": (500, b"x" * 200, None, "x" * 200),
    "201 characters": (500, b"x" * 201, None, "x" * 200),
    "title with attributes": (502, b'<title lang="en">Bad  Gateway</title>', None, "Bad Gateway"),
    "TITLE": (502, b"<TITLE>oops</TITLE>", None, "oops"),
    "blank title": (502, b"<title> </title>", None, "Bad Gateway"),
    "title in plain text": (502, b"see <title>oops</title>", None, "oops"),
    "list in plain text": (502, b"[oops", None, "Bad Gateway"),
    "fail_reason": (400, b'{"fail_reason": "bad"}', None, "bad"),
    "fail_reason within error": (400, b'{"error": {"fail_reason": "bad"}}', None, "bad"),
    "message before detail": (400, b'{"detail": "worse", "message": "bad"}', None, "bad"),
    "detail before fail_reason": (400, b'{"fail_reason": "worse", "detail": "bad"}', None, "bad"),
    "detail within error": (400, b'{"error": {"detail": {"message": "bad", "code": 7}}}', "7", "bad"),
    "detail beside a message": (400, b'{"message": "bad", "detail": {"message": "worse"}}', None, "bad"),
    "error code: 520": (520, b"error code: 520", None, "error code: 520"),
    "empty": (503, b"", None, "Service Unavailable"),
    "spaces": (503, b" \r\n ", None, "Service Unavailable"),
    "unknown status": (530, b"", None, "Unknown Status"),
    "broken": (500, b'{"error": {"message": "bad', None, "Internal Server Error"),
    "not UTF-8": (500, b"\xff\xfe", None, "\ufffd\ufffd"),
    "byte order mark": (400, b'\xef\xbb\xbf{"code": "c", "message": "bad"}', "c", "bad"),
}


@pytest.mark.parametrize(("status", "body", "code", "message"), SHAPES.values(), ids=SHAPES)
def test_code_and_message_are_read_from_every_shape(
    connect: Twin, status: int, body: bytes, code: str | None, message: str
) -> None:
    client, _ = connect(Answer(status, body), retry=ONCE)
    error = failure(APIStatusError, client.retrieve, "video_456")
    assert (error.code, error.message) == (code, message)


ALL_HEADERS = {"request-id": "req-3", "X-Request-Id": "req-2", "X-Oneapi-Request-Id": "req-1"}
# Body and headers; then request ID.
REQUEST_IDS: dict[str, tuple[bytes, dict[str, str], str | None]] = {
    **{name: (b"", {name: "req-1"}, "req-1") for name in (*ALL_HEADERS, "x-oneapi-request-id")},
    "none": (NESTED, {}, None),
    "all three headers": (b"", ALL_HEADERS, "req-1"),
    "blank header": (b"", {"X-Oneapi-Request-Id": " ", "X-Request-Id": " req-2 "}, "req-2"),
    "header before message": (BALANCE, {"X-Oneapi-Request-Id": "req-1"}, "req-1"),
    "in a message": (BALANCE, {}, "2025AbC"),
    "in plain text": (b"bad (request id: req-2)", {}, "req-2"),
    "in capitals": (b"bad (Request ID:req-2 )", {}, "req-2"),
    "nothing in brackets": (b"bad (request id: )", {}, None),
    "200 characters": (b"bad (request id: " + b"x" * 200 + b")", {}, "x" * 200),
    "201 characters": (b"bad (request id: " + b"x" * 201 + b")", {}, None),
}


@pytest.mark.parametrize(("body", "headers", "request_id"), REQUEST_IDS.values(), ids=REQUEST_IDS)
def test_the_request_id_is_found_in_headers_and_body(
    connect: Twin, body: bytes, headers: dict[str, str], request_id: str | None
) -> None:
    client, _ = connect(Answer(500, body, headers), retry=ONCE)
    assert failure(APIStatusError, client.retrieve, "video_456").request_id == request_id


def test_the_text_of_an_error_tells_what_support_needs(connect: Twin) -> None:
    body = {"error": {"message": "balance too low", "code": "insufficient_user_quota"}}
    client, _ = connect(Answer(403, body, {"X-Oneapi-Request-Id": "req-1"}))
    error = failure(PermissionDeniedError, client.remix, "video_123", prompt="x")
    for fact in ("remix", "403", "balance too low", "insufficient_user_quota", "video_123", "req-1"):
        assert fact in str(error)


@pytest.mark.parametrize("lost", [True, False])
def test_the_text_of_an_error_speaks_of_a_charge_only_where_there_may_be_one(connect: Twin, lost: bool) -> None:
    client, _ = connect(httpx.ReadTimeout("timed out") if lost else httpx.ConnectError("refused"), retry=ONCE)
    error = failure(APIConnectionError, client.remix, "video_123", prompt="x")
    assert ("may have been accepted and charged" in str(error), "charged" in str(error)) == (lost, lost)


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"x" * 2000, "x" * 2000),
        (b"x" * 2001, "x" * 2000),
        (b"x" * 1_000_000, "x" * 2000),
        ("猫".encode() * 3000, "猫" * 2000),
        (b"", ""),
        (b"\xff" * 3000, "\ufffd" * 2000),
    ],
    ids=["2000", "2001", "a million", "of three bytes each", "none", "not UTF-8"],
)
def test_a_body_is_text_of_at_most_2000_characters(connect: Twin, body: bytes, shown: str) -> None:
    client, _ = connect(Answer(400, body))
    error = failure(BadRequestError, client.remix, "video_123", prompt="x")
    assert error.body == shown


def test_no_more_than_64_kb_of_an_error_are_read(connect: Twin) -> None:
    pulled: list[int] = []

    class Endless(Pieces):
        def __iter__(self) -> Any:
            yield b"x" * 64 * 1024
            while True:
                pulled.append(1)
                yield b"x"

    client, _ = connect(Answer(400, Endless()))
    with pytest.raises(BadRequestError):
        client.remix("video_123", prompt="x")
    assert pulled == [1]  # One more shows that there is more.


@pytest.mark.parametrize(
    "body",
    [
        b"(request_id:" * 5461,
        b"(request id: " + b" " * 65000,
        b"(request id: " + b"x" * 65000,
        b"<title" * 10922,
        b"<title>" * 9362,
        b"[" * 65535,
        b'{"a":' * 13107,
    ],
    ids=["request ids", "spaces", "one long id", "titles", "whole titles", "lists", "objects"],
)
def test_no_error_body_takes_long_to_read(connect: Twin, body: bytes) -> None:
    client, _ = connect(Answer(400, body))
    started = time.process_time()
    with pytest.raises(BadRequestError):
        client.remix("video_123", prompt="x")
    assert time.process_time() - started < 1


FAILURES: dict[str, Step] = {
    "400": Answer(400),
    "503": Answer(503),
    "nothing": Answer(200),
    "refused": httpx.ConnectError("refused"),
    "timeout": httpx.ReadTimeout("timed out"),
}


@pytest.mark.parametrize("step", FAILURES.values(), ids=FAILURES)
def test_every_error_tells_the_id_that_was_passed_and_pickles(connect: Twin, tmp_path: Path, step: Step) -> None:
    client, _ = connect(step, retry=ONCE)
    for error in (
        failure(DeerAPIError, client.remix, "video_123", prompt="x"),
        failure(DeerAPIError, client.retrieve, "video_123"),
        failure(DeerAPIError, client.download, "video_123", tmp_path / "bow.mp4"),
    ):
        assert (error.video_id, error.video) == ("video_123", None)
        copied = pickle.loads(pickle.dumps(error))
        assert (str(copied), vars(copied)) == (str(error), vars(error))


def test_an_error_about_no_video_tells_no_id(connect: Twin) -> None:
    client, _ = connect(Answer(401))
    assert failure(AuthenticationError, client.models).video_id is None


# httpx stays within

HTTPX_ERRORS = [
    *(httpx.ConnectError("x"), httpx.ConnectTimeout("x"), httpx.PoolTimeout("x"), httpx.ReadError("x")),
    *(httpx.ReadTimeout("x"), httpx.WriteError("x"), httpx.WriteTimeout("x"), httpx.CloseError("x")),
    *(httpx.ProxyError("x"), httpx.UnsupportedProtocol("x"), httpx.LocalProtocolError("x")),
    *(httpx.RemoteProtocolError("x"), httpx.DecodingError("x"), httpx.TooManyRedirects("x"), httpx.InvalidURL("x")),
    *(httpx.CookieConflict("x"), httpx.StreamError("x"), httpx.StreamConsumed(), httpx.StreamClosed()),
    httpx.ResponseNotRead(),
    *(ssl.SSLError("x"), UnicodeError("x")),  # What httpx lets through.
]


@pytest.mark.parametrize("within", ["the request", "the body"])
@pytest.mark.parametrize("fault", HTTPX_ERRORS, ids=lambda error: type(error).__name__)
def test_an_httpx_error_is_the_cause_and_never_raised(connect: Twin, fault: Exception, within: str) -> None:
    client, _ = connect(fault if within == "the request" else Answer(200, Pieces(b'{"id', fault)), retry=ONCE)
    assert failure(APIConnectionError, client.remix, "video_123", prompt="x").__cause__ is fault


@pytest.mark.parametrize("status", [301, 302, 307])
@pytest.mark.parametrize("location", ["", "http://[", "//", "https://a b", "ftp://a/b"], ids=ascii)
def test_a_redirect_to_nonsense_is_a_plain_error(connect: Twin, status: int, location: str) -> None:
    client, wire = connect(Answer(status, b"", {"Location": location}))
    error = failure(APIStatusError, client.remix, "video_123", prompt="x")
    assert (error.status_code, len(wire.requests)) == (status, 1)


@pytest.mark.skipif(httpx.__name__ == "httpx2", reason="httpx2 can read it")
def test_a_redirect_that_httpx_cannot_read_may_hide_a_charge(connect: Twin) -> None:
    """httpx raises before it shows the status: what the server did with the submit is not known."""
    client, wire = connect(Answer(302, b"", {"Location": "javascript:alert(1)"}))
    error = failure(APIConnectionError, client.remix, "video_123", prompt="x")
    assert (error.may_have_been_charged, error.retryable, len(wire.requests)) == (True, False, 1)


def test_an_id_that_is_too_long_is_refused_before_anything_is_sent(connect: Twin) -> None:
    client, wire = connect(Answer(200))
    with pytest.raises(ValueError, match="video_id must not be longer than 4096 characters"):
        client.remix("v" * 4_097, prompt="x")
    assert wire.requests == []


@pytest.mark.parametrize("value", [b"caf\xe9", "café".encode(), b"\xff\xfe"], ids=ascii)
@pytest.mark.parametrize("status", [200, 400, 502])
def test_a_header_that_is_not_ascii_breaks_nothing(connect: Twin, status: int, value: bytes) -> None:
    client, _ = connect(Answer(status, b"", {"X-Message": value, "X-Request-Id": "req-1"}))
    error = failure(DeerAPIError, client.remix, "video_123", prompt="x")
    assert error.request_id == "req-1"


# Pickles

VIDEO = Video("video_456", "failed", error=VideoError("c", "m"), raw={"a": [1]}, request_id="req-1")
CONTEXT: dict[str, Any] = {
    "request_id": "req-1",
    "attempts": 3,
    "may_have_been_charged": True,
    "retryable": True,
    "video": VIDEO,
    "video_id": "video_456",
    "job_id": "video_456",
}
ANSWERED = {"status_code": 418, "code": "c", "message": "m", "retry_after": 1.5, "body": "b"}
KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, DeerAPIError)]
EXTRAS: dict[type[DeerAPIError], dict[str, Any]] = {
    **{kind: {} for kind in KINDS},
    **{kind: ANSWERED for kind in KINDS if issubclass(kind, APIStatusError)},
    APIResponseValidationError: {"body": "b"},
    DownloadError: {"path": Path("bow.mp4"), "received": 5, "expected": 9},
}
CLONES: dict[str, Callable[[Any], Any]] = {"copy": copy.copy, "deepcopy": copy.deepcopy}


def through_pickle(protocol: int) -> Callable[[Any], Any]:
    return lambda error: pickle.loads(pickle.dumps(error, protocol))


CLONES |= {f"pickle {protocol}": through_pickle(protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)}


@pytest.mark.parametrize("clone", CLONES.values(), ids=CLONES)
@pytest.mark.parametrize(("kind", "extra"), EXTRAS.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_an_error_survives_pickling_with_all_that_it_tells(
    clone: Any, kind: type[DeerAPIError], extra: dict[str, Any]
) -> None:
    error = kind("what happened", **CONTEXT, **extra)
    error.add_note("a note")
    copied = clone(error)
    assert type(copied) is kind
    assert {name: getattr(copied, name) for name in CONTEXT | extra} == CONTEXT | extra
    assert (str(copied), copied.args, copied.__notes__) == (str(error), error.args, ["a note"])
    assert copied.video is not None
    assert (copied.video.raw, copied.video.request_id) == ({"a": [1]}, "req-1")


NOT_KNOWN: dict[str, object] = {
    "request_id": None,
    "attempts": 0,
    "may_have_been_charged": False,
    "retryable": False,
    "video": None,
    "video_id": None,
    "job_id": None,
    "reason": None,
}
NOT_ANSWERED = {"status_code": 0, "code": None, "message": "", "retry_after": None, "body": ""}
NOTHING_MORE: dict[type[DeerAPIError], dict[str, object]] = {
    APIResponseValidationError: {"body": ""},
    DownloadError: {"path": None, "received": 0, "expected": None},
}


@pytest.mark.parametrize("kind", EXTRAS, ids=lambda kind: kind.__name__)
def test_an_error_can_be_made_without_arguments(kind: type[DeerAPIError]) -> None:
    error = pickle.loads(pickle.dumps(kind()))
    more = NOT_ANSWERED if issubclass(kind, APIStatusError) else NOTHING_MORE.get(kind, {})
    expected = NOT_KNOWN | more
    assert {name: getattr(error, name) for name in expected} == expected
    assert (error.args, repr(error)) == (("",), f"{kind.__name__}('')")


def told(error: DeerAPIError) -> dict[str, object]:
    """Every attribute of an error, a video with what does not count when videos are compared."""
    names = [name for name in dir(error) if not name.startswith("_") and name not in ("args", "characters_written")]
    public = {name: getattr(error, name) for name in names}
    known = {name: value for name, value in public.items() if not callable(value)}
    return known | {"video": error.video and error.video.to_dict(), "text": str(error)}


@pytest.mark.parametrize(("kind", "extra"), EXTRAS.items(), ids=lambda value: getattr(value, "__name__", ""))
@pytest.mark.parametrize("context", [CONTEXT, {}], ids=["full", "empty"])
def test_args_are_ready_for_json_and_enough_to_make_the_error_again(
    kind: type[DeerAPIError], extra: dict[str, Any], context: dict[str, Any]
) -> None:
    """Task queues carry errors so."""
    error = kind("what happened", **context, **(extra if context else {}))
    for args in (error.args, json.loads(json.dumps(error.args))):
        again = kind(*args)
        assert (type(again), told(again), again.args) == (kind, told(error), error.args)


RAISED: dict[str, tuple[list[Step], Callable[[RemixClient, Path], object]]] = {
    **{name: ([step], lambda client, _: client.remix("video_123", prompt="x")) for name, step in FAILURES.items()},
    "job in an error": (
        [Answer(502, {"id": "video_456", "status": "queued", "note": "\ud83d"}, {"Retry-After": "7"})],
        lambda client, _: client.remix("video_123", prompt="x"),
    ),
    "failed job": (
        [Answer(200, {"id": "video_123", "status": "failed", "error": {"code": "c", "message": "m"}})],
        lambda client, _: client.wait("video_123"),
    ),
    "deadline": (
        [Answer(200, {"id": "video_123", "status": "queued"})],
        lambda client, _: client.wait("video_123", timeout=10),
    ),
    "no file": ([Answer(200, {"error": "no"})], lambda client, path: client.download("video_123", path)),
    "file too long": (
        [Answer(200, b"abc", {"Content-Type": "video/mp4", "Content-Length": "2"})],
        lambda client, path: client.download("video_123", path),
    ),
    "job whose file is gone": (
        [Answer(200, {"id": "video_456", "status": "completed"}), Answer(410)],
        lambda client, path: client.remix_to_file("video_123", path, prompt="x"),
    ),
}


@pytest.mark.parametrize(("steps", "call"), RAISED.values(), ids=RAISED)
def test_the_args_of_every_error_that_is_raised_make_it_again(
    connect: Twin, target: Path, steps: list[Step], call: Callable[[RemixClient, Path], object]
) -> None:
    client, _ = connect(*steps, retry=ONCE)
    error = failure(DeerAPIError, call, client, target)
    again = type(error)(*json.loads(json.dumps(error.args)))
    assert told(again) == told(error)


def test_job_id_is_that_of_the_new_job_and_nothing_else(connect: Twin, target: Path) -> None:
    refused, queued = Answer(400), Answer(200, {"id": "video_456", "status": "queued"})
    client, _ = connect(refused, refused, refused, queued, Answer(401))
    for error in (
        failure(DeerAPIError, client.remix, "video_123", prompt="x"),
        failure(DeerAPIError, client.retrieve, "video_123"),
        failure(DeerAPIError, client.download, "video_123", target),
    ):
        assert (error.job_id, error.video_id) == (None, "video_123")
    error = failure(DeerAPIError, client.remix_to_file, "video_123", target, prompt="x")
    assert (error.job_id, error.video_id) == ("video_456", "video_456")


# What an error says


NOT_COMPLETED = Answer(400, {"error": {"message": "Task is not completed yet", "code": "invalid_request"}})
NO_MODEL = Answer(503, {"error": {"message": "No channel", "code": "model_not_found"}})
NOT_AVAILABLE = Answer(503, {"error": {"message": "No channel", "code": "model_not_available"}})
MONEY = [Answer(402), *(Answer(403, {"error": {"code": code}}) for code in ("insufficient_user_quota", "balance_low"))]
TYPED = Answer(403, {"error": {"message": "pay first", "type": "billing_error", "code": None}})


@pytest.mark.parametrize("answer", [*MONEY, TYPED], ids=["402", "quota", "balance", "type"])
def test_want_of_money_has_an_error_of_its_own(connect: Twin, answer: Answer) -> None:
    client, wire = connect(answer)
    error = failure(InsufficientQuotaError, client.remix, "video_123", prompt="x")
    assert (error.may_have_been_charged, error.retryable, len(wire.requests)) == (False, False, 1)


def test_any_other_403_is_no_want_of_money(connect: Twin) -> None:
    client, _ = connect(Answer(403, {"error": {"message": "your quota page is closed", "code": "forbidden"}}))
    error = failure(PermissionDeniedError, client.remix, "video_123", prompt="x")
    assert type(error) is PermissionDeniedError


@pytest.mark.parametrize("answer", [NO_MODEL, NOT_AVAILABLE], ids=["not found", "not available"])
def test_a_model_that_is_not_served_is_not_asked_for_again(connect: Twin, answer: Answer) -> None:
    client, wire = connect(answer)
    error = failure(InternalServerError, client.remix, "video_123", prompt="x", model="nope")
    assert (error.may_have_been_charged, error.retryable, len(wire.requests)) == (False, False, 1)
    assert "models()" in str(error)


def test_a_file_that_is_not_there_yet_is_worth_waiting_for(connect: Twin, target: Path) -> None:
    client, _ = connect(NOT_COMPLETED)
    text = str(failure(BadRequestError, client.download, "video_123", target))
    assert "wait" in text.lower()
    assert "Change the request" not in text


@pytest.mark.parametrize(("base_url", "named"), [("https://gate.example/v1", "/v1"), ("https://gate.example", "gate")])
def test_a_list_of_models_that_is_not_there_is_a_matter_of_the_base_url(
    connect: Twin, base_url: str, named: str
) -> None:
    client, _ = connect(Answer(404), base_url=base_url)
    text = str(failure(NotFoundError, client.models))
    assert "base URL" in text
    assert named in text


# What FastAPI answers to a request that breaks its schema, and what is told of it.
DETAILS: dict[str, tuple[object, str]] = {
    "text": ("Not enough credits", "Not enough credits"),
    "place and problem": ([{"loc": ["body", "prompt"], "msg": "too long", "type": "x"}], "body.prompt: too long"),
    "a place of numbers": ([{"loc": ["body", 0, 1], "msg": "too long"}], "body.0.1: too long"),
    "several": ([{"loc": ["a"], "msg": "one"}, {"loc": ["b"], "msg": "two"}], "a: one; b: two"),
    "no place": ([{"msg": "too long"}], "too long"),
    "empty place": ([{"loc": [], "msg": "too long"}], "too long"),
    "a place that is no list": ([{"loc": "body", "msg": "too long"}], "too long"),
    "a number as problem": ([{"msg": 7}], "7"),
    "some without a problem": ([{"loc": ["a"]}, {"msg": " "}, "x", None, {"msg": "too long"}], "too long"),
    "none with a problem": ([{"loc": ["a"]}, "x"], responses[422]),
    "object": ({"message": "inside", "code": "c"}, "inside"),
}


@pytest.mark.parametrize(("detail", "told"), DETAILS.values(), ids=DETAILS)
def test_detail_is_the_message(connect: Twin, detail: object, told: str) -> None:
    client, _ = connect(Answer(422, {"detail": detail}))
    error = failure(BadRequestError, client.remix, "video_123", prompt="x")
    assert error.message == told
    assert told in str(error)


def test_the_call_id_of_a_gateway_is_a_request_id(connect: Twin) -> None:
    client, _ = connect(Answer(400, b"", {"x-litellm-call-id": "call-1"}))
    assert failure(BadRequestError, client.remix, "video_123", prompt="x").request_id == "call-1"


def test_the_request_id_is_told_once(connect: Twin) -> None:
    client, _ = connect(Answer(400, {"message": "bad (request id: req-2)"}, {"X-Oneapi-Request-Id": "req-2"}))
    assert str(failure(BadRequestError, client.remix, "video_123", prompt="x")).count("req-2") == 1


@pytest.mark.parametrize(("steps", "call"), RAISED.values(), ids=RAISED)
def test_every_error_reads_as_sentences(
    connect: Twin, target: Path, steps: list[Step], call: Callable[[RemixClient, Path], object]
) -> None:
    client, _ = connect(*steps, retry=ONCE)
    text = str(failure(DeerAPIError, call, client, target))
    assert text.endswith((".", "!", "?"))
    assert not re.search(r"\.\.|[.:] ?[.:]|  |\(\)|: \(|\) [A-Z]", text), text


def test_a_port_on_which_nothing_listens_is_named(connect: Twin) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = connect.own(base_url=f"http://127.0.0.1:{port}", retry=ONCE)
    text = str(failure(APIConnectionError, client.models))
    client.close()
    assert f"127.0.0.1:{port}" in text


def test_a_closed_client_says_nothing_of_attempts(connect: Twin) -> None:
    client, _ = connect(Answer(200))
    client.close()
    error = failure(ConfigurationError, client.retrieve, "video_123")
    assert (error.attempts, "attempts" in str(error)) == (0, False)


@pytest.mark.parametrize("asked", [1, 2])
def test_an_attempt_for_which_there_is_no_key_is_none(connect: Twin, asked: int) -> None:
    keys = iter(["sk-0123456789"] * (asked - 1) + [""])
    client, wire = connect(Answer(503), api_key=lambda: next(keys), retry=RetryPolicy(initial_delay=0.0))
    error = failure(ConfigurationError, client.retrieve, "video_123")
    assert error.attempts == len(wire.requests) == asked - 1


def test_a_base_url_that_is_too_long_is_told_before_anything_is_sent(connect: Twin) -> None:
    client, wire = connect(Answer(200), base_url="https://api.test/" + "p" * 65_510)
    error = failure(APIConnectionError, client.remix, "video_123", prompt="x")
    assert (error.may_have_been_charged, error.retryable, wire.requests) == (False, False, [])
    assert str(error).startswith("remix: the request was not sent: InvalidURL: ")


def test_a_missing_folder_is_named_and_no_part_file(connect: Twin, tmp_path: Path) -> None:
    client, _ = connect(Answer(200))
    error = failure(FileNotFoundError, client.download, "video_123", tmp_path / "missing" / "bow.mp4")
    assert "missing" in str(error)
    assert ".part" not in str(error)

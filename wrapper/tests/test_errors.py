"""The errors: which one comes, what it tells, and what it never shows."""

from __future__ import annotations

import copy
import pickle
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

import deerapi_remix
from deerapi_remix import (
    APIConnectionError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
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
    RemixFailedError,
    RetryPolicy,
    Video,
    VideoError,
    WaitTimeoutError,
)

from .wire import Answer, Pieces, Step, Twin, failure

pytestmark = pytest.mark.usefixtures("clock")

ONCE = RetryPolicy(attempts=1)
# The hierarchy

BASES: dict[type[DeerAPIError], tuple[type, ...]] = {
    DeerAPIError: (Exception,),
    ConfigurationError: (DeerAPIError, ValueError),
    APIConnectionError: (DeerAPIError,),
    APITimeoutError: (APIConnectionError, TimeoutError),
    APIStatusError: (DeerAPIError,),
    BadRequestError: (APIStatusError,),
    AuthenticationError: (APIStatusError,),
    PermissionDeniedError: (APIStatusError,),
    InsufficientQuotaError: (PermissionDeniedError,),
    NotFoundError: (APIStatusError,),
    ConflictError: (APIStatusError,),
    RateLimitError: (APIStatusError,),
    InternalServerError: (APIStatusError,),
    APIResponseValidationError: (DeerAPIError,),
    RemixFailedError: (DeerAPIError,),
    WaitTimeoutError: (DeerAPIError, TimeoutError),
    DownloadError: (DeerAPIError,),
}


@pytest.mark.parametrize(("error", "bases"), BASES.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_an_error_has_the_documented_bases(error: type[Exception], bases: tuple[type, ...]) -> None:
    assert error.__bases__ == bases


def test_no_other_error_is_public() -> None:
    public = {
        value
        for name in deerapi_remix.__all__
        if isinstance(value := getattr(deerapi_remix, name), type) and issubclass(value, BaseException)
    }
    assert public == set(BASES)


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
            while True:
                pulled.append(1024)
                yield b"x" * 1024

    client, _ = connect(Answer(400, Endless()))
    with pytest.raises(BadRequestError):
        client.remix("video_123", prompt="x")
    assert 64 * 1024 <= sum(pulled) <= 66 * 1024


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


def test_a_redirect_that_httpx_cannot_read_may_hide_a_charge(connect: Twin) -> None:
    """httpx raises before it shows the status: what the server did with the submit is not known."""
    client, wire = connect(Answer(302, b"", {"Location": "javascript:alert(1)"}))
    error = failure(APIConnectionError, client.remix, "video_123", prompt="x")
    assert (error.may_have_been_charged, error.retryable, len(wire.requests)) == (True, False, 1)


def test_a_url_that_is_too_long_was_never_sent(connect: Twin) -> None:
    client, wire = connect(Answer(200))
    with pytest.raises(APIConnectionError, match="was not sent") as caught:
        client.remix("v" * 100_000, prompt="x")
    assert (caught.value.may_have_been_charged, caught.value.retryable, len(wire.requests)) == (False, False, 0)


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
}
ANSWERED = {"status_code": 418, "code": "c", "message": "m", "retry_after": 1.5, "body": "b"}
EXTRAS: dict[type[DeerAPIError], dict[str, Any]] = {
    **{kind: {} for kind in BASES},
    **{kind: ANSWERED for kind in BASES if issubclass(kind, APIStatusError)},
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


@pytest.mark.parametrize("kind", EXTRAS, ids=lambda kind: kind.__name__)
def test_an_error_can_be_made_without_arguments(kind: type[DeerAPIError]) -> None:
    error = pickle.loads(pickle.dumps(kind()))
    assert (error.request_id, error.attempts, error.may_have_been_charged, error.retryable, error.video) == (
        None,
        0,
        False,
        False,
        None,
    )

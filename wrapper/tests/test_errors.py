"""The errors: which one comes, what it tells, and what it never shows."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import ssl
import time
import traceback
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

from .conftest import KEY, Clock
from .wire import Answer, Pieces, Step, Twin

ONCE = RetryPolicy(attempts=1)
JSON = {"Content-Type": "application/json"}

# The hierarchy

BASES: dict[type[Exception], tuple[type, ...]] = {
    DeerAPIError: (Exception,),
    ConfigurationError: (DeerAPIError, ValueError),
    APIConnectionError: (DeerAPIError,),
    APITimeoutError: (APIConnectionError, TimeoutError),
    APIStatusError: (DeerAPIError,),
    BadRequestError: (APIStatusError,),
    AuthenticationError: (APIStatusError,),
    PermissionDeniedError: (APIStatusError,),
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
    400: "BadRequestError",
    401: "AuthenticationError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    409: "ConflictError",
    422: "BadRequestError",
    429: "RateLimitError",
}


@pytest.mark.parametrize("status", [*range(300, 600), 600, 666, 700, 999])
def test_every_status_other_than_2xx_has_its_class(connect: Twin, status: int) -> None:
    client, _ = connect(Answer(status), retry=ONCE)
    with pytest.raises(APIStatusError) as caught:
        client.retrieve("video_456")
    other = "InternalServerError" if 500 <= status <= 599 else "APIStatusError"
    assert (type(caught.value).__name__, caught.value.status_code) == (CLASS_OF_STATUS.get(status, other), status)


# Code, message and request ID

HTML_502 = b"""<html>
<head><title>502 Bad Gateway</title></head>
<body><center><h1>502 Bad Gateway</h1></center><hr><center>cloudflare</center></body>
</html>"""

# Status, body, headers; then code, message, request ID.
SHAPES: dict[str, tuple[int, bytes, dict[str, str], str | None, str, str | None]] = {
    "nested": (
        400,
        b'{"error": {"message": "prompt is required", "type": "invalid_request_error", "code": "invalid_request"}}',
        {},
        "invalid_request",
        "prompt is required",
        None,
    ),
    "flat": (
        400,
        b'{"code": "task_not_exist", "message": "task_not_exist", "data": null}',
        {},
        "task_not_exist",
        "task_not_exist",
        None,
    ),
    "balance": (
        403,
        b'{"error": {"message": "balance too low (request id: 2025AbC)", "code": "insufficient_user_quota"}}',
        {},
        "insufficient_user_quota",
        "balance too low (request id: 2025AbC)",
        "2025AbC",
    ),
    "number as code": (400, b'{"code": 1002, "message": "bad"}', {}, "1002", "bad", None),
    "zero as code": (400, b'{"code": 0, "message": "bad"}', {}, "0", "bad", None),
    "boolean as code": (400, b'{"code": false, "message": "bad"}', {}, None, "bad", None),
    "null code": (400, b'{"error": {"code": null, "message": "bad"}}', {}, None, "bad", None),
    "blank code": (400, b'{"error": {"code": " ", "message": "bad"}}', {}, None, "bad", None),
    "error is text": (400, b'{"error": "bad"}', {}, None, "bad", None),
    "error is text beside a message": (400, b'{"error": "bad", "message": "worse"}', {}, None, "bad", None),
    "error is text beside a code": (400, b'{"error": "bad", "code": 7}', {}, "7", "bad", None),
    "error is null": (400, b'{"error": null, "code": "c", "message": "bad"}', {}, "c", "bad", None),
    "error is a list": (400, b'{"error": ["bad"], "message": "worse"}', {}, None, "worse", None),
    "message is null": (404, b'{"error": {"message": null, "code": "gone"}}', {}, "gone", "Not Found", None),
    "message is blank": (404, b'{"message": "  "}', {}, None, "Not Found", None),
    "message is an object": (404, b'{"message": {"a": 1}}', {}, None, "Not Found", None),
    "empty object": (404, b"{}", {}, None, "Not Found", None),
    "list": (404, b"[]", {}, None, "Not Found", None),
    "list of errors": (404, b'[{"message": "bad"}]', {}, None, "Not Found", None),
    "null": (404, b"null", {}, None, "null", None),
    "text in JSON": (404, b'"no such video"', {}, None, '"no such video"', None),
    "page": (502, HTML_502, {"Content-Type": "text/html"}, None, "502 Bad Gateway", None),
    "page without a title": (502, b"<html><body>oops</body></html>", {}, None, "Bad Gateway", None),
    "plain": (500, b"upstream connect error\n  or disconnect", {}, None, "upstream connect error or disconnect", None),
    "error code: 520": (520, b"error code: 520", {}, None, "error code: 520", None),
    "empty": (503, b"", {}, None, "Service Unavailable", None),
    "spaces": (503, b" \r\n ", {}, None, "Service Unavailable", None),
    "unknown status": (530, b"", {}, None, "Unknown Status", None),
    "broken": (500, b'{"error": {"message": "bad', {}, None, "Internal Server Error", None),
    "not UTF-8": (500, b"\xff\xfe", {}, None, "\ufffd\ufffd", None),
    "byte order mark": (400, b'\xef\xbb\xbf{"code": "c", "message": "bad"}', {}, "c", "bad", None),
    "X-Oneapi-Request-Id": (500, b"", {"X-Oneapi-Request-Id": "req-1"}, None, "Internal Server Error", "req-1"),
    "x-oneapi-request-id": (500, b"", {"x-oneapi-request-id": "req-1"}, None, "Internal Server Error", "req-1"),
    "X-Request-Id": (500, b"", {"X-Request-Id": "req-1"}, None, "Internal Server Error", "req-1"),
    "request-id": (500, b"", {"request-id": "req-1"}, None, "Internal Server Error", "req-1"),
    "all three headers": (
        500,
        b"",
        {"request-id": "req-3", "X-Request-Id": "req-2", "X-Oneapi-Request-Id": "req-1"},
        None,
        "Internal Server Error",
        "req-1",
    ),
    "blank header": (
        500,
        b"",
        {"X-Oneapi-Request-Id": " ", "X-Request-Id": " req-2 "},
        None,
        "Internal Server Error",
        "req-2",
    ),
    "header before message": (
        500,
        b'{"message": "bad (request id: req-2)"}',
        {"X-Oneapi-Request-Id": "req-1"},
        None,
        "bad (request id: req-2)",
        "req-1",
    ),
    "request id in plain text": (500, b"bad (request id: req-2)", {}, None, "bad (request id: req-2)", "req-2"),
    "Request ID in capitals": (500, b"bad (Request ID:req-2 )", {}, None, "bad (Request ID:req-2 )", "req-2"),
    "nothing in brackets": (500, b"bad (request id: )", {}, None, "bad (request id: )", None),
}


@pytest.mark.parametrize(("status", "body", "headers", "code", "message", "request_id"), SHAPES.values(), ids=SHAPES)
def test_code_message_and_request_id_are_read_from_every_shape(
    connect: Twin,
    status: int,
    body: bytes,
    headers: dict[str, str],
    code: str | None,
    message: str,
    request_id: str | None,
) -> None:
    client, _ = connect(Answer(status, body, headers), retry=ONCE)
    with pytest.raises(APIStatusError) as caught:
        client.retrieve("video_456")
    error = caught.value
    assert (error.code, error.message, error.request_id) == (code, message, request_id)


def test_the_text_of_an_error_tells_what_support_needs(connect: Twin) -> None:
    body = {"error": {"message": "balance too low", "code": "insufficient_user_quota"}}
    client, _ = connect(Answer(403, body, {"X-Oneapi-Request-Id": "req-1"}))
    with pytest.raises(PermissionDeniedError) as caught:
        client.remix("video_123", prompt="x")
    for fact in ("remix", "403", "balance too low", "insufficient_user_quota", "video_123", "req-1"):
        assert fact in str(caught.value)


def test_the_text_of_an_error_says_so_where_money_may_be_lost(connect: Twin) -> None:
    client, _ = connect(httpx.ReadTimeout("timed out"))
    with pytest.raises(APITimeoutError, match="may have been accepted and charged"):
        client.remix("video_123", prompt="x")


def test_the_text_of_an_error_does_not_cry_wolf(connect: Twin) -> None:
    client, _ = connect(httpx.ConnectError("refused"), retry=ONCE)
    with pytest.raises(APIConnectionError) as caught:
        client.remix("video_123", prompt="x")
    assert "charged" not in str(caught.value)


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
    with pytest.raises(BadRequestError) as caught:
        client.remix("video_123", prompt="x")
    assert caught.value.body == shown


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


# The id


@pytest.mark.parametrize(
    "step",
    [Answer(400), Answer(503), Answer(200), httpx.ConnectError("refused"), httpx.ReadTimeout("timed out")],
    ids=["400", "503", "nothing", "refused", "timeout"],
)
def test_every_error_tells_the_id_that_was_passed(connect: Twin, step: Step) -> None:
    client, _ = connect(step, retry=ONCE)
    calls: list[Callable[[], object]] = [
        lambda: client.remix("video_123", prompt="x"),
        lambda: client.retrieve("video_123"),
    ]
    for call in calls:
        with pytest.raises(DeerAPIError) as caught:
            call()
        assert (caught.value.video_id, caught.value.video) == ("video_123", None)


def test_an_error_about_no_video_tells_no_id(connect: Twin) -> None:
    client, _ = connect(Answer(401))
    with pytest.raises(AuthenticationError) as caught:
        client.models()
    assert caught.value.video_id is None


def test_a_download_that_fails_tells_the_id(connect: Twin, tmp_path: Path) -> None:
    client, _ = connect(Answer(404))
    with pytest.raises(NotFoundError) as caught:
        client.download("video_456", tmp_path / "bow.mp4")
    assert caught.value.video_id == "video_456"


# httpx stays within

HTTPX_ERRORS = [
    httpx.ConnectError("x"),
    httpx.ConnectTimeout("x"),
    httpx.PoolTimeout("x"),
    httpx.ReadError("x"),
    httpx.ReadTimeout("x"),
    httpx.WriteError("x"),
    httpx.WriteTimeout("x"),
    httpx.CloseError("x"),
    httpx.ProxyError("x"),
    httpx.UnsupportedProtocol("x"),
    httpx.LocalProtocolError("x"),
    httpx.RemoteProtocolError("x"),
    httpx.DecodingError("x"),
    httpx.TooManyRedirects("x"),
    httpx.InvalidURL("x"),
    httpx.CookieConflict("x"),
    httpx.StreamError("x"),
    httpx.StreamConsumed(),
    httpx.StreamClosed(),
    httpx.ResponseNotRead(),
    # What httpx lets through.
    ssl.SSLError("x"),
    UnicodeError("x"),
]


@pytest.mark.parametrize("step", HTTPX_ERRORS, ids=lambda error: type(error).__name__)
def test_an_httpx_error_is_the_cause_and_never_raised(connect: Twin, step: Exception) -> None:
    client, _ = connect(step, retry=ONCE)
    with pytest.raises(APIConnectionError) as caught:
        client.remix("video_123", prompt="x")
    assert caught.value.__cause__ is step


@pytest.mark.parametrize("step", HTTPX_ERRORS, ids=lambda error: type(error).__name__)
def test_an_httpx_error_in_the_body_is_the_cause_and_never_raised(connect: Twin, step: Exception) -> None:
    client, _ = connect(Answer(200, Pieces(b'{"id', step)), retry=ONCE)
    with pytest.raises(APIConnectionError) as caught:
        client.remix("video_123", prompt="x")
    assert caught.value.__cause__ is step


@pytest.mark.parametrize("status", [301, 302, 307])
@pytest.mark.parametrize("location", ["", "http://[", "//", "https://a b", "ftp://a/b"], ids=ascii)
def test_a_redirect_to_nonsense_is_a_plain_error(connect: Twin, status: int, location: str) -> None:
    client, wire = connect(Answer(status, b"", {"Location": location}))
    with pytest.raises(APIStatusError) as caught:
        client.remix("video_123", prompt="x")
    assert (caught.value.status_code, len(wire.requests)) == (status, 1)


def test_a_redirect_that_httpx_cannot_read_may_hide_a_charge(connect: Twin) -> None:
    """httpx raises before it shows the status: what the server did with the submit is not known."""
    client, wire = connect(Answer(302, b"", {"Location": "javascript:alert(1)"}))
    with pytest.raises(APIConnectionError) as caught:
        client.remix("video_123", prompt="x")
    assert (caught.value.may_have_been_charged, caught.value.retryable, len(wire.requests)) == (True, False, 1)


def test_a_url_that_is_too_long_was_never_sent(connect: Twin) -> None:
    client, wire = connect(Answer(200))
    with pytest.raises(APIConnectionError, match="was not sent") as caught:
        client.remix("v" * 100_000, prompt="x")
    assert (caught.value.may_have_been_charged, caught.value.retryable, len(wire.requests)) == (False, False, 0)


@pytest.mark.parametrize("value", [b"caf\xe9", "café".encode(), b"\xff\xfe"], ids=ascii)
@pytest.mark.parametrize("status", [200, 400, 502])
def test_a_header_that_is_not_ascii_breaks_nothing(connect: Twin, status: int, value: bytes) -> None:
    client, _ = connect(Answer(status, b"", {"X-Message": value, "X-Request-Id": "req-1"}))
    with pytest.raises(DeerAPIError) as caught:
        client.remix("video_123", prompt="x")
    assert caught.value.request_id == "req-1"


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
    DeerAPIError: {},
    ConfigurationError: {},
    APIConnectionError: {},
    APITimeoutError: {},
    APIStatusError: ANSWERED,
    BadRequestError: ANSWERED,
    AuthenticationError: ANSWERED,
    PermissionDeniedError: ANSWERED,
    NotFoundError: ANSWERED,
    ConflictError: ANSWERED,
    RateLimitError: ANSWERED,
    InternalServerError: ANSWERED,
    APIResponseValidationError: {"body": "b"},
    RemixFailedError: {},
    WaitTimeoutError: {},
    DownloadError: {"path": Path("bow.mp4"), "received": 5, "expected": 9},
}


def through_pickle(protocol: int) -> Any:
    return lambda error: pickle.loads(pickle.dumps(error, protocol))


@pytest.mark.parametrize(
    "clone",
    [*[through_pickle(protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)], copy.copy, copy.deepcopy],
    ids=[*[f"pickle {protocol}" for protocol in range(pickle.HIGHEST_PROTOCOL + 1)], "copy", "deepcopy"],
)
@pytest.mark.parametrize(("kind", "extra"), EXTRAS.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_an_error_survives_pickling_with_all_that_it_tells(
    clone: Any, kind: type[DeerAPIError], extra: dict[str, Any]
) -> None:
    error = kind("what happened", **CONTEXT, **extra)
    error.add_note("a note")
    copied = clone(error)
    assert type(copied) is kind
    assert {name: getattr(copied, name) for name in CONTEXT | extra} == CONTEXT | extra
    assert (str(copied), copied.args, copied.__notes__) == (str(error), ("what happened",), ["a note"])
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


@pytest.mark.parametrize(
    "step",
    [Answer(400), Answer(503), Answer(200), httpx.ConnectError("refused"), httpx.ReadTimeout("timed out")],
    ids=["400", "503", "nothing", "refused", "timeout"],
)
def test_an_error_that_was_raised_pickles(connect: Twin, step: Step) -> None:
    client, _ = connect(step, retry=ONCE)
    with pytest.raises(DeerAPIError) as caught:
        client.remix("video_123", prompt="x")
    copied = pickle.loads(pickle.dumps(caught.value))
    assert (str(copied), vars(copied)) == (str(caught.value), vars(caught.value))


# The key

# With everything that JSON may escape.
ODD_KEY = "sk-A/b&c<d>\"e'f\\g+h=i\u007ej"


def escaped(key: str, escape: str) -> str:
    return "".join(escape.format(ord(character)) for character in key)


ECHOES: dict[str, Any] = {
    "nested message": lambda key: Answer(401, {"error": {"message": f"Incorrect API key provided: {key}."}}),
    "flat message": lambda key: Answer(401, {"code": "x", "message": f"key {key}"}),
    "code": lambda key: Answer(401, {"code": key, "message": "no"}),
    "name of a field": lambda key: Answer(401, {key: key}),
    "plain text": lambda key: Answer(401, f"unknown key {key}".encode()),
    "page": lambda key: Answer(403, f"<html><title>{key}</title>{key}</html>".encode()),
    "whole header": lambda key: Answer(400, f"Authorization: Bearer {key}".encode()),
    "twice": lambda key: Answer(400, f"{key}{key}".encode()),
    "after a slash was escaped": lambda key: Answer(400, json.dumps({"message": key}).replace("/", "\\/").encode()),
    "escaped as Go does": lambda key: Answer(
        400,
        json.dumps({"message": key}).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e").encode(),
    ),
    "escaped throughout": lambda key: Answer(400, f'{{"message":"{escaped(key, chr(92) + "u{:04x}")}"}}'.encode()),
    "escaped in capitals": lambda key: Answer(400, f'{{"message":"{escaped(key, chr(92) + "u{:04X}")}"}}'.encode()),
    "request ID in a header": lambda key: Answer(400, b"", {"X-Oneapi-Request-Id": key}),
    "request ID in a message": lambda key: Answer(400, f"bad (request id: {key})".encode()),
    "status 500": lambda key: Answer(500, {"message": key}),
    "status 200, a page": lambda key: Answer(200, f"<html>{key}</html>".encode()),
    "status 200, no id": lambda key: Answer(200, {"message": key, key: [key, {"a": key}]}),
    "status 200, broken": lambda key: Answer(200, f'{{"message": "{key}'.encode()),
    "status 200, another id": lambda key: Answer(200, {"id": key}),
    "status 200, type": lambda key: Answer(200, {"id": "video_123"}, {"Content-Type": f"text/{key}"}),
    "status 200, type alone": lambda key: Answer(200, b"", {"Content-Type": key}),
    "status 200, cut off": lambda key: Answer(200, Pieces(f"{key} {key}".encode(), httpx.ReadError("reset"))),
    "status line": lambda key: httpx.RemoteProtocolError(f"illegal status line: bytearray(b'HTTP/1.1 {key}')"),
    "header line": lambda key: httpx.RemoteProtocolError(f"illegal header line: bytearray(b'{key}')"),
    "proxy": lambda key: httpx.ProxyError(f"403 {key}"),
}


def everything_shown(error: BaseException, caplog: pytest.LogCaptureFixture) -> str:
    """All that a log, a debugger or a pickle would show of an error."""
    shown = [str(error), repr(error), repr(vars(error)), repr(pickle.dumps(error)), caplog.text]
    shown += traceback.format_exception(error)
    return "\n".join(shown)


@pytest.mark.parametrize("key", [KEY, ODD_KEY], ids=["plain", "odd"])
@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
def test_no_error_shows_the_key_even_if_the_server_echoes_it(
    connect: Twin, clock: Clock, caplog: pytest.LogCaptureFixture, echo: Any, key: str
) -> None:
    caplog.set_level(logging.DEBUG, "deerapi_remix")
    client, _ = connect(echo(key), api_key=key, retry=ONCE, strict=True)
    calls: list[Callable[[], object]] = [
        lambda: client.remix("video_123", prompt="x"),
        lambda: client.retrieve("video_123"),
    ]
    for call in calls:
        with pytest.raises(DeerAPIError) as caught:
            call()
        shown = everything_shown(caught.value, caplog)
        assert key not in shown
        assert repr(key)[1:-1] not in shown
        assert getattr(caught.value, "message", "") != key


@pytest.mark.parametrize("key", [KEY, ODD_KEY], ids=["plain", "odd"])
def test_a_failed_job_does_not_show_the_key(
    connect: Twin, clock: Clock, caplog: pytest.LogCaptureFixture, key: str
) -> None:
    body = {"id": "video_456", "status": "failed", "error": {"code": key, "message": f"key {key}"}, "size": key}
    client, _ = connect(Answer(200, body, {"X-Request-Id": key}), api_key=key)
    with pytest.raises(RemixFailedError) as caught:
        client.wait("video_456")
    assert caught.value.video is not None
    assert key not in everything_shown(caught.value, caplog) + repr(caught.value.video.raw)
    assert caught.value.video.error == VideoError("***", "key ***")


def test_a_download_error_does_not_show_the_key(
    connect: Twin, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    client, _ = connect(Answer(200, {"message": KEY}, {"Content-Type": f"text/{KEY}"}))
    with pytest.raises(DownloadError) as caught:
        client.download("video_456", tmp_path / "bow.mp4")
    assert KEY not in everything_shown(caught.value, caplog)


def test_a_redacted_message_still_tells_the_rest(connect: Twin) -> None:
    client, _ = connect(Answer(401, {"error": {"message": f"Incorrect API key provided: {KEY}."}}))
    with pytest.raises(AuthenticationError) as caught:
        client.remix("video_123", prompt="x")
    assert caught.value.message == "Incorrect API key provided: ***."


def test_a_redacted_cause_is_still_of_its_class(connect: Twin) -> None:
    client, _ = connect(httpx.RemoteProtocolError(f"illegal status line: {KEY}"), retry=ONCE)
    with pytest.raises(APIConnectionError) as caught:
        client.remix("video_123", prompt="x")
    assert repr(caught.value.__cause__) == "RemoteProtocolError('illegal status line: ***')"

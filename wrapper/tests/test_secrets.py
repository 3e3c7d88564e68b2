"""The key is in nothing that a program may show, write or send elsewhere, whatever goes wrong."""

from __future__ import annotations

import asyncio
import html
import json
import logging
import pickle
import time
import traceback
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

import deerapi_remix
from deerapi_remix import (
    APIConnectionError,
    APIResponseValidationError,
    APIStatusError,
    AsyncRemixClient,
    ConfigurationError,
    DeerAPIError,
    DownloadError,
    Event,
    RemixClient,
    RemixFailedError,
    RetryPolicy,
    WaitTimeoutError,
)

from .conftest import KEY, Loopback
from .wire import Answer, Pieces, Step, Twin, failure

PACKAGE = str(Path(deerapi_remix.__file__).parent)
ONCE = RetryPolicy(attempts=1)
# As a string of JSON may spell it.
SMALL, CAPITAL = "\\u{:04x}", "\\u{:04X}"
SPELLED = "".join(SMALL.format(ord(character)) for character in KEY)
FAILED = RemixFailedError


def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def texts(value: object, seen: set[int] | None = None) -> Iterator[str]:
    """Every string that `vars()`, slots and containers lead to, from objects of this package."""
    seen = set() if seen is None else seen
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, str | bytes):
        yield value.decode("latin-1") if isinstance(value, bytes | bytearray) else value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from texts(name, seen)
            yield from texts(item, seen)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from texts(item, seen)
    elif type(value).__module__.startswith("deerapi_remix"):
        names = {*getattr(value, "__dict__", {}), *getattr(type(value), "__slots__", ())}
        for name in names:
            yield from texts(getattr(value, name, None), seen)


def shown(error: BaseException) -> str:
    """All that a log, a debugger or an error tracker would show of `error`, its causes and our frames."""
    parts = [*traceback.TracebackException.from_exception(error).format(chain=True)]
    for each in chain(error):
        parts += [str(each), repr(each), repr(each.args), repr(vars(each)), *texts(each)]
        parts += getattr(each, "__notes__", [])
        if isinstance(each, DeerAPIError):
            parts.append(pickle.dumps(each).decode("latin-1"))
        for frame in traceback.TracebackException.from_exception(each, capture_locals=True).stack:
            if frame.filename.startswith(PACKAGE):
                parts += (frame.locals or {}).values()
        for walked, _ in traceback.walk_tb(each.__traceback__):
            if walked.f_code.co_filename.startswith(PACKAGE):
                parts += texts(dict(walked.f_locals))
    return "\n".join(parts)


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """Everything that any logger told, at the lowest level, with arguments and tracebacks."""
    caplog.set_level(logging.DEBUG)

    def tell() -> str:
        return "\n".join([caplog.text, *(repr(vars(record)) for record in caplog.records)])

    return tell


# Clients


@pytest.mark.parametrize("make", [RemixClient, AsyncRemixClient])
@pytest.mark.parametrize("key", [KEY, lambda: KEY], ids=["string", "function"])
def test_the_key_is_in_no_repr_and_in_nothing_that_vars_leads_to(make: Any, key: Any) -> None:
    client = make(key)
    found = [repr(client), str(client), *texts(client), *map(repr, vars(client).values())]
    assert "https://api.deerapi.com" in found
    assert KEY not in "\n".join(found)


@pytest.mark.parametrize("make", [RemixClient, AsyncRemixClient])
def test_a_client_cannot_be_pickled(make: Any) -> None:
    error = failure((TypeError, AttributeError, pickle.PicklingError), pickle.dumps, make(KEY))
    assert KEY not in str(error)


def test_the_key_is_not_in_the_headers_of_the_httpx_client(connect: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    kind = httpx.Client if connect.kind == "sync" else httpx.AsyncClient
    init = kind.__init__

    def watched(self: Any, *args: Any, **options: Any) -> None:
        init(self, *args, **options)
        made.append(self)

    monkeypatch.setattr(kind, "__init__", watched)
    connect.own(api_key=KEY)
    assert made
    assert KEY not in repr([dict(each.headers) for each in made])
    assert {each.auth for each in made} == {None}


def test_the_key_goes_into_the_authorization_header_alone(connect: Twin) -> None:
    client, wire = connect(Answer(200, {"id": "video_2", "status": "queued"}))
    client.remix("video_1", prompt="Bow")
    request = wire.requests[0]
    assert [name for name, value in request.headers.items() if KEY in value] == ["authorization"]
    assert KEY not in str(request.url)
    assert KEY.encode() not in request.content


# Failures

# With everything that JSON may escape.
ODD_KEY = "sk-A/b&c<d>\"e'f\\g+h=i\u007ej"


def submit(client: Any, _: Path) -> object:
    return client.remix("video_1", prompt="Bow")


def retrieve(client: Any, _: Path) -> object:
    return client.retrieve("video_1")


def download(client: Any, folder: Path) -> object:
    return client.download("video_1", folder / "bow.mp4")


def wait(client: Any, _: Path) -> object:
    return client.wait("video_1", timeout=10)


def remix_to_file(client: Any, folder: Path) -> object:
    return client.remix_to_file("video_1", folder / "bow.mp4", prompt="Bow", timeout=10)


def echo(key: str, status: int = 401, **headers: str) -> Answer:
    body = {"error": {"code": key, "message": f"Invalid key: {key}"}, key: [key]}
    return Answer(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


def text(status: int, body: str, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, body.encode(), headers)


def spelled(key: str, character: str) -> str:
    """The key as a string of JSON may spell it."""
    return "".join(character.format(ord(each)) for each in key)


def in_go(key: str) -> str:
    """JSON as Go escapes it."""
    return json.dumps({"message": key}).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def job(**fields: object) -> Answer:
    return Answer(200, {"id": "video_1", **fields})


def location(url: str) -> Answer:
    return Answer(302, b"", {"Location": url})


def of_type(key: str) -> dict[str, str]:
    return {"Content-Type": f"text/{key}"}


STATUS, CONNECTION, UNREADABLE = APIStatusError, APIConnectionError, APIResponseValidationError
QUOTED = httpx.RemoteProtocolError
Fault = tuple[Callable[[str], Step], type[DeerAPIError], Callable[[Any, Path], object]]

# What comes, given the key, and the error.
FAULTS: dict[str, Fault] = {
    "refused": (lambda key: httpx.ConnectError("refused"), CONNECTION, submit),
    "read timeout": (lambda key: httpx.ReadTimeout("slow"), CONNECTION, submit),
    "reset while writing": (lambda key: httpx.WriteError("reset"), CONNECTION, submit),
    "header line": (lambda key: QUOTED(f"illegal header line: bytearray(b'{key}')"), CONNECTION, submit),
    "status line": (lambda key: QUOTED(f"illegal status line: bytearray(b'HTTP/1.1 {key}')"), CONNECTION, submit),
    "proxy": (lambda key: httpx.ProxyError(f"403 {key}"), CONNECTION, submit),
    "code, message, name and value": (lambda key: echo(key), STATUS, submit),
    "flat message": (lambda key: Answer(401, {"code": "x", "message": f"key {key}"}), STATUS, submit),
    "flat code": (lambda key: Answer(401, {"code": key, "message": "no"}), STATUS, submit),
    "name of a field": (lambda key: Answer(401, {key: key}), STATUS, submit),
    "plain text": (lambda key: text(401, f"unknown key {key}"), STATUS, submit),
    "page": (lambda key: text(403, f"<html><title>{key}</title>{key}</html>"), STATUS, submit),
    "whole header": (lambda key: text(400, f"Authorization: Bearer {key}"), STATUS, submit),
    "twice": (lambda key: text(400, f"{key}{key}"), STATUS, submit),
    "slash escaped": (lambda key: text(400, json.dumps({"message": key}).replace("/", "\\/")), STATUS, submit),
    "escaped as Go does": (lambda key: text(400, in_go(key)), STATUS, submit),
    "escaped": (lambda key: text(400, f'{{"message":"{spelled(key, SMALL)}"}}'), STATUS, submit),
    "escaped in capitals": (lambda key: text(400, f'{{"message":"{spelled(key, CAPITAL)}"}}'), STATUS, submit),
    "request ID in a header": (lambda key: echo(key, 403, X_Request_Id=key), STATUS, submit),
    "gateway's request ID": (lambda key: Answer(400, b"", {"X-Oneapi-Request-Id": key}), STATUS, submit),
    "request ID in a message": (lambda key: text(400, f"bad (request id: {key})"), STATUS, submit),
    "429 with the key to retry after": (lambda key: echo(key, 429, Retry_After=key), STATUS, retrieve),
    "500": (lambda key: Answer(500, {"message": key}), STATUS, retrieve),
    "502 cut off": (lambda key: Answer(502, Pieces(key.encode(), httpx.ReadError("reset"))), STATUS, submit),
    "302 to the key": (lambda key: location(f"https://x.example/{quote(key)}"), STATUS, submit),
    "200, a page": (lambda key: text(200, f"<html>{key}</html>"), UNREADABLE, submit),
    "200, no id": (lambda key: Answer(200, {"message": key, key: [key, {"a": key}]}), UNREADABLE, submit),
    "200, broken": (lambda key: text(200, f'{{"message": "{key}'), UNREADABLE, submit),
    "200, cut off": (lambda key: Answer(200, Pieces(f'{{"k": "{key}'.encode(), QUOTED(key))), CONNECTION, submit),
    "200, another id": (lambda key: Answer(200, {"id": key}), UNREADABLE, retrieve),
    "200 that breaks the contract": (lambda key: job(status=[key], prompt=key), UNREADABLE, retrieve),
    "200 of another type": (lambda key: text(200, '{"id": "video_1"}', of_type(key)), UNREADABLE, retrieve),
    "200 of the key's type": (lambda key: text(200, '{"id": "video_1"}', {"Content-Type": key}), UNREADABLE, submit),
    "a failed job": (lambda key: job(status="failed", error={"code": key, "message": key}), RemixFailedError, wait),
    "a wait without answers": (lambda key: echo(key, 503), WaitTimeoutError, wait),
    "a file in JSON": (lambda key: echo(key, 200), DownloadError, download),
    "a file of a strange type": (lambda key: text(200, "x", of_type(key)), DownloadError, download),
    "a file in a strange coding": (lambda key: text(200, "x", {"Content-Encoding": key}), DownloadError, download),
    "a redirect to the key": (lambda key: location(f"https://x.example/?key={key}"), DownloadError, download),
    "a redirect in a loop": (lambda key: location("/again"), DownloadError, download),
    "a file that is gone": (lambda key: echo(key, 404), STATUS, download),
    "all in one": (lambda key: Answer(200, {"id": "v", "status": "failed", "error": key}), FAILED, remix_to_file),
}


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("key", [KEY, ODD_KEY], ids=["plain", "odd"])
@pytest.mark.parametrize("fault", FAULTS)
def test_no_failure_shows_the_key(connect: Twin, tmp_path: Path, told: Callable[[], str], fault: str, key: str) -> None:
    step, kind, call = FAULTS[fault]
    events: list[Event] = []
    lenient = kind in (RemixFailedError, WaitTimeoutError)  # A strict client would end at what the job lacks.
    client, wire = connect(step(key), api_key=key, retry=ONCE, on_event=events.append, strict=not lenient)
    error = failure(kind, call, client, tmp_path)
    assert wire.requests[0].headers["Authorization"] == f"Bearer {key}"
    for place in (shown(error), told(), repr(events)):
        for spelling in (key, repr(key)[1:-1], spelled(key, SMALL), spelled(key, CAPITAL)):
            assert spelling not in place
    assert getattr(error, "message", "") != key


@pytest.mark.usefixtures("clock")
def test_a_job_of_strange_status_does_not_show_the_key(connect: Twin, told: Callable[[], str]) -> None:
    client, _ = connect(job(status=KEY))
    error = failure(WaitTimeoutError, client.wait, "video_1", timeout=10)
    assert KEY not in shown(error) + told()


def test_what_is_left_of_a_message_and_of_a_cause_without_the_key_still_tells_the_rest(connect: Twin) -> None:
    client, _ = connect(
        Answer(401, {"error": {"message": f"Incorrect API key provided: {KEY}."}}),
        httpx.RemoteProtocolError(f"illegal status line: {KEY}"),
        retry=ONCE,
    )
    assert failure(APIStatusError, client.retrieve, "video_1").message == "Incorrect API key provided: ***."
    cause = failure(APIConnectionError, client.retrieve, "video_1").__cause__
    assert repr(cause) == "RemoteProtocolError('illegal status line: ***')"


def test_a_signal_that_strikes_while_an_error_is_judged_does_not_show_the_key(
    connect: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    def strike(_: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr("deerapi_remix._exchange.is_of_transport", strike)
    client, _ = connect(httpx.RemoteProtocolError(f"illegal status line: {KEY}"))
    struck = failure(KeyboardInterrupt, client.retrieve, "video_1")
    assert KEY not in shown(struck)


def test_no_video_shows_a_key_that_the_server_echoes(connect: Twin) -> None:
    client, _ = connect(Answer(200, {"id": "video_1", "status": "queued", "prompt": KEY, "more": [{KEY: KEY}]}))
    video = client.retrieve("video_1")
    assert video.prompt == "***"
    assert video.raw["more"] == [{"***": "***"}]
    assert KEY not in pickle.dumps(video).decode("latin-1")


@pytest.mark.parametrize("prompt", [KEY, SPELLED, SPELLED[:6] + KEY[1:]])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_no_video_shows_a_key_however_the_server_spells_it(connect: Twin, prompt: str, encoding: str) -> None:
    body = f'{{"id": "video_1", "status": "queued", "prompt": "{prompt}"}}'.encode(encoding)
    client, _ = connect(Answer(200, body, {"Content-Type": "application/json"}))
    assert client.retrieve("video_1").raw == {"id": "video_1", "status": "queued", "prompt": "***"}


def test_no_local_shows_the_key_of_an_answer_that_is_too_deep_to_look_through(connect: Twin) -> None:
    body = f'{{"id": "video_1", "status": "queued", "x": "{KEY}", "y": {"[" * 700}{"]" * 700}}}'
    client, _ = connect(Answer(200, body.encode(), {"Content-Type": "application/json"}))
    error = failure(APIResponseValidationError, client.retrieve, "video_1")
    assert KEY not in shown(error)


ENCODINGS: dict[str, Callable[[str], str]] = {
    "a URL": lambda key: quote(key, safe=""),
    "a URL, every character": lambda key: "".join(f"%{ord(each):02x}" for each in key),
    "a URL in a URL": lambda key: quote(quote(key, safe=""), safe=""),
    "HTML": html.escape,
    "HTML in Go's JSON": lambda key: json.dumps(html.escape(key)).replace("&", "\\u0026"),
    "HTML by decimals": lambda key: "".join(f"&#{ord(each)};" for each in key),
    "HTML by hexadecimals": lambda key: "".join(f"&#x{ord(each):X};" for each in key),
    "JSON": json.dumps,
    "JSON in JSON": lambda key: json.dumps(json.dumps(key)),
    "Go's JSON in Go's JSON": lambda key: in_go(in_go(key)),
    "a literal of Python": lambda key: repr(key.encode()),
    "escapes of bytes": lambda key: "".join(f"\\x{ord(each):02x}" for each in key),
    "base64": lambda key: b64encode(key.encode()).decode(),
    "base64 of the header": lambda key: b64encode(f"Bearer {key}".encode()).decode(),
    "base64 as basic authorization": lambda key: b64encode(f"user:{key}".encode()).decode(),
    "base64 with a line behind it": lambda key: b64encode(f"{key}\r\n".encode()).decode(),
    "base64 for URLs": lambda key: urlsafe_b64encode(f"?{key}".encode()).decode(),
}


@pytest.mark.parametrize("key", [KEY, ODD_KEY, "sk-???>>>~~~???>>>~~~~"], ids=["plain", "odd", "of odd base64"])
@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
def test_no_encoding_of_the_key_that_a_gateway_sends_is_shown(
    connect: Twin, told: Callable[[], str], key: str, encode: Callable[[str], str]
) -> None:
    echoed = encode(key)
    core = echoed[12:-6]  # Without what stands around the key.
    headers = {"X-Request-Id": echoed}
    client, _ = connect(
        Answer(400, {"error": {"code": echoed, "message": f"bad <{echoed}>", "more": [echoed]}}, headers),
        text(401, f"<title>{echoed}</title> {echoed}"),
        text(403, json.dumps({"message": "x"})[:-1] + f', "key": "{echoed}'),
        Answer(200, {"id": "video_1", "status": "queued", "prompt": echoed, "more": {echoed: echoed}}),
        httpx.RemoteProtocolError(f"illegal header line: {echoed}"),
        api_key=key,
        retry=ONCE,
    )
    for _ in range(3):
        error = failure(APIStatusError, client.retrieve, "video_1")
        assert core not in shown(error) + told()
        assert "***" in error.body
    assert core not in repr(client.retrieve("video_1").raw)
    assert core not in shown(failure(APIConnectionError, client.retrieve, "video_1"))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32"])
def test_no_wide_encoding_of_the_key_is_shown(connect: Twin, encoding: str) -> None:
    client, _ = connect(Answer(400, f"Invalid key {KEY}".encode(encoding)), retry=ONCE)
    error = failure(APIStatusError, client.retrieve, "video_1")
    assert KEY not in error.body.replace("\0", "") + shown(error).replace("\\x00", "").replace("\0", "")


def test_what_only_looks_like_an_encoded_key_is_shown_as_it_is(connect: Twin) -> None:
    message = f"47% of &amp; \\u0073 {b64encode(b'Bearer sk-another-key-9876543210').decode()} sk-unit-test"
    client, _ = connect(Answer(400, {"message": message}), retry=ONCE)
    assert failure(APIStatusError, client.retrieve, "video_1").message == message


def test_a_server_cannot_keep_a_client_busy_with_what_may_be_an_encoded_key(connect: Twin) -> None:
    client, _ = connect(*[Answer(400, text * 8_000) for text in (b"\\", b"%25", b"s\0\0\0", b"&#000")], retry=ONCE)
    began = time.monotonic()
    for _ in range(4):
        failure(APIStatusError, client.retrieve, "video_1")
    assert time.monotonic() - began < 5


FOREIGN: list[BaseException] = [RuntimeError("mine"), KeyboardInterrupt(), asyncio.CancelledError()]


@pytest.mark.parametrize("error", FOREIGN, ids=lambda error: type(error).__name__)
def test_no_interruption_shows_the_key(connect: Twin, told: Callable[[], str], error: BaseException) -> None:
    client, _ = connect(error)
    with pytest.raises(type(error)) as caught:
        client.remix("video_1", prompt="Bow")
    assert KEY not in shown(caught.value)
    assert KEY not in told()


@pytest.mark.parametrize("callback", ["on_update", "on_progress"])
def test_no_callback_that_raises_shows_the_key(
    connect: Twin, tmp_path: Path, told: Callable[[], str], callback: str
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("mine")

    options: dict[str, Any] = {callback: fail}
    file = Answer(200, b"bytes", {"Content-Type": "video/mp4"})
    client, _ = connect(Answer(200, {"id": "video_2", "status": "completed"}), file)
    with pytest.raises(RuntimeError, match="mine") as caught:
        client.remix_to_file("video_1", tmp_path / "bow.mp4", prompt="Bow", **options)
    assert KEY not in shown(caught.value)
    assert KEY not in told()


def test_an_on_event_that_raises_does_not_log_the_key(connect: Twin, told: Callable[[], str]) -> None:
    def fail(_: Event) -> None:
        raise RuntimeError("mine")

    client, _ = connect(Answer(200, {"id": "video_1", "status": "queued"}), on_event=fail)
    client.retrieve("video_1")
    assert "on_event failed" in told()
    assert KEY not in told()


@pytest.mark.parametrize("video_id", ["", "..", 7, "a\nb"])
def test_no_bad_argument_shows_the_key(connect: Twin, video_id: Any) -> None:
    client, _ = connect(Answer(500))
    error = failure((ValueError, TypeError), client.retrieve, video_id)
    assert KEY not in shown(error)


def test_a_socket_at_work_logs_no_key(
    connect: Twin, loopback: Loopback, told: Callable[[], str], tmp_path: Path
) -> None:
    loopback.answer = lambda _: b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
    client = connect.own(base_url=loopback.url)
    error = failure(APIStatusError, client.remix, "video_1", prompt="Bow")
    client.close()
    assert KEY in loopback.requests[0]
    assert "httpcore" in told()
    assert KEY not in told()
    assert KEY not in shown(error)


def test_a_broken_protocol_on_the_socket_does_not_show_the_key(
    connect: Twin, loopback: Loopback, told: Callable[[], str]
) -> None:
    loopback.answer = lambda _: f"HTTP/1.1 200 OK\r\nAuthorization Bearer {KEY}\r\n\r\n".encode()
    client = connect.own(base_url=loopback.url)
    error = failure(APIConnectionError, client.remix, "video_1", prompt="Bow")
    client.close()
    assert KEY not in "".join(traceback.format_exception(error))
    assert KEY not in "".join(str(each) + repr(each) for each in chain(error))


def test_a_redirect_that_would_carry_the_key_to_another_host_is_not_followed(connect: Twin, tmp_path: Path) -> None:
    client, wire = connect(Answer(302, b"", {"Location": f"https://cdn.example/?key={KEY}"}))
    with pytest.raises(DownloadError, match="a URL that holds the key"):
        client.download("video_1", tmp_path / "bow.mp4")
    assert len(wire.requests) == 1


# Keys that are no keys

MALFORMED: dict[str, Any] = {
    "empty": "",
    "blank": "   ",
    "newline": "\n",
    "prefix": "Bearer sk-secret",
    "prefix and tab": "Bearer\tsk-secret",
    "prefix in lower case": "bearer sk-secret",
    "space inside": "sk-secret part",
    "newline inside": "sk-\nsecret",
    "header smuggled in": "sk-secret\r\nX-Evil: 1",
    "null": "sk-secret\0part",
    "delete": "sk-secret\x7fpart",
    "escape": "sk-secret\x1b[0m",
    "not ascii": "sk-secret-pärt",
    "typographic": "sk\u2013secret-part",
    "zero width": "sk-secret\u200bpart",
    "no-break space inside": "sk-secret\u00a0part",
    "emoji": "sk-secret🐈",
    "lone surrogate": "sk-secret\ud800",
    "bytes": b"sk-secret",
    "list": ["sk-secret"],
    "none": None,
    "integer": 7,
    "boolean": True,
    "number": 1.5,
}


# No variable can hold the others.
IN_VARIABLES = [
    name for name, key in MALFORMED.items() if isinstance(key, str) and name not in ("null", "lone surrogate")
]


@pytest.mark.parametrize(
    ("source", "case"),
    [
        *(("argument", case) for case in MALFORMED if case != "none"),
        *(("environment", case) for case in IN_VARIABLES),
        *(("function", case) for case in MALFORMED),
    ],
)
def test_a_malformed_key_is_refused_before_anything_is_sent_and_is_not_shown(
    connect: Twin, source: str, case: str, told: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = MALFORMED[case]
    if source == "function":
        client, wire = connect(Answer(500), api_key=lambda: key)
        error = failure(ConfigurationError, client.remix, "video_1", prompt="Bow")
        assert wire.requests == []
    elif source == "environment":
        monkeypatch.setenv("DEERAPI_KEY", key)
        error = failure(ConfigurationError, connect)
    else:
        error = failure(ConfigurationError, connect, api_key=key)
    assert "DEERAPI_KEY" in str(error)
    assert isinstance(key, str) or f"must be a string, not {type(key).__name__}" in str(error)
    assert "secret" not in shown(error)
    assert "secret" not in told()


@pytest.mark.parametrize("make", [RemixClient, AsyncRemixClient])
@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"base_url": "http://api.example"}, ConfigurationError),
        ({"timeout": -1}, ValueError),
        ({"retry": 3}, TypeError),
        ({"http_client": "a client"}, TypeError),
        ({"on_event": 3}, TypeError),
        ({"strict": 3}, TypeError),
    ],
    ids=str,
)
def test_a_good_key_is_not_shown_where_another_setting_is_bad(
    make: Any, options: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error) as caught:
        make(KEY, **options)
    assert KEY not in shown(caught.value)


def test_the_error_of_a_closed_client_does_not_show_the_key(connect: Twin) -> None:
    client, _ = connect(Answer(500))
    client.close()
    error = failure(ConfigurationError, client.remix, "video_1", prompt="Bow")
    assert KEY not in shown(error)

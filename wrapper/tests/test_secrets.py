"""The key is in nothing that a program may show, write or send elsewhere, whatever goes wrong."""

from __future__ import annotations

import asyncio
import json
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
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

from .conftest import KEY, Clock, Loopback
from .wire import Answer, Pieces, Step, Twin

PACKAGE = str(Path(deerapi_remix.__file__).parent)
ONCE = RetryPolicy(attempts=1)
# As a string of JSON may spell it.
SPELLED = "".join(f"\\u{ord(character):04x}" for character in KEY)


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
    with pytest.raises((TypeError, AttributeError, pickle.PicklingError)) as caught:
        pickle.dumps(make(KEY))
    assert KEY not in str(caught.value)


def test_the_key_is_not_in_the_headers_of_the_httpx_client(connect: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    kind = httpx.Client if connect.kind == "sync" else httpx.AsyncClient
    init = kind.__init__

    def watched(self: Any, *args: Any, **options: Any) -> None:
        init(self, *args, **options)
        made.append(self)

    monkeypatch.setattr(kind, "__init__", watched)
    connect.own(api_key=KEY)
    assert len(made) == 2
    assert KEY not in repr([dict(each.headers) for each in made])
    assert [each.auth for each in made] == [None, None]


def test_the_key_goes_into_the_authorization_header_alone(connect: Twin) -> None:
    client, wire = connect(Answer(200, {"id": "video_2", "status": "queued"}))
    client.remix("video_1", prompt="Bow")
    request = wire.requests[0]
    assert [name for name, value in request.headers.items() if KEY in value] == ["authorization"]
    assert KEY not in str(request.url)
    assert KEY.encode() not in request.content


# Failures


@attrs.frozen
class Fault:
    answer: Step
    error: type[DeerAPIError]
    call: Callable[[Any, Path], object] = lambda client, _: client.remix("video_1", prompt="Bow")
    options: dict[str, Any] = attrs.field(factory=dict)


def retrieve(client: Any, _: Path) -> object:
    return client.retrieve("video_1")


def download(client: Any, folder: Path) -> object:
    return client.download("video_1", folder / "bow.mp4")


def wait(client: Any, _: Path) -> object:
    return client.wait("video_1", timeout=10)


def remix_to_file(client: Any, folder: Path) -> object:
    return client.remix_to_file("video_1", folder / "bow.mp4", prompt="Bow", timeout=10)


def echo(status: int, **headers: str) -> Answer:
    body = {"error": {"code": KEY, "message": f"Invalid key: {KEY}"}, KEY: [KEY]}
    return Answer(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


def spelled(status: int) -> Answer:
    body = f'{{"error": {{"code": "x", "message": "Invalid key: {SPELLED}"}}}}'
    return Answer(status, body.encode(), {"Content-Type": "application/json"})


QUOTED = httpx.RemoteProtocolError(f"illegal header line: bytearray(b'Authorization Bearer {KEY}')")

FAULTS = {
    "refused": Fault(httpx.ConnectError("refused"), APIConnectionError),
    "read timeout": Fault(httpx.ReadTimeout("slow"), APIConnectionError),
    "reset while writing": Fault(httpx.WriteError("reset"), APIConnectionError),
    "broken protocol that quotes the key": Fault(QUOTED, APIConnectionError),
    "401 that echoes the key": Fault(echo(401), APIStatusError),
    "401 that spells the key": Fault(spelled(401), APIStatusError),
    "400 in html": Fault(Answer(400, f"<title>Bad key {KEY}</title>".encode()), APIStatusError),
    "400 in plain text": Fault(Answer(400, f"Bad key Bearer {KEY}".encode()), APIStatusError),
    "403 with the key as request id": Fault(echo(403, X_Request_Id=KEY), APIStatusError),
    "429 with the key to retry after": Fault(echo(429, Retry_After=KEY), APIStatusError, retrieve),
    "500 that echoes the key": Fault(echo(500), APIStatusError, retrieve),
    "502 cut off": Fault(Answer(502, Pieces(KEY.encode(), httpx.ReadError("reset"))), APIStatusError),
    "302 to the key": Fault(Answer(302, b"", {"Location": f"https://x.example/{KEY}"}), APIStatusError),
    "200 in html": Fault(Answer(200, f"<p>{KEY}</p>".encode()), APIResponseValidationError),
    "200 without an id": Fault(Answer(200, {"key": KEY}), APIResponseValidationError),
    "200 cut off": Fault(Answer(200, Pieces(f'{{"id": "v", "key": "{KEY}'.encode(), QUOTED)), APIConnectionError),
    "200 with another id": Fault(Answer(200, {"id": KEY}), APIResponseValidationError, retrieve),
    "200 that breaks the contract": Fault(
        Answer(200, {"id": "video_1", "status": [KEY], "prompt": KEY}),
        APIResponseValidationError,
        retrieve,
        {"strict": True},
    ),
    "200 of another type": Fault(
        Answer(200, json.dumps({"id": "video_1"}).encode(), {"Content-Type": f"text/{KEY}"}),
        APIResponseValidationError,
        retrieve,
        {"strict": True},
    ),
    "a failed job": Fault(
        Answer(200, {"id": "video_1", "status": "failed", "error": {"code": KEY, "message": KEY}}),
        RemixFailedError,
        wait,
    ),
    "a job of strange status": Fault(Answer(200, {"id": "video_1", "status": KEY}), WaitTimeoutError, wait),
    "a wait without answers": Fault(echo(503), WaitTimeoutError, wait),
    "a file in JSON": Fault(echo(200), DownloadError, download),
    "a file of a strange type": Fault(Answer(200, b"x", {"Content-Type": f"text/{KEY}"}), DownloadError, download),
    "a file in a strange coding": Fault(Answer(200, b"x", {"Content-Encoding": KEY}), DownloadError, download),
    "a redirect to the key": Fault(Answer(302, b"", {"Location": f"https://{KEY}.example/"}), DownloadError, download),
    "a redirect in a loop": Fault(Answer(302, b"", {"Location": "/again"}), DownloadError, download),
    "a file that is gone": Fault(echo(404), APIStatusError, download),
    "all in one": Fault(
        Answer(200, {"id": "video_2", "status": "failed", "error": KEY}), RemixFailedError, remix_to_file
    ),
}


@pytest.mark.parametrize("key", [KEY, lambda: KEY], ids=["string", "function"])
@pytest.mark.parametrize("fault", FAULTS)
def test_no_failure_shows_the_key(
    connect: Twin, clock: Clock, tmp_path: Path, told: Callable[[], str], fault: str, key: Any
) -> None:
    case = FAULTS[fault]
    events: list[Event] = []
    client, wire = connect(case.answer, api_key=key, retry=ONCE, on_event=events.append, **case.options)
    with pytest.raises(case.error) as caught:
        case.call(client, tmp_path)
    assert wire.requests[0].headers["Authorization"] == f"Bearer {KEY}"
    for place in (shown(caught.value), told(), repr(events)):
        assert KEY not in place
        assert SPELLED not in place


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
    with pytest.raises(APIResponseValidationError) as caught:
        client.retrieve("video_1")
    assert KEY not in shown(caught.value)


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
    with pytest.raises((ValueError, TypeError)) as caught:
        client.retrieve(video_id)
    assert KEY not in shown(caught.value)


def test_a_socket_at_work_logs_no_key(
    connect: Twin, loopback: Loopback, told: Callable[[], str], tmp_path: Path
) -> None:
    loopback.answer = lambda _: b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
    client = connect.own(base_url=loopback.url)
    with pytest.raises(APIStatusError) as caught:
        client.remix("video_1", prompt="Bow")
    client.close()
    assert KEY in loopback.requests[0]
    assert "httpcore" in told()
    assert KEY not in told()
    assert KEY not in shown(caught.value)


def test_a_broken_protocol_on_the_socket_does_not_show_the_key(
    connect: Twin, loopback: Loopback, told: Callable[[], str]
) -> None:
    loopback.answer = lambda _: f"HTTP/1.1 200 OK\r\nAuthorization Bearer {KEY}\r\n\r\n".encode()
    client = connect.own(base_url=loopback.url)
    with pytest.raises(APIConnectionError) as caught:
        client.remix("video_1", prompt="Bow")
    client.close()
    assert KEY not in "".join(traceback.format_exception(caught.value))
    assert KEY not in "".join(str(each) + repr(each) for each in chain(caught.value))


def test_a_redirect_that_would_carry_the_key_to_another_host_is_not_followed(connect: Twin, tmp_path: Path) -> None:
    client, wire = connect(Answer(302, b"", {"Location": f"https://cdn.example/?key={KEY}"}))
    with pytest.raises(DownloadError, match="a URL that holds the key"):
        client.download("video_1", tmp_path / "bow.mp4")
    assert len(wire.requests) == 1


# Keys that are no keys

MALFORMED = ["Bearer sk-secret-1", "sk-secret 1", "sk-secret\n1", "sk-secret-\u00e9", "sk-secret\0", b"sk-secret-1"]


@pytest.mark.parametrize("make", [RemixClient, AsyncRemixClient])
@pytest.mark.parametrize("key", MALFORMED, ids=ascii)
def test_a_malformed_key_is_not_shown(make: Any, key: Any, told: Callable[[], str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make(key)
    assert "sk-secret" not in shown(caught.value)
    assert "sk-secret" not in told()


@pytest.mark.parametrize("make", [RemixClient, AsyncRemixClient])
@pytest.mark.parametrize("key", MALFORMED[:4], ids=ascii)
def test_a_malformed_key_of_the_environment_is_not_shown(
    make: Any, key: str, told: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEERAPI_KEY", key)
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert "sk-secret" not in shown(caught.value)
    assert "sk-secret" not in told()


@pytest.mark.parametrize("key", MALFORMED, ids=ascii)
def test_a_malformed_key_of_a_function_is_not_shown(connect: Twin, key: Any, told: Callable[[], str]) -> None:
    client, wire = connect(Answer(500), api_key=lambda: key)
    with pytest.raises(ConfigurationError) as caught:
        client.remix("video_1", prompt="Bow")
    assert "sk-secret" not in shown(caught.value)
    assert "sk-secret" not in told()
    assert wire.requests == []


@pytest.mark.parametrize("make", [RemixClient, AsyncRemixClient])
@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"base_url": "http://api.example"}, ConfigurationError),
        ({"timeout": -1}, ValueError),
        ({"retry": 3}, TypeError),
        ({"http_client": object()}, TypeError),
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
    with pytest.raises(ConfigurationError) as caught:
        client.remix("video_1", prompt="Bow")
    assert KEY not in shown(caught.value)

"""What the client promises beyond a single message: what it sends again and when, how it waits, what it keeps secret.

Time is virtual and chance is fixed, so that delays can be written out.
"""

import asyncio
import copy
import logging
import math
import pickle
import socket
import ssl
import threading
import zlib
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import attrs
import httpx
import pytest

import deerapi_remix
from deerapi_remix import AsyncRemixClient, PollingPolicy, RemixClient, RetryPolicy, Video, VideoError

from .clients import KEY, REQUEST_ID, Answer, Outcome
from .scripted import Chance, Clock, Pieces, Scripted
from .test_answers import FULL_JOB, JOB, expect, expect_error, warnings

Script = Callable[..., Scripted]

DONE = FULL_JOB | {"status": "completed", "progress": 100, "error": None}
REFUSAL = {"error": {"message": "no", "type": "no", "code": "no"}}
NEVER = RetryPolicy(attempts=1)


def urls(outcome: Outcome) -> list[str]:
    return [str(request.url) for request in outcome.requests]


def keys(outcome: Outcome) -> list[str | None]:
    return [request.headers.get("Authorization") for request in outcome.requests]


def remix(client: Scripted, **options: Any) -> Outcome:
    return client("remix", "video_123", prompt="cry", **options)


def job(**fields: Any) -> Video:
    return Video(**{"id": "video_123", "status": "queued", **fields})


# ---- Key and host


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        (None, "https://api.deerapi.com/v1/videos/video_123"),
        ("https://gateway.example/", "https://gateway.example/v1/videos/video_123"),
        (" https://gateway.example:8443/deer/// ", "https://gateway.example:8443/deer/v1/videos/video_123"),
        ("http://127.0.0.1:9", "http://127.0.0.1:9/v1/videos/video_123"),
        ("http://[::1]:9", "http://[::1]:9/v1/videos/video_123"),
        ("http://localhost", "http://localhost/v1/videos/video_123"),
    ],
)
def test_a_path_is_joined_to_the_base_url(base_url: str | None, expected: str, script: Script) -> None:
    outcome = script(Answer(200, JOB), base_url=base_url)("retrieve", "video_123")
    expect("retrieveVideo", url=(urls(outcome), [expected]), key=(keys(outcome), [f"Bearer {KEY}"]))


@pytest.mark.parametrize(
    "base_url",
    [
        "http://gateway.example",
        "http://10.0.0.1",
        "ftp://gateway.example",
        "gateway.example",
        "https://",
        "https://user:hidden@gateway.example",
        "https://gateway.example?token=hidden",
        "https://gateway.example#hidden",
        "https://gateway.example:99999",
        "",
        7,
    ],
)
def test_an_unusable_base_url_is_refused_and_not_shown(base_url: Any, script: Script) -> None:
    with pytest.raises(deerapi_remix.ConfigurationError) as caught:
        script(base_url=base_url)
    assert "hidden" not in str(caught.value), f"base URL {base_url}: the error shows what may be secret"


@pytest.mark.parametrize(
    "key", ["", "  ", "Bearer sk-hidden", "bearer sk-hidden", "sk hidden", "sk-\nhidden", "sk-hiddén", 7]
)
def test_an_unusable_key_is_refused_and_not_shown(key: Any, script: Script) -> None:
    with pytest.raises(deerapi_remix.ConfigurationError) as caught:
        script(api_key=key)
    assert "hidden" not in str(caught.value), "the key is in the error"
    client = script(Answer(200, JOB), api_key=lambda: key)
    outcome = client("retrieve", "video_123")
    expect_error(outcome, "ConfigurationError", "retrieveVideo with an unusable key of a function")
    expect("retrieveVideo with an unusable key of a function", requests=(len(outcome.requests), 0))


def test_any_visible_ascii_makes_a_key(script: Script) -> None:
    outcome = script(Answer(200, JOB), api_key=" !sk-~ ")("retrieve", "video_123")
    expect("retrieveVideo", key=(keys(outcome), ["Bearer !sk-~"]))


def test_key_and_host_come_from_our_variables_alone(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-other")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://other.example")
    with pytest.raises(deerapi_remix.ConfigurationError):
        script(api_key=None)
    monkeypatch.setenv("DEERAPI_KEY", " sk-of-the-environment\n")
    monkeypatch.setenv("DEERAPI_BASE_URL", " https://gateway.example ")
    outcome = script(Answer(200, JOB), api_key=None)("retrieve", "video_123")
    expect(
        "retrieveVideo",
        url=(urls(outcome), ["https://gateway.example/v1/videos/video_123"]),
        key=(keys(outcome), ["Bearer sk-of-the-environment"]),
    )


def test_a_function_is_asked_for_the_key_before_every_request(script: Script, clock: Clock) -> None:
    rotating = iter(["sk-one-0123456789", "sk-two-0123456789"])
    client = script(Answer(503), Answer(200, JOB), api_key=lambda: next(rotating))
    expect("remixVideo", key=(keys(remix(client)), ["Bearer sk-one-0123456789", "Bearer sk-two-0123456789"]))


def test_the_settings_of_a_client_handed_in_change_no_request(script: Script) -> None:
    theirs = {
        "base_url": "https://other.example",
        "headers": {"Authorization": "Bearer other", "X-Theirs": "kept"},
        "auth": ("user", "password"),
        "follow_redirects": True,
        "timeout": 7.0,
    }
    answer = Answer(307, headers={"Location": "https://other.example/"})
    client = script(answer, http=theirs)
    outcome = remix(client)
    expect_error(outcome, "APIStatusError", "remixVideo 307")
    expect(
        "remixVideo with a client handed in",
        url=(urls(outcome), ["https://api.deerapi.com/v1/videos/video_123/remix"]),
        key=(keys(outcome), [f"Bearer {KEY}"]),
        theirs=(outcome.requests[0].headers.get("X-Theirs"), "kept"),
        timeouts=(client.timeouts, [dict.fromkeys(("connect", "read", "write", "pool"), 60.0)]),
    )


def test_the_timeout_is_what_was_asked_for(script: Script) -> None:
    for timeout, expected in ((5, 5.0), (math.inf, None)):
        client = script(Answer(200, JOB), timeout=timeout)
        client("retrieve", "video_123")
        each = dict.fromkeys(("connect", "read", "write", "pool"), expected)
        expect(f"timeout {timeout}", timeouts=(client.timeouts, [each]))


def test_no_answer_is_asked_to_be_compressed(script: Script) -> None:
    client = script(Answer(200, JOB))
    (request,) = remix(client).requests
    expect("remixVideo", accept_encoding=(request.headers["Accept-Encoding"], "identity"))


def test_a_compressed_answer_is_read_all_the_same(script: Script) -> None:
    packer = zlib.compressobj(wbits=31)
    body = packer.compress(b'{"id": "video_456", "status": "queued"}') + packer.flush()
    outcome = remix(script(Answer(200, body, headers={"Content-Encoding": "gzip"})))
    expect("remixVideo 200, gzip", id=(getattr(outcome.value, "id", outcome), "video_456"))


def test_an_answer_that_a_hook_has_read_is_read_all_the_same(script: Script) -> None:
    def read(response: httpx.Response) -> None:
        response.read()

    async def read_async(response: httpx.Response) -> None:
        await response.aread()

    packer = zlib.compressobj(wbits=31)
    body = packer.compress(b'{"id": "video_456", "status": "queued"}') + packer.flush()
    answer = Answer(200, body, headers={"Content-Encoding": "gzip"})
    hook = read_async if isinstance(script(answer).client, AsyncRemixClient) else read
    outcome = remix(script(answer, http={"event_hooks": {"response": [hook]}}))
    expect("remixVideo 200, read by a hook", id=(getattr(outcome.value, "id", outcome), "video_456"))


def test_a_client_handed_in_is_left_open_and_one_of_ours_closed(script: Script) -> None:
    client = script(Answer(200, JOB))
    client.close()
    expect("http_client", closed=(client.http.is_closed, False))
    expect_error(client("retrieve", "video_123"), "ConfigurationError", "retrieveVideo on a closed client")
    kind = type(client.client)
    ours = kind(KEY)
    http = ours._connections.http(paid=False)
    client.run(ours.with_options(timeout=1).aclose if kind is AsyncRemixClient else ours.with_options(timeout=1).close)
    expect("a copy closed", closed=(http.is_closed, False))
    client.run(ours.aclose if kind is AsyncRemixClient else ours.close)
    expect("a client of ours closed", closed=(http.is_closed, True))


@pytest.mark.parametrize("kind", [RemixClient, AsyncRemixClient])
def test_a_loopback_address_is_reached_without_the_proxy_of_the_environment(
    kind: Any, without_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    body = b'{"object": "list", "data": []}'
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(head % len(body) + body)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        client = kind(KEY, base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", retry=NEVER, timeout=5)

        async def ask() -> Any:
            async with client:
                return await client.models()

        try:
            found = client.models() if isinstance(client, RemixClient) else asyncio.run(ask())
        except deerapi_remix.APIConnectionError as error:
            found = error
        finally:
            if isinstance(client, RemixClient):
                client.close()
        expect("listModels on a loopback address", models=(found, ()))


def test_no_record_or_repr_tells_key_prompt_or_body(
    script: Script, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "deerapi_remix")
    client = script(
        Answer(503, {"code": "no", "message": "the body"}), Answer(200, {"id": "video_456", "a": "the body"})
    )
    client("remix", "video_123", prompt="the prompt")
    told = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("deerapi_remix"))
    assert "video_456" in told, f"remixVideo: the accepted id is not logged: {told!r}"
    shown = {"log": told, "repr": repr(client.client), "vars": repr(vars(client.client))}
    shown["settings"] = repr(
        [getattr(client.client._settings, field.name) for field in attrs.fields(type(client.client._settings))]
    )
    for place, text in shown.items():
        for secret in (KEY, "the prompt", "the body"):
            assert secret not in text, f"remixVideo: {secret!r} is in the {place}: {text}"


# ---- Arguments and settings


@pytest.mark.parametrize(
    ("method", "arguments", "options"),
    [
        ("remix", (7,), {"prompt": "cry"}),
        ("remix", (None,), {"prompt": "cry"}),
        ("remix", ("video_123",), {"prompt": 7}),
        ("remix", ("video_123",), {"prompt": None}),
        ("remix", ("video_123",), {"prompt": "cry", "model": 7}),
        ("retrieve", (b"video_123",), {}),
        ("wait", (7,), {}),
        ("wait", ("video_123",), {"timeout": "7"}),
        ("wait", ("video_123",), {"timeout": True}),
        ("wait", ("video_123",), {"on_update": 7}),
        ("wait", ("video_123",), {"on_update": asyncio.sleep}),
        ("download", (7, "nowhere/file"), {}),
        ("download", ("video_123", "no-such-file"), {"on_progress": asyncio.sleep}),
        ("remix_to_file", ("video_123", "nowhere/file"), {"prompt": 7}),
        ("remix_to_file", ("video_123", "nowhere/file"), {"prompt": "cry", "timeout": "7"}),
        ("remix_to_file", ("video_123", "nowhere/file"), {"prompt": "cry", "on_update": asyncio.sleep}),
        ("remix_to_file", ("video_123", "nowhere/file"), {"prompt": "cry", "on_progress": asyncio.sleep}),
    ],
)
def test_an_argument_of_another_type_is_refused_before_anything_is_sent(
    method: str, arguments: tuple[Any, ...], options: dict[str, Any], script: Script
) -> None:
    outcome = script(Answer(200, JOB))(method, *arguments, **options)
    where = f"{method}{arguments} {options}"
    expect(where, error=(type(outcome.error), TypeError), requests=(len(outcome.requests), 0))


@pytest.mark.parametrize("timeout", [-1, math.nan])
def test_an_impossible_timeout_is_refused_before_anything_is_sent(timeout: float, script: Script) -> None:
    outcome = script(Answer(200, JOB))("wait", "video_123", timeout=timeout)
    expect(f"wait, timeout {timeout}", error=(type(outcome.error), ValueError), requests=(len(outcome.requests), 0))


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: RetryPolicy(attempts=0), ValueError),
        (lambda: RetryPolicy(attempts=1.5), TypeError),  # type: ignore[arg-type]
        (lambda: RetryPolicy(initial_delay=-1), ValueError),
        (lambda: RetryPolicy(max_delay=math.inf), ValueError),
        (lambda: RetryPolicy(budget=math.nan), ValueError),
        (lambda: RetryPolicy(resend_paid=1), TypeError),  # type: ignore[arg-type]
        (lambda: PollingPolicy(initial_interval=0), ValueError),
        (lambda: PollingPolicy(initial_interval=9, max_interval=8), ValueError),
        (lambda: PollingPolicy(max_interval=math.inf), ValueError),
        (lambda: PollingPolicy(timeout=-1), ValueError),
        (lambda: RemixClient(KEY, timeout=0), ValueError),
        (lambda: RemixClient(KEY, timeout=-1), ValueError),
        (lambda: RemixClient(KEY, timeout=True), TypeError),
        (lambda: RemixClient(KEY, strict="yes"), TypeError),  # type: ignore[arg-type]
        (lambda: RemixClient(KEY, retry=3), TypeError),  # type: ignore[arg-type]
        (lambda: RemixClient(KEY, on_event=asyncio.sleep), TypeError),  # type: ignore[arg-type]
        (lambda: RemixClient(KEY, http_client=httpx.AsyncClient()), TypeError),  # type: ignore[arg-type]
        (lambda: AsyncRemixClient(KEY, http_client=httpx.Client()), TypeError),  # type: ignore[arg-type]
    ],
)
def test_an_impossible_setting_is_refused(make: Callable[[], Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        make()


def test_the_defaults_are_these() -> None:
    expect(
        "defaults",
        retry=(attrs.astuple(RetryPolicy()), (4, 0.5, 8.0, 60.0, True)),
        polling=(attrs.astuple(PollingPolicy()), (2.0, 15.0, 900.0)),
    )


def test_a_copy_differs_in_what_is_named_alone(script: Script, clock: Clock, chance: Chance) -> None:
    client = script(Answer(500), retry=RetryPolicy(attempts=3))
    client.client = client.client.with_options(timeout=5)
    outcome = client("retrieve", "video_123")
    expect("timeout of a copy", requests=(len(outcome.requests), 3), read=(client.timeouts[-1]["read"], 5.0))
    client.client = client.client.with_options(retry=NEVER)
    outcome = client("retrieve", "video_123")
    expect("retry of a copy", requests=(len(outcome.requests), 1), read=(client.timeouts[-1]["read"], 5.0))
    client.client = client.client.with_options(polling=PollingPolicy(timeout=30))
    outcome = client("wait", "video_123")
    expect_error(outcome, "WaitTimeoutError", "polling of a copy")
    expect("polling of a copy", slept=(round(sum(clock.slept[2:]), 6), 30.0))


# ---- Errors

TREE = {
    "DeerAPIError": ("Exception",),
    "ConfigurationError": ("DeerAPIError", "ValueError"),
    "APIConnectionError": ("DeerAPIError",),
    "APITimeoutError": ("APIConnectionError", "TimeoutError"),
    "APIStatusError": ("DeerAPIError",),
    "BadRequestError": ("APIStatusError",),
    "AuthenticationError": ("APIStatusError",),
    "PermissionDeniedError": ("APIStatusError",),
    "NotFoundError": ("APIStatusError",),
    "ConflictError": ("APIStatusError",),
    "RateLimitError": ("APIStatusError",),
    "InternalServerError": ("APIStatusError",),
    "APIResponseValidationError": ("DeerAPIError",),
    "RemixFailedError": ("DeerAPIError",),
    "WaitTimeoutError": ("DeerAPIError", "TimeoutError"),
    "DownloadError": ("DeerAPIError",),
}


@pytest.mark.parametrize("name", TREE)
def test_an_error_is_caught_by_these_classes(name: str) -> None:
    bases = tuple(base.__name__ for base in getattr(deerapi_remix, name).__bases__)
    expect(name, bases=(bases, TREE[name]))


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"error": {"message": "Not now", "code": "busy", "type": "x"}}, "busy", "Not now"),
        ({"error": {"message": "Not now", "code": None}}, None, "Not now"),
        ({"error": {"message": "Not now", "code": 7}}, "7", "Not now"),
        ({"code": "busy", "message": "Not now", "data": None}, "busy", "Not now"),
        ({"code": 7, "message": "Not now"}, "7", "Not now"),
        ({"error": "Not now", "code": "busy"}, "busy", "Not now"),
        (b"<html><head><title>502  Bad\nGateway</title></head></html>", None, "502 Bad Gateway"),
        (b"no healthy\nupstream", None, "no healthy upstream"),
        (b"", None, "Service Unavailable"),
        ({}, None, "Service Unavailable"),
        ({"error": {"message": None, "code": "busy"}}, "busy", "Service Unavailable"),
        (b"x" * 5000, None, "x" * 200),
    ],
)
def test_code_and_message_are_read_from_every_shape(
    body: Any, code: str | None, message: str, script: Script, clock: Clock
) -> None:
    error = expect_error(script(Answer(503, body), retry=NEVER)("models"), "InternalServerError", "listModels 503")
    expect(f"listModels 503, {body!r}", code=(error.code, code), message=(error.message, message))
    assert message in str(error), f"listModels 503, {body!r}: {error} does not say {message!r}"


def test_an_error_says_what_there_is_to_know(script: Script) -> None:
    client = script(Answer(502, REFUSAL))
    told = str(remix(client).error)
    for part in ("remix", "502", "[no]", "video_123", REQUEST_ID, "may have been accepted and charged"):
        assert part in told, f"remixVideo 502: {told!r} does not say {part!r}"


def test_an_error_says_whether_the_request_was_sent(script: Script) -> None:
    for error, expected in (
        (httpx.ConnectError("no"), "the request was not sent"),
        (httpx.ReadError("no"), "no whole answer came"),
    ):
        told = str(script(error, retry=NEVER)("models").error)
        assert expected in told, f"listModels, {error!r}: {told!r} does not say {expected!r}"


def test_an_error_survives_being_pickled_and_copied(script: Script, clock: Clock) -> None:
    failed = script(Answer(200, FULL_JOB | {"status": "failed"}))("wait", "video_123").error
    for error in (remix(script(Answer(502, REFUSAL))).error, failed, remix(script(httpx.ReadTimeout("no"))).error):
        for twice in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
            name = type(error).__name__
            expect(
                name, type=(type(twice), type(error)), text=(str(twice), str(error)), facts=(vars(twice), vars(error))
            )


# ---- Answers


@pytest.mark.parametrize(
    ("told", "expected"),
    [("47%", 47), (" 47 ", 47), ("47.0", 47), (47.0, 47), (0, 0), ("", None), ("soon", None), (True, None), ([], None)],
)
def test_progress_is_read_from_what_can_be_a_number(told: Any, expected: int | None, script: Script) -> None:
    video = script(Answer(200, JOB | {"progress": told}))("retrieve", "video_123").value
    expect(f"retrieveVideo 200, progress {told!r}", progress=(getattr(video, "progress", video), expected))


@pytest.mark.parametrize(
    ("name", "told", "expected"),
    [
        ("seconds", 8, "8"),
        ("created_at", "1758941485", 1758941485),
        ("model", "", None),
        ("size", ["1280x720"], None),
        ("error", "moderated", VideoError(message="moderated")),
        ("error", {"code": 7}, VideoError(code="7")),
        ("error", [], None),
        ("seconds", math.nan, None),
        ("created_at", math.inf, None),
        ("status", " ", "unknown"),
        ("status", 7, "unknown"),
    ],
)
def test_a_field_is_read_from_what_can_be_its_value(name: str, told: Any, expected: Any, script: Script) -> None:
    video = script(Answer(200, JOB | {name: told}))("retrieve", "video_123").value
    expect(f"retrieveVideo 200, {name} {told!r}", **{name: (getattr(video, name, video), expected)})


def test_an_answer_inside_data_is_read_like_one_outside(script: Script) -> None:
    nested = {"code": "success", "data": JOB | {"id": "video_123"}}
    video = script(Answer(200, nested))("retrieve", "video_123").value
    for name in ("status", "model", "progress", "size"):
        expect("retrieveVideo 200 inside data", **{name: (getattr(video, name, video), JOB[name])})
    expect("retrieveVideo 200 inside data", raw=(video.raw, nested))


def test_the_first_usable_id_counts(script: Script) -> None:
    ids = {"id": "one", "task_id": "two", "data": {"id": "three", "task_id": "four"}}
    for expected in ("one", "two", "three", "four"):
        video = remix(script(Answer(200, copy.deepcopy(ids)))).value
        expect(f"remixVideo 200, {ids}", id=(getattr(video, "id", video), expected))
        ids.pop(next(iter(ids))) if len(ids) > 1 else ids["data"].pop("id", None)  # type: ignore[attr-defined]


def test_a_video_is_a_value(script: Script) -> None:
    client = script(Answer(200, JOB | {"extra": "hidden"}), Answer(200, JOB, headers={"X-Oneapi-Request-Id": "other"}))
    one, two = (client("retrieve", "video_123").value for _ in range(2))
    assert one == two, "Video: raw and request_id are compared"
    assert "hidden" not in repr(one), "Video: raw is in its repr"
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        one.status = "completed"


def test_a_drift_is_warned_of_once_for_each_client_and_set_of_problems(
    script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    client = script(Answer(200, {"id": "video_123"}), Answer(200, {"id": "video_123"}), Answer(200, JOB | {"size": 7}))
    told = []
    for _ in range(3):
        client("retrieve", "video_123")
        told.append(warnings(caplog).count("breaks the contract"))
        client.client = client.client.with_options(timeout=5)
    expect("retrieveVideo 200 that drifts", warnings=(told, [1, 0, 1]))
    script(Answer(200, {"id": "video_123"}))("retrieve", "video_123")
    expect("retrieveVideo 200 that drifts, another client", warnings=(warnings(caplog).count("breaks the contract"), 1))


def test_a_drift_inside_an_error_is_warned_of(script: Script, caplog: pytest.LogCaptureFixture) -> None:
    for error, expected in (
        ({"code": "no"}, "error.message is missing"),
        ({"code": 7, "message": ""}, "error.code is int"),
    ):
        script(Answer(200, JOB | {"error": error}))("retrieve", "video_123")
        assert expected in (told := warnings(caplog)), f"retrieveVideo 200, {error}: warned of {told!r}"


def test_a_number_that_is_no_integer_is_warned_of(script: Script, caplog: pytest.LogCaptureFixture) -> None:
    for value, expected in ((47.0, False), (47.5, True)):
        script(Answer(200, JOB | {"progress": value}))("retrieve", "video_123")
        told = warnings(caplog)
        assert ("progress is float" in told) == expected, f"retrieveVideo 200, progress {value}: warned of {told!r}"


def test_an_accepted_id_is_logged(script: Script, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "deerapi_remix")
    for answer in (Answer(200, JOB | {"id": "video_456"}), Answer(200, b'{"id": "video_456", "stat')):
        caplog.clear()
        remix(script(answer, strict=True))
        told = [record.getMessage() for record in caplog.records if record.levelno == logging.INFO]
        assert any("video_456" in line and REQUEST_ID in line for line in told), f"remixVideo 200: logged {told}"


def test_an_endless_answer_is_given_up(script: Script) -> None:
    taken = 0

    def count() -> None:
        nonlocal taken
        taken += 1

    for status, name in ((200, "APIResponseValidationError"), (404, "NotFoundError")):
        pieces = [part for _ in range(200) for part in (b" " * 65536, count)]
        outcome = script(Pieces(status, *pieces))("retrieve", "video_123")
        expect_error(outcome, name, f"retrieveVideo {status}, 13 MB")
        assert taken < 20, f"retrieveVideo {status}, 13 MB: {taken} pieces of 64 KiB were read"
        taken = 0


# ---- What is sent again, and when


@pytest.mark.parametrize("method", ["remix", "retrieve", "models"])
def test_the_delay_doubles_up_to_its_bound(method: str, script: Script, clock: Clock, chance: Chance) -> None:
    arguments = {"remix": ("video_123",), "retrieve": ("video_123",), "models": ()}[method]
    options = {"prompt": "cry"} if method == "remix" else {}
    outcome = script(Answer(503), retry=RetryPolicy(attempts=7))(method, *arguments, **options)
    error = expect_error(outcome, "InternalServerError", f"{method} 503")
    bounds = [0.5, 1.0, 2.0, 4.0, 8.0, 8.0]
    expect(
        f"{method} 503",
        drawn=(chance.drawn, [(0, bound) for bound in bounds]),
        slept=(clock.slept, bounds),
        requests=(len(outcome.requests), 7),
        attempts=(error.attempts, 7),
    )


def test_four_attempts_are_made_by_default(script: Script, clock: Clock) -> None:
    for client, method in ((script(Answer(503)), "models"), (script(httpx.ReadTimeout("no")), "models")):
        expect(method, requests=(len(client(method).requests), 4))
    expect("remixVideo 429", requests=(len(remix(script(Answer(429))).requests), 4))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("3", 3.0),
        ("1.5", 1.5),
        (formatdate(1_800_001_020, usegmt=True), 20.0),
        ("0", 0.5),
        ("-3", 0.5),
        (formatdate(1_700_000_000, usegmt=True), 0.5),
        ("soon", 0.5),
        ("nan", 0.5),
        ("", 0.5),
    ],
)
def test_retry_after_replaces_the_backoff_where_it_makes_sense(
    value: str, expected: float, script: Script, clock: Clock, chance: Chance
) -> None:
    client = script(Answer(429, headers={"Retry-After": value}), Answer(200, JOB))
    outcome = remix(client)
    expect(f"remixVideo 429, Retry-After {value}", error=(outcome.error, None), slept=(clock.slept, [expected]))


def test_a_date_in_retry_after_counts_by_the_clock_of_the_server(script: Script, clock: Clock) -> None:
    dates = {"Retry-After": formatdate(1_600_000_007, usegmt=True), "Date": formatdate(1_600_000_000, usegmt=True)}
    remix(script(Answer(429, headers=dates), Answer(200, JOB)))
    expect("remixVideo 429, Retry-After a date", slept=(clock.slept, [7.0]))


def test_the_budget_bounds_all_attempts_together(script: Script, clock: Clock, chance: Chance) -> None:
    policy = RetryPolicy(attempts=10, initial_delay=10, max_delay=10, budget=25)
    outcome = remix(script(Answer(503), retry=policy))
    expect("remixVideo 503, budget 25 s", slept=(clock.slept, [10, 10]), requests=(len(outcome.requests), 3))

    def slow(_: httpx.Request) -> Answer:
        clock.time += 20
        return Answer(503)

    clock.slept.clear()
    outcome = remix(script(slow, retry=policy))
    expect("remixVideo 503 after 20 s each, budget 25 s", slept=(clock.slept, []), requests=(len(outcome.requests), 1))


def test_nothing_is_slept_where_retry_after_is_beyond_the_budget(script: Script, clock: Clock) -> None:
    outcome = remix(script(Answer(429, headers={"Retry-After": "61"})))
    error = expect_error(outcome, "RateLimitError", "remixVideo 429")
    expect("remixVideo 429, Retry-After 61", slept=(clock.slept, []), retry_after=(error.retry_after, 61.0))


def test_a_submit_is_resent_until_an_answer_is_lost(script: Script, clock: Clock) -> None:
    steps = (Answer(429), httpx.ConnectError("no"), Answer(503), httpx.ReadError("no"), Answer(200, JOB))
    outcome = remix(script(*steps, retry=RetryPolicy(attempts=9)))
    error = expect_error(outcome, "APIConnectionError", "remixVideo")
    expect(
        "remixVideo, lost at the fourth attempt",
        requests=(len(outcome.requests), 4),
        attempts=(error.attempts, 4),
        may_have_been_charged=(error.may_have_been_charged, True),
        retryable=(error.retryable, False),
    )


def test_every_request_is_the_same_when_it_is_sent_again(script: Script, clock: Clock) -> None:
    outcome = remix(script(Answer(503), Answer(429), Answer(200, JOB)), model="sora-2")
    sent = [(request.method, str(request.url), dict(request.headers), request.content) for request in outcome.requests]
    assert len(sent) == 3, f"remixVideo: {len(sent)} requests, expected 3"
    assert sent[0] == sent[1] == sent[2], f"remixVideo: what is sent again differs: {sent}"


def test_an_answer_that_breaks_off_is_a_failed_attempt(script: Script, clock: Clock) -> None:
    client = script(Answer(200, b'{"id": "vid', cut=httpx.ReadError), Answer(200, JOB))
    outcome = client("retrieve", "video_123")
    expect("retrieveVideo 200, cut", error=(outcome.error, None), requests=(len(outcome.requests), 2))


def test_a_bad_certificate_is_final(script: Script, clock: Clock) -> None:
    error = httpx.ConnectError("certificate verify failed")
    error.__cause__ = ssl.SSLCertVerificationError("certificate verify failed")
    outcome = remix(script(error))
    found = expect_error(outcome, "APIConnectionError", "remixVideo, bad certificate")
    expect(
        "remixVideo, bad certificate",
        requests=(len(outcome.requests), 1),
        retryable=(found.retryable, False),
        may_have_been_charged=(found.may_have_been_charged, False),
    )


def test_an_interrupted_submit_is_warned_of(script: Script, caplog: pytest.LogCaptureFixture) -> None:
    client = script(asyncio.CancelledError())
    with pytest.raises(asyncio.CancelledError):
        client.run(client.client.remix, "video_123", prompt="cry")
    assert "may have been accepted and charged" in (told := warnings(caplog)), f"remixVideo, cancelled: logged {told!r}"
    with pytest.raises(asyncio.CancelledError):
        client.run(client.client.retrieve, "video_123")
    assert not (told := warnings(caplog)), f"retrieveVideo, cancelled: logged {told!r}"


def test_every_failed_attempt_is_logged(script: Script, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    remix(script(Answer(503), Answer(400)))
    lines = warnings(caplog).splitlines()
    expect("remixVideo 503, 400", lines=(len(lines), 2))
    for line, parts in zip(
        lines, (("remix", "503", "attempt 1", REQUEST_ID, "next"), ("400", "attempt 2")), strict=True
    ):
        for part in parts:
            assert part in line, f"remixVideo: {line!r} does not tell {part!r}"


def test_events_tell_every_step(script: Script, clock: Clock, chance: Chance) -> None:
    events: list[Any] = []
    client = script(Answer(503), Answer(200, JOB), on_event=events.append)
    remix(client)
    client("wait", "video_123", timeout=0.5)
    told = [(event.kind, event.operation, event.attempt, event.status_code, event.delay) for event in events]
    expected = [
        ("attempt", "remix", 1, 503, None),
        ("retry", "remix", 1, 503, 0.5),
        ("attempt", "remix", 2, 200, None),
        ("attempt", "retrieve", 1, 200, None),
        ("poll", "retrieve", 1, 200, None),
    ]
    expect("events", told=(told, expected))
    expect("events", ids=({(event.video_id, event.request_id) for event in events}, {("video_123", REQUEST_ID)}))


def test_what_on_event_raises_goes_no_further(script: Script) -> None:
    def fail(_: object) -> None:
        raise LookupError("a metric")

    outcome = remix(script(Answer(200, JOB), on_event=fail))
    expect("remixVideo 200", error=(outcome.error, None), id=(getattr(outcome.value, "id", None), "video_123"))


# ---- Waiting


def test_a_finished_video_is_not_polled(script: Script, clock: Clock) -> None:
    client = script(Answer(500))
    outcome = client("wait", job(status="completed"), timeout=0)
    expect("wait for a completed video", status=(getattr(outcome.value, "status", outcome), "completed"))
    failed = client("wait", job(status="failed"))
    expect_error(failed, "RemixFailedError", "wait for a failed video")
    expect("wait", requests=(len(outcome.requests) + len(failed.requests), 0), slept=(clock.slept, []))


def test_an_unfinished_video_is_polled_after_a_pause_and_an_id_at_once(
    script: Script, clock: Clock, chance: Chance
) -> None:
    for video, expected in ((job(), [8.25]), ("video_123", [0.0])):
        clock.slept.clear()
        outcome = script(Answer(200, DONE))("wait", video)
        expect(f"wait for {video!r}", slept=(clock.slept, expected), requests=(len(outcome.requests), 1))


@pytest.mark.parametrize(
    "answer", [Answer(200, {"id": "video_123", "status": "queued"}), Answer(503)], ids=["200", "503"]
)
def test_the_pause_is_half_the_longest_without_progress(
    answer: Answer, script: Script, clock: Clock, chance: Chance
) -> None:
    script(answer, polling=PollingPolicy(timeout=300))("wait", job())
    expect("retrieveVideo", slept=({round(pause, 6) for pause in clock.slept[:-2]}, {8.25}))


def test_the_pause_is_half_of_what_is_left_by_the_progress(script: Script, clock: Clock, chance: Chance) -> None:
    def telling(*progress: int) -> list[Answer]:
        return [*(Answer(200, JOB | {"progress": each}) for each in progress), Answer(200, DONE)]

    # 16.5 s for 66 % are 8.5 s for the rest.
    script(*telling(0, 33, 66))("wait", job())
    expect("retrieveVideo", jitter=({*chance.drawn}, {(0.9, 1.1)}))
    expect("retrieveVideo", slept=([round(pause, 6) for pause in clock.slept], [8.25, 8.25, 8.25, 4.675]))
    clock.slept.clear()
    script(*telling(0, 1, 2))("wait", job())
    expect("retrieveVideo, slow", slept=(clock.slept[-1], 15.0))
    clock.slept.clear()
    script(*telling(47, 47, 90, 90))("wait", job())
    expect("retrieveVideo, one jump", slept=({round(pause, 6) for pause in clock.slept}, {8.25}))


def test_the_last_poll_leaves_time_for_its_answer_before_the_deadline(
    script: Script, clock: Clock, chance: Chance
) -> None:
    outcome = script(Answer(200, JOB), Answer(200, JOB), Answer(200, DONE))("wait", "video_123", timeout=15)
    expect("wait, timeout 15", error=(outcome.error, None), slept=(clock.slept, [0.0, 8.25, 4.75]))


@pytest.mark.parametrize(("hint", "expected"), [("7000", 7.0), ("1", 2.0), ("999999", 15.0)])
def test_a_poll_hint_is_followed_within_the_policy(
    hint: str, expected: float, script: Script, clock: Clock, chance: Chance
) -> None:
    hinting = Answer(200, JOB, headers={"openai-poll-after-ms": hint})
    script(hinting, Answer(200, DONE))("wait", "video_123")
    expect(f"retrieveVideo 200, hint {hint} ms", slept=(clock.slept, [0.0, expected]))


def test_retry_after_delays_the_next_poll(script: Script, clock: Clock, chance: Chance) -> None:
    script(Answer(429, headers={"Retry-After": "40"}), Answer(200, DONE))("wait", "video_123")
    expect("retrieveVideo 429, Retry-After 40", slept=(clock.slept, [0.0, 40.0]))


def test_a_failed_poll_is_not_sent_again_at_once(script: Script, clock: Clock, chance: Chance) -> None:
    steps = (Answer(503), httpx.ReadTimeout("no"), Answer(200, b"<html>"), Answer(200, JOB | {"id": "other"}))
    outcome = script(*steps, Answer(200, DONE))("wait", "video_123")
    expect("retrieveVideo", error=(outcome.error, None), requests=(len(outcome.requests), 5))
    assert all(pause >= 2 for pause in clock.slept[1:]), f"retrieveVideo: it polls again after {clock.slept}"


@pytest.mark.parametrize(("status", "code"), [(404, "not_found"), (400, "task_not_exist")])
def test_a_job_just_accepted_may_be_unknown_for_half_a_minute(
    status: int, code: str, script: Script, clock: Clock, chance: Chance
) -> None:
    unknown = Answer(status, {"code": code, "message": code})
    where = f"retrieveVideo {status} {code}"
    outcome = script(unknown, Answer(200, DONE))("wait", job())
    expect(where, error=(outcome.error, None), requests=(len(outcome.requests), 2))
    began = clock.time
    outcome = script(unknown)("wait", job())
    name = "NotFoundError" if status == 404 else "BadRequestError"
    error = expect_error(outcome, name, where)
    expect(where, video_id=(error.video_id, "video_123"), status=(error.video and error.video.status, "queued"))
    assert 30 <= clock.time - began < 45, f"{where}: it gives up after {clock.time - began} s, expected 30"
    for client, video in ((script(unknown), "video_123"), (script(Answer(200, JOB), unknown), job())):
        began = clock.time
        expect_error(client("wait", video), name, f"{where}, of a job that is not new")
        assert clock.time - began < 20, f"{where}, of a job that is not new: it gives up after {clock.time - began} s"


@pytest.mark.parametrize(("status", "code"), [(400, "invalid"), (403, "task_not_exist"), (401, "not_found")])
def test_another_refusal_of_a_new_job_is_final(status: int, code: str, script: Script, clock: Clock) -> None:
    outcome = script(Answer(status, {"code": code, "message": code}))("wait", job())
    name = {400: "BadRequestError", 401: "AuthenticationError", 403: "PermissionDeniedError"}[status]
    expect_error(outcome, name, f"retrieveVideo {status} {code}")
    expect(f"retrieveVideo {status} {code}", requests=(len(outcome.requests), 1))


def test_waiting_ends_exactly_at_the_deadline(script: Script, clock: Clock) -> None:
    outcome = script(Answer(200, JOB))("wait", "video_123", timeout=33)
    error = expect_error(outcome, "WaitTimeoutError", "wait, timeout 33")
    expect("wait, timeout 33", slept=(round(sum(clock.slept), 6), 33.0), progress=(error.video.progress, 47))
    clock.slept.clear()
    expect_error(script(Answer(200, JOB))("wait", "video_123"), "WaitTimeoutError", "wait")
    expect("wait", slept=(round(sum(clock.slept), 6), 900.0))


def test_a_deadline_without_an_answer_tells_the_last_error(script: Script, clock: Clock) -> None:
    outcome = script(Answer(503, REFUSAL))("wait", "video_123", timeout=33)
    error = expect_error(outcome, "WaitTimeoutError", "wait, timeout 33")
    cause = type(error.__cause__).__name__
    expect(
        "wait, timeout 33",
        cause=(cause, "InternalServerError"),
        video=(error.video, None),
        id=(error.video_id, "video_123"),
    )


def test_no_poll_starts_without_time_or_goes_on_beyond_it(script: Script, clock: Clock) -> None:
    outcome = script(Answer(200, JOB))("wait", "video_123", timeout=0)
    expect_error(outcome, "WaitTimeoutError", "wait, timeout 0")
    expect("wait, timeout 0", requests=(len(outcome.requests), 0))
    client = script(Answer(200, JOB))
    client("wait", "video_123", timeout=5)
    limits = [each["read"] or math.inf for each in client.timeouts]
    assert limits[0] == 5 > limits[-1] > 0, f"wait, timeout 5: the polls may take {limits} s"


def test_waiting_for_ever_outlasts_every_deadline(script: Script, clock: Clock) -> None:
    def later(_: httpx.Request) -> Answer:
        return Answer(200, DONE if clock.time > 20_000 else JOB)

    outcome = script(later)("wait", "video_123", timeout=math.inf)
    expect("wait, timeout inf", error=(outcome.error, None))


def test_on_update_is_called_when_status_or_progress_change(script: Script, clock: Clock) -> None:
    told: list[Any] = []
    steps = [JOB, JOB, JOB | {"size": "1x1"}, JOB | {"progress": 48}, JOB | {"progress": 48, "status": "queued"}, DONE]
    outcome = script(*(Answer(200, each) for each in steps))("wait", job(), on_update=told.append)
    expected = [("in_progress", 47), ("in_progress", 48), ("queued", 48), ("completed", 100)]
    expect("wait", told=([(video.status, video.progress) for video in told], expected), value=(outcome.value, told[-1]))


def test_a_strict_wait_ends_where_the_contract_is_broken(script: Script, clock: Clock) -> None:
    outcome = script(Answer(200, JOB | {"size": 7}), Answer(200, DONE), strict=True)("wait", "video_123")
    error = expect_error(outcome, "APIResponseValidationError", "wait, strict")
    expect("wait, strict", requests=(len(outcome.requests), 1), id=(error.video and error.video.id, "video_123"))

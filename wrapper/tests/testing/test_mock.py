"""The fake in place of DeerAPI: `mock_deerapi`, and the fixture `deerapi_mock` on top of it."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import httpcore
import httpx
import pytest

from deerapi_remix import (
    APITimeoutError,
    AsyncRemixClient,
    AuthenticationError,
    ConfigurationError,
    DeerAPIError,
    InternalServerError,
    RemixClient,
    RemixFailedError,
    WaitTimeoutError,
    _clock,
)
from deerapi_remix.testing import DeerAPIMock, NetworkBlockedError, mock_deerapi

from ..wire import Twin
from .conftest import PROMPT, SOURCE

EARLY = {"sync": RemixClient("sk-early"), "async": AsyncRemixClient("sk-early")}


def test_ten_minutes_pass_at_once(deerapi_mock: DeerAPIMock, connect: Twin, tmp_path: Path) -> None:
    began = time.monotonic()
    path = connect.own().remix_to_file(SOURCE, tmp_path / "bow.mp4", prompt=PROMPT)
    assert path.read_bytes()[4:8] == b"ftyp"
    assert 600 <= deerapi_mock.clock.elapsed <= 615
    assert time.monotonic() - began < 30


def test_what_was_sent_can_be_told_by_operation(deerapi_mock: DeerAPIMock, connect: Twin) -> None:
    client = connect.own()
    video = client.remix(SOURCE, prompt=PROMPT, model="sora-2-pro")
    client.retrieve(video.id)
    (submit,) = deerapi_mock.sent("remix")
    assert submit.body == {"prompt": PROMPT, "model": "sora-2-pro"}
    assert (submit.video_id, submit.status) == (SOURCE, 200)
    assert [request.video_id for request in deerapi_mock.sent("retrieve")] == [video.id]
    assert (deerapi_mock.sent("download"), len(deerapi_mock.requests)) == ((), 2)


def test_to_ask_for_an_operation_that_does_not_exist_is_an_error(deerapi_mock: DeerAPIMock) -> None:
    with pytest.raises(ValueError, match=r"^operation must be one of .*remix.*, not 'submit'$"):
        deerapi_mock.sent(cast(Any, "submit"))


def test_a_job_moves_on_when_the_clock_is_told_to(deerapi_mock: DeerAPIMock, connect: Twin) -> None:
    client = connect.own()
    video = client.remix(SOURCE, prompt=PROMPT)
    deerapi_mock.clock.advance(300)
    assert (client.retrieve(video.id).status, client.retrieve(video.id).progress) == ("in_progress", 50)
    deerapi_mock.clock.advance(300)
    assert client.retrieve(video.id).status == "completed"


def test_jobs_are_of_today(deerapi_mock: DeerAPIMock) -> None:
    created = RemixClient().remix(SOURCE, prompt=PROMPT).created_at
    assert created is not None
    assert abs(created - time.time()) < 60


@pytest.mark.parametrize(
    ("script", "error", "seconds", "sent"),
    [
        (lambda fake: fake.fails(message="No cats."), RemixFailedError, None, [200]),
        (lambda fake: fake.rate_limited(retry_after=50), None, 650, [429, 200]),
        (lambda fake: fake.rate_limited(retry_after=in_seconds(fake, 50)), None, 649, [429, 200]),
        (lambda fake: fake.answer_lost(), APITimeoutError, 0, [None]),
        (lambda fake: fake.stuck(), WaitTimeoutError, 900, [200]),
        (lambda fake: fake.truncated(at=1000), None, 600, [200]),
    ],
)
def test_a_script_is_what_a_client_meets(
    deerapi_mock: DeerAPIMock,
    connect: Twin,
    tmp_path: Path,
    script: Callable[[DeerAPIMock], None],
    error: type[Exception] | None,
    seconds: float | None,
    sent: list[int | None],
) -> None:
    script(deerapi_mock)
    raised = None
    try:
        connect.own().remix_to_file(SOURCE, tmp_path / "bow.mp4", prompt=PROMPT)
    except DeerAPIError as found:
        raised = found
    assert type(raised) is (error or type(None))
    assert [request.status for request in deerapi_mock.sent("remix")] == sent
    assert len(deerapi_mock.jobs) == 2
    if seconds is not None:
        assert seconds <= deerapi_mock.clock.elapsed <= seconds + 20
    if raised is not None:
        assert raised.may_have_been_charged is (error is APITimeoutError)


def in_seconds(fake: DeerAPIMock, seconds: float) -> str:
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(fake.clock() + seconds))


def test_a_truncated_file_is_resumed(deerapi_mock: DeerAPIMock, connect: Twin, tmp_path: Path) -> None:
    deerapi_mock.truncated(at=1000)
    connect.own().download(SOURCE, tmp_path / "bow.mp4")
    assert [request.headers.get("range") for request in deerapi_mock.sent("download")] == [None, "bytes=1000-"]


def test_a_forced_answer_reaches_the_client(deerapi_mock: DeerAPIMock, connect: Twin) -> None:
    deerapi_mock.answers("models", 502, times=4)
    with pytest.raises(InternalServerError):
        connect.own().models()


def test_clients_made_before_the_mock_talk_to_it(connect: Twin) -> None:
    early = connect.own(), connect.own(api_key="sk-other")
    with mock_deerapi() as deerapi:
        for client in early:
            client.models()
    assert len(deerapi.requests) == 2


async def test_clients_made_at_import_talk_to_it(deerapi_mock: DeerAPIMock) -> None:
    await cast(AsyncRemixClient, EARLY["async"]).models()
    cast(RemixClient, EARLY["sync"]).models()
    assert len(deerapi_mock.requests) == 2


@pytest.mark.parametrize("key", [None, "", "sk-mine"])
def test_a_harmless_key_stands_in_the_environment_meanwhile(
    connect: Twin, monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    monkeypatch.delenv("DEERAPI_KEY")
    if key is not None:
        monkeypatch.setenv("DEERAPI_KEY", key)
    with mock_deerapi():
        assert os.environ["DEERAPI_KEY"] == "sk-mock"
        connect.own().models()
    assert os.environ.get("DEERAPI_KEY") == key


def test_a_test_may_take_the_key_away(
    deerapi_mock: DeerAPIMock, connect: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DEERAPI_KEY")
    with pytest.raises(ConfigurationError):
        connect.own()
    assert deerapi_mock.requests == ()


def test_options_reach_the_fake(connect: Twin) -> None:
    with mock_deerapi(render_seconds=0, models=["sora-3"], api_keys=["sk-first", "sk-second"]):
        for client in (connect.own(), connect.own(api_key="sk-second")):
            assert [model.id for model in client.models()] == ["sora-3"]
            assert client.remix(SOURCE, prompt=PROMPT, model="sora-3").status == "completed"
        with pytest.raises(AuthenticationError):
            connect.own(api_key="sk-third").models()


@pytest.mark.parametrize(
    "base_url", ["https://gateway.example", "https://gateway.example:8443/deer/", "http://127.0.0.1:9"]
)
def test_the_fake_answers_at_the_base_url_of_the_environment(
    deerapi_mock: DeerAPIMock, connect: Twin, monkeypatch: pytest.MonkeyPatch, base_url: str
) -> None:
    monkeypatch.setenv("DEERAPI_BASE_URL", f" {base_url} ")
    connect.own().models()
    connect.own(base_url="https://api.deerapi.com").models()
    assert [request.path for request in deerapi_mock.requests] == ["/v1/models", "/v1/models"]


def test_the_fake_answers_at_the_base_url_that_it_is_told_and_nowhere_else(connect: Twin) -> None:
    with mock_deerapi(base_url="https://gateway.example/deer") as deerapi:
        connect.own(base_url="https://gateway.example/deer/").models()
        with pytest.raises(NetworkBlockedError) as caught:
            connect.own(base_url="https://gateway.example").remix(SOURCE, prompt=PROMPT)
    told = str(caught.value)
    assert f"POST https://gateway.example/v1/videos/{SOURCE}/remix was not sent" in told
    assert "DEERAPI_BASE_URL" in told
    assert len(deerapi.requests) == 1


def test_an_id_stays_one_segment(deerapi_mock: DeerAPIMock, connect: Twin) -> None:
    deerapi_mock.add_video("a/b é?c")
    assert connect.own().retrieve("a/b é?c").id == "a/b é?c"


class Subclass(httpx.HTTPTransport):
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.headers["X-Seen"] = "subclass"
        return super().handle_request(request)


class Wrapper(httpx.BaseTransport):
    def __init__(self) -> None:
        self._inner = httpx.HTTPTransport(retries=1)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.headers["X-Seen"] = "wrapper"
        return self._inner.handle_request(request)


def hooked() -> httpx.Client:
    return httpx.Client(event_hooks={"request": [lambda request: request.headers.update({"X-Seen": "hook"})]})


@pytest.mark.parametrize(
    ("make", "seen"),
    [
        (httpx.Client, None),
        (lambda: httpx.Client(transport=httpx.HTTPTransport(http1=True, retries=2)), None),
        (lambda: httpx.Client(proxy="http://127.0.0.1:9"), None),
        (lambda: httpx.Client(mounts={"all://": httpx.HTTPTransport(uds="/nowhere")}), None),
        (lambda: httpx.Client(transport=Subclass()), "subclass"),
        (lambda: httpx.Client(mounts={"https://": Wrapper()}), "wrapper"),
        (hooked, "hook"),
    ],
)
def test_an_http_client_of_ones_own_does_its_work_up_to_the_connection(
    deerapi_mock: DeerAPIMock, make: Callable[[], httpx.Client], seen: str | None
) -> None:
    with make() as http:
        RemixClient(http_client=http).models()
    assert deerapi_mock.requests[0].headers.get("x-seen") == seen


async def test_an_async_http_client_of_ones_own_does_its_work_up_to_the_connection(deerapi_mock: DeerAPIMock) -> None:
    async def hook(request: httpx.Request) -> None:
        request.headers["X-Seen"] = "hook"

    proxied = httpx.AsyncHTTPTransport(proxy="http://127.0.0.1:9")
    async with httpx.AsyncClient(transport=proxied, event_hooks={"request": [hook]}) as http:
        await AsyncRemixClient(http_client=http).remix("video_123", prompt=PROMPT)
    assert deerapi_mock.requests[0].headers["x-seen"] == "hook"


def test_a_mock_of_the_users_own_stays_in_charge(deerapi_mock: DeerAPIMock) -> None:
    own = httpx.MockTransport(lambda _: httpx.Response(200, json={"object": "list", "data": []}))
    with httpx.Client(transport=own) as http:
        assert RemixClient(http_client=http).models() == ()
    assert deerapi_mock.requests == ()


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("proxy", ["http://127.0.0.1:9", "http://proxy.example:3128"])
def test_proxies_of_the_environment_change_nothing(
    deerapi_mock: DeerAPIMock, connect: Twin, monkeypatch: pytest.MonkeyPatch, name: str, proxy: str
) -> None:
    monkeypatch.setenv(name, proxy)
    connect.own().models()
    assert len(deerapi_mock.requests) == 1


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/chat/completions"), ("DELETE", "/v1/videos/video_123"), ("GET", "/")]
)
def test_what_the_fake_does_not_serve_is_refused_by_name(deerapi_mock: DeerAPIMock, method: str, path: str) -> None:
    with pytest.raises(NetworkBlockedError, match=f"^{method} https://api.deerapi.com{path} was not sent: the fake"):
        httpx.request(method, f"https://api.deerapi.com{path}")
    assert deerapi_mock.requests == ()


def replaced() -> list[Any]:
    """Everything that the mock replaces."""
    return [
        os.environ.get("DEERAPI_KEY"),
        httpcore.ConnectionPool.handle_request,
        httpcore.AsyncConnectionPool.handle_async_request,
        {name for name in ("connect", "connect_ex", "sendto") if name in vars(socket.socket)},
        socket.getaddrinfo,
        socket.gethostbyname,
        socket.gethostbyname_ex,
        _clock.monotonic,
        _clock.now,
        _clock.sleep,
        _clock.async_sleep,
    ]


def test_everything_is_replaced_and_put_back_at_the_end() -> None:
    before = replaced()
    with mock_deerapi():
        assert all(now != then for now, then in zip(replaced(), before, strict=True))
    assert replaced() == before


@pytest.mark.parametrize("options", [{}, {"render_seconds": -1}])
def test_a_failure_leaves_nothing_behind(options: dict[str, Any]) -> None:
    before = replaced()
    with suppress(ZeroDivisionError, ValueError), mock_deerapi(**options):
        raise ZeroDivisionError
    assert replaced() == before
    with mock_deerapi():
        RemixClient().models()


def test_there_is_only_one_at_a_time(deerapi_mock: DeerAPIMock) -> None:
    with pytest.raises(RuntimeError, match="active already"), mock_deerapi():
        pass
    RemixClient().models()
    assert len(deerapi_mock.requests) == 1

"""What other libraries do to time, to tasks and to requests, and what a client makes of it."""

from __future__ import annotations

import copy
import pickle
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import freezegun
import httpx
import pytest
import respx
import trio
import vcr  # type: ignore[import-untyped]
from pytest_httpx import HTTPXMock
from vcr.errors import UnhandledHTTPRequestError  # type: ignore[import-untyped]
from vcr.record_mode import RecordMode  # type: ignore[import-untyped]

from deerapi_remix import (
    APIConnectionError,
    APITimeoutError,
    AsyncRemixClient,
    ConfigurationError,
    PollingPolicy,
    RemixClient,
    RetryPolicy,
    WaitTimeoutError,
)
from deerapi_remix.testing import FakeDeerAPI, NetworkBlockedError, mock_deerapi
from deerapi_remix.testing.asgi import running_server

from .conftest import Log
from .wire import Answer, Twin

PROMPT = "The cat takes a bow"
ONCE_MORE = RetryPolicy(attempts=2, initial_delay=0.0)


@contextmanager
def a_cassette(folder: Path) -> Iterator[None]:
    with vcr.VCR(record_mode=RecordMode.NONE).use_cassette(str(folder / "empty.yaml")):
        yield


@contextmanager
def an_empty_router(folder: Path) -> Iterator[None]:
    with respx.mock:
        yield


@contextmanager
def a_mock_for_another_url(folder: Path) -> Iterator[None]:
    with mock_deerapi():
        yield


@pytest.mark.parametrize(
    ("unmocked", "raised"),
    [
        (a_cassette, "CannotOverwriteExistingCassetteException"),
        (an_empty_router, "AllMockedAssertionError"),
        (a_mock_for_another_url, NetworkBlockedError.__name__),
    ],
)
def test_a_request_that_a_test_does_not_mock_was_not_sent(
    connect: Twin, log: Log, tmp_path: Path, unmocked: Callable[[Path], Any], raised: str
) -> None:
    client = connect.own(base_url="https://gateway.example")
    with unmocked(tmp_path), pytest.raises(Exception) as caught:
        client.remix("video_123", prompt=PROMPT)
    assert type(caught.value).__name__ == raised
    assert getattr(caught.value, "__notes__", []) == []
    assert "charged" not in log.text


def test_what_a_cassette_raises_for_a_request_that_it_does_not_know_passes(connect: Twin, log: Log) -> None:
    client, wire = connect(UnhandledHTTPRequestError("not on the cassette"))
    with pytest.raises(UnhandledHTTPRequestError) as caught:
        client.remix("video_123", prompt=PROMPT)
    assert (getattr(caught.value, "__notes__", []), len(wire.requests)) == ([], 1)
    assert "charged" not in log.text


@pytest.mark.httpx_mock(assert_all_requests_were_expected=False)
def test_a_request_that_httpx_mock_does_not_expect_was_not_sent_and_is_final(
    connect: Twin, httpx_mock: HTTPXMock
) -> None:
    with pytest.raises(APITimeoutError, match="No response can be found for POST request") as caught:
        connect.own().remix("video_123", prompt=PROMPT)
    assert not caught.value.may_have_been_charged
    assert not caught.value.retryable
    assert len(httpx_mock.get_requests()) == 1


def test_an_answer_that_httpx_mock_is_told_to_lose_is_lost(connect: Twin, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_exception(httpx.ReadTimeout("scripted"))
    with pytest.raises(APITimeoutError) as caught:
        connect.own().remix("video_123", prompt=PROMPT)
    assert caught.value.may_have_been_charged


NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@pytest.mark.parametrize("error", NOT_SENT)
@pytest.mark.parametrize("how", ["a class", "an exception", "a function"])
def test_a_connection_that_respx_lets_fail_is_tried_again(
    connect: Twin, error: type[httpx.TransportError], how: str
) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error("scripted", request=request)

    side_effects: dict[str, Any] = {"a class": error, "an exception": error("scripted"), "a function": fail}
    with respx.mock as router:
        route = router.post("https://api.deerapi.com/v1/videos/video_123/remix")
        route.side_effect = side_effects[how]
        with pytest.raises(APIConnectionError) as caught:
            connect.own(retry=ONCE_MORE).remix("video_123", prompt=PROMPT)
    assert (caught.value.may_have_been_charged, caught.value.retryable) == (False, True)
    assert route.call_count == 2


@pytest.mark.parametrize("error", NOT_SENT)
def test_a_connection_that_httpx_mock_lets_fail_is_tried_again(
    connect: Twin, httpx_mock: HTTPXMock, error: type[httpx.TransportError]
) -> None:
    httpx_mock.add_exception(error("scripted"), is_reusable=True)
    with pytest.raises(APIConnectionError) as caught:
        connect.own(retry=ONCE_MORE).remix("video_123", prompt=PROMPT)
    assert (caught.value.may_have_been_charged, caught.value.retryable) == (False, True)
    assert len(httpx_mock.get_requests()) == 2


class Elsewhere(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport that nobody knows."""

    def __init__(self, error: httpx.TransportError, cause: BaseException | None) -> None:
        self._error = error
        self._cause = cause
        self.requests = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        raise self._error from self._cause

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


@pytest.mark.parametrize("cause", [None, ConnectionResetError(), ConnectionRefusedError(), ssl.SSLError(1, "eof")])
@pytest.mark.parametrize("error", [*NOT_SENT, httpx.ProxyError, httpx.UnsupportedProtocol])
def test_a_transport_that_is_not_known_proves_nothing_when_it_says_that_nothing_was_sent(
    connect: Twin, error: type[httpx.TransportError], cause: BaseException | None
) -> None:
    transport = Elsewhere(error("who knows"), cause)
    kind = httpx.Client if connect.kind == "sync" else httpx.AsyncClient
    client = connect.own(http_client=kind(transport=transport), retry=ONCE_MORE)
    with pytest.raises(APIConnectionError) as caught:
        client.remix("video_123", prompt=PROMPT)
    assert (caught.value.may_have_been_charged, caught.value.retryable) == (True, False)
    assert transport.requests == 1


def test_under_trio_nothing_is_sent() -> None:
    fake = FakeDeerAPI()

    async def remix(url: str) -> None:
        async with AsyncRemixClient(base_url=url) as client:
            await client.remix("video_123", prompt=PROMPT)

    with running_server(fake) as url, pytest.raises(ConfigurationError, match="asyncio") as caught:
        trio.run(remix, url)
    assert (caught.value.video_id, fake.requests) == ("video_123", ())


def test_a_wait_ends_at_its_deadline_while_time_is_frozen(connect: Twin) -> None:
    with freezegun.freeze_time("2026-01-01"):
        polling = PollingPolicy(initial_interval=0.05, max_interval=0.05)
        client, wire = connect(Answer(200, {"id": "video_1", "status": "in_progress"}), polling=polling)
        with pytest.raises(WaitTimeoutError):
            client.wait("video_1", timeout=0.3)
    assert 2 <= len(wire.requests) <= 10


def test_time_goes_on_for_clients_that_are_imported_while_it_is_frozen() -> None:
    code = (
        "import freezegun; freezegun.freeze_time('2026-01-01').start()\n"
        "from deerapi_remix import _clock\n"
        "before = _clock.monotonic(); _clock.sleep(0.01); print(_clock.monotonic() - before >= 0.01)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "True\n"


@pytest.mark.parametrize("take", [copy.copy, copy.deepcopy, pickle.dumps])
@pytest.mark.parametrize("kind", [RemixClient, AsyncRemixClient])
def test_a_client_that_cannot_be_taken_elsewhere_says_what_to_do(
    take: Callable[[object], object], kind: type[RemixClient | AsyncRemixClient]
) -> None:
    with pytest.raises(TypeError, match=r"make one in each process|use with_options\(\)"):
        take(kind())


LATE = """
import sys
from deerapi_remix import RemixClient, PollingPolicy
from deerapi_remix.testing import FakeDeerAPI
from gevent import monkey
with __import__("warnings").catch_warnings():
    __import__("warnings").simplefilter("ignore")
    monkey.patch_all()
import gevent
client = RemixClient("any", base_url=sys.argv[1], polling=PollingPolicy(initial_interval=0.05, max_interval=0.1))
def remix(number):
    return client.wait(client.remix("video_123", prompt="A bow")).is_completed
print([each.get() for each in [gevent.spawn(remix, number) for number in range(5)]])
"""


def test_a_client_works_where_gevent_patches_late() -> None:
    with running_server(FakeDeerAPI(render_seconds=0.2)) as url:
        run = subprocess.run([sys.executable, "-c", LATE, url], capture_output=True, text=True, timeout=60)
    assert (run.stdout, run.returncode) == ("[True, True, True, True, True]\n", 0), run.stderr

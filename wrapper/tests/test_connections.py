"""Whose connections are used, who shares them, and who closes them."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpcore
import httpx
import pytest

from deerapi_remix import (
    APIConnectionError,
    APIStatusError,
    AsyncRemixClient,
    AuthenticationError,
    ConfigurationError,
    DeerAPIError,
    InternalServerError,
    RateLimitError,
    RemixClient,
    RetryPolicy,
    __version__,
)

from .conftest import KEY, Loopback
from .wire import CALLS, MODELS, Answer, Pieces, Plain, Twin, Wire, failure


def asked_for(request: str) -> bytes:
    """The video that a request asks for, in its own words."""
    found = re.search(r"/v1/videos/(\w+)", request)
    body = f'{{"id": "{found[1] if found else ""}", "status": "queued"}}'
    return f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


@pytest.fixture
def server(loopback: Loopback) -> Loopback:
    """Keeps its connections alive, and tells each request which video it asked for."""
    loopback.answer = asked_for
    return loopback


class Watched:
    """The httpx clients that were made, and those that were closed."""

    def __init__(self) -> None:
        self.made: list[object] = []
        self.closed: list[object] = []

    @property
    def open(self) -> list[object]:
        return [each for each in self.made if each not in self.closed]


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    watched = Watched()
    close, aclose = httpx.Client.close, httpx.AsyncClient.aclose

    def watch(kind: Any) -> None:
        init = kind.__init__

        def made(self: object, *args: Any, **options: Any) -> None:
            watched.made.append(self)
            init(self, *args, **options)

        monkeypatch.setattr(kind, "__init__", made)

    def closing(self: httpx.Client) -> None:
        watched.closed.append(self)
        close(self)

    async def aclosing(self: httpx.AsyncClient) -> None:
        watched.closed.append(self)
        await aclose(self)

    watch(httpx.Client)
    watch(httpx.AsyncClient)
    monkeypatch.setattr(httpx.Client, "close", closing)
    monkeypatch.setattr(httpx.AsyncClient, "aclose", aclosing)
    return watched


# A client handed in


def test_an_httpx_client_that_is_handed_in_is_not_closed(connect: Twin, watched: Watched) -> None:
    client, _ = connect(MODELS)
    client.models()
    client.close()
    assert watched.closed == []


async def test_leaving_the_context_does_not_close_an_httpx_client_that_was_handed_in() -> None:
    with httpx.Client(transport=Wire(MODELS)) as http:
        with RemixClient(http_client=http) as client:
            client.models()
        assert not http.is_closed
    async with httpx.AsyncClient(transport=Wire(MODELS)) as ahttp:
        async with AsyncRemixClient(http_client=ahttp) as twin:
            await twin.models()
        assert not ahttp.is_closed


def test_a_subclass_of_an_httpx_client_can_be_handed_in(server: Loopback) -> None:
    class Instrumented(httpx.Client):
        pass

    with Instrumented() as http:
        assert RemixClient(base_url=server.url, http_client=http).retrieve("a").id == "a"


def handing_out(connect: Twin, response: httpx.Response) -> RemixClient:
    """A client whose transport answers every request with the same object."""
    make = httpx.Client if connect.kind == "sync" else httpx.AsyncClient
    return connect.own(http_client=make(transport=httpx.MockTransport(lambda _: response)), retry=RetryPolicy(2, 0))


def test_a_transport_may_hand_out_the_same_response_again(connect: Twin) -> None:
    client = handing_out(connect, httpx.Response(200, json={"id": "video_1", "status": "queued"}))
    assert [client.retrieve("video_1").status for _ in range(3)] == ["queued"] * 3


def test_a_transport_may_hand_out_the_same_failure_again(connect: Twin) -> None:
    error = failure(InternalServerError, handing_out(connect, httpx.Response(503)).remix, "video_1", prompt="x")
    assert (error.attempts, error.may_have_been_charged) == (2, False)


def test_a_response_that_a_hook_has_kept_can_be_closed() -> None:
    kept: list[httpx.Response] = []
    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=httpx.ByteStream(b'{"data": []}')))
    with httpx.Client(transport=transport, event_hooks={"response": [kept.append]}) as http:
        RemixClient(http_client=http).models()
    kept[0].close()
    with pytest.raises(httpx.StreamConsumed):
        kept[0].read()


def test_an_httpx_client_that_was_closed_by_its_owner_is_refused() -> None:
    http = httpx.Client(transport=Wire(MODELS))
    client = RemixClient(http_client=http)
    http.close()
    with pytest.raises(ConfigurationError, match="closed"):
        client.models()


# Closing


async def test_leaving_the_context_closes_the_connections(server: Loopback, watched: Watched) -> None:
    with RemixClient(base_url=server.url) as client:
        client.retrieve("a")
        assert watched.open
        assert watched.closed == []
    assert watched.open == []
    async with AsyncRemixClient(base_url=server.url) as twin:
        await twin.retrieve("a")
        assert watched.open
    assert watched.open == []


def test_an_error_in_the_context_closes_the_connections_and_passes(server: Loopback, watched: Watched) -> None:
    client = RemixClient(base_url=server.url)
    client.retrieve("a")
    with pytest.raises(RuntimeError, match="mine"), client:
        raise RuntimeError("mine")
    assert watched.made
    assert watched.open == []


@pytest.mark.parametrize("call", CALLS)
def test_a_closed_client_sends_nothing(connect: Twin, call: str, tmp_path: Path) -> None:
    client, wire = connect(MODELS)
    client.close()
    with pytest.raises(ConfigurationError, match="closed") as caught:
        CALLS[call](client, tmp_path)
    assert caught.value.may_have_been_charged is False
    assert wire.requests == []
    assert list(tmp_path.iterdir()) == []


def test_a_closed_client_with_connections_of_its_own_and_its_copies_send_nothing(
    connect: Twin, server: Loopback
) -> None:
    client = connect.own(base_url=server.url)
    copy = client.with_options(timeout=5)
    client.retrieve("a")
    for _ in range(2):
        client.close()
        for closed in (client, copy):
            with pytest.raises(ConfigurationError, match="closed"):
                closed.retrieve("a")
    assert len(server.requests) == 1


# Sharing


def test_requests_share_a_connection_and_tell_who_sends_them(connect: Twin, server: Loopback) -> None:
    client = connect.own(base_url=server.url)
    for name in "abc":
        assert client.retrieve(name).id == name
    client.close()
    assert server.connections == 1
    assert f"\nuser-agent: deerapi-remix/{__version__}\n" in server.requests[0].lower()


def test_an_httpx_client_that_is_handed_in_tells_who_it_is(connect: Twin) -> None:
    client, wire = connect(MODELS, http={"headers": {"User-Agent": "service/1"}})
    client.models()
    assert wire.requests[0].headers["User-Agent"] == "service/1"


def test_nothing_that_a_server_sets_goes_out_with_the_next_request(connect: Twin, server: Loopback) -> None:
    answer = server.answer
    server.answer = lambda request: answer(request).replace(b"\r\n", b"\r\nSet-Cookie: session=of-this-call\r\n", 1)
    client = connect.own(base_url=server.url)
    client.retrieve("video_123")
    client.retrieve("video_123")
    client.close()
    assert "cookie" not in "".join(server.requests).lower()


def test_an_httpx_client_that_is_handed_in_keeps_its_cookies(connect: Twin) -> None:
    client, wire = connect(Answer(200, {"data": []}, {"Set-Cookie": "session=kept"}))
    client.models()
    client.models()
    assert wire.requests[1].headers["Cookie"] == "session=kept"


def test_a_copy_shares_the_connections(connect: Twin, server: Loopback) -> None:
    client = connect.own(base_url=server.url)
    client.retrieve("a")
    client.with_options(timeout=5).retrieve("b")
    client.with_options(retry=RetryPolicy(attempts=1)).with_options(timeout=4).retrieve("c")
    client.close()
    assert server.connections == 1


def test_closing_a_copy_closes_nothing(connect: Twin, server: Loopback, watched: Watched) -> None:
    client = connect.own(base_url=server.url)
    copy = client.with_options(timeout=5)
    copy.retrieve("a")
    copy.close()
    assert watched.closed == []
    assert client.retrieve("b").id == "b"
    assert copy.retrieve("c").id == "c"
    client.close()
    assert server.connections == 1


def test_leaving_the_context_of_a_copy_closes_nothing(server: Loopback, watched: Watched) -> None:
    with RemixClient(base_url=server.url) as client:
        with client.with_options(timeout=5) as copy:
            copy.retrieve("a")
        assert watched.closed == []
        client.retrieve("b")
    assert server.connections == 1


def test_threads_share_a_client_and_each_gets_its_own_answers(server: Loopback) -> None:
    start = threading.Barrier(8)

    def work(thread: int) -> list[str]:
        start.wait()
        return [client.retrieve(f"t{thread}n{number}").id for number in range(10)]

    with RemixClient(base_url=server.url) as client, ThreadPoolExecutor(8) as pool:
        results = list(pool.map(work, range(8)))
    assert results == [[f"t{thread}n{number}" for number in range(10)] for thread in range(8)]
    assert len(server.requests) == 80
    assert server.connections <= 8


async def test_tasks_share_a_client_and_each_gets_its_own_answers(server: Loopback) -> None:
    async with AsyncRemixClient(base_url=server.url) as client:
        videos = await asyncio.gather(*(client.retrieve(f"v{number}") for number in range(40)))
    assert [video.id for video in videos] == [f"v{number}" for number in range(40)]


# Forked children


def in_child(work: Callable[[], str]) -> str:
    """What `work` returns in a forked child, or the error that it raises."""
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Of forking beside the threads of the server.
        child = os.fork()
    if child == 0:
        try:
            result = work()
        except BaseException as error:
            result = f"{type(error).__name__}: {error} {getattr(error, 'video_id', None)}"
        os.write(write, result.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as stream:
        result = stream.read()
    os.waitpid(child, 0)
    return result


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@needs_fork
def test_a_forked_child_opens_a_connection_of_its_own(server: Loopback) -> None:
    with RemixClient(base_url=server.url) as client:
        client.retrieve("warm")

        def work() -> str:
            return ",".join(client.retrieve(f"child{number}").id for number in range(5))

        assert in_child(work) == "child0,child1,child2,child3,child4"
        assert server.connections == 2
        assert client.retrieve("parent").id == "parent"
        assert server.connections == 2


@needs_fork
def test_a_forked_child_of_the_twin_opens_a_connection_of_its_own(server: Loopback) -> None:
    with asyncio.Runner() as runner:
        client = AsyncRemixClient(base_url=server.url)
        runner.run(client.retrieve("warm"))

        async def several() -> str:
            return ",".join([(await client.retrieve(f"child{number}")).id for number in range(5)])

        assert in_child(lambda: asyncio.run(several())) == "child0,child1,child2,child3,child4"
        assert server.connections == 2
        assert runner.run(client.retrieve("parent")).id == "parent"
        assert server.connections == 2
        runner.run(client.aclose())


@needs_fork
def test_a_copy_in_a_forked_child_opens_a_connection_of_its_own(server: Loopback) -> None:
    with RemixClient(base_url=server.url) as client:
        copy = client.with_options(timeout=5)
        copy.retrieve("warm")
        assert in_child(lambda: copy.retrieve("child").id) == "child"
        assert server.connections == 2


@needs_fork
def test_a_forked_child_that_closes_leaves_the_parent_its_connections(server: Loopback) -> None:
    with RemixClient(base_url=server.url) as client:
        client.retrieve("warm")

        def work() -> str:
            client.close()
            return "closed"

        assert in_child(work) == "closed"
        assert client.retrieve("parent").id == "parent"
        assert server.connections == 1


@needs_fork
def test_a_client_closed_before_the_fork_is_closed_in_the_child(server: Loopback) -> None:
    client = RemixClient(base_url=server.url)
    client.close()
    assert in_child(lambda: client.retrieve("child").id).startswith("ConfigurationError: This client is closed")
    assert server.connections == 0


@needs_fork
def test_a_forked_child_may_not_use_an_httpx_client_that_was_handed_in(server: Loopback) -> None:
    with httpx.Client() as http:
        client = RemixClient(base_url=server.url, http_client=http)
        client.retrieve("warm")
        told = in_child(lambda: client.retrieve("child").id)
        waited = in_child(lambda: client.wait("child").id)
    assert told.startswith("ConfigurationError: http_client was made before this process was forked")
    assert waited == told
    assert told.endswith(" child")
    assert "attempts" not in told
    assert len(server.requests) == 1


@needs_fork
def test_a_forked_child_of_the_twin_may_not_use_an_httpx_client_that_was_handed_in(server: Loopback) -> None:
    with asyncio.Runner() as runner:
        http = httpx.AsyncClient()
        client = AsyncRemixClient(base_url=server.url, http_client=http)
        runner.run(client.retrieve("warm"))
        told = in_child(lambda: asyncio.run(client.retrieve("child")).id)
        runner.run(http.aclose())
    assert told.startswith("ConfigurationError: http_client was made before this process was forked")
    assert len(server.requests) == 1


# Proxies


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    """A proxy in the environment that refuses every connection."""
    proxy = Loopback()
    proxy.answer = lambda _: b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)
    monkeypatch.setenv("NO_PROXY", "")
    yield proxy
    proxy.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_loopback_address_bypasses_the_proxies_of_the_environment(
    connect: Twin, server: Loopback, proxy: Loopback, host: str
) -> None:
    client = connect.own(base_url=server.url.replace("127.0.0.1", host))
    assert client.retrieve("a").id == "a"
    client.close()
    assert proxy.requests == []


@pytest.mark.parametrize("base_url", ["https://api.deerapi.com", "https://192.0.2.1:8443"])
def test_any_other_address_goes_through_the_proxies_of_the_environment(
    connect: Twin, proxy: Loopback, base_url: str
) -> None:
    client = connect.own(base_url=base_url, retry=RetryPolicy(attempts=1))
    error = failure(APIConnectionError, client.remix, "video_1", prompt="Bow")
    client.close()
    assert [request.partition(" ")[0] for request in proxy.requests] == ["CONNECT"]
    assert KEY not in proxy.requests[0]
    assert error.may_have_been_charged is False
    assert error.retryable is True


def test_nothing_listens_where_the_client_connects_to(connect: Twin) -> None:
    gone = Loopback()
    gone.close()
    client = connect.own(base_url=gone.url, retry=RetryPolicy(attempts=2, initial_delay=0))
    error = failure(DeerAPIError, client.remix, "video_1", prompt="Bow")
    client.close()
    assert error.may_have_been_charged is False
    assert error.attempts == 2


# Connections that die


def test_a_connection_that_dies_under_a_submit_is_not_used_for_a_second_one(connect: Twin, loopback: Loopback) -> None:
    loopback.answer = lambda _: b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 90\r\n\r\n{}"
    client = connect.own(base_url=loopback.url)
    error = failure(APIConnectionError, client.remix, "video_1", prompt="Bow")
    client.close()
    assert error.may_have_been_charged is True
    assert len(loopback.requests) == 1


def test_a_connection_that_the_server_closed_meanwhile_is_replaced(connect: Twin, loopback: Loopback) -> None:
    loopback.answer = lambda request: asked_for(request).replace(b"200 OK\r\n", b"200 OK\r\nConnection: close\r\n")
    client = connect.own(base_url=loopback.url)
    assert client.retrieve("a").id == "a"
    assert client.retrieve("b").id == "b"
    client.close()
    assert loopback.connections == 2
    assert len(loopback.requests) == 2


# Hooks and the environment of the user's.


def refuse(response: httpx.Response) -> None:
    response.raise_for_status()


def close(response: httpx.Response) -> None:
    response.close()


async def aclose(response: httpx.Response) -> None:
    await response.aclose()


def read_and_refuse(response: httpx.Response) -> None:
    response.read()
    response.raise_for_status()


async def aread_and_refuse(response: httpx.Response) -> None:
    await response.aread()
    response.raise_for_status()


async def arefuse(response: httpx.Response) -> None:
    refuse(response)


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    ("status", "kind", "sent"), [(401, AuthenticationError, 1), (429, RateLimitError, 4), (503, InternalServerError, 4)]
)
def test_a_hook_that_reads_and_raises_for_the_status_changes_nothing(
    connect: Twin, status: int, kind: type[APIStatusError], sent: int
) -> None:
    hook = read_and_refuse if connect.kind == "sync" else aread_and_refuse
    client, wire = connect(Answer(status), http={"event_hooks": {"response": [hook]}})
    error = failure(kind, client.remix, "video_123", prompt="x")
    assert (error.status_code, error.may_have_been_charged, len(wire.requests)) == (status, False, sent)


# The body of a 500 or 503 shows whether the request was passed on, and is lost where a hook closes the answer unread.
@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    ("status", "sent", "charged"), [(401, 1, False), (429, 4, False), (500, 1, True), (502, 1, True), (503, 1, True)]
)
@pytest.mark.parametrize("closes", [False, True])
def test_after_a_hook_that_closes_the_answer_unread_a_submit_is_not_sent_again(
    connect: Twin, status: int, sent: int, charged: bool, closes: bool
) -> None:
    hook = {("sync", False): refuse, ("sync", True): close, ("async", False): arefuse, ("async", True): aclose}
    hooks = {"response": [hook[connect.kind, closes]]}
    body = Pieces(b'{"code": "do_request_failed"}')
    client, wire = connect(Answer(status, body), http={"event_hooks": hooks})
    error = failure(APIStatusError, client.remix, "video_123", prompt="x")
    assert (error.status_code, error.may_have_been_charged, len(wire.requests)) == (status, charged, sent)


def test_a_hook_whose_own_request_fails_does_not_prove_that_a_submit_was_not_sent(connect: Twin) -> None:
    def report(_: httpx.Response) -> None:
        httpx.get("http://127.0.0.1:1", trust_env=False)  # Nobody listens there.

    async def areport(response: httpx.Response) -> None:
        report(response)

    hook = report if connect.kind == "sync" else areport
    client, wire = connect(Answer(200, {"id": "a", "status": "queued"}), http={"event_hooks": {"response": [hook]}})
    error = failure(APIConnectionError, client.remix, "video_123", prompt="x")
    assert (error.may_have_been_charged, error.retryable, len(wire.requests)) == (True, False, 1)


def test_what_a_hook_raises_without_a_request_does_not_prove_that_a_submit_was_not_sent(connect: Twin) -> None:
    def report(_: httpx.Response) -> None:
        raise httpx.ConnectError("the metrics are down") from httpcore.ConnectError()

    async def areport(response: httpx.Response) -> None:
        report(response)

    hook = report if connect.kind == "sync" else areport
    client, _ = connect(Answer(200, {"id": "a", "status": "queued"}), http={"event_hooks": {"response": [hook]}})
    error = failure(APIConnectionError, client.remix, "video_123", prompt="x")
    assert (error.may_have_been_charged, error.retryable) == (True, False)


def test_a_connect_error_within_an_answer_does_not_prove_that_a_submit_was_not_sent(connect: Twin) -> None:
    client, wire = connect(Answer(200, Pieces(b'{"id', httpx.ConnectError("odd"))))
    error = failure(APIConnectionError, client.remix, "video_123", prompt="x")
    assert (error.may_have_been_charged, error.retryable, len(wire.requests)) == (True, False, 1)


# Networks as Docker Desktop and others put them into the environment, and whether the proxy is passed by.
EXCEPTED = [
    ("localhost,127.0.0.0/8,fd07:b51a:cc66:f0::/64", "https://api.deerapi.com", False),
    ("[fd07::]/64,fe80::/10,::1", "https://api.deerapi.com", False),
    ("fd07:b51a:cc66:f0::/64", "https://[fd07:b51a:cc66:f0::1]:1", True),
    ("::1,fd07::1", "https://[fd07::1]:1", True),
    ("192.0.2.0/24", "https://192.0.2.1:1", True),
    ("192.0.3.0/24", "https://192.0.2.1:1", False),
    ("deerapi.test", "https://api.deerapi.test:1", True),
    ("*", "https://api.deerapi.com", True),
]


@pytest.mark.parametrize(("value", "base_url", "is_excepted"), EXCEPTED)
def test_no_proxy_may_name_networks_and_hosts(
    connect: Twin, monkeypatch: pytest.MonkeyPatch, proxy: Loopback, value: str, base_url: str, is_excepted: bool
) -> None:
    monkeypatch.setenv("NO_PROXY", value)
    client = connect.own(base_url=base_url, retry=RetryPolicy(attempts=1), timeout=0.2)
    failure(APIConnectionError, client.remix, "video_1", prompt="Bow")
    client.close()
    assert len(proxy.requests) == (0 if is_excepted else 1)


# Item by item: the variable, its value, and what of it is told.
UNUSABLE = [
    ("ALL_PROXY", "socks5://127.0.0.1:1", "ALL_PROXY=socks5://127.0.0.1:1"),
    ("HTTPS_PROXY", "foo://x", "HTTPS_PROXY=foo://x"),
    ("https_proxy", "foo://x", "https_proxy=foo://x"),
    ("HTTP_PROXY", "http://[::1", "HTTP_PROXY=http://[::1"),
    ("NO_PROXY", "[::1", "NO_PROXY=[::1"),
    ("SSL_CERT_FILE", "/none", "SSL_CERT_FILE=/none"),
    ("SSL_CERT_DIR", "/none", "SSL_CERT_DIR=/none"),
]


@pytest.mark.parametrize(("name", "value", "told"), UNUSABLE, ids=[each[0] for each in UNUSABLE])
def test_a_variable_that_cannot_be_used_is_named_with_its_value(
    connect: Twin, monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(name, value)
    if name == "NO_PROXY":
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "socksio", None)  # As where httpx[socks] is not installed.
    assert told in str(failure(ConfigurationError, connect.own))


@pytest.mark.parametrize("name", ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY"])
def test_a_proxy_does_not_count_for_this_machine(connect: Twin, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "foo://x")
    connect.own(base_url="http://127.0.0.1:1")


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_certificates_count_for_this_machine_too(connect: Twin, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "/none")
    assert name in str(failure(ConfigurationError, connect.own, base_url="https://127.0.0.1:1"))


def test_the_password_of_a_proxy_is_not_told(connect: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "foo://user:pass-word@proxy.example")
    assert "pass-word" not in str(failure(ConfigurationError, connect.own))


# A second event loop


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("handed_in", [False, True], ids=["own", "handed in"])
def test_the_twin_refuses_a_second_event_loop_before_anything_is_sent(
    loopback: Loopback, call: str, handed_in: bool, tmp_path: Path
) -> None:
    # So that no connection is left open with the first loop.
    loopback.answer = lambda request: asked_for(request).replace(b"200 OK\r\n", b"200 OK\r\nConnection: close\r\n")
    client = AsyncRemixClient(base_url=loopback.url, http_client=httpx.AsyncClient() if handed_in else None)
    with asyncio.Runner() as first, asyncio.Runner() as second:
        first.run(client.retrieve("a"))
        for used in (client, client.with_options(timeout=5)):
            error = failure(ConfigurationError, CALLS[call], Plain(used, second), tmp_path)
            assert error.may_have_been_charged is False
    assert (len(loopback.requests), list(tmp_path.iterdir())) == (1, [])


def test_the_twin_may_be_made_before_any_event_loop_and_used_in_the_first(server: Loopback) -> None:
    client = AsyncRemixClient(base_url=server.url)

    async def main() -> str:
        async with client:
            return (await client.retrieve("a")).id

    assert asyncio.run(main()) == "a"


def test_a_new_twin_for_each_event_loop_works(server: Loopback) -> None:
    async def main() -> str:
        async with AsyncRemixClient(base_url=server.url) as client:
            return (await client.retrieve("a")).id

    assert [asyncio.run(main()) for _ in range(3)] == ["a"] * 3


class Fragile(Pieces):
    """A body of a transport of the user's, which raises where it is read to its end, or closed."""

    def __init__(self, body: bytes, error: Exception, *, when_closed: bool) -> None:
        super().__init__(body, *(() if when_closed else (error,)))
        self._error = error
        self._when_closed = when_closed

    def close(self) -> None:
        if self._when_closed:
            raise self._error

    async def aclose(self) -> None:
        self.close()


@pytest.mark.parametrize("when_closed", [False, True], ids=["read", "closed"])
@pytest.mark.parametrize(("status", "sent"), [(400, 1), (401, 1), (429, 2), (502, 1), (503, 2)])
def test_a_status_decides_where_a_transport_of_the_users_fails_after_it(
    connect: Twin, status: int, sent: int, when_closed: bool
) -> None:
    error = OSError("the tunnel is gone")
    retry = RetryPolicy(attempts=2, initial_delay=0.0)
    client, wire = connect(Answer(status, Fragile(b'{"message": "no"}', error, when_closed=when_closed)), retry=retry)
    told = failure(APIStatusError, client.remix, "video_123", prompt="x")
    assert (told.status_code, told.message, told.__cause__, len(wire.requests)) == (status, "no", error, sent)


@pytest.mark.parametrize("when_closed", [False, True], ids=["read", "closed"])
@pytest.mark.parametrize("error", [TimeoutError("a signal"), RuntimeError("a signal")], ids=repr)
def test_what_a_signal_handler_may_raise_passes_whatever_status_has_come(
    connect: Twin, error: Exception, when_closed: bool
) -> None:
    client, wire = connect(Answer(429, Fragile(b"{}", error, when_closed=when_closed)))
    assert failure(type(error), client.remix, "video_123", prompt="x") is error
    assert len(wire.requests) == 1

"""While the mock is active nothing leaves this machine, whatever is used to try."""

from __future__ import annotations

import asyncio
import http.client
import socket
import sys
import urllib.request
from asyncio.proactor_events import BaseProactorEventLoop
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast

import httpcore
import httpx
import pytest

from deerapi_remix import AsyncRemixClient, RemixClient
from deerapi_remix.testing import NetworkBlockedError, mock_deerapi

from ..conftest import Loopback

HOST = "api.deerapi.com"
ADDRESS = "203.0.113.7"


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What gets past the mock to the network. There every name has one address, and every connection is made."""
    seen: list[tuple[Any, ...]] = []
    answers: dict[str, Callable[..., Any]] = {
        "getaddrinfo": lambda host, port, *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ADDRESS, port))],
        "gethostbyname": lambda host: ADDRESS,
        "gethostbyname_ex": lambda host: (host, [], [ADDRESS]),
        "gethostbyaddr": lambda host: (host, [], [ADDRESS]),
        "getnameinfo": lambda address, flags: ("database", str(address[1])),
    }

    def replace(name: str) -> None:
        def resolve(host: Any, *arguments: Any, **options: Any) -> Any:
            seen.append(("resolve", host[0] if isinstance(host, tuple) else host))
            return answers[name](host, *arguments, **options)

        monkeypatch.setattr(socket, name, resolve)

    for name in answers:
        replace(name)
    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, lambda sock, address: seen.append(("connect", *address)))
    for name in ("sendto", "sendmsg") if sys.platform != "win32" else ("sendto",):
        monkeypatch.setattr(socket.socket, name, lambda sock, *arguments: seen.append(("send", *arguments[-1])))
    return seen


@pytest.fixture
def mocked(outside: list[tuple[Any, ...]]) -> Iterator[None]:
    with mock_deerapi():
        yield


class RawTransport(httpx.BaseTransport):
    """A transport with connections of its own, as other HTTP libraries have them."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        connection = http.client.HTTPSConnection(request.url.host)
        connection.request(request.method, request.url.path)
        return httpx.Response(connection.getresponse().status)


class AsyncRawTransport(httpx.AsyncBaseTransport):
    """The same on asyncio."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        _, writer = await asyncio.open_connection(request.url.host, 443)
        writer.write(b"POST / HTTP/1.1\r\n\r\n")
        return httpx.Response(200)


def with_socket(action: Callable[[socket.socket], object], family: int = socket.AF_INET, kind: int = 1) -> None:
    with socket.socket(family, kind) as sock:
        action(sock)


def remix_by(transport: httpx.BaseTransport) -> None:
    with httpx.Client(transport=transport) as client:
        RemixClient(http_client=client).remix("video_123", prompt="The cat takes a bow")


@pytest.mark.parametrize(
    "attempt",
    [
        lambda: httpx.get("https://example.org/"),
        lambda: httpx.get("http://example.org:8000/"),
        lambda: httpx.get(f"https://{ADDRESS}/"),
        lambda: httpx.get(f"https://{HOST}.example.org/v1/models"),
        lambda: httpx.get(f"http://{HOST}/v1/models"),
        lambda: httpx.get(f"https://{HOST}:8443/v1/models"),
        lambda: httpx.get("https://example.org/", trust_env=False, verify=False),
        lambda: httpx.get("https://example.org/", proxy="http://127.0.0.1:9"),
        lambda: httpcore.request("GET", "https://example.org/"),
        lambda: urllib.request.urlopen(f"https://{HOST}/v1/models"),
        lambda: http.client.HTTPSConnection(HOST).request("POST", "/v1/videos/video_123/remix"),
        lambda: socket.create_connection((HOST, 443)),
        lambda: socket.create_connection((ADDRESS, 443)),
        lambda: with_socket(lambda sock: sock.connect((HOST, 443))),
        lambda: with_socket(lambda sock: sock.connect((ADDRESS, 443))),
        lambda: with_socket(lambda sock: sock.connect_ex((ADDRESS, 443))),
        lambda: with_socket(lambda sock: sock.connect(("2001:db8::7", 443, 0, 0)), socket.AF_INET6),
        lambda: with_socket(lambda sock: sock.connect(("::ffff:203.0.113.7", 443)), socket.AF_INET6),
        lambda: with_socket(lambda sock: sock.connect(("127.1.example", 443))),
        lambda: with_socket(lambda sock: sock.sendto(b"", (ADDRESS, 443)), kind=socket.SOCK_DGRAM),
        lambda: with_socket(lambda sock: sock.sendto(b"", 0, (ADDRESS, 443)), kind=socket.SOCK_DGRAM),
        lambda: socket.getaddrinfo(HOST, 443),
        lambda: socket.getaddrinfo(host=HOST.encode(), port=443),
        lambda: socket.gethostbyname(HOST),
        lambda: socket.gethostbyname_ex(HOST),
        lambda: socket.gethostbyaddr(ADDRESS),
        lambda: socket.getfqdn(HOST),
        lambda: socket.getnameinfo((ADDRESS, 443), 0),
        lambda: socket.getnameinfo(("2001:db8::7", 443, 0, 0), 0),
        lambda: remix_by(RawTransport()),
    ],
)
def test_nothing_leaves_this_machine(
    mocked: None, outside: list[tuple[Any, ...]], attempt: Callable[[], object]
) -> None:
    with pytest.raises(NetworkBlockedError):
        attempt()
    assert outside == []


async def open_by_address(connect: Callable[..., Any]) -> None:
    with socket.socket() as sock:
        sock.setblocking(False)
        await connect(sock, (ADDRESS, 443))


async def get_with_httpx() -> None:
    async with httpx.AsyncClient() as client:
        await client.get("https://example.org/")


async def remix_by_another_transport() -> None:
    async with httpx.AsyncClient(transport=AsyncRawTransport()) as client:
        await AsyncRemixClient(http_client=client).remix("video_123", prompt="The cat takes a bow")


@pytest.mark.parametrize(
    "attempt",
    [
        lambda: asyncio.open_connection(HOST, 443),
        lambda: asyncio.open_connection(ADDRESS, 443),
        lambda: open_by_address(asyncio.get_running_loop().sock_connect),
        lambda: open_by_address(partial(BaseProactorEventLoop.sock_connect, cast(Any, None))),
        lambda: asyncio.get_running_loop().getaddrinfo(HOST, 443),
        lambda: asyncio.to_thread(httpx.get, "https://example.org/"),
        get_with_httpx,
        remix_by_another_transport,
    ],
)
async def test_nothing_leaves_an_event_loop(
    mocked: None, outside: list[tuple[Any, ...]], attempt: Callable[[], Any]
) -> None:
    with pytest.raises(NetworkBlockedError):
        await attempt()
    assert outside == []


@pytest.mark.parametrize(
    ("attempt", "told"),
    [
        (
            lambda: httpx.put("https://example.org:8443/things?x=1"),
            r"^PUT https://example\.org:8443/things\?x=1 was not sent\. .*allow_hosts",
        ),
        (lambda: urllib.request.urlopen(f"https://{HOST}/v1/models"), r"made with httpx at .*`deerapi-remix mock`"),
        (
            lambda: with_socket(lambda sock: sock.connect((ADDRESS, 443))),
            r"^No connection to 203\.0\.113\.7:443 was made\. .*allow_hosts",
        ),
    ],
)
def test_what_is_refused_is_named_and_so_is_what_to_do(mocked: None, attempt: Callable[[], object], told: str) -> None:
    with pytest.raises(NetworkBlockedError, match=told):
        attempt()


def test_a_refusal_is_no_error_that_network_code_would_catch() -> None:
    assert not issubclass(NetworkBlockedError, OSError | httpx.HTTPError)


def test_after_the_mock_ends_the_network_is_there_again(outside: list[tuple[Any, ...]]) -> None:
    with mock_deerapi():
        pass
    with_socket(lambda sock: sock.connect((ADDRESS, 443)))
    assert outside == [("connect", ADDRESS, 443)]


ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


@pytest.mark.parametrize(
    "get",
    [
        lambda url: httpx.get(url).text,
        lambda url: httpx.get(url.replace("127.0.0.1", "localhost")).text,
        lambda url: urllib.request.urlopen(url).read().decode(),
    ],
)
def test_servers_on_this_machine_can_be_reached(loopback: Loopback, get: Callable[[str], str]) -> None:
    loopback.answer = lambda _: ANSWER
    with mock_deerapi():
        assert get(loopback.url) == "ok"


async def test_servers_on_this_machine_can_be_reached_from_an_event_loop(loopback: Loopback) -> None:
    loopback.answer = lambda _: ANSWER
    port = int(loopback.url.rpartition(":")[2])
    with mock_deerapi():
        async with httpx.AsyncClient() as client:
            assert (await client.get(loopback.url)).text == "ok"
        for host in ("localhost", "127.0.0.1", "::ffff:127.0.0.1"):
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
            await writer.wait_closed()


async def test_servers_can_be_started_and_reached_by_the_address_of_all_interfaces() -> None:
    with mock_deerapi():
        server = await asyncio.start_server(lambda _, writer: writer.close(), "0.0.0.0", 0)
        async with server:
            _, writer = await asyncio.open_connection("0.0.0.0", server.sockets[0].getsockname()[1])
            writer.close()
            await writer.wait_closed()


async def test_event_loops_of_windows_reach_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    connected: list[object] = []

    async def sock_connect(loop: object, sock: socket.socket, address: object) -> None:
        connected.append(address)

    monkeypatch.setattr(BaseProactorEventLoop, "sock_connect", sock_connect)
    with mock_deerapi(), socket.socket() as sock:
        await BaseProactorEventLoop.sock_connect(cast(Any, None), sock, ("127.0.0.1", 443))
    assert connected == [("127.0.0.1", 443)]


if sys.platform != "win32":

    def test_no_message_leaves_this_machine(outside: list[tuple[Any, ...]]) -> None:
        with mock_deerapi(allow_hosts=["203.0.113.8"]), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            with pytest.raises(NetworkBlockedError):
                sock.sendmsg([b"x"], [], 0, (ADDRESS, 53))
            sock.sendmsg([b"x"], [], 0, ("203.0.113.8", 53))
        assert outside == [("send", "203.0.113.8", 53)]

    def test_messages_between_connected_sockets_pass() -> None:
        one, other = socket.socketpair()
        with mock_deerapi(), one, other:
            one.sendmsg([b"x"])
            assert other.recv(1) == b"x"

    async def test_a_unix_socket_is_on_this_machine_whatever_the_url_says(tmp_path: Path) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(ANSWER)
            writer.close()

        path = str(tmp_path / "socket")
        with mock_deerapi():
            async with await asyncio.start_unix_server(serve, path):
                transport = httpx.AsyncHTTPTransport(uds=path)
                async with httpx.AsyncClient(transport=transport) as client:
                    assert (await client.get("http://docker/info")).text == "ok"


@pytest.mark.parametrize("proxy", ["http://{}", "{}", "socks5://{}", "http://user:password@{}"])
def test_a_proxy_on_this_machine_leads_away_from_it(
    loopback: Loopback, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    address = loopback.url.removeprefix("http://")
    monkeypatch.setenv("HTTP_PROXY", proxy.format(address))
    monkeypatch.setenv("NO_PROXY", "localhost,10.0.0.0/8,[::1]:80")
    with mock_deerapi(), pytest.raises(NetworkBlockedError, match="proxy"):
        socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])))
    assert loopback.connections == 0


def test_a_proxy_elsewhere_takes_no_port_of_this_machine(loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    loopback.answer = lambda _: ANSWER
    monkeypatch.setenv("HTTPS_PROXY", f"http://proxy.example:{loopback.url.rpartition(':')[2]}")
    monkeypatch.setenv("NO_PROXY", loopback.url.removeprefix("http://"))
    with mock_deerapi():
        assert httpx.get(loopback.url).text == "ok"


@pytest.mark.parametrize(
    "resolve",
    [
        lambda name: socket.getaddrinfo(name, 5432)[0][4][0],
        lambda name: socket.gethostbyname(name),
        lambda name: socket.gethostbyname_ex(name)[2][0],
        lambda name: socket.gethostbyaddr(name)[2][0],
    ],
)
def test_an_allowed_host_can_be_reached_by_name_and_by_its_address(
    outside: list[tuple[Any, ...]], resolve: Callable[[str], str]
) -> None:
    with mock_deerapi(allow_hosts=["Database"]):
        address = resolve("dataBASE")
        with_socket(lambda sock: sock.connect((address, 5432)))
        with_socket(lambda sock: sock.connect(("database", 5432)))
        with pytest.raises(NetworkBlockedError):
            socket.getaddrinfo("databases", 5432)
    assert outside == [("resolve", "dataBASE"), ("connect", ADDRESS, 5432), ("connect", "database", 5432)]


def test_an_allowed_address_can_be_reached_and_named(outside: list[tuple[Any, ...]]) -> None:
    with mock_deerapi(allow_hosts=[ADDRESS]):
        with_socket(lambda sock: sock.connect((ADDRESS, 5432)))
        assert socket.getnameinfo((ADDRESS, 5432), 0) == ("database", "5432")
        with pytest.raises(NetworkBlockedError):
            with_socket(lambda sock: sock.connect(("203.0.113.8", 5432)))
    assert outside == [("connect", ADDRESS, 5432), ("resolve", ADDRESS)]


def test_the_name_of_this_machine_can_be_looked_up(outside: list[tuple[Any, ...]]) -> None:
    with mock_deerapi():
        assert socket.gethostbyname(socket.gethostname()) == ADDRESS
    assert outside == [("resolve", socket.gethostname())]

"""What docs/connections.md promises of clients that are handed in and of the environment, over real sockets."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import httpx
import pytest
import trustme
from httpx_aiohttp import AiohttpTransport

from deerapi_remix import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AsyncRemixClient,
    RemixClient,
    RetryPolicy,
)
from deerapi_remix.testing import FakeDeerAPI
from deerapi_remix.testing.asgi import create_app
from deerapi_remix.testing.fake import Answer, Request

from ..conftest import KEY
from ..faults.server import FaultServer, HangUp, Peer, fault_server
from ..wire import Twin

JOB = ["remix", "retrieve", "download"]


@pytest.fixture
def fake() -> FakeDeerAPI:
    return FakeDeerAPI(render_seconds=0)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server(fake: FakeDeerAPI, authority: trustme.CA) -> Iterator[FaultServer]:
    """The fake behind TLS, with a certificate for the real API that no system trusts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("api.deerapi.com", "localhost").configure_cert(context)
    with fault_server(fake, tls=context) as server:
        yield server


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def do_a_job(client: RemixClient, target: Path) -> bytes:
    """Submit, look, download; the file."""
    video = client.retrieve(client.remix("video_123", prompt="The cat takes a bow").id)
    return client.download(video, target).read_bytes()


async def do_a_job_async(client: AsyncRemixClient, target: Path) -> bytes:
    video = await client.retrieve((await client.remix("video_123", prompt="The cat takes a bow")).id)
    return (await client.download(video, target)).read_bytes()


def operations(fake: FakeDeerAPI) -> list[str | None]:
    return [request.operation for request in fake.requests if request.status == 200]


# Proxies


class Tunnel:
    """A proxy on this machine: whatever host it is asked for, it connects to `port`.

    Attributes:
        asked: The head of each request to it.
    """

    def __init__(self, port: int) -> None:
        self.asked: list[str] = []
        self._port = port
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://user:secret@127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for each in (self._listener, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    head += client.recv(1)
                self.asked.append(head.decode("latin-1"))
                server = socket.create_connection(("127.0.0.1", self._port))
                self._open += [client, server]
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self._relay, args=pair, daemon=True).start()

    def _relay(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


@pytest.fixture
def tunnel(server: FaultServer) -> Iterator[Tunnel]:
    tunnel = Tunnel(server.port)
    yield tunnel
    tunnel.close()


@pytest.fixture
def in_environment(monkeypatch: pytest.MonkeyPatch, tunnel: Tunnel, authority: trustme.CA, tmp_path: Path) -> None:
    authority.cert_pem.write_to_path(tmp_path / "company-ca.pem")
    monkeypatch.setenv("HTTPS_PROXY", tunnel.url)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "company-ca.pem"))
    monkeypatch.setenv("NO_PROXY", "")


@pytest.mark.usefixtures("in_environment")
def test_a_job_goes_through_the_proxy_and_trusts_the_authority_of_the_environment(
    connect: Twin, fake: FakeDeerAPI, tunnel: Tunnel, tmp_path: Path
) -> None:
    client = connect.own()
    assert do_a_job(client, tmp_path / "bow.mp4")[4:8] == b"ftyp"
    client.close()
    assert operations(fake) == JOB
    assert tunnel.asked[0].startswith("CONNECT api.deerapi.com:443 HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=" in tunnel.asked[0]
    assert KEY not in "".join(tunnel.asked)


def test_a_job_goes_through_the_proxy_of_a_client_handed_in(
    fake: FakeDeerAPI, tunnel: Tunnel, trusting: ssl.SSLContext, tmp_path: Path
) -> None:
    with httpx.Client(proxy=tunnel.url, verify=trusting) as http:
        assert do_a_job(RemixClient(http_client=http), tmp_path / "bow.mp4")[4:8] == b"ftyp"
    assert operations(fake) == JOB
    assert [head.split(" ")[1] for head in tunnel.asked] == ["api.deerapi.com:443"]


async def test_a_job_goes_through_the_proxy_of_a_client_handed_in_to_the_twin(
    fake: FakeDeerAPI, tunnel: Tunnel, trusting: ssl.SSLContext, tmp_path: Path
) -> None:
    async with httpx.AsyncClient(proxy=tunnel.url, verify=trusting) as http:
        assert (await do_a_job_async(AsyncRemixClient(http_client=http), tmp_path / "bow.mp4"))[4:8] == b"ftyp"
    assert operations(fake) == JOB
    assert [head.split(" ")[1] for head in tunnel.asked] == ["api.deerapi.com:443"]


# Certificates


def test_an_authority_of_the_users_own_is_trusted_where_it_is_handed_in(
    server: FaultServer, fake: FakeDeerAPI, trusting: ssl.SSLContext, tmp_path: Path
) -> None:
    with httpx.Client(verify=trusting) as http:
        do_a_job(RemixClient(base_url=server.url, http_client=http), tmp_path / "bow.mp4")
    assert operations(fake) == JOB


def test_a_certificate_that_is_not_trusted_is_final_and_nothing_was_sent(connect: Twin, server: FaultServer) -> None:
    client = connect.own(base_url=server.url)
    with pytest.raises(APIConnectionError, match="certificate") as caught:
        client.remix("video_123", prompt="x")
    client.close()
    assert (caught.value.attempts, caught.value.retryable, caught.value.may_have_been_charged) == (1, False, False)
    assert server.posts == 0


# Limits, hooks, transports


def test_the_limits_of_a_client_handed_in_are_kept(fake: FakeDeerAPI) -> None:
    busy, done = threading.Event(), threading.Event()

    def hold(peer: Peer) -> None:
        busy.set()
        done.wait(5)
        peer.answer()

    impatient = httpx.Timeout(5, pool=0.01)
    with (
        fault_server(fake, hold) as server,
        httpx.Client(limits=httpx.Limits(max_connections=1)) as http,
        ThreadPoolExecutor(1) as pool,
    ):
        client = RemixClient(base_url=server.url, http_client=http, timeout=impatient, retry=RetryPolicy(attempts=1))
        first = pool.submit(client.models)
        busy.wait(5)
        with pytest.raises(APITimeoutError) as caught:
            client.remix("video_123", prompt="x")
        done.set()
        assert len(first.result(5)) == 2
        assert caught.value.may_have_been_charged is False
        assert (len(server.peers), server.posts) == (1, 0)


async def test_the_limits_of_a_client_handed_in_to_the_twin_are_kept(fake: FakeDeerAPI) -> None:
    limits = httpx.Limits(max_connections=1)
    with fault_server(fake) as server:
        async with httpx.AsyncClient(limits=limits) as http:
            client = AsyncRemixClient(base_url=server.url, http_client=http)
            jobs = await asyncio.gather(*(client.remix("video_123", prompt=str(number)) for number in range(8)))
        assert len({job.id for job in jobs}) == 8
        assert len(server.peers) == 1


def test_hooks_see_every_attempt_and_may_add_headers(fake: FakeDeerAPI) -> None:
    seen: list[object] = []

    def before(request: httpx.Request) -> None:
        request.headers["X-Order"] = "7"
        seen.append(request.method)

    fake.answers("remix", 503, headers={"Retry-After": "0.001"})
    hooks = {"request": [before], "response": [lambda response: seen.append(response.status_code)]}
    with fault_server(fake) as server, httpx.Client(event_hooks=hooks) as http:
        client = RemixClient(base_url=server.url, http_client=http, retry=RetryPolicy(initial_delay=0))
        client.remix("video_123", prompt="x")
    assert seen == ["POST", 503, "POST", 200]
    assert [request.headers["x-order"] for request in fake.requests] == ["7", "7"]


async def test_a_transport_of_the_users_own_carries_a_job(fake: FakeDeerAPI, tmp_path: Path) -> None:
    """Here one that calls an ASGI app, without a socket."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_app(fake))) as http:
        assert (await do_a_job_async(AsyncRemixClient(http_client=http), tmp_path / "bow.mp4"))[4:8] == b"ftyp"
    assert operations(fake) == JOB


# The transport of aiohttp

AT_ONCE = RetryPolicy(initial_delay=0)


def lost(peer: Peer) -> None:
    """The request arrives; the answer does not."""
    peer.exchange()
    raise HangUp


async def test_the_transport_of_aiohttp_carries_a_job(fake: FakeDeerAPI, tmp_path: Path) -> None:
    with fault_server(fake) as server:
        async with httpx.AsyncClient(transport=AiohttpTransport()) as http:
            client = AsyncRemixClient(base_url=server.url, http_client=http)
            assert (await do_a_job_async(client, tmp_path / "bow.mp4"))[4:8] == b"ftyp"
    assert operations(fake) == JOB


@pytest.mark.parametrize("video_id", ["a/b", "a%2Fb", "a?b", "a#b", "é", "a b", "..%2f", "a+b"])
async def test_an_id_stays_one_segment_behind_the_transport_of_aiohttp(fake: FakeDeerAPI, video_id: str) -> None:
    with fault_server(fake) as server:
        async with httpx.AsyncClient(transport=AiohttpTransport()) as http:
            with suppress(APIStatusError):
                await AsyncRemixClient(base_url=server.url, http_client=http).remix(video_id, prompt="x")
    assert [request.video_id for request in fake.requests] == [video_id]


async def test_a_submit_that_is_lost_behind_the_transport_of_aiohttp_is_not_sent_again(fake: FakeDeerAPI) -> None:
    """It calls a connection that died under a request a timeout of the connection's making."""
    with fault_server(fake, lost) as server:
        async with httpx.AsyncClient(transport=AiohttpTransport()) as http:
            client = AsyncRemixClient(base_url=server.url, http_client=http, retry=AT_ONCE)
            with pytest.raises(APIConnectionError) as caught:
                await client.remix("video_123", prompt="x")
    assert isinstance(caught.value.__cause__, httpx.ConnectTimeout)
    assert (caught.value.may_have_been_charged, caught.value.attempts) == (True, 1)
    assert len(fake.requests) == 1


async def test_a_poll_that_is_lost_behind_the_transport_of_aiohttp_is_sent_again(fake: FakeDeerAPI) -> None:
    with fault_server(fake, lost) as server:
        async with httpx.AsyncClient(transport=AiohttpTransport()) as http:
            client = AsyncRemixClient(base_url=server.url, http_client=http, retry=AT_ONCE)
            assert (await client.models())[0].id == "sora-2"


# HTTP/2


class Http2Server:
    """The fake behind HTTP/2, one connection at a time.

    Attributes:
        requests: How many streams there were.
    """

    def __init__(self, fake: FakeDeerAPI, context: ssl.SSLContext) -> None:
        self.requests = 0
        self._fake = fake
        context.set_alpn_protocols(["h2"])
        self._listener = context.wrap_socket(socket.create_server(("127.0.0.1", 0)), server_side=True)
        self.url = f"https://localhost:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with suppress(OSError), connection:
                    self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        protocol = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        protocol.initiate_connection()
        heads: dict[int, dict[str, str]] = {}
        bodies: dict[int, bytes] = {}
        connection.sendall(protocol.data_to_send())
        while data := connection.recv(65536):
            for event in protocol.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    heads[event.stream_id] = {str(name): str(value) for name, value in event.headers}
                elif isinstance(event, h2.events.DataReceived):
                    bodies[event.stream_id] = bodies.get(event.stream_id, b"") + event.data
                elif isinstance(event, h2.events.StreamEnded):
                    self.requests += 1
                    stream = event.stream_id
                    self._answer(protocol, stream, self._handle(heads.pop(stream), bodies.pop(stream, b"")))
            connection.sendall(protocol.data_to_send())

    def _handle(self, head: dict[str, str], body: bytes) -> Answer:
        return self._fake.handle(Request(head[":method"], head[":path"], headers=head, body=body))

    def _answer(self, protocol: h2.connection.H2Connection, stream: int, answer: Answer) -> None:
        protocol.send_headers(stream, [(":status", str(answer.status)), *answer.headers.items()])
        size = protocol.max_outbound_frame_size
        for start in range(0, len(answer.body), size):  # The files of the fake fit into the first window.
            protocol.send_data(stream, answer.body[start : start + size])
        protocol.end_stream(stream)


@pytest.fixture
def http2(fake: FakeDeerAPI, authority: trustme.CA) -> Iterator[Http2Server]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    server = Http2Server(fake, context)
    yield server
    server.close()


def test_a_client_handed_in_may_speak_http2(
    http2: Http2Server, fake: FakeDeerAPI, trusting: ssl.SSLContext, tmp_path: Path
) -> None:
    versions: list[str] = []
    hooks = {"response": [lambda response: versions.append(response.http_version)]}
    with httpx.Client(http1=False, http2=True, verify=trusting, event_hooks=hooks) as http:
        video = do_a_job(RemixClient(base_url=http2.url, http_client=http), tmp_path / "bow.mp4")
    assert video[4:8] == b"ftyp"
    assert versions == ["HTTP/2"] * 3
    assert (http2.requests, operations(fake)) == (3, JOB)


async def test_a_client_handed_in_to_the_twin_may_speak_http2(
    http2: Http2Server, fake: FakeDeerAPI, trusting: ssl.SSLContext, tmp_path: Path
) -> None:
    async with httpx.AsyncClient(http1=False, http2=True, verify=trusting) as http:
        video = await do_a_job_async(AsyncRemixClient(base_url=http2.url, http_client=http), tmp_path / "bow.mp4")
    assert video[4:8] == b"ftyp"
    assert (http2.requests, operations(fake)) == (3, JOB)

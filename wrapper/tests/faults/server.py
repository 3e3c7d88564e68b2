"""A server on a real socket that misbehaves as it is told, and keeps every byte.

Behind it is the fake, so that a whole job can be done with it; each request gets the next step of a script. A step
takes a `Peer` and does with it what it likes: read, answer, stall, hang up. After the script all goes well.
"""

from __future__ import annotations

import json
import re
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from deerapi_remix.testing import FakeDeerAPI
from deerapi_remix.testing.fake import Answer, Request

Step = Callable[["Peer"], None]
_LENGTH = re.compile(rb"^content-length: *([0-9]+)", re.IGNORECASE | re.MULTILINE)


class TLSSocket(ssl.SSLSocket):
    """One that needs no closing: `wrap_socket` just drops what it was making if the other side has gone meanwhile."""

    def __del__(self) -> None:
        self.close()


class HangUp(Exception):  # noqa: N818  # What a peer does, and no error.
    """The client has gone, or the step is done with this connection."""


class Peer:
    """One connection.

    Attributes:
        server: The server that accepted it.
        received: Every byte that came.
        sent: Every byte that left.
        sent_at: When the latest of them left, on the monotonic clock.
        times: When each request had come whole, on the monotonic clock.
        key: The key that the latest request carried, for steps that echo it.
        port: That of the client.
        stalled: Whether nothing more will be sent.
        is_over: Whether all that was sent has been read, and the connection is closed.
    """

    def __init__(self, connection: socket.socket, server: FaultServer) -> None:
        self._connection = connection
        self._read = 0
        self.server = server
        self.received = bytearray()
        self.sent = bytearray()
        self.sent_at = 0.0
        self.times: list[float] = []
        self.key = ""
        self.port: int = connection.getpeername()[1]
        self.stalled = False
        self.is_over = False

    def __enter__(self) -> None:
        """The connection is served."""

    def __exit__(self, *_: object) -> None:
        self.is_over = True

    @property
    def heads(self) -> list[str]:
        """The first line and the headers of every request, the last one as far as it came."""
        found, rest = [], bytes(self.received)
        while rest.startswith((b"POST /", b"GET /")):
            head, end, rest = rest.partition(b"\r\n\r\n")
            length = _LENGTH.search(head)
            rest = rest[int(length[1]) if length else 0 :]
            found.append((head + end).decode("latin-1"))
        return found

    def request(self) -> Request:
        """Read the next request, whole."""
        while (end := self.received.find(b"\r\n\r\n", self._read)) < 0:
            self._receive()
        head = bytes(self.received[self._read : end])
        length = _LENGTH.search(head)
        whole = end + 4 + (int(length[1]) if length else 0)
        while len(self.received) < whole:
            self._receive()
        self._read = whole
        self.times.append(time.monotonic())
        line, *fields = head.decode("latin-1").split("\r\n")
        method, target, _ = line.split(" ")
        path, _, query = target.partition("?")
        headers = {name.strip().lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
        self.key = headers.get("authorization", "").removeprefix("Bearer ")
        return Request(
            method=method, path=path, query=query, headers=headers, body=bytes(self.received[end + 4 : whole])
        )

    def exchange(self) -> Answer:
        """Read the next request, and have the fake do what it asks for. Nothing is sent yet."""
        return self.server.fake.handle(self.request())

    def answer(self) -> None:
        """Do what the next request asks for, and say so: the step of a server without faults."""
        self.send(http(self.exchange()))

    def send(self, data: bytes) -> None:
        """Send all of `data`."""
        view = memoryview(data)
        while view:
            piece, known = view[:65536], len(self.sent)
            self.sent += piece  # Noted first: what the client does with it may be over before this thread goes on.
            try:
                count = self._connection.send(piece)
            except BaseException:
                del self.sent[known:]
                raise
            del self.sent[known + count :]
            self.sent_at = time.monotonic()
            view = view[count:]

    def pour(self, chunk: bytes, times: float) -> None:
        """Send `chunk` so many times, which may be math.inf; it is too much to be kept."""
        count = 0
        while count < times:
            self._connection.sendall(chunk)
            count += 1

    def trickle(self, data: bytes, seconds: float) -> None:
        """Send `data` a byte at a time, `seconds` apart."""
        for byte in data:
            self.send(bytes([byte]))
            self.pause(seconds)

    def pause(self, seconds: float) -> None:
        """Do nothing for a while; HangUp if the client goes away meanwhile."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            try:
                if not select.select([self._connection], [], [], left)[0]:
                    return
            except ValueError:  # The test is over, and its server has closed the connection.
                raise HangUp from None
            self._receive()

    def stall(self) -> None:
        """Never do anything again, until the client goes away."""
        self.stalled = True
        while True:
            self._receive()

    def close(self) -> None:
        """Hang up in good order: what is on its way still arrives."""
        self._connection.shutdown(socket.SHUT_WR)
        self.stall()

    def farewell(self, data: bytes) -> None:
        """Send `data` and hang up in one stroke, so that who has read it can know."""
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        self.send(data)
        self.close()

    def reset(self) -> None:
        """Hang up with RST, so that what is on its way is lost."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise HangUp

    def wait(self) -> None:
        """Wait for the first byte of the next request, without reading it."""
        if len(self.received) == self._read:
            if isinstance(self._connection, ssl.SSLSocket):
                self._receive()  # TLS has no way to look without reading.
            elif not self._connection.recv(1, socket.MSG_PEEK):
                raise HangUp

    def _receive(self) -> None:
        data = self._connection.recv(65536)
        if not data:
            raise HangUp
        self.received += data


class FaultServer:
    """Serves on a free port of this machine, with a thread for each connection.

    Attributes:
        fake: What answers where no step says otherwise.
        url: The base URL. Behind TLS its host is `localhost`.
        peers: Every connection so far.
        tls: What coming connections are wrapped in.
        others: Further servers that steps have made, of other origins; they end with this one.
    """

    def __init__(self, fake: FakeDeerAPI, *steps: Step, tls: ssl.SSLContext | None = None) -> None:
        self.fake = fake
        self._steps: Iterator[Step] = iter(steps)
        self.tls = tls
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self.peers: list[Peer] = []
        self.others: list[FaultServer] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"https://localhost:{self.port}" if tls else f"http://127.0.0.1:{self.port}"
        self._start(self._accept)

    def script(self, *steps: Step) -> None:
        """What befalls the coming requests, one step each."""
        self._steps = iter(steps)

    def other(self, *steps: Step, tls: ssl.SSLContext | None = None) -> FaultServer:
        """Start a server of another origin, with the same jobs behind it."""
        other = FaultServer(self.fake, *steps, tls=tls)
        self.others.append(other)
        return other

    def refuse(self) -> None:
        """Let nobody connect any more. Connections that are open stay so."""
        self._rebind()

    def deafen(self) -> None:
        """Let everybody who wants to connect wait for ever."""
        self._rebind()
        self._listener.listen(0)
        for _ in range(2):  # Nobody accepts, so these fill the queue.
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))
            self._open.append(filler)

    @property
    def posts(self) -> int:
        """How many submits arrived, as the bytes on the sockets tell; one of which the head broke off counts, too."""
        return sum(head.startswith("POST /") for peer in self.peers for head in peer.heads)

    @property
    def heads(self) -> list[str]:
        """The first line and the headers of every request, in the order of the connections."""
        return [head for peer in self.peers for head in peer.heads]

    def _rebind(self) -> None:
        """Stop listening, but keep the port: it must not become another server's."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", self.port))

    def close(self) -> None:
        """Hang up on everyone, and wait until all threads have ended."""
        for other in self.others:
            other.close()
        for each in (self._listener, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive(), "a thread of the server hangs"

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        listener = self._listener
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open.append(connection)
                self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError, HangUp), connection:
            if self.tls:
                self.tls.sslsocket_class = TLSSocket
                connection = self.tls.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            peer = Peer(connection, self)
            self.peers.append(peer)
            with connection, peer:
                while True:
                    with self._lock:
                        step = next(self._steps, Peer.answer)
                    done = len(peer.times)
                    step(peer)
                    if len(peer.times) == done:
                        peer.request()  # Answered unread.
                    peer.wait()


@contextmanager
def fault_server(fake: FakeDeerAPI, *steps: Step, tls: ssl.SSLContext | None = None) -> Iterator[FaultServer]:
    """A server for as long as it is needed."""
    server = FaultServer(fake, *steps, tls=tls)
    try:
        yield server
    finally:
        server.close()


def http(answer: Answer) -> bytes:
    """An answer of the fake as it goes over the wire."""
    return message(answer.status, answer.body, answer.headers)


def message(status: int, body: bytes | object = b"", headers: Mapping[str, str] | None = None) -> bytes:
    """An answer as it goes over the wire, with a length unless `headers` frame it. A body that is not bytes is JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {name.lower(): value for name, value in (headers or {}).items()}
    if not isinstance(body, bytes):
        fields.setdefault("content-type", "application/json")
    if "transfer-encoding" not in fields:
        fields.setdefault("content-length", str(len(data)))
    lines = [f"HTTP/1.1 {status} Told", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + data

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
_HEAD = re.compile(rb"[A-Z]+ /\S* HTTP/1\.1\r\n.*?\r\n\r\n", re.DOTALL)


class HangUp(Exception):  # noqa: N818  # What a peer does, and no error.
    """The client has gone, or the step is done with this connection."""


class Peer:
    """One connection.

    Attributes:
        received: Every byte that came.
        sent: Every byte that left.
        times: When each request had come whole, on the monotonic clock.
    """

    def __init__(self, connection: socket.socket, fake: FakeDeerAPI) -> None:
        self._connection = connection
        self._fake = fake
        self._read = 0
        self.received = bytearray()
        self.sent = bytearray()
        self.times: list[float] = []

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
        return Request(
            method=method, path=path, query=query, headers=headers, body=bytes(self.received[end + 4 : whole])
        )

    def exchange(self) -> Answer:
        """Read the next request, and have the fake do what it asks for. Nothing is sent yet."""
        return self._fake.handle(self.request())

    def answer(self) -> None:
        """Do what the next request asks for, and say so: the step of a server without faults."""
        self.send(http(self.exchange()))

    def send(self, data: bytes) -> None:
        """Send all of `data`."""
        view = memoryview(data)
        while view:
            count = self._connection.send(view[:65536])
            self.sent += view[:count]
            view = view[count:]

    def trickle(self, data: bytes, seconds: float) -> None:
        """Send `data` a byte at a time, `seconds` apart."""
        for byte in data:
            self.send(bytes([byte]))
            self.pause(seconds)

    def pause(self, seconds: float) -> None:
        """Do nothing for a while; HangUp if the client goes away meanwhile."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if not select.select([self._connection], [], [], left)[0]:
                return
            self._receive()

    def stall(self) -> None:
        """Never do anything again, until the client goes away."""
        while True:
            self._receive()

    def close(self) -> None:
        """Hang up in good order: what is on its way still arrives."""
        self._connection.shutdown(socket.SHUT_WR)
        self.stall()

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
    """

    def __init__(self, fake: FakeDeerAPI, *steps: Step, tls: ssl.SSLContext | None = None) -> None:
        self.fake = fake
        self._steps: Iterator[Step] = iter(steps)
        self._tls = tls
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self.peers: list[Peer] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"https://localhost:{self.port}" if tls else f"http://127.0.0.1:{self.port}"
        self._start(self._accept)

    def script(self, *steps: Step) -> None:
        """What befalls the coming requests, one step each."""
        self._steps = iter(steps)

    @property
    def posts(self) -> int:
        """How many submits arrived, as the bytes on the sockets tell; one of which the head broke off counts, too."""
        return sum(len(re.findall(rb"(?:^|\})POST /", bytes(peer.received))) for peer in self.peers)

    @property
    def heads(self) -> list[str]:
        """The first line and the headers of every request, in the order of the connections."""
        found = []
        for peer in self.peers:
            received = bytes(peer.received)
            found += [
                head.decode("latin-1")
                for head in re.findall(rb"[A-Z]+ /\S* HTTP/1\.1\r\n.*?\r\n\r\n", received, re.DOTALL)
            ]
        return found

    def close(self) -> None:
        """Hang up on everyone, and wait until all threads have ended."""
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
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open.append(connection)
                self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError, HangUp), connection:
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            peer = Peer(connection, self.fake)
            self.peers.append(peer)
            with connection:
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

from __future__ import annotations

import asyncio
import re
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from deerapi_remix import _clock

from . import wire

KEY = "sk-unit-test-key-0123456789"

# A shell starts what runs in the background with Ctrl-C ignored, and the programs that the tests start inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


class Clock:
    """Virtual time: sleeping takes none, and is recorded."""

    def __init__(self) -> None:
        self.time = 1_000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.time

    def now(self) -> float:
        return 1_800_000_000.0 + self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    async def async_sleep(self, seconds: float) -> None:
        self.sleep(seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Replaces all time that the client knows."""
    clock = Clock()
    for name in ("monotonic", "now", "sleep", "async_sleep"):
        monkeypatch.setattr(_clock, name, getattr(clock, name))
    return clock


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key, and nothing else of the machine's that a client would read."""
    monkeypatch.setenv("DEERAPI_KEY", KEY)
    for name in (
        "DEERAPI_BASE_URL",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=["sync", "async"])
def connect(request: pytest.FixtureRequest) -> Iterator[wire.Twin]:
    """Either twin in turn: `client, wire = connect(answer, another_answer)`."""
    with asyncio.Runner() as runner:
        yield wire.Twin(request.param, runner)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Loopback:
    """A server on a real socket. Each request gets the bytes that `answer` makes of its text, in a thread of its own.

    The connection is closed after an answer that says so. `connections` counts those that were accepted.
    """

    def __init__(self) -> None:
        self.answer: Callable[[str], bytes] = lambda _: b""
        self.requests: list[str] = []
        self.connections = 0
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                self._open.append(connection)
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection, connection.makefile("rb") as stream:
            while head := "".join(iter(lambda: stream.readline().decode("latin-1").rstrip("\r\n") + "\n", "\n")):
                length = re.search(r"content-length: ([0-9]+)", head, re.IGNORECASE)
                stream.read(int(length[1]) if length else 0)
                self.requests.append(head)
                answer = self.answer(head)
                connection.sendall(answer)
                if b"connection: close" in answer.partition(b"\r\n\r\n")[0].lower():
                    break

    def close(self) -> None:
        for each in (self._listener, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(5)


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    """Where the fault is in the socket."""
    server = Loopback()
    yield server
    server.close()

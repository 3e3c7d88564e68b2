from __future__ import annotations

import asyncio
import logging
import os
import re
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
import trustme

from deerapi_remix import _clock
from deerapi_remix.testing import VirtualClock
from deerapi_remix.testing._time import VirtualTime

from . import wire

Clock = VirtualTime
KEY = "sk-unit-test-key-0123456789"

# A shell starts what runs in the background with Ctrl-C ignored, and `nohup` ignores SIGHUP. The programs that the
# tests start would inherit both.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Log:
    """What the client told in its log."""

    def __init__(self, records: pytest.LogCaptureFixture) -> None:
        self._records = records
        records.set_level(logging.INFO, "deerapi_remix")

    def lines(self, level: int) -> list[str]:
        """The lines of one level."""
        return [record.getMessage() for record in self._ours() if record.levelno == level]

    @property
    def infos(self) -> list[str]:
        return self.lines(logging.INFO)

    @property
    def warnings(self) -> list[str]:
        return self.lines(logging.WARNING)

    @property
    def fields(self) -> list[dict[str, object]]:
        """What each record carries for programs."""
        prefix = "deerapi_"
        return [
            {name.removeprefix(prefix): value for name, value in vars(record).items() if name.startswith(prefix)}
            for record in self._ours()
        ]

    @property
    def text(self) -> str:
        return self._records.text

    def _ours(self) -> list[logging.LogRecord]:
        return [record for record in self._records.records if record.name == "deerapi_remix"]


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Log:
    """The log of the client, from INFO on."""
    return Log(caplog)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """Replaces all time that the client knows: it passes only while somebody sleeps."""
    with closing(Clock(VirtualClock(1_800_001_000.0))) as clock:
        for name, function in clock.functions.items():
            monkeypatch.setattr(_clock, name, function)
        yield clock


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Path]:
    """Where the file goes. Whatever a test does, no part file stays."""
    yield tmp_path / "bow.mp4"
    assert [path.name for path in tmp_path.iterdir() if path.name != "bow.mp4"] == []


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One certificate in a file. The hundred of the machine take a while to load, for each client anew."""
    file = tmp_path_factory.mktemp("certificates") / "one.pem"
    trustme.CA().cert_pem.write_to_path(str(file))
    return str(file)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, certificates: str) -> None:
    """A key, one certificate, and nothing else of the machine's that a client would read."""
    monkeypatch.setenv("DEERAPI_KEY", KEY)
    monkeypatch.setenv("SSL_CERT_FILE", certificates)
    for name in os.environ:
        if name == "DEERAPI_BASE_URL" or name.lower() in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.delenv(name)


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

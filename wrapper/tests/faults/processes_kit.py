"""Programs in processes of their own, and a server that stops them at known points."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from ..conftest import KEY
from .jobs_faults import check_presence
from .server import Peer, http

PATIENCE = 60.0

CLI = "from deerapi_remix.cli import main; main()"
LIBRARY = """
import sys
from deerapi_remix import RemixClient
method, first, *rest = sys.argv[1:]
options = {"prompt": "The cat takes a bow"} if method == "remix_to_file" else {}
with RemixClient() as client:
    print(getattr(client, method)(first, "bow.mp4", overwrite="overwrite" in rest, **options))
"""
# Says so and waits before the first call of a function of `os` with that text in its first argument: `link:.part`.
STOPS_AT = """
import os, sys
_name, _, _text = sys.argv.pop(1).partition(":")
_real = getattr(os, _name)
def _stop(*arguments, **options):
    if _text in str(arguments[0]):
        setattr(os, _name, _real)
        print("about to", _name, file=sys.stderr, flush=True)
        sys.stdin.readline()
    return _real(*arguments, **options)
setattr(os, _name, _stop)
"""


class Gate:
    """A step that sends so much of the usual answer, and the rest when it is told to go on.

    Attributes:
        port: That of the client, once a request has come.
    """

    def __init__(self, share: float) -> None:
        self._share = share
        self._reached = threading.Event()
        self._open = threading.Event()
        self._drops = False
        self.port = 0

    def __call__(self, peer: Peer) -> None:
        data = http(peer.exchange())
        count = int(len(data) * self._share)
        peer.send(data[:count])
        self.port = peer.port
        self._reached.set()
        while not self._open.wait(0.01):
            check_presence(peer)
        if self._drops:
            peer.close()
        peer.send(data[count:])

    def reached(self) -> None:
        """Wait until a request has come this far."""
        assert self._reached.wait(PATIENCE), "no request came"

    def open(self) -> None:
        """Let it send the rest."""
        self._open.set()

    def drop(self) -> None:
        """Let it hang up instead."""
        self._drops = True
        self._open.set()


class Program:
    """A Python program at work in a folder. It is killed if it hangs."""

    def __init__(self, code: str, arguments: Sequence[str], url: str, folder: Path) -> None:
        environment = {**os.environ, "DEERAPI_KEY": KEY, "DEERAPI_BASE_URL": url, "NO_COLOR": "1"}
        self._out = tempfile.TemporaryFile("w+")  # noqa: SIM115  # Closed with the program's end.
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=self._out,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._watch = threading.Timer(PATIENCE, self._process.kill)
        self._watch.start()

    def says(self, text: str) -> None:
        """Wait for a line of stderr that holds `text`."""
        assert self._process.stderr is not None
        seen = []
        for line in self._process.stderr:
            seen.append(line)
            if text in line:
                return
        raise AssertionError(f"it ended without saying {text!r}: {seen}")

    def awaits_more(self, port: int) -> None:
        """Wait until it has read all that came at this port of its own, and sleeps until more comes."""
        until = time.monotonic() + PATIENCE
        while _unread(port) or not self._sleeps():
            assert time.monotonic() < until, "it does not read what it was sent"
            time.sleep(0.002)

    def _sleeps(self) -> bool:
        about = Path(f"/proc/{self._process.pid}/stat").read_text()
        return about.rpartition(")")[2].split()[0] == "S"

    def send(self, number: signal.Signals) -> Self:
        self._process.send_signal(number)
        return self

    def stop(self) -> None:
        """Suspend it, and wait until it is."""
        self.send(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED)

    def go_on(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def end(self) -> tuple[int, str, str]:
        """Its exit code, stdout, and what of stderr was not read yet."""
        assert self._process.stdin is not None
        assert self._process.stderr is not None
        told = self._process.stderr.read()
        code = self._process.wait()
        self._watch.cancel()
        self._process.stdin.close()
        self._process.stderr.close()
        self._out.seek(0)
        with self._out:
            return code, self._out.read(), told

    def abandon(self) -> None:
        """Nothing of it is left."""
        if not self._out.closed:
            self._process.kill()
            with suppress(BrokenPipeError):
                self.end()


def _unread(port: int) -> int:
    """How many bytes wait in the kernel for the socket with this port."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, _, _, queues, *_ = line.split()
        if int(local.partition(":")[2], 16) == port:
            return int(queues.partition(":")[2], 16)
    raise AssertionError(f"no socket has port {port}")


class Programs:
    """Starts programs in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._started: list[Program] = []

    def start(self, code: str, url: str, *arguments: str) -> Program:
        self._started.append(Program(code, arguments, url, self.folder))
        return self._started[-1]

    def run(self, code: str, url: str, *arguments: str) -> tuple[int, str, str]:
        """From its start to its end."""
        return self.start(code, url, *arguments).end()

    def abandon(self) -> None:
        for program in self._started:
            program.abandon()

"""A vendor that keeps account: which job was paid for which key, and was the intent on record when its POST came."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

# What the vendor does with the POST for a key: the status to answer with.
Behaviour = Callable[[str], int]
_STATE = "SELECT state FROM deerapi_ledger_entries WHERE key = "
_FILM = b"\0\0\0\x10ftypisom\0\0\0\0"


def state_of(url: str, key: str) -> str | None:
    """The state of an entry, read behind the back of the ledger."""
    if url.startswith("sqlite:///"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=30)) as connection:
            found = connection.execute(f"{_STATE} ?", (key,)).fetchone()
    else:
        import psycopg

        with psycopg.connect(url) as server:
            found = server.execute(f"{_STATE} %s".encode(), (key,)).fetchone()
    return None if found is None else str(found[0])


class Vendor:
    """A server on loopback. A job is completed after `render` seconds.

    The first word of the prompt of a remix is its key.

    Attributes:
        url: Its address.
        posts: The keys of the submits that came, in order.
        jobs: The jobs that were paid for, by key.
        unbacked: The keys of the submits for which no intent was on record.
    """

    def __init__(self, ledger_url: str | None, behaviour: Behaviour, *, render: float = 0.0) -> None:
        self.posts: list[str] = []
        self.jobs: dict[str, list[str]] = {}
        self.unbacked: list[str] = []
        self._ledger_url = ledger_url
        self._behaviour = behaviour
        self._render = render
        self._completed: dict[str, float] = {}
        self._lock = threading.Lock()

    def remix(self, key: str) -> tuple[int, dict[str, Any]]:
        """Status and body of the answer to a submit."""
        backed = self._ledger_url is None or state_of(self._ledger_url, key) == "submitting"
        with self._lock:
            self.posts.append(key)
            if not backed:
                self.unbacked.append(key)
        status = self._behaviour(key)
        if status != 200:
            return status, {"error": {"message": "refused", "type": "test", "code": "test"}}
        with self._lock:
            made = self.jobs.setdefault(key, [])
            job = f"job-{key}-{len(made) + 1}"
            made.append(job)
            self._completed[job] = time.monotonic() + self._render
        return 200, _told(job, "queued", 0)

    def poll(self, job: str) -> tuple[int, dict[str, Any]]:
        """Status and body of the answer to a poll."""
        if job not in self._completed:
            return 404, {"error": {"message": "no such job", "type": "test", "code": "test"}}
        if time.monotonic() < self._completed[job]:
            return 200, _told(job, "in_progress", 50)
        return 200, _told(job, "completed", 100)

    def duplicates(self) -> Counter[str]:
        """The keys that were paid for more than once."""
        return Counter({key: len(made) - 1 for key, made in self.jobs.items() if len(made) > 1})

    @contextmanager
    def running(self) -> Iterator[str]:
        """Its address, while it serves."""
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                key = json.loads(self.rfile.read(length))["prompt"].split()[0]
                status, body = vendor.remix(key)
                self._answer(status, "application/json", json.dumps(body).encode())

            def do_GET(self) -> None:
                job, _, content = self.path.removeprefix("/v1/videos/").partition("/")
                if content:
                    self._answer(200, "video/mp4", film(unquote(job)))
                    return
                status, body = vendor.poll(unquote(job))
                self._answer(status, "application/json", json.dumps(body).encode())

            def _answer(self, status: int, kind: str, data: bytes) -> None:
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(data)))
                if status == 429:
                    self.send_header("retry-after", "0.05")
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 512

            def handle_error(self, request: object, client_address: object) -> None:
                """A client was killed, as it should be."""

        server = Server(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def film(job: str) -> bytes:
    """The file of a job, which is that of no other."""
    body = job.encode()
    return _FILM + (8 + len(body)).to_bytes(4, "big") + b"mdat" + body


def _told(job: str, status: str, progress: int) -> dict[str, Any]:
    return {"id": job, "object": "video", "model": "sora-2", "status": status, "progress": progress, "created_at": 1}

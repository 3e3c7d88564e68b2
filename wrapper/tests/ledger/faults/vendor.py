"""A vendor that keeps account: which job was paid for which key, and was the intent on record when its POST came."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# What the vendor does with the POST for a key: the status to answer with.
Behaviour = Callable[[str], int]
_STATE = "SELECT state FROM deerapi_ledger_entries WHERE key = "


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
    """A server on loopback. The prompt of a remix is its key.

    Attributes:
        url: Its address.
        posts: The keys of the submits that came, in order.
        jobs: The jobs that were paid for, by key.
        unbacked: The keys of the submits for which no intent was on record.
    """

    def __init__(self, ledger_url: str | None, behaviour: Behaviour) -> None:
        self.posts: list[str] = []
        self.jobs: dict[str, list[str]] = {}
        self.unbacked: list[str] = []
        self._ledger_url = ledger_url
        self._behaviour = behaviour
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
        return 200, {
            "id": job,
            "object": "video",
            "model": "sora-2",
            "status": "queued",
            "progress": 0,
            "created_at": 1,
        }

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
                key = json.loads(self.rfile.read(length))["prompt"]
                status, body = vendor.remix(key)
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
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

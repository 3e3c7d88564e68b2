"""A server with a limit, in real time: `python -m benchmarks.pacing.limited '{"kind": "rate", …}'` prints its port.

It knows submits, jobs whose ids tell when they begin and end, and `/stats`, which tells what was accepted and refused.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..runner import ROOT
from .servers import AtOnce, Rate, Server


@contextmanager
def limited(**options: Any) -> Iterator[str]:
    """The base URL of a server in a process of its own.

    Args:
        options: `kind` is `rate` or `at_once`; the others are those of the class, and `takes`, the seconds that an
            accepted submit takes.
    """
    command = [sys.executable, "-m", __name__, json.dumps(options)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101  # For the type checkers.
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


class _Service:
    def __init__(self, server: Server, takes: float) -> None:
        self._server = server
        self._takes = takes
        self._began: float | None = None
        self._accepted: list[float] = []
        self._refused = 0

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = head.lower().partition("content-length:")[2].split("\r\n")[0]
                await reader.readexactly(int(length or 0))
                method, path, _ = head.split(" ", 2)
                status, answer = await self._answer(method, path)
                writer.write(_message(status, answer, self._server.retry_after if status == 429 else None))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _answer(self, method: str, path: str) -> tuple[int, Any]:
        if path == "/stats":
            return 200, {"accepted": self._accepted, "refused": self._refused}
        if self._began is None:
            self._began = time.monotonic()
        now = time.monotonic() - self._began
        if not self._server.takes(now):
            self._refused += 1
            return 429, {"error": {"message": "Too many requests", "code": "rate_limit_exceeded"}}
        self._accepted.append(now)
        try:
            if method == "GET":
                return 200, _job(path.rpartition("/")[2])
            await asyncio.sleep(self._takes)
            return 200, _video(f"video_{len(self._accepted)}", "queued", 0)
        finally:
            self._server.finished()


def _job(name: str) -> dict[str, Any]:
    _, began, ends = name.split("_")
    share = (time.time() * 1000 - int(began)) / (int(ends) - int(began))
    if share >= 1:
        return _video(name, "completed", 100)
    return _video(name, "in_progress", int(share * 100))


def _video(name: str, status: str, progress: int) -> dict[str, Any]:
    told = {"id": name, "object": "video", "model": "sora-2", "status": status, "progress": progress}
    return told | {"created_at": 1790000000, "size": "1280x720", "seconds": "8", "remixed_from_video_id": "video_1"}


def _message(status: int, answer: Any, retry_after: float | None) -> bytes:
    body = json.dumps(answer).encode()
    lines = [f"HTTP/1.1 {status} Told", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    if retry_after is not None:
        lines.append(f"Retry-After: {retry_after:g}")
    return "\r\n".join([*lines, "", ""]).encode() + body


async def _serve(kind: str, takes: float = 0.0, **options: Any) -> None:
    server: Server = AtOnce(**options) if kind == "at_once" else Rate(**options)
    service = _Service(server, takes)
    listener = await asyncio.start_server(service.connected, "127.0.0.1", 0, backlog=4096)
    print(listener.sockets[0].getsockname()[1], flush=True)
    await listener.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(**json.loads(sys.argv[1])))

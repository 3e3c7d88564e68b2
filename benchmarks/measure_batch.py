"""What a batch costs over a plain loop with the same client: `python -m benchmarks.measure_batch [ROWS] [POSTGRES]`.

The loop submits, waits and saves with the same limits, and keeps nothing: a crash would lose what is under way. Each
run is a process of its own, whose time, processor time and memory are measured.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from deerapi_remix import AsyncRemixClient

RENDER, LATENCY = 5.0, 0.01
SUBMITS, IN_FLIGHT = 8, 1000
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ncontent-length: %d\r\n\r\n%s"
_FILM = b"\0\0\0\x10ftypisom\0\0\0\0" + (8 + 20_000).to_bytes(4, "big") + b"mdat" + bytes(20_000)


@contextmanager
def server() -> Iterator[str]:
    """A vendor that takes 10 ms for a submit and renders for 5 s, in a process of its own."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        asyncio.run(_serve(writing))
        os._exit(0)
    with os.fdopen(reading) as told:
        port = told.readline().strip()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)


async def _serve(writing: int) -> None:
    numbers = count()
    completed: dict[str, float] = {}

    def job(name: str) -> bytes:
        is_done = time.monotonic() >= completed[name]
        told = {"id": name, "object": "video", "model": "sora-2", "created_at": 1, "size": "1280x720", "seconds": "4"}
        told |= {"status": "completed", "progress": 100} if is_done else {"status": "in_progress", "progress": 50}
        return json.dumps(told | {"remixed_from_video_id": "video_123"}).encode()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            kind = b"application/json"
            if head.startswith(b"POST"):
                lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                await reader.readexactly(int(lengths[0].split(b":")[1]))
                await asyncio.sleep(LATENCY)
                name = f"job-{next(numbers)}"
                completed[name] = time.monotonic() + RENDER
                body = job(name)
            elif b"/content" in head.partition(b"\r\n")[0]:
                kind, body = b"video/mp4", _FILM
            else:
                body = job(head.split(b" ")[1].rpartition(b"/")[2].decode())
            writer.write(_HEAD % (kind, len(body), body))

    async def quietly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    served = await asyncio.start_server(quietly, "127.0.0.1", 0, backlog=2000)
    os.write(writing, f"{served.sockets[0].getsockname()[1]}\n".encode())
    await served.serve_forever()


async def loop(url: str, rows: int, folder: Path) -> None:
    """The plain loop."""
    submits, in_flight = asyncio.Semaphore(SUBMITS), asyncio.Semaphore(IN_FLIGHT)
    async with AsyncRemixClient("sk-bench", base_url=url) as client:

        async def one(number: int) -> None:
            async with in_flight:
                async with submits:
                    video = await client.remix("video_123", prompt=f"Take {number}")
                video = await client.wait(video)
                await client.download(video, folder / f"{number}.mp4")

        await asyncio.gather(*(one(number) for number in range(rows)))


async def batch(url: str, rows: int, folder: Path, database: str) -> None:
    """The batch, from the table to the last file."""
    from deerapi_remix.batch import Batch

    table = [{"video_id": "video_123", "prompt": f"Take {number}"} for number in range(rows)]
    with Batch.open(database, f"bench-{os.getpid()}") as made:
        made.add(table, output=f"{folder}/{{key}}.mp4")
        async with AsyncRemixClient("sk-bench", base_url=url) as client:
            status = await made.run(client, submits=SUBMITS, in_flight=IN_FLIGHT)
    if status.counts["saved"] != rows:
        raise SystemExit(f"not everything was saved: {status}")


def measured(what: Any, *arguments: Any) -> tuple[float, float, float]:
    """Seconds, seconds of the processor and megabytes that a process takes for `what`."""
    began = time.perf_counter()
    child = os.fork()
    if child == 0:
        asyncio.run(what(*arguments))
        os._exit(0)
    _, code, used = os.wait4(child, 0)
    if code:
        raise SystemExit("a run failed")
    return time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main() -> None:
    rows = int(sys.argv[1]) if sys.argv[1:] else 1000
    postgres = sys.argv[2] if sys.argv[2:] else None
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory() as name, server() as url:
        folder = Path(name)
        plain = measured(loop, url, rows, folder)
        runs = {"SQLite": measured(batch, url, rows, folder / "sqlite", f"sqlite:///{folder}/batch.db")}
        if postgres is not None:
            runs["Postgres"] = measured(batch, url, rows, folder / "postgres", postgres)
        print(f"{rows} rows, at most {IN_FLIGHT} in flight: seconds, seconds of the processor, MB")
        print("a plain loop: {:.1f} s, {:.1f} s, {:.0f} MB".format(*plain))
        for kind, used in runs.items():
            ratios = ", ".join(f"{ours / theirs:.2f}" for ours, theirs in zip(used, plain, strict=True))
            print("{}: {:.1f} s, {:.1f} s, {:.0f} MB".format(kind, *used) + f"; ratios {ratios}")
            print(f"  {used[1] / rows * 1000:.2f} ms of the processor a row")


if __name__ == "__main__":
    main()

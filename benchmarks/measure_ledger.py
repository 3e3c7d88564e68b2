"""What the ledger costs over bare submits: `python -m benchmarks.measure_ledger [FOLDER]`.

The folder is where the database is kept, by default that of temporary files. Beside the ratios stands what one fsync
takes there, since that decides.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from statistics import median

from deerapi_remix import RemixClient
from deerapi_remix.ledger import Ledger

LATENCY = 0.01
ROUNDS, CALLS, THREADS = 7, 60, 50
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
_BODY = b"""{"id": "job-%d", "object": "video", "model": "sora-2", "status": "queued", "progress": 0, "created_at": 1,
 "size": "1280x720", "seconds": "4", "remixed_from_video_id": "video_123"}"""


@contextmanager
def server() -> Iterator[str]:
    """A vendor that takes 10 ms, in a process of its own."""
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

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.split(b":")[1]))
            await asyncio.sleep(LATENCY)
            body = _BODY % next(numbers)
            writer.write(_HEAD % (len(body), body))

    async def quietly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    served = await asyncio.start_server(quietly, "127.0.0.1", 0)
    os.write(writing, f"{served.sockets[0].getsockname()[1]}\n".encode())
    await served.serve_forever()


def fsync_seconds(folder: Path) -> float:
    """What it takes to put a page on this disk."""
    taken = []
    with (folder / "page").open("wb", buffering=0) as file:
        for _ in range(50):
            file.write(bytes(4096))
            began = time.perf_counter()
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - began)
    return median(taken)


def per_call(call: Callable[[], object]) -> float:
    """Seconds that a call takes."""
    began = time.perf_counter()
    for _ in range(CALLS):
        call()
    return (time.perf_counter() - began) / CALLS


def per_second(call: Callable[[], object]) -> float:
    """Calls a second, from fifty threads."""
    total = CALLS * 20
    with ThreadPoolExecutor(THREADS) as pool:
        barrier = threading.Barrier(THREADS)
        list(pool.map(lambda _: barrier.wait(), range(THREADS)))
        began = time.perf_counter()
        list(pool.map(lambda _: call(), range(total)))
        return total / (time.perf_counter() - began)


def main() -> None:
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if sys.argv[1:] else None) as name, server() as url:
        folder = Path(name)
        keys = count()
        with RemixClient("sk-bench", base_url=url) as client, Ledger(f"sqlite:///{folder}/ledger.db") as ledger:

            def bare() -> object:
                return client.remix("video_123", prompt="The cat takes a bow")

            def kept() -> object:
                return ledger.remix(client, f"key-{next(keys)}", "video_123", prompt="The cat takes a bow")

            bare()
            kept()
            ratios, walls = [], []
            for _ in range(ROUNDS):
                alone, beside = per_call(bare), per_call(kept)
                ratios.append(beside / alone)
                walls.append((alone, beside))
            alone, beside = (median(pair[side] for pair in walls) * 1e3 for side in (0, 1))
            print(f"one fsync here: {fsync_seconds(folder) * 1e3:.2f} ms")
            print(f"one after the other, at 10 ms of latency: {beside:.1f} ms a call, {alone:.1f} ms bare")
            print(f"ratio: {median(ratios):.2f} (at most 1.5), from {min(ratios):.2f} to {max(ratios):.2f}")
            rates = [per_second(kept) for _ in range(3)]
            print(f"50 threads: {median(rates):.0f} submits a second (at least 300), {per_second(bare):.0f} bare")


if __name__ == "__main__":
    main()

"""What a batch costs over a plain loop with the same client: `python -m benchmarks.measure_batch` prints it.

The loop submits, waits and saves with the same limits, and keeps nothing: a crash would lose what is under way. Each
run is a process of its own, whose time, processor time and memory are measured. They need the extra `batch`, and a
Postgres server that the development tools bring along, so they run in the environment of `make`.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

from deerapi_remix import AsyncRemixClient

from .runner import FULL, ROOT, Bound, Findings, Row, Scale, Table

LATENCY = 0.01
SUBMITS, IN_FLIGHT = 8, 1000
PLAIN, SQLITE, POSTGRES = "a plain loop", "batch, SQLite", "batch, Postgres"
# How many times as many rows the longest run has.
MANY = 10
# Turns of the other sides, whose medians are told: a shared machine may be a third slower in one than in the next.
TURNS = 3
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ncontent-length: %d\r\n\r\n%s"
_FILM = b"\0\0\0\x10ftypisom\0\0\0\0" + (8 + 20_000).to_bytes(4, "big") + b"mdat" + bytes(20_000)


def measure(scale: Scale) -> Findings:
    """The loop and batches of as many rows, and a batch of ten times as many."""
    rows = scale.rows
    sides = [(PLAIN, rows), (SQLITE, rows), (POSTGRES, rows)]
    if scale.rounds == 1:  # To see that it runs, one is enough.
        told = {(SQLITE, rows): _run(SQLITE, rows, scale.render)}
    else:
        turns = [{side: _run(*side, scale.render) for side in sides} for _ in range(TURNS)]
        told = {side: _medians([turn[side] for turn in turns]) for side in sides}
        told[SQLITE, rows * MANY] = _run(SQLITE, rows * MANY, scale.render)
    lines: list[Row] = []
    for (side, number), (seconds, cpu, megabytes) in told.items():
        numbers = (f"{seconds:.1f}", f"{cpu / number * 1e3:.2f}", f"{megabytes:.0f}")
        lines.append((side, f"{number:,}", *numbers))
    note = (
        f"Server: a small one in Python, {LATENCY * 1e3:g} ms for a submit and {scale.render:g} s for the rendering. "
        f"{SUBMITS} submits at once, at most {IN_FLIGHT:,} rows in flight, one worker; from the table to the last file."
        f" Medians of {TURNS} turns; one of {rows * MANY:,} rows."
    )
    columns = ("client", "rows", "s", "CPU ms a row", "MB")
    table = Table("Many rows: a batch beside a plain loop", note, columns, lines)
    return Findings([table], _bounds(told, rows) if len(told) > 1 else [])


def _medians(turns: list[list[float]]) -> list[float]:
    return [median(values) for values in zip(*turns, strict=True)]


def _bounds(told: dict[tuple[str, int], list[float]], rows: int) -> list[Bound]:
    plain, sqlite, postgres = (told[side, rows] for side in (PLAIN, SQLITE, POSTGRES))
    many = told[SQLITE, rows * MANY]
    of, more = f"{rows:,} rows", f"{rows * MANY:,} / {rows:,} rows"
    return [
        Bound(f"batch of {of}: time / a plain loop", "≤", 1.8, sqlite[0] / plain[0]),
        Bound(f"batch of {of}: CPU / a plain loop", "≤", 2.6, sqlite[1] / plain[1]),
        Bound(f"batch of {of}: time, Postgres / SQLite", "≤", 1.5, postgres[0] / sqlite[0]),
        Bound(f"batch: CPU a row, {more}", "≤", 1.1, many[1] / MANY / sqlite[1]),
        Bound(f"batch: memory, {more}", "≤", 1.2, many[2] / sqlite[2]),
    ]


def _run(side: str, rows: int, render: float) -> list[float]:
    """Seconds, seconds of the processor and megabytes, in the environment of `make`."""
    module = "benchmarks.measure_batch"  # Whatever the name under which this one runs.
    command = ["python", "-W", "ignore", "-m", module, side, str(rows), str(render)]  # The first one of the path.
    done = subprocess.run(command, cwd=ROOT, timeout=900, stdout=subprocess.PIPE, check=True)
    found: list[float] = json.loads(done.stdout.splitlines()[-1])
    return found


@contextmanager
def server(render: float) -> Iterator[str]:
    """A vendor that renders for so many seconds, in a process of its own."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        asyncio.run(_serve(writing, render))
        os._exit(0)
    with os.fdopen(reading) as told:
        port = told.readline().strip()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)


async def _serve(writing: int, render: float) -> None:
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
                completed[name] = time.monotonic() + render
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

    table = ({"video_id": "video_123", "prompt": f"Take {number}"} for number in range(rows))
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


@contextmanager
def _database(side: str, folder: Path) -> Iterator[str]:
    """The address of a new one."""
    if side == SQLITE:
        yield f"sqlite:///{folder}/batch.db"
        return
    spec = importlib.util.spec_from_file_location("postgres", ROOT / "wrapper" / "tests" / "ledger" / "postgres.py")
    assert spec is not None  # noqa: S101  # For the type checkers.
    assert spec.loader is not None  # noqa: S101
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    postgres = module.PostgresServer()
    try:
        yield postgres.create_database()
    finally:
        postgres.remove()


def _one_run(side: str, rows: int, render: float) -> tuple[float, float, float]:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory() as name, server(render) as url:
        folder = Path(name)
        if side == PLAIN:
            return measured(loop, url, rows, folder)
        with _database(side, folder) as database:
            return measured(batch, url, rows, folder / "films", database)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        measure(FULL).show()
    else:
        print(json.dumps(_one_run(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))))

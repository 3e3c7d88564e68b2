"""One large file: how fast it is saved, and how much memory that takes."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median

import httpx

from deerapi_remix import AsyncRemixClient, RemixClient

from .peers import OURS
from .runner import (
    KEY,
    Bars,
    Bound,
    Findings,
    Samples,
    Scale,
    Table,
    child,
    forget_peak,
    interleave,
    ratio,
    resident,
    spread,
)
from .servers import Servers

CURL = ("curl", "--silent", "--fail", "--noproxy", "*")
SIDES = {OURS: "httpx", f"{OURS}, async": "httpx, async"}


def measure(scale: Scale, servers: Servers, file: Path) -> Findings:
    """Both twins, bare httpx with the same writes, and curl, in turn, each time in a process of its own."""
    size = file.stat().st_size
    peaks: Samples = {name: [] for name in (*SIDES, *SIDES.values())}

    def turn(name: str) -> float:
        with tempfile.TemporaryDirectory(dir=file.parent) as folder:
            target = Path(folder) / "video.mp4"
            if name == "curl":
                began = time.perf_counter()
                subprocess.run([*CURL, "-o", target, _url(servers.fast)], check=True)
                seconds = time.perf_counter() - began
            else:
                told = child(__name__, name, servers.fast, target)
                peaks[name].append(told["peak"])
                seconds = told["seconds"]
            assert target.stat().st_size == size  # noqa: S101  # Else nothing was measured.
        return size / 1e6 / seconds

    names = [*peaks, *(["curl"] if shutil.which("curl") else [])]
    samples = interleave({name: partial(turn, name) for name in names}, scale.rounds)
    note = (
        f"Server: {servers.kind}; from and to memory. The httpx sides write what `iter_raw` gives to an unbuffered "
        "file, and sync it."
    )
    peak = {name: f"{max(values) / 1e6:.1f}" for name, values in peaks.items()} | {"curl": "-"}
    rows = [(name, median(values), spread(values), peak[name]) for name, values in samples.items()]
    columns = ("client", "MB a second", "spread", "memory at most, MB")
    table = Table(f"A download of {size / 1e6:,.0f} MB", note, columns, rows)
    bounds = []
    for name, other in SIDES.items():
        bounds.append(Bound(f"download, {name} / bare httpx", "≥", 0.95, ratio(samples, name, other)))
        bounds.append(Bound(f"download, {name}: MB of memory at most", "≤", 8.0, max(peaks[name]) / 1e6))
    speeds = {"": {name: median(values) for name, values in samples.items()}}
    return Findings([table], bounds, [Bars("downloads", table.title, "MB a second", speeds)])


def _url(base: str) -> str:
    return f"{base}/v1/videos/video_123/content"


@contextmanager
def _timed(told: dict[str, float]) -> Iterator[None]:
    forget_peak()
    before, began = resident(), time.perf_counter()
    yield
    told.update(seconds=time.perf_counter() - began, peak=resident("VmHWM") - before)


def _ours(base: str, target: Path, told: dict[str, float]) -> None:
    with RemixClient(KEY, base_url=base) as client:
        client.retrieve("video_123")
        with _timed(told):
            client.download("video_123", target)


async def _ours_async(base: str, target: Path, told: dict[str, float]) -> None:
    async with AsyncRemixClient(KEY, base_url=base) as client:
        await client.retrieve("video_123")
        with _timed(told):
            await client.download("video_123", target)


def _httpx(base: str, target: Path, told: dict[str, float]) -> None:
    with httpx.Client() as client:
        client.get(f"{base}/v1/videos/video_123")
        with _timed(told), client.stream("GET", _url(base)) as answer, target.open("xb", buffering=0) as file:
            for chunk in answer.iter_raw():
                file.write(chunk)
            os.fsync(file.fileno())


async def _httpx_async(base: str, target: Path, told: dict[str, float]) -> None:
    async with httpx.AsyncClient() as client:
        await client.get(f"{base}/v1/videos/video_123")
        with _timed(told), target.open("xb", buffering=0) as file:
            async with client.stream("GET", _url(base)) as answer:
                async for chunk in answer.aiter_raw():
                    file.write(chunk)
            os.fsync(file.fileno())


def main(side: str, base: str, target: str) -> None:
    """Download in this process, and print how it went."""
    told: dict[str, float] = {}
    if side == OURS:
        _ours(base, Path(target), told)
    elif side == "httpx":
        _httpx(base, Path(target), told)
    else:
        asyncio.run((_ours_async if side.startswith(OURS) else _httpx_async)(base, Path(target), told))
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])

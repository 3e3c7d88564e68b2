"""Thousands of jobs waited for in one process: memory, CPU, requests, and how soon their ends are noticed."""

import asyncio
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import mean, quantiles
from typing import Any

import httpx

from deerapi_remix import AsyncRemixClient, PollingPolicy

from .peers import OURS, TIMEOUT
from .runner import KEY, Bound, Findings, Row, Scale, Table, child, forget_peak, resident
from .servers import c_server

# Seconds that the jobs render, at least and at most.
RENDER = (40.0, 80.0)
# About as often as ours asks while it knows nothing, in seconds; as it comes the openai SDK asks every second.
SAME = 7.5


def measure(scale: Scale, file: Path) -> Findings:
    """Ours and the openai SDK with a server that answers at once; ours with one that is too slow for all the polls."""
    rows: list[Row] = []
    bounds: list[Bound] = []
    sides = (
        (OURS, OURS, scale.waits, 0.0),
        ("openai SDK", "openai SDK", scale.waits, 0.0),
        (f"openai SDK, told to poll every {SAME * scale.pace:g} s", "openai SDK, told", scale.waits, 0.0),
        (f"{OURS}, a slow server", OURS, scale.waits // 2, 0.5),
    )
    for label, side, jobs, latency in sides:
        with c_server(file, latency) as url:
            told = child(__name__, side, url, jobs, scale.pace, limit=900)
            stats = httpx.get(f"{url}/stats", trust_env=False).json()
        memory, lags, requests = told["memory"] / jobs / 1000, told["lags"], stats["requests"]
        late = (mean(lags), quantiles(lags, n=20)[-1], max(lags))
        numbers = (f"{memory:.1f}", f"{told['cpu']:.1f}", f"{requests:,}", f"{requests / told['seconds']:,.0f}")
        rows.append(
            (label, f"{jobs:,}", *numbers, *(f"{lag:.1f}" for lag in late), f"{stats['most']}" if latency else "-")
        )
        if label == OURS:
            bounds.append(Bound(f"{jobs:,} waiting jobs: kB of memory a job", "≤", 6.0, memory))
    shortest, longest = (seconds * scale.pace for seconds in RENDER)
    note = (
        f"They begin at once and render for {shortest:g} to {longest:g} s, with steady progress. Server: the one in C. "
        "Memory is what resident memory grows by, at its peak. The slow server takes 0.5 s, so that 100 connections "
        "carry 200 polls a second. Lags are in seconds."
    )
    columns = (
        "client",
        "jobs",
        "kB a job",
        "CPU s",
        "requests",
        "a second",
        "mean lag s",
        "95 % s",
        "worst s",
        "at once",
    )
    return Findings([Table("Many jobs waited for in one process", note, columns, rows)], bounds)


async def _wait_for_all(side: str, url: str, jobs: int, pace: float) -> dict[str, Any]:
    rng = random.Random(1)
    defaults = PollingPolicy()
    polling = PollingPolicy(defaults.initial_interval * pace, defaults.max_interval * pace)
    wait: Callable[[str], Awaitable[Any]]
    if side == OURS:
        wait = AsyncRemixClient(KEY, base_url=url, polling=polling).wait
    else:
        import openai

        interval = round(SAME * pace * 1000) if side.endswith("told") else openai.omit
        sdk = openai.AsyncOpenAI(api_key=KEY, base_url=f"{url}/v1", timeout=TIMEOUT)

        def poll(job: str) -> Awaitable[Any]:
            return sdk.videos.poll(job, poll_interval_ms=interval)

        wait = poll

    now = int(time.time() * 1000)
    await wait(f"job_{now}_{now}")  # Whatever is there once, however many jobs there are.
    forget_peak()
    before, began, used = resident(), time.perf_counter(), time.process_time()
    now = int(time.time() * 1000)
    ends = [now + int(rng.uniform(*RENDER) * pace * 1000) for _ in range(jobs)]

    async def lag(end: int) -> float:
        await wait(f"job_{now}_{end}")
        return time.time() - end / 1000

    lags = await asyncio.gather(*map(lag, ends))
    return {
        "lags": lags,
        "memory": resident("VmHWM") - before,
        "cpu": time.process_time() - used,
        "seconds": time.perf_counter() - began,
    }


if __name__ == "__main__":
    _, side, url, jobs, pace = sys.argv
    print(json.dumps(asyncio.run(_wait_for_all(side, url, int(jobs), float(pace)))))

"""Many asynchronous calls at once: how many a second, and what each costs in CPU time."""

import asyncio
import json
import os
import sys
import time
from functools import partial
from statistics import median
from typing import Any

from .peers import ASYNC, CONNECTIONS, OURS
from .runner import Bars, Bound, Findings, Row, Samples, Scale, Table, child, ratio, spread
from .servers import LATENCY, Servers

IDEAL = CONNECTIONS / LATENCY


def measure(scale: Scale, servers: Servers) -> Findings:
    """Every peer in turn, each time in a process of its own, at every number of calls at once."""
    found = Findings()
    for label, url in (("no latency", servers.fast), (f"{LATENCY * 1000:.0f} ms latency", servers.slow)):
        rows: list[Row] = []
        rates: dict[str, dict[str, float]] = {}
        costs: dict[str, dict[str, float]] = {}
        for crowd in scale.crowds:
            at_once = f"{crowd:,} at once"
            rate, cpu = _rounds(url, crowd, scale)
            rates[at_once] = {name: median(values) for name, values in rate.items()}
            costs[at_once] = {name: median(values) * 1e3 for name, values in cpu.items()}
            for name in ASYNC:
                numbers = (costs[at_once][name], ratio(rate, OURS, name), ratio(cpu, OURS, name))
                told = (f"{number:.2f}" for number in numbers)
                rows.append((name, f"{crowd:,}", rates[at_once][name], spread(rate[name]), *told))
            found.bounds += _bounds(crowd, url == servers.slow, rate, cpu)
        note = (
            f"Server: {servers.kind}. {CONNECTIONS} connections, but for the openai SDK, which has 1,000 as it comes. "
            f"Calls counted for {scale.window:g} s after a start of as long."
        )
        columns = ("client", "at once", "calls a second", "spread", "CPU ms a call", f"{OURS} / it", "CPU, ours / it")
        found.tables.append(Table(f"Many calls at once, async, {label}", note, columns, rows))
        kind = "slow" if url == servers.slow else "fast"
        found.plots += [
            Bars(f"crowds-{kind}", f"Many calls at once, {label}", "calls a second", rates, logarithmic=True),
            Bars(f"crowds-{kind}-cpu", f"Many calls at once, {label}", "CPU ms a call", costs, logarithmic=True),
        ]
    return found


def _rounds(url: str, crowd: int, scale: Scale) -> tuple[Samples, Samples]:
    rate: Samples = {name: [] for name in ASYNC}
    cpu: Samples = {name: [] for name in ASYNC}
    for turn in range(min(scale.rounds, 3)):
        names = list(ASYNC)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            told = child(__name__, name, url, crowd, scale.window)
            rate[name].append(told["rate"])
            cpu[name].append(told["cpu"])
    return rate, cpu


def _bounds(crowd: int, slow: bool, rate: Samples, cpu: Samples) -> list[Bound]:
    against = partial(ratio, rate, OURS)
    at = f"{crowd:,} at once, {'100 ms' if slow else 'no'} latency: "
    if (crowd, slow) == (50, False):
        return [Bound(f"{at}ours / httpx2", "≥", 1.0, against("httpx2"))]
    if (crowd, slow) == (100, False):
        return [Bound(f"{at}ours / httpx", "≥", 2.5, against("httpx"))]
    if crowd not in (100, 1000) or not slow:
        return []
    share, faster, than_aiohttp = (0.9, 1.3, 0.97) if crowd == 100 else (0.85, 10.0, 0.95)
    bounds = [
        Bound(f"{at}share of the ideal {IDEAL:,.0f} calls a second", "≥", share, median(rate[OURS]) / IDEAL),
        Bound(f"{at}ours / httpx", "≥", faster, against("httpx")),
        Bound(f"{at}ours / openai SDK", "≥", 1.0, against("openai SDK")),
        Bound(f"{at}ours / bare aiohttp", "≥", than_aiohttp, against("aiohttp")),
    ]
    if crowd == 1000:
        bounds.append(Bound(f"{at}CPU a call, ours / httpx", "≤", 0.05, ratio(cpu, OURS, "httpx")))
    return bounds


async def _crowd(name: str, url: str, crowd: int, window: float) -> dict[str, Any]:
    done = 0
    async with ASYNC[name](url) as call:

        async def one_after_the_other() -> None:
            nonlocal done
            while True:
                await call()
                done += 1

        tasks = [asyncio.create_task(one_after_the_other()) for _ in range(crowd)]
        await asyncio.sleep(max(window, 2 * LATENCY))
        before, began, used = done, time.perf_counter(), time.process_time()
        await asyncio.sleep(window)
        count, seconds = done - before, time.perf_counter() - began
        used = time.process_time() - used
        if failed := [task for task in tasks if task.done()]:
            failed[0].result()
        # Not one call in the window: then one of them is the most that it can be.
        print(json.dumps({"rate": max(count, 1) / seconds, "cpu": used / max(count, 1)}), flush=True)
        os._exit(0)  # Some need minutes to cancel what is left.


if __name__ == "__main__":
    asyncio.run(_crowd(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))

"""Many requests at a server with a limit, over sockets: ours, ours without its gate, and the openai SDK.

`python -m benchmarks.measure_pace` prints all of it, which takes three minutes; what needs no sockets is simulated by
`pacing/`, beside a clairvoyant.
"""

import asyncio
import json
import logging
import os
import random
import sys
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import httpx

from deerapi_remix import AsyncRemixClient, RetryPolicy

from .checkouts import WITHOUT_GATE, checkout, environment
from .pacing.limited import limited
from .peers import ID, OURS, PROMPT, TIMEOUT
from .runner import FULL as FULL_SCALE
from .runner import KEY, Bound, Findings, Row, Scale, Table, child

WITHOUT = f"{OURS} without the gate"
OPENAI = "openai SDK"
# Races that go on at the same time. They hardly need the processor, for they wait for their turns.
AT_A_TIME = 3
# Seconds that jobs render which are waited for.
RENDER = (30.0, 60.0)


@dataclass(frozen=True)
class Race:
    """Many calls of one kind at a server with a limit.

    Attributes:
        name: For the report.
        limit: The options of the server.
        calls: How many are made at once.
        sides: Who makes them.
        waits: Whether they are waits, rather than submits.
        budget: Seconds that ours may take for a submit.
        lasts: After how many seconds it is broken off.
    """

    name: str
    limit: dict[str, Any]
    calls: int
    sides: tuple[str, ...] = (OURS, WITHOUT, OPENAI)
    waits: bool = False
    budget: float = 60.0
    lasts: float = 200.0


FIVE: dict[str, Any] = {"kind": "rate", "rate": 5, "burst": 5}
TOLD = Race("100 submits, 5/s, burst 5, Retry-After: 1", {**FIVE, "retry_after": 1}, 100)
UNTOLD = Race("100 submits, 5/s, burst 5", FIVE, 100)
AT_ONCE = Race("40 submits of 0.3 s, 4 at once", {"kind": "at_once", "most": 4, "takes": 0.3}, 40)
WAITS = Race("300 waits, 20 polls/s", {"kind": "rate", "rate": 20, "burst": 20, "retry_after": 1}, 300, waits=True)
RAISED = Race(
    "5/s, from 20 s on 50/s", {**FIVE, "changes_at": 20.0, "factor": 10.0}, 1500, (OURS,), budget=600.0, lasts=41.0
)
TOO_MANY = Race("1,000 submits, 5/s, a budget of 10 s", {**FIVE, "retry_after": 1}, 1000, (OURS,), budget=10.0)
QUICK = Race("20 submits, 50/s, burst 5", {"kind": "rate", "rate": 50, "burst": 5}, 20)
# Those that take longest come first, so that none is left over at the end.
FULL = (WAITS, RAISED, TOLD, UNTOLD, AT_ONCE, TOO_MANY)
RACES = {race.name: race for race in (*FULL, QUICK)}


def measure(scale: Scale) -> Findings:
    """Every race, every side in a process and with a server of its own."""
    quick = scale.rounds == 1
    before = environment(checkout(WITHOUT_GATE))
    races = (QUICK,) if quick else FULL
    sides = [(race, side) for race in races for side in race.sides if before is not None or side != WITHOUT]

    def run(race: Race, side: str) -> dict[str, Any]:
        code = before if side == WITHOUT else None
        with limited(**race.limit) as url:
            found = child("benchmarks.measure_pace", side, url, race.name, limit=race.lasts + 60, environment=code)
            found |= httpx.get(f"{url}/stats", trust_env=False).json()
            return found

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        results = list(pool.map(run, *zip(*sides, strict=True)))
    rows: list[Row] = []
    told: dict[tuple[str, str], dict[str, Any]] = {}
    for (race, side), found in zip(sides, results, strict=True):
        told[race.name, side] = found
        rows.append((race.name, side, *_numbers(found)))
    note = (
        "Server: a small one in Python, with a limit. All calls are made at once. "
        f"{AT_A_TIME} races go on at the same time. Waits are of jobs that render for "
        f"{RENDER[0]:g} to {RENDER[1]:g} s. {WITHOUT} is the commit before the gate."
    )
    columns = ("what", "client", "succeeded", "raised", "429", "share of 429", "s", "median lag, s")
    table = Table("Many requests at a server with a limit", note, columns, rows)
    return Findings([table], [] if quick else _bounds(told))


def _numbers(found: dict[str, Any]) -> tuple[str, ...]:
    share = found["refused"] / (found["refused"] + len(found["accepted"]))
    lag = f"{median(found['lags']):.1f}" if found["lags"] else "-"
    counts = (f"{found['succeeded']:,}", f"{found['raised']:,}", f"{found['refused']:,}")
    return (*counts, f"{share:.1%}", f"{found['seconds']:.1f}", lag)


def _bounds(told: dict[tuple[str, str], dict[str, Any]]) -> list[Bound]:
    bounds = []
    for race, seconds, refused in ((TOLD, 22.0, 15), (UNTOLD, 26.0, 30), (AT_ONCE, 30.0, 25)):
        ours = told[race.name, OURS]
        bounds += [
            Bound(f"{race.name}: succeeded", "≥", race.calls, ours["succeeded"]),
            Bound(f"{race.name}: seconds", "≤", seconds, ours["seconds"]),
            Bound(f"{race.name}: answers of 429", "≤", refused, ours["refused"]),
        ]
    waits = told[WAITS.name, OURS]
    risen = sum(30 <= time < 40 for time in told[RAISED.name, OURS]["accepted"]) / (10 * 50)
    too_many = told[TOO_MANY.name, OURS]
    if without := told.get((WAITS.name, WITHOUT)):
        slower = median(waits["lags"]) / median(without["lags"])
        bounds.append(Bound(f"{WAITS.name}: median lag / without the gate", "≤", 1.1, slower))
    return [
        *bounds,
        Bound(f"{WAITS.name}: share of 429", "≤", 0.05, waits["refused"] / (waits["refused"] + len(waits["accepted"]))),
        Bound("limit raised tenfold: share of it that is used 10 to 20 s later", "≥", 0.8, risen),
        Bound(
            f"{TOO_MANY.name}: raised without being sent, in order",
            "≥",
            too_many["raised"] - too_many["sent, and raised"],
            too_many["unsent, in order"],
        ),
        Bound(f"{TOO_MANY.name}: raised after an answer of 429", "≤", 5, too_many["sent, and raised"]),
    ]


Call = Callable[[str], Awaitable[Any]]


def _ours(url: str, race: Race) -> Call:
    client = AsyncRemixClient(KEY, base_url=url, timeout=TIMEOUT, retry=RetryPolicy(budget=race.budget))
    return client.wait if race.waits else partial(client.remix, prompt=PROMPT)


def _openai(url: str, race: Race) -> Call:
    import openai

    sdk = openai.AsyncOpenAI(api_key=KEY, base_url=f"{url}/v1", timeout=TIMEOUT)
    return sdk.videos.poll if race.waits else partial(sdk.videos.remix, prompt=PROMPT)


async def _race(side: str, url: str, race: Race) -> dict[str, Any]:
    call = (_openai if side == OPENAI else _ours)(url, race)
    rng = random.Random(1)
    began, now = time.monotonic(), int(time.time() * 1000)
    ends = [now + int(rng.uniform(*RENDER) * 1000) for _ in range(race.calls)]
    outcomes: list[tuple[int, Exception | float]] = []

    async def one(number: int) -> None:
        try:
            await call(f"job_{now}_{ends[number]}" if race.waits else ID)
            outcomes.append((number, time.time() - ends[number] / 1000))
        except Exception as error:
            outcomes.append((number, error))

    with suppress(TimeoutError):
        async with asyncio.timeout(race.lasts):
            await asyncio.gather(*map(one, range(race.calls)))
    lags = [outcome for _, outcome in outcomes if isinstance(outcome, float)]
    raised = [(number, outcome) for number, outcome in outcomes if isinstance(outcome, Exception)]
    unsent = [number for number, error in raised if getattr(error, "attempts", None) == 0]
    return {
        "succeeded": len(lags),
        "raised": len(raised),
        "sent, and raised": len(raised) - len(unsent),
        "unsent, in order": len(unsent) if unsent == sorted(unsent) else 0,
        "seconds": time.monotonic() - began,
        "lags": lags if race.waits else [],
    }


if __name__ == "__main__":
    if len(sys.argv) == 1:
        measure(FULL_SCALE).show()
        sys.exit()
    _, side, url, name = sys.argv
    logging.disable()  # Each answer of 429 is a warning.
    print(json.dumps(asyncio.run(_race(side, url, RACES[name]))), flush=True)
    os._exit(0)  # What was broken off has nothing left to do.

"""What a submit that is made once for a key costs over a bare one, with a ledger in SQLite."""

import os
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from statistics import median

from deerapi_remix import RemixClient
from deerapi_remix.ledger import Ledger

from .peers import ID, OURS, PROMPT
from .runner import KEY, WORK, Bound, Findings, Scale, Table, interleave, ratio, spread
from .servers import c_server

LATENCY = 0.01
THREADS = 50
BARE, KEPT = OURS, f"{OURS} with the ledger"


def measure(scale: Scale, file: Path) -> Findings:
    """One submit after the other, and from many threads at once; where the disk decides, on the disk of `build`."""
    with tempfile.TemporaryDirectory(dir=WORK) as name, c_server(file, LATENCY) as url:
        fsync = _fsync_seconds(Path(name))
        with RemixClient(KEY, base_url=url) as client, Ledger(f"sqlite:///{name}/ledger.db") as ledger:
            keys = count()

            def bare() -> object:
                return client.remix(ID, prompt=PROMPT)

            def kept() -> object:
                return ledger.remix(client, f"key-{next(keys)}", ID, prompt=PROMPT)

            sides = {BARE: bare, KEPT: kept}
            alone = {side: _timed(call, scale.calls) for side, call in sides.items()}
            at_once = {side: _from_threads(call, scale.calls * 20) for side, call in sides.items()}
            interleave(alone, 1)  # Connections are opened, tables made.
            seconds = interleave(alone, scale.rounds * 3)
            rates = interleave(at_once, scale.rounds)
    rows = [
        (side, f"{median(seconds[side]) * 1e3:.1f}", spread(seconds[side]), median(rates[side]), spread(rates[side]))
        for side in sides
    ]
    note = (
        f"Server: the one in C, with {LATENCY * 1e3:g} ms of latency. A submit waits for two commits, and one fsync "
        f"takes {fsync * 1e3:.2f} ms here. What many threads submit at the same time is committed together."
    )
    columns = ("client", "ms a submit", "spread", f"submits a second, {THREADS} threads", "spread")
    bounds = [
        Bound(f"submit with the ledger / bare, {LATENCY * 1e3:g} ms latency", "≤", 1.5, ratio(seconds, KEPT, BARE)),
        Bound(f"submits a second with the ledger, {THREADS} threads", "≥", 300, median(rates[KEPT])),
    ]
    return Findings([Table("Once for a key", note, columns, rows)], bounds)


def _fsync_seconds(folder: Path) -> float:
    """What it takes to put a page on this disk."""
    taken = []
    with (folder / "page").open("wb", buffering=0) as file:
        for _ in range(50):
            file.write(bytes(4096))
            began = time.perf_counter()
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - began)
    return median(taken)


def _timed(call: Callable[[], object], calls: int) -> Callable[[], float]:
    def turn() -> float:
        began = time.perf_counter()
        for _ in range(calls):
            call()
        return (time.perf_counter() - began) / calls

    return turn


def _from_threads(call: Callable[[], object], calls: int) -> Callable[[], float]:
    def turn() -> float:
        with ThreadPoolExecutor(THREADS) as pool:
            barrier = threading.Barrier(THREADS)
            list(pool.map(lambda _: barrier.wait(), range(THREADS)))
            began = time.perf_counter()
            list(pool.map(lambda _: call(), range(calls)))
            return calls / (time.perf_counter() - began)

    return turn

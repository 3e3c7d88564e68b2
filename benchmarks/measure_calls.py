"""What one synchronous call costs, over a connection that is open already."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from statistics import median
from typing import Any

from .peers import OURS, SYNC
from .runner import Bars, Bound, Findings, Samples, Scale, Table, interleave, ratio, spread
from .servers import Servers


def measure(scale: Scale, servers: Servers) -> Findings:
    """Microseconds a call, of every peer in turn."""
    with ExitStack() as stack:
        peers = {name: stack.enter_context(peer(servers.fast)) for name, peer in SYNC.items()}
        results: dict[str, Samples] = {}
        for operation in ("retrieve", "remix"):
            sides = {name: _timed(calls[operation], scale.calls) for name, calls in peers.items()}
            interleave(sides, 1)  # Connections are opened, caches filled.
            results[operation] = interleave(sides, scale.rounds * 20)
    found = Findings()
    for operation, samples in results.items():
        rows = [
            (name, median(values) * 1e6, spread(values), f"{ratio(samples, OURS, name):.2f}")
            for name, values in samples.items()
        ]
        columns = ("client", "µs a call", "spread", f"{OURS} / it")
        note = f"Server: {servers.kind}. {scale.calls} calls in a turn."
        found.tables.append(Table(f"One `{operation}`, sync", note, columns, rows))
        bounds = (("bare httpx", "httpx", 1.15), ("openai SDK", "openai SDK", 0.64))
        found.bounds += [
            Bound(f"sync `{operation}`, ours / {label}", "≤", limit, ratio(samples, OURS, name))
            for label, name, limit in bounds
        ]
    values = {
        operation: {name: median(values) * 1e6 for name, values in samples.items()}
        for operation, samples in results.items()
    }
    found.plots.append(Bars("calls", "One call, sync", "µs a call", values))
    return found


def _timed(call: Callable[[], Any], count: int) -> Callable[[], float]:
    def turn() -> float:
        began = time.perf_counter()
        for _ in range(count):
            call()
        return (time.perf_counter() - began) / count

    return turn

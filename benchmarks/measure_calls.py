"""What one synchronous call costs, over a connection that is open already."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from statistics import median
from typing import Any

from deerapi_remix import RemixClient, _operations
from deerapi_remix._deadline import NEVER
from deerapi_remix._passage import Passage

from .peers import ID, OURS, SYNC
from .runner import KEY, Bars, Bound, Findings, Samples, Scale, Table, interleave, ratio, spread
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
        bounds = (("bare httpx", "httpx", 1.0), ("openai SDK", "openai SDK", 0.55))
        found.bounds += [
            Bound(f"sync `{operation}`, ours / {label}", "≤", limit, ratio(samples, OURS, name))
            for label, name, limit in bounds
        ]
    values = {
        operation: {name: median(values) * 1e6 for name, values in samples.items()}
        for operation, samples in results.items()
    }
    share = _share_of_the_gate(servers.fast, scale)
    found.bounds.append(Bound("the gate's share of the CPU time of a sync call, before a 429", "≤", 0.01, share))
    found.plots.append(Bars("calls", "One call, sync", "µs a call", values))
    return found


def _share_of_the_gate(url: str, scale: Scale) -> float:
    """What the way through an open gate takes, beside the call that goes through it."""
    call = _operations.retrieve(ID)
    with RemixClient(KEY, base_url=url) as client:

        def pass_through() -> None:
            with Passage(client._connections.gates(call), call, client._settings, 0.0) as passage:
                passage.pause(NEVER, 1)
                passage.answered()

        sides = {
            "gate": _timed(pass_through, scale.calls * 10, time.process_time),
            "call": _timed(lambda: client.retrieve(ID), scale.calls, time.process_time),
        }
        interleave(sides, 1)
        return ratio(interleave(sides, scale.rounds * 20), "gate", "call")


def _timed(call: Callable[[], Any], count: int, clock: Callable[[], float] = time.perf_counter) -> Callable[[], float]:
    def turn() -> float:
        began = clock()
        for _ in range(count):
            call()
        return (clock() - began) / count

    return turn

"""`make bench`: every measurement, and the report. With `quick`: just enough to see that all of it runs."""

import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import (
    measure_batch,
    measure_calls,
    measure_crowds,
    measure_downloads,
    measure_imports,
    measure_ledger,
    measure_pace,
    measure_suite,
    measure_waits,
    report,
)
from .pacing import simulation as pacing
from .polling import simulation as polling
from .runner import FULL, QUICK, ROOT, WORK, Findings, Scale
from .servers import start


def main(mode: str = "full") -> int:
    """Run all; 1 if a bound that no clock decides is not kept."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # Else nginx would stay behind.
    scale = {"full": FULL, "quick": QUICK}[mode]
    WORK.mkdir(parents=True, exist_ok=True)
    memory = Path("/dev/shm")  # noqa: S108  # So that no disk is measured, where there is room for two files.
    size = scale.megabytes * 1_000_000
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 3 * size
    with tempfile.TemporaryDirectory(dir=memory if roomy else WORK) as folder:
        file = Path(folder) / "video"
        with file.open("wb") as video:
            video.truncate(size)
        with start(file) as servers:
            parts: dict[str, Callable[[], Findings]] = {}
            if scale.suite:  # First, for it may find the tree at fault.
                parts["suite"] = measure_suite.measure
            parts |= {
                "calls": lambda: measure_calls.measure(scale, servers),
                "crowds": lambda: measure_crowds.measure(scale, servers),
                "polling, pacing and pace": lambda: _beside_each_other(scale),
                "waits": lambda: measure_waits.measure(scale, file),
                "downloads": lambda: measure_downloads.measure(scale, servers, file),
                "ledger": lambda: measure_ledger.measure(scale, file),
                "batch": lambda: measure_batch.measure(scale),
                "imports": lambda: measure_imports.measure(scale),
            }
            found = []
            for name, part in parts.items():
                began = time.monotonic()
                found.append(part())
                print(f"Measured {name} in {time.monotonic() - began:.0f} s", flush=True)
    if mode == "quick":  # What took that little time says nothing about time.
        for one in found:
            one.bounds = [bound for bound in one.bounds if bound.exact]
    target = ROOT / "benchmarks" / "report" if mode == "full" else WORK / "report"
    print(report.write(target, found, servers.kind))
    if mode == "full":
        report.tell_on_first_page(ROOT / "README.md", found)
    return int(not all(bound.holds for some in found for bound in some.bounds if bound.exact))


def _beside_each_other(scale: Scale) -> Findings:
    """Races hardly need the processor, since they wait for a server; simulations need nothing else."""
    with ThreadPoolExecutor(1) as pool:
        races = pool.submit(measure_pace.measure, scale)
        parts = [polling.measure(scale), pacing.measure(scale), races.result()]
    together = Findings()
    for part in parts:
        together.tables += part.tables
        together.bounds += part.bounds
        together.plots += part.plots
    return together


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

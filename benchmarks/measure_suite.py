"""How long developers wait: for the contract suite, and for the generator."""

import subprocess
import time
from functools import partial
from statistics import median

from .runner import ROOT, Findings, Scale, Table, interleave, spread


def measure(scale: Scale) -> Findings:
    """Both as `make` runs them."""
    sides = {target: partial(_make, target) for target in ("contract", "client-check")}
    samples = interleave(sides, 1)
    rows = [(f"make {name}", f"{median(values):.1f}", spread(values)) for name, values in samples.items()]
    return Findings([Table("Contract suite and regeneration", "", ("target", "s", "spread"), rows)])


def _make(target: str) -> float:
    began = time.perf_counter()
    subprocess.run(["make", target], cwd=ROOT, stdout=subprocess.DEVNULL, check=True, timeout=900)
    return time.perf_counter() - began

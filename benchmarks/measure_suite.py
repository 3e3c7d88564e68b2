"""How long developers wait: for the contract suite, and for the generator."""

import subprocess
import time

from .runner import ROOT, Findings, Table


def measure() -> Findings:
    """Both as `make` runs them, once."""
    rows = [(f"make {target}", f"{_seconds(target):.1f}") for target in ("contract", "client-check")]
    return Findings([Table("Contract suite and regeneration", "Timed once.", ("target", "s"), rows)])


def _seconds(target: str) -> float:
    began = time.perf_counter()
    subprocess.run(["make", target], cwd=ROOT, stdout=subprocess.DEVNULL, check=True, timeout=900)
    return time.perf_counter() - began

"""Cold start: what an import takes in a process that has imported nothing yet."""

import subprocess
import time
from functools import partial
from pathlib import Path
from statistics import median

from .peers import OURS
from .runner import WORK, Bars, Bound, Findings, Scale, Table, interleave, ratio, spread

_OURS = "import deerapi_remix"
_USED = "from deerapi_remix import RemixClient"
# Each in an environment that holds nothing but what it needs; all compiled.
CORE = WORK / "core" / "bin"
PEERS = WORK.parent / "bench-venv" / "bin"
_TIMED = "import time; began = time.perf_counter(); {}; print(time.perf_counter() - began)"


def measure(scale: Scale) -> Findings:
    """Imports, and the help of the command line as a whole process."""
    sides = {
        **{statement: partial(_timed, CORE, statement) for statement in (_OURS, _USED, "import httpx")},
        "import openai": partial(_timed, PEERS, "import openai"),
        "deerapi-remix --help": partial(_run, PEERS / "deerapi-remix", "--help"),
        "python -c pass": partial(_run, CORE / "python", "-c", "pass"),
    }
    interleave(sides, 1)  # Files are read from the disk once.
    samples = interleave(sides, scale.rounds * 3)
    note = (
        f"Statements are timed within a fresh process, in an environment with {OURS} and what it needs; the openai SDK "
        f"in that of the peers. `{_OURS}` imports next to nothing: what is used is imported when it is first asked "
        "for. The last two are whole processes."
    )
    rows = [
        (name, median(values) * 1e3, spread(values), f"{ratio(samples, name, 'import httpx'):.2f}")
        for name, values in samples.items()
    ]
    table = Table("Cold start", note, ("what", "ms", "spread", "it / import httpx"), rows)
    bounds = [
        Bound(f"{_OURS} / import {name}", "≤", limit, ratio(samples, _OURS, f"import {name}"))
        for name, limit in (("httpx", 1.3), ("openai", 0.2))
    ]
    values = {"": {name: median(values) * 1e3 for name, values in samples.items()}}
    return Findings([table], bounds, [Bars("imports", "Cold start", "ms", values)])


def _timed(environment: Path, statement: str) -> float:
    command: list[str | Path] = [environment / "python", "-I", "-c", _TIMED.format(statement)]
    return float(subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=60).stdout)


def _run(*command: str | Path) -> float:
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, timeout=60)
    return time.perf_counter() - began

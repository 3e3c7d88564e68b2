"""What all measurements share: rounds, child processes, medians, and what they hand to the report."""

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
WORK = ROOT / "build" / "bench"
KEY = "sk-" + 48 * "b"

Samples = dict[str, list[float]]
Row = Sequence[str | float]


@dataclass(frozen=True)
class Scale:
    """How much is measured: everything, or just enough to see that it runs.

    Attributes:
        rounds: How often every side has its turn.
        calls: Synchronous calls in one turn; few, so that what else the machine does hits few turns.
        window: Seconds in which asynchronous calls are counted, in one turn.
        crowds: How many calls are made at once.
        waits: How many jobs are waited for in one process.
        pace: What the times of those jobs and the intervals of their polls are multiplied by.
        megabytes: How much is downloaded.
        jobs: Simulated jobs for each progress curve and distribution of render times.
        rows: Rows of a batch, and of a plain loop.
        render: Seconds that the jobs of these rows render.
        suite: Whether the contract suite and the generator are timed, too.
    """

    rounds: int
    calls: int
    window: float
    crowds: tuple[int, ...]
    waits: int
    pace: float
    megabytes: int
    jobs: int
    rows: int
    render: float
    suite: bool


FULL = Scale(7, 50, 0.6, (1, 50, 100, 1000), 10_000, 1.0, 1000, 1000, 1000, 5.0, suite=True)
QUICK = Scale(1, 5, 0.2, (100,), 100, 0.02, 10, 200, 10, 0.2, suite=False)


@dataclass(frozen=True)
class Bound:
    """Something that must hold.

    Attributes:
        what: What is bounded.
        sign: `≤` or `≥`.
        limit: The bound.
        reached: What was measured.
        exact: Whether it is the same on every machine, because it is simulated rather than timed.
    """

    what: str
    sign: str
    limit: float
    reached: float
    exact: bool = False

    @property
    def holds(self) -> bool:
        """Whether it does."""
        return self.reached <= self.limit if self.sign == "≤" else self.reached >= self.limit


@dataclass(frozen=True)
class Bars:
    """A plot: groups of bars, one bar for each side that has a value there."""

    name: str
    title: str
    axis: str
    values: Mapping[str, Mapping[str, float]]
    logarithmic: bool = False


@dataclass
class Table:
    """Rows of text and numbers under a heading."""

    title: str
    note: str
    columns: Sequence[str]
    rows: Sequence[Row] = ()


@dataclass
class Findings:
    """What a measurement found. A plot is bars, or draws itself into a folder and returns its line of the report."""

    tables: list[Table] = field(default_factory=list)
    bounds: list[Bound] = field(default_factory=list)
    plots: list[Bars | Callable[[Path], str]] = field(default_factory=list)

    def show(self) -> None:
        """Print what was measured, and what must hold."""
        for table in self.tables:
            for row in (table.columns, *table.rows):
                print(" | ".join(map(str, row)))
        for bound in self.bounds:
            holds = "holds" if bound.holds else "FAILS"
            print(f"{bound.what} {bound.sign} {bound.limit:g}: {bound.reached:.3g}, {holds}")


def interleave(sides: Mapping[str, Callable[[], float]], rounds: int) -> Samples:
    """One sample of every side in every round; each round begins with another side, so that none is favoured."""
    samples: Samples = {name: [] for name in sides}
    names = list(sides)
    for turn in range(rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            samples[name].append(sides[name]())
    return samples


def ratio(samples: Samples, side: str, other: str) -> float:
    """The median of the ratios of two sides, each within one round."""
    return statistics.median(one / two for one, two in zip(samples[side], samples[other], strict=True))


def spread(values: Sequence[float]) -> str:
    """Half the distance between the quartiles, as a percentage of the median."""
    if len(values) < 2:
        return "-"
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"±{(high - low) / 2 / middle:.0%}"


def child(
    module: str, *arguments: object, limit: float = 120.0, environment: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The JSON that `python -m module` prints, in a process of its own."""
    # The openai SDK warns in every process that the API it was made for ends.
    command = [sys.executable, "-W", "ignore", "-m", module, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, timeout=limit, stdout=subprocess.PIPE, check=True, env=environment)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def resident(field: str = "VmRSS") -> int:
    """Bytes of memory that this process has now; its most so far for the field `VmHWM`."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition(f"{field}:")[2].split()[0]) * 1024


def forget_peak() -> None:
    """Let `VmHWM` start over."""
    Path("/proc/self/clear_refs").write_text("5")

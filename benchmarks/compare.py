"""Two versions of the package beside each other: `python -m benchmarks.compare BEFORE [AFTER]`.

Each is a commit or a folder with a checkout; without AFTER it is the package that is installed. They take turns, each
in processes of its own, and what is printed are the ratios of AFTER to BEFORE: medians of those within a round.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median

from . import measure_crowds, measure_waits
from .checkouts import checkout, environment
from .peers import OURS, SYNC
from .runner import ROOT, WORK, Samples, child, interleave, ratio
from .servers import c_server, start

Environment = Mapping[str, str] | None
_AT_ONCE = 100


def main() -> None:
    """Print a line for each measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before")
    parser.add_argument("after", nargs="?")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--waits", type=int, default=2_000, help="jobs waited for in one process")
    parser.add_argument("--pace", type=float, default=0.25, help="what the times of these jobs are multiplied by")
    given = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    sides = {"after": _environment(given.after), "before": _environment(given.before)}
    with tempfile.NamedTemporaryFile(dir=WORK) as file, start(Path(file.name)) as servers:
        for operation in ("retrieve", "remix"):
            _sync(operation, servers.fast, sides, given.rounds * 20)
        for url, name in ((servers.fast, "no"), (servers.slow, "100 ms")):
            turns = {side: partial(_crowd, url, code) for side, code in sides.items()}
            _line(f"{_AT_ONCE} at once, {name} latency: CPU ms a call", interleave(turns, given.rounds))
        with c_server(Path(file.name)) as url:
            _waits(url, given.waits, given.pace, sides, max(given.rounds // 3, 1))


def _environment(version: str | None) -> Environment:
    if version is None:
        return None
    folder = Path(version).resolve() if Path(version).is_dir() else checkout(version)
    if folder is None:
        raise SystemExit(f"{version} is neither a folder nor a commit")
    return environment(folder)


def _line(what: str, samples: Samples) -> None:
    before, after = median(samples["before"]), median(samples["after"])
    print(f"{what}: {before:.4g} before, {after:.4g} after, {ratio(samples, 'after', 'before'):.3f}", flush=True)


def _sync(operation: str, url: str, sides: Mapping[str, Environment], rounds: int) -> None:
    """Processes that stay, so that their turns are short and what else the machine does hits both."""
    with ExitStack() as stack:
        turns = {}
        for name, side in sides.items():
            command = [sys.executable, "-m", "benchmarks.compare", "turns", operation, url]
            process = subprocess.Popen(
                command, cwd=ROOT, env=side, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
            )
            stack.enter_context(process)
            turns[name] = partial(_turn, process)
        interleave(turns, 2)
        _line(f"sync {operation}: µs", interleave(turns, rounds))


def _turn(process: "subprocess.Popen[str]") -> float:
    assert process.stdin is not None  # noqa: S101  # For the type checkers.
    assert process.stdout is not None  # noqa: S101
    process.stdin.write("go\n")
    return float(process.stdout.readline())


def _take_turns(operation: str, url: str, count: int = 50) -> None:
    with SYNC[OURS](url) as calls:
        for _ in sys.stdin:
            began = time.perf_counter()
            for _ in range(count):
                calls[operation]()
            print((time.perf_counter() - began) / count * 1e6, flush=True)


def _crowd(url: str, side: Environment) -> float:
    told = child(measure_crowds.__name__, OURS, url, _AT_ONCE, 1.0, environment=side)
    return float(told["cpu"]) * 1000


def _waits(url: str, jobs: int, pace: float, sides: Mapping[str, Environment], rounds: int) -> None:
    memory: Samples = {name: [] for name in sides}

    def cpu(name: str) -> float:
        told = child(measure_waits.__name__, OURS, url, jobs, pace, limit=900, environment=sides[name])
        memory[name].append(told["memory"] / jobs / 1000)
        return float(told["cpu"])

    used = interleave({name: partial(cpu, name) for name in sides}, rounds)
    _line(f"{jobs:,} waits: CPU s", used)
    _line(f"{jobs:,} waits: kB of memory a job", memory)


if __name__ == "__main__":
    if sys.argv[1:2] == ["turns"]:
        _take_turns(sys.argv[2], sys.argv[3])
    else:
        main()

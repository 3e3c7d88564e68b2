"""Plant every fault of the catalogue, one at a time, and expect the contract suite to go red.

A fault is caught if the rule that it names fails in its own body. Anything else lets it survive: a rule that passes,
a test that cannot be imported, collected or set up, a fault whose text is no longer there. First of all the rules must
pass without a fault.
"""

from __future__ import annotations

import argparse
import gc
import os
import select
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import get_args

# Imported here, once, so that the forked trials need not: they are what takes time.
import httpx  # noqa: F401
import jsonschema_rs  # noqa: F401
import schemathesis.engine  # noqa: F401
import starlette.applications  # noqa: F401
import uvicorn  # noqa: F401
import yaml  # noqa: F401
from attrs import frozen

from contract_tests.teeth.catalogue import FAULTS
from contract_tests.teeth.faults import Fault, Group
from contract_tests.teeth.trial import OURS, Result, Trial, compiled

# A trial takes a second or two; one that hangs counts as a survivor.
_PATIENCE = 90.0
_WIDTH = 160


@frozen
class Planned:
    """Rules to be run, with a fault or without."""

    rules: Sequence[str]
    fault: Fault | None = None


def main(arguments: Sequence[str], faults: Sequence[Fault] = FAULTS) -> int:
    """Run the catalogue, or the part of it that is asked for."""
    parser = argparse.ArgumentParser("python -m contract_tests.teeth", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("words", nargs="*", help="only faults whose names hold all of these")
    parser.add_argument("--group", choices=get_args(Group), help="only faults of this group")
    asked = parser.parse_args(arguments)
    chosen = [
        fault
        for fault in faults
        if asked.group in (None, fault.group) and all(word in fault.name for word in asked.words)
    ]
    if twice := [name for name, count in Counter(fault.name for fault in faults).items() if count > 1]:
        print(f"Faults of the same name: {', '.join(twice)}")
        return 1
    if not chosen:
        print("There is no such fault.")
        return 1
    started = time.monotonic()
    for plugin in entry_points(group="pytest11"):
        if plugin.module.partition(".")[0] not in OURS:
            plugin.load()
    # What is there by now stays, so no child needs to look through it for garbage.
    gc.collect()
    gc.freeze()
    # Ended as by Ctrl-C, so that no child and no copy is left.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with tempfile.TemporaryDirectory(prefix="teeth-") as folder:
            original = compiled([fault.rule for fault in chosen], Path(folder) / "original")
            passes = _control(chosen, original)
            survivors = _attack(chosen, original) if passes else chosen
    except KeyboardInterrupt:
        print("Interrupted.")
        return 130
    if passes:
        count = f"{len(chosen) - len(survivors)}/{len(chosen)}"
        print(f"{count} faults caught in {time.monotonic() - started:.0f} s")
    return 1 if survivors else 0


def _control(faults: Iterable[Fault], original: Path) -> bool:
    """Whether all rules pass without a fault."""
    rules: dict[str, list[str]] = {}
    for rule in sorted({fault.rule for fault in faults}):
        rules.setdefault(rule.partition("::")[0], []).append(rule)
    results = [result for _, result in _trials([Planned(some) for some in rules.values()], original)]
    wrong = [f"    {each}" for result in results for each in (*result.failed, *result.broken, result.telling) if each]
    passed = sum(result.passed for result in results)
    if wrong or not all(result.passed for result in results):
        print("Without a fault the suite must pass, and it does not:")
        print("\n".join(wrong) or "    a rule ran no test")
        return False
    print(f"control: {passed} tests of {sum(map(len, rules.values()))} rules pass without a fault", flush=True)
    return True


def _attack(faults: Sequence[Fault], original: Path) -> list[Fault]:
    """Plant each fault, tell what came of it, and return those that no rule noticed."""
    survivors: dict[str, Result] = {}
    for fault, result in _trials([Planned([fault.rule], fault) for fault in faults], original):
        assert fault is not None
        if not result.caught:
            survivors[fault.name] = result
        word, told = ("caught", result.telling) if result.caught else ("MISSED", "survived")
        print(f"{word}  {fault.group:8}  {fault.name}: {told}"[:_WIDTH], flush=True)
    print()
    planted = Counter(fault.group for fault in faults)
    missed = Counter(fault.group for fault in faults if fault.name in survivors)
    for group, count in planted.items():
        print(f"{group:8}  {count - missed[group]}/{count} caught")
    for fault in faults:
        if fault.name in survivors:
            result = survivors[fault.name]
            print(f"survivor: {fault.name} ({fault.file}), expected to fail: {fault.rule}")
            print("\n".join(f"    {line}" for line in result.broken or [f"{result.passed} tests passed"]))
    return [fault for fault in faults if fault.name in survivors]


def _trials(planned: Sequence[Planned], original: Path) -> Iterator[tuple[Fault | None, Result]]:
    """Run trials side by side, one for each processor, in the order in which they end."""
    waiting = list(reversed(list(enumerate(planned))))
    running: dict[int, tuple[Fault | None, Trial, float]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < (os.cpu_count() or 1):
                number, plan = waiting.pop()
                trial = Trial.start(plan.rules, plan.fault, original, original.with_name(str(number)))
                running[trial.reader] = (plan.fault, trial, time.monotonic())
            ready, _, _ = select.select(list(running), [], [], 1.0)
            for reader, (fault, trial, began) in list(running.items()):
                late = time.monotonic() - began > _PATIENCE
                if late or reader in ready:
                    result = Result(broken=[f"not ended after {_PATIENCE:.0f} s"]) if late else trial.result()
                    trial.end()
                    del running[reader]
                    yield fault, result
    finally:
        for _, trial, _ in running.values():
            trial.end()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

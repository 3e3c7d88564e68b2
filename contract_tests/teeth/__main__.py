"""Plant every fault of the catalogue, one at a time, and expect the contract suite to go red.

    python -m contract_tests.teeth [part of a fault's name]

A fault is caught if the rule that it names fails in its own body. Anything else lets it survive: a rule that passes, a
test that cannot be imported, collected or set up, a fault whose text is no longer there. A control without a fault must pass.
"""

from __future__ import annotations

import os
import select
import sys
import time
from collections import Counter
from collections.abc import Iterator

# Imported here, once, so that the forked trials need not: they are what takes time.
import httpx  # noqa: F401
import hypothesis  # noqa: F401
import jsonschema_rs  # noqa: F401
import respx  # noqa: F401
import schemathesis  # noqa: F401
import starlette.applications  # noqa: F401
import uvicorn  # noqa: F401
import yaml  # noqa: F401

from contract_tests.teeth.catalogue import FAULTS
from contract_tests.teeth.faults import Fault
from contract_tests.teeth.trial import Result, in_child, result_of

# A trial takes a second or two; one that hangs counts as a survivor.
_PATIENCE = 90.0
_WIDTH = 100


def main(arguments: list[str]) -> int:
    """Run the catalogue, or the part of it that is asked for."""
    faults = [fault for fault in FAULTS if all(word in fault.name for word in arguments)]
    if twice := [name for name, count in Counter(fault.name for fault in FAULTS).items() if count > 1]:
        print(f"Faults of the same name: {', '.join(twice)}")
        return 1
    started = time.monotonic()
    rules = sorted({fault.rule for fault in faults})
    ((_, control),) = _trials([(rules, None)])
    if control.failed or control.broken or not control.passed:
        print("Without a fault the suite must pass, and it does not:")
        print("\n".join(control.failed + control.broken) or "no test ran")
        return 1
    print(f"control: {control.passed} tests of {len(rules)} rules pass without a fault")
    planted, caught, survivors = Counter[str](), Counter[str](), []
    for fault, result in _trials([([fault.rule], fault) for fault in faults]):
        assert fault is not None
        planted[fault.group] += 1
        caught[fault.group] += result.caught
        if not result.caught:
            survivors.append((fault, result))
        told = result.last_line if result.caught else "SURVIVED"
        print(f"{'caught' if result.caught else 'MISSED'}  {fault.group:8}  {fault.name}: {told}"[:_WIDTH])
    print()
    for group in planted:
        print(f"{group:8}  {caught[group]}/{planted[group]} caught")
    for fault, result in survivors:
        print(f"survivor: {fault.name} ({fault.file}), expected to fail: {fault.rule}")
        print("".join(f"    {line}\n" for line in result.broken or [f"{result.passed} tests passed"]), end="")
    print(f"{sum(caught.values())}/{sum(planted.values())} faults caught in {time.monotonic() - started:.0f} s")
    return 1 if survivors or not planted else 0


def _trials(wanted: list[tuple[list[str], Fault | None]]) -> Iterator[tuple[Fault | None, Result]]:
    """Run trials side by side, one for each processor, in the order in which they end."""
    waiting = list(reversed(wanted))
    running: dict[int, tuple[Fault | None, int, float]] = {}
    while waiting or running:
        while waiting and len(running) < (os.cpu_count() or 1):
            rules, fault = waiting.pop()
            child, reader = in_child(rules, fault)
            running[reader] = (fault, child, time.monotonic())
        ready, _, _ = select.select(list(running), [], [], 1.0)
        for reader, (fault, child, began) in list(running.items()):
            late = time.monotonic() - began > _PATIENCE
            if late:
                os.kill(child, 9)
            if late or reader in ready:
                result = result_of(reader)
                os.waitpid(child, 0)
                del running[reader]
                yield fault, result


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

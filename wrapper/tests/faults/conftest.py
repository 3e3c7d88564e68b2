"""The summary of the matrix: what became of every operation under every fault, and the six counts."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping

import pytest

from deerapi_remix import RemixClient

from ..wire import PAID, Twin
from .matrix import EXPECTED, OPERATIONS, agree
from .observe import FILE_OPERATIONS, TWINS, Seen

Own = Callable[..., RemixClient]
Case = tuple[str, str, str]
SEEN = pytest.StashKey[dict[Case, Seen]]()
# What the random tests say of themselves: how many, from which seed, with what result.
DRAWN = pytest.StashKey[list[str]]()
_WIDTHS = {"retrieve": 9, "download": 9, "submit": 10, "poll": 10, "content": 11}


@pytest.fixture
def own(connect: Twin) -> Iterator[Own]:
    """Makes clients of either twin in turn, with connections of their own, which are closed in the end."""
    made: list[RemixClient] = []

    def make(**options: object) -> RemixClient:
        made.append(connect.own(**options))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture(scope="module", autouse=True)
def _garbage_of_others() -> Iterator[None]:
    """What libraries left unclosed is collected while the filters of the module hold, not in a later module's name."""
    yield
    gc.collect()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[SEEN] = {}
    config.stash[DRAWN] = []


def counts(seen: Mapping[Case, Seen]) -> dict[str, int]:
    """What must be zero."""
    return {
        "duplicates": sum(
            max(found.posts - _allowed(fault, operation), 0) for (fault, operation, _), found in seen.items()
        ),
        "lost ids": sum(len(found.lost) for found in seen.values()),
        "partial files": sum(len(found.partial) for found in seen.values()),
        "leaks": sum(len(found.leaks) for found in seen.values()),
        "hangs": sum(found.hung for found in seen.values()),
        "untold": sum(found.untold for found in seen.values()),
    }


def _allowed(fault: str, operation: str) -> int:
    """How many submits are allowed."""
    if operation in (*PAID, "submit"):
        return int(EXPECTED[fault]["posts"])
    return 1 if operation in FILE_OPERATIONS else 0


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    seen, drawn = config.stash[SEEN], config.stash[DRAWN]
    if not (seen or drawn):
        return
    write = terminalreporter.write_line
    terminalreporter.section("faults")
    if seen:
        _write_matrix(write, seen)
    for line in drawn:
        write(line)


def _write_matrix(write: Callable[[str], None], seen: Mapping[Case, Seen]) -> None:
    write(_line("", OPERATIONS))
    for fault in dict.fromkeys(case[0] for case in seen):
        write(_line(fault, [_cell(seen, fault, operation) for operation in OPERATIONS]))
    faults = len({case[0] for case in seen})
    found = counts(seen)
    write("")
    write(
        f"{faults} faults tried in {len(seen)} operations: "
        + ", ".join(f"{count} {name}" for name, count in found.items())
    )
    for case, each in seen.items():
        for what in [*each.lost, *each.partial, *each.leaks, *(["hung"] * each.hung), *(["untold"] * each.untold)]:
            write(f"  {' '.join(case)}: {what}")


def _cell(seen: Mapping[Case, Seen], fault: str, operation: str) -> str:
    """What was expected, if that is what came; else what came to each twin."""
    cell = EXPECTED[fault][operation]
    found = [seen[fault, operation, twin].outcome for twin in TWINS if (fault, operation, twin) in seen]
    return cell if all(agree(outcome, cell) for outcome in found) else " and ".join(found) + " "


def _line(name: str, cells: list[str] | tuple[str, ...]) -> str:
    widths = [_WIDTHS.get(operation, 8) for operation in OPERATIONS]
    return f"{name:<25} " + "".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()

"""The table of what happened, and of what must be zero."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ..conftest import place
from .kit import Run

RUNS = pytest.StashKey[list[Run]]()
NOTICED = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[RUNS] = []
    config.stash[NOTICED] = []


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a ledger may be made."""
    return place(request, tmp_path)


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[Run], None]:
    """Puts a run into the table, and fails where something is not zero."""

    def told(run: Run) -> None:
        request.config.stash[RUNS].append(run)
        assert run.counts.are_zero, run

    return told


@pytest.fixture
def noticed(request: pytest.FixtureRequest) -> list[str]:
    """The planted faults that turned red, for the table."""
    return request.config.stash[NOTICED]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    runs, noticed = config.stash[RUNS], config.stash[NOTICED]
    if not runs and not noticed:
        return
    terminalreporter.section("faults")
    for name in noticed:
        terminalreporter.write_line(f"planted, and noticed: {name}")
    head = ("keys", "kills", "unknown", "seconds", "duplicates", "lost", "missing", "unbacked", "excess", "other")
    terminalreporter.write_line(" " * 58 + " ".join(f"{name:>10}" for name in head))
    for run in runs:
        found = run.counts
        zeros = (found.duplicates, found.lost, found.missing, found.unbacked, found.excess, len(found.others))
        values = (run.keys, run.kills, run.unknown, round(run.seconds), *zeros)
        terminalreporter.write_line(f"{run.title:58}" + " ".join(f"{value:>10}" for value in values))

"""What all contract tests share: the document, and a summary that says what broke and how to see it again."""

import os
import shlex
import signal
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

from deerapi_remix import _clock
from deerapi_remix.testing import VirtualClock
from deerapi_remix.testing._time import VirtualTime

from .clients import TWINS, Twin
from .digest import MOST, Failure, digest
from .document import Document, UnreadableError, load

# A shell starts what runs in the background with Ctrl-C ignored, and the programs that the tests start inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_sessionstart() -> None:
    """Without the document no rule can be looked at."""
    try:
        load()
    except UnreadableError as error:
        pytest.exit(str(error), returncode=1)


@pytest.fixture(scope="session", autouse=True)
def nothing_drawn_from_our_sources() -> Iterator[None]:
    """hypothesis draws constants that it finds in our modules, so any change of them would change what is generated."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(providers, "_get_local_constants", Constants)
        patch.setattr(providers, "CONSTANTS_CACHE", type(providers.CONSTANTS_CACHE)(1024))
        yield


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def document() -> Document:
    """The document of this checkout."""
    return load()


@pytest.fixture(scope="module")
def virtual_time() -> Iterator[None]:
    """All time that the clients know passes only while somebody sleeps: after a 429 they wait before the next call."""
    with closing(VirtualTime(VirtualClock(1_800_001_000.0))) as time, pytest.MonkeyPatch.context() as patch:
        for name, function in time.functions.items():
            patch.setattr(_clock, name, function)
        yield


@pytest.fixture(scope="module", params=TWINS)
def twin(request: pytest.FixtureRequest, without_environment: None, virtual_time: None) -> Iterator[Twin]:
    """Either client in turn."""
    twin = Twin(request.param)
    yield twin
    twin.close()


@pytest.fixture(scope="module")
def without_environment() -> Iterator[None]:
    """No key, base URL or proxy of this machine's."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith("DEERAPI_") or name.lower().endswith("_proxy"):
                patch.delenv(name)
        yield


def message_of(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash else report.longrepr)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    """Begin with what broke, a line each; what may follow from that is counted, and not shown."""
    stats = terminalreporter.stats
    ours = [
        report
        for outcome in ("failed", "error")
        for report in stats.get(outcome, ())
        if isinstance(report, pytest.TestReport) and report.nodeid.startswith("contract_tests/")
    ]
    told = digest([Failure(report.nodeid, message_of(report)) for report in ours])
    if told.lines:
        terminalreporter.section("what is broken", sep="=")
        for line in told.lines[:MOST]:
            terminalreporter.write_line(line)
        folded = [report for report in ours if report.nodeid not in told.tests]
        if folded:
            rest = max(len(told.lines) - MOST, 0)
            more = f"{rest} more kinds of breach, and " if rest else ""
            terminalreporter.write_line(f"{more}{len(folded)} further failures, which may follow from these.")
        terminalreporter.write_line(f"see it again: python -m pytest {shlex.quote(told.tests[0])}")
        for outcome in ("failed", "error"):
            stats[outcome] = [report for report in stats.get(outcome, ()) if report not in folded]
        stats["folded"] = folded
    yield

"""What all contract tests share: the document, and a summary that says what broke and how to see it again."""

import os
import shlex
import signal
from collections.abc import Iterator
from contextlib import closing

import pytest

from deerapi_remix import _clock
from deerapi_remix.testing import VirtualClock
from deerapi_remix.testing._time import VirtualTime

from .clients import TWINS, Twin
from .document import Document, load

# A shell starts what runs in the background with Ctrl-C ignored, and the programs that the tests start inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """End with the broken rules: where, what, and the command that shows it again."""
    broken = [report for report in terminalreporter.getreports("failed") if "contract_tests/" in report.nodeid]
    for report in broken[:10]:
        test = report.nodeid.rpartition("::")[2]
        crash = getattr(report.longrepr, "reprcrash", None)
        message = crash.message if crash else str(report.longrepr)
        terminalreporter.section(f"broken rule: {test.partition('[')[0].removeprefix('test_')}", sep="-")
        for line in message.removeprefix("AssertionError: ").partition("\nassert ")[0].splitlines()[:12]:
            terminalreporter.write_line(line[:500])
        terminalreporter.write_line(f"see it again: python -m pytest {shlex.quote(report.nodeid)}")

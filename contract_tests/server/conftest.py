"""Ends a run with what was covered, and keeps it as Markdown and JUnit XML."""

import pytest

from .coverage import coverage


@pytest.fixture(autouse=True)
def no_proxy(without_environment: None) -> None:
    """What is sent to a port of this machine arrives there."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print and write the coverage of the document, if anything was recorded."""
    if not coverage.sent:
        return
    terminalreporter.section("coverage of the contract", sep="-")
    terminalreporter.write_line(coverage.table())
    for path in coverage.write():
        terminalreporter.write_line(f"written: {path.relative_to(config.rootpath)}")

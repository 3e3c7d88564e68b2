from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deerapi_remix import cli
from deerapi_remix.testing import FakeDeerAPI
from deerapi_remix.testing.router import mock_router

from ..conftest import Clock
from .shell import Cli, Outcome, Runner, Terminal


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Cli:
    """Runs a command line in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("XDG_CACHE_HOME", os.devnull)  # The user's cache is left alone.
    # On some CI systems every pipe is taken for a terminal.
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.setattr("typer.rich_utils.FORCE_TERMINAL", None)

    def run(*arguments: str, terminal: Terminal | None = None) -> Outcome:
        if terminal is not None:
            monkeypatch.setattr(sys, "stdin", terminal)
            monkeypatch.setattr(sys, "stderr", terminal)
        monkeypatch.setattr(sys, "argv", ["deerapi-remix", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert isinstance(ended.value.code, int)
        out, err = capsys.readouterr()
        return Outcome(ended.value.code, out, err)

    return run


@pytest.fixture
def fake(clock: Clock) -> Iterator[FakeDeerAPI]:
    """Renders a job in ten virtual seconds."""
    fake = FakeDeerAPI(clock=clock.now, render_seconds=10)
    with mock_router(fake):
        yield fake


@pytest.fixture
def run(call: Cli, fake: FakeDeerAPI, monkeypatch: pytest.MonkeyPatch) -> Runner:
    return Runner(call, fake, monkeypatch)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """In the place of stderr and stdin."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Terminal()

"""What is seen while a command works."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

import pytest
from rich.console import Console
from rich.progress import Progress

from deerapi_remix.cli import _progress, _text
from deerapi_remix.testing import FakeDeerAPI

from ..conftest import Clock
from .shell import REMIX, Cli, Terminal, new_job


@pytest.fixture(autouse=True)
def timed(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The display goes by virtual time, too."""
    monkeypatch.setattr(_progress, "monotonic", clock.monotonic)


def test_without_a_terminal_each_step_is_a_line(fake: FakeDeerAPI, call: Cli) -> None:
    outcome = call(*REMIX, "-o", "bow.mp4")
    job = new_job(fake)
    lines = outcome.err.splitlines()
    assert lines[:2] == [f"accepted as {job}", f"{job}: queued, 0% after 0:00"]
    # A job takes ten seconds.
    assert all(re.fullmatch(rf"{job}: in progress, (\d)\d% after 0:0\1", line) for line in lines[2:-2])
    assert re.fullmatch(rf"{job}: completed, 100% after 0:1\d", lines[-2])
    assert lines[-1] == "downloaded 46.3 kB of 46.3 kB"
    assert "\x1b" not in outcome.err


@pytest.mark.parametrize("command", [REMIX, (*REMIX, "-o", "bow.mp4"), (*REMIX, "--no-wait")])
def test_quiet_leaves_stderr_empty(fake: FakeDeerAPI, call: Cli, command: tuple[str, ...]) -> None:
    fake.rate_limited(retry_after=1)
    assert call(*command, "--quiet")._replace(out="") == (0, "", "")


def test_attempts_that_follow_are_announced_with_the_request_id(fake: FakeDeerAPI, call: Cli) -> None:
    fake.rate_limited(retry_after=7)
    outcome = call(*REMIX, "--no-wait")
    assert re.match(r"remix: status 429 \(request ID \w+\); trying again in 7\.0 s\n", outcome.err)


def test_an_outage_is_told_once_while_waiting(fake: FakeDeerAPI, call: Cli) -> None:
    fake.answers("retrieve", 502, times=3)
    outcome = call(*REMIX)
    assert outcome.code == 0
    assert outcome.err.count("still waiting") == 1
    assert re.search(r"^poll: status 502 \(request ID \w+\); still waiting$", outcome.err, re.MULTILINE)


def test_a_wait_whose_polls_can_be_read_does_not_doubt_the_base_url(fake: FakeDeerAPI, call: Cli) -> None:
    job = call(*REMIX, "--no-wait").out.strip()
    fake.answers("retrieve", 502, times=2)
    outcome = call("wait", job)
    assert outcome.code == 0
    assert "still waiting" in outcome.err
    assert "base URL" not in outcome.err
    assert "base URL" not in call("wait", job).err


def test_lines_about_a_long_download_keep_a_pause_and_tell_its_pace(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = _progress.Lines()
    for second, received in enumerate(range(0, 9_000_001, 1_000_000)):
        lines.received(received, 9_000_000)
        clock.time = 1_000.0 + second + 1
    assert capsys.readouterr().err.splitlines() == [
        "downloaded 0 bytes of 9.0 MB",
        "downloaded 5.0 MB of 9.0 MB, 1.0 MB/s, 0:04 left",
        "downloaded 9.0 MB of 9.0 MB, 1.0 MB/s",
    ]


def test_lines_about_a_download_of_unknown_length_do_without_its_end(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = _progress.Lines()
    for _ in range(2):
        lines.received(7_200_000, None)
        clock.time += 3600
    assert capsys.readouterr().err == "downloaded 7.2 MB\ndownloaded 7.2 MB, 2.0 kB/s\n"


def test_a_job_is_followed_to_its_end_though_nobody_reads_stderr(
    fake: FakeDeerAPI, call: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Broken())
    assert call(*REMIX, "-o", "bow.mp4").code == 0
    assert Path("bow.mp4").exists()


def test_on_a_terminal_each_stage_is_a_bar(fake: FakeDeerAPI, call: Cli, terminal: Terminal) -> None:
    assert call(*REMIX, "-o", "bow.mp4", terminal=terminal).out == "bow.mp4\n"
    rows = [row.rstrip() for row in re.split(r"[\r\n]+", terminal.shown)]
    assert f"accepted as {new_job(fake)}" in rows
    assert any(re.fullmatch(r"completed   ━{30} 100% 0:00:\d\d", row) for row in rows)
    assert any(re.fullmatch(r"downloading ━{30} 46\.3/46\.3 kB( \d+\.\d [kMG]B/s)?", row) for row in rows)


def test_a_narrow_terminal_gets_short_lines(
    fake: FakeDeerAPI, call: Cli, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert call(*REMIX, "-o", "bow.mp4", terminal=terminal).code == 0
    rows = [row.rstrip() for row in re.split(r"[\r\n]+", terminal.shown)]
    assert any(re.fullmatch(r"completed   ━{12} 100% 0:00:\d\d", row) for row in rows)
    assert any(re.fullmatch(r"46\.3/46\.3 kB( \d+\.\d [kMG]B/s)?", row) for row in rows)


def test_no_color_takes_the_color_from_a_terminal(
    fake: FakeDeerAPI, call: Cli, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def colors() -> list[str]:
        return re.findall(r"\x1b\[(?:\d+;)*(?:3[0-8]|9[0-7])[;m]", terminal.getvalue())

    call(*REMIX, "-o", "1.mp4", terminal=terminal)
    call("status", "nope", terminal=terminal)
    assert colors()
    terminal.truncate(0)
    monkeypatch.setenv("NO_COLOR", "1")
    call(*REMIX, "-o", "2.mp4", terminal=terminal)
    call("status", "nope", terminal=terminal)
    assert colors() == []


def test_a_dumb_terminal_gets_lines(
    fake: FakeDeerAPI, call: Cli, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert call(*REMIX, terminal=terminal).code == 0
    assert re.search(r": completed, 100% after 0:1\d\n", terminal.getvalue())


def test_a_download_tells_its_pace_while_it_goes_on(terminal: Terminal, clock: Clock) -> None:
    console = Console(file=terminal, force_terminal=True, width=80)
    progress = Progress(console=console, get_time=clock.monotonic)
    task = progress.add_task("", total=100_000_000)
    paces = []
    for _ in range(4):
        paces.append(_progress._Pace().render(progress.tasks[0]).plain)
        clock.time += 10
        progress.update(task, advance=25_000_000)
    paces.append(_progress._Pace().render(progress.tasks[0]).plain)
    assert paces == ["", "", "2.5 MB/s 0:20 left", "2.5 MB/s 0:10 left", "2.5 MB/s in 0:40"]


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0:00"), (59.9, "0:59"), (61, "1:01"), (3_599, "59:59"), (36_061, "10:01:01")]
)
def test_times_are_told_as_on_a_clock(seconds: float, shown: str) -> None:
    assert _text.span(seconds) == shown

"""What is seen while a command works."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from rich.console import Console
from rich.progress import Progress

from deerapi_remix import Event
from deerapi_remix.cli import _bars, _display, _estimate, _text

from ..conftest import Clock
from .shell import REMIX, SAVE, Broken, Runner, Terminal


@pytest.fixture(autouse=True)
def timed(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The display goes by virtual time, too."""
    for module in (_display, _bars):
        monkeypatch.setattr(module, "monotonic", clock.monotonic)


def test_without_a_terminal_each_step_is_a_line(run: Runner) -> None:
    outcome = run(*SAVE)
    job = run.job
    lines = outcome.err.splitlines()
    assert lines[:2] == [f"accepted as {job}", f"{job}: queued, 0% after 0:00"]
    # A job takes ten seconds.
    assert all(re.fullmatch(rf"{job}: in progress, (\d)\d% after 0:0\1", line) for line in lines[2:-2])
    assert re.fullmatch(rf"{job}: completed, 100% after 0:1\d", lines[-2])
    assert lines[-1] == "downloaded 46.3 kB of 46.3 kB"
    assert "\x1b" not in outcome.err


@pytest.mark.parametrize("command", [REMIX, SAVE, (*REMIX, "--no-wait")])
def test_quiet_leaves_stderr_empty(run: Runner, command: tuple[str, ...]) -> None:
    run.fake.rate_limited(retry_after=1)
    assert run(*command, "--quiet")._replace(out="") == (0, "", "")


def test_attempts_that_follow_are_announced_with_the_request_id(run: Runner) -> None:
    run.fake.rate_limited(retry_after=7)
    outcome = run(*REMIX, "--no-wait")
    assert re.match(r"remix: status 429 \(request ID \w+\); trying again in 7\.0 s\n", outcome.err)


@pytest.mark.parametrize(("delay", "when"), [(0.0, "at once"), (0.04, "at once"), (0.06, "in 0.1 s")])
def test_an_attempt_that_follows_at_once_is_announced_so(delay: float, when: str) -> None:
    event = Event("retry", "models", 1, status_code=503, delay=delay)
    assert _display.told(event) == f"models: status 503; trying again {when}"


def test_an_outage_is_told_once_while_waiting(run: Runner) -> None:
    run.fake.answers("retrieve", 502, times=3)
    outcome = run(*REMIX)
    assert outcome.code == 0
    assert outcome.err.count("still waiting") == 1
    assert re.search(r"^poll: status 502 \(request ID \w+\); still waiting$", outcome.err, re.MULTILINE)


def test_a_wait_whose_polls_can_be_read_does_not_doubt_the_base_url(run: Runner) -> None:
    job = run(*REMIX, "--no-wait").out.strip()
    run.fake.answers("retrieve", 502, times=2)
    outcome = run("wait", job)
    assert outcome.code == 0
    assert "still waiting" in outcome.err
    assert "base URL" not in outcome.err
    assert "base URL" not in run("wait", job).err


def test_lines_about_a_long_download_keep_a_pause_and_tell_its_pace(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = _display.Lines()
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
    lines = _display.Lines()
    for _ in range(2):
        lines.received(7_200_000, None)
        clock.time += 3600
    assert capsys.readouterr().err == "downloaded 7.2 MB\ndownloaded 7.2 MB, 2.0 kB/s\n"


def test_a_job_is_followed_to_its_end_though_nobody_reads_stderr(run: Runner) -> None:
    run.patch.setattr(sys, "stderr", Broken(BrokenPipeError()))
    assert run(*SAVE).code == 0
    assert Path("bow.mp4").exists()


@pytest.mark.parametrize(
    ("columns", "width", "pace"),
    [
        ("100", 30, r"━{30} 46\.3/46\.3 kB( \d+\.\d [kMG]B/s)?"),
        ("50", 12, r"46\.3/46\.3 kB( \d+\.\d [kMG]B/s)?"),
        ("40", 12, r"46\.3/46\.3 kB"),
    ],
)
def test_on_a_terminal_each_stage_is_a_line_that_fits(
    run: Runner, terminal: Terminal, columns: str, width: int, pace: str
) -> None:
    run.patch.setenv("COLUMNS", columns)
    assert run(*SAVE, terminal=terminal).out == "bow.mp4\n"
    assert f"accepted as {run.job}" in terminal.rows
    for row in (rf"queued      ·{{{width}}}   0% 0:00:\d\d", rf"completed   ━{{{width}}} 100% 0:00:\d\d"):
        assert any(re.fullmatch(row, shown) for shown in terminal.rows), row
    assert any(re.fullmatch(f"downloading {pace}", row) for row in terminal.rows)
    assert "\x07" in terminal.getvalue()  # It took ten seconds: the terminal rings.


def test_a_terminal_that_knows_ascii_only_gets_ascii(run: Runner, terminal: Terminal) -> None:
    run.patch.setattr(terminal, "encoding", "ascii", raising=False)
    assert run(*SAVE, terminal=terminal).code == 0
    assert terminal.getvalue().isascii()
    assert any(re.fullmatch(r"completed   #{30} 100% 0:00:\d\d", row) for row in terminal.rows)


def test_the_percentage_moves_on_between_two_polls_and_never_ahead_of_the_next(clock: Clock) -> None:
    estimate = _estimate.Estimate(clock.monotonic)
    shown = []
    for told in (0, None, None, 20, None, None, None, None, 30, 100):
        if told is not None:
            estimate.told(told)
        shown.append(round(estimate.percent()))
        clock.time += 5
    assert shown == [0, 0, 0, 20, 27, 33, 40, 40, 40, 100]


def test_no_color_takes_the_color_from_a_terminal(run: Runner, terminal: Terminal) -> None:
    def colors() -> list[str]:
        return re.findall(r"\x1b\[(?:\d+;)*(?:3[0-8]|9[0-7])[;m]", terminal.getvalue())

    for plain in (False, True):
        if plain:
            terminal.truncate(0)
            run.patch.setenv("NO_COLOR", "1")
        run(*REMIX, "-o", f"{plain}.mp4", terminal=terminal)
        run("status", "nope", terminal=terminal)
        assert (colors() == []) == plain


def test_a_dumb_terminal_gets_lines(run: Runner, terminal: Terminal) -> None:
    run.patch.setenv("TERM", "dumb")
    assert run(*REMIX, terminal=terminal).code == 0
    assert re.search(r": completed, 100% after 0:1\d\n", terminal.getvalue())


def test_a_download_tells_its_pace_while_it_goes_on(terminal: Terminal, clock: Clock) -> None:
    console = Console(file=terminal, force_terminal=True, width=80)
    progress = Progress(console=console, get_time=clock.monotonic)
    task = progress.add_task("", total=100_000_000)
    paces = []
    for _ in range(4):
        paces.append(_bars._Pace().render(progress.tasks[0]).plain)
        clock.time += 10
        progress.update(task, advance=25_000_000)
    paces.append(_bars._Pace().render(progress.tasks[0]).plain)
    assert paces == ["", "", "2.5 MB/s 0:20 left", "2.5 MB/s 0:10 left", "2.5 MB/s in 0:40"]


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0:00"), (59.9, "0:59"), (61, "1:01"), (3_599, "59:59"), (36_061, "10:01:01")]
)
def test_times_are_told_as_on_a_clock(seconds: float, shown: str) -> None:
    assert _text.span(seconds) == shown

"""Runs that are killed, or meet another one: real processes, and a server that counts what it is sent."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deerapi_remix.testing import FakeDeerAPI, VirtualClock
from deerapi_remix.testing.asgi import running_server

from .shell import PROGRAM, REMIX, Cli, files, submits

SAVE = (*REMIX, "--output", "bow.mp4")

# Kills itself where it would call a function: the object and the name are its first arguments.
CUT_OFF = """
import os, sys
import deerapi_remix
from deerapi_remix.cli import _job_file, main

owner, name = eval(sys.argv.pop(1)), sys.argv.pop(1)
setattr(owner, name, lambda *_, **__: os.kill(os.getpid(), 9))
main()
"""

# Kills itself before it would change its folder or open a connection for the nth time.
CUT_OFF_AT = """
import os, sys
from deerapi_remix.cli import main

moment, folder = int(sys.argv.pop(1)), os.getcwd() + os.sep

def count(event, arguments):
    global moment
    here = event in ("open", "os.rename", "os.link", "os.remove") and folder in str(arguments)
    if here or event == "socket.connect":
        moment -= 1
        if moment == 0:
            os.kill(os.getpid(), 9)

sys.addaudithook(count)
main()
"""

Process = subprocess.Popen[str]
Start = Callable[..., Process]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a command line in a process of its own."""
    started: list[Process] = []

    def begin(*arguments: str, program: tuple[str, ...] = PROGRAM) -> Process:
        process = subprocess.Popen([*program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate(timeout=20)


@contextmanager
def serving(fake: FakeDeerAPI, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with running_server(fake) as base_url:
        monkeypatch.setenv("DEERAPI_BASE_URL", base_url)
        yield


@pytest.fixture
def clock_there() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def server(clock_there: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDeerAPI]:
    """Renders for ever, unless its clock is moved."""
    fake = FakeDeerAPI(clock=clock_there, render_seconds=60)
    with serving(fake, monkeypatch):
        yield fake


def until_submitted(fake: FakeDeerAPI) -> None:
    for _ in range(1000):
        if submits(fake):
            return
        time.sleep(0.02)
    raise AssertionError("nothing was submitted within 20 seconds")


def test_a_run_killed_before_it_submits_is_not_repeated_unasked(call: Cli, start: Start, server: FakeDeerAPI) -> None:
    program = (sys.executable, "-c", CUT_OFF, "deerapi_remix.RemixClient", "remix_to_file")
    assert start(*SAVE, program=program).wait(20) != 0
    assert json.loads(Path(".bow.mp4.job.json").read_text())["job_id"] is None
    assert (call(*SAVE).code, len(server.requests)) == (7, 0)


@pytest.mark.usefixtures("call")
def test_a_disk_that_takes_nothing_is_10_before_anything_is_paid(start: Start, server: FakeDeerAPI) -> None:
    # A buffer that cannot be written out is tried once more when its file is closed.
    full = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); {PROGRAM[-1]}"
    run = start(*SAVE, program=(*PROGRAM[:-1], full))
    out, err = run.communicate(timeout=20)
    assert (run.returncode, out, err) == (10, "", "Error: bow.mp4: File too large. Nothing was sent.\n")
    assert (len(server.requests), files()) == (0, [])


def test_a_run_killed_while_it_awaits_the_answer_is_not_repeated_unasked(
    call: Cli, start: Start, server: FakeDeerAPI
) -> None:
    server.answer_lost()
    killed = start(*SAVE)
    until_submitted(server)
    killed.kill()
    killed.wait(20)
    assert (call(*SAVE).code, submits(server)) == (7, 1)


def test_ctrl_c_while_the_answer_is_awaited_leaves_the_outcome_unknown(
    call: Cli, start: Start, server: FakeDeerAPI
) -> None:
    server.answer_lost()
    interrupted = start(*SAVE)
    until_submitted(server)
    interrupted.send_signal(signal.SIGINT)
    out, err = interrupted.communicate(timeout=20)
    assert (interrupted.returncode, out) == (130, "")
    assert err.startswith("Error: Interrupted while the remix was submitted. The job may have been accepted")
    assert err.endswith(" If no job was charged, run it again with --resubmit.\n")
    assert (call(*SAVE).code, submits(server)) == (7, 1)


def test_a_run_killed_before_it_keeps_the_id_is_not_repeated_unasked(
    call: Cli, start: Start, server: FakeDeerAPI
) -> None:
    program = (sys.executable, "-c", CUT_OFF, "_job_file.JobFile", "accepted")
    assert start(*SAVE, program=program).wait(20) != 0
    assert (call(*SAVE).code, submits(server)) == (7, 1)


def test_a_run_killed_while_the_job_renders_is_gone_on_with(
    call: Cli, start: Start, server: FakeDeerAPI, clock_there: VirtualClock
) -> None:
    killed = start(*SAVE)
    assert killed.stderr is not None
    job = killed.stderr.readline().removeprefix("accepted as ").strip()
    killed.kill()
    killed.wait(20)
    clock_there.advance(60)
    again = call(*SAVE)
    assert (again.code, again.out, submits(server)) == (0, "bow.mp4\n", 1)
    assert again.err.startswith(f"going on with {job}, ")
    assert [name for name in files() if not name.endswith(".part")] == ["bow.mp4"]


def test_a_run_killed_at_any_moment_pays_once_at_most(
    call: Cli, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeDeerAPI(render_seconds=0)
    ends = []
    with serving(fake, monkeypatch):
        for moment in range(1, 30):
            fake.reset()
            folder = tmp_path / str(moment)
            folder.mkdir()
            monkeypatch.chdir(folder)
            if start(*SAVE, program=(sys.executable, "-c", CUT_OFF_AT, str(moment))).wait(20) == 0:
                break
            before = submits(fake)
            again = call(*SAVE)
            ends.append((before, again.code, submits(fake), Path("bow.mp4").exists()))
    assert set(ends) == {
        (0, 0, 1, True),  # Nothing was begun, and the second run did everything.
        (0, 7, 0, False),  # The submit may have been sent, for all the second run knows.
        (1, 7, 1, False),  # It was.
        (1, 0, 1, True),  # The second run went on.
        (1, 10, 1, True),  # The video was there already.
    }


def test_of_two_runs_for_one_target_one_submits(call: Cli, start: Start, server: FakeDeerAPI) -> None:
    server.answer_lost()
    start(*SAVE)
    until_submitted(server)
    outcome = call(*SAVE)
    assert (outcome.code, submits(server)) == (7, 1)
    assert "It was cut off, or is still at it" in outcome.err


def test_of_many_runs_started_at_once_one_submits(call: Cli, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeDeerAPI(render_seconds=0)
    with serving(fake, monkeypatch):
        runs = [start(*SAVE) for _ in range(4)]
        codes = sorted(run.wait(60) for run in runs)
    assert submits(fake) == 1
    assert codes[0] == 0
    assert set(codes[1:]) <= {0, 7, 10}
    assert Path("bow.mp4").read_bytes()[4:8] == b"ftyp"

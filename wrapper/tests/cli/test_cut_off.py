"""Runs that are killed, or meet others: real processes, and a server that counts what it is sent."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deerapi_remix.cli._job_record import JobRecord, Remix
from deerapi_remix.testing import FakeDeerAPI
from deerapi_remix.testing.asgi import running_server

from .shell import JOB_FILE, PROGRAM, SAVE, Cli

# Kills itself before it would change its folder, write the job file or open a connection for the nth time.
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

def write(descriptor, content, write=os.write):
    count("socket.connect", ())
    return write(descriptor, content)

os.write = write
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


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDeerAPI]:
    """Completes a job when it is accepted."""
    fake = FakeDeerAPI(render_seconds=0)
    with running_server(fake) as base_url:
        monkeypatch.setenv("DEERAPI_BASE_URL", base_url)
        yield fake


def submits(fake: FakeDeerAPI) -> int:
    return sum(request.operation == "remix" for request in fake.requests)


def test_a_run_killed_at_any_moment_pays_once_at_most(
    call: Cli, start: Start, server: FakeDeerAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = []
    for moment in range(1, 30):
        server.reset()
        folder = tmp_path / str(moment)
        folder.mkdir()
        monkeypatch.chdir(folder)
        if start(*SAVE, program=(sys.executable, "-c", CUT_OFF_AT, str(moment))).wait(20) == 0:
            break
        before = submits(server)
        again = call(*SAVE)
        ends.append((before, again.code, submits(server), Path("bow.mp4").exists()))
    assert set(ends) == {
        (0, 0, 1, True),  # Nothing was begun, and the second run did everything.
        (0, 7, 0, False),  # The submit may have been sent, for all the second run knows.
        (1, 7, 1, False),  # It was.
        (1, 0, 1, True),  # The second run went on.
        (1, 10, 1, True),  # The video was there already.
    }


@pytest.mark.usefixtures("call")
@pytest.mark.parametrize(("options", "cut_off"), [((), False), (("--resubmit",), False), (("--resubmit",), True)])
def test_of_many_runs_started_at_once_one_submits(
    start: Start, server: FakeDeerAPI, options: tuple[str, ...], cut_off: bool
) -> None:
    if cut_off:
        remix = Remix("video_123", "The cat takes a bow", None, os.environ["DEERAPI_BASE_URL"])
        Path(JOB_FILE).write_bytes(JobRecord(remix).to_bytes())
    runs = [start(*SAVE, *options) for _ in range(4)]
    codes = sorted(run.wait(60) for run in runs)
    assert submits(server) == 1
    assert codes[0] == 0
    assert set(codes[1:]) <= {0, 7, 10}
    assert Path("bow.mp4").read_bytes()[4:8] == b"ftyp"

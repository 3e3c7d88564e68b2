"""Ctrl-C, SIGTERM and SIGHUP."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deerapi_remix import RemixClient
from deerapi_remix.cli import _display, _work
from deerapi_remix.testing import FakeDeerAPI
from deerapi_remix.testing.asgi import running_server

from .shell import JOB_FILE, PROGRAM, REMIX, SAVE, UNKNOWN, Cli, Runner, environment, files, raising


@pytest.fixture
def interrupted_sleep(clock: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deerapi_remix._clock.sleep", raising(KeyboardInterrupt()))


@pytest.mark.usefixtures("interrupted_sleep")
@pytest.mark.parametrize(
    ("command", "advice"),
    [
        (SAVE, "Run the same command again: it goes on with {job} and pays for no other."),
        (REMIX, "To go on, without paying again: deerapi-remix wait {job}"),
    ],
)
def test_ctrl_c_during_a_wait_says_how_to_go_on(run: Runner, command: tuple[str, ...], advice: str) -> None:
    outcome = run(*command, "--json")
    job = run.job
    assert outcome.code == 130
    assert outcome.err.endswith(f"Error: Interrupted. The job goes on. {advice.format(job=job)}\n")
    assert (outcome.json["type"], outcome.json["video_id"]) == ("Interrupted", job)
    assert outcome.json["may_have_been_charged"] is False
    assert outcome.json["next"].startswith(f"deerapi-remix wait {job}")
    assert files() == ([JOB_FILE] if command == SAVE else [])


def test_ctrl_c_during_a_submit_says_that_the_outcome_is_unknown(run: Runner) -> None:
    run.patch.setattr(run.fake, "handle", raising(KeyboardInterrupt()))
    outcome = run(*REMIX, "--json")
    assert outcome.code == 130
    assert outcome.err.startswith(f"Error: Interrupted while the remix was submitted. {UNKNOWN} first.")
    assert (outcome.json["may_have_been_charged"], outcome.json["next"]) == (True, None)


@pytest.mark.usefixtures("interrupted_sleep")
@pytest.mark.parametrize(("status", "unknown"), [(429, False), (503, False), (500, True)])
def test_ctrl_c_between_two_attempts_says_if_there_may_be_a_job(run: Runner, status: int, unknown: bool) -> None:
    run.fake.answers("remix", status, times=4, body={"message": "busy"})
    outcome = run(*SAVE, "--json")
    assert (outcome.code, outcome.json["may_have_been_charged"]) == (130, unknown)
    assert ("Error: Interrupted. No job was accepted.\n" in outcome.err) == (not unknown)
    assert files() == ([JOB_FILE] if unknown else [])


def test_ctrl_c_during_a_download_says_how_to_go_on(run: Runner) -> None:
    run.patch.setattr(_display.Lines, "received", raising(KeyboardInterrupt()))
    outcome = run(*SAVE)
    assert outcome.code == 130
    assert outcome.err.endswith(
        f"Error: Interrupted. Run the same command again: it goes on with {run.job} and pays for no other.\n"
    )
    assert files() == [JOB_FILE]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_ctrl_c_while_the_id_is_kept_does_not_lose_it(run: Runner, moment: str) -> None:
    write, interrupts = os.write, [KeyboardInterrupt]

    def interrupted(descriptor: int, content: Any) -> int:
        if b"job_id" not in bytes(content) or b'"job_id": null' in bytes(content) or not interrupts:
            return write(descriptor, content)
        if moment == "after":
            write(descriptor, content)
        raise interrupts.pop()

    run.patch.setattr(os, "write", interrupted)
    assert run(*SAVE).code == 130
    assert json.loads(Path(JOB_FILE).read_text())["job_id"] == run.job
    assert run(*SAVE).code == 0
    assert run.submits == 1


def test_ctrl_c_once_the_video_is_saved_leaves_no_job_file(run: Runner) -> None:
    run.patch.setattr(_work.Work, "result", raising(KeyboardInterrupt()))
    assert run(*SAVE).code == 130
    assert files() == ["bow.mp4"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_a_process_ends_a_wait_with_130(number: signal.Signals) -> None:
    with running_server(FakeDeerAPI(render_seconds=600)) as base_url:
        with RemixClient("sk-test", base_url=base_url) as client:
            job = client.remix("video_123", prompt="x").id
        process = subprocess.Popen(
            [*PROGRAM, "wait", job],
            env=environment(base_url),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        assert process.stderr.readline() == f"{job}: queued, 0% after 0:00\n"
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (130, "")
    assert err == f"Error: Interrupted. The job goes on. To go on: deerapi-remix wait {job}\n"


def test_ctrl_c_while_the_command_line_loads_is_130(call: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deerapi_remix.cli._run.run", raising(KeyboardInterrupt()))
    assert call("models") == (130, "", "")

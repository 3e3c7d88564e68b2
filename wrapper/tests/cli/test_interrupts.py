"""Ctrl-C."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

from deerapi_remix.cli import _progress, _work
from deerapi_remix.testing import FakeDeerAPI
from deerapi_remix.testing.asgi import running_server

from ..conftest import Clock
from .shell import PROGRAM, REMIX, UNKNOWN, Cli, environment, files, new_job, submits


@pytest.fixture
def interrupted_sleep(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("deerapi_remix._clock.sleep", interrupt)


@pytest.mark.usefixtures("interrupted_sleep")
def test_ctrl_c_during_a_wait_says_how_to_go_on(fake: FakeDeerAPI, call: Cli) -> None:
    outcome = call(*REMIX, "-o", "bow.mp4", "--json")
    job = new_job(fake)
    following = f"deerapi-remix wait {job} && deerapi-remix download --output bow.mp4 {job}"
    assert outcome.code == 130
    assert outcome.err.endswith(f"Error: Interrupted. The job goes on. To go on, without paying again: {following}\n")
    assert (outcome.json["type"], outcome.json["video_id"]) == ("Interrupted", job)
    assert (outcome.json["next"], outcome.json["may_have_been_charged"]) == (following, False)
    assert files() == [".bow.mp4.job.json"]


def test_ctrl_c_during_a_submit_says_that_the_outcome_is_unknown(
    fake: FakeDeerAPI, call: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(fake, "handle", interrupt)
    outcome = call(*REMIX, "--json")
    assert outcome.code == 130
    assert outcome.err == f"Error: Interrupted while the remix was submitted. {UNKNOWN} first.\n"
    assert (outcome.json["may_have_been_charged"], outcome.json["next"]) == (True, None)


@pytest.mark.usefixtures("interrupted_sleep")
def test_ctrl_c_between_two_attempts_of_a_submit_says_that_there_is_no_job(fake: FakeDeerAPI, call: Cli) -> None:
    fake.rate_limited(retry_after=9)
    outcome = call(*REMIX, "--json")
    assert outcome.code == 130
    assert outcome.err.endswith("Error: Interrupted. No job was accepted.\n")
    assert outcome.json["may_have_been_charged"] is False


def test_ctrl_c_during_a_download_says_how_to_go_on(
    fake: FakeDeerAPI, call: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(self: object, received: int, expected: int | None) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(_progress.Lines, "received", interrupt)
    outcome = call(*REMIX, "-o", "bow.mp4")
    assert outcome.code == 130
    assert outcome.err.endswith(
        f"Error: Interrupted. To go on, without paying again: deerapi-remix download --output bow.mp4 {new_job(fake)}\n"
    )
    assert files() == [".bow.mp4.job.json"]


def test_ctrl_c_while_the_id_is_kept_does_not_lose_it(
    fake: FakeDeerAPI, call: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace, interrupts = Path.replace, [KeyboardInterrupt]

    def interrupted(path: Path, target: Path) -> None:
        if interrupts:
            raise interrupts.pop()
        replace(path, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    assert call(*REMIX, "-o", "bow.mp4").code == 130
    assert files() == [".bow.mp4.job.json"]
    assert json.loads(Path(".bow.mp4.job.json").read_text())["job_id"] == new_job(fake)
    assert call(*REMIX, "-o", "bow.mp4").code == 0
    assert submits(fake) == 1


def test_ctrl_c_once_the_video_is_saved_leaves_no_job_file(
    fake: FakeDeerAPI, call: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(_work.Work, "result", interrupt)
    assert call(*REMIX, "-o", "bow.mp4").code == 130
    assert files() == ["bow.mp4"]


def test_ctrl_c_in_a_process_ends_a_wait_with_130() -> None:
    fake = FakeDeerAPI(render_seconds=600)
    with running_server(fake) as base_url:
        job = fake_job(fake, base_url)
        process = subprocess.Popen(
            [*PROGRAM, "wait", job],
            env=environment(base_url),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        assert process.stderr.readline() == f"{job}: queued, 0% after 0:00\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (130, "")
    assert err == f"Error: Interrupted. The job goes on. To go on: deerapi-remix wait {job}\n"


def fake_job(fake: FakeDeerAPI, base_url: str) -> str:
    from deerapi_remix import RemixClient

    with RemixClient("sk-test", base_url=base_url) as client:
        return client.remix("video_123", prompt="x").id


def test_ctrl_c_while_the_command_line_loads_is_130(call: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("deerapi_remix.cli._run.run", interrupt)
    assert call("models") == (130, "", "")

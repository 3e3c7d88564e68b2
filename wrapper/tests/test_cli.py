"""The command line as its user sees it: arguments in; exit code, stdout and stderr out."""

from __future__ import annotations

import getpass
import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import respx

from deerapi_remix import Model, Video, VideoError, cli
from deerapi_remix.cli import _failures, _progress, _text
from deerapi_remix.testing import FakeDeerAPI, asgi
from deerapi_remix.testing.asgi import running_server
from deerapi_remix.testing.router import mock_router

from .conftest import Clock

REMIX = ("remix", "video_123", "--prompt", "The cat takes a bow")
UNKNOWN = "The job may have been accepted and charged. Do not simply run this again: look at your usage with the vendor"


class Outcome(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.out.count("\n") == 1
        return json.loads(self.out)


class Terminal(io.StringIO):
    """Takes what a terminal would show."""

    def isatty(self) -> bool:
        return True

    @property
    def shown(self) -> str:
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.getvalue())


Cli = Callable[..., Outcome]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Cli:
    """Runs a command line in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

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


def new_job(fake: FakeDeerAPI) -> str:
    (job,) = [name for name in fake.jobs if name != "video_123"]
    return job


def files() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


def submits(fake: FakeDeerAPI) -> int:
    return sum(request.operation == "remix" for request in fake.requests)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """In the place of stderr and stdin."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Terminal()


# What the commands print


def test_remix_with_output_saves_the_video_and_prints_its_path_alone(fake: FakeDeerAPI, call: Cli) -> None:
    outcome = call(*REMIX, "--output", "bow.mp4")
    assert (outcome.code, outcome.out) == (0, "bow.mp4\n")
    assert Path("bow.mp4").read_bytes()[4:8] == b"ftyp"
    assert files() == ["bow.mp4"]


def test_remix_sends_the_prompt_and_the_model(fake: FakeDeerAPI, call: Cli) -> None:
    assert call(*REMIX, "--model", "sora-2-pro", "--no-wait").code == 0
    assert fake.requests[0].body == {"prompt": "The cat takes a bow", "model": "sora-2-pro"}


def test_remix_with_output_and_json_prints_the_job_and_the_path(fake: FakeDeerAPI, call: Cli) -> None:
    told = call(*REMIX, "--output", "bow.mp4", "--json").json
    assert told["path"] == "bow.mp4"
    assert told["id"] == new_job(fake)
    assert told["status"] == "completed"
    assert told["progress"] == 100
    assert "raw" not in told


def test_remix_without_output_waits_and_prints_the_job_and_how_to_save_it(fake: FakeDeerAPI, call: Cli) -> None:
    outcome = call(*REMIX)
    job = new_job(fake)
    assert outcome.code == 0
    assert outcome.out.splitlines()[:3] == [f"id         {job}", "status     completed", "progress   100%"]
    assert outcome.err.endswith(f"To save the video: deerapi-remix download {job}\n")
    assert files() == []


def test_remix_with_no_wait_prints_the_id_alone(fake: FakeDeerAPI, call: Cli) -> None:
    outcome = call(*REMIX, "--no-wait")
    assert (outcome.code, outcome.out) == (0, f"{new_job(fake)}\n")
    assert len(fake.requests) == 1


def test_remix_with_no_wait_and_json_prints_the_job(fake: FakeDeerAPI, call: Cli) -> None:
    told = call(*REMIX, "--no-wait", "--json").json
    assert (told["id"], told["status"]) == (new_job(fake), "queued")


def test_status_prints_what_is_known_of_a_job(fake: FakeDeerAPI, call: Cli) -> None:
    outcome = call("status", "video_123")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == (
        "id         video_123\n"
        "status     completed\n"
        "progress   100%\n"
        "model      sora-2\n"
        "seconds    4\n"
        "size       1280x720\n"
        "created    2027-01-15 08:16:40 UTC\n"
        "completed  2027-01-15 08:16:40 UTC\n"
        "expires    2027-01-16 08:16:40 UTC\n"
    )


def test_status_of_a_failed_job_is_no_failure(fake: FakeDeerAPI, call: Cli, clock: Clock) -> None:
    fake.fails()
    job = call(*REMIX, "--no-wait").out.strip()
    clock.time += 60
    outcome = call("status", job)
    assert outcome.code == 0
    assert "error      moderation_blocked: The prompt was refused by the safety system.\n" in outcome.out


def test_status_with_json_prints_the_job(fake: FakeDeerAPI, call: Cli) -> None:
    told = call("status", "video_123", "--json").json
    assert (told["id"], told["status"], told["error"]) == ("video_123", "completed", None)
    assert told["request_id"]


def test_wait_prints_the_finished_job(fake: FakeDeerAPI, call: Cli) -> None:
    job = call(*REMIX, "--no-wait").out.strip()
    outcome = call("wait", job)
    assert outcome.code == 0
    assert outcome.out.startswith(f"id         {job}\nstatus     completed\n")


def test_wait_with_json_prints_the_finished_job(fake: FakeDeerAPI, call: Cli) -> None:
    job = call(*REMIX, "--no-wait").out.strip()
    assert call("wait", job, "--json").json["status"] == "completed"


def test_download_prints_the_path(fake: FakeDeerAPI, call: Cli) -> None:
    outcome = call("download", "video_123", "-o", "bow.mp4")
    assert (outcome.code, outcome.out) == (0, "bow.mp4\n")
    assert Path("bow.mp4").read_bytes()[4:8] == b"ftyp"


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ((), "video_123.mp4"),
        (("--variant", "video"), "video_123.mp4"),
        (("--variant", "thumbnail"), "video_123.webp"),
        (("--variant", "spritesheet"), "video_123.jpg"),
    ],
)
def test_a_download_is_named_after_the_job_and_the_variant(
    fake: FakeDeerAPI, call: Cli, options: tuple[str, ...], name: str
) -> None:
    assert call("download", "video_123", *options).out == f"{name}\n"
    assert files() == [name]


@pytest.mark.parametrize(
    ("video_id", "name"), [("a/../b", "a_.._b.mp4"), (".hidden", "_.hidden.mp4"), ("C:\\x", "C__x.mp4"), ("é", "é.mp4")]
)
def test_no_id_leads_a_download_out_of_the_folder(video_id: str, name: str) -> None:
    assert _text.default_name(video_id, None) == name


def test_download_with_json_prints_job_variant_and_path(fake: FakeDeerAPI, call: Cli) -> None:
    assert call("download", "video_123", "--variant", "thumbnail", "--json").json == {
        "id": "video_123",
        "variant": "thumbnail",
        "path": "video_123.webp",
    }


def test_overwrite_replaces_the_target(fake: FakeDeerAPI, call: Cli) -> None:
    Path("bow.mp4").write_text("old")
    assert call("download", "video_123", "-o", "bow.mp4", "--overwrite").code == 0
    assert call(*REMIX, "-o", "bow.mp4", "--overwrite").code == 0
    assert Path("bow.mp4").read_bytes()[4:8] == b"ftyp"


def test_models_prints_a_line_for_each_model(fake: FakeDeerAPI, call: Cli) -> None:
    outcome = call("models")
    assert outcome == (0, "sora-2      openai\nsora-2-pro  openai\n", "")


def test_models_with_json_prints_one_object(fake: FakeDeerAPI, call: Cli) -> None:
    assert call("models", "--json").json["models"][1] == {
        "id": "sora-2-pro",
        "object": "model",
        "created": 1_759_190_400,
        "owned_by": "openai",
    }


def test_models_prints_nothing_where_none_is_served(call: Cli, clock: Clock) -> None:
    with mock_router(FakeDeerAPI(models=())):
        assert call("models") == (0, "", "no model is served now\n")


def test_the_version_is_that_of_the_package(call: Cli) -> None:
    assert call("--version") == (0, "deerapi-remix 0.1.0\n", "")


def test_the_base_url_comes_from_the_option_before_the_environment(
    fake: FakeDeerAPI, call: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEERAPI_BASE_URL", "https://example.invalid")
    assert call("models", "--base-url", "https://api.deerapi.com").code == 0


def test_the_table_leaves_out_what_is_unknown_and_control_characters() -> None:
    video = Video(id="v", status="failed\x1b[2J", error=VideoError(code="oops"), created_at=10**30, prompt="a\nb")
    assert _text.video_table(video).splitlines() == [
        "id         v",
        "status     failed[2J",
        "prompt     a b",
        f"created    1{'0' * 30}",
        "error      oops",
    ]


def test_a_model_without_an_owner_is_its_id() -> None:
    assert _text.model_table([Model(id="sora-2")]) == "sora-2"


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 bytes"), (999, "999 bytes"), (1_500, "1.5 kB"), (2_000_000, "2.0 MB"), (5_000_000_000_000, "5000.0 GB")],
)
def test_sizes_are_told_in_powers_of_a_thousand(count: int, shown: str) -> None:
    assert _text.size(count) == shown


# Progress


def test_without_a_terminal_each_step_is_a_line(fake: FakeDeerAPI, call: Cli) -> None:
    outcome = call(*REMIX, "-o", "bow.mp4")
    job = new_job(fake)
    lines = outcome.err.splitlines()
    assert lines[:2] == [f"accepted as {job}", f"{job}: queued, 0%"]
    assert lines[-2:] == [f"{job}: completed, 100%", "downloaded 46.3 kB of 46.3 kB"]
    assert all(re.fullmatch(rf"{job}: in progress, \d+%", line) for line in lines[2:-2])
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


def test_lines_about_a_long_download_keep_a_pause(capsys: pytest.CaptureFixture[str]) -> None:
    lines = _progress.Lines()
    for received in (1_000, 2_000, 3_000):
        lines.received(received, 3_000)
    lines.received(1, None)
    assert capsys.readouterr().err == "downloaded 1.0 kB of 3.0 kB\ndownloaded 3.0 kB of 3.0 kB\n"


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
    assert any(re.fullmatch(r"downloading ━{30} 46\.3/46\.3 kB .*00:00", row) for row in rows)


def test_a_narrow_terminal_gets_short_bars(
    fake: FakeDeerAPI, call: Cli, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert call(*REMIX, "-o", "bow.mp4", terminal=terminal).code == 0
    rows = [row.rstrip() for row in re.split(r"[\r\n]+", terminal.shown)]
    assert any(re.fullmatch(r"completed   ━{12} 100% 0:00:\d\d", row) for row in rows)
    assert "downloading ━━━━━━━━━━━━ 46.3/46.3 kB" in rows


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
    assert ": completed, 100%\n" in terminal.getvalue()


# Exit codes


def test_the_table_of_exit_codes_is_the_one_in_use(call: Cli) -> None:
    assert {code.name: code.value for code in _failures.ExitCode} == {
        "DONE": 0,
        "USAGE": 2,
        "SETUP": 3,
        "REFUSED": 4,
        "RATE_LIMITED": 5,
        "SERVER": 6,
        "UNKNOWN": 7,
        "JOB_FAILED": 8,
        "DEADLINE": 9,
        "FILE": 10,
        "INTERRUPTED": 130,
    }
    told = ["0", "2", "3", "4", "5", "6", "7", "8", "9", "10", "130"]
    assert re.findall(r"^(\d+)  ", cli.__doc__ or "", re.MULTILINE) == told
    assert re.findall(r"^ (\d+)  ", call("--help").out, re.MULTILINE) == told


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("remix", "video_123"), "Missing option '--prompt'. See: deerapi-remix remix --help"),
        (("frobnicate",), "No such command 'frobnicate'. See: deerapi-remix --help"),
        (("wait", "v", "--timeout", "soon"), "'soon' is not a valid float. See: deerapi-remix wait --help"),
        (("wait", "v", "--timeout", "-1"), "must be a number of seconds, not negative. See: deerapi-remix wait --help"),
        (
            ("wait", "v", "--timeout", "nan"),
            "must be a number of seconds, not negative. See: deerapi-remix wait --help",
        ),
        (("status", ".."), "video_id must not be '..': it would name another path. Nothing was sent."),
        (("status", " "), "video_id must not be blank. Nothing was sent."),
        (("status", "a\nb"), "video_id must not have control characters. Nothing was sent."),
        (("remix", "v", "--prompt", ""), "prompt must not be blank. Nothing was sent."),
        (("remix", "v", "--prompt", "\udcff"), "prompt must not have lone surrogates"),
        (("download", "v", "--variant", "gif"), "variant must be one of spritesheet, thumbnail, video, not 'gif'"),
        ((*REMIX, "--no-wait", "-o", "x"), "--no-wait goes neither with --output nor with --timeout."),
        ((*REMIX, "--no-wait", "--timeout", "9"), "--no-wait goes neither with --output nor with --timeout."),
        ((*REMIX, "--overwrite"), "--overwrite needs --output."),
        (("mock", "--port", "x"), "'x' is not a valid int"),
        (("mock", "--render-seconds", "inf"), "render_seconds must be a number of seconds, zero or more"),
    ],
)
def test_wrong_usage_is_2_and_sends_nothing(
    fake: FakeDeerAPI, call: Cli, arguments: tuple[str, ...], complaint: str
) -> None:
    outcome = call(*arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("Error: ")
    assert complaint in outcome.err
    assert outcome.err.count("\n") == 1
    assert fake.requests == ()


def test_wrong_usage_with_json_is_an_object_too(call: Cli) -> None:
    assert call("remix", "video_123", "--json").json == {
        "type": "UsageError",
        "message": "Missing option '--prompt'. See: deerapi-remix remix --help",
        "exit_code": 2,
        "request_id": None,
        "video_id": None,
        "video": None,
        "next": None,
        "may_have_been_charged": False,
    }


def test_without_a_command_the_help_is_printed(call: Cli) -> None:
    outcome = call()
    assert outcome.code == 2
    assert "Usage: deerapi-remix" in outcome.out
    assert outcome.err == ""


def test_a_missing_key_is_3(call: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEERAPI_KEY")
    assert call("models") == (3, "", "Error: There is no API key. Set DEERAPI_KEY.\n")


def test_a_malformed_key_is_3_and_is_not_shown(call: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEERAPI_KEY", "Bearer sk-secret")
    assert call("models") == (3, "", 'Error: The API key must be given without "Bearer ". Set DEERAPI_KEY.\n')


def test_an_unusable_base_url_is_3(call: Cli) -> None:
    outcome = call("models", "--base-url", "http://example.com")
    assert (outcome.code, outcome.out) == (3, "")
    assert outcome.err.startswith("Error: The base URL must be https")


def test_a_refused_key_is_3(fake: FakeDeerAPI, call: Cli) -> None:
    fake.answers("models", 401)
    outcome = call("models")
    assert outcome.code == 3
    assert re.search(r"401 Unauthorized: .*request id: \w+.* Check DEERAPI_KEY\.\n$", outcome.err)


@pytest.mark.parametrize("status", [400, 403, 404, 409, 418, 422])
def test_another_4xx_is_4(fake: FakeDeerAPI, call: Cli, status: int) -> None:
    fake.answers("remix", status, body={"code": "quota", "message": "no"}, headers={"X-Request-Id": "req_1"})
    outcome = call(*REMIX, "--json")
    assert outcome.code == 4
    assert (outcome.json["status_code"], outcome.json["code"], outcome.json["exit_code"]) == (status, "quota", 4)
    assert outcome.json["may_have_been_charged"] is False
    assert submits(fake) == 1


def test_a_refusal_says_what_to_do_and_names_the_request_id_once(fake: FakeDeerAPI, call: Cli) -> None:
    message = "not enough\n\x1b[31mbalance (request id: req_1)"
    headers = {"X-Oneapi-Request-Id": "req_1"}
    fake.answers("remix", 403, body={"code": "quota", "message": message}, headers=headers)
    assert call(*REMIX).err == (
        "Error: remix: 403 Forbidden: not enough [31mbalance (request id: req_1) [quota] "
        "(video: video_123, attempts: 1). "
        "Check the balance of the account and what the key is allowed to do.\n"
    )


def test_too_many_requests_are_5_and_say_when_to_try_again(fake: FakeDeerAPI, call: Cli) -> None:
    fake.rate_limited(retry_after=900)
    outcome = call(*REMIX)
    assert outcome.code == 5
    assert outcome.err.endswith(" Run this again in 900 s.\n")
    assert submits(fake) == 1


def test_too_many_requests_without_a_time_are_5_too(fake: FakeDeerAPI, call: Cli) -> None:
    fake.rate_limited("models", retry_after="soon", times=4)
    outcome = call("models")
    assert outcome.code == 5
    assert outcome.err.endswith(" Call again later, or less often.\n")


@pytest.mark.parametrize("status", [408, 500, 502, 520])
def test_a_failing_server_is_6(fake: FakeDeerAPI, call: Cli, status: int) -> None:
    fake.answers("models", status, times=4)
    assert call("models").code == 6


def test_an_unreadable_answer_is_6(fake: FakeDeerAPI, call: Cli) -> None:
    fake.answers("models", 200, body="<html>")
    outcome = call("models")
    assert outcome.code == 6
    assert "the answer is not JSON" in outcome.err


def test_a_server_that_is_down_is_6(call: Cli, clock: Clock) -> None:
    outcome = call("models", "--base-url", "http://127.0.0.1:1")
    assert outcome.code == 6
    assert outcome.err.splitlines()[-1].startswith("Error: models: the request was not sent: ConnectError")
    assert outcome.err.endswith("(attempts: 4). Check the network and the base URL.\n")


def test_a_submit_that_a_server_surely_refused_is_6(fake: FakeDeerAPI, call: Cli) -> None:
    fake.answers("remix", 500, times=4)
    outcome = call(*REMIX, "--json")
    assert (outcome.code, outcome.json["may_have_been_charged"]) == (6, False)


def test_a_submit_without_an_answer_is_7_and_is_sent_once(fake: FakeDeerAPI, call: Cli) -> None:
    fake.answer_lost()
    outcome = call(*REMIX, "--output", "bow.mp4")
    assert (outcome.code, outcome.out) == (7, "")
    assert UNKNOWN in outcome.err
    assert "To go on" not in outcome.err
    assert submits(fake) == 1
    assert files() == []


def test_a_submit_without_an_answer_says_so_in_json(fake: FakeDeerAPI, call: Cli) -> None:
    fake.answer_lost()
    told = call(*REMIX, "--json").json
    assert told["type"] == "APITimeoutError"
    assert (told["exit_code"], told["may_have_been_charged"], told["retryable"]) == (7, True, False)
    assert (told["video_id"], told["video"], told["next"]) == ("video_123", None, None)


def test_an_id_that_is_salvaged_from_a_garbled_answer_is_told(fake: FakeDeerAPI, call: Cli) -> None:
    headers = {"Content-Type": "application/json"}
    fake.answers("remix", 200, body='{"id": "video_new", "status": "que', headers=headers)
    outcome = call(*REMIX, "-o", "bow.mp4", "--json")
    assert outcome.code == 7
    assert "the job was accepted as video_new. Do not run this again. To go on: deerapi-remix wait" in outcome.err
    assert outcome.json["video_id"] == "video_new"
    assert outcome.json["next"] == ("deerapi-remix wait video_new && deerapi-remix download --output bow.mp4 video_new")


def test_a_job_that_fails_is_8_with_its_reason(fake: FakeDeerAPI, call: Cli) -> None:
    fake.fails(code="moderation_blocked", message="Not this one.")
    outcome = call(*REMIX, "-o", "bow.mp4", "--json")
    assert outcome.code == 8
    assert "The job ended as 'failed': Not this one. [moderation_blocked]" in outcome.err
    assert outcome.json["video"]["error"] == {"code": "moderation_blocked", "message": "Not this one."}
    assert outcome.json["video_id"] == new_job(fake)
    assert outcome.json["next"] is None
    assert files() == []


def test_a_deadline_is_9_and_says_how_to_go_on(fake: FakeDeerAPI, call: Cli) -> None:
    fake.stuck()
    outcome = call(*REMIX, "--timeout", "30")
    assert outcome.code == 9
    assert outcome.err.endswith(
        f" The job goes on. To go on, without paying again: deerapi-remix wait {new_job(fake)}\n"
    )


def test_a_deadline_of_a_wait_says_how_to_go_on(fake: FakeDeerAPI, call: Cli) -> None:
    fake.stuck()
    job = call(*REMIX, "--no-wait").out.strip()
    told = call("wait", job, "--timeout", "30", "--json").json
    assert (told["exit_code"], told["type"]) == (9, "WaitTimeoutError")
    assert (told["video_id"], told["video"]["status"]) == (job, "in_progress")
    assert told["next"] == f"deerapi-remix wait {job}"


def test_an_existing_target_is_10_before_anything_is_paid(fake: FakeDeerAPI, call: Cli) -> None:
    Path("bow.mp4").write_text("mine")
    assert call(*REMIX, "-o", "bow.mp4") == (
        10,
        "",
        "Error: bow.mp4: File exists. Nothing was sent. Add --overwrite, or choose another --output.\n",
    )
    assert fake.requests == ()
    assert Path("bow.mp4").read_text() == "mine"


def test_an_existing_target_of_a_download_is_10(fake: FakeDeerAPI, call: Cli) -> None:
    Path("video_123.mp4").write_text("mine")
    outcome = call("download", "video_123", "--json")
    assert outcome.code == 10
    assert outcome.err == "Error: video_123.mp4: File exists. Add --overwrite, or choose another --output.\n"
    assert (outcome.json["type"], outcome.json["video_id"]) == ("FileExistsError", "video_123")


def test_a_missing_folder_is_10_before_anything_is_paid(fake: FakeDeerAPI, call: Cli) -> None:
    outcome = call(*REMIX, "-o", "no/bow.mp4")
    assert (outcome.code, outcome.err) == (10, "Error: no/bow.mp4: No such file or directory. Nothing was sent.\n")
    assert fake.requests == ()


def test_a_target_that_appears_meanwhile_is_10_and_leaves_the_job_to_another_name(
    fake: FakeDeerAPI, call: Cli, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sleep = clock.sleep

    def intrude(seconds: float) -> None:
        Path("bow.mp4").write_text("another's")
        sleep(seconds)

    monkeypatch.setattr("deerapi_remix._clock.sleep", intrude)
    outcome = call(*REMIX, "-o", "bow.mp4")
    assert outcome.code == 10
    assert outcome.err.endswith(
        f"Error: bow.mp4: File exists. To go on, without paying again: deerapi-remix download {new_job(fake)}\n"
    )
    assert Path("bow.mp4").read_text() == "another's"


def test_a_file_that_is_no_video_is_10_and_can_be_asked_for_again(fake: FakeDeerAPI, call: Cli) -> None:
    headers = {"Content-Type": "text/html", "X-Request-Id": "req_1"}
    fake.answers("download", 200, body="<html>", headers=headers)
    outcome = call(*REMIX, "-o", "my bow.mp4")
    job = new_job(fake)
    assert outcome.code == 10
    assert "the server sent text/html instead of a video" in outcome.err
    assert "request ID: " in outcome.err
    assert outcome.err.endswith(f"without paying again: deerapi-remix download --output 'my bow.mp4' {job}\n")
    assert files() == []


def test_a_result_that_cannot_be_written_is_10_and_is_told_on_stderr(
    fake: FakeDeerAPI, call: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.StringIO):
        def write(self, _: str) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(sys, "stdout", Full())
    outcome = call(*REMIX, "--no-wait", "--quiet")
    assert outcome.code == 10
    assert outcome.err == (
        f"Error: the result could not be written to stdout: No space left on device. It is: {new_job(fake)}\n"
    )


def test_a_key_that_is_refused_during_the_wait_does_not_lose_the_job(fake: FakeDeerAPI, call: Cli) -> None:
    fake.answers("retrieve", 401)
    outcome = call(*REMIX, "-o", "bow.mp4", "--base-url", "https://api.deerapi.com")
    job = new_job(fake)
    assert outcome.code == 3
    assert outcome.err.endswith(
        "Check DEERAPI_KEY. To go on, without paying again: "
        f"deerapi-remix wait --base-url https://api.deerapi.com {job} && "
        f"deerapi-remix download --output bow.mp4 --base-url https://api.deerapi.com {job}\n"
    )


def test_a_download_that_comes_too_early_says_to_wait(fake: FakeDeerAPI, call: Cli) -> None:
    job = call(*REMIX, "--no-wait").out.strip()
    outcome = call("download", job, "--variant", "thumbnail", "--overwrite")
    assert outcome.code == 4
    assert outcome.err.endswith(
        f"To go on: deerapi-remix wait {job} && "
        f"deerapi-remix download --output {job}.webp --variant thumbnail --overwrite {job}\n"
    )


def test_an_unknown_job_is_not_to_be_waited_for(fake: FakeDeerAPI, call: Cli) -> None:
    outcome = call("wait", "nope")
    assert outcome.code == 4
    assert outcome.err.endswith("Check the video id and the base URL.\n")


def test_an_id_that_looks_like_an_option_is_shielded_in_the_next_command(
    fake: FakeDeerAPI, call: Cli, clock: Clock
) -> None:
    fake.answers("retrieve", 500, times=99)
    told = call("wait", "--timeout", "5", "--json", "--", "-v").json
    assert told["next"] == "deerapi-remix wait -- -v"


def test_a_bug_after_the_submit_is_not_taken_for_wrong_usage(
    fake: FakeDeerAPI, call: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: object, *_: object) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr(_progress.Lines, "saw", fail)
    with pytest.raises(ValueError, match="a bug") as caught:
        call(*REMIX, "-o", "bow.mp4")
    assert new_job(fake) in caught.value.__notes__[0]


# Ctrl-C


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
    assert files() == []


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
    assert files() == []


def test_ctrl_c_in_a_process_ends_a_wait_with_130() -> None:
    fake = FakeDeerAPI(render_seconds=600)
    with running_server(fake) as base_url:
        job = fake_job(fake, base_url)
        environment = {**os.environ, "DEERAPI_KEY": "sk-test", "DEERAPI_BASE_URL": base_url}
        program = [sys.executable, "-c", "from deerapi_remix.cli import main; main()", "wait", job]
        process = subprocess.Popen(program, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        assert process.stderr.readline() == f"{job}: queued, 0%\n"
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


# The key


def test_a_missing_key_is_asked_for_on_a_terminal(
    call: Cli, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEERAPI_KEY", " ")
    monkeypatch.setattr(getpass, "getpass", lambda prompt: "sk-typed")
    with respx.mock:
        route = respx.get("https://api.deerapi.com/v1/models").respond(json={"object": "list", "data": []})
        assert call("models", terminal=terminal).code == 0
    assert route.calls.last.request.headers["Authorization"] == "Bearer sk-typed"


@pytest.mark.parametrize(
    ("ended_by", "code", "complaint"),
    [(EOFError, 3, "There is no API key. Set DEERAPI_KEY."), (KeyboardInterrupt, 130, "Interrupted.")],
)
def test_who_types_no_key_gets_no_further(
    call: Cli,
    monkeypatch: pytest.MonkeyPatch,
    terminal: Terminal,
    ended_by: type[BaseException],
    code: int,
    complaint: str,
) -> None:
    def refuse(prompt: str) -> str:
        raise ended_by

    monkeypatch.setenv("DEERAPI_KEY", "")
    monkeypatch.setattr(getpass, "getpass", refuse)
    assert call("models", terminal=terminal).code == code
    assert terminal.shown == f"Error: {complaint}\n"


# The mock


def test_mock_serves_until_it_is_interrupted(call: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    served: dict[str, Any] = {}

    def serve(fake: FakeDeerAPI, host: str, port: int, *, on_ready: Callable[[str], None]) -> None:
        served.update(host=host, port=port)
        on_ready(f"http://{host}:{port}")
        sys.stdout.write("a request\n")
        raise KeyboardInterrupt

    monkeypatch.setattr(asgi, "serve", serve)
    outcome = call("mock", "--host", "::1", "--port", "8123", "--render-seconds", "0", "--json")
    assert (outcome.code, outcome.json) == (0, {"base_url": "http://::1:8123"})
    assert served == {"host": "::1", "port": 8123}
    assert "DEERAPI_BASE_URL=http://::1:8123 DEERAPI_KEY=any deerapi-remix remix video_123" in outcome.err
    assert outcome.err.endswith("a request\n")
    assert call("mock", "--quiet") == (0, "http://127.0.0.1:8000\n", "")


def test_a_port_that_is_taken_is_10(call: Cli) -> None:
    with running_server(FakeDeerAPI()) as base_url:
        outcome = call("mock", "--port", base_url.rpartition(":")[2])
    assert outcome.code == 10
    assert outcome.err.startswith("Error: Address already in use")


def test_a_remix_reaches_the_mock_in_another_process(tmp_path: Path) -> None:
    program = [sys.executable, "-c", "from deerapi_remix.cli import main; main()"]
    environment = {**os.environ, "DEERAPI_KEY": "any"}
    with subprocess.Popen(
        [*program, "mock", "--port", "0", "--render-seconds", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdout is not None
        base_url = server.stdout.readline().strip()
        done = subprocess.run(
            [*program, *REMIX, "-o", str(tmp_path / "bow.mp4"), "--base-url", base_url],
            env=environment,
            capture_output=True,
            text=True,
            timeout=30,
        )
        server.send_signal(signal.SIGINT)
        assert server.wait(20) == 0
    assert (done.returncode, done.stdout) == (0, f"{tmp_path / 'bow.mp4'}\n")


# Extras


def without(*modules: str) -> str:
    """A program in which `modules` are not installed."""
    return (
        f"import sys; sys.modules.update(dict.fromkeys({modules!r})); "
        "from deerapi_remix.cli import main; sys.argv[0] = 'deerapi-remix'; main()"
    )


@pytest.mark.parametrize(
    ("missing", "arguments", "complaint"),
    [
        ("typer", ("models",), "Error: the command line needs an extra. Run: pip install 'deerapi-remix[cli]'\n"),
        ("rich", ("models",), "Error: the command line needs an extra. Run: pip install 'deerapi-remix[cli]'\n"),
        ("starlette", ("mock",), "Error: the mock needs an extra. Run: pip install 'deerapi-remix[mock]'\n"),
        ("uvicorn", ("mock",), "Error: the mock needs an extra. Run: pip install 'deerapi-remix[mock]'\n"),
        ("jsonschema_rs", ("mock",), "Error: the mock needs an extra. Run: pip install 'deerapi-remix[mock]'\n"),
        ("yaml", ("mock",), "Error: the mock needs an extra. Run: pip install 'deerapi-remix[mock]'\n"),
    ],
)
def test_a_missing_extra_is_3_and_is_named(missing: str, arguments: tuple[str, ...], complaint: str) -> None:
    done = subprocess.run([sys.executable, "-c", without(missing), *arguments], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (3, "", complaint)


def test_the_help_imports_no_server_and_the_package_no_command_line() -> None:
    program = (
        "import sys, deerapi_remix\n"
        "assert not {'typer', 'deerapi_remix.cli', 'deerapi_remix.testing'} & set(sys.modules)\n"
        "from deerapi_remix.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "assert not {'starlette', 'uvicorn', 'jsonschema_rs', 'yaml', 'deerapi_remix.testing'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, "--help"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("seconds", ["-1", "nan"])
def test_a_timeout_that_makes_no_sense_is_2_before_anything_is_paid(call: Cli, fake: FakeDeerAPI, seconds: str) -> None:
    outcome = call("remix", "video_123", "--prompt", "x", "--timeout", seconds)
    assert (outcome.code, len(fake.requests)) == (2, 0)

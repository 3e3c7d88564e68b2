"""Exit codes, and what is said with them."""

from __future__ import annotations

import errno
import io
import re
import sys
from pathlib import Path

import pytest
import respx

from deerapi_remix import cli
from deerapi_remix.cli import _failures, _progress
from deerapi_remix.testing import FakeDeerAPI

from ..conftest import Clock
from .shell import REMIX, UNKNOWN, Cli, files, new_job, submits


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
        (("-V",), "No such option: -V. See: deerapi-remix --help"),
        (("remx",), "No such command 'remx'. Did you mean 'remix'? See: deerapi-remix --help"),
        (("frobnicate",), "No such command 'frobnicate'. See: deerapi-remix --help"),
        (("wait", "v", "--timeout", "soon"), "Invalid value for '--timeout': "),
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
        (("mock", "--port", "x"), "Invalid value for '--port': "),
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


@pytest.mark.parametrize("command", [("models",), ("status", "video_123")])
def test_an_unreadable_answer_without_a_request_id_asks_about_the_base_url(call: Cli, command: tuple[str, ...]) -> None:
    with respx.mock:
        respx.get(host="api.deerapi.com").respond(html="<html>")
        outcome = call(*command)
    assert outcome.code == 6
    assert outcome.err.endswith("attempts: 1). Is the base URL that of the API?\n")


def test_a_path_without_models_asks_about_the_base_url(fake: FakeDeerAPI, call: Cli) -> None:
    fake.answers("models", 404)
    outcome = call("models")
    assert outcome.code == 4
    assert outcome.err.endswith(" Check the base URL, which ends without /v1.\n")


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
    assert outcome.err.endswith(" If no job was charged, run it again with --resubmit.\n")
    assert "To go on" not in outcome.err
    assert submits(fake) == 1
    assert files() == [".bow.mp4.job.json"]


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


def test_a_wait_for_a_job_that_was_never_seen_does_not_say_that_it_goes_on(call: Cli, clock: Clock) -> None:
    with respx.mock:
        respx.get(host="api.deerapi.com").respond(html="<html>")
        outcome = call("wait", "v", "--timeout", "30")
    assert outcome.code == 9
    first, last = outcome.err.splitlines()
    assert first == "poll: the answer cannot be read; still waiting. Is the base URL that of the API?"
    assert last.startswith("Error: The deadline passed; the job was never seen (video: v, ")
    assert last.endswith("). Check the video id and the base URL. To go on: deerapi-remix wait v")


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
    assert files() == [".my bow.mp4.job.json"]


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


@pytest.mark.parametrize(
    "trouble", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device"), None], ids=repr
)
def test_a_download_that_ended_halfway_says_to_download(
    fake: FakeDeerAPI, call: Cli, monkeypatch: pytest.MonkeyPatch, trouble: BaseException | None
) -> None:
    def fail(*_: object) -> None:
        assert trouble is not None
        raise trouble

    if trouble is None:
        fake.answers("download", 200, body="<html>", headers={"Content-Type": "text/html"})
    else:
        monkeypatch.setattr(_progress.Lines, "received", fail)
    outcome = call("download", "video_123", "-o", "bow.mp4")
    assert outcome.code == (130 if isinstance(trouble, KeyboardInterrupt) else 10)
    assert outcome.err.endswith(" To go on: deerapi-remix download --output bow.mp4 video_123\n")


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

"""Exit codes, and what is said with them."""

from __future__ import annotations

import errno
import re
import sys
from operator import methodcaller as does
from pathlib import Path

import pytest
import respx

from deerapi_remix import cli
from deerapi_remix.cli import _display, _exit_codes
from deerapi_remix.testing import FakeDeerAPI
from deerapi_remix.testing.asgi import running_server

from ..conftest import Clock
from .shell import JOB_FILE, REMIX, SAVE, UNKNOWN, Broken, Cli, Prepare, Runner, files, raising


def test_the_table_of_exit_codes_is_the_one_in_use(call: Cli) -> None:
    names = ["DONE", "USAGE", "SETUP", "REFUSED", "RATE_LIMITED", "SERVER", "UNKNOWN", "JOB_FAILED", "DEADLINE", "FILE"]
    assert [code.name for code in _exit_codes.ExitCode] == [*names, "INTERRUPTED"]
    assert [code.value for code in _exit_codes.ExitCode] == [0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 130]
    told = ["0", "2", "3", "4", "5", "6", "7", "8", "9", "10", "130"]
    assert re.findall(r"^(\d+)  ", cli.__doc__ or "", re.MULTILINE) == told
    assert re.findall(r"^ (\d+)  ", call("--help").out, re.MULTILINE) == told


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("remix", "video_123"), "Missing option '--prompt'. See: deerapi-remix remix --help"),
        ((*REMIX, "-o"), "Option '-o' requires an argument. See: deerapi-remix remix --help"),
        (("-V",), "No such option: -V. See: deerapi-remix --help"),
        (("remx",), "No such command 'remx'. Did you mean 'remix'? See: deerapi-remix --help"),
        (("frobnicate",), "No such command 'frobnicate'. See: deerapi-remix --help"),
        (("wait", "v", "--timeout", "soon"), "'soon' is not a number of seconds. See: deerapi-remix wait --help"),
        (("wait", "v", "--timeout", "-1"), "'-1' is not a number of seconds. See: deerapi-remix wait --help"),
        (("wait", "v", "--timeout", "nan"), "'nan' is not a number of seconds. See: deerapi-remix wait --help"),
        ((*REMIX, "--timeout", "-1"), "'-1' is not a number of seconds. See: deerapi-remix remix --help"),
        (("status", ".."), "video_id must not be '..': it would name another path. Nothing was sent."),
        (("status", " "), "video_id must not be blank. Nothing was sent."),
        (("status", "a\nb"), "video_id must not have control characters. Nothing was sent."),
        (("remix", "v", "--prompt", ""), "prompt must not be blank. Nothing was sent."),
        (("remix", "v", "--prompt", "\udcff"), "prompt must not have lone surrogates"),
        (("download", "v", "--variant", "gif"), "variant must be one of spritesheet, thumbnail, video, not 'gif'"),
        ((*REMIX, "--no-wait", "-o", "x"), "--no-wait cannot be combined with --output."),
        ((*REMIX, "--no-wait", "--timeout", "0"), "--no-wait cannot be combined with --timeout."),
        ((*REMIX, "--overwrite"), "--overwrite needs --output."),
        ((*REMIX, "--resubmit"), "--resubmit needs --output."),
        ((*REMIX, "--resubmit", "-o", "-"), "--resubmit cannot be combined with --output -."),
        ((*REMIX, "--overwrite", "-o", "-"), "--overwrite cannot be combined with --output -."),
        (("mock", "--port", "x"), "Invalid value for '--port': "),
        (("mock", "--render-seconds", "inf"), "render_seconds must be a number of seconds, zero or more"),
    ],
)
def test_wrong_usage_is_2_and_sends_nothing(run: Runner, arguments: tuple[str, ...], complaint: str) -> None:
    outcome = run(*arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("Error: ")
    assert complaint in outcome.err
    assert outcome.err.count("\n") == 1
    assert run.fake.requests == ()


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
    assert (outcome.code, outcome.err) == (2, "")
    assert "Usage: deerapi-remix" in outcome.out


@pytest.mark.parametrize(
    ("key", "complaint"),
    [
        ("", "There is no API key. Set DEERAPI_KEY."),
        ("Bearer sk-secret", 'The API key must be given without "Bearer ". Set DEERAPI_KEY.'),
    ],
)
def test_a_key_that_cannot_be_used_is_3_and_is_not_shown(
    call: Cli, monkeypatch: pytest.MonkeyPatch, key: str, complaint: str
) -> None:
    monkeypatch.setenv("DEERAPI_KEY", key)
    assert call("models") == (3, "", f"Error: {complaint}\n")


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("http://example.com", "The base URL must be https"),
        ("notaurl", "notaurl is no base URL: it needs https:// and a host.\n"),
        ("https://", "https:// is no base URL: it needs https:// and a host.\n"),
    ],
)
@pytest.mark.parametrize("command", [("models",), REMIX, ("doctor", "--quiet")])
def test_an_unusable_base_url_is_3(call: Cli, command: tuple[str, ...], value: str, complaint: str) -> None:
    outcome = call(*command, "--base-url", value)
    assert outcome.code == 3
    assert (outcome.out + outcome.err).startswith(("Error: " + complaint, "FAIL  base URL  " + complaint))


@pytest.mark.parametrize("status", [400, 403, 404, 409, 418, 422])
def test_another_4xx_is_4(run: Runner, status: int) -> None:
    run.fake.answers("remix", status, body={"code": "quota", "message": "no"}, headers={"X-Request-Id": "req_1"})
    outcome = run(*REMIX, "--json")
    assert outcome.code == 4
    assert (outcome.json["status_code"], outcome.json["code"], outcome.json["exit_code"]) == (status, "quota", 4)
    assert outcome.json["may_have_been_charged"] is False
    assert run.submits == 1


def test_a_refusal_says_what_to_do_and_names_the_request_id_once(run: Runner) -> None:
    message = "not enough\n\x1b[31mmoney (request id: req_1)"
    headers = {"X-Oneapi-Request-Id": "req_1"}
    run.fake.answers("remix", 403, body={"code": "poor", "message": message}, headers=headers)
    assert run(*REMIX).err == (
        "Error: remix: 403 Forbidden: not enough \\x1b[31mmoney (request id: req_1) [poor] "
        "(video: video_123, attempts: 1). Check the balance of the account and what the key is allowed to do.\n"
    )


MODELS = ("models",)
NO_VIDEO = does(
    "answers", "download", 200, body="<html>", headers={"Content-Type": "text/html", "X-Request-Id": "req_1"}
)
AGAIN = r" Run the same command again: it goes on with {job} and pays for no other\."
# What the server does, the command, the exit code, and what stderr ends with.
ENDS: dict[str, tuple[Prepare | None, tuple[str, ...], int, str]] = {
    "a refused key": (does("answers", "models", 401), MODELS, 3, r"401 Unauthorized: .*: \w+.* Check DEERAPI_KEY\."),
    "429 with a time": (does("rate_limited", retry_after=900), REMIX, 5, r" Run this again in 900 s\."),
    "429": (
        does("rate_limited", "models", retry_after="soon", times=4),
        MODELS,
        5,
        " Call again later, or less often.",
    ),
    "408": (does("answers", "models", 408, times=4), MODELS, 6, ".*"),
    "500": (does("answers", "models", 500, times=4), MODELS, 6, ".*"),
    "502": (does("answers", "models", 502, times=4), MODELS, 6, ".*"),
    "520": (does("answers", "models", 520, times=4), MODELS, 6, ".*"),
    "no JSON": (does("answers", "models", 200, body="<html>"), MODELS, 6, "the answer is not JSON.*"),
    "no models": (does("answers", "models", 404), MODELS, 4, r" Check the base URL, which is http\S+\."),
    "a model that is not served": (
        None,
        (*REMIX, "--model", "nope"),
        6,
        r" It is not served now\. To see what is: deerapi-remix models",
    ),
    "an unknown job": (None, ("wait", "nope"), 4, " No such video for this key: check the id."),
    "no answer": (
        does("answer_lost"),
        SAVE,
        7,
        f" {UNKNOWN} first. If no job was charged, run it again with --resubmit.",
    ),
    "a deadline": (
        does("stuck"),
        (*REMIX, "--timeout", "30"),
        9,
        " The job goes on. To go on, without paying again: deerapi-remix wait {job}",
    ),
    "a deadline with a job file": (does("stuck"), (*SAVE, "--timeout", "30"), 9, r" The job goes on\." + AGAIN),
    "a file that is no video": (
        NO_VIDEO,
        SAVE,
        10,
        "the server sent text/html instead of a video.*request ID: .*" + AGAIN,
    ),
    "a key that is refused during the wait": (
        does("answers", "retrieve", 401),
        (*REMIX, "--base-url", "https://api.deerapi.com"),
        3,
        " To go on, without paying again: deerapi-remix wait --base-url https://api.deerapi.com {job}",
    ),
    "no folder": (None, (*REMIX, "-o", "no/bow.mp4"), 10, "no/bow.mp4: No such file or directory. Nothing was sent."),
}


@pytest.mark.parametrize("name", ENDS)
def test_an_end_has_its_exit_code_and_its_advice(run: Runner, name: str) -> None:
    prepare, arguments, code, end = ENDS[name]
    if prepare is not None:
        prepare(run.fake)
    outcome = run(*arguments)
    assert (outcome.code, outcome.out) == (code, "")
    job = next((name for name in run.fake.jobs if name != "video_123"), "")
    assert re.search(end.replace("{job}", job) + r"\n\Z", outcome.err), outcome.err
    assert run.submits <= 1


@pytest.mark.parametrize("extra", ["/v1", "/v1/videos"])
@pytest.mark.parametrize("command", [MODELS, REMIX, *((name, "video_123") for name in ("status", "wait", "download"))])
def test_a_base_url_with_the_version_of_the_api_is_told(call: Cli, command: tuple[str, ...], extra: str) -> None:
    with running_server(FakeDeerAPI()) as base_url:
        outcome = call(*command, "--base-url", base_url + extra)
    assert outcome.code == 4
    end = f" The base URL is {base_url}{extra}, which should end before /v1: paths begin so.\n"
    assert outcome.err.endswith(end)


@pytest.mark.parametrize("command", [("models",), ("status", "video_123")])
def test_an_unreadable_answer_without_a_request_id_asks_about_the_base_url(call: Cli, command: tuple[str, ...]) -> None:
    with respx.mock:
        respx.get(host="api.deerapi.com").respond(html="<html>")
        outcome = call(*command)
    assert outcome.code == 6
    assert outcome.err.endswith("attempts: 1). Is the base URL that of the API?\n")


def test_a_server_that_is_down_is_6(call: Cli, clock: Clock) -> None:
    outcome = call("models", "--base-url", "http://127.0.0.1:1")
    assert outcome.code == 6
    assert outcome.err.splitlines()[-1].startswith(
        "Error: models: the request was not sent to 127.0.0.1:1: ConnectError"
    )
    assert outcome.err.endswith("(attempts: 4). Check the network and the base URL.\n")


def test_a_submit_without_an_answer_says_so_in_json_and_leaves_a_job_file(run: Runner) -> None:
    run.fake.answer_lost()
    told = run(*SAVE, "--json").json
    assert told["type"] == "APITimeoutError"
    assert (told["exit_code"], told["may_have_been_charged"], told["retryable"]) == (7, True, False)
    assert (told["video_id"], told["video"], told["next"]) == ("video_123", None, None)
    assert files() == [JOB_FILE]


def test_a_job_that_fails_is_8_with_its_reason(run: Runner) -> None:
    run.fake.fails(code="moderation_blocked", message="Not this one.")
    outcome = run(*SAVE, "--json")
    assert outcome.code == 8
    assert "The job ended as 'failed': Not this one. [moderation_blocked]" in outcome.err
    assert outcome.json["video"]["error"] == {"code": "moderation_blocked", "message": "Not this one."}
    assert (outcome.json["video_id"], outcome.json["next"]) == (run.job, None)
    assert files() == []


def test_a_deadline_of_a_wait_says_how_to_go_on(run: Runner) -> None:
    run.fake.stuck()
    job = run(*REMIX, "--no-wait").out.strip()
    told = run("wait", job, "--timeout", "30", "--json").json
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


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        (
            SAVE,
            "bow.mp4 exists. If that is the video you wanted you are done; "
            "--overwrite submits and pays for a new one. Nothing was sent.",
        ),
        (("download", "video_123", "-o", "bow.mp4"), "bow.mp4 exists. Add --overwrite, or choose another --output."),
    ],
)
def test_an_existing_target_is_10_before_anything_is_sent(
    run: Runner, command: tuple[str, ...], complaint: str
) -> None:
    Path("bow.mp4").write_text("mine")
    assert run(*command) == (10, "", f"Error: {complaint}\n")
    assert run(*command, "--json").json["type"] == "FileExistsError"
    assert (run.fake.requests, files(), Path("bow.mp4").read_text()) == ((), ["bow.mp4"], "mine")


def test_a_target_that_appears_meanwhile_is_10_and_leaves_the_job_to_another_name(run: Runner, clock: Clock) -> None:
    sleep = clock.sleep

    def intrude(seconds: float) -> None:
        Path("bow.mp4").write_text("another's")
        sleep(seconds)

    run.patch.setattr("deerapi_remix._clock.sleep", intrude)
    outcome = run(*SAVE)
    assert outcome.code == 10
    assert outcome.err.endswith(
        "Error: bow.mp4 exists. If that is the video you wanted you are done. "
        f"To go on, without paying again: deerapi-remix download {run.job}\n"
    )
    assert Path("bow.mp4").read_text() == "another's"


def test_a_result_that_cannot_be_written_is_10_and_is_told_on_stderr(run: Runner) -> None:
    run.patch.setattr(sys, "stdout", Broken(OSError(errno.ENOSPC, "No space left on device")))
    outcome = run(*REMIX, "--no-wait", "--quiet")
    assert outcome.code == 10
    assert outcome.err == (
        f"Error: the result could not be written to stdout: No space left on device. It is: {run.job}\n"
    )


def test_a_job_that_was_paid_is_told_on_stderr_where_nobody_reads_stdout(run: Runner) -> None:
    run.patch.setattr(sys, "stdout", Broken(BrokenPipeError(errno.EPIPE, "Broken pipe")))
    outcome = run(*REMIX, "--no-wait", "--quiet")
    assert outcome.code == 10
    assert outcome.err == f"Error: the result could not be written to stdout: Broken pipe. It is: {run.job}\n"


@pytest.mark.parametrize("command", ["models", "status video_123", "models --json"])
def test_what_can_be_had_again_for_nothing_is_no_failure_where_nobody_reads_it(run: Runner, command: str) -> None:
    run.patch.setattr(sys, "stdout", Broken(BrokenPipeError(errno.EPIPE, "Broken pipe")))
    assert run(*command.split()) == (0, "", "")


def test_a_download_that_comes_too_early_says_to_wait(run: Runner) -> None:
    job = run(*REMIX, "--no-wait").out.strip()
    outcome = run("download", job, "--variant", "thumbnail", "--overwrite")
    assert outcome.code == 4
    assert outcome.err.endswith(
        f"To go on: deerapi-remix wait {job} && "
        f"deerapi-remix download --output {job}.webp --variant thumbnail --overwrite {job}\n"
    )


@pytest.mark.parametrize(
    ("trouble", "code"),
    [(KeyboardInterrupt(), 130), (OSError(errno.ENOSPC, "No space left on device"), 10), (None, 10)],
    ids=repr,
)
def test_a_download_that_ended_halfway_says_to_download(run: Runner, trouble: BaseException | None, code: int) -> None:
    if trouble is None:
        NO_VIDEO(run.fake)
    else:
        run.patch.setattr(_display.Lines, "received", raising(trouble))
    outcome = run("download", "video_123", "-o", "bow.mp4")
    assert outcome.code == code
    assert outcome.err.endswith(" To go on: deerapi-remix download --output bow.mp4 video_123\n")


def test_an_id_that_looks_like_an_option_is_shielded_in_the_next_command(run: Runner) -> None:
    run.fake.answers("retrieve", 500, times=99)
    told = run("wait", "--timeout", "5", "--json", "--", "-v").json
    assert told["next"] == "deerapi-remix wait -- -v"


def test_a_bug_after_the_submit_is_not_taken_for_wrong_usage(run: Runner) -> None:
    run.patch.setattr(_display.Lines, "saw", raising(ValueError("a bug")))
    with pytest.raises(ValueError, match="a bug") as caught:
        run(*SAVE)
    assert run.job in caught.value.__notes__[0]

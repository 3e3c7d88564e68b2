"""The command `doctor`."""

from __future__ import annotations

import email.utils
import errno
import platform
import re
import sys

import httpx
import pytest
import respx

from deerapi_remix.testing import FakeDeerAPI
from deerapi_remix.testing.asgi import running_server
from deerapi_remix.testing.router import mock_router

from .shell import Broken, Cli, Runner, Terminal, raising

VERSIONS = f"deerapi-remix 0.1.0, document 1.0.1, httpx {httpx.__version__}, Python {platform.python_version()}"


def lines(out: str) -> list[str]:
    """Without what changes from run to run."""
    return [line.partition(", in ")[0] for line in out.splitlines()]


def test_everything_in_place_is_a_line_each(run: Runner) -> None:
    outcome = run("doctor")
    assert (outcome.code, outcome.err) == (0, "")
    assert lines(outcome.out) == [
        "ok    key       DEERAPI_KEY is set",
        "ok    base URL  https://api.deerapi.com answers",
        "ok    access    the key is accepted",
        "ok    models    sora-2, sora-2-pro",
        "-     clock     not checked: no answer told the time",
        f"ok    versions  {VERSIONS}",
    ]


def test_nothing_is_sent_that_costs_and_the_key_only_where_it_is_needed(run: Runner) -> None:
    run("doctor")
    assert [(request.method, request.path) for request in run.fake.requests] == [("GET", "/v1/models")] * 2
    assert ["authorization" in request.headers for request in run.fake.requests] == [True, False]


def test_with_json_it_is_one_object(run: Runner) -> None:
    told = run("doctor", "--json").json
    names = ["key", "base URL", "access", "models", "clock", "versions"]
    assert told["exit_code"] == 0
    assert [check["name"] for check in told["checks"]] == names
    assert [check["name"] for check in told["checks"] if not check["ok"]] == ["clock"]
    assert told["checks"][0] == {"name": "key", "ok": True, "message": "DEERAPI_KEY is set", "exit_code": 0}


def test_a_missing_key_is_3_and_the_rest_is_checked_all_the_same(run: Runner) -> None:
    run.patch.delenv("DEERAPI_KEY")
    outcome = run("doctor")
    assert (outcome.code, outcome.err) == (3, "")
    assert lines(outcome.out)[:4] == [
        "FAIL  key       There is no API key. Set DEERAPI_KEY.",
        "ok    base URL  https://api.deerapi.com answers",
        "-     access    not checked: see above",
        "-     models    not checked: see above",
    ]


def test_quiet_tells_failures_only_and_a_missing_key_is_not_asked_for(run: Runner, terminal: Terminal) -> None:
    assert run("doctor", "--quiet") == (0, "", "")
    run.patch.delenv("DEERAPI_KEY")
    run.patch.setattr("getpass.getpass", raising(AssertionError()))
    missing = "FAIL  key       There is no API key. Set DEERAPI_KEY.\n"
    assert run("doctor", "--quiet", terminal=terminal) == (3, missing, "")


def test_where_nobody_reads_on_the_exit_code_is_that_of_the_checks(run: Runner) -> None:
    """As of `doctor | head -1`, in silence."""
    for code in (0, 3):
        run.patch.setattr(sys, "stdout", Broken(BrokenPipeError(errno.EPIPE, "Broken pipe")))
        assert run("doctor") == (code, "", "")
        run.patch.delenv("DEERAPI_KEY", raising=False)


def test_a_server_that_is_down_is_6_and_the_first_failure_gives_the_exit_code(
    call: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = call("doctor", "--base-url", "http://127.0.0.1:1", "--quiet")
    assert outcome.code == 6
    assert outcome.out.startswith("FAIL  base URL  http://127.0.0.1:1 does not answer: ")
    assert outcome.out.endswith(". Check the network, the proxies in the environment, and the base URL.\n")
    monkeypatch.setenv("DEERAPI_KEY", "Bearer x")
    outcome = call("doctor", "--base-url", "http://127.0.0.1:1", "--quiet")
    assert (outcome.code, outcome.out.count("FAIL")) == (3, 2)


@pytest.mark.parametrize("extra", ["/v1", "/v1/videos"])
def test_a_base_url_with_the_version_of_the_api_is_told_apart(call: Cli, extra: str) -> None:
    with running_server(FakeDeerAPI()) as base_url:
        outcome = call("doctor", "--base-url", base_url + extra, "--quiet")
    assert outcome.code == 3
    assert outcome.out.splitlines()[0] == (
        f"FAIL  base URL  {base_url}{extra} answers, but /v1 is added to it, "
        f"so that {base_url}{extra}/v1/models was asked for. Leave {extra} out."
    )


def test_a_proxy_that_makes_no_sense_is_3(call: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "gopher://127.0.0.1")
    outcome = call("doctor", "--quiet")
    assert outcome.code == 3
    assert re.match("FAIL  base URL  .*gopher://127.0.0.1", outcome.out)


@pytest.mark.parametrize(("status", "code"), [(401, 3), (403, 4), (400, 4), (429, 5), (503, 6)])
def test_a_refusal_is_told_and_asked_for_once(run: Runner, status: int, code: int) -> None:
    run.fake.answers("models", status)
    outcome = run("doctor")
    assert (outcome.code, len(run.fake.requests)) == (code, 2)
    access, models = lines(outcome.out)[2:4]
    if status in (401, 403):
        assert access.startswith(f"FAIL  access    models: {status} ")
        assert models == "-     models    not checked: see above"
    else:
        assert access == "-     access    not known: see below"
        assert models.startswith(f"FAIL  models    models: {status} ")


NONE = "none of the 1 models served is a Sora model, and a remix needs one. Ask the vendor what the key is for."


@pytest.mark.parametrize(
    ("served", "code", "told"),
    [
        (["sora-2", "gpt-4o", "Sora-3"], 0, "ok    models    sora-2, Sora-3; and 1 that are not Sora's"),
        ([f"sora-{n}" for n in range(7)], 0, "ok    models    sora-0, sora-1, sora-2, sora-3, sora-4, 2 more"),
        (["gpt-4o"], 6, f"FAIL  models    {NONE}"),
    ],
)
def test_the_models_for_a_remix_are_named(call: Cli, served: list[str], code: int, told: str) -> None:
    with mock_router(FakeDeerAPI(models=served)):
        outcome = call("doctor")
    assert (outcome.code, outcome.out.splitlines()[3]) == (code, told)


@pytest.mark.parametrize(
    ("off", "code", "told"),
    [
        (0, 0, "ok    clock     within 60 s of the server's"),
        (50, 0, "ok    clock     within 60 s of the server's"),
        (90_000, 3, "FAIL  clock     90000 s ahead of the server's. Set it: certificates are checked by it."),
        (-90_000, 3, "FAIL  clock     90000 s behind the server's. Set it: certificates are checked by it."),
    ],
)
def test_the_clock_is_compared_with_the_servers(
    call: Cli, monkeypatch: pytest.MonkeyPatch, off: int, code: int, told: str
) -> None:
    date = email.utils.formatdate(1_800_000_000, usegmt=True)
    monkeypatch.setattr("deerapi_remix.cli._checks.now", lambda: 1_800_000_000.0 + off)
    with respx.mock:
        models = {"object": "list", "data": [{"id": "sora-2", "object": "model", "created": 1, "owned_by": "x"}]}
        respx.get("https://api.deerapi.com/v1/models").respond(json=models, headers={"Date": date})
        outcome = call("doctor")
    assert (outcome.code, outcome.out.splitlines()[4]) == (code, told)


@pytest.mark.parametrize("date", ["soon", "Fri, 99 Jan 2027 08:00:00 GMT"])
def test_a_time_that_makes_no_sense_is_no_failure(call: Cli, date: str) -> None:
    with respx.mock:
        respx.get("https://api.deerapi.com/v1/models").respond(401, headers={"Date": date})
        outcome = call("doctor")
    assert outcome.out.splitlines()[4] == "-     clock     not checked: no answer told the time"


def test_what_a_server_says_cannot_steer_the_terminal(run: Runner) -> None:
    run.fake.answers("models", 403, body={"code": "x", "message": "\x1b[2Jno"})
    assert "\x1b" not in run("doctor").out


@pytest.mark.parametrize(
    ("variables", "start"),
    [
        ({}, "\x1b[32m\x1b[1m✓\x1b[0m  key       DEERAPI_KEY is set\n"),
        ({"NO_COLOR": "1"}, "✓  key       DEERAPI_KEY is set\n"),
        ({"TERM": "dumb"}, "ok    key       DEERAPI_KEY is set\n"),
    ],
)
def test_on_a_terminal_there_are_ticks(run: Runner, terminal: Terminal, variables: dict[str, str], start: str) -> None:
    for name, value in variables.items():
        run.patch.setenv(name, value)
    run.patch.setattr("sys.stdout", terminal)
    assert run("doctor").code == 0
    assert terminal.getvalue().startswith(start)

"""`deerapi-remix contract`: what it prints and writes, and how it ends."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from deerapi_remix.cli import _contract
from deerapi_remix.contract import BROKEN, RULES
from deerapi_remix.contract._check import CODES, INTERRUPTED
from deerapi_remix.testing import FakeDeerAPI
from deerapi_remix.testing.asgi import running_server

KEY = "sk-key-of-the-command"
UNUSABLE, NOT_WRITTEN = 2, 10
PROGRAM = (sys.executable, "-c", "from deerapi_remix.cli import main; main()", "contract")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command, with no settings but these."""
    ours = ("DEERAPI_", "LIVE_", "GITHUB_")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    command = [*PROGRAM, *arguments]
    return subprocess.run(command, env=clean | environment, capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def fake() -> FakeDeerAPI:
    return FakeDeerAPI(api_keys=[KEY], render_seconds=0)


@pytest.fixture(scope="module")
def base_url(fake: FakeDeerAPI) -> Iterator[str]:
    with running_server(fake, validate_answers=False) as base_url:
        yield base_url


def without_request_id(fake: FakeDeerAPI) -> None:
    """The next answer to `retrieve` breaks the contract: it is about another job."""
    fake.answers("retrieve", 200, body={"id": "video_other", "status": "completed", "size": "720p"})


def test_a_server_that_keeps_the_contract_is_0_and_every_rule_is_told(base_url: str, tmp_path: Path) -> None:
    junit = tmp_path / "reports" / "contract.xml"
    done = run(
        *("--video-id", "video_123", "--base-url", base_url, "--json", "--junit", str(junit)),
        DEERAPI_KEY=KEY,
        GITHUB_ACTIONS="true",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert (told["exit_code"], told["broken"], list(told["rules"])) == (0, [], list(RULES))
    assert "Read-only, free of charge: at most" in done.stderr
    assert "::error" not in done.stderr
    suite = ET.parse(junit).getroot()
    assert [case.get("name") for case in suite] == list(RULES)
    assert suite.get("failures") == "0"


def test_a_breach_is_1_and_stands_first_and_in_the_list_of_tests_and_beside_the_change(
    fake: FakeDeerAPI, base_url: str, tmp_path: Path
) -> None:
    junit = tmp_path / "contract.xml"
    without_request_id(fake)
    done = run(
        *("--base-url", base_url, "--junit", str(junit)),
        DEERAPI_KEY=KEY,
        LIVE_VIDEO_ID="video_123",
        GITHUB_ACTIONS="true",
    )
    assert done.returncode == BROKEN
    line = "retrieveVideo 200 breaks id_echoed: $.id is 'video_other', expected 'video_123'"
    assert done.stdout.splitlines()[0] == line
    assert done.stdout.splitlines()[-1].startswith("THE CONTRACT IS BROKEN: id_echoed")
    assert f"::error title=The contract is broken%3A id_echoed::{line}\n" in done.stderr
    (failure,) = ET.parse(junit).getroot().iterfind("testcase[@name='id_echoed']/failure")
    assert failure.get("message") == line


def test_rules_that_a_mock_for_any_key_cannot_keep_are_left_out_and_it_is_said_why() -> None:
    command = [*PROGRAM[:-1], "mock", "--port", "0", "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as mock:
        assert mock.stdout is not None
        base_url = mock.stdout.readline().strip()
        done = run("--video-id", "video_123", "--base-url", base_url, DEERAPI_KEY="any")
        mock.terminate()
    assert done.returncode == 0, done.stdout
    for rule in ("wrong_key_refused", "near_key_refused"):
        assert f"-       {rule:30}not checked: this mock takes any key; with `mock --key KEY`" in done.stdout


def test_a_base_url_with_the_version_of_the_api_is_told(base_url: str) -> None:
    done = run("--video-id", "video_123", "--base-url", f"{base_url}/v1", "--quiet", DEERAPI_KEY=KEY)
    assert done.returncode == 7
    assert done.stdout.endswith("  The base URL should end before /v1: every path begins so.\n")


def test_quiet_shows_breaches_and_the_conclusion_only(fake: FakeDeerAPI, base_url: str) -> None:
    without_request_id(fake)
    done = run("--video-id", "video_123", "--base-url", base_url, "--quiet", DEERAPI_KEY=KEY)
    assert (done.returncode, done.stderr) == (BROKEN, "")
    assert "not checked" not in done.stdout


@pytest.mark.parametrize(
    ("environment", "named"), [({}, "DEERAPI_KEY"), ({"DEERAPI_KEY": KEY}, "--video-id or LIVE_VIDEO_ID")]
)
def test_what_is_missing_is_2_and_is_named(environment: dict[str, str], named: str) -> None:
    done = run(**environment)
    assert (done.returncode, done.stdout) == (UNUSABLE, "")
    assert named in done.stderr
    assert done.stderr.endswith("Nothing was sent.\n")


def test_a_missing_extra_is_2_and_is_named() -> None:
    without = "import sys; sys.modules['jsonschema_rs'] = None; sys.argv[1:] = ['contract']; "
    program = [sys.executable, "-c", f"{without}from deerapi_remix.cli import main; main()"]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60)
    assert done.returncode == UNUSABLE
    assert "pip install 'deerapi-remix[contract]'" in done.stderr


def test_a_report_that_cannot_be_written_is_10_and_is_shown_all_the_same(base_url: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    nowhere = str(tmp_path / "file" / "contract.xml")
    done = run("--video-id", "video_123", "--base-url", base_url, "--junit", nowhere, DEERAPI_KEY=KEY)
    assert done.returncode == NOT_WRITTEN
    assert "The contract is kept, as far as it was checked." in done.stdout


def test_the_help_documents_every_exit_code() -> None:
    documented = re.findall(r"^([0-9]+) +\w", _contract.EXIT_CODES, re.MULTILINE)
    assert sorted(map(int, documented)) == sorted([0, BROKEN, UNUSABLE, *CODES.values(), NOT_WRITTEN, INTERRUPTED])


def test_nothing_but_the_command_imports_what_judges() -> None:
    program = (
        "import sys, deerapi_remix, deerapi_remix.testing\n"
        "from deerapi_remix.cli._app import app\n"
        "heavy = {'schemathesis', 'jsonschema', 'jsonschema_rs', 'hypothesis', 'deerapi_remix.contract'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "import deerapi_remix.contract\n"
        "assert not {'schemathesis', 'jsonschema', 'hypothesis'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")

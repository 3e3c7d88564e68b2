"""Help, the version and shell completion."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from deerapi_remix.cli._app import app
from deerapi_remix.testing import FakeDeerAPI
from deerapi_remix.testing.asgi import running_server

from ..fresh import loaded_by
from .shell import PROGRAM, Broken, Cli, Runner

GROUPS = ["", "ledger", "batch"]
LEDGER = ["ledger list", "ledger show", "ledger resolve", "ledger forget"]
BATCH = [f"batch {name}" for name in ("run", "worker", "status", "pause", "resume", "retry", "resolve", "export")]
COMMANDS = ["remix", "status", "wait", "download", "models", "doctor", *LEDGER, *BATCH, "mock", "contract"]


def test_the_help_names_every_command_and_the_way_to_completion(call: Cli) -> None:
    outcome = call("--help")
    assert (outcome.code, outcome.err) == (0, "")
    assert re.findall(r"^│ (\w+) ", outcome.out, re.MULTILINE) == [*COMMANDS[:6], "mock", "contract", "ledger", "batch"]
    assert "--install-completion" in outcome.out
    assert "Key" not in outcome.out.partition("Examples:")[2]


def test_the_help_imports_no_httpx() -> None:
    assert "httpx" not in loaded_by("from deerapi_remix.cli._run import run\nassert run(['--help']) == 0")


@pytest.mark.parametrize("command", [*GROUPS, *COMMANDS])
def test_help_is_short_for_help_and_ends_in_examples(call: Cli, command: str) -> None:
    outcome = call(*command.split(), "-h")
    assert outcome == call(*command.split(), "--help")
    assert re.search(rf"^ Examples:\s+deerapi-remix {command}", outcome.out, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_takes_json_and_quiet_but_no_key(call: Cli, command: str) -> None:
    told = call(*command.split(), "-h").out
    assert "--json" in told
    assert re.search(r"--quiet\s+-q", told)
    # Whoever starts a mock makes its key up.
    assert ("--key" in re.findall(r"--[\w-]+", told)) == (command == "mock")
    # What is filled into a template stands in braces.
    assert not re.search(r"[{}]|<\w+>", re.sub(r"\{(column|key|name)\}", "", told))


def test_the_examples_are_accepted_as_they_stand(run: Runner) -> None:
    run.patch.setenv("COLUMNS", "200")
    run.patch.setenv("DEERAPI_KEY", "Bearer x")  # Is refused after the arguments were accepted.
    run.patch.setattr("deerapi_remix.testing.asgi.serve", lambda *_, **__: None)
    for command in COMMANDS:
        told = run(*command.split(), "-h").out.partition("Examples:")[2]
        examples = told.partition("Exit codes:")[0].splitlines()
        lines = [line.strip() for line in examples if line.strip()]
        assert lines
        code = {"mock": 0, "ledger": 10, "batch": 10, "contract": 2}.get(command.partition(" ")[0], 3)
        for line in lines:
            arguments = [word.strip('"') for word in re.findall(r'"[^"]+"|\S+', line)]
            assert " ".join(arguments).startswith(f"deerapi-remix {command}")
            assert run(*arguments[1:]).code == code


def test_the_help_fits_a_terminal_of_80_columns(call: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for command in (*GROUPS, *COMMANDS):
        assert max(map(len, call(*command.split(), "-h").out.splitlines())) <= 80


def test_a_narrow_terminal_sees_whole_options(call: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    told = call("remix", "-h").out
    assert "\n  -o, --output FILE  Save the video;" in told
    assert "\n Examples:\n\n deerapi-remix remix video_123" in told
    assert call() == (2, call("-h").out.removesuffix("\n"), "")
    for command in (*GROUPS, *COMMANDS):
        outcome = call(*command.split(), "-h")
        assert (outcome.code, outcome.err) == (0, "")
        assert outcome.out.startswith("Usage: deerapi-remix")
        assert "…" not in outcome.out
        assert max(map(len, outcome.out.partition("Examples:")[0].splitlines())) <= 40


def test_the_help_shows_no_value_for_a_flag(call: Cli) -> None:
    # Versions of Typer differ in what they show unless they are told to show nothing.
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    flags: dict[str | None, object] = {}
    for command in [group, *group.commands.values()]:
        context = command.make_context("x", [], resilient_parsing=True)
        command.get_help(context)
        parameters = command.get_params(context)
        flags |= {option.name: option.metavar for option in parameters if getattr(option, "is_flag", False)}
    assert {"json", "quiet", "overwrite", "version", "help"} <= {str(name).removeprefix("as_") for name in flags}
    assert set(flags.values()) == {""}


def test_the_help_of_the_mock_says_what_quiet_hides(call: Cli) -> None:
    assert "Show neither hints nor a line for each request." in call("mock", "-h").out


def completions(*words: str, **variables: str) -> list[str]:
    """What Bash is told when the last of the words is to be completed."""
    done = subprocess.run(
        PROGRAM,
        env={
            **os.environ,
            **variables,
            "_DEERAPI_REMIX_COMPLETE": "complete_bash",
            "COMP_WORDS": " ".join(["deerapi-remix", *words]),
            "COMP_CWORD": str(len(words)),
        },
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


def test_commands_options_and_variants_are_completed() -> None:
    assert completions("do") == ["download", "doctor"]
    assert completions("remix", "--re") == ["--resubmit"]
    assert completions("download", "video_456", "--variant", "s") == ["spritesheet"]


def test_models_are_completed_from_what_was_served_last_and_asked_for_in_the_background(tmp_path: Path) -> None:
    words = ("remix", "video_123", "--model", "sora")
    with running_server(FakeDeerAPI(models=["sora-2", "sora-3", "other"])) as base_url:
        variables = {"XDG_CACHE_HOME": str(tmp_path), "DEERAPI_BASE_URL": base_url}
        assert completions(*words, **variables, DEERAPI_KEY="") == []
        assert list(tmp_path.iterdir()) == []  # Without a key nothing is asked for.
        assert completions(*words, **variables) == []
        for _ in range(500):
            if list(tmp_path.glob("*/*.json")):
                break
            time.sleep(0.02)
        assert completions(*words, **variables) == ["sora-2", "sora-3"]
    assert completions(*words, **variables) == ["sora-2", "sora-3"]


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Sets the shell that a command line is run from, by somebody whose home is an empty folder."""
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    return lambda name: monkeypatch.setattr("shellingham.detect_shell", lambda: (name, f"/bin/{name}"))


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("bash", ".bash_completions/deerapi-remix.sh"),
        ("zsh", ".zfunc/_deerapi-remix"),
        ("fish", ".config/fish/completions/deerapi-remix.fish"),
    ],
)
def test_the_completion_is_installed_or_shown(
    call: Cli, shell: Callable[[str], None], tmp_path: Path, name: str, written: str
) -> None:
    shell(name)
    shown = call("--show-completion")
    assert (shown.code, shown.err) == (0, "")
    shell("another")
    assert call("--show-completion", name) == shown
    shell(name)
    assert f"_DEERAPI_REMIX_COMPLETE=complete_{name}" in shown.out
    assert call("--install-completion").code == 0
    assert (tmp_path / written).read_text().strip() == shown.out.strip()


@pytest.mark.parametrize("options", [("--install-completion",), ("--show-completion",), ("--show-completion", "tcsh")])
def test_a_shell_without_completion_is_3(call: Cli, shell: Callable[[str], None], options: tuple[str, ...]) -> None:
    shell("tcsh")
    outcome = call(*options)
    assert outcome.code == 3
    assert re.fullmatch("Shell tcsh (is )?not supported.\n", outcome.out + outcome.err)


def test_a_completion_that_cannot_be_installed_is_10(call: Cli, shell: Callable[[str], None], tmp_path: Path) -> None:
    shell("fish")
    (tmp_path / ".config").write_text("")
    outcome = call("--install-completion")
    assert outcome.code == 10
    assert re.fullmatch(r"Error: \[Errno \d+\] .*: '.*fish.*'\n", outcome.err)


def test_a_help_that_cannot_be_written_is_10(call: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Broken(OSError(28, "No space left on device")))
    assert call("models", "--help") == (10, "", "Error: [Errno 28] No space left on device\n")


@pytest.mark.parametrize("command", ["", "remix", "batch run"])
def test_the_help_has_no_color_that_cannot_be_read_on_white(command: str) -> None:
    told = subprocess.run(
        [*PROGRAM, *command.split(), "--help"],
        env=os.environ | {"FORCE_COLOR": "1"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    styles = {code for codes in re.findall(r"\x1b\[([\d;]*)m", told.stdout) for code in codes.split(";")}
    # Bold and faint, and red and magenta.
    assert {"1"} <= styles <= {"0", "1", "2", "31", "35"}


@pytest.mark.parametrize("arguments", ["--help", "remix --help", "", "--version", "--show-completion bash"])
def test_where_nobody_reads_the_help_to_its_end_it_ends_in_silence(arguments: str) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    try:
        ended = subprocess.run([*PROGRAM, *arguments.split()], stdout=theirs, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(theirs)
    assert (ended.returncode, ended.stderr) == (0, b"")

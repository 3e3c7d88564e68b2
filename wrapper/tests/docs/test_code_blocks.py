"""Every block of code in the documentation does what the page says, against the fake and in virtual time."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shlex
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from openai.resources.videos import Videos
from typer.core import TyperGroup

from deerapi_remix.cli._app import app
from deerapi_remix.testing import DeerAPIMock, mock_deerapi
from deerapi_remix.testing.asgi import running_server

from .pages import PAGES, PROJECT, Block, blocks_of, text_of

# Another SDK or transport brings an HTTP library of its own: it meets the fake on a port of this machine.
OVER_LOOPBACK = {"docs/connections.md": ("DEERAPI_BASE_URL", ""), "docs/openai.md": ("OPENAI_BASE_URL", "/v1")}

real_sleep = time.sleep

NOT_RUN: dict[tuple[str, int], str] = {}


@pytest.fixture
def fake(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DeerAPIMock]:
    """Where a page runs: in an empty folder, in virtual time, and with the fake where the page looks for the API."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    with contextlib.ExitStack() as stack:
        fake = stack.enter_context(mock_deerapi(render_seconds=60))
        monkeypatch.setattr(time, "sleep", hardly_sleep)
        if over_loopback := OVER_LOOPBACK.get(request.node.callspec.params["page"]):
            variable, path = over_loopback
            monkeypatch.setenv(variable, stack.enter_context(running_server(fake)) + path)
            monkeypatch.setenv("OPENAI_API_KEY", "any")
            monkeypatch.setattr(Videos, "_sleep", lambda _, seconds: fake.clock.advance(seconds))
        yield fake


def hardly_sleep(seconds: float) -> None:
    """Lets others run, as the virtual time does; a page that sleeps for real is in error."""
    # The engine of batches has a thread that sleeps for a second between two looks.
    from_page = threading.current_thread() is threading.main_thread()
    assert seconds <= 0.01 or not from_page, f"a page slept for {seconds} seconds"
    real_sleep(seconds)


def file_of(block: Block) -> str | None:
    """The file that a block becomes: that of the comment in its first line; or one for pytest, if it brings tests."""
    if name := re.match(r"# ([\w/]+\.py)\n", block.code):
        return name[1]
    return f"test_{block.line}.py" if re.search(r"^def test_|\bmock_deerapi\(", block.code, re.MULTILINE) else None


def run(block: Block, page: str, names: dict[str, Any]) -> None:
    """Run a block of Python, or keep it for pytest."""
    if name := file_of(block):
        Path(name).write_text(block.code, encoding="utf-8")
        return
    code = compile("\n" * (block.line - 1) + block.code, PROJECT / page, "exec")
    exec(block.comments.get("run with", ""), names)
    raised = None
    try:
        exec(code, names)
    except Exception as error:
        if "raises" not in block.comments:
            error.add_note(f"{page}:{block.line} breaks the rule that Python on a page runs from its top to its end")
            raise
        raised = type(error).__name__
    expected = block.comments.get("raises")
    assert raised == expected, f"{page}:{block.line} breaks the rule that a block raises what stands above it"


@pytest.fixture
def logging_as_it_was() -> Iterator[None]:
    """Pages set up logging for the process that they run in."""
    loggers = [logging.getLogger(), logging.getLogger("deerapi_remix")]
    before = [(logger.level, logger.propagate, logger.handlers.copy()) for logger in loggers]
    yield
    for logger, (level, propagate, handlers) in zip(loggers, before, strict=True):
        logger.setLevel(level)
        logger.propagate = propagate
        logger.handlers[:] = handlers


@pytest.mark.usefixtures("logging_as_it_was")
@pytest.mark.filterwarnings("ignore:The Sora API is scheduled:DeprecationWarning")  # So says the openai SDK.
@pytest.mark.parametrize("page", [page for page in PAGES if any(b.language == "python" for b in blocks_of(page))])
def test_the_python_of_a_page_runs_from_its_top_to_its_end(
    page: str, fake: DeerAPIMock, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names: dict[str, Any] = {"__name__": "__main__", "fake": fake}
    for block in blocks_of(page):
        if "prints" in block.comments:
            printed = f"{page}:{block.line} breaks the rule that a page shows what its code prints"
            assert capsys.readouterr().out == block.code, printed
        elif block.language == "python" and "not run" not in block.comments:
            capsys.readouterr()
            run(block, page, names)
    if any(tmp_path.glob("test_*.py")):
        # The plugin by the name of its entry point, and none of the others that are installed here.
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", "-p", "deerapi_remix"]
        environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, f"{page} breaks the rule that its tests pass: {done.stdout}{done.stderr}"


def test_blocks_that_are_not_run_are_these_for_these_reasons() -> None:
    found = {
        (page, block.line): block.comments["not run"]
        for page in PAGES
        for block in blocks_of(page)
        if "not run" in block.comments
    }
    assert found == NOT_RUN


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_no_block_that_nothing_checks(page: str) -> None:
    """What stands in braces is for Sphinx, which reads it when the site is built."""
    found = {block.language for block in blocks_of(page) if not block.language.startswith("{")}
    assert found <= {"python", "sh", "yaml", "text"}


def shell_lines() -> list[Any]:
    return [
        pytest.param(line, id=f"{page}:{block.line + number}")
        for page in PAGES
        for block in blocks_of(page)
        if block.language == "sh"
        for number, line in enumerate(block.code.replace("\\\n", "  ").splitlines())
        if line.strip()
    ]


def examples_of_help() -> list[Any]:
    """The site shows them on the page of the command line."""
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    commands = [group, *group.commands.values()]
    return [line for each in commands for line in re.findall("^ *(deerapi-remix .+)", each.epilog or "", re.MULTILINE)]


@pytest.mark.parametrize("line", [*shell_lines(), *examples_of_help()])
def test_a_line_for_the_shell_is_one_that_works(line: str) -> None:
    words = shlex.split(line.removesuffix("&"), comments=True)
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        del words[0]
    command, *arguments = words or ["#"]
    assert command in COMMANDS, f"a line for the shell breaks the rule that its command is known: {line}"
    COMMANDS[command](arguments)


def check_deerapi_remix(arguments: list[str]) -> None:
    """The command line knows the command, and takes its options and arguments."""
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    while arguments and arguments[0].startswith("-"):  # The options of the whole act as soon as they are parsed.
        assert arguments.pop(0) in {name for option in group.params for name in option.opts}
    if arguments:
        with group.make_context("deerapi-remix", arguments) as context, contextlib.suppress(typer.Exit):  # By --help.
            name, command, rest = group.resolve_command(context, [*context._protected_args, *context.args])
            assert command
            command.make_context(name, rest, parent=context)


def check_make(arguments: list[str]) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    assert {word for word in arguments if "=" not in word} <= targets


def check_pip(arguments: list[str]) -> None:
    assert arguments[0] == "install"
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    extras = set(project["optional-dependencies"])
    for requirement in arguments[1:]:
        name, _, wanted = requirement.removesuffix("]").partition("[")
        assert name == project["name"] or name in WITH_PIP
        assert name != project["name"] or set(filter(None, wanted.split(","))) <= extras


def check_pytest(arguments: list[str]) -> None:
    assert all((PROJECT / argument).exists() for argument in arguments)


def check_uvicorn(arguments: list[str]) -> None:
    module, _, factory = arguments[-1].partition(":")
    assert arguments[:-1] == ["--factory"]
    assert f"def {factory}(" in text_of(f"{module.replace('.', '/')}.py")


def check_nothing(arguments: list[str]) -> None:
    """What every shell has."""


WITH_PIP = {"httpx", "opentelemetry-instrumentation-httpx", "opentelemetry-sdk"}
COMMANDS = {
    "deerapi-remix": check_deerapi_remix,
    "make": check_make,
    "pip": check_pip,
    "pytest": check_pytest,
    "uvicorn": check_uvicorn,
    "export": check_nothing,
    "sleep": check_nothing,
    "wait": check_nothing,
    "#": check_nothing,
}


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(block, id=f"{page}:{block.line}")
        for page in PAGES
        for block in blocks_of(page)
        if block.language == "yaml"
    ],
)
def test_yaml_is_yaml(block: Block) -> None:
    assert isinstance(yaml.safe_load(block.code), dict)

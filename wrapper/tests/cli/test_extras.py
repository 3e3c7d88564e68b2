"""What the command line needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from .shell import Runner


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
        ("flask_swagger_ui", ("mock",), "Error: the mock needs an extra. Run: pip install 'deerapi-remix[mock]'\n"),
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
def test_a_timeout_that_makes_no_sense_is_2_before_anything_is_paid(run: Runner, seconds: str) -> None:
    outcome = run("remix", "video_123", "--prompt", "x", "--timeout", seconds)
    assert (outcome.code, len(run.fake.requests)) == (2, 0)

"""What the command line needs."""

from __future__ import annotations

import subprocess
import sys

import pytest


def without(*modules: str) -> str:
    """A program in which `modules` are not installed."""
    return (
        f"import sys; sys.modules.update(dict.fromkeys({modules!r})); "
        "from deerapi_remix.cli import main; sys.argv[0] = 'deerapi-remix'; main()"
    )


@pytest.mark.parametrize(
    ("missing", "needs", "extra"),
    [
        *((name, "The command line", "cli,mock") for name in ("typer", "rich")),
        *((name, "The mock", "mock") for name in ("starlette", "uvicorn", "jsonschema_rs", "yaml", "flask_swagger_ui")),
    ],
)
def test_a_missing_extra_is_3_and_is_named(missing: str, needs: str, extra: str) -> None:
    done = subprocess.run([sys.executable, "-c", without(missing), "mock"], capture_output=True, text=True)
    complaint = f"Error: {needs} needs {missing}: pip install 'deerapi-remix[{extra}]'\n"
    assert (done.returncode, done.stdout, done.stderr) == (3, "", complaint)


@pytest.mark.parametrize(
    ("command", "extra"),
    [("", "cli"), ("models", "cli"), ("ledger list", "cli,ledger"), ("batch run", "batch"), ("contract", "contract")],
)
def test_without_the_command_line_everything_that_the_command_needs_is_named(command: str, extra: str) -> None:
    done = subprocess.run([sys.executable, "-c", without("typer"), *command.split()], capture_output=True, text=True)
    assert done.stderr.endswith(f" needs typer: pip install 'deerapi-remix[{extra}]'\n")


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

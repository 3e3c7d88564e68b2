"""What users may rely on, by name."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import deerapi_remix
from deerapi_remix import AsyncRemixClient, DeerAPIError, RemixClient, errors

from .wire import SIGNATURES

PACKAGE = Path(deerapi_remix.__file__).parent

PUBLIC = [
    "AsyncRemixClient",
    "RemixClient",
    "RetryPolicy",
    "PollingPolicy",
    "Video",
    "VideoError",
    "check_base_url",
    "check_remix",
    "Reason",
    "Model",
    "Event",
    "DeerAPIError",
    "ConfigurationError",
    "APIConnectionError",
    "APITimeoutError",
    "APIStatusError",
    "BadRequestError",
    "AuthenticationError",
    "PermissionDeniedError",
    "InsufficientQuotaError",
    "NotFoundError",
    "ConflictError",
    "RateLimitError",
    "InternalServerError",
    "APIResponseValidationError",
    "RemixFailedError",
    "WaitTimeoutError",
    "DownloadError",
    "__version__",
]

# Each error with its bases within the tree, and the builtin that it also is.
TREE = {
    "DeerAPIError": ("Exception",),
    "ConfigurationError": ("DeerAPIError", "ValueError"),
    "APIConnectionError": ("DeerAPIError",),
    "APITimeoutError": ("APIConnectionError", "TimeoutError"),
    "APIStatusError": ("DeerAPIError",),
    "BadRequestError": ("APIStatusError",),
    "AuthenticationError": ("APIStatusError",),
    "PermissionDeniedError": ("APIStatusError",),
    "InsufficientQuotaError": ("PermissionDeniedError",),
    "NotFoundError": ("APIStatusError",),
    "ConflictError": ("APIStatusError",),
    "RateLimitError": ("APIStatusError",),
    "InternalServerError": ("APIStatusError",),
    "APIResponseValidationError": ("DeerAPIError",),
    "RemixFailedError": ("DeerAPIError",),
    "WaitTimeoutError": ("DeerAPIError", "TimeoutError"),
    "DownloadError": ("DeerAPIError",),
}


def test_the_public_names_are_these() -> None:
    assert sorted(deerapi_remix.__all__) == sorted(PUBLIC)
    assert all(hasattr(deerapi_remix, name) for name in PUBLIC)


def test_the_error_tree_is_this() -> None:
    found = {
        name: tuple(base.__name__ for base in kind.__bases__)
        for name, kind in vars(errors).items()
        if inspect.isclass(kind) and issubclass(kind, BaseException)
    }
    assert found == TREE


def test_the_documented_error_tree_is_that_of_the_code() -> None:
    """Each line of the tree in the docstring names an error, its depth, and the builtin that it also is."""
    documented: dict[str, tuple[str, ...]] = {}
    parents: list[str] = []
    assert errors.__doc__
    for line in errors.__doc__.splitlines()[2:]:
        if found := re.match(r"([│├└ ]*)(\w+Error)(?: \((\w+)\))?", line):
            branches, name, builtin = found.groups()
            parents[len(branches) // 2 :] = [name]
            parent = parents[-2] if len(parents) > 1 else "Exception"
            documented[name] = (parent, builtin) if builtin else (parent,)
    assert documented == TREE


@pytest.mark.parametrize("name", SIGNATURES)
def test_the_methods_have_the_designed_signatures(name: str) -> None:
    signature = str(inspect.signature(getattr(RemixClient, name))).replace("'", "")
    assert signature == SIGNATURES[name]


@pytest.mark.parametrize("name", [name for name in PUBLIC if name != "__version__"])
def test_everything_public_has_a_docstring(name: str) -> None:
    thing = getattr(deerapi_remix, name)
    assert inspect.getdoc(thing)
    if inspect.isclass(thing) and not issubclass(thing, DeerAPIError):
        members = [m for n, m in vars(thing).items() if not n.startswith("_") and callable(m)]
        assert all(inspect.getdoc(member) for member in members)


@pytest.mark.parametrize("name", SIGNATURES)
def test_docstrings_name_every_argument_and_what_is_raised(name: str) -> None:
    doc = inspect.getdoc(getattr(RemixClient, name)) or ""
    for argument in list(inspect.signature(getattr(RemixClient, name)).parameters)[1:]:
        assert re.search(rf"^    {argument}: ", doc, re.MULTILINE), f"{name} does not explain {argument}"
    for section in ("Returns:", "Raises:", "Example:"):
        assert section in doc, f"{name} has no {section}"


def test_the_twin_points_to_the_docstrings_of_the_synchronous_client() -> None:
    for name in SIGNATURES:
        assert inspect.getdoc(getattr(AsyncRemixClient, name)) == f"See `RemixClient.{name}`."


def loaded_by(code: str) -> set[str]:
    """The modules that a process has imported after `code`, and had not before."""
    program = f"import sys; before = set(sys.modules)\n{code}\nprint(*set(sys.modules) - before)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_the_package_alone_imports_nothing_of_its_own_or_of_others() -> None:
    loaded = loaded_by("import deerapi_remix")
    assert {name for name in loaded if name.startswith("deerapi_remix")} == {"deerapi_remix"}
    assert not loaded & {"httpx", "attrs", "attr", "asyncio"}


def test_errors_are_imported_without_httpx() -> None:
    loaded = loaded_by("from deerapi_remix import DeerAPIError, WaitTimeoutError")
    assert not loaded & {"httpx", "attrs", "attr", "asyncio", "deerapi_remix.client"}


def test_one_client_is_imported_without_the_other() -> None:
    assert "deerapi_remix.async_client" not in loaded_by("from deerapi_remix import RemixClient")


def test_everything_public_is_there_after_a_plain_import() -> None:
    code = "import deerapi_remix as package\nassert all(getattr(package, name) for name in package.__all__)"
    assert "deerapi_remix.async_client" in loaded_by(code)


def test_a_star_imports_everything_public() -> None:
    names = ", ".join(name for name in PUBLIC if name != "__version__")
    assert loaded_by(f"from deerapi_remix import *\nassert all([{names}])")


@pytest.mark.parametrize("name", ["errors.RateLimitError", "models.Video", "config.RetryPolicy", "client.RemixClient"])
def test_modules_are_there_after_a_plain_import(name: str) -> None:
    assert loaded_by(f"import deerapi_remix\nassert deerapi_remix.{name}.__name__ == {name.partition('.')[2]!r}")


def test_what_is_not_public_is_an_attribute_error_and_imports_nothing() -> None:
    code = (
        "import deerapi_remix\n"
        "try: deerapi_remix.RemixClint\n"
        "except AttributeError as error: message = str(error)\n"
        "assert message == \"module 'deerapi_remix' has no attribute 'RemixClint'\""
    )
    assert not loaded_by(code) & {"httpx", "deerapi_remix.errors"}


def test_public_names_and_modules_are_listed() -> None:
    assert {*PUBLIC, "errors", "models", "config", "client", "async_client"} <= set(dir(deerapi_remix))


def test_importing_the_package_imports_neither_command_line_nor_testing_kit() -> None:
    code = (
        "import sys, httpx\n"  # Imports click and rich for its own command line, where they are installed.
        "before = set(sys.modules)\n"
        "import deerapi_remix\n"
        "heavy = {'typer', 'rich', 'click', 'starlette', 'uvicorn', 'respx', 'yaml', 'jsonschema_rs', 'pytest'}\n"
        "loaded = {name.partition('.')[0] for name in set(sys.modules) - before} & heavy\n"
        "ours = {name for name in sys.modules if name.split('.')[1:2] in (['cli'], ['testing'])}\n"
        "sys.exit(str(loaded | ours) if loaded | ours else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

"""What `pip install` brings."""

from __future__ import annotations

import email.message
import email.parser
import importlib.metadata
import re
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

import deerapi_remix

PROJECT = Path(__file__).parents[2]
PACKAGES = {
    "deerapi_remix": PROJECT / "wrapper" / "deerapi_remix",
    "deerapi_remix_generated": PROJECT / "generated" / "deerapi_remix_generated",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    (built,) = WheelBuilder(str(PROJECT)).build(directory=str(folder), versions=["standard"])
    return zipfile.ZipFile(built)


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The files in it, relative to its one folder."""
    folder = tmp_path_factory.mktemp("sdist")
    (built,) = SdistBuilder(str(PROJECT)).build(directory=str(folder), versions=["standard"])
    with tarfile.open(built) as archive:
        return {member.name.partition("/")[2] for member in archive}


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> email.message.Message:
    (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    return email.parser.Parser().parsestr(wheel.read(name).decode())


@pytest.mark.parametrize(
    "name",
    [
        "deerapi_remix/__init__.py",
        "deerapi_remix/py.typed",
        "deerapi_remix/client.py",
        "deerapi_remix/async_client.py",
        "deerapi_remix/cli/__init__.py",
        "deerapi_remix/contract/schemathesis.toml",
        "deerapi_remix/testing/__init__.py",
        "deerapi_remix/testing/assets/video.mp4",
        "deerapi_remix/testing/playground/playground.js",
        "deerapi_remix/testing/pytest_plugin.py",
        "deerapi_remix_generated/__init__.py",
        "deerapi_remix_generated/py.typed",
        "deerapi_remix_generated/openapi.yaml",
        "deerapi_remix_generated/api/videos/remix_video.py",
    ],
)
def test_the_wheel_holds(wheel: zipfile.ZipFile, name: str) -> None:
    assert name in wheel.namelist()


def test_the_wheel_holds_every_file_of_both_packages(wheel: zipfile.ZipFile) -> None:
    """Files that are no modules, too: what is served, played or read is missed only when it is asked for."""
    ours = {
        f"{package}/{path.relative_to(folder).as_posix()}"
        for package, folder in PACKAGES.items()
        for path in folder.rglob("*")
        if path.is_file() and not {"__pycache__", ".ruff_cache", "ruff.toml"} & {*path.parts}
    }
    assert {name for name in wheel.namelist() if ".dist-info/" not in name} == ours


def test_the_wheel_holds_no_tests_caches_or_leftovers(wheel: zipfile.ZipFile) -> None:
    assert [name for name in wheel.namelist() if "tests" in name or "__pycache__" in name or "cache" in name] == []


def test_without_extras_only_httpx_and_attrs_are_required(metadata: email.message.Message) -> None:
    required = [line for line in metadata.get_all("Requires-Dist") or [] if "extra ==" not in line]
    assert sorted(line.partition(">")[0].partition("<")[0] for line in required) == ["attrs", "httpx"]


def test_the_extras_are_the_documented_ones(metadata: email.message.Message) -> None:
    assert sorted(metadata.get_all("Provides-Extra") or []) == [
        *("batch", "cli", "contract", "ledger", "mock", "postgres", "testing")
    ]


def test_the_wheel_brings_a_command_and_a_pytest_plugin(wheel: zipfile.ZipFile) -> None:
    (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/entry_points.txt")]
    assert wheel.read(name).decode().split() == [
        *("[console_scripts]", "deerapi-remix", "=", "deerapi_remix.cli:main"),
        *("[pytest11]", "deerapi_remix", "=", "deerapi_remix.testing.pytest_plugin"),
    ]


def test_the_document_in_the_wheel_is_the_one_of_the_project(wheel: zipfile.ZipFile) -> None:
    assert wheel.read("deerapi_remix_generated/openapi.yaml") == (PROJECT / "openapi.yaml").read_bytes()


@pytest.mark.parametrize(
    "name",
    [
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE",
        "Makefile",
        "PKG-INFO",
        "README.md",
        "contract_tests/released/openapi.yaml",
        "docs/conf.py",
        "docs/index.md",
        "generated/deerapi_remix_generated/py.typed",
        "openapi.yaml",
        "pyproject.toml",
        "requirements-demo.txt",
        "requirements-dev.txt",
        "workflows.arazzo.yaml",
        "wrapper/deerapi_remix/testing/assets/video.mp4",
        "wrapper/tests/test_packaging.py",
    ],
)
def test_the_sdist_holds_what_testing_and_building_it_needs(sdist: set[str], name: str) -> None:
    assert name in sdist


def test_the_sdist_holds_nothing_that_was_made_from_the_rest(sdist: set[str]) -> None:
    made = re.compile(r"(^|/)(\.venv|build|dist|node_modules|__pycache__|\.\w+_cache)/")
    assert [name for name in sdist if made.search(name)] == []


def test_the_version_stands_in_one_place(metadata: email.message.Message) -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "version" not in project
    assert metadata["Version"] == deerapi_remix.__version__
    assert importlib.metadata.version("deerapi-remix") == deerapi_remix.__version__


def test_the_changelog_tells_of_the_version() -> None:
    released = re.findall(r"^## \[([0-9.]+)\]", (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert released[0] == deerapi_remix.__version__

"""What `pip install` brings."""

from __future__ import annotations

import email.message
import email.parser
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    (built,) = WheelBuilder(str(PROJECT)).build(directory=str(folder), versions=["standard"])
    return zipfile.ZipFile(built)


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
        "deerapi_remix/testing/__init__.py",
        "deerapi_remix/testing/assets/video.mp4",
        "deerapi_remix_generated/__init__.py",
        "deerapi_remix_generated/py.typed",
        "deerapi_remix_generated/openapi.yaml",
        "deerapi_remix_generated/api/videos/remix_video.py",
    ],
)
def test_the_wheel_holds(wheel: zipfile.ZipFile, name: str) -> None:
    assert name in wheel.namelist()


def test_the_wheel_holds_nothing_else_at_its_top(wheel: zipfile.ZipFile) -> None:
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"deerapi_remix", "deerapi_remix_generated"}


def test_the_wheel_holds_no_tests_caches_or_leftovers(wheel: zipfile.ZipFile) -> None:
    assert [name for name in wheel.namelist() if "tests" in name or "__pycache__" in name or "cache" in name] == []


def test_without_extras_only_httpx_and_attrs_are_required(metadata: email.message.Message) -> None:
    required = [line for line in metadata.get_all("Requires-Dist") or [] if "extra ==" not in line]
    assert sorted(line.partition(">")[0].partition("<")[0] for line in required) == ["attrs", "httpx"]


def test_the_extras_are_cli_mock_and_testing(metadata: email.message.Message) -> None:
    assert sorted(metadata.get_all("Provides-Extra") or []) == ["cli", "mock", "testing"]


def test_the_document_in_the_wheel_is_the_one_of_the_project(wheel: zipfile.ZipFile) -> None:
    assert wheel.read("deerapi_remix_generated/openapi.yaml") == (PROJECT / "openapi.yaml").read_bytes()

"""The fixture `deerapi_mock`, as the test suites of others use it."""

from __future__ import annotations

import sys

import pytest

from ..fresh import loaded_by

pytest_plugins = ["pytester"]

SERVICE = """
from deerapi_remix import RemixClient

client = RemixClient("sk-real")

def encore(path):
    return client.remix_to_file("video_123", path, prompt="Once more")
"""

TEST = """
import service

def test_an_encore_is_remixed_once(deerapi_mock, tmp_path):
    deerapi_mock.rate_limited()
    assert service.encore(tmp_path / "encore.mp4").stat().st_size > 0
    assert [(request.status, request.body) for request in deerapi_mock.sent("remix")] == [
        (429, {"prompt": "Once more"}), (200, {"prompt": "Once more"}),
    ]
"""


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makepyfile(service=SERVICE, test_service=TEST)
    pytester.syspathinsert()
    return pytester


def test_the_fixture_is_there_with_nothing_to_import(suite: pytest.Pytester) -> None:
    suite.runpytest("--strict-markers").assert_outcomes(passed=1)


def test_it_works_in_a_process_of_its_own_and_under_coverage(suite: pytest.Pytester) -> None:
    coverage = [sys.executable, "-m", "coverage"]
    alone = ["-p", "no:schemathesis", "-p", "no:hypothesispytest"]  # They take seconds to load.
    assert suite.run(*coverage, "run", "--include=service.py", "-m", "pytest", "-q", *alone).ret == 0
    suite.run(*coverage, "report", "--fail-under=100").stdout.fnmatch_lines(["service.py*100%"])


def test_without_a_key_in_the_environment_a_service_finds_one_and_a_test_that_sets_it_leaves_nothing_behind(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DEERAPI_KEY")
    pytester.makepyfile("""
        import os
        import pytest
        from deerapi_remix import RemixClient

        @pytest.fixture
        def key(monkeypatch):
            monkeypatch.setenv("DEERAPI_KEY", "sk-of-the-test")

        def test_models(deerapi_mock):
            assert RemixClient().models()

        def test_with_the_key_before(key, deerapi_mock):
            pass

        def test_with_the_key_after(deerapi_mock, key):
            assert os.environ["DEERAPI_KEY"] == "sk-of-the-test"

        def test_the_key_is_gone_again():
            assert "DEERAPI_KEY" not in os.environ
    """)
    pytester.runpytest().assert_outcomes(passed=4)


def test_a_failing_test_leaves_nothing_behind(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import socket
        import pytest
        from deerapi_remix import _clock

        def test_fails(deerapi_mock):
            assert "connect" in vars(socket.socket)
            raise ZeroDivisionError

        def test_all_is_as_before():
            assert "connect" not in vars(socket.socket)
            assert _clock.sleep.__module__ == "time"
    """)
    outcome = pytester.runpytest()
    outcome.assert_outcomes(failed=1, passed=1)
    outcome.stdout.fnmatch_lines(["*ZeroDivisionError*"])


def test_a_marker_sets_the_options(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import pytest
        from deerapi_remix import RemixClient

        pytestmark = pytest.mark.deerapi_mock(models=["sora-3"])

        def test_of_the_module(deerapi_mock):
            assert [model.id for model in RemixClient().models()] == ["sora-3"]

        @pytest.mark.deerapi_mock(render_seconds=0)
        def test_the_closest_one_counts(deerapi_mock):
            client = RemixClient()
            assert [model.id for model in client.models()] == ["sora-2", "sora-2-pro"]
            assert client.remix("video_123", prompt="Once more").is_completed

        @pytest.mark.deerapi_mock(render_minutes=1)
        def test_of_an_unknown_option(deerapi_mock):
            pass

        @pytest.mark.deerapi_mock("sora-3")
        def test_of_an_option_without_a_name(deerapi_mock):
            pass
    """)
    outcome = pytester.runpytest("--strict-markers")
    outcome.assert_outcomes(passed=2, errors=2)
    outcome.stdout.fnmatch_lines(["E*TypeError*render_minutes*", "E*TypeError*positional argument*"])


def test_async_tests_need_no_plugin_in_particular(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import asyncio
        from deerapi_remix import AsyncRemixClient

        def test_a_remix(deerapi_mock):
            async def remix():
                async with AsyncRemixClient() as client:
                    return await client.wait(await client.remix("video_123", prompt="Once more"))

            assert asyncio.run(remix()).is_completed
    """)
    pytester.runpytest("-p", "no:anyio").assert_outcomes(passed=1)


def test_a_call_to_another_host_fails_the_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import urllib.request

        def test_a_webhook(deerapi_mock):
            urllib.request.urlopen("https://hooks.example/done")
    """)
    outcome = pytester.runpytest()
    outcome.assert_outcomes(failed=1)
    outcome.stdout.fnmatch_lines(["E*NetworkBlockedError: No connection to hooks.example was made.*"])


def test_the_marker_is_listed(pytester: pytest.Pytester) -> None:
    pytester.runpytest("--markers").stdout.fnmatch_lines(["@pytest.mark.deerapi_mock(?*options): *"])


def test_the_fixture_is_listed_with_what_it_does(pytester: pytest.Pytester) -> None:
    pytester.runpytest("--fixtures").stdout.fnmatch_lines(["deerapi_mock*", "*without network and in virtual time*"])


def test_suites_that_do_not_use_it_import_nothing_but_it() -> None:
    loaded = loaded_by("import deerapi_remix.testing.pytest_plugin", before="import pytest")
    assert loaded == {"deerapi_remix", "deerapi_remix.testing", "deerapi_remix.testing.pytest_plugin"}

"""The examples, and what their README shows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[3]
FIXTURE_TEST, CONTEXT_MANAGER = re.findall(
    r"^```python\n(.*?)^```", (ROOT / "examples" / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)


def test_the_test_in_the_readme_passes(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(FIXTURE_TEST)
    pytester.runpytest("--strict-markers").assert_outcomes(passed=1)


def test_the_test_in_the_readme_has_ten_lines() -> None:
    assert len([line for line in FIXTURE_TEST.splitlines() if line]) <= 10


def test_the_context_manager_in_the_readme_works() -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", CONTEXT_MANAGER], check=True)


def test_the_tests_of_the_examples_pass(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEERAPI_KEY")
    monkeypatch.chdir(ROOT)
    alone = ["-p", "no:schemathesis", "-p", "no:hypothesispytest"]  # They take seconds to load.
    assert pytester.runpytest_subprocess("-p", "no:cacheprovider", *alone, str(ROOT / "examples")).ret == 0


def test_the_example_of_unittest_needs_no_pytest() -> None:
    code = (
        "import sys; sys.modules['pytest'] = None; import unittest; unittest.main('examples.tests.test_remix_script')"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr

"""One run of part of the suite on a copy of the project, in a forked child."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from attrs import asdict, field, frozen

from contract_tests.teeth.faults import Fault, StaleFaultError, copy_project, plant


@frozen
class Result:
    """What came of a trial.

    Attributes:
        passed: How many tests passed.
        failed: The tests that went red in their own body, by node ID.
        broken: What kept tests from being run at all: a stale fault, a failed import, collection or setup.
        last_line: The last line of the first failure, which should name the rule.
    """

    passed: int = 0
    failed: list[str] = field(factory=list)
    broken: list[str] = field(factory=list)
    last_line: str = ""

    @property
    def caught(self) -> bool:
        """Whether the rule went red, and for no other reason than itself."""
        return bool(self.failed) and not self.broken


class _Recorder:
    def __init__(self) -> None:
        self.passed = 0
        self.failed: list[str] = []
        self.broken: list[str] = []
        self.last_line = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and report.when == "call":
            self.failed.append(report.nodeid)
            self.last_line = self.last_line or report.longreprtext.strip().splitlines()[-1]
        elif report.failed or report.skipped:
            self.broken.append(f"{report.when} of {report.nodeid}: {report.longreprtext.strip()[-300:]}")
        elif report.when == "call":
            self.passed += 1

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.broken.append(f"collection of {report.nodeid}: {report.longreprtext.strip()[-300:]}")


def run(rules: list[str], fault: Fault | None) -> Result:
    """Run `rules` on a fresh copy with `fault` planted. To be called in a child of its own: it leaves much behind."""
    folder = Path(tempfile.mkdtemp(prefix="teeth-"))
    try:
        copy_project(folder)
        if fault is not None:
            plant(fault, folder)
        os.chdir(folder)
        sys.path[:0] = [str(folder / "generated"), str(folder / "wrapper"), str(folder)]
        for name in [name for name in sys.modules if name.partition(".")[0] == "contract_tests"]:
            del sys.modules[name]
        recorder = _Recorder()
        options = ["-c", "pyproject.toml", "--rootdir", ".", "-p", "no:cacheprovider", "-q", "--maxfail=1"]
        with (folder / "log").open("w") as log, contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
            code = pytest.main([*options, *rules], plugins=[recorder])
        if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) and not recorder.broken:
            recorder.broken.append(f"pytest ended with {code}: {(folder / 'log').read_text()[-300:]}")
        return Result(recorder.passed, recorder.failed, recorder.broken, recorder.last_line)
    except StaleFaultError as error:
        return Result(broken=[f"the fault cannot be planted: {error}"])
    finally:
        os.chdir("/")
        shutil.rmtree(folder, ignore_errors=True)


def in_child(rules: list[str], fault: Fault | None) -> tuple[int, int]:
    """Start a trial in a forked child, which has all heavy modules already; its process ID, and where it will tell."""
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(writer)
        return child, reader
    os.close(reader)
    told: dict[str, Any] = {"broken": ["the trial died"]}
    try:
        told = asdict(run(rules, fault))
    finally:
        with os.fdopen(writer, "w") as pipe:
            json.dump(told, pipe)
        os._exit(0)


def result_of(reader: int) -> Result:
    """What a child told, once it has ended."""
    with os.fdopen(reader) as pipe:
        text = pipe.read()
    return Result(**json.loads(text)) if text else Result(broken=["the trial told nothing"])

"""One run of part of the suite on a copy of the project, in a forked child."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import pytest
from attrs import asdict, define, field, frozen

from contract_tests.teeth.faults import Fault, StaleFaultError, copy_project, plant

OURS = ("contract_tests", "deerapi_remix", "deerapi_remix_generated")
# Code that does not run has not been judged by any rule.
_NO_VERDICT = (ImportError, NameError, SyntaxError)


@frozen
class Result:
    """What came of a trial.

    Attributes:
        passed: How many tests passed.
        failed: The tests that went red in their own body, by node ID.
        broken: What kept the rule from being judged: a stale fault, a failed import, collection or setup.
        telling: The first line of what the first failure says, which should name the rule.
    """

    passed: int = 0
    failed: list[str] = field(factory=list)
    broken: list[str] = field(factory=list)
    telling: str = ""

    @property
    def caught(self) -> bool:
        """Whether the rule went red, and for no other reason than itself."""
        return bool(self.failed) and not self.broken


@define(eq=False)
class _Recorder:
    says: str
    passed: int = 0
    failed: list[str] = field(factory=list)
    broken: list[str] = field(factory=list)
    telling: str = ""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if report.passed:
            self.passed += report.when == "call"
        elif report.failed and report.when == "call":
            self._take_up(item.nodeid, call.excinfo.value if call.excinfo else None, report.longreprtext)
        elif not self.failed:
            self.broken.append(f"{item.nodeid}: {report.when} {report.outcome}: {_end(report.longreprtext)}")
        return report

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.broken.append(f"{report.nodeid or 'the suite'}: not collected: {_end(report.longreprtext)}")

    def _take_up(self, test: str, error: BaseException | None, text: str) -> None:
        causes = list(_causes(error))
        leaf = next((cause for cause in causes if not isinstance(cause, BaseExceptionGroup)), error)
        lines = str(leaf).strip().splitlines() or [""]
        unnamed = leaf is None or isinstance(leaf, (AssertionError, pytest.fail.Exception))
        self.telling = self.telling or (lines[0] if unnamed else f"{type(leaf).__name__}: {lines[0]}")
        if crash := next((cause for cause in causes if isinstance(cause, _NO_VERDICT)), None):
            self.broken.append(f"{test}: {type(crash).__name__} in its body: {crash}")
        elif self.says not in text:
            self.broken.append(f"{test}: it fails, and does not say {self.says!r}: {_end(text)}")
        else:
            self.failed.append(test)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and all that is within or behind it."""
    if error is None:
        return
    yield error
    for inner in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        yield from _causes(inner)
    yield from _causes(error.__cause__ or error.__context__)


def _end(text: str) -> str:
    return text.strip()[-300:]


def compiled(rules: Sequence[str], folder: Path) -> Path:
    """A copy of the project whose modules and tests are compiled already, for the trials to copy."""
    copy_project(folder)
    if (child := os.fork()) == 0:
        try:
            sys.dont_write_bytecode = False
            _pytest(folder, ["--collect-only", *sorted({rule.partition("::")[0] for rule in rules})], _Recorder(""))
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    shutil.rmtree(folder / "tmp", ignore_errors=True)
    return folder


def run(rules: Sequence[str], fault: Fault | None, original: Path, folder: Path) -> Result:
    """Run `rules` on a copy with `fault` planted, made in `folder`. To be called in a child: it leaves much behind."""
    # A link takes less time than a copy; a fault is planted in a file of its own.
    shutil.copytree(original, folder, dirs_exist_ok=True, copy_function=os.link)
    try:
        if fault is not None:
            plant(fault, folder)
    except StaleFaultError as error:
        return Result(broken=[f"the fault cannot be planted: {error}"])
    sys.dont_write_bytecode = True
    recorder = _Recorder(fault.says if fault else "")
    code = _pytest(folder, ["--maxfail=1", *rules], recorder)
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) and not recorder.broken:
        recorder.broken.append(f"pytest ended with {code!r}: {_end((folder / 'log').read_text())}")
    recorder.broken += [f"{name} was not imported from the copy" for name in _strangers(folder)]
    return Result(recorder.passed, recorder.failed, recorder.broken, recorder.telling)


def _pytest(folder: Path, arguments: Sequence[str], recorder: _Recorder) -> int:
    """Run pytest on the copy in `folder`; its exit code."""
    os.chdir(folder)
    roots = [str(folder / "generated"), str(folder / "wrapper"), str(folder)]
    sys.path[:0] = roots
    # For the Pythons that a test may start.
    os.environ["PYTHONPATH"] = os.pathsep.join(roots)
    # A fault must be noticed by what was written for it, and not by what happens to be drawn.
    os.environ["GENERATED"] = "no"
    for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
        del sys.modules[name]
    # Only the first line of a failure is told; to show the code around it takes longer than most tests.
    options = ["-c", "pyproject.toml", "--rootdir", ".", "-p", "no:cacheprovider", "-q", "--tb=native"]
    # Folders of the trial's own: in those that trials share, one would clean up what another still uses.
    options += ["--basetemp", str(folder / "tmp")]
    # Plugins that are imported already are none of the suite's tests.
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    with (folder / "log").open("w") as out, contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        return pytest.main([*options, *arguments], plugins=[recorder])


def _strangers(folder: Path) -> Iterator[str]:
    """Our modules that come from elsewhere than the copy."""
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name.partition(".")[0] in OURS and file and not Path(file).is_relative_to(folder):
            yield name


@frozen
class Trial:
    """A trial under way in a forked child, which has all heavy modules already and a process group of its own."""

    child: int
    reader: int
    folder: Path

    @classmethod
    def start(cls, rules: Sequence[str], fault: Fault | None, original: Path, folder: Path) -> Trial:
        """Fork; `folder` is made for the copy of `original`."""
        reader, writer = os.pipe()
        # Or the child would print once more what waits here.
        sys.stdout.flush()
        sys.stderr.flush()
        if child := os.fork():
            os.close(writer)
            with contextlib.suppress(OSError):
                os.setpgid(child, child)
            return cls(child, reader, folder)
        try:
            os.setpgid(0, 0)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.close(reader)
            folder.mkdir()
            try:
                told = run(rules, fault, original, folder.resolve())
            except BaseException:
                told = Result(broken=[f"the trial died: {_end(traceback.format_exc())}"])
            with os.fdopen(writer, "w") as pipe:
                json.dump(asdict(told), pipe)
        finally:
            os._exit(0)

    def result(self) -> Result:
        """Wait for what the child tells."""
        with os.fdopen(self.reader, closefd=False) as pipe:
            text = pipe.read()
        return Result(**json.loads(text)) if text else Result(broken=["the trial told nothing"])

    def end(self) -> None:
        """End the child, whatever it started, and the copy."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.child, signal.SIGKILL)
        os.waitpid(self.child, 0)
        os.close(self.reader)
        shutil.rmtree(self.folder, ignore_errors=True)

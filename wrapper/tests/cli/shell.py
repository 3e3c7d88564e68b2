"""What the tests of the command line put in, and what they look at."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import attrs
import pytest

from deerapi_remix.testing import FakeDeerAPI

REMIX = ("remix", "video_123", "--prompt", "The cat takes a bow")
SAVE = (*REMIX, "--output", "bow.mp4")
JOB_FILE = ".bow.mp4.job.json"
UNKNOWN = "The job may have been accepted and charged. Do not simply run this again: look at your usage with the vendor"
PROGRAM = (sys.executable, "-c", "from deerapi_remix.cli import main; main()")


class Outcome(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.out.count("\n") == 1
        return json.loads(self.out)


class Terminal(io.StringIO):
    """Takes what a terminal would show."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True

    @property
    def shown(self) -> str:
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.getvalue())

    @property
    def rows(self) -> list[str]:
        return [row.rstrip() for row in re.split(r"[\r\n]+", self.shown)]


class Broken(io.StringIO):
    """A stream that cannot be written to."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self._error = error

    def write(self, _: str) -> int:
        raise self._error


Cli = Callable[..., Outcome]


@attrs.frozen
class Runner:
    """Runs command lines against a fake."""

    _call: Cli
    fake: FakeDeerAPI
    patch: pytest.MonkeyPatch

    def __call__(self, *arguments: str, terminal: Terminal | None = None) -> Outcome:
        return self._call(*arguments, terminal=terminal)

    @property
    def job(self) -> str:
        """The one job that was submitted."""
        (job,) = [name for name in self.fake.jobs if name != "video_123"]
        return job

    @property
    def submits(self) -> int:
        """How many submits were sent."""
        return sum(request.operation == "remix" for request in self.fake.requests)


Prepare = Callable[[FakeDeerAPI], object]


def environment(base_url: str) -> dict[str, str]:
    """For `PROGRAM` in a process of its own."""
    return {**os.environ, "DEERAPI_KEY": "sk-test", "DEERAPI_BASE_URL": base_url}


def raising(error: BaseException) -> Callable[..., NoReturn]:
    """Takes the place of any function."""

    def fail(*_: object, **__: object) -> NoReturn:
        raise error

    return fail


def files() -> list[str]:
    return sorted(path.name for path in Path().iterdir())

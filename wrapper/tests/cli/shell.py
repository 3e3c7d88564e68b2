"""What the tests of the command line put in, and what they look at."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from deerapi_remix.testing import FakeDeerAPI

REMIX = ("remix", "video_123", "--prompt", "The cat takes a bow")
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


Cli = Callable[..., Outcome]


def environment(base_url: str) -> dict[str, str]:
    """For `PROGRAM` in a process of its own."""
    return {**os.environ, "DEERAPI_KEY": "sk-test", "DEERAPI_BASE_URL": base_url}


def new_job(fake: FakeDeerAPI) -> str:
    (job,) = [name for name in fake.jobs if name != "video_123"]
    return job


def files() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


def submits(fake: FakeDeerAPI) -> int:
    return sum(request.operation == "remix" for request in fake.requests)

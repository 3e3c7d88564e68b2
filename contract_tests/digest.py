"""What broke, for whoever sees it for the first time: each kind of breach once, and what follows from others folded."""

from __future__ import annotations

import re
from collections.abc import Sequence

from attrs import frozen

from deerapi_remix.contract import RULES

# So many lines are read.
MOST = 12
_BREACH = re.compile(r"^(?:E +)?(\w+ [0-9]+) breaks (\w+): (.*)$", re.MULTILINE)
# What differs between two breaches of the same kind.
_VARYING = re.compile(r"'[^']*'|[0-9]+")
_LONGEST = 300


@frozen
class Failure:
    """A test that failed, and what it says."""

    test: str
    message: str

    @property
    def rule(self) -> str:
        """The name of the test, which is the rule."""
        return self.test.rpartition("::")[2].partition("[")[0].removeprefix("test_")

    @property
    def first_line(self) -> str:
        lines = self.message.removeprefix("AssertionError: ").splitlines()
        return next((line.strip() for line in lines if line.strip()), "it says nothing")[:_LONGEST]


@frozen
class Digest:
    """What is worth reading.

    Attributes:
        lines: A line for each kind of breach.
        tests: One test for each of them; all others are folded.
    """

    lines: list[str]
    tests: list[str]


def digest(failures: Sequence[Failure]) -> Digest:
    """A line for each kind of breach by a server: every other failure may follow from these.

    Where no server breaks a rule, the first failure of each test.
    """
    breaches: dict[tuple[str, ...], tuple[str, Failure]] = {}
    for failure in failures:
        for where, rule, problem in _BREACH.findall(failure.message):
            if rule in RULES:
                line = f"{where} breaks {rule}: {problem}"[:_LONGEST]
                breaches.setdefault((where, rule, _VARYING.sub("", problem)), (line, failure))
    if breaches:
        order = list(RULES)
        found = [breaches[kind] for kind in sorted(breaches, key=lambda kind: order.index(kind[1]))]
    else:
        firsts: dict[str, Failure] = {}
        for failure in failures:
            firsts.setdefault(failure.rule, failure)
        found = [(f"{rule}: {each.first_line}", each) for rule, each in firsts.items()]
    return Digest([line for line, _ in found], list(dict.fromkeys(failure.test for _, failure in found[:MOST])))

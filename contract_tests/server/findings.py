"""What was checked and what was found."""

from collections import Counter
from collections.abc import Callable

from attrs import frozen

from .document import Contract, essence
from .exchange import Exchange
from .rules import BEYOND_THE_DOCUMENT, RULES, judge

_LONGEST = 400

Record = Callable[[str, int, str], None]


@frozen
class Broken:
    rule: str
    operation: str
    status: int
    problem: str
    curl: str

    def __str__(self) -> str:
        return (
            f"{self.operation} {self.status} breaks {self.rule}: {self.problem}\n"
            f"  rule: {RULES[self.rule]}\n  reproduce: {self.curl}"
        )


class Findings:
    """Collects verdicts. With `strict` the rules beyond the document count too; without, their breach is drift."""

    def __init__(self, contract: Contract, *, strict: bool, record: Record = lambda *answer: None) -> None:
        self.contract = contract
        self._record = record
        self.strict = strict
        self.checked: Counter[str] = Counter()
        self.broken: list[Broken] = []
        self.drifted: set[str] = set()
        self.drift: dict[str, Counter[str]] = {}
        self.unchecked: dict[str, str] = {}

    def judge(self, exchange: Exchange) -> None:
        """Checks all that one answer can show."""
        self._record(exchange.operation, exchange.status, essence(exchange.headers))
        for rule, problem in judge(self.contract, exchange):
            self.add(rule, problem, exchange)
        for line in self.contract.drift(exchange.operation, exchange.status, exchange.headers, exchange.body):
            self._drifted(exchange, line)

    def add(self, rule: str, problem: str | None, exchange: Exchange) -> None:
        """Notes that a rule was checked on an answer, and what broke it, if anything."""
        self.checked[rule] += 1
        if problem is None:
            return
        if self.strict or rule not in BEYOND_THE_DOCUMENT:
            self.fail(rule, problem, exchange)
            return
        self.drifted.add(rule)
        if rule not in ("fields_complete", "fields_documented"):
            self._drifted(exchange, f"{rule}: {problem}")

    def fail(self, rule: str, problem: str, exchange: Exchange | None) -> None:
        """Notes a broken rule; without an answer if none came."""
        if len(problem) > _LONGEST:
            problem = f"{problem[:_LONGEST]} ..."
        where = (exchange.operation, exchange.status, exchange.curl) if exchange else ("no answer", 0, "see above")
        self.broken.append(Broken(rule, where[0], where[1], problem, where[2]))

    def skip(self, rule: str, reason: str) -> None:
        """Notes why a rule could not be checked."""
        self.unchecked[rule] = reason

    def _drifted(self, exchange: Exchange, line: str) -> None:
        self.drift.setdefault(f"{exchange.operation} {exchange.status}", Counter())[line] += 1

    def of(self, rule: str) -> list[Broken]:
        return [each for each in self.broken if each.rule == rule]

"""What was checked and what was found."""

from collections import Counter
from collections.abc import Callable

from attrs import frozen

from . import _forbidden
from ._document import Contract, essence
from ._exchange import Exchange
from ._history import History
from ._judge import judge
from ._rules import BEYOND_THE_DOCUMENT, RULES

_LONGEST = 400

Record = Callable[[str, int, str], None]


def _not_recorded(operation: str, status: int, media_type: str) -> None:
    """Takes what nobody wants to know."""


@frozen
class Broken:
    """One breach of a rule, and how to see it again."""

    rule: str
    operation: str
    status: int
    problem: str
    curl: str

    def __str__(self) -> str:
        return f"{self.line}\n  rule: {RULES[self.rule]}\n  reproduce: {self.curl}"

    @property
    def line(self) -> str:
        """Where, which rule, and what breaks it."""
        return f"{self.operation} {self.status} breaks {self.rule}: {self.problem}"


class Findings:
    """Collects verdicts.

    Args:
        contract: The document.
        strict: Whether the rules beyond the document count too; otherwise a breach is drift.
        record: Told the operation, the status and the media type of every answer.
    """

    def __init__(self, contract: Contract, *, strict: bool, record: Record = _not_recorded) -> None:
        self.contract = contract
        self._record = record
        self._history = History(strict=strict)
        self.strict = strict
        self.checked: Counter[str] = Counter()
        self.broken: list[Broken] = []
        self.drifted: set[str] = set()
        self.drift: dict[str, Counter[str]] = {}
        self.unchecked: dict[str, str] = {}

    def judge(self, exchange: Exchange) -> None:
        """Checks all that one answer can show, by itself and beside the earlier ones.

        Unless findings are strict, a failure that the document does not name is none of the
        server's answers, but one of a gateway before it.
        """
        documented = self.contract.by_id[exchange.operation].responses
        failed_on_the_way = exchange.status >= 500 and exchange.status not in documented
        if failed_on_the_way and not self.strict:
            return
        self._record(exchange.operation, exchange.status, essence(exchange.headers))
        drift = list(self.contract.drift(exchange)) if exchange.body_known else []
        for rule, problem in judge(self.contract, exchange, drift):
            self.add(rule, problem, exchange)
        for rule, problem in _forbidden.verdicts(self.contract, exchange, strict=self.strict):
            self.add(rule, problem, exchange)
        for rule, problem, shown_by in self._history.take(exchange):
            self.add(rule, problem, shown_by)
        for line in drift:
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
        if exchange is None:
            self.broken.append(Broken(rule, "no answer", 0, problem, "see above"))
            return
        self.broken.append(
            Broken(rule, exchange.operation, exchange.status, problem, exchange.curl)
        )

    def skip(self, rule: str, reason: str) -> None:
        """Notes why a rule could not be checked."""
        self.unchecked[rule] = reason

    def leave_out(self, rule: str, reason: str) -> None:
        """Forgets what was found of a rule that does not concern this server."""
        self.broken = [each for each in self.broken if each.rule != rule]
        self.checked[rule] = 0
        self.skip(rule, reason)

    def _drifted(self, exchange: Exchange, line: str) -> None:
        where = f"{exchange.operation} {exchange.status}"
        self.drift.setdefault(where, Counter())[line] += 1

    @property
    def conclusion(self) -> str:
        """Which rules are broken, if any are."""
        rules = ", ".join(dict.fromkeys(each.rule for each in self.broken))
        return f"THE CONTRACT IS BROKEN: {rules}"

    def of(self, rule: str) -> list[Broken]:
        return [each for each in self.broken if each.rule == rule]

"""What is said of a run: for people, for programs, for a list of tests, and for GitHub."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from xml.etree import ElementTree as ET

from attrs import frozen

from ._findings import Broken, Findings
from ._rules import RULES

_SUITE = "deerapi-remix contract"
# What differs between two breaches of the same kind: numbers, and values as Python quotes them.
_VARYING = re.compile(r"'[^']*'|[0-9]+")


@frozen
class Breach:
    """One kind of breach: the first of its kind, and how many answers had it."""

    first: Broken
    count: int

    @property
    def line(self) -> str:
        more = f"  ({self.count} times)" if self.count > 1 else ""
        return f"{self.first.line}{more}"


@frozen
class RuleRow:
    """What became of one rule: "ok", "BROKEN", "drift", or "-" where it was not checked."""

    rule: str
    verdict: str
    note: str

    @property
    def line(self) -> str:
        said = self.note if self.verdict == "-" else f"{RULES[self.rule]}{self.note}"
        return f"{self.verdict:8}{self.rule:30}{said}"


@frozen
class Report:
    """The end of a run.

    Attributes:
        subject: What was judged.
        findings: What was found.
        code: The exit code.
        conclusion: The last lines.
        unasked: Says why a rule was not checked, where the findings do not.
        mask: Takes keys out of a text.
    """

    subject: str
    findings: Findings
    code: int
    conclusion: list[str]
    unasked: Callable[[str], str]
    mask: Callable[[str], str]

    @property
    def breaches(self) -> list[Breach]:
        """Every kind of breach once, in the order in which they were met."""
        return distinct(self.findings.broken)

    def rows(self) -> Iterator[RuleRow]:
        """Every rule."""
        findings = self.findings
        broken = {each.rule for each in findings.broken}
        for rule in RULES:
            reason = findings.unchecked.get(rule)
            if rule in broken:
                verdict = "BROKEN"
            elif not findings.checked[rule]:
                yield RuleRow(rule, "-", f"not checked: {reason or self.unasked(rule)}")
                continue
            else:
                verdict = "drift" if rule in findings.drifted else "ok"
            yield RuleRow(rule, verdict, f" (in part: {reason})" if reason else "")

    def lines(self, *, only_breaches: bool = False) -> list[str]:
        """For people: what is broken, then the rest, then the conclusion."""
        lines = list(self._broken())
        if not only_breaches:
            lines += self._drifted()
            lines += [row.line for row in self.rows()]
            lines.append("")
        lines += self.conclusion
        return [self._shown(line) for line in lines]

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        broken = [
            {
                "rule": each.first.rule,
                "operation": each.first.operation,
                "status": each.first.status,
                "problem": self._shown(each.first.problem),
                "count": each.count,
                "reproduce": self._shown(each.first.curl),
            }
            for each in self.breaches
        ]
        rules = {
            row.rule: {"verdict": row.verdict, "note": self._shown(row.note.strip())}
            for row in self.rows()
        }
        drift = {
            where: {self._shown(line): count for line, count in lines.items()}
            for where, lines in self.findings.drift.items()
        }
        return {
            "exit_code": self.code,
            "subject": self._shown(self.subject),
            "conclusion": [self._shown(line) for line in self.conclusion],
            "broken": broken,
            "drift": drift,
            "rules": rules,
        }

    def junit(self) -> str:
        """A test for each rule, as JUnit writes it."""
        rows = list(self.rows())
        counts = Counter(row.verdict for row in rows)
        suite = ET.Element("testsuite", name=_SUITE, tests=str(len(rows)))
        suite.set("failures", str(counts["BROKEN"]))
        suite.set("skipped", str(counts["-"]))
        for row in rows:
            case = ET.SubElement(suite, "testcase", classname="contract", name=row.rule)
            if row.verdict == "-":
                ET.SubElement(case, "skipped", message=self._shown(row.note))
            for each in self.breaches if row.verdict == "BROKEN" else ():
                if each.first.rule == row.rule:
                    failure = ET.SubElement(case, "failure", message=self._shown(each.line))
                    failure.text = self._shown(f"reproduce: {each.first.curl}")
        ET.indent(suite)
        return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"

    def annotations(self) -> list[str]:
        """Commands by which GitHub shows each kind of breach beside the change."""
        return [
            f"::error title=The contract is broken%3A {each.first.rule}::"
            + self._shown(each.line).replace("%", "%25")
            for each in self.breaches
        ]

    def _broken(self) -> Iterator[str]:
        for each in self.breaches:
            yield each.line
            yield f"  rule: {RULES[each.first.rule]}"
            yield f"  reproduce: {each.first.curl}"
        if self.breaches:
            yield ""

    def _drifted(self) -> Iterator[str]:
        if not self.findings.drift:
            return
        yield "Drift: what the document does not say, or does not require. It breaks nothing."
        for where, lines in self.findings.drift.items():
            yield f"  {where}"
            for line, count in lines.items():
                yield f"    {line}" + (f"  ({count} times)" if count > 1 else "")
        yield ""

    def _shown(self, text: str) -> str:
        return printable(self.mask(text))


def distinct(broken: list[Broken]) -> list[Breach]:
    """Breaches of the same kind together, in the order in which they were met."""
    kinds: dict[tuple[object, ...], list[Broken]] = {}
    for each in broken:
        kind = (each.rule, each.operation, each.status, _VARYING.sub("", each.problem))
        kinds.setdefault(kind, []).append(each)
    return [Breach(same[0], len(same)) for same in kinds.values()]


def printable(text: str) -> str:
    """One line that a terminal, XML and GitHub take for text, whatever a server sent."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)

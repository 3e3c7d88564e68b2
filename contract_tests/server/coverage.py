"""Which documented answers were sent by a server, and which were checked."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

from attrs import frozen

from deerapi_remix.contract._document import Contract, contract

_FOLDER = Path(__file__).parents[2] / "build" / "contract"
_COLUMNS = ("operation", "status", "media type", "documented", "sent", "checked")


@frozen
class Row:
    operation: str
    status: int
    media_type: str
    documented: bool
    sent: int
    checked: int

    @property
    def gap(self) -> str | None:
        """What is missing for a documented answer."""
        if not self.documented:
            return None
        return "documented, never sent" if not self.sent else None if self.checked else "sent, never checked"

    @property
    def cells(self) -> tuple[str, ...]:
        documented = "yes" if self.documented else "no"
        media_type = self.media_type or "(none)"
        return (self.operation, str(self.status), media_type, documented, str(self.sent), str(self.checked))


class Coverage:
    def __init__(self, contract: Contract) -> None:
        self._documented = list(contract.answers())
        self.sent: Counter[tuple[str, int, str]] = Counter()
        self.checked: Counter[tuple[str, int, str]] = Counter()

    def record(self, operation: str, status: int, media_type: str, *, checked: bool = True) -> None:
        """Notes that an answer was sent, and whether it was checked against the document."""
        self.sent[operation, status, media_type] += 1
        self.checked[operation, status, media_type] += checked

    def rows(self) -> Iterator[Row]:
        """The documented answers in the order of the document, then those outside it."""
        outside = sorted(self.sent.keys() - set(self._documented))
        for each in (*self._documented, *outside):
            yield Row(*each, each in self._documented, self.sent[each], self.checked[each])

    @property
    def gaps(self) -> list[str]:
        return [f"{row.operation} {row.status} {row.media_type}: {row.gap}" for row in self.rows() if row.gap]

    def table(self) -> str:
        """For a terminal."""
        lines = [_COLUMNS, *(row.cells for row in self.rows())]
        widths = [max(len(line[column]) for line in lines) for column in range(len(_COLUMNS))]
        return "\n".join("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines)

    def markdown(self) -> str:
        lines = [_COLUMNS, ("---",) * len(_COLUMNS), *(row.cells for row in self.rows())]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        gaps = "\n".join(f"- {gap}" for gap in self.gaps) or "None."
        return f"# Coverage of the contract\n\n{table}\n\n## Gaps\n\n{gaps}\n"

    def junit(self) -> str:
        rows = list(self.rows())
        failures = str(len(self.gaps))
        suite = ET.Element("testsuite", name="contract coverage", tests=str(len(rows)), failures=failures)
        for row in rows:
            name = f"{row.status} {row.media_type}".strip()
            case = ET.SubElement(suite, "testcase", classname=row.operation, name=name)
            if row.gap:
                ET.SubElement(case, "failure", message=row.gap)
            ET.SubElement(case, "system-out").text = f"sent {row.sent}, checked {row.checked}"
        ET.indent(suite)
        return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"

    def write(self, folder: Path = _FOLDER) -> list[Path]:
        """Writes the Markdown and the JUnit report."""
        folder.mkdir(parents=True, exist_ok=True)
        texts = {folder / "coverage.md": self.markdown(), folder / "coverage.xml": self.junit()}
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8")
        return list(texts)


# What the tests of this run have seen.
coverage = Coverage(contract())
record = coverage.record

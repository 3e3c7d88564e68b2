"""The report: bounds and tables in Markdown, plots beside it. Nothing in it is typed in."""

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from .plots import bars
from .runner import Bars, Bound, Findings, Row, Table

_PACKAGES = ("deerapi-remix", "httpx", "httpcore", "httpx2", "openai", "aiohttp")


def write(folder: Path, found: Sequence[Findings], servers: str) -> str:
    """Write it into `folder`; the text of the report."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = [
        "# Benchmarks",
        _INTRODUCTION,
        _machine(servers),
        _must_hold([one for some in found for one in some.bounds]),
    ]
    for some in found:
        parts += [_table(table) for table in some.tables]
        for plot in some.plots:
            if isinstance(plot, Bars):
                bars(folder, plot)
                parts.append(f"![{plot.title}, {plot.axis}]({plot.name}.svg)")
            else:
                parts.append(plot(folder))
    text = "\n\n".join(parts) + "\n"
    (folder / "README.md").write_text(text)
    return text


# What the first page of the project tells.
_ON_THE_FIRST_PAGE = (
    "sync `retrieve`, ours / openai SDK",
    "polling, progress linear: requests × lag / best fixed interval",
    "1,000 at once, 100 ms latency: ours / openai SDK",
    "batch of 1,000 rows: time / a plain loop",
)


def tell_on_first_page(page: Path, found: Sequence[Findings]) -> None:
    """Put what was reached into the table of this page, which begins with the line of its columns."""
    bounds = {bound.what: bound for some in found for bound in some.bounds}
    rows = []
    for what in _ON_THE_FIRST_PAGE:
        better = "lower" if bounds[what].sign == "≤" else "higher"
        rows.append(f"| {what} | {bounds[what].reached:.3g} | {better} |")
    start = "| what | reached | better |\n|---|---|---|\n"
    before, start, rest = page.read_text().partition(start)
    after = rest[rest.index("\n\n") :]
    page.write_text(before + start + "\n".join(rows) + after)


_INTRODUCTION = """Written by `make bench`. All sides take turns within each round; figures are medians over the rounds,
ratios are medians of the ratios within a round, and the spread is half the distance between the quartiles. Traffic
stays on loopback."""


def _machine(servers: str) -> str:
    told = Path("/proc/cpuinfo").read_text().partition("model name")[2].partition(":")[2].partition("\n")[0].strip()
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return (
        f"{told or platform.machine()}, {os.cpu_count()} cores, {platform.system()}. "
        f"Python {platform.python_version()}; {packages}. Server: {servers}."
    )


def _must_hold(bounds: Sequence[Bound]) -> str:
    rows = [
        (one.what, f"{one.sign} {one.limit:g}", f"{one.reached:.3g}", "yes" if one.holds else "**no**")
        for one in bounds
    ]
    return _table(Table("What must hold", "", ("what", "bound", "reached", "holds"), rows))


def _table(table: Table) -> str:
    note = [table.note, ""] if table.note else []
    lines = [f"## {table.title}", "", *note, _line(table.columns), "|---" * len(table.columns) + "|"]
    return "\n".join([*lines, *map(_line, table.rows)])


def _line(cells: Row) -> str:
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(cell: str | float) -> str:
    return cell if isinstance(cell, str) else f"{cell:,.0f}" if cell >= 10 else f"{cell:.2g}"

"""What is seen of a batch while it runs: a live bar on a terminal, lines elsewhere."""

from __future__ import annotations

import logging
import sys
from time import monotonic
from typing import TYPE_CHECKING

import typer

from ._batch_progress import Progress, counts, ended
from ._display import console_for_bars
from ._streams import has_colors, tell
from ._text import clean

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from deerapi_remix.batch import Status

# Seconds between two lines.
_PAUSE = 10.0
# How a state looks in the bar. Without colors the characters tell them apart.
_LOOKS = {
    "saved": ("━", "#", "green"),
    "failed": ("×", "x", "red"),
    "unknown": ("?", "?", "bold red"),
    "rendering": ("╌", "=", "magenta"),
    "submitting": ("»", ">", "magenta"),
    "waiting": ("·", ".", "dim"),
}


class BatchDisplay:
    """Shows nothing but what must be seen."""

    def saw(self, status: Status) -> None:
        """News of the batch."""

    def accepted(self, key: str, job_id: str) -> None:
        """A job was accepted, and is paid for."""

    def note(self, text: str) -> None:
        """A line that stays."""

    def alarm(self, text: str) -> None:
        """A line that stays, and that nobody should miss."""
        line = clean(text)
        tell(typer.style(line, fg="red", bold=True) if has_colors(sys.stderr) else line)

    def close(self) -> None:
        """Nothing more is to come."""


class BatchLog(logging.Handler):
    """Tells at once why the batch pauses, or waits for its database."""

    def __init__(self, display: BatchDisplay) -> None:
        super().__init__(logging.WARNING)
        self._display = display

    def emit(self, record: logging.LogRecord) -> None:
        self._display.alarm(record.getMessage())


class BatchLines(BatchDisplay):
    """A line for each accepted job, and one now and then for all."""

    def __init__(self) -> None:
        self._progress = Progress(monotonic)
        self._next = 0.0
        self._last = ""

    def saw(self, status: Status) -> None:
        self._progress.saw(status)
        news = counts(status)
        is_due = monotonic() >= self._next or status.is_finished
        if is_due and news != self._last:
            self._next = monotonic() + _PAUSE
            self._last = news
            more = self._progress.line(status)
            self.note(f"{status.name}: {news}" + (f"; {more}" if more else ""))

    def accepted(self, key: str, job_id: str) -> None:
        self.note(f"row {key}: accepted as {job_id}")

    def note(self, text: str) -> None:
        tell(clean(text))


class BatchBars(BatchDisplay):
    """A bar in which every state has its share, and two lines below it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(monotonic)
        self._live: Live | None = None

    def saw(self, status: Status) -> None:
        from rich.live import Live

        self._progress.saw(status)
        if self._live is None:
            self._live = Live(
                console=self._console,
                auto_refresh=False,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        self._live.update(self._picture(status), refresh=True)

    def note(self, text: str) -> None:
        self._console.print(clean(text), markup=False, highlight=False, soft_wrap=True)

    def alarm(self, text: str) -> None:
        self._console.print(clean(text), style="bold red", markup=False, highlight=False)

    def close(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _picture(self, status: Status) -> Text:
        from rich.text import Text

        head = f"{status.name}  {ended(status):,} of {status.total:,}"
        picture = Text(head, style="bold", no_wrap=False)
        picture.append("\n")
        picture.append_text(self._bar(status))
        picture.append(f"\n{counts(status)}", style="not bold")
        more = self._progress.line(status)
        if more:
            picture.append(f"\n{more}", style="not bold")
        if status.paused is not None:
            picture.append(f"\npaused: {clean(status.paused)}", style="bold red")
        if status.counts["unknown"]:
            told = f"\n{status.counts['unknown']:,} unknown: they may have been charged"
            picture.append(told, style="bold red")
        return picture

    def _bar(self, status: Status) -> Text:
        from rich.text import Text

        width = max(min(self._console.width - 1, 78), 10)
        ascii_only = self._console.options.ascii_only
        bar = Text(style="not bold")
        for state, cells in _shares(status, width).items():
            fine, plain, style = _LOOKS[state]
            bar.append((plain if ascii_only else fine) * cells, style=style)
        return bar


def _shares(status: Status, width: int) -> dict[str, int]:
    """How many cells of a bar each state has; one that any row is in has at least one."""
    total = max(status.total, 1)
    shares = {}
    for state in _LOOKS:
        count = status.counts[state]
        shares[state] = max(width * count // total, 1) if count else 0
    # What rounding made too much or too little goes to the largest share.
    largest = max(shares, key=lambda state: shares[state])
    shares[largest] += width - sum(shares.values())
    return shares


def batch_display(*, quiet: bool) -> BatchDisplay:
    """The display that fits where stderr goes."""
    if quiet:
        return BatchDisplay()
    terminal = console_for_bars()
    return BatchLines() if terminal is None else BatchBars(terminal)

"""What a command shows on stderr while it works: bars on a terminal, lines elsewhere, nothing when told to be quiet."""

from __future__ import annotations

import contextlib
import sys
from time import monotonic

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from deerapi_remix import Event, Video

from ._text import clean, described, size, span

# Seconds between two lines about the same download.
_PAUSE = 5.0
# Below this width of the terminal a line has no room for a bar beside its numbers.
_WIDE = 80


class Display:
    """Shows nothing."""

    def note(self, text: str) -> None:
        """A line that stays."""

    def submitting(self) -> None:
        """A paid submit is on its way."""

    def saw(self, video: Video) -> None:
        """News of a job."""

    def received(self, received: int, expected: int | None) -> None:
        """Bytes of a file came."""

    def close(self) -> None:
        """The command ends."""


class Lines(Display):
    """A line for each step, for logs."""

    def __init__(self) -> None:
        self._last = ""
        self._next = 0.0
        self._rendering: float | None = None
        self._downloading: float | None = None

    def note(self, text: str) -> None:
        # A job is paid for: it is followed to its end even if nobody reads about it any more.
        with contextlib.suppress(OSError):
            typer.echo(clean(text), err=True)

    def saw(self, video: Video) -> None:
        now = monotonic()
        self._rendering = self._rendering or now
        news = f"{video.id}: {described(video)}"
        if news != self._last:
            self._last = news
            self.note(f"{news} after {span(now - self._rendering)}")

    def received(self, received: int, expected: int | None) -> None:
        now = monotonic()
        self._downloading = self._downloading or now
        if received == expected or now >= self._next:
            self._next = now + _PAUSE
            parts = [
                f"downloaded {size(received)}{'' if expected is None else f' of {size(expected)}'}"
            ]
            elapsed = now - self._downloading
            if elapsed >= 1:  # Before that a speed means nothing.
                speed = received / elapsed
                parts.append(f"{size(int(speed))}/s")
                if expected and received < expected:
                    parts.append(f"{span((expected - received) / max(speed, 1))} left")
            self.note(", ".join(parts))


class _Pace(ProgressColumn):
    """Bytes a second, and the time that is left or that it took, once they can be told."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        parts = [Text(f"{size(int(speed))}/s", style="progress.data.speed")] if speed else []
        if task.finished:
            took = task.finished_time or 0
            if took >= 1:
                parts.append(Text(f"in {span(took)}", style="progress.elapsed"))
        elif task.time_remaining is not None:
            parts.append(Text(f"{span(task.time_remaining)} left", style="progress.remaining"))
        return Text(" ").join(parts)


class Bars(Display):
    """One live line for each stage: submitting, rendering, downloading."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._wide = console.width >= _WIDE
        self._stage = ""
        self._progress: Progress | None = None

    def note(self, text: str) -> None:
        self._console.print(clean(text), markup=False, highlight=False, soft_wrap=True)

    def submitting(self) -> None:
        self._show("submitting", "submitting", _label(), SpinnerColumn("line"), transient=True)

    def saw(self, video: Video) -> None:
        status = clean(video.status).replace("_", " ")
        self._show(
            "rendering", status, _label(), self._bar(), TaskProgressColumn(), TimeElapsedColumn()
        )
        # Until there is progress the bar pulses.
        done = 100 if video.is_completed else video.progress or None
        self._update(status, done, None if done is None else 100)

    def received(self, received: int, expected: int | None) -> None:
        # Where there is no room for all of it, the numbers tell the most.
        first = (_label(), self._bar()) if self._wide else ()
        self._show("downloading", "downloading", *first, DownloadColumn(), _Pace())
        self._update("downloading", received, expected)

    def close(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def _bar(self) -> ProgressColumn:
        return BarColumn(bar_width=30 if self._wide else 12)

    def _show(
        self, stage: str, text: str, *columns: ProgressColumn, transient: bool = False
    ) -> None:
        if stage == self._stage:
            return
        self.close()
        self._stage = stage
        self._progress = Progress(*columns, console=self._console, transient=transient)
        self._task = self._progress.add_task(text, total=None)
        self._progress.start()

    def _update(self, text: str, done: float | None, total: float | None) -> None:
        if self._progress is not None:
            self._progress.update(self._task, description=text, completed=done or 0, total=total)


def _label() -> ProgressColumn:
    return TextColumn("{task.description:<11}", markup=False)


def display(*, quiet: bool) -> Display:
    """The display that fits where stderr goes."""
    if quiet:
        return Display()
    console = Console(stderr=True)
    if sys.stderr is not None and sys.stderr.isatty() and not console.is_dumb_terminal:
        return Bars(console)
    return Lines()


def told(event: Event) -> str | None:
    """What a user should know of something the client did; None if it is not worth a line."""
    answer = f"status {event.status_code}" if event.status_code else "no answer"
    named = f" (request ID {event.request_id})" if event.request_id else ""
    if event.kind == "retry":
        return f"{event.operation}: {answer}{named}; trying again in {event.delay or 0.0:.1f} s"
    if event.kind == "poll" and (
        event.status_code in (None, 408, 429) or (event.status_code or 0) >= 500
    ):
        return f"poll: {answer}{named}; still waiting"
    return None

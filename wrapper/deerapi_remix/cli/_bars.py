"""One live line for each stage of a remix, on a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic
from typing import IO, cast

from rich.console import Console, RenderableType
from rich.progress import (
    DownloadColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text
from rich.theme import Theme

from deerapi_remix import Video

from ._display import Display
from ._estimate import Estimate
from ._streams import DisplayFile
from ._text import clean, size, span, status_words

# Below this width of the terminal a line has no room for a long bar, or for one beside its numbers.
_WIDE = 80
# Below this width it has no room for the pace of a download.
_ROOM_FOR_PACE = 50
# Whoever has waited for longer than these seconds may look elsewhere by now: the terminal rings.
_LONG = 10.0
# Colors that can be read on white as on black.
_THEME = Theme(
    {
        "progress.spinner": "magenta",
        "progress.download": "none",
        "progress.data.speed": "none",
        "progress.elapsed": "none",
        "progress.remaining": "none",
    },
    inherit=True,
)


def console() -> Console:
    """Stderr."""
    return Console(file=cast(IO[str], DisplayFile()), theme=_THEME)


class _Bar(ProgressColumn):
    """What is done as a line, and the rest as dots, so that they differ without colors, too."""

    def __init__(self, width: int, *, ascii_only: bool) -> None:
        self._width = width
        self._done, self._rest = "━", "·"
        if ascii_only:
            self._done, self._rest = "#", "-"
        super().__init__()

    def render(self, task: Task) -> Text:
        filled = int(self._width * task.percentage / 100)
        rest = self._width - filled
        return Text.assemble((self._done * filled, "magenta"), (self._rest * rest, "dim"))


class _Pace(ProgressColumn):
    """Bytes a second, and the time that is left or that it took, once they can be told."""

    def render(self, task: Task) -> Text:
        parts = []
        speed = task.finished_speed or task.speed
        if speed:
            parts.append(f"{size(int(speed))}/s")
        if task.finished:
            took = task.finished_time or 0
            if took >= 1:
                parts.append(f"in {span(took)}")
        elif task.time_remaining is not None:
            parts.append(f"{span(task.time_remaining)} left")
        return Text(" ".join(parts))


class _Moving(Progress):
    """Moves on between two polls, whenever it is drawn."""

    estimate: Estimate | None = None

    def get_renderables(self) -> Iterable[RenderableType]:
        if self.estimate is not None:
            for task in self.tasks:
                task.completed = self.estimate.percent()
        yield from super().get_renderables()


class Bars(Display):
    """One live line for each stage: submitting, rendering, downloading."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._stage = ""
        self._progress: _Moving | None = None
        self._estimate = Estimate(monotonic)
        self._begun: float | None = None

    def note(self, text: str) -> None:
        self._console.print(clean(text), markup=False, highlight=False, soft_wrap=True)

    def submitting(self) -> None:
        self._show("submitting", "submitting", _label(), SpinnerColumn("line"), transient=True)

    def saw(self, video: Video) -> None:
        self._begun = self._begun or monotonic()
        percentage = TextColumn("{task.percentage:>3.0f}%")
        status = status_words(video)
        self._show("rendering", status, _label(), self._bar(), percentage, TimeElapsedColumn())
        if video.is_completed:
            self._estimate.told(100)
        else:
            self._estimate.told(video.progress or 0)
        if self._progress is not None:
            self._progress.estimate = self._estimate
            self._update(status, self._estimate.percent(), 100)

    def received(self, received: int, expected: int | None) -> None:
        columns = [_label(), DownloadColumn()]
        # Where there is no room for all of it, the numbers tell the most.
        if self._console.width >= _WIDE:
            columns.insert(1, self._bar())
        if self._console.width >= _ROOM_FOR_PACE:
            columns.append(_Pace())
        self._show("downloading", "downloading", *columns)
        self._update("downloading", received, expected)

    def done(self) -> None:
        self.close()
        if self._begun is not None and monotonic() - self._begun >= _LONG:
            self._console.bell()

    def close(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def _bar(self) -> ProgressColumn:
        width = 12
        if self._console.width >= _WIDE:
            width = 30
        return _Bar(width, ascii_only=self._console.options.ascii_only)

    def _show(
        self, stage: str, text: str, *columns: ProgressColumn, transient: bool = False
    ) -> None:
        if stage == self._stage:
            return
        self.close()
        self._stage = stage
        self._progress = _Moving(
            *columns,
            console=self._console,
            transient=transient,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._progress.add_task(text, total=None)
        self._progress.start()

    def _update(self, text: str, done: float, total: float | None) -> None:
        if self._progress is not None:
            self._progress.update(self._task, description=text, completed=done, total=total)


def _label() -> ProgressColumn:
    return TextColumn("{task.description:<11}", markup=False)

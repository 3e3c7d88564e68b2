"""What a command shows on stderr while it works.

Bars on a terminal, lines elsewhere, nothing when it was told to be quiet.
"""

from __future__ import annotations

import sys
from time import monotonic
from typing import TYPE_CHECKING

from deerapi_remix import Event, Video

from ._streams import is_terminal, tell
from ._text import clean, described, size, span

if TYPE_CHECKING:
    from rich.console import Console

# Seconds between two lines about the same download.
_PAUSE = 5.0
# Answers to a poll that say nothing about the job.
_NO_NEWS = (None, 408, 429)


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

    def done(self) -> None:
        """What the command was for has been reached."""

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
        tell(clean(text))

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
            self.note(_downloaded(received, expected, now - self._downloading))


def _downloaded(received: int, expected: int | None, elapsed: float) -> str:
    amount = f"downloaded {size(received)}"
    if expected is not None:
        amount = f"{amount} of {size(expected)}"
    if elapsed < 1:  # A speed means nothing yet.
        return amount
    speed = received / elapsed
    parts = [amount, f"{size(int(speed))}/s"]
    if expected is not None and received < expected:
        parts.append(f"{span((expected - received) / max(speed, 1))} left")
    return ", ".join(parts)


def display(*, quiet: bool) -> Display:
    """The display that fits where stderr goes."""
    if quiet:
        return Display()
    terminal = console_for_bars()
    if terminal is None:
        return Lines()
    from ._bars import Bars

    return Bars(terminal)


def console_for_bars() -> Console | None:
    """Stderr, if it is a terminal on which bars can move."""
    if not is_terminal(sys.stderr):
        return None
    from ._bars import console  # It brings a good part of rich.

    terminal = console()
    return None if terminal.is_dumb_terminal else terminal


def told(event: Event) -> str | None:
    """What a user should know of something the client did; None if it is not worth a line."""
    answer = "no answer"
    if event.status_code:
        answer = f"status {event.status_code}"
    if event.request_id:
        answer = f"{answer} (request ID {event.request_id})"
    if event.kind == "retry":
        return f"{event.operation}: {answer}; trying again {_when(event.delay or 0.0)}"
    status = event.status_code
    if event.kind == "poll" and (status in _NO_NEWS or (status is not None and status >= 500)):
        return f"poll: {answer}; still waiting"
    return None


def _when(delay: float) -> str:
    shown = f"{delay:.1f}"
    if shown == "0.0":
        return "at once"
    return f"in {shown} s"

"""What is told of a batch at one moment: how far it is, how fast, how long, and for how much."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from ._text import moment, span

if TYPE_CHECKING:
    from deerapi_remix.batch import Row, Status

# The pace is that of the last so many seconds.
_WINDOW = 120.0
# Before so many seconds nothing can be told of the pace.
_SHORTEST = 3.0


class Progress:
    """Learns the pace of a batch from what is seen of it.

    Args:
        clock: Seconds that go on and on.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()

    def saw(self, status: Status) -> None:
        """Take in how far it is."""
        now = self._clock()
        self._seen.append((now, ended(status)))
        while now - self._seen[0][0] > _WINDOW:
            self._seen.popleft()

    def pace(self) -> float | None:
        """Rows that end in a second, if that can be told."""
        if not self._seen:
            return None
        (first, few), (last, many) = self._seen[0], self._seen[-1]
        if last - first < _SHORTEST or many == few:
            return None
        return (many - few) / (last - first)

    def line(self, status: Status) -> str:
        """Pace, time that is left, and cost."""
        parts = []
        pace = self.pace()
        if pace is not None:
            parts.append(f"{60 * pace:,.0f} rows a minute")
            left = status.total - ended(status)
            if left and status.paused is None:
                parts.append(f"{span(left / pace)} left")
        if status.cost is not None:
            parts.append(f"cost so far {status.cost:,.2f}")
        if status.workers > 1:
            parts.append(f"{status.workers} workers")
        return ", ".join(parts)


def ended(status: Status) -> int:
    """How many rows have ended."""
    return status.counts["saved"] + status.counts["failed"] + status.counts["unknown"]


def counts(status: Status) -> str:
    """How many rows are in each state that any are in."""
    told = [f"{count:,} {state}" for state, count in status.counts.items() if count]
    return ", ".join(told) or "no rows"


def unknown_line(row: Row) -> str:
    """What is needed to find out about a row whose outcome is unknown."""
    facts = []
    if row.submitted_at is not None:
        facts.append(f"submitted {moment(int(row.submitted_at))}")
    if row.worker is not None:
        host, _, process, _ = row.worker.split("/")
        facts.append(f"by process {process} of {host}")
    if row.request_id is not None:
        facts.append(f"request ID {row.request_id}")
    return f"row {row.key} is unknown: {', '.join(facts)}; prompt: {row.prompt}"

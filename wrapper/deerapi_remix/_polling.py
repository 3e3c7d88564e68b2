"""When a job is polled, and what its answers say. Pure: the caller brings time and chance."""

from __future__ import annotations

import enum
import math

import attrs

from .config import PollingPolicy
from .models import Video

# How many failures without a status are believed, if they come in a row.
_FAILURES_BELIEVED = 3
# How many answers in a row have to tell the same end: under the id that was asked for, under
# another id, and without any.
_ENDS_BELIEVED = 1
_ENDS_OF_STRANGERS_BELIEVED = 2
_ENDS_OF_NOBODY_BELIEVED = 3
# What a failed poll asks for may be absurd, and may not silence a wait for longer than this.
_LONGEST_RETRY_AFTER = 3600.0
_READINGS_KEPT = 3


class Hint(enum.Enum):
    """Who decides when the next poll is made."""

    NONE = enum.auto()
    """We do, by the progress so far."""
    POLL_AFTER = enum.auto()
    """An answer said when it wants to be asked again: followed within the policy's bounds."""
    RETRY_AFTER = enum.auto()
    """A refusal said how long to stay away: followed, however long, up to an hour."""


@attrs.frozen
class _Reading:
    at: float
    progress: int | None


class PollSchedule:
    """When the polls of one job are made.

    Half of what is left until the predicted end; past it, half of what it is late, up to a fixed
    interval. That is for jobs whose end is unknown, too: intervals that grow need nearly twice
    the requests for the same lag (`benchmarks/polling`).
    """

    # There may be ten thousand of them.
    __slots__ = ("_end", "_hint", "_policy", "_readings", "_wanted_by_server")

    def __init__(self, policy: PollingPolicy) -> None:
        self._policy = policy
        self._hint = Hint.NONE
        self._wanted_by_server = 0.0
        self._readings: tuple[_Reading, ...] = ()
        self._end = -math.inf

    @property
    def has_answers(self) -> bool:
        """Whether a poll has brought an answer."""
        return bool(self._readings)

    def answered(self, progress: int | None, poll_after: float | None, now: float) -> None:
        """Take in an answer, and in how many seconds the server wants to be asked again."""
        self._hint = Hint.NONE
        if poll_after is not None:
            self._hint = Hint.POLL_AFTER
            self._wanted_by_server = self._within_bounds(poll_after)
        self._readings = (*self._readings[-_READINGS_KEPT + 1 :], _Reading(now, progress))
        self._predict()

    def failed(self, retry_after: float | None) -> None:
        """Take in a failed poll, and how many seconds the server asks to wait."""
        self._hint = Hint.NONE
        if retry_after is not None:
            self._hint = Hint.RETRY_AFTER
            wanted = min(retry_after, _LONGEST_RETRY_AFTER)
            self._wanted_by_server = max(wanted, self._policy.initial_interval)

    def delay(self, *, left: float, now: float, draw: float) -> float:
        """Seconds until the next poll.

        Args:
            left: Seconds until the deadline.
            now: The time on the monotonic clock.
            draw: A number between 0 and 1, drawn by chance.
        """
        if self._hint is not Hint.NONE:
            return min(self._wanted_by_server, left)
        interval = self._interval(now, draw)
        # A last look shortly before the deadline, with time for its answer.
        if interval >= left >= 2 * self._policy.initial_interval:
            interval = left - self._policy.initial_interval
        return min(interval, left)

    def _interval(self, now: float, draw: float) -> float:
        ahead = self._end - now
        guess = ahead / 2
        if ahead <= 0:
            guess = min(-ahead / 2, self._policy.max_interval / 2)
        # Varied by 10 %, for jobs must not poll in step.
        return self._within_bounds(self._within_bounds(guess) * (0.9 + 0.2 * draw))

    def _within_bounds(self, interval: float) -> float:
        return min(max(interval, self._policy.initial_interval), self._policy.max_interval)

    def _predict(self) -> None:
        """Extrapolate the end from three polls in a row that each saw progress.

        One jump alone tells nothing.
        """
        if len(self._readings) < _READINGS_KEPT:
            return
        first, second, third = (reading.progress for reading in self._readings)
        if first is None or second is None or third is None:
            return
        if first < second < third:
            began, now = self._readings[0].at, self._readings[-1].at
            self._end = now + (100 - third) * (now - began) / (third - first)


class Verdict:
    """Whether the answers to polls say that the job has ended, and with what.

    One stray answer about another job, or one error without a status, ends no wait.
    """

    __slots__ = ("_end", "_ends", "_failures")

    def __init__(self) -> None:
        self._failures = 0
        self._end: str | None = None
        self._ends = 0

    def is_over(self, video: Video, *, named: list[str], tells_status: bool) -> bool:
        """Take in an answer; whether it ends the wait.

        Args:
            video: The answer, under the id that was asked for.
            named: Every id in the answer. It may be another one each time: a gateway can put into
                it what answered.
            tells_status: Whether the answer has a status at all.
        """
        self._count_failure(video, tells_status)
        if self.has_failed:
            return True
        if not video.is_finished:
            self._end = None
            return False
        if video.status != self._end:
            self._ends = 0
        self._end = video.status
        self._ends += 1
        if video.id in named:
            return self._ends >= _ENDS_BELIEVED
        if named:
            return self._ends >= _ENDS_OF_STRANGERS_BELIEVED
        return self._ends >= _ENDS_OF_NOBODY_BELIEVED

    @property
    def has_failed(self) -> bool:
        """Whether the job ended with an error that came without a status."""
        return self._failures >= _FAILURES_BELIEVED

    def _count_failure(self, video: Video, tells_status: bool) -> None:
        has_message = video.error is not None and video.error.message is not None
        if has_message and not tells_status:
            self._failures += 1
        else:
            self._failures = 0

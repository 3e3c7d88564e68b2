"""Ways to poll: the one that is shipped, and what it is compared with."""

import math
import random
from typing import Protocol

from deerapi_remix import PollingPolicy
from deerapi_remix._polling import PollSchedule

from .jobs import Job


class Policy(Protocol):
    """One wait for one job. Times are seconds since the job was accepted."""

    def delay(self, now: float) -> float:
        """How long to sleep before the next poll."""
        ...

    def saw(self, now: float, progress: int | None) -> None:
        """A poll was answered: the job is not finished."""
        ...

    def failed(self, now: float) -> None:
        """A poll failed."""
        ...


class Fixed:
    """The same interval every time."""

    def __init__(self, interval: float) -> None:
        self._interval = interval

    def delay(self, now: float) -> float:
        return self._interval

    def saw(self, now: float, progress: int | None) -> None:
        pass

    def failed(self, now: float) -> None:
        pass


class Growing(Fixed):
    """Twice the interval every time, up to a limit."""

    def __init__(self, limit: float) -> None:
        super().__init__(1.0)
        self._limit = limit

    def delay(self, now: float) -> float:
        self._interval = min(self._interval * 2, self._limit)
        return self._interval * random.uniform(0.9, 1.1)


class Clairvoyant(Fixed):
    """Knows when the job ends."""

    def __init__(self, job: Job) -> None:
        super().__init__(job.render)

    def delay(self, now: float) -> float:
        return max(self._interval - now, 0.0)


class Shipped:
    """What the package does, through its own code."""

    def __init__(self, policy: PollingPolicy) -> None:
        self._schedule = PollSchedule(policy)

    def delay(self, now: float) -> float:
        return self._schedule.delay(left=math.inf, now=now, draw=random.random())

    def saw(self, now: float, progress: int | None) -> None:
        self._schedule.answered(progress, None, now)

    def failed(self, now: float) -> None:
        self._schedule.failed(None)

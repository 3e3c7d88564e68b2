"""What is left of a time that was set: the one place that computes it."""

from __future__ import annotations

import math

import attrs
import httpx

from . import _clock
from .config import PollingPolicy, check_seconds


@attrs.frozen
class Deadline:
    """A point on the monotonic clock.

    Attributes:
        at: The point, in seconds; `math.inf` for never.
    """

    at: float = math.inf

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """The deadline `seconds` from now."""
        return cls(_clock.monotonic() + seconds)

    def left(self) -> float:
        """Seconds until the deadline; 0.0 once it has passed."""
        return max(self.at - _clock.monotonic(), 0.0)

    def has_passed(self) -> bool:
        """Whether nothing is left."""
        return _clock.monotonic() >= self.at

    def or_earlier(self, other: Deadline) -> Deadline:
        """The one of two that comes first."""
        return self if self.at <= other.at else other


NEVER = Deadline()


def deadline_of_wait(timeout: float | None, policy: PollingPolicy) -> Deadline:
    """When a wait that starts now ends: after `timeout` seconds, or after those of the policy."""
    if timeout is None:
        timeout = policy.timeout
    return Deadline.after(check_seconds("timeout", timeout))


class TimeLimit:
    """How long one exchange may take, until its answer has begun and after.

    Attributes:
        has_changed: Whether another deadline counts than at first.
    """

    def __init__(self, for_answer: Deadline, for_file: Deadline) -> None:
        self.has_changed = False
        self._deadline = for_answer
        self._for_file = for_file

    def file_begins(self) -> None:
        """From here on bytes of a file come: as long as they do, only its own deadline counts."""
        self._deadline = self._for_file
        self.has_changed = True

    def left(self) -> float:
        """Seconds that are left; `math.inf` where there is no limit."""
        return self._deadline.left()

    def of_sockets(self, timeout: httpx.Timeout, longest: float) -> httpx.Timeout:
        """`timeout`, cut where less is left than the longest of its operations may take."""
        left = self.left()
        if left >= longest:
            return timeout
        cut = {}
        for operation, seconds in timeout.as_dict().items():
            # A timeout of zero would mean that the socket does not block.
            cut[operation] = max(left, 0.001)
            if seconds is not None:
                cut[operation] = min(cut[operation], seconds)
        return httpx.Timeout(**cut)

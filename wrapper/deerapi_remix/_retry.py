"""Whether and when a failed request is sent again. Pure: given what happened, how long to wait, or stop."""

import random

from . import _clock
from .config import RetryPolicy
from .errors import APIStatusError, DeerAPIError


class Retries:
    """The attempts of one call.

    Attributes:
        attempt: Counts attempts from 1 over the whole call or, for polls, from `before` on.
        started: When the call began, on the monotonic clock.
        until: Until when another attempt may start, on the monotonic clock.
    """

    def __init__(self, policy: RetryPolicy, *, paid: bool, deadline: float, before: int = 0) -> None:
        self._policy = policy
        self._paid = paid
        self._deadline = deadline
        self.attempt = before
        self.started = _clock.monotonic()
        self.renew()

    def renew(self) -> None:
        """Count attempts and budget from here: a download has come further than ever."""
        self._spent = 0
        self.until = min(_clock.monotonic() + self._policy.budget, self._deadline)

    def begin(self) -> None:
        """Count an attempt."""
        self.attempt += 1
        self._spent += 1

    def delay_after(self, error: DeerAPIError) -> float | None:
        """Seconds to wait before the next attempt; None if there is to be none."""
        if not error.retryable or self._spent >= self._policy.attempts:
            return None
        asked = None
        if isinstance(error, APIStatusError):
            if self._paid and not self._policy.resend_paid and error.status_code in (500, 503):
                return None
            asked = error.retry_after
        delay = self._backoff() if asked is None else asked
        return delay if _clock.monotonic() + delay <= self.until else None

    def _backoff(self) -> float:
        # Beyond 2**60 the power no longer matters, and would overflow a float one day.
        bound = min(self._policy.max_delay, self._policy.initial_delay * 2.0 ** min(self._spent - 1, 60))
        return random.uniform(0, bound)  # noqa: S311  # Jitter, not secrecy.

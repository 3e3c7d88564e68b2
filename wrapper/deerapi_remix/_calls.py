"""The attempts of one call, and what follows from each."""

import math
from typing import Generic, TypeVar

from . import _clock
from ._download import Transfer
from ._exchange import Call, Exchange
from ._polling import Wait, is_not_ready
from ._retry import Retries
from ._settings import Settings
from .config import RetryPolicy
from .errors import DeerAPIError, WaitTimeoutError

T = TypeVar("T")
_ONE_ATTEMPT = RetryPolicy(attempts=1, budget=0.0)


class Run(Generic[T]):
    """The attempts of one call, as both twins drive them: begin, then succeeded or failed."""

    def __init__(
        self,
        settings: Settings,
        call: Call[T],
        *,
        deadline: float | None = None,
        waiting: Wait | None = None,
        transfer: Transfer | None = None,
    ) -> None:
        self.call = call
        self._settings = settings
        self._deadline = waiting.deadline if waiting else math.inf if deadline is None else deadline
        self._waiting = waiting
        self._transfer = transfer
        # Whoever downloads under a deadline has seen the job completed: the file must come.
        self._until_ready = transfer is not None and deadline is not None
        self._last: DeerAPIError | None = None
        # No submit starts after the deadline; for a file, `begin` gives up there. A poll is one attempt.
        until = math.inf if transfer else self._deadline
        policy, before = (_ONE_ATTEMPT, waiting.polls) if waiting else (settings.retry, 0)
        self._retries = Retries(policy, paid=call.paid, deadline=until, before=before)

    def begin(self) -> Exchange:
        """The next attempt; WaitTimeoutError if the time for the file is up."""
        if self._transfer is not None and _clock.monotonic() >= self._deadline:
            raise WaitTimeoutError("download: the deadline passed before the file was there") from self._last
        self._retries.begin()
        self._exchange = Exchange(self._settings, self.call, self._transfer, self._retries, self._deadline)
        return self._exchange

    def succeeded(self) -> T:
        """The result of the attempt that brought a 2xx."""
        result = self.call.read(self._exchange, self._settings)
        self._tell_attempt()
        return result

    def failed(self, error: DeerAPIError) -> float | None:
        """Complete the error of an attempt; seconds until the next one, None if there is none."""
        if error is self._exchange.foreign:
            return None
        error.attempts = self._retries.attempt
        error.video_id = error.video_id or self.call.video_id
        error.request_id = error.request_id or self._exchange.request_id
        self._last = error
        self._tell_attempt(error)
        delay = self._delay_after(error)
        self._settings.journal.attempt_failed(self.call.operation, self._retries.attempt, error, delay)
        if delay is not None:
            self._exchange.tell("retry", self._retries.started, error, delay)
        return delay

    def _delay_after(self, error: DeerAPIError) -> float | None:
        if self._transfer is None:
            return self._retries.delay_after(error)
        if self._transfer.advanced:
            self._retries.renew()
        left = self._deadline - _clock.monotonic()
        if self._until_ready and is_not_ready(error):
            return max(min(self._settings.polling.initial_interval, left), 0.0)
        if left <= 0 and error.retryable:
            return 0.0
        delay = self._retries.delay_after(error)
        return None if delay is None else min(delay, max(left, 0.0))

    def _tell_attempt(self, error: DeerAPIError | None = None) -> None:
        self._exchange.tell("attempt", self._exchange.started, error)
        if self._waiting:
            self._exchange.tell("poll", self._waiting.started, error)

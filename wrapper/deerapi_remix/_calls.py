"""The attempts of one call, and what follows from each."""

import math
from typing import Generic

import attrs

from . import _clock
from ._download import Transfer
from ._exchange import Call, Exchange, T
from ._polling import Wait, is_not_ready
from ._retry import delay_after
from ._settings import Settings
from .config import RetryPolicy
from .errors import DeerAPIError, WaitTimeoutError
from .models import Video

_ONE_ATTEMPT = RetryPolicy(attempts=1, budget=0.0)


@attrs.define(slots=False, repr=False, eq=False)
class Run(Generic[T]):
    """The attempts of one call, as both twins drive them: begin, then succeeded or failed."""

    settings: Settings
    call: Call[T]
    waiting: Wait | None = None
    deadline: float | None = None
    transfer: Transfer | None = None

    def __attrs_post_init__(self) -> None:
        # Whoever downloads under a deadline has seen the job completed: the file must come.
        self._until_ready = self.transfer is not None and self.deadline is not None
        self._ends = (
            self.waiting.deadline
            if self.waiting
            else math.inf
            if self.deadline is None
            else self.deadline
        )
        self._last: DeerAPIError | None = None
        self._policy = _ONE_ATTEMPT if self.waiting else self.settings.retry
        self._attempt = self.waiting.polls if self.waiting else 0
        self._started = _clock.monotonic()
        self._renew()

    def _renew(self) -> None:
        """Count attempts and budget from here."""
        self._spent = 0
        # No submit starts after the deadline; for a file, `begin` gives up there.
        latest = math.inf if self.transfer else self._ends
        self._budget_ends = min(_clock.monotonic() + self._policy.budget, latest)

    def begin(self) -> Exchange:
        """The next attempt; WaitTimeoutError if the time for the file is up."""
        if self.transfer is not None and _clock.monotonic() >= self._ends:
            raise WaitTimeoutError(
                "download: the deadline passed before the file was there"
            ) from self._last
        self._attempt += 1
        self._spent += 1
        deadline = (
            math.inf if self.call.paid else self._ends
        )  # No deadline ever clips a paid submit.
        until = min(self._budget_ends + self.settings.patience, deadline)
        self._exchange = Exchange(
            self.settings, self.call, self.transfer, self._attempt, until, deadline
        )
        return self._exchange

    def succeeded(self) -> T:
        """The result of the attempt that brought a 2xx."""
        result = self.call.read(self._exchange, self.settings)
        self._tell_attempt()
        if self.waiting and isinstance(
            result, Video
        ):  # As it always is, which the types cannot tell.
            self.waiting.saw(result, self._exchange.headers.get("openai-poll-after-ms"))
        return result

    def failed(self, error: DeerAPIError) -> float | None:
        """Complete the error of an attempt; seconds until the next one, None if there is none."""
        if error is self._exchange.foreign:
            return None
        error.attempts = self._attempt
        error.video_id = error.video_id or self.call.video_id
        self._exchange.request_id = error.request_id = error.request_id or self._exchange.request_id
        self._last = error
        self._tell_attempt()
        delay = self._delay_after(error)
        self.settings.journal.attempt_failed(
            self._exchange.event("retry", self._started, delay), error
        )
        return delay

    def _delay_after(self, error: DeerAPIError) -> float | None:
        left = self._ends - _clock.monotonic()
        if self.transfer is not None:
            if self.transfer.advanced:  # New bytes.
                self._renew()
            if self._until_ready and is_not_ready(error):
                self._renew()  # Not a failure: the server works, and so does the job.
                return max(min(self.settings.polling.initial_interval, left), 0.0)
            if left <= 0 and error.retryable:
                return 0.0
        delay = delay_after(error, self._policy, paid=self.call.paid, attempts=self._spent)
        if delay is None or _clock.monotonic() + delay > self._budget_ends:
            return None
        return min(delay, left) if self.transfer else delay

    def _tell_attempt(self) -> None:
        self.settings.journal.emit(self._exchange.event("attempt", self._exchange.started))
        if self.waiting:
            self.settings.journal.emit(self._exchange.event("poll", self.waiting.started))

"""One call of one operation: how it is sent and read, and what follows from each attempt."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

import attrs

from . import _clock
from ._download import Transfer
from ._exchange import Exchange
from ._polling import Wait, is_not_ready
from ._retry import Retries
from ._settings import Settings
from .config import RetryPolicy
from .errors import DeerAPIError, WaitTimeoutError
from .models import Event

T = TypeVar("T")
_ONE_ATTEMPT = RetryPolicy(attempts=1, budget=0.0)


@attrs.frozen
class Call(Generic[T]):
    """What is asked for.

    Attributes:
        operation: Its name in errors, logs and events.
        send: Has the generated function build the request and hand it to a seam.
        asend: The same for the asynchronous twin.
        read: Makes the result from what came back.
        video_id: The video it is about.
        paid: Whether it costs money.
    """

    operation: str
    send: Callable[[Any], object]
    asend: Callable[[Any], Awaitable[object]]
    read: Callable[[Exchange, Settings], T]
    video_id: str | None = None
    paid: bool = False


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
        self._retries = Retries(_ONE_ATTEMPT if waiting else settings.retry, paid=call.paid, deadline=until)

    @property
    def attempt(self) -> int:
        """Counts from 1."""
        return self._retries.attempt + (self._waiting.polls if self._waiting else 0)

    def begin(self) -> Exchange:
        """The next attempt; WaitTimeoutError if the time for the file is up."""
        if self._transfer is not None and _clock.monotonic() >= self._deadline:
            raise WaitTimeoutError("download: the deadline passed before the file was there") from self._last
        self._retries.begin()
        self._exchange = Exchange(
            self._settings,
            self.call.operation,
            paid=self.call.paid,
            video_id=self.call.video_id,
            attempt=self.attempt,
            until=self._retries.until,
            deadline=self._deadline,
            transfer=self._transfer,
        )
        return self._exchange

    def succeeded(self) -> T:
        """The result of the attempt that brought a 2xx."""
        result = self.call.read(self._exchange, self._settings)
        self._tell("attempt")
        if self._waiting:
            self._tell("poll")
        return result

    def failed(self, error: DeerAPIError) -> float | None:
        """Complete the error of an attempt; seconds until the next one, None if there is none."""
        error.attempts = self.attempt
        error.video_id = error.video_id or self.call.video_id
        self._last = error
        self._tell("attempt", error)
        if self._waiting:
            self._tell("poll", error)
        delay = self._delay_after(error)
        self._settings.journal.attempt_failed(self.call.operation, self.attempt, error, delay)
        if delay is not None:
            self._tell("retry", error, delay)
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

    def _tell(self, kind: Any, error: DeerAPIError | None = None, delay: float | None = None) -> None:
        exchange = self._exchange
        started = exchange.started if kind == "attempt" else (self._waiting or self._retries).started
        self._settings.journal.emit(
            Event(
                kind=kind,
                operation=self.call.operation,
                attempt=self.attempt,
                status_code=exchange.status,
                delay=delay,
                request_id=(error.request_id if error else None) or exchange.request_id,
                video_id=self.call.video_id,
                elapsed=_clock.monotonic() - started,
            )
        )

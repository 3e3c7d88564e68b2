"""The attempts of one call, and what follows from each."""

from __future__ import annotations

import random
from typing import Any, Generic

from . import _clock
from ._answer import Answer, UnreadableAnswerError
from ._call import Attempt, Call, Reading, T
from ._deadline import NEVER, Deadline, TimeLimit
from ._exchange import Exchange
from ._failures import is_resent, nothing_there
from ._gates import Gates
from ._passage import Passage
from ._retry import delay_after
from ._settings import Settings
from ._submission import Submission
from ._waits import Wait
from .config import RetryPolicy
from .errors import ConfigurationError, DeerAPIError, NotFoundError
from .models import Video

_ONE_ATTEMPT = RetryPolicy(attempts=1, budget=0.0)


class Allowance:
    """What a call may still use: attempts, and time in which another may start."""

    attempts: int
    ends: Deadline

    def __init__(self, policy: RetryPolicy, latest: Deadline) -> None:
        self.policy = policy
        self._latest = latest
        self.renew()

    def permits(self, delay: float) -> bool:
        """Whether there is time for an attempt that starts after `delay` seconds."""
        return _clock.monotonic() + delay <= self.ends.at

    def renew(self) -> None:
        """Count attempts and time from here."""
        self.attempts = 0
        self.ends = Deadline.after(self.policy.budget).or_earlier(self._latest)


class Run(Generic[T]):
    """The attempts of one call, as both twins drive them: begin, then succeeded or failed.

    Attributes:
        call: What is asked for.
        passage: Its way through the gate, from `line_up` on.
    """

    passage: Passage

    def __init__(
        self,
        settings: Settings,
        call: Call[T],
        *,
        waiting: Wait | None = None,
        deadline: Deadline | None = None,
        submission: Submission | None = None,
    ) -> None:
        self.call = call
        self._settings = settings
        self._waiting = waiting
        self._submission = submission
        self._deadline = deadline or NEVER
        self._number = 0
        policy = settings.retry
        if waiting is not None:
            self._deadline = waiting.deadline
            self._number = waiting.polls
            policy = _ONE_ATTEMPT
        self._started = _clock.monotonic()
        self._allowance = Allowance(policy, self._latest_start())

    def _latest_start(self) -> Deadline:
        """No attempt starts after the deadline."""
        return self._deadline

    def line_up(self, gates: Gates) -> Passage:
        """Take a place at the gate. It is left when the context of what this returns ends."""
        self.passage = Passage(gates, self.call, self._settings, self._started)
        return self.passage

    def pause(self) -> float:
        """For how many seconds to wait until the next attempt may begin; 0.0 once it may.

        Raises:
            RateLimitError: That is not in time.
        """
        ends = self._allowance.ends
        if self._waiting is not None:
            ends = self._deadline
        return self.passage.pause(ends, self._number + 1)

    def begin(self) -> Exchange:
        """The next attempt."""
        self._number += 1
        self._allowance.attempts += 1
        # No deadline ever clips a paid submit.
        deadline = NEVER if self.call.paid else self._deadline
        at_the_latest = Deadline(self._allowance.ends.at + self._settings.longest_operation)
        limit = TimeLimit(at_the_latest.or_earlier(deadline), deadline)
        self._exchange = self._make_exchange(Attempt(self.call, self._number), limit)
        if self._submission is not None:
            self._submission.begin(self._exchange)
        return self._exchange

    def _make_exchange(self, attempt: Attempt, limit: TimeLimit) -> Exchange:
        return Exchange(self._settings, attempt, limit)

    def succeeded(self) -> T:
        """The result of the attempt that brought a 2xx."""
        self.passage.answered()
        exchange = self._exchange
        answer = exchange.known_answer()
        reading = self._read(answer)
        value = reading.value
        if self._submission is not None and isinstance(value, Video):
            self._submission.accepted(value, exchange)
        if reading.problems:
            self._judge(reading.problems, value)
        self._tell_attempt()
        if self._waiting is not None and isinstance(value, Video):
            self._waiting.answered(value, answer)
        return value

    def _read(self, answer: Answer) -> Reading[T]:
        problem = ""
        try:
            return self.call.read(answer)
        except UnreadableAnswerError as unreadable:
            problem = str(unreadable)
        # Raised here and not while the other is handled, for its traceback may show the answer.
        raise self._exchange.unreadable(problem)

    def _judge(self, problems: tuple[str, ...], value: T) -> None:
        """Warn of an answer that breaks the contract, or raise if the client is strict."""
        exchange = self._exchange
        detail = ", ".join(problems)
        if self._settings.strict:
            error = exchange.unreadable(f"the answer breaks the contract: {detail}")
            if isinstance(value, Video):
                error.video = value
                error.video_id = value.id
            raise error
        event = exchange.attempt.event("drifted", exchange.answer, detail=detail)
        self._settings.journal.drifted(event, problems)

    def failed(self, error: DeerAPIError) -> float | None:
        """Complete the error of an attempt; seconds until the next one, None if there is none."""
        exchange = self._exchange
        if error is exchange.users_error:
            return None
        error.attempts = self._number
        if isinstance(error, ConfigurationError) and not exchange.is_sent:
            error.attempts -= 1
        error.video_id = error.video_id or self.call.video_id
        if error.request_id is None and exchange.answer is not None:
            error.request_id = exchange.answer.request_id
        if isinstance(error, ConfigurationError):
            return None
        if isinstance(error, NotFoundError):
            nothing_there(error, self._settings.base_url)
        if self._submission is not None:
            self._submission.failed(error)
        if self._waiting is not None and exchange.answer is not None:
            self._waiting.failed(error, exchange.answer)
        self._tell_attempt(error)
        costs_an_attempt = self.passage.failed(error, exchange.answer)
        if not costs_an_attempt and self._waiting is None:
            self._allowance.attempts -= 1
        delay = self._delay_after(error)
        retry = exchange.attempt.event(
            "retry", exchange.answer, since=self._started, delay=delay, request_id=error.request_id
        )
        self._settings.journal.attempt_failed(retry, error)
        return delay

    def _delay_after(self, error: DeerAPIError) -> float | None:
        if not is_resent(error, paid=self.call.paid):
            return None
        delay = delay_after(
            self._allowance.policy,
            attempts=self._allowance.attempts,
            status=getattr(error, "status_code", None),
            retry_after=self.passage.seconds_after(error),
            paid=self.call.paid,
            draw=random.random(),  # noqa: S311  # Full jitter, not secrecy.
        )
        if delay is None or not self._allowance.permits(delay):
            return None
        return delay

    def _tell_attempt(self, error: DeerAPIError | None = None) -> None:
        journal = self._settings.journal
        if not journal.is_heard:
            return
        exchange = self._exchange
        details: dict[str, Any] = {}
        if error is not None:
            details["request_id"] = error.request_id
        journal.emit(exchange.attempt.event("attempt", exchange.answer, **details))
        if self._waiting is not None:
            since = self._waiting.started
            journal.emit(exchange.attempt.event("poll", exchange.answer, since=since, **details))

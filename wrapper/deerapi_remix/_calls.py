"""The attempts of one call, and what follows from each."""

from __future__ import annotations

import random
from typing import Any, Generic

from . import _clock
from ._answer import UnreadableAnswerError
from ._call import Attempt, Call, T
from ._deadline import NEVER, Deadline, TimeLimit
from ._download import Transfer
from ._exchange import Exchange
from ._failures import is_resent, is_unknown, nothing_there
from ._file_exchange import FileExchange
from ._retry import delay_after
from ._settings import Settings
from ._submission import Submission
from ._waits import GRACE_OF_A_NEW_JOB, Wait
from .config import RetryPolicy
from .errors import ConfigurationError, DeerAPIError, NotFoundError, Reason, WaitTimeoutError
from .models import Video

_ONE_ATTEMPT = RetryPolicy(attempts=1, budget=0.0)


class Allowance:
    """What a call may still use: attempts, and time in which another may start."""

    def __init__(self, policy: RetryPolicy, latest: Deadline) -> None:
        self.policy = policy
        self.attempts = 0
        self.ends = NEVER
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
    """

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
        exchange = self._exchange
        answer = exchange.known_answer()
        try:
            reading = self.call.read(answer)
        except UnreadableAnswerError as unreadable:
            problem = str(unreadable)
        else:
            problem = ""
        if problem:
            raise exchange.unreadable(problem)
        value = reading.value
        if self._submission is not None and isinstance(value, Video):
            self._submission.accepted(value, exchange)
        if reading.problems:
            self._judge(reading.problems, value)
        self._tell_attempt()
        if self._waiting is not None and isinstance(value, Video):
            self._waiting.answered(value, answer)
        return value

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
        self._tell_attempt(error)
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
            retry_after=getattr(error, "retry_after", None),
            paid=self.call.paid,
            draw=random.random(),  # noqa: S311  # Full jitter, not secrecy.
        )
        if delay is None or not self._allowance.permits(delay):
            return None
        return delay

    def _tell_attempt(self, error: DeerAPIError | None = None) -> None:
        exchange = self._exchange
        details: dict[str, Any] = {}
        if error is not None:
            details["request_id"] = error.request_id
        journal = self._settings.journal
        journal.emit(exchange.attempt.event("attempt", exchange.answer, **details))
        if self._waiting is not None:
            since = self._waiting.started
            journal.emit(exchange.attempt.event("poll", exchange.answer, since=since, **details))


class FileRun(Run[None]):
    """The attempts of one download.

    With a deadline the job is known to be completed, so the file must come: it is asked for again
    until then. New bytes renew attempts and budget.
    """

    def __init__(
        self,
        settings: Settings,
        call: Call[None],
        transfer: Transfer,
        deadline: Deadline | None = None,
    ) -> None:
        self._transfer = transfer
        self._must_come = deadline is not None
        self._last_error: DeerAPIError | None = None
        super().__init__(settings, call, deadline=deadline)

    def _latest_start(self) -> Deadline:
        """`begin` gives up at the deadline, with an error of its own."""
        return NEVER

    def begin(self) -> Exchange:
        """The next attempt; WaitTimeoutError if the time for the file is up."""
        if self._deadline.has_passed():
            message = "download: the deadline passed before the file was there"
            raise WaitTimeoutError(message) from self._last_error
        return super().begin()

    def _make_exchange(self, attempt: Attempt, limit: TimeLimit) -> Exchange:
        return FileExchange(self._settings, attempt, limit, self._transfer)

    def _delay_after(self, error: DeerAPIError) -> float | None:
        self._last_error = error
        if self._transfer.advanced:
            self._allowance.renew()
        left = self._deadline.left()
        if self._must_come and self._is_not_there_yet(error):
            self._allowance.renew()  # Not a failure: the server works, and so does the job.
            return min(self._settings.polling.initial_interval, left)
        if left == 0 and error.retryable:
            return 0.0
        delay = super()._delay_after(error)
        if delay is None:
            return None
        return min(delay, left)

    def _is_not_there_yet(self, error: DeerAPIError) -> bool:
        if error.reason is Reason.NOT_READY:
            return True
        if _clock.monotonic() - self._started >= GRACE_OF_A_NEW_JOB:
            return False
        return is_unknown(error)

"""The way of one call through its gate."""

from __future__ import annotations

import math
import random
from typing import Any, Self

from . import _clock
from ._answer import Answer
from ._call import Attempt, Call
from ._deadline import Deadline
from ._failures import is_resent
from ._gates import Gates
from ._settings import Settings
from .errors import DeerAPIError, RateLimitError

# What a server asks for in answer to one call may be absurd, and must not silence all others for
# longer than so many seconds: then one of them asks again. The call itself waits as it was told.
LONGEST_HOLD = 60.0
LONGEST_HOLD_OF_SUBMITS = 3600.0


class Passage:
    """The way of one call through its gate, again after each answer of 429.

    When its context ends, nothing of the call is left at the gate, however the call ends; at the
    latest once nobody knows the call any more, for a signal handler may raise as the context ends.

    Args:
        gates: Those of the client.
        call: The call.
        settings: Those of the client.
        started: When the call began, on the monotonic clock.

    Attributes:
        bell: What to wait for; None where only time lets the call go.
    """

    def __init__(self, gates: Gates, call: Call[Any], settings: Settings, started: float) -> None:
        known = settings.retry.submits_per_second if call.paid else None
        self.bell: Any = None
        self._gates = gates
        self._gate = gates.gate(paid=call.paid)
        self._call = call
        self._settings = settings
        self._started = started
        self._is_told = False
        self._last_error: DeerAPIError | None = None
        self._place = self._gate.arrive(math.inf if known is None else known)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._gate.knows(self._place):
            self._leave()

    def pause(self, ends: Deadline, number: int) -> float:
        """For how many seconds to wait; with 0.0 the turn has come, and the request must go.

        Args:
            ends: Until when it may go.
            number: Which attempt it is for.

        Raises:
            RateLimitError: The turn does not come in time.
        """
        if self._gate.passes(self._place, _clock.monotonic()):
            return 0.0
        with self._gates.lock:
            seconds = self._gate.seconds(self._place, _clock.monotonic())
            self._ring()
            if seconds > 0:
                self._listen()
        if seconds == 0:
            self._is_told = False
            return 0.0
        left = ends.left()
        if left == 0 or self._held_for() > left:
            raise self._without_turn()
        if not self._is_told:
            self._tell(number)
        return min(seconds, left)

    def answered(self) -> None:
        """An answer came that says nothing about the pace."""
        gate = self._gate
        if gate.is_free:
            gate.accepted(self._place, _clock.monotonic())
            if gate.is_free:  # Else somebody waits since just now, and perhaps for this answer.
                return
        with self._gates.lock:
            gate.accepted(self._place, _clock.monotonic())
            self._ring()

    def failed(self, error: DeerAPIError, answer: Answer | None) -> bool:
        """The attempt failed; whether that counts as one.

        An answer of 429 does not where it is a matter of time only: at this pace others are taken.
        """
        self._last_error = error
        if answer is None:
            self._leave()
        elif isinstance(error, RateLimitError) and is_resent(error, paid=self._call.paid):
            self._is_told = True  # By the event of the retry.
            return not self._refused(error.retry_after)
        else:
            self.answered()
        return True

    def seconds_after(self, error: DeerAPIError) -> float | None:
        """For how many seconds the server, or the gate for it, asks to wait after this error."""
        if isinstance(error, RateLimitError):
            return max(self._held_for(), error.retry_after or 0.0)
        return getattr(error, "retry_after", None)

    def _refused(self, retry_after: float | None) -> bool:
        now = _clock.monotonic()
        draw = random.random()  # noqa: S311  # Jitter, not secrecy.
        if retry_after is not None:
            longest = LONGEST_HOLD_OF_SUBMITS if self._call.paid else LONGEST_HOLD
            retry_after = min(retry_after, longest)
        with self._gates.lock:
            is_a_matter_of_time = self._gate.refused(
                self._place, now, retry_after, self._settings.retry, draw
            )
            self._ring()
        return is_a_matter_of_time

    def _leave(self) -> None:
        with self._gates.lock:
            self._gate.leave(self._place)
            self._ring()

    def _listen(self) -> None:
        if self._place.bell is None:
            self._place.bell = self._gates.make_bell()
        only_time = self._gate.head is self._place and not self._gate.awaits_answers
        self.bell = None if only_time else self._place.bell

    def _ring(self) -> None:
        """Wake those whose turn may have come."""
        for place in self._gate.next_in_line(_clock.monotonic()):
            if place is not self._place and place.bell is not None:
                place.bell.ring()

    def _held_for(self) -> float:
        return max(self._gate.held_until - _clock.monotonic(), 0.0)

    def _without_turn(self) -> DeerAPIError:
        if self._last_error is not None:
            return self._last_error
        message = "no turn came in time, because the server answers others with 429"
        return RateLimitError(
            f"{self._call.operation}: nothing was sent: {message}",
            status_code=429,
            message=message,
            retry_after=self._held_for() or None,
            retryable=True,
            video_id=self._call.video_id,
        )

    def _tell(self, number: int) -> None:
        """Tell that the call waits, and for how long as far as can be said."""
        self._is_told = True
        delay = self._held_for() + self._gate.seconds_to_pass(self._place, _clock.monotonic())
        event = Attempt(self._call, number, self._started).event("paced", None, delay=delay)
        self._settings.journal.emit(event)

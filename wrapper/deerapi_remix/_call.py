"""What is asked for, one attempt at it, and what an answer to it was read as."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import attrs

from . import _clock
from ._answer import Answer
from .models import Event, EventKind

T = TypeVar("T")


@attrs.frozen
class Reading(Generic[T]):
    """What an answer was read as.

    Attributes:
        value: The result.
        problems: How the answer breaks the contract: what is missing, null or of another type.
    """

    value: T
    problems: tuple[str, ...] = ()


@attrs.frozen
class Call(Generic[T]):
    """What is asked for.

    Attributes:
        operation: Its name in errors, logs and events.
        send: Has the generated function build the request and hand it to a seam. Awaitable with an
            `AsyncSeam`.
        read: Makes the result from the answer; raises `UnreadableAnswerError` if it cannot.
        video_id: The video it is about.
        paid: Whether it costs money.
    """

    operation: str
    send: Callable[[Any], Any]
    read: Callable[[Answer], Reading[T]]
    video_id: str | None = None
    paid: bool = False


@attrs.frozen
class Attempt:
    """One attempt at a call.

    Attributes:
        call: What is asked for.
        number: Counts from 1 within the call, or within the wait for polls.
        started: When it began, on the monotonic clock.
    """

    call: Call[Any]
    number: int
    started: float = attrs.field(factory=lambda: _clock.monotonic())

    def event(
        self, kind: EventKind, answer: Answer | None, *, since: float | None = None, **details: Any
    ) -> Event:
        """What is known of this attempt.

        Args:
            kind: What happened.
            answer: What came back, if something did.
            since: Since when time is counted. Default: since the attempt began.
            details: Further fields of the event.
        """
        if since is None:
            since = self.started
        if answer is not None:
            details = {"status_code": answer.status, "request_id": answer.request_id, **details}
        return Event(
            kind,
            self.call.operation,
            self.number,
            video_id=self.call.video_id,
            elapsed=_clock.monotonic() - since,
            **details,
        )

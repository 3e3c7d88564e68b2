"""What a client tells while it works: its log records and events. Never a key, prompt or body."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from ._call import Call
from .config import check_callbacks
from .errors import DeerAPIError
from .models import Event

logger = logging.getLogger("deerapi_remix")


def _log(level: int, event: str, text: str, *, exc_info: bool = False, **fields: Any) -> None:
    fields["event"] = event
    extra = {f"deerapi_{name}": value for name, value in fields.items()}
    logger.log(level, text, fields, extra=extra, exc_info=exc_info)


class Journal:
    """Log and events of one client and its copies."""

    def __init__(self, on_event: Callable[[Event], None] | None) -> None:
        check_callbacks(on_event=on_event)
        self._on_event = on_event
        self._drifts: set[tuple[str, ...]] = set()

    @property
    def is_heard(self) -> bool:
        """Whether somebody listens to events; else none needs to be made."""
        return self._on_event is not None

    def emit(self, event: Event) -> None:
        """Tell the user's function. What it raises is logged: no job may be lost over a metric."""
        if self._on_event is None:
            return
        try:
            self._on_event(event)
        except Exception:
            message = "on_event failed; the call goes on"
            _log(logging.ERROR, "on_event_failed", message, exc_info=True)

    def attempt_failed(self, retry: Event, error: DeerAPIError) -> None:
        """An attempt failed; `delay` is what comes before the next one, None if there is none."""
        message = (
            "%(operation)s: attempt %(attempt)d failed: %(error)s, status %(status_code)s,"
            " request id %(request_id)s"
        )
        then = "no retry" if retry.delay is None else f"next attempt in {retry.delay:.2f} s"
        _log(
            logging.WARNING,
            "attempt_failed",
            f"{message}; {then}",
            operation=retry.operation,
            attempt=retry.attempt,
            status_code=retry.status_code,
            delay=retry.delay,
            request_id=retry.request_id,
            video_id=retry.video_id,
            elapsed=retry.elapsed,
            error=type(error).__name__,
        )
        if retry.delay is not None:
            self.emit(retry)

    def accepted(self, event: Event) -> None:
        """A paid job exists; from here on its id must not get lost."""
        message = "%(operation)s: accepted as %(video_id)s, request id %(request_id)s"
        _log(
            logging.INFO,
            "accepted",
            message,
            operation=event.operation,
            video_id=event.job_id,
            request_id=event.request_id,
        )
        self.emit(event)

    def interrupted(self, call: Call[Any]) -> None:
        """A paid submit ended without an answer being waited for."""
        message = (
            "%(operation)s of %(video_id)s: interrupted while it was sent;"
            " the job may have been accepted and charged"
        )
        fields: dict[str, Any] = {"operation": call.operation, "video_id": call.video_id}
        _log(logging.WARNING, "interrupted", message, **fields)

    def drifted(self, event: Event, problems: tuple[str, ...]) -> None:
        """An answer breaks the contract; told once for each set of problems."""
        drift = (event.operation, *problems)
        if drift in self._drifts:
            return
        self._drifts.add(drift)
        message = (
            "%(operation)s: the answer breaks the contract: %(problems)s; request id %(request_id)s"
        )
        _log(
            logging.WARNING,
            "drifted",
            message,
            operation=event.operation,
            problems=event.detail,
            request_id=event.request_id,
        )
        self.emit(event)

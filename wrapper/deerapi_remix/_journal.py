"""What a client tells while it works: one place for its log records and events. Never a key, prompt or body."""

import logging
from collections.abc import Callable
from typing import Any

import attrs

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
        self._on_event = on_event or (lambda _: None)
        self._drifts: set[tuple[str, ...]] = set()

    def emit(self, event: Event) -> None:
        """Tell the user's function; whatever it raises is logged, for no job may be lost over a metric."""
        try:
            self._on_event(event)
        except Exception:
            _log(
                logging.ERROR, "on_event_failed", "on_event failed; the call goes on", exc_info=True
            )

    def attempt_failed(self, retry: Event, error: DeerAPIError) -> None:
        """An attempt failed; `delay` is what comes before the next one, None if there is none."""
        then = "no retry" if retry.delay is None else f"next attempt in {retry.delay:.2f} s"
        told = "%(operation)s: attempt %(attempt)d failed: %(error)s, status %(status_code)s, request id %(request_id)s"
        fields: dict[str, Any] = attrs.asdict(retry) | {"error": type(error).__name__}
        del fields["kind"]
        _log(logging.WARNING, "attempt_failed", f"{told}; {then}", **fields)
        if retry.delay is not None:
            self.emit(retry)

    def accepted(self, video_id: str, request_id: str | None) -> None:
        """A paid job exists; from here on its id must not get lost."""
        told = "remix: accepted as %(video_id)s, request id %(request_id)s"
        _log(
            logging.INFO,
            "accepted",
            told,
            operation="remix",
            video_id=video_id,
            request_id=request_id,
        )

    def interrupted(self, video_id: str | None) -> None:
        """A paid submit ended without an answer being waited for."""
        told = "remix of %(video_id)s: interrupted while it was sent; the job may have been accepted and charged"
        _log(logging.WARNING, "interrupted", told, operation="remix", video_id=video_id)

    def drifted(self, operation: str, problems: list[str], request_id: str | None) -> None:
        """An answer breaks the contract; told once for each set of problems."""
        drift = (operation, *problems)
        if drift not in self._drifts:
            self._drifts.add(drift)
            told = "%(operation)s: the answer breaks the contract: %(problems)s; request id %(request_id)s"
            what = ", ".join(problems)
            _log(
                logging.WARNING,
                "drifted",
                told,
                operation=operation,
                problems=what,
                request_id=request_id,
            )

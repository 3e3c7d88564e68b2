"""What a client tells while it works: one place for its log records and events. Never a key, prompt or body."""

import logging
from collections.abc import Callable, Iterable

from .config import check_callback
from .errors import DeerAPIError
from .models import Event

logger = logging.getLogger("deerapi_remix")


class Journal:
    """Log and events of one client and its copies."""

    def __init__(self, on_event: Callable[[Event], None] | None) -> None:
        check_callback("on_event", on_event)
        self._on_event = on_event
        self._drifts: set[tuple[str, ...]] = set()

    def emit(self, event: Event) -> None:
        """Tell the user's function; whatever it raises is logged, for no job may be lost over a metric."""
        if self._on_event is None:
            return
        try:
            self._on_event(event)
        except Exception:
            logger.exception("on_event failed; the call goes on")

    def attempt_failed(self, name: str, attempt: int, error: DeerAPIError, status: object, delay: float | None) -> None:
        """An attempt failed; `delay` is what comes before the next one, None if there is none."""
        then = "giving up" if delay is None else f"next attempt in {delay:.2f} s"
        told = "%s: attempt %d failed: %s, status %s, request id %s; %s"
        logger.warning(told, name, attempt, type(error).__name__, status, error.request_id, then)

    def accepted(self, video_id: str, request_id: str | None) -> None:
        """A paid job exists; from here on its id must not get lost."""
        logger.info("remix: accepted as %s, request id %s", video_id, request_id)

    def interrupted(self, video_id: str | None) -> None:
        """A paid submit ended without an answer being waited for."""
        logger.warning(
            "remix of %s: interrupted while it was sent; the job may have been accepted and charged", video_id
        )

    def drifted(self, operation: str, problems: Iterable[str], request_id: str | None) -> None:
        """An answer breaks the contract; told once for each set of problems."""
        drift = (operation, *problems)
        if drift not in self._drifts:
            self._drifts.add(drift)
            logger.warning(
                "%s: the answer breaks the contract: %s; request id %s", operation, ", ".join(drift[1:]), request_id
            )

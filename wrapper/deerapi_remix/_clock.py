"""Time, in one place, so that the testing kit can replace it."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any

# freezegun stops the clocks of a test, wherever it finds their functions. A deadline that never
# comes would let a wait hang, so the real clock is kept where freezegun does not look for it, and
# asked of freezegun itself if this is imported while time is frozen.
_real = {"monotonic": getattr(sys.modules.get("freezegun.api"), "real_monotonic", time.monotonic)}


def monotonic(_monotonic: Callable[[], float] = _real["monotonic"]) -> float:
    """Seconds on the monotonic clock."""
    return _monotonic()


def async_sleep(seconds: float) -> Coroutine[Any, Any, None]:
    """Like `asyncio.sleep`, also where the clock of the event loop stands still.

    It is no coroutine of its own, for thousands of waits sleep at a time.
    """
    if time.monotonic is _real["monotonic"]:
        return asyncio.sleep(seconds)
    return asyncio.to_thread(sleep, seconds)


now = time.time
sleep = time.sleep

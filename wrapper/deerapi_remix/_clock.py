"""Time, in one place, so that the testing kit can replace it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


# A function of its own: what freezes the time of a test looks for `time.monotonic` by identity,
# and a deadline that never comes would let a wait hang.
def monotonic(_monotonic: Callable[[], float] = time.monotonic) -> float:
    """Seconds on the monotonic clock."""
    return _monotonic()


now = time.time
sleep = time.sleep
async_sleep = asyncio.sleep

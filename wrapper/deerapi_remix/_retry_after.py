"""How long a server asks to wait before the next request."""

from __future__ import annotations

import email.utils
import math
import re
from collections.abc import Mapping
from datetime import UTC

from . import _clock

_SECONDS = re.compile(r"[0-9]+(\.[0-9]*)?")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from `Retry-After`; None if there is none, or it is zero, past or nonsense."""
    value = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(value):
        seconds = float(value)
    else:
        date = http_date(value)
        if date is None:
            return None
        # Against the server's own clock where it is told, so that a wrong clock here does no harm.
        sent = http_date(headers.get("date", ""))
        if sent is None:
            sent = _clock.now()
        seconds = date - sent
    if 0 < seconds < math.inf:
        return seconds
    return None


def http_date(value: str) -> float | None:
    """An HTTP date in Unix seconds; None if `value` is none."""
    try:
        date = email.utils.parsedate_to_datetime(value)
        if date.tzinfo is None:
            date = date.replace(tzinfo=UTC)
        return date.timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None

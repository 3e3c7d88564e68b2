"""What all calls of a client share: its settings."""

from __future__ import annotations

import math

import attrs
import httpx

from ._journal import Journal
from ._key import Key
from .config import PollingPolicy, RetryPolicy, check_base_url, check_timeout, exactly


def _longest_operation(settings: Settings) -> float:
    return max(operation_limits(settings.timeout))


def operation_limits(timeout: httpx.Timeout) -> list[float]:
    """How long each operation of a socket may take, in seconds; `math.inf` where nothing says."""
    return [math.inf if limit is None else limit for limit in timeout.as_dict().values()]


# No repr: a traceback may show one that was never finished, and a generated one would fail on it.
@attrs.frozen(repr=False)
class Settings:
    """What all calls of a client share.

    Attributes:
        longest_operation: The longest that one operation of a socket may take, in seconds.
    """

    key: Key
    base_url: str = attrs.field(converter=check_base_url)
    timeout: httpx.Timeout = attrs.field(converter=check_timeout)
    retry: RetryPolicy = attrs.field(validator=exactly(RetryPolicy))
    polling: PollingPolicy = attrs.field(validator=exactly(PollingPolicy))
    strict: bool = attrs.field(validator=exactly(bool))
    journal: Journal
    longest_operation: float = attrs.field(
        init=False, default=attrs.Factory(_longest_operation, takes_self=True)
    )

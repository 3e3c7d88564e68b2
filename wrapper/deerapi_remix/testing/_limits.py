"""How much a key may ask: a bucket of tokens for each kind of request, and how many at once."""

import math

from attrs import define

from deerapi_remix.testing._chaos import Chaos
from deerapi_remix.testing._messages import Answer, RecordedRequest, nested_error

# Keys whose buckets are remembered; a key that has not asked for long is forgotten first.
_KEYS = 1_000


@define
class _Bucket:
    tokens: float
    filled: float


class Limits:
    """Counts what each key sends; submits and free requests apart, as gateways do."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[str, bool], _Bucket] = {}

    def clear(self) -> None:
        """Forget what was sent."""
        self._buckets.clear()

    def refusal(
        self, key: str, call: RecordedRequest, chaos: Chaos, *, paid: bool, at_once: int, now: float
    ) -> Answer | None:
        """The 429 to a request that is one too many, else None."""
        if chaos.concurrency is not None and at_once > chaos.concurrency:
            message = f"More than {chaos.concurrency} calls at once"
            return nested_error(call.request_id, 429, message)
        if chaos.rate is None:
            return None
        seconds = self._seconds_to_wait((key, paid), chaos.rate, now)
        if seconds == 0:
            return None
        message = f"More than {chaos.rate:g} calls a second"
        headers = {"retry-after": str(max(math.ceil(seconds), 1))}
        return nested_error(call.request_id, 429, message, headers=headers)

    def _seconds_to_wait(self, whose: tuple[str, bool], rate: float, now: float) -> float:
        """Take a token and return 0; where there is none, the seconds until there will be one."""
        size = max(rate, 1.0)
        # Taken out and put in again, so that the key which asked last stands last.
        bucket = self._buckets.pop(whose, None) or _Bucket(size, now)
        self._buckets[whose] = bucket
        if len(self._buckets) > _KEYS:
            del self._buckets[next(iter(self._buckets))]
        bucket.tokens = min(bucket.tokens + (now - bucket.filled) * rate, size)
        bucket.filled = now
        # A millionth of a token may be missing where the clock was moved in small steps.
        if bucket.tokens < 1 - 1e-6:
            return (1 - bucket.tokens) / rate
        bucket.tokens -= 1
        return 0.0

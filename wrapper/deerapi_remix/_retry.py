"""Whether and when a failed request is sent again. Pure: given what happened, how long to wait, or stop."""

import random

from .config import RetryPolicy
from .errors import DeerAPIError


def delay_after(
    error: DeerAPIError, policy: RetryPolicy, *, paid: bool, attempts: int
) -> float | None:
    """Seconds to wait before another attempt; None if there is to be none.

    Args:
        error: What became of the latest attempt.
        policy: Bounds count and delays; its budget is the caller's to keep.
        paid: Whether the request costs money.
        attempts: How many attempts were made.
    """
    status, retry_after = getattr(error, "status_code", None), getattr(error, "retry_after", None)
    unwanted = paid and not policy.resend_paid and status in (500, 503)
    if unwanted or not error.retryable or attempts >= policy.attempts:
        return None
    if retry_after is not None:
        return min(float(retry_after), 1e9)  # More overflows `time.sleep`.
    # Beyond 2**60 the power no longer matters, and would overflow a float one day.
    bound = min(policy.max_delay, policy.initial_delay * 2.0 ** min(attempts - 1, 60))
    return random.uniform(0, bound)  # noqa: S311  # Full jitter, not secrecy.

"""Whether and when a failed request is sent again. Pure: the caller brings the chance."""

from __future__ import annotations

from .config import RetryPolicy

# More overflows `time.sleep`.
LONGEST_SLEEP = 1e9
# Beyond 2**60 the power no longer matters, and would overflow a float one day.
_MOST_DOUBLINGS = 60


def backoff(policy: RetryPolicy, *, attempts: int, draw: float) -> float:
    """Seconds before another attempt: exponential backoff with full jitter.

    Args:
        policy: Bounds the delays.
        attempts: How many attempts were made.
        draw: A number between 0 and 1, drawn by chance.
    """
    doublings = min(attempts - 1, _MOST_DOUBLINGS)
    return draw * min(policy.max_delay, policy.initial_delay * 2.0**doublings)


def delay_after(
    policy: RetryPolicy,
    *,
    attempts: int,
    status: int | None,
    retry_after: float | None,
    paid: bool,
    draw: float,
) -> float | None:
    """Seconds before what may be sent again is sent again; None if the policy says no.

    Args:
        policy: Bounds count and delays; its budget is the caller's to keep.
        attempts: How many attempts were made.
        status: The HTTP status of the last one, if an answer came.
        retry_after: Seconds that the server asks to wait, if it does.
        paid: Whether the request costs money.
        draw: A number between 0 and 1, drawn by chance.
    """
    if attempts >= policy.attempts:
        return None
    if paid and status in (500, 503) and not policy.resend_paid:
        return None
    if retry_after is not None:
        return min(retry_after, LONGEST_SLEEP)
    return backoff(policy, attempts=attempts, draw=draw)

"""Servers that refuse what is too much, in virtual time."""

import math
from typing import Protocol


class Server(Protocol):
    """What answers a request: with 429, or after a while.

    Attributes:
        retry_after: For how many seconds an answer of 429 asks to wait; None if it does not.
    """

    retry_after: float | None

    def takes(self, now: float) -> bool:
        """Whether a request that arrives now is accepted."""
        ...

    def finished(self) -> None:
        """One that was accepted is answered."""
        ...

    def free_at(self, now: float) -> float:
        """When it takes the next one; `math.inf` if that depends on those under way. For the clairvoyant."""
        ...


class Rate:
    """Takes so many requests a second, and `burst` at once after a pause.

    From `changes_at` on, it is `factor` times as many.
    """

    def __init__(
        self,
        rate: float,
        burst: int,
        retry_after: float | None = None,
        *,
        changes_at: float = math.inf,
        factor: float = 1.0,
    ) -> None:
        self.retry_after = retry_after
        self._rate = rate
        self._burst = burst
        self._changes_at = changes_at
        self._factor = factor
        self._tokens = float(burst)
        self._counted = 0.0

    def takes(self, now: float) -> bool:
        self._count(now)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def finished(self) -> None:
        pass

    def free_at(self, now: float) -> float:
        self._count(now)
        return now + max(1 - self._tokens, 0.0) / self._rate

    def _count(self, now: float) -> None:
        if self._counted < self._changes_at <= now:
            self._add(self._changes_at)
            self._rate *= self._factor
        self._add(now)

    def _add(self, now: float) -> None:
        self._tokens = min(self._tokens + (now - self._counted) * self._rate + 1e-9, self._burst)
        self._counted = now


class AtOnce:
    """Takes so many requests at once."""

    def __init__(self, most: int, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        self._most = most
        self._under_way = 0

    def takes(self, now: float) -> bool:
        if self._under_way == self._most:
            return False
        self._under_way += 1
        return True

    def finished(self) -> None:
        self._under_way -= 1

    def free_at(self, now: float) -> float:
        return now if self._under_way < self._most else math.inf

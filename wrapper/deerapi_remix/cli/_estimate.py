"""How far a job will have come by now, for the time between two polls."""

from __future__ import annotations

from collections.abc import Callable

import attrs


@attrs.define
class Estimate:
    """Goes on from what was last told, as fast as that was reached.

    It is never ahead by more than the last two polls were apart, never at 100 before the server
    says so, and never goes back.

    Attributes:
        clock: Seconds that never go back.
    """

    clock: Callable[[], float]
    _told: float = 0.0
    _told_at: float | None = None
    _rate: float = 0.0
    _step: float = 0.0
    _shown: float = 0.0

    def told(self, percent: float) -> None:
        """The server says how far the job is."""
        now = self.clock()
        if self._told_at is not None and now > self._told_at and percent > self._told:
            self._step = percent - self._told
            self._rate = self._step / (now - self._told_at)
            self._told_at = now
        elif self._told_at is None:
            self._told_at = now
        self._told = percent

    def percent(self) -> float:
        """How far the job may be now."""
        if self._told >= 100 or self._told_at is None:
            self._shown = self._told
            return self._shown
        ahead = min((self.clock() - self._told_at) * self._rate, self._step)
        self._shown = max(self._shown, min(self._told + ahead, 99.0))
        return self._shown

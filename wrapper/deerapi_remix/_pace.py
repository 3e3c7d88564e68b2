"""When the next request may go. Pure: given what came back and when, who goes next and when.

A server answers 429 where too many requests came in a while, or too many at once, and does not say
which of the two. So a gate learns two limits, each from those answers that speak for it: the rate,
from how many requests were accepted in how much time; and the window, from how many others were
unanswered when one was refused. An answer of 429 decreases them. Then they grow slowly for 5 s, and
fast from there on, until they are met again or gone.

`benchmarks/pacing` runs this file in virtual time, beside a clairvoyant who knows the limit. Where
a server takes 5 submits a second, 5 of them at once, 100 submits that are made at once are accepted
within 21 s, at the cost of 11 answers of 429; the clairvoyant needs 19 s. Without a gate, 80
of the 100 fail, after 350 answers of 429. While more is to be sent than a server takes, a 429 comes
every 6 s or so, and 95 % of what the server takes or more is used.
"""

import heapq
import itertools
import math
from typing import Any

import attrs

from ._limits import Burst, Limit, Tally
from .config import RetryPolicy

# What a 429 leaves of the rate. Within a few seconds of the one before it leaves less: the rate
# cannot have grown to the limit in that time, so the limit has fallen.
DECREASED = 0.9
DECREASED_SOON = 0.75
SOON = 2.0
# So many seconds without an accepted request are taken for a pause of the callers.
PAUSE = 2.0
# Times are floats: what is due within so many seconds is due.
_ROUNDING = 1e-6


@attrs.define(eq=False)
class Place:
    """The place of a call in the line, the same one until the call is over.

    Attributes:
        number: Whoever came earlier has a lower one.
        rate: How many requests a second its caller knows to be allowed; `math.inf` if it does not.
        is_waiting: Whether it stands in the line.
        sent_at: When its request was let go, while the answer is awaited; else None.
        others: How many other requests were unanswered then.
        is_paced: Whether there was a limit then.
        bell: What wakes its caller, to whom it belongs.
    """

    number: int
    rate: float
    is_waiting: bool = False
    sent_at: float | None = None
    others: int = 0
    is_paced: bool = False
    bell: Any = None


@attrs.define
class _Hold:
    """A time in which nobody goes, and what is learned from the answers of 429 that began it.

    Attributes:
        began: When the first of them came.
        until: When it ends.
        rate: The learned rate when it began.
        window: The learned window when it began.
        period: Seconds from the end of the hold before it; 0 for the first.
        blames_rate: Whether one of the answers speaks for a lower rate.
        others: How many others were unanswered when a request was sent that a smaller window would
            have held back, at least; `math.inf` if there is no such answer.
        resumed: When the first request was let go again; None until then.
    """

    began: float
    until: float
    rate: float
    window: float
    period: float
    blames_rate: bool = False
    others: float = math.inf
    resumed: float | None = None

    def refused(self, others: int) -> None:
        """Take in an answer of 429 to a request that was sent while so many were unanswered."""
        nothing_known = self.rate == self.window == math.inf
        window_was_full = self.window < others + 2
        if others and (nothing_known or window_was_full):
            self.others = min(self.others, others)
        if nothing_known or not (others and window_was_full):
            self.blames_rate = True

    def decreased_rate(self, accepted: float) -> float:
        """The rate to go on with, given how many requests a second were accepted."""
        if self.rate == math.inf:
            return accepted
        left = DECREASED_SOON if self.period < SOON else DECREASED
        return min(max(accepted, left * self.rate), DECREASED * self.rate)


class Gate:
    """Lets requests of one kind go as fast as the server takes them, in the order they came in.

    A caller takes a place and asks for how many seconds to wait. It asks again after that time, or
    when the bell of its place is rung. It is rung for the head of the line whenever a place was
    left or an answer came. Threads share a lock for the moment in which they ask.

    Args:
        burst: How many requests may be unanswered before anything is known of the server.
    """

    def __init__(self, burst: float = math.inf) -> None:
        self._burst = Burst(burst)
        self._numbers = itertools.count()
        self._line: list[tuple[int, Place]] = []
        self._unanswered = 0
        self._latest = -math.inf
        self._rate = Limit()
        self._window = Limit()
        self._tally = Tally()
        self._hold: _Hold | None = None
        self._holds_in_a_row = 0

    @property
    def head(self) -> Place | None:
        """Who goes next."""
        while self._line and not self._line[0][1].is_waiting:
            heapq.heappop(self._line)
        return self._line[0][1] if self._line else None

    @property
    def held_until(self) -> float:
        """Until when nobody goes, on the monotonic clock."""
        return -math.inf if self._hold is None else self._hold.until

    def arrive(self, rate: float = math.inf) -> Place:
        """Take a place behind all others."""
        return Place(next(self._numbers), rate)

    def seconds(self, place: Place, now: float) -> float:
        """For how long to wait. 0 lets the request go, `math.inf` means until the bell is rung."""
        free = self._hold is None and place.rate == math.inf and not self._line
        if free and self._unanswered < self._burst.width:
            return self._let_go(place, now)
        if not place.is_waiting:
            place.is_waiting = True
            heapq.heappush(self._line, (place.number, place))
        if self.head is not place:
            return math.inf
        due = self._due(place, now)
        return self._let_go(place, now) if due <= now + _ROUNDING else due - now

    def accepted(self, place: Place, now: float) -> None:
        """The request was answered, with another status than 429."""
        self._holds_in_a_row = 0
        if self._hold is None:
            if place.others:  # A burst: one request alone shows nothing.
                self._burst.accepted(place.others)
            self._forget_pause(now)
        self._tally.add(now)
        self.leave(place)

    def refused(
        self, place: Place, now: float, retry_after: float | None, policy: RetryPolicy, draw: float
    ) -> None:
        """The request was answered with 429.

        Args:
            place: The place of its call.
            now: The time, on the monotonic clock.
            retry_after: For how many seconds the server asks to wait, if it does.
            policy: For how long to wait if it does not.
            draw: A random number from 0 to 1, so that processes do not all come back at once.
        """
        sent_at, hold = place.sent_at, self._hold
        self.leave(place)
        if sent_at is None:
            return
        if hold is None:
            self._forget_pause(sent_at)
        if hold is None or (hold.resumed is not None and sent_at >= hold.resumed):
            period = now - hold.resumed if hold and hold.resumed is not None else 0.0
            until = now + (retry_after or self._backoff(policy, draw))
            hold = _Hold(now, until, self._rate.at(now), self._window.at(now), period)
            self._hold = hold
            self._holds_in_a_row += 1
        elif retry_after is not None:
            hold.until = max(hold.until, now + retry_after)
        if hold.resumed is None:
            hold.refused(place.others)

    def leave(self, place: Place) -> None:
        """The call is over, or waits no longer."""
        place.is_waiting = False
        if place.sent_at is not None:
            place.sent_at = None
            self._unanswered -= 1

    def _let_go(self, place: Place, now: float) -> float:
        place.is_waiting = False
        place.sent_at = self._latest = now
        place.others = self._unanswered
        place.is_paced = self._hold is not None or place.rate < math.inf
        self._unanswered += 1
        if self._line and self.head is None:
            self._burst.since = None
        return 0.0

    def _due(self, place: Place, now: float) -> float:
        """When the head of the line may go, unless an answer comes before."""
        if now + _ROUNDING < self.held_until:
            return self.held_until
        if self._hold and self._hold.resumed is None:
            self._resume(self._hold, now)
        rate, window = self._rate.at(now), self._window.at(now)
        if self._hold and rate == window == math.inf:
            self._hold = None
            self._burst = Burst(self._burst.initial)
        if self._hold is None and place.rate == math.inf:
            is_full = self._unanswered + 1 > self._burst.at(now) + _ROUNDING
            return self._burst.reaches(self._unanswered + 1, now) if is_full else now
        due = self._latest + 1 / min(rate, place.rate)
        if self._unanswered + 1 > max(window, 1.0) + _ROUNDING:
            due = max(due, self._window.reaches(self._unanswered + 1))
        return due

    def _resume(self, hold: _Hold, now: float) -> None:
        """Learn from a hold that is over; not before, since answers came while it lasted."""
        # The longer a hold takes, the more slowly the limits grow, so that holds do not take most
        # of the time. The time from the hold before bounds that, for a server may ask for a much
        # longer hold than it needs.
        unit = max(min(hold.until - hold.began, hold.period), 1.0)
        if hold.blames_rate:
            self._rate = Limit(hold.decreased_rate(self._tally.rate(hold.until)), now, unit)
        if hold.others < math.inf:
            self._window = Limit(hold.others, now, unit)
        self._tally.restart(now)
        hold.resumed = now

    def _forget_pause(self, now: float) -> None:
        """Count anew after a time without calls: it says nothing about the server."""
        if now - self._tally.latest > PAUSE:
            self._tally.restart(now)

    def _backoff(self, policy: RetryPolicy, draw: float) -> float:
        bound = min(policy.max_delay, policy.initial_delay * 2.0 ** min(self._holds_in_a_row, 60))
        return bound * (1 + draw) / 2

"""What a gate learns of a server: limits that grow until they are met again. Pure.

The constants were chosen with `benchmarks/pacing`, which says what each choice costs.
"""

from __future__ import annotations

import math

import attrs

# Before anything is known of a server so many submits, or requests that are free, go at once. As
# long as no answer of 429 comes, half as many again go as were accepted at once, and twice as many
# may be unanswered after each of these seconds: 100 submits at once are on their way after 2.3 s
# however slowly they are answered, and 100 polls after 0.8 s. Wider or faster, and more are refused
# where a server takes few; narrower, and small bursts are delayed, too.
BURST_OF_SUBMITS = 4
BURST_OF_THE_REST = 32
BURST_GROWTH = 1.5
BURST_DOUBLING = 0.5
# A limit is trusted for so many seconds. For fewer, more requests are refused while nothing
# changes; for more, it is noticed later that the server takes more.
TRUSTED = 5.0
# In each of these seconds it grows by this share: in all about as much as a 429 takes off.
INCREASE = 0.03
# From then on it doubles in so many seconds: three of them lead from 5 to 40 requests a second.
DOUBLING = 1.0
# A limit that was doubled so often without a 429 is none any more.
DOUBLINGS = 10
# Requests are counted over so many seconds at most, so that the rate is the one of now.
MEMORY = 10.0
# What a 429 leaves of the rate. Within a few seconds of the one before it leaves less: the rate
# cannot have grown to the limit in that time, so the limit has fallen.
DECREASED = 0.9
DECREASED_SOON = 0.75
SOON = 2.0
# So many seconds without an accepted request are taken for a pause of the callers.
PAUSE = 2.0


@attrs.frozen
class Limit:
    """A limit that grows until the next 429 renews it. The default is no limit.

    Attributes:
        value: What was learned.
        since: When, on the monotonic clock.
        unit: How many times slower than usual it grows.
    """

    value: float = math.inf
    since: float = 0.0
    unit: float = 1.0

    def at(self, now: float) -> float:
        """The limit at this time."""
        age = max(now - self.since, 0.0) / self.unit
        doublings = max(age - TRUSTED, 0.0) / DOUBLING
        if doublings >= DOUBLINGS:
            return math.inf
        growth: float = (1 + INCREASE * min(age, TRUSTED)) * 2.0**doublings
        return self.value * growth

    def reaches(self, target: float) -> float:
        """The time at which the limit is this high."""
        growth = target / self.value
        while_trusted = 1 + INCREASE * TRUSTED
        if growth <= while_trusted:
            age = max(growth - 1, 0.0) / INCREASE
        else:
            age = TRUSTED + DOUBLING * math.log2(growth / while_trusted)
        return self.since + age * self.unit


@attrs.define
class Burst:
    """How many requests may be unanswered before anything is known of the server.

    Attributes:
        initial: How many at first.
        width: How many by now, by what was accepted.
        since: Since when one waits because so many are unanswered; None while none does.
    """

    initial: float
    width: float = attrs.field(init=False)
    since: float | None = None

    def __attrs_post_init__(self) -> None:
        self.width = self.initial

    def at(self, now: float) -> float:
        """How many at this time."""
        if self.since is None:
            return self.width
        growth: float = 2.0 ** min((now - self.since) / BURST_DOUBLING, 60.0)
        return self.width * growth

    def reaches(self, target: float, now: float) -> float:
        """The time at which so many may be unanswered. Somebody waits for it from now on."""
        if self.since is None:
            self.since = now
        return self.since + BURST_DOUBLING * math.log2(target / self.width)

    def accepted(self, others: int) -> None:
        """A request was accepted that went out while so many others were unanswered."""
        self.width = max(self.width, BURST_GROWTH * (others + 1))


@attrs.define
class Tally:
    """How many requests were accepted since when.

    Attributes:
        count: How many.
    """

    count: float = 0.0
    _since: float = 0.0
    _latest: float = -math.inf

    def restart(self, now: float) -> None:
        """Count from here."""
        self.count, self._since = 0.0, now

    def add(self, now: float) -> None:
        """Count one."""
        age = now - self._since
        if age > MEMORY:  # The rate stays the same, but weighs as if seen for half of that time.
            self.count *= MEMORY / 2 / age
            self._since = now - MEMORY / 2
        self.count += 1
        self._latest = now

    def forget_pause(self, now: float) -> None:
        """Count anew after a time in which nothing was asked: it says nothing about the server."""
        if now - self._latest > PAUSE:
            self.restart(now)

    def rate(self, now: float) -> float:
        """How many a second. One in all this time is the least: the next request finds out."""
        return max(self.count, 1.0) / max(now - self._since, 0.001)


@attrs.define
class Hold:
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

    def unit(self) -> float:
        """How many times slower than usual the limits grow after it.

        The longer a hold takes, the more slowly they do, so that holds do not take most of the
        time. The time from the hold before bounds that, for a server may ask for a much longer hold
        than it needs.
        """
        return max(min(self.until - self.began, self.period), 1.0)

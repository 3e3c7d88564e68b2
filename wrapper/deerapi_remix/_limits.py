"""What a gate learns of a server: limits that grow until they are met again. Pure.

The constants were chosen with `benchmarks/pacing`, which says what each choice costs.
"""

import math

import attrs

# Before anything is known of a server so many submits go at once. As long as no answer of 429
# comes, half as many again go as were accepted at once, and twice as many may be unanswered after
# each of these seconds: 100 submits at once are on their way after 2.3 s however slowly they are
# answered. Wider or faster, and more are refused where a server takes few; narrower, and small
# bursts are delayed, too.
BURST = 4
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
        return self.value * (1 + INCREASE * min(age, TRUSTED)) * 2.0**doublings

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
        return self.width * 2.0 ** min((now - self.since) / BURST_DOUBLING, 60.0)

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
        latest: When the last one was.
    """

    latest: float = -math.inf
    _count: float = 0.0
    _since: float = 0.0

    def restart(self, now: float) -> None:
        """Count from here."""
        self._count, self._since = 0.0, now

    def add(self, now: float) -> None:
        """Count one."""
        age = now - self._since
        if age > MEMORY:  # The rate stays the same, but weighs as if seen for half of that time.
            self._count *= MEMORY / 2 / age
            self._since = now - MEMORY / 2
        self._count += 1
        self.latest = now

    def rate(self, now: float) -> float:
        """How many a second. One in all this time is the least: the next request finds out."""
        return max(self._count, 1.0) / max(now - self._since, 0.001)

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

from __future__ import annotations

import math

from ._limits import Burst, Hold, Limit, Tally
from ._line import Line, Place
from ._retry import backoff
from .config import RetryPolicy

# Fewer accepted requests than this do not tell a rate.
FEW = 2
# Times are floats: what is due within so many seconds is due.
_ROUNDING = 1e-6


class Gate:
    """Lets requests of one kind go as fast as the server takes them, in the order they came in.

    A caller takes a place and asks for how many seconds to wait. It asks again after that time, or
    when the bell of its place is rung. It is rung for the next in line whenever a place was left or
    an answer came. Threads share a lock for the moment in which they ask; what says that it
    needs none goes without, since until a first 429 a gate costs next to nothing.

    Args:
        burst: How many requests may be unanswered before anything is known of the server.
    """

    def __init__(self, burst: float = math.inf) -> None:
        self._burst = Burst(burst)
        self._line = Line()
        self._latest = -math.inf
        self._rate = Limit()
        self._window = Limit()
        self._tally = Tally()
        self._hold: Hold | None = None
        self._holds_in_a_row = 0

    @property
    def head(self) -> Place | None:
        """Who goes next."""
        return self._line.head

    def knows(self, place: Place) -> bool:
        """Whether the call waits here, or the answer to it is awaited."""
        return place.is_waiting or place.entry in self._line.unanswered

    @property
    def awaits_answers(self) -> bool:
        """Whether requests are unanswered, whose answers may let the head of the line go."""
        return bool(self._line.unanswered)

    @property
    def held_until(self) -> float:
        """Until when nobody goes, on the monotonic clock."""
        return -math.inf if self._hold is None else self._hold.until

    def seconds_to_pass(self, place: Place, now: float) -> float:
        """How long it takes until all in the line have gone, at the rate of now, or at its own."""
        return len(self._line) / min(self._rate.at(now), place.rate)

    def arrive(self, rate: float = math.inf) -> Place:
        """Take a place behind all others."""
        return self._line.arrive(rate)

    @property
    def is_free(self) -> bool:
        """Whether there is no limit, and nobody waits."""
        return self._hold is None and not self._line

    def passes(self, place: Place, now: float) -> bool:
        """Let the request go if nothing is to be waited for. It needs no lock.

        It takes nobody's turn where there is room for all who wait, too. Were it to stand behind
        them, then under steady load each call would stand in a line that never ends.
        """
        if place.is_waiting or place.rate < math.inf or not self._has_room(1, now):
            return False
        self._let_go(place, now)
        return True

    def next_in_line(self, now: float) -> list[Place]:
        """Who is to ask again: the head of the line, or everybody where there is room for all."""
        head = self.head
        if head is None:
            return []
        if not self._has_room(0, now):
            return [head]
        waiting = self._line.in_order()
        return [place for place in waiting if place is head or place.rate == math.inf]

    def _has_room(self, more: int, now: float) -> bool:
        """Whether all who wait may go at once, and so many more, as nothing is known against it."""
        if self._hold is not None:
            return False
        needed = len(self._line.unanswered) + len(self._line) + more
        return needed <= self._burst.at(now)

    def seconds(self, place: Place, now: float) -> float:
        """For how long to wait. 0 lets the request go, `math.inf` means until the bell is rung."""
        if self.passes(place, now):
            return 0.0
        self._line.wait(place)
        if self.head is not place:
            return math.inf
        due = self._due(place, now)
        if due > now + _ROUNDING:
            return due - now
        self._let_go(place, now)
        if self.head is None:
            self._burst.since = None
        return 0.0

    def accepted(self, place: Place, now: float) -> None:
        """The request was answered, with another status than 429.

        While the gate is free it needs no lock. Two threads that count at the same moment may then
        count one request, and a rate is an estimate anyway.
        """
        if place.entry not in self._line.unanswered:
            return
        self._holds_in_a_row = 0
        if self._hold is None:
            if place.others:  # A burst: one request alone shows nothing.
                self._burst.accepted(place.others)
            self._tally.forget_pause(now)
        self._tally.add(now)
        self._line.leave(place)

    def refused(
        self, place: Place, now: float, retry_after: float | None, policy: RetryPolicy, draw: float
    ) -> bool:
        """The request was answered with 429. Its call is in the line again, before later ones.

        Args:
            place: The place of its call.
            now: The time, on the monotonic clock.
            retry_after: For how many seconds the server asks to wait, if it does.
            policy: For how long to wait if it does not.
            draw: A random number from 0 to 1, so that processes do not all come back at once.

        Returns:
            Whether it is a matter of time only: the request went at the pace of the gate, and at
            this pace the server takes others.
        """
        if place.entry not in self._line.unanswered:
            return False
        self._line.leave(place)
        self._line.wait(place)
        hold = self._hold
        if hold is None:
            self._tally.forget_pause(place.sent_at)
        if hold is None or (hold.resumed is not None and place.sent_at >= hold.resumed):
            self._holds_in_a_row += 1
            if retry_after is None:
                # Never less than half of it: before the server takes anything, all are refused.
                draw = (1 + draw) / 2
                retry_after = backoff(policy, attempts=self._holds_in_a_row, draw=draw)
            until = now + retry_after
            period = now - hold.resumed if hold and hold.resumed is not None else 0.0
            hold = Hold(now, until, self._rate.at(now), self._window.at(now), period)
            self._hold = hold
        elif retry_after is not None:
            hold.until = max(hold.until, now + retry_after)
        if hold.resumed is None:
            hold.refused(place.others)
        return place.is_paced and (self._holds_in_a_row == 1 or place.others > 0)

    def leave(self, place: Place) -> None:
        """The call is over, or waits no longer. It needs no lock."""
        self._line.leave(place)

    def _let_go(self, place: Place, now: float) -> None:
        place.sent_at = self._latest = now
        place.is_paced = self._hold is not None or place.rate < math.inf
        self._line.go(place)

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
        needed = len(self._line.unanswered) + 1
        if self._hold is None and place.rate == math.inf:
            is_full = needed > self._burst.at(now) + _ROUNDING
            return self._burst.reaches(needed, now) if is_full else now
        due = self._latest + 1 / min(rate, place.rate)
        if needed > max(window, 1.0) + _ROUNDING:
            due = max(due, self._window.reaches(needed))
        return due

    def _resume(self, hold: Hold, now: float) -> None:
        """Learn from a hold that is over; not before, since answers came while it lasted."""
        if hold.blames_rate and hold.rate == math.inf and self._tally.count < FEW:
            # One at a time until more is known, or as many as the server is still busy with.
            hold.others = hold.others if hold.others < math.inf else 1
        elif hold.blames_rate:
            accepted = self._tally.rate(hold.until)
            self._rate = Limit(hold.decreased_rate(accepted), now, hold.unit())
        if hold.others < math.inf:
            self._window = Limit(hold.others, now, hold.unit())
        self._tally.restart(now)
        hold.resumed = now

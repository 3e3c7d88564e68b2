"""Who waits at a gate, in the order in which they came, and whose answers are awaited. Pure.

The lists forget a place once its caller has. A caller leaves by itself; but a signal handler may
raise in it at any moment, also just as it is about to leave.
"""

from __future__ import annotations

import heapq
import itertools
import math
from operator import itemgetter
from typing import Any
from weakref import ref

import attrs


@attrs.define(eq=False)
class Place:
    """The place of a call in the line, the same one until the call is over.

    Attributes:
        number: Whoever came earlier has a lower one.
        rate: How many requests a second its caller knows to be allowed; `math.inf` if it does not.
        is_waiting: Whether it stands in the line.
        sent_at: When its request was let go.
        others: How many other requests were unanswered then.
        is_paced: Whether there was a limit then.
        bell: What wakes its caller, to whom it belongs.
        entry: What stands for it in the lists.
    """

    number: int
    rate: float
    is_waiting: bool = False
    sent_at: float = -math.inf
    others: int = 0
    is_paced: bool = False
    bell: Any = None
    entry: ref[Place] = attrs.field(init=False)


class Line:
    """The places of the calls at one gate.

    Attributes:
        unanswered: Those whose requests were let go, and not answered so far.
    """

    def __init__(self) -> None:
        self.unanswered: set[ref[Place]] = set()
        self._waiting: list[tuple[int, ref[Place]]] = []
        self._numbers = itertools.count()

    def __len__(self) -> int:
        """How many wait, with some who have left."""
        return len(self._waiting)

    @property
    def head(self) -> Place | None:
        """Who goes next."""
        while self._waiting:
            place = self._waiting[0][1]()
            if place is not None and place.is_waiting:
                return place
            heapq.heappop(self._waiting)
        return None

    def in_order(self) -> list[Place]:
        """All who wait."""
        places = [entry() for _, entry in sorted(self._waiting, key=itemgetter(0))]
        return [place for place in places if place is not None and place.is_waiting]

    def arrive(self, rate: float) -> Place:
        """A place behind all others."""
        place = Place(next(self._numbers), rate)
        place.entry = ref(place, self.unanswered.discard)
        hash(place.entry)  # `discard` needs it, and could not find it out any more.
        return place

    def wait(self, place: Place) -> None:
        """Stand in the line, unless it does so already."""
        if not place.is_waiting:
            place.is_waiting = True
            heapq.heappush(self._waiting, (place.number, place.entry))

    def go(self, place: Place) -> None:
        """The request of this place is let go."""
        place.is_waiting = False
        place.others = len(self.unanswered)
        self.unanswered.add(place.entry)

    def leave(self, place: Place) -> None:
        """The call is over, or waits no longer."""
        place.is_waiting = False
        self.unanswered.discard(place.entry)

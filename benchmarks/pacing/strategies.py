"""Ways to send many requests to a server that refuses some: the one that is shipped, and what it is compared with."""

import heapq
import itertools
import math
import random
from collections import deque
from collections.abc import Callable
from typing import Protocol

from deerapi_remix import PollingPolicy, RetryPolicy
from deerapi_remix._line import Place
from deerapi_remix._pace import Gate

from .servers import Server

POLICY = RetryPolicy()


class World:
    """Virtual time, and what is to happen when."""

    def __init__(self, server: Server, seed: int) -> None:
        self.now = 0.0
        self.server = server
        self.rng = random.Random(seed)
        self.failed = 0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def at(self, time: float, event: Callable[[], None]) -> None:
        """Let `event` happen at this time."""
        heapq.heappush(self._events, (time, next(self._numbers), event))

    def run(self, until: float) -> None:
        """Let everything happen that is due until then."""
        while self._events and self._events[0][0] <= until:
            self.now, _, event = heapq.heappop(self._events)
            event()


Answered = Callable[[bool], None]
Send = Callable[[Answered], None]


class Strategy(Protocol):
    """Decides when the requests of many calls are sent."""

    def call(self, send: Send) -> None:
        """A call begins. `send` sends a request of it, and tells whether that was accepted."""
        ...


class Alone:
    """Every call is made again on its own: by the retry policy, or as a wait polls again."""

    def __init__(self, world: World, *, polls: bool) -> None:
        self._world = world
        self._polls = polls

    def call(self, send: Send) -> None:
        world, began, attempts = self._world, self._world.now, itertools.count(1)

        def attempt() -> None:
            attempted = next(attempts)

            def answered(accepted: bool) -> None:
                if accepted:
                    return
                bound = min(POLICY.max_delay, POLICY.initial_delay * 2.0 ** min(attempted - 1, 10))
                delay = world.server.retry_after or world.rng.uniform(0, bound)
                if self._polls:
                    delay = max(delay, PollingPolicy().initial_interval)
                again = world.now + delay
                if self._polls or (attempted < POLICY.attempts and again <= began + POLICY.budget):
                    world.at(again, attempt)
                else:
                    world.failed += 1

            send(answered)

        attempt()


class Shipped:
    """What the package does, through its own code."""

    def __init__(self, world: World, gate: Gate) -> None:
        self._world = world
        self._gate = gate
        self._requests: dict[Place, Send] = {}
        self._wakes_at = math.inf

    def call(self, send: Send) -> None:
        place = self._gate.arrive()
        self._requests[place] = send
        self._ask(place)

    def _ask(self, place: Place) -> None:
        world = self._world
        if seconds := self._gate.seconds(place, world.now):
            self._wake_in(seconds)
            return

        def answered(accepted: bool) -> None:
            if accepted:
                self._gate.accepted(place, world.now)
                del self._requests[place]
            else:
                self._gate.refused(place, world.now, world.server.retry_after, POLICY, world.rng.random())
                self._ask(place)
            self._ask_head()

        self._requests[place](answered)

    def _ask_head(self) -> None:
        before = None
        while (head := self._gate.head) is not None and head is not before:
            before = head
            self._ask(head)

    def _wake_in(self, seconds: float) -> None:
        wakes_at = self._world.now + seconds
        if wakes_at < self._wakes_at:
            self._wakes_at = wakes_at
            self._world.at(wakes_at, self._woken)

    def _woken(self) -> None:
        if self._world.now == self._wakes_at:  # Else an earlier time was chosen since.
            self._wakes_at = math.inf
            self._ask_head()


class Clairvoyant:
    """Knows when the server will take the next request, and has it arrive at that moment."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._line: deque[Send] = deque()
        self._goes_at = math.inf

    def call(self, send: Send) -> None:
        self._line.append(send)
        self._go_at(self._world.now)

    def _go_at(self, time: float) -> None:
        if time < self._goes_at:
            self._goes_at = time
            self._world.at(time, self._go)

    def _go(self) -> None:
        now = self._world.now
        if now != self._goes_at:  # An earlier time was chosen since.
            return
        self._goes_at = math.inf
        if not self._line:
            return
        free_at = self._world.server.free_at(now)
        if free_at <= now:
            self._line.popleft()(lambda _: self._go_at(self._world.now))
            self._go_at(now)
        elif free_at < math.inf:
            self._go_at(free_at)

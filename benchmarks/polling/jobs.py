"""Jobs to be polled: how long they render, and what progress they report meanwhile. Repeatable by seed."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

Curve = Callable[[float], float | None]

# Longer renders are cut to this, in seconds: by then the default deadline has passed.
LONGEST = 880.0


@dataclass(frozen=True)
class Job:
    """One job.

    Attributes:
        render: Seconds until it is completed.
        curve: Progress, 0 to 1, by the share of the render that is over; None where none is reported.
        refresh: Seconds from one update of the reported progress to the next.
        seed: Decides its network: latencies and failed polls.
    """

    render: float
    curve: Curve
    refresh: float
    seed: int

    def progress(self, at: float) -> int | None:
        """What the server reports `at` seconds after the start, as a whole percentage below 100."""
        updated = at - at % self.refresh
        share = self.curve(min(updated / self.render, 1.0))
        return None if share is None else min(int(share * 100), 99)


def linear(rng: random.Random) -> Curve:
    """A steady pace, after a queue of up to 5 % of the time."""
    queued = rng.uniform(0.0, 0.05)
    return lambda over: max(over - queued, 0.0) / (1 - queued)


def slow_start(rng: random.Random) -> Curve:
    """Half of them accelerate all the time, half stay at 0 for a while and are steady from then on."""
    if rng.random() < 0.5:
        power = rng.uniform(1.5, 3.0)
        return lambda over: over**power
    queued = rng.uniform(0.1, 0.5)
    return lambda over: max(over - queued, 0.0) / (1 - queued)


def stalls(rng: random.Random) -> Curve:
    """Steady up to 85 to 99 %, which is reached after 50 to 85 % of the time, and no progress from there."""
    top, reached = rng.uniform(0.85, 0.995), rng.uniform(0.5, 0.85)
    return lambda over: min(over / reached, 1.0) * top


def jumps(rng: random.Random) -> Curve:
    """Two to six steps of any height at any time."""
    count = rng.randint(2, 6)
    times = sorted(rng.uniform(0.0, 1.0) for _ in range(count))
    heights = sorted(rng.uniform(0.0, 1.0) for _ in range(count))
    return lambda over: max((height for time, height in zip(times, heights, strict=True) if time <= over), default=0.0)


def none(_: random.Random) -> Curve:
    """No progress at all."""
    return lambda _: None


def slowing(rng: random.Random) -> Curve:
    """Fast at first, ever slower towards the end."""
    power = rng.uniform(1.5, 3.0)
    return lambda over: 1 - (1 - over) ** power


CURVES: dict[str, Callable[[random.Random], Curve]] = {
    "linear": linear,
    "slow start": slow_start,
    "stalls": stalls,
    "jumps": jumps,
    "none": none,
    "slowing": slowing,
}

RENDERS: dict[str, Callable[[random.Random], float]] = {
    "around 60 s": lambda rng: rng.lognormvariate(math.log(60), 0.4),
    "around 120 s": lambda rng: rng.lognormvariate(math.log(120), 0.4),
    "around 300 s": lambda rng: rng.lognormvariate(math.log(300), 0.4),
    "45 s or 240 s": lambda rng: rng.lognormvariate(math.log(rng.choice((45, 240))), 0.15),
    "heavy tail": lambda rng: 40 * rng.paretovariate(1.5),
}


def make(curve: str, render: str, count: int, seed: int = 1) -> list[Job]:
    """`count` jobs of one kind; the same ones for the same seed."""
    rng = random.Random(f"{seed} {curve} {render}")
    return [
        Job(
            render=min(RENDERS[render](rng), LONGEST),
            curve=CURVES[curve](rng),
            refresh=rng.choice((0.5, 2.0, 5.0)),
            seed=rng.getrandbits(32),
        )
        for _ in range(count)
    ]

"""How many requests are refused, and how long all take, for the shipped gate and others. Repeatable."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean

from deerapi_remix import _limits
from deerapi_remix._pace import Gate

from ..plots import new, save
from ..runner import Bound, Findings, Row, Scale, Table
from .servers import AtOnce, Rate, Server
from .strategies import Alone, Clairvoyant, Shipped, Strategy, World

# Seconds from a request to the answer, where the server does not take longer by its nature.
LATENCY = 0.02
SEEDS = range(5)


@dataclass(frozen=True)
class Scenario:
    """Many calls to one server.

    Attributes:
        name: For the report.
        server: Makes the server.
        calls: How many begin at once.
        takes: Seconds from an accepted request to its answer.
        interval: Seconds after an answer until its call asks again, as polls do; None if it does not.
        until: Seconds that are simulated.
    """

    name: str
    server: Callable[[], Server]
    calls: int
    takes: float = LATENCY
    interval: float | None = None
    until: float = math.inf


SCENARIOS = (
    Scenario("100 submits, 5/s, burst 5, Retry-After: 1", partial(Rate, 5, 5, 1.0), 100),
    Scenario("100 submits, 5/s, burst 5", partial(Rate, 5, 5), 100),
    Scenario("40 submits of 0.3 s, 4 at once", partial(AtOnce, 4), 40, takes=0.3),
    Scenario("300 waits, 20 polls/s, Retry-After: 1", partial(Rate, 20, 20, 1.0), 300, interval=7.5, until=120.0),
    Scenario("5/s, from 20 s on 50/s", partial(Rate, 5, 5, None, changes_at=20.0, factor=10.0), 3000, until=40.0),
    Scenario("50/s, from 20 s on 5/s", partial(Rate, 50, 50, 1.0, changes_at=20.0, factor=0.1), 3000, until=40.0),
)
STRATEGIES = ("shipped", "each on its own", "clairvoyant")
COLUMNS = ("what", "how", "accepted", "failed", "429", "share of 429", "last accepted, s")


@dataclass(frozen=True)
class Outcome:
    """When requests were accepted and refused, in seconds, and how many calls failed."""

    accepted: list[float]
    refused: list[float]
    failed: int


def simulate(scenario: Scenario, strategy: str, seed: int) -> Outcome:
    """All calls of one scenario."""
    world = World(scenario.server(), seed)
    accepted: list[float] = []
    refused: list[float] = []

    def send(answered: Callable[[bool], None]) -> None:
        there = 0.0 if strategy == "clairvoyant" else LATENCY / 2
        world.at(world.now + there, partial(arrived, answered))

    def arrived(answered: Callable[[bool], None]) -> None:
        taken = world.server.takes(world.now)
        (accepted if taken else refused).append(world.now)
        world.at(world.now + (scenario.takes - LATENCY / 2 if taken else LATENCY / 2), partial(back, answered, taken))

    def back(answered: Callable[[bool], None], taken: bool) -> None:
        if taken:
            world.server.finished()
        answered(taken)
        if scenario.interval is not None and taken:
            world.at(world.now + scenario.interval * world.rng.uniform(0.9, 1.1), begin)

    chosen = _strategy(strategy, world, polls=scenario.interval is not None)
    begin = partial(chosen.call, send)
    for _ in range(scenario.calls):
        world.at(0.0, begin)
    world.run(scenario.until)
    return Outcome(accepted, refused, world.failed)


def _strategy(name: str, world: World, *, polls: bool) -> Strategy:
    if name == "shipped":
        return Shipped(world, Gate(_limits.BURST_OF_THE_REST if polls else _limits.BURST_OF_SUBMITS))
    return Alone(world, polls=polls) if name == "each on its own" else Clairvoyant(world)


def measure(scale: Scale) -> Findings:
    """The shipped gate in every scenario, beside calls on their own and a clairvoyant."""
    found = Findings()
    everything: dict[tuple[str, str], list[Outcome]] = {}
    rows: list[Row] = []
    for scenario in SCENARIOS:
        for strategy in STRATEGIES:
            outcomes = [simulate(scenario, strategy, seed) for seed in SEEDS]
            everything[scenario.name, strategy] = outcomes
            rows.append((scenario.name, strategy, *_numbers(outcomes)))
    shipped = {scenario.name: everything[scenario.name, "shipped"] for scenario in SCENARIOS}
    for scenario, refused, last in ((SCENARIOS[0], 15, 22.0), (SCENARIOS[1], 30, 26.0), (SCENARIOS[2], 25, 8.0)):
        outcomes = shipped[scenario.name]
        found.bounds += [
            _exact(f"{scenario.name}: answers of 429", "≤", refused, max(len(one.refused) for one in outcomes)),
            _exact(f"{scenario.name}: seconds", "≤", last, max(one.accepted[-1] for one in outcomes)),
            _exact(f"{scenario.name}: failed", "≤", 0, max(one.failed for one in outcomes)),
        ]
    polls = shipped[SCENARIOS[3].name]
    share = max(map(_share, polls))
    risen = min(map(_risen, shipped[SCENARIOS[4].name]))
    found.bounds += [
        _exact(f"{SCENARIOS[3].name}: share of 429", "≤", 0.05, share),
        _exact("limit raised tenfold: share of it that is used 10 to 15 s later", "≥", 0.8, risen),
    ]
    found.tables.append(Table("Many requests at a server with a limit, simulated", _NOTE, COLUMNS, rows))
    found.tables.append(_constants())
    found.plots.append(partial(_plot, {key: outcomes[0] for key, outcomes in everything.items()}))
    return found


_NOTE = (
    f"The shipped gate in virtual time. Means of {len(SEEDS)} runs; {LATENCY} s of latency. Each on its own is the "
    "retry policy without a gate: 4 attempts, `Retry-After` or backoff. The clairvoyant knows what the server takes."
)


# The constants of the gate, and other values for each.
CONSTANTS: tuple[tuple[str, tuple[float, ...]], ...] = (
    ("BURST_OF_SUBMITS", (2, 8)),
    ("BURST_OF_THE_REST", (8, 64, math.inf)),
    ("BURST_GROWTH", (1.25, 2.0)),
    ("BURST_DOUBLING", (0.25, 1.0)),
    ("TRUSTED", (3.0, 8.0)),
    ("INCREASE", (0.0, 0.06)),
    ("DOUBLING", (0.5, 2.0)),
    ("DECREASED", (0.8, 0.95)),
    ("DECREASED_SOON", (0.5, 0.9)),
)


def _constants() -> Table:
    """What each constant is good for: what becomes of the figures with other values."""
    rows: list[Row] = [("as shipped", "", *_figures())]
    for name, values in CONSTANTS:
        shipped = getattr(_limits, name)
        for value in values:
            setattr(_limits, name, value)
            try:
                rows.append((f"{name} {shipped:g}", f"{value:g}", *_figures()))
            finally:
                setattr(_limits, name, shipped)
    note = (
        "One constant at a time. 429 and seconds as above, at most; share of polls that are answered 429, at most, and "
        "of the raised limit that is used, at least."
    )
    figures = ("429, Retry-After: 1", "s", "429 without", "s", "of 4 at once, s", "polls", "raised")
    columns = ("constant", "instead", *figures)
    return Table("What the constants of the gate do", note, columns, rows)


def _figures() -> tuple[str, ...]:
    told, untold, at_once, polls, raised = (
        [simulate(scenario, "shipped", seed) for seed in SEEDS] for scenario in SCENARIOS[:5]
    )
    figures = []
    for outcomes in (told, untold):
        figures.append(f"{max(len(one.refused) for one in outcomes)}")
        figures.append(f"{max(one.accepted[-1] for one in outcomes):.1f}")
    figures += [f"{max(one.accepted[-1] for one in at_once):.1f}", f"{max(map(_share, polls)):.1%}"]
    return (*figures, f"{min(map(_risen, raised)):.0%}")


def _share(outcome: Outcome) -> float:
    """The share of the requests that was refused."""
    return len(outcome.refused) / len(outcome.accepted + outcome.refused)


def _risen(outcome: Outcome) -> float:
    """The share of the raised limit that was used from 10 to 15 s after it was raised."""
    return sum(30 <= time < 35 for time in outcome.accepted) / (5 * 50)


def _exact(what: str, sign: str, limit: float, reached: float) -> Bound:
    return Bound(f"pace, {what}", sign, limit, reached, exact=True)


def _numbers(outcomes: list[Outcome]) -> tuple[str, ...]:
    accepted = mean(len(one.accepted) for one in outcomes)
    refused = mean(len(one.refused) for one in outcomes)
    last = mean(one.accepted[-1] for one in outcomes)
    failed = mean(one.failed for one in outcomes)
    return (
        f"{accepted:,.0f}",
        f"{failed:,.0f}",
        f"{refused:,.0f}",
        f"{refused / (accepted + refused):.1%}",
        f"{last:.1f}",
    )


def _plot(outcomes: dict[tuple[str, str], Outcome], folder: Path) -> str:
    figure, axes = new(2, 3)
    for axis, scenario in zip(axes.flat, SCENARIOS, strict=True):
        for strategy in STRATEGIES:
            one = outcomes[scenario.name, strategy]
            times, counts = _few(one.accepted)
            axis.plot(times, counts, label=f"{strategy}: {len(one.refused):,} × 429")
        axis.set(title=scenario.name, xlabel="s", ylabel="accepted")
        axis.title.set_fontsize("small")
        axis.legend(fontsize="x-small")
    save(figure, folder, "pacing")
    return "![Requests accepted over time, by server](pacing.svg)"


def _few(times: list[float], most: int = 60) -> tuple[list[float], list[int]]:
    """A curve of few points."""
    step = max(len(times) // most, 1)
    return times[::step], list(range(1, len(times) + 1, step))

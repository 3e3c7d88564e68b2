"""How many polls a job takes and how late its end is noticed, for the shipped policy and others. Repeatable.

For any fixed interval, requests times lag is half the render time: twice as often is half as late. So that product,
over that of the best fixed interval for the same jobs, tells policies apart: below 1 is better, whatever the interval.
"""

import math
import random
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import mean
from typing import NamedTuple

from deerapi_remix import PollingPolicy, _clock

from ..plots import new, save
from ..runner import Bound, Findings, Row, Scale, Table
from .jobs import CURVES, RENDERS, Job, make
from .policies import Clairvoyant, Fixed, Growing, Policy, Shipped

# Median of the time from a poll to its answer, in seconds; and how many polls fail.
LATENCY = 0.15
FAILURES = 0.02
INTERVALS = (2.0, 3.0, 4.0, 5.0, 6.0, 7.5, 10.0, 15.0)
# Jobs behind each point of the plot.
PLOTTED = 500
BOUNDS = {"linear": 0.3, "slow start": 0.6, "stalls": 1.0, "jumps": 1.1, "none": 1.1}
COLUMNS = ("progress", "requests", "in 100 s", "mean lag s", "cost", "worst cost", "doubling", "clairvoyant")

Strategy = Callable[[Job], Policy]


class Outcome(NamedTuple):
    """Polls a job, and seconds from its end until that is known; of one job, or means over many."""

    requests: float
    lag: float


def simulate(strategy: Strategy, jobs: Sequence[Job]) -> list[Outcome]:
    """Follow `jobs` to their ends."""
    random.seed(1)  # Jitter.
    clock = _clock.monotonic
    try:
        return [_follow(job, strategy(job)) for job in jobs]
    finally:
        _clock.monotonic = clock


def _follow(job: Job, policy: Policy) -> Outcome:
    network = random.Random(job.seed)
    now, requests = 0.0, 0
    while True:
        now += policy.delay(now)
        requests += 1
        latency = network.lognormvariate(math.log(LATENCY), 0.5)
        told = now + latency / 2
        now += latency
        if network.random() < FAILURES:
            policy.failed(now)
        elif told >= job.render:
            return Outcome(requests, now - job.render)
        else:
            policy.saw(now, job.progress(told))


def _mean(outcomes: Sequence[Outcome]) -> Outcome:
    return Outcome(mean(one.requests for one in outcomes), mean(one.lag for one in outcomes))


def _fixed(interval: float) -> Strategy:
    return lambda _: Fixed(interval)


def _growing(limit: float) -> Strategy:
    return lambda _: Growing(limit)


def _shipped(policy: PollingPolicy) -> Strategy:
    return lambda _: Shipped(policy)


def measure(scale: Scale) -> Findings:
    """The shipped policy with its defaults, on every progress curve and distribution of render times."""
    found = Findings()
    everything: dict[str, list[Job]] = {}
    rows: list[Row] = []
    frequencies, lags = [], []
    for curve in CURVES:
        jobs = everything[curve] = [job for render in RENDERS for job in make(curve, render, scale.jobs)]
        fixed = [simulate(_fixed(interval), jobs) for interval in INTERVALS]
        shipped = simulate(_shipped(PollingPolicy()), jobs)
        requests, lag = _mean(shipped)
        frequencies.append(100 * requests / mean(job.render for job in jobs))
        lags.append(lag)
        cost = _cost(shipped, fixed)
        groups = [slice(start, start + scale.jobs) for start in range(0, len(jobs), scale.jobs)]
        worst = max(_cost(shipped[group], [one[group] for one in fixed]) for group in groups)
        others = [_cost(simulate(strategy, jobs), fixed) for strategy in (_growing(15.0), Clairvoyant)]
        means = (f"{number:.1f}" for number in (requests, frequencies[-1], lag))
        rows.append((curve, *means, *(f"{number:.2f}" for number in (cost, worst, *others))))
        if curve in BOUNDS:
            what = f"polling, progress {curve}: requests × lag / best fixed interval"
            found.bounds.append(Bound(what, "≤", BOUNDS[curve], cost, exact=True))
    found.bounds += [
        Bound("polling: requests in 100 s of rendering, worst curve", "≤", 20.0, max(frequencies), exact=True),
        Bound("polling: mean lag in s, worst curve", "≤", 5.0, max(lags), exact=True),
    ]
    found.tables.append(Table("Polls and lag, simulated", _note(scale), COLUMNS, rows))
    found.plots.append(partial(_plot, everything))
    return found


def _cost(outcomes: Sequence[Outcome], fixed: Sequence[Sequence[Outcome]]) -> float:
    """Requests times lag, over that of the best fixed interval."""
    return math.prod(_mean(outcomes)) / min(math.prod(_mean(one)) for one in fixed)


def _note(scale: Scale) -> str:
    defaults = PollingPolicy()
    return (
        f"The shipped code in virtual time, with its defaults (intervals of {defaults.initial_interval:g} to "
        f"{defaults.max_interval:g} s). {scale.jobs} jobs for each curve and each of {len(RENDERS)} distributions of "
        f"render times: {', '.join(RENDERS)}. Whole percents, refreshed every 0.5 to 5 s; {LATENCY} s of latency; "
        f"{FAILURES:.0%} of the polls fail. Requests are for a job, and in 100 s of its rendering. Cost is mean "
        "requests times mean lag, over that of the best fixed interval for the same jobs; worst cost is that for one "
        "of the distributions. For comparison the costs of intervals that double up to 15 s, and of a clairvoyant."
    )


def _plot(everything: dict[str, list[Job]], folder: Path) -> str:
    figure, axes = new(2, 3)
    for axis, (curve, jobs) in zip(axes.flat, everything.items(), strict=True):
        some = jobs[:: max(len(jobs) // PLOTTED, 1)]
        shipped = [_shipped(PollingPolicy(factor * 2, factor * 15)) for factor in (0.25, 0.5, 1.0, 2.0, 4.0)]
        lines: tuple[tuple[str, Sequence[Strategy], str, int], ...] = (
            ("fixed intervals", [_fixed(interval) for interval in INTERVALS], "o-", 4),
            ("doubling intervals", [_growing(limit) for limit in (4.0, 8.0, 15.0, 30.0)], "s-", 4),
            ("shipped", shipped, "^-", 4),
            ("shipped, with its defaults", [_shipped(PollingPolicy())], "*", 12),
            ("clairvoyant", [Clairvoyant], "D", 4),
        )
        for label, strategies, style, size in lines:
            outcomes = [_mean(simulate(strategy, some)) for strategy in strategies]
            axis.plot(*zip(*outcomes, strict=True), style, label=label, markersize=size)
        axis.set(title=f"progress: {curve}", xscale="log", yscale="log", xlabel="requests a job", ylabel="mean lag, s")
    axes.flat[0].legend(fontsize="small")
    save(figure, folder, "polling")
    return "![Requests a job and mean lag, by progress curve](polling.svg)"

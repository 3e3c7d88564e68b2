"""What a gate learns: the values of its limits over time, by hand-made tables."""

from __future__ import annotations

import math

import pytest

from deerapi_remix._limits import Burst, Hold, Limit, Tally

# A limit of 10 that was learned at 100.0: 3 % more in each of five seconds, twice as much in each one after them.
GROWTH = [(0.0, 10.0), (0.5, 10.15), (2.0, 10.6), (5.0, 11.5), (6.0, 23.0), (8.5, 11.5 * 2**3.5), (14.5, 11.5 * 2**9.5)]


@pytest.mark.parametrize(("seconds", "limit"), GROWTH)
@pytest.mark.parametrize("slower", [1.0, 4.0])
def test_a_limit_grows_slowly_at_first_and_all_the_more_slowly_the_longer_its_hold(
    slower: float, seconds: float, limit: float
) -> None:
    learned = Limit(10.0, 100.0, slower)
    assert learned.at(100.0 + slower * seconds) == pytest.approx(limit)
    assert learned.reaches(limit) == pytest.approx(100.0 + slower * seconds)


@pytest.mark.parametrize("slower", [1.0, 4.0])
def test_a_limit_is_gone_after_ten_doublings_and_no_lower_before_it_was_learned(slower: float) -> None:
    learned = Limit(10.0, 100.0, slower)
    assert learned.at(100.0 + 15 * slower) == math.inf
    assert (learned.at(99.0), learned.reaches(9.0)) == (10.0, 100.0)


def test_what_is_not_learned_is_no_limit() -> None:
    assert (Limit().at(0.0), Limit().at(1e9)) == (math.inf, math.inf)


def test_a_burst_grows_only_while_one_waits_for_it() -> None:
    burst = Burst(4)
    assert (burst.at(0.0), burst.at(50.0)) == (4, 4)
    assert burst.reaches(8, 50.0) == pytest.approx(50.5)
    assert [burst.at(time) for time in (50.0, 50.5, 51.0, 52.0)] == pytest.approx([4, 8, 16, 64])
    assert burst.reaches(64, 50.7) == pytest.approx(52.0)  # Counted from when the first one waited.


def test_a_burst_is_half_as_wide_again_as_what_was_accepted_at_once_and_never_narrower() -> None:
    burst = Burst(4)
    burst.accepted(1)
    assert burst.at(0.0) == 4
    burst.accepted(7)
    assert burst.at(0.0) == 12
    burst.accepted(3)
    assert burst.at(0.0) == 12


def test_a_burst_that_one_waits_for_all_day_overflows_nothing() -> None:
    burst = Burst(4, since=0.0)
    assert burst.at(29.5) == 4 * 2.0**59
    assert burst.at(1e9) == burst.at(30.0) == 4 * 2.0**60


def tally_of(*times: float) -> Tally:
    """A tally from 100.0 on, of requests that were accepted then."""
    tally = Tally()
    tally.restart(100.0)
    for time in times:
        tally.add(time)
    return tally


def test_the_rate_is_what_was_accepted_by_the_time_in_which_it_was() -> None:
    tally = tally_of(100.5, 101.0, 102.0)
    assert (tally.count, tally.rate(104.0), tally.rate(106.0)) == (3, 0.75, 0.5)


def test_where_nothing_was_accepted_the_rate_is_that_of_one() -> None:
    assert tally_of().rate(104.0) == 0.25


def test_in_no_time_at_all_a_rate_is_high_and_not_endless() -> None:
    assert tally_of(100.0, 100.0).rate(100.0) == pytest.approx(2_000)


def test_what_was_accepted_more_than_ten_seconds_ago_weighs_as_if_seen_in_five() -> None:
    tally = tally_of(*[101.0] * 40)
    tally.add(110.0)
    assert (tally.count, tally.rate(110.0)) == (41, 4.1)
    tally.add(120.0)  # 41 in 20 s: as many a second as 10.25 in the last five, and one more.
    assert (tally.count, tally.rate(120.0)) == (11.25, 2.25)


def test_two_seconds_in_which_nothing_was_accepted_are_a_pause() -> None:
    tally = tally_of(101.0)
    tally.forget_pause(103.0)
    assert tally.count == 1
    tally.forget_pause(103.01)
    assert tally.count == 0
    tally.add(104.01)
    assert tally.rate(105.01) == pytest.approx(0.5)


def test_before_anything_was_accepted_all_is_a_pause() -> None:
    tally = Tally()
    tally.forget_pause(1_000.0)
    tally.add(1_001.0)
    assert tally.rate(1_002.0) == 0.5


# What an answer of 429 says, given how many others were unanswered when its request was sent: how wide the window is
# at most, and whether the rate is too high.
SPEAKS = [
    # Nothing is known: it may be either. Alone, it cannot have been the window.
    (math.inf, math.inf, 0, math.inf, True),
    (math.inf, math.inf, 1, 1, True),
    (math.inf, math.inf, 7, 7, True),
    # Only a rate is known: it was too high.
    (10.0, math.inf, 7, math.inf, True),
    # A window that was full was too wide; one with room was not. Full is what one more would have been too many for.
    (10.0, 4.0, 0, math.inf, True),
    (10.0, 4.0, 2, math.inf, True),
    (10.0, 4.0, 3, 3, False),
    (10.0, 4.0, 4, 4, False),
    (math.inf, 4.0, 3, 3, False),
    (math.inf, 4.0, 1, math.inf, True),
    (10.0, 1.0, 0, math.inf, True),
]


@pytest.mark.parametrize(("rate", "window", "others", "width", "blames_rate"), SPEAKS)
def test_a_429_speaks_for_a_lower_rate_or_a_smaller_window(
    rate: float, window: float, others: int, width: float, blames_rate: bool
) -> None:
    hold = Hold(0.0, 1.0, rate, window, 0.0)
    hold.refused(others)
    assert (hold.others, hold.blames_rate) == (width, blames_rate)


def test_of_several_answers_the_one_with_the_fewest_others_counts() -> None:
    hold = Hold(0.0, 1.0, math.inf, math.inf, 0.0)
    for others in (5, 3, 0, 8):
        hold.refused(others)
    assert hold.others == 3


# The rate before, seconds since the hold before, what was accepted a second; and the rate to go on with.
DECREASED = [
    (math.inf, 0.0, 7.0, 7.0),
    (10.0, 60.0, 1.0, 9.0),
    (10.0, 2.0, 1.0, 9.0),
    (10.0, 1.99, 1.0, 7.5),
    (10.0, 0.0, 8.0, 8.0),
    (10.0, 0.0, 50.0, 9.0),
]


@pytest.mark.parametrize(("before", "period", "accepted", "after"), DECREASED)
def test_a_rate_that_was_too_high_goes_on_at_nine_tenths_at_most(
    before: float, period: float, accepted: float, after: float
) -> None:
    assert Hold(0.0, 1.0, before, math.inf, period).decreased_rate(accepted) == pytest.approx(after)


# How long a hold took, how long ago the one before it was; and how many times slower limits grow.
UNITS = [(0.5, 60.0, 1.0), (3.0, 60.0, 3.0), (60.0, 3.0, 3.0), (60.0, 0.0, 1.0), (1.0, 1.0, 1.0), (1.5, 1.2, 1.2)]


@pytest.mark.parametrize(("seconds", "period", "slower"), UNITS)
def test_limits_grow_the_more_slowly_the_longer_a_hold_took(seconds: float, period: float, slower: float) -> None:
    assert Hold(100.0, 100.0 + seconds, 10.0, 4.0, period).unit() == pytest.approx(slower)

"""When a gate lets requests go, given what came back and when."""

from __future__ import annotations

import math

import pytest

from deerapi_remix import RetryPolicy, _pace
from deerapi_remix._line import Place

POLICY = RetryPolicy(initial_delay=0.5, max_delay=8.0)
BURST = 4


class Gate(_pace.Gate):
    """A gate whose callers all keep their places."""

    def __init__(self, burst: float = math.inf) -> None:
        super().__init__(burst)
        self._places: list[Place] = []

    def arrive(self, rate: float = math.inf) -> Place:
        self._places.append(super().arrive(rate))
        return self._places[-1]


def refuse(gate: Gate, place: Place, now: float, retry_after: float | None = None, draw: float = 1.0) -> None:
    """A request is answered with 429, and its call does not try again."""
    gate.refused(place, now, retry_after, POLICY, draw)
    gate.leave(place)


def send(gate: Gate, now: float, *, rate: float = math.inf) -> Place:
    """The place of a call whose request was let go at once."""
    place = gate.arrive(rate)
    assert gate.seconds(place, now) == 0
    return place


def line_up(gate: Gate, count: int, now: float) -> list[Place]:
    """The places of calls that have to wait."""
    places = [gate.arrive() for _ in range(count)]
    assert all(gate.seconds(place, now) > 0 for place in places)
    return places


def times(gate: Gate, start: float, end: float, step: float = 0.01) -> list[tuple[float, Place]]:
    """When the requests of the line are let go, if they are not answered; and whose they are."""
    gone = []
    for tick in range(round((end - start) / step) + 1):
        now = start + tick * step
        while (head := gate.head) is not None and gate.seconds(head, now) == 0:
            gone.append((round(now, 2), head))
    return gone


def held_gate(retry_after: float | None = 1.0, accepted: int = 5) -> Gate:
    """A gate that was told 429 at 10.0, after some requests were accepted at once."""
    gate = Gate()
    for place in [send(gate, 10.0) for _ in range(accepted)]:
        gate.accepted(place, 10.0)
    refuse(gate, send(gate, 10.0), 10.0, retry_after)
    return gate


# Before a 429


def test_free_requests_do_not_wait_before_the_first_429() -> None:
    gate = Gate()
    assert all(gate.seconds(gate.arrive(), 0.0) == 0 for _ in range(1_000))


def test_submits_one_after_the_other_do_not_wait() -> None:
    gate = Gate(BURST)
    for _ in range(1_000):
        gate.accepted(send(gate, 0.0), 0.0)


def test_of_many_submits_at_once_four_go_at_once() -> None:
    gate = Gate(BURST)
    for _ in range(4):
        send(gate, 0.0)
    assert gate.seconds(gate.arrive(), 0.0) > 0


def test_twice_as_many_submits_may_be_unanswered_every_half_second() -> None:
    gate = Gate(BURST)
    for _ in range(4):
        send(gate, 0.0)
    line_up(gate, 96, 0.0)
    gone = [time for time, _ in times(gate, 0.0, 2.5)]
    assert sum(time <= 0.5 for time in gone) == 4
    assert sum(time <= 1.0 for time in gone) == 12
    assert len(gone) == 96
    assert gone[-1] == 2.33


def test_half_as_many_submits_again_go_as_were_accepted_at_once() -> None:
    gate = Gate(BURST)
    first = [send(gate, 0.0) for _ in range(4)]
    line_up(gate, 96, 0.0)
    for place in first:
        gate.accepted(place, 0.1)
    assert len(times(gate, 0.1, 0.1)) == 6


def test_the_next_burst_is_let_go_slowly_too() -> None:
    gate = Gate(BURST)
    sent = [send(gate, 0.0) for _ in range(4)]
    sent += line_up(gate, 2, 0.0)
    times(gate, 0.0, 1.0)
    for place in sent:
        gate.accepted(place, 1.0)
    again = [gate.arrive() for _ in range(100)]
    assert sum(gate.seconds(place, 3_600.0) == 0 for place in again) == 9


def test_a_line_ends_once_there_is_room_for_all() -> None:
    """Else, if every caller calls again at once, each would wait for one before it for ever."""
    gate = Gate(BURST)
    sent = [send(gate, 0.0) for _ in range(4)]
    waiting = line_up(gate, 2, 0.0)
    for place in sent:
        gate.accepted(place, 0.0)
    assert [place for place in gate.next_in_line(0.0) if place in waiting[1:]] == waiting[1:]
    for _ in range(4):
        send(gate, 0.0)
    assert [gate.seconds(place, 0.0) for place in waiting] == [0, 0]


def test_nobody_passes_a_line_for_which_there_is_no_room() -> None:
    gate = Gate(BURST)
    sent = [send(gate, 0.0) for _ in range(4)]
    line_up(gate, 6, 0.0)
    for place in sent:
        gate.accepted(place, 0.0)
    assert gate.seconds(gate.arrive(), 0.0) > 0
    assert gate.next_in_line(0.0) == [gate.head]


# The hold


def test_nobody_goes_before_the_time_that_retry_after_names() -> None:
    gate = held_gate(retry_after=7.0)
    place = gate.arrive()
    assert gate.seconds(place, 10.0) == 7.0
    assert gate.seconds(place, 16.0) == 1.0
    assert gate.seconds(place, 17.0) == 0


def test_a_later_429_makes_the_hold_longer_and_never_shorter() -> None:
    gate = Gate()
    first, second, third = (send(gate, 10.0) for _ in range(3))
    refuse(gate, first, 10.0, 2.0)
    refuse(gate, second, 10.5, 5.0)
    refuse(gate, third, 10.6, 1.0)
    assert gate.held_until == 15.5


@pytest.mark.parametrize(("draw", "seconds"), [(0.0, 0.25), (0.5, 0.375), (1.0, 0.5)])
def test_without_retry_after_the_hold_is_at_least_half_the_backoff_of_the_policy(draw: float, seconds: float) -> None:
    gate = Gate()
    refuse(gate, send(gate, 10.0), 10.0, None, draw)
    assert gate.held_until == 10.0 + seconds


def test_without_retry_after_holds_in_a_row_double_up_to_the_longest_delay() -> None:
    gate, now, holds = Gate(), 10.0, []
    place = send(gate, now)
    for _ in range(6):
        refuse(gate, place, now)
        holds.append(gate.held_until - now)
        now = gate.held_until
        assert gate.seconds(place, now) == 0
    assert holds == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0]


def test_an_accepted_request_ends_the_row() -> None:
    gate = Gate()
    place = send(gate, 10.0)
    refuse(gate, place, 10.0)
    assert gate.seconds(place, 10.5) == 0
    gate.accepted(place, 10.6)
    refuse(gate, send(gate, 20.0), 20.0)
    assert gate.held_until == 20.5


def test_requests_sent_before_a_hold_and_refused_after_it_begin_no_other() -> None:
    gate = Gate()
    for place in [send(gate, 9.9) for _ in range(5)]:
        gate.accepted(place, 10.0)
    first, late = send(gate, 10.0), send(gate, 10.0)
    refuse(gate, first, 10.0, 1.0)
    assert gate.seconds(gate.arrive(), 11.0) == 0
    refuse(gate, late, 11.1)
    assert gate.held_until == 11.0


# The rate


def test_after_the_hold_requests_go_at_the_rate_that_was_accepted_up_to_its_end() -> None:
    gate = held_gate(retry_after=1.0, accepted=5)
    line_up(gate, 10, 10.0)
    assert [time for time, _ in times(gate, 10.0, 11.8)] == [11.0, 11.2, 11.4, 11.6, 11.8]


@pytest.mark.parametrize("accepted", [0, 1])
def test_where_hardly_anything_was_accepted_requests_go_one_at_a_time(accepted: int) -> None:
    gate = held_gate(retry_after=2.0, accepted=accepted)
    line_up(gate, 10, 10.0)
    ((first, place),) = times(gate, 10.0, 14.0)
    assert first == 12.0
    gate.accepted(place, 14.0)
    assert len(times(gate, 14.0, 14.0)) == 1


def test_the_rate_grows_slowly_for_five_seconds_and_then_doubles_every_second() -> None:
    gate = held_gate(retry_after=1.0, accepted=10)
    line_up(gate, 1_000, 10.0)
    gone = [time for time, _ in times(gate, 11.0, 20.0)]
    in_each_second = [sum(11.0 + second <= time < 12.0 + second for time in gone) for second in range(9)]
    assert in_each_second == [10, 10, 10, 11, 11, 15, 29, 48, 93]


def test_after_ten_doublings_there_is_no_limit() -> None:
    gate = held_gate(retry_after=1.0, accepted=1)
    assert gate.seconds(gate.arrive(), 11.0) == 0
    waiting = line_up(gate, 10, 11.0)
    assert all(gate.seconds(place, 11.0 + 15.0) == 0 for place in waiting)
    assert not waiting[0].is_paced


def test_a_429_takes_a_tenth_off_the_rate() -> None:
    gate = held_gate(retry_after=1.0, accepted=10)
    line_up(gate, 50, 10.0)
    for _, place in times(gate, 11.0, 14.0)[:-1]:
        gate.accepted(place, 14.0)
    place = next(place for place in [gate.head] if place)
    assert gate.seconds(place, 14.2) == 0
    refuse(gate, place, 14.2, 1.0)
    gone = [time for time, _ in times(gate, 15.2, 17.2)]
    # It was 10 a second, grown by 3.2 times 3 %: two seconds at 9.9.
    assert len(gone) == pytest.approx(20, abs=2)


def test_a_429_soon_after_a_hold_takes_a_quarter_off_the_rate() -> None:
    gate = held_gate(retry_after=1.0, accepted=20)
    line_up(gate, 50, 10.0)
    (_, place), *_ = times(gate, 11.0, 11.0)
    refuse(gate, place, 11.0, 1.0)
    assert len(times(gate, 12.0, 13.0)) == pytest.approx(15, abs=1.5)


def test_several_429_of_one_hold_count_once() -> None:
    gate = held_gate(retry_after=1.0, accepted=20)
    line_up(gate, 50, 10.0)
    together = [place for _, place in times(gate, 11.0, 11.2)]
    assert len(together) > 3
    for place in together:
        refuse(gate, place, 11.2, 1.0)
    assert len(times(gate, 12.2, 13.2)) == pytest.approx(15, abs=1.5)


def test_a_pause_of_the_callers_does_not_count_as_a_slow_server() -> None:
    gate = Gate()
    gate.accepted(send(gate, 10.0), 10.0)
    for place in [send(gate, 3_600.0) for _ in range(5)]:
        gate.accepted(place, 3_600.0)
    refuse(gate, send(gate, 3_600.0), 3_600.0, 1.0)
    line_up(gate, 10, 3_600.0)
    assert len(times(gate, 3_601.0, 3_601.9)) == 5


def test_only_the_last_seconds_tell_the_rate() -> None:
    gate, now = Gate(), 0.0
    for _ in range(1_000):  # Ten a second, for 100 s.
        now += 0.1
        gate.accepted(send(gate, now), now)
    for _ in range(20):  # One a second, for 20 s.
        now += 1.0
        gate.accepted(send(gate, now), now)
    refuse(gate, send(gate, now), now, 0.001)
    line_up(gate, 100, now)
    assert len(times(gate, now + 0.01, now + 5.0)) <= 10


# The window


def held_back(most: int) -> Gate:
    """A gate of a server that accepted so many at once, and refused three more, at 10.0."""
    gate = Gate()
    accepted = [send(gate, 10.0) for _ in range(most)]
    for place in [send(gate, 10.0) for _ in range(3)]:
        refuse(gate, place, 10.0)
    for place in accepted:
        gate.accepted(place, 10.3)
    return gate


def test_as_many_may_be_unanswered_as_were_when_the_first_was_refused() -> None:
    gate = held_back(4)
    line_up(gate, 10, 10.3)
    gone = times(gate, 10.5, 12.0)
    assert len(gone) == 4
    gate.accepted(gone[0][1], 12.0)
    assert len(times(gate, 12.0, 12.0)) == 1


def test_where_the_window_was_full_a_429_does_not_lower_the_rate() -> None:
    gate = held_back(4)
    line_up(gate, 10, 10.3)
    together = [place for _, place in times(gate, 10.5, 15.5)]
    assert len(together) == 4
    refuse(gate, together[-1], 15.5)
    for place in together[:-1]:
        gate.accepted(place, 15.6)
    line_up(gate, 10, 15.7)
    gone = [time for time, _ in times(gate, 16.0, 16.3)]
    assert len(gone) == 3  # As many as were unanswered, and at the rate of before.


def test_a_window_never_closes() -> None:
    gate = held_back(1)
    place = gate.arrive()
    assert gate.seconds(place, 10.5) == 0
    assert gate.seconds(gate.arrive(), 10.6) > 0
    gate.accepted(place, 10.7)
    head = gate.head
    assert head is not None
    assert gate.seconds(head, 12.0) == 0


def test_a_window_stays_as_it_is_where_a_429_speaks_for_a_lower_rate_only() -> None:
    gate = held_back(4)
    (place,) = [send(gate, 10.5)]
    refuse(gate, place, 10.6)  # Alone: it was not the window.
    line_up(gate, 10, 10.7)
    assert len(times(gate, 11.1, 13.0)) == 4


def test_a_429_while_nothing_else_is_unanswered_says_nothing_about_a_window() -> None:
    gate = held_gate(retry_after=1.0, accepted=100)
    line_up(gate, 50, 10.0)
    assert len(times(gate, 11.0, 11.5)) == 50


# The line


def test_all_go_in_the_order_in_which_they_came() -> None:
    gate = held_gate()
    places = line_up(gate, 20, 10.0)
    assert [place for _, place in times(gate, 11.0, 20.0)] == places


def test_a_refused_call_goes_before_those_who_came_later() -> None:
    gate = held_gate()
    places = line_up(gate, 5, 10.0)
    (_, first), *_ = times(gate, 11.0, 11.0)
    gate.refused(first, 11.1, 1.0, POLICY, 1.0)
    assert gate.head is first
    assert first is places[0]
    assert [place for _, place in times(gate, 12.0, 20.0)] == places


def test_whoever_is_not_the_head_waits_for_the_bell() -> None:
    gate = held_gate()
    head, other = line_up(gate, 2, 10.0)
    assert gate.seconds(head, 10.0) == 1.0
    assert gate.seconds(other, 10.0) == math.inf


def test_whoever_leaves_the_line_makes_room_for_the_next() -> None:
    gate = held_gate()
    first, second, third = line_up(gate, 3, 10.0)
    gate.leave(second)
    gate.leave(first)
    assert gate.head is third
    assert gate.seconds(third, 11.0) == 0


def test_whoever_leaves_while_its_answer_is_awaited_makes_room_in_the_window() -> None:
    gate = held_back(1)
    first, second = gate.arrive(), gate.arrive()
    assert gate.seconds(first, 10.5) == 0
    assert gate.seconds(second, 11.0) > 0
    gate.leave(first)
    gate.leave(first)  # Twice is not two places.
    assert gate.seconds(second, 11.0) == 0
    assert gate.seconds(gate.arrive(), 11.5) > 0


def test_a_call_that_was_refused_and_left_is_not_in_the_line() -> None:
    gate = held_gate()
    assert gate.head is None
    assert gate.seconds(gate.arrive(), 11.0) == 0


# What a 429 costs


def refused_again(gate: Gate, now: float) -> bool:
    """Whether the next answer of 429 is a matter of time only."""
    place = gate.arrive()
    assert gate.seconds(place, now) == 0
    is_a_matter_of_time = gate.refused(place, now, 1.0, POLICY, 1.0)
    gate.leave(place)
    return is_a_matter_of_time


def test_the_first_429_is_no_matter_of_time() -> None:
    assert not refused_again(Gate(), 10.0)


def test_at_the_pace_of_a_server_that_takes_others_a_429_is_a_matter_of_time() -> None:
    gate = held_gate()
    gate.accepted(send(gate, 11.0), 11.0)
    assert refused_again(gate, 12.0)


def test_of_a_server_that_takes_nothing_any_more_it_is_not() -> None:
    gate = held_gate()
    assert not refused_again(gate, 12.0)
    assert not refused_again(gate, 20.0)


def test_while_the_server_is_busy_with_another_it_is() -> None:
    gate = held_gate()
    send(gate, 12.0)
    assert refused_again(gate, 14.0)


# What callers know


def test_submits_go_at_the_rate_that_the_caller_knows() -> None:
    gate = Gate(BURST)
    for _ in range(10):
        gate.seconds(gate.arrive(5.0), 0.0)
    assert [time for time, _ in times(gate, 0.0, 1.0)] == [0.2, 0.4, 0.6, 0.8, 1.0]


def test_the_rate_that_was_learned_holds_where_it_is_lower() -> None:
    gate = held_gate(retry_after=1.0, accepted=2)
    for _ in range(5):
        gate.seconds(gate.arrive(5.0), 10.0)
    assert len(times(gate, 11.0, 11.9)) == 2


def test_whoever_went_at_a_pace_knows() -> None:
    gate = Gate()
    known = send(gate, 9.0, rate=5.0)
    gate.accepted(known, 9.5)
    before = send(gate, 10.0)
    refuse(gate, before, 10.0, 1.0)
    after = gate.arrive()
    assert gate.seconds(after, 12.0) == 0
    assert [before.is_paced, known.is_paced, after.is_paced] == [False, True, True]


# Callers that are gone


def test_whoever_is_gone_is_forgotten() -> None:
    gate = _pace.Gate(burst=1)
    first, second, third = gate.arrive(), gate.arrive(), gate.arrive()
    assert [gate.seconds(place, 10.0) for place in (first, second, third)] == [0, 0.5, math.inf]
    del second
    assert gate.head is third
    del first
    assert not gate.awaits_answers
    assert gate.seconds(third, 10.0) == 0

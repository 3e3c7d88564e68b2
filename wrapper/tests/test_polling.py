"""When a job is polled and when it has ended, to the second and to the answer."""

from __future__ import annotations

import math

import pytest

from deerapi_remix import PollingPolicy, Video, VideoError
from deerapi_remix._polling import PollSchedule, Verdict

# By chance an interval is up to a tenth shorter or longer; in the middle it is as it is.
SHORTEST, MIDDLE, LONGEST = 0.0, 0.5, 1.0
POLICY = PollingPolicy(initial_interval=2.0, max_interval=15.0)


def delay(schedule: PollSchedule, *, left: float = math.inf, now: float = 0.0, draw: float = MIDDLE) -> float:
    return round(schedule.delay(left=left, now=now, draw=draw), 6)


def seen(*polls: tuple[float, int | None], policy: PollingPolicy = POLICY) -> PollSchedule:
    """A schedule after polls at these times, which told this progress."""
    schedule = PollSchedule(policy)
    for now, progress in polls:
        schedule.answered(progress, None, now)
    return schedule


# 1 % a second: half is rendered at 50, and the end is predicted for 100.
STEADY = ((30.0, 30), (40.0, 40), (50.0, 50))
# The polls so far, the time, and the seconds to the next poll.
INTERVALS: dict[str, tuple[tuple[tuple[float, int | None], ...], float, float]] = {
    "nothing is known": ((), 0.0, 7.5),
    "two polls predict nothing": (STEADY[1:], 50.0, 7.5),
    "far from the end": (STEADY, 50.0, 15.0),
    "half of what is left": (STEADY, 80.0, 10.0),
    "near the end": (STEADY, 97.0, 2.0),
    "at the end": (STEADY, 100.0, 2.0),
    "half of what it is late": (STEADY, 108.0, 4.0),
    "long past the end": (STEADY, 200.0, 7.5),
    "the latest three count": (((0.0, 0), (20.0, 20), (40.0, 25), (60.0, 30)), 60.0, 15.0),
    "the latest three that stand still keep the prediction": ((*STEADY, (60.0, 50)), 80.0, 10.0),
    "the latest three predict anew": ((*STEADY, (60.0, 80)), 60.0, 5.0),
    "a jump between polls that stand still": (((0.0, 0), (10.0, 0), (20.0, 90)), 20.0, 7.5),
    "a jump back": (((0.0, 20), (10.0, 10), (20.0, 30)), 20.0, 7.5),
    "the latest stands still": (((0.0, 10), (10.0, 20), (20.0, 20)), 20.0, 7.5),
    "the first without progress": (((0.0, None), (10.0, 10), (20.0, 20)), 20.0, 7.5),
    "the second without progress": (((0.0, 0), (10.0, None), (20.0, 20)), 20.0, 7.5),
    "the third without progress": (((0.0, 0), (10.0, 10), (20.0, None)), 20.0, 7.5),
}


@pytest.mark.parametrize(("polls", "now", "seconds"), INTERVALS.values(), ids=INTERVALS)
def test_the_interval_follows_from_the_progress(
    polls: tuple[tuple[float, int | None], ...], now: float, seconds: float
) -> None:
    assert delay(seen(*polls), now=now) == seconds


@pytest.mark.parametrize(("draw", "seconds"), [(SHORTEST, 9.0), (MIDDLE, 10.0), (LONGEST, 11.0)])
def test_an_interval_is_varied_by_a_tenth(draw: float, seconds: float) -> None:
    assert delay(seen(*STEADY), now=80.0, draw=draw) == seconds


@pytest.mark.parametrize(("draw", "seconds"), [(SHORTEST, 2.0), (LONGEST, 2.2)])
def test_an_interval_that_is_varied_stays_within_the_bounds(draw: float, seconds: float) -> None:
    assert delay(seen(*STEADY), now=99.0, draw=draw) == seconds
    assert delay(seen(*STEADY), now=50.0, draw=LONGEST) == 15.0


# Seconds until the deadline, and to the next poll, where that would come in 10 s.
@pytest.mark.parametrize(
    ("left", "seconds"), [(10.1, 10.0), (10.0, 8.0), (9.0, 7.0), (4.0, 2.0), (3.9, 3.9), (1.0, 1.0), (0.0, 0.0)]
)
def test_a_last_look_comes_the_shortest_interval_before_the_deadline(left: float, seconds: float) -> None:
    assert delay(seen(*STEADY), now=80.0, left=left) == seconds


# What the server asks for after an answer and after a refusal, and the seconds to the next poll.
@pytest.mark.parametrize(
    ("wanted", "answered", "refused"),
    [
        (0.0, 2.0, 2.0),
        (1.9, 2.0, 2.0),
        (2.1, 2.1, 2.1),
        (14.9, 14.9, 14.9),
        (15.1, 15.0, 15.1),
        (3600.0, 15.0, 3600.0),
        (3601.0, 15.0, 3600.0),
    ],
)
def test_what_the_server_asks_for_is_followed(wanted: float, answered: float, refused: float) -> None:
    schedule = PollSchedule(POLICY)
    schedule.answered(None, wanted, 0.0)
    assert (delay(schedule), delay(schedule, left=1.0)) == (answered, 1.0)
    schedule.failed(wanted)
    assert (delay(schedule), delay(schedule, left=1.0)) == (refused, 1.0)
    schedule.failed(None)
    assert delay(schedule) == 7.5
    schedule.failed(wanted)
    schedule.answered(None, None, 0.0)
    assert delay(schedule) == 7.5


def test_a_schedule_knows_whether_an_answer_came() -> None:
    schedule = PollSchedule(POLICY)
    schedule.failed(None)
    assert schedule.has_answers is False
    schedule.answered(None, None, 0.0)
    assert schedule.has_answers is True


# Ends

DONE, FAILED, QUEUED = Video("a", "completed"), Video("a", "failed"), Video("a", "queued")
BROKEN = Video("a", "unknown", error=VideoError(message="busy"))
CODE_ALONE = Video("a", "unknown", error=VideoError(code="busy"))
OURS, STRANGE, NONE = ["b", "a"], ["b"], list[str]()
Told = list[tuple[Video, list[str], bool]]

# The answers in a row, with the ids in them and whether they tell a status; and which of them ends the wait.
ENDS: dict[str, tuple[Told, int | None]] = {
    "under our id": ([(DONE, OURS, True)], 1),
    "under another id": ([(DONE, STRANGE, True)] * 4, 2),
    "under no id": ([(FAILED, NONE, True)] * 4, 3),
    "another end in between": ([(DONE, STRANGE, True), (FAILED, STRANGE, True)] * 3, None),
    "another end, then the same": ([(DONE, STRANGE, True), (FAILED, STRANGE, True), (FAILED, STRANGE, True)], 3),
    "no end in between": ([(DONE, STRANGE, True), (QUEUED, OURS, True)] * 3, None),
    "under no id, then under ours": ([(DONE, NONE, True), (DONE, OURS, True)], 2),
    "errors without a status": ([(BROKEN, NONE, False)] * 4, 3),
    "errors with a status": ([(BROKEN, OURS, True)] * 5, None),
    "an answer between errors": ([(BROKEN, NONE, False), (BROKEN, NONE, False), (QUEUED, OURS, True)] * 2, None),
    "codes without a message": ([(CODE_ALONE, NONE, False)] * 5, None),
    "no end": ([(QUEUED, OURS, True)] * 5, None),
}


@pytest.mark.parametrize(("answers", "last"), ENDS.values(), ids=ENDS)
def test_a_wait_ends_with(answers: Told, last: int | None) -> None:
    verdict = Verdict()
    over = [verdict.is_over(video, named=named, tells_status=status) for video, named, status in answers]
    assert over.index(True) + 1 == last if last else not any(over)


@pytest.mark.parametrize(("count", "has_failed"), [(2, False), (3, True)])
def test_an_error_without_a_status_is_an_end_after_three(count: int, has_failed: bool) -> None:
    verdict = Verdict()
    for _ in range(count):
        verdict.is_over(BROKEN, named=NONE, tells_status=False)
    assert verdict.has_failed is has_failed

"""Faults by chance, and limits of how much may be asked: a mock as rough as a real gateway."""

import math
import random

from attrs import Attribute, evolve, field, frozen

from deerapi_remix.testing._jobs import Fate
from deerapi_remix.testing._messages import Answer, Operation

_MISHAP = {"code": "generation_failed", "message": "The video could not be generated."}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _share(chaos: object, attribute: "Attribute[float]", value: float) -> None:
    if not _is_number(value) or not 0 <= value <= 1:
        raise ValueError(f"{attribute.name} must be a share, from 0 to 1")


def _rate(chaos: object, attribute: "Attribute[float | None]", value: float | None) -> None:
    if value is not None and not (_is_number(value) and 0 < value < math.inf):
        raise ValueError(f"{attribute.name} must be a number above 0")


def _count(chaos: object, attribute: "Attribute[int | None]", value: int | None) -> None:
    if value is not None and not (_is_number(value) and value >= 1 and value % 1 == 0):
        raise ValueError(f"{attribute.name} must be a whole number above 0")


def _seconds(chaos: object, attribute: "Attribute[float]", value: float) -> None:
    if not _is_number(value) or not 0 <= value < math.inf:
        raise ValueError(f"{attribute.name} must be a number of seconds, zero or more")


@frozen(kw_only=True)
class Chaos:
    """How rough a fake is. By default it is not rough at all.

    Args:
        rate: How many submits, and as many free requests, a key may make in a second; what comes
            beyond is answered 429 with `Retry-After`. As many may come at once after a pause.
        concurrency: How many requests of one key a server works on at once; 429 beyond.
        latency: Seconds that a server takes for each answer.
        fail_rate: The share of jobs that fail halfway.
        stuck: The share of jobs that stay halfway for ever.
        answer_lost: The share of submits that are accepted, and their answer never arrives.
        truncated: The share of downloads in which the connection breaks halfway.
    """

    rate: float | None = field(default=None, validator=_rate)
    concurrency: int | None = field(default=None, validator=_count)
    latency: float = field(default=0.0, validator=_seconds)
    fail_rate: float = field(default=0.0, validator=_share)
    stuck: float = field(default=0.0, validator=_share)
    answer_lost: float = field(default=0.0, validator=_share)
    truncated: float = field(default=0.0, validator=_share)


class Chance:
    """Decides by dice what befalls whom. The same seed decides the same, in the same order.

    Each kind of fault has dice of its own, which are rolled for everybody whom the fault may
    befall. So the share of one kind does not change whom another kind befalls.
    """

    def __init__(self, seed: int | None) -> None:
        self._seed = seed
        self.restart()

    def restart(self) -> None:
        """Begin again with the seed."""
        self._failing = random.Random(self._seed)  # noqa: S311  # It keeps no secret.
        self._stuck = self._dice("stuck")
        self._answer_lost = self._dice("answer_lost")
        self._truncated = self._dice("truncated")

    def _dice(self, kind: str) -> random.Random:
        if self._seed is None:
            return random.Random()  # noqa: S311  # It keeps no secret.
        return random.Random(f"{self._seed} {kind}")  # noqa: S311  # It keeps no secret.

    def fate(self, chaos: Chaos) -> Fate:
        """What goes wrong with the next job."""
        fails = self._failing.random() < chaos.fail_rate
        stuck = self._stuck.random() < chaos.stuck
        if fails:
            return Fate(error=_MISHAP)
        return Fate(stuck=stuck)

    def delivered(self, operation: Operation, answer: Answer, chaos: Chaos) -> Answer:
        """What becomes of a successful answer on its way."""
        if operation == "remix" and self._answer_lost.random() < chaos.answer_lost:
            return evolve(answer, lost=True)
        if operation == "download" and self._truncated.random() < chaos.truncated:
            return cut(answer)
        return answer


def cut(answer: Answer, at: int | None = None) -> Answer:
    """The answer, cut after `at` bytes of its body (by default half of them), if it is longer."""
    position = len(answer.body) // 2
    if at is not None:
        position = at
    if position >= len(answer.body):
        return answer
    return evolve(answer, cut_at=position)

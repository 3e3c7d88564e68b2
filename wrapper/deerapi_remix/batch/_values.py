"""What a batch tells about itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, TypeVar, get_args

import attrs

RowState = Literal["waiting", "submitting", "rendering", "saved", "failed", "unknown"]
STATES: tuple[str, ...] = get_args(RowState)
# So many rows are written in one transaction, and read at once.
TOGETHER = 500
UNDER_WAY = ("waiting", "submitting", "rendering")
T = TypeVar("T")


@attrs.frozen
class Status:
    """How far a batch has come.

    Attributes:
        name: The batch.
        counts: How many rows are in each state.
        jobs: How many jobs were accepted, and so paid for.
        price: What one remix costs, if that was told.
        paused: Why nothing is submitted at present; None if something is.
        workers: How many workers are at work.
    """

    name: str
    counts: Mapping[str, int]
    jobs: int
    price: float | None
    paused: str | None
    workers: int

    @property
    def total(self) -> int:
        """How many rows there are."""
        return sum(self.counts.values())

    @property
    def is_finished(self) -> bool:
        """Whether every row has ended."""
        return not any(self.counts[state] for state in UNDER_WAY)

    @property
    def cost(self) -> float | None:
        """What was paid so far, if the price is known. Unknown rows are not in it."""
        if self.price is None:
            return None
        return self.jobs * self.price

    def to_dict(self) -> dict[str, Any]:
        """The status as JSON can hold it."""
        return {
            "name": self.name,
            "total": self.total,
            **self.counts,
            "jobs": self.jobs,
            "cost": self.cost,
            "paused": self.paused,
            "workers": self.workers,
            "finished": self.is_finished,
        }


@attrs.frozen
class Row:
    """What is known of a row.

    Attributes:
        number: Its place in the batch, counted from 1.
        key: Its name within the batch.
        state: `waiting`, `submitting`, `rendering`, `saved`, `failed` or `unknown`.
        video_id: The video to remix.
        prompt: What should happen in the new video.
        model: The model that was asked for, if any was.
        output: Where its file is, or is to be.
        job_id: The job, once it is known.
        error: Why it failed, or why nobody knows.
        request_id: The ID of the last answer to its submit, for the vendor's support.
        submitted_at: When its last submit began, in Unix seconds.
        accepted_at: When its job was accepted, in Unix seconds.
        expires_at: When the server will delete the file, in Unix seconds, if it said so.
        worker: The process that submitted it, as `host/scope/pid/start`.
    """

    number: int
    key: str
    state: RowState
    video_id: str
    prompt: str
    model: str | None
    output: str
    job_id: str | None
    error: str | None
    request_id: str | None
    submitted_at: float | None
    accepted_at: float | None
    expires_at: int | None
    worker: str | None

    def to_dict(self) -> dict[str, Any]:
        """The row as JSON can hold it."""
        return attrs.asdict(self)


def portions(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    """As many rows at a time as one transaction takes."""
    for start in range(0, len(rows), TOGETHER):
        yield rows[start : start + TOGETHER]

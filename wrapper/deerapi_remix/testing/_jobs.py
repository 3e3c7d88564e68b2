"""Jobs that render by the clock."""

import threading
from collections.abc import Mapping

from attrs import frozen


class VirtualClock:
    """A clock that moves when told to.

    Args:
        start: Unix time in seconds.
    """

    def __init__(self, start: float = 1_758_941_485.0) -> None:
        self._start = start
        # Apart from the start, beside which small steps would lose their digits.
        self._elapsed = 0.0
        self._lock = threading.Lock()

    def __call__(self) -> float:
        return self._start + self._elapsed

    def advance(self, seconds: float) -> None:
        """Moves on by `seconds`, never back."""
        if not seconds >= 0:
            raise ValueError("seconds must not be negative")
        with self._lock:
            self._elapsed += seconds


@frozen
class Job:
    """A job as it stands at one moment; the fields are those of the documented `VideoJob`."""

    id: str
    object: str
    model: str
    status: str
    progress: int
    created_at: int
    completed_at: int | None
    expires_at: int | None
    error: Mapping[str, str] | None
    size: str
    seconds: str
    remixed_from_video_id: str | None
    prompt: str | None


@frozen
class Rendering:
    """What was settled when a job was accepted. One with an `error` fails halfway, a `stuck` one stays there."""

    id: str
    model: str
    started: float
    duration: float
    source: str | None = None
    prompt: str | None = None
    error: Mapping[str, str] | None = None
    stuck: bool = False

    def at(self, now: float) -> Job:
        # Rounded, so that a clock moved in many small steps arrives too.
        part = min(round((now - self.started) / self.duration, 6), 1) if self.duration else 1
        if self.error or self.stuck:
            part = min(part, 0.5)
        failed = self.error is not None and part == 0.5
        status = (
            "failed"
            if failed
            else "completed"
            if part == 1
            else "in_progress"
            if part >= 0.1
            else "queued"
        )
        ended = int(self.started + self.duration) if status == "completed" else None
        return Job(
            id=self.id,
            object="video",
            model=self.model,
            status=status,
            progress=0 if status == "queued" else int(part * 100),
            created_at=int(self.started),
            completed_at=ended,
            expires_at=ended + 86_400 if ended is not None else None,
            error=self.error if failed else None,
            size="1280x720",
            seconds="4",
            remixed_from_video_id=self.source,
            prompt=self.prompt,
        )

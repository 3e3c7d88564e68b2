"""Jobs that render by the clock."""

from collections.abc import Mapping

from attrs import frozen

# Seconds after its completion for which a file is kept.
_KEPT = 86_400


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

    @property
    def is_finished(self) -> bool:
        """Whether the job is completed or failed."""
        return self.status in ("completed", "failed")


@frozen
class Fate:
    """What goes wrong with a new job.

    Attributes:
        error: Why the job fails halfway; None if it does not.
        stuck: Whether the job stays halfway for ever.
    """

    error: Mapping[str, str] | None = None
    stuck: bool = False


FINE = Fate()


@frozen
class Rendering:
    """What was settled when a job was accepted.

    Attributes:
        started: When it was accepted, in Unix time.
        duration: How many seconds it takes.
        source: The video that it remixes; None for a video that was there from the beginning.
    """

    id: str
    model: str
    started: float
    duration: float
    source: str | None = None
    prompt: str | None = None
    fate: Fate = FINE

    def at(self, now: float) -> Job:
        """The job as it stands at a time."""
        part = self._part(now)
        status = self._status(part)
        progress = int(part * 100)
        completed_at = expires_at = error = None
        if status == "queued":
            progress = 0
        if status == "completed":
            completed_at = int(self.started + self.duration)
            expires_at = completed_at + _KEPT
        if status == "failed":
            error = self.fate.error
        return Job(
            id=self.id,
            object="video",
            model=self.model,
            status=status,
            progress=progress,
            created_at=int(self.started),
            completed_at=completed_at,
            expires_at=expires_at,
            error=error,
            size="1280x720",
            seconds="4",
            remixed_from_video_id=self.source,
            prompt=self.prompt,
        )

    def _part(self, now: float) -> float:
        """The share of the work that is done, from 0 to 1."""
        if self.duration == 0:
            part = 1.0
        else:
            # Rounded, so that a clock which moved in many small steps arrives as well.
            part = min(round((now - self.started) / self.duration, 6), 1.0)
        if self.fate.error or self.fate.stuck:
            part = min(part, 0.5)
        return part

    def _status(self, part: float) -> str:
        if self.fate.error and part == 0.5:
            return "failed"
        if part == 1:
            return "completed"
        if part >= 0.1:
            return "in_progress"
        return "queued"

"""What a job file says, and what is said about it."""

from __future__ import annotations

import json
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
from attrs.validators import instance_of, matches_re, optional

from ._text import clean

_LONGEST_SHOWN = 60
# Bytes that are kept free for the id, so that a disk that is full by then still takes it.
_ROOM = 2048
_NAMES = {"video_id": "video", "prompt": "prompt", "model": "model", "base_url": "base URL"}


class OutcomeUnknownError(Exception):
    """An earlier submit for the same target was cut off. Nothing was sent."""


class RunInProgressError(OutcomeUnknownError):
    """Another run is submitting for the same target just now. Nothing was sent."""


class OtherRemixError(ValueError):
    """The target is reserved for another remix. Nothing was sent."""


@attrs.frozen
class Remix:
    """What a job file is about: another remix must not take its place."""

    video_id: str = attrs.field(validator=instance_of(str))
    prompt: str = attrs.field(validator=instance_of(str))
    model: str | None = attrs.field(validator=optional(instance_of(str)))
    base_url: str = attrs.field(validator=instance_of(str))


def _now() -> str:
    return datetime.now(UTC).isoformat()


@attrs.frozen
class JobRecord:
    """A submit that has begun.

    Attributes:
        remix: What is submitted.
        job_id: The job that came of it; None as long as that is not known.
        begun: When it began.
    """

    remix: Remix
    job_id: str | None = attrs.field(default=None, validator=optional(matches_re("(?s).+")))
    begun: str = attrs.field(factory=_now, validator=instance_of(str))

    def to_bytes(self, size: int = 0) -> bytes:
        """For the file. The id comes last, and blanks keep room for it.

        Args:
            size: How long the file is already; 0 for a new one.
        """
        told = {**attrs.asdict(self.remix), "begun": self.begun, "job_id": self.job_id}
        # A prompt with a lone surrogate is refused later, with a better message.
        text = json.dumps(told, indent=2) + "\n"
        return text.ljust(size or len(text) + _ROOM).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> JobRecord | None:
        """What a file says; None if that cannot be told, as it is garbled."""
        try:
            told: dict[str, Any] = dict(json.loads(content))
            begun, job_id = told.pop("begun"), told.pop("job_id")
            return cls(Remix(**told), job_id, begun)
        except (ValueError, TypeError, KeyError, RecursionError):
            return None


def other_remix(target: Path, job_file: Path, found: JobRecord, asked: Remix) -> OtherRemixError:
    """The target is reserved: for what, and what to do."""
    differences = []
    for name, shown_name in _NAMES.items():
        old, new = getattr(found.remix, name), getattr(asked, name)
        if old != new:
            differences.append(f"{shown_name} {_shown(old)}, not {_shown(new)}")
    state = f"job {found.job_id}" if found.job_id else "outcome unknown"
    return OtherRemixError(
        f"{target} is reserved for an unfinished remix ({state}): {'; '.join(differences)}. "
        f"Choose another --output, or finish that one first. To give it up, remove {job_file}"
    )


def run_in_progress(target: Path, found: JobRecord | None) -> RunInProgressError:
    """Another run is at it."""
    return RunInProgressError(
        f"{target}: another run is still at it; it began to submit this remix{_begun(found)}. Wait "
        "until it ends. Until then --resubmit is refused, too. Nothing was sent now."
    )


def outcome_unknown(target: Path, job_file: Path, found: JobRecord | None) -> OutcomeUnknownError:
    """An earlier run was cut off: what to look at, and what to do then."""
    save = f"deerapi-remix download --output {shlex.quote(str(target))} ID"
    return OutcomeUnknownError(
        f"{target}: an earlier run began to submit this remix{_begun(found)} and was cut off, so "
        "that a job may have been accepted and charged. Look at your usage with the vendor. If "
        "there is no job, run this again with --resubmit. If there is one: "
        f"{save}, and remove {job_file}. Nothing was sent now."
    )


def _begun(found: JobRecord | None) -> str:
    if found is None:
        return ""
    return f" at {clean(found.begun)[:19]} UTC"


def _shown(value: str | None) -> str:
    if value is None:
        return "'(none)'"
    text = clean(value)
    if len(text) > _LONGEST_SHOWN:
        text = f"{text[:_LONGEST_SHOWN]}…"
    return f"'{text}'"

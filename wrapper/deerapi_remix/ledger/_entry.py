"""What a ledger knows of a key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import attrs

from deerapi_remix import Video, VideoError

State = Literal["submitting", "open", "accepted", "unknown", "saved", "failed"]
STATES: tuple[str, ...] = get_args(State)


@attrs.frozen
class Entry:
    """What a ledger knows of a key.

    Attributes:
        key: The caller's name for the remix.
        state: `submitting`, `open`, `accepted`, `unknown`, `saved` or `failed`.
        video_id: The source video.
        prompt: The prompt that was asked for.
        model: The model that was asked for, if any was.
        base_url: Where the API is.
        job_id: The job, once it is known.
        status: The status of the job as last seen.
        submitted_at: When the last submit began, in Unix seconds.
        accepted_at: When the id of the job was learned, in Unix seconds.
        expires_at: When the server will delete the file, in Unix seconds, if it said so.
        path: Where the file is, or is to be saved.
        request_id: The ID of the last answer to a submit, for the vendor's support.
        error: Why the last submit or the job failed.
        holder: The process that began the last submit, as `host/scope/pid/start`.
        job_ids: Every job that was ever accepted for the key, in the order in which they were
            learned. More than one means that more than one was paid.
    """

    key: str
    state: State
    video_id: str
    prompt: str
    model: str | None
    base_url: str
    job_id: str | None
    status: str | None
    submitted_at: float
    accepted_at: float | None
    expires_at: int | None
    path: str | None
    request_id: str | None
    error: str | None
    holder: str
    job_ids: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The entry as JSON can hold it."""
        return attrs.asdict(self) | {"job_ids": list(self.job_ids)}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Entry:
        """The entry that `to_dict` told of."""
        return cls(**{**told, "job_ids": tuple(told["job_ids"])})


def differences(entry: Entry, asked: Mapping[str, Any]) -> list[str]:
    """What an entry was made for, where that is not what is asked for now."""
    names = {"video_id": "video", "prompt": "prompt", "model": "model", "base_url": "base URL"}
    return [told for name, told in names.items() if getattr(entry, name) != asked[name]]


def video_of(entry: Entry) -> Video:
    """The job of an entry that has one, as last seen."""
    assert entry.job_id is not None  # noqa: S101  # States with a job have its id.
    failure = VideoError(message=entry.error) if entry.state == "failed" else None
    return Video(
        id=entry.job_id,
        status=entry.status or "unknown",
        model=entry.model,
        expires_at=entry.expires_at,
        remixed_from_video_id=entry.video_id,
        prompt=entry.prompt,
        error=failure,
        request_id=entry.request_id,
    )

"""What the API answers, as frozen values, and what a client tells while it works."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, Self

import attrs

_COMPLETED = frozenset({"completed", "complete", "succeeded", "success", "finished", "done"})
_FAILED = frozenset(
    {
        "failed",
        "failure",
        "fail",
        "error",
        "cancelled",
        "canceled",
        "rejected",
        "timeout",
        "deleted",
        "expired",
    }
)
_COLON = re.compile("[:\uff1a]")  # The second one is that of Chinese text.
_NOT_A_LETTER = re.compile(r"[\s_-]+")

OnUpdate = Callable[["Video"], None]
OnAccepted = Callable[["Video"], None]
OnProgress = Callable[[int, int | None], None]
EventKind = Literal["attempt", "retry", "poll", "download", "accepted", "drifted", "paced"]


class _Dictionary:
    """Gives a frozen value a form for JSON."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Make a dictionary that is ready for JSON.

        Returns:
            Every field but `raw`, by its name.

        Example:
            >>> Model(id="sora-2").to_dict()
            {'id': 'sora-2', 'object': None, 'created': None, 'owned_by': None}
        """
        value: Any = self
        return attrs.asdict(value, filter=lambda field, _: field.name != "raw")


@attrs.frozen
class VideoError(_Dictionary):
    """Why a job failed.

    Attributes:
        code: The server's code for programs.
        message: The server's message for people.
    """

    code: str | None = None
    message: str | None = None


@attrs.frozen
class Video(_Dictionary):
    """A video job as the server last told it. What it did not tell, or told wrongly, is None.

    Attributes:
        id: Identifies the job.
        status: As the server wrote it; `unknown` if it did not. Compare with `is_completed` and
            its kin.
        object: The kind of object, `video`.
        model: The model that renders the job.
        progress: Percentage rendered.
        created_at: When the job was accepted, in Unix seconds.
        size: Width and height in pixels, such as `1280x720`.
        seconds: Length of the video in seconds, as a string.
        remixed_from_video_id: The source video.
        completed_at: When the job was completed, in Unix seconds.
        expires_at: When the file will be deleted, in Unix seconds.
        error: Why the job failed.
        prompt: The prompt of the job.
        raw: The whole answer, with fields that this class does not know.
        request_id: The ID of the answer, for the vendor's support.
    """

    id: str
    status: str
    object: str | None = None
    model: str | None = None
    progress: int | None = None
    created_at: int | None = None
    size: str | None = None
    seconds: str | None = None
    remixed_from_video_id: str | None = None
    completed_at: int | None = None
    expires_at: int | None = None
    error: VideoError | None = None
    prompt: str | None = None
    raw: dict[str, Any] = attrs.field(factory=dict, eq=False, repr=False)
    request_id: str | None = attrs.field(default=None, eq=False)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """Make the video again of which `to_dict` made a dictionary.

        Args:
            fields: What `to_dict` returned, also after a way through JSON.

        Returns:
            The video, without `raw`.

        Example:
            >>> Video.from_dict({"id": "video_123", "status": "queued"}).status
            'queued'
        """
        names = {field.name for field in attrs.fields(cls)}
        known = {name: value for name, value in fields.items() if name in names}
        if isinstance(known.get("error"), Mapping):
            known["error"] = VideoError(**known["error"])
        return cls(**known)

    @property
    def is_completed(self) -> bool:
        """Whether the file can be downloaded."""
        return _first_word(self.status) in _COMPLETED

    @property
    def is_failed(self) -> bool:
        """Whether the job ended without a video."""
        return _first_word(self.status) in _FAILED

    @property
    def is_finished(self) -> bool:
        """Whether the job will change no more."""
        return self.is_completed or self.is_failed


def _first_word(status: str) -> str:
    """A status as it is compared: `Failed: moderation` and `FAILED` are both `failed`."""
    return _NOT_A_LETTER.sub("", _COLON.split(status, 1)[0]).lower()


@attrs.frozen
class Model(_Dictionary):
    """A model that is served now.

    Attributes:
        id: What `remix` takes as `model`.
        object: The kind of object, `model`.
        created: When the model was added, in Unix seconds.
        owned_by: Who offers it.
    """

    id: str
    object: str | None = None
    created: int | None = None
    owned_by: str | None = None


@attrs.frozen
class Event(_Dictionary):
    """Something a client did, for metrics and traces.

    Attributes:
        kind: `attempt` after every request, `retry` before waiting for another, `poll` after every
            poll of a wait, `download` when bytes start to come and when the file is whole,
            `accepted` when the id of a new job is known, `drifted` when an answer breaks the
            contract, `paced` when a request waits for its turn.
        operation: The method that asked for it, such as `remix` or `download`.
        attempt: Counts from 1 within the call, or within the wait for polls.
        status_code: The HTTP status, if an answer came.
        delay: Seconds until the next attempt, for `retry` and `paced`.
        request_id: The ID of the answer, if it had one.
        video_id: The video the call is about.
        elapsed: Seconds since the call (for `attempt`: the attempt) began.
        job_id: The id of the new job, for `accepted` and what follows in that call.
        detail: What is wrong with the answer, for `drifted`.
    """

    kind: EventKind
    operation: str
    attempt: int
    status_code: int | None = None
    delay: float | None = None
    request_id: str | None = None
    video_id: str | None = None
    elapsed: float = 0.0
    job_id: str | None = None
    detail: str | None = None

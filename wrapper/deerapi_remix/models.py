"""What the API answers, as values: frozen, and tolerant of answers that drift."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Literal

import attrs

_COMPLETED = frozenset({"completed", "succeeded", "success"})
_FAILED = frozenset({"failed", "failure", "error", "cancelled", "canceled", "expired"})
# How far into a garbled answer its id is looked for, in characters; the work grows with its square.
_SALVAGED = 4096


OnUpdate = Callable[["Video"], None]
OnProgress = Callable[[int, int | None], None]
EventKind = Literal["attempt", "retry", "poll", "download"]


@attrs.frozen
class VideoError:
    """Why a job failed."""

    code: str | None = None
    message: str | None = None


@attrs.frozen
class Video:
    """A video job as the server last told it. Fields that it did not tell, or told wrongly, are None.

    Attributes:
        id: Identifies the job.
        status: As the server wrote it; `unknown` if it did not. Compare with `is_completed` and its kin.
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

    @property
    def is_completed(self) -> bool:
        """Whether the file can be downloaded."""
        return self.status.strip().lower() in _COMPLETED

    @property
    def is_failed(self) -> bool:
        """Whether the job ended without a video."""
        return self.status.strip().lower() in _FAILED

    @property
    def is_finished(self) -> bool:
        """Whether the job will change no more."""
        return self.is_completed or self.is_failed


@attrs.frozen
class Model:
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
class Event:
    """Something a client did, for metrics and traces.

    Attributes:
        kind: `attempt` after every request, `retry` before waiting for another, `poll` after every poll of a wait,
            `download` when bytes start to come and when the file is whole.
        operation: `remix`, `retrieve`, `download` or `models`.
        attempt: Counts from 1 within the call, or within the wait for polls.
        status_code: The HTTP status, if an answer came.
        delay: Seconds until the next attempt, for `retry`.
        request_id: The ID of the answer, if it had one.
        video_id: The video the call is about.
        elapsed: Seconds since the call (for `attempt`: the attempt) began.
    """

    kind: EventKind
    operation: str
    attempt: int
    status_code: int | None = None
    delay: float | None = None
    request_id: str | None = None
    video_id: str | None = None
    elapsed: float = 0.0


def text(value: object) -> str | None:
    """`value` as a non-blank string, if it can be one."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value) if abs(value) < math.inf else None
    return value if isinstance(value, str) and value.strip() else None


def number(value: object) -> int | None:
    """`value` as a whole number, if it can be one; reads `"47%"` as 47."""
    value = (
        value.strip().removesuffix("%")
        if isinstance(value, str)
        else None
        if isinstance(value, bool)
        else value
    )
    try:
        found = value if isinstance(value, int) else int(float(value))  # type: ignore[arg-type]
        return found if abs(found) < 1e300 else None
    except (TypeError, ValueError, OverflowError):
        return None


# By the annotations of the fields, which are strings: types take five times as long to look up.
_READERS = {"str": text, "str | None": text, "int | None": number}


def usable_id(answer: object) -> str | None:
    """The id of a video in an answer of any known shape."""
    data = answer.get("data") if isinstance(answer, Mapping) else None
    values = [
        each.get(name)
        for each in (answer, data)
        if isinstance(each, Mapping)
        for name in ("id", "task_id")
    ]
    return next(
        (found for value in values if isinstance(value, str | int) and (found := text(value))), None
    )


def salvage_id(garbled: str) -> str | None:
    """The id of a video in JSON that broke off, if the id itself came whole."""
    text = garbled.lstrip().removeprefix("data:").lstrip()  # A stream of events has it so.
    # A number that comes last may have lost digits, and so may not be completed by a bracket.
    whole = text.rstrip().endswith(('"', "}"))
    tries = [(len(text), ending) for ending in ("", "}", "}}") if whole or not ending]
    tries += [
        (comma.start(), ending)
        for comma in re.finditer(",", text[:_SALVAGED])
        for ending in ("}", "}}")
    ]
    for end, ending in tries:
        with suppress(ValueError, RecursionError):
            found = usable_id(json.JSONDecoder().raw_decode(text[:end] + ending)[0])
            if found and "\ufffd" not in found:  # Bytes that were no UTF-8 are not the server's id.
                return found
    return None


def read_video(answer: dict[str, Any], video_id: str, request_id: str | None) -> Video:
    """The tolerant reading of an answer whose id is known to be `video_id`."""
    data = answer.get("data")
    nested = data if isinstance(data, dict) and usable_id({**answer, "data": None}) is None else {}
    told: dict[str, Any] = {
        **nested,
        **{name: value for name, value in answer.items() if value is not None},
    }
    status = told.get("status")
    status = status if isinstance(status, str) and status.strip() else "unknown"
    known = _tolerant(Video, told) | {
        "id": video_id,
        "status": status,
        "error": _read_error(told.get("error")),
    }
    return Video(**known | {"raw": answer, "request_id": request_id})


def read_model(card: object) -> Model | None:
    """The tolerant reading of one entry of the list of models; None without an id."""
    known = _tolerant(Model, card) if isinstance(card, Mapping) else {}
    return Model(**known) if known.get("id") else None


def _tolerant(kind: type, answer: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `kind` that hold text or a number, read from `answer`."""
    fields = [(field.name, _READERS.get(field.type)) for field in attrs.fields(kind)]
    return {name: read(answer.get(name)) for name, read in fields if read}


def _read_error(error: object) -> VideoError | None:
    if isinstance(error, Mapping):
        return VideoError(code=text(error.get("code")), message=text(error.get("message")))
    return VideoError(message=error) if isinstance(error, str) and error.strip() else None

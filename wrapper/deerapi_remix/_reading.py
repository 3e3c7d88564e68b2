"""The tolerant reading of answers: ids, videos and models from JSON of any known shape."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import attrs

from .models import Model, Video, VideoError

# Ids of 242 characters were met; what is much longer does not fit into the line of a request.
_LONGEST_ID = 4096
ID_FIELDS = ("id", "task_id")
# C0 and C1 control characters: they cannot be part of a path, and confuse terminals.
_CONTROL_CHARACTERS = re.compile(r"[\0-\x1f\x7f-\x9f]")
_LONE_SURROGATES = re.compile(r"[\ud800-\udfff]")


# Text, numbers and ids


def text(value: object) -> str | None:
    """`value` as a string that is not blank, if it can be one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return str(value) if abs(value) < math.inf else None
    if isinstance(value, str) and value.strip():
        return value
    return None


def number(value: object) -> int | None:
    """`value` as a whole number, if it can be one; reads `"47%"` as 47."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        value = value.strip().removesuffix("%")
    try:
        if not isinstance(value, int):
            value = int(float(value))  # type: ignore[arg-type]
        return value if abs(value) < 1e300 else None
    except (TypeError, ValueError, OverflowError):
        return None


def problem_of_text(value: str) -> str | None:
    """Why `value` cannot be sent as text; None if it can."""
    if not value.strip():
        return "must not be blank"
    if _LONE_SURROGATES.search(value):
        return "must not have lone surrogates: they cannot be sent as UTF-8"
    return None


def problem_of_id(value: str) -> str | None:
    """Why `value` cannot be one segment of a path; None if it can.

    The one rule for ids, for those that are handed in and those that a server answers.
    """
    if value in (".", ".."):
        return f"must not be {value!r}: it would name another path"
    if _CONTROL_CHARACTERS.search(value):
        return "must not have control characters"
    if len(value) > _LONGEST_ID:
        return f"must not be longer than {_LONGEST_ID} characters"
    return problem_of_text(value)


def ids_in(answer: object) -> list[str]:
    """Every usable id of a video in `answer`, the most trustworthy first.

    Gateways of this family put the id on top or into an object `data`, as `id` or `task_id`.
    A number is the id of a database row where there is a string besides, so strings come first.
    """
    return [value for value in named_in(answer) if problem_of_id(value) is None]


def named_in(answer: object) -> list[str]:
    """Every id of a video in `answer`, also those that cannot be sent back."""
    if not isinstance(answer, Mapping):
        return []
    places = [answer, answer.get("data")]
    values = [
        place.get(name) for place in places if isinstance(place, Mapping) for name in ID_FIELDS
    ]
    strings = [value for value in values if isinstance(value, str) and value.strip()]
    whole_numbers = [
        str(value) for value in values if isinstance(value, int) and not isinstance(value, bool)
    ]
    return strings + whole_numbers


def usable_id(answer: object) -> str | None:
    """The id of the video that `answer` is about, if it holds one that can be sent back."""
    return next(iter(ids_in(answer)), None)


# Videos


def read_video(answer: dict[str, Any], video_id: str, request_id: str | None) -> Video:
    """The video that `answer` tells of, under the id `video_id`."""
    members = members_of(answer)
    status = "unknown"
    if tells_status(answer):
        status = members["status"]
    fields = _tolerant(Video, members)
    fields.update(
        id=video_id,
        status=status,
        error=read_video_error(members),
        raw=answer,
        request_id=request_id,
    )
    return Video(**fields)


def read_job(answer: object, request_id: str | None) -> Video | None:
    """The job that `answer` is, if it has what makes a job: a usable id and a status."""
    video_id = usable_id(answer)
    if video_id is None or not isinstance(answer, dict):
        return None
    if not tells_status(answer):
        return None
    return read_video(answer, video_id, request_id)


def tells_status(answer: Mapping[str, Any]) -> bool:
    """Whether `answer` has a status, be it one that nobody knows."""
    status = members_of(answer).get("status")
    return isinstance(status, str) and bool(status.strip())


def tells_of_job(answer: Mapping[str, Any]) -> bool:
    """Whether `answer` has the state of a job, or the name of its kind."""
    return tells_status(answer) or answer.get("object") == "video"


def members_of(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The members of `answer`; what the top lacks or has as null is taken from an object `data`."""
    data = answer.get("data")
    members = {name: value for name, value in answer.items() if value is not None}
    if isinstance(data, Mapping):
        return {**data, **members}
    return members


def read_video_error(members: Mapping[str, Any]) -> VideoError | None:
    """Why a job failed, from `error`, `fail_reason` or `detail`."""
    error = members.get("error")
    if isinstance(error, Mapping):
        code, message = text(error.get("code")), text(error.get("message"))
        message = message or text(error.get("detail"))
        if code or message:
            return VideoError(code=code, message=message)
    for value in (error, members.get("fail_reason"), members.get("detail")):
        if isinstance(value, str) and value.strip():
            return VideoError(message=value)
    return VideoError() if isinstance(error, Mapping) else None


# Models


def read_model(card: object) -> Model | None:
    """One entry of the list of models; None without an id."""
    if not isinstance(card, Mapping):
        return None
    fields = _tolerant(Model, card)
    return Model(**fields) if fields["id"] else None


# By the annotations of the fields, which are strings: types take five times as long to look up.
_READERS = {"str": text, "str | None": text, "int | None": number}


def _tolerant(kind: type, answer: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `kind` that hold text or a number, read from `answer`."""
    return {name: read(answer.get(name)) for name, read in _readers_of(kind)}


@cache
def _readers_of(kind: type) -> list[tuple[str, Callable[[object], Any]]]:
    """How each field that holds text or a number is read."""
    fields = attrs.fields(kind)
    return [(field.name, _READERS[field.type]) for field in fields if field.type in _READERS]

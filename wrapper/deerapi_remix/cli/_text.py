"""How results are written for people and for programs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import attrs

from deerapi_remix import Model, Video

_ENDINGS = {"video": ".mp4", "thumbnail": ".webp", "spritesheet": ".jpg"}


def clean(text: object) -> str:
    """`text` on one line, without the control characters that a server could steer a terminal with."""
    return "".join(
        character for character in " ".join(str(text).split()) if character.isprintable()
    )


def described(video: Video) -> str:
    """Status and progress, such as `in progress, 47%`."""
    status = clean(video.status).replace("_", " ")
    return status if video.progress is None else f"{status}, {video.progress}%"


def moment(unix: int | None) -> str | None:
    """A moment in UTC; the number itself if it is none."""
    if unix is None:
        return None
    try:
        return datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return str(unix)


def size(received: int) -> str:
    """A number of bytes, such as `1.5 MB`."""
    amount, unit = float(received), "bytes"
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            break
        amount /= 1000
    return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"


def span(seconds: float) -> str:
    """Hours, if there are any, minutes and seconds, such as `1:02:03` or `0:07`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def video_table(video: Video) -> str:
    """One line for each thing known of a job."""
    error = video.error
    rows = {
        "id": video.id,
        "status": video.status,
        "progress": None if video.progress is None else f"{video.progress}%",
        "model": video.model,
        "seconds": video.seconds,
        "size": video.size,
        "remix of": video.remixed_from_video_id,
        "prompt": video.prompt,
        "created": moment(video.created_at),
        "completed": moment(video.completed_at),
        "expires": moment(video.expires_at),
        "error": error and ": ".join(filter(None, [error.code, error.message])),
    }
    return "\n".join(f"{name:<11}{clean(value)}" for name, value in rows.items() if value)


def model_table(models: Sequence[Model]) -> str:
    """One line for each model, its ID first."""
    width = max((len(clean(model.id)) for model in models), default=0)
    return "\n".join(
        f"{clean(model.id):<{width}}  {clean(model.owned_by or '')}".rstrip() for model in models
    )


def video_fields(video: Video) -> dict[str, Any]:
    """A job for programs."""
    return attrs.asdict(video, filter=lambda field, _: field.name != "raw")


def default_name(video_id: str, variant: str | None) -> str:
    """The file that a download goes to if nothing is said: named after the job, in the current folder."""
    # An ID is the server's to choose: it must not lead out of the folder, nor hide the file.
    separators = {"/", "\\", ":", os.sep}
    stem = "".join("_" if character in separators else character for character in video_id)
    return f"{'_' if stem.startswith('.') else ''}{stem}{_ENDINGS.get(variant or 'video', '')}"

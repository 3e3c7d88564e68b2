"""How results are written for people and for programs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime

from deerapi_remix import Model, Video

_ENDINGS = {"video": ".mp4", "thumbnail": ".webp", "spritesheet": ".jpg"}


def escaped(text: str) -> str:
    """`text` with an escape for each character that could steer a terminal, or cannot be seen."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def clean(text: object) -> str:
    """`text` on one line, escaped."""
    return escaped(" ".join(str(text).split()))


def counted(count: int, noun: str) -> str:
    """How many there are of something, such as `1 row` or `1,200 failed rows`."""
    if count == 1:
        return f"1 {noun}"
    ending = "es" if noun.endswith("x") else "s"
    return f"{count:,} {noun}{ending}"


def described(video: Video) -> str:
    """Status and progress, such as `in progress, 47%`."""
    status = status_words(video)
    if video.progress is None:
        return status
    return f"{status}, {video.progress}%"


def status_words(video: Video) -> str:
    """The status, such as `in progress`."""
    return clean(video.status).replace("_", " ")


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
    if received < 1000:
        return f"{received} bytes"
    amount = received / 1000
    for unit in ("kB", "MB"):
        if amount < 1000:
            return f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def span(seconds: float) -> str:
    """Hours, if there are any, minutes and seconds, such as `1:02:03` or `0:07`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02}:{rest:02}"
    return f"{minutes}:{rest:02}"


def table(rows: dict[str, object]) -> str:
    """One line for each thing that is known."""
    return "\n".join(f"{name:<11}{clean(value)}" for name, value in rows.items() if value)


def video_table(video: Video) -> str:
    """One line for each thing known of a job."""
    rows: dict[str, object] = {
        "id": video.id,
        "status": video.status,
        "progress": None,
        "model": video.model,
        "seconds": video.seconds,
        "size": video.size,
        "remix of": video.remixed_from_video_id,
        "prompt": video.prompt,
        "created": moment(video.created_at),
        "completed": moment(video.completed_at),
        "expires": moment(video.expires_at),
    }
    if video.progress is not None:
        rows["progress"] = f"{video.progress}%"
    if video.error is not None:
        rows["error"] = ": ".join(filter(None, [video.error.code, video.error.message]))
    return table(rows)


def columns(rows: Sequence[Sequence[str]]) -> str:
    """A line for each row, with each column as wide as it has to be."""
    cleaned = [[clean(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cleaned, strict=True)]
    lines = []
    for row in cleaned:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def model_table(models: Sequence[Model]) -> str:
    """One line for each model, its ID first."""
    return columns([[model.id, model.owned_by or ""] for model in models])


def default_name(video_id: str, variant: str | None) -> str:
    """The file in the current folder that a download goes to if nothing is said."""
    # An ID is the server's to choose: it must not lead out of the folder, nor hide the file.
    separators = {"/", "\\", ":", os.sep}
    stem = "".join("_" if character in separators else character for character in video_id)
    if stem.startswith("."):
        stem = f"_{stem}"
    return stem + _ENDINGS.get(variant or "video", "")

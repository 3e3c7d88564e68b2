"""The files that the fake serves, whole or in part (RFC 9110, section 14)."""

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from attrs import frozen

VARIANTS = {
    "video": ("video/mp4", "video.mp4"),
    "thumbnail": ("image/webp", "thumbnail.webp"),
    "spritesheet": ("image/jpeg", "spritesheet.jpg"),
}

# Offsets too long to be meant are malformed here; `int` refuses a few thousand digits.
_RANGE = re.compile(
    r"bytes=(?:([0-9]{1,18})-([0-9]{1,18})?|-([0-9]{1,18}))", re.ASCII | re.IGNORECASE
)


@frozen
class Content:
    media_type: str
    data: bytes
    etag: str


@cache
def content(variant: str) -> Content:
    media_type, name = VARIANTS[variant]
    data = (files("deerapi_remix.testing") / "assets" / name).read_bytes()
    return Content(media_type, data, f'"{hashlib.sha256(data).hexdigest()[:32]}"')


def requested_range(headers: Mapping[str, str], etag: str, size: int) -> range | None:
    """The positions asked for: None for all of them, an empty range if none of them exists."""
    match = _RANGE.fullmatch(headers.get("range", "").strip())
    if not match or headers.get("if-range", etag) != etag:
        return None
    first, last, suffix = (int(number) if number else None for number in match.groups())
    if first is None:
        return range(max(size - (suffix or 0), 0), size)
    if last is not None and last < first:
        return None
    return range(first, size if last is None else min(last + 1, size))

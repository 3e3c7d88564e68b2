"""The files that the fake serves, whole or in part (RFC 9110, section 14)."""

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from importlib.machinery import SourceFileLoader
from pathlib import Path

from attrs import frozen

VARIANTS = {
    "video": ("video/mp4", "video.mp4"),
    "thumbnail": ("image/webp", "thumbnail.webp"),
    "spritesheet": ("image/jpeg", "spritesheet.jpg"),
}

# An offset of more digits than this is taken for malformed: `int` refuses a few thousand of them.
_RANGE = re.compile(
    r"bytes=(?:([0-9]{1,18})-([0-9]{1,18})?|-([0-9]{1,18}))", re.ASCII | re.IGNORECASE
)


@frozen
class Content:
    """A file, and how it is served."""

    media_type: str
    data: bytes
    etag: str


@cache
def content(variant: str) -> Content:
    """The file of a variant."""
    media_type, name = VARIANTS[variant]
    path = str(Path(__file__).parent / "assets" / name)
    # Read by a loader of modules, because a test may have replaced the file system (pyfakefs).
    data = SourceFileLoader(name, path).get_data(path)
    return Content(media_type, data, f'"{hashlib.sha256(data).hexdigest()[:32]}"')


def requested_range(headers: Mapping[str, str], etag: str, size: int) -> range | None:
    """The positions asked for: None for all of them, an empty range if none of them exists."""
    match = _RANGE.fullmatch(headers.get("range", "").strip())
    if not match or headers.get("if-range", etag) != etag:
        return None
    first, last, suffix = match.groups()
    if first is None:
        return range(max(size - int(suffix), 0), size)
    if last is None:
        return range(int(first), size)
    if int(last) < int(first):
        return None
    return range(int(first), min(int(last) + 1, size))

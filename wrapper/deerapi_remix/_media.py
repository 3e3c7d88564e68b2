"""What the bytes of a file tell: which kind it is, and whether it is whole."""

from __future__ import annotations

import enum
from collections.abc import Iterator

from ._part_file import PartFile

_HEAD = 512
_JPEG_START, _JPEG_END = b"\xff\xd8", b"\xff\xd9"
_PNG_START, _PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xae\x42\x60\x82"
_GIF_START, _GIF_END = b"GIF8", b"\x3b"
# Pictures in the container of videos: AVIF and HEIF name themselves behind `ftyp`.
_PICTURE_BRANDS = frozenset(
    {b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
)
_MARKS_OF_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Some writers pad behind the end.
_PADDING = b"\0\r\n"


class Kind(enum.StrEnum):
    """Which kind of file it is."""

    VIDEO = "a video"
    PICTURE = "a picture"
    TEXT = "text, such as JSON or a page,"
    UNKNOWN = "a file of an unknown kind"


def kind_of(part: PartFile) -> Kind:
    """The kind of a file by its first bytes."""
    head = part.read(0, _HEAD)
    if head[4:8] == b"ftyp":
        return Kind.PICTURE if head[8:12] in _PICTURE_BRANDS else Kind.VIDEO
    if _is_webp(head) or head.startswith((_JPEG_START, _PNG_START, _GIF_START)):
        return Kind.PICTURE
    if head.startswith(_MARKS_OF_UTF_16):
        return Kind.TEXT
    return Kind.TEXT if _first_character(part) in (b"<", b"{", b"[") else Kind.UNKNOWN


def _first_character(part: PartFile) -> bytes:
    """The first byte that is not blank, after a byte order mark."""
    position = 0
    while block := part.read(position, _HEAD):
        position += len(block)
        text = block.removeprefix(_BYTE_ORDER_MARK).lstrip()
        if text:
            return text[:1]
    return b""


def is_whole(part: PartFile) -> bool:
    """Whether a file ends where its format says; unknown formats are taken as they are."""
    head = part.read(0, _HEAD)
    size = part.size()
    if head[4:8] == b"ftyp" or len(head) < 8:
        return _is_whole_mp4(part, size)
    if head.startswith(b"RIFF"):
        announced = 8 + int.from_bytes(head[4:8], "little")
        return size in (announced, announced + announced % 2)
    tail = part.read(max(size - _HEAD, 0), _HEAD)
    for start, end in ((_JPEG_START, _JPEG_END), (_PNG_START, _PNG_END), (_GIF_START, _GIF_END)):
        if head.startswith(start):
            return tail.endswith(end) or tail.rstrip(_PADDING).endswith(end)
    return True


def _is_webp(head: bytes) -> bool:
    return head.startswith(b"RIFF") and head[8:12] == b"WEBP"


def _is_whole_mp4(part: PartFile, size: int) -> bool:
    """Whether the boxes add up to the file, and those that make a video or picture are there."""
    names = set()
    end = 0
    for name, box_end in _boxes(part, size):
        names.add(name)
        end = box_end
    if end != size:
        return False
    if part.read(8, 4) in _PICTURE_BRANDS:
        return b"meta" in names
    return b"moov" in names and bool(names & {b"mdat", b"moof"})


def _boxes(part: PartFile, size: int) -> Iterator[tuple[bytes, int]]:
    """Name and end of each box; a header that was cut ends them."""
    position = 0
    while position < size:
        header = part.read(position, 16)
        length = int.from_bytes(header[:4], "big")
        if length == 1:  # The length comes behind the name, because it is large.
            length = int.from_bytes(header[8:16], "big")
        if len(header) < 8 or 0 < length < 8:
            return
        # The last box may reach to the end, wherever that is.
        position = size if length == 0 else position + length
        yield header[4:8], position

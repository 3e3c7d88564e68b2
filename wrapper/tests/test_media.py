"""What the bytes of a file tell: which kind it is, and whether it is whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deerapi_remix._media import Kind, is_whole, kind_of
from deerapi_remix._part_file import PartFile


def box(name: bytes, payload: bytes = b"") -> bytes:
    return (8 + len(payload)).to_bytes(4, "big") + name + payload


def large(name: bytes, payload: bytes) -> bytes:
    """A box whose length stands behind its name."""
    return b"\0\0\0\x01" + name + (16 + len(payload)).to_bytes(8, "big") + payload


def container(brand: bytes) -> bytes:
    return box(b"ftyp", brand + b"\0\0\0\0")


MP4 = container(b"isom")
MOOV, MDAT, MOOF, META = box(b"moov"), box(b"mdat", b"data"), box(b"moof"), box(b"meta")
PNG = b"\x89PNG\r\n\x1a\n"
PNG_END = b"IEND\xae\x42\x60\x82"
BRANDS = [b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"]
BOM = b"\xef\xbb\xbf"

KINDS: dict[str, tuple[bytes, Kind]] = {
    "MP4": (MP4, Kind.VIDEO),
    "QuickTime": (container(b"qt  "), Kind.VIDEO),
    **{brand.decode(): (container(brand), Kind.PICTURE) for brand in BRANDS},
    "WebP": (b"RIFF\0\0\0\0WEBP", Kind.PICTURE),
    "another RIFF": (b"RIFF\0\0\0\0WAVE", Kind.UNKNOWN),
    "JPEG": (b"\xff\xd8\xff\xe0", Kind.PICTURE),
    "PNG": (PNG, Kind.PICTURE),
    "GIF": (b"GIF89a", Kind.PICTURE),
    "older GIF": (b"GIF87a", Kind.PICTURE),
    "WebM": (b"\x1a\x45\xdf\xa3", Kind.UNKNOWN),
    "UTF-16": (b"\xff\xfe{\0", Kind.TEXT),
    "UTF-16, big-endian": (b"\xfe\xff\0{", Kind.TEXT),
    "an object": (b'{"a": 1}', Kind.TEXT),
    "a list": (b"[1]", Kind.TEXT),
    "a page": (b"<html>", Kind.TEXT),
    "behind blanks": (b" \t\r\n{", Kind.TEXT),
    "behind a byte order mark": (BOM + b" {", Kind.TEXT),
    "at the end of a block of blanks": (b" " * 511 + b"{", Kind.TEXT),
    "behind a block of blanks": (b" " * 512 + b"{", Kind.TEXT),
    "behind two blocks of blanks": (b" " * 1024 + b"<", Kind.TEXT),
    "plain words": (b"oops", Kind.UNKNOWN),
    "blanks alone": (b" " * 600, Kind.UNKNOWN),
    "nothing": (b"", Kind.UNKNOWN),
    "the name elsewhere": (b"ftypisom", Kind.UNKNOWN),
}
WHOLE: dict[str, bytes] = {
    "MP4": MP4 + MOOV + MDAT,
    "MP4 in another order": MP4 + MDAT + MOOV,
    "MP4 in fragments": MP4 + MOOV + MOOF,
    "a large box": MP4 + MOOV + large(b"mdat", b"data"),
    "a large box without content": MP4 + MOOV + large(b"mdat", b""),
    "a box up to the end": MP4 + MOOV + b"\0\0\0\0mdat" + b"x" * 100,
    "a box without content": MP4 + MOOV + box(b"mdat"),
    "AVIF": container(b"avif") + META + MDAT,
    "AVIF without content": container(b"avif") + META,
    "WebP": b"RIFF\x04\0\0\0WEBP",
    "WebP with a filling byte": b"RIFF\x05\0\0\0WEBPx\0",
    "WebP without the filling byte": b"RIFF\x05\0\0\0WEBPx",
    "WebP longer than 64 KB": b"RIFF" + (70_000).to_bytes(4, "little") + b"WEBP" + b"x" * 69_996,
    "JPEG": b"\xff\xd8 and so on \xff\xd9",
    "JPEG with padding": b"\xff\xd8 and so on \xff\xd9\0\r\n",
    "long JPEG": b"\xff\xd8" + b"x" * 5_000 + b"\xff\xd9" + b"\0" * 510,
    "PNG": PNG + PNG_END,
    "PNG with padding": PNG + PNG_END + b"\n",
    "GIF": b"GIF89a so on\x3b",
    "GIF with padding": b"GIF89a so on\x3b\0",
    "WebM": b"\x1a\x45\xdf\xa3 whatever",
    "the name elsewhere": b"12345 ftyp",
}
CUT: dict[str, bytes] = {
    "nothing": b"",
    "a head alone": MP4[:8],
    "seven bytes": b"1234567",
    "MP4 without its index": MP4 + MDAT,
    "MP4 without content": MP4 + MOOV,
    "MP4 with another box": MP4 + MOOV + box(b"free"),
    "MP4 that lacks a byte": (MP4 + MOOV + MDAT)[:-1],
    "MP4 with a byte too many": MP4 + MOOV + MDAT + b"\0",
    "a head that was cut": MP4 + MOOV + MDAT + b"\0\0\0\x08fre",
    "a large box that was cut": (MP4 + MOOV + large(b"mdat", b"data"))[:-1],
    "a box shorter than its head": MP4 + MOOV + MDAT + b"\0\0\0\x07free",
    "a box that is longer than any file": MP4 + MOOV + MDAT + b"\xff\xff\xff\xfffree",
    "a box of two bytes": MP4 + MOOV + MDAT + b"\0\0\0\x02free",
    "a box that begins within the head of another": MP4 + MOOV + MDAT + b"\0\0\0\x04" + b"\0\0\0\x08free",
    "AVIF without its index": container(b"avif") + MDAT,
    "WebP that lacks a byte": b"RIFF\x04\0\0\0WEB",
    "WebP with bytes too many": b"RIFF\x04\0\0\0WEBP\0",
    "WebP with two filling bytes": b"RIFF\x05\0\0\0WEBPx\0\0",
    "JPEG": b"\xff\xd8 and so on \xff",
    "JPEG with an end inside": b"\xff\xd8 and \xff\xd9 so on",
    "PNG": (PNG + PNG_END)[:-1],
    "GIF": b"GIF89a so on",
    "GIF with the end of a PNG": b"GIF89a so on" + PNG_END,
}


@pytest.fixture
def part(tmp_path: Path) -> Iterator[PartFile]:
    with PartFile(tmp_path / "file", overwrite=False) as part:
        yield part


@pytest.mark.parametrize(("content", "kind"), KINDS.values(), ids=KINDS)
def test_the_first_bytes_tell_the_kind(part: PartFile, content: bytes, kind: Kind) -> None:
    part.write(content)
    assert kind_of(part) is kind


@pytest.mark.parametrize("content", WHOLE.values(), ids=WHOLE)
def test_a_whole_file_ends_where_its_format_says(part: PartFile, content: bytes) -> None:
    part.write(content)
    assert is_whole(part)


@pytest.mark.parametrize("content", CUT.values(), ids=CUT)
def test_a_file_that_was_cut_does_not(part: PartFile, content: bytes) -> None:
    part.write(content)
    assert not is_whole(part)

"""Are these bytes a whole file of their kind? Containers only: no picture is decoded."""


def mp4_problem(data: bytes) -> str | None:
    """What is wrong with an MP4 file.

    Its boxes must fill it, begin with `ftyp`, and hold `moov` and `mdat`.
    """
    kinds: list[bytes] = []
    position = 0
    while position < len(data):
        size, kind = (
            int.from_bytes(data[position : position + 4]),
            data[position + 4 : position + 8],
        )
        header = 8
        if size == 1:
            size, header = int.from_bytes(data[position + 8 : position + 16]), 16
        elif size == 0:
            size = len(data) - position
        if size < header or position + size > len(data):
            return f"the box at byte {position} of {len(data)} has no end within the file"
        kinds.append(kind)
        position += size
    if kinds[:1] != [b"ftyp"]:
        return f"the file does not begin with a box `ftyp`, but with {data[:12]!r}"
    missing = [kind.decode() for kind in (b"moov", b"mdat") if kind not in kinds]
    return f"there is no box `{missing[0]}`" if missing else None


def webp_problem(data: bytes) -> str | None:
    """What is wrong with a WebP file: a RIFF container that ends where it says."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return f"the file does not begin as a WebP file, but with {data[:12]!r}"
    size = int.from_bytes(data[4:8], "little") + 8
    return None if size == len(data) else f"the file says it has {size} bytes, and has {len(data)}"


def jpeg_problem(data: bytes) -> str | None:
    """What is wrong with a JPEG file: it must begin and end with its markers."""
    if data[:3] != b"\xff\xd8\xff":
        return f"the file does not begin as a JPEG file, but with {data[:12]!r}"
    return (
        None
        if data.rstrip(b"\0").endswith(b"\xff\xd9")
        else "the file does not end with the marker of its end"
    )

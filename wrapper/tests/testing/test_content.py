from __future__ import annotations

from importlib.resources import as_file, files

import av
import pytest
from av.video.stream import VideoStream

from deerapi_remix.testing import FakeDeerAPI
from deerapi_remix.testing._content import content
from deerapi_remix.testing.fake import Answer

from .conftest import CONTENT, send

VIDEO = content("video").data
SIZE = len(VIDEO)
ETAG = content("video").etag


def get(fake: FakeDeerAPI, query: str = "", **headers: str) -> Answer:
    return send(fake, "GET", f"{CONTENT}?{query}", **headers)


def decoded(name: str) -> tuple[VideoStream, list[av.VideoFrame]]:
    with as_file(files("deerapi_remix.testing") / "assets" / name) as path, av.open(str(path)) as container:
        return container.streams.video[0], list(container.decode(video=0))


def test_the_video_plays() -> None:
    stream, frames = decoded("video.mp4")
    assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
    assert (len(frames), frames[-1].time, frames[0].width, frames[0].height) == (96, 95 / 24, 1280, 720)
    assert not any(frame.is_corrupt for frame in frames)


def test_the_video_is_small_and_can_play_while_it_arrives() -> None:
    assert SIZE < 50_000
    assert VIDEO.index(b"moov") < VIDEO.index(b"mdat")


def test_jobs_tell_the_size_and_length_of_the_video(fake: FakeDeerAPI) -> None:
    job = fake.jobs["video_123"]
    _, frames = decoded("video.mp4")
    assert job.size == f"{frames[0].width}x{frames[0].height}"
    assert int(job.seconds) == len(frames) / 24


@pytest.mark.parametrize(
    ("name", "codec", "size"), [("thumbnail.webp", "webp", (640, 360)), ("spritesheet.jpg", "mjpeg", (1280, 540))]
)
def test_the_pictures_can_be_decoded(name: str, codec: str, size: tuple[int, int]) -> None:
    stream, (frame,) = decoded(name)
    assert (stream.codec_context.name, (frame.width, frame.height)) == (codec, size)


@pytest.mark.parametrize(
    ("query", "media_type", "magic"),
    [
        ("", "video/mp4", b"ftyp"),
        ("variant=video", "video/mp4", b"ftyp"),
        ("variant=thumbnail", "image/webp", b"WEBP"),
        ("variant=spritesheet", "image/jpeg", b"\xff\xd8\xff"),
    ],
)
def test_each_variant_is_served_whole(fake: FakeDeerAPI, query: str, media_type: str, magic: bytes) -> None:
    answer = get(fake, query)
    assert (answer.status, answer.headers["content-type"]) == (200, media_type)
    assert magic in answer.body[:16]
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["etag"].startswith('"')


@pytest.mark.parametrize("variant", ["", "Video", "poster"])
def test_another_variant_is_refused(fake: FakeDeerAPI, variant: str) -> None:
    assert get(fake, f"variant={variant}").status == 400


@pytest.mark.parametrize(
    ("header", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-99", 0, 100),
        ("bytes=100-", 100, SIZE),
        ("bytes=0-", 0, SIZE),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
        ("bytes=100-99999999", 100, SIZE),
        ("bytes=-10", SIZE - 10, SIZE),
        ("bytes=-99999999", 0, SIZE),
        ("Bytes=1-2", 1, 3),
    ],
)
def test_a_part_is_served(fake: FakeDeerAPI, header: str, start: int, stop: int) -> None:
    answer = get(fake, Range=header)
    assert (answer.status, answer.body) == (206, VIDEO[start:stop])
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{SIZE}"
    assert answer.headers["content-length"] == str(stop - start)
    assert answer.headers["etag"] == ETAG


@pytest.mark.parametrize(
    "header",
    [
        "bytes=5-4",
        "bytes=0-1,3-4",
        "bytes=-",
        "bytes=a-b",
        "items=0-1",
        "bytes 0-1",
        "0-1",
        "",
        "bytes=-1-2",
        "bytes=١-٢",
        f"bytes={'9' * 5000}-",
    ],
)
def test_a_malformed_or_multiple_range_is_ignored(fake: FakeDeerAPI, header: str) -> None:
    answer = get(fake, Range=header)
    assert (answer.status, answer.body) == (200, VIDEO)


@pytest.mark.parametrize("header", [f"bytes={SIZE}-", f"bytes={SIZE + 5}-{SIZE + 9}", "bytes=-0"])
def test_a_range_that_does_not_exist_is_416(fake: FakeDeerAPI, header: str) -> None:
    answer = get(fake, Range=header)
    assert (answer.status, answer.headers["content-range"]) == (416, f"bytes */{SIZE}")


@pytest.mark.parametrize("range_", ["bytes=0-9", f"bytes={SIZE}-"])
@pytest.mark.parametrize("tag", ['"other"', f"W/{ETAG}", "Sat, 22 Nov 2025 15:45:00 GMT", ""])
def test_if_range_with_another_validator_gets_the_whole(fake: FakeDeerAPI, range_: str, tag: str) -> None:
    answer = get(fake, Range=range_, If_Range=tag)
    assert (answer.status, answer.body) == (200, VIDEO)


def test_if_range_with_the_tag_gets_the_part(fake: FakeDeerAPI) -> None:
    assert get(fake, Range="bytes=0-9", If_Range=ETAG).status == 206


def test_variants_have_different_tags() -> None:
    assert len({content(variant).etag for variant in ("video", "thumbnail", "spritesheet")}) == 3

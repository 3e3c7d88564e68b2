"""What an answer must be like to become the file, and what happens when it breaks off."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from deerapi_remix import (
    APIConnectionError,
    APIStatusError,
    AsyncRemixClient,
    BadRequestError,
    DeerAPIError,
    DownloadError,
    Event,
    InternalServerError,
    NotFoundError,
    RateLimitError,
    RemixClient,
    RetryPolicy,
    Video,
)

from .conftest import KEY, Clock, Loopback
from .wire import Answer, Pieces, Step, Twin, failure, takes

pytestmark = pytest.mark.usefixtures("clock")

DOUBLED = [
    [("Content-Type", "video/mp4"), ("Content-Encoding", "gzip"), ("Content-Encoding", "identity")],
    [("Content-Type", "text/html"), ("Content-Type", "video/mp4")],
]
CUT = httpx.RemoteProtocolError("peer closed connection without sending complete message body")


START_OF_MP4 = b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\x08moov"


def mp4(size: int) -> bytes:
    """Three boxes that add up to `size`."""
    return START_OF_MP4 + (size - 24).to_bytes(4, "big") + b"mdat" + bytes(i % 251 for i in range(size - 32))


FILE = mp4(1000)


def whole(body: bytes = FILE, **headers: str) -> Answer:
    return Answer(200, body, {"Content-Type": "video/mp4", "Content-Length": str(len(body)), **named(headers)})


def cut(at: int, body: bytes = FILE, **headers: str) -> Answer:
    """The start of the file, after which the connection breaks."""
    given = {"Content-Type": "video/mp4", "Content-Length": str(len(body)), **named(headers)}
    return Answer(200, Pieces(body[:at], CUT), given)


def rest(
    start: int, body: bytes = FILE, *, end: int | None = None, tag: str = '"v1"', span: str | None = None, **more: str
) -> Answer:
    """Status 206 with the bytes from `start`; broken off at `end`, if there is one."""
    validators = named(more) if more else {"ETag": tag}
    given = {
        "Content-Type": "video/mp4",
        "Content-Length": str(len(body) - start),
        "Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}" if span is None else span,
        **validators,
    }
    return Answer(206, body[start:] if end is None else Pieces(body[start:end], CUT), given)


def empty(length: str | None) -> Answer:
    return Answer(200, b"", {"Content-Type": "video/mp4"} | ({"Content-Length": length} if length else {}))


def named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def ranges(requests: list[httpx.Request]) -> list[tuple[str | None, str | None]]:
    return [(request.headers.get("Range"), request.headers.get("If-Range")) for request in requests]


# The happy path


@pytest.mark.parametrize("video", ["video_1", Video(id="video_1", status="completed")], ids=["id", "video"])
def test_the_file_is_asked_for_whole_and_uncoded_and_saved_byte_for_byte(
    connect: Twin, target: Path, video: Video | str
) -> None:
    client, wire = connect(whole())
    assert client.download(video, target) == target
    assert target.read_bytes() == FILE
    assert wire.sent == [("GET", "/v1/videos/video_1/content")]
    assert wire.requests[0].headers["Accept-Encoding"] == "identity"
    assert ranges(wire.requests) == [(None, None)]


FILES = {
    **{kind: whole(Content_Type=kind) for kind in ("video/mp4", "VIDEO/MP4", "video/mp4; codecs=avc1")},
    **{kind: whole(Content_Type=kind) for kind in ("video/quicktime", "application/octet-stream", "application/mp4")},
    **{kind: whole(Content_Type=kind) for kind in ("binary/octet-stream",)},
    "no content type": Answer(200, FILE, {"Content-Length": "1000"}),
    "coding identity": whole(Content_Encoding="identity"),
    "chunked": Answer(200, FILE, {"Content-Type": "video/mp4", "Transfer-Encoding": "chunked"}),
    **{f"length {length}": whole(Content_Length=length) for length in ("-5", "abc", "1e3", "", "9" * 30)},
}


@pytest.mark.parametrize("answer", FILES.values(), ids=FILES)
def test_these_answers_are_files(connect: Twin, target: Path, answer: Answer) -> None:
    seen: list[int | None] = []
    client, wire = connect(answer)
    client.download("video_1", target, on_progress=lambda _, total: seen.append(total))
    assert (target.read_bytes(), len(wire.requests)) == (FILE, 1)
    assert seen == [1000 if answer.headers.get("Content-Length") == "1000" else None]


# Answers that are not the file


def of_type(kind: str) -> Answer:
    return Answer(200, b"{}", {"Content-Type": kind})


GONE = "Upstream has no file."
PAGES = ("text/html", "text/html; charset=utf-8", "text/plain", "application/xml", "videos/mp4")

# What comes, and what is said of it.
NO_FILES: dict[str, tuple[Answer, str]] = {
    "JSON": (of_type("application/json"), "application/json instead of a video"),
    **{kind: (of_type(kind), f"{kind.partition(';')[0]} instead of a video") for kind in PAGES},
    "nested error": (Answer(200, {"error": {"message": GONE, "code": "gone"}}), f"a video: {GONE}"),
    "flat error": (Answer(200, {"code": "gone", "message": GONE, "data": None}), f"a video: {GONE}"),
    "text as error": (Answer(200, {"error": GONE}), f"a video: {GONE}"),
    **{coding: (whole(Content_Encoding=coding), "not asked for") for coding in ("gzip", "br", "deflate", "GZIP")},
    **{f"length {length}": (empty(length), "the file is empty") for length in ("0", None)},
    **{
        str(status): (Answer(status, FILE, {"Content-Type": "video/mp4"}), f"answered {status} without a file")
        for status in (201, 202, 203, 204, 207)
    },
    "a picture": (whole(b"picture", Content_Type="image/png"), "image/png although a video was asked for"),
    "a part": (rest(0), "although the whole file was asked for"),
    "too long": (whole(Content_Length="999"), "1000 bytes came where 999 were announced"),
}


@pytest.mark.parametrize(("answer", "told"), NO_FILES.values(), ids=NO_FILES)
def test_these_answers_are_no_files_and_not_asked_for_again(
    connect: Twin, target: Path, answer: Answer, told: str
) -> None:
    answer.headers["X-Request-Id"] = "req_5"
    client, wire = connect(answer)
    error = failure(DownloadError, client.download, "video_1", target)
    assert told in str(error)
    assert (error.path, error.retryable, error.video_id, error.request_id) == (target, False, "video_1", "req_5")
    assert (error.received, error.expected) == ((1000, 999) if told.startswith("1000") else (0, error.expected))
    assert (len(wire.requests), target.exists()) == (1, False)


def test_a_long_page_in_place_of_the_file_is_not_read_to_its_end(connect: Twin, target: Path) -> None:
    read: list[int] = []

    class Endless(Pieces):
        def __iter__(self) -> Iterator[bytes]:
            while True:
                read.append(1)
                yield b"x" * 1024

    client, _ = connect(Answer(200, Endless(), {"Content-Type": "text/html"}))
    with pytest.raises(DownloadError, match="text/html"):
        client.download("video_1", target)
    assert len(read) < 100


def test_a_job_that_is_not_completed_is_not_asked_for_again(connect: Twin, target: Path) -> None:
    client, wire = connect(Answer(400, {"error": {"message": "Task is not completed yet", "code": "x"}}))
    with pytest.raises(BadRequestError, match="Task is not completed yet"):
        client.download("video_1", target)
    assert len(wire.requests) == 1


# Lengths


def test_a_file_shorter_than_announced_is_asked_for_again(connect: Twin, target: Path) -> None:
    client, wire = connect(whole(Content_Length="1001"), whole())
    client.download("video_1", target)
    assert len(wire.requests) == 2
    assert target.read_bytes() == FILE


def test_a_file_that_stays_shorter_than_announced_is_an_error(connect: Twin, target: Path) -> None:
    client, wire = connect(whole(Content_Length="1001"))
    with pytest.raises(DownloadError, match="1000 bytes came where 1001 were announced") as caught:
        client.download("video_1", target)
    assert (caught.value.received, caught.value.expected) == (1000, 1001)
    assert caught.value.retryable is True
    assert len(wire.requests) == 5  # The first brought new bytes, so four more count.
    assert not target.exists()


# A body that ends with the connection


def unframed(body: bytes, kind: str = "video/mp4") -> Answer:
    return Answer(200, body, {"Content-Type": kind})


def test_without_length_a_video_is_whole_if_its_boxes_add_up(connect: Twin, target: Path) -> None:
    client, wire = connect(unframed(FILE))
    client.download("video_1", target)
    assert target.read_bytes() == FILE
    assert len(wire.requests) == 1


@pytest.mark.parametrize("end", [1, 4, 7, 8, 15, 16, 17, 20, 23, 24, 25, 31, 32, 33, 500, 999])
def test_without_length_a_video_that_broke_off_is_asked_for_again(connect: Twin, target: Path, end: int) -> None:
    client, wire = connect(unframed(FILE[:end]), unframed(FILE))
    client.download("video_1", target)
    assert target.read_bytes() == FILE
    assert len(wire.requests) == 2


def test_without_length_a_video_that_breaks_off_every_time_is_an_error(connect: Twin, target: Path) -> None:
    client, wire = connect(unframed(FILE[:-1]))
    with pytest.raises(DownloadError, match="ends too early, after 999 bytes") as caught:
        client.download("video_1", target)
    assert (caught.value.received, caught.value.expected) == (999, None)
    assert len(wire.requests) == 5
    assert not target.exists()


def test_without_length_other_formats_are_taken_as_they_are(connect: Twin, target: Path) -> None:
    client, _ = connect(unframed(b"\x1a\x45\xdf\xa3 of another kind", "video/webm"))
    client.download("video_1", target)
    assert target.read_bytes() == b"\x1a\x45\xdf\xa3 of another kind"


def test_a_close_on_the_socket_inside_the_video_is_noticed(connect: Twin, target: Path, loopback: Loopback) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nConnection: close\r\n\r\n"
    loopback.answer = lambda _: head + (FILE[:500] if len(loopback.requests) == 1 else FILE)
    with connect_own(connect, loopback) as client:
        client.download("video_1", target)
    assert target.read_bytes() == FILE
    assert len(loopback.requests) == 2


# Connections that break


class connect_own:  # noqa: N801  # Used like a function.
    """A client with connections of its own to `loopback`, closed at the end."""

    def __init__(self, connect: Twin, loopback: Loopback) -> None:
        self._client = connect.own(base_url=loopback.url)

    def __enter__(self) -> Any:
        return self._client

    def __exit__(self, *_: object) -> None:
        self._client.close()


def test_a_cut_on_the_socket_is_resumed_where_it_broke(connect: Twin, target: Path, loopback: Loopback) -> None:
    def answer(_: str) -> bytes:
        if len(loopback.requests) == 1:
            head = 'HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: 1000\r\nETag: "v1"\r\n'
            return head.encode() + b"Connection: close\r\n\r\n" + FILE[:400]
        head = 'HTTP/1.1 206 Partial Content\r\nContent-Type: video/mp4\r\nContent-Length: 600\r\nETag: "v1"\r\n'
        return head.encode() + b"Content-Range: bytes 400-999/1000\r\n\r\n" + FILE[400:]

    loopback.answer = answer
    with connect_own(connect, loopback) as client:
        client.download("video_1", target)
    assert target.read_bytes() == FILE
    assert "range: bytes=400-\n" in loopback.requests[1].lower()
    assert 'if-range: "v1"\n' in loopback.requests[1].lower()


V1 = '"v1"'
START, FROM_400 = (None, None), ("bytes=400-", V1)
OTHER = bytes(reversed(FILE))
UNFRAMED = Answer(200, FILE[:400], {"Content-Type": "video/mp4", "ETag": V1})
STRANGERS = [
    *((V1, span) for span in ("bytes 401-999/1000", "bytes 399-999/1000", "bytes 0-999/1000", "bytes 400-999/1001")),
    *((V1, span) for span in ("bytes 400-999/*", "bytes */1000", "items 400-999/1000", "")),
    *((tag, "bytes 400-999/1000") for tag in ('"v2"', 'W/"v1"', "")),
]

# What comes, what is asked for, and the file.
RESUMED: dict[str, tuple[list[Step], list[tuple[str | None, str | None]], bytes]] = {
    "by a strong tag": (
        [cut(400, ETag=V1), rest(400, end=700), rest(700)],
        [START, FROM_400, ("bytes=700-", V1)],
        FILE,
    ),
    **{f"not by the tag {tag}": ([cut(400, ETag=tag), whole()], [START, START], FILE) for tag in ('W/"v1"', "v1", "")},
    "not without a byte": ([cut(0, ETag=V1), whole()], [START, START], FILE),
    "a server that ignores the range": ([cut(400, ETag=V1), whole(ETag=V1)], [START, FROM_400], FILE),
    **{
        f"not by a part of {tag}, {span}": (
            [cut(400, ETag=V1), rest(400, tag=tag, span=span), whole()],
            [START, FROM_400, START],
            FILE,
        )
        for tag, span in STRANGERS
    },
    "not a file that changed": ([cut(400, ETag=V1), whole(OTHER, ETag='"v2"')], [START, FROM_400], OTHER),
    "a file that changed, by its new tag": (
        [cut(400, ETag=V1), cut(300, OTHER, ETag='"v2"'), rest(300, OTHER, tag='"v2"')],
        [START, FROM_400, ("bytes=300-", '"v2"')],
        OTHER,
    ),
    "not a longer file": ([cut(900, ETag=V1), whole(mp4(100), ETag='"v2"')], [START, ("bytes=900-", V1)], mp4(100)),
    "not where the range cannot be had": ([cut(400, ETag=V1), Answer(416), whole()], [START, FROM_400, START], FILE),
    "an unframed file": ([UNFRAMED, rest(400)], [START, FROM_400], FILE),
    "a file of no length, whose rest comes in parts of no total": (
        [
            Answer(200, Pieces(FILE[:400], httpx.ReadError("reset")), {"Transfer-Encoding": "chunked", "ETag": V1}),
            Answer(206, FILE[400:700], {"Content-Type": "video/mp4", "Content-Range": "bytes 400-699/*", "ETag": V1}),
            rest(700, span="bytes 700-999/*"),
        ],
        [START, FROM_400, ("bytes=700-", V1)],
        FILE,
    ),
}


DATED: dict[str, Any] = {"Last_Modified": "Sun, 06 Nov 1994 08:49:37 GMT", "Date": "Sun, 06 Nov 1994 08:50:37 GMT"}
BY_DATE = ("bytes=400-", "Sun, 06 Nov 1994 08:49:37 GMT")
LATER: dict[str, Any] = {"Last_Modified": "Sun, 06 Nov 1994 08:49:38 GMT"}
# What a second answer may say of a date, and whether it is sure to be of the same file.
TOO_WEAK: dict[str, dict[str, Any]] = {
    "59 s before": DATED | {"Date": "Sun, 06 Nov 1994 08:50:36 GMT"},
    "after": DATED | {"Date": "Sun, 06 Nov 1994 08:00:00 GMT"},
    "no date": {"Last_Modified": DATED["Last_Modified"]},
    "nonsense": DATED | {"Last_Modified": "yesterday"},
    "nonsense as date": DATED | {"Date": "today"},
    # RFC 9110, section 13.1.5: no date where there is a tag.
    "a weak tag beside it": DATED | {"ETag": 'W/"v1"'},
}
RESUMED |= {
    "by a date that is strong": ([cut(400, **DATED), rest(400, **DATED)], [START, BY_DATE], FILE),
    "by a tag rather than a date": ([cut(400, ETag=V1, **DATED), rest(400)], [START, FROM_400], FILE),
    "a file of another date, sent whole": (
        [cut(400, **DATED), whole(OTHER, **(DATED | LATER))],
        [START, BY_DATE],
        OTHER,
    ),
    "not by a part of another date": (
        [cut(400, **DATED), rest(400, **(DATED | LATER)), whole()],
        [START, BY_DATE, START],
        FILE,
    ),
    "not by a part without a date": (
        [cut(400, **DATED), rest(400, Server="x"), whole()],
        [START, BY_DATE, START],
        FILE,
    ),
    **{
        f"not by a date: {why}": ([cut(400, **given), whole()], [START, START], FILE) for why, given in TOO_WEAK.items()
    },
}


@pytest.mark.parametrize(("answers", "asked", "file"), RESUMED.values(), ids=RESUMED)
def test_a_download_that_broke_off_is_resumed(
    connect: Twin, target: Path, answers: list[Step], asked: list[tuple[str | None, str | None]], file: bytes
) -> None:
    client, wire = connect(*answers)
    client.download("video_1", target)
    assert (ranges(wire.requests), target.read_bytes()) == (asked, file)


def test_parts_that_never_continue_the_file_are_an_error(connect: Twin, target: Path) -> None:
    client, wire = connect(*[cut(400, ETag='"v1"'), rest(400, tag='"v2"')] * 10)
    with pytest.raises((APIConnectionError, DownloadError)):
        client.download("video_1", target)
    assert len(wire.requests) == 5  # The first brought new bytes, so four more count.
    assert not target.exists()


def test_416_without_a_range_is_an_error_of_its_own(connect: Twin, target: Path) -> None:
    client, wire = connect(Answer(416))
    error = failure(APIStatusError, client.download, "video_1", target)
    assert error.status_code == 416
    assert len(wire.requests) == 1


# How often it is tried


def in_tens(count: int) -> list[Answer]:
    """The file, ten bytes at a time; the rest comes last."""
    parts = [rest(10 * number, end=10 * number + 10) for number in range(1, count)]
    return [cut(10, ETag=V1), *parts, rest(10 * count)]


def test_new_bytes_reset_attempts_and_budget(connect: Twin, clock: Clock, target: Path) -> None:
    client, wire = connect(*(takes(clock, 50, step) for step in in_tens(30)), retry=RetryPolicy(attempts=2))
    client.download("video_1", target)
    assert (target.read_bytes(), len(wire.requests)) == (FILE, 31)


FAILING: dict[str, tuple[list[Step], type[DeerAPIError], int]] = {
    # The first brought new bytes, so four more count.
    "the same bytes again": ([cut(400)], APIConnectionError, 5),
    "fewer bytes than before": ([cut(400 - number) for number in range(20)], APIConnectionError, 5),
    "no bytes": ([Answer(502)], InternalServerError, 4),
    "a final status": ([cut(400, ETag=V1), Answer(404)], NotFoundError, 2),
}


@pytest.mark.parametrize(("answers", "kind", "sent"), FAILING.values(), ids=FAILING)
def test_without_new_bytes_attempts_are_counted(
    connect: Twin, target: Path, answers: list[Step], kind: type[DeerAPIError], sent: int
) -> None:
    client, wire = connect(*answers)
    error = failure(kind, client.download, "video_1", target)
    assert (error.retryable, error.attempts, len(wire.requests)) == (kind is not NotFoundError, sent, sent)
    assert not target.exists()


def test_a_rate_limit_that_does_not_fit_the_budget_ends_the_download_at_once(
    connect: Twin, clock: Clock, target: Path
) -> None:
    client, wire = connect(Answer(429, b"", {"Retry-After": "61"}))
    error = failure(RateLimitError, client.download, "video_1", target)
    assert error.retry_after == 61.0
    assert len(wire.requests) == 1
    assert clock.slept == []


# Redirects


def redirect(location: str, status: int = 302) -> Answer:
    return Answer(status, b"", {"Location": location})


def keys(requests: list[httpx.Request]) -> list[str | None]:
    return [request.headers.get("Authorization") for request in requests]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_is_followed_without_the_key(connect: Twin, target: Path, status: int) -> None:
    client, wire = connect(redirect("https://cdn.example/v.mp4?sig=1", status), whole())
    client.download("video_1", target)
    assert target.read_bytes() == FILE
    assert [request.method for request in wire.requests] == ["GET", "GET"]
    assert str(wire.requests[1].url) == "https://cdn.example/v.mp4?sig=1"
    assert wire.requests[1].headers["Host"] == "cdn.example"
    assert wire.requests[1].extensions["timeout"] == wire.requests[0].extensions["timeout"]
    assert keys(wire.requests) == [f"Bearer {KEY}", None]


@pytest.mark.parametrize(
    "location", ["/files/v.mp4", "https://api.deerapi.com/files/v.mp4", "https://API.deerapi.com:443/files/v.mp4"]
)
def test_a_redirect_to_the_origin_of_the_api_keeps_the_key(connect: Twin, target: Path, location: str) -> None:
    client, wire = connect(redirect(location), whole())
    client.download("video_1", target)
    assert keys(wire.requests) == [f"Bearer {KEY}", f"Bearer {KEY}"]
    assert wire.requests[1].url.path == "/files/v.mp4"


@pytest.mark.parametrize(
    "location",
    [
        "https://api.deerapi.com:8443/v",
        "https://www.api.deerapi.com/v",
        "https://deerapi.com/v",
        "https://api.deerapi.com.evil.example/v",
        "//evil.example/v",
        "https://evil.example/api.deerapi.com",
        "https://api.deerapi.com@evil.example/v",
    ],
)
def test_the_key_goes_to_no_other_origin(connect: Twin, target: Path, location: str) -> None:
    client, wire = connect(redirect(location), whole())
    client.download("video_1", target)
    assert len(wire.requests) == 2
    assert all(KEY not in value for value in wire.requests[1].headers.values())
    assert KEY not in str(wire.requests[1].url)


def test_the_key_stays_off_even_if_the_own_client_would_send_it(connect: Twin, target: Path) -> None:
    client, wire = connect(
        redirect("https://cdn.example/v"),
        whole(),
        http={"headers": {"Authorization": f"Bearer {KEY}"}, "auth": ("user", KEY), "follow_redirects": True},
    )
    client.download("video_1", target)
    assert keys(wire.requests) == [f"Bearer {KEY}", None]


def test_a_redirect_within_the_cdn_is_followed_without_the_key(connect: Twin, target: Path) -> None:
    client, wire = connect(redirect("https://cdn.example/a"), redirect("/b"), whole())
    client.download("video_1", target)
    assert str(wire.requests[2].url) == "https://cdn.example/b"
    assert keys(wire.requests) == [f"Bearer {KEY}", None, None]


@pytest.mark.parametrize("location", ["http://api.deerapi.com/v", "http://cdn.example/v", "http://127.0.0.1/v"])
def test_a_redirect_from_https_to_http_is_refused(connect: Twin, target: Path, location: str) -> None:
    client, wire = connect(redirect(location), whole())
    with pytest.raises(DownloadError, match="from https to http"):
        client.download("video_1", target)
    assert len(wire.requests) == 1
    assert not target.exists()


@pytest.mark.parametrize("location", ["ftp://cdn.example/v", "file://cdn.example/etc/passwd"])
def test_a_redirect_to_another_scheme_is_refused(connect: Twin, target: Path, location: str) -> None:
    client, wire = connect(redirect(location), whole())
    with pytest.raises(DownloadError, match="is refused"):
        client.download("video_1", target)
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    "location", ["javascript:alert(1)", "data:,x", "https://[::1", "https://h:port/", "http\x01://x"]
)
def test_a_redirect_to_what_is_no_url_is_never_followed(connect: Twin, target: Path, location: str) -> None:
    client, wire = connect(redirect(location))
    with pytest.raises((APIStatusError, APIConnectionError, DownloadError)):
        client.download("video_1", target)
    assert {request.url.host for request in wire.requests} == {"api.deerapi.com"}
    assert len(wire.requests) <= 4
    assert not target.exists()


@pytest.mark.parametrize("port", [1, 8443, 65_535])
def test_a_redirect_to_any_port_that_there_is_is_followed(connect: Twin, target: Path, port: int) -> None:
    client, wire = connect(redirect(f"https://cdn.example:{port}/v"), whole())
    client.download("video_1", target)
    assert wire.requests[1].url.port == port


def test_a_redirect_without_a_location_is_an_error_with_its_status(connect: Twin, target: Path) -> None:
    client, wire = connect(Answer(302), whole())
    error = failure(APIStatusError, client.download, "video_1", target)
    assert error.status_code == 302
    assert len(wire.requests) == 1


def test_a_loop_of_redirects_ends(connect: Twin, target: Path) -> None:
    client, wire = connect(redirect("https://api.deerapi.com/v1/videos/video_1/content"))
    with pytest.raises(DownloadError, match="more than 5 redirects"):
        client.download("video_1", target)
    assert len(wire.requests) == 6


def test_five_redirects_are_followed(connect: Twin, target: Path) -> None:
    client, wire = connect(*[redirect("/again")] * 5, whole())
    client.download("video_1", target)
    assert len(wire.requests) == 6


@pytest.mark.parametrize("fault", [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), Answer(503)])
def test_a_failure_behind_a_redirect_starts_again_at_the_api(connect: Twin, target: Path, fault: Step) -> None:
    client, wire = connect(redirect("https://cdn.example/1"), fault, redirect("https://cdn.example/2"), whole())
    client.download("video_1", target)
    assert [request.url.host for request in wire.requests] == ["api.deerapi.com", "cdn.example"] * 2
    assert target.read_bytes() == FILE


def test_a_download_behind_a_redirect_is_resumed_there(connect: Twin, target: Path) -> None:
    to_cdn = redirect("https://cdn.example/v")
    client, wire = connect(to_cdn, cut(400, ETag='"v1"'), to_cdn, rest(400))
    client.download("video_1", target)
    assert target.read_bytes() == FILE
    assert ranges(wire.requests)[3] == ("bytes=400-", '"v1"')


def test_redirects_on_a_socket_keep_the_key_from_another_port(connect: Twin, target: Path, loopback: Loopback) -> None:
    cdn = Loopback()
    try:
        found = f"HTTP/1.1 302 Found\r\nLocation: {cdn.url}/v\r\nContent-Length: 0\r\n\r\n"
        loopback.answer = lambda _: found.encode()
        cdn.answer = lambda _: b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: 1000\r\n\r\n" + FILE
        with connect_own(connect, loopback) as client:
            client.download("video_1", target)
        assert KEY in loopback.requests[0]
        assert KEY not in cdn.requests[0]
        assert "authorization" not in cdn.requests[0].lower()
    finally:
        cdn.close()


# Progress


PIECES = Pieces(FILE[:300], FILE[300:600], FILE[600:])
PROGRESS: dict[str, tuple[list[Step], list[tuple[int, int | None]]]] = {
    "the bytes so far and in all": (
        [Answer(200, PIECES, {"Content-Type": "video/mp4", "Content-Length": "1000"})],
        [(300, 1000), (600, 1000), (1000, 1000)],
    ),
    "a file that is resumed": ([cut(400, ETag=V1), rest(400)], [(400, 1000), (1000, 1000)]),
    "a file that starts over": ([cut(400), whole()], [(400, 1000), (1000, 1000)]),
    "nothing of what is not the file": ([Answer(503, b"busy"), Answer(200, {"error": "no"})], []),
}


@pytest.mark.parametrize(("answers", "told"), PROGRESS.values(), ids=PROGRESS)
def test_on_progress_sees(connect: Twin, target: Path, answers: list[Step], told: list[tuple[int, int | None]]) -> None:
    seen: list[tuple[int, int | None]] = []
    client, _ = connect(*answers)
    with suppress(DownloadError):
        client.download("video_1", target, on_progress=lambda *values: seen.append(values))
    assert seen == told


RAISED = [
    *(RuntimeError("mine"), OSError("mine"), TimeoutError("mine"), httpx.ReadTimeout("mine")),
    *(httpx.ConnectError("mine"), APIConnectionError("mine", retryable=True)),
    *(DownloadError("mine", retryable=True), KeyboardInterrupt("mine"), SystemExit("mine")),
]


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_what_on_progress_raises_passes_unchanged_and_ends_the_download(
    connect: Twin, target: Path, error: BaseException
) -> None:
    def on_progress(*_: object) -> None:
        raise error

    client, wire = connect(cut(400, ETag='"v1"'), rest(400))
    with pytest.raises(type(error), match="mine") as caught:
        client.download("video_1", target, on_progress=on_progress)
    assert caught.value is error
    assert caught.value.__cause__ is None
    assert len(wire.requests) == 1
    assert not target.exists()


def test_download_events_tell_when_bytes_start_and_when_the_file_is_whole(connect: Twin, target: Path) -> None:
    events: list[Event] = []
    client, _ = connect(cut(400, ETag='"v1"'), rest(400), on_event=events.append)
    client.download("video_1", target)
    told = [(event.kind, event.attempt, event.status_code) for event in events]
    assert told == [
        ("download", 1, 200),
        ("attempt", 1, 200),
        ("retry", 1, 200),
        ("download", 2, 206),
        ("download", 2, 206),
        ("attempt", 2, 206),
    ]
    assert {event.operation for event in events} == {"download"}


# Interruption and size


def test_a_cancelled_download_leaves_no_file(target: Path) -> None:
    class Stalled(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield FILE[:400]
            started.set()
            await asyncio.Event().wait()

    async def main() -> None:
        headers = {"Content-Type": "video/mp4", "Content-Length": "1000"}
        transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, stream=Stalled()))
        async with httpx.AsyncClient(transport=transport) as http:
            task = asyncio.create_task(AsyncRemixClient(http_client=http).download("video_1", target))
            await started.wait()
            assert len(list(target.parent.iterdir())) == 1
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    started = asyncio.Event()
    asyncio.run(main())
    assert not target.exists()


def test_a_file_may_take_longer_than_any_answer_while_bytes_come(target: Path) -> None:
    class Slow(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            for start in range(0, 1_000, 100):
                yield FILE[start : start + 100]
                await asyncio.sleep(0.05)

    async def main() -> None:
        headers = {"Content-Type": "video/mp4", "Content-Length": "1000"}
        transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, stream=Slow()))
        async with httpx.AsyncClient(transport=transport) as http:
            client = AsyncRemixClient(http_client=http, timeout=0.2, retry=RetryPolicy(attempts=1, budget=0.0))
            await client.download("video_1", target)

    asyncio.run(main())
    assert target.read_bytes() == FILE


def test_ctrl_c_in_the_middle_of_the_body_leaves_no_file(connect: Twin, target: Path) -> None:
    headers = {"Content-Type": "video/mp4", "Content-Length": "1000"}
    client, wire = connect(Answer(200, Pieces(FILE[:400], KeyboardInterrupt()), headers))
    with pytest.raises(KeyboardInterrupt):
        client.download("video_1", target)
    assert len(wire.requests) == 1
    assert not target.exists()


def test_memory_stays_flat_however_large_the_file(connect: Twin, target: Path) -> None:
    piece = bytes(64 * 1024)
    pieces = Pieces(*[piece] * 512)  # 32 MiB, of which only one piece is in memory.
    headers = {"Content-Type": "video/mp4", "Content-Length": str(32 * 1024 * 1024)}
    client, _ = connect(Answer(200, pieces, headers))
    tracemalloc.start()
    try:
        client.download("video_1", target)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert target.stat().st_size == 32 * 1024 * 1024
    assert peak < 2 * 1024 * 1024


def test_a_tag_that_cannot_be_sent_back_is_no_tag(connect: Twin, target: Path) -> None:
    headers: dict[str, str | bytes] = {"Content-Type": "video/mp4", "Content-Length": "4", "ETag": b'"a\xc3\xa9"'}
    cut = Answer(200, Pieces(b"ab", httpx.ReadError("cut")), headers)
    client, wire = connect(cut, Answer(200, b"abcd", headers))
    client.download("video_1", target)
    assert target.read_bytes() == b"abcd"
    assert "Range" not in wire.requests[1].headers


def test_a_redirect_takes_nothing_of_the_users_client_elsewhere(connect: Twin, target: Path) -> None:
    http = {"params": {"team": "x"}, "headers": {"X-Api-Token": "t"}, "cookies": {"session": "s"}}
    moved = Answer(302, b"", {"Location": "https://cdn.example/f?sig=abc"})
    client, wire = connect(moved, Answer(200, b"abcd", {"Content-Type": "video/mp4", "Content-Length": "4"}), http=http)
    client.download("video_1", target)
    request = wire.requests[1]
    assert str(request.url) == "https://cdn.example/f?sig=abc"
    assert not {"x-api-token", "cookie", "authorization"} & set(request.headers)


@pytest.mark.parametrize("headers", DOUBLED, ids=["coding", "type"])
def test_a_file_with_headers_that_contradict_each_other_is_refused(
    target: Path, headers: list[tuple[str, str]]
) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, stream=httpx.ByteStream(mp4(100))))
    with httpx.Client(transport=transport) as http, pytest.raises(DownloadError):
        RemixClient(http_client=http).download("video_1", target)
    assert not target.exists()

"""What can befall the requests of one job, and the server that lets it happen.

What a fault allows the client to do is written beside it by hand, from the rules and not from the client.
"""

from __future__ import annotations

import gzip
import json
import random
import re
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache, partial
from typing import Any, Literal

import attrs

from deerapi_remix.testing import FakeDeerAPI
from deerapi_remix.testing.fake import Answer

from ..conftest import Clock
from .server import HangUp, Peer, http, message

SOURCE = "video_123"
_FIRST_LINE = re.compile(rb"([A-Z]+) /v1/videos/[^/ ]+(/content|/remix)? ")


@attrs.frozen
class Fault:
    """One thing that goes wrong with one request.

    Attributes:
        name: For whoever reads a failing example.
        again: After which policy a submit may be sent again: `always`, with `resend_paid` only, or `never`.
    """

    name: str
    does: Callable[[Scene, Peer], None] = attrs.field(repr=False)
    again: Literal["always", "resend_paid", "never"] = "never"


class Scene:
    """The server side of one job.

    Attributes:
        posts: How many submits have arrived, unread ones included.
        told: Those that the client was told of: the whole id has left in the body of a 2xx.
        hidden: Those that were hidden behind a status after which a submit may be sent again.
        version: Which file the server has now.
        silent: Client ports of the connections on which nothing more will come.
        taken: Set whenever the client has received something.
    """

    def __init__(
        self,
        clock: Clock,
        fake: FakeDeerAPI,
        *,
        connects: Iterable[str],
        submits: Iterable[Fault],
        polls: Iterable[Fault],
        downloads: Iterable[Fault],
    ) -> None:
        self.clock = clock
        self.fake = fake
        self.connects = deque(connects)
        self._plan = {
            "submit": (deque(submits), submitted),
            "poll": (deque(polls), polled),
            "download": (deque(downloads), served),
        }
        self.posts = 0
        self.told: list[str] = []
        self.hidden: list[str] = []
        self.version = 0
        self.silent: set[int] = set()
        self.taken = threading.Event()

    @property
    def issued(self) -> set[str]:
        """The ids of all jobs that were made."""
        return set(self.fake.jobs) - {SOURCE}

    def step(self, peer: Peer) -> None:
        """Let the next request meet the next fault that is planned for its kind, or none."""
        peer.wait()
        method, path = _peek(peer)
        kind = "submit" if method == b"POST" else "download" if path == b"/content" else "poll"
        self.posts += method == b"POST"
        faults, usual = self._plan[kind]
        if faults:
            faults.popleft().does(self, peer)
        else:
            usual(self, peer)

    def accept(self, peer: Peer) -> tuple[str, Answer]:
        """Make a job of the next request; nothing is sent yet."""
        answer = peer.exchange()
        return str(json.loads(answer.body)["id"]), answer

    def tell(self, peer: Peer, video_id: str, data: bytes) -> None:
        """Send `data`, which is an answer with status 2xx or the beginning of one."""
        # Noted first: what the client does with an id may be over before this thread goes on.
        if f'"{video_id}"'.encode() in data:
            self.told.append(video_id)
        peer.send(data)

    def trickle(self, peer: Peer, data: bytes, size: int, seconds: float) -> None:
        """Send `data` in pieces of that size and that far apart, each when the client has taken the one before."""
        for position in range(0, len(data), size):
            self.clock.time += seconds
            self.taken.clear()
            peer.send(data[position : position + size])
            while not self.taken.wait(0.005):
                check_presence(peer)


def check_presence(peer: Peer) -> None:
    """HangUp if the client has gone."""
    with suppress(BlockingIOError):
        if not peer._connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT):
            raise HangUp


def _peek(peer: Peer) -> tuple[bytes, bytes]:
    # The head of a request leaves the client in one piece.
    found = _FIRST_LINE.match(peer._connection.recv(4096, socket.MSG_PEEK))
    assert found, "a request that no client of ours sends"
    return found[1], found[2] or b""


def file(version: int) -> bytes:
    """The video as the server has it at that time; all but the fourth are of one length."""
    payload = random.Random(version).randbytes(30_000 if version == 3 else 40_000)
    ftyp = b"\0\0\0\x14ftypisom\0\0\0\0isom"
    return ftyp + (len(payload) + 8).to_bytes(4, "big") + b"mdat" + payload


@cache
def files(versions: int) -> frozenset[bytes]:
    """Every file that the server had up to then."""
    return frozenset(file(version) for version in range(versions + 1))


def tag(version: int) -> str:
    return f'"version-{version}"'


def submitted(scene: Scene, peer: Peer) -> None:
    video_id, answer = scene.accept(peer)
    scene.tell(peer, video_id, http(answer))


def polled(_: Scene, peer: Peer) -> None:
    peer.answer()


def served(scene: Scene, peer: Peer) -> None:
    peer.send(_of_file(scene, peer))


def _of_file(scene: Scene, peer: Peer, *, etag: str | None = None, **headers: str) -> bytes:
    """The answer of a good server: the rest of the file where that is asked for, else all of it."""
    asked = peer.request().headers
    data, current = file(scene.version), tag(scene.version) if etag is None else etag
    told = {"content-type": "video/mp4", **({"etag": current} if current else {}), **headers}
    start = re.fullmatch(r"bytes=([0-9]+)-", asked.get("range", ""))
    if start is None or asked.get("if-range") != current:
        return message(200, data, told)
    first = int(start[1])
    told["content-range"] = f"bytes {first}-{len(data) - 1}/{len(data)}"
    return message(206, data[first:], told)


# Faults that any request can meet


def _unread_close(_: Scene, peer: Peer) -> None:
    peer._connection.shutdown(socket.SHUT_WR)
    peer.stall()


def _unread_reset(_: Scene, peer: Peer) -> None:
    peer.reset()


def _close(_: Scene, peer: Peer) -> None:
    peer.exchange()
    peer.close()


def _reset(_: Scene, peer: Peer) -> None:
    peer.exchange()
    peer.reset()


def _silence(scene: Scene, peer: Peer) -> None:
    peer.exchange()
    _fall_silent(scene, peer)


def _fall_silent(scene: Scene, peer: Peer) -> None:
    scene.silent.add(peer._connection.getpeername()[1])
    peer.stall()


def _no_http(_: Scene, peer: Peer) -> None:
    peer.exchange()
    peer.send(b"SSH-2.0-OpenSSH_9.6\r\n")
    peer.close()


def _huge_header(_: Scene, peer: Peer) -> None:
    peer.exchange()
    peer.send(b"HTTP/1.1 200 OK\r\nX-Junk: " + b"x" * 200_000)
    peer.close()


_LOST = {
    "closed unread": _unread_close,
    "reset unread": _unread_reset,
    "closed": _close,
    "reset": _reset,
    "silence": _silence,
    "no http": _no_http,
    "huge header": _huge_header,
}


def _status(
    status: int, headers: dict[str, str] | None = None, body: bytes | object = None, *, close: bool = False
) -> Callable[[Scene, Peer], None]:
    def step(_: Scene, peer: Peer) -> None:
        peer.request()
        told = {"error": {"message": "told to", "code": "told"}} if body is None else body
        peer.send(message(status, told, headers))
        if close:
            peer.close()

    return step


def _accepted_unseen(status: int) -> Callable[[Scene, Peer], None]:
    def step(scene: Scene, peer: Peer) -> None:
        video_id, _ = scene.accept(peer)
        if status in (500, 503):
            scene.hidden.append(video_id)
        peer.send(message(status, b"<html><title>Broken</title></html>", {"content-type": "text/html"}))

    return step


def _echo(_: Scene, peer: Peer) -> None:
    told = peer.request().headers["authorization"]
    peer.send(message(401, {"error": {"message": f"no such key: {told}", "code": told}}))


# Faults of a submit


def _shaped(shape: str, answer: Answer) -> bytes:
    job: dict[str, Any] = json.loads(answer.body)
    video_id = job.pop("id")
    shapes: dict[str, object] = {
        "plain": {"id": video_id, **job},
        "bare": {"id": video_id},
        "task id": {"task_id": video_id, "status": "NOT_START"},
        "data id": {"code": "success", "data": {"id": video_id, "status": "queued"}},
        "data task id": {"code": "success", "message": "", "data": {"task_id": video_id}},
        "nulls": {"id": video_id, **dict.fromkeys(job)},
        "long": {"id": video_id, "prompt": "x" * 1_100_000, **job},
    }
    return json.dumps(shapes[shape]).encode()


SHAPES = ("plain", "bare", "task id", "data id", "data task id", "nulls", "long")


def drifting_submit(shape: str, framing: str) -> Fault:
    def step(scene: Scene, peer: Peer) -> None:
        video_id, answer = scene.accept(peer)
        body = _shaped(shape, answer)
        scene.tell(peer, video_id, _framed(body, framing))
        if framing == "until close":
            peer.close()

    return Fault(f"a job told as {shape}, {framing}", step)


def broken_submit(shape: str, framing: str, percent: int, ending: str) -> Fault:
    """The answer to a submit ends after that share of its bytes."""

    def step(scene: Scene, peer: Peer) -> None:
        video_id, answer = scene.accept(peer)
        whole = _framed(_shaped(shape, answer), framing)
        scene.tell(peer, video_id, whole[: len(whole) * percent // 100])
        if ending == "garbage":
            peer.send(b"\r\nzz\xff\r\n")
        _fall_silent(scene, peer) if ending == "silence" else peer.close()

    return Fault(f"{percent}% of a job told as {shape}, {framing}, then {ending}", step)


def _framed(body: bytes, framing: str) -> bytes:
    if framing == "until close":
        return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + body
    if framing == "chunked":
        chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        return message(200, chunked, {"content-type": "application/json", "transfer-encoding": "chunked"})
    return message(200, body, {"content-type": "application/json"})


FRAMINGS = ("with length", "chunked", "until close")


ENDINGS = ("close", "silence", "garbage")


def _too_short_submit(scene: Scene, peer: Peer) -> None:
    video_id, answer = scene.accept(peer)
    # What comes after the announced length is no part of the answer, but the id is before it.
    told = {"content-type": "application/json", "content-length": str(len(answer.body) * 2 // 3)}
    scene.tell(peer, video_id, message(200, answer.body, told))


def _trickled_submit(scene: Scene, peer: Peer) -> None:
    video_id, answer = scene.accept(peer)
    whole = http(answer)
    body = whole.index(b"\r\n\r\n") + 4
    scene.tell(peer, video_id, whole[: body + 60])
    scene.trickle(peer, whole[body + 60 :], 1, 2.0)


def _zipped_submit(scene: Scene, peer: Peer) -> None:
    video_id, answer = scene.accept(peer)
    scene.told.append(video_id)
    body = gzip.compress(answer.body)
    peer.send(message(200, body, {"content-type": "application/json", "content-encoding": "gzip"}))


def _no_id(body: bytes, status: int = 200) -> Callable[[Scene, Peer], None]:
    def step(scene: Scene, peer: Peer) -> None:
        scene.accept(peer)
        peer.send(message(status, body, {"content-type": "text/html"}))

    return step


def _early_hints(scene: Scene, peer: Peer) -> None:
    video_id, answer = scene.accept(peer)
    scene.tell(peer, video_id, b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + http(answer))


SUBMIT: tuple[Fault, ...] = (
    *(Fault(name, step) for name, step in _LOST.items()),
    Fault("429", _status(429), again="always"),
    Fault("429, again in 3 s", _status(429, {"retry-after": "3"}), again="always"),
    Fault("429, again in an hour", _status(429, {"retry-after": "3600"})),
    Fault("429, again soon", _status(429, {"retry-after": "soon"}), again="always"),
    Fault("500", _status(500), again="resend_paid"),
    Fault("503", _status(503, body=b"", close=True), again="resend_paid"),
    Fault("500 for an accepted job", _accepted_unseen(500), again="resend_paid"),
    Fault("503 for an accepted job", _accepted_unseen(503), again="resend_paid"),
    *(Fault(f"{status} for an accepted job", _accepted_unseen(status)) for status in (408, 501, 502, 504, 520, 524)),
    *(Fault(str(status), _status(status)) for status in (400, 402, 403, 404, 405, 409, 418, 422)),
    *(Fault(str(status), _status(status, {"location": "/v1/elsewhere"})) for status in (301, 302, 303, 307, 308)),
    Fault("401 that tells the key", _echo),
    Fault("a length that is too short", _too_short_submit),
    Fault("a trickle", _trickled_submit),
    Fault("gzip", _zipped_submit),
    Fault("a page", _no_id(b"<html>Welcome</html>")),
    Fault("nothing", _no_id(b"", 204)),
    Fault("early hints", _early_hints),
)


# Faults of a poll


def _changed_poll(headers: dict[str, str] | None = None, **changes: object) -> Callable[[Scene, Peer], None]:
    def step(_: Scene, peer: Peer) -> None:
        peer.send(message(200, {**json.loads(peer.exchange().body), **changes}, headers))

    return step


def _trickled_poll(scene: Scene, peer: Peer) -> None:
    head, _, body = http(peer.exchange()).partition(b"\r\n\r\n")
    peer.send(head + b"\r\n\r\n" + body[:9])
    scene.trickle(peer, body[9:], 1, 4.0)


def _answer_and_close(_: Scene, peer: Peer) -> None:
    peer.answer()
    peer.close()


POLL: tuple[Fault, ...] = (
    *(Fault(name, step) for name, step in _LOST.items()),
    *(Fault(str(status), _status(status)) for status in (400, 401, 403, 404, 408, 409, 429, 500, 502, 503, 520, 530)),
    Fault("429, again in 20 s", _status(429, {"retry-after": "20"})),
    Fault("429, again in a year", _status(429, {"retry-after": "31536000"})),
    Fault("not known yet", _status(400, body={"code": "task_not_exist", "message": "task_not_exist", "data": None})),
    Fault("401 that tells the key", _echo),
    Fault("half of it", _status(200, {"content-length": "900"}, b'{"id": "video_1', close=True)),
    Fault("a page", _status(200, {"content-type": "text/html"}, b"<html>Welcome</html>")),
    Fault("another job", _changed_poll(id="video_of_someone_else")),
    Fault("a status that nobody knows", _changed_poll(status="pondering", progress="7%")),
    Fault("no status", _changed_poll(status=None, progress=None)),
    Fault("a hint that is absurd", _changed_poll({"openai-poll-after-ms": "99999999999"})),
    Fault("closed after the answer", _answer_and_close),
    Fault("a trickle", _trickled_poll),
)


# Faults of a download


def broken_download(how: str, percent: int, ending: str, afterwards: str) -> Fault:
    """The file breaks off after that share of the answer, and is the same afterwards or another."""

    def step(scene: Scene, peer: Peer) -> None:
        etag = {"no tag": "", "weak tag": f"W/{tag(scene.version)}"}.get(how)
        head, _, data = _of_file(scene, peer, etag=etag).partition(b"\r\n\r\n")
        scene.version += {"the same": 0, "another": 1, "another of another length": 3}[afterwards]
        data = data[: min(len(data) * percent // 100, len(data) - 1)]
        if how in ("chunked", "garbled"):
            head = re.sub(rb"content-length: [0-9]+", b"transfer-encoding: chunked", head)
            data = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in _chunks(data))
        if how == "garbled":
            data += b"zz\xff\r\n"
        if how == "until close":
            head = re.sub(rb"\r\ncontent-length: [0-9]+", b"", head)
        peer.send(head + b"\r\n\r\n" + data)
        ends: dict[str, Callable[[], None]] = {"close": peer.close, "reset": peer.reset}
        ends.get(ending, partial(_fall_silent, scene, peer))()

    return Fault(f"{percent}% of the file, {how}, then {ending}; {afterwards} afterwards", step)


def _chunks(data: bytes) -> list[bytes]:
    return [data[position : position + 4000] for position in range(0, len(data), 4000)]


HOW = ("with length", "no tag", "weak tag", "chunked", "garbled", "until close")
AFTERWARDS = ("the same", "the same", "another", "another of another length")


def _partial(
    *, shift: int = 0, newer: int = 0, total: int = 0, tagged: Literal["strong", "weak", "no"] = "strong"
) -> Callable[[Scene, Peer], None]:
    """A 206 that is not what was asked for, whatever was. A weak tag stays the same when the file changes."""

    def step(scene: Scene, peer: Peer) -> None:
        asked = peer.request().headers.get("range", "bytes=0-")
        weak = f"W/{tag(scene.version)}"
        scene.version += newer
        data = file(scene.version)
        etag = {"strong": {"etag": tag(scene.version)}, "weak": {"etag": weak}, "no": {}}[tagged]
        first = int(asked.removeprefix("bytes=").removesuffix("-")) + shift
        told = {"content-type": "video/mp4", "content-range": f"bytes {first}-{len(data) - 1}/{len(data) + total}"}
        peer.send(message(206, data[first:], told | etag))

    return step


def _whole_after_all(scene: Scene, peer: Peer) -> None:
    peer.request()
    peer.send(message(200, file(scene.version), {"content-type": "video/mp4", "etag": tag(scene.version)}))


def _trickled_file(scene: Scene, peer: Peer) -> None:
    scene.trickle(peer, _of_file(scene, peer), 4000, 7.0)


def _zipped_file(scene: Scene, peer: Peer) -> None:
    peer.request()
    told = {"content-type": "video/mp4", "content-encoding": "gzip"}
    peer.send(message(200, gzip.compress(file(scene.version)), told))


# What may come instead of the rest of a file
REST: tuple[Fault, ...] = (
    Fault("a part from further on", _partial(shift=5)),
    Fault("a part of another file", _partial(newer=1)),
    Fault("a part of another file without its tag", _partial(newer=1, tagged="no")),
    Fault("a part of another file under its weak tag", _partial(newer=1, tagged="weak")),
    Fault("a part of another total", _partial(total=9)),
    Fault("the whole file after all", _whole_after_all),
    Fault("416", _status(416)),
)

DOWNLOAD: tuple[Fault, ...] = (
    *(Fault(name, step) for name, step in _LOST.items()),
    *(Fault(str(status), _status(status)) for status in (400, 401, 403, 404, 408, 416, 429, 500, 502, 503, 524)),
    Fault("not completed yet", _status(400, body={"code": "x", "message": "Task is not completed yet", "data": None})),
    Fault("JSON in its place", _status(200, body={"message": "Task is not completed yet"})),
    Fault("401 that tells the key", _echo),
    Fault("a page", _status(200, {"content-type": "text/html"}, b"<html>Welcome</html>")),
    Fault("an empty file", _status(200, {"content-type": "video/mp4"}, b"")),
    Fault("nothing", _status(204, body=b"")),
    *REST,
    Fault("a redirect to itself", _status(302, {"location": "content"}, b"")),
    Fault("a redirect to nowhere", _status(302, {"location": "ftp://nowhere/"}, b"")),
    Fault("a trickle", _trickled_file),
    Fault("gzip", _zipped_file),
)

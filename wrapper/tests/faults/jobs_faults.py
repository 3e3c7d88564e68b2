"""What can befall the requests of one job, and the server that lets it happen.

Most of it is the catalogue of faults; what is drawn at random besides is made here. What a fault allows the client to
do is written by hand: in the table of the matrix, or here.
"""

from __future__ import annotations

import json
import random
import re
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from typing import Any, Literal

import attrs

from deerapi_remix.testing import FakeDeerAPI
from deerapi_remix.testing.fake import Answer, Request

from ..conftest import Clock
from .faults import FAULTS
from .matrix import EXPECTED
from .server import FaultServer, HangUp, Peer, Step, http, message
from .steps import OTHER, VIDEO, chunks

SOURCE = "video_123"
_FIRST_LINE = re.compile(rb"([A-Z]+) /v1/videos/[^/ ]+(/content|/remix)? ")


@attrs.frozen
class Trouble:
    """One thing that goes wrong with one request.

    Attributes:
        name: For whoever reads a failing example.
        again: After which policy a submit may be sent again: `always`, with `resend_paid` only, or `never`.
        charged: Whether the job that was made may be charged: `no` after a refusal, `unless resent` after a 500.
        tells: Whether the client is told of the job by what comes whole.
    """

    name: str
    does: Callable[[Scene, Peer], None] = attrs.field(repr=False)
    again: Literal["always", "resend_paid", "never"] = "never"
    charged: Literal["yes", "no", "unless resent"] = "yes"
    tells: bool = True


class RecordingFake(FakeDeerAPI):
    """Remembers which trouble befell the request that made a job.

    Attributes:
        trouble: What befalls the request that is under way.
        made: By the id of each job, what befell its submit.
    """

    trouble: Trouble

    def reset(self) -> None:
        super().reset()
        self.made: dict[str, Trouble] = {}

    def handle(self, request: Request, **checks: Any) -> Answer:
        before = set(self.jobs)
        answer = super().handle(request, **checks)
        for job in set(self.jobs) - before:
            self.made[job] = self.trouble
        return answer


class Scene:
    """The server side of one job.

    Attributes:
        posts: How many submits have arrived, unread ones included.
        version: Which file the server has now.
        taken: Set whenever the client has received something.
    """

    def __init__(
        self,
        clock: Clock,
        fake: RecordingFake,
        *,
        connects: Iterable[str],
        submits: Iterable[Trouble],
        polls: Iterable[Trouble],
        downloads: Iterable[Trouble],
    ) -> None:
        self.clock = clock
        self.fake = fake
        self.connects = deque(connects)
        self._planned = {"submit": deque(submits), "poll": deque(polls), "download": deque(downloads)}
        self._servers: list[FaultServer] = []
        self.posts = 0
        self.version = 0
        self.taken = threading.Event()

    @property
    def _peers(self) -> list[Peer]:
        servers = [each for server in self._servers for each in (server, *server.others)]
        return [peer for server in servers for peer in server.peers]

    @property
    def silent(self) -> set[int]:
        """Client ports of the connections on which nothing more will come."""
        return {peer.port for peer in self._peers if peer.stalled}

    @property
    def issued(self) -> set[str]:
        """The ids of all jobs that were made."""
        return set(self.fake.made)

    @property
    def told(self) -> set[str]:
        """The jobs whose whole id has left in an answer that tells of a job."""
        sent = b"".join(bytes(peer.sent) for peer in self._peers)
        return {job for job, trouble in self.fake.made.items() if trouble.tells and f'"{job}"'.encode() in sent}

    def charged(self, *, resent: bool) -> set[str]:
        """The jobs of which a caller has to know that they may be charged. `resent`: a later submit was accepted."""
        free = {"no", "unless resent"} if resent else {"no"}
        return {job for job, trouble in self.fake.made.items() if trouble.charged not in free}

    def step(self, peer: Peer) -> None:
        """Let the next request meet the next trouble that is planned for its kind, or none."""
        self._servers = [peer.server]
        peer.wait()
        method, path = _peek(peer)
        kind = "submit" if method == b"POST" else "download" if path == b"/content" else "poll"
        self.posts += method == b"POST"
        planned = self._planned[kind]
        self.fake.trouble = planned.popleft() if planned else _NONE[kind]
        self.fake.trouble.does(self, peer)

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
    ftyp, moov = b"\0\0\0\x14ftypisom\0\0\0\0isom", b"\0\0\0\x08moov"
    return ftyp + moov + (len(payload) + 8).to_bytes(4, "big") + b"mdat" + payload


@cache
def files(versions: int) -> frozenset[bytes]:
    """Every file that the server had up to then. Faults of the catalogue have files of their own."""
    return frozenset({VIDEO, OTHER, *(file(version) for version in range(versions + 1))})


def tag(version: int) -> str:
    return f'"version-{version}"'


def _served(scene: Scene, peer: Peer) -> None:
    peer.send(_of_file(scene, peer))


def _of_file(scene: Scene, peer: Peer, *, etag: str | None = None) -> bytes:
    """The answer of a good server: the rest of the file where that is asked for, else all of it."""
    asked = peer.request().headers
    data, current = file(scene.version), tag(scene.version) if etag is None else etag
    told = {"content-type": "video/mp4", **({"etag": current} if current else {})}
    start = re.fullmatch(r"bytes=([0-9]+)-", asked.get("range", ""))
    if start is None or asked.get("if-range") != current:
        return message(200, data, told)
    first = int(start[1])
    told["content-range"] = f"bytes {first}-{len(data) - 1}/{len(data)}"
    return message(206, data[first:], told)


def _alone(step: Step) -> Callable[[Scene, Peer], None]:
    """A step that needs no scene."""
    return lambda _, peer: step(peer)


_NONE = {
    "submit": Trouble("none", _alone(Peer.answer)),
    "poll": Trouble("none", _alone(Peer.answer)),
    "download": Trouble("none", _served),
}


# From the catalogue

# These take real time, or speak TLS: the sockets of jobs do neither.
_UNFIT = {"trickled", "trickled-for-seconds", "redirect-to-other-scheme"}


def _catalogued(operation: str) -> list[tuple[Trouble, ...]]:
    """The faults of the catalogue that can befall that request of `remix_to_file`, each as troubles in a row."""
    fit = (
        name
        for name, fault in FAULTS.items()
        if EXPECTED[name][operation] != "-"
        and not (fault.tls or fault.parting or len(fault.steps) > 4)
        and name not in _UNFIT
    )
    return [_troubles(name) for name in fit]


def _troubles(name: str) -> tuple[Trouble, ...]:
    submit, posts = EXPECTED[name]["submit"], int(EXPECTED[name]["posts"])
    tells = "#" in submit or re.fullmatch(r"ok.*/1", submit) is not None
    charged: Literal["yes", "no", "unless resent"] = "yes" if tells or "$" in submit else "no"
    again: Literal["always", "resend_paid", "never"] = "never"
    if posts > 1:
        again = "always" if name.startswith("429") else "resend_paid"
        charged = "unless resent" if name.startswith("500") else "no"
    return tuple(Trouble(name, _alone(step), again, charged, tells) for step in FAULTS[name].steps)


# Faults of a submit


def _shaped(shape: str, answer: Answer) -> bytes:
    job: dict[str, Any] = json.loads(answer.body)
    video_id = job.pop("id")
    shapes: dict[str, object] = {
        "plain": {"id": video_id, **job},
        "bare": {"id": video_id},
        "task id": {"task_id": video_id, "status": "NOT_START"},
        "number and task id": {"id": 4711, "task_id": video_id, "status": "SUBMITTED"},
        "data id": {"code": "success", "data": {"id": video_id, "status": "queued"}},
        "data task id": {"code": "success", "message": "", "data": {"task_id": video_id}},
        "nulls": {"id": video_id, **dict.fromkeys(job)},
        "long": {"id": video_id, "prompt": "x" * 1_100_000, **job},
    }
    return json.dumps(shapes[shape]).encode()


SHAPES = ("plain", "bare", "task id", "number and task id", "data id", "data task id", "nulls", "long")
FRAMINGS = ("with length", "chunked", "until close")
ENDINGS = ("close", "silence", "garbage")


def drifting_submit(shape: str, framing: str) -> Trouble:
    """The job is told in this shape."""

    def step(peer: Peer) -> None:
        peer.send(_framed(_shaped(shape, peer.exchange()), framing))
        if framing == "until close":
            peer.close()

    return Trouble(f"a job told as {shape}, {framing}", _alone(step))


def broken_submit(shape: str, framing: str, percent: int, ending: str) -> Trouble:
    """The answer to a submit ends after that share of its bytes."""

    def step(peer: Peer) -> None:
        whole = _framed(_shaped(shape, peer.exchange()), framing)
        peer.send(whole[: len(whole) * percent // 100])
        if ending == "garbage":
            peer.send(b"\r\nzz\xff\r\n")
        peer.stall() if ending == "silence" else peer.close()

    return Trouble(f"{percent}% of a job told as {shape}, {framing}, then {ending}", _alone(step))


def _framed(body: bytes, framing: str) -> bytes:
    if framing == "until close":
        return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + body
    if framing == "chunked":
        chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        return message(200, chunked, {"content-type": "application/json", "transfer-encoding": "chunked"})
    return message(200, body, {"content-type": "application/json"})


def _too_short(peer: Peer) -> None:
    body = peer.exchange().body
    # What comes after the announced length is no part of the answer, but the id is before it.
    peer.send(message(200, body, {"content-type": "application/json", "content-length": str(len(body) * 2 // 3)}))


def _trickled_submit(scene: Scene, peer: Peer) -> None:
    whole = http(peer.exchange())
    body = whole.index(b"\r\n\r\n") + 4
    peer.send(whole[: body + 60])
    scene.trickle(peer, whole[body + 60 :], 1, 2.0)


SUBMIT = [
    *(troubles[0] for troubles in _catalogued("submit") if len(troubles) == 1),
    Trouble("a length that is too short", _alone(_too_short)),
    Trouble("a trickle", _trickled_submit),
]


# Faults of a poll


def _trickled_poll(scene: Scene, peer: Peer) -> None:
    head, _, body = http(peer.exchange()).partition(b"\r\n\r\n")
    peer.send(head + b"\r\n\r\n" + body[:9])
    scene.trickle(peer, body[9:], 1, 4.0)


POLL: list[tuple[Trouble, ...]] = [*_catalogued("poll"), (Trouble("a trickle", _trickled_poll),)]
# A job that is said to have failed may be asked for again.
SAID_TO_FAIL = {name for name, expected in EXPECTED.items() if "Fail" in expected["poll"]}


# Faults of a download


def broken_download(how: str, percent: int, ending: str, afterwards: str) -> Trouble:
    """The file breaks off after that share of the answer, and is the same afterwards or another."""

    def step(scene: Scene, peer: Peer) -> None:
        etag = {"no tag": "", "weak tag": f"W/{tag(scene.version)}"}.get(how)
        head, _, data = _of_file(scene, peer, etag=etag).partition(b"\r\n\r\n")
        scene.version += {"the same": 0, "another": 1, "another of another length": 3}[afterwards]
        data = data[: min(len(data) * percent // 100, len(data) - 1)]
        if how in ("chunked", "garbled"):
            head = re.sub(rb"content-length: [0-9]+", b"transfer-encoding: chunked", head)
            data = chunks(*(data[position : position + 4000] for position in range(0, len(data), 4000)))
        if how == "garbled":
            data += b"zz\xff\r\n"
        if how == "until close":
            head = re.sub(rb"\r\ncontent-length: [0-9]+", b"", head)
        peer.send(head + b"\r\n\r\n" + data)
        ends: dict[str, Step] = {"close": Peer.close, "reset": Peer.reset, "silence": Peer.stall}
        ends[ending](peer)

    return Trouble(f"{percent}% of the file, {how}, then {ending}; {afterwards} afterwards", step)


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


# What may come instead of the rest of a file
REST = [
    Trouble("a part from further on", _partial(shift=5)),
    Trouble("a part of another file", _partial(newer=1)),
    Trouble("a part of another file without its tag", _partial(newer=1, tagged="no")),
    Trouble("a part of another file under its weak tag", _partial(newer=1, tagged="weak")),
    Trouble("a part of another total", _partial(total=9)),
    Trouble("the whole file after all", _whole_after_all),
]
DOWNLOAD: list[tuple[Trouble, ...]] = [
    *_catalogued("content"),
    *((trouble,) for trouble in REST),
    (Trouble("a trickle", _trickled_file),),
]

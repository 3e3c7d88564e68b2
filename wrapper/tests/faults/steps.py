"""What a server on a real socket can do with a request: how answers are spoilt, and connections with them."""

from __future__ import annotations

import json
import ssl
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

import trustme
from attrs import evolve

import deerapi_remix
from deerapi_remix.testing.fake import Answer

from .server import FaultServer, Peer, Step, TLSSocket, http, message

# What the servers present, and what the clients trust.

AUTHORITY = trustme.CA()
TRUSTING = ssl.create_default_context(cadata=AUTHORITY.cert_pem.bytes().decode())
TRUSTING.sslsocket_class = TLSSocket


def _context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def _self_signed() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    stranger = trustme.CA()
    with stranger.cert_pem.tempfile() as certificate, stranger.private_key_pem.tempfile() as key:
        context.load_cert_chain(certificate, key)
    return context


GOOD = _context(AUTHORITY.issue_cert("localhost"))
EXPIRED = _context(AUTHORITY.issue_cert("localhost", not_after=datetime.now(UTC) - timedelta(days=1)))
WRONG_HOST = _context(AUTHORITY.issue_cert("api.example.org"))
UNKNOWN_AUTHORITY = _context(trustme.CA().issue_cert("localhost"))
SELF_SIGNED = _self_signed()


# How an answer is spoilt. `then` is what becomes of the connection.

END = b"\r\n\r\n"
VIDEO = (files(deerapi_remix) / "testing" / "assets" / "video.mp4").read_bytes()
THUMBNAIL = (files(deerapi_remix) / "testing" / "assets" / "thumbnail.webp").read_bytes()
SPRITESHEET = (files(deerapi_remix) / "testing" / "assets" / "spritesheet.jpg").read_bytes()
# Another file, of the same length.
OTHER = b"\0\0\0\x18ftypmp42" + bytes(46337)


def stay(_: Peer) -> None:
    """Leave the connection open for the next request."""


def reset_unread(peer: Peer) -> None:
    """Hang up with RST when a request begins to come."""
    peer.wait()
    peer.reset()


def reset_later(peer: Peer) -> None:
    """Hang up with RST, but not before the client has what was sent."""
    peer.pause(0.05)
    peer.reset()


def send_then(peer: Peer, data: bytes, then: Step) -> None:
    """Send `data` and go on. A hang-up goes out in one stroke with it, so that no request can come between."""
    if then is Peer.close:
        peer.farewell(data)
    else:
        peer.send(data)
        then(peer)


def told(change: Callable[[bytes, bytes], bytes], then: Step = Peer.close) -> Step:
    """The usual answer, but other bytes: made of its head (without the empty line) and its body."""

    def step(peer: Peer) -> None:
        head, _, body = http(peer.exchange()).partition(END)
        send_then(peer, change(head, body), then)

    return step


def cut(share: float, then: Step = Peer.close) -> Step:
    """The usual answer, broken off in its body."""
    return told(lambda head, body: head + END + body[: int(len(body) * share)], then)


def framed(change: Callable[[bytes], bytes], *fields: bytes, then: Step = Peer.close) -> Step:
    """The usual answer without its length, but with these header fields and another body."""

    def spoil(head: bytes, body: bytes) -> bytes:
        return b"\r\n".join([without(b"content-length", head), *fields]) + END + change(body)

    return told(spoil, then)


def lengths(*values: bytes) -> Step:
    """The usual answer with these lengths."""
    return framed(bytes, *(b"Content-Length: " + value for value in values))


def longer(count: int) -> Step:
    """The usual answer, announced as `count` bytes longer than it is."""
    return told(lambda head, body: head.replace(b"%d" % len(body), b"%d" % (len(body) + count)) + END + body)


def chunked(change: Callable[[bytes], bytes], *fields: bytes, then: Step = Peer.close) -> Step:
    """The usual answer without its length, in chunks."""
    return framed(change, b"Transfer-Encoding: chunked", *fields, then=then)


def chunks(*parts: bytes) -> bytes:
    """Chunks, without the one that ends them."""
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)


def field(line: bytes) -> Step:
    """The usual answer with one more header line, first."""
    return told(lambda head, body: head.replace(b"\r\n", b"\r\n" + line + b"\r\n", 1) + END + body)


def status_line(line: bytes) -> Step:
    """The usual answer with another first line."""
    return told(lambda head, body: line + b"\r\n" + head.partition(b"\r\n")[2] + END + body)


def answers(status: int, body: object = b"", headers: dict[str, str] | None = None, then: Step = stay) -> Step:
    """The usual is done, and this is answered."""

    def step(peer: Peer) -> None:
        peer.exchange()
        send_then(peer, message(status, body, headers), then)

    return step


def body(change: Callable[[bytes], bytes], status: int = 200, **headers: str) -> Step:
    """The usual answer with another body of the right length, and other headers."""

    def step(peer: Peer) -> None:
        usual = peer.exchange()
        kept = {name: value for name, value in usual.headers.items() if name != "content-length"}
        changed = {name.replace("_", "-"): value for name, value in headers.items()}
        peer.send(message(status, change(usual.body), kept | changed))

    return step


def drift(change: Callable[[dict[str, Any]], object], status: int = 200, **headers: str) -> Step:
    """The usual answer, a JSON object, changed."""
    return body(lambda data: json.dumps(change(json.loads(data))).encode(), status, **headers)


def telling(**fields: object) -> Step:
    """The usual answer, a JSON object, with these fields."""
    return drift(lambda video: video | fields)


def echo(make: Callable[[str], bytes]) -> Step:
    """The usual is done, and the answer holds the key."""

    def step(peer: Peer) -> None:
        peer.exchange()
        peer.farewell(make(peer.key))

    return step


def without(name: bytes, head: bytes) -> bytes:
    lines = head.split(b"\r\n")
    return b"\r\n".join(line for line in lines if not line.lower().startswith(name + b":"))


# What a server does with its connections


def parting(change: Callable[[FaultServer], None]) -> Step:
    """The usual answer, and by the time it arrives the server has changed; nobody can use this connection again."""

    def step(peer: Peer) -> None:
        usual = peer.exchange()
        change(peer.server)
        peer.send(http(evolve(usual, headers={**usual.headers, "connection": "close"})))

    return step


def behind(context: ssl.SSLContext | None) -> Step:
    """From now on connections are wrapped in this."""

    def change(server: FaultServer) -> None:
        server.tls = context

    return parting(change)


def trickled(head: float, body: float, count: int) -> Step:
    """The usual answer, its head and the first `count` bytes of its body a byte at a time, so many seconds apart."""

    def step(peer: Peer) -> None:
        lines, _, data = http(peer.exchange()).partition(END)
        peer.trickle(lines + END, head)
        peer.trickle(data[:count], body)
        peer.send(data[count:])

    return step


def stalled(cut: Callable[[bytes, bytes], bytes]) -> Step:
    """The usual answer, of which only this much ever comes."""
    return told(cut, Peer.stall)


# Redirects and parts of files


def redirect(location: str, status: int = 302) -> Step:
    """A redirect. In `location`, {path} stands for the path, {port} for the port."""

    def step(peer: Peer) -> None:
        request = peer.request()
        peer.key = request.headers.get("authorization", "").removeprefix("Bearer ")
        where = location.format(path=request.path, port=peer.server.port, key=peer.key)
        peer.send(message(status, b"", {"location": where}))

    return step


def elsewhere(*steps: Step, tls: ssl.SSLContext | None = None, path: str = "{path}", user: str = "") -> Step:
    """A redirect to a server of another origin, which gives the file to everyone."""

    def step(peer: Peer) -> None:
        request = peer.request()
        other = peer.server.other(*steps, *[content()] * 10, tls=tls)
        scheme, _, host = other.url.partition("://")
        peer.send(message(302, b"", {"location": f"{scheme}://{user}{host}{path.format(path=request.path)}"}))

    return step


def content(change: Callable[[Answer], Answer] = lambda usual: usual, then: Step = stay, share: float = 1) -> Step:
    """The file, for everyone, changed; broken off where `share` is less than 1."""

    def step(peer: Peer) -> None:
        request = peer.request()
        answer = peer.server.fake.handle(evolve(request, headers={**request.headers, "authorization": "Bearer inside"}))
        head, _, data = http(change(answer)).partition(END)
        send_then(peer, head + END + data[: int(len(data) * share)], then)

    return step


def with_fields(**fields: str | None) -> Callable[[Answer], Answer]:
    """An answer with other header fields; None takes one away."""

    def change(usual: Answer) -> Answer:
        told = {**usual.headers, **{name.replace("_", "-"): value for name, value in fields.items()}}
        return evolve(usual, headers={name: value for name, value in told.items() if value is not None})

    return change


def whole(usual: Answer) -> Answer:
    return Answer(200, {**usual.headers, "content-length": str(len(VIDEO))}, VIDEO)


def other_file(_: Answer) -> Answer:
    return Answer(200, {"content-type": "video/mp4", "etag": '"other"', "content-length": str(len(OTHER))}, OTHER)


CUT = content(then=Peer.close, share=0.5)  # Leaves a strong tag, so that the rest can be asked for.
UNTAGGED = content(with_fields(etag=None), then=Peer.close, share=0.5)
WEAK = content(with_fields(etag='W/"weak"'), then=Peer.close, share=0.5)
ENVOY = "upstream connect error or disconnect/reset before headers. reset reason: "
HTML = b"<html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>"
UNFRAMED = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4" + END
HINT = b"HTTP/1.1 103 Early Hints\r\nLink: </>" + END
JSON = {"content-type": "application/json"}
PAGE = {"content-type": "text/html; charset=utf-8"}
FLAT = {"code": "server_busy", "message": "try again later", "data": None}
NESTED = {"error": {"message": "no (request id: 2026)", "type": "new_api_error", "code": "some_code"}}
NOT_YET = {"code": "task_not_completed", "message": "Task is not completed yet", "data": None}


def error(status: int, **headers: str) -> Step:
    """This status, with an error of the gateway's."""
    return answers(status, NESTED, {name.replace("_", "-"): value for name, value in headers.items()})


def _bomb() -> bytes:
    """A hundred megabytes of blanks, in a hundred kilobytes."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(b" " * 1_000_000) for _ in range(100)) + packer.flush()


BOMB = _bomb()


def only_id(video: dict[str, Any]) -> dict[str, Any]:
    return {"id": video["id"]}


def nulls(video: dict[str, Any]) -> dict[str, Any]:
    return {name: value if name in ("id", "status") else None for name, value in video.items()}


def wrong_types(video: dict[str, Any]) -> dict[str, Any]:
    return video | {"progress": {}, "created_at": "soon", "model": [], "seconds": 4, "size": None, "error": 7}


def enveloped(video: dict[str, Any]) -> dict[str, Any]:
    """As gateways tell of a task: the id of their database in `id`, that of the task in `task_id`."""
    task = {"id": 4711, "task_id": video["id"], "status": video["status"], "progress": f"{video['progress']}%"}
    return {"code": "success", "message": "", "data": {**task, "fail_reason": ""}}


def failure_enveloped(video: dict[str, Any]) -> dict[str, Any]:
    return {"code": "success", "data": {"task_id": video["id"], "status": "FAILURE", "fail_reason": "content policy"}}


# A file without a tag: a date is one where it is a minute older than the answer.

LAST_MODIFIED = "Wed, 26 Nov 2025 10:00:00 GMT"


def _dated(date: str | None) -> Step:
    """The first half of the file, sent then."""
    return content(with_fields(etag=None, last_modified=LAST_MODIFIED, date=date), then=Peer.close, share=0.5)


DATED = _dated("Wed, 26 Nov 2025 10:01:00 GMT")
DATED_TOO_LATE = _dated("Wed, 26 Nov 2025 10:00:59 GMT")
DATED_WITHOUT_DATE = _dated(None)


def rest_if(condition: str, told: str | None = LAST_MODIFIED) -> Step:
    """The rest of the file, of the date that is told, for who asks for it on this condition; 502 for anybody else."""

    def step(peer: Peer) -> None:
        request = peer.request()
        if request.headers.get("if-range") != condition:
            peer.send(message(502, HTML, PAGE))
            return
        first = int(request.headers["range"].removeprefix("bytes=").removesuffix("-"))
        fields = {"content-type": "video/mp4", "content-range": f"bytes {first}-{len(VIDEO) - 1}/{len(VIDEO)}"}
        peer.send(message(206, VIDEO[first:], fields | ({"last-modified": told} if told else {})))

    return step


def another_if_part(peer: Peer) -> None:
    """The rest of another file for who asks for a part, and the whole file for who does not."""
    asked = peer.request().headers.get("range", "bytes=0-")
    first = int(asked.removeprefix("bytes=").removesuffix("-"))
    told = {"content-type": "video/mp4", "last-modified": LAST_MODIFIED}
    if first == 0:
        peer.send(message(200, VIDEO, told))
    else:
        peer.send(message(206, OTHER[first:], told | {"content-range": f"bytes {first}-46348/46349"}))

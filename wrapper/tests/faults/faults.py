"""The catalogue of faults: by name, what befalls the requests.

A fault hits one request, or several in turn; after its steps all goes well. The server does what is asked before it
misbehaves, so that a submit that is sent again without need makes a second job.
"""

from __future__ import annotations

import gzip
import json
import ssl
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

import trustme
from attrs import evolve, frozen

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


@frozen
class Fault:
    """What befalls the requests.

    Attributes:
        steps: One for each request.
        parting: What befalls the request before, if it matters: another one is made first where there is none.
        tls: Whether the base URL is https.
        hurried: Whether the caller's timeouts and deadlines are short, for they will pass.
    """

    steps: tuple[Step, ...]
    parting: Step | None = None
    tls: bool = False
    hurried: bool = False


def once(*steps: Step) -> Fault:
    """One request after the other meets these."""
    return Fault(steps)


def always(step: Step) -> Fault:
    """Every request meets this one."""
    return Fault((step,) * 500)


def hurried(fault: Fault) -> Fault:
    """The same for a caller who has little time."""
    return evolve(fault, hurried=True)


# How an answer is spoilt. `then` is what becomes of the connection.

END = b"\r\n\r\n"
VIDEO = (files(deerapi_remix) / "testing" / "assets" / "video.mp4").read_bytes()
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


def told(change: Callable[[bytes, bytes], bytes], then: Step = Peer.close) -> Step:
    """The usual answer, but other bytes: made of its head (without the empty line) and its body."""

    def step(peer: Peer) -> None:
        head, _, body = http(peer.exchange()).partition(END)
        peer.send(change(head, body))
        then(peer)

    return step


def cut(share: float, then: Step = Peer.close) -> Step:
    """The usual answer, broken off in its body."""
    return told(lambda head, body: head + END + body[: int(len(body) * share)], then)


def framed(change: Callable[[bytes], bytes], *fields: bytes, then: Step = Peer.close) -> Step:
    """The usual answer without its length, but with these header fields and another body."""

    def spoil(head: bytes, body: bytes) -> bytes:
        return b"\r\n".join([_without(b"content-length", head), *fields]) + END + change(body)

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
        peer.send(message(status, body, headers))
        then(peer)

    return step


def body(change: Callable[[bytes], bytes], status: int = 200, **headers: str) -> Step:
    """The usual answer with another body of the right length, and other headers."""

    def step(peer: Peer) -> None:
        usual = peer.exchange()
        kept = {name: value for name, value in usual.headers.items() if name != "content-length"}
        changed = {name.replace("_", "-"): value for name, value in headers.items()}
        peer.send(message(status, change(usual.body), kept | changed))

    return step


def drift(change: Callable[[dict[str, Any]], object], **headers: str) -> Step:
    """The usual answer, a JSON object, changed."""
    return body(lambda data: json.dumps(change(json.loads(data))).encode(), 200, **headers)


def telling(**fields: object) -> Step:
    """The usual answer, a JSON object, with these fields."""
    return drift(lambda video: video | fields)


def echo(make: Callable[[str], bytes]) -> Step:
    """The usual is done, and the answer holds the key."""

    def step(peer: Peer) -> None:
        peer.exchange()
        peer.send(make(peer.key))
        peer.close()

    return step


def _without(name: bytes, head: bytes) -> bytes:
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


def handshake(step: Step) -> Fault:
    """One connection on which no handshake comes to its end."""

    def spoilt(peer: Peer) -> None:
        peer.server.tls = GOOD
        step(peer)

    return Fault((spoilt,), behind(None), tls=True)


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
        peer.send(head + END + data[: int(len(data) * share)])
        then(peer)

    return step


def with_fields(**fields: str | None) -> Callable[[Answer], Answer]:
    """An answer with other header fields; None takes one away."""

    def change(usual: Answer) -> Answer:
        told = {**usual.headers, **{name.replace("_", "-"): value for name, value in fields.items()}}
        return evolve(usual, headers={name: value for name, value in told.items() if value is not None})

    return change


def _whole(usual: Answer) -> Answer:
    return Answer(200, {**usual.headers, "content-length": str(len(VIDEO))}, VIDEO)


def _other_file(_: Answer) -> Answer:
    return Answer(200, {"content-type": "video/mp4", "etag": '"other"', "content-length": str(len(OTHER))}, OTHER)


CUT = content(then=Peer.close, share=0.5)  # Leaves a strong tag, so that the rest can be asked for.
UNTAGGED = content(with_fields(etag=None), then=Peer.close, share=0.5)
WEAK = content(with_fields(etag='W/"weak"'), then=Peer.close, share=0.5)
HTML = b"<html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>"
HINT = b"HTTP/1.1 103 Early Hints\r\nLink: </>" + END
JSON = {"content-type": "application/json"}
PAGE = {"content-type": "text/html; charset=utf-8"}
FLAT = {"code": "server_busy", "message": "try again later", "data": None}
NESTED = {"error": {"message": "no (request id: 2026)", "type": "new_api_error", "code": "some_code"}}
NOT_YET = {"code": "task_not_completed", "message": "Task is not completed yet", "data": None}


def error(status: int, **headers: str) -> Step:
    """This status, with an error of the gateway's."""
    return answers(status, NESTED, {name.replace("_", "-"): value for name, value in headers.items()})


def page(status: int) -> Fault:
    """This status, with a page of a proxy's."""
    return once(answers(status, HTML, PAGE))


def _bomb() -> bytes:
    """A hundred megabytes of blanks, in a hundred kilobytes."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(b" " * 1_000_000) for _ in range(100)) + packer.flush()


BOMB = _bomb()


def _only_id(video: dict[str, Any]) -> dict[str, Any]:
    return {"id": video["id"]}


def _nulls(video: dict[str, Any]) -> dict[str, Any]:
    return {name: value if name in ("id", "status") else None for name, value in video.items()}


def _wrong_types(video: dict[str, Any]) -> dict[str, Any]:
    return video | {"progress": {}, "created_at": "soon", "model": [], "seconds": 4, "size": None, "error": 7}


# In their answers to a submit the id is there for the eye, but not for HTTP: what comes is no answer at all.
ILLEGIBLE = {
    "length-negative", "length-in-words", "length-beyond-astronomic", "length-differing",
    "chunk-extension-huge", "chunked-twice", "transfer-coding-unknown",
    "header-huge", "header-nameless", "header-with-nul", "header-blank-before-colon",
    "http-0.9", "status-of-two-digits", "status-line-not-http",
}  # fmt: skip

FAULTS: dict[str, Fault] = {
    # No connection
    "refused": hurried(Fault((), parting(FaultServer.refuse))),
    "connect-stalled": hurried(Fault((), parting(FaultServer.deafen))),
    # No answer
    "hung-up-unread": once(Peer.close),
    "reset-unread": once(reset_unread),
    "hung-up-idle": Fault((), lambda peer: peer.farewell(http(peer.exchange()))),
    "hung-up-as-request-comes": Fault((Peer.close,), Peer.answer),
    "reset-as-request-comes": Fault((reset_unread,), Peer.answer),
    "hung-up-after-request": once(told(lambda *_: b"")),
    "hung-up-always": hurried(always(told(lambda *_: b""))),
    "reset-after-request": once(told(lambda *_: b"", Peer.reset)),
    "stalled": hurried(once(stalled(lambda *_: b""))),
    "stalled-always": hurried(always(stalled(lambda *_: b""))),
    # An answer that stops
    "stalled-in-status-line": hurried(once(stalled(lambda head, _: head[:7]))),
    "stalled-in-headers": hurried(once(stalled(lambda head, _: head[:-9]))),
    "stalled-before-body": hurried(once(stalled(lambda head, _: head + END))),
    "stalled-in-body": hurried(once(stalled(lambda head, body: head + END + body[: len(body) // 2]))),
    "stalled-before-last-byte": hurried(once(stalled(lambda head, body: head + END + body[:-1]))),
    "cut-in-status-line": once(told(lambda head, _: head[:7])),
    "cut-in-headers": once(told(lambda head, _: head[:-9])),
    "cut-before-body": once(cut(0)),
    "cut-before-body-always": hurried(always(cut(0))),
    "cut-in-id": once(told(lambda head, body: head + END + body[:20])),
    "cut-in-body": once(cut(0.5)),
    "cut-in-body-always": hurried(always(cut(0.5))),
    "cut-before-last-byte": once(told(lambda head, body: head + END + body[:-1])),
    "reset-in-body": once(cut(0.5, reset_later)),
    # An answer that is slow
    "trickled": once(trickled(0, 0, 400)),
    "trickled-for-seconds": hurried(once(trickled(0, 0.025, 150))),
    # Lengths
    "length-too-long": once(longer(9)),
    "length-negative": once(lengths(b"-1")),
    "length-in-words": once(lengths(b"many")),
    "length-astronomic": once(lengths(b"9" * 19)),
    "length-beyond-astronomic": once(lengths(b"9" * 400)),
    "length-differing": once(lengths(b"10", b"20")),
    "length-missing": once(framed(bytes)),
    "length-missing-and-cut": once(framed(lambda body: body[: len(body) // 2])),
    # Chunks
    "chunked": once(chunked(lambda body: chunks(body[:7], body[7:]) + b"0\r\n\r\n", then=stay)),
    "chunked-with-trailers": once(chunked(lambda body: chunks(body) + b"0\r\nX-Sum: 1\r\n\r\n", then=stay)),
    "chunked-and-length": once(chunked(lambda body: chunks(body) + b"0\r\n\r\n", b"Content-Length: 9", then=stay)),
    "chunked-and-cut": once(chunked(lambda body: chunks(body[: len(body) // 2]))),
    "chunked-without-end": once(chunked(chunks)),
    "chunk-size-garbage": once(chunked(lambda body: chunks(body[: len(body) // 2]) + b"zz\r\n")),
    "chunk-size-negative": once(chunked(lambda body: chunks(body[: len(body) // 2]) + b"-5\r\n")),
    "chunk-size-huge": once(chunked(lambda body: b"%x\r\n" % 2**62 + body)),
    "chunk-extension-huge": once(chunked(lambda body: b"5;" + b"x" * 300_000 + b"\r\n" + body)),
    "chunked-twice": once(chunked(chunks, b"Transfer-Encoding: chunked")),
    "transfer-coding-unknown": once(framed(bytes, b"Transfer-Encoding: gzip, chunked")),
    # Headers
    "header-huge": once(field(b"X-Long: " + b"x" * 300_000)),
    "headers-many": once(field(b"\r\n".join(b"X-%d: %d" % (number, number) for number in range(3000)))),
    "header-folded": once(field(b"X-Folded: one\r\n two")),
    "header-not-ascii": once(field("X-Request-Id: né".encode("latin-1"))),
    "header-nameless": once(field(b": nobody")),
    "header-with-nul": once(field(b"X-Nul: a\0b")),
    "header-blank-before-colon": once(field(b"X-Blank : a")),
    "header-without-blank": once(field(b"x-tight:a")),
    "header-lines-end-in-lf": once(told(lambda head, body: head.replace(b"\r\n", b"\n") + b"\n\n" + body)),
    "content-type-twice": once(field(b"Content-Type: video/mp4")),
    # First lines
    "http-1.0": once(status_line(b"HTTP/1.0 200 OK")),
    "http-0.9": once(told(lambda _, body: body)),
    "http-2": once(told(lambda *_: b"\0\0\x12\x04\0\0\0\0\0" + bytes(18))),
    "tls-to-plain-client": once(told(lambda *_: b"\x15\x03\x03\0\x02\x02\x46")),
    "status-without-reason": once(status_line(b"HTTP/1.1 200")),
    "status-of-two-digits": once(status_line(b"HTTP/1.1 20 OK")),
    "status-line-not-http": once(status_line(b"ICY 200 OK")),
    # Provisional answers
    "100-before": once(told(lambda head, body: b"HTTP/1.1 100 Continue" + END + head + END + body, stay)),
    "103-flood": once(told(lambda head, body: HINT * 500 + head + END + body, stay)),
    "101": once(answers(101, b"", {"connection": "upgrade", "upgrade": "h2c"})),
    # Statuses
    "200-without-body": once(answers(200)),
    "201": once(body(bytes, 201)),
    "202": once(body(bytes, 202)),
    "204": once(answers(204)),
    "206-whole": once(body(bytes, 206)),
    "300": once(answers(300)),
    "304": once(answers(304)),
    "400": once(error(400)),
    "400-flat": once(answers(400, FLAT)),
    "400-task-not-exist": once(answers(400, {"code": "task_not_exist", "message": "task_not_exist", "data": None})),
    "400-not-completed": once(answers(400, NOT_YET)),
    "400-cut": once(answers(400, b"", {"content-length": "99"}, then=Peer.close)),
    "400-stalled": hurried(once(answers(400, b"", {"content-length": "99"}, then=Peer.stall))),
    "400-chunk-garbage": once(answers(400, b"zz\r\n", {"transfer-encoding": "chunked"}, then=Peer.close)),
    "401": once(error(401)),
    "402": once(error(402)),
    "403-quota": once(answers(403, {"error": {"message": "no", "code": "insufficient_user_quota"}})),
    "404": once(error(404)),
    "404-always": hurried(always(error(404))),
    "405": once(error(405)),
    "408": once(error(408)),
    "409": once(error(409)),
    "413": page(413),
    "422": once(error(422)),
    "429": once(error(429)),
    "429-always": hurried(always(error(429))),
    "429-retry-after-0": once(error(429, retry_after="0")),
    "429-retry-after-short": once(error(429, retry_after="0.1")),
    "429-retry-after-past": once(error(429, retry_after="Sun, 09 Sep 2001 01:46:40 GMT")),
    "429-retry-after-nonsense": once(error(429, retry_after="soon, 1")),
    "429-retry-after-negative": once(error(429, retry_after="-5")),
    "429-retry-after-long": hurried(once(error(429, retry_after="60"))),
    "429-retry-after-absurd": hurried(once(error(429, retry_after="9" * 30))),
    "451": once(error(451)),
    "500": once(error(500)),
    "500-always": hurried(always(error(500))),
    "500-empty": once(answers(500)),
    "500-stalled": hurried(once(answers(500, b"", {"content-length": "99"}, then=Peer.stall))),
    "500-huge": once(answers(500, b"x" * 3_000_000, then=Peer.close)),
    "500-gzip-bomb": once(answers(500, BOMB, {"content-encoding": "gzip"}, then=Peer.close)),
    "501": once(error(501)),
    "502-page": page(502),
    "502-page-always": hurried(always(answers(502, HTML, PAGE))),
    "503": once(error(503)),
    "503-retry-after-short": once(error(503, retry_after="0.1")),
    "504-page": page(504),
    "520-page": page(520),
    "524-page": page(524),
    "530-page": page(530),
    "599": once(error(599)),
    "600": once(error(600)),
    # Bodies of answers
    "page-200": page(200),
    "error-200": once(answers(200, FLAT)),
    "null-200": once(answers(200, b"null", JSON)),
    "list-200": once(answers(200, [{"id": "video_in_list"}])),
    "nesting-deep": once(answers(200, b"[" * 200_000, JSON)),
    "answer-of-2-MB": once(drift(lambda answer: answer | {"padding": "x" * 2_000_000})),
    "gzip": once(body(gzip.compress, content_encoding="gzip")),
    "gzip-in-name-only": once(body(bytes, content_encoding="gzip")),
    "gzip-cut": once(body(lambda data: gzip.compress(data, mtime=0)[:-20], content_encoding="gzip")),
    "gzip-bomb": once(answers(200, BOMB, JSON | {"content-encoding": "gzip"}, then=Peer.close)),
    "coding-unknown": once(body(lambda data: bytes(byte ^ 90 for byte in data), content_encoding="br")),
    "byte-order-mark": once(body(lambda data: b"\xef\xbb\xbf" + data)),
    "utf-16": once(body(lambda data: data.decode().encode("utf-16"))),
    "event-stream": once(body(lambda data: b"data: " + data + b"\n\n", content_type="text/event-stream")),
    "type-html-of-json": once(body(bytes, content_type="text/html")),
    # Fields of answers
    "id-null": once(telling(id=None)),
    "id-blank": once(telling(id=" ")),
    "id-in-data": once(drift(lambda video: {"code": "success", "data": video})),
    "id-as-task-id": once(drift(lambda video: {"task_id": video.pop("id"), **video})),
    "id-of-another": once(telling(id="video_of_another")),
    "id-alone": once(drift(_only_id)),
    "fields-null": once(drift(_nulls)),
    "fields-of-wrong-types": once(drift(_wrong_types)),
    "fields-added": once(telling(task_id="t", usage={"cost": 1}, metadata=None)),
    "progress-47%": once(telling(progress="47%")),
    "status-NOT_START": once(telling(status="NOT_START")),
    "status-processing-always": hurried(always(telling(status="processing"))),
    "status-SUCCESS": once(telling(status="SUCCESS")),
    "status-failed": once(telling(status="failed", error={"code": "moderation_blocked", "message": "no"})),
    "status-cancelled": once(telling(status="cancelled", error="stopped")),
    "status-expired": once(telling(status="Expired", error=None)),
    "poll-hint-absurd": once(drift(lambda video: video | {"status": "queued"}, openai_poll_after_ms="9" * 30)),
    "poll-hint-nonsense": once(drift(lambda video: video | {"status": "queued"}, openai_poll_after_ms="-soon")),
    # Redirects
    "redirect-to-same-path": once(redirect("http://127.0.0.1:{port}{path}")),
    "redirect-relative": once(redirect("{path}", 307)),
    "redirect-301": once(redirect("{path}", 301)),
    "redirect-303": once(redirect("{path}", 303)),
    "redirect-308": once(redirect("{path}", 308)),
    "redirect-to-other-port": once(elsewhere()),
    "redirect-to-other-host": once(redirect("http://localhost:{port}{path}"), content()),
    "redirect-to-other-scheme": once(elsewhere(tls=GOOD)),
    "redirect-to-http": Fault((elsewhere(),), behind(GOOD), tls=True),
    "redirect-loop": always(redirect("{path}")),
    "redirect-without-location": once(answers(302)),
    "redirect-to-file": once(redirect("file:///etc/hostname")),
    "redirect-to-nowhere": once(redirect("http://[::1")),
    "redirect-to-closed-port": once(redirect("http://127.0.0.1:1{path}")),
    "redirect-to-no-name": once(answers(302, b"", {"location": "http://xn--/x"})),
    "redirect-to-no-port": once(answers(302, b"", {"location": "http://127.0.0.1:99999/x"})),
    "redirect-with-user": once(elsewhere(user="someone:secret@")),
    "redirect-with-key": once(redirect("http://127.0.0.1:{port}{path}?key={key}")),
    # TLS
    "tls-expired": Fault((), behind(EXPIRED), tls=True),
    "tls-wrong-host": Fault((), behind(WRONG_HOST), tls=True),
    "tls-unknown-authority": Fault((), behind(UNKNOWN_AUTHORITY), tls=True),
    "tls-self-signed": Fault((), behind(SELF_SIGNED), tls=True),
    "tls-stalled": hurried(handshake(Peer.stall)),
    "tls-hung-up": handshake(Peer.close),
    "tls-reset": handshake(Peer.reset),
    "tls-cut-in-body": Fault((cut(0.5),), tls=True),
    "tls-reset-after-request": Fault((told(lambda *_: b"", Peer.reset),), tls=True),
    # The key comes back
    "key-in-error": once(echo(lambda key: message(400, {"error": {"message": f"bad {key}", "code": key}}))),
    "key-in-page": once(echo(lambda key: message(502, f"<title>{key}</title>".encode(), PAGE))),
    "key-in-request-id": once(echo(lambda key: message(400, NESTED, {"x-request-id": key}))),
    "key-in-first-line": once(echo(lambda key: f"HTTP/1.1 {key}\r\n\r\n".encode())),
    "key-in-header-line": once(echo(lambda key: f"HTTP/1.1 200 OK\r\n{key}\r\n\r\n".encode())),
    "key-in-cut-json": once(echo(lambda key: message(200, f'{{"prompt": "{key}"'.encode(), JSON))),
    "key-in-type": once(echo(lambda key: message(200, b"{}", {"content-type": f"text/{key}"}))),
}  # fmt: skip

# Those that only a file can meet

CONTENT: dict[str, Fault] = {
    "not-completed-once": once(answers(400, NOT_YET)),
    "not-completed-always": hurried(always(answers(400, NOT_YET))),
    "not-completed-then-502": once(*[answers(400, NOT_YET)] * 4, answers(502, HTML, PAGE)),
    "not-completed-as-200": once(answers(200, NOT_YET)),
    "type-json": once(answers(200, {"url": "elsewhere"})),
    "type-text": once(body(bytes, content_type="text/plain")),
    "type-missing": once(told(lambda head, body: _without(b"content-type", head) + END + body)),
    "type-binary": once(body(bytes, content_type="application/octet-stream")),
    "type-in-capitals": once(body(bytes, content_type="Video/MP4; codecs=avc1")),
    "empty": once(body(lambda _: b"")),
    "empty-in-chunks": once(chunked(lambda _: b"0\r\n\r\n")),
    "in-pieces-of-10-kB": always(told(lambda head, body: head + END + body[:10_000])),
    "cut-untagged": once(UNTAGGED),
    "cut-weakly-tagged": once(WEAK),
    "cut-then-another-file": once(CUT, content(_other_file)),
    "cut-then-always-another": Fault(tuple(content(with_fields(etag=f'"{n}"'), Peer.close, 0.5) for n in range(20))),
    "cut-then-200": once(CUT, content(_whole)),
    "cut-206-of-another": once(CUT, content(with_fields(etag='"other"'))),
    "cut-206-untagged": once(CUT, content(with_fields(etag=None))),
    "cut-206-elsewhere": once(CUT, content(with_fields(content_range="bytes 5-46348/46349"))),
    "cut-206-of-other-total": once(CUT, content(with_fields(content_range="bytes 23174-46348/50000"))),
    "cut-206-of-no-total": once(CUT, content(with_fields(content_range="bytes 23174-46348/*"))),
    "cut-206-rangeless": once(CUT, content(with_fields(content_range=None))),
    "cut-206-multipart": once(CUT, content(with_fields(content_type="multipart/byteranges; boundary=x"))),
    "cut-206-cut": once(CUT, CUT),
    "cut-then-416": once(CUT, error(416)),
    "cut-then-404": once(CUT, error(404)),
    "cut-then-502": once(CUT, answers(502, HTML, PAGE)),
    "cut-then-page": once(CUT, answers(200, HTML, PAGE)),
    "content-range-on-200": once(content(with_fields(content_range="bytes 0-9/10"))),
    "206-unasked": once(body(bytes, 206, content_range="bytes 0-46348/46349")),
    "416-unasked": once(error(416)),
    "redirect-then-cut": once(elsewhere(CUT), elsewhere()),
    "redirect-then-403": once(elsewhere(error(403))),
    "redirect-then-502": once(elsewhere(answers(502, HTML, PAGE))),
    "redirect-then-stalled": hurried(once(elsewhere(Peer.stall))),
    "redirect-then-hung-up": once(elsewhere(Peer.close)),
    "redirect-then-page": once(elsewhere(answers(200, HTML, PAGE))),
}  # fmt: skip

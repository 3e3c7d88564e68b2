"""The catalogue of faults: by name, what befalls the requests.

A fault hits one request, or several in turn; after its steps all goes well. The server does what is asked before it
misbehaves, so that a submit that is sent again without need makes a second job.
"""

from __future__ import annotations

import gzip

from attrs import evolve, frozen

from .server import FaultServer, Peer, Step, http, message
from .steps import (
    BOMB,
    CUT,
    END,
    EXPIRED,
    FLAT,
    GOOD,
    HINT,
    HTML,
    JSON,
    NESTED,
    NOT_YET,
    PAGE,
    SELF_SIGNED,
    UNKNOWN_AUTHORITY,
    UNTAGGED,
    WEAK,
    WRONG_HOST,
    answers,
    behind,
    body,
    chunked,
    chunks,
    content,
    cut,
    drift,
    echo,
    elsewhere,
    error,
    field,
    framed,
    lengths,
    longer,
    nulls,
    only_id,
    other_file,
    parting,
    redirect,
    reset_later,
    reset_unread,
    stalled,
    status_line,
    stay,
    telling,
    told,
    trickled,
    whole,
    with_fields,
    without,
    wrong_types,
)


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


def page(status: int) -> Fault:
    """This status, with a page of a proxy's."""
    return once(answers(status, HTML, PAGE))


def handshake(step: Step) -> Fault:
    """One connection on which no handshake comes to its end."""

    def spoilt(peer: Peer) -> None:
        peer.server.tls = GOOD
        step(peer)

    return Fault((spoilt,), behind(None), tls=True)


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
    "id-alone": once(drift(only_id)),
    "fields-null": once(drift(nulls)),
    "fields-of-wrong-types": once(drift(wrong_types)),
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
    # Those that only a file can meet
    "not-completed-once": once(answers(400, NOT_YET)),
    "not-completed-always": hurried(always(answers(400, NOT_YET))),
    "not-completed-then-502": once(*[answers(400, NOT_YET)] * 4, answers(502, HTML, PAGE)),
    "not-completed-as-200": once(answers(200, NOT_YET)),
    "type-json": once(answers(200, {"url": "elsewhere"})),
    "type-text": once(body(bytes, content_type="text/plain")),
    "type-missing": once(told(lambda head, body: without(b"content-type", head) + END + body)),
    "type-binary": once(body(bytes, content_type="application/octet-stream")),
    "type-in-capitals": once(body(bytes, content_type="Video/MP4; codecs=avc1")),
    "empty": once(body(lambda _: b"")),
    "empty-in-chunks": once(chunked(lambda _: b"0\r\n\r\n")),
    "in-pieces-of-10-kB": always(told(lambda head, body: head + END + body[:10_000])),
    "cut-untagged": once(UNTAGGED),
    "cut-weakly-tagged": once(WEAK),
    "cut-then-another-file": once(CUT, content(other_file)),
    "cut-then-always-another": Fault(tuple(content(with_fields(etag=f'"{n}"'), Peer.close, 0.5) for n in range(20))),
    "cut-then-200": once(CUT, content(whole)),
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

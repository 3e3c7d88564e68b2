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
    DATED,
    DATED_TOO_LATE,
    DATED_WITHOUT_DATE,
    END,
    ENVOY,
    EXPIRED,
    FLAT,
    GOOD,
    HINT,
    HTML,
    JSON,
    LAST_MODIFIED,
    NESTED,
    NOT_YET,
    PAGE,
    SELF_SIGNED,
    UNFRAMED,
    UNKNOWN_AUTHORITY,
    UNTAGGED,
    VIDEO,
    WEAK,
    WRONG_HOST,
    another_if_part,
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
    enveloped,
    error,
    failure_enveloped,
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
    rest_if,
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
        variant: What a download asks for.
    """

    steps: tuple[Step, ...]
    parting: Step | None = None
    tls: bool = False
    hurried: bool = False
    variant: str | None = None


def once(*steps: Step) -> Fault:
    """One request after the other meets these."""
    return Fault(steps)


def always(step: Step) -> Fault:
    """Every request meets this one."""
    return Fault((step,) * 500)


def hurried(fault: Fault) -> Fault:
    """The same for a caller who has little time."""
    return evolve(fault, hurried=True)


def picture(variant: str, *steps: Step) -> Fault:
    """The same where a picture is asked for."""
    return Fault(steps, variant=variant)


def says(status: int, *texts: str) -> dict[str, Fault]:
    """This status with each of these codes, and with each of these messages: faults by their names."""
    return {f"{status}-{text}": once(answers(status, {"code": text, "message": text, "data": None})) for text in texts}


def prose(status: int, **texts: str) -> dict[str, Fault]:
    """This status with a line of plain text, as proxies send it: faults by their names."""
    plain = {"content-type": "text/plain"}
    named = {f"{status}-{name.replace('_', '-')}": text for name, text in texts.items()}
    return {name: once(answers(status, text.encode(), plain)) for name, text in named.items()}


def jobs_in(*statuses: int) -> dict[str, Fault]:
    """What is asked for is answered, but under another status."""
    return {f"job-in-{status}": once(body(bytes, status)) for status in statuses}


def told_as(*states: str) -> dict[str, Fault]:
    """The job is in this state, in the words of gateways."""
    return {f"status-{state.strip().replace(' ', '-')}": once(telling(status=state)) for state in states}


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
    "trickled-for-seconds": hurried(once(trickled(0, 0.06, 150))),
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
    "429-retry-after-long": hurried(once(error(429, retry_after="61"))),
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
    # Words of gateways and proxies that passed the request on before they failed
    **says(500, "do_request_failed", "read_response_body_failed", "unmarshal_response_body_failed", "invalid_response"),
    **says(503, "do_request_failed", "read_response_body_failed"),
    "500-passed-on-in-an-error": once(answers(500, {"error": {"message": "bad", "code": "do_request_failed"}})),
    "500-passed-on-as-a-type": once(answers(500, {"error": {"message": "EOF", "type": "do_request_failed"}})),
    "500-server-disconnected": once(answers(500, {"error": {"message": "Server disconnected", "code": "500"}})),
    "500-payload-incomplete": once(answers(500, {"error": {"message": "Response payload is not completed"}})),
    "500-answer-not-valid": once(answers(500, {"detail": "1 validation error for VideoObject\nid\n  Field required"})),
    **prose(500, disconnected_in_prose="litellm.APIConnectionError: Server disconnected without sending a response."),
    **prose(
        503,
        envoy_termination=ENVOY + "connection termination",
        envoy_remote_reset=ENVOY + "remote reset",
        envoy_protocol_error=ENVOY + "protocol error",
        first_byte_timeout="first byte timeout",
        backend_read_error="Error 503 backend read error",
    ),
    # and of those that did not
    **prose(
        503,
        envoy_overflow=ENVOY + "overflow",
        envoy_connection_failure=ENVOY + "connection failure",
        envoy_connection_timeout=ENVOY + "connection timeout",
        no_healthy_upstream="no healthy upstream",
        overloaded="Service Unavailable",
    ),
    "503-page": page(503),
    "503-empty": once(answers(503)),
    "500-page": page(500),
    "500-detail": once(answers(500, {"detail": "Internal Server Error"})),
    **says(503, "model_not_found", "model_not_available", "insufficient_user_quota"),
    **says(500, "model_not_found", "insufficient_user_quota"),
    **says(429, "insufficient_quota"),
    "500-passed-on-always": hurried(always(answers(500, {"code": "do_request_failed", "message": "EOF"}))),
    "503-always": hurried(always(error(503))),
    # One status after another
    "500-then-400": once(error(500), error(400)),
    "500-then-401": once(error(500), error(401)),
    "500-then-502": once(error(500), answers(502, HTML, PAGE)),
    "500-then-429-for-long": hurried(once(error(500), error(429, retry_after="61"))),
    "503-then-400": once(error(503), error(400)),
    "429-then-400": once(error(429), error(400)),
    "429-then-500": once(error(429), error(500)),
    "503-then-cut-in-body": once(error(503), cut(0.5)),
    # Further statuses
    "102-and-closed": once(answers(102, then=Peer.close)),
    "199-and-closed": once(answers(199, then=Peer.close)),
    "199-and-silent": hurried(once(answers(199, then=Peer.stall))),
    **{str(status): once(answers(status)) for status in (303, 305, 306, 601, 666, 700, 799, 999)},
    **{str(status): once(error(status)) for status in (403, 410, 418, 421, 423, 424, 425, 426, 428, 431, 499)},
    **{f"{status}-page": page(status) for status in (402, 403, 404, 408, 429, 507, 521, 522, 523, 525, 526)},
    **says(403, "billing_hard_limit_reached", "insufficient_balance"),
    "403-type-quota": once(answers(403, {"error": {"message": "no", "type": "insufficient_quota", "code": None}})),
    "401-detail": once(answers(401, {"detail": "Invalid API key"})),
    "422-detail-list": once(answers(422, {"detail": [{"loc": ["body", "prompt"], "msg": "too long"}]})),
    "400-code-is-status": once(answers(400, {"error": {"message": "no", "code": "400"}})),
    # A job in an answer of any status
    **jobs_in(302, 303, 400, 402, 404, 408, 409, 429, 500, 502, 503, 504, 520, 600),
    "job-in-502-enveloped": once(drift(enveloped, 502)),
    "job-failed-in-502": once(drift(lambda video: video | {"status": "failed", "error": {"message": "upstream"}}, 502)),
    "job-in-502-as-a-page": once(body(bytes, 502, content_type="text/html")),
    "job-in-cut-502": once(told(lambda head, body: head.replace(b"200", b"502", 1) + END + body[:-1])),
    "id-but-no-job-in-502": once(answers(502, {"id": "req_123", "error": {"message": "bad gateway"}})),
    "id-but-no-job-in-503": once(answers(503, {"id": "req_123", "error": {"message": "busy"}})),
    # Ids that nobody can send back, and where else they stand
    "id-with-newline": once(telling(id="task\nnew")),
    "id-with-tab": once(telling(id="task\tnew")),
    "id-with-nul": once(telling(id="task\0new")),
    "id-with-escape": once(telling(id="\x1b]0;owned\x07task")),
    "id-with-del": once(telling(id="task\x7f")),
    "id-with-c1": once(telling(id="task\x85new")),
    "id-with-lone-surrogate": once(telling(id="task\ud800")),
    "id-dot": once(telling(id=".")),
    "id-dot-dot": once(telling(id="..")),
    "id-boolean": once(telling(id=True)),
    "id-fraction": once(telling(id=1.5)),
    "id-list": once(telling(id=["video_new"])),
    "id-object": once(telling(id={"id": "video_new"})),
    "id-unusable-beside-task-id": once(drift(lambda video: video | {"id": "task\nnew", "task_id": video["id"]})),
    "id-of-database-beside-task-id": once(drift(lambda video: video | {"id": 4711, "task_id": video["id"]})),
    "id-of-upstream-beside-task-id": once(drift(lambda video: video | {"id": "video_up", "task_id": video["id"]})),
    "envelope": once(drift(enveloped)),
    "envelope-below-id": once(drift(lambda video: {"code": "success", "id": video.pop("id"), "data": video})),
    "id-in-data-task-id": once(drift(lambda video: {"data": {"task_id": video["id"], "status": video["status"]}})),
    # An answer about another job
    "id-of-another-twice": once(*[telling(id="video_of_another")] * 2),
    "id-with-provider-twice": once(*[drift(lambda video: video | {"id": video["id"] + ":openai"})] * 2),
    "id-another-each-time": once(*(telling(id=f"video_{number}", status="in_progress") for number in range(3))),
    "id-of-another-failed": once(telling(id="video_of_another", status="failed")),
    "id-of-another-failed-twice": once(*[telling(id="video_of_another", status="failed")] * 2),
    # An error without a status
    "error-without-status": once(drift(lambda video: {"id": video["id"], "error": {"message": "flagged"}})),
    "error-without-status-twice": once(*[drift(lambda video: {"id": video["id"], "error": "flagged"})] * 2),
    "error-without-status-always": always(drift(lambda video: {"id": video["id"], "error": {"message": "flagged"}})),
    "fail_reason-without-status-always": always(drift(lambda video: {"id": video["id"], "fail_reason": "flagged"})),
    "detail-without-status-always": always(drift(lambda video: {"id": video["id"], "detail": "flagged"})),
    # Words for the states
    **told_as("complete", "succeeded", "finished", "Done", " COMPLETED "),
    **told_as("fail", "FAILURE", "error", "rejected", "time-out", "deleted", "canceled", "failed: moderation"),
    **told_as("In Progress", "pending", "submitted", "failing over", "queued: 3"),
    "status-failure-enveloped": once(drift(failure_enveloped)),
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
    # Not there yet, in other words
    "404-still-in-progress": once(answers(404, {"detail": "Generation is still in-progress"})),
    "404-task-not-found": once(answers(404, {"error": {"message": "Task not found"}})),
    "409-not-ready": once(answers(409, {"detail": "video is not ready"})),
    "400-not-ready": once(answers(400, {"error": {"message": "Video is not ready yet"}})),
    "422-not-ready": once(answers(422, {"detail": "video is not ready"})),
    "202-json": once(answers(202, {"status": "processing"})),
    "202-empty": once(answers(202)),
    "202-always": hurried(always(answers(202, {"status": "processing"}))),
    # Cut without a length
    "mp4-cut-at-box": once(framed(lambda data: data[:1720])),
    "mp4-cut-after-moov": once(framed(lambda data: data[:1712])),
    "mp4-without-moov": once(told(lambda *_: UNFRAMED + VIDEO[:32] + VIDEO[1720:])),
    "webp-without-length": picture("thumbnail", framed(bytes)),
    "webp-cut": picture("thumbnail", framed(lambda data: data[: len(data) // 2])),
    "webp-cut-before-last-byte": picture("thumbnail", framed(lambda data: data[:-1])),
    "jpeg-without-length": picture("spritesheet", framed(bytes)),
    "jpeg-cut": picture("spritesheet", framed(lambda data: data[: len(data) // 2])),
    "jpeg-cut-before-last-byte": picture("spritesheet", framed(lambda data: data[:-1])),
    # Something else under a type that is none of its own
    "json-as-video": once(body(lambda _: b'{"error": {"message": "expired"}}', content_type="video/mp4")),
    "json-without-type": once(answers(200, b'{"error": {"message": "expired"}}')),
    "json-list-as-binary": once(body(lambda _: b' [{"error": "expired"}]', content_type="application/octet-stream")),
    "page-as-video": once(body(lambda _: b"\n<!doctype html><title>Sign in</title>", content_type="video/mp4")),
    "page-without-type": once(answers(200, HTML)),
    "xml-as-video": once(body(lambda _: b'<?xml version="1.0"?><Error/>', content_type="video/mp4")),
    "xml-in-chunks": once(chunked(lambda _: chunks(b"\r", b"\n", b"<Error/>") + b"0\r\n\r\n", then=stay)),
    "json-as-picture": picture("thumbnail", body(lambda _: b'{"detail": "gone"}', content_type="image/webp")),
    # A picture for a video, and the reverse
    "picture-for-a-video": once(body(bytes, content_type="image/webp")),
    "video-for-a-thumbnail": picture("thumbnail", answers(200, VIDEO, {"content-type": "video/mp4"})),
    "video-for-a-spritesheet": picture("spritesheet", answers(200, VIDEO, {"content-type": "video/mp4"})),
    # Cut where only a date tells which file it was
    "cut-dated": once(DATED, rest_if(LAST_MODIFIED)),
    "cut-dated-too-late": once(DATED_TOO_LATE, another_if_part),
    "cut-dated-without-date": once(DATED_WITHOUT_DATE, another_if_part),
    "cut-dated-206-of-another": once(DATED, rest_if(LAST_MODIFIED, told="Wed, 26 Nov 2025 11:00:00 GMT")),
    "cut-dated-206-undated": once(DATED, rest_if(LAST_MODIFIED, told=None)),
}  # fmt: skip

"""What a failed answer means beyond its status: the words that gateways use, each in one place."""

from __future__ import annotations

import re

from ._messages import ServerMessage
from .errors import Reason

TIME_DOES_NOT_MEND = frozenset({Reason.NO_SUCH_MODEL, Reason.NO_BALANCE})

# Statuses with which gateways say that a file is not there yet.
_NOT_YET = frozenset({200, 202, 400, 404, 409, 422, 425})

# Codes that gateways give when the request had reached the upstream, or may have.
_PASSED_ON_CODES = frozenset(
    {
        "do_request_failed",
        "read_response_body_failed",
        "unmarshal_response_body_failed",
        "invalid_response",
        "bad_response",
        "bad_response_body",
        "bad_response_status_code",
        "empty_response",
        "upstream_error",
    }
)

# Envoy tells in which state a connection broke. In these nothing had been sent on it.
_NOT_PASSED_ON = re.compile(
    r"reset reason: (overflow|(local |remote )?(connection failure|connection timeout)"
    r"|(local |remote )?refused stream)|no healthy upstream"
)
# It tells this of its last try alone.
_TRIED_MORE_THAN_ONCE = re.compile(r"retried and the latest")

# Messages of gateways and proxies that had passed a request on before the answer was lost.
_PASSED_ON = re.compile(
    r"disconnect/reset before headers|upstream (request|response|connection|prematurely)"
    r"|server disconnected|payload is not completed|validation errors? for"
    r"|first byte timeout|between bytes timeout|backend (read|write) error"
    r"|connection (was )?(reset|aborted|terminat|closed|lost)|broken pipe|\beof\b"
    r"|remote end closed|remote protocol error|incomplete (chunked )?read"
    r"|timeout awaiting response|context deadline exceeded|i/o timeout|read timed? ?out"
    r"|(failed|unable) to (read|parse|decode|unmarshal)"
)

_NO_SUCH_MODEL_CODES = frozenset({"model_not_found", "model_not_available"})
_NO_SUCH_MODEL = re.compile(r"no available channel")

_OUT_OF_BALANCE = re.compile(r"quota|balance|billing")
# To a rate limit, too, the word quota may be given. Only these say that there is no money.
_OUT_OF_BALANCE_FOR_SURE = re.compile(r"insufficient|balance|billing")

_UNKNOWN_JOB = re.compile(r"\b(task|video|job)s?( id)? (does )?not (exist|found)|\bnot exist")

_NOT_READY = re.compile(
    r"\bnot (yet )?(been )?(complete|completed|ready|finished|done)\b"
    r"|\bnot yet (been )?(available|generated|processed|rendered|uploaded)\b"
    r"|\bnot (been )?(available|generated|processed|rendered|uploaded) yet\b"
    r"|\b(still|currently) (being )?(in progress|processing|generating|rendering|running|queued"
    r"|pending|processed|generated|rendered)\b"
    r"|\b(generation|video|task|job) (is )?(in progress|processing|pending|queued)\b"
)


def reason_of(status: int, told: ServerMessage, body: str) -> Reason | None:
    """What an answer means beyond its status; None where it shows nothing."""
    code, kind = (told.code or "").lower(), (told.kind or "").lower()
    if code in _NO_SUCH_MODEL_CODES or _NO_SUCH_MODEL.search(_words(told.message)):
        return Reason.NO_SUCH_MODEL
    if _is_out_of_balance(status, code, kind):
        return Reason.NO_BALANCE
    if status >= 500:
        return Reason.PASSED_ON if _was_passed_on(code, told, body) else None
    words = f"{_words(told.code)} {_words(told.message)}"
    if status in _NOT_YET and _NOT_READY.search(words):
        return Reason.NOT_READY
    if status in (400, 404) and _UNKNOWN_JOB.search(words):
        return Reason.UNKNOWN_JOB
    return None


def _words(value: str | None) -> str:
    """`value` in lower case, with blanks for what joins words in codes."""
    return " ".join(re.sub(r"[_\-]", " ", (value or "").lower()).split())


def _is_out_of_balance(status: int, code: str, kind: str) -> bool:
    if status == 402:
        return True
    signs = _OUT_OF_BALANCE_FOR_SURE if status == 429 else _OUT_OF_BALANCE
    return any(signs.search(name) is not None for name in (code, kind))


def _was_passed_on(code: str, told: ServerMessage, body: str) -> bool:
    """Whether an answer of 5xx shows that the request had gone further than to its sender.

    A page in HTML or an empty body shows nothing.
    """
    if told.is_page:
        return False
    message = ((told.message if told.is_structured else None) or body[:2_000]).lower()
    if _NOT_PASSED_ON.search(message) and not _TRIED_MORE_THAN_ONCE.search(message):
        return False
    return code in _PASSED_ON_CODES or _PASSED_ON.search(message) is not None

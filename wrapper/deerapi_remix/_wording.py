"""What a failed answer means beyond its status: the words that gateways use, each in one place."""

from __future__ import annotations

import re

from ._messages import ServerMessage
from .errors import Reason

TIME_DOES_NOT_MEND = frozenset({Reason.NO_SUCH_MODEL, Reason.NO_BALANCE})

# Characters of a body in which the words of gateways are looked for.
_SEARCHED = 4_000
# Statuses with which gateways say that a file is not there yet.
_NOT_YET = frozenset({200, 202, 400, 404, 409, 422, 425})

# Envoy tells in which state a connection broke. In these nothing had been sent on it.
_NOT_PASSED_ON = re.compile(
    r"reset reason: (overflow|(local |remote )?(connection failure|connection timeout)"
    r"|(local |remote )?refused stream)|no healthy upstream"
)
# It tells this of its last try alone.
_TRIED_MORE_THAN_ONCE = re.compile(r"retried and the latest")

# Messages and codes of gateways and proxies that had passed a request on before the answer was
# lost. To take one too many for such costs a retry; to miss one pays twice.
_PASSED_ON = re.compile(
    "|".join(
        (
            # Of proxies, about what is behind them.
            r"reset before|upstream (request|response|connection|prematurely|reset)",
            r"(upstream|backend|origin|provider|server|peer)( server)? (disconnected|returned"
            r"|(is )?timing out|timed out|prematurely closed|(sent|closed|reset|dropped) )",
            r"(upstream|provider) error|(from|to) (the )?(upstream|backend|origin|provider)\b",
            r"(first byte|between bytes|stream|response|headers|body) time ?out",
            r"bad gateway|gateway time ?out|failed to respond",
            r"(while trying to|problem) proxy(ing)?",
            # Of connections that were there.
            r"connection (was |is |has been )?(reset|aborted|terminat|closed|lost|broken"
            r"|prematurely|forcibly)|(closed|lost|closing)( the| network| idle)? connection",
            r"broken pipe|\beof\b|econnreset|econnaborted|epipe|socket hang up|other side closed",
            r"(read|write|socket|stream|remote ?protocol) ?error|err socket|rst stream|goaway",
            r"remote end closed|peer closed|without sending|empty reply",
            # Of answers that came in part, or were no use.
            r"incomplete ?(chunked )?read|payload is not completed|ended prematurely",
            r"chunked encoding|malformed http|outstanding read data|unexpected end of",
            r"validation errors? for|^(terminated|aborted)$",
            r"(failed|unable|could not|cannot|error)( to)? (read|pars|decod|unmarshal|deserializ)",
            r"looking for beginning of value|expecting value|unexpected token",
            # Of time that ran out while an answer was awaited.
            r"awaiting (response|headers)|deadline ?exceeded|i/o timeout|read( operation)? ?time",
            r"(request|operation) timed? ?out|timeout of \d+ ?ms exceeded|e(socket)?timedout",
            r"with 0 bytes received|response time exceeded|^time(d )?out$",
            # Of jobs that the upstream took, and the gateway could not write down.
            r"(insert|save|store|record|persist)( the)? (task|job|video)",
            # Codes of gateways, beside those that are among the words above.
            r"do request failed|(read|copy|close|unmarshal) response body failed",
            r"(unmarshal|parse) response failed|(invalid|bad|empty) response",
            r"upstream timeout|fail to fetch task|aws invoke error",
        )
    )
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
    code, kind = _lower(told.code), _lower(told.kind)
    if {code, kind} & _NO_SUCH_MODEL_CODES or _NO_SUCH_MODEL.search(_words(told.message)):
        return Reason.NO_SUCH_MODEL
    if _is_out_of_balance(status, code, kind):
        return Reason.NO_BALANCE
    if status >= 500:
        return Reason.PASSED_ON if _was_passed_on(told, body) else None
    words = f"{_words(told.code)} {_words(told.message)}"
    if status in _NOT_YET and _NOT_READY.search(words):
        return Reason.NOT_READY
    if status in (400, 404) and _UNKNOWN_JOB.search(words):
        return Reason.UNKNOWN_JOB
    return None


def _lower(value: str | None) -> str:
    return "" if value is None else value.lower()


def _words(value: str | None) -> str:
    """`value` in lower case, with blanks for what joins words in codes."""
    # UTF-16 that was read as UTF-8 has a NUL beside each letter.
    letters = _lower(value).replace("\0", "")
    return " ".join(re.sub(r"[_\-]", " ", letters).split())


def _is_out_of_balance(status: int, code: str, kind: str) -> bool:
    if status == 402:
        return True
    signs = _OUT_OF_BALANCE_FOR_SURE if status == 429 else _OUT_OF_BALANCE
    return any(signs.search(name) is not None for name in (code, kind))


def _was_passed_on(told: ServerMessage, body: str) -> bool:
    """Whether an answer of 5xx shows that the request had gone further than to its sender.

    The whole text is searched, for a gateway can put its code or message anywhere. A page in HTML
    or an empty body shows nothing.
    """
    if told.is_page:
        return False
    texts = [_words(each) for each in (told.message, told.code, told.kind, body[:_SEARCHED])]
    if any(map(_NOT_PASSED_ON.search, texts)) and not any(map(_TRIED_MORE_THAN_ONCE.search, texts)):
        return False
    return any(map(_PASSED_ON.search, texts))

"""From what happened to an error: the one place that reads failed answers and decides what may be done about them.

ambiguous   no answer came after sending; or status 408, or a 5xx other than 500 and 503; or a 2xx that cannot be read
transient   no answer, 408, 429, any 5xx

A paid request that failed ambiguously may have been charged. What is transient and was not charged may be sent again.
"""

import email.utils
import json
import math
import re
import ssl
from datetime import UTC
from http.client import responses

import httpx

from . import _clock, errors
from .models import text

# fmt: off
_BY_STATUS: dict[int, type[errors.APIStatusError]] = {
    400: errors.BadRequestError, 401: errors.AuthenticationError, 403: errors.PermissionDeniedError,
    404: errors.NotFoundError, 409: errors.ConflictError, 422: errors.BadRequestError, 429: errors.RateLimitError,
}
# fmt: on
# The request never left: the connection was not made, or there was none to take.
_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
# Nothing that time can mend. After sending, an invalid URL is that of a redirect.
_HOPELESS = (httpx.UnsupportedProtocol, httpx.InvalidURL)
_REQUEST_ID_HEADERS = ("x-oneapi-request-id", "x-request-id", "request-id")
_REQUEST_ID_IN_TEXT = re.compile(r"\(request[ _]id:\s*([^\s)]{1,200})\s*\)", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{1,1000})</title>", re.IGNORECASE)


def _verdict(*, paid: bool, ambiguous: bool, transient: bool) -> dict[str, bool]:
    return {
        "may_have_been_charged": paid and ambiguous,
        "retryable": transient and not (paid and ambiguous),
    }


def no_answer(
    operation: str, error: Exception, *, sent: bool, paid: bool
) -> errors.APIConnectionError:
    """The error for an exchange that httpx gave up, or that ended before the answer was whole."""
    final = isinstance(error, _HOPELESS) or _bad_certificate(error)
    # Other transports than httpcore's give these names to connections that died under the request (httpx-aiohttp does).
    proven = type(error.__cause__).__module__.partition(".")[0] in (
        "builtins",
        "httpcore",
        "respx",
        "socket",
        "ssl",
    )
    never_sent = not sent or (proven and isinstance(error, _NEVER_SENT))
    verdict = _verdict(paid=paid, ambiguous=not never_sent, transient=not final)
    kind = (
        errors.APITimeoutError
        if isinstance(error, httpx.TimeoutException)
        else errors.APIConnectionError
    )
    what = "the request was not sent" if never_sent else "no whole answer came"
    return kind(f"{operation}: {what}: {type(error).__name__}: {error}".rstrip(": "), **verdict)


def _bad_certificate(error: BaseException | None, depth: int = 8) -> bool:
    inner = (error.__cause__ or error.__context__) if error and depth else None
    return isinstance(error, ssl.SSLCertVerificationError) or (
        inner is not None and _bad_certificate(inner, depth - 1)
    )


def bad_status(
    operation: str, status: int, headers: dict[str, str], body: str, *, paid: bool
) -> errors.APIStatusError:
    """The error for an answer other than 2xx."""
    code, message = read_failure(body)
    phrase = responses.get(status, "Unknown Status")
    message = message or _prose(body) or phrase
    kind = _BY_STATUS.get(
        status, errors.InternalServerError if 500 <= status <= 599 else errors.APIStatusError
    )
    ambiguous = status == 408 or (500 <= status <= 599 and status not in (500, 503))
    transient = status in (408, 429) or 500 <= status <= 599
    summary = f"{operation}: {status} {phrase}: {message}{f' [{code}]' if code else ''}"
    told = {
        "status_code": status,
        "code": code,
        "message": message,
        "retry_after": retry_after(headers),
    }
    verdict = _verdict(paid=paid, ambiguous=ambiguous, transient=transient)
    return kind(summary, **told, **_came(headers, body), **verdict)


def unreadable(
    operation: str, problem: str, headers: dict[str, str], body: str, *, paid: bool
) -> errors.DeerAPIError:
    """The error for a 2xx that cannot be read, or that holds no usable id."""
    message = read_failure(body)[1]
    summary = f"{operation}: {problem}{f': {message}' if message else ''}"
    verdict = _verdict(paid=paid, ambiguous=True, transient=False)
    return errors.APIResponseValidationError(summary, **_came(headers, body), **verdict)


def _came(headers: dict[str, str], body: str) -> dict[str, str | None]:
    return {"body": body[:2_000], "request_id": request_id(headers, body)}


def read_failure(body: str) -> tuple[str | None, str | None]:
    """Code and message from an error body of any known shape."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None, None
    error = answer.get("error") if isinstance(answer, dict) else None
    source = (
        error
        if isinstance(error, dict)
        else {**answer, "message": error}
        if isinstance(error, str)
        else answer
    )
    return (
        (text(source.get("code")), text(source.get("message")))
        if isinstance(source, dict)
        else (None, None)
    )


def request_id(headers: dict[str, str], body: str = "") -> str | None:
    """The ID that the vendor's support asks for: from the headers, else from the body."""
    in_text = _REQUEST_ID_IN_TEXT.search(body)
    found = [
        *(headers.get(name, "").strip() for name in _REQUEST_ID_HEADERS),
        in_text[1] if in_text else None,
    ]
    return next(filter(None, found), None)


def retry_after(headers: dict[str, str]) -> float | None:
    """Seconds that the server asks to wait; None if it does not, or asks nonsense."""
    value, seconds = headers.get("retry-after", "").strip(), 0.0
    if re.fullmatch(r"[0-9]+(\.[0-9]*)?", value):
        seconds = float(value)
    elif (date := _date(value)) is not None:
        # Against the server's own clock where it is told, so that a wrong clock here does no harm.
        sent = _date(headers.get("date", ""))
        seconds = date - (_clock.now() if sent is None else sent)
    return seconds if 0 < seconds < math.inf else None


def _date(value: str) -> float | None:
    try:
        date = email.utils.parsedate_to_datetime(value)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _prose(body: str) -> str | None:
    """What a page or a line of plain text says; None for any other JSON."""
    found = _TITLE.search(body)
    line = " ".join((found[1] if found else body).split())[:200]
    return line if line and line[0] not in "<[{" else None

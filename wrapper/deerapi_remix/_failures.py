"""From what happened to an error: the one place that reads failed answers and judges them.

An error that is made here carries what it means (`reason`), and the verdict of one table:

ambiguous   a job may exist although the request failed: no answer came after sending; or the
            answer is one that comes after the work, or hides whether it was done
transient   the same request may succeed later

A paid request that failed ambiguously may have been charged. What is transient, and was not
charged, may be sent again; a paid submit after 500, too, because the vendor says so.
"""

from __future__ import annotations

import ssl
from http.client import responses

import attrs

from . import errors
from ._answer import Answer
from ._messages import ServerMessage, request_id_of
from ._retry_after import retry_after
from ._transport_errors import is_http_error, is_to_be_believed, is_unmocked
from ._wording import TIME_DOES_NOT_MEND, reason_of
from .errors import Reason


@attrs.frozen
class Row:
    """What follows from one status, or several.

    Attributes:
        statuses: From the first to the last.
        error: The class of the error.
        ambiguous: Whether a submit may have been accepted all the same.
        transient: Whether the same request may succeed later.
        resends_paid: Whether a paid submit is sent again in the same call.
    """

    statuses: range
    error: type[errors.APIStatusError]
    ambiguous: bool = False
    transient: bool = False
    resends_paid: bool = False


def _one(status: int) -> range:
    return range(status, status + 1)


# The first row that has the status counts.
TABLE = (
    # "Done, look there" and "as you have it": both come after the work. Other redirects come
    # before it, and are not followed by a submit.
    Row(range(303, 305), errors.APIStatusError, ambiguous=True),
    Row(range(300, 400), errors.APIStatusError),
    Row(_one(400), errors.BadRequestError),
    Row(_one(401), errors.AuthenticationError),
    Row(_one(402), errors.InsufficientQuotaError),
    Row(_one(403), errors.PermissionDeniedError),
    Row(_one(404), errors.NotFoundError),
    Row(_one(408), errors.APIStatusError, ambiguous=True, transient=True),
    Row(_one(409), errors.ConflictError),
    Row(_one(422), errors.BadRequestError),
    Row(_one(429), errors.RateLimitError, transient=True, resends_paid=True),
    Row(range(400, 500), errors.APIStatusError),
    # Gateways were met that answer 500 after the job was taken. It is sent again all the same,
    # as the vendor says, unless the answer shows that it was passed on.
    Row(_one(500), errors.InternalServerError, ambiguous=True, transient=True, resends_paid=True),
    Row(_one(503), errors.InternalServerError, transient=True, resends_paid=True),
    Row(range(500, 600), errors.InternalServerError, ambiguous=True, transient=True),
    # A status that means nothing says nothing about the job either.
    Row(range(1000), errors.APIStatusError, ambiguous=True),
)


def row_of(status: int) -> Row:
    """The row of the table that `status` falls under."""
    for row in TABLE:
        if status in row.statuses:
            return row
    return TABLE[-1]


# No answer


# The request never left: the connection was not made, or there was none to take.
_NEVER_SENT = frozenset(
    {"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol"}
)
_TIMEOUTS = frozenset({"TimeoutException"})
# Nothing that time can mend. After sending, an invalid URL is that of a redirect.
_HOPELESS = frozenset({"UnsupportedProtocol", "InvalidURL"})
_CAUSES_LOOKED_AT = 8


def no_answer(
    operation: str,
    error: Exception,
    *,
    sent: bool,
    paid: bool,
    host: str = "",
    is_ours: bool = True,
) -> errors.APIConnectionError:
    """The error for an exchange that broke off before an answer was whole.

    Args:
        operation: What was asked for.
        error: What the transport raised.
        sent: Whether the request was handed to the transport.
        paid: Whether it costs money.
        host: Host and port that it was for.
        is_ours: Whether the error is about this request, and came before any answer to it.
    """
    never_sent = not sent
    if is_ours and is_http_error(error, _NEVER_SENT) and is_to_be_believed(error):
        never_sent = True
    ambiguous = paid and not never_sent
    is_hopeless = is_http_error(error, _HOPELESS) or is_unmocked(error)
    is_final = is_hopeless or _has_bad_certificate(error)
    is_timeout = is_http_error(error, _TIMEOUTS)
    kind = errors.APITimeoutError if is_timeout else errors.APIConnectionError
    what = "no whole answer came"
    reason = None
    if never_sent:
        what = f"the request was not sent to {host}".removesuffix(" to ")
        reason = Reason.NOT_SENT
    summary = f"{operation}: {what}: {type(error).__name__}: {error}".rstrip(": ")
    return kind(
        summary,
        may_have_been_charged=ambiguous,
        retryable=not is_final and not ambiguous,
        reason=reason,
    )


def _has_bad_certificate(error: BaseException) -> bool:
    cause: BaseException | None = error
    for _ in range(_CAUSES_LOOKED_AT):
        if cause is None:
            return False
        if isinstance(cause, ssl.SSLCertVerificationError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


# An answer


def bad_status(operation: str, answer: Answer, *, paid: bool) -> errors.APIStatusError:
    """The error for an answer other than 2xx."""
    body = answer.text()
    told = ServerMessage.read(body)
    row = row_of(answer.status)
    reason = reason_of(answer.status, told, body)
    if reason is None and answer.is_unread and answer.status >= 500:
        reason = Reason.PASSED_ON  # A hook closed it, and nobody knows what it would have shown.
    is_broke = reason is Reason.NO_BALANCE and row.error is errors.PermissionDeniedError
    kind = errors.InsufficientQuotaError if is_broke else row.error
    phrase = responses.get(answer.status, "Unknown Status")
    message = told.message or phrase
    explanation = "" if message in (phrase, f"{answer.status} {phrase}") else f": {message}"
    code = f" [{told.code}]" if told.code else ""
    ambiguous = row.ambiguous or (answer.status == 503 and reason is Reason.PASSED_ON)
    may_have_been_charged = paid and ambiguous
    transient = row.transient and reason not in TIME_DOES_NOT_MEND
    return kind(
        f"{operation}: {answer.status} {phrase}{explanation}{code}",
        status_code=answer.status,
        code=told.code,
        message=message,
        retry_after=retry_after(answer.headers),
        body=body[:2_000],
        request_id=request_id_of(answer.headers, body),
        reason=reason,
        may_have_been_charged=may_have_been_charged,
        retryable=transient and not may_have_been_charged,
        **advice_for(reason),
    )


def unreadable(
    operation: str, problem: str, answer: Answer, *, paid: bool
) -> errors.APIResponseValidationError:
    """The error for a 2xx that cannot be read, or that holds no usable id."""
    body = answer.text()
    told = ServerMessage.read(body)
    reason = reason_of(answer.status, told, body)
    return errors.APIResponseValidationError(
        f"{operation}: {problem}{told.explanation()}",
        body=body[:2_000],
        request_id=request_id_of(answer.headers, body),
        reason=reason,
        may_have_been_charged=paid,
        **advice_for(reason),
    )


def is_unknown(error: errors.DeerAPIError) -> bool:
    """Whether the server says that it does not know the job."""
    return isinstance(error, errors.NotFoundError) or error.reason is Reason.UNKNOWN_JOB


def nothing_there(error: errors.NotFoundError, base_url: str) -> None:
    """Say what to look at after a 404: the base URL, too, where no video was asked for."""
    if "/v1/" in f"{base_url}/":
        error.advice = f"The base URL is {base_url}, which should end before /v1: paths begin so."
    elif error.video_id is None:
        error.advice = f"Check the base URL, which is {base_url}."


def is_resent(error: errors.DeerAPIError, *, paid: bool) -> bool:
    """Whether what failed with `error` is sent again within its call, by the table."""
    if not paid or not isinstance(error, errors.APIStatusError):
        return error.retryable
    if error.job_id is not None or error.reason in TIME_DOES_NOT_MEND:
        return False
    return row_of(error.status_code).resends_paid and error.reason is not Reason.PASSED_ON


def advice_for(reason: Reason | None) -> dict[str, str]:
    """What to do, where the reason tells it better than the class of the error does."""
    if reason is None or reason not in _ADVICE:
        return {}
    return {"advice": _ADVICE[reason]}


_ADVICE = {
    Reason.NOT_READY: "The file is not there yet: wait for the job, then download it.",
    Reason.NO_SUCH_MODEL: "Take a model from models(): this one is not served now.",
    Reason.NO_BALANCE: errors.InsufficientQuotaError.advice,
}

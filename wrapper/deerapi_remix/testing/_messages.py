"""What goes into the fake and what comes out, as plain data."""

import json
import re
import secrets
import time
from collections.abc import Mapping
from typing import Any, Literal

from attrs import field, frozen

Operation = Literal["remix", "retrieve", "download", "models"]

_BEARER = re.compile(r"bearer +([!-~]+)", re.IGNORECASE)

REQUEST_ID = "x-oneapi-request-id"

_ERRORS = {
    400: ("invalid_request_error", "invalid_request", "The request is not acceptable"),
    401: ("new_api_error", "invalid_token", "Invalid token"),
    403: ("new_api_error", "insufficient_user_quota", "user quota is not enough"),
    404: ("invalid_request_error", "not_found", "Not found"),
    405: ("invalid_request_error", "method_not_allowed", "Method not allowed"),
    413: ("invalid_request_error", "request_too_large", "The request is too large"),
    416: ("invalid_request_error", "range_not_satisfiable", "The range is not satisfiable"),
    429: ("rate_limit_error", "rate_limit_exceeded", "Rate limit reached"),
    503: ("new_api_error", "service_unavailable", "The service is overloaded"),
}
_OTHER_ERROR = ("new_api_error", "internal_error", "Internal error")


def _with_lower_case_names(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@frozen
class Request:
    """A request as it came over the wire: `path` and `query` are still percent-encoded."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(factory=dict, converter=_with_lower_case_names)
    body: bytes = field(default=b"", repr=False)


@frozen
class Answer:
    """An answer, and what becomes of it on its way to the client.

    Attributes:
        lost: Whether it never arrives.
        cut_at: The number of bytes of the body after which the connection breaks.
        delay: Seconds that pass before a server sends it.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    lost: bool = False
    cut_at: int | None = None
    delay: float = 0.0


@frozen
class RecordedRequest:
    """A request that the fake has seen.

    The key is masked; `status` is None if no answer arrived.
    """

    operation: Operation | None
    method: str
    path: str
    video_id: str | None
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    request_id: str
    status: int | None = None


def new_request_id() -> str:
    """An ID as the gateway makes them: the time, and what makes it unique."""
    return f"{time.strftime('%Y%m%d%H%M%S', time.gmtime())}{secrets.token_hex(9)}"


def bearer_key(request: Request) -> str | None:
    """The key, None if it is missing or malformed."""
    match = _BEARER.fullmatch(request.headers.get("authorization", ""))
    if match is None:
        return None
    return match[1]


def json_value(body: bytes) -> Any:
    """The value of a JSON text, None if it is not one."""
    try:
        value = json.loads(
            body.decode(), parse_constant=_refuse, object_pairs_hook=_without_repeats
        )
        # An escaped lone surrogate is valid JSON, but it cannot be encoded, so it is no text.
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return value


def _without_repeats(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        raise ValueError("a member is repeated, and nobody knows which of them counts")
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def answer(
    request_id: str,
    status: int,
    body: bytes,
    content_type: str | None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """An answer with the headers that every answer has; `headers` go on top of them."""
    usual = {REQUEST_ID: request_id, "content-length": str(len(body))}
    if content_type:
        usual["content-type"] = content_type
    if status == 429:
        usual["retry-after"] = "1"
    return Answer(status, usual | _with_lower_case_names(headers or {}), body)


def json_answer(
    request_id: str, status: int, value: Any, headers: Mapping[str, str] | None = None
) -> Answer:
    """An answer with a JSON body."""
    return answer(request_id, status, json.dumps(value).encode(), "application/json", headers)


def nested_error(
    request_id: str,
    status: int,
    message: str | None = None,
    *,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """The shape in which the gateway itself refuses a request."""
    usual_type, usual_code, usual_message = _ERRORS.get(status, _OTHER_ERROR)
    details = {
        "message": f"{message or usual_message} (request id: {request_id})",
        "type": usual_type,
        "code": code or usual_code,
    }
    return json_answer(request_id, status, {"error": details}, headers)


def flat_error(request_id: str, code: str, message: str) -> Answer:
    """The shape in which the part that keeps the jobs refuses a request."""
    return json_answer(request_id, 400, {"code": code, "message": message, "data": None})

"""The status that a request asks for with `Prefer: code=429` (RFC 7240), as with other mocks."""

import re
from collections.abc import Mapping
from urllib.request import parse_http_list

from deerapi_remix.testing._messages import Answer, nested_error

_ERROR = re.compile(r'(")?([45][0-9]{2})(?(1)")', re.ASCII)


def preferred_status(headers: Mapping[str, str]) -> int | None:
    """The error status asked for.

    A preference that cannot be met is no fault of a request, so every other one is passed over.
    """
    for preference in parse_http_list(headers.get("prefer", "")):
        name, _, value = preference.partition(";")[0].partition("=")
        if name.strip().lower() == "code":
            # Where a name comes twice, the first one counts.
            return _status(value.strip())
    return None


def _status(text: str) -> int | None:
    match = _ERROR.fullmatch(text)
    if match is None:
        return None
    return int(match[2])


def as_preferred(request_id: str, status: int) -> Answer:
    """The answer that was asked for."""
    headers = {"preference-applied": f"code={status}"}
    if status == 503:
        headers["retry-after"] = "1"
    return nested_error(request_id, status, headers=headers)

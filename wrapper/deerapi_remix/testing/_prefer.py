"""The status that a request asks for with `Prefer: code=429` (RFC 7240), as other mock servers take it."""

import re
from collections.abc import Mapping
from urllib.request import parse_http_list

from deerapi_remix.testing._messages import Answer, nested_error

_ERROR = re.compile(r'(")?([45][0-9]{2})(?(1)")', re.ASCII)


def preferred_status(headers: Mapping[str, str]) -> int | None:
    """The error status asked for; a preference that cannot be met is no fault, so every other is passed over."""
    for preference in parse_http_list(headers.get("prefer", "")):
        name, _, value = preference.partition(";")[0].partition("=")
        # Only the first one of a name counts.
        if name.strip().lower() == "code":
            status = _ERROR.fullmatch(value.strip())
            return int(status[2]) if status else None
    return None


def as_preferred(request_id: str, status: int) -> Answer:
    headers = {"preference-applied": f"code={status}"}
    if status == 503:
        headers["retry-after"] = "1"
    return nested_error(request_id, status, headers=headers)

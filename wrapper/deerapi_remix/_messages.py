"""What a server tells about a failure: code, type and message from a body of any known shape."""

from __future__ import annotations

import json
import re
from typing import Any

import attrs

from ._answer import request_id_in
from ._reading import text

_REQUEST_ID_IN_TEXT = re.compile(r"\(request[ _]id:\s*([^\s)]{1,200})\s*\)", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{1,1000})</title>", re.IGNORECASE)
_LONGEST_PROSE = 200


@attrs.frozen
class ServerMessage:
    """What the body of a failed answer says.

    Attributes:
        message: For people.
        code: For programs.
        kind: The `type` of an error object.
        is_structured: Whether it was JSON, not prose or the title of a page.
        is_page: Whether it was a page in HTML, as proxies send it.
    """

    message: str | None
    code: str | None = None
    kind: str | None = None
    is_structured: bool = False
    is_page: bool = False

    def explanation(self) -> str:
        """The message as the end of a sentence; nothing for prose, which may be a whole page."""
        return f": {self.message}" if self.is_structured and self.message else ""

    @classmethod
    def read(cls, body: str) -> ServerMessage:
        """Read `body`, whatever it is."""
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError):
            return cls(message=_prose(body), is_page=body.lstrip().startswith("<"))
        if not isinstance(answer, dict):
            return cls(message=_prose(body))
        error = answer.get("error")
        source = error if isinstance(error, dict) else answer
        if isinstance(source.get("detail"), dict):  # FastAPI, where the gateway hands it an object.
            source = {**source["detail"], **source}
        message = error if isinstance(error, str) else _message_in(source)
        return cls(
            code=text(source.get("code")),
            kind=text(source.get("type")),
            message=text(message),
            is_structured=True,
        )


def _message_in(source: dict[str, Any]) -> str | None:
    for name in ("message", "detail", "fail_reason"):
        value = source.get(name)
        message = _of_a_list(value) if isinstance(value, list) else text(value)
        if message:
            return message
    return None


def _of_a_list(details: list[Any]) -> str:
    """What FastAPI answers to a request that breaks its schema: where, and what is wrong."""
    messages = []
    for detail in details:
        if isinstance(detail, dict) and text(detail.get("msg")):
            location = detail.get("loc")
            message = str(detail["msg"])
            if isinstance(location, list) and location:
                message = f"{'.'.join(map(str, location))}: {message}"
            messages.append(message)
    return "; ".join(messages)


def _prose(body: str) -> str | None:
    """The title of a page, or a line of plain text."""
    title = _TITLE.search(body)
    if title is not None:
        body = title[1]
    line = " ".join(body.split())[:_LONGEST_PROSE]
    if not line or line[0] in "<[{":
        return None
    return line


def request_id_of(headers: dict[str, str], body: str) -> str | None:
    """The ID that the vendor's support asks for: from the headers, else from the body."""
    in_header = request_id_in(headers)
    if in_header is not None:
        return in_header
    in_body = _REQUEST_ID_IN_TEXT.search(body)
    if in_body is None:
        return None
    return in_body[1]

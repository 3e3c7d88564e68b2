"""What came back from a server: status, headers, and a body of bounded size. Knows no httpx."""

from __future__ import annotations

import json
import math
import re
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from ._mask import KeyMask
from ._reading import number

# Bytes of a body that are kept: of an answer that is wanted, and of any other.
ANSWER_LIMIT = 1024 * 1024
ERROR_LIMIT = 64 * 1024

_COMPRESSED = ("gzip", "x-gzip", "deflate")
# zlib finds out by itself whether the header is that of gzip or of zlib.
_ANY_HEADER = 32 + zlib.MAX_WBITS
_REQUEST_ID_HEADERS = ("x-oneapi-request-id", "x-request-id", "request-id", "x-litellm-call-id")
# Python reads no longer integers, and no field needs as many digits.
_LONGEST_INTEGER = 400


class UnreadableAnswerError(ValueError):
    """An answer is no use: it is not JSON, too long, or holds not what it should. Says why."""


class Answer:
    """An answer without the key, should the server have echoed it.

    Attributes:
        status: The HTTP status.
        headers: By their names in lower case.
        is_unread: Whether somebody else closed it before its body was read.
    """

    def __init__(
        self,
        status: int,
        headers: Iterable[tuple[str, str]],
        mask: KeyMask,
        *,
        is_decoded: bool = False,
        is_unread: bool = False,
        limit: int | None = None,
    ) -> None:
        self.status = status
        self.is_unread = is_unread
        self.headers = {name.lower(): mask.text(value) for name, value in headers}
        self._mask = mask
        self._is_decoded = is_decoded
        if limit is None:
            limit = ANSWER_LIMIT if self.is_success else ERROR_LIMIT
        self._limit = limit
        self._body = bytearray()

    def __repr__(self) -> str:
        return f"<Answer {self.status}>"  # The body may hold the key until it is read as text.

    @property
    def is_success(self) -> bool:
        """Whether the status is a 2xx."""
        return 200 <= self.status <= 299

    # The body

    def write(self, chunk: bytes) -> None:
        """Append to the body."""
        self._body += chunk

    @property
    def is_full(self) -> bool:
        """Whether more of the body came than is kept."""
        return len(self._body) > self._limit

    @property
    def size(self) -> int:
        """How many bytes of the body came."""
        return len(self._body)

    def text(self) -> str:
        """The body as text."""
        return self.as_text(self._content())

    def as_text(self, content: bytes) -> str:
        """Bytes of the body as text."""
        return self._mask.text(content.decode("utf-8-sig", "replace"))

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            UnreadableAnswerError: It is none, or is too long.
        """
        content = self._content()
        if len(content) > self._limit:
            raise UnreadableAnswerError(f"the answer is longer than {self._limit} bytes")
        with suppress(ValueError, RecursionError):
            return self._decoded(content)
        # Raised here and not while the error of the decoder is handled, for that holds the body.
        raise UnreadableAnswerError("the answer is not JSON")

    def _decoded(self, content: bytes) -> Any:
        encoding = json.detect_encoding(content)
        value = _JSON.decode(content.decode(encoding, "surrogatepass"))
        if self._may_hold_key(content):
            return self._mask.value(value)
        return value

    def _may_hold_key(self, content: bytes) -> bool:
        """Whether the key was found in the text, or could be spelled in a way that hides it.

        To look into every value of every answer would take 3 % of the time of a call.
        """
        return _MASKED_OR_ESCAPED.search(self.as_text(content)) is not None

    def _content(self) -> bytes:
        """The bytes of the body, inflated up to one byte more than the limit.

        A compressed body was not asked for, and may not even be what it says.
        """
        coding = self.headers.get("content-encoding", "").strip().lower()
        if coding in _COMPRESSED and not self._is_decoded:
            with suppress(zlib.error):
                return zlib.decompressobj(wbits=_ANY_HEADER).decompress(self._body, self._limit + 1)
        return bytes(self._body)

    # The headers

    @property
    def content_type(self) -> str | None:
        """The content type without its parameters; None if the answer has none."""
        header = self.headers.get("content-type")
        if header is None:
            return None
        return header.partition(";")[0].strip().lower()

    @property
    def request_id(self) -> str | None:
        """The ID that the vendor's support asks for, if a header has it."""
        return request_id_in(self.headers)

    @property
    def poll_after(self) -> float | None:
        """In how many seconds the server wants to be asked again, if it says so."""
        milliseconds = number(self.headers.get("openai-poll-after-ms"))
        if milliseconds is None or milliseconds < 0:
            return None
        return milliseconds / 1000


def request_id_in(headers: Mapping[str, str]) -> str | None:
    """The request ID among `headers`, which have lower-case names."""
    for name in _REQUEST_ID_HEADERS:
        value = headers.get(name, "").strip()
        if value:
            return value
    return None


def _integer(digits: str) -> float:
    if len(digits) >= _LONGEST_INTEGER:
        return math.inf
    return int(digits)


_JSON = json.JSONDecoder(parse_int=_integer)
# The mask's stars; a backslash, behind which JSON can spell a character; a NUL byte, as UTF-16 has.
_MASKED_OR_ESCAPED = re.compile(r"\*\*\*|\\|\0")

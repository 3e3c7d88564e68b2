"""What an answer must be like to become part of a file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import attrs

from ._answer import ERROR_LIMIT, Answer
from ._failures import advice_for
from ._media import Kind, is_whole, kind_of
from ._messages import ServerMessage
from ._part_file import PartFile
from ._retry_after import http_date
from ._wording import reason_of
from .config import check_callbacks
from .errors import DownloadError, Reason
from .models import OnProgress

_ACCEPTED_TYPES = re.compile(r"(video|image)/.+|(application|binary)/(octet-stream|mp4)")
_CONTENT_RANGE = re.compile(r"bytes ([0-9]+)-([0-9]+)/([0-9]+|\*)")
_LENGTH = re.compile(r"[0-9]{1,18}")
# RFC 9110, section 8.8.2.2: so much older than the answer, a date vouches for every byte.
_STRONG_AFTER = 60.0


@attrs.frozen
class _Validator:
    """What vouches that two answers hold bytes of the same file: the name and value of a header."""

    header: str
    value: str

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> _Validator | None:
        tag = headers.get("etag")
        if tag is not None:
            # A weak tag does not vouch for bytes.
            return cls("etag", tag) if tag.startswith('"') and tag.isascii() else None
        modified = headers.get("last-modified", "")
        at, sent = http_date(modified), http_date(headers.get("date", ""))
        if at is None or sent is None or sent - at < _STRONG_AFTER:
            return None
        return cls("last-modified", modified)


# A hook of attrs on each attribute that is set would make a chunk take three times as long.
@attrs.define(repr=False, eq=False, on_setattr=attrs.setters.NO_OP)
class Transfer:
    """Fills a part file from one answer or several, and never joins parts of two different files.

    Attributes:
        part: The file.
        wanted: Which kind of file was asked for.
        received: Bytes in the part file.
        expected: Bytes of the whole file, if announced.
        advanced: Whether the latest attempt brought bytes that none before it had reached.
    """

    part: PartFile
    _on_progress: OnProgress | None
    wanted: Kind = Kind.VIDEO
    received: int = 0
    expected: int | None = None
    advanced: bool = False
    _furthest: int = 0
    _validator: _Validator | None = None
    _is_framed: bool = True
    _refusal: str | None = None

    def __attrs_post_init__(self) -> None:
        check_callbacks(on_progress=self._on_progress)

    def request_headers(self) -> dict[str, str]:
        """What to ask for: the rest where it is sure to be of the same file, else everything."""
        self.advanced = False
        self._refusal = None
        if self.received == 0 or self._validator is None:
            return {}
        return {"Range": f"bytes={self.received}-", "If-Range": self._validator.value}

    def begin(self, status: int, headers: Mapping[str, str]) -> bool:
        """Whether the body that follows belongs into the file; if not, `end` tells why."""
        self._refusal = self._problem_of(status, headers)
        if self._refusal is not None:
            return False
        if status == 206:
            if not self._continues(headers):
                self.forget()
                problem = "the part that came does not continue the file"
                raise self.error(problem, retryable=True)
            # A part that does not tell the length of the whole frames nothing but itself.
            self._is_framed = self.expected is not None
            return True
        self.forget()
        length = headers.get("content-length", "")
        self.expected = int(length) if _LENGTH.fullmatch(length) else None
        self._is_framed = self.expected is not None or "transfer-encoding" in headers
        self._validator = _Validator.of(headers)
        return True

    def _problem_of(self, status: int, headers: Mapping[str, str]) -> str | None:
        """Why an answer cannot be part of the file; None if it can."""
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind and not _ACCEPTED_TYPES.fullmatch(kind):
            return f"the server sent {kind} instead of {self.wanted}"
        if self._is_other_kind(kind):
            return f"the server sent {kind} although {self.wanted} was asked for"
        coding = headers.get("content-encoding", "identity").strip().lower()
        if coding not in ("identity", ""):
            return f"the server sent the file in the coding {coding}, which was not asked for"
        if status == 206 and (self.received == 0 or self._validator is None):
            return "the server sent a part although the whole file was asked for"
        if status not in (200, 206):
            return f"the server answered {status} without a file"
        return None

    def _is_other_kind(self, content_type: str) -> bool:
        if content_type.startswith("image/"):
            return self.wanted is Kind.VIDEO
        return content_type.startswith("video/") and self.wanted is Kind.PICTURE

    def _continues(self, headers: Mapping[str, str]) -> bool:
        found = _CONTENT_RANGE.fullmatch(headers.get("content-range", ""))
        validator = self._validator
        if found is None or validator is None or int(found[1]) != self.received:
            return False
        if headers.get(validator.header) != validator.value:
            return False
        total = None if found[3] == "*" else int(found[3])
        if self.expected is None:
            self.expected = total
        return total == self.expected

    def write(self, chunk: bytes) -> None:
        """Append to the part file and tell the user."""
        self.part.write(chunk)
        self.received += len(chunk)
        if self.received > self._furthest:
            self._furthest = self.received
            self.advanced = True
        if self._on_progress is not None:
            self._on_progress(self.received, self.expected)

    def end(self, answer: Answer) -> None:
        """Raise DownloadError unless the file is whole; it is retryable where the rest may come."""
        if self._refusal is not None:
            raise self._refused(self._refusal, answer.status, answer.text())
        if self.received == 0 and not self.expected:
            raise self.error("the file is empty")
        if self.expected is not None and self.received != self.expected:
            problem = f"{self.received} bytes came where {self.expected} were announced"
            raise self.error(problem, retryable=self.received < self.expected)
        self._check_kind(answer)
        if not self._is_framed and not is_whole(self.part):
            problem = f"the file ends too early, after {self.received} bytes"
            raise self.error(problem, retryable=True)

    def _refused(self, refusal: str, status: int, body: str) -> DownloadError:
        """The error for an answer without a file, with what its body says."""
        told = ServerMessage.read(body)
        reason = reason_of(status, told, body)
        if reason is None and status == 202:
            reason = Reason.NOT_READY
        return self.error(f"{refusal}{told.explanation()}", reason=reason)

    def _check_kind(self, answer: Answer) -> None:
        """Refuse text, and a picture in place of a video or the reverse, whatever its type says."""
        kind = kind_of(self.part)
        if kind in (self.wanted, Kind.UNKNOWN):
            return
        body = answer.as_text(self.part.read(0, ERROR_LIMIT)) if kind is Kind.TEXT else ""
        error = self._refused(f"the server sent {kind} instead of {self.wanted}", 200, body)
        self.forget()
        raise error

    def error(
        self, problem: str, *, retryable: bool = False, reason: Reason | None = None
    ) -> DownloadError:
        """A DownloadError with what is known of the file."""
        known: dict[str, Any] = {
            "path": self.part.target,
            "received": self.received,
            "expected": self.expected,
            "reason": reason,
        }
        return DownloadError(
            f"download: {problem}", retryable=retryable, **known, **advice_for(reason)
        )

    def forget(self) -> None:
        """Drop what came: it cannot be continued."""
        self.part.clear()
        self.received = 0
        self.expected = None
        self._validator = None

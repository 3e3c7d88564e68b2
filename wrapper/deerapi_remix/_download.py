"""The file on disk: there whole, or not at all; and what an answer must be like to become part of it."""

import errno
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, Self

import attrs

from .config import check_callbacks
from .errors import DownloadError
from .models import OnProgress

_ACCEPTED_TYPES = re.compile(r"(video|image)/.+|(application|binary)/(octet-stream|mp4)")
_CONTENT_RANGE = re.compile(r"bytes ([0-9]+)-([0-9]+)/([0-9]+|\*)")
# File systems without hard links: FAT, some network and container mounts.
_NO_LINKS = {
    errno.EPERM,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
    errno.ENOSYS,
    errno.EMLINK,
    errno.EACCES,
    errno.EINVAL,
}


class PartFile:
    """Collects bytes beside the target and publishes them under its name once they are whole.

    Raises:
        FileExistsError: The target exists and is not to be overwritten.
        OSError: Whatever the file system says, unchanged.
    """

    def __init__(self, target: str | os.PathLike[str], *, overwrite: bool) -> None:
        self.target = Path(target)
        self._absolute = self.target.absolute()
        self._overwrite = overwrite
        if self.target.is_dir() or os.fspath(target).endswith(("/", os.sep)):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(self.target))
        self._refuse_to_clobber()
        ending = f".{secrets.token_hex(8)}.part"
        stem = os.fsdecode(
            os.fsencode(self.target.name)[: 254 - len(ending)]
        )  # No file system takes more than 255.
        self.path = self._absolute.with_name(f".{stem}{ending}")
        self._file: BinaryIO = self.path.open("x+b", buffering=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Remove what was not published."""
        self._file.close()
        self.path.unlink(missing_ok=True)

    def write(self, chunk: bytes) -> None:
        """Append `chunk`, all of it."""
        rest = memoryview(chunk)
        while rest:
            rest = rest[self._file.write(rest) :]

    def clear(self) -> None:
        """Start over."""
        self._file.truncate(self._file.seek(0))

    def sync(self) -> None:
        """Put every byte on the disk. May run in a thread that outlives this object."""
        os.fsync(self._file.fileno())

    def publish(self) -> Path:
        """Give the whole file its name, and the target's path back."""
        self._file.close()
        try:
            (os.replace if self._overwrite else os.link)(self.path, self._absolute)
        except OSError as error:
            if self._overwrite or error.errno not in _NO_LINKS:
                raise
            self._refuse_to_clobber()
            self.path.rename(self._absolute)
        return self.target

    def looks_whole(self) -> bool:
        """Whether the boxes of an MP4 add up to the file; other formats are taken as they are."""
        position, end = 0, self._file.seek(0, os.SEEK_END)
        while position < end:
            self._file.seek(position)
            header = self._file.read(16)
            size = int.from_bytes(header[8:16] if header[:4] == b"\0\0\0\1" else header[:4], "big")
            another_format = position == 0 and header[4:8] != b"ftyp"
            if len(header) >= 8 and (another_format or size == 0):
                position = end  # The last box of a video may reach to the end, wherever that is.
            elif size < 8 or another_format:
                break  # A header that was cut.
            else:
                position += size
        self._file.seek(end)  # The rest may still come.
        return position == end

    def _refuse_to_clobber(self) -> None:
        if not self._overwrite and os.path.lexists(self._absolute):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(self.target))


@attrs.define(
    repr=False, eq=False, on_setattr=attrs.setters.NO_OP
)  # Else each chunk takes three times as long.
class Transfer:
    """Fills a part file from one answer or several, and never joins parts of two different files.

    Attributes:
        received: Bytes in the part file.
        expected: Bytes of the whole file, if announced.
        advanced: Whether the latest attempt brought bytes that none before it had reached.
    """

    part: PartFile
    _on_progress: OnProgress | None = attrs.field(
        validator=lambda _, __, value: check_callbacks(on_progress=value)
    )
    received: int = 0
    expected: int | None = None
    advanced: bool = False
    _furthest: int = 0
    _tag: str | None = None
    _framed: bool = True
    _refused: str | None = None

    def request_headers(self) -> dict[str, str]:
        """What to ask for: the rest where it is sure to be of the same file, else everything."""
        self.advanced, self._refused = False, None
        return (
            {"Range": f"bytes={self.received}-", "If-Range": self._tag}
            if self.received and self._tag
            else {}
        )

    def begin(self, status: int, headers: Mapping[str, str]) -> bool:
        """Whether the body that follows belongs into the file; if not, `end` tells why."""
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        coding = headers.get("content-encoding", "identity").strip().lower()
        if kind and not _ACCEPTED_TYPES.fullmatch(kind):
            self._refused = f"the server sent {kind} instead of a video"
        elif coding not in ("identity", ""):
            self._refused = (
                f"the server sent the file in the coding {coding}, which was not asked for"
            )
        elif status == 206:
            if not (self.received and self._tag):
                self._refused = "the server sent a part although the whole file was asked for"
            elif not self._continues(headers):
                self.forget()
                raise self.error("the part that came does not continue the file", retryable=True)
        elif status != 200:
            self._refused = f"the server answered {status} without a file"
        else:
            self.forget()
            length = headers.get("content-length", "")
            self.expected = int(length) if re.fullmatch("[0-9]{1,18}", length) else None
            tag = headers.get("etag", "")
            self._framed = self.expected is not None or "transfer-encoding" in headers
            self._tag = (
                tag if tag.startswith('"') and tag.isascii() else None
            )  # A weak tag does not vouch for bytes.
        return self._refused is None

    def write(self, chunk: bytes) -> None:
        """Append to the part file and tell the user."""
        self.part.write(chunk)
        self.received += len(chunk)
        self.advanced = self.advanced or self.received > self._furthest
        self._furthest = max(self._furthest, self.received)
        if self._on_progress is not None:
            self._on_progress(self.received, self.expected)

    def end(self, explanation: str | None) -> None:
        """Raise DownloadError unless the file is whole; it is retryable where the rest may still come."""
        if self._refused:
            raise self.error(f"{self._refused}{f': {explanation}' if explanation else ''}")
        if self.received == 0 and not self.expected:
            raise self.error("the file is empty")
        if self.expected is not None and self.received != self.expected:
            problem = f"{self.received} bytes came where {self.expected} were announced"
            raise self.error(problem, retryable=self.received < self.expected)
        if not self._framed and not self.part.looks_whole():
            raise self.error(
                f"the file ended inside the video, after {self.received} bytes", retryable=True
            )

    def error(self, problem: str, *, retryable: bool = False) -> DownloadError:
        """A DownloadError with what is known of the file."""
        known = {"path": self.part.target, "received": self.received, "expected": self.expected}
        return DownloadError(f"download: {problem}", retryable=retryable, **known)

    def forget(self) -> None:
        """Drop what came: it cannot be continued."""
        self.part.clear()
        self.received, self.expected, self._tag = 0, None, None

    def _continues(self, headers: Mapping[str, str]) -> bool:
        found = _CONTENT_RANGE.fullmatch(headers.get("content-range", ""))
        if not found or int(found[1]) != self.received or headers.get("etag") != self._tag:
            return False
        total = None if found[3] == "*" else int(found[3])
        self.expected = total if self.expected is None else self.expected
        return total == self.expected

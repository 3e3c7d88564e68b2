"""The file on disk: there whole, or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from pathlib import Path
from typing import BinaryIO, Self

# File systems without hard links: FAT, some network and container mounts.
_NO_LINKS = frozenset(
    {
        errno.EPERM,
        errno.ENOTSUP,
        errno.EOPNOTSUPP,
        errno.ENOSYS,
        errno.EMLINK,
        errno.EACCES,
        errno.EINVAL,
    }
)
# No file system takes longer names, in bytes.
_LONGEST_NAME = 254


class PartFile:
    """Collects bytes beside the target and publishes them under its name once they are whole.

    The part file is there while the context lasts.

    Attributes:
        target: The path as the user gave it.
        path: The part file.

    Raises:
        FileExistsError: The target exists and is not to be overwritten, or cannot be.
        FileNotFoundError, NotADirectoryError: There is no such folder.
        OSError: Whatever else the file system says, unchanged.
    """

    _file: BinaryIO

    def __init__(self, target: str | os.PathLike[str], *, overwrite: bool) -> None:
        self.target = Path(target)
        self._absolute = self.target.absolute()
        self._overwrite = overwrite
        if self.target.is_dir() or os.fspath(target).endswith(("/", os.sep)):
            raise _os_error(IsADirectoryError, errno.EISDIR, self.target)
        self._refuse_to_clobber()
        folder = self._absolute.parent
        if not folder.exists():
            raise _os_error(FileNotFoundError, errno.ENOENT, folder)
        if not folder.is_dir():
            raise _os_error(NotADirectoryError, errno.ENOTDIR, folder)
        self.path = folder / _part_name(self.target.name)

    def __enter__(self) -> Self:
        try:
            self._file = self.path.open("x+b", buffering=0)
            return self  # noqa: TRY300  # A signal may strike before it as well.
        except OSError:
            raise
        except BaseException:  # A signal struck, maybe after the file was made.
            self.path.unlink(missing_ok=True)
            raise

    def __exit__(self, *_: object) -> None:
        """Remove what was not published."""
        try:
            self._remove()
        except BaseException:  # A signal struck, maybe before the file was gone.
            self._remove()
            raise

    def _remove(self) -> None:
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

    def size(self) -> int:
        """Bytes so far. What is written next goes behind them."""
        return self._file.seek(0, os.SEEK_END)

    def read(self, position: int, length: int) -> bytes:
        """Up to `length` bytes from `position`. What is written next still goes to the end."""
        self._file.seek(position)
        found = self._file.read(length)
        self._file.seek(0, os.SEEK_END)
        return found

    def sync(self) -> None:
        """Put every byte on the disk. May run in a thread that outlives this object."""
        os.fsync(self._file.fileno())

    def publish(self) -> Path:
        """Give the whole file its name, and the target's path back."""
        self._file.close()
        self._refuse_to_clobber()
        if self._overwrite:
            self.path.replace(self._absolute)
            return self.target
        try:
            os.link(self.path, self._absolute)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            self._refuse_to_clobber()
            self.path.rename(self._absolute)
        # Not left to the end of the context: a signal may strike where that begins.
        self.path.unlink(missing_ok=True)
        return self.target

    def _refuse_to_clobber(self) -> None:
        """Raise if the target exists, unless it may be replaced and is a regular file."""
        if not os.path.lexists(self._absolute):
            return
        if not self._overwrite:
            raise _os_error(FileExistsError, errno.EEXIST, self.target)
        if self._absolute.is_dir():
            raise _os_error(IsADirectoryError, errno.EISDIR, self.target)
        if self._absolute.exists() and not stat.S_ISREG(self._absolute.stat().st_mode):
            message = "Not a regular file, so it is not replaced"
            raise FileExistsError(errno.EEXIST, message, str(self.target))


def _part_name(target: str) -> str:
    """A hidden name beside the target that nobody else has."""
    ending = f".{secrets.token_hex(8)}.part"
    stem = os.fsdecode(os.fsencode(target)[: _LONGEST_NAME - len(ending)])
    return f".{stem}{ending}"


def _os_error(kind: type[OSError], number: int, path: Path) -> OSError:
    return kind(number, os.strerror(number), str(path))

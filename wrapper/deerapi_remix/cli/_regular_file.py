"""Files that are opened only if they are regular and one's own, and locked while a run lives."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import sys
from pathlib import Path

# No kind of file but a regular one is ever opened, for opening alone can hang, or steer a device.
# Should one take the name between the look and the opening, these flags keep that harmless.
_CAREFULLY = (
    getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
)
# More than the longest command line takes as JSON.
_LARGEST = 4_000_000
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class UnusableFileError(OSError):
    """What has the name of the file is not one that this program wrote."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(errno.EINVAL, f"{path.name} {problem}", str(path))


if sys.platform == "win32":
    import msvcrt

    def lock(descriptor: int) -> bool:
        """Lock a file until it is closed or this process ends; False if another has locked it."""
        # The locked byte is far behind the content, which others must be able to read.
        os.lseek(descriptor, 2**30, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def lock(descriptor: int) -> bool:
        """Lock a file until it is closed or this process ends; False if another has locked it."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def open_regular(path: Path) -> int | None:
    """A descriptor to read and write the file with; None if there is none.

    Raises:
        UnusableFileError: It is no regular file, too large, or belongs to another user.
        OSError: It cannot be opened.
    """
    try:
        _check(path, path.lstat())
        descriptor = os.open(path, os.O_RDWR | _CAREFULLY)
    except FileNotFoundError:
        return None
    try:
        _check(path, os.fstat(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _check(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        kind = _KINDS.get(stat.S_IFMT(found.st_mode), "something else")
        raise UnusableFileError(path, f"is {kind}, not a job file")
    if found.st_size > _LARGEST:
        raise UnusableFileError(path, f"has {found.st_size} bytes, so it is not a job file")
    if hasattr(os, "geteuid") and found.st_uid != os.geteuid():
        raise UnusableFileError(path, "belongs to another user")


def is_at(descriptor: int, path: Path) -> bool:
    """Whether the open file still has this name."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


def read_all(descriptor: int) -> bytes:
    """The whole file."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    parts = []
    while part := os.read(descriptor, _LARGEST):
        parts.append(part)
    return b"".join(parts)


def write_all(descriptor: int, content: bytes) -> None:
    """Write from the start of the file, and have it on the disk."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    os.fsync(descriptor)


def create_locked(path: Path, content: bytes, *, replaces: bool, mode: int = 0o600) -> int:
    """A descriptor of a new file, which is whole and locked before it has its name.

    Args:
        path: Its name.
        content: What is in it.
        replaces: Whether it may take the place of another file.
        mode: Who may read and write it. Default: its owner alone.

    Raises:
        FileExistsError: There is a file of that name, and this one is not to replace it.
        OSError: The file system does not take it. No file is left.
    """
    draft = path.with_name(f".{secrets.token_hex(4)}.json")
    descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | _CAREFULLY, mode)
    try:
        lock(descriptor)
        write_all(descriptor, content)
        if replaces:
            draft.replace(path)
        else:
            _publish(draft, path)
    except BaseException as error:
        os.close(descriptor)
        with contextlib.suppress(OSError):
            draft.unlink()
        if isinstance(error, OSError):
            error.filename = str(path)
        raise
    _sync_folder(path.parent)
    return descriptor


def _publish(draft: Path, path: Path) -> None:
    """Give the draft its name, unless another file has it."""
    try:
        os.link(draft, path)
    except FileExistsError:
        raise
    except OSError:
        _publish_without_links(draft, path)
    else:
        draft.unlink()


def _publish_without_links(draft: Path, path: Path) -> None:
    """The same where the file system knows no second names: an empty file reserves the name."""
    reserved = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        if not lock(reserved):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        draft.replace(path)
    finally:
        os.close(reserved)


def _sync_folder(folder: Path) -> None:
    """Put the names of the files in `folder` on the disk, where a folder can be opened for it."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

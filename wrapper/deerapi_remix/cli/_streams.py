"""Writing to stdout and stderr, which may be closed, full, or a terminal that has gone away."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import shutil
import sys
from pathlib import Path
from typing import TextIO


def tell(line: str) -> bool:
    """Write a line to stderr, and say whether that was possible."""
    try:
        _write(sys.stderr, line + "\n")
    except OSError:
        abandon_stderr()
        return False
    return True


def put_result(text: str) -> None:
    """Write to stdout.

    Raises:
        OSError: It is closed, full, or nobody reads it.
    """
    try:
        _write(sys.stdout, text)
    except OSError:
        abandon_stdout()
        raise


def copy_to_stdout(path: Path) -> None:
    """Write the bytes of a file to stdout.

    Raises:
        OSError: As for `put_result`.
    """
    try:
        if sys.stdout is None:
            raise _closed()
        with path.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.flush()
    except OSError:
        abandon_stdout()
        raise


def abandon_stdout() -> None:
    """Keep Python from writing what is left in the buffer of stdout when it ends.

    That would fail again, and the exit code would be Python's own, 120.
    """
    sys.stdout = None


def abandon_stderr() -> None:
    """The same for stderr. Nothing is written to it any more."""
    sys.stderr = None


def is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody sits at the other end. A stream that was closed before the start is None."""
    if stream is None:
        return False
    with contextlib.suppress(ValueError):  # It was closed meanwhile.
        return stream.isatty()
    return False


def is_dumb() -> bool:
    """Whether terminals are said to show plain text only."""
    return os.environ.get("TERM") == "dumb"


def has_colors(stream: TextIO | None) -> bool:
    """Whether colors belong there."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR") and not is_dumb()


class DisplayFile(io.TextIOBase):
    """Stderr for a live display: it falls silent once nobody can see it any more."""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """That of stderr."""
        return getattr(sys.stderr, "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        """Write what can be written."""
        try:
            _write(sys.stderr, text)
        except OSError:
            abandon_stderr()
        return len(text)

    def isatty(self) -> bool:
        """Whether stderr is a terminal."""
        return is_terminal(sys.stderr)

    def fileno(self) -> int:
        """That of stderr; the display asks for the size of the terminal by it."""
        if sys.stderr is None:
            raise io.UnsupportedOperation
        return sys.stderr.fileno()


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None:
        raise _closed()
    stream.write(text)
    stream.flush()


def _closed() -> OSError:
    return OSError(errno.EBADF, "it is closed")

"""`--output -`: the video goes to stdout."""

from __future__ import annotations

import errno
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ._streams import copy_to_stdout, is_terminal

if TYPE_CHECKING:
    from deerapi_remix import RemixClient, Video

    from ._work import Work

STDOUT = Path("-")


def check_stdout_takes_video() -> None:
    """Refuse what would waste the video.

    Raises:
        typer.BadParameter: Stdout is a terminal.
        OSError: It is closed.
    """
    if sys.stdout is None:
        raise OSError(errno.EBADF, "it is closed", "stdout")
    if is_terminal(sys.stdout):
        raise typer.BadParameter("a video is nothing for a terminal: redirect stdout.")


def save_to_stdout(
    work: Work, client: RemixClient, video: Video | str, variant: str | None = None
) -> None:
    """Download a file, and write it to stdout once it is whole."""
    with tempfile.TemporaryDirectory(prefix="deerapi-remix-") as folder:
        path = client.download(
            video, Path(folder) / "file", variant=variant, on_progress=work.display.received
        )
        work.display.done()
        work.display.close()
        copy_to_stdout(path)

"""Which commands go on with a job, where this one has ended."""

from __future__ import annotations

import shlex
from pathlib import Path

import attrs


@attrs.frozen
class SaveTo:
    """The file that a command saves.

    Attributes:
        target: The file.
        overwrite: Whether it may be replaced.
        variant: What is saved of the job; None for its video.
    """

    target: Path
    overwrite: bool = False
    variant: str | None = None

    def options(self) -> list[str]:
        """The options of `download` that say the same."""
        options = ["--output", str(self.target)]
        if self.variant is not None:
            options += ["--variant", self.variant]
        if self.overwrite:
            options.append("--overwrite")
        return options


def wait_command(job_id: str, base_url: str | None) -> str:
    """Wait for a job."""
    return _command("wait", [], job_id, base_url)


def download_command(job_id: str, base_url: str | None, save_to: SaveTo | None) -> str:
    """Save the file of a job."""
    options = [] if save_to is None else save_to.options()
    return _command("download", options, job_id, base_url)


def _command(name: str, options: list[str], job_id: str, base_url: str | None) -> str:
    words = ["deerapi-remix", name, *options]
    if base_url is not None:
        words += ["--base-url", base_url]
    if job_id.startswith("-"):
        words.append("--")
    return shlex.join([*words, job_id])

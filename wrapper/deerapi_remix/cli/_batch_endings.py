"""How a run of a batch ends: with which exit code, and with which advice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._exit_codes import ExitCode
from ._text import counted

if TYPE_CHECKING:
    from deerapi_remix.batch import Status


def ending(status: Status, *, interrupted: bool) -> ExitCode:
    """The exit code that goes with the end of a run: the first that applies."""
    if status.paused is not None:
        return ExitCode.REFUSED
    if status.counts["unknown"]:
        return ExitCode.UNKNOWN
    if status.counts["failed"]:
        return ExitCode.JOB_FAILED
    if interrupted:
        return ExitCode.INTERRUPTED
    return ExitCode.DONE


def advice(status: Status, *, interrupted: bool) -> str:
    """What to do about the end of a run."""
    name, told = status.name, []
    if status.paused is not None:
        told.append(
            f"The batch is paused: {status.paused.rstrip('.')}. Once that is mended: "
            f"deerapi-remix batch resume {name}, and run it again."
        )
    if unknown := status.counts["unknown"]:
        subject = "1 row is unknown: it" if unknown == 1 else f"{unknown:,} rows are unknown: they"
        verb = "is" if unknown == 1 else "are"
        told.append(
            f"{subject} may have been charged, and {verb} not submitted again. Look at your usage "
            f"with the vendor, then: deerapi-remix batch resolve {name} KEY --job ID, or "
            "--not-charged."
        )
    if failed := status.counts["failed"]:
        told.append(
            f"{counted(failed, 'row')} failed; why: deerapi-remix batch status {name} "
            f"--state failed. Again: deerapi-remix batch retry {name}."
        )
    if interrupted:
        told.append("Interrupted. Run the same command again: it goes on where it was.")
    return " ".join(told)

"""The one paid request of a command: how far it has come, and what its end says about the job."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from deerapi_remix import DeerAPIError, RemixFailedError

from ._job_file import JobFile, OutcomeUnknownError


class Submit:
    """A submit, and the job file that outlives it.

    Attributes:
        under_way: Whether a paid job may exist whose id is not known.
        job_file: Where the next run looks what became of it, if there is one.
    """

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self._pause_ends = 0.0
        self.under_way = False
        self.job_file: JobFile | None = None

    def pauses(self, seconds: float) -> None:
        """The attempt failed without a job, and the next one starts after these seconds."""
        self._pause_ends = time.monotonic() + seconds

    def accepted(self, job_id: str) -> None:
        """Keep the id of the job."""
        self.under_way = False
        self._update("updated", lambda job_file: job_file.accepted(job_id))

    def settled(self) -> None:
        """There is no job to go on with any more."""
        self._update("removed", JobFile.remove)

    def is_unknown(self, error: BaseException) -> bool:
        """Whether `error` leaves it open if there is a job."""
        if isinstance(error, KeyboardInterrupt):
            # While it pauses between two attempts, the client knows that none was accepted.
            return self.under_way and time.monotonic() >= self._pause_ends
        if isinstance(error, DeerAPIError):
            return error.may_have_been_charged
        # Problems with the target come before the submit, and name a file; one of a socket would not.
        lost = isinstance(error, OSError) and error.filename is None
        return isinstance(error, OutcomeUnknownError) or (self.under_way and lost)

    def failed(self, error: BaseException, *, unknown: bool) -> None:
        """Leave a job file only where there is a job to go on with, or may be one."""
        salvaged: Any = getattr(error, "video", None)
        if isinstance(error, RemixFailedError) or (self.under_way and not unknown):
            self.settled()
        elif self.under_way and salvaged is not None:
            self.accepted(salvaged.id)

    def _update(self, done: str, change: Callable[[JobFile], None]) -> None:
        if self.job_file is None:
            return
        try:
            change(self.job_file)
        except OSError as error:
            # The job is paid for: it is followed to its end whatever becomes of the file.
            self._note(f"{self.job_file.name} could not be {done}: {error.strerror}")

"""The one paid request of a command: how far it has come, and what its end says about the job."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from pathlib import Path

from deerapi_remix import DeerAPIError, RemixFailedError

from ._job_file import JobFile
from ._job_record import OutcomeUnknownError, Remix
from ._text import default_name


class Stage(Enum):
    """How far the submit of a command has come."""

    NONE = auto()
    """The command submits nothing."""
    BEFORE = auto()
    """Nothing was sent."""
    UNDER_WAY = auto()
    """A job may exist whose id is not known."""
    ACCEPTED = auto()
    """The id of the job is known."""


class Submit:
    """A submit, and the job file that outlives it.

    Attributes:
        stage: How far it has come.
        remix: What is submitted.
        job_file: Where the next run looks what became of it, if there is one.
        key: The key by which a ledger knows it, if one does.
    """

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self.stage = Stage.NONE
        self.remix: Remix | None = None
        self.job_file: JobFile | None = None
        self.key: str | None = None

    def asked(self) -> Remix:
        """What is submitted, by a command that submits something."""
        assert self.remix is not None  # noqa: S101  # Such a command says so first of all.
        return self.remix

    def accepted(self, job_id: str) -> None:
        """Keep the id of the job."""
        self.stage = Stage.ACCEPTED
        self._update("updated", lambda job_file: job_file.accepted(job_id))

    def settled(self) -> None:
        """There is no job to go on with any more."""
        self._update("removed", JobFile.remove)

    def is_unknown(self, error: BaseException) -> bool:
        """Whether `error` leaves it open if there is a job."""
        if isinstance(error, OutcomeUnknownError):
            return True
        if isinstance(error, DeerAPIError):
            return error.may_have_been_charged
        # The client adds a note to whatever leaves a submit that may have been charged.
        return self.stage is Stage.UNDER_WAY and bool(getattr(error, "__notes__", []))

    def failed(self, error: BaseException, *, unknown: bool) -> None:
        """Leave a job file only where there is a job to go on with, or may be one."""
        job_id = error.job_id if isinstance(error, DeerAPIError) else None
        if isinstance(error, RemixFailedError):
            self.settled()
        elif self.stage is Stage.UNDER_WAY and job_id is not None:
            self.accepted(job_id)
        elif self.stage is Stage.UNDER_WAY and not unknown:
            self.settled()

    def is_kept(self, job_id: str | None) -> bool:
        """Whether the next run will find this job in the job file or in the ledger."""
        if self.key is not None:
            return True
        if self.job_file is None or job_id is None:
            return False
        try:
            return self.job_file.knows(job_id)
        except OSError:
            return False

    def ends(self) -> None:
        """Let other runs have the job file, if there still is one."""
        if self.job_file is not None:
            self.job_file.close()

    def keep(self, job_id: str) -> None:
        """Leave a job file for a job that could not be told to anybody."""
        if self.job_file is None and self.remix is not None:
            self.job_file = JobFile(Path(default_name(job_id, None)))
            remix = self.remix
            self._update("written", lambda job_file: job_file.keep(remix, job_id))

    def _update(self, done: str, change: Callable[[JobFile], None]) -> None:
        if self.job_file is None:
            return
        try:
            change(self.job_file)
        except OSError as error:
            # The job is paid for: it is followed to its end whatever becomes of the file.
            self._note(f"{self.job_file.name} could not be {done}: {error.strerror}")

"""The job file stands beside the target from before a submit until the video is saved.

It is there before anything is sent, so that a run that is cut off at any moment cannot make the
next one pay again: the next one finds the job, or finds that a submit has begun whose outcome
nobody knows. A run that lives holds a lock on it, which the system drops when the run ends, however
it ends.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import attrs

from ._job_record import JobRecord, Remix, other_remix, outcome_unknown, run_in_progress
from ._regular_file import (
    UnusableFileError,
    create_locked,
    is_at,
    lock,
    open_regular,
    read_all,
    write_all,
)

# How often another run may end or begin just as this one looks.
_TRIES = 100


class JobFile:
    """The job file of one target.

    Raises:
        OSError: Whatever the file system says, with the path in `filename`.
    """

    def __init__(self, target: Path) -> None:
        self.name = target.with_name(f".{target.name}.job.json")
        self._path = self.name.absolute()
        self._target = target
        self._record: JobRecord | None = None
        self._descriptor: int | None = None

    def claim(self, remix: Remix, *, resubmit: bool) -> str | None:
        """The job of an earlier run to go on with; None once this run may submit one, and no other.

        Args:
            remix: What is asked for.
            resubmit: Whether to submit again if it is unknown what became of an earlier submit.

        Raises:
            OtherRemixError: The earlier run was about something else.
            OutcomeUnknownError: A submit has begun, and what became of it is unknown.
            RunInProgressError: Another run is submitting just now.
        """
        for _ in range(_TRIES):
            descriptor = open_regular(self._path)
            if descriptor is None:
                if self._create(JobRecord(remix), replaces=False):
                    return None
                continue
            try:
                held_by_another = not lock(descriptor)
                # Before this run had the lock, another may have put a new file in its place.
                if held_by_another or is_at(descriptor, self._path):
                    return self._go_on(descriptor, remix, resubmit, held_by_another)
            finally:
                if descriptor != self._descriptor:
                    os.close(descriptor)
        raise UnusableFileError(self._path, "is made and removed all the time by other runs")

    def keep(self, remix: Remix, job_id: str) -> None:
        """Write down a job that could not be told to anybody."""
        self._create(JobRecord(remix, job_id), replaces=False)

    def accepted(self, job_id: str) -> None:
        """Keep the id of the job that the submit made.

        Raises:
            UnusableFileError: The file is no longer the one that this run made.
        """
        if self._record is None or self._record.job_id == job_id:
            return
        accepted = attrs.evolve(self._record, job_id=job_id)
        # An interruption can come when the id is written already.
        if not self._says(self._record) and not self._says(accepted):
            raise UnusableFileError(self._path, "is that of another run by now, or gone")
        assert self._descriptor is not None  # noqa: S101  # It is open for as long as it says so.
        size = os.fstat(self._descriptor).st_size
        write_all(self._descriptor, accepted.to_bytes(size))
        self._record = accepted

    def knows(self, job_id: str) -> bool:
        """Whether the next run will find this job in the file."""
        if self._record is None or self._record.job_id != job_id:
            return False
        return self._says(self._record)

    def remove(self) -> None:
        """There is no job to go on with any more. The file of another run is not touched."""
        if self._record is not None and self._says(self._record):
            self._unlink()
        self.close()

    def saved(self, job_id: str) -> None:
        """The video of this job is at the target; who saved it does not matter."""
        self._descriptor = open_regular(self._path)
        if self._descriptor is not None:
            found = JobRecord.from_bytes(read_all(self._descriptor))
            if found is not None and found.job_id == job_id:
                self._unlink()
            self.close()

    def close(self) -> None:
        """Let other runs have the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _go_on(
        self, descriptor: int, remix: Remix, resubmit: bool, held_by_another: bool
    ) -> str | None:
        """Decide by what an earlier run left. Where this run goes on, it keeps the file open."""
        found = JobRecord.from_bytes(read_all(descriptor))
        if found is not None and found.remix != remix:
            raise other_remix(self._target, self.name, found, remix)
        if found is not None and found.job_id is not None:
            self._record, self._descriptor = found, descriptor
            return found.job_id
        if held_by_another:
            raise run_in_progress(self._target, found)
        if not resubmit:
            raise outcome_unknown(self._target, self.name, found)
        # The lock on the old file keeps other runs away until the new one, locked too, is in place.
        self._create(JobRecord(remix), replaces=True)
        return None

    def _create(self, record: JobRecord, *, replaces: bool) -> bool:
        """Make the file; False if another run was faster."""
        try:
            self._descriptor = create_locked(self._path, record.to_bytes(), replaces=replaces)
        except FileExistsError:
            return False
        self._record = record
        return True

    def _says(self, record: JobRecord) -> bool:
        """Whether the file is still the one that this run has open, and says this."""
        if self._descriptor is None or not is_at(self._descriptor, self._path):
            return False
        return JobRecord.from_bytes(read_all(self._descriptor)) == record

    def _unlink(self) -> None:
        if sys.platform == "win32":
            self.close()  # There an open file cannot be removed.
        self._path.unlink(missing_ok=True)

"""From the job of an entry to its file: what is decided on the way. Both ledgers drive it."""

from __future__ import annotations

import errno
import filecmp
import math
import os
import tempfile
from functools import partial
from pathlib import Path

from deerapi_remix import (
    DeerAPIError,
    NotFoundError,
    Reason,
    RemixFailedError,
    Video,
    WaitTimeoutError,
    _clock,
)
from deerapi_remix.models import OnUpdate

from . import _transitions
from ._entry import video_of
from ._outcome import Outcome
from ._records import Record
from ._store import Store

# Seconds for which the file of a completed job may be missing without a word, may be said not to be
# ready if no other time was set, and until it is asked for again.
_ABSENT_FOR = 30.0
_READY_WITHIN = 300.0
_PAUSE = 2.0


class Saving:
    """One call that wants a file.

    Args:
        store: Where the ledger is.
        path: Where the file is to be.
        overwrite: Whether an existing file may be replaced.
        timeout: Seconds for everything; None is the client's default.
        on_update: Called with news of the job.

    Attributes:
        path: Where the file is to be, as the caller wrote it.
        name: The same, absolute.
        job: The job as last seen. It is known once there is an entry to go on with.
    """

    job: Video

    def __init__(
        self,
        store: Store,
        path: str | os.PathLike[str],
        *,
        overwrite: bool,
        timeout: float | None,
        on_update: OnUpdate | None,
    ) -> None:
        self.path = Path(path)
        self.name = str(self.path.absolute())
        self._store = store
        self._overwrite = overwrite
        self._ends = None if timeout is None else _clock.monotonic() + timeout
        self._on_update = on_update
        self._told: tuple[str, int | None] | None = None
        self._asked_since: float | None = None

    def check(self, record: Record | None) -> None:
        """Raise before anything is paid if the file could not be saved.

        Raises:
            OSError: The target exists or cannot be a file, or its folder cannot be written to.
        """
        if record is not None and self._is_aimed_at(record):
            return  # What is there may have been saved by an earlier call.
        self._check_target()
        try:
            with tempfile.TemporaryFile(dir=self.path.parent):
                pass
        except OSError as error:
            error.filename = str(self.path.parent)  # Not a name that nobody knows.
            raise

    def _check_target(self) -> None:
        try:
            self.path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return  # Nothing is there. Whether there is a folder is looked at next.
        if not self._overwrite:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(self.path))
        if self.path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(self.path))
        if self.path.exists() and not self.path.is_file():
            message = "Not a regular file, so it is not replaced"
            raise FileExistsError(errno.EEXIST, message, str(self.path))

    def goes_on(self, record: Record) -> bool:
        """Take in the entry to go on with; whether its file is not there yet."""
        self._record = record
        self.job = video_of(record.entry)
        is_saved = record.entry.state == "saved" and self._is_aimed_at(record)
        return not (is_saved and self.path.exists())

    def begin(self) -> Outcome[bool]:
        """Tell of the job, and record where its file is to be: what is there later may be it."""
        self.saw(self.job)
        if self._record.entry.path == self.name:
            there: Outcome[bool] = Outcome()
            there.set_result(True)
            return there
        work = partial(_transitions.aim, record=self._record, path=self.name)
        return self._store.write(work, key=self._record.entry.key)

    def left(self) -> float | None:
        """Seconds that are left, if a time was set."""
        if self._ends is None or self._ends == math.inf:
            return self._ends
        return max(self._ends - _clock.monotonic(), 0.0)

    def saw(self, video: Video) -> None:
        """There is news of the job."""
        self.job = video
        told = (video.status, video.progress)
        if self._on_update is not None and told != self._told:
            self._told = told
            self._on_update(video)

    def pause_after(self, error: DeerAPIError) -> float | None:
        """Seconds until the file of a completed job is asked for again; None if that is no use.

        Raises:
            WaitTimeoutError: The time is up.
        """
        now = _clock.monotonic()
        if self._asked_since is None:
            self._asked_since = now
        absent = isinstance(error, NotFoundError) and now - self._asked_since < _ABSENT_FOR
        if error.reason is not Reason.NOT_READY and not absent:
            return None
        ends = self._ends if self._ends is not None else self._asked_since + _READY_WITHIN
        if now >= ends:
            raise WaitTimeoutError(
                "The deadline passed before the file was there",
                video=self.job,
                video_id=self.job.id,
                job_id=self.job.id,
            ) from error
        return min(_PAUSE, ends - now)

    def is_same(self, other: Path) -> bool:
        """Whether what is at the target is the file of the job, which was saved as `other`, too."""
        return self.path.is_file() and filecmp.cmp(self.path, other, shallow=False)

    def saved(self) -> Outcome[bool]:
        """Record that the file is there."""
        work = partial(_transitions.save, record=self._record, video=self.job, path=self.name)
        return self._store.write(work, key=self._record.entry.key, insist=True)

    def failed(self, error: RemixFailedError) -> Outcome[bool]:
        """Record that the job ended without a file."""
        work = partial(_transitions.fail, record=self._record, told=_why_failed(error))
        return self._store.write(work, key=self._record.entry.key, insist=True)

    def _is_aimed_at(self, record: Record) -> bool:
        return record.entry.state in ("accepted", "saved") and record.entry.path == self.name


def _why_failed(error: RemixFailedError) -> tuple[str, str]:
    """The status of a job that ended without a file, and the reason."""
    video = error.video
    if video is None:
        return "failed", str(error)
    reason = video.error and (video.error.message or video.error.code)
    # A failure may be told without a status.
    return video.status if video.is_failed else "failed", reason or str(error)

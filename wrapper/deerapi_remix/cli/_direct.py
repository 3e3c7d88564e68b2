"""A remix without a ledger. If it is saved to a file, a job file keeps what was paid for it."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ._job_file import JobFile
from ._next_command import SaveTo

if TYPE_CHECKING:
    from deerapi_remix import RemixClient, Video

    from ._work import Work


class Direct:
    """Submits a remix.

    Args:
        work: The command.
        client: What sends the requests.
        resubmit: Whether to submit again if it is unknown what became of an earlier submit.
    """

    def __init__(self, work: Work, client: RemixClient, *, resubmit: bool) -> None:
        self._work = work
        self._client = client
        self._resubmit = resubmit

    def submit(self) -> Video:
        """Submit the remix.

        Raises:
            DeerAPIError: As for `RemixClient.remix`.
        """
        asked = self._work.submit.asked()
        self._work.submits()
        return self._client.remix(
            asked.video_id, prompt=asked.prompt, model=asked.model, on_accepted=self._work.saw
        )

    def save(self, save_to: SaveTo, timeout: float | None) -> Path:
        """Submit the remix, or go on with the job of an earlier run, and save its video.

        Raises:
            OtherRemixError, OutcomeUnknownError: As for `JobFile.claim`. Nothing was sent.
            DeerAPIError, OSError, ValueError: As for the client's methods.
        """
        work = self._work
        if save_to.target.is_dir():  # Some have no name for a job file to be called after.
            raise _os_error(errno.EISDIR, save_to.target)
        job_file = JobFile(save_to.target)
        job_id = job_file.claim(work.submit.asked(), resubmit=self._resubmit)
        work.submit.job_file = job_file
        if job_id is None:
            path = self._submit_and_save(save_to, timeout)
        else:
            work.resumes(job_id)
            path = self._go_on(job_id, save_to, timeout)
        work.submit.settled()
        return path

    def _submit_and_save(self, save_to: SaveTo, timeout: float | None) -> Path:
        asked = self._work.submit.asked()
        self._work.submits()
        return self._client.remix_to_file(
            asked.video_id,
            save_to.target,
            prompt=asked.prompt,
            model=asked.model,
            timeout=timeout,
            overwrite=save_to.overwrite,
            on_accepted=self._work.saw,
            on_update=self._work.saw,
            on_progress=self._work.display.received,
        )

    def _go_on(self, job_id: str, save_to: SaveTo, timeout: float | None) -> Path:
        if os.path.lexists(save_to.target) and not save_to.overwrite:
            raise _os_error(errno.EEXIST, save_to.target)
        self._client.wait(job_id, timeout=timeout, on_update=self._work.saw)
        return self._client.download(
            job_id,
            save_to.target,
            overwrite=save_to.overwrite,
            on_progress=self._work.display.received,
        )


def _os_error(number: int, path: Path) -> OSError:
    return OSError(number, os.strerror(number), str(path))

"""A remix that is saved: paid for once, however often its command is run and wherever it was cut off."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ._job_file import JobFile, Remix
from ._work import Work

if TYPE_CHECKING:
    from deerapi_remix import RemixClient


def remix_to_file(
    work: Work,
    client: RemixClient,
    remix: Remix,
    output: Path,
    *,
    timeout: float | None,
    overwrite: bool,
    resubmit: bool,
) -> Path:
    """Submit the remix, or go on with the job of an earlier run, and save its video.

    Raises:
        OtherRemixError, OutcomeUnknownError: As for `JobFile.claim`. Nothing was sent.
        DeerAPIError, OSError, ValueError: As for the client's methods.
    """
    work.saves(output, overwrite=overwrite)
    work.submits()
    if output.is_dir():  # Some have no name for a job file to be called after.
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(output))
    job_file = JobFile(output)
    job_id = job_file.claim(remix, resubmit=resubmit)
    work.submit.job_file = job_file
    if job_id is None:
        path = client.remix_to_file(
            remix.video_id,
            output,
            prompt=remix.prompt,
            model=remix.model,
            timeout=timeout,
            overwrite=overwrite,
            on_update=work.saw,
            on_progress=work.display.received,
        )
    else:
        work.resumes(job_id)
        if os.path.lexists(output) and not overwrite:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(output))
        client.wait(job_id, timeout=timeout, on_update=work.saw)
        path = client.download(
            job_id, output, overwrite=overwrite, on_progress=work.display.received
        )
    work.submit.settled()
    return path

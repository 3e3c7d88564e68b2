"""What the synchronous client does about a job. `make twins` writes `_async_jobs.py` from it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from . import _operations
from ._calls import Run
from ._download import Transfer
from ._part_file import PartFile
from ._sync_loops import Following, SyncLoops
from ._waits import Updates
from .models import OnProgress, OnUpdate, Video


class SyncJobs(SyncLoops):
    """What can be asked of a job, whoever has submitted it."""

    def retrieve(self, video_id: str) -> Video:
        """Ask how far a job has come. Free of charge.

        Args:
            video_id: The job.

        Returns:
            The job as it stands.

        Raises:
            ValueError, TypeError: The id is unusable. Nothing was sent.
            DeerAPIError: The request failed.

        Example:
            >>> client.retrieve("video_123").status
            'completed'
        """
        return self._run(Run(self._settings, _operations.retrieve(video_id)))

    def wait(
        self, video: Video | str, *, timeout: float | None = None, on_update: OnUpdate | None = None
    ) -> Video:
        """Poll a job until it is finished. A failed poll ends it only if polling on cannot help.

        Args:
            video: The job, or its id.
            timeout: Seconds, `math.inf` for ever. Default: that of the `PollingPolicy`.
            on_update: Called with the first answer, and when status or progress change.

        Returns:
            The completed job.

        Raises:
            RemixFailedError: The job ended without a video.
            WaitTimeoutError: The deadline passed. The job goes on, and waiting for it can, too.
            DeerAPIError: A poll failed for good.

        Example:
            >>> video = client.wait(video, timeout=600, on_update=lambda video: print(video.status))
        """
        waiting = self._wait_for(video, timeout)
        updates = Updates(on_update)
        for video in Following(self, waiting):
            updates.tell(video)
        return waiting.result()

    def follow(self, video: Video | str, *, timeout: float | None = None) -> Iterator[Video]:
        """Poll a job, and give each answer as it comes. The last one is the finished job.

        The loop may be left at any time, and leaves nothing behind.

        Args:
            video: The job, or its id. A finished video is given back at once.
            timeout: Seconds, `math.inf` for ever. Default: that of the `PollingPolicy`.

        Returns:
            An iterator over the job as it stood at each poll.

        Raises:
            RemixFailedError: The job ended without a video, which was the last that was given.
            WaitTimeoutError: The deadline passed. The job goes on, and following it can, too.
            DeerAPIError: A poll failed for good.

        Example:
            >>> for video in client.follow("video_456"):
            ...     print(video.status, video.progress)
        """
        waiting = self._wait_for(video, timeout)
        return Following(self, waiting, waiting.video if waiting.is_over else None)

    def download(
        self,
        video: Video | str,
        path: str | os.PathLike[str],
        *,
        variant: str | None = None,
        overwrite: bool = False,
        on_progress: OnProgress | None = None,
    ) -> Path:
        """Save the file of a completed job, whole or not at all. A cut connection is resumed.

        Args:
            video: The job, or its id.
            path: The target. Its folder must exist.
            variant: `video` (MP4, the default), `thumbnail` (WebP) or `spritesheet` (JPEG).
            overwrite: Whether an existing file may be replaced.
            on_progress: Called with bytes received so far, and bytes in all if known.

        Returns:
            `path`.

        Raises:
            FileExistsError: The target exists. Nothing was sent, unless it appeared meanwhile.
            OSError: Whatever else the file system says.
            DownloadError: What came is not the file.
            DeerAPIError: The request failed, or the job is not completed.

        Example:
            >>> client.download(video, "bow.mp4")
            PosixPath('bow.mp4')
        """
        call = _operations.download(_operations.id_of(video), variant)
        with PartFile(path, overwrite=overwrite) as part:
            transfer = Transfer(part, on_progress, _operations.kind_of_variant(variant))
            return self._save(call, transfer)

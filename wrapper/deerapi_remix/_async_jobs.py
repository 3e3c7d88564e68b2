"""What the asynchronous client does about a job. `make twins` writes it from `_sync_jobs.py`."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

from . import _operations
from ._async_loops import AsyncFollowing, AsyncLoops
from ._calls import Run
from ._download import Transfer
from ._part_file import PartFile
from ._waits import Updates
from .models import OnProgress, OnUpdate, Video


class AsyncJobs(AsyncLoops):
    """What can be asked of a job, whoever has submitted it."""

    async def retrieve(self, video_id: str) -> Video:
        """See `RemixClient.retrieve`."""
        return await self._run(Run(self._settings, _operations.retrieve(video_id)))

    async def wait(
        self, video: Video | str, *, timeout: float | None = None, on_update: OnUpdate | None = None
    ) -> Video:
        """See `RemixClient.wait`."""
        waiting = self._wait_for(video, timeout)
        updates = Updates(on_update)
        async for video in AsyncFollowing(self, waiting):
            updates.tell(video)
        return waiting.result()

    def follow(self, video: Video | str, *, timeout: float | None = None) -> AsyncIterator[Video]:
        """See `RemixClient.follow`."""
        waiting = self._wait_for(video, timeout)
        return AsyncFollowing(self, waiting, waiting.video if waiting.is_over else None)

    async def download(
        self,
        video: Video | str,
        path: str | os.PathLike[str],
        *,
        variant: str | None = None,
        overwrite: bool = False,
        on_progress: OnProgress | None = None,
    ) -> Path:
        """See `RemixClient.download`."""
        call = _operations.download(_operations.id_of(video), variant)
        with PartFile(path, overwrite=overwrite) as part:
            transfer = Transfer(part, on_progress, _operations.kind_of_variant(variant))
            return await self._save(call, transfer)

"""The asynchronous client. `make twins` writes it from `client.py`, its twin."""

from __future__ import annotations

import os
from pathlib import Path

from . import _operations
from ._async_jobs import AsyncJobs
from ._async_loops import AsyncFollowing
from ._calls import Run
from ._deadline import deadline_of_wait
from ._download import Transfer
from ._part_file import PartFile
from ._submission import Submission
from ._waits import Updates, Wait
from .models import Model, OnAccepted, OnProgress, OnUpdate, Video


class AsyncRemixClient(AsyncJobs):
    """Remixes videos through DeerAPI on asyncio. It belongs to one event loop.

    Takes what `RemixClient` takes, with an `httpx.AsyncClient`; callbacks are plain functions.

    Example:
        >>> async with AsyncRemixClient() as client:
        ...     path = await client.remix_to_file("video_123", "bow.mp4", prompt="A bow")
    """

    async def remix(
        self,
        video_id: str,
        *,
        prompt: str,
        model: str | None = None,
        on_accepted: OnAccepted | None = None,
    ) -> Video:
        """See `RemixClient.remix`."""
        call = _operations.remix(video_id, prompt=prompt, model=model)
        submission = Submission(self._settings.journal, on_accepted)
        try:
            return await self._submit(call, submission)
        except BaseException as error:
            if error is not submission.told:  # A signal struck while the first was handled.
                submission.tell(error)
            raise

    async def remix_to_file(
        self,
        video_id: str,
        path: str | os.PathLike[str],
        *,
        prompt: str,
        model: str | None = None,
        timeout: float | None = None,
        overwrite: bool = False,
        on_accepted: OnAccepted | None = None,
        on_update: OnUpdate | None = None,
        on_progress: OnProgress | None = None,
    ) -> Path:
        """See `RemixClient.remix_to_file`."""
        call = _operations.remix(video_id, prompt=prompt, model=model)
        submission = Submission(self._settings.journal, on_accepted)
        updates = Updates(on_update)
        deadline = deadline_of_wait(timeout, self._settings.polling)
        try:
            with PartFile(path, overwrite=overwrite) as part:
                transfer = Transfer(part, on_progress)
                video = await self._submit(call, submission, deadline)
                updates.tell(video)
                waiting = Wait(video, self._settings.polling, deadline)
                async for video in AsyncFollowing(self, waiting):
                    updates.tell(video)
                return await self._save(_operations.download(video.id, None), transfer, deadline)
        except BaseException as error:
            if error is not submission.told:
                submission.tell(error)
            raise

    async def models(self) -> tuple[Model, ...]:
        """See `RemixClient.models`."""
        return await self._run(Run(self._settings, _operations.models()))

"""The asynchronous client. `client.py` is its twin: a test derives one from the other."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

from . import _operations
from ._async_loops import AsyncFollowing, AsyncLoops
from ._calls import Run
from ._deadline import deadline_of_wait
from ._download import Transfer
from ._part_file import PartFile
from ._submission import Submission
from ._waits import Updates, Wait
from .models import Model, OnAccepted, OnProgress, OnUpdate, Video


class AsyncRemixClient(AsyncLoops):
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

    async def retrieve(self, video_id: str) -> Video:
        """See `RemixClient.retrieve`."""
        return await self._run(Run(self._settings, _operations.retrieve(video_id)))

    async def wait(
        self, video: Video | str, *, timeout: float | None = None, on_update: OnUpdate | None = None
    ) -> Video:
        """See `RemixClient.wait`."""
        waiting = self._wait_for(video, timeout)
        return await self._finish(waiting, Updates(on_update))

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
                await self._finish(Wait(video, self._settings.polling, deadline), updates)
                return await self._save(_operations.download(video.id, None), transfer, deadline)
        except BaseException as error:
            if error is not submission.told:
                submission.tell(error)
            raise

    async def models(self) -> tuple[Model, ...]:
        """See `RemixClient.models`."""
        return await self._run(Run(self._settings, _operations.models()))

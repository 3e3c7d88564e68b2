"""The asynchronous client. `client.py` is its twin; a test derives one from the other and compares."""

import asyncio
import os
from pathlib import Path
from typing import Self

import httpx

from . import _clock, _operations
from ._calls import Run
from ._download import PartFile, Transfer
from ._exchange import Call, T
from ._polling import Wait, deadline_after
from ._settings import BaseClient
from ._transport import AsyncSeam
from .config import check_callbacks
from .errors import DeerAPIError
from .models import Model, OnProgress, OnUpdate, Video


class AsyncRemixClient(BaseClient[httpx.AsyncClient]):
    """Remixes videos through DeerAPI on asyncio. It belongs to one event loop.

    Takes what `RemixClient` takes, with an `httpx.AsyncClient`; callbacks are plain functions here, too.
    """

    _kind = httpx.AsyncClient

    async def remix(self, video_id: str, *, prompt: str, model: str | None = None) -> Video:
        """See `RemixClient.remix`."""
        return await self._run(
            Run(self._settings, _operations.remix(video_id, prompt=prompt, model=model))
        )

    async def retrieve(self, video_id: str) -> Video:
        """See `RemixClient.retrieve`."""
        return await self._run(Run(self._settings, _operations.retrieve(video_id)))

    async def wait(
        self, video: Video | str, *, timeout: float | None = None, on_update: OnUpdate | None = None
    ) -> Video:
        """See `RemixClient.wait`."""
        _operations.id_of(video)
        deadline = deadline_after(timeout, self._settings.polling)
        return await self._follow(Wait(video, self._settings.polling, deadline, on_update))

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
            return await self._save(call, Transfer(part, on_progress))

    async def remix_to_file(
        self,
        video_id: str,
        path: str | os.PathLike[str],
        *,
        prompt: str,
        model: str | None = None,
        timeout: float | None = None,
        overwrite: bool = False,
        on_update: OnUpdate | None = None,
        on_progress: OnProgress | None = None,
    ) -> Path:
        """See `RemixClient.remix_to_file`."""
        call = _operations.remix(video_id, prompt=prompt, model=model)
        check_callbacks(on_update=on_update, on_progress=on_progress)
        deadline = deadline_after(timeout, self._settings.polling)
        with PartFile(path, overwrite=overwrite) as part:
            video = await self._run(Run(self._settings, call, deadline=deadline))
            waiting = Wait(video, self._settings.polling, deadline, on_update)
            with waiting.named():
                waiting.report()
                await self._follow(waiting)
                return await self._save(
                    _operations.download(video.id, None), Transfer(part, on_progress), deadline
                )

    async def models(self) -> tuple[Model, ...]:
        """See `RemixClient.models`."""
        return await self._run(Run(self._settings, _operations.models()))

    async def aclose(self) -> None:
        """Close the connections, unless they are those of `http_client` or of the client this is a copy of."""
        for http in () if self._is_copy else self._connections.release():
            await http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _follow(self, waiting: Wait) -> Video:
        while not (waiting.video and waiting.video.is_finished):
            await _clock.async_sleep(waiting.delay())
            async with self._connections.turn(waiting.left):
                with waiting.poll():
                    await self._run(
                        Run(self._settings, _operations.retrieve(waiting.video_id), waiting)
                    )
            waiting.report()
        return waiting.result()

    async def _save(
        self, call: Call[None], transfer: Transfer, deadline: float | None = None
    ) -> Path:
        await self._run(Run(self._settings, call, deadline=deadline, transfer=transfer))
        await asyncio.to_thread(transfer.part.sync)
        return transfer.part.publish()

    async def _run(self, run: Run[T]) -> T:
        while True:
            exchange = run.begin()
            try:
                await run.call.send(AsyncSeam(self._connections.http(paid=run.call.paid), exchange))
                return run.succeeded()
            except DeerAPIError as error:
                delay = run.failed(error)
                if delay is None:
                    raise
            await _clock.async_sleep(delay)

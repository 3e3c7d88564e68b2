"""The asynchronous client. `client.py` is its twin; a test derives one from the other and compares."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Self

import httpx

from . import _clock, _operations
from ._calls import Run, T
from ._download import PartFile, Transfer
from ._journal import Journal
from ._polling import Wait, deadline_after
from ._settings import BaseClient, Connections, Settings
from ._transport import AsyncSeam
from .config import Key, PollingPolicy, RetryPolicy, Timeout, check_callback
from .errors import DeerAPIError
from .models import Event, Model, OnProgress, OnUpdate, Video


class AsyncRemixClient(BaseClient):
    """Remixes videos through DeerAPI on asyncio. It belongs to one event loop.

    Takes what `RemixClient` takes, with an `httpx.AsyncClient`; callbacks are plain functions here, too.
    """

    def __init__(
        self,
        api_key: str | Callable[[], str] | None = None,
        *,
        base_url: str | None = None,
        timeout: Timeout = 60.0,
        retry: RetryPolicy = RetryPolicy(),  # noqa: B008  # Frozen.
        polling: PollingPolicy = PollingPolicy(),  # noqa: B008  # Frozen.
        http_client: httpx.AsyncClient | None = None,
        on_event: Callable[[Event], None] | None = None,
        strict: bool = False,
    ) -> None:
        key = Key(api_key)
        del api_key  # A traceback may show the locals of this frame.
        key.check()
        self._settings = Settings(key, base_url, timeout, retry, polling, strict, Journal(on_event))
        self._connections = Connections(httpx.AsyncClient, self._settings.base_url, http_client)

    async def remix(self, video_id: str, *, prompt: str, model: str | None = None) -> Video:
        """See `RemixClient.remix`."""
        return await self._run(Run(self._settings, _operations.remix(video_id, prompt=prompt, model=model)))

    async def retrieve(self, video_id: str) -> Video:
        """See `RemixClient.retrieve`."""
        return await self._run(Run(self._settings, _operations.retrieve(video_id)))

    async def wait(
        self, video: Video | str, *, timeout: float | None = None, on_update: OnUpdate | None = None
    ) -> Video:
        """See `RemixClient.wait`."""
        check_callback("on_update", on_update)
        _operations.id_of(video)
        waiting = Wait(video, self._settings.polling, deadline_after(timeout, self._settings.polling))
        return await self._follow(waiting, on_update)

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
        check_callback("on_progress", on_progress)
        with PartFile(path, overwrite=overwrite) as part:
            await self._run(Run(self._settings, call, transfer=Transfer(part, on_progress)))
            await asyncio.to_thread(part.sync)
            return part.publish()

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
        check_callback("on_update", on_update)
        check_callback("on_progress", on_progress)
        deadline = deadline_after(timeout, self._settings.polling)
        with PartFile(path, overwrite=overwrite) as part:
            video = await self._run(Run(self._settings, call, deadline=deadline))
            waiting = Wait(video, self._settings.polling, deadline, reported=video)
            with waiting.named():
                if on_update is not None:
                    on_update(video)
                await self._follow(waiting, on_update)
                transfer = Transfer(part, on_progress)
                file = _operations.download(video.id, None)
                await self._run(Run(self._settings, file, deadline=deadline, transfer=transfer))
                await asyncio.to_thread(part.sync)
                return part.publish()

    async def models(self) -> tuple[Model, ...]:
        """See `RemixClient.models`."""
        return await self._run(Run(self._settings, _operations.models()))

    async def aclose(self) -> None:
        """Close the connections, unless they are those of `http_client` or of the client this is a copy of."""
        if not self._is_copy and (http := self._connections.release()) is not None:
            await http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _follow(self, waiting: Wait, on_update: OnUpdate | None) -> Video:
        while not waiting.finished:
            await _clock.async_sleep(waiting.delay())
            waiting.begin()
            try:
                video, hint = await self._run(Run(self._settings, _operations.poll(waiting.video_id), waiting=waiting))
            except DeerAPIError as error:
                if not waiting.failed(error):
                    raise
            else:
                if waiting.saw(video, hint) and on_update is not None:
                    on_update(video)
        return waiting.result()

    async def _run(self, run: Run[T]) -> T:
        while True:
            exchange = run.begin()
            try:
                await run.call.send(AsyncSeam(self._connections.http(), exchange))
                return run.succeeded()
            except DeerAPIError as error:
                delay = run.failed(error)
                if delay is None:
                    raise
            await _clock.async_sleep(delay)

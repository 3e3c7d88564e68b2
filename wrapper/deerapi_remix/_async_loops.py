"""The loops of the asynchronous client. `make twins` writes it from `_sync_loops.py`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Self

import httpx

from . import _clock, _operations
from ._base_client import BaseClient
from ._call import Call, T
from ._calls import Run
from ._connections import AsyncConnections
from ._deadline import Deadline, deadline_of_wait
from ._download import Transfer
from ._file_calls import FileRun
from ._submission import Submission
from ._transport import AsyncSeam
from ._waits import Wait
from .errors import DeerAPIError
from .models import Video


class AsyncLoops(BaseClient[httpx.AsyncClient]):
    """What the methods of the asynchronous client are made of."""

    _kind_of_connections = AsyncConnections

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections, unless they are those of `http_client`. Copies close nothing."""
        if not self._is_copy:
            await self._connections.aclose()

    async def _submit(
        self, call: Call[Video], submission: Submission, deadline: Deadline | None = None
    ) -> Video:
        run = Run(self._settings, call, deadline=deadline, submission=submission)
        try:
            return await self._run(run)
        except BaseException as error:
            submission.tell(error)
            raise

    def _wait_for(self, video: Video | str, timeout: float | None) -> Wait:
        _operations.id_of(video)
        deadline = deadline_of_wait(timeout, self._settings.polling)
        return Wait(video, self._settings.polling, deadline)

    async def _poll(self, waiting: Wait) -> Video | None:
        """Poll once; None if that failed in a way that does not end the wait."""
        async with self._connections.turn(waiting):
            waiting.check_time()
            call = _operations.retrieve(waiting.video_id)
            try:
                return await self._run(Run(self._settings, call, waiting=waiting))
            except DeerAPIError as error:
                if waiting.ends_with(error):
                    raise
        # An answer that could not be read may end the wait all the same.
        return waiting.video if waiting.is_over else None

    async def _save(
        self, call: Call[None], transfer: Transfer, deadline: Deadline | None = None
    ) -> Path:
        await self._run(FileRun(self._settings, call, transfer, deadline))
        await asyncio.to_thread(transfer.part.sync)
        return transfer.part.publish()

    async def _run(self, run: Run[T]) -> T:
        with run.line_up(self._connections.gates(run.call)):
            while True:
                await self._await_turn(run)
                exchange = run.begin()
                try:
                    with self._connections.lent(exchange) as http:
                        await run.call.send(AsyncSeam(http, exchange))
                    return run.succeeded()
                except DeerAPIError as error:
                    delay = run.failed(error)
                    if delay is None:
                        raise
                await _clock.async_sleep(delay)

    async def _await_turn(self, run: Run[T]) -> None:
        while (seconds := run.pause()) > 0:
            bell = run.passage.bell
            if bell is None:
                await _clock.async_sleep(seconds)
            else:
                await bell.wait(seconds)


class AsyncFollowing(AsyncIterator[Video]):
    """The answers to the polls of one job. Between two of them it holds nothing."""

    __slots__ = ("_finished", "_loops", "_waiting")

    def __init__(self, loops: AsyncLoops, waiting: Wait, finished: Video | None = None) -> None:
        self._loops = loops
        self._waiting = waiting
        self._finished = finished  # What was handed in finished, and is given back once.

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Video:
        video, self._finished = self._finished, None
        while video is None:
            if self._waiting.is_over:
                self._waiting.result()
                raise StopAsyncIteration
            self._loops._connections.check(self._waiting.video_id)
            await _clock.async_sleep(self._waiting.delay())
            video = await self._loops._poll(self._waiting)
        return video

"""The synchronous client. `async_client.py` is its twin; a test derives one from the other and compares."""

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
from ._transport import Seam
from .config import check_callbacks
from .errors import DeerAPIError
from .models import Model, OnProgress, OnUpdate, Video


class RemixClient(BaseClient[httpx.Client]):
    """Remixes videos through DeerAPI. Threads may share one.

    Args:
        api_key: The key, or a function that is asked for it before every request. Default: `DEERAPI_KEY`.
        base_url: Where the API is. Default: `DEERAPI_BASE_URL`, else `https://api.deerapi.com`.
        timeout: Seconds that each operation of the socket may take: connect, write, read, wait for a connection.
        retry: When failed requests are sent again.
        polling: How jobs are followed.
        http_client: Sends the requests in place of a client of our own, with its own proxies, certificates and hooks.
            It is not closed by us. Authorization, URL, timeout and redirects are always ours.
        on_event: Sees every attempt, retry, poll and download step. What it raises is logged and goes no further.
        strict: Raise `APIResponseValidationError` where an answer breaks the contract, rather than warn in the log.

    Raises:
        ConfigurationError: The key is missing or malformed, or the base URL is unusable.

    Example:
        >>> with RemixClient() as client:
        ...     path = client.remix_to_file("video_123", "bow.mp4", prompt="The cat takes a bow")
    """

    _kind = httpx.Client

    def remix(self, video_id: str, *, prompt: str, model: str | None = None) -> Video:
        """Submit a paid job that makes a new video from a completed one.

        Args:
            video_id: The completed video to remix.
            prompt: What should happen in the new video; sent as it is.
            model: A model ID from `models()`. Default: the server's choice.

        Returns:
            The accepted job. It goes on at the server; keep its `id`.

        Raises:
            ValueError, TypeError: An argument is unusable. Nothing was sent.
            DeerAPIError: The submit failed. Where `may_have_been_charged` is true a job may exist all the same.

        Example:
            >>> video = client.remix("video_123", prompt="The cat takes a bow", model="sora-2")
        """
        return self._run(
            Run(self._settings, _operations.remix(video_id, prompt=prompt, model=model))
        )

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
        """Poll a job until it is finished. A failed poll does not end the wait, unless polling on cannot help.

        Args:
            video: The job, or its id.
            timeout: Seconds. Default: that of the client's `PollingPolicy`; `math.inf` waits for ever.
            on_update: Called with the first answer, and with each whose status or progress differ from the one before.

        Returns:
            The completed job.

        Raises:
            RemixFailedError: The job ended without a video.
            WaitTimeoutError: The deadline passed. The job goes on, and waiting for it can, too.
            DeerAPIError: A poll failed for good.

        Example:
            >>> video = client.wait(video, timeout=600, on_update=lambda video: print(video.status, video.progress))
        """
        _operations.id_of(video)
        deadline = deadline_after(timeout, self._settings.polling)
        return self._follow(Wait(video, self._settings.polling, deadline, on_update))

    def download(
        self,
        video: Video | str,
        path: str | os.PathLike[str],
        *,
        variant: str | None = None,
        overwrite: bool = False,
        on_progress: OnProgress | None = None,
    ) -> Path:
        """Save the file of a completed job. The target is there whole or not at all; a cut connection is resumed.

        Args:
            video: The job, or its id.
            path: The target. Its folder must exist.
            variant: `video` (MP4, the default), `thumbnail` (WebP) or `spritesheet` (JPEG).
            overwrite: Whether an existing target may be replaced.
            on_progress: Called with bytes received so far, and bytes in all if known.

        Returns:
            `path`.

        Raises:
            FileExistsError: The target exists. Nothing was sent, unless it appeared meanwhile.
            OSError: Whatever else the file system says.
            DownloadError: What came is not the file.
            DeerAPIError: The request failed, such as `BadRequestError` for a job that is not completed.

        Example:
            >>> client.download(video, "bow.mp4")
            PosixPath('bow.mp4')
        """
        call = _operations.download(_operations.id_of(video), variant)
        with PartFile(path, overwrite=overwrite) as part:
            return self._save(call, Transfer(part, on_progress))

    def remix_to_file(
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
        """Submit a remix, wait for it and save it, under one deadline. The target is checked before anything is paid.

        Args:
            video_id: The completed video to remix.
            path: The target. Its folder must exist.
            prompt: What should happen in the new video; sent as it is.
            model: A model ID from `models()`. Default: the server's choice.
            timeout: Seconds for everything, but it never cuts off the submit. Default: that of the `PollingPolicy`.
            overwrite: Whether an existing target may be replaced.
            on_update: Called with the accepted job at once, and when status or progress change.
            on_progress: Called with bytes received so far, and bytes in all if known.

        Returns:
            `path`.

        Raises:
            FileExistsError, OSError: The target is unusable. Nothing was paid, unless a note names the job.
            DeerAPIError: As for `remix`, `wait` and `download`. Once the job was accepted, `video` tells which it is.

        Example:
            >>> client.remix_to_file("video_123", "bow.mp4", prompt="The cat takes a bow")
            PosixPath('bow.mp4')
        """
        call = _operations.remix(video_id, prompt=prompt, model=model)
        check_callbacks(on_update=on_update, on_progress=on_progress)
        deadline = deadline_after(timeout, self._settings.polling)
        with PartFile(path, overwrite=overwrite) as part:
            video = self._run(Run(self._settings, call, deadline=deadline))
            waiting = Wait(video, self._settings.polling, deadline, on_update)
            with waiting.named():
                waiting.report()
                self._follow(waiting)
                return self._save(
                    _operations.download(video.id, None), Transfer(part, on_progress), deadline
                )

    def models(self) -> tuple[Model, ...]:
        """List the models that are served now.

        Returns:
            The models, in the server's order.

        Raises:
            DeerAPIError: The request failed.

        Example:
            >>> [model.id for model in client.models()]
            ['sora-2', 'sora-2-pro']
        """
        return self._run(Run(self._settings, _operations.models()))

    def close(self) -> None:
        """Close the connections, unless they are those of `http_client` or of the client this is a copy of."""
        for http in () if self._is_copy else self._connections.release():
            http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _follow(self, waiting: Wait) -> Video:
        while not (waiting.video and waiting.video.is_finished):
            _clock.sleep(waiting.delay())
            with self._connections.turn(waiting.left):  # noqa: SIM117  # The twin cannot enter both at once.
                with waiting.poll():
                    self._run(Run(self._settings, _operations.retrieve(waiting.video_id), waiting))
            waiting.report()
        return waiting.result()

    def _save(self, call: Call[None], transfer: Transfer, deadline: float | None = None) -> Path:
        self._run(Run(self._settings, call, deadline=deadline, transfer=transfer))
        transfer.part.sync()
        return transfer.part.publish()

    def _run(self, run: Run[T]) -> T:
        while True:
            exchange = run.begin()
            try:
                run.call.send(Seam(self._connections.http(paid=run.call.paid), exchange))
                return run.succeeded()
            except DeerAPIError as error:
                delay = run.failed(error)
                if delay is None:
                    raise
            _clock.sleep(delay)

"""The synchronous client. `make twins` writes `async_client.py`, its twin, from it."""

from __future__ import annotations

import os
from pathlib import Path

from . import _operations
from ._calls import Run
from ._deadline import deadline_of_wait
from ._download import Transfer
from ._part_file import PartFile
from ._submission import Submission
from ._sync_jobs import SyncJobs
from ._sync_loops import Following
from ._waits import Updates, Wait
from .models import Model, OnAccepted, OnProgress, OnUpdate, Video


class RemixClient(SyncJobs):
    """Remixes videos through DeerAPI. Threads may share one.

    Args:
        api_key: The key, or a function asked before every request. Default: `DEERAPI_KEY`.
        base_url: Where the API is. Default: `DEERAPI_BASE_URL`, else `https://api.deerapi.com`.
        timeout: Seconds that each operation of the socket may take.
        retry: When failed requests are sent again.
        polling: How jobs are followed.
        http_client: Sends the requests in place of a client of our own, with its own proxies,
            certificates and hooks. It is not closed by us. Authorization, URL, timeout and
            redirects are always ours.
        on_event: Sees what the client does, as an `Event`. What it raises is logged.
        strict: Raise where an answer breaks the contract, rather than warn in the log.

    Raises:
        ConfigurationError: The key is missing or malformed, or the base URL is unusable.

    Example:
        >>> with RemixClient() as client:
        ...     path = client.remix_to_file("video_123", "bow.mp4", prompt="The cat takes a bow")
    """

    def remix(
        self,
        video_id: str,
        *,
        prompt: str,
        model: str | None = None,
        on_accepted: OnAccepted | None = None,
    ) -> Video:
        """Submit a paid job that makes a new video from a completed one.

        Args:
            video_id: The completed video to remix.
            prompt: What should happen in the new video; sent as it is.
            model: A model ID from `models()`. Default: the server's choice.
            on_accepted: Called with the job once its id is known, whatever becomes of the call.

        Returns:
            The accepted job. It goes on at the server; keep its `id`.

        Raises:
            ValueError, TypeError: An argument is unusable. Nothing was sent.
            DeerAPIError: The submit failed. Where `job_id` is set, that is the new job; where
                `may_have_been_charged` is true one may exist all the same.

        Example:
            >>> video = client.remix("video_123", prompt="The cat takes a bow", model="sora-2")
        """
        call = _operations.remix(video_id, prompt=prompt, model=model)
        submission = Submission(self._settings.journal, on_accepted)
        try:
            return self._submit(call, submission)
        except BaseException as error:
            if error is not submission.told:  # A signal struck while the first was handled.
                submission.tell(error)
            raise

    def remix_to_file(
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
        """Submit a remix, wait for it and save it. The target is checked before anything is paid.

        Args:
            video_id: The completed video to remix.
            path: The target. Its folder must exist.
            prompt: What should happen in the new video; sent as it is.
            model: A model ID from `models()`. Default: the server's choice.
            timeout: Seconds for everything, but no submit is cut off. Default: the policy's.
            overwrite: Whether an existing file may be replaced.
            on_accepted: Called with the job once its id is known, whatever becomes of the call.
            on_update: Called with the accepted job at once, and when status or progress change.
            on_progress: Called with bytes received so far, and bytes in all if known.

        Returns:
            `path`.

        Raises:
            OSError: The target is unusable. Nothing was paid, unless a note names the job.
            DeerAPIError: As for `remix`, `wait` and `download`. Once the job was accepted,
                `job_id` and `video` tell which it is.

        Example:
            >>> client.remix_to_file("video_123", "bow.mp4", prompt="The cat takes a bow")
            PosixPath('bow.mp4')
        """
        call = _operations.remix(video_id, prompt=prompt, model=model)
        submission = Submission(self._settings.journal, on_accepted)
        updates = Updates(on_update)
        deadline = deadline_of_wait(timeout, self._settings.polling)
        try:
            with PartFile(path, overwrite=overwrite) as part:
                transfer = Transfer(part, on_progress)
                video = self._submit(call, submission, deadline)
                updates.tell(video)
                waiting = Wait(video, self._settings.polling, deadline)
                for video in Following(self, waiting):
                    updates.tell(video)
                return self._save(_operations.download(video.id, None), transfer, deadline)
        except BaseException as error:
            if error is not submission.told:
                submission.tell(error)
            raise

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

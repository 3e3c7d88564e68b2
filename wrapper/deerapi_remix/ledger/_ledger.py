"""The ledger for `RemixClient`. A test derives its twin, `_async_ledger.py`, and compares."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from deerapi_remix import RemixClient, Video
from deerapi_remix.models import OnProgress, OnUpdate

from . import _drive
from ._asked import ask
from ._base import BaseLedger, check_state, resolved
from ._entry import Entry, State, video_of
from ._saving import Saving
from ._submission import check_settled


class Ledger(BaseLedger):
    """Submits once for a key, however often. Threads and forked children may share one.

    Args:
        url: Where the ledger is kept: `sqlite:///FILE`, or `postgresql://USER@HOST/NAME` with the
            extra `postgres`. It is made when it is first used. A file is readable for its owner
            only.

    Raises:
        ValueError: The URL cannot be that of a ledger.

    Example:
        >>> with RemixClient() as client, Ledger("sqlite:///remixes.db") as ledger:
        ...     video = ledger.remix(client, "order-1042", "video_123", prompt="The cat takes a
        bow")
    """

    def remix(
        self, client: RemixClient, key: str, video_id: str, *, prompt: str, model: str | None = None
    ) -> Video:
        """Submit a remix, unless that was done for the key before.

        Args:
            client: What submits it.
            key: The caller's name for this remix, such as the number of an order.
            video_id: The completed video to remix.
            prompt: What should happen in the new video.
            model: A model ID. Default: the server's choice.

        Returns:
            The job of the key; if it was accepted before, as it was last seen.

        Raises:
            LedgerConflictError: The key is in use for another remix. Nothing was sent.
            SubmitInProgressError: Another call is submitting for the key. Nothing was sent.
            OutcomeUnknownError: An earlier submit ended, and nobody knows how. Nothing was sent.
            LedgerUnavailableError: The database cannot be used. With a `job_id` that job was
                accepted, else nothing was sent.
            DuplicateJobError: A job was accepted although the ledger meanwhile knows of another.
            ValueError, TypeError, DeerAPIError: As for `RemixClient.remix`.

        Example:
            >>> video = ledger.remix(client, "order-1042", "video_123", prompt="It snows")
        """
        asked = ask(client, key, video_id, prompt=prompt, model=model)
        return video_of(_drive.submit(self._store, client, asked).entry)

    def remix_to_file(
        self,
        client: RemixClient,
        key: str,
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
        """Submit a remix, wait for it and save it, from wherever an earlier call stopped.

        Args:
            client: What sends the requests.
            key: The caller's name for this remix.
            video_id: The completed video to remix.
            path: The target. Its folder must exist. Once the file was saved there it is left as it
                is.
            prompt: What should happen in the new video.
            model: A model ID. Default: the server's choice.
            timeout: Seconds for everything, but it never cuts off the submit. Default: that of the
                `PollingPolicy`.
            overwrite: Whether another file that has the name may be replaced.
            on_update: Called with the job at once, and when status or progress change.
            on_progress: Called with bytes received so far, and bytes in all if known.

        Returns:
            `path`.

        Raises:
            OSError: The target is unusable. Before anything is paid, unless the key has a job
                already.
            ValueError, TypeError, DeerAPIError: As for `remix` above and
                `RemixClient.remix_to_file`.

        Example:
            >>> ledger.remix_to_file(client, "order-7", "video_123", "bow.mp4", prompt="It snows")
            PosixPath('bow.mp4')
        """
        saving = Saving(
            self._store, path, overwrite=overwrite, timeout=timeout, on_update=on_update
        )
        asked = ask(client, key, video_id, prompt=prompt, model=model, path=saving.name)
        saving.check(self._begin_find(key).result())
        if saving.goes_on(_drive.submit(self._store, client, asked)):
            _drive.save(client, saving, overwrite=overwrite, on_progress=on_progress)
        return saving.path

    def get(self, key: str) -> Entry | None:
        """Look up a key.

        Args:
            key: The caller's name for a remix.

        Returns:
            Its entry, None if there is none.

        Raises:
            LedgerUnavailableError: The database cannot be read.

        Example:
            >>> ledger.get("order-1042").state
            'accepted'
        """
        record = self._begin_find(key).result()
        return None if record is None else record.entry

    def entries(self, *, state: State | None = None) -> Iterator[Entry]:
        """Look through all entries.

        Args:
            state: Those in this state only.

        Returns:
            The entries in the order of their keys. They are read as they are asked for.

        Raises:
            LedgerUnavailableError: The database cannot be read.

        Example:
            >>> [entry.key for entry in ledger.entries(state="unknown")]
            []
        """
        check_state(state)
        after: str | None = None
        while records := self._begin_page(after, state).result():
            for record in records:
                yield record.entry
            after = records[-1].entry.key

    def resolve(self, key: str, *, job_id: str | None = None, not_charged: bool = False) -> Entry:
        """Say what became of an unknown submit, or have a failed job paid for again.

        Args:
            key: The caller's name for the remix.
            job_id: The job that was found to be there.
            not_charged: Nothing was charged: the next call for the key submits.

        Returns:
            The entry as it is now.

        Raises:
            KeyError: There is no such key.
            SubmitInProgressError: Its submit is still under way.
            LedgerConflictError: Its outcome is known.

        Example:
            >>> ledger.resolve("order-1042", job_id="video_456").state
            'accepted'
        """
        record = self._begin_resolve(key, job_id, not_charged).result()
        return resolved(key, job_id, record)

    def forget(self, key: str) -> Entry | None:
        """Remove an entry: the next call for the key pays again. The ids of its jobs are kept.

        Args:
            key: The caller's name for the remix.

        Returns:
            The entry as it was, None if there was none.

        Raises:
            SubmitInProgressError: Its submit is under way.
            OutcomeUnknownError: Nobody knows how its submit ended: resolve it first.

        Example:
            >>> ledger.forget("order-1042").job_id
            'video_456'
        """
        record = self._begin_forget(key).result()
        if record is not None:
            check_settled(record)
        return None if record is None else record.entry

    def close(self) -> None:
        """Finish what is to be recorded, and close the connections of this process."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

"""The ledger for `AsyncRemixClient`, the twin of `_ledger.py`; threads do its database work."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Self

from deerapi_remix import AsyncRemixClient, Video
from deerapi_remix.models import OnProgress, OnUpdate

from . import _async_drive
from ._asked import ask
from ._base import BaseLedger, check_state, resolved
from ._entry import Entry, State, video_of
from ._saving import Saving
from ._submission import check_settled


class AsyncLedger(BaseLedger):
    """Submits once for a key, on asyncio.

    Takes what `Ledger` takes. Both may work on one database.
    """

    async def remix(
        self,
        client: AsyncRemixClient,
        key: str,
        video_id: str,
        *,
        prompt: str,
        model: str | None = None,
    ) -> Video:
        """See `Ledger.remix`."""
        asked = ask(client, key, video_id, prompt=prompt, model=model)
        return video_of((await _async_drive.submit(self._store, client, asked)).entry)

    async def remix_to_file(
        self,
        client: AsyncRemixClient,
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
        """See `Ledger.remix_to_file`."""
        saving = Saving(
            self._store, path, overwrite=overwrite, timeout=timeout, on_update=on_update
        )
        asked = ask(client, key, video_id, prompt=prompt, model=model, path=saving.name)
        saving.check(await self._begin_find(key))
        if saving.goes_on(await _async_drive.submit(self._store, client, asked)):
            await _async_drive.save(client, saving, overwrite=overwrite, on_progress=on_progress)
        return saving.path

    async def get(self, key: str) -> Entry | None:
        """See `Ledger.get`."""
        record = await self._begin_find(key)
        return None if record is None else record.entry

    async def entries(self, *, state: State | None = None) -> AsyncIterator[Entry]:
        """See `Ledger.entries`."""
        check_state(state)
        after: str | None = None
        while records := await self._begin_page(after, state):
            for record in records:
                yield record.entry
            after = records[-1].entry.key

    async def resolve(
        self, key: str, *, job_id: str | None = None, not_charged: bool = False
    ) -> Entry:
        """See `Ledger.resolve`."""
        record = await self._begin_resolve(key, job_id, not_charged)
        return resolved(key, job_id, record)

    async def forget(self, key: str) -> Entry | None:
        """See `Ledger.forget`."""
        record = await self._begin_forget(key)
        if record is not None:
            check_settled(record)
        return None if record is None else record.entry

    async def aclose(self) -> None:
        """See `Ledger.close`."""
        await asyncio.to_thread(self._close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

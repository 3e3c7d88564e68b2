"""The calls of an `AsyncLedger`, step by step: the twin of `_drive.py`."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from deerapi_remix import AsyncRemixClient, DeerAPIError, RemixFailedError, _clock
from deerapi_remix.models import OnProgress

from ._asked import Asked
from ._errors import LedgerUnavailableError
from ._records import Record
from ._saving import Saving
from ._store import Store
from ._submission import Submission


async def submit(store: Store, client: AsyncRemixClient, asked: Asked) -> Record:
    submission = Submission(store, asked)
    try:
        found = await submission.begin()
    except BaseException:
        submission.abandon()
        raise
    if found is not None:
        return submission.earlier(found)
    try:
        submission.check_time()
        video = await client.remix(
            asked.video_id, prompt=asked.prompt, model=asked.model, on_accepted=submission.accepted
        )
    except BaseException as error:
        # Where that fails the log tells, and the client's error tells more.
        with suppress(LedgerUnavailableError):
            await submission.ended(error)
        raise
    try:
        record = await submission.recorded(video)
    except LedgerUnavailableError as error:
        submission.not_recorded(error)
        raise
    return submission.mine(record)


async def save(
    client: AsyncRemixClient, saving: Saving, *, overwrite: bool, on_progress: OnProgress | None
) -> None:
    await follow(client, saving)
    await fetch(client, saving, overwrite=overwrite, on_progress=on_progress)


async def follow(client: AsyncRemixClient, saving: Saving) -> None:
    await saving.begin()
    try:
        await client.wait(saving.job, timeout=saving.left(), on_update=saving.saw)
    except RemixFailedError as error:
        await saving.failed(error)
        raise


async def fetch(
    client: AsyncRemixClient, saving: Saving, *, overwrite: bool, on_progress: OnProgress | None
) -> None:
    try:
        await _download(client, saving, saving.path, overwrite, on_progress)
    except FileExistsError:
        if not await _was_saved(client, saving):
            raise
    await saving.saved()


async def _was_saved(client: AsyncRemixClient, saving: Saving) -> bool:
    """See `Ledger._was_saved`."""
    with TemporaryDirectory() as folder:
        again = Path(folder, "again")
        await _download(client, saving, again, False, None)
        return await asyncio.to_thread(saving.is_same, again)


async def _download(
    client: AsyncRemixClient,
    saving: Saving,
    path: Path,
    overwrite: bool,
    on_progress: OnProgress | None,
) -> None:
    while True:
        try:
            await client.download(saving.job, path, overwrite=overwrite, on_progress=on_progress)
        except DeerAPIError as error:
            pause = saving.pause_after(error)
            if pause is None:
                raise
        else:
            return
        await _clock.async_sleep(pause)

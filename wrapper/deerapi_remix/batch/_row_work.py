"""The way of one row from a worker's first look at it to its end."""

from __future__ import annotations

import asyncio
import glob
import logging
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

from deerapi_remix import AsyncRemixClient, DeerAPIError, _clock
from deerapi_remix.ledger import LedgerUnavailableError, _async_drive, _transitions
from deerapi_remix.ledger._asked import Asked, ask
from deerapi_remix.ledger._records import Record
from deerapi_remix.ledger._saving import Saving
from deerapi_remix.ledger._store import Store
from deerapi_remix.ledger._submission import Submission

from . import _rows
from ._gate import Gate, Turns
from ._lookups import AWAY, Lookups
from ._rows import Found
from ._schema import ENDED
from ._verdict import Next, concerns_all, verdict

# Files are downloaded so many at once; the others wait in the order in which they expire.
_DOWNLOADS = 32
_LONGEST_PROBLEM = 1_000
_NOT_RECORDED = (
    "batch: row %r: the job %s was accepted, and is recorded once the database can be used. "
    "Should this end before, resolve the row with that job."
)

_log = logging.getLogger("deerapi_remix.batch")

OnAccepted = Callable[[str, str], None]
OnPause = Callable[[str], None]


class RowWork:
    """Works on rows, one call for each; all calls share one gate.

    Args:
        store: The database.
        client: What sends the requests.
        gate: Lets rows submit.
        on_accepted: Called with the key of a row and the id of its job, once that is on record.
        on_pause: Called with the reason where all rows would meet what one met.

    Attributes:
        following: How many jobs are waited for or downloaded.
    """

    def __init__(
        self,
        store: Store,
        client: AsyncRemixClient,
        gate: Gate,
        *,
        on_accepted: OnAccepted,
        on_pause: OnPause,
    ) -> None:
        self.following = 0
        self._store = store
        self._client = client
        self._gate = gate
        self._on_accepted = on_accepted
        self._on_pause = on_pause
        self._turns = Turns(_DOWNLOADS)
        self._lookups = Lookups(store)

    async def work(self, key: str) -> None:
        """Work on the row until it has ended, whatever happens meanwhile."""
        tries = 0
        job_id: str | None = None
        while True:
            found = await self._lookups.find(key)
            if found is not None and found.state == "unknown" and job_id is not None:
                await self._tell_late(key, job_id)
                continue
            if found is None or found.state in ENDED:
                return
            tries += 1
            try:
                await self._advance(found)
            except Exception as error:  # What follows from it is looked up.
                if isinstance(error, LedgerUnavailableError) and error.job_id is not None:
                    job_id = error.job_id
                    _log.error(_NOT_RECORDED, found.key, job_id)
                await self._go_on_after(error, found, tries)
            else:
                return

    async def _tell_late(self, key: str, job_id: str) -> None:
        """Tell the ledger of a job that was accepted while its database was away for long."""
        work = partial(_transitions.resolve, key=key, job_id=job_id, now=_clock.now())
        try:
            await self._store.write(work, key=key, insist=True)
        except LedgerUnavailableError:
            await _clock.async_sleep(AWAY)

    async def _advance(self, found: Found) -> None:
        """Take the row to its file."""
        saving = Saving(self._store, found.output, overwrite=False, timeout=None, on_update=None)
        asked = ask(
            self._client,
            found.ledger_key,
            found.video_id,
            prompt=found.prompt,
            model=found.model,
            path=saving.name,
        )
        record = found.record
        if found.state == "submitting":
            record = await self._settled(found)
        is_new = record is None or record.entry.state == "open"
        if record is None or is_new:
            record = await self._submit(asked, saving)
            self._on_accepted(found.key, str(record.entry.job_id))
        else:
            record = Submission(self._store, asked).earlier(record)
        if not saving.goes_on(record):
            return
        self.following += 1
        try:
            await self._save(saving)
        finally:
            self.following -= 1
        if not is_new:
            await asyncio.to_thread(_remove_parts, saving.path)

    async def _settled(self, found: Found) -> Record | None:
        """The entry of a row whose submit another worker began, which may be gone by now."""
        work = partial(_transitions.settled, key=found.ledger_key, now=_clock.now())
        return await self._store.write(work, key=found.ledger_key)

    async def _submit(self, asked: Asked, saving: Saving) -> Record:
        async with self._gate:
            try:
                _make_folder(saving.path)
                saving.check(None)
                return await _async_drive.submit(self._store, self._client, asked)
            except Exception as error:
                if concerns_all(error):  # It is told before the gate lets the next one through.
                    self._on_pause(told(error))
                raise

    async def _save(self, saving: Saving) -> None:
        await _async_drive.follow(self._client, saving)
        expires_at = saving.job.expires_at
        await self._turns.take(math.inf if expires_at is None else expires_at)
        try:
            _make_folder(saving.path)  # Another worker may have submitted it, elsewhere.
            await _async_drive.fetch(self._client, saving, overwrite=False, on_progress=None)
        finally:
            self._turns.give_back()

    async def _go_on_after(self, error: Exception, found: Found, tries: int) -> None:
        """Do what follows from an error, unless the ledger knows by now how the row ended."""
        again = await self._lookups.find(found.ledger_key)
        if again is None or again.state in ENDED:
            return
        accepted = again.state == "rendering"
        follows = verdict(error, accepted=accepted, tries=tries)
        _log.debug("batch: row %r: %s after %r", found.key, follows.next.name, error)
        if follows.next is Next.PAUSE:
            self._on_pause(told(error))
            await self._gate.opened()
        elif follows.next is Next.FAILED:
            work = partial(_rows.give_up, key=found.ledger_key, why=told(error))
            try:
                await self._store.write(work, key=found.ledger_key, insist=True)
            except LedgerUnavailableError:
                return  # It is met again, and told then.
        await _clock.async_sleep(follows.pause)


def told(error: Exception) -> str:
    """An error as it is kept."""
    if isinstance(error, DeerAPIError) and error.args:
        return str(error)[:_LONGEST_PROBLEM]
    return f"{type(error).__name__}: {error}"[:_LONGEST_PROBLEM]


def _make_folder(path: Path) -> None:
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)


def _remove_parts(path: Path) -> None:
    """Remove what a worker that is gone has downloaded of a file that is there now."""
    for part in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        part.unlink(missing_ok=True)

"""`remix --once KEY`: the ledger makes the submit happen once for a key."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ._next_command import SaveTo

if TYPE_CHECKING:
    from deerapi_remix import RemixClient, Video
    from deerapi_remix.ledger import Ledger

    from ._work import Work


class Once:
    """Submits a remix, unless that was done for its key before.

    Args:
        work: The command.
        client: What sends the requests.
        ledger: Where the keys are kept.
        key: The key.
    """

    def __init__(self, work: Work, client: RemixClient, ledger: Ledger, key: str) -> None:
        self._work = work
        self._client = client
        self._ledger = ledger
        self._key = key

    def submit(self) -> Video:
        """The job of the key.

        Raises:
            DeerAPIError: As for `Ledger.remix`.
        """
        asked = self._work.submit.asked()
        self._begin()
        video = self._ledger.remix(
            self._client, self._key, asked.video_id, prompt=asked.prompt, model=asked.model
        )
        self._work.saw(video)
        return video

    def save(self, save_to: SaveTo, timeout: float | None) -> Path:
        """Save the video of the key, from wherever an earlier call stopped.

        Raises:
            DeerAPIError, OSError: As for `Ledger.remix_to_file`.
        """
        asked = self._work.submit.asked()
        self._begin()
        path = self._ledger.remix_to_file(
            self._client,
            self._key,
            asked.video_id,
            save_to.target,
            prompt=asked.prompt,
            model=asked.model,
            timeout=timeout,
            overwrite=save_to.overwrite,
            on_update=self._work.saw,
            on_progress=self._work.display.received,
        )
        self._work.display.close()
        return path

    def _begin(self) -> None:
        """Say whether there is a job already. Should another run be faster, it only says less."""
        self._work.submit.key = self._key
        entry = self._ledger.get(self._key)
        if entry is None or entry.job_id is None:
            self._work.submits()
        else:
            self._work.resumes(entry.job_id)

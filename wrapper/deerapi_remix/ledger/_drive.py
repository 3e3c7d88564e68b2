"""The calls of a `Ledger`, step by step. A test derives `_async_drive.py` and compares."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from deerapi_remix import DeerAPIError, RemixClient, RemixFailedError, _clock
from deerapi_remix.models import OnProgress

from ._asked import Asked
from ._errors import LedgerUnavailableError
from ._records import Record
from ._saving import Saving
from ._store import Store
from ._submission import Submission


def submit(store: Store, client: RemixClient, asked: Asked) -> Record:
    """Submit, unless that was done for the key before; the entry to go on with."""
    submission = Submission(store, asked)
    try:
        found = submission.begin().result()
    except BaseException:
        submission.abandon()
        raise
    if found is not None:
        return submission.earlier(found)
    try:
        submission.check_time()
        video = client.remix(
            asked.video_id, prompt=asked.prompt, model=asked.model, on_accepted=submission.accepted
        )
    except BaseException as error:
        # Where that fails the log tells, and the client's error tells more.
        with suppress(LedgerUnavailableError):
            submission.ended(error).result()
        raise
    try:
        record = submission.recorded(video).result()
    except LedgerUnavailableError as error:
        submission.not_recorded(error)
        raise
    return submission.mine(record)


def save(
    client: RemixClient, saving: Saving, *, overwrite: bool, on_progress: OnProgress | None
) -> None:
    """Wait for the job, save its file, and record how it ended."""
    follow(client, saving)
    fetch(client, saving, overwrite=overwrite, on_progress=on_progress)


def follow(client: RemixClient, saving: Saving) -> None:
    """Wait for the job, and record it if it fails."""
    saving.begin().result()
    try:
        client.wait(saving.job, timeout=saving.left(), on_update=saving.saw)
    except RemixFailedError as error:
        saving.failed(error).result()
        raise


def fetch(
    client: RemixClient, saving: Saving, *, overwrite: bool, on_progress: OnProgress | None
) -> None:
    """Save the file of the completed job, and record that it is there."""
    try:
        _download(client, saving, saving.path, overwrite, on_progress)
    except FileExistsError:
        if not _was_saved(client, saving):
            raise
    saving.saved().result()


def _was_saved(client: RemixClient, saving: Saving) -> bool:
    """Whether what is there is the file of the job: an earlier call may have died there."""
    with TemporaryDirectory() as folder:
        again = Path(folder, "again")
        _download(client, saving, again, False, None)
        return saving.is_same(again)


def _download(
    client: RemixClient, saving: Saving, path: Path, overwrite: bool, on_progress: OnProgress | None
) -> None:
    """Save the file of the completed job; ask again while it is not there yet."""
    while True:
        try:
            client.download(saving.job, path, overwrite=overwrite, on_progress=on_progress)
        except DeerAPIError as error:
            pause = saving.pause_after(error)
            if pause is None:
                raise
        else:
            return
        _clock.sleep(pause)

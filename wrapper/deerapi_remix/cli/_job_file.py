"""The job file: it stands beside the target from before a remix is submitted until its video is saved.

It is there before anything is sent, so that a run that is cut off at any moment cannot make the next one pay again:
the next one finds the job, or finds that a submit has begun whose outcome nobody knows.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
from attrs.validators import instance_of, matches_re, optional

from ._text import clean

_LONGEST_SHOWN = 60


@attrs.frozen
class Remix:
    """What a job file is about: another remix must not take its place."""

    video_id: str = attrs.field(validator=instance_of(str))
    prompt: str = attrs.field(validator=instance_of(str))
    model: str | None = attrs.field(validator=optional(instance_of(str)))
    base_url: str = attrs.field(validator=instance_of(str))


@attrs.frozen
class _Entry:
    remix: Remix
    begun: str = attrs.field(validator=instance_of(str))
    job_id: str | None = attrs.field(default=None, validator=optional(matches_re(".+")))


class OutcomeUnknownError(Exception):
    """An earlier submit for the same target was cut off, or goes on in another process. Nothing was sent."""


class OtherRemixError(ValueError):
    """The target is taken by another remix."""


class JobFile:
    """The job file of one target.

    Raises:
        OSError: Whatever the file system says, with the path in `filename`.
    """

    def __init__(self, target: Path) -> None:
        self.name = target.with_name(f".{target.name}.job.json")
        self._path = self.name.absolute()
        self._target = target
        self._entry: _Entry | None = None

    def claim(self, remix: Remix, *, resubmit: bool) -> str | None:
        """The job of an earlier run to go on with; None once this run, and no other, may submit one.

        Args:
            remix: What is asked for.
            resubmit: Whether to submit again if it is unknown what became of an earlier submit.

        Raises:
            OtherRemixError: The earlier run was about something else.
            OutcomeUnknownError: A submit has begun, and what became of it is unknown.
        """
        while True:
            entry = _Entry(remix, datetime.now(UTC).isoformat())
            try:
                self._create(self._path, entry)
            except FileExistsError:
                pass
            else:
                _sync_folder(self._path.parent)
                self._entry = entry
                return None
            with contextlib.suppress(FileNotFoundError):  # The other run has just ended.
                found = self._read()
                if found is not None and found.remix != remix:
                    raise OtherRemixError(self._other(found, remix))
                if found is not None and found.job_id is not None:
                    self._entry = found
                    return found.job_id
                if not resubmit:
                    raise OutcomeUnknownError(self._unknown(found))
                self._path.unlink()

    def accepted(self, job_id: str) -> None:
        """Keep the id of the job that the submit made."""
        if self._entry is None or self._entry.job_id == job_id:
            return
        entry = attrs.evolve(self._entry, job_id=job_id)
        # Its name is no longer than that of the job file, so that it can be made where that could.
        new = self._path.with_name(f".{secrets.token_hex(4)}.json")
        self._create(new, entry)
        try:
            new.replace(self._path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
        self._entry = entry
        _sync_folder(self._path.parent)

    def remove(self) -> None:
        """There is no job to go on with any more."""
        # The file may be that of another run by now, and then it is not this one's to remove.
        with contextlib.suppress(FileNotFoundError):
            if self._entry is not None and self._read() == self._entry:
                self._path.unlink()

    def saved(self, job_id: str) -> None:
        """The video of this job is at the target; who saved it does not matter."""
        with contextlib.suppress(FileNotFoundError):
            entry = self._read()
            if entry is not None and entry.job_id == job_id:
                self._path.unlink()

    def _create(self, path: Path, entry: _Entry) -> None:
        """Make a file that only its owner can read, whole and on the disk; FileExistsError if there is one."""
        told = {**attrs.asdict(entry.remix), "begun": entry.begun, "job_id": entry.job_id}
        # Where a lone surrogate is in a prompt it is refused later, and with a better message.
        text = json.dumps(told, indent=2) + "\n"
        with open(path, "xb", opener=_private) as file:  # Path.open takes no opener.
            try:
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
            except BaseException as error:
                with contextlib.suppress(OSError):
                    file.close()  # Tries once more to write.
                path.unlink()
                if isinstance(error, OSError):
                    error.filename = str(path)
                raise

    def _read(self) -> _Entry | None:
        """What the file says; None if that cannot be told: it may have been cut off while it was written."""
        try:
            told: dict[str, Any] = dict(json.loads(self._path.read_bytes()))
            begun, job_id = told.pop("begun"), told.pop("job_id")
            return _Entry(Remix(**told), begun, job_id)
        except FileNotFoundError:
            raise
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None

    def _other(self, found: _Entry, remix: Remix) -> str:
        names = {"video_id": "video", "prompt": "prompt", "model": "model", "base_url": "base URL"}
        pairs = [(name, getattr(found.remix, name), getattr(remix, name)) for name in names]
        differences = [
            f"{names[name]} {_shown(old)}, not {_shown(new)}"
            for name, old, new in pairs
            if old != new
        ]
        state = f"job {found.job_id}" if found.job_id else "outcome unknown"
        return (
            f"{self._target} is kept for another remix ({state}): {'; '.join(differences)}. "
            f"Choose another --output, or finish that one first. To give it up, remove {self.name}"
        )

    def _unknown(self, found: _Entry | None) -> str:
        begun = f" at {clean(found.begun)[:19]} UTC" if found else ""
        save = f"deerapi-remix download --output {shlex.quote(str(self._target))} ID"
        return (
            f"{self._target}: an earlier run began to submit this remix{begun}. It was cut off, or is still at it, "
            "so that a job may have been accepted and charged. Look at your usage with the vendor. If there is no job, "
            f"run this again with --resubmit. If there is one: {save}, and remove {self.name}. Nothing was sent now."
        )


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync_folder(folder: Path) -> None:
    """Put the names of the files in `folder` on the disk, where a folder can be opened for it."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _shown(value: str | None) -> str:
    text = clean(value or "(none)")
    return repr(text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…")

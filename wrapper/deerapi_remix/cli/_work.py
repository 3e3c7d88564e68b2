"""One command at work: what it knows of its job, and how its results are told."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

import deerapi_remix
from deerapi_remix import DeerAPIError, Event, Video

from ._address import address
from ._complaints import complain
from ._display import display, told
from ._endings import Ending, ending_of
from ._exit_codes import ExitCode, MissingExtraError
from ._job_record import OutcomeUnknownError, Remix
from ._key import key_from_terminal
from ._next_command import SaveTo, download_command
from ._streams import put_result
from ._submit import Stage, Submit
from ._text import video_table

# Ends that are nobody's bug.
_TOLD = (
    DeerAPIError,
    KeyboardInterrupt,
    MissingExtraError,
    OSError,
    OutcomeUnknownError,
    ValueError,
)


class Work:
    """What a command is about.

    Attributes:
        as_json: Whether results are for programs.
        base_url: The option of that name, if it was given.
        display: What is seen of the work.
        submit: The submit of the job.
        save_to: The file to save, if there is one.
        job: The job as last seen.
        job_id: The job that another command can go on with.
        paid: Whether this command submitted that job, now or in an earlier run.
    """

    def __init__(self, *, as_json: bool, quiet: bool, base_url: str | None) -> None:
        self.as_json = as_json
        self.base_url = base_url
        self.display = display(quiet=quiet)
        self.submit = Submit(self.display.note)
        self.save_to: SaveTo | None = None
        self.job: Video | None = None
        self.job_id: str | None = None
        self.paid = False
        self._is_read_no_more = False
        self._polls = _Polls()

    def client(self) -> deerapi_remix.RemixClient:
        """A client with the key from the environment or, if there is none, from the terminal."""
        base_url = address(self.base_url)
        # By its full name: it is imported here, for the help does without httpx.
        return deerapi_remix.RemixClient(
            key_from_terminal(), base_url=base_url, on_event=self._on_event
        )

    def will_submit(self, video_id: str, prompt: str, model: str | None) -> None:
        """The command is about this remix. Nothing was sent yet."""
        self.submit.remix = Remix(video_id, prompt, model, address(self.base_url))
        self.submit.stage = Stage.BEFORE

    def submits(self) -> None:
        """From here on, until the job is seen, a paid job may exist whose id is not known."""
        self.submit.stage = Stage.UNDER_WAY
        self.display.submitting()

    def resumes(self, job_id: str) -> None:
        """The job was submitted by an earlier run."""
        self.submit.stage = Stage.ACCEPTED
        self.job_id, self.paid = job_id, True
        self.display.note(
            f"going on with {job_id}, which an earlier run submitted; nothing is paid again"
        )

    def saw(self, video: Video) -> None:
        """The job is known, or there is news of it."""
        self.job, self.job_id = video, video.id
        if self.submit.stage is Stage.UNDER_WAY:
            self.paid = True
            self.submit.accepted(video.id)
            self.display.note(f"accepted as {video.id}")
        self.display.saw(video)

    def result(self, text: str, data: dict[str, Any]) -> None:
        """Write what the command was for to stdout."""
        self.display.close()
        if self.as_json:
            text = json.dumps(data)
        if not text or self._is_read_no_more:
            return
        try:
            put_result(f"{text}\n")
        except OSError as error:
            # Whoever reads, such as `head`, has had enough, and can have the rest for nothing.
            if isinstance(error, BrokenPipeError) and self.submit.stage is Stage.NONE:
                self._is_read_no_more = True
                return
            problem = f"the result could not be written to stdout: {error.strerror}. It is: {text}"
            self._fail(Ending(ExitCode.FILE, type(error).__name__, problem), as_json=False)
            raise typer.Exit(ExitCode.FILE) from None

    def saved(self, path: Path) -> None:
        """The result is a file."""
        self.display.done()
        told: dict[str, Any] = {"id": self.job_id}
        if self.job is not None:  # It was not asked for if its file had been saved before.
            told = self.job.to_dict()
        self.result(str(path), {**told, "path": str(path)})

    def shows(self, video: Video) -> None:
        """The result is a job."""
        self.result(video_table(video), video.to_dict())

    def finished(self, video: Video) -> None:
        """The result is a job whose video can be saved."""
        self.job, self.job_id = video, video.id
        self.display.done()
        self.shows(video)
        save = download_command(video.id, self.base_url, self.save_to)
        self.display.note(f"To save the video: {save}")

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Tell every end that is nobody's bug in one line, and leave with its exit code."""
        try:
            yield
        except _TOLD as error:
            # Once a paid job was seen no argument can be at fault any more.
            misused = isinstance(error, ValueError) and not isinstance(error, DeerAPIError)
            if misused and self.paid and self.job is not None:
                raise
            self.display.close()
            raise typer.Exit(self._tell(error)) from None
        finally:
            self.display.close()
            self.submit.ends()

    def _tell(self, error: BaseException) -> ExitCode:
        ending = ending_of(error, self)
        self._fail(ending, as_json=self.as_json)
        return ending.exit_code

    def _fail(self, ending: Ending, *, as_json: bool) -> None:
        anybody_told = complain(
            ending.exit_code, ending.kind, ending.message, ending.facts, as_json=as_json
        )
        if not anybody_told and self.paid and self.job_id is not None:
            self.submit.keep(self.job_id)

    def _on_event(self, event: Event) -> None:
        line = told(event)
        if event.kind == "poll":
            line = self._polls.news(event, line, seen=self.job is not None)
        if line is not None:
            self.display.note(line)


class _Polls:
    """Which polls are worth a line."""

    def __init__(self) -> None:
        self._status: int | None = 200
        self._told_unread = False

    def news(self, event: Event, line: str | None, *, seen: bool) -> str | None:
        """The line to show for a poll, if any. An outage is told once, not with every poll."""
        before, self._status = self._status, event.status_code
        if line is not None and event.status_code != before:
            return line
        # A poll before this one, had it been readable, would have shown the job.
        unread = event.attempt > 1 and event.status_code == before == 200 and not seen
        if unread and not self._told_unread:
            self._told_unread = True
            return (
                "poll: the answer cannot be read; still waiting. Is the base URL that of the API?"
            )
        return None

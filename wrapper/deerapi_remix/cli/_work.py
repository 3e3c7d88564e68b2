"""One command at work: what it knows of its job, and how its end is told, whatever it is."""

from __future__ import annotations

import contextlib
import json
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

import deerapi_remix
from deerapi_remix import (
    BadRequestError,
    DeerAPIError,
    DownloadError,
    Event,
    RemixFailedError,
    Video,
    WaitTimeoutError,
)

from ._failures import OUTCOME_UNKNOWN, ExitCode, complain, exit_code, explained
from ._job_file import OutcomeUnknownError
from ._key import key_from_terminal
from ._progress import display, told
from ._submit import Submit
from ._text import video_fields, video_table

_FACTS = ("request_id", "attempts", "retryable", "video_id", "status_code", "code", "retry_after")


class Work:
    """What a command is about.

    Attributes:
        job: The job as last seen.
        job_id: The job that another command can go on with.
        paid: Whether this command submitted that job, now or in an earlier run.
        submit: The submit of that job.
        target: The file to save.
    """

    def __init__(self, *, as_json: bool, quiet: bool, base_url: str | None) -> None:
        self._as_json = as_json
        self._base_url = base_url
        self._poll_status: int | None = 200
        self._told_unread = False
        self._save_options: list[str] = []
        self.display = display(quiet=quiet)
        self.submit = Submit(self.display.note)
        self.job: Video | None = None
        self.job_id: str | None = None
        self.paid = False
        self.target: Path | None = None

    @property
    def base_url(self) -> str:
        """Where the API is."""
        return deerapi_remix.config.check_base_url(self._base_url)

    def client(self) -> deerapi_remix.RemixClient:
        """A client with the key from the environment or, if there is none, from whoever sits at the terminal."""
        # By its full name: it is imported here, for the help does without httpx.
        return deerapi_remix.RemixClient(
            key_from_terminal(), base_url=self._base_url, on_event=self._on_event
        )

    def saves(self, target: Path, *, overwrite: bool, variant: str | None = None) -> None:
        """A file is to be saved."""
        self.target = target
        chosen = [] if variant is None else ["--variant", variant]
        self._save_options = [
            "--output",
            str(target),
            *chosen,
            *(["--overwrite"] if overwrite else []),
        ]

    def submits(self) -> None:
        """From here on, until the job is seen, a paid job may exist whose id is not known."""
        self.submit.under_way = True
        self.display.submitting()

    def resumes(self, job_id: str) -> None:
        """The job was submitted by an earlier run."""
        self.submit.under_way = False
        self.job_id, self.paid = job_id, True
        self.display.note(
            f"going on with {job_id}, which an earlier run submitted; nothing is paid again"
        )

    def saw(self, video: Video) -> None:
        """The job is known, or there is news of it."""
        self.job, self.job_id = video, video.id
        if self.submit.under_way:
            self.paid = True
            self.submit.accepted(video.id)
            self.display.note(f"accepted as {video.id}")
        self.display.saw(video)

    def result(self, text: str, data: dict[str, Any]) -> None:
        """Write what the command was for to stdout."""
        self.display.close()
        written = json.dumps(data) if self._as_json else text
        try:
            typer.echo(written, nl=bool(written))
        except OSError as error:
            # What is left in its buffer would fail once more when Python ends.
            sys.stdout = None
            problem = (
                f"the result could not be written to stdout: {error.strerror}. It is: {written}"
            )
            complain(ExitCode.FILE, type(error).__name__, problem, as_json=False)
            raise typer.Exit(ExitCode.FILE) from None

    def shows(self, video: Video) -> None:
        """The result is a job."""
        self.result(video_table(video), video_fields(video))

    def finished(self, video: Video) -> None:
        """The result is a job whose video can be saved."""
        self.job, self.job_id = video, video.id
        self.shows(video)
        self.display.note(f"To save the video: {self._next_command()}")

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Tell every end that is nobody's bug in one line, and leave with its exit code."""
        try:
            yield
        except (DeerAPIError, OutcomeUnknownError, OSError, ValueError, KeyboardInterrupt) as error:
            # Once a paid job was seen no argument can be at fault any more.
            refused = isinstance(error, ValueError) and not isinstance(error, DeerAPIError)
            if refused and self.paid and self.job is not None:
                raise
            self.display.close()
            raise typer.Exit(self._tell(error)) from None
        finally:
            self.display.close()

    def _on_event(self, event: Event) -> None:
        if event.kind == "retry" and event.delay is not None:
            self.submit.pauses(event.delay)
        line = told(event)
        # An outage is told once, not with every poll.
        if line and (event.kind != "poll" or event.status_code != self._poll_status):
            self.display.note(line)
        if event.kind == "poll":
            # A poll before this one, had it been readable, would have shown the job.
            unread = (
                event.attempt > 1
                and event.status_code == self._poll_status == 200
                and self.job is None
            )
            if unread and not self._told_unread:
                self._told_unread = True
                self.display.note(
                    "poll: the answer cannot be read; still waiting. Is the base URL that of the API?"
                )
            self._poll_status = event.status_code

    def _tell(self, error: BaseException) -> ExitCode:
        unknown = self.submit.is_unknown(error)
        kind = type(error).__name__
        facts: dict[str, Any] = {"video_id": self.job_id, "may_have_been_charged": unknown}
        if isinstance(error, DeerAPIError):
            if unknown and error.video is not None:
                self.job, self.job_id = (
                    error.video,
                    error.video.id,
                )  # Salvaged from the answer to the submit.
            message = explained(error)
            facts |= {name: getattr(error, name) for name in _FACTS if hasattr(error, name)}
        elif isinstance(error, KeyboardInterrupt):
            kind = "Interrupted"
            message = self._interruption(unknown=unknown)
        elif isinstance(error, OutcomeUnknownError):
            kind = "OutcomeUnknown"
            message = str(error)
        elif isinstance(error, OSError):
            message = self._file_problem(error, unknown=unknown)
            if isinstance(error, FileExistsError):
                self._save_options = []  # Another file has taken the name: the default one is left.
        else:
            kind = "UsageError"
            message = f"{error}. Nothing was sent."
        if unknown:
            notes = getattr(
                error, "__notes__", []
            )  # Such as the id of the job, from an answer that broke off.
            message = " ".join([message, *notes])
            if self.submit.job_file is not None and self.job_id is None and not notes:
                message = f"{message} If no job was charged, run it again with --resubmit."
        command = (
            self._next_command(too_early=_is_too_early(error)) if self._can_go_on(error) else None
        )
        if command is not None:
            message = (
                f"{message} To go on{', without paying again' if self.paid else ''}: {command}"
            )
        code = ExitCode.UNKNOWN if unknown and isinstance(error, OSError) else exit_code(error)
        if isinstance(error, KeyboardInterrupt) and self.paid and self.job_id is not None:
            self.submit.accepted(self.job_id)  # It may have come just as the job file was written.
        self.submit.failed(error, unknown=unknown)
        video = None if self.job is None else video_fields(self.job)
        complain(code, kind, message, as_json=self._as_json, video=video, next=command, **facts)
        return code

    def _interruption(self, *, unknown: bool) -> str:
        if unknown:
            return f"Interrupted while the remix was submitted. {OUTCOME_UNKNOWN}"
        if self.submit.under_way:
            return "Interrupted. No job was accepted."
        if self.job is not None and not self.job.is_finished:
            return "Interrupted. The job goes on."
        return "Interrupted."

    def _file_problem(self, error: OSError, *, unknown: bool) -> str:
        reason = error.strerror or str(error)
        where = "" if self.target is None else f"{self.target}: "
        sent = (
            f" {OUTCOME_UNKNOWN}"
            if unknown
            else " Nothing was sent."
            if self.submit.under_way
            else ""
        )
        exists = isinstance(error, FileExistsError) and not self.paid
        return f"{where}{reason}.{sent}{' Add --overwrite, or choose another --output.' if exists else ''}"

    def _can_go_on(self, error: BaseException) -> bool:
        if isinstance(error, RemixFailedError) or (
            isinstance(error, FileExistsError) and not self.paid
        ):
            return False
        if self.paid or isinstance(
            error, WaitTimeoutError | DownloadError | KeyboardInterrupt | OSError
        ):
            return True
        may_help = isinstance(error, DeerAPIError) and (
            error.retryable or error.may_have_been_charged
        )
        return may_help or _is_too_early(error)

    def _next_command(self, *, too_early: bool = False) -> str | None:
        if self.job_id is None:
            return None
        address = [] if self._base_url is None else ["--base-url", self._base_url]
        job = ["--", self.job_id] if self.job_id.startswith("-") else [self.job_id]
        done = self.job is not None and self.job.is_completed
        # Whoever asks for a file knows of its job, unless the server knows better.
        only_saves = (
            self.target is not None and self.job is None and not self.paid and not too_early
        )
        commands = [] if done or only_saves else [["wait", *address, *job]]
        if done or self.target is not None:
            commands.append(["download", *self._save_options, *address, *job])
        return " && ".join(shlex.join(["deerapi-remix", *command]) for command in commands)


def _is_too_early(error: BaseException) -> bool:
    """Whether the server says that the job whose file was asked for goes on."""
    refused = isinstance(error, BadRequestError | DownloadError)
    return refused and "not completed" in str(error.args[0]).lower()

"""How the end of a command is told, whatever it is."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import attrs

from deerapi_remix import (
    DeerAPIError,
    DownloadError,
    NotFoundError,
    Reason,
    RemixFailedError,
    WaitTimeoutError,
)

from ._complaints import OUTCOME_UNKNOWN, explained
from ._exit_codes import ExitCode, MissingExtraError, exit_code
from ._job_record import OutcomeUnknownError, RunInProgressError
from ._next_command import download_command, wait_command
from ._regular_file import UnusableFileError
from ._submit import Stage

if TYPE_CHECKING:
    from ._work import Work

_FACTS = (
    "request_id",
    "attempts",
    "retryable",
    "video_id",
    "job_id",
    "status_code",
    "code",
    "retry_after",
)


@attrs.frozen
class Ending:
    """What is said of an end.

    Attributes:
        exit_code: The exit code.
        kind: The name of what ended the command.
        message: What happened and what to do, for people.
        facts: The same for programs.
    """

    exit_code: ExitCode
    kind: str
    message: str
    facts: dict[str, Any] = attrs.Factory(dict)


def ending_of(error: BaseException, work: Work) -> Ending:
    """What to say of `error`. The job file is left as the next run needs it."""
    unknown = work.submit.is_unknown(error)
    message = _message(error, work, unknown=unknown)
    facts: dict[str, Any] = {"video_id": work.job_id, "may_have_been_charged": unknown}
    if isinstance(error, DeerAPIError):
        _take_over_job(error, work)
        facts |= {name: getattr(error, name) for name in _FACTS if hasattr(error, name)}
    interrupted = isinstance(error, KeyboardInterrupt)
    if interrupted and work.paid and work.job_id is not None:
        # The interruption may have come just as the job file was written.
        work.submit.accepted(work.job_id)
    work.submit.failed(error, unknown=unknown)
    if unknown and work.job_id is None:
        message = f"{message}{_how_to_settle(work)}"
    command = None
    if _can_go_on(error, work):
        command = _next_commands(error, work)
    if command is not None:
        message = f"{message} {_how_to_go_on(error, work, command)}"
    if work.job is not None:
        facts["video"] = work.job.to_dict()
    code = exit_code(error)
    if unknown and not interrupted:
        code = ExitCode.UNKNOWN
    return Ending(code, _kind(error), message, {**facts, "next": command})


def _take_over_job(error: DeerAPIError, work: Work) -> None:
    """An answer to the submit that is a failure can have told the job all the same."""
    if error.job_id is not None and work.submit.stage is Stage.UNDER_WAY:
        work.job, work.job_id = error.video, error.job_id
        work.paid = True


def _kind(error: BaseException) -> str:
    match error:
        case DeerAPIError() | OSError():
            return type(error).__name__
        case KeyboardInterrupt():
            return "Interrupted"
        case RunInProgressError():
            return "RunInProgress"
        case OutcomeUnknownError():
            return "OutcomeUnknown"
        case MissingExtraError():
            return "MissingExtra"
        case _:
            return "UsageError"


def _message(error: BaseException, work: Work, *, unknown: bool) -> str:
    match error:
        case DeerAPIError():
            return explained(error)
        case KeyboardInterrupt():
            return _interruption(work, unknown=unknown)
        case OutcomeUnknownError() | MissingExtraError():
            return str(error)
        case OSError():
            return _file_problem(error, work, unknown=unknown)
        case _:
            return f"{error}. Nothing was sent."


def _interruption(work: Work, *, unknown: bool) -> str:
    if unknown:
        return f"Interrupted while the remix was submitted. {OUTCOME_UNKNOWN}"
    if work.submit.stage in (Stage.BEFORE, Stage.UNDER_WAY):
        return "Interrupted. No job was accepted."
    if work.job is not None and not work.job.is_finished:
        return "Interrupted. The job goes on."
    return "Interrupted."


def _file_problem(error: OSError, work: Work, *, unknown: bool) -> str:
    problem = error.strerror or str(error)
    if work.save_to is not None:
        if isinstance(error, FileExistsError) and not work.save_to.overwrite:
            return _exists(work)
        problem = f"{work.save_to.target}: {problem}"
    elif error.filename is not None:
        problem = f"{error.filename}: {problem}"
    sentences = [f"{problem}."]
    if unknown:
        sentences.append(OUTCOME_UNKNOWN)
    elif work.submit.stage in (Stage.BEFORE, Stage.UNDER_WAY):
        sentences.append("Nothing was sent.")
    if isinstance(error, UnusableFileError):
        sentences.append("Remove it, or choose another --output.")
    return " ".join(sentences)


def _exists(work: Work) -> str:
    assert work.save_to is not None  # noqa: S101  # Only a file that is saved can be in the way.
    exists = f"{work.save_to.target} exists."
    if work.submit.stage is Stage.NONE:
        return f"{exists} Add --overwrite, or choose another --output."
    done = f"{exists} If that is the video you wanted you are done"
    if work.paid:
        return f"{done}."
    return f"{done}; --overwrite submits and pays for a new one. Nothing was sent."


def _how_to_settle(work: Work) -> str:
    """What to do once it is known if there is a job."""
    if work.submit.key is not None:
        command = shlex.join(["deerapi-remix", "ledger", "resolve", work.submit.key])
        return f" Once you know: {command} --job ID, or --not-charged."
    if work.submit.job_file is not None:
        return " If no job was charged, run it again with --resubmit."
    return ""


def _can_go_on(error: BaseException, work: Work) -> bool:
    """Whether another command can get at the video."""
    if isinstance(error, RemixFailedError):
        return False
    if work.paid:
        return True
    if isinstance(error, FileExistsError):
        return False
    if isinstance(error, WaitTimeoutError | DownloadError | KeyboardInterrupt | OSError):
        return True
    if not isinstance(error, DeerAPIError):
        return False
    return error.retryable or error.may_have_been_charged or error.reason is Reason.NOT_READY


def _next_commands(error: BaseException, work: Work) -> str | None:
    if work.job_id is None:
        return None
    # Whoever asks for a file knows of its job, unless the server knows better.
    not_ready = isinstance(error, DeerAPIError) and error.reason is Reason.NOT_READY
    only_saves = work.save_to is not None and work.job is None and not work.paid
    completed = work.job is not None and work.job.is_completed
    commands = []
    if not completed and (not_ready or not only_saves):
        commands.append(wait_command(work.job_id, work.base_url))
    if completed or work.save_to is not None:
        save_to = work.save_to
        if isinstance(error, FileExistsError):
            save_to = None  # Another file has taken the name: the default one is left.
        commands.append(download_command(work.job_id, work.base_url, save_to))
    return " && ".join(commands)


def _is_unknown_job(error: BaseException) -> bool:
    if isinstance(error, NotFoundError):
        return True
    return isinstance(error, DeerAPIError) and error.reason is Reason.UNKNOWN_JOB


def _how_to_go_on(error: BaseException, work: Work, command: str) -> str:
    job_file = work.submit.job_file
    if job_file is not None and _is_unknown_job(error):
        return f"If the job has expired, remove {job_file.name} to submit, and pay, anew."
    target_is_taken = isinstance(error, FileExistsError)
    if work.submit.is_kept(work.job_id) and not target_is_taken:
        return f"Run the same command again: it goes on with {work.job_id} and pays for no other."
    if work.paid:
        return f"To go on, without paying again: {command}"
    return f"To go on: {command}"

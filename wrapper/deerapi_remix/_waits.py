"""One wait for one job: what its polls told, when the next one is made, and how it ends."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Any

from . import _clock
from ._answer import Answer, UnreadableAnswerError
from ._deadline import Deadline
from ._failures import is_unknown
from ._polling import PollSchedule, Verdict
from ._reading import named_in, read_video, tells_status
from .config import PollingPolicy, check_callbacks
from .errors import APIResponseValidationError, DeerAPIError, RemixFailedError, WaitTimeoutError
from .models import OnUpdate, Video, VideoError

# Seconds in which a server may not know a job: one that it has just accepted, and one whose id
# was handed in as text, for the answer to its submit may have gone out a moment ago.
GRACE_OF_A_NEW_JOB = 30.0
GRACE_OF_AN_ID = 10.0


class Wait:
    """One wait for one job.

    Attributes:
        video: The job as last seen; None if only its id is known.
        video_id: The id that is asked for.
        polls: Counts polls.
        started: When the wait began, on the monotonic clock.
        deadline: When it ends.
        is_over: Whether the job has ended.
    """

    # There may be ten thousand of them.
    __slots__ = (
        "_grace",
        "_last_error",
        "_schedule",
        "_verdict",
        "deadline",
        "is_over",
        "polls",
        "started",
        "video",
        "video_id",
    )

    def __init__(self, video: Video | str, policy: PollingPolicy, deadline: Deadline) -> None:
        self.video: Video | None = None
        if isinstance(video, Video):
            self.video = video
            self.video_id = video.id
        else:
            self.video_id = video
        self.polls = 0
        self.started = _clock.monotonic()
        self.deadline = deadline
        self.is_over = self.video is not None and self.video.is_finished
        self._schedule = PollSchedule(policy)
        self._verdict = Verdict()
        self._grace = GRACE_OF_AN_ID if self.video is None else GRACE_OF_A_NEW_JOB
        self._last_error: DeerAPIError | None = None

    def delay(self) -> float:
        """Seconds to sleep before the next poll."""
        if self.polls == 0 and self.video is None:
            return 0.0
        return self._schedule.delay(
            left=self.deadline.left(),
            now=_clock.monotonic(),
            draw=random.random(),  # noqa: S311  # Jobs must not poll in step; it is no secret.
        )

    def check_time(self) -> None:
        """Raise WaitTimeoutError if there is no time left for a poll."""
        if not self.deadline.has_passed():
            return
        message = "The deadline passed; the job was never seen"
        if self.video is not None:
            message = f"The deadline passed; the job is {self.video.status!r}"
            if self.video.error is not None and self.video.error.message is not None:
                message = f"{message} ({self.video.error.message})"
        raise WaitTimeoutError(message, **self._known()) from self._last_error

    def answered(self, video: Video, answer: Answer) -> None:
        """Take in the answer of a poll."""
        self.polls += 1
        self.video = video
        self._schedule.answered(video.progress, answer.poll_after, _clock.monotonic())
        self._judge(video)

    def _judge(self, video: Video) -> None:
        self.is_over = self._verdict.is_over(
            video, named=named_in(video.raw), tells_status=tells_status(video.raw)
        )

    def failed(self, error: DeerAPIError, answer: Answer) -> None:
        """Take in the answer of a failed poll: whatever its status, it may tell how the job ended.

        A 2xx may do so without an id that could be sent back. Any other status may be about the
        request alone, so the answer has to be the job that was asked for.
        """
        content: object = None
        with suppress(UnreadableAnswerError):
            content = answer.json()
        if not isinstance(content, dict):
            return
        video = read_video(content, self.video_id, error.request_id)
        is_end = not answer.is_success and video.is_finished and self.video_id in named_in(content)
        if is_end or _is_unreadable(error):
            self._judge(video)
            self.video = video if self.is_over else self.video

    def ends_with(self, error: DeerAPIError) -> bool:
        """Take in a failed poll; whether the wait ends with it."""
        self.polls += 1
        self._last_error = error
        self._schedule.failed(getattr(error, "retry_after", None))
        goes_on = error.retryable or _is_unreadable(error) or self._may_be_unknown_yet(error)
        error.video = error.video or self.video
        return not (goes_on or self.is_over)

    def result(self) -> Video:
        """The finished job; RemixFailedError if it ended without a video."""
        assert self.video is not None  # noqa: S101  # Only asked for once the job has ended.
        if self.video.is_completed and not self._verdict.has_failed:
            return self.video
        error = self.video.error or VideoError()
        reason = error.message or "the server gives no reason"
        code = f" [{error.code}]" if error.code else ""
        raise RemixFailedError(
            f"The job ended as {self.video.status!r}: {reason}{code}", **self._known()
        )

    def _may_be_unknown_yet(self, error: DeerAPIError) -> bool:
        if self._schedule.has_answers or _clock.monotonic() - self.started >= self._grace:
            return False
        return is_unknown(error)

    def _known(self) -> dict[str, Any]:
        return {
            "video": self.video,
            "video_id": self.video_id,
            "request_id": self.video.request_id if self.video else None,
            "attempts": self.polls,
        }


def _is_unreadable(error: DeerAPIError) -> bool:
    """Whether an answer could not be read.

    What was read but breaks the contract is what a strict client wants to see.
    """
    return isinstance(error, APIResponseValidationError) and error.video is None


class Updates:
    """Tells the user's function of the first video, and of those that bring news."""

    # There may be ten thousand of them.
    __slots__ = ("_last", "_on_update")

    def __init__(self, on_update: OnUpdate | None) -> None:
        check_callbacks(on_update=on_update)
        self._on_update = on_update
        self._last: tuple[str, int | None] | None = None

    def tell(self, video: Video) -> None:
        """Call the function if status or progress differ from those of the last call."""
        if self._on_update is None:
            return
        state = (video.status, video.progress)
        if state == self._last:
            return
        self._last = state
        self._on_update(video)

"""How a job is followed. Pure: given what the polls told, how long to wait, or stop."""

import math
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from . import _clock, errors
from .config import PollingPolicy, check_callbacks, check_seconds
from .models import OnUpdate, Video, number

# Seconds in which the server may not know a job that it has just accepted.
GRACE = 30.0


class Wait:
    """One wait for one job.

    Attributes:
        video: The job as last seen; None if only its id is known.
        polls: Counts polls.
        started: When the wait began, on the monotonic clock.
        deadline: When it ends, on the monotonic clock.
    """

    def __init__(
        self, video: Video | str, policy: PollingPolicy, deadline: float, on_update: OnUpdate | None
    ) -> None:
        check_callbacks(on_update=on_update)
        self._policy = policy
        self._on_update = on_update
        self.started = _clock.monotonic()
        self.deadline = deadline
        self.video = video if isinstance(video, Video) else None
        self.video_id = video.id if isinstance(video, Video) else video
        self.polls = 0
        self._reported: Video | None = None
        self._asked: float | None = None
        self._error: errors.DeerAPIError | None = None
        self._readings: tuple[tuple[float, int | None], ...] = ()
        self._end = -math.inf

    @property
    def left(self) -> float:
        """Seconds until the deadline."""
        return max(self.deadline - _clock.monotonic(), 0.0)

    def delay(self) -> float:
        """Seconds to sleep before the next poll."""
        if self.polls == 0 and self.video is None:
            return 0.0
        interval, left = self._interval(), self.left
        if not self._asked and interval >= left >= 2 * self._policy.initial_interval:
            interval = (
                left - self._policy.initial_interval
            )  # A last look, with time for its answer.
        return min(interval, left)

    @contextmanager
    def poll(self) -> Iterator[None]:
        """What a poll is made within; errors.WaitTimeoutError if there is no time left for it."""
        if not self.left:
            state = f"is {self.video.status!r}" if self.video else "was never seen"
            raise errors.WaitTimeoutError(
                f"The deadline passed; the job {state}", **self._known()
            ) from self._error
        try:  # From here on: the end of the time is no failed poll.
            yield
        except errors.DeerAPIError as error:
            if not self.failed(error):
                raise

    @contextmanager
    def named(self) -> Iterator[None]:
        """Let every error tell which job it is about: the job is paid for, and goes on."""
        try:
            yield
        except errors.DeerAPIError as error:
            error.video = error.video or self.video
            error.video_id = self.video_id
            error.retryable = False  # To call `remix_to_file` again would pay again.
            raise
        except BaseException as error:
            error.add_note(
                f"The job goes on as {self.video_id}: wait for it and download it, do not submit it again."
            )
            raise

    def saw(self, video: Video, hint: str | None) -> None:
        """Take in the answer of a poll, and in how many milliseconds the server wants to be asked again."""
        self.polls += 1
        self.video = video
        after = number(hint)
        self._asked = None if after is None or after < 0 else self._clamp(after / 1000)
        self._predict(video.progress)

    def report(self) -> None:
        """Tell the user what the server told, if status or progress are news."""
        last, video = (
            self._reported,
            self._reported if self.polls and not self._readings else self.video,
        )
        self._reported = video  # Not what was handed in, once polls have failed.
        if video and (
            last is None or (last.status, last.progress) != (video.status, video.progress)
        ):
            (self._on_update or str)(video)

    def failed(self, error: errors.DeerAPIError) -> bool:
        """Take in a failed poll; whether the wait goes on."""
        self.polls += 1
        self._error = error
        # It may not silence a wait for longer than an hour: what it asks for may be absurd.
        self._asked = min(getattr(error, "retry_after", None) or 0.0, 3600.0)
        # An answer that was read but breaks the contract is what a strict client wants to see.
        unreadable = isinstance(error, errors.APIResponseValidationError) and error.video is None
        error.video = error.video or self.video
        return unreadable or error.retryable or self._may_be_unknown_yet(error)

    def result(self) -> Video:
        """The finished job; RemixFailedError if it ended without a video."""
        assert self.video is not None  # noqa: S101  # Only asked for once finished.
        if self.video.is_completed:
            return self.video
        why = self.video.error
        reason = (why.message if why else None) or "the server gives no reason"
        code = f" [{why.code}]" if why and why.code else ""
        raise errors.RemixFailedError(
            f"The job ended as {self.video.status!r}: {reason}{code}", **self._known()
        )

    def _known(self) -> dict[str, Any]:
        request_id = self.video.request_id if self.video else None
        return {
            "video": self.video,
            "video_id": self.video_id,
            "request_id": request_id,
            "attempts": self.polls,
        }

    def _may_be_unknown_yet(self, error: errors.DeerAPIError) -> bool:
        just_accepted = (
            self.video is not None
            and not self._readings
            and _clock.monotonic() - self.started < GRACE
        )
        told = str(error.args[0]).lower().replace("_", " ")
        unknown = isinstance(error, errors.BadRequestError) and "not exist" in told
        return just_accepted and (unknown or isinstance(error, errors.NotFoundError))

    def _interval(self) -> float:
        if self._asked and self._asked > 0:
            return max(self._asked, self._policy.initial_interval)
        # Half of what is left; past the predicted end half of what it is late, up to a fixed interval. That is for jobs
        # whose end is unknown, too: intervals that grow need nearly twice the requests for the same lag (benchmarks/).
        ahead = self._end - _clock.monotonic()
        guess = ahead / 2 if ahead > 0 else min(-ahead / 2, self._policy.max_interval / 2)
        return self._clamp(self._clamp(guess) * random.uniform(0.9, 1.1))  # noqa: S311  # Jobs must not poll in step.

    def _predict(self, progress: int | None) -> None:
        """Extrapolate the end from three polls in a row that each saw progress; one jump alone tells nothing."""
        self._readings = (*self._readings[-2:], (_clock.monotonic(), progress))
        told = [percent for _, percent in self._readings if percent is not None]
        if len(told) == 3 and told[0] < told[1] < told[2]:
            began, now = self._readings[0][0], self._readings[2][0]
            self._end = now + (100 - told[2]) * (now - began) / (told[2] - told[0])

    def _clamp(self, interval: float) -> float:
        return min(max(interval, self._policy.initial_interval), self._policy.max_interval)


def deadline_after(timeout: float | None, policy: PollingPolicy) -> float:
    """The point on the monotonic clock at which a wait that starts now ends."""
    return _clock.monotonic() + check_seconds(
        "timeout", policy.timeout if timeout is None else timeout
    )


def is_not_ready(error: errors.DeerAPIError) -> bool:
    """Whether the server says that the file is not there yet: with 400, or with JSON in its place."""
    may_say_so = isinstance(error, errors.DownloadError | errors.BadRequestError)
    return (
        may_say_so and "not completed" in str(error.args[0]).lower()
    )  # Not in str(error), which shows the id, too.

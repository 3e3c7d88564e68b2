"""Everything this package raises on its own account.

DeerAPIError
├ ConfigurationError (ValueError)    missing or malformed key, unusable base URL, client not usable here
├ APIConnectionError                 no answer came
│ └ APITimeoutError (TimeoutError)
├ APIStatusError                     an answer other than 2xx came
│ ├ BadRequestError                  400, 422
│ ├ AuthenticationError              401
│ ├ PermissionDeniedError            403
│ ├ NotFoundError                    404
│ ├ ConflictError                    409
│ ├ RateLimitError                   429
│ └ InternalServerError              5xx
├ APIResponseValidationError         a 2xx that cannot be read, or breaks the contract
├ RemixFailedError                   the job ended without a video
├ WaitTimeoutError (TimeoutError)    the deadline passed; waiting can go on later
└ DownloadError                      the file that came is of the wrong type or length
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from .models import Video

_CHARGED = "The job may have been accepted and charged: look at your usage with the vendor before you submit it again."


class DeerAPIError(Exception):
    """Base of every error of this package.

    Attributes:
        request_id: What the vendor's support asks for, if an answer carried it.
        attempts: How many times the request was sent, or tried to be.
        may_have_been_charged: True if a paid job may exist although this call failed.
        retryable: True if calling again is safe and may help.
        video: The job as last seen, once one was accepted.
        video_id: The id that was passed or, once a submit was accepted, the id of the new job.
    """

    advice: ClassVar[str] = ""

    request_id: str | None = None
    attempts: int = 0
    may_have_been_charged: bool = False
    retryable: bool = False
    video: Video | None = None
    video_id: str | None = None

    def __init__(self, summary: str = "", /, **attributes: Any) -> None:
        super().__init__(summary)
        vars(self).update(attributes)

    def __str__(self) -> str:
        facts = {"video": self.video_id, "request id": self.request_id, "attempts": self.attempts}
        told = ", ".join(f"{name}: {value}" for name, value in facts.items() if value)
        parts = [str(self.args[0]) if self.args else "", f"({told})" if told else ""]
        return " ".join(
            filter(None, [*parts, _CHARGED if self.may_have_been_charged else self.advice])
        )


class ConfigurationError(DeerAPIError, ValueError):
    """The key or base URL is missing or malformed, or the client cannot be used here. Nothing was sent."""


class APIConnectionError(DeerAPIError):
    """No answer came, or it was cut off. The httpx error is the `__cause__`."""


class APITimeoutError(APIConnectionError, TimeoutError):
    """No answer came in time."""


class APIStatusError(DeerAPIError):
    """The server answered with a status other than 2xx.

    Attributes:
        status_code: The HTTP status.
        code: The server's code for programs, such as `insufficient_user_quota`.
        message: The server's message for people, or the name of the status.
        retry_after: Seconds the server asks to wait, if it does.
        body: The answer as text, at most 2,000 characters.
    """

    status_code: int = 0
    code: str | None = None
    message: str = ""
    retry_after: float | None = None
    body: str = ""


class BadRequestError(APIStatusError):
    """400 or 422: the request is not acceptable."""

    advice = "Change the request; sending it again as it is will not help."


class AuthenticationError(APIStatusError):
    """401: the key is not accepted."""

    advice = "Check DEERAPI_KEY or api_key."


class PermissionDeniedError(APIStatusError):
    """403: the key may not do this, or the balance is used up."""

    advice = "Check the balance of the account and what the key is allowed to do."


class NotFoundError(APIStatusError):
    """404: no such video or path."""

    advice = "Check the video id and the base URL."


class ConflictError(APIStatusError):
    """409: the request clashes with the state of the video."""


class RateLimitError(APIStatusError):
    """429: too many requests."""

    advice = "Call again later, or less often."


class InternalServerError(APIStatusError):
    """5xx: the server, or a proxy in front of it, failed."""

    advice = "Call again later; if it goes on, send the request id to the vendor's support."


class APIResponseValidationError(DeerAPIError):
    """A 2xx came that cannot be read, holds no usable id, or breaks the contract of a strict client.

    Attributes:
        body: The answer as text, at most 2,000 characters.
    """

    advice = "Send the request id to the vendor's support."

    body: str = ""


class RemixFailedError(DeerAPIError):
    """The job ended without a video; `video.error` tells why."""


class WaitTimeoutError(DeerAPIError, TimeoutError):
    """The deadline passed before the file was there; `video` is None if none was seen."""

    advice = "The job goes on: wait for it again with this id."


class DownloadError(DeerAPIError):
    """What came is not the file: wrong type, wrong length, or empty. The target was not touched.

    Attributes:
        path: The target.
        received: Bytes that came.
        expected: Bytes that were announced, if they were.
    """

    advice = "The video can be downloaded again free of charge."

    path: Path | None = None
    received: int = 0
    expected: int | None = None

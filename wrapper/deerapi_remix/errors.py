"""Everything this package raises on its own account.

DeerAPIError
├ ConfigurationError (ValueError)    missing or malformed key, unusable base URL, or client
├ APIConnectionError                 no answer came
│ └ APITimeoutError (TimeoutError)
├ APIStatusError                     an answer other than 2xx came
│ ├ BadRequestError                  400, 422
│ ├ AuthenticationError              401
│ ├ PermissionDeniedError            403
│ │ └ InsufficientQuotaError         402, and 403 that says so: the balance is used up
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
from typing import TYPE_CHECKING, Any

from ._reason import Reason as Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .models import Video

CHARGED = (
    "The job may have been accepted and charged: look at your usage with the vendor before you"
    " submit it again."
)


class DeerAPIError(Exception):
    """Base of every error of this package.

    `args` are ready for JSON and rebuild the error (`type(error)(*error.args)`), because task
    queues carry errors so.

    Attributes:
        request_id: What the vendor's support asks for, if an answer carried it.
        attempts: How many times the request was sent, or tried to be.
        may_have_been_charged: True if a paid job may exist although this call failed.
        retryable: True if calling again is safe and may help.
        video: The job as last seen, once one was accepted.
        video_id: The id that was passed or, once a submit was accepted, the id of the new job.
        job_id: The id of the new job, once an answer to a submit gave one.
        reason: What the failed answer means, where its status alone does not tell.
        advice: What to do about it, as the message says it.
    """

    advice: str = ""

    request_id: str | None = None
    attempts: int = 0
    may_have_been_charged: bool = False
    retryable: bool = False
    video: Video | None = None
    video_id: str | None = None
    job_id: str | None = None
    reason: Reason | None = None

    def __init__(
        self, summary: str = "", facts: Mapping[str, Any] | None = None, /, **attributes: Any
    ) -> None:
        super().__init__(summary)
        self._summary = summary
        vars(self).update(_from_json(facts or {}))
        vars(self).update(attributes)

    if not TYPE_CHECKING:  # To type checkers it stays what it is on every exception.

        @property
        def args(self) -> tuple[Any, ...]:
            """The summary and the attributes that are set, ready for JSON."""
            told = {
                name: _to_json(value)
                for name, value in vars(self).items()
                if not name.startswith("_") and value != getattr(type(self), name, None)
            }
            return (self._summary, told) if told else (self._summary,)

        @args.setter
        def args(self, values: tuple[Any, ...]) -> None:
            """Replace the summary. The attributes are set by their names."""
            self._summary = str(values[0]) if values else ""

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._summary,), vars(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._summary!r})"

    def __str__(self) -> str:
        facts = {"video": self.video_id, "request id": self.request_id, "attempts": self.attempts}
        if self.request_id and self.request_id in self._summary:
            del facts["request id"]  # The server's own message tells it.
        known = ", ".join(f"{name}: {value}" for name, value in facts.items() if value)
        sentences = [_as_sentence(f"{self._summary} ({known})" if known else self._summary)]
        sentences.append(CHARGED if self.may_have_been_charged else self.advice)
        return " ".join(filter(None, sentences))


def _as_sentence(text: str) -> str:
    text = text.strip()
    if not text or text.endswith((".", "!", "?")):
        return text
    return f"{text}."


def _to_json(value: Any) -> Any:
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if isinstance(value, Path | Reason):
        return str(value)
    return value


def _from_json(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes from what `args` made of them."""
    attributes = dict(facts)
    if isinstance(attributes.get("video"), dict):
        from .models import Video  # Errors are imported without it, and seldom rebuilt.

        attributes["video"] = Video.from_dict(attributes["video"])
    if isinstance(attributes.get("path"), str):
        attributes["path"] = Path(attributes["path"])
    if isinstance(attributes.get("reason"), str):
        attributes["reason"] = Reason(attributes["reason"])
    return attributes


class ConfigurationError(DeerAPIError, ValueError):
    """Key or base URL are missing or malformed, or the client is not usable. Nothing was sent."""


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
    """403: the key may not do this."""

    advice = "Check the balance of the account and what the key is allowed to do."


class InsufficientQuotaError(PermissionDeniedError):
    """402, or 403 that says so: the balance or quota of the account is used up."""

    advice = "Top up the balance of the account."


class NotFoundError(APIStatusError):
    """404: no such video or path."""

    advice = "Check the video id and the base URL."


class ConflictError(APIStatusError):
    """409: the request clashes with the state of the video."""


class RateLimitError(APIStatusError):
    """429: too many requests. With `attempts` 0 nothing was sent: there was no turn in time."""

    advice = "Call again later, or less often."


class InternalServerError(APIStatusError):
    """5xx: the server, or a proxy in front of it, failed."""

    advice = "Call again later; if it goes on, send the request id to the vendor's support."


class APIResponseValidationError(DeerAPIError):
    """A 2xx came that cannot be read, holds no usable id, or breaks a strict client's contract.

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
    """What came is not the file: wrong type, wrong length, or empty. The target is untouched.

    Attributes:
        path: The target.
        received: Bytes that came.
        expected: Bytes that were announced, if they were.
    """

    advice = "The video can be downloaded again free of charge."

    path: Path | None = None
    received: int = 0
    expected: int | None = None

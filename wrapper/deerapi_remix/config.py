"""What a client and its methods are told: policies and checks, before anything is sent."""

from __future__ import annotations

import inspect
import math
import os
import re
from collections.abc import Callable
from typing import Any

import attrs
import httpx
from attrs.validators import ge, lt

from ._reading import problem_of_id, problem_of_text
from .errors import ConfigurationError

Timeout = float | httpx.Timeout
DEFAULT_BASE_URL = "https://api.deerapi.com"

# The packages under a transport whose word counts when it says that nothing was sent. Others use
# the same errors for connections that died under the request, so behind them a lost submit is
# taken for one that may have been charged.
TRUSTED_TRANSPORTS = frozenset({"httpcore", "httpcore2"})


def _seconds(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    check_seconds(attribute.name, value)


def exactly(kind: type) -> Callable[[object, attrs.Attribute[Any], object], None]:
    """A validator for values of one type, with a plain message."""

    def check(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if type(value) is not kind:  # Not isinstance: True is no count.
            expected = "an int" if kind is int else f"a {kind.__name__}"
            raise TypeError(f"{attribute.name} must be {expected}, not {type(value).__name__}")

    return check


def _rate(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{attribute.name} must be a number or None, not {type(value).__name__}")
    if not 0 < value < math.inf:
        raise ValueError(f"{attribute.name} must be above 0 and finite, not {value}")


def check_seconds(name: str, value: object) -> float:
    """`value`, or TypeError or ValueError if it is no number of seconds; `math.inf` is one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a number of seconds, not {type(value).__name__}")
    if math.isnan(value) or value < 0:
        raise ValueError(f"{name} must not be negative or NaN, not {value}")
    return value


def check_remix(video_id: object, *, prompt: object, model: object = None) -> None:
    """Check what `remix` would be called with. Nothing is sent.

    Args:
        video_id: The video to remix.
        prompt: What should happen in the new video.
        model: The model that should render it, if one is named.

    Raises:
        TypeError: One of them is no string.
        ValueError: One of them is blank or cannot be sent.
    """
    check_id(video_id)
    _check_text("prompt", prompt)
    if model is not None:
        _check_text("model", model)


def check_id(value: object) -> str:
    """`value`, or TypeError or ValueError if it cannot be one segment of a path."""
    video_id = _check_text("video_id", value)
    problem = problem_of_id(video_id)
    if problem is not None:
        raise ValueError(f"video_id {problem}")
    return video_id


def _check_text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a string, not {type(value).__name__}")
    problem = problem_of_text(value)
    if problem is not None:
        raise ValueError(f"{name} {problem}")
    return value


def check_callbacks(**callbacks: object) -> None:
    """Raise TypeError unless each is None or a plain function: a coroutine would never run."""
    for name, value in callbacks.items():
        plain = callable(value) and not any(
            map(inspect.iscoroutinefunction, (value, type(value).__call__))
        )
        if value is not None and not plain:
            raise TypeError(
                f"{name} must be a plain function, not {type(value).__name__} {value!r}"
            )


@attrs.frozen
class RetryPolicy:
    """When a failed request is sent again.

    Exponential backoff with full jitter, bounded by count and by time.

    Attributes:
        attempts: How many times a request is sent at most, the first one included.
        initial_delay: Upper bound of the first delay, in seconds; it doubles each time.
        max_delay: Upper bound of every delay, in seconds. `Retry-After` is not bound by it.
        budget: Seconds after the start of a call in which another attempt may start.
        resend_paid: Whether a submit is sent again after status 500 and 503, as the vendor advises.
        submits_per_second: How many submits a second the server is known to take. Default: that is
            learned from its answers of 429.
    """

    attempts: int = attrs.field(default=4, validator=[exactly(int), ge(1)])
    initial_delay: float = attrs.field(default=0.5, validator=[_seconds, lt(math.inf)])
    max_delay: float = attrs.field(default=8.0, validator=[_seconds, lt(math.inf)])
    budget: float = attrs.field(default=60.0, validator=_seconds)
    resend_paid: bool = attrs.field(default=True, validator=exactly(bool))
    submits_per_second: float | None = attrs.field(default=None, validator=_rate)


@attrs.frozen
class PollingPolicy:
    """How a job is followed.

    Where progress tells when the job will end, each poll comes after half of the time that is
    left; else at a fixed interval, half of `max_interval`. All are varied by 10 %, so that jobs do
    not poll in step. With the defaults a job whose progress is steady costs 9 requests for 100 s
    of rendering and is noticed 1.3 s after its end, one without progress 13 and 4 s
    (`benchmarks/polling`). A hint of the server's is followed instead, within the bounds.

    Attributes:
        initial_interval: Seconds between polls at least.
        max_interval: Seconds between polls at most.
        timeout: Seconds after which waiting ends with `WaitTimeoutError`; `math.inf` for never.
    """

    initial_interval: float = attrs.field(default=2.0, validator=[_seconds, lt(math.inf)])
    max_interval: float = attrs.field(default=15.0, validator=[_seconds, lt(math.inf)])
    timeout: float = attrs.field(default=900.0, validator=_seconds)

    def __attrs_post_init__(self) -> None:
        if not 0 < self.initial_interval <= self.max_interval:
            raise ValueError(
                "initial_interval must be above 0 and at most max_interval,"
                f" not {self.initial_interval}"
            )


def check_base_url(value: str | None) -> str:
    """Check where the API is.

    Args:
        value: The base URL. Default: `DEERAPI_BASE_URL`, else `https://api.deerapi.com`.

    Returns:
        The base URL to use, without a slash at the end.

    Raises:
        ConfigurationError: It is not https (http is for loopback addresses), or has user info, a
            query or a fragment.
    """
    if value is None:
        value = os.environ.get("DEERAPI_BASE_URL", "").strip() or DEFAULT_BASE_URL
    if not isinstance(value, str):
        raise ConfigurationError(f"The base URL must be a string, not {type(value).__name__}.")
    value = value.strip()
    try:
        url = httpx.URL(value)
        host, port = url.host, url.port
    except (httpx.InvalidURL, ValueError):
        raise ConfigurationError("The base URL cannot be parsed as a URL.") from None
    # What is wrong is named, never shown: user info and queries tend to hold secrets.
    if any(character in "@?#" or character.isspace() for character in value):
        raise ConfigurationError(
            "The base URL must not have user info, a query, a fragment or blanks."
        )
    if not host:
        raise ConfigurationError(f"{value} is no base URL: it needs https:// and a host.")
    if port is not None and not 0 < port < 65536:
        raise ConfigurationError(f"The base URL {value} has an impossible port.")
    is_local = url.scheme == "http" and is_loopback(host)
    if url.scheme != "https" and not is_local:
        raise ConfigurationError(
            "The base URL must be https, or http to a loopback address: the key is sent to it."
        )
    return str(url).rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine."""
    return bool(re.fullmatch(r"localhost|127(\.[0-9]{1,3}){3}|::1", host))


def check_timeout(value: object) -> httpx.Timeout:
    """The timeout of each socket operation."""
    if isinstance(value, httpx.Timeout):
        return value
    seconds = check_seconds("timeout", value)
    if seconds == 0:
        raise ValueError("timeout must be above 0 seconds")
    if seconds == math.inf:
        return httpx.Timeout(None)
    return httpx.Timeout(seconds)

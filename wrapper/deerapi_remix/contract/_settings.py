"""Where to ask, and how far to go."""

from collections.abc import Mapping

import httpx
from attrs import field, frozen

from deerapi_remix import ConfigurationError, RemixClient

DEFAULT_BASE_URL = "https://api.deerapi.com"
_MODES = ("read-only", "full")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class UnusableError(Exception):
    """A setting, or a recording, is missing or unusable. Nothing was sent."""


@frozen
class Settings:
    """What one run is about.

    Attributes:
        key: A valid key.
        base_url: The server.
        video_id: A completed video.
        full: Whether remixes are submitted, which cost money.
        max_posts: How many POST requests may be sent; None for any number.
        model: The model to ask for, if it is not that of the video.
    """

    key: str = field(repr=False)
    base_url: str
    video_id: str
    full: bool
    max_posts: int | None
    model: str | None

    @property
    def on_this_machine(self) -> bool:
        return httpx.URL(self.base_url).host in _LOOPBACK

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Settings":
        """Reads the settings by the names of their variables; an empty one counts as not set.

        Raises:
            UnusableError: Says what is missing or unusable, never what the key is.
        """
        key = _required(environment, "DEERAPI_KEY", "the key of the API: DEERAPI_KEY")
        base_url = _optional(environment, "DEERAPI_BASE_URL") or DEFAULT_BASE_URL
        _check_key_and_host(key, base_url)
        mode = _optional(environment, "LIVE_MODE") or _MODES[0]
        if mode not in _MODES:
            raise UnusableError(f"LIVE_MODE must be {' or '.join(_MODES)}, not {mode!r}")
        remixes = _optional(environment, "LIVE_MAX_REMIXES") or "1"
        if not (remixes.isascii() and remixes.isdigit()):
            raise UnusableError(f"LIVE_MAX_REMIXES must be a whole number, not {remixes!r}")
        video = "a completed video that the key may read: --video-id or LIVE_VIDEO_ID"
        return cls(
            key=key,
            base_url=base_url.rstrip("/"),
            video_id=_required(environment, "LIVE_VIDEO_ID", video),
            full=mode == "full",
            max_posts=0 if mode == "read-only" else int(remixes) or None,
            model=_optional(environment, "LIVE_MODEL"),
        )


def _optional(environment: Mapping[str, str], name: str) -> str | None:
    return environment.get(name, "").strip() or None


def _required(environment: Mapping[str, str], name: str, meaning: str) -> str:
    value = _optional(environment, name)
    if value is None:
        raise UnusableError(f"this is missing: {meaning}")
    return value


def _check_key_and_host(key: str, base_url: str) -> None:
    """The rules are the client's: no key in clear text to another machine, for one."""
    try:
        RemixClient(key, base_url=base_url).close()
    except ConfigurationError as error:
        raise UnusableError(f"DEERAPI_KEY or DEERAPI_BASE_URL: {error}") from None

"""Where to ask, and how far to go."""

from collections.abc import Mapping

from attrs import field, frozen

from deerapi_remix import ConfigurationError, RemixClient

_BASE_URL = "https://api.deerapi.com"
_MODES = ("read-only", "full")


class UnusableError(Exception):
    """A setting is missing or unusable."""


@frozen
class Settings:
    key: str = field(repr=False)
    base_url: str
    video_id: str
    full: bool
    max_posts: int | None
    model: str | None

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Settings":
        """Reads the settings; a variable that is empty counts as not set.

        Raises:
            UnusableError: Says which variable is missing or unusable, never what the key is.
        """

        def setting(name: str, default: str | None = None) -> str:
            value = environment.get(name, "").strip() or default
            if value is None:
                raise UnusableError(f"{name} is not set")
            return value

        key, base_url = setting("DEERAPI_KEY"), setting("DEERAPI_BASE_URL", _BASE_URL)
        try:
            # The rules for keys and hosts are the client's: no key in clear text to another machine, for one.
            RemixClient(key, base_url=base_url).close()
        except ConfigurationError as error:
            raise UnusableError(f"DEERAPI_KEY or DEERAPI_BASE_URL: {error}") from None
        mode, remixes = setting("LIVE_MODE", "read-only"), setting("LIVE_MAX_REMIXES", "1")
        if mode not in _MODES:
            raise UnusableError(f"LIVE_MODE must be {' or '.join(_MODES)}, not {mode!r}")
        if not (remixes.isascii() and remixes.isdigit()):
            raise UnusableError(f"LIVE_MAX_REMIXES must be a whole number, not {remixes!r}")
        return cls(
            key=key,
            base_url=base_url.rstrip("/"),
            video_id=setting("LIVE_VIDEO_ID"),
            full=mode == "full",
            max_posts=0 if mode == "read-only" else int(remixes) or None,
            model=environment.get("LIVE_MODEL", "").strip() or None,
        )

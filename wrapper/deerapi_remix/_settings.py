"""What the calls of a client share: its settings, and its connections."""

import copy
import math
import os
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, Generic, Self, TypeVar
from urllib.request import getproxies

import attrs
import httpx

from . import __version__
from ._journal import Journal
from ._pools import SmallPools, turns
from .config import (
    Key,
    PollingPolicy,
    RetryPolicy,
    Timeout,
    check_base_url,
    check_timeout,
    instance_of,
    is_loopback,
)
from .errors import ConfigurationError
from .models import Event

# As many as httpx has, but all kept alive. Shorter than the 5 s of common servers: they must not close a connection
# just as a submit goes out on it.
LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=100, keepalive_expiry=3.0)
_HEADERS = {"Accept": "*/*", "User-Agent": f"deerapi-remix/{__version__}"}

Http = TypeVar("Http", bound=httpx.Client | httpx.AsyncClient)


def _longest(settings: "Settings") -> float:
    return max(
        math.inf if limit is None else limit for limit in settings.timeout.as_dict().values()
    )


@attrs.frozen(
    repr=False
)  # A traceback may show one that was never finished, and a generated repr would fail on it.
class Settings:
    """What all calls of a client share."""

    key: Key
    base_url: str = attrs.field(converter=check_base_url)
    timeout: httpx.Timeout = attrs.field(converter=check_timeout)
    retry: RetryPolicy = attrs.field(validator=instance_of(RetryPolicy))
    polling: PollingPolicy = attrs.field(validator=instance_of(PollingPolicy))
    strict: bool = attrs.field(validator=instance_of(bool))
    journal: Journal
    # The longest that one socket operation may take, in seconds.
    patience: float = attrs.field(init=False, default=attrs.Factory(_longest, takes_self=True))


class BaseClient(Generic[Http]):
    """What both clients have in common."""

    _kind: type[Http]
    _is_copy = False

    def __init__(
        self,
        api_key: str | Callable[[], str] | None = None,
        *,
        base_url: str | None = None,
        timeout: Timeout = 60.0,
        retry: RetryPolicy = RetryPolicy(),  # noqa: B008  # Frozen.
        polling: PollingPolicy = PollingPolicy(),  # noqa: B008  # Frozen.
        http_client: Http | None = None,
        on_event: Callable[[Event], None] | None = None,
        strict: bool = False,
    ) -> None:
        key, rotates = Key(api_key), callable(api_key)
        del api_key  # A traceback may show the locals of this frame.
        if not rotates:  # A callable is asked before every request.
            key.header()
        self._settings = Settings(key, base_url, timeout, retry, polling, strict, Journal(on_event))
        self._connections = Connections(self._kind, self._settings.base_url, http_client)

    def with_options(
        self,
        *,
        timeout: Timeout | None = None,
        retry: RetryPolicy | None = None,
        polling: PollingPolicy | None = None,
    ) -> Self:
        """Make a copy with other settings. It shares the connections of this client and closes nothing.

        Args:
            timeout: Seconds, as for the client. Default: as it is.
            retry: Default: as it is.
            polling: Default: as it is.

        Returns:
            The copy.

        Example:
            >>> patient = client.with_options(polling=PollingPolicy(timeout=3600))
        """
        clone = copy.copy(self)
        given = {"timeout": timeout, "retry": retry, "polling": polling}
        changes: dict[str, Any] = {
            name: value for name, value in given.items() if value is not None
        }
        clone._settings = attrs.evolve(self._settings, **changes)
        clone._is_copy = True
        return clone


class Connections(Generic[Http]):
    """The httpx clients behind a client and its copies, and the turns of their polls.

    A forked child that used its parent's connections would read its parent's answers. Of our own there are two: over
    the network a paid submit goes out on a connection of its own, not on one that the server closes at that moment, or
    on which it still sends something else.
    """

    def __init__(self, kind: type[Http], base_url: str, handed_in: Http | None) -> None:
        if handed_in is not None and not isinstance(handed_in, kind):
            raise TypeError(
                f"http_client must be an httpx.{kind.__name__}, not {type(handed_in).__name__}"
            )
        self._kind = kind
        self._base_url = base_url
        self._handed_in = handed_in
        self._process, self._born = 0, os.getpid()
        self._closed = False
        self._start()

    def _start(self) -> None:
        """Make what must not be shared with the parent, unless that was done in this process."""
        if self._process == os.getpid():
            return
        self._http = self._make() if self._handed_in is None else (self._handed_in, self._handed_in)
        self._turns: Any = turns() if self._kind is httpx.AsyncClient else nullcontext
        self._process = os.getpid()

    def http(self, *, paid: bool) -> Http:
        """The httpx client to use in this process."""
        self._start()
        if self._handed_in is not None and self._born != os.getpid():
            raise ConfigurationError(
                "http_client was made before this process was forked; make one in the child."
            )
        http = self._http[paid and self._base_url.startswith("https")]
        if self._closed or http.is_closed:
            raise ConfigurationError("This client is closed; make a new one.")
        return http

    def turn(self, seconds: float) -> Any:
        """What a poll is made within, so that not all are made at once; it is entered after `seconds` at the latest."""
        self._start()
        return self._turns(seconds)

    def release(self) -> tuple[Http, ...]:
        """The httpx clients to close, if they are ours and of this process."""
        self._closed = True
        return self._http if self._handed_in is None and self._process == os.getpid() else ()

    def _make(self) -> tuple[Http, Http]:
        # Proxies from the environment are not for this machine.
        options: dict[str, Any] = {"trust_env": not is_loopback(httpx.URL(self._base_url).host)}
        proxied = options["trust_env"] and getproxies().keys() & {"http", "https", "all"}
        kind = _OURS[self._kind]
        try:
            options["verify"] = httpx.create_ssl_context(**options)
            alone = kind(
                limits=httpx.Limits(max_connections=100, max_keepalive_connections=0), **options
            )
            if (
                self._kind is httpx.AsyncClient and not proxied
            ):  # httpx ignores proxies where a transport is given.
                options["transport"] = SmallPools(options["verify"])
            return kind(limits=LIMITS, **options), alone
        except (ImportError, OSError, ValueError, httpx.InvalidURL) as error:
            raise ConfigurationError(
                f"The environment's proxies or certificates cannot be used: {error}"
            ) from error


class _NoCookies(httpx.Cookies):
    def extract_cookies(self, response: httpx.Response) -> None:
        """Forget them."""


class _AsAsked:
    """Has an httpx client send what it is given, and keep nothing of what comes.

    To merge in URL, headers and parameters of its own, which it does not have, and to look for cookies takes a fifth
    of the time of a call (benchmarks/).
    """

    cookies: Any = _NoCookies()

    def build_request(self, method: str, url: httpx.URL | str, **options: Any) -> httpx.Request:
        headers, timeout = {**_HEADERS, **options.pop("headers")}, options.pop("timeout")
        return httpx.Request(
            method, url, headers=headers, extensions={"timeout": timeout.as_dict()}, **options
        )


_OURS: dict[type, Any] = {
    kind: type(kind.__name__, (_AsAsked, kind), {}) for kind in (httpx.Client, httpx.AsyncClient)
}

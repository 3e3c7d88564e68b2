"""What the calls of a client share: its settings and its connections."""

import copy
import math
import os
from typing import Any, Generic, Self, TypeVar

import attrs
import httpx

from ._journal import Journal
from .config import Key, PollingPolicy, RetryPolicy, Timeout, check_base_url, check_timeout, instance_of, is_loopback
from .errors import ConfigurationError

_Http = TypeVar("_Http", bound=httpx.Client | httpx.AsyncClient)


@attrs.frozen(repr=False)  # A traceback may show one that was never finished, and a generated repr would fail on it.
class Settings:
    """What all calls of a client share."""

    key: Key
    base_url: str = attrs.field(converter=check_base_url)
    timeout: httpx.Timeout = attrs.field(converter=check_timeout)
    retry: RetryPolicy = attrs.field(validator=instance_of(RetryPolicy))
    polling: PollingPolicy = attrs.field(validator=instance_of(PollingPolicy))
    strict: bool = attrs.field(validator=instance_of(bool))
    journal: Journal

    def vary(self, **changes: Any) -> Self:
        """These settings with what is not None exchanged."""
        return attrs.evolve(self, **{name: value for name, value in changes.items() if value is not None})

    @property
    def patience(self) -> float:
        """The longest that one socket operation may take, in seconds."""
        return max(math.inf if limit is None else limit for limit in self.timeout.as_dict().values())


class BaseClient:
    """What both clients have in common."""

    _settings: Settings
    _is_copy = False

    def with_options(
        self, *, timeout: Timeout | None = None, retry: RetryPolicy | None = None, polling: PollingPolicy | None = None
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
        clone._settings = self._settings.vary(timeout=timeout, retry=retry, polling=polling)
        clone._is_copy = True
        return clone

    def __repr__(self) -> str:
        # A traceback may show a client that was never finished, for a setting was refused.
        return f"<{type(self).__name__} {getattr(getattr(self, '_settings', None), 'base_url', '')}>"


class Connections(Generic[_Http]):
    """The httpx client behind a client and its copies: the user's, or one of our own in every process.

    A forked child that used its parent's connections would read its parent's answers.
    """

    def __init__(self, kind: type[_Http], base_url: str, handed_in: _Http | None) -> None:
        if handed_in is not None and not isinstance(handed_in, kind):
            raise TypeError(f"http_client must be an httpx.{kind.__name__}, not {type(handed_in).__name__}")
        self._kind = kind
        self._base_url = base_url
        self._handed_in = handed_in
        self._http = self._make() if handed_in is None else handed_in
        self._process = os.getpid()
        self._closed = False

    def http(self) -> _Http:
        """The httpx client to use in this process."""
        if self._process != os.getpid():
            if self._handed_in is not None:
                raise ConfigurationError("http_client was made before this process was forked; make one in the child.")
            self._http = self._make()
            self._process = os.getpid()
        if self._closed or self._http.is_closed:
            raise ConfigurationError("This client is closed; make a new one.")
        return self._http

    def release(self) -> _Http | None:
        """The httpx client to close, if it is ours and of this process."""
        self._closed = True
        return self._http if self._handed_in is None and self._process == os.getpid() else None

    def _make(self) -> _Http:
        # Shorter than the 5 s of common servers: they must not close a connection just as a submit goes out on it.
        limits = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=3.0)
        try:  # Proxies from the environment are not for this machine.
            return self._kind(limits=limits, trust_env=not is_loopback(httpx.URL(self._base_url).host))
        except (ImportError, OSError, ValueError, httpx.InvalidURL) as error:
            raise ConfigurationError(f"The environment's proxies or certificates cannot be used: {error}") from error

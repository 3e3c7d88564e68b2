"""What the calls of a client share: its settings and its connections."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Generic, TypeVar

import attrs
import httpx

from ._journal import Journal
from .config import (
    Key,
    PollingPolicy,
    RetryPolicy,
    check_base_url,
    check_callback,
    check_timeout,
    is_loopback,
)
from .errors import ConfigurationError
from .models import Event

_Http = TypeVar("_Http", bound=httpx.Client | httpx.AsyncClient)


@attrs.frozen
class Settings:
    """What all calls of a client share."""

    key: Key
    base_url: str
    timeout: httpx.Timeout
    retry: RetryPolicy
    polling: PollingPolicy
    strict: bool
    journal: Journal

    @classmethod
    def make(
        cls,
        key: Key,
        base_url: str | None,
        timeout: float | httpx.Timeout,
        retry: RetryPolicy,
        polling: PollingPolicy,
        on_event: Callable[[Event], None] | None,
        strict: bool,
    ) -> Settings:
        """Check what a client is told, and keep it."""
        key.check()
        check_callback("on_event", on_event)
        settings = cls(key, check_base_url(base_url), httpx.Timeout(None), retry, polling, strict, Journal(on_event))
        return settings.vary(timeout, retry, polling)

    def vary(
        self,
        timeout: float | httpx.Timeout | None,
        retry: RetryPolicy | None,
        polling: PollingPolicy | None,
    ) -> Settings:
        """These settings with what is not None exchanged."""
        for name, value, kind in (("retry", retry, RetryPolicy), ("polling", polling, PollingPolicy)):
            if value is not None and not isinstance(value, kind):
                raise TypeError(f"{name} must be a {kind.__name__}, not {type(value).__name__}")
        return attrs.evolve(
            self,
            timeout=self.timeout if timeout is None else check_timeout(timeout),
            retry=retry or self.retry,
            polling=polling or self.polling,
        )

    @property
    def patience(self) -> float:
        """The longest that one socket operation may take, in seconds."""
        limits = (self.timeout.connect, self.timeout.read, self.timeout.write, self.timeout.pool)
        return max(math.inf if limit is None else limit for limit in limits)


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
        host = httpx.URL(self._base_url).host
        return self._kind(
            # Shorter than the 5 s of common servers: they must not close a connection just as a submit goes out on it.
            limits=httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=3.0),
            # Proxies from the environment are not for this machine.
            mounts={f"all://{f'[{host}]' if ':' in host else host}": None} if is_loopback(host) else None,
        )

"""httpx clients that send what they are given, and keep nothing of what comes."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from . import __version__
from ._private_httpx import OneConnection, below, with_one_connection

T = TypeVar("T")

_HEADERS = {"Accept": "*/*", "User-Agent": f"deerapi-remix/{__version__}"}


class _NoCookies(httpx.Cookies):
    def extract_cookies(self, response: httpx.Response) -> None:
        """Keep none of the cookies that a server sets."""


class _AsAsked:
    """Has an httpx client send what it is given, and keep nothing of what comes.

    To merge in headers and parameters of its own, which it does not have, to parse the same base
    URL again and to look for cookies takes a fifth of the time of a call (`benchmarks/`).
    """

    _begins_with: str
    _base: httpx.URL

    if not TYPE_CHECKING:  # To type checkers it stays the property that httpx has.
        cookies = _NoCookies()

    def _send_below(self, base_url: str) -> None:
        self._begins_with = base_url
        self._base = httpx.URL(base_url)

    def build_request(self, method: str, url: httpx.URL | str, **options: Any) -> httpx.Request:
        headers = {**_HEADERS, **options.pop("headers")}
        path = str(url).removeprefix(self._begins_with)
        return httpx.Request(method, below(self._base, path), headers=headers, **options)


class OwnClient(_AsAsked, httpx.Client):
    """The client of one call at a time."""

    def __init__(
        self,
        base_url: str,
        *,
        proxies: Mapping[str, str | None],
        verify: ssl.SSLContext,
        limits: httpx.Limits,
    ) -> None:
        transport = partial(httpx.HTTPTransport, verify=verify, limits=limits)
        direct = transport()
        if limits.max_connections == 1:
            direct = with_one_connection(direct, OneConnection)
        super().__init__(transport=direct, mounts=_mounts(transport, proxies), trust_env=False)
        self._send_below(base_url)


class OwnAsyncClient(_AsAsked, httpx.AsyncClient):
    """The client of all calls in one event loop."""

    def __init__(self, base_url: str, *, proxies: Mapping[str, str | None], **options: Any) -> None:
        transport = partial(
            httpx.AsyncHTTPTransport, verify=options["verify"], limits=options["limits"]
        )
        super().__init__(mounts=_mounts(transport, proxies), trust_env=False, **options)
        self._send_below(base_url)


def _mounts(transport: Callable[..., T], proxies: Mapping[str, str | None]) -> dict[str, T | None]:
    """A transport through each proxy; None where there is none, for the transport that all have."""
    mounts: dict[str, T | None] = {}
    for pattern, url in proxies.items():
        mounts[pattern] = None
        if url is not None:
            mounts[pattern] = transport(proxy=url)
    return mounts

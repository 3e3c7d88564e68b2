"""httpx clients that send what they are given, and keep nothing of what comes."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from . import __version__
from ._private_httpx import OneConnection, with_one_connection

T = TypeVar("T")

_HEADERS = {"Accept": "*/*", "User-Agent": f"deerapi-remix/{__version__}"}


class _NoCookies(httpx.Cookies):
    def extract_cookies(self, response: httpx.Response) -> None:
        """Keep none of the cookies that a server sets."""


class _AsAsked:
    """Has an httpx client send what it is given, and keep nothing of what comes.

    To merge in URL, headers and parameters of its own, which it does not have, and to look for
    cookies takes a fifth of the time of a call (`benchmarks/`).
    """

    if not TYPE_CHECKING:  # To type checkers it stays the property that httpx has.
        cookies = _NoCookies()

    def build_request(self, method: str, url: httpx.URL | str, **options: Any) -> httpx.Request:
        headers = {**_HEADERS, **options.pop("headers")}
        return httpx.Request(method, url, headers=headers, **options)


class OwnClient(_AsAsked, httpx.Client):
    """The client of one call at a time."""

    def __init__(
        self, *, proxies: Mapping[str, str | None], verify: ssl.SSLContext, limits: httpx.Limits
    ) -> None:
        transport = partial(httpx.HTTPTransport, verify=verify, limits=limits)
        direct = transport()
        if limits.max_keepalive_connections == 1:
            direct = with_one_connection(direct, OneConnection)
        super().__init__(transport=direct, mounts=_mounts(transport, proxies), trust_env=False)


class OwnAsyncClient(_AsAsked, httpx.AsyncClient):
    """The client of all calls in one event loop."""

    def __init__(self, *, proxies: Mapping[str, str | None], **options: Any) -> None:
        transport = partial(
            httpx.AsyncHTTPTransport, verify=options["verify"], limits=options["limits"]
        )
        super().__init__(mounts=_mounts(transport, proxies), trust_env=False, **options)


def _mounts(transport: Callable[..., T], proxies: Mapping[str, str | None]) -> dict[str, T | None]:
    """A transport through each proxy; None where there is none, for the transport that all have."""
    mounts: dict[str, T | None] = {}
    for pattern, url in proxies.items():
        mounts[pattern] = None
        if url is not None:
            mounts[pattern] = transport(proxy=url)
    return mounts

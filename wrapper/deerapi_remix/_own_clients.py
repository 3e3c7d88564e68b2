"""httpx clients that send what they are given, and keep nothing of what comes."""

from __future__ import annotations

from typing import Any

import httpx

from . import __version__

_HEADERS = {"Accept": "*/*", "User-Agent": f"deerapi-remix/{__version__}"}


class _NoCookies(httpx.Cookies):
    def extract_cookies(self, response: httpx.Response) -> None:
        """Keep none of the cookies that a server sets."""


class _AsAsked:
    """Has an httpx client send what it is given, and keep nothing of what comes.

    To merge in URL, headers and parameters of its own, which it does not have, and to look for
    cookies takes a fifth of the time of a call (`benchmarks/`).
    """

    cookies: Any = _NoCookies()

    def build_request(self, method: str, url: httpx.URL | str, **options: Any) -> httpx.Request:
        headers = {**_HEADERS, **options.pop("headers")}
        return httpx.Request(method, url, headers=headers, **options)


class OwnClient(_AsAsked, httpx.Client):
    """The client of one call at a time."""


class OwnAsyncClient(_AsAsked, httpx.AsyncClient):
    """The client of all calls in one event loop."""

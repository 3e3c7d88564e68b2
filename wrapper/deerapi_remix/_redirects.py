"""Redirects of downloads: the next request, or the reason why there is none."""

from __future__ import annotations

import httpx

from ._mask import KeyMask

REDIRECT_LIMIT = 5
_SCHEMES = ("http", "https")


class RedirectRefusedError(Exception):
    """A redirect that is not followed; the message says why."""


def redirect(
    response: httpx.Response,
    *,
    followed: int,
    api: httpx.URL,
    original: httpx.Request,
    headers: dict[str, str],
    timeout: httpx.Timeout,
    mask: KeyMask,
) -> httpx.Request:
    """The request that follows `response`.

    Not built by the client: its headers, cookies and parameters are for the API.

    Args:
        response: The redirect.
        followed: How many redirects came before this one.
        api: The base URL. The key goes to its origin and nowhere else.
        original: The request to the API, which has the header with the key.
        headers: What every request for the file has.
        timeout: That of the request.
        mask: Finds the key, should the server put it into the URL.

    Raises:
        RedirectRefusedError: Following it would be unsafe, or would not end.
    """
    location = response.headers["Location"]
    if mask.text(location) != location:
        raise RedirectRefusedError("a redirect to a URL that holds the key is refused")
    if followed >= REDIRECT_LIMIT:
        raise RedirectRefusedError(f"more than {REDIRECT_LIMIT} redirects")
    source = response.request.url
    target = source.join(location)
    if _is_unsafe(source, target):
        port = "" if target.port is None else f", port {target.port},"
        raise RedirectRefusedError(
            f"a redirect from {source.scheme} to {target.scheme}{port} is refused"
        )
    extensions = {"timeout": timeout.as_dict()}
    # Of the same library as the first request: httpx2 takes no request of httpx.
    request = type(original)("GET", target, headers=headers, extensions=extensions)
    if _origin(target) == _origin(api):
        request.headers["Authorization"] = original.headers["Authorization"]
    return request


def _is_unsafe(source: httpx.URL, target: httpx.URL) -> bool:
    if target.scheme not in _SCHEMES:
        return True
    if source.scheme == "https" and target.scheme == "http":
        return True
    return target.port is not None and target.port > 65535


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port  # None for the default port, also where it was given.

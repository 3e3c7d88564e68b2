"""The seam between the generated functions and the network.

A generated function builds a request and hands it to what it takes for an httpx client. That is a seam of this file:
it moves the bytes through the real client, and asks an `Exchange` for every decision. The answer stays with the
exchange; the generated function gets an empty 204, so that its own parsing has nothing to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any

import httpx

from ._exchange import Exchange

_NO_CONTENT = httpx.Response(204)


class Seam:
    """What the generated functions take for an `httpx.Client`."""

    def __init__(self, http: httpx.Client, exchange: Exchange) -> None:
        self._http = http
        self._exchange = exchange

    def request(self, **arguments: Any) -> httpx.Response:
        """Move the bytes of one exchange."""
        exchange = self._exchange
        request: httpx.Request | None = exchange.request(self._http, arguments)
        with exchange.guard():
            while request is not None:
                response = self._http.send(request, auth=None, follow_redirects=False, stream=True)
                try:
                    request = exchange.opened(self._http, response)
                    if request is None:
                        for chunk in _chunks(response):
                            if not exchange.chunk(chunk):
                                break
                finally:
                    response.close()
        exchange.finish()
        return _NO_CONTENT


class AsyncSeam:
    """What the generated functions take for an `httpx.AsyncClient`."""

    def __init__(self, http: httpx.AsyncClient, exchange: Exchange) -> None:
        self._http = http
        self._exchange = exchange

    async def request(self, **arguments: Any) -> httpx.Response:
        """Move the bytes of one exchange, within the time that it has as a whole."""
        exchange = self._exchange
        request: httpx.Request | None = exchange.request(self._http, arguments)
        with exchange.guard():
            limit = asyncio.timeout(exchange.time_left())
            try:
                async with limit:
                    while request is not None:
                        response = await self._http.send(request, auth=None, follow_redirects=False, stream=True)
                        try:
                            request = exchange.opened(self._http, response)
                            _reschedule(limit, exchange.time_left())
                            if request is None:
                                async with aclosing(_achunks(response)) as chunks:
                                    async for chunk in chunks:
                                        if not exchange.chunk(chunk):
                                            break
                        finally:
                            await response.aclose()
            except TimeoutError as error:
                if not limit.expired():
                    raise
                raise httpx.ReadTimeout("the answer takes longer than there is time for") from error
        exchange.finish()
        return _NO_CONTENT


def _chunks(response: httpx.Response) -> Iterator[bytes]:
    """The body as it came, not decoded; whole if a transport or hook has read it already."""
    return iter([response.content]) if response.is_stream_consumed else response.iter_raw()


async def _achunks(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    if response.is_stream_consumed:
        yield response.content
    else:
        async for chunk in response.aiter_raw():
            yield chunk


def _reschedule(limit: asyncio.Timeout, left: float | None) -> None:
    limit.reschedule(None if left is None else asyncio.get_running_loop().time() + left)

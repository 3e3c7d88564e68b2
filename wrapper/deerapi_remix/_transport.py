"""The seam between the generated functions and the network.

A generated function builds a request and hands it to what it takes for an httpx client. That is
a seam of this file: it moves the bytes through the real client, and asks an `Exchange` for every
decision. The answer stays with the exchange; the generated function gets an empty 204, so that
its own parsing has nothing to do.
"""

from __future__ import annotations

import asyncio
import math
from typing import Any, cast

import attrs
import httpx

from ._exchange import Exchange
from ._pools import CLOSES_WHEN_CANCELLED

_NO_CONTENT = httpx.Response(204)


@attrs.frozen
class Seam:
    """What the generated functions take for an `httpx.Client`."""

    _http: httpx.Client
    _exchange: Exchange

    def request(self, **arguments: Any) -> httpx.Response:
        """Move the bytes of one exchange."""
        exchange = self._exchange
        request: httpx.Request | None = exchange.request(self._http, arguments)
        with exchange.guard():
            while request is not None:
                response = self._http.send(request, auth=None, follow_redirects=False, stream=True)
                try:
                    request = exchange.opened(response)
                    if request is None and not response.is_stream_consumed:
                        chunks = response.iter_raw()
                        while exchange.chunk(next(chunks, None)):
                            pass
                finally:
                    response.close()
                    _break_cycle(response)
        exchange.finish()
        return _NO_CONTENT


@attrs.frozen
class AsyncSeam:
    """What the generated functions take for an `httpx.AsyncClient`."""

    _http: httpx.AsyncClient
    _exchange: Exchange

    async def request(self, **arguments: Any) -> httpx.Response:
        """Move the bytes of one exchange, within the time that it has as a whole."""
        exchange = self._exchange
        request: httpx.Request | None = exchange.request(self._http, arguments)
        with exchange.guard():
            limit = asyncio.timeout(_seconds(exchange.limit.left()))
            try:
                async with limit:
                    while request is not None:
                        response = await self._http.send(
                            request, auth=None, follow_redirects=False, stream=True
                        )
                        try:
                            request = await self._read(response, limit)
                        finally:
                            await _close(response)
                            _break_cycle(response)
            except TimeoutError as error:
                if not limit.expired():
                    raise
                message = "the answer takes longer than there is time for"
                raise httpx.ReadTimeout(message) from error
        exchange.finish()
        return _NO_CONTENT

    async def _read(self, response: httpx.Response, limit: asyncio.Timeout) -> httpx.Request | None:
        """Read the body; the next request, if the answer is a redirect to follow."""
        exchange = self._exchange
        request = exchange.opened(response)
        if exchange.limit.has_changed:
            left = _seconds(exchange.limit.left())
            limit.reschedule(None if left is None else asyncio.get_running_loop().time() + left)
        if request is None and not response.is_stream_consumed:
            # Not `aiter_raw`: it closes at the end of the body, and a close that is cancelled
            # in the middle would leave the connection taken for ever.
            chunks = aiter(cast(httpx.AsyncByteStream, response.stream))
            while exchange.chunk(await anext(chunks, None)):
                pass
            limit.reschedule(None)  # What came whole counts, however late.
        return request


def _seconds(left: float) -> float | None:
    return None if left == math.inf else left


async def _close(response: httpx.Response) -> None:
    """Close, so that the connection is given back even where this is cancelled."""
    if CLOSES_WHEN_CANCELLED in response.extensions:
        await response.aclose()
    else:
        await asyncio.shield(response.aclose())


def _break_cycle(response: httpx.Response) -> None:
    """Cut the reference from the stream back to its response.

    The garbage collector would have to find that cycle: at 1,000 calls at once this was 5 % of
    all the work.
    """
    response.stream = _NO_CONTENT.stream

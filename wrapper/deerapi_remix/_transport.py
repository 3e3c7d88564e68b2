"""The seam between the generated functions and the network.

A generated function builds a request and hands it to what it takes for an httpx client. That is a seam of this file:
it moves the bytes through the real client, and asks an `Exchange` for every decision. The answer stays with the
exchange; the generated function gets an empty 204, so that its own parsing has nothing to do.
"""

import asyncio
from typing import Any, cast

import attrs
import httpx

from ._exchange import Exchange

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
                    response.stream = (
                        _NO_CONTENT.stream
                    )  # It referred to the response: work for the garbage collector.
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
            limit = asyncio.timeout(exchange.left())
            try:
                async with limit:
                    while request is not None:
                        response = await self._http.send(
                            request, auth=None, follow_redirects=False, stream=True
                        )
                        try:
                            request = exchange.opened(response)
                            limit.reschedule(
                                (left := exchange.left())
                                and asyncio.get_running_loop().time() + left
                            )
                            if request is None and not response.is_stream_consumed:
                                chunks = aiter(cast(httpx.AsyncByteStream, response.stream))
                                while exchange.chunk(await anext(chunks, None)):
                                    pass
                                limit.reschedule(None)  # What came whole counts, however late.
                        finally:
                            # Cancelled in the middle of it, the connection would stay taken for ever. So the body is
                            # not read with `aiter_raw`, which closes, too.
                            closing = response.aclose()
                            await (
                                closing
                                if "deerapi_remix" in response.extensions
                                else asyncio.shield(closing)
                            )
                            response.stream = (
                                _NO_CONTENT.stream
                            )  # At 1,000 calls at once that work was 5 % of all.
            except TimeoutError as error:
                if not limit.expired():
                    raise
                raise httpx.ReadTimeout("the answer takes longer than there is time for") from error
        exchange.finish()
        return _NO_CONTENT

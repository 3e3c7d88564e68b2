"""Connections for many calls at once on asyncio.

The pool of httpx looks at each of its connections and waiting requests whenever one comes or goes: the CPU time of a
call grows with their number, until the client is slower than the server. Pools of one connection do not have this.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from typing import cast

import httpx

# As many as httpx has, but all kept alive. Shorter than the 5 s of common servers: they must not close a connection
# just as a submit goes out on it.
LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=100, keepalive_expiry=3.0)
# Every request on a connection of its own.
ALONE = httpx.Limits(max_connections=100, max_keepalive_connections=0)
_ONE = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=3.0)


class SmallPools(httpx.AsyncBaseTransport):
    """A hundred pools of one connection. At 1,000 calls at once one takes a twentieth of the CPU time (benchmarks/)."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        # The one used last is taken first, for its connection may still be open.
        self._free = [self._pool() for _ in range(100)]
        self._taken: set[httpx.AsyncHTTPTransport] = set()
        self._places = asyncio.Semaphore(100)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send, after waiting for a connection if all are taken."""
        try:
            async with asyncio.timeout(request.extensions.get("timeout", {}).get("pool")):
                await self._places.acquire()
        except TimeoutError as error:
            raise httpx.PoolTimeout("all connections are in use", request=request) from error
        pool = self._free.pop()
        self._taken.add(pool)

        def release(left: httpx.AsyncHTTPTransport = pool) -> None:
            self._taken.discard(pool)
            self._free.append(left)
            self._places.release()

        try:
            response = await pool.handle_async_request(request)
        except BaseException:
            release(self._pool())  # For httpcore may keep the connection of a cancelled request for ever.
            await asyncio.shield(pool.aclose())
            raise
        response.stream = _Stream(cast(httpx.AsyncByteStream, response.stream), release)
        return response

    async def aclose(self) -> None:
        """Close all connections."""
        for pool in (*self._free, *self._taken):
            await pool.aclose()

    def _pool(self) -> httpx.AsyncHTTPTransport:
        return httpx.AsyncHTTPTransport(verify=self._context, limits=_ONE)


class _Stream(httpx.AsyncByteStream):
    """The body of an answer, whose connection is taken until it is closed."""

    def __init__(self, stream: httpx.AsyncByteStream, release: Callable[[], None]) -> None:
        self._stream = stream
        self._release = release

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._stream.__aiter__()

    async def aclose(self) -> None:
        try:
            await self._stream.aclose()
        finally:
            self._release()

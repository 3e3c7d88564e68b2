"""Connections and polls for many calls at once on asyncio.

The pool of httpx looks at each of its connections and waiting requests whenever one comes or
goes: the CPU time of a call grows with their number, until the client is slower than the server.
Pools of one connection do not have this.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from typing import cast

import attrs
import httpx

from ._deadline import Deadline
from ._private_httpx import OneAsyncConnection, connections_of, with_one_connection

# As many connections as httpx has.
MOST_CONNECTIONS = 100
# Shorter than the 5 s of common servers: they must not close a connection just as a submit goes
# out on it. In seconds.
KEEPALIVE = 3.0
ONE_CONNECTION = httpx.Limits(max_connections=1, keepalive_expiry=KEEPALIVE)
NO_KEEPALIVE = httpx.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=0)
ALL_KEPT_ALIVE = httpx.Limits(max_connections=MOST_CONNECTIONS, keepalive_expiry=KEEPALIVE)
# The extension of a response whose connection is not lost when closing it is cancelled.
CLOSES_WHEN_CANCELLED = "deerapi_remix"


class SmallPools(httpx.AsyncBaseTransport):
    """A hundred pools of one connection.

    At 1,000 calls at once they take a twentieth of the CPU time of one large pool (`benchmarks/`).
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._transport = partial(httpx.AsyncHTTPTransport, verify=context, limits=ONE_CONNECTION)
        # The one used last is taken first, for its connection may still be open.
        self._free = [self._pool() for _ in range(MOST_CONNECTIONS)]
        self._taken: set[httpx.AsyncHTTPTransport] = set()
        self._places = asyncio.Semaphore(MOST_CONNECTIONS)

    def _pool(self) -> httpx.AsyncHTTPTransport:
        return with_one_connection(self._transport(), OneAsyncConnection)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send, after waiting for a connection if all are taken."""
        await self._take_place(request)
        pool = self._free.pop()
        self._taken.add(pool)
        try:
            response = await pool.handle_async_request(request)
        except BaseException:
            await self.leave(pool, broken=True)
            raise
        response.stream = _Stream(self, pool, cast(httpx.AsyncByteStream, response.stream))
        response.extensions[CLOSES_WHEN_CANCELLED] = True
        return response

    async def _take_place(self, request: httpx.Request) -> None:
        if not self._places.locked():
            await self._places.acquire()
            return
        try:
            async with asyncio.timeout(request.extensions["timeout"]["pool"]):
                await self._places.acquire()
        except TimeoutError as error:
            raise httpx.PoolTimeout("all connections are in use") from error

    async def leave(self, pool: httpx.AsyncHTTPTransport, *, broken: bool = False) -> None:
        """Give a place back; with another pool where one broke off.

        httpcore may keep the connection of a pool that broke off for ever, also where a request
        was cancelled while httpcore cleaned up after it.
        """
        self._taken.discard(pool)
        if not broken and all(one.is_idle() for one in connections_of(pool)):
            self._free.append(pool)
            self._places.release()
            return
        self._free.append(self._pool())
        self._places.release()
        await asyncio.shield(pool.aclose())

    async def aclose(self) -> None:
        """Close all connections."""
        for pool in (*self._free, *self._taken):
            await pool.aclose()


@attrs.frozen
class _Stream(httpx.AsyncByteStream):
    """The body of an answer, whose connection is taken until it is closed."""

    _pools: SmallPools
    _pool: httpx.AsyncHTTPTransport
    _stream: httpx.AsyncByteStream

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._stream.__aiter__()

    async def aclose(self) -> None:
        try:
            await self._stream.aclose()
        finally:
            await self._pools.leave(self._pool)


@attrs.define
class Turn:
    """What a poll is made within.

    A hundred can be entered at once, and each at the deadline at the latest. Polls of 10,000 jobs
    that wait here, rather than with their requests for a connection, take a third of the memory
    (`benchmarks/`).
    """

    _places: asyncio.Semaphore
    _deadline: Deadline
    _taken: bool = False

    async def __aenter__(self) -> None:
        if not self._places.locked():
            self._taken = await self._places.acquire()
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(self._deadline.left()):
                self._taken = await self._places.acquire()

    async def __aexit__(self, *_: object) -> None:
        if self._taken:
            self._places.release()

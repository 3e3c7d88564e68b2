"""Every private attribute of httpx and httpcore that this package uses, in one place.

Nothing public tells whether a pool has lost a connection, or frees one that an exception has left
taken. Each attribute has a test that fails when it goes; without it, these functions do nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from typing import Any, TypeVar

import httpx

Http = TypeVar("Http")

# Seconds. httpcore holds the lock of a pool for microseconds, and never while it waits.
_LOCK_IS_LEAKED_AFTER = 1.0


def below(base: httpx.URL, path: str) -> httpx.URL:
    """The URL of `path`, which is percent-encoded and has no dot segments, below a base URL.

    The base URL does not end with a slash.

    To parse the whole of it again took a twentieth of a call.
    """
    parsed: Any = getattr(base, "_uri_reference", None)
    if not hasattr(parsed, "_replace"):
        return httpx.URL(f"{base}{path}")
    url = httpx.URL.__new__(httpx.URL)
    url._uri_reference = parsed._replace(path=parsed.path + path)
    return url


class _InPlaceOfPool:
    """What a transport of httpx takes for a pool: one connection, for one request at a time.

    A pool of httpcore keeps lists of connections and requests, and looks through both whenever a
    request comes or goes. Where there is never more than one of each, that took a tenth of a call.

    Args:
        pool: The pool in whose place it stands. It knows how to make a connection.
    """

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._connection: Any = None

    @property
    def connections(self) -> list[Any]:
        """The connection, if there is one."""
        return [] if self._connection is None else [self._connection]


class OneConnection(_InPlaceOfPool):
    """The one connection of an `httpx.HTTPTransport`."""

    def handle_request(self, request: Any) -> Any:
        """Send, over the open connection if it still is, and leads there."""
        if not _is_usable(self._connection, request.url.origin):
            self.close()
            self._connection = self._pool.create_connection(request.url.origin)
        return self._connection.handle_request(request)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()


class OneAsyncConnection(_InPlaceOfPool):
    """The one connection of an `httpx.AsyncHTTPTransport`.

    It has locks that keep requests apart. There is only one at a time, and each lock gives way to
    the event loop: three of the six times that a call did so.
    """

    async def handle_async_request(self, request: Any) -> Any:
        """Send, over the open connection if it still is, and leads there."""
        if not _is_usable(self._connection, request.url.origin):
            await self.aclose()
            self._connection = self._pool.create_connection(request.url.origin)
            _drop_lock(self._connection, "_request_lock")
        response = await self._connection.handle_async_request(request)
        _drop_lock(getattr(self._connection, "_connection", None), "_state_lock")
        return response

    async def aclose(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            await self._connection.aclose()


def _drop_lock(connection: Any, name: str) -> None:
    """Have what is guarded by this lock go on without it."""
    if hasattr(connection, name):
        setattr(connection, name, nullcontext())


def _is_usable(connection: Any, origin: Any) -> bool:
    """Whether the next request to `origin` can go out on this connection."""
    if connection is None or not connection.is_available():
        return False
    return connection.can_handle_request(origin) and not connection.has_expired()


def with_one_connection(transport: Http, kind: Callable[[Any], Any]) -> Http:
    """A transport of one request at a time, with one connection in the place of its pool."""
    pool = _pool_of(transport)
    if hasattr(pool, "create_connection"):
        transport._pool = kind(pool)  # type: ignore[attr-defined]
    return transport


def connections_of(transport: Any) -> list[Any]:
    """The connections of an `httpx.HTTPTransport` or `httpx.AsyncHTTPTransport`."""
    return list(getattr(_pool_of(transport), "connections", ()))


def close_without_locks(http: Any) -> None:
    """Close the sockets of a client that nobody else uses, whatever its locks are."""
    for pool in _pools_of(http):
        for connection in list(getattr(pool, "connections", ())):
            with suppress(Exception):
                connection.close()


def without_locks(http: Http) -> Http:
    """A client of which one thread at a time makes use, so that none of it waits for a lock.

    An exception that strikes just when httpcore has taken the lock of its pool leaves it taken;
    httpcore would then wait for it for ever, when it cleans up after that exception.
    """
    for pool in _pools_of(http):
        if hasattr(pool, "_optional_thread_lock"):
            pool._optional_thread_lock = nullcontext()
    return http


def release_after_interruption(http: Any, extensions: dict[str, Any]) -> None:
    """Free what an exception has left taken in a client that others share.

    An exception of a signal can strike in any line of httpcore: after it took the lock of the
    pool and before the block that gives it back, or before it forgot the request.

    Args:
        http: The client.
        extensions: Those of the request, by which it is recognised.
    """
    for pool in _pools_of(http):
        lock = getattr(getattr(pool, "_optional_thread_lock", None), "_lock", None)
        if lock is None:
            continue
        lock.acquire(timeout=_LOCK_IS_LEAKED_AFTER)
        try:
            _forget(pool, extensions)
        finally:
            lock.release()


def _forget(pool: Any, extensions: dict[str, Any]) -> None:
    for waiting in list(getattr(pool, "_requests", ())):
        if getattr(getattr(waiting, "request", None), "extensions", None) is not extensions:
            continue
        pool._requests.remove(waiting)
        connection = getattr(waiting, "connection", None)
        if connection is not None:
            with suppress(ValueError):
                pool._connections.remove(connection)
            with suppress(Exception):
                connection.close()


def _pools_of(http: Any) -> Iterator[Any]:
    transports = [getattr(http, "_transport", None), *getattr(http, "_mounts", {}).values()]
    for transport in transports:
        pool = _pool_of(transport)
        if pool is not None:
            yield pool


def _pool_of(transport: Any) -> Any:
    return getattr(transport, "_pool", None)

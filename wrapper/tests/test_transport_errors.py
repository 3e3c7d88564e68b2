"""Which exceptions are those of the transport, by where they were raised and of what class they are."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any, cast

import httpx
import httpx2
import pytest

from deerapi_remix import APIConnectionError, RemixClient, RetryPolicy

from .wire import Answer, Twin, failure

ONCE = RetryPolicy(attempts=1)


def raises_in(module: str, error: Exception) -> Callable[[httpx.Request], Answer]:
    """What raises the error in a frame of that module, as the transport does it."""
    namespace: dict[str, Any] = {"__name__": module, "error": error}
    exec("def fail(request): raise error", namespace)
    fail: Callable[[httpx.Request], Answer] = namespace["fail"]
    return fail


def of_module(module: str) -> Exception:
    """An error of a class of that module."""
    kind: type[Exception] = type("BrokenResourceError", (Exception,), {"__module__": module})
    return kind("broken")


# What moves bytes below httpx or httpx2, on asyncio or with anyio, with and without HTTP/2.
HTTP = [
    "httpx",
    "httpx._client",
    "httpx2",
    "httpx2._transports.default",
    "httpcore._sync.http11",
    "httpcore2._sync.http2",
]
PROTOCOLS = ["h11._connection", "h2.connection", "hpack.hpack"]
SOCKETS = ["anyio._backends._asyncio", "asyncio.base_events", "ssl", "socket", "selectors"]
MOVE_BYTES = [*HTTP, *PROTOCOLS, *SOCKETS]


@pytest.mark.parametrize("module", MOVE_BYTES)
def test_what_a_package_that_moves_bytes_raises_is_an_error_of_the_connection(connect: Twin, module: str) -> None:
    for error in (RuntimeError("the event loop is closed"), of_module(module)):
        client, _ = connect(raises_in(module, error), retry=ONCE)
        told = failure(APIConnectionError, client.remix, "video_123", prompt="x")
        assert (told.__cause__, told.may_have_been_charged) == (error, True)


@pytest.mark.parametrize("module", ["mine", "httpxtra", "asynciox.streams", "my.asyncio", "my.httpx", ""])
def test_what_any_other_module_raises_is_the_users(connect: Twin, module: str) -> None:
    error = RuntimeError("mine")
    client, _ = connect(raises_in(module, error), retry=ONCE)
    assert failure(RuntimeError, client.remix, "video_123", prompt="x") is error


@pytest.mark.parametrize("module", MOVE_BYTES)
def test_an_error_of_a_class_of_the_users_is_theirs_wherever_it_was_raised(connect: Twin, module: str) -> None:
    error = of_module("mine")
    client, _ = connect(raises_in(module, error), retry=ONCE)
    assert failure(type(error), client.remix, "video_123", prompt="x") is error


# Errors that are the transport's in whatever module they were raised: of httpx, of its successor, and two that they
# let through.
OF_THE_TRANSPORT: list[Exception] = [
    *(kind("broken") for kind in (httpx.ReadError, httpx.DecodingError, httpx.TooManyRedirects, httpx.HTTPError)),
    *(kind() for kind in (httpx.StreamConsumed, httpx.StreamClosed, httpx.ResponseNotRead)),
    *(kind("broken") for kind in (httpx.InvalidURL, httpx.CookieConflict)),
    *(kind("broken") for kind in (httpx2.ReadError, httpx2.InvalidURL, httpx2.CookieConflict)),
    httpx2.StreamConsumed(),
    UnicodeError("label too long"),
    UnicodeEncodeError("idna", "x", 0, 1, "label too long"),
    ssl.SSLError(1, "[SSL: TLSV1_ALERT_INTERNAL_ERROR]"),
]


@pytest.mark.parametrize(
    "error", OF_THE_TRANSPORT, ids=lambda error: f"{type(error).__module__}.{type(error).__name__}"
)
def test_errors_of_http_and_tls_are_those_of_the_connection_wherever_they_are_raised(
    connect: Twin, error: Exception
) -> None:
    client, _ = connect(raises_in("mine", error), retry=ONCE)
    told = failure(APIConnectionError, client.remix, "video_123", prompt="x")
    assert (told.__cause__, told.may_have_been_charged) == (error, True)


@pytest.mark.parametrize("error", [httpx.InvalidURL("broken"), httpx.UnsupportedProtocol("broken")], ids=repr)
def test_a_url_that_cannot_be_asked_is_not_asked_again(connect: Twin, error: Exception) -> None:
    client, wire = connect(error)
    assert not failure(APIConnectionError, client.retrieve, "video_123").retryable
    assert len(wire.requests) == 1


@pytest.mark.parametrize("name", ["ConnectError", "ConnectTimeout", "PoolTimeout"])
def test_what_a_mock_transport_says_was_not_sent_was_not(name: str) -> None:
    def fail(request: Any) -> Any:
        raise getattr(httpx2, name)("scripted")

    with httpx2.Client(transport=httpx2.MockTransport(fail)) as http:
        client = RemixClient(http_client=cast(Any, http), retry=ONCE)
        told = failure(APIConnectionError, client.remix, "video_123", prompt="x")
    assert (told.may_have_been_charged, told.retryable) == (False, True)

"""Clients of httpx2, the successor of httpx: handed in, or in the place of httpx by its alias."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from deerapi_remix import (
    APIConnectionError,
    APITimeoutError,
    AsyncRemixClient,
    InternalServerError,
    RemixClient,
    RetryPolicy,
)

from .conftest import Loopback

REFUSED = "http://127.0.0.1:1"
ONCE = RetryPolicy(attempts=1)
JOB = (
    b'{"id": "video_456", "object": "video", "model": "sora-2", "status": "completed", "progress": 100,'
    b' "created_at": 1, "size": "1280x720", "seconds": "8", "remixed_from_video_id": "video_123"}'
)
VIDEO = b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x08moov\0\0\0\x08mdat"


def answer(status: str, body: bytes, kind: str = "application/json", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def serve(server: Loopback, submit: bytes) -> None:
    def reply(request: str) -> bytes:
        if request.startswith("POST"):
            return submit
        if "/content" in request:
            return answer("302 Found", b"", Location="/elsewhere")
        if "/elsewhere" in request:
            return answer("200 OK", VIDEO, "video/mp4")
        return answer("200 OK", JOB)

    server.answer = reply


def test_a_client_of_httpx2_does_a_whole_job(loopback: Loopback, tmp_path: Path) -> None:
    serve(loopback, answer("200 OK", JOB))
    with httpx2.Client() as http, RemixClient(base_url=loopback.url, http_client=http) as client:  # type: ignore[arg-type]
        path = client.remix_to_file("video_123", tmp_path / "bow.mp4", prompt="x")
    assert path.read_bytes() == VIDEO


async def test_an_asynchronous_client_of_httpx2_does_a_whole_job(loopback: Loopback, tmp_path: Path) -> None:
    serve(loopback, answer("200 OK", JOB))
    async with httpx2.AsyncClient() as http:
        client = AsyncRemixClient(base_url=loopback.url, http_client=http)  # type: ignore[arg-type]
        path = await client.remix_to_file("video_123", tmp_path / "bow.mp4", prompt="x")
    assert path.read_bytes() == VIDEO


def outcome(call: Any) -> tuple[str, bool, bool]:
    with pytest.raises(APIConnectionError) as caught:
        call()
    return caught.typename, caught.value.may_have_been_charged, caught.value.retryable


def test_a_refused_connection_was_never_sent() -> None:
    with httpx2.Client() as http:
        client = RemixClient(base_url=REFUSED, http_client=http, retry=ONCE)  # type: ignore[arg-type]
        assert outcome(lambda: client.remix("video_123", prompt="x")) == ("APIConnectionError", False, True)


def test_an_answer_that_is_lost_may_have_been_charged(loopback: Loopback) -> None:
    loopback.answer = lambda _: b""
    with httpx2.Client() as http:
        client = RemixClient(base_url=loopback.url, http_client=http, timeout=0.2)  # type: ignore[arg-type]
        assert outcome(lambda: client.remix("video_123", prompt="x")) == (APITimeoutError.__name__, True, False)


def test_an_error_of_a_hook_is_read_as_the_answer_that_it_holds(loopback: Loopback) -> None:
    serve(loopback, answer("502 Bad Gateway", b"{}"))

    def raise_for_status(response: httpx2.Response) -> None:
        response.raise_for_status()

    with httpx2.Client(event_hooks={"response": [raise_for_status]}) as http:
        client = RemixClient(base_url=loopback.url, http_client=http)  # type: ignore[arg-type]
        with pytest.raises(InternalServerError) as caught:
            client.remix("video_123", prompt="x")
    assert caught.value.may_have_been_charged is True


@pytest.mark.parametrize("kind", [httpx2.AsyncClient, object])
def test_what_is_no_such_client_is_refused(kind: type) -> None:
    with pytest.raises(TypeError, match=r"http_client must be an httpx\.Client, not "):
        RemixClient(http_client=kind())


def test_httpx2_is_not_imported() -> None:
    code = "import sys\nfrom deerapi_remix import RemixClient\nRemixClient('key-0123')\nprint('httpx2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


ALIASED = """
import asyncio, sys, httpx2
httpx2.alias_httpx()
import httpx
assert httpx is httpx2
from deerapi_remix import APIConnectionError, AsyncRemixClient, RemixClient, RetryPolicy

url, once = sys.argv[1], RetryPolicy(attempts=1)

def tell(error):
    print(type(error).__name__, error.may_have_been_charged, error.retryable)

with RemixClient("key-0123", base_url=url) as client:
    print(client.remix("video_123", prompt="x").id)
with RemixClient("key-0123", base_url="http://127.0.0.1:1", retry=once) as client:
    try:
        client.remix("video_123", prompt="x")
    except APIConnectionError as error:
        tell(error)

async def main():
    async with AsyncRemixClient("key-0123", base_url=url) as client:
        print((await client.remix("video_123", prompt="x")).id)
    async with AsyncRemixClient("key-0123", base_url="http://127.0.0.1:1", retry=once) as client:
        try:
            await client.remix("video_123", prompt="x")
        except APIConnectionError as error:
            tell(error)

asyncio.run(main())
"""


def test_under_its_alias_all_promises_hold(loopback: Loopback) -> None:
    serve(loopback, answer("200 OK", JOB))
    done = subprocess.run([sys.executable, "-c", ALIASED, loopback.url], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["video_456", "APIConnectionError False True"] * 2


# The private attributes that are read


def test_the_private_attributes_of_both_libraries_are_still_there(loopback: Loopback) -> None:
    import httpx

    from deerapi_remix._private_httpx import connections_of

    serve(loopback, answer("200 OK", JOB))
    for library in (httpx, httpx2):
        with library.Client() as http:
            http.get(loopback.url)
            (connection,) = connections_of(http._transport)
            pool = http._transport._pool
            assert connection.is_idle()
            assert pool._optional_thread_lock._lock.acquire(timeout=1)
            pool._optional_thread_lock._lock.release()
            assert pool._requests == []
            assert pool._connections == [connection]
            assert isinstance(http._mounts, dict)


def test_a_lock_that_was_left_taken_is_freed(loopback: Loopback) -> None:
    import httpx

    from deerapi_remix._private_httpx import release_after_interruption

    serve(loopback, answer("200 OK", JOB))
    for library in (httpx, httpx2):
        with library.Client() as http:
            http.get(loopback.url)
            http._transport._pool._optional_thread_lock._lock.acquire()
            release_after_interruption(http, {})
            assert http.get(loopback.url).status_code == 200


def test_a_connection_that_was_left_taken_is_freed(loopback: Loopback) -> None:
    import httpx

    from deerapi_remix._private_httpx import release_after_interruption

    serve(loopback, answer("200 OK", JOB))
    with httpx.Client(limits=httpx.Limits(max_connections=1)) as http:
        request = http.build_request("GET", loopback.url)
        http.send(request, stream=True)  # Never closed, as after an interruption.
        release_after_interruption(http, request.extensions)
        assert http.get(loopback.url, timeout=2).status_code == 200


@pytest.mark.parametrize("base", ["https://api.test", "https://api.test/proxied%20path", "http://[::1]:8000/v"])
@pytest.mark.parametrize("path", ["/v1/models", "/v1/videos/a%2Fb%25-._~", "/v1/videos/%F0%9F%8E%AC/remix"])
def test_a_url_below_another_is_the_same_as_one_that_was_parsed_whole(base: str, path: str) -> None:
    import httpx

    from deerapi_remix._private_httpx import below

    url, parsed = below(httpx.URL(base), path), httpx.URL(base + path)
    assert url == parsed
    assert vars(url) == vars(parsed)
    assert (url.raw_path, url.host, url.port, url.netloc) == (parsed.raw_path, parsed.host, parsed.port, parsed.netloc)


class _Elsewhere:
    """What has none of the private attributes, as a later version or a transport of the user's may."""

    def __str__(self) -> str:
        return "https://api.test/proxied"


def test_without_private_attributes_urls_are_parsed_whole_and_nothing_else_is_done() -> None:
    import httpx

    from deerapi_remix import _private_httpx as private

    http = _Elsewhere()
    assert private.below(http, "/v1/models") == httpx.URL("https://api.test/proxied/v1/models")  # type: ignore[arg-type]
    assert private.connections_of(http) == []
    assert private.without_locks(http) is http
    assert private.with_one_connection(http, private.OneConnection) is http
    private.close_without_locks(http)
    private.release_after_interruption(http, {})
    lock = threading.Lock()
    pool = SimpleNamespace(_optional_thread_lock=SimpleNamespace(_lock=lock), _requests=[object()])
    private.release_after_interruption(SimpleNamespace(_transport=SimpleNamespace(_pool=pool)), {})
    assert (len(pool._requests), lock.locked()) == (1, False)
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200))) as client:
        assert private.without_locks(client) is client
        private.close_without_locks(client)
        private.release_after_interruption(client, {})
        assert client.get("https://api.test").status_code == 200


def test_one_connection_takes_the_place_of_a_pool_of_both_libraries(loopback: Loopback) -> None:
    import httpx

    from deerapi_remix._private_httpx import OneConnection, connections_of, with_one_connection

    serve(loopback, answer("200 OK", JOB))
    for library in (httpx, httpx2):
        transport = with_one_connection(library.HTTPTransport(), OneConnection)
        assert isinstance(transport._pool, OneConnection)
        here, elsewhere = (
            library.Request("GET", url) for url in (loopback.url, loopback.url.replace("127.0.0.1", "localhost"))
        )
        seen = []
        for request in (here, here, elsewhere):
            response = transport.handle_request(request)
            assert response.read() == JOB
            response.close()
            seen += connections_of(transport)
        assert seen[0] is seen[1]
        assert seen[2] is not seen[1]
        assert [connection.is_closed() for connection in seen] == [True, True, False]
        transport.close()
        assert seen[2].is_closed()


async def test_a_connection_for_one_request_at_a_time_needs_no_locks_in_both_libraries(loopback: Loopback) -> None:
    import httpx

    from deerapi_remix._private_httpx import OneAsyncConnection, connections_of, with_one_connection

    serve(loopback, answer("200 OK", JOB))
    for library in (httpx, httpx2):
        transport = with_one_connection(library.AsyncHTTPTransport(), OneAsyncConnection)
        for _ in range(2):
            response = await transport.handle_async_request(library.Request("GET", loopback.url))
            assert await response.aread() == JOB
            await response.aclose()
        (connection,) = connections_of(transport)
        assert isinstance(connection._request_lock, nullcontext)
        assert isinstance(connection._connection._state_lock, nullcontext)
        await transport.aclose()

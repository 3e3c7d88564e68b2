"""A cancellation gives its connection back, wherever it strikes."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from pathlib import Path

import httpx

from deerapi_remix import AsyncRemixClient, DeerAPIError, PollingPolicy, RetryPolicy
from deerapi_remix.testing import FakeDeerAPI

from .server import fault_server
from .test_cancellation import CancelledAt, run


def test_cancellations_at_any_wait_give_their_connections_back(tmp_path: Path) -> None:
    async def strike(nth: int, url: str) -> bool:
        """Cancel at one wait, again and again, and use the client once more; whether there were as many waits."""
        polling = PollingPolicy(initial_interval=0.01, max_interval=0.01)
        timeout = httpx.Timeout(5, pool=0.5)
        async with AsyncRemixClient(
            base_url=url, timeout=timeout, polling=polling, retry=RetryPolicy(attempts=1)
        ) as client:
            cancelled = None
            for number in range(5):
                target = tmp_path / f"{nth} {number}.mp4"
                cancelled = CancelledAt(client.remix_to_file("video_123", target, prompt="x"), nth)
                with suppress(asyncio.CancelledError):
                    await cancelled
            assert (await client.models())[0].id == "sora-2"
        return cancelled is not None and cancelled.struck

    nth = 0
    struck = True
    while struck:
        nth += 1
        with fault_server(FakeDeerAPI(render_seconds=0.02)) as server:

            async def main() -> None:
                nonlocal struck
                struck = await strike(nth, server.url)  # noqa: B023

            run(main())
    assert nth > 4


def test_a_call_that_is_cancelled_while_its_broken_connection_is_cleaned_up_leaves_none_that_stalls() -> None:
    """What httpcore has closed halfway it would keep, and the next call would wait for it in vain."""
    halfway = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"
    whole = b'{"object": "list", "data": []}'
    writers: list[asyncio.StreamWriter] = []

    async def serve(begun: asyncio.Event, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                writer.write(halfway if b"/videos/" in head else answer % (len(whole), whole))
                begun.set()
        writer.close()

    async def strike(ticks: int) -> None:
        begun = asyncio.Event()
        server = await asyncio.start_server(partial(serve, begun), "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        timeout = httpx.Timeout(5, pool=0.5)
        async with AsyncRemixClient(base_url=url, timeout=timeout, retry=RetryPolicy(attempts=1)) as client:
            call = asyncio.create_task(client.retrieve("video_1"))
            await begun.wait()
            await asyncio.sleep(0.01)  # The first bytes of the body have come.
            writers.pop().transport.abort()
            for _ in range(ticks):
                await asyncio.sleep(0)
            call.cancel()
            with suppress(asyncio.CancelledError, DeerAPIError):
                await call
            assert await client.models() == ()
            for writer in writers:
                writer.close()
            writers.clear()
        server.close()

    for ticks in range(1, 10):
        asyncio.run(strike(ticks))

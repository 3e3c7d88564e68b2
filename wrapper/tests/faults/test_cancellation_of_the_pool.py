"""A cancellation gives its connection back, wherever it strikes."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import httpx

from deerapi_remix import AsyncRemixClient, PollingPolicy, RetryPolicy
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

"""A program whose calls are interrupted at any moment: by a signal whose handler raises, or cancelled on asyncio."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import signal
import sys
from contextlib import suppress

from deerapi_remix import AsyncRemixClient, RemixClient, RetryPolicy
from deerapi_remix.ledger import AsyncLedger, Ledger


class TimeLimit(Exception):  # noqa: N818  # As task queues raise it, an ordinary exception.
    """Raised by a signal handler, wherever the program happens to be."""


def strike(*_: object) -> None:
    raise TimeLimit


def by_signals(told: dict[str, str], count: int, chance: random.Random) -> None:
    signal.signal(signal.SIGALRM, strike)
    with RemixClient("sk-program", base_url=told["vendor"], retry=RetryPolicy(attempts=1)) as client:
        ledger = Ledger(told["ledger"])
        ledger.get("warm")
        for number in range(count):
            key = f"signal-{number}"
            with suppress(TimeLimit):
                signal.setitimer(signal.ITIMER_REAL, chance.uniform(0.0005, 0.04))
                try:
                    ledger.remix(client, key, "video_123", prompt=key)
                finally:
                    signal.setitimer(signal.ITIMER_REAL, 0)
        ledger.close()


async def by_cancellation(told: dict[str, str], count: int, chance: random.Random) -> None:
    retry = RetryPolicy(attempts=1)
    async with (
        AsyncRemixClient("sk-program", base_url=told["vendor"], retry=retry) as client,
        AsyncLedger(told["ledger"]) as ledger,
    ):
        await ledger.get("warm")
        for number in range(count):
            key = f"task-{number}"
            with suppress(TimeoutError):
                async with asyncio.timeout(chance.uniform(0.0, 0.04)):
                    await ledger.remix(client, key, "video_123", prompt=key)


def main() -> None:
    logging.disable()
    told = json.loads(sys.argv[1])
    chance = random.Random(told["seed"])
    by_signals(told, told["count"], chance)
    asyncio.run(by_cancellation(told, told["count"], chance))


if __name__ == "__main__":
    main()

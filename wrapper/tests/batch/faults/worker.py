"""A worker of a batch, in a process of its own. It may be killed at any moment."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
from typing import Any

from deerapi_remix import AsyncRemixClient, PollingPolicy, RetryPolicy
from deerapi_remix.batch import Batch

POLLING = PollingPolicy(initial_interval=0.1, max_interval=0.5)


async def work(told: dict[str, str], settings: dict[str, Any]) -> None:
    with Batch.open(told["database"], told["name"]) as batch:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, batch.stop)
        retry = RetryPolicy(attempts=2, budget=5.0)
        async with AsyncRemixClient(
            "sk-worker", base_url=told["vendor"], timeout=20.0, retry=retry, polling=POLLING
        ) as client:
            status = await batch.run(client, **settings)
    sys.stdout.write(json.dumps(status.to_dict()) + "\n")


def main() -> None:
    logging.disable()
    told = json.loads(sys.argv[1])
    settings = told.pop("settings")
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    asyncio.run(work(told, settings))


if __name__ == "__main__":
    main()

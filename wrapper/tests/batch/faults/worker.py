"""A worker of a batch, in a process of its own. It may be killed at any moment, or dies at a point that is told."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from dbos._sys_db import SystemDatabase
from sqlalchemy import Connection, Engine, event

from deerapi_remix import AsyncRemixClient, PollingPolicy, RetryPolicy
from deerapi_remix._part_file import PartFile
from deerapi_remix.batch import Batch, _workers
from deerapi_remix.ledger import _holder, _transitions
from deerapi_remix.ledger._submission import Submission

POLLING = PollingPolicy(initial_interval=0.1, max_interval=0.5)
# Where the process dies, before or after what stands there.
POINTS: dict[str, tuple[Any, str, str]] = {
    "before the intent": (_transitions, "begin", "before"),
    "after the intent": (Submission, "check_time", "before"),
    "after the answer": (Submission, "accepted", "before"),
    "before the record": (_transitions, "accept", "before"),
    "during the download": (PartFile, "publish", "before"),
    "after the download": (PartFile, "publish", "after"),
    "during a claim": (SystemDatabase, "start_queued_workflows", "after"),
}


def die_at(point: str) -> None:
    """Let this process end there, as kill -9 ends it."""
    owner, name, when = POINTS[point]
    usual: Callable[..., Any] = getattr(owner, name)

    def die(*arguments: Any, **options: Any) -> Any:
        result = usual(*arguments, **options) if when == "after" else None
        # A claim of nothing is none.
        if not isinstance(result, tuple) or result[0]:
            os._exit(9)
        return result

    setattr(owner, name, die)


def fill_after_first_record(told: dict[str, Any]) -> None:
    """Let the disk be full once a job is on record: the database's for a while, or that of the videos for good."""
    usual = _transitions.accept

    def accept(*arguments: Any, **options: Any) -> Any:
        found = usual(*arguments, **options)
        setattr(_transitions, "accept", usual)  # noqa: B010  # mypy allows no assignment.
        if seconds := told.get("full_database"):
            limit_database(time.monotonic() + seconds)
        else:
            _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
        return found

    setattr(_transitions, "accept", accept)  # noqa: B010


def limit_database(until: float) -> None:
    """Let SQLite add no pages to its file: it says the same where the disk is full."""

    @event.listens_for(Engine, "begin")
    def limit(connection: Connection) -> None:
        # It is never less than there are.
        most = 1 if time.monotonic() < until else 2**32 - 2
        connection.exec_driver_sql(f"PRAGMA max_page_count = {most}")


async def work(told: dict[str, str], settings: dict[str, Any]) -> None:
    with Batch.open(told["database"], told["name"]) as batch:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, batch.stop)
        retry = RetryPolicy(attempts=2, budget=5.0)
        async with AsyncRemixClient("sk-worker", base_url=told["vendor"], retry=retry, polling=POLLING) as client:
            status = await batch.run(client, **settings)
    sys.stdout.write(json.dumps(status.to_dict()) + "\n")


def main() -> None:
    logging.disable()
    told = json.loads(sys.argv[1])
    settings = told.pop("settings")
    if point := told.get("die_at"):
        die_at(point)
    if told.get("full_database") or told.get("full_folder"):
        fill_after_first_record(told)
    if lease := told.get("lease"):
        _workers.LEASE = lease
    if told.get("blind"):  # As on another machine, where nobody can look whether a process runs.
        setattr(_holder, "is_gone", lambda _: False)  # noqa: B010  # mypy compares names of arguments.
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    asyncio.run(work(told, settings))


if __name__ == "__main__":
    main()

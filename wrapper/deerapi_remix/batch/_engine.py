"""DBOS, the engine that owns the work: which rows are to be worked on, and by whom.

A workflow is about one row. It may run any number of times, anywhere, and it keeps nothing: what
was paid is in the ledger. So the engine needs to remember only that there is something to do.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer
from sqlalchemy import URL, Column, Connection, Engine, MetaData, Table, Text, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from deerapi_remix.ledger import LedgerUnavailableError
from deerapi_remix.ledger._database import CACHE_KB, what_it_said

# Tables of our own in Postgres, so that a DBOS application of the user's does not see our rows.
SCHEMA = "deerapi_batch_engine"
_APPLICATION = "deerapi-remix-batch"
# Rows of an earlier release are worked on by a later one, so the version of the engine never moves.
_VERSION = "1"
_WORKFLOW = "deerapi_remix_row"
# Seconds between two looks for rows to work on.
_LOOKS = 0.5
# Rows that were worked on before come first: their files expire, and their submits may be unknown.
_NEW, _AGAIN = 10, 1
# A thread of the engine that we give nothing to do sleeps for so long, and its end is waited for.
_NOTICES = 0.1
# What the engine writes, it writes in so many threads. More would wait for one another in SQLite.
_THREADS = 8
_LOCKED_FOR_MS = 30_000

Work = Callable[[str], Awaitable[None]]

_work: list[Work] = []


@DBOS.workflow(name=_WORKFLOW, max_recovery_attempts=None)
async def _row(key: str) -> None:
    await _work[0](key)


def workflows(dialect: str) -> Table:
    """The documented table of the engine that tells which workflows there are."""
    schema = SCHEMA if dialect == "postgresql" else None
    columns = (Column(name, Text) for name in ("workflow_uuid", "status", "executor_id"))
    return Table("workflow_status", MetaData(schema=schema), *columns)


class Queue:
    """The rows of one batch that wait to be worked on.

    Args:
        url: The database.
        name: The name of the batch.
    """

    def __init__(self, url: URL, name: str) -> None:
        self._url = url
        self.name = f"deerapi-{name}"
        silence()
        with as_ours():
            DBOS.migrate(_text(url), schema=SCHEMA)
        self._client = DBOSClient(
            system_database_url=_text(url),
            dbos_system_schema=SCHEMA,
            serializer=DBOSPortableJSONSerializer(),
            application_name=_APPLICATION,
            lazy=True,
        )

    def put(self, connection: Connection, key: str, workflow: str) -> None:
        """Have a row worked on. It is done in the caller's transaction, and may be done twice.

        The first workflow of a row has the key of the row for its ID.
        """
        self._client.enqueue_in_transaction(
            connection,
            {
                "workflow_name": _WORKFLOW,
                "queue_name": self.name,
                "workflow_id": workflow,
                "app_version": _VERSION,
                "priority": _NEW if workflow == key else _AGAIN,
            },
            key,
        )

    def limit(self, in_flight: int) -> None:
        """Say how many rows each worker has under way at most."""
        self._client.register_queue(
            self.name, worker_concurrency=in_flight, polling_interval_sec=_LOOKS
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.destroy()


class RunningEngine:
    """The engine at work in this process: it calls `work` with the key of each row that it claims.

    Args:
        url: The database.
        queue: The name of the queue.
        worker: The name of this worker, which no other has or ever had.
        work: What to do for a row. It is called on the event loop of the caller.
    """

    def __init__(self, url: URL, queue: str, worker: str, work: Work) -> None:
        if _work:
            raise RuntimeError("another batch is running in this process")
        _work.append(work)
        self._own = _sqlite_engine(url) if url.get_backend_name() == "sqlite" else None
        config: DBOSConfig = {
            "name": _APPLICATION,
            "system_database_url": _text(url),
            "system_database_engine": self._own,
            "dbos_system_schema": SCHEMA,
            "executor_id": worker,
            "application_version": _VERSION,
            "serializer": DBOSPortableJSONSerializer(),
            "use_listen_notify": False,
            "notification_listener_polling_interval_sec": _NOTICES,
            "run_migrations": False,
            "max_executor_threads": _THREADS,
            "log_level": "CRITICAL",
        }
        silence()
        try:
            with as_ours():
                DBOS(config=config)
                DBOS.listen_queues([queue])
                DBOS.launch()
        except BaseException:
            self._end()
            raise

    async def stop(self) -> None:
        """Claim no more rows, and close the connections. What runs must have been cancelled."""
        await asyncio.to_thread(self._end)

    def _end(self) -> None:
        DBOS.destroy()
        _work.clear()
        if self._own is not None:
            self._own.dispose()


@contextmanager
def as_ours() -> Iterator[None]:
    """Errors of the database as everything else of a batch raises them, without its address."""
    try:
        yield
    except SQLAlchemyError as error:
        told = what_it_said(error)
        raise LedgerUnavailableError(
            f"The database of the batch cannot be used: {told}."
        ) from error


def silence() -> None:
    """Keep the engine from telling in its log what a batch tells in its own words."""
    log = logging.getLogger("dbos")
    log.setLevel(logging.CRITICAL)
    # Its own handler writes to what stderr was when it was made. It makes none where there is one.
    log.handlers = [logging.NullHandler()]


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)


def _sqlite_engine(url: URL) -> Engine:
    """Connections as the engine wants them, with fewer waits for the disk.

    What the engine has committed may be lost with the power: a row is then worked on once more,
    and the ledger knows what was paid.
    """
    engine = create_engine(url)

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: Any) -> None:
        connection.isolation_level = "IMMEDIATE"
        connection.execute(f"PRAGMA busy_timeout = {_LOCKED_FOR_MS}")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KB}")

    return engine

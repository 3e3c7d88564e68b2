"""The tables of batches. They stand beside those of the ledger, in one database.

The state of a row is not among them: the ledger knows whether its remix was paid and saved. Here
stands only what the ledger cannot know: that a row was given up before or after its job.

Their version is that of the ledger, whose check comes before anything is done with them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Float,
    Integer,
    MetaData,
    Table,
    Text,
    case,
    literal_column,
)

from deerapi_remix.ledger._schema import entries, make_alone

metadata = MetaData()

batches = Table(
    "deerapi_batches",
    metadata,
    Column("name", Text, primary_key=True),
    # Where the jobs of the batch are; a key of the ledger belongs to one API.
    Column("base_url", Text),
    # How many submits and how many rows each worker has under way at most.
    Column("submits", Integer, nullable=False),
    Column("in_flight", Integer, nullable=False),
    # Submits a second, of all workers together.
    Column("rate", Float),
    Column("price", Float),
    # Why nothing is submitted at present.
    Column("paused", Text),
)

rows = Table(
    "deerapi_batch_rows",
    metadata,
    # The key by which the ledger knows the row: the name of the batch, a slash, and its own key.
    Column("ledger_key", Text, primary_key=True),
    Column("batch", Text, nullable=False, index=True),
    Column("key", Text, nullable=False),
    # Its place in the batch.
    Column("number", Integer, nullable=False),
    Column("video_id", Text, nullable=False),
    Column("prompt", Text, nullable=False),
    Column("model", Text),
    Column("output", Text, nullable=False),
    # The workflow of the engine that is about the row.
    Column("workflow", Text, nullable=False),
    # Why the row was given up.
    Column("problem", Text),
)

workers = Table(
    "deerapi_batch_workers",
    metadata,
    # The process, as the ledger names holders, and a random part.
    Column("worker", Text, primary_key=True),
    Column("batch", Text, nullable=False),
    # When it last told that it lives, by the clock of the database, in Unix seconds.
    Column("seen_at", Float, nullable=False),
)

_NOW = {
    "sqlite": "(julianday('now') - 2440587.5) * 86400.0",
    "postgresql": "CAST(extract(epoch FROM clock_timestamp()) AS double precision)",
}

# The state of a row joined with its entry in the ledger. The first that fits.
STATE: ColumnElement[str] = case(
    (entries.c.state == "saved", "saved"),
    (entries.c.state == "unknown", "unknown"),
    (entries.c.state == "failed", "failed"),
    (rows.c.problem.is_not(None), "failed"),
    (entries.c.state == "accepted", "rendering"),
    (entries.c.state == "submitting", "submitting"),
    else_="waiting",
)
ENDED = ("saved", "unknown", "failed")
JOINED = rows.outerjoin(entries, entries.c.key == rows.c.ledger_key)


def prepare(connection: Connection) -> None:
    """Make the tables where they are missing. Within a transaction that writes."""
    make_alone(connection)
    metadata.create_all(connection)


def now(connection: Connection) -> ColumnElement[Any]:
    """The clock of the database, in Unix seconds: those of machines differ."""
    return literal_column(_NOW[connection.dialect.name])

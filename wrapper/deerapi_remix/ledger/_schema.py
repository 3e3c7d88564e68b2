"""The tables of a ledger, and the version that they have.

A newer version may only add to the tables, and what it adds must have defaults: a process of the
version before may have a submit under way, and its answer must still find its place. It begins no
new ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Float,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    insert,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from ._errors import LedgerUnavailableError

VERSION = 1
# What leads from each version to the next.
UPGRADES: dict[int, tuple[str, ...]] = {}
# The number is an arbitrary constant.
_LOCK = text("SELECT pg_advisory_xact_lock(5737042)")

# How each database is told to insert a row unless it is there.
INSERT: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}

_metadata = MetaData()

entries = Table(
    "deerapi_ledger_entries",
    _metadata,
    Column("key", Text, primary_key=True),
    Column("state", Text, nullable=False),
    # Of the last submit: later transitions compare it.
    Column("token", Text, nullable=False),
    Column("video_id", Text, nullable=False),
    Column("prompt", Text, nullable=False),
    Column("model", Text),
    Column("base_url", Text, nullable=False),
    Column("job_id", Text),
    Column("status", Text),
    Column("submitted_at", Float, nullable=False),
    Column("accepted_at", Float),
    Column("expires_at", BigInteger),
    Column("path", Text),
    Column("request_id", Text),
    Column("error", Text),
    Column("holder", Text, nullable=False),
    # When the time of the last submit is up, in Unix seconds; null if it never is.
    Column("held_until", Float),
)

jobs = Table(
    "deerapi_ledger_jobs",
    _metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("key", Text, nullable=False, index=True),
    Column("token", Text, nullable=False),
    Column("job_id", Text, nullable=False),
    Column("request_id", Text),
    Column("accepted_at", Float, nullable=False),
    UniqueConstraint("token", "job_id"),
)

_version = Table("deerapi_ledger_version", _metadata, Column("version", Integer, nullable=False))
_FOUND = select(_version.c.version)


def is_ready(connection: Connection) -> bool:
    """Whether the tables are there, in this version.

    Raises:
        LedgerUnavailableError: They are of a newer version.
    """
    if not inspect(connection).has_table(_version.name):
        return False
    return check(connection) == VERSION


def check(connection: Connection) -> int:
    """The version of the tables, which another process may have upgraded a moment ago.

    Raises:
        LedgerUnavailableError: It is newer than this code.
    """
    found: int = connection.execute(_FOUND).scalar_one()
    if found > VERSION:
        raise LedgerUnavailableError(
            f"The ledger is of version {found}, and this deerapi-remix knows version {VERSION}: "
            "upgrade it. Nothing was sent."
        )
    return found


def make_alone(connection: Connection) -> None:
    """Wait for others that make tables: two that find none at a time must not both make them."""
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK)


def prepare(connection: Connection) -> None:
    """Make the tables, or bring them to this version. Within a transaction that writes."""
    make_alone(connection)
    if not inspect(connection).has_table(_version.name):
        _metadata.create_all(connection)
        connection.execute(insert(_version).values(version=VERSION))
    for version in range(check(connection), VERSION):
        for statement in UPGRADES[version]:
            connection.execute(text(statement))
        connection.execute(update(_version).values(version=version + 1))

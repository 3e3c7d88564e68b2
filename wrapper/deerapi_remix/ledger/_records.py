"""Entries as they are read from the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import attrs
from sqlalchemy import Connection, bindparam, select

from ._entry import Entry
from ._schema import entries, jobs

_FIND = select(entries).where(entries.c.key == bindparam("which"))
_FIND_JOBS = (
    select(jobs.c.key, jobs.c.job_id)
    .where(jobs.c.key.in_(bindparam("keys", expanding=True)))
    .order_by(jobs.c.number)
)


@attrs.frozen
class Record:
    """An entry, and what later transitions compare.

    Attributes:
        entry: The entry.
        token: Of its last submit.
        until: When that submit is over at the latest.
    """

    entry: Entry
    token: str
    until: float | None


def find(connection: Connection, key: str) -> Record | None:
    """The entry of a key."""
    rows = connection.execute(_FIND, {"which": key}).all()
    return next(_records(connection, rows), None)


def page(connection: Connection, after: str | None, state: str | None, size: int) -> list[Record]:
    """The next entries in the order of their keys."""
    query = select(entries).order_by(entries.c.key).limit(size)
    if after is not None:
        query = query.where(entries.c.key > after)
    if state is not None:
        query = query.where(entries.c.state == state)
    return list(_records(connection, connection.execute(query).all()))


def _records(connection: Connection, rows: Sequence[Any]) -> Iterator[Record]:
    found: dict[str, list[str]] = {row.key: [] for row in rows}
    if found:
        for key, job_id in connection.execute(_FIND_JOBS, {"keys": list(found)}):
            found[key].append(job_id)
    for row in rows:
        values = dict(row._mapping)
        token, until = values.pop("token"), values.pop("held_until")
        job_ids = tuple(dict.fromkeys(found[row.key]))
        yield Record(Entry(**values, job_ids=job_ids), token, until)

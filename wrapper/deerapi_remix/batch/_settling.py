"""Decisions by hand: what became of an unknown row, and which failed rows are tried again."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select, update

from deerapi_remix.ledger import _transitions

from . import _rows, _workers
from ._schema import rows
from ._workers import Put, Stray


def reopen(connection: Connection, batch: str, key: str, put: Put) -> None:
    """Forget why a row was given up, and have it worked on."""
    which = _rows.ledger_key(batch, key)
    query = select(rows.c.workflow).where(rows.c.ledger_key == which)
    workflow = connection.execute(query).scalar_one()
    connection.execute(update(rows).where(rows.c.ledger_key == which).values(problem=None))
    _workers.put_back(connection, [Stray(which, workflow, None)], put)


def resolve(
    connection: Connection, batch: str, key: str, job_id: str | None, at: float, put: Put
) -> bool:
    """Someone found out what became of an unknown row; whether that is on record from here on.

    Rows in any other state are left as they are. A failed row is for `retry`.
    """
    which = _rows.ledger_key(batch, key)
    record = _transitions.settled(connection, which, at)
    if record is not None and record.entry.state == "unknown":
        record = _transitions.resolve(connection, which, job_id, at)
        reopen(connection, batch, key, put)
    return record is not None and record.is_resolved(job_id)


def retry(
    connection: Connection, batch: str, keys: Sequence[str], at: float, put: Put
) -> list[str]:
    """Have failed rows worked on again; those that were. A job that failed is paid for again."""
    again = []
    for key in keys:
        found = _rows.find(connection, _rows.ledger_key(batch, key))
        if found is None or found.state != "failed":
            continue
        if found.record is not None and found.record.entry.state == "failed":
            _transitions.resolve(connection, found.ledger_key, None, at)
        reopen(connection, batch, key, put)
        again.append(key)
    return again

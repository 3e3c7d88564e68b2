"""Entries as they are read from the database."""

from __future__ import annotations

from typing import Any

import attrs
from sqlalchemy import Connection, Row, bindparam, select

from ._entry import Entry
from ._schema import entries, jobs

_COLUMNS = tuple(entries.c.keys())
# A row for each job of the entry; one without a job, if it has none.
_FIND = (
    select(entries, jobs.c.job_id.label("one_job"))
    .outerjoin(jobs, jobs.c.key == entries.c.key)
    .where(entries.c.key == bindparam("which"))
    .order_by(jobs.c.number)
)
_FIND_SUBMIT = select(entries.c.state, entries.c.token).where(entries.c.key == bindparam("which"))


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

    def is_resolved(self, job_id: str | None) -> bool:
        """Whether the entry says what was decided by hand: this job, or that nothing was charged.

        Args:
            job_id: The job; None if nothing was charged.
        """
        wanted = "open" if job_id is None else "accepted"
        return self.entry.state == wanted and self.entry.job_id == job_id


def is_under_way(connection: Connection, key: str, token: str) -> bool:
    """Whether it is this submit that is under way."""
    found = connection.execute(_FIND_SUBMIT, {"which": key}).one_or_none()
    return found is not None and tuple(found) == ("submitting", token)


def find(connection: Connection, key: str) -> Record | None:
    """The entry of a key."""
    found = connection.execute(_FIND, {"which": key}).all()
    if not found:
        return None
    return _record(found[0], [row.one_job for row in found if row.one_job is not None])


def page(connection: Connection, after: str | None, state: str | None, size: int) -> list[Record]:
    """The next entries in the order of their keys."""
    query = select(entries).order_by(entries.c.key).limit(size)
    if after is not None:
        query = query.where(entries.c.key > after)
    if state is not None:
        query = query.where(entries.c.state == state)
    rows = connection.execute(query).all()
    found: dict[str, list[str]] = {row.key: [] for row in rows}
    wanted = select(jobs.c.key, jobs.c.job_id).order_by(jobs.c.number)
    for key, job_id in connection.execute(wanted.where(jobs.c.key.in_(list(found)))):
        found[key].append(job_id)
    return [_record(row, found[row.key]) for row in rows]


def _record(row: Row[Any], job_ids: list[str]) -> Record:
    values = dict(zip(_COLUMNS, row, strict=False))
    token, until = values.pop("token"), values.pop("held_until")
    # One that was resolved by hand and then answered after all stands there twice.
    return Record(Entry(**values, job_ids=tuple(dict.fromkeys(job_ids))), token, until)

"""What is read of batches, and written. Every write may be run twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
from sqlalchemy import Connection, RowMapping, bindparam, func, select, update
from sqlalchemy import Row as SQLRow

from deerapi_remix.ledger import _records
from deerapi_remix.ledger._records import Record
from deerapi_remix.ledger._schema import INSERT, entries, jobs

from . import _workers
from ._plan import PlannedRow
from ._schema import JOINED, STATE, batches, rows
from ._values import STATES, Row, Status
from ._workers import Put

_FIND = select(rows, STATE.label("state")).select_from(JOINED)
_FIND_THESE = _FIND.where(rows.c.ledger_key.in_(bindparam("which", expanding=True)))
_SHOW = select(rows, entries, STATE.label("row_state")).select_from(JOINED)
_GIVE_UP = (
    update(rows).where(rows.c.ledger_key == bindparam("which")).values(problem=bindparam("why"))
)


@attrs.frozen
class Settings:
    """How a batch is worked on.

    Attributes:
        submits: How many submits each worker has under way at most.
        in_flight: How many rows each worker has under way at most.
        rate: Submits a second, of all workers together; None for no limit.
        price: What one remix costs; None if that is not known.
    """

    submits: int = 8
    in_flight: int = 1000
    rate: float | None = None
    price: float | None = None


@attrs.frozen
class Found:
    """A row to work on.

    Attributes:
        ledger_key: The key by which the ledger knows it.
        key: Its name within the batch.
        video_id: The video to remix.
        prompt: What should happen in the new video.
        model: A model ID, or None.
        output: Where its file is to be.
        state: Its state.
        record: Its entry in the ledger, if it is not waiting.
    """

    ledger_key: str
    key: str
    video_id: str
    prompt: str
    model: str | None
    output: str
    state: str
    record: Record | None


def ledger_key(batch: str, key: str) -> str:
    """The key by which the ledger knows a row."""
    return f"{batch}/{key}"


def set_up(connection: Connection, batch: str, told: Mapping[str, Any]) -> Settings:
    """Make the batch, or change those settings that are told; what holds from here on."""
    changes = {name: value for name, value in told.items() if value is not None}
    values = attrs.asdict(Settings()) | changes | {"name": batch}
    made = INSERT[connection.dialect.name](batches).values(values)
    connection.execute(made.on_conflict_do_nothing())
    if changes:
        connection.execute(update(batches).where(batches.c.name == batch).values(changes))
    found = settings(connection, batch)
    assert found is not None  # noqa: S101  # Just made.
    return found


def settings(connection: Connection, batch: str) -> Settings | None:
    """How the batch is worked on; None if there is no such batch."""
    found = connection.execute(select(batches).where(batches.c.name == batch)).one_or_none()
    if found is None:
        return None
    return Settings(found.submits, found.in_flight, found.rate, found.price)


def names(connection: Connection) -> list[str]:
    """The names of all batches."""
    return list(connection.execute(select(batches.c.name).order_by(batches.c.name)).scalars())


def claim_base_url(connection: Connection, batch: str, base_url: str) -> str:
    """Where the jobs of the batch are: here, unless they have been elsewhere."""
    which = update(batches).where(batches.c.name == batch)
    connection.execute(which.where(batches.c.base_url.is_(None)).values(base_url=base_url))
    query = select(batches.c.base_url).where(batches.c.name == batch)
    return str(connection.execute(query).scalar_one())


def add(connection: Connection, batch: str, new: Iterable[PlannedRow], put: Put) -> None:
    """Add rows that are not there yet, and have them worked on."""
    query = select(func.coalesce(func.max(rows.c.number), 0)).where(rows.c.batch == batch)
    last = connection.execute(query).scalar_one()
    make = INSERT[connection.dialect.name](rows).on_conflict_do_nothing().inline()
    for number, row in enumerate(new, last + 1):
        values = attrs.asdict(row)
        del values["line"]
        key = ledger_key(batch, row.key)
        values |= {"batch": batch, "number": number, "ledger_key": key, "workflow": key}
        connection.execute(make, values)
        put(connection, key, key)


def planned(connection: Connection, batch: str) -> dict[str, PlannedRow]:
    """All rows of a batch as they were asked for, by their keys."""
    query = select(rows).where(rows.c.batch == batch)
    return {
        row.key: PlannedRow(row.number, row.key, row.video_id, row.prompt, row.model, row.output)
        for row in connection.execute(query)
    }


def find(connection: Connection, key: str) -> Found | None:
    """A row, and its entry in the ledger."""
    return find_all(connection, [key]).get(key)


def find_all(connection: Connection, keys: Sequence[str]) -> dict[str, Found]:
    """Rows by the keys that the ledger has for them, and their entries there."""
    found = connection.execute(_FIND_THESE, {"which": keys}).all()
    return {row.ledger_key: _found(connection, row) for row in found}


def _found(connection: Connection, row: SQLRow[Any]) -> Found:
    # Most rows have no entry yet; one that is open is as good as none.
    record = None if row.state == "waiting" else _records.find(connection, row.ledger_key)
    return Found(
        row.ledger_key, row.key, row.video_id, row.prompt, row.model, row.output, row.state, record
    )


def give_up(connection: Connection, key: str, why: str) -> None:
    """The row has failed, whatever has become of its job."""
    connection.execute(_GIVE_UP, {"which": key, "why": why})


def status(connection: Connection, batch: str) -> Status | None:
    """How far the batch has come; None if there is no such batch."""
    found = connection.execute(select(batches).where(batches.c.name == batch)).one_or_none()
    if found is None:
        return None
    counted = (
        select(STATE.label("row_state"), func.count())
        .select_from(JOINED)
        .where(rows.c.batch == batch)
        .group_by(STATE)
    )
    counts = dict.fromkeys(STATES, 0)
    for state, count in connection.execute(counted):
        counts[state] += count
    # A row that was tried again after its job had failed has had more than one.
    paid = select(func.count(func.distinct(jobs.c.job_id))).join(
        rows, rows.c.ledger_key == jobs.c.key
    )
    paid_for = connection.execute(paid.where(rows.c.batch == batch)).scalar_one()
    live = len(_workers.live(connection, batch))
    return Status(batch, counts, paid_for, found.price, found.paused, live)


def page(connection: Connection, batch: str, after: int, state: str | None, size: int) -> list[Row]:
    """The next rows in their order."""
    query = _SHOW.where(rows.c.batch == batch, rows.c.number > after)
    if state is not None:
        query = query.where(STATE.in_([state]))
    found = connection.execute(query.order_by(rows.c.number).limit(size)).mappings()
    return [_shown(each) for each in found]


def row(connection: Connection, batch: str, key: str) -> Row | None:
    """One row; None if there is none."""
    query = _SHOW.where(rows.c.ledger_key == ledger_key(batch, key))
    found = connection.execute(query).mappings().one_or_none()
    return None if found is None else _shown(found)


def _shown(found: RowMapping) -> Row:
    error = None
    if found["row_state"] in ("failed", "unknown"):
        error = found[rows.c.problem] or found[entries.c.error]
    return Row(
        number=found[rows.c.number],
        key=found[rows.c.key],
        state=found["row_state"],
        video_id=found[rows.c.video_id],
        prompt=found[rows.c.prompt],
        model=found[rows.c.model],
        output=found[rows.c.output],
        job_id=found[entries.c.job_id],
        error=error,
        request_id=found[entries.c.request_id],
        submitted_at=found[entries.c.submitted_at],
        accepted_at=found[entries.c.accepted_at],
        expires_at=found[entries.c.expires_at],
        worker=found[entries.c.holder],
    )


def pause(connection: Connection, batch: str, why: str | None) -> bool:
    """Submit nothing more, or (None) submit again; whether there is such a batch.

    The first reason for a pause stays.
    """
    change = update(batches).where(batches.c.name == batch)
    if why is None:
        return connection.execute(change.values(paused=None)).rowcount > 0
    paused = func.coalesce(batches.c.paused, why)
    return connection.execute(change.values(paused=paused)).rowcount > 0

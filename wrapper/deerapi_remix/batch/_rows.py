"""What is read of batches, and written. Every write may be run twice."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import attrs
from sqlalchemy import (
    Connection,
    RowMapping,
    and_,
    bindparam,
    delete,
    func,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from deerapi_remix.ledger import _holder, _records, _transitions
from deerapi_remix.ledger._records import Record
from deerapi_remix.ledger._schema import entries

from ._engine import workflows
from ._plan import PlannedRow
from ._schema import ENDED, JOINED, STATE, batches, now, rows, workers
from ._values import STATES, Row, Status

# Seconds without a sign of life after which a worker is taken for gone.
LEASE = 10.0
_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_FIND = select(rows, STATE.label("state")).select_from(JOINED)
_FIND_ONE = _FIND.where(rows.c.ledger_key == bindparam("which"))
_SHOW = select(rows, entries, STATE.label("row_state")).select_from(JOINED)
_GIVE_UP = (
    update(rows).where(rows.c.ledger_key == bindparam("which")).values(problem=bindparam("why"))
)

Put = Callable[[Connection, str, str], None]


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
        record: Its entry in the ledger, if there is one.
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
    made = _INSERT[connection.dialect.name](batches).values(values)
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


def add(connection: Connection, batch: str, planned: Iterable[PlannedRow], put: Put) -> None:
    """Add rows, and have them worked on. Those that are there already stay as they are."""
    query = select(func.coalesce(func.max(rows.c.number), 0)).where(rows.c.batch == batch)
    last = connection.execute(query).scalar_one()
    query = select(rows.c.key).where(rows.c.batch == batch)
    there = set(connection.execute(query).scalars())
    new = [row for row in planned if row.key not in there]
    make = _INSERT[connection.dialect.name](rows).on_conflict_do_nothing().inline()
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
    row = connection.execute(_FIND_ONE, {"which": key}).one_or_none()
    if row is None:
        return None
    record = _records.find(connection, key)
    return Found(key, row.key, row.video_id, row.prompt, row.model, row.output, row.state, record)


def give_up(connection: Connection, key: str, why: str) -> None:
    """The row has failed, whatever has become of its job."""
    connection.execute(_GIVE_UP, {"which": key, "why": why})


def status(connection: Connection, batch: str) -> Status | None:
    """How far the batch has come; None if there is no such batch."""
    found = connection.execute(select(batches).where(batches.c.name == batch)).one_or_none()
    if found is None:
        return None
    counted = (
        select(STATE.label("row_state"), func.count(), func.count(entries.c.job_id))
        .select_from(JOINED)
        .where(rows.c.batch == batch)
        .group_by(STATE)
    )
    counts, jobs = dict.fromkeys(STATES, 0), 0
    for state, count, with_job in connection.execute(counted):
        counts[state] += count
        jobs += with_job
    live = len(live_workers(connection, batch))
    return Status(batch, counts, jobs, found.price, found.paused, live)


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
    return Row(
        number=found[rows.c.number],
        key=found[rows.c.key],
        state=found["row_state"],
        video_id=found[rows.c.video_id],
        prompt=found[rows.c.prompt],
        model=found[rows.c.model],
        output=found[rows.c.output],
        job_id=found[entries.c.job_id],
        error=found[rows.c.problem] or found[entries.c.error],
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


def beat(connection: Connection, batch: str, worker: str) -> None:
    """Tell that a worker lives."""
    seen = now(connection)
    made = _INSERT[connection.dialect.name](workers)
    made = made.values(worker=worker, batch=batch, seen_at=seen)
    connection.execute(
        made.on_conflict_do_update(index_elements=["worker"], set_={"seen_at": seen})
    )


def leave(connection: Connection, worker: str) -> None:
    """Tell that a worker works no more."""
    connection.execute(delete(workers).where(workers.c.worker == worker))


def live_workers(connection: Connection, batch: str) -> frozenset[str]:
    """The workers that are at work."""
    query = select(workers.c.worker).where(
        workers.c.batch == batch, workers.c.seen_at > now(connection) - LEASE
    )
    found = connection.execute(query).scalars()
    return frozenset(name for name in found if not _holder.is_gone(process_of(name)))


def worker_name() -> str:
    """A name for this worker, which no other has or ever had."""
    return f"{_holder.current()}#{secrets.token_hex(4)}"


def process_of(worker: str) -> str:
    """The process of a worker, as the ledger names holders."""
    return worker.partition("#")[0]


@attrs.frozen
class Stray:
    """A row that has not ended, and that nobody may be working on.

    Attributes:
        key: The key by which the ledger knows it.
        workflow: The workflow that was about it.
        worker: The worker that claimed that workflow, if one did and has not finished it.
    """

    key: str
    workflow: str
    worker: str | None


def strays(connection: Connection, batch: str, others: Collection[str]) -> list[Stray]:
    """The rows that have not ended and that none of `others` works on, nor will anybody."""
    flows = workflows(connection.dialect.name)
    is_theirs = and_(flows.c.status == "PENDING", flows.c.executor_id.in_(list(others)))
    is_queued = flows.c.status.in_(["ENQUEUED", "DELAYED"])
    query = (
        select(rows.c.ledger_key, rows.c.workflow, flows.c.status, flows.c.executor_id)
        .select_from(JOINED.outerjoin(flows, flows.c.workflow_uuid == rows.c.workflow))
        .where(rows.c.batch == batch, STATE.not_in(ENDED))
        .where(or_(flows.c.status.is_(None), not_(or_(is_queued, is_theirs))))
    )
    return [
        Stray(key, workflow, worker if state == "PENDING" else None)
        for key, workflow, state, worker in connection.execute(query)
    ]


def put_back(connection: Connection, found: Sequence[Stray], put: Put) -> int:
    """Have rows worked on again by a new workflow each; how many no other worker put back."""
    count = 0
    for stray in found:
        workflow = f"{stray.key}#{secrets.token_hex(4)}"
        change = update(rows).where(
            rows.c.ledger_key == stray.key, rows.c.workflow == stray.workflow
        )
        if connection.execute(change.values(workflow=workflow)).rowcount > 0:
            put(connection, stray.key, workflow)
            count += 1
    return count


def reopen(connection: Connection, batch: str, key: str, put: Put) -> None:
    """Forget why a row was given up, and have it worked on."""
    which = ledger_key(batch, key)
    query = select(rows.c.workflow).where(rows.c.ledger_key == which)
    workflow = connection.execute(query).scalar_one()
    connection.execute(update(rows).where(rows.c.ledger_key == which).values(problem=None))
    put_back(connection, [Stray(which, workflow, None)], put)


def resolve(
    connection: Connection, batch: str, key: str, job_id: str | None, at: float, put: Put
) -> Record | None:
    """Someone found out what became of an unknown row; the entry as it is now."""
    record = _transitions.resolve(connection, ledger_key(batch, key), job_id, at)
    wanted = "open" if job_id is None else "accepted"
    if record is not None and record.entry.state == wanted:
        reopen(connection, batch, key, put)
    return record


def retry(
    connection: Connection, batch: str, keys: Sequence[str], at: float, put: Put
) -> list[str]:
    """Have failed rows worked on again; those that were. A job that failed is paid for again."""
    again = []
    for key in keys:
        found = find(connection, ledger_key(batch, key))
        if found is None or found.state != "failed":
            continue
        if found.record is not None and found.record.entry.state == "failed":
            _transitions.resolve(connection, found.ledger_key, None, at)
        reopen(connection, batch, key, put)
        again.append(key)
    return again

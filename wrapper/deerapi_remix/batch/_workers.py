"""Which workers live, and which rows nobody works on."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Sequence

import attrs
from sqlalchemy import Connection, and_, delete, not_, or_, select, update

from deerapi_remix.ledger import _holder
from deerapi_remix.ledger._schema import INSERT, check

from ._engine import workflows
from ._schema import ENDED, JOINED, STATE, now, rows, workers

# Seconds without a sign of life after which a worker is taken for gone.
LEASE = 10.0

# Has a row worked on by a new workflow: the connection, the key of the row, the workflow.
Put = Callable[[Connection, str, str], None]


def beat(connection: Connection, batch: str, worker: str) -> None:
    """Tell that a worker lives.

    Raises:
        LedgerUnavailableError: A newer version has changed the tables since it began.
    """
    check(connection)
    seen = now(connection)
    made = INSERT[connection.dialect.name](workers)
    made = made.values(worker=worker, batch=batch, seen_at=seen)
    connection.execute(
        made.on_conflict_do_update(index_elements=["worker"], set_={"seen_at": seen})
    )


def leave(connection: Connection, worker: str) -> None:
    """Tell that a worker works no more."""
    connection.execute(delete(workers).where(workers.c.worker == worker))


def live(connection: Connection, batch: str) -> frozenset[str]:
    """The workers that are at work."""
    # Where the clock was set back, who told it before that is no more alive than others.
    query = select(workers.c.worker).where(
        workers.c.batch == batch,
        workers.c.seen_at.between(now(connection) - LEASE, now(connection) + LEASE),
    )
    found = connection.execute(query).scalars()
    return frozenset(name for name in found if not _holder.is_gone(process_of(name)))


def new_name() -> str:
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
        # Workers that put the same rows back lock them in the same order.
        .order_by(rows.c.ledger_key)
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

"""Adding the rows of a table that was checked before: another run may have added some since."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, or_, select

from . import _rows
from ._plan import PlannedRow, others
from ._problems import Problem, TableError
from ._schema import batches, rows
from ._workers import Put


def add(connection: Connection, batch: str, planned: Sequence[PlannedRow], put: Put) -> None:
    """Add rows, and have them worked on. Those that are there already stay as they are.

    Raises:
        TableError: Another run has added rows that do not go with these. None of these is added.
    """
    # Two that add at a time look one after the other.
    connection.execute(select(batches.c.name).where(batches.c.name == batch).with_for_update())
    _check(connection, batch, planned)
    _rows.add(connection, batch, planned, put)


def _check(connection: Connection, batch: str, planned: Sequence[PlannedRow]) -> None:
    keys = [_rows.ledger_key(batch, row.key) for row in planned]
    outputs = [row.output for row in planned]
    query = select(rows).where(rows.c.batch == batch)
    found = connection.execute(
        query.where(or_(rows.c.ledger_key.in_(keys), rows.c.output.in_(outputs)))
    ).all()
    by_key = {row.key: (row.video_id, row.prompt, row.model) for row in found}
    by_output = {row.output: row.key for row in found}
    problems = []
    for row in planned:
        if differing := others(by_key.get(row.key, row.content()), row.content()):
            told = f"the batch has this key with another {differing}"
            problems.append(Problem(row.line, "key", row.key, told))
        if by_output.get(row.output, row.key) != row.key:
            told = f"row {by_output[row.output]!r}, which was just added, has this file"
            problems.append(Problem(row.line, "output", row.output, told))
    if problems:
        raise TableError(problems)

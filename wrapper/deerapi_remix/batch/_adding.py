"""Adding the rows of a table that was checked before: another run may have added some since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from . import _rows
from ._plan import PlannedRow, problem_of_key
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
    known = _known(connection, batch, planned)
    _check(planned, known, _saved_as(connection, batch, planned))
    _rows.add(connection, batch, [row for row in planned if row.key not in known], put)


def _known(
    connection: Connection, batch: str, planned: Sequence[PlannedRow]
) -> dict[str, tuple[str, str, str | None]]:
    """What is paid for by those rows that are there, by their keys."""
    keys = [_rows.ledger_key(batch, row.key) for row in planned]
    query = select(rows.c.key, rows.c.video_id, rows.c.prompt, rows.c.model)
    found = connection.execute(query.where(rows.c.ledger_key.in_(keys)))
    return {row.key: (row.video_id, row.prompt, row.model) for row in found}


def _saved_as(connection: Connection, batch: str, planned: Sequence[PlannedRow]) -> dict[str, str]:
    """The keys of the rows that are there, by their files."""
    outputs = [row.output for row in planned]
    query = select(rows.c.output, rows.c.key).where(rows.c.batch == batch)
    found = connection.execute(query.where(rows.c.output.in_(outputs)))
    return {row.output: row.key for row in found}


def _check(
    planned: Sequence[PlannedRow],
    known: Mapping[str, tuple[str, str, str | None]],
    saved_as: Mapping[str, str],
) -> None:
    problems = []
    for row in planned:
        if problem := problem_of_key(row, known.get(row.key, row.content())):
            problems.append(problem)
        if saved_as.get(row.output, row.key) != row.key:
            told = f"row {saved_as[row.output]!r}, which was just added, has this file"
            problems.append(Problem(row.line, "output", row.output, told))
    if problems:
        raise TableError(problems)

"""Opening a batch from the command line."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ._complaints import complain
from ._exit_codes import ExitCode, MissingExtraError
from ._open_ledger import check_exists
from ._streams import tell

if TYPE_CHECKING:
    from deerapi_remix.batch import Batch, Line, TableError

DEFAULT_DATABASE = "sqlite:///batch.db"
# So many problems of a table are shown to people.
_SHOWN = 20


@contextlib.contextmanager
def open_batch(database: str | None, name: str) -> Iterator[Batch]:
    """The batch of that name, which is closed at the end.

    Raises:
        FileNotFoundError: Its database is not there.
        BatchError: There is none of that name.
        MissingExtraError: An extra is not installed.
    """
    check_exists(database or DEFAULT_DATABASE, "batch")
    with _batch(database, name, is_made=True) as batch:
        batch.status()  # It says so if there is none of that name.
        yield batch


@contextlib.contextmanager
def batch_for_table(database: str | None, name: str, *, dry_run: bool) -> Iterator[Batch]:
    """The batch to which a table is added. Its database is made, unless nothing is to be left.

    Raises:
        MissingExtraError: An extra is not installed.
    """
    with _batch(database, name, is_made=not dry_run) as batch:
        yield batch


@contextlib.contextmanager
def _batch(database: str | None, name: str, *, is_made: bool) -> Iterator[Batch]:
    url = database or DEFAULT_DATABASE
    try:
        from deerapi_remix.batch import Batch

        batch = Batch.open(url, name) if is_made else Batch(url, name)
    except ImportError as error:
        raise MissingExtraError(str(error)) from None
    with batch:
        yield batch


def read(table: str) -> list[Line]:
    """The rows of a table.

    Raises:
        TableError: It cannot be read as one.
        OSError: The file cannot be read.
        MissingExtraError: An extra is not installed.
    """
    try:
        from deerapi_remix.batch import read_table
    except ImportError as error:
        raise MissingExtraError(str(error)) from None
    return read_table(sys.stdin.buffer if table == "-" else Path(table))


def name_of(table: str, name: str | None, note: Callable[[str], None]) -> str:
    """The name of a batch: the one that was given, else that of its table.

    Args:
        table: The path of the table, or `-`.
        name: The name that was given.
        note: Is told the name where it is not quite that of the table.
    """
    if name is not None:
        return name
    if table == "-":
        return "stdin"
    called = Path(table).stem
    found = re.sub(r"[^A-Za-z0-9._-]+", "-", called).lstrip("._-")[:64] or "batch"
    if found != called:
        note(f"the name of the batch is {found}")
    return found


def complain_of_table(error: TableError, *, as_json: bool) -> ExitCode:
    """Tell what is wrong with a table; the exit code."""
    for problem in error.problems[:_SHOWN]:
        tell(str(problem))
    count = len(error.problems)
    more = f", of which {_SHOWN} are shown" if count > _SHOWN else ""
    message = f"The table cannot be used: {count} problem{'s' * (count > 1)}{more}. "
    facts = {"problems": [problem.to_dict() for problem in error.problems]}
    complain(ExitCode.USAGE, "TableError", f"{message}Nothing was sent.", facts, as_json=as_json)
    return ExitCode.USAGE

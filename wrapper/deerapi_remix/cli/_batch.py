"""The commands `batch`: many remixes from a table."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

import typer

from . import _batch_run
from ._batch_options import BatchDatabase, ExportFile, Name, OneState, RowKey, RowKeys, Yes
from ._batch_progress import counts, unknown_line
from ._consent import ask_to_pay
from ._export import as_json_lines, save_rows
from ._help import Command, Group, examples
from ._ledger import Job, NotCharged, Silent
from ._next_command import SaveTo
from ._open_batch import open_batch
from ._option_rules import check_options
from ._options import Json, Overwrite
from ._stdout import STDOUT
from ._streams import has_colors
from ._text import columns, counted, table
from ._work import Work

if TYPE_CHECKING:
    from deerapi_remix.batch import Batch, Row, RowState, Status

app = typer.Typer(
    name="batch",
    cls=Group,
    help="Remix many rows of a table durably: each is paid for once, whatever happens.",
    epilog=examples("batch run rows.csv --dry-run", "batch status rows"),
    no_args_is_help=True,
)
app.command(cls=Command, epilog=_batch_run.RUN_EXAMPLES)(_batch_run.run)
app.command(cls=Command, epilog=_batch_run.WORKER_EXAMPLES)(_batch_run.worker)


@app.command(cls=Command, epilog=examples("batch status rows", "batch status rows --state unknown"))
def status(
    name: Name,
    state: OneState = None,
    database: BatchDatabase = None,
    as_json: Json = False,
    quiet: Silent = False,
) -> None:
    """Print how far a batch is, or list its rows in one state."""
    with _opened(name, database, as_json=as_json, quiet=quiet) as (work, batch):
        found = batch.status()
        if state is None:
            work.result(_told(found), found.to_dict())
            return
        rows = list(batch.rows(cast("RowState", state)))  # The batch checks it.
        work.result(_listed(rows), {**found.to_dict(), "rows": [row.to_dict() for row in rows]})


@app.command(cls=Command, epilog=examples("batch pause rows"))
def pause(
    name: Name, database: BatchDatabase = None, as_json: Json = False, quiet: Silent = False
) -> None:
    """Let all workers submit nothing more. Jobs under way are saved."""
    with _opened(name, database, as_json=as_json, quiet=quiet) as (work, batch):
        batch.pause()
        _shows(work, batch)


@app.command(cls=Command, epilog=examples("batch resume rows"))
def resume(
    name: Name, database: BatchDatabase = None, as_json: Json = False, quiet: Silent = False
) -> None:
    """Let workers submit again. Those that have ended must be started anew."""
    with _opened(name, database, as_json=as_json, quiet=quiet) as (work, batch):
        batch.resume()
        _shows(work, batch)


@app.command(cls=Command, epilog=examples("batch retry rows", "batch retry rows row-7 --yes"))
def retry(
    name: Name,
    keys: RowKeys = None,
    yes: Yes = False,
    database: BatchDatabase = None,
    as_json: Json = False,
    quiet: Silent = False,
) -> None:
    """Have failed rows submitted, and paid for, again. You are asked first.

    Rows that were refused were never paid. A job that was given up but not
    said to have failed is followed, not paid again. Unknown rows are left alone.
    """
    with _opened(name, database, as_json=as_json, quiet=quiet) as (work, batch):
        failed = [row.key for row in batch.rows("failed") if not keys or row.key in keys]
        if others := [key for key in dict.fromkeys(keys or []) if key not in failed]:
            work.display.note(f"not among the failed rows, and left alone: {', '.join(others)}")
        if failed:
            work.display.note(_cost_of_retry(batch, len(failed)))
            ask_to_pay(f"{counted(len(failed), 'failed row')} again", yes=yes)
        again = batch.retry(failed)
        work.result("\n".join(again), {"retried": again})
        work.display.note(f"{counted(len(again), 'row')} put back")


@app.command(
    cls=Command,
    epilog=examples(
        "batch resolve rows row-7 --job video_456", "batch resolve rows row-7 --not-charged"
    ),
)
def resolve(
    name: Name,
    key: RowKey,
    job: Job = None,
    not_charged: NotCharged = False,
    database: BatchDatabase = None,
    as_json: Json = False,
    quiet: Silent = False,
) -> None:
    """Say what became of a row whose submit nobody knows the end of.

    Look at your usage with the vendor first.
    """
    if (job is None) is not not_charged:
        raise typer.BadParameter("say either --job ID or --not-charged.")
    with _opened(name, database, as_json=as_json, quiet=quiet) as (work, batch):
        row = batch.resolve(key, job_id=job, not_charged=not_charged)
        work.result(columns([_cells(row)]), row.to_dict())


@app.command(cls=Command, epilog=examples("batch export rows -o rows-done.csv"))
def export(
    name: Name,
    output: ExportFile = None,
    overwrite: Overwrite = False,
    database: BatchDatabase = None,
    as_json: Json = False,
    quiet: Silent = False,
) -> None:
    """Write one line for each row: JSON Lines, or CSV into a file that is named so."""
    check_options(output=output, overwrite=overwrite)
    with _opened(name, database, as_json=as_json, quiet=quiet) as (work, batch):
        rows = [row.to_dict() for row in batch.rows()]
        if output is None or output == STDOUT:
            work.result(as_json_lines(rows), {"rows": rows})
            return
        work.save_to = SaveTo(output, overwrite)
        save_rows(rows, output, overwrite=overwrite)
        work.result(str(output), {"path": str(output), "rows": len(rows)})


@contextlib.contextmanager
def _opened(
    name: str, database: str | None, *, as_json: bool, quiet: bool
) -> Iterator[tuple[Work, Batch]]:
    work = Work(as_json=as_json, quiet=quiet, base_url=None)
    with work.running(), open_batch(database, name) as batch:
        yield work, batch


def _shows(work: Work, batch: Batch) -> None:
    found = batch.status()
    work.result(_told(found), found.to_dict())


def _cost_of_retry(batch: Batch, count: int) -> str:
    """What it costs at most: what some of the rows need may be paid already."""
    price = batch.status().price
    told = counted(count, "failed row")
    return (
        told if price is None else f"{told}; at most {count:,} x {price:g} = {count * price:,.2f}"
    )


def _told(found: Status) -> str:
    rows: dict[str, object] = {"batch": found.name, "rows": f"{found.total:,}: {counts(found)}"}
    rows["paused"] = found.paused
    rows["workers"] = str(found.workers)
    rows["jobs paid"] = str(found.jobs)
    if found.cost is not None:
        rows["cost"] = f"{found.cost:,.2f}"
    return table(rows)


def _listed(rows: list[Row]) -> str:
    if not rows:
        return ""
    lines = columns([_cells(row) for row in rows])
    if rows[0].state != "unknown":
        return lines
    told = [unknown_line(row) for row in rows]
    if has_colors(sys.stdout):
        told = [typer.style(line, fg="red") for line in told]
    return "\n".join(told)


def _cells(row: Row) -> list[str]:
    return [row.key, row.state, row.job_id or "", row.error or ""]

"""The commands `batch run` and `batch worker`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import typer

import deerapi_remix

from ._address import address
from ._batch_display import BatchDisplay, BatchLog, batch_display
from ._batch_endings import advice, ending
from ._batch_options import (
    BatchDatabase,
    BatchName,
    DryRun,
    InFlight,
    MaxRows,
    Name,
    OutputTemplate,
    Price,
    PromptTemplate,
    Rate,
    Submits,
    Table,
    Yes,
)
from ._batch_progress import counts, unknown_line
from ._complaints import complain
from ._consent import ask_to_pay
from ._exit_codes import ExitCode
from ._help import examples
from ._key import key_from_terminal
from ._open_batch import batch_for_table, complain_of_table, name_of, open_batch, read
from ._options import BaseUrl, Json, ModelId, Quiet
from ._text import counted
from ._work import Work

if TYPE_CHECKING:
    from deerapi_remix import AsyncRemixClient
    from deerapi_remix.batch import Batch, Line, Plan, Status

RUN_EXAMPLES = examples(
    "batch run rows.csv --dry-run --price 0.4",
    "batch run rows.csv --yes",
    'batch run cats.csv --prompt "{name} bows" -o "{name}.mp4"',
)
WORKER_EXAMPLES = examples(
    "batch worker rows", "batch worker rows --database postgresql://db/remixes"
)
_LOG = "deerapi_remix.batch"
_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


def run(
    table: Table,
    database: BatchDatabase = None,
    name: BatchName = None,
    output: OutputTemplate = "out/{key}.mp4",
    prompt: PromptTemplate = None,
    model: ModelId = None,
    submits: Submits = None,
    in_flight: InFlight = None,
    rate: Rate = None,
    price: Price = None,
    max_rows: MaxRows = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    base_url: BaseUrl = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Remix every row of a table, each paid for once.

    Everything is checked before anything is paid. Run again, it goes on where
    it was, and pays for new rows only. Ctrl-C lets what is being submitted
    finish; a second one does not.
    """
    settings = {"submits": submits, "in_flight": in_flight, "rate": rate}
    with _running(as_json=as_json, quiet=quiet, base_url=base_url) as work:
        lines = read(table)[:max_rows]
        called = name_of(table, name, work.display.note)
        with batch_for_table(database, called, dry_run=dry_run) as batch:
            models = _served(work, lines, model, dry_run=dry_run)
            plan = batch.plan(
                lines, prompt=prompt, model=model, output=output, price=price, models=models
            )
            if plan.unused:
                names = ", ".join(plan.unused)
                work.display.note(f"columns from which nothing is taken: {names}")
            if dry_run:
                work.result(_planned(plan), plan.to_dict())
                return
            if plan.rows:
                work.display.note(_planned(plan))
                count = counted(len(plan.rows), "remix")
                ask_to_pay(count, yes=yes, stdin_is_taken=table == "-")
            with _adding(work) if plan.rows else contextlib.nullcontext():
                batch.put(plan)
            del lines, plan  # Of many rows they take as much memory as all that is under way.
            _work_on(batch, work, settings, quiet=quiet)


def worker(
    name: Name,
    database: BatchDatabase = None,
    base_url: BaseUrl = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Work on a batch together with `batch run` and other workers.

    With Postgres it may run on any machine that sees the same folders.
    """
    with (
        _running(as_json=as_json, quiet=quiet, base_url=base_url) as work,
        open_batch(database, name) as batch,
    ):
        _work_on(batch, work, {}, quiet=quiet)


@contextlib.contextmanager
def _running(*, as_json: bool, quiet: bool, base_url: str | None) -> Iterator[Work]:
    """As `Work.running`, and what is wrong with a table is told line by line."""
    work = Work(as_json=as_json, quiet=quiet, base_url=base_url)
    with work.running():
        try:
            yield work
        except ValueError as error:
            from deerapi_remix.batch import TableError

            if not isinstance(error, TableError):
                raise
            raise typer.Exit(complain_of_table(error, as_json=as_json)) from None


@contextlib.contextmanager
def _adding(work: Work) -> Iterator[None]:
    """Whoever is cut off while rows are added learns that others are not there yet."""
    try:
        yield
    except BaseException as error:
        told = "not all rows were added"
        if not isinstance(error, ValueError):  # The table would be refused again.
            told += ": the same command, run again, adds the rest"
        work.display.note(told)
        raise


def _served(work: Work, lines: list[Line], model: str | None, *, dry_run: bool) -> list[str] | None:
    """The models that are served. To ask for them also shows that the key is accepted."""
    names_a_model = model is not None or any("model" in line.cells for line in lines)
    if dry_run and not names_a_model:
        return None
    with work.client() as client:
        return [served.id for served in client.models()]


def _planned(plan: Plan) -> str:
    told = counted(len(plan.rows), "new row")
    if plan.known:
        told += f", {plan.known:,} that the batch has already"
    if plan.cost is not None:
        told += f"; {len(plan.rows):,} x {plan.price:g} = {plan.cost:,.2f}"
    return told


def _work_on(batch: Batch, work: Work, settings: dict[str, Any], *, quiet: bool) -> None:
    client = deerapi_remix.AsyncRemixClient(key_from_terminal(), base_url=address(work.base_url))
    display = batch_display(quiet=quiet)
    watch = _Watch(batch, display)
    log = BatchLog(display)
    logging.getLogger(_LOG).addHandler(log)
    try:
        status, interrupted = asyncio.run(_drive(batch, client, watch, settings))
    finally:
        logging.getLogger(_LOG).removeHandler(log)
        display.close()
    watch.tell_unknown(status)
    code = ending(status, interrupted=interrupted)
    work.result(f"{status.name}: {counts(status)}", status.to_dict())
    if code is not ExitCode.DONE:
        complain(code, "BatchEnded", advice(status, interrupted=interrupted), as_json=False)
        raise typer.Exit(code)


async def _drive(
    batch: Batch, client: AsyncRemixClient, watch: _Watch, settings: dict[str, Any]
) -> tuple[Status, bool]:
    """Run the batch; its status, and whether a signal ended it."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    interrupted = False

    def interrupt() -> None:
        nonlocal interrupted
        if interrupted and task is not None:
            watch.display.note("ending at once; what is being submitted may be unknown")
            task.cancel()
            return
        interrupted = True
        watch.display.note("no new submits; those under way are being finished")
        batch.stop()

    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            with contextlib.suppress(NotImplementedError):  # On Windows the first one ends at once.
                loop.add_signal_handler(number, interrupt)
    try:
        async with client:
            status = await batch.run(
                client, on_status=watch.saw, on_accepted=watch.display.accepted, **settings
            )
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    return status, interrupted


class _Watch:
    """Tells of every row whose outcome is unknown, once."""

    def __init__(self, batch: Batch, display: BatchDisplay) -> None:
        self.display = display
        self._batch = batch
        self._told: set[str] = set()

    def saw(self, status: Status) -> None:
        from deerapi_remix.ledger import LedgerUnavailableError

        self.display.saw(status)
        with contextlib.suppress(LedgerUnavailableError):  # They are told once it is back.
            self.tell_unknown(status)

    def tell_unknown(self, status: Status) -> None:
        if status.counts["unknown"] <= len(self._told):
            return
        for row in self._batch.rows("unknown"):
            if row.key not in self._told:
                self._told.add(row.key)
                self.display.alarm(unknown_line(row))

"""The commands `ledger list|show|resolve|forget`: what was submitted with `remix --once`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, cast

import typer

from ._help import Command, Group, examples
from ._open_ledger import check_exists, open_ledger
from ._options import Database, Json
from ._text import columns, moment, table
from ._work import Work

if TYPE_CHECKING:
    from deerapi_remix.ledger import Entry, Ledger, State

app = typer.Typer(
    name="ledger",
    cls=Group,
    help="Look at, and settle, what was submitted with `remix --once`.",
    epilog=examples("ledger list --state unknown", "ledger show order-1042"),
    no_args_is_help=True,
)

Key = Annotated[str, typer.Argument(metavar="KEY", help="The key of the remix.")]
Silent = Annotated[
    bool, typer.Option("--quiet", "-q", help="Show no progress; these commands have none.")
]


def _states() -> list[str]:
    return ["submitting", "open", "accepted", "unknown", "saved", "failed"]


StateOption = Annotated[
    str | None,
    typer.Option(
        "--state",
        metavar="STATE",
        help="submitting, open, accepted, unknown, saved or failed.",
        autocompletion=_states,
    ),
]
Job = Annotated[
    str | None, typer.Option("--job", metavar="ID", help="The job that was found to be there.")
]
NotCharged = Annotated[
    bool, typer.Option("--not-charged", help="Nothing was charged: the next call submits.")
]


class UnknownKeyError(ValueError):
    """The ledger has no such key."""


@app.command("list", cls=Command, epilog=examples("ledger list", "ledger list --state unknown"))
def list_entries(
    state: StateOption = None,
    database: Database = None,
    as_json: Json = False,
    quiet: Silent = False,
) -> None:
    """List the keys with their states and jobs."""
    with _opened(database, as_json=as_json, quiet=quiet) as (work, ledger):
        # The ledger checks it.
        entries = list(ledger.entries(state=cast("State | None", state)))
        rows = [[entry.key, entry.state, entry.job_id or ""] for entry in entries]
        work.result(columns(rows), {"entries": [entry.to_dict() for entry in entries]})


@app.command(cls=Command, epilog=examples("ledger show order-1042"))
def show(key: Key, database: Database = None, as_json: Json = False, quiet: Silent = False) -> None:
    """Print what is known of a key."""
    with _opened(database, as_json=as_json, quiet=quiet) as (work, ledger):
        entry = ledger.get(key)
        if entry is None:
            raise _unknown(key)
        _shows(work, entry)


@app.command(
    cls=Command,
    epilog=examples(
        "ledger resolve order-1042 --job video_456", "ledger resolve order-1042 --not-charged"
    ),
)
def resolve(
    key: Key,
    job: Job = None,
    not_charged: NotCharged = False,
    database: Database = None,
    as_json: Json = False,
    quiet: Silent = False,
) -> None:
    """Say what became of a submit that nobody knows the end of.

    Look at your usage with the vendor first. --not-charged also lets a job
    that has failed be submitted, and paid, again.
    """
    if (job is None) is not not_charged:
        raise typer.BadParameter("say either --job ID or --not-charged.")
    with _opened(database, as_json=as_json, quiet=quiet) as (work, ledger):
        try:
            entry = ledger.resolve(key, job_id=job, not_charged=not_charged)
        except KeyError:
            raise _unknown(key) from None
        _shows(work, entry)


@app.command(cls=Command, epilog=examples("ledger forget order-1042"))
def forget(
    key: Key, database: Database = None, as_json: Json = False, quiet: Silent = False
) -> None:
    """Remove a key: the next call with it submits, and pays, again."""
    with _opened(database, as_json=as_json, quiet=quiet) as (work, ledger):
        entry = ledger.forget(key)
        if entry is None:
            raise _unknown(key)
        _shows(work, entry)


@contextlib.contextmanager
def _opened(database: str | None, *, as_json: bool, quiet: bool) -> Iterator[tuple[Work, Ledger]]:
    work = Work(as_json=as_json, quiet=quiet, base_url=None)
    with work.running():
        check_exists(database)
        with open_ledger(database) as ledger:
            yield work, ledger


def _unknown(key: str) -> UnknownKeyError:
    return UnknownKeyError(f"the ledger has no key {key!r}")


def _shows(work: Work, entry: Entry) -> None:
    rows: dict[str, object] = {
        "key": entry.key,
        "state": entry.state,
        "job": entry.job_id,
        "status": entry.status,
        "file": entry.path,
        "remix of": entry.video_id,
        "prompt": entry.prompt,
        "model": entry.model,
        "base URL": entry.base_url,
        "submitted": _moment(entry.submitted_at),
        "accepted": _moment(entry.accepted_at),
        "expires": _moment(entry.expires_at),
        "request ID": entry.request_id,
        "error": entry.error,
    }
    if len(entry.job_ids) > 1:
        rows["all jobs"] = ", ".join(entry.job_ids)
    work.result(table(rows), entry.to_dict())


def _moment(unix: float | None) -> str | None:
    if unix is None:
        return None
    return moment(int(unix))

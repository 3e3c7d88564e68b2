"""What befalls single submits. Each tells what went wrong, in words; nothing, if all is well."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from deerapi_remix.ledger import Ledger

from ..postgres import PostgresServer, with_settings
from .kit import LONG, Call, Ended, Gate, environment
from .vendor import Vendor

KEY = "order-1042"
INTERRUPTED = Path(__file__).with_name("interrupted.py")
Scenario = Callable[[str, Path | None], Iterator[str]]


def expect(problem: str, *, is_so: bool) -> Iterator[str]:
    if not is_so:
        yield problem


def late_answer(url: str, package: Path | None) -> Iterator[str]:
    """A process stands still in its POST, is resolved as not charged, and goes on after another has submitted."""
    gate = Gate(200)
    vendor = Vendor(url, gate)
    with vendor.running() as address, Ledger(url) as ledger:
        first = Call(address, url, KEY, package=package)
        gate.reached(0)
        first.stop()
        yield from _give_up(url, ledger)
        second = Call(address, url, KEY, package=package).end()
        gate.open(0)
        first.go_on()
        ended = first.end()
        entry = ledger.get(KEY)
    jobs = vendor.jobs[KEY]
    yield from expect(f"the second call failed: {second}", is_so=second.error is None)
    yield from expect(f"the first call did not tell: {ended}", is_so=ended.error == "DuplicateJobError")
    yield from expect(f"its job is not told: {ended}", is_so=ended.job in jobs and ended.job != second.job)
    yield from expect(f"overwritten: {entry}", is_so=entry is not None and entry.job_id == second.job)
    yield from expect(f"lost: {entry}", is_so=entry is not None and set(entry.job_ids) == set(jobs))
    yield from expect(f"no intent was on record: {vendor.unbacked}", is_so=not vendor.unbacked)


def late_refusal(url: str, package: Path | None) -> Iterator[str]:
    """As before, but it goes on while the other submits, and was refused: the submit of the other is not over."""
    gate = Gate(400, 200)
    vendor = Vendor(url, gate)
    with vendor.running() as address, Ledger(url) as ledger:
        first = Call(address, url, KEY, package=package)
        gate.reached(0)
        first.stop()
        yield from _give_up(url, ledger)
        second = Call(address, url, KEY, package=package)
        gate.reached(1)
        gate.open(0)
        first.go_on()
        first.end()
        third = Call(address, url, KEY, package=package).end()
        gate.open(1)
        ended = second.end()
    yield from expect(f"the third call submitted: {third}", is_so=third.error == "SubmitInProgressError")
    yield from expect(f"the second call failed: {ended}", is_so=ended.error is None)
    yield from expect(f"paid twice: {vendor.jobs}", is_so=len(vendor.jobs[KEY]) == 1)


def late_answer_alone(url: str, package: Path | None) -> Iterator[str]:
    """As before, but nobody has submitted meanwhile: the job is known, and the next call pays nothing."""
    gate = Gate(200)
    vendor = Vendor(url, gate)
    with vendor.running() as address, Ledger(url) as ledger:
        first = Call(address, url, KEY, package=package)
        gate.reached(0)
        first.stop()
        yield from _give_up(url, ledger)
        gate.open(0)
        first.go_on()
        ended = first.end()
        second = Call(address, url, KEY, package=package).end()
    yield from expect(f"the late answer was lost: {ended}", is_so=ended.error is None)
    yield from expect(f"paid twice: {second}", is_so=second.job == ended.job and len(vendor.posts) == 1)


def unbacked(url: str, package: Path | None) -> Iterator[str]:
    """One submit, for which the intent must be on record when its POST comes."""
    vendor = Vendor(url, lambda _: 200)
    with vendor.running() as address, Ledger(url) as ledger:
        ledger.get(KEY)  # Makes the tables.
        ended = Call(address, url, KEY, package=package).end()
    yield from is_kept(url, vendor, ended.job)


def full_disk(url: str, package: Path | None) -> Iterator[str]:
    """The disk is full when a job is accepted, and then it is not."""
    vendor = Vendor(url, lambda _: 200)
    path = url.removeprefix("sqlite:///")
    with vendor.running() as address:
        Call(address, url, "before", package=package).end()
        ended = Call(address, url, KEY, package=package, full_after=path, full_for=2.0).end()
    yield from is_kept(url, vendor, ended.job)


def full_disk_for_long(url: str, package: Path | None) -> Iterator[str]:
    """The disk stays full: nothing is submitted."""
    vendor = Vendor(url, lambda _: 200)
    path = Path(url.removeprefix("sqlite:///"))
    with vendor.running() as address:
        Call(address, url, "before", package=package).end()
        ended = Call(address, url, KEY, package=package, full_before=str(path)).end()
    yield from expect(f"no clear error: {ended}", is_so=ended.error == "LedgerUnavailableError")
    yield from expect("it was submitted", is_so=KEY not in vendor.posts)


def locked_file(url: str, package: Path | None) -> Iterator[str]:
    """Another process holds the file for a while when a job is accepted."""
    path = url.removeprefix("sqlite:///")
    with Ledger(url) as ledger:
        ledger.get(KEY)
    holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)

    def behaviour(_: str) -> int:
        holder.execute("BEGIN IMMEDIATE")
        return 200

    vendor = Vendor(url, behaviour)
    with closing(holder), vendor.running() as address:
        call = Call(address, url, KEY, package=package)
        while not vendor.jobs:
            time.sleep(0.02)
        time.sleep(1.0)
        holder.execute("ROLLBACK")
        ended = call.end()
    yield from is_kept(url, vendor, ended.job)


def is_kept(url: str, vendor: Vendor, job: str | None) -> Iterator[str]:
    with Ledger(url) as ledger:
        entry = ledger.get(KEY)
    yield from expect(f"lost: {entry}", is_so=entry is not None and [entry.job_id] == vendor.jobs[KEY] == [job])
    yield from expect(f"not accepted: {entry}", is_so=entry is not None and entry.state == "accepted")
    yield from expect(f"no intent was on record: {vendor.unbacked}", is_so=not vendor.unbacked)


def _give_up(url: str, ledger: Ledger) -> Iterator[str]:
    """Let the time of the submit be up, and say that nothing was charged."""
    execute(url, "UPDATE deerapi_ledger_entries SET held_until = 1")
    entry = ledger.resolve(KEY, not_charged=True)
    yield from expect(f"it was not given up: {entry}", is_so=entry.state == "open")


def execute(url: str, statement: str) -> None:
    if url.startswith("sqlite:///"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=30, isolation_level=None)) as connection:
            connection.execute(statement)
    else:
        import psycopg

        with psycopg.connect(url, autocommit=True) as server:
            server.execute(statement.encode())


_SETTINGS = """
import sys
from sqlalchemy import text
from deerapi_remix.ledger._database import checked, engine_for
with engine_for(checked(sys.argv[1])).connect() as connection:
    for name in ("journal_mode", "synchronous"):
        print(connection.execute(text(f"PRAGMA {name}")).scalar())
"""


def settings(url: str, package: Path | None) -> Iterator[str]:
    """What is committed is on the disk: 2 is FULL."""
    done = subprocess.run(
        [sys.executable, "-c", _SETTINGS, url], env=environment(package), capture_output=True, text=True, check=False
    )
    yield from expect(f"{done.stdout} {done.stderr}", is_so=done.stdout == "wal\n2\n")


def newer_version(url: str, package: Path | None) -> Iterator[str]:
    """A newer version upgrades the ledger during a submit: its answer is kept, and no new submit begins."""

    def behaviour(_: str) -> int:
        execute(url, "UPDATE deerapi_ledger_version SET version = 9")
        return 200

    vendor = Vendor(url, behaviour)
    with vendor.running() as address:
        job = Call(address, url, KEY, package=package).end().job
        other = Call(address, url, "other", package=package).end()
    execute(url, "UPDATE deerapi_ledger_version SET version = 1")
    yield from expect(
        f"no clear error: {other}", is_so=other.error == "LedgerUnavailableError" and "upgrade it" in other.told
    )
    yield from expect("it was submitted", is_so=vendor.posts == [KEY])
    yield from is_kept(url, vendor, job)


def two_makers(url: str, package: Path | None) -> Iterator[str]:
    """Four processes find no tables at the same moment, and make them."""
    vendor = Vendor(url, lambda _: 200)
    with vendor.running() as address:
        calls = [Call(address, url, f"key-{number}", package=package) for number in range(4)]
        ends = [call.end() for call in calls]
    yield from expect(f"failed: {ends}", is_so=[end.error for end in ends] == [None] * 4)
    with Ledger(url) as ledger:
        yield from expect("missing", is_so=len(list(ledger.entries(state="accepted"))) == 4)


def read_only(url: str, package: Path | None) -> Iterator[str]:
    """The database may be read and not written."""
    vendor = Vendor(None, lambda _: 200)
    with Ledger(url) as ledger:
        ledger.get(KEY)
    with vendor.running() as address:
        if url.startswith("sqlite:///"):
            ended = _as_nobody(address, url)
        else:
            where = with_settings(url, default_transaction_read_only="on")
            ended = Call(address, where, KEY, package=package).end()
    yield from expect(f"no clear error: {ended}", is_so=ended.error == "LedgerUnavailableError")
    yield from expect("it was submitted", is_so=not vendor.posts)


def _as_nobody(address: str, url: str) -> Ended:
    """The end of a call by someone who may only read the file."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "ledger.db")
        shutil.copy(url.removeprefix("sqlite:///"), copy)
        copy.chmod(0o444)
        Path(folder).chmod(0o555)
        try:
            return Call(address, f"sqlite:///{copy}", KEY, as_nobody=True, warm=url).end()
        finally:
            Path(folder).chmod(0o755)


def interruptions(url: str, package: Path | None) -> Iterator[str]:
    """Calls are interrupted at any moment, by signal handlers that raise and by cancellation."""
    seed, count = int(os.environ.get("SEED", "2026")), 1000 if LONG else 150
    vendor = Vendor(url, lambda _: 200)
    with Ledger(url) as ledger, vendor.running() as address:
        ledger.get(KEY)
        told = json.dumps({"vendor": address, "ledger": url, "count": count, "seed": seed})
        subprocess.run([sys.executable, str(INTERRUPTED), told], env=environment(package), check=True)
        entries = list(ledger.entries())
    for entry in entries:
        jobs = vendor.jobs.get(entry.key, [])
        charged = entry.state == "open" and jobs
        yield from expect(f"seed {seed}: charged and open: {entry}", is_so=not charged)
        lost = entry.state == "accepted" and entry.job_id not in jobs
        yield from expect(f"seed {seed}: no such job: {entry}", is_so=not lost)
    yield from expect(f"seed {seed}: paid without an entry", is_so=set(vendor.jobs) <= {entry.key for entry in entries})
    accepted = sum(entry.state == "accepted" for entry in entries)
    yield from expect(f"seed {seed}: nothing was interrupted", is_so=accepted < 2 * count)


def accepted_without_a_server(url: str, package: Path | None, server: PostgresServer) -> Iterator[str]:
    """The server goes away just as a job is accepted, for a while."""

    def behaviour(_: str) -> int:
        server.stop("immediate")
        threading.Timer(20.0 if LONG else 2.0, server.start).start()
        return 200

    vendor = Vendor(url, behaviour)
    with vendor.running() as address:
        job = Call(address, url, KEY, package=package).end().job
    yield from is_kept(url, vendor, job)

"""What befalls workers, the database and the vendor, and what a batch makes of it."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import pytest

from deerapi_remix.batch import Batch

from ...ledger.faults.kit import LONG, Run
from ...ledger.faults.vendor import Vendor
from ...ledger.postgres import PostgresServer
from .kit import NAME, PATIENCE, Play, answering, on
from .worker import POINTS

Tell = Callable[[Run], None]
# A lease is 10 s, and a zombie stands still for twice as long. The short version has a shorter lease.
LEASE = 10.0 if LONG else 2.0
# Half of the points in the short version.
QUICK_POINTS = ("after the intent", "before the record", "during the download", "during a claim")
OFFLINE = 20.0 if LONG else 3.0


@pytest.fixture
def stage(url: str, tmp_path: Path) -> Iterator[Callable[..., Play]]:
    """Makes batches, and leaves no worker behind."""
    plays: list[Play] = []

    def made(rows: int, submits: int = 4, where: str = url) -> Play:
        plays.append(Play(where, tmp_path, rows=rows, submits=submits))
        return plays[-1]

    yield made
    for play in plays:
        play.close()


def expect(run: Run, *, what: str, is_so: bool) -> Run:
    """The run, with one more thing that went wrong unless it is so."""
    if is_so:
        return run
    return attrs.evolve(run, counts=attrs.evolve(run.counts, others=(*run.counts.others, what)))


@pytest.mark.parametrize("point", POINTS if LONG else QUICK_POINTS)
def test_a_worker_that_dies_at_a_point_loses_nothing(point: str, tmp_path: Path, tell: Tell) -> None:
    url = f"sqlite:///{tmp_path}/batch.db"
    vendor = Vendor(url, answering(), render=0.1)
    # While one row is downloaded others may be submitted, and be unknown for that.
    rows = 1 if "download" in point else 4
    with closing(Play(url, tmp_path, rows=rows)) as play, vendor.running() as address:
        assert play.start(address, die_at=point).died() == 9
        play.kills += 1
        play.start(address).end()
        # Where the request was never sent nobody can know that, but for the points before the intent.
        unknown = 0 if rows == 1 or point in ("before the intent", "during a claim") else 1
        tell(play.judge(f"sqlite: kill -9 {point}", vendor, unknown=unknown))


def test_a_worker_that_dies_in_the_post_loses_one_row_at_most(tmp_path: Path, tell: Tell) -> None:
    url = f"sqlite:///{tmp_path}/batch.db"
    victims: list[Any] = []

    def behaviour(_: str) -> int:
        if victims:
            victims.pop().kill()
        return 200

    vendor = Vendor(url, behaviour, render=0.1)
    with closing(Play(url, tmp_path, rows=4)) as play, vendor.running() as address:
        victim = play.start(address)
        victims.append(victim)
        victim.died()
        play.kills += 1
        play.start(address).end()
        tell(play.judge("sqlite: kill -9 in the POST", vendor, unknown=1))


@on("postgres")
def test_a_zombie_loses_nothing(url: str, stage: Callable[..., Play], tell: Tell) -> None:
    """A worker stands still while twenty of its submits are answered, and another takes its rows over."""
    kind = url.partition(":")[0]
    over = threading.Event()
    numbers = itertools.count()

    def behaviour(_: str) -> int:
        # A worker lets one more through for each that has ended: by the 24th so many are under way at once.
        if next(numbers) >= 24 and not over.is_set():
            time.sleep(3.0)
        return 200

    vendor = Vendor(url, behaviour, render=0.5)
    play = stage(80, submits=24)
    with vendor.running() as address:
        zombie = play.start(address, lease=LEASE, blind=True)
        play.wait_for(lambda _: len(vendor.posts) >= 24 + 20)
        zombie.suspend()
        over.set()
        other = play.start(address, lease=LEASE, blind=True)
        time.sleep(2 * LEASE)
        zombie.go_on()
        other.end()
        zombie.end()
    tell(play.judge(f"{kind}: a zombie with 20 POSTs under way", vendor, unknown=0))


@on("sqlite")
def test_the_rows_of_a_worker_that_is_gone_are_finished_by_the_other(
    url: str, stage: Callable[..., Play], tell: Tell
) -> None:
    kind = url.partition(":")[0]
    both = threading.Event()
    numbers = itertools.count()

    def behaviour(_: str) -> int:
        # The first does not finish before the other is there.
        if next(numbers) >= 8:
            both.wait(PATIENCE)
        return 200

    vendor = Vendor(url, behaviour, render=2.0)
    play = stage(30)
    with vendor.running() as address:
        gone = play.start(address, lease=LEASE, blind=True)
        play.wait_for(lambda status: status.jobs >= 5)
        other = play.start(address, lease=LEASE, blind=True)
        play.wait_for(lambda status: status.workers == 2)
        play.kills += gone.kill()
        both.set()
        began = time.monotonic()
        # Its submits are unknown only when their time is up, which takes longer than a lease.
        play.wait_for(lambda status: status.counts["saved"] >= 30 - play.submits)
        took = time.monotonic() - began
        other.terminate()
        other.end()
        play.start(address).end()
    run = play.judge(f"{kind}: one of two workers is killed for good", vendor)
    tell(expect(run, what=f"it took {took:.1f} s", is_so=took < 2 * LEASE + 60.0))


@on("postgres")
def test_a_balance_that_is_used_up_pauses_all_workers(url: str, stage: Callable[..., Play], tell: Tell) -> None:
    kind = url.partition(":")[0]
    left = [20]
    refused = [0]
    lock = threading.Lock()

    def behaviour(_: str) -> int:
        with lock:
            left[0] -= 1
            if left[0] >= 0:
                return 200
            refused[0] += 1
            return 402

    vendor = Vendor(url, behaviour, render=0.5)
    play = stage(60)
    with vendor.running() as address:
        workers = [play.start(address), play.start(address)]
        ended = [worker.end() for worker in workers]
        allowed, told = refused[0], play.status()
        left[0] = 10**6
        with Batch.open(url, NAME) as batch:
            batch.resume()
        play.start(address).end()
    run = play.judge(f"{kind}: the balance is used up after 20", vendor, unknown=0)
    run = expect(run, what=f"{allowed} POSTs were refused", is_so=allowed <= 2 * play.submits)
    run = expect(run, what=f"not paused: {ended}", is_so=all(end["paused"] for end in ended))
    tell(expect(run, what=f"failed rows: {told}", is_so=told.counts["failed"] == 0))


@on("sqlite")
def test_a_server_that_limits_the_rate_gets_few_requests_too_many(
    url: str, stage: Callable[..., Play], tell: Tell
) -> None:
    kind = url.partition(":")[0]
    rate, tokens, last = 50.0, [20.0], [time.monotonic()]
    refused = [0]
    lock = threading.Lock()

    def behaviour(_: str) -> int:
        with lock:
            now = time.monotonic()
            tokens[0] = min(tokens[0] + (now - last[0]) * rate, 20.0)
            last[0] = now
            if tokens[0] < 1:
                refused[0] += 1
                return 429
            tokens[0] -= 1
            return 200

    vendor = Vendor(url, behaviour, render=0.2)
    play = stage(400)  # The first refusals weigh little among as many.
    with vendor.running() as address:
        play.start(address).end()
    share = refused[0] / len(vendor.posts)
    run = play.judge(f"{kind}: a server that takes 50 submits a second", vendor, unknown=0)
    tell(expect(run, what=f"{share:.1%} were answered 429", is_so=share <= 0.05))


@pytest.mark.parametrize("full", ["database", "folder with postgres"])
def test_a_full_disk_pauses_the_batch_and_loses_nothing(
    full: str, request: pytest.FixtureRequest, tmp_path: Path, tell: Tell
) -> None:
    # No file of a process may grow where that of the videos are to be written: the database is elsewhere then.
    if full == "database":
        url, told = f"sqlite:///{tmp_path}/batch.db", {"full_database": 2.0}
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        url, told = server.create_database(), {"full_folder": True}
    vendor = Vendor(url, answering(), render=0.1)
    play = Play(url, tmp_path, rows=24, padding="x" * 5000)  # No intent fits into the pages that are there.
    with closing(play), vendor.running() as address:
        ended = play.start(address, **told).end()
        posts = len(vendor.posts)
        with Batch.open(url, NAME) as batch:
            batch.resume()
        play.start(address).end()
    run = play.judge(f"{url.partition(':')[0]}: the disk of the {full.split()[0]} is full", vendor, unknown=0)
    run = expect(run, what=f"not paused: {ended}", is_so=ended["paused"] is not None)
    run = expect(run, what=f"failed rows: {ended}", is_so=ended["failed"] == 0)
    run = expect(run, what=f"{len(vendor.posts)} POSTs came", is_so=len(vendor.posts) == 24)
    # The first file may be written when all rows have been submitted.
    tell(expect(run, what=f"{posts} POSTs came before", is_so=posts < 24 or full != "database"))


@on("sqlite")
def test_a_worker_that_is_told_to_end_leaves_nothing_unknown(url: str, stage: Callable[..., Play], tell: Tell) -> None:
    kind = url.partition(":")[0]
    vendor = Vendor(url, answering(seconds=0.5), render=0.5)
    play = stage(24)
    with vendor.running() as address:
        for least in (3, 10):
            worker = play.start(address)
            play.wait_for(lambda status, least=least: status.jobs >= least)  # type: ignore[misc]
            worker.terminate()
            worker.end()
        play.start(address).end()
    tell(play.judge(f"{kind}: SIGTERM, twice", vendor, unknown=0))


def test_a_postgres_that_is_away_for_a_while_loses_nothing(
    postgres: PostgresServer, tmp_path: Path, tell: Tell
) -> None:
    where = postgres.create_database()
    vendor = Vendor(None, answering(seconds=0.3), render=0.5)
    play = Play(where, tmp_path / "away", rows=60)
    with closing(play), vendor.running() as address:
        workers = [play.start(address), play.start(address)]
        play.wait_for(lambda status: status.jobs >= 5)
        postgres.stop("immediate")
        time.sleep(OFFLINE)
        postgres.start()
        for worker in workers:
            worker.end()
        tell(play.judge(f"postgresql: it is away for {OFFLINE:.0f} s", vendor, unknown=0))

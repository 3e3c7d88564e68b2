"""What befalls single submits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from ..postgres import PostgresServer
from . import scenarios
from .kit import LONG, Counts, Herd, Run

Tell = Callable[[Run], None]
ON_ANY = [
    scenarios.late_answer,
    scenarios.late_refusal,
    scenarios.late_answer_alone,
    scenarios.two_makers,
    scenarios.newer_version,
    scenarios.read_only,
    scenarios.interruptions,
]
ON_SQLITE = [scenarios.settings, scenarios.full_disk, scenarios.full_disk_for_long, scenarios.locked_file]


def play(scenario: scenarios.Scenario, url: str, tell: Tell) -> None:
    began = time.monotonic()
    problems = tuple(scenario(url, None))
    name = getattr(scenario, "func", scenario).__name__
    title = f"{url.partition(':')[0]}: {name.replace('_', ' ')}"
    tell(Run(title, 1, 0, 0, time.monotonic() - began, Counts(others=problems)))


@pytest.mark.parametrize("scenario", ON_ANY, ids=lambda scenario: scenario.__name__)
def test_nothing_is_lost_or_paid_twice(scenario: scenarios.Scenario, url: str, tell: Tell) -> None:
    play(scenario, url, tell)


@pytest.mark.parametrize("scenario", ON_SQLITE, ids=lambda scenario: scenario.__name__)
def test_a_file_that_cannot_be_written_loses_nothing(scenario: scenarios.Scenario, tmp_path: Path, tell: Tell) -> None:
    play(scenario, f"sqlite:///{tmp_path}/ledger.db", tell)


def test_a_postgres_that_is_away_when_a_job_is_accepted_learns_of_it(postgres: PostgresServer, tell: Tell) -> None:
    play(partial(scenarios.accepted_without_a_server, server=postgres), postgres.create(), tell)


@contextmanager
def crashing(server: PostgresServer) -> Iterator[None]:
    """The server crashes a second after each start. At the end it is there."""
    done = threading.Event()

    def crash() -> None:
        while not done.wait(1.0):
            server.stop("immediate")
            server.start()

    thread = threading.Thread(target=crash)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def test_a_postgres_that_crashes_again_and_again_loses_nothing(
    postgres: PostgresServer, tmp_path: Path, tell: Tell
) -> None:
    def behaviour(_: str) -> int:
        time.sleep(0.1)
        return 200

    herd = Herd(postgres.create(), tmp_path, keys=400 if LONG else 80, slots=4, seed=1)
    # Whether an intent is on record cannot be asked for while the server is away.
    run = herd.run(
        "postgresql: the server crashes every second",
        kills=0,
        behaviour=behaviour,
        checked=False,
        during=crashing(postgres),
    )
    tell(run)

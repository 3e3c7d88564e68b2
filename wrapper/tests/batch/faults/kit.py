"""Batches that are worked on by processes that are killed, and what must be zero after them."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deerapi_remix.batch import Batch, Row, Status

from ...ledger.faults.kit import LONG, Counts, Run, environment
from ...ledger.faults.vendor import Behaviour, Vendor, film

WORKER = Path(__file__).with_name("worker.py")
NAME = "batch"
PATIENCE = 300.0 * (4 if LONG else 1)


def on(*quick: str) -> pytest.MarkDecorator:
    """The databases that a test is for: all of them in the long version, else these."""
    return pytest.mark.parametrize("url", ["sqlite", "postgres"] if LONG else quick, indirect=True)


class Worker:
    """A process that works on the batch."""

    def __init__(
        self, url: str, vendor: str, *, package: Path | None = None, told: dict[str, Any], settings: dict[str, Any]
    ) -> None:
        given = {"database": url, "name": NAME, "vendor": vendor, "settings": settings, **told}
        self.process = subprocess.Popen(
            [sys.executable, str(WORKER), json.dumps(given)],
            stdout=subprocess.PIPE,
            env=environment(package),
            text=True,
        )

    def is_running(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> bool:
        """Whether it was still running."""
        running = self.is_running()
        self.process.kill()
        self.process.wait()
        self._close()
        return running

    def died(self) -> int:
        """Wait for its death; its exit code."""
        code = self.process.wait(PATIENCE)
        self._close()
        return code

    def suspend(self) -> None:
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def end(self) -> dict[str, Any]:
        """Wait for its end; the status that it told."""
        out, _ = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == 0, self.process.returncode
        told: dict[str, Any] = json.loads(out.splitlines()[-1])
        return told

    def _close(self) -> None:
        assert self.process.stdout is not None
        self.process.stdout.close()


class Play:
    """A batch of some rows, and what befalls its workers.

    Args:
        url: The database.
        folder: Where the files go.
        rows: How many rows there are.
        submits: How many submits a worker has under way at most.
        package: The folder of another build of the package.
        padding: What makes the prompts longer.
    """

    def __init__(
        self, url: str, folder: Path, *, rows: int, submits: int = 4, package: Path | None = None, padding: str = ""
    ) -> None:
        self.url = url
        self.rows = rows
        self.submits = submits
        self.kills = 0
        self._folder = folder
        self._package = package
        self._workers: list[Worker] = []
        self._began = time.monotonic()
        with Batch.open(url, NAME) as batch:
            batch.add(
                [
                    {"video_id": "video_123", "prompt": f"{NAME}/row-{number} {padding}", "key": f"row-{number}"}
                    for number in range(rows)
                ],
                output=f"{folder}/out/{{key}}.mp4",
            )

    def start(self, address: str, **told: Any) -> Worker:
        settings = {"submits": self.submits, "in_flight": max(50, self.submits)}
        worker = Worker(self.url, address, package=self._package, told=told, settings=settings)
        self._workers.append(worker)
        return worker

    def kill_at_random(self, address: str, vendor: Vendor, kills: int, most: int, chance: random.Random) -> None:
        """Keep up to `most` workers at work and kill one after the other; let the last ones finish."""
        running = [self.start(address)]
        while self.kills < kills and not self.status().is_finished:
            while len(running) < chance.randint(1, most):
                running.append(self.start(address))
            self._wait_for_a_submit(vendor)
            time.sleep(chance.uniform(0.0, 1.5))
            self.kills += running.pop(chance.randrange(len(running))).kill()
            running = running or [self.start(address)]
        for worker in running:
            worker.end()

    def _wait_for_a_submit(self, vendor: Vendor) -> None:
        """A worker takes a while to start, and to kill it before that shows nothing."""
        before = len(vendor.posts)
        deadline = time.monotonic() + 5.0
        while len(vendor.posts) == before and time.monotonic() < deadline:
            time.sleep(0.02)

    def status(self) -> Status:
        with Batch.open(self.url, NAME) as batch:
            return batch.status()

    def found(self) -> list[Row]:
        with Batch.open(self.url, NAME) as batch:
            return list(batch.rows())

    def wait_for(self, is_so: Callable[[Status], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        with Batch.open(self.url, NAME) as batch:
            while not is_so(batch.status()):
                assert time.monotonic() < deadline, batch.status()
                time.sleep(0.05)

    def close(self) -> None:
        for worker in self._workers:
            if worker.is_running():
                worker.go_on()
            worker.kill()

    def judge(self, title: str, vendor: Vendor, *, unknown: int | None = None) -> Run:
        """What happened, and whether what must be zero is."""
        rows = self.found()
        lost = unknowns = 0
        odd = []
        for row in rows:
            jobs = vendor.jobs.get(f"{NAME}/{row.key}", [])
            unknowns += row.state == "unknown"
            lost += row.state not in ("saved", "unknown")
            path = Path(row.output)
            if row.state == "saved" and (not jobs or not path.exists() or path.read_bytes() != film(jobs[0])):
                odd.append(f"{row.key}: the file is not that of {jobs}")
        folder = self._folder / "out"
        odd += [f"left behind: {path.name}" for path in folder.glob(".*.part")]
        allowed = self.kills * self.submits if unknown is None else unknown
        counts = Counts(
            duplicates=vendor.duplicates().total(),
            lost=lost,
            missing=self.rows - len(rows),
            unbacked=len(vendor.unbacked),
            excess=max(unknowns - allowed, 0),
            others=tuple(odd),
        )
        return Run(title, self.rows, self.kills, unknowns, time.monotonic() - self._began, counts)


def answering(*, seconds: float = 0.0, seed: int = 0) -> Behaviour:
    """A vendor that takes up to so many seconds for each submit."""
    chance = random.Random(seed)

    def behaviour(_: str) -> int:
        time.sleep(chance.uniform(0.0, seconds))
        return 200

    return behaviour


def problems(run: Run) -> Iterator[str]:
    """What is not zero, in words."""
    counts = run.counts
    for name in ("duplicates", "lost", "missing", "unbacked", "excess"):
        if getattr(counts, name):
            yield f"{name}: {getattr(counts, name)}"
    yield from counts.others

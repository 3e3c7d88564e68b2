"""Runs of many processes on one ledger, and what must be zero after them."""

from __future__ import annotations

import itertools
import json
import math
import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import attrs

from deerapi_remix.ledger import Ledger

from .vendor import Behaviour, Vendor

PROJECT = Path(__file__).parents[4]
WORKER = Path(__file__).with_name("worker.py")
LONG = os.environ.get("FAULTS") == "long"
PATIENCE = 240.0


@attrs.frozen
class Counts:
    """What must be zero.

    Attributes:
        duplicates: Jobs that were paid for beside the first of their key.
        lost: Ids that a call returned, or an answer told, and the ledger does not have.
        missing: Keys without an entry.
        unbacked: Submits that came before their intent was on record.
        excess: Entries whose outcome is unknown, beyond the kills times the submits under way.
        others: What else went wrong, in words.
    """

    duplicates: int = 0
    lost: int = 0
    missing: int = 0
    unbacked: int = 0
    excess: int = 0
    others: tuple[str, ...] = ()

    @property
    def are_zero(self) -> bool:
        return self == Counts()


@attrs.frozen
class Run:
    """What happened, for the table."""

    title: str
    keys: int
    kills: int
    unknown: int
    seconds: float
    counts: Counts


def environment(package: Path | None = None) -> dict[str, str]:
    """For a child, which takes the package from another folder if one is given."""
    paths = [*([str(package)] if package else []), str(PROJECT / "generated"), str(PROJECT / "wrapper")]
    given = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1", "NO_PROXY": "*"}
    # The certificate of the tests is in a folder that other users may not read.
    given.pop("SSL_CERT_FILE", None)
    return given


class Herd:
    """Processes that all try the same keys; some are killed.

    Args:
        url: The ledger.
        folder: For what they write.
        keys: How many keys there are.
        slots: How many submits each has under way at most.
        package: The folder of another build of the package.
    """

    def __init__(
        self, url: str, folder: Path, *, keys: int, slots: int, seed: int, package: Path | None = None
    ) -> None:
        self._url, self._folder, self._keys, self._slots = url, folder, keys, slots
        self._random = random.Random(seed)
        self._package = package
        self._deadline = math.inf
        self._returned = folder / "returned"
        self._returned.touch()
        # While it is not set the vendor answers no submit.
        self._going = threading.Event()
        self._going.set()

    def run(
        self,
        title: str,
        *,
        kills: int,
        behaviour: Behaviour,
        checked: bool = True,
        during: AbstractContextManager[object] = nullcontext(),  # noqa: B008  # It keeps nothing.
    ) -> Run:
        """Start up to four, kill some of them until there were enough, and let the rest finish.

        Args:
            title: What the table calls it.
            kills: How many are killed.
            behaviour: What the vendor does.
            checked: Whether the vendor looks for the intent of each submit.
            during: What befalls them. It is over before the ledger is judged.
        """
        began = time.monotonic()

        def held(key: str) -> int:
            assert self._going.wait(PATIENCE)
            return behaviour(key)

        vendor = Vendor(self._url if checked else None, held)
        with vendor.running() as address, during:
            killed = self._drive(vendor, address, kills)
        entries = {}
        with Ledger(self._url) as ledger:
            entries = {entry.key: entry for entry in ledger.entries()}
        unknown = sum(entry.state == "unknown" for entry in entries.values())
        pairs = [line.split() for line in self._returned.read_text().splitlines() if line.count(" ") == 1]
        odd = [
            f"{entry.key}: {entry.state} {entry.job_id}"
            for entry in entries.values()
            if (entry.state == "accepted") != (entry.job_id in vendor.jobs.get(entry.key, ()))
        ]
        counts = Counts(
            duplicates=vendor.duplicates().total(),
            lost=sum(key not in entries or job not in entries[key].job_ids for key, job in pairs),
            missing=self._keys - len(entries),
            unbacked=len(vendor.unbacked),
            excess=max(unknown - killed * self._slots, 0),
            others=tuple(odd),
        )
        return Run(title, self._keys, killed, unknown, time.monotonic() - began, counts)

    def _drive(self, vendor: Vendor, address: str, kills: int) -> int:
        self._deadline = time.monotonic() + PATIENCE * (4 if LONG else 1)
        running = [self._start(address)]
        _ready(running)
        killed = 0
        try:
            for _ in range(kills):
                # To start takes longer than to work, and who has nothing to do shows nothing when it is killed.
                self._going.clear()
                running += [self._start(address) for _ in range(self._random.randint(1, 4) - len(running))]
                _ready(running)
                self._going.set()
                self._wait_for_submits(vendor, running, self._random.randint(1, 10))
                time.sleep(self._random.uniform(0.0, 0.05))
                victim = running.pop(self._random.randrange(len(running)))
                killed += victim.poll() is None
                victim.kill()
                victim.wait()
            for process in running or [self._start(address)]:
                assert process.wait(timeout=self._deadline - time.monotonic()) == 0
        finally:
            self._going.set()
            for process in running:
                process.kill()
                process.wait()
        return killed

    def _wait_for_submits(self, vendor: Vendor, running: list[subprocess.Popen[bytes]], count: int) -> None:
        before = len(vendor.posts)
        while len(vendor.posts) < before + count:
            assert time.monotonic() < self._deadline, "the workers hang"
            assert any(process.poll() is None for process in running), "too few keys for so many kills"
            time.sleep(0.005)

    def _start(self, address: str) -> subprocess.Popen[bytes]:
        told = {
            "vendor": address,
            "ledger": self._url,
            "returned": str(self._returned),
            "keys": self._keys,
            "slots": self._slots,
            "seed": self._random.random(),
        }
        return subprocess.Popen(
            [sys.executable, str(WORKER), json.dumps(told)], stdout=subprocess.PIPE, env=environment(self._package)
        )


def _ready(processes: list[subprocess.Popen[bytes]]) -> None:
    """Wait until each has imported what it needs."""
    for process in processes:
        assert process.stdout is not None
        if not process.stdout.closed:
            process.stdout.readline()
            process.stdout.close()


PROGRAM = Path(__file__).with_name("program.py")


@attrs.frozen
class Ended:
    """How a program ended: the error that the ledger raised, or the job."""

    error: str | None
    job: str | None
    told: str


class Call:
    """One call of `Ledger.remix` in a process of its own."""

    def __init__(self, vendor: str, ledger: str, key: str, *, package: Path | None = None, **told: object) -> None:
        given = json.dumps({"vendor": vendor, "ledger": ledger, "key": key, **told})
        self._process = subprocess.Popen(
            [sys.executable, str(PROGRAM), given], stdout=subprocess.PIPE, env=environment(package)
        )

    def stop(self) -> None:
        """Suspend it, and wait until it is."""
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def end(self) -> Ended:
        """Wait for its end."""
        told, _ = self._process.communicate(timeout=PATIENCE)
        return Ended(**json.loads(told))


class Gate:
    """Keeps the answers to submits back, each until it is let go, or as a vendor that takes its time."""

    def __init__(self, *statuses: int) -> None:
        self._statuses = list(statuses)
        self._gates = [(threading.Event(), threading.Event()) for _ in statuses]
        self._turn = itertools.count()

    def __call__(self, _: str) -> int:
        number = next(self._turn)
        if number >= len(self._gates):
            return 200
        reached, opened = self._gates[number]
        reached.set()
        assert opened.wait(PATIENCE)
        return self._statuses[number]

    def reached(self, number: int) -> None:
        """Wait until so many submits have come."""
        assert self._gates[number][0].wait(PATIENCE), "no submit came"

    def open(self, number: int) -> None:
        """Let one be answered."""
        self._gates[number][1].set()

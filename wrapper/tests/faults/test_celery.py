"""The recipe of docs/ledger.md for Celery: its worker is killed, and its submit is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deerapi_remix.ledger import Ledger
from deerapi_remix.testing import FakeDeerAPI
from deerapi_remix.testing.asgi import running_server

from ..docs.pages import code_of

PATIENCE = 60.0
CELERY = """
broker_url = "filesystem://"
broker_transport_options = {
    "data_folder_in": "queue", "data_folder_out": "queue", "control_folder": "control", "polling_interval": 0.1
}
result_backend = "file://results"
worker_hijack_root_logger = False
worker_prefetch_multiplier = 1
worker_lost_wait = 0.5
"""
PRINTS_ITS_WORKER = """
import os
from celery.signals import task_prerun
@task_prerun.connect
def tell(**_):
    with open("workers", "a") as file:
        file.write(f"{os.getpid()}\\n")
"""


def until(condition: Callable[[], Any]) -> Any:
    """What `condition` gives, once that is something."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.05)
    return found


class Celery:
    """A worker with one child, and tasks that are sent to it."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        for name in ("queue", "control", "results"):
            (folder / name).mkdir()
        (folder / "tasks.py").write_text(code_of("docs/ledger.md", "tasks.py") + PRINTS_ITS_WORKER)
        (folder / "celeryconfig.py").write_text(CELERY)
        self._environment = {**os.environ, "DEERAPI_BASE_URL": address, "DEERAPI_KEY": "sk-celery"}
        self._log = (folder / "log").open("wb")
        command = [sys.executable, "-m", "celery", "-A", "tasks", "worker", "--pool=prefork", "--concurrency=1"]
        self._worker = subprocess.Popen(
            [*command, "--without-gossip", "--without-mingle", "--without-heartbeat"],
            cwd=folder,
            env=self._environment,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )

    def send(self, code: str) -> str:
        """Run something with the tasks."""
        done = subprocess.run(
            [sys.executable, "-c", f"from tasks import *; {code}"],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        )
        return done.stdout.strip()

    def children(self) -> list[int]:
        """The processes in which the task ran so far."""
        file = self.folder / "workers"
        return [int(line) for line in file.read_text().split()] if file.exists() else []

    def stop(self) -> None:
        os.killpg(self._worker.pid, signal.SIGKILL)  # With its child; it would take seconds to end by itself.
        self._worker.wait(PATIENCE)
        self._log.close()


@pytest.fixture
def fake() -> FakeDeerAPI:
    return FakeDeerAPI(render_seconds=4)


@pytest.fixture
def celery(tmp_path: Path, fake: FakeDeerAPI) -> Iterator[Celery]:
    with running_server(fake) as address:
        celery = Celery(tmp_path, address)
        yield celery
        celery.stop()


def test_a_celery_task_whose_worker_is_killed_goes_on_with_the_job_that_was_paid(
    celery: Celery, fake: FakeDeerAPI
) -> None:
    celery.send("remix.delay('order-7', 'video_123', prompt='It snows')")
    with Ledger(f"sqlite:///{celery.folder}/remixes.db") as ledger:
        until(lambda: (entry := ledger.get("order-7")) and entry.state == "accepted")
        os.kill(celery.children()[0], signal.SIGKILL)
        until(lambda: (celery.folder / "order-7.mp4").exists())
        until(lambda: (entry := ledger.get("order-7")) and entry.state == "saved")
    assert len(set(celery.children())) == 2
    assert sum(request.operation == "remix" for request in fake.requests) == 1
    # Sent once more by whoever is not sure whether it was.
    again = "print(remix.delay('order-7', 'video_123', prompt='It snows').get(timeout=60))"
    assert celery.send(again) == "order-7.mp4"
    assert sum(request.operation == "remix" for request in fake.requests) == 1


def test_a_celery_task_whose_submit_was_lost_is_not_paid_for_again(celery: Celery, fake: FakeDeerAPI) -> None:
    fake.truncated("remix", at=0)
    code = (
        "print(type(remix.delay('order-7', 'video_123', prompt='It snows').get(timeout=60, propagate=False)).__name__)"
    )
    assert celery.send(code) in ("OutcomeUnknownError", "APIConnectionError")
    with Ledger(f"sqlite:///{celery.folder}/remixes.db") as ledger:
        entry = ledger.get("order-7")
        assert entry is not None
        assert entry.state == "unknown"
    assert sum(request.operation == "remix" for request in fake.requests) == 1

"""The recipes of docs/ledger.md, with the libraries that they are for."""

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
from fastapi.testclient import TestClient

from deerapi_remix.ledger import Ledger
from deerapi_remix.testing import DeerAPIMock, FakeDeerAPI
from deerapi_remix.testing.asgi import running_server

from ..docs.pages import blocks_of

PATIENCE = 60.0
CELERY = """
broker_url = "filesystem://"
broker_transport_options = {"data_folder_in": "queue", "data_folder_out": "queue", "control_folder": "control"}
result_backend = "file://results"
worker_hijack_root_logger = False
worker_prefetch_multiplier = 1
"""
PRINTS_ITS_WORKER = """
import os
from celery.signals import task_prerun
@task_prerun.connect
def tell(**_):
    with open("workers", "a") as file:
        file.write(f"{os.getpid()}\\n")
"""


def recipe(name: str) -> str:
    (code,) = [block.code for block in blocks_of("docs/ledger.md") if block.code.startswith(f"# {name}\n")]
    return code


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
        (folder / "tasks.py").write_text(recipe("tasks.py") + PRINTS_ITS_WORKER)
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
        self._worker.terminate()
        try:
            self._worker.wait(PATIENCE)
        finally:
            self._worker.kill()
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


@pytest.mark.skipif(sys.platform == "win32", reason="Celery forks no workers there")
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


@pytest.mark.skipif(sys.platform == "win32", reason="Celery forks no workers there")
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


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deerapi_mock: DeerAPIMock) -> Iterator[TestClient]:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "service"}
    exec(recipe("service.py").replace("from __future__ import annotations\n", ""), names)  # Our own page.
    with TestClient(names["app"]) as client:
        yield client


ORDER = {"video_id": "video_123", "prompt": "It snows"}


def test_a_service_pays_once_for_an_idempotency_key(service: TestClient, deerapi_mock: DeerAPIMock) -> None:
    answers = [service.post("/remixes", json=ORDER, headers={"Idempotency-Key": "k1"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 202]
    assert len({answer.text for answer in answers}) == 1
    assert len(deerapi_mock.sent("remix")) == 1


def test_a_service_refuses_a_key_that_is_used_for_something_else(service: TestClient) -> None:
    service.post("/remixes", json=ORDER, headers={"Idempotency-Key": "k1"})
    other = service.post("/remixes", json=ORDER | {"prompt": "It rains"}, headers={"Idempotency-Key": "k1"})
    assert other.status_code == 422


def test_a_service_does_not_pay_again_for_what_may_have_been_charged(
    service: TestClient, deerapi_mock: DeerAPIMock
) -> None:
    deerapi_mock.answer_lost()
    with pytest.raises(Exception, match="remix"):
        service.post("/remixes", json=ORDER, headers={"Idempotency-Key": "k1"})
    again = service.post("/remixes", json=ORDER, headers={"Idempotency-Key": "k1"})
    assert again.status_code == 503
    assert len(deerapi_mock.sent("remix")) == 1

"""The recipe of docs/ledger.md for FastAPI. The one for Celery takes a while: `make faults` has its tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from deerapi_remix.testing import DeerAPIMock

from ..docs.pages import code_of


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deerapi_mock: DeerAPIMock) -> Iterator[TestClient]:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "service"}
    exec(
        code_of("docs/ledger.md", "service.py").replace("from __future__ import annotations\n", ""), names
    )  # Our own page.
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

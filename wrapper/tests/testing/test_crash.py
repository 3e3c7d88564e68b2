"""The death of a process at a named point, as the tests of users let it happen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deerapi_remix import AsyncRemixClient, RemixClient
from deerapi_remix.ledger import AsyncLedger, Ledger, OutcomeUnknownError
from deerapi_remix.testing import DeerAPIMock

from .conftest import PROMPT, SOURCE

Order = Callable[[], Any]


@pytest.fixture(params=["sync", "async"])
def order(request: pytest.FixtureRequest, tmp_path: Path) -> Order:
    """What a worker does with an order; each call stands for a process of its own."""
    url = f"sqlite:///{tmp_path / 'remixes.db'}"

    def remix() -> str:
        with RemixClient() as client, Ledger(url) as ledger:
            return ledger.remix(client, "order-1042", SOURCE, prompt=PROMPT).id

    async def remix_async() -> str:
        ledger = AsyncLedger(url)
        async with AsyncRemixClient() as client, ledger:
            return (await ledger.remix(client, "order-1042", SOURCE, prompt=PROMPT)).id

    return remix if request.param == "sync" else lambda: asyncio.run(remix_async())


def jobs(fake: DeerAPIMock) -> list[str]:
    return [video_id for video_id in fake.jobs if video_id != SOURCE]


def test_before_the_intent_the_next_process_submits(deerapi_mock: DeerAPIMock, order: Order) -> None:
    with deerapi_mock.crash("before_intent"):
        order()
    assert jobs(deerapi_mock) == []
    assert [order(), order()] == jobs(deerapi_mock) * 2


@pytest.mark.parametrize(
    ("point", "accepted"), [("after_intent", 0), ("in_post", 1), ("after_answer", 1), ("before_record", 1)]
)
def test_after_the_intent_the_next_process_is_told_that_nobody_knows(
    deerapi_mock: DeerAPIMock, order: Order, tmp_path: Path, point: Any, accepted: int
) -> None:
    with deerapi_mock.crash(point):
        order()
        raise AssertionError("it died before this")
    with pytest.raises(OutcomeUnknownError):
        order()
    assert len(jobs(deerapi_mock)) == accepted
    with Ledger(f"sqlite:///{tmp_path / 'remixes.db'}") as ledger:
        for job_id in jobs(deerapi_mock):
            ledger.resolve("order-1042", job_id=job_id)
        if not accepted:
            ledger.resolve("order-1042", not_charged=True)
    assert [order()] == jobs(deerapi_mock)


def test_a_dead_process_sends_nothing_more(deerapi_mock: DeerAPIMock) -> None:
    with deerapi_mock.crash("in_post"), RemixClient() as client:
        try:
            client.remix(SOURCE, prompt=PROMPT)
        finally:
            client.models()
    assert [request.operation for request in deerapi_mock.requests] == ["remix"]


def test_a_point_that_is_never_reached_is_told(deerapi_mock: DeerAPIMock) -> None:
    with pytest.raises(AssertionError, match="never came to in_post"), deerapi_mock.crash("in_post"):
        RemixClient().models()


def test_an_unknown_point_is_refused(deerapi_mock: DeerAPIMock) -> None:
    point: Any = "at_noon"
    with pytest.raises(ValueError, match="at must be one of before_intent, "), deerapi_mock.crash(point):
        pass

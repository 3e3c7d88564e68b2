"""The service, tested against a DeerAPI that renders ten minutes in no time and costs nothing."""

# The service works in the background and tells nobody: the tests look until it is done.
# ruff: noqa: ASYNC110
from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from deerapi_remix.testing import DeerAPIMock

from ..remix_service import create_app

pytestmark = pytest.mark.anyio

ASKED = {"video_id": "video_123", "prompt": "The cat takes a bow"}


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The service from start to shutdown, and a client of its users."""
    app = create_app(folder)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as http,
    ):
        yield http


async def finished(http: httpx.AsyncClient, url: str) -> Any:
    while (remix := (await http.get(url)).json())["state"] == "rendering":
        await asyncio.sleep(0)
    return remix


async def test_a_remix_is_rendered_in_the_background(deerapi_mock: DeerAPIMock, tmp_path: Path) -> None:
    async with running(tmp_path) as http:
        accepted = await http.post("/remixes", json=ASKED)
        url = accepted.headers["Location"]
        assert (accepted.status_code, (await http.get(url)).json()["state"]) == (202, "rendering")
        assert (await http.get(f"{url}/video")).status_code == 404
        assert await finished(http, url) == {"state": "done", "reason": None}
        assert (await http.get(f"{url}/video")).content[4:8] == b"ftyp"
    (submit,) = deerapi_mock.sent("remix")
    assert (submit.video_id, submit.body) == ("video_123", {"prompt": "The cat takes a bow"})


@pytest.mark.deerapi_mock(render_seconds=1200)
async def test_a_restart_takes_up_what_is_rendering_and_pays_nothing_again(
    deerapi_mock: DeerAPIMock, tmp_path: Path
) -> None:
    async with running(tmp_path) as http:
        url = (await http.post("/remixes", json=ASKED)).headers["Location"]
        began = deerapi_mock.clock()
        while deerapi_mock.clock() < began + 500:
            await asyncio.sleep(0)
    async with running(tmp_path) as http:
        assert (await finished(http, url))["state"] == "done"
    assert len(deerapi_mock.sent("remix")) == 1


async def test_a_submit_that_was_interrupted_is_not_sent_again(deerapi_mock: DeerAPIMock, tmp_path: Path) -> None:
    deerapi_mock.rate_limited()
    async with running(tmp_path) as http:
        submit = asyncio.create_task(http.post("/remixes", json=ASKED))
        while not deerapi_mock.requests:
            await asyncio.sleep(0)
        submit.cancel()
    async with running(tmp_path) as http:
        assert (await http.get("/remixes/1")).json()["state"] == "unknown"
    assert len(deerapi_mock.sent("remix")) == 1


async def test_a_lost_answer_is_told_and_not_sent_again(deerapi_mock: DeerAPIMock, tmp_path: Path) -> None:
    deerapi_mock.answer_lost()
    async with running(tmp_path) as http:
        answer = await http.post("/remixes", json=ASKED)
        assert (answer.status_code, "do not send it again" in answer.json()["error"]) == (502, True)
        assert (await http.get("/remixes/1")).json()["state"] == "unknown"
    assert len(deerapi_mock.sent("remix")) == 1


async def test_a_job_that_fails_says_why(deerapi_mock: DeerAPIMock, tmp_path: Path) -> None:
    deerapi_mock.fails(message="No cats.")
    async with running(tmp_path) as http:
        url = (await http.post("/remixes", json=ASKED)).headers["Location"]
        remix = await finished(http, url)
    assert (remix["state"], "No cats." in remix["reason"]) == ("failed", True)


async def test_a_download_that_breaks_off_is_resumed(deerapi_mock: DeerAPIMock, tmp_path: Path) -> None:
    deerapi_mock.truncated()
    async with running(tmp_path) as http:
        url = (await http.post("/remixes", json=ASKED)).headers["Location"]
        assert (await finished(http, url))["state"] == "done"
    assert [request.status for request in deerapi_mock.sent("download")] == [200, 206]


@pytest.mark.parametrize(
    ("status", "answered", "retry_after"), [(400, 422, None), (401, 500, None), (403, 500, None), (429, 503, "1")]
)
async def test_refusals_are_told_in_terms_of_the_service(
    deerapi_mock: DeerAPIMock, tmp_path: Path, status: int, answered: int, retry_after: str | None
) -> None:
    deerapi_mock.answers("remix", status, times=4)
    async with running(tmp_path) as http:
        answer = await http.post("/remixes", json=ASKED)
        assert (answer.status_code, answer.headers.get("Retry-After")) == (answered, retry_after)
        assert (await http.get("/remixes/1")).json()["state"] == "refused"


@pytest.mark.parametrize("asked", [{}, {"video_id": "video_123"}, {"video_id": "video_123", "prompt": " "}, []])
async def test_what_cannot_be_sent_is_not_sent(deerapi_mock: DeerAPIMock, tmp_path: Path, asked: object) -> None:
    async with running(tmp_path) as http:
        assert (await http.post("/remixes", json=asked)).status_code == 422
        assert (await http.get("/remixes/2")).status_code == 404
    assert deerapi_mock.requests == ()

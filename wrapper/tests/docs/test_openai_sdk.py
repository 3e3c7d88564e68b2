"""The `openai` SDK, pointed at the mock server, runs remix, poll, download and models without a change."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai import APIConnectionError, AsyncOpenAI, BadRequestError, OpenAI
from openai.resources.videos import AsyncVideos, Videos

from deerapi_remix import DeerAPIError, RemixClient
from deerapi_remix.testing import FakeDeerAPI, VirtualClock
from deerapi_remix.testing.asgi import running_server

pytestmark = pytest.mark.filterwarnings("ignore:The Sora API is scheduled:DeprecationWarning")  # So says the SDK.


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> VirtualClock:
    """The time of the server, which passes while the SDK sleeps between polls."""
    clock = VirtualClock()

    async def sleep(_: AsyncVideos, seconds: float) -> None:
        clock.advance(seconds)

    monkeypatch.setattr(Videos, "_sleep", lambda _, seconds: clock.advance(seconds))
    monkeypatch.setattr(AsyncVideos, "_sleep", sleep)
    return clock


@pytest.fixture
def fake(clock: VirtualClock) -> FakeDeerAPI:
    return FakeDeerAPI(clock=clock, render_seconds=3)


@pytest.fixture
def base_url(fake: FakeDeerAPI) -> Iterator[str]:
    with running_server(fake) as url:
        yield f"{url}/v1"


DONE = ["remix", "retrieve", "retrieve", "retrieve", "retrieve", "download", "models"]


def test_a_remix_from_submit_to_file(base_url: str, fake: FakeDeerAPI, tmp_path: Path) -> None:
    with OpenAI(base_url=base_url, api_key="any", max_retries=0) as client:
        submitted = client.videos.remix("video_123", prompt="The cat takes a bow")
        assert (submitted.status, submitted.remixed_from_video_id) == ("queued", "video_123")
        video = client.videos.poll(submitted.id)
        assert (video.id, video.status, video.progress) == (submitted.id, "completed", 100)
        client.videos.download_content(video.id).write_to_file(tmp_path / "bow.mp4")
        assert [model.id for model in client.models.list()] == ["sora-2", "sora-2-pro"]
    assert [(request.operation, request.status) for request in fake.requests] == [(name, 200) for name in DONE]
    assert fake.requests[0].body == {"prompt": "The cat takes a bow"}
    assert (tmp_path / "bow.mp4").read_bytes()[4:8] == b"ftyp"


async def test_a_remix_from_submit_to_file_async(base_url: str, fake: FakeDeerAPI, tmp_path: Path) -> None:
    async with AsyncOpenAI(base_url=base_url, api_key="any", max_retries=0) as client:
        submitted = await client.videos.remix("video_123", prompt="The cat takes a bow")
        video = await client.videos.poll(submitted.id)
        assert (video.id, video.status, video.progress) == (submitted.id, "completed", 100)
        content = await client.videos.download_content(video.id)
        await asyncio.to_thread(content.write_to_file, tmp_path / "bow.mp4")
        assert [model.id async for model in client.models.list()] == ["sora-2", "sora-2-pro"]
    assert [(request.operation, request.status) for request in fake.requests] == [(name, 200) for name in DONE]
    assert (tmp_path / "bow.mp4").read_bytes()[4:8] == b"ftyp"


def test_a_failed_job_tells_the_sdk_why(base_url: str, fake: FakeDeerAPI) -> None:
    fake.fails(code="moderation_blocked", message="The prompt was refused.")
    with OpenAI(base_url=base_url, api_key="any") as client:
        video = client.videos.poll(client.videos.remix("video_123", prompt="x").id)
    assert video.status == "failed"
    assert video.error
    assert (video.error.code, video.error.message) == ("moderation_blocked", "The prompt was refused.")


def test_a_refusal_is_an_error_of_the_sdk(base_url: str) -> None:
    with OpenAI(base_url=base_url, api_key="any") as client, pytest.raises(BadRequestError) as caught:
        client.videos.remix("video_999", prompt="x")
    assert caught.value.code == "task_not_exist"


# What differs, as docs/openai.md says.


@pytest.mark.parametrize(("options", "submits"), [({}, 3), ({"max_retries": 0}, 1)])
def test_the_sdk_submits_again_where_an_answer_breaks_off(
    base_url: str, fake: FakeDeerAPI, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], submits: int
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    fake.truncated("remix", times=3)
    with OpenAI(base_url=base_url, api_key="any", **options) as client, pytest.raises(APIConnectionError):
        client.videos.remix("video_123", prompt="x")
    assert len(fake.jobs) == 1 + submits


def test_this_client_submits_once_where_an_answer_breaks_off(base_url: str, fake: FakeDeerAPI) -> None:
    fake.truncated("remix", at=5, times=3)
    with RemixClient(base_url=base_url.removesuffix("/v1")) as client, pytest.raises(DeerAPIError) as caught:
        client.remix("video_123", prompt="x")
    assert caught.value.may_have_been_charged
    assert len(fake.jobs) == 1 + 1


def test_a_status_that_it_does_not_know_ends_the_poll_of_the_sdk(base_url: str, fake: FakeDeerAPI) -> None:
    fake.answers("retrieve", 200, body={"id": "video_456", "object": "video", "status": "processing"})
    with OpenAI(base_url=base_url, api_key="any") as client:
        assert str(client.videos.poll("video_456").status) == "processing"


def test_the_sdk_writes_whatever_came_over_whatever_is_there(base_url: str, fake: FakeDeerAPI, tmp_path: Path) -> None:
    target = tmp_path / "bow.mp4"
    target.write_bytes(b"another video")
    fake.answers("download", 200, body="<html>", headers={"Content-Type": "text/html"})
    with OpenAI(base_url=base_url, api_key="any") as client:
        client.videos.download_content("video_123").write_to_file(target)
    assert target.read_bytes() == b"<html>"

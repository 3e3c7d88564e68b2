"""The public API as a user's type checker sees it: read by mypy and pyright, never run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, assert_type

import httpx

from deerapi_remix import (
    APIStatusError,
    AsyncRemixClient,
    DeerAPIError,
    DownloadError,
    Event,
    Model,
    PollingPolicy,
    RemixClient,
    RemixFailedError,
    RetryPolicy,
    Video,
    VideoError,
    WaitTimeoutError,
)
from deerapi_remix.testing import DeerAPIMock, VirtualClock, mock_deerapi


def count(event: Event) -> None:
    assert_type(event.status_code, int | None)


def sync_service() -> None:
    with RemixClient(
        lambda: "key",
        timeout=httpx.Timeout(5.0),
        retry=RetryPolicy(attempts=2),
        polling=PollingPolicy(timeout=60),
        http_client=httpx.Client(),
        on_event=count,
    ) as client:
        assert_type(client, RemixClient)
        assert_type(client.remix("video_123", prompt="bow", model="sora-2"), Video)
        assert_type(client.retrieve("video_123"), Video)
        assert_type(client.wait("video_123", timeout=1, on_update=print), Video)
        assert_type(client.follow("video_123", timeout=1), Iterator[Video])
        assert_type(client.download("video_123", "bow.mp4", variant="thumbnail"), Path)
        assert_type(client.remix_to_file("video_123", Path("bow.mp4"), prompt="bow"), Path)
        assert_type(client.models(), tuple[Model, ...])
        assert_type(client.with_options(timeout=1.0), RemixClient)


async def async_service() -> None:
    async with AsyncRemixClient(http_client=httpx.AsyncClient()) as client:
        assert_type(client, AsyncRemixClient)
        assert_type(await client.remix("video_123", prompt="bow"), Video)
        assert_type(await client.wait("video_123"), Video)
        assert_type(client.follow("video_123"), AsyncIterator[Video])
        assert_type(await client.download("video_123", "bow.mp4"), Path)
        assert_type(await client.remix_to_file("video_123", "bow.mp4", prompt="bow"), Path)
        assert_type(await client.models(), tuple[Model, ...])
        assert_type(client.with_options(timeout=1.0), AsyncRemixClient)


def tests_of_a_service(deerapi_mock: DeerAPIMock) -> None:
    deerapi_mock.rate_limited(retry_after=2)
    assert_type(deerapi_mock.sent("remix")[0].status, int | None)
    assert_type(deerapi_mock.clock, VirtualClock)
    with mock_deerapi(render_seconds=1) as deerapi:
        assert_type(deerapi, DeerAPIMock)


def values(video: Video, model: Model) -> None:
    assert_type(video.id, str)
    assert_type(video.progress, int | None)
    assert_type(video.error, VideoError | None)
    assert_type(video.raw, dict[str, Any])
    assert_type(video.is_finished, bool)
    assert_type(model.created, int | None)


def failures() -> None:
    try:
        sync_service()
    except APIStatusError as error:
        assert_type(error.status_code, int)
        assert_type(error.retry_after, float | None)
        assert_type(error.code, str | None)
    except (RemixFailedError, WaitTimeoutError) as error:
        assert_type(error.video, Video | None)
    except DownloadError as error:
        assert_type(error.path, Path | None)
    except DeerAPIError as error:
        assert_type(error.request_id, str | None)
        assert_type(error.may_have_been_charged, bool)

"""A user's hook that raises, at any of its calls: whatever leaves a paid call then tells of the job."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

from deerapi_remix import PollingPolicy, RemixClient, RetryPolicy
from deerapi_remix.testing import FakeDeerAPI

from ..wire import Twin
from .interruptions import ERRORS
from .observe import tells_of
from .server import fault_server
from .steps import error as answers_error


@attrs.define
class Hook:
    """Raises `error` at its nth call."""

    error: BaseException
    nth: int
    calls: int = 0

    def __call__(self, *_: object) -> None:
        self.calls += 1
        if self.calls == self.nth:
            raise self.error

    async def awaited(self, *_: object) -> None:
        self()


Submit = Callable[[Twin, str, Hook, Path], object]


def client_of(connect: Twin, url: str, **options: Any) -> RemixClient:
    retry = RetryPolicy(initial_delay=0.0, max_delay=0.0)
    return connect.own(base_url=url, retry=retry, polling=PollingPolicy(0.005, 0.01), **options)


def _watched(connect: Twin, url: str, hook: Hook, folder: Path) -> object:
    client = client_of(connect, url, on_event=hook)
    try:
        return client.remix_to_file("video_123", folder / "bow.mp4", prompt="x")
    finally:
        client.close()


def _called_back(name: str) -> Submit:
    def submit(connect: Twin, url: str, hook: Hook, folder: Path) -> object:
        client = client_of(connect, url)
        callback: dict[str, Any] = {name: hook}
        try:
            return client.remix_to_file("video_123", folder / "bow.mp4", prompt="x", **callback)
        finally:
            client.close()

    return submit


def _hooked(name: str) -> Submit:
    """A hook of the httpx client that was handed in."""

    def submit(connect: Twin, url: str, hook: Hook, folder: Path) -> object:
        is_sync = connect.kind == "sync"
        hooks: dict[str, list[Callable[..., Any]]] = {name: [hook if is_sync else hook.awaited]}
        http = httpx.Client(event_hooks=hooks) if is_sync else httpx.AsyncClient(event_hooks=hooks)
        try:
            return client_of(connect, url, http_client=http).remix("video_123", prompt="x")
        finally:
            if isinstance(http, httpx.Client):
                http.close()
            else:
                connect._runner.run(http.aclose())

    return submit


HOOKS: dict[str, Submit] = {
    "on_event": _watched,
    "on_accepted": _called_back("on_accepted"),
    "on_update": _called_back("on_update"),
    "on_progress": _called_back("on_progress"),
    "request hook of httpx": _hooked("request"),
    "response hook of httpx": _hooked("response"),
}


@pytest.mark.parametrize("kind", ERRORS)
@pytest.mark.parametrize("name", HOOKS)
@pytest.mark.parametrize("fails_first", [False, True], ids=["at once", "after a 500"])
def test_a_hook_that_raises_leaves_no_paid_call_untold(
    connect: Twin, fails_first: bool, name: str, kind: type[BaseException], tmp_path: Path
) -> None:
    """After a 500 the job may exist, too: the server had taken it."""
    nth = 0
    raised = True
    while raised:
        nth += 1
        hook = Hook(kind("the user's own"), nth)
        caught: BaseException | None = None
        steps = [answers_error(500)] if fails_first else []
        with fault_server(FakeDeerAPI(render_seconds=0), *steps) as server:
            try:
                HOOKS[name](connect, server.url, hook, tmp_path)
            except BaseException as error:
                caught = error
            jobs = set(server.fake.jobs) - {"video_123"}
            posts = server.posts
        raised = hook.calls >= nth
        assert caught is None or isinstance(caught, kind), caught
        assert caught is None or posts == 0 or tells_of(caught, jobs), f"call {nth}: {caught!r}"
        assert not list(tmp_path.glob(".*.part"))
        (tmp_path / "bow.mp4").unlink(missing_ok=True)
    assert nth > 1

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from deerapi_remix.testing import FakeDeerAPI, VirtualClock
from deerapi_remix.testing.asgi import create_app
from deerapi_remix.testing.fake import Answer, Request
from deerapi_remix.testing.playground import with_playground

KEY = {"Authorization": "Bearer sk-secret"}
REMIX = "/v1/videos/video_123/remix"
CONTENT = "/v1/videos/video_123/content"
PROMPT = "The cat takes a bow"
SOURCE = "video_123"


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def fake(clock: VirtualClock) -> FakeDeerAPI:
    return FakeDeerAPI(clock=clock, render_seconds=10)


def send(fake: FakeDeerAPI, method: str, path: str, body: object = None, **headers: str) -> Answer:
    """What the fake answers; a body of neither bytes nor None is sent as JSON."""
    path, _, query = path.partition("?")
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return fake.handle(Request(method, path, query, {**KEY, "Content-Type": "application/json", **names}, content))


def remix(fake: FakeDeerAPI, source: str = SOURCE, **body: object) -> Answer:
    return send(fake, "POST", f"/v1/videos/{source}/remix", {"prompt": PROMPT} | body)


def value(answer: Answer) -> Any:
    return json.loads(answer.body)


def served(fake: FakeDeerAPI, base_url: str = "http://127.0.0.1:8000") -> httpx.AsyncClient:
    """A client of the API with its playground, in process."""
    app = with_playground(create_app(fake), fake)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base_url, headers=KEY)


@contextmanager
def mock_process(*options: str) -> Iterator[tuple[httpx.Client, subprocess.Popen[str]]]:
    """`deerapi-remix mock` in a process of its own, and a client of it."""
    program = [sys.executable, "-m", "deerapi_remix", "mock", "--port", "0"]
    command = [*program, "--render-seconds", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            with httpx.Client(base_url=url, headers=KEY, trust_env=False) as http:
                yield http, process
        finally:
            process.terminate()

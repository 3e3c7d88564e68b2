"""Records what is sent and answered as HAR."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from deerapi_remix.contract._document import contract
from deerapi_remix.testing import FakeDeerAPI, VirtualClock
from deerapi_remix.testing.asgi import create_app

from ..operations import OPERATIONS
from ..server.altered import Alter, Wire
from ..server.in_process import InProcess

KEY = "sk-key-of-the-recording"
BASE_URL = "https://api.deerapi.com"
Entry = dict[str, Any]


def content_of(headers: httpx.Headers, body: bytes) -> dict[str, Any]:
    """As browsers and proxies keep a body: files in base64, anything else as a text."""
    kind = headers.get("content-type", "")
    told: dict[str, Any] = {"size": len(body), "mimeType": kind}
    if kind.startswith(("video/", "image/")):
        return told | {"text": base64.b64encode(body).decode(), "encoding": "base64"}
    return told | {"text": body.decode(errors="replace")}


def pairs(headers: httpx.Headers) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers.multi_items()]


class Recorder(httpx.BaseTransport):
    """Keeps an entry for each request; a request takes a millisecond."""

    def __init__(self, inner: httpx.BaseTransport, clock: Callable[[], float]) -> None:
        self._inner = inner
        self._clock = clock
        self.entries: list[Entry] = []

    def close(self) -> None:
        self._inner.close()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        began = datetime.fromtimestamp(self._clock() + len(self.entries) / 100, UTC)
        answer = self._inner.handle_request(request)
        body = answer.read()
        sent: dict[str, Any] = {"method": request.method, "url": str(request.url), "headers": pairs(request.headers)}
        if request.content or request.method == "POST":
            kind = request.headers.get("content-type", "")
            sent["postData"] = {"mimeType": kind, "text": base64.b64encode(request.content).decode()}
            sent["postData"]["encoding"] = "base64"
        status, headers = answer.status_code, pairs(answer.headers)
        told = {"status": status, "headers": headers, "content": content_of(answer.headers, body)}
        started = began.isoformat()
        self.entries.append({"startedDateTime": started, "time": 1.0, "request": sent, "response": told})
        return httpx.Response(status, headers=answer.headers, stream=httpx.ByteStream(body))


class Recording:
    """A fake whose traffic is recorded, and what a service does with it."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.fake = FakeDeerAPI(clock=self.clock, render_seconds=4, api_keys=[KEY])
        inner = InProcess(create_app(self.fake, validate_answers=False))
        self.recorder = Recorder(inner, self.clock)
        self.http = httpx.Client(transport=self.recorder, base_url=BASE_URL)
        self.http.headers["authorization"] = f"Bearer {KEY}"

    def __enter__(self) -> Recording:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    @property
    def entries(self) -> list[Entry]:
        return self.recorder.entries

    def job(self) -> list[Entry]:
        """One remix, from the list of models to its file."""
        get = self.http.get
        get("/v1/models")
        get("/v1/videos/video_123")
        job = self.http.post("/v1/videos/video_123/remix", json={"prompt": "The cat takes a bow", "model": "sora-2"})
        path = f"/v1/videos/{job.json()['id']}"
        for _ in range(6):
            get(path)
            self.clock.advance(1)
        get(f"{path}/content")
        get(f"{path}/content", headers={"range": "bytes=1000-"})
        return self.entries


def altered(entries: list[Entry], alter: Alter) -> list[Entry]:
    """The same traffic with other answers."""
    return [_altered(entry, alter) for entry in entries]


def _altered(entry: Entry, alter: Alter) -> Entry:
    asked, told = entry["request"], entry["response"]
    request = httpx.Request(asked["method"], asked["url"])
    headers = {each["name"].lower(): each["value"] for each in told["headers"]}
    content = told["content"]
    body = base64.b64decode(content["text"]) if "encoding" in content else content["text"].encode()
    found = contract().find(request.method, request.url.raw_path.decode().partition("?")[0])
    operation = OPERATIONS[found[0]].method if found else ""
    wire = Wire(request, told["status"], headers, body, operation)
    alter(wire)
    changed = httpx.Headers(wire.headers)
    told = {"status": wire.status, "headers": pairs(changed), "content": content_of(changed, wire.body)}
    return entry | {"response": told}


def write(folder: Path, entries: list[Entry]) -> Path:
    path = folder / "traffic.har"
    path.write_text(json.dumps({"log": {"version": "1.2", "entries": entries}}), encoding="utf-8")
    return path

"""Our own server, the fake, put through every check: in process and over TCP."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Literal

import httpx
from attrs import frozen

from deerapi_remix.contract._api import Api, JobFailedError, StoppedError
from deerapi_remix.contract._document import contract
from deerapi_remix.contract._explore import explore
from deerapi_remix.contract._findings import Findings
from deerapi_remix.contract._jobs import Patience
from deerapi_remix.contract._walk import Walk
from deerapi_remix.testing import FakeDeerAPI, VirtualClock
from deerapi_remix.testing.asgi import create_app, running_server

from ..operations import OPERATIONS
from .coverage import record
from .in_process import InProcess, as_served

KEY = "sk-key-of-the-fake"
SOURCE = "video_123"
# Another than that of the source, or nobody would see that it is ignored.
MODEL = "sora-2-pro"
VIA = ("in-process", "over-tcp")

Via = Literal["in-process", "over-tcp"]


@frozen
class Served:
    """The fake on a clock of its own; it does not judge its answers, so that a fault reaches the rules."""

    fake: FakeDeerAPI
    clock: VirtualClock
    http: httpx.Client
    app: Any

    @property
    def patience(self) -> Patience:
        return Patience(pause=lambda: self.clock.advance(1), polls=20)


@contextmanager
def served(via: Via, render_seconds: float = 10.0) -> Iterator[Served]:
    """Starts a fake; in process there is no socket."""
    clock = VirtualClock()
    fake = FakeDeerAPI(clock=clock, render_seconds=render_seconds, api_keys=[KEY])
    if via == "in-process":
        app = as_served(create_app(fake, validate_answers=False))
        with httpx.Client(transport=InProcess(app), base_url="http://127.0.0.1") as http:
            yield Served(fake, clock, http, app)
    else:
        with (
            running_server(fake, validate_answers=False) as base_url,
            httpx.Client(base_url=base_url, timeout=10, trust_env=False) as http,
        ):
            yield Served(fake, clock, http, None)


@cache
def walked(via: Via) -> Findings:
    """The findings of a walk through every operation, good jobs and bad."""
    findings = Findings(contract(), strict=True, record=record)
    with served(via) as server:
        walk_through(Api(server.http, KEY, findings), server.fake, server.patience)
    return findings


def walk_through(api: Api, fake: FakeDeerAPI, patience: Patience) -> None:
    """Takes every step of a walk, also after one that had to stop."""
    walk = Walk(api, SOURCE, model=MODEL)
    _complete(api.findings, walk.read_only)
    _complete(api.findings, lambda: walk.remix(patience))
    _complete(api.findings, lambda: walk.refusals(patience))
    fake.fails()
    _complete(api.findings, lambda: _failing(walk, patience))


def _failing(walk: Walk, patience: Patience) -> None:
    try:
        walk.remix(patience)
    except JobFailedError:
        return
    raise AssertionError("a job that was to fail did not")


def _complete(findings: Findings, step: Callable[[], None]) -> None:
    try:
        step()
    except StoppedError as stop:
        # What stops a walk breaks a rule; where no answer came, it is this one.
        if stop.exchange is None:
            findings.fail("valid_request_accepted", str(stop), stop.exchange)


@cache
def answered(via: Via) -> Findings:
    """The findings of every documented answer: each status of each operation, each media type, whole and in part."""
    findings = Findings(contract(), strict=True, record=record)
    with served(via) as server:
        api = Api(server.http, KEY, findings)
        for operation, status, _ in contract().answers():
            asked = OPERATIONS[operation]
            video_id = SOURCE if asked.takes_an_id else None
            body = dict(asked.fields) or None
            if status >= 400:
                for example in (None, *contract().examples(operation, status)):
                    server.fake.answers(asked.method, status, body=example)
                    api.call(operation, video_id, body=body)
            elif operation == "downloadVideoContent":
                part = {"range": "bytes=1000-"} if status == 206 else {}
                for variant in ("video", "thumbnail", "spritesheet"):
                    api.call(operation, video_id, query={"variant": variant}, headers=part)
            else:
                api.call(operation, video_id, body=body)
    return findings


@cache
def explored() -> Findings:
    """The findings of requests that schemathesis makes up; every job that they start is retrieved in the end."""
    findings = Findings(contract(), strict=True, record=record)
    with served("in-process", render_seconds=0) as server:
        base_url = str(server.http.base_url).rstrip("/")
        exchanges = explore(findings, KEY, SOURCE, base_url, app=server.app)
        accepted = [each for each in exchanges if OPERATIONS[each.operation].paid and each.succeeded]
        ids = {str(exchange.value.get("id")) for exchange in accepted}
        api = Api(server.http, KEY, findings)
        for video_id in sorted(ids):
            exchange = api.call("retrieveVideo", video_id)
            lost = None if exchange.status == 200 else f"the answer is {exchange.status}"
            findings.add("issued_id_retrievable", lost, exchange)
    return findings

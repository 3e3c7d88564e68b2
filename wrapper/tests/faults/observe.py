"""What becomes of one operation under one fault, as seen from outside."""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import re
import secrets
import time
import traceback
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from pathlib import Path
from types import NoneType
from typing import Any

import httpx
import httpx2
from attrs import define, field, frozen

import deerapi_remix
from deerapi_remix import (
    APIConnectionError,
    AsyncRemixClient,
    DeerAPIError,
    PollingPolicy,
    RemixClient,
    RetryPolicy,
    Video,
    WaitTimeoutError,
)
from deerapi_remix.testing import FakeDeerAPI

from ..wire import ABOUT_NO_VIDEO, CALLS, PAID
from .faults import FAULTS, ILLEGIBLE
from .server import FaultServer, Peer, fault_server
from .steps import GOOD, OTHER, SPRITESHEET, THUMBNAIL, TRUSTING, VIDEO

# `submit`, `poll` and `content` are `remix_to_file`, by the request that the fault hits: so many come before it.
EARLIER = {"poll": 1, "content": 2}
FILE_OPERATIONS = ("submit", "poll", "content")
TWINS = ("sync", "async")
_CAUSES = (httpx.HTTPError, httpx.InvalidURL, httpx2.HTTPError, httpx2.InvalidURL, UnicodeError)


@frozen
class Pace:
    """What a caller is prepared to wait for, in seconds."""

    timeout: float
    budget: float
    wait: float
    file: float

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of a client."""
        retry = RetryPolicy(attempts=3, initial_delay=0.01, max_delay=0.01, budget=self.budget)
        polling = PollingPolicy(initial_interval=0.02, max_interval=0.05, timeout=self.wait)
        return {"timeout": self.timeout, "retry": retry, "polling": polling}

    def longest(self, operation: str) -> float:
        """What a call may take: as long as it may start another attempt, and the timeout of one."""
        bounds = {"wait": self.wait} | dict.fromkeys(FILE_OPERATIONS, self.file)
        return bounds.get(operation, self.budget) + self.timeout


HURRIED = Pace(timeout=1.0, budget=5.0, wait=5.0, file=8.0)
PATIENT = Pace(timeout=15.0, budget=5.0, wait=10.0, file=10.0)  # A busy machine must not look like a fault.
# What a machine may be late that has other things to do, in seconds.
MARGIN = 15.0

_SECRET = "sk-fault-"  # Every key begins with it.
_SHORT = {
    deerapi_remix.APIConnectionError: "Conn",
    deerapi_remix.APITimeoutError: "Time",
    deerapi_remix.APIStatusError: "Stat",
    deerapi_remix.BadRequestError: "BadR",
    deerapi_remix.AuthenticationError: "Auth",
    deerapi_remix.PermissionDeniedError: "Perm",
    getattr(deerapi_remix, "InsufficientQuotaError", None): "Insu",
    deerapi_remix.NotFoundError: "NotF",
    deerapi_remix.ConflictError: "Conf",
    deerapi_remix.RateLimitError: "Rate",
    deerapi_remix.InternalServerError: "Serv",
    deerapi_remix.APIResponseValidationError: "Vali",
    deerapi_remix.RemixFailedError: "Fail",
    deerapi_remix.WaitTimeoutError: "Wait",
    deerapi_remix.DownloadError: "Down",
}


@frozen
class Seen:
    """What was seen of one operation under one fault.

    Attributes:
        outcome: In the notation of the table.
        seconds: How long it took.
        posts: Submits that arrived.
        lost: Ids that were delivered whole, and that the caller does not know.
        partial: Files that are there, and not whole.
        leaks: Where the key was found.
        hung: Whether it took longer than its budget and one timeout.
        untold: Whether a submit may have been charged, and the error says nothing of it.
        detail: The error or result, for the reader of a failed test.
    """

    outcome: str
    seconds: float
    posts: int
    lost: list[str]
    partial: list[str]
    leaks: list[str]
    hung: bool
    untold: bool
    detail: str


class Eavesdropper(logging.Handler):
    """Keeps what was logged at any level, as far as it holds the secret."""

    def __init__(self, secret: str) -> None:
        super().__init__(logging.DEBUG)
        self._secret = secret
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        # The HTTP layer shows the heads of answers as they came: a key in there is one that the server has sent.
        if record.name in ("httpcore.http11", "httpcore2.http11") and record.getMessage().startswith(
            "receive_response_headers"
        ):
            return
        text = self.format(record) + repr(record.__dict__)
        if self._secret in text:
            self.heard.append(text)


@contextmanager
def eavesdropping(secret: str = _SECRET) -> Iterator[Eavesdropper]:
    """Listen to every logger, at every level, for that secret."""
    root = logging.getLogger()
    before, handler = root.level, Eavesdropper(secret)
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield handler
    finally:
        root.setLevel(before)
        root.removeHandler(handler)


@define
class Caller:
    """Who asks for `operation`, and what it is told."""

    operation: str
    target: Path
    pace: Pace
    variant: str | None
    key: str = field(factory=lambda: _SECRET + secrets.token_hex(12))
    result: Any = None
    error: Exception | None = None
    updates: set[str] = field(factory=set)
    began: float = 0.0
    ended: float = 0.0

    def call(self, client: Any) -> Any:
        """Do it, or make a coroutine that does."""
        match self.operation:
            case "download":
                return client.download("video_123", self.target, variant=self.variant)
            case "submit" | "poll" | "content":
                return client.remix_to_file(
                    "video_123", self.target, prompt="x", timeout=self.pace.file, on_update=self._updated
                )
            case _:
                return CALLS[self.operation](client, self.target.parent)

    def _updated(self, video: Video) -> None:
        self.updates.add(video.id)

    @property
    def ids(self) -> set[str]:
        """The jobs that the caller knows of."""
        return self.updates | {getattr(self.result, "id", ""), getattr(self.error, "video_id", "")}

    @property
    def said(self) -> str:
        """All that the caller could show of how it ended."""
        if self.error is None:
            return f"{self.result!r} {getattr(self.result, 'raw', '')}"
        shown = "".join(traceback.format_exception(self.error))
        return f"{shown} {self.error!r} {vars(self.error)} {pickle.dumps(self.error).decode('latin-1')}"

    def outcome(self, issued: set[str]) -> str:
        """How it ended, in the notation of the table but for the numbers."""
        error = self.error
        if error is None:
            return "ok" if self._is_right(issued) and "stale" not in self.said else "wrong"
        if not isinstance(error, DeerAPIError):
            return type(error).__name__
        known = error.video_id in issued and error.video is not None and error.video.id == error.video_id
        named = known or error.video_id == (None if self.operation in ABOUT_NO_VIDEO else "video_123")
        caused = isinstance(error.__cause__, _CAUSES) == isinstance(error, APIConnectionError)
        if isinstance(error, WaitTimeoutError):
            caused = isinstance(error.__cause__, DeerAPIError | NoneType)
        marks = {
            "$": error.may_have_been_charged,
            "~": error.retryable,
            "#": known,
            "!": not named or not caused or self.target.exists(),
        }
        return _SHORT[type(error)] + "".join(mark for mark, is_so in marks.items() if is_so)

    def _is_right(self, issued: set[str]) -> bool:
        if self.operation in PAID:
            return str(self.result.id) in issued
        match self.operation:
            case "retrieve":
                return str(self.result.id) == "video_123"
            case "wait":
                return bool(self.result.id == "video_123" and self.result.is_completed)
            case "models":
                return [model.id for model in self.result] == ["sora-2", "sora-2-pro"]
            case _:
                return bool(self.result == self.target) and _is_whole(self.target)


def observe(name: str, operation: str, twin: str, folder: Path, log: Eavesdropper) -> Seen:
    """Do `operation` while the fault called `name` befalls it."""
    fault = FAULTS[name]
    caller = Caller(operation, folder / "bow.mp4", HURRIED if fault.hurried else PATIENT, fault.variant)
    earlier = EARLIER.get(operation, 0)
    warm = fault.parting is not None and earlier == 0
    before = [Peer.answer] * (earlier - 1) + [fault.parting or Peer.answer] if earlier or warm else []
    fake = FakeDeerAPI(render_seconds=0.005)
    with fault_server(fake, *before, *fault.steps, tls=GOOD if fault.tls else None) as server:
        (_run if twin == "sync" else _run_async)(caller, server.url, warm)
    issued = set(fake.jobs) - {"video_123"}
    delivered = b"".join(bytes(peer.sent) for peer in server.peers)
    requests = sum(len(each.heads) for each in (server, *server.others)) - warm
    submits = f"/{server.posts}" if operation in FILE_OPERATIONS else ""
    # A submit that was never read counts by its connection.
    connections = len(server.peers) if operation in PAID and not warm else 0
    # A download may take its time as long as bytes keep coming.
    latest = [peer.sent_at for peer in server.peers] if operation == "download" else []
    return Seen(
        outcome=f"{caller.outcome(issued)}{requests}{submits}",
        seconds=caller.ended - caller.began,
        posts=max(server.posts, connections),
        lost=[job for job in issued - caller.ids if job.encode() in delivered and name not in ILLEGIBLE],
        partial=[path.name for path in folder.iterdir() if path != caller.target or not _is_whole(path)],
        leaks=[
            *(["error or result"] if caller.key in caller.said else []),
            *(["log"] if any(caller.key in text for text in log.heard) else []),
            *(["another origin"] if _told_a_stranger(caller.key, server) else []),
        ],
        hung=caller.ended - max(caller.began, *latest, 0) > caller.pace.longest(operation) + MARGIN,
        untold=caller.error is not None and _submits_not_refused(server) > 0 and not tells_of(caller.error, issued),
        detail=caller.said,
    )


# Whoever answers a submit with these has not done it, unless a job is in the answer.
_REFUSALS = {*range(400, 500), 300, 301, 302, 305, 306, 307, 308, 503} - {408}


def _submits_not_refused(server: FaultServer) -> int:
    statuses = [
        int(status)
        for peer in server.peers
        if any(head.startswith("POST /") for head in peer.heads)
        for status in re.findall(rb"HTTP/1.1 ([0-9]{3}) Told\r\n", bytes(peer.sent))
    ]
    return server.posts - sum(status in _REFUSALS for status in statuses)


def tells_of(error: BaseException, jobs: set[str]) -> bool:
    """Whether what left a paid call tells its catcher of the job, or that there may be one."""
    notes = " ".join(getattr(error, "__notes__", []))
    if isinstance(error, DeerAPIError) and (error.may_have_been_charged or error.video_id in jobs):
        return True
    return "may have been accepted and charged" in notes or any(job in notes for job in jobs)


# `make httpx2` has clients of httpx2 handed in.
HANDED_IN = os.environ.get("HTTP_CLIENT") == "httpx2"


def _run(caller: Caller, url: str, warm: bool) -> None:
    with ExitStack() as stack:
        http: Any = stack.enter_context(httpx2.Client(verify=TRUSTING, trust_env=False)) if HANDED_IN else None
        client = RemixClient(caller.key, base_url=url, http_client=http, **caller.pace.settings)
        stack.enter_context(client)
        if warm:
            client.models()
        caller.began = time.monotonic()
        try:
            caller.result = caller.call(client)
        except Exception as error:
            caller.error = error
        caller.ended = time.monotonic()


def _run_async(caller: Caller, url: str, warm: bool) -> None:
    async def main() -> None:
        async with AsyncExitStack() as stack:
            http: Any = None
            if HANDED_IN:
                http = await stack.enter_async_context(httpx2.AsyncClient(verify=TRUSTING, trust_env=False))
            client = AsyncRemixClient(caller.key, base_url=url, http_client=http, **caller.pace.settings)
            await stack.enter_async_context(client)
            if warm:
                await client.models()
            caller.began = time.monotonic()
            try:
                caller.result = await caller.call(client)
            except Exception as error:
                caller.error = error
            caller.ended = time.monotonic()

    asyncio.run(main())


def _is_whole(path: Path) -> bool:
    return path.read_bytes() in (VIDEO, OTHER, THUMBNAIL, SPRITESHEET)


def _told_a_stranger(key: str, server: FaultServer) -> bool:
    """Whether the key went anywhere else than to the scheme, host and port of the API."""
    own = f"host: {server.url.partition('://')[2]}\r\n"
    elsewhere = any(key.encode() in bytes(peer.received) for other in server.others for peer in other.peers)
    return elsewhere or any(key in head and own not in head.lower() for head in server.heads)

"""Cancellation in every phase of a job, over real sockets: no job is lost, no file is left, no connection is kept."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import re
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

from deerapi_remix import (
    APIConnectionError,
    AsyncRemixClient,
    ConfigurationError,
    DeerAPIError,
    Event,
    PollingPolicy,
    RetryPolicy,
)
from deerapi_remix.testing import FakeDeerAPI

from .interruptions import CancelledAt
from .server import FaultServer, Peer, Step, fault_server, http, message

Work = Coroutine[Any, Any, object]

INTERRUPTED = "remix of video_123: interrupted while it was sent; the job may have been accepted and charged"
ACCEPTED = "remix: accepted as JOB, request id ID"
CHARGED = "The job may have been accepted and charged: look at your usage with the vendor before you submit it again."
KNOWN = "The job was accepted as JOB: wait for it and download it, do not submit it again."


class Moment:
    """When a phase is reached. Whatever stalls may go on once it is over."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._reached = asyncio.Event()
        self.over = threading.Event()

    def reach(self, *_: object) -> None:
        """It is now; from any thread."""
        self._loop.call_soon_threadsafe(self._reached.set)

    async def reached(self) -> None:
        """Wait until it is now, and all that was sent before has been taken in."""
        await self._reached.wait()
        for _ in range(50):
            await asyncio.sleep(0)

    def on_event(self, kind: str) -> Callable[[Event], None]:
        """It is when the client tells of this."""
        return lambda event: self.reach() if event.kind == kind else None

    async def hang(self, *_: object, **__: object) -> Any:
        """Do nothing until cancelled."""
        self._reached.set()
        await asyncio.Event().wait()

    # Steps of the server

    def part(self, share: Callable[[bytes], bytes] = lambda _: b"") -> Step:
        """Do what is asked for, and send no more than a part of the answer."""

        def step(peer: Peer) -> None:
            peer.send(share(http(peer.exchange())))
            self.reach()
            peer.stall()

        return step

    def unread(self, peer: Peer) -> None:
        """Read nothing until it is over."""
        peer.wait()
        self.reach()
        self.over.wait(10)
        peer.stall()


def half(answer: bytes) -> bytes:
    head, body = answer.split(b"\r\n\r\n", 1)
    return head + b"\r\n\r\n" + body[: len(body) // 2]


def too_many(peer: Peer) -> None:
    peer.request()
    peer.send(message(429, {}, {"retry-after": "30"}))


@attrs.frozen
class Phase:
    """Where a cancellation strikes, and what it leaves.

    Attributes:
        work: What is cancelled.
        steps: What the server does until then.
        prepare: What else is done before the client is made; its result are options of the client.
        posts: How many submits arrive.
        told: What the log tells.
        notes: What the cancellation tells.
        speaks_tls: Whether the client tries to.
    """

    work: Callable[[AsyncRemixClient, Path, Moment], Work]
    posts: int
    told: list[str] = attrs.field(factory=list)
    notes: list[str] = attrs.field(factory=list)
    steps: Callable[[Moment], list[Step]] = lambda _: []
    prepare: Callable[[Moment, pytest.MonkeyPatch], dict[str, Any]] = lambda *_: {}
    speaks_tls: bool = False


def remix(client: AsyncRemixClient, _: Path, __: Moment) -> Work:
    return client.remix("video_123", prompt="x")


def long_remix(client: AsyncRemixClient, _: Path, __: Moment) -> Work:
    return client.remix("video_123", prompt="x" * 5_000_000)


def remix_to_file(client: AsyncRemixClient, folder: Path, _: Moment) -> Work:
    return client.remix_to_file("video_123", folder / "bow.mp4", prompt="x")


def watched_remix_to_file(client: AsyncRemixClient, folder: Path, moment: Moment) -> Work:
    return client.remix_to_file("video_123", folder / "bow.mp4", prompt="x", on_update=moment.reach)


def download(client: AsyncRemixClient, folder: Path, _: Moment) -> Work:
    return client.download("video_123", folder / "bow.mp4")


def wait(client: AsyncRemixClient, _: Path, __: Moment) -> Work:
    return client.wait("video_123")


def looking_up(moment: Moment, patch: pytest.MonkeyPatch) -> dict[str, Any]:
    patch.setattr(asyncio.get_running_loop(), "getaddrinfo", moment.hang)
    return {}


def connecting(moment: Moment, patch: pytest.MonkeyPatch) -> dict[str, Any]:
    patch.setattr(asyncio.get_running_loop(), "sock_connect", moment.hang)
    return {}


def told_of(kind: str) -> Callable[[Moment, pytest.MonkeyPatch], dict[str, Any]]:
    return lambda moment, _: {"on_event": moment.on_event(kind)}


def syncing(moment: Moment, patch: pytest.MonkeyPatch) -> dict[str, Any]:
    sync = os.fsync

    def slow_sync(descriptor: int) -> None:
        moment.reach()
        moment.over.wait(10)
        sync(descriptor)

    patch.setattr(os, "fsync", slow_sync)
    return {}


PHASES = {
    "a name is looked up": Phase(remix, posts=0, told=[INTERRUPTED], notes=[CHARGED], prepare=looking_up),
    "a connection is made": Phase(remix, posts=0, told=[INTERRUPTED], notes=[CHARGED], prepare=connecting),
    "hands are shaken": Phase(
        remix, posts=0, told=[INTERRUPTED], notes=[CHARGED], steps=lambda moment: [moment.unread], speaks_tls=True
    ),
    "the request is written": Phase(
        long_remix, posts=1, told=[INTERRUPTED], notes=[CHARGED], steps=lambda moment: [moment.unread]
    ),
    "the answer is awaited": Phase(
        remix, posts=1, told=[INTERRUPTED], notes=[CHARGED], steps=lambda moment: [moment.part()]
    ),
    "headers arrive": Phase(
        remix,
        posts=1,
        told=[INTERRUPTED],
        notes=[CHARGED],
        steps=lambda moment: [moment.part(lambda answer: answer[:40])],
    ),
    "the body begins": Phase(
        remix,
        posts=1,
        told=[INTERRUPTED],
        notes=[CHARGED],
        steps=lambda moment: [moment.part(lambda answer: answer.partition(b"\r\n\r\n")[0] + b"\r\n\r\n{")],
    ),
    "the body arrives": Phase(
        remix, posts=1, told=[ACCEPTED], notes=[KNOWN], steps=lambda moment: [moment.part(lambda answer: answer[:-1])]
    ),
    "the client sleeps between attempts": Phase(
        remix,
        posts=1,
        told=["remix: attempt 1 failed: RateLimitError, status 429, request id None; next attempt in 30.00 s"],
        steps=lambda _: [too_many],
        prepare=told_of("retry"),
    ),
    "the submit of a file is awaited": Phase(
        remix_to_file, posts=1, told=[INTERRUPTED], notes=[CHARGED], steps=lambda moment: [moment.part()]
    ),
    "the client sleeps before the first poll": Phase(watched_remix_to_file, posts=1, told=[ACCEPTED], notes=[KNOWN]),
    "the client sleeps between polls": Phase(
        remix_to_file,
        posts=1,
        told=[ACCEPTED],
        notes=[KNOWN],
        prepare=lambda moment, _: {
            "on_event": moment.on_event("poll"),
            "polling": PollingPolicy(initial_interval=0.01, max_interval=0.02),
        },
    ),
    "a poll is awaited": Phase(wait, posts=0, steps=lambda moment: [moment.part()]),
    "a poll arrives": Phase(
        remix_to_file,
        posts=1,
        told=[ACCEPTED],
        notes=[KNOWN],
        steps=lambda moment: [Peer.answer, moment.part(half)],
        prepare=lambda *_: {"polling": PollingPolicy(initial_interval=0.01, max_interval=0.01)},
    ),
    "a file is awaited": Phase(download, posts=0, steps=lambda moment: [moment.part()]),
    "a file arrives": Phase(download, posts=0, steps=lambda moment: [moment.part(half)]),
    "a file is put on the disk": Phase(download, posts=0, prepare=syncing),
}


async def task_is_cancelled(work: Work, moment: Moment) -> None:
    task = asyncio.create_task(work)
    await moment.reached()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def timeout_expires(work: Work, moment: Moment) -> None:
    limit = asyncio.timeout(None)

    async def expire() -> None:
        await moment.reached()
        limit.reschedule(asyncio.get_running_loop().time())

    async with asyncio.TaskGroup() as group:
        group.create_task(expire())
        with pytest.raises(TimeoutError) as caught:
            async with limit:
                await work
    assert not isinstance(caught.value, DeerAPIError)


async def sibling_fails(work: Work, moment: Moment) -> None:
    async def sibling() -> None:
        await moment.reached()
        raise LookupError

    with pytest.raises(ExceptionGroup) as caught:  # noqa: PT012
        async with asyncio.TaskGroup() as group:
            group.create_task(work)
            group.create_task(sibling())
    assert [type(error) for error in caught.value.exceptions] == [LookupError]


def run(main: Coroutine[Any, Any, None], *, leaves_a_socket: bool = False) -> None:
    """Run `main` on a loop of its own, and see that nothing it leaves behind complains later."""
    complaints: list[dict[str, Any]] = []
    with warnings.catch_warnings():
        if leaves_a_socket:
            warnings.simplefilter("ignore", ResourceWarning)
        with asyncio.Runner() as runner:
            runner.get_loop().set_exception_handler(lambda _, context: complaints.append(context))
            runner.run(asyncio.wait_for(main, 30))
        gc.collect()  # What is unclosed is a ResourceWarning, and those are errors.
    assert complaints == []


def told(caplog: pytest.LogCaptureFixture, server: FaultServer) -> list[str]:
    """What our logger told, with the ids of job and requests made the same."""
    lines = [record.getMessage() for record in caplog.records if record.name == "deerapi_remix"]
    return [anonymous(line, server) for line in lines]


def files(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def anonymous(line: str, server: FaultServer) -> str:
    jobs = [video_id for video_id in server.fake.jobs if video_id != "video_123"]
    line = re.sub(r"request id \d\w+", "request id ID", line)
    return line.replace(jobs[0], "JOB") if jobs else line


@pytest.mark.parametrize(
    ("cancel", "pool"),
    [
        (task_is_cancelled, "own"),
        (task_is_cancelled, "of one connection"),
        (timeout_expires, "of one connection"),
        (sibling_fails, "of one connection"),
    ],
)
@pytest.mark.parametrize("name", PHASES)
def test_a_cancellation_loses_no_job_and_keeps_nothing(
    name: str,
    cancel: Callable[[Work, Moment], Coroutine[Any, Any, None]],
    pool: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    phase = PHASES[name]
    caplog.set_level(logging.INFO, "deerapi_remix")
    seen: list[tuple[type, list[str]]] = []

    async def watched(work: Work) -> None:
        try:
            await work
        except BaseException as error:
            seen.append((type(error), [anonymous(note, server) for note in getattr(error, "__notes__", [])]))
            raise

    async def main() -> None:
        moment = Moment()
        url = f"http{'s' if phase.speaks_tls else ''}://localhost:{server.port}"
        server.script(*phase.steps(moment))
        limits = httpx.Limits(max_connections=1)
        async with httpx.AsyncClient(limits=limits, verify=False) as one:
            with monkeypatch.context() as patch:
                options = phase.prepare(moment, patch)
                client = AsyncRemixClient(base_url=url, http_client=None if pool == "own" else one, **options)
                try:
                    await cancel(watched(phase.work(client, tmp_path, moment)), moment)
                finally:
                    moment.over.set()

            assert seen == [(asyncio.CancelledError, phase.notes)]
            assert told(caplog, server) == phase.told
            assert files(tmp_path) == []
            again = client.with_options(timeout=httpx.Timeout(5, pool=1), retry=RetryPolicy(attempts=1))
            if not phase.speaks_tls:
                assert (await again.models())[0].id == "sora-2"
            await client.aclose()

    with fault_server(FakeDeerAPI(render_seconds=60)) as server:
        # httpcore leaves the socket of a handshake that is cancelled to the garbage collector.
        run(main(), leaves_a_socket=phase.speaks_tls)
    assert server.posts == phase.posts


def test_a_job_cancelled_at_any_wait_is_known_or_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "deerapi_remix")
    target = tmp_path / "bow.mp4"

    async def strike(nth: int) -> bool:
        """Cancel at one wait; whether there were as many."""
        client = AsyncRemixClient(base_url=server.url, polling=PollingPolicy(initial_interval=0.01, max_interval=0.01))
        cancelled = CancelledAt(client.remix_to_file("video_123", target, prompt="x"), nth)
        try:
            await cancelled
        except asyncio.CancelledError as error:
            notes = getattr(error, "__notes__", [])
            assert files(tmp_path) == []
            assert len(server.fake.jobs) <= 2
            lines = told(caplog, server)
            assert set(lines) <= {INTERRUPTED, ACCEPTED}
            # Whoever cancels knows the job, or knows that there may be one.
            assert (lines, notes) == ([INTERRUPTED], [CHARGED]) or (ACCEPTED in lines and len(notes) == 1)
            assert (await client.models())[0].id == "sora-2"
        else:
            assert not cancelled.struck
            assert files(tmp_path) == ["bow.mp4"]
        finally:
            await client.aclose()
        return cancelled.struck

    nth = 0
    struck = True
    while struck:
        nth += 1
        caplog.clear()
        with fault_server(FakeDeerAPI(render_seconds=0.02)) as server:

            async def main() -> None:
                nonlocal struck
                struck = await strike(nth)  # noqa: B023

            run(main())
        assert server.posts <= 1
    assert nth > 4


def test_a_call_that_is_cancelled_while_its_broken_connection_is_cleaned_up_leaves_none_that_stalls() -> None:
    """What httpcore has closed halfway it would keep, and the next call would wait for it in vain."""
    halfway = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"
    whole = b'{"object": "list", "data": []}'
    writers: list[asyncio.StreamWriter] = []

    async def serve(begun: asyncio.Event, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                writer.write(halfway if b"/videos/" in head else answer % (len(whole), whole))
                begun.set()
        writer.close()

    async def strike(ticks: int) -> None:
        begun = asyncio.Event()
        server = await asyncio.start_server(partial(serve, begun), "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        timeout = httpx.Timeout(5, pool=0.5)
        async with AsyncRemixClient(base_url=url, timeout=timeout, retry=RetryPolicy(attempts=1)) as client:
            call = asyncio.create_task(client.retrieve("video_1"))
            await begun.wait()
            await asyncio.sleep(0.01)  # The first bytes of the body have come.
            writers.pop().transport.abort()
            for _ in range(ticks):
                await asyncio.sleep(0)
            call.cancel()
            with suppress(asyncio.CancelledError, DeerAPIError):
                await call
            assert await client.models() == ()
            for writer in writers:
                writer.close()
            writers.clear()
        server.close()

    for ticks in range(1, 10):
        asyncio.run(strike(ticks))


# Closing


@attrs.frozen
class Closing:
    """A client that is closed by another task.

    Attributes:
        work: What is under way.
        steps: What the server does until then.
        error: How the work ends.
        says: What the error says.
        charged: Whether a job may have been charged.
    """

    work: Callable[[AsyncRemixClient, Path, Moment], Work]
    steps: Callable[[Moment], list[Step]]
    error: type[DeerAPIError]
    says: str
    posts: int = 0
    charged: bool = False


CLOSINGS = {
    "while a submit is awaited": Closing(
        remix, lambda moment: [moment.part()], APIConnectionError, "no whole answer came", posts=1, charged=True
    ),
    "while a poll is awaited": Closing(
        wait, lambda moment: [moment.part()], ConfigurationError, "This client is closed"
    ),
    "between polls": Closing(watched_remix_to_file, lambda _: [], ConfigurationError, "This client is closed", posts=1),
    "while a file arrives": Closing(
        download, lambda moment: [moment.part(half)], ConfigurationError, "This client is closed"
    ),
}


@pytest.mark.parametrize("name", CLOSINGS)
def test_closing_a_client_ends_what_is_under_way_with_a_clear_error(name: str, tmp_path: Path) -> None:
    closing = CLOSINGS[name]

    async def main() -> None:
        moment = Moment()
        server.script(*closing.steps(moment))
        polling = PollingPolicy(initial_interval=0.05, max_interval=0.05)
        client = AsyncRemixClient(base_url=server.url, polling=polling)
        task = asyncio.create_task(closing.work(client, tmp_path, moment))
        await moment.reached()
        await client.aclose()
        with pytest.raises(closing.error, match=closing.says) as caught:
            await asyncio.wait_for(task, 10)
        assert caught.value.may_have_been_charged is closing.charged
        assert caught.value.video_id in server.fake.jobs
        assert files(tmp_path) == []

    with fault_server(FakeDeerAPI(render_seconds=60)) as server:
        run(main())
    assert server.posts == closing.posts


PROGRAM = """
import asyncio
import logging
import sys
from pathlib import Path

from deerapi_remix import AsyncRemixClient, PollingPolicy

logging.getLogger("deerapi_remix").addHandler(logging.NullHandler())


async def main():
    asyncio.get_running_loop().slow_callback_duration = 60  # Slow machines are told of, too.
    polling = PollingPolicy(initial_interval=0.01, max_interval=0.01)
    async with AsyncRemixClient(base_url=sys.argv[1], polling=polling) as client:
        for seconds in (0.0, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1):
            for call in (client.models, lambda: client.remix_to_file("video_123", sys.argv[2], prompt="x")):
                try:
                    async with asyncio.timeout(seconds):
                        await asyncio.gather(call(), call(), call())
                except (TimeoutError, FileExistsError):
                    Path(sys.argv[2]).unlink(missing_ok=True)
        abandoned = asyncio.create_task(client.remix_to_file("video_123", sys.argv[2] + "2", prompt="x"))
        await asyncio.sleep(0.02)
        abandoned.cancel()


asyncio.run(main())
"""


def test_a_program_that_cancels_its_calls_ends_without_a_word(tmp_path: Path) -> None:
    with fault_server(FakeDeerAPI(render_seconds=0.03)) as server:
        arguments = [server.url, str(tmp_path / "bow.mp4")]
        command = [sys.executable, "-X", "dev", "-W", "error", "-c", PROGRAM, *arguments]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.stderr == ""
    assert ended.returncode == 0
    assert [name for name in files(tmp_path) if not name.startswith("bow.mp4")] == []

"""However much a server sends, and however slowly: memory stays flat, and every call ends in time."""

from __future__ import annotations

import asyncio
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from deerapi_remix import (
    APITimeoutError,
    AsyncRemixClient,
    DeerAPIError,
    DownloadError,
    InternalServerError,
    PollingPolicy,
    RemixClient,
    RetryPolicy,
    WaitTimeoutError,
)
from deerapi_remix.testing import FakeDeerAPI

from .conftest import Own
from .server import Peer, Step, fault_server, message
from .steps import BOMB, HINT

MB = 1_000_000
# What a peak may grow by, in bytes: a tenth of what it would be if a tenth of the file were held.
FLAT = 8 * MB
FILE = 1_000 * MB if os.environ.get("FAULTS") == "long" else 100 * MB


def endless(status: int, start: bytes = b"", kind: str = "application/json") -> Step:
    """An answer whose body has no end."""

    def step(peer: Peer) -> None:
        peer.exchange()
        head = message(status, b"", {"content-type": kind, "content-length": "999999999999"})
        peer.send(head + start)
        peer.pour(b"x" * 65536, math.inf)

    return step


@pytest.mark.parametrize("status", [400, 500, 502])
def test_of_an_error_64_kb_are_read_and_2000_characters_shown(own: Own, status: int) -> None:
    with fault_server(FakeDeerAPI(), endless(status, kind="text/plain")) as server:
        client = own(base_url=server.url, retry=RetryPolicy(attempts=1))
        with pytest.raises(DeerAPIError) as caught:
            client.retrieve("video_123")

    assert getattr(caught.value, "status_code", None) == status
    assert getattr(caught.value, "body", None) == "x" * 2000
    assert caught.value.__cause__ is None


def test_an_error_of_64_kb_is_read_to_its_end(own: Own) -> None:
    padding = b" " * (65_536 - 33)
    whole = message(500, b'{"error": {"message": "busy"' + padding + b"}    }")

    def step(peer: Peer) -> None:
        peer.request()
        peer.send(whole)

    with fault_server(FakeDeerAPI(), step) as server:
        client = own(base_url=server.url, retry=RetryPolicy(attempts=1))
        with pytest.raises(InternalServerError) as caught:
            client.retrieve("video_123")

    assert caught.value.message == "busy"


def test_of_json_in_place_of_a_file_64_kb_are_read(own: Own, tmp_path: Path) -> None:
    with fault_server(FakeDeerAPI(), endless(200)) as server:
        client = own(base_url=server.url)
        with pytest.raises(DownloadError, match="application/json instead of a video"):
            client.download("video_123", tmp_path / "bow.mp4")

    assert list(tmp_path.iterdir()) == []


# Memory

MEASURE = """
import asyncio, pathlib, sys
from deerapi_remix import AsyncRemixClient, DeerAPIError, RemixClient

url, twin, operation, folder = sys.argv[1:]


def peak():
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


async def main():
    client = (RemixClient if twin == "sync" else AsyncRemixClient)("any-key", base_url=url)

    async def do(method, *arguments):
        result = getattr(client, method)(*arguments)
        return await result if twin == "async" else result

    await do("download", "video_123", folder + "/warm.mp4")
    pathlib.Path("/proc/self/clear_refs").write_text("5")
    before = peak()
    try:
        await do(operation, "video_123", *([folder + "/bow.mp4"] if operation == "download" else []))
    except DeerAPIError as error:
        print(type(error).__name__, end=" ")
    print(peak() - before)


asyncio.run(main())
"""


def measure(twin: str, operation: str, folder: Path, step: Step) -> tuple[str, int]:
    """What a process of its own says of an operation, and by how many bytes its peak of memory grew."""
    with fault_server(FakeDeerAPI(), Peer.answer, step) as server:
        command = [sys.executable, "-c", MEASURE, server.url, twin, operation, str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    *said, grown = done.stdout.split()
    return " ".join(said), int(grown)


@pytest.mark.parametrize("twin", ["sync", "async"])
def test_a_large_file_is_not_held_in_memory(twin: str, tmp_path: Path) -> None:
    def large(peer: Peer) -> None:
        peer.request()
        peer.send(message(200, b"", {"content-type": "video/mp4", "content-length": str(FILE)}))
        peer.pour(bytes(MB), FILE // MB)

    said, grown = measure(twin, "download", tmp_path, large)

    assert said == ""
    assert (tmp_path / "bow.mp4").stat().st_size == FILE
    assert grown < FLAT


@pytest.mark.parametrize("twin", ["sync", "async"])
@pytest.mark.parametrize(("status", "error"), [(200, "APIResponseValidationError"), (404, "NotFoundError")])
def test_a_bomb_is_not_unpacked(twin: str, status: int, error: str, tmp_path: Path) -> None:
    def bomb(peer: Peer) -> None:
        peer.request()
        peer.send(message(status, BOMB, {"content-type": "application/json", "content-encoding": "gzip"}))

    said, grown = measure(twin, "retrieve", tmp_path, bomb)

    assert said == error
    assert grown < FLAT


@pytest.mark.parametrize("twin", ["sync", "async"])
@pytest.mark.parametrize(("status", "error"), [(200, "APIResponseValidationError"), (404, "NotFoundError")])
def test_an_endless_answer_is_not_held_in_memory(twin: str, status: int, error: str, tmp_path: Path) -> None:
    said, grown = measure(twin, "retrieve", tmp_path, endless(status))

    assert said == error
    assert grown < FLAT


# Time: nothing may take longer than what may start another attempt, and the timeout of one.

TIMEOUT = 0.3
BUDGET = 0.4
LONGEST = TIMEOUT + BUDGET
MARGIN = 10.0  # For a machine that has other things to do.
LITTLE_TIME: dict[str, Any] = {
    "timeout": TIMEOUT,
    "retry": RetryPolicy(attempts=9, initial_delay=0.01, budget=BUDGET),
    "polling": PollingPolicy(initial_interval=0.02, max_interval=0.05, timeout=BUDGET),
}


def forever(chunk: bytes, seconds: float, start: bytes = b"") -> Step:
    """An answer that goes on like this, and never ends."""

    def step(peer: Peer) -> None:
        peer.exchange()
        peer.send(start)
        while True:
            peer.send(chunk)
            peer.pause(seconds)

    return step


def _head(kind: str) -> bytes:
    return message(200, b"", {"content-type": kind, "content-length": "99999"})


HEADS = {
    "headers": forever(b"x", 0.02, b"HTTP/1.1 200 OK\r\nX-Long: "),
    "header lines": forever(b"x: y\r\n", 0.02, b"HTTP/1.1 200 OK\r\n"),
    "provisional answers": forever(HINT, 0.02),
    "provisional answers without a pause": forever(HINT * 50, 0.0005),
}
BODIES = {
    "body": forever(b" ", 0.02, _head("application/json")),
    "error": forever(b" ", 0.02, _head("text/plain").replace(b"200", b"502", 1)),
    "chunks": forever(b"1\r\n \r\n", 0.02, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "chunk extension": forever(b"x", 0.02, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;"),
    "trailers": forever(b"x: y\r\n", 0.02, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\n"),
}


def calls(client: RemixClient | AsyncRemixClient, target: Path) -> list[Callable[[], Any]]:
    """Every kind of call."""
    return [
        lambda: client.remix("video_123", prompt="The cat takes a bow"),
        lambda: client.retrieve("video_123"),
        lambda: client.wait("video_123"),
        lambda: client.remix_to_file("video_123", target, prompt="The cat takes a bow", timeout=BUDGET),
        client.models,
    ]


@pytest.mark.parametrize("name", [*HEADS, *BODIES])
async def test_the_async_client_ends_every_call_in_time(name: str, tmp_path: Path) -> None:
    with fault_server(FakeDeerAPI(), *[(HEADS | BODIES)[name]] * 99) as server:
        async with AsyncRemixClient(base_url=server.url, **LITTLE_TIME) as client:
            running = [call() for call in calls(client, tmp_path / "bow.mp4")]
            if name in HEADS:  # Once the body of a file comes, it may take its time.
                running.append(client.download("video_123", tmp_path / "file.mp4"))
            began = time.monotonic()
            ended = await asyncio.gather(*running, return_exceptions=True)
            assert time.monotonic() - began < LONGEST + MARGIN

    assert all(isinstance(error, DeerAPIError) for error in ended)
    assert os.listdir(tmp_path) == []  # noqa: PTH208  # Nothing is blocked any more.


# Headers are another matter: README says so.
@pytest.mark.parametrize("name", ["body", "error", "chunks"])
def test_the_sync_client_ends_every_call_in_time_once_a_body_comes(name: str, tmp_path: Path) -> None:
    with (
        fault_server(FakeDeerAPI(), *[BODIES[name]] * 99) as server,
        RemixClient(base_url=server.url, **LITTLE_TIME) as client,
        ThreadPoolExecutor() as pool,
    ):
        began = time.monotonic()
        ended = [running.exception() for running in [*map(pool.submit, calls(client, tmp_path / "bow.mp4"))]]
        assert time.monotonic() - began < LONGEST + MARGIN

    assert all(isinstance(error, DeerAPIError) for error in ended)
    assert not any(tmp_path.iterdir())


def test_a_file_that_trickles_ends_at_the_deadline(own: Own, tmp_path: Path) -> None:
    file = forever(b"x", 0.02, _head("video/mp4"))
    with fault_server(FakeDeerAPI(render_seconds=0.005), Peer.answer, Peer.answer, file) as server:
        client = own(base_url=server.url, **LITTLE_TIME)
        began = time.monotonic()
        with pytest.raises(WaitTimeoutError) as caught:
            client.remix_to_file("video_123", tmp_path / "bow.mp4", prompt="The cat takes a bow", timeout=0.8)

    assert time.monotonic() - began < 0.8 + TIMEOUT + MARGIN
    assert caught.value.video_id in server.fake.jobs
    assert list(tmp_path.iterdir()) == []


def test_a_submit_that_is_not_read_is_given_up_in_time(own: Own) -> None:
    def unread(peer: Peer) -> None:
        time.sleep(0.8)

    with fault_server(FakeDeerAPI(), unread) as server:
        client = own(base_url=server.url, **LITTLE_TIME)
        began = time.monotonic()
        with pytest.raises(APITimeoutError) as caught:
            client.remix("video_123", prompt="x" * 6 * MB)
        assert time.monotonic() - began < LONGEST + MARGIN
        assert len(server.peers) == 1

    assert caught.value.may_have_been_charged

"""Which call goes out on which connection."""

from __future__ import annotations

import asyncio
import json
import math
import os
import re
import socket
import ssl
import threading
from collections.abc import Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, cast

import httpx
import pytest
import trustme

from deerapi_remix import (
    APIConnectionError,
    APITimeoutError,
    AsyncRemixClient,
    PermissionDeniedError,
    PollingPolicy,
    RemixFailedError,
    RetryPolicy,
    WaitTimeoutError,
    _gates,
)
from deerapi_remix._deadline import Deadline
from deerapi_remix._own_clients import OwnClient
from deerapi_remix._pools import ONE_CONNECTION, SmallPools
from deerapi_remix._private_httpx import OneAsyncConnection, OneConnection
from deerapi_remix._waits import Wait
from deerapi_remix.testing import FakeDeerAPI

from .conftest import Loopback
from .faults.server import fault_server
from .wire import Twin


@pytest.fixture(autouse=True)
def _all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate, which lets the first requests go in bursts, lets all go here."""
    monkeypatch.setattr(_gates, "BURST_OF_THE_REST", math.inf)


JOB = {"object": "video", "model": "sora-2", "status": "queued", "progress": 0, "created_at": 1}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "


def job(request: str) -> bytes:
    """The job that the request asks for."""
    name = re.findall(r"GET /v1/videos/(\S+)", request)
    body = json.dumps(
        {
            "id": name[0],
            "object": "video",
            "model": "sora-2",
            "status": "queued",
            "progress": 0,
            "created_at": 1,
            "size": "1280x720",
            "seconds": "8",
        }
    ).encode()
    return HEAD + str(len(body)).encode() + b"\r\n\r\n" + body


async def test_five_hundred_calls_at_once_share_a_hundred_connections(loopback: Loopback) -> None:
    loopback.answer = job
    async with AsyncRemixClient(base_url=loopback.url) as client:
        found = await asyncio.gather(*(client.retrieve(f"video_{number}") for number in range(500)))
    assert [video.id for video in found] == [f"video_{number}" for number in range(500)]
    assert loopback.connections <= 100


async def test_calls_one_after_the_other_share_one_connection(loopback: Loopback) -> None:
    loopback.answer = job
    async with AsyncRemixClient(base_url=loopback.url) as client:
        for number in range(20):
            await client.retrieve(f"video_{number}")
    assert loopback.connections == 1


async def test_whoever_waits_for_a_connection_gets_one_in_turn(
    loopback: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    loopback.answer = job
    send = OneAsyncConnection.handle_async_request
    sent: list[bytes] = []

    def noted(connection: OneAsyncConnection, request: Any) -> Coroutine[Any, Any, Any]:
        sent.append(request.url.target)
        return send(connection, request)

    async def call_four_times(client: AsyncRemixClient, number: int) -> None:
        for _ in range(4):
            await client.retrieve(f"video_{number}")

    monkeypatch.setattr(OneAsyncConnection, "handle_async_request", noted)
    async with AsyncRemixClient(base_url=loopback.url) as client, asyncio.TaskGroup() as group:
        for number in range(200):
            group.create_task(call_four_times(client, number))
    # A hundred who take a connection again as soon as they leave it would send four times before all others begin.
    assert len(set(sent[:200])) == 200


async def test_without_a_free_connection_in_time_nothing_is_sent(loopback: Loopback) -> None:
    answered = threading.Event()
    sent = threading.Semaphore(0)

    def late(request: str) -> bytes:
        sent.release()
        answered.wait(30)
        return job(request)

    loopback.answer = late
    timeout = httpx.Timeout(30, pool=0.01)
    async with AsyncRemixClient(base_url=loopback.url, timeout=timeout, retry=RetryPolicy(attempts=1)) as client:
        taking = [asyncio.create_task(client.retrieve(f"video_{number}")) for number in range(100)]
        await asyncio.to_thread(lambda: [sent.acquire(timeout=30) for _ in taking])
        with pytest.raises(APITimeoutError, match="the request was not sent") as caught:
            await client.remix("video_123", prompt="x")
        answered.set()
        await asyncio.gather(*taking)
        assert (await client.retrieve("video_100")).id == "video_100"
    assert caught.value.may_have_been_charged is False
    assert not any(request.startswith("POST") for request in loopback.requests)


async def test_cancelled_calls_give_their_connections_back(loopback: Loopback) -> None:
    answered = threading.Event()

    def late(request: str) -> bytes:
        answered.wait(30)
        return job(request)

    loopback.answer = late
    async with AsyncRemixClient(base_url=loopback.url) as client:
        for _ in range(3):
            calls = [asyncio.create_task(client.retrieve("video_1")) for _ in range(150)]
            await asyncio.sleep(0.05)
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
        answered.set()
        found = await asyncio.gather(*(client.retrieve(f"video_{number}") for number in range(100)))
    assert len(found) == 100


async def test_calls_cancelled_while_their_answers_are_closed_give_their_connections_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closing = asyncio.Semaphore(0)
    hangs = True

    class Body(httpx.ByteStream):
        async def aclose(self) -> None:
            if hangs:
                closing.release()
                await asyncio.Event().wait()

    async def answer(_: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        job = {**JOB, "id": request.url.path.rpartition("/")[2]}
        return httpx.Response(200, stream=Body(json.dumps(job).encode()))

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", answer)
    async with AsyncRemixClient(base_url="http://127.0.0.1:1", timeout=httpx.Timeout(30, pool=0.01)) as client:
        calls = [asyncio.create_task(client.retrieve(f"video_{number}")) for number in range(100)]
        for _ in calls:
            await closing.acquire()
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        hangs = False
        found = await asyncio.gather(*(client.retrieve(f"video_{number}") for number in range(100)))
    assert len(found) == 100


@pytest.mark.parametrize(("idle", "broken"), [(True, False), (False, False), (True, True), (False, True)])
async def test_only_a_connection_that_is_idle_after_a_whole_exchange_is_lent_again(idle: bool, broken: bool) -> None:
    closed = asyncio.Event()

    class Connections:
        connections: ClassVar[list[Any]] = [SimpleNamespace(is_idle=lambda: idle)]

        async def aclose(self) -> None:
            closed.set()

    pools = SmallPools(ssl.create_default_context())
    request = httpx.Request("GET", "http://127.0.0.1:1", extensions={"timeout": {"pool": 1.0}})
    await pools._take_place(request)
    transport = pools._free.pop()
    pools._taken.add(transport)
    transport._pool = cast(Any, Connections())
    await pools.leave(transport, broken=broken)
    is_kept = idle and not broken
    assert (pools._free[-1] is transport, closed.is_set()) == (is_kept, not is_kept)
    assert (len(pools._free), pools._taken) == (100, set())


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "ALL_PROXY"])
async def test_a_proxy_of_the_environment_is_used(
    monkeypatch: pytest.MonkeyPatch, loopback: Loopback, name: str
) -> None:
    loopback.answer = lambda _: b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    monkeypatch.setenv(name, loopback.url)
    async with AsyncRemixClient(base_url="https://api.deerapi.test", retry=RetryPolicy(attempts=1)) as client:
        with pytest.raises(APIConnectionError, match="the request was not sent"):
            await client.remix("video_123", prompt="x")
    assert [request.partition("\n")[0] for request in loopback.requests] == ["CONNECT api.deerapi.test:443 HTTP/1.1"]


def test_over_the_network_a_submit_goes_out_on_a_connection_of_its_own(
    connect: Twin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    resolve = socket.getaddrinfo

    def to_this_machine(host: str | bytes, *args: Any, **options: Any) -> Any:
        return resolve("127.0.0.1" if host in ("service.test", b"service.test") else host, *args, **options)

    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("service.test").configure_cert(context)
    monkeypatch.setattr(socket, "getaddrinfo", to_this_machine)
    with fault_server(FakeDeerAPI(), tls=context) as server:
        client = connect.own(base_url=f"https://service.test:{server.port}")
        monkeypatch.delenv("SSL_CERT_FILE")  # The certificates are read once, when the client is made.
        for _ in range(2):
            client.models()
            client.remix("video_123", prompt="x")
        client.close()
    assert [len(peer.times) for peer in server.peers] == [2, 1, 1]


# Polls


class Slow(httpx.AsyncBaseTransport):
    """Answers once it is told to, and counts the requests that wait for that."""

    def __init__(self) -> None:
        self.answers = asyncio.Event()
        self.waiting = self.most = 0
        self.asked: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.rpartition("/")[2]
        self.asked.append(name)
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        try:
            await self.answers.wait()
        finally:
            self.waiting -= 1
        return httpx.Response(200, json={**JOB, "id": name, "status": "completed"})


async def settled() -> None:
    """All that can go on without an answer has done so."""
    for _ in range(100):
        await asyncio.sleep(0)


async def test_a_hundred_jobs_are_polled_at_once_and_the_others_in_turn() -> None:
    slow = Slow()
    client = AsyncRemixClient(http_client=httpx.AsyncClient(transport=slow))
    jobs = [f"video_{number}" for number in range(250)]
    waits = [asyncio.create_task(client.wait(job)) for job in jobs]
    await settled()
    assert slow.asked == jobs[:100]
    slow.answers.set()
    await asyncio.gather(*waits)
    assert (slow.most, slow.asked) == (100, jobs)


async def test_other_calls_do_not_wait_for_polls() -> None:
    slow = Slow()
    client = AsyncRemixClient(http_client=httpx.AsyncClient(transport=slow))
    waits = [asyncio.create_task(client.wait(f"video_{number}")) for number in range(150)]
    await settled()
    asked = asyncio.create_task(client.retrieve("video_of_another_call"))
    await settled()
    assert slow.asked[-1] == "video_of_another_call"
    slow.answers.set()
    await asyncio.gather(asked, *waits)


async def test_a_copy_takes_turns_with_its_client() -> None:
    slow = Slow()
    client = AsyncRemixClient(http_client=httpx.AsyncClient(transport=slow))
    copy = client.with_options(timeout=5)
    waits = [asyncio.create_task(each.wait(f"video_{number}")) for number in range(75) for each in (client, copy)]
    await settled()
    assert slow.waiting == 100
    slow.answers.set()
    await asyncio.gather(*waits)


async def test_a_wait_ends_at_its_deadline_though_its_turn_has_not_come() -> None:
    slow = Slow()
    client = AsyncRemixClient(http_client=httpx.AsyncClient(transport=slow))
    waits = [asyncio.create_task(client.wait(f"video_{number}")) for number in range(100)]
    await settled()
    for name in ("video_100", "video_101"):  # The first of them gives back no turn that it did not have.
        with pytest.raises(WaitTimeoutError) as caught:
            await client.wait(name, timeout=0.05)
        assert (caught.value.video_id, caught.value.attempts) == (name, 0)
    assert slow.most == 100
    slow.answers.set()
    await asyncio.gather(*waits)


@pytest.mark.parametrize("count", [50, 100, 150], ids=["polled", "all polled", "some in line"])
async def test_cancelled_waits_give_their_turns_back(count: int) -> None:
    slow = Slow()
    client = AsyncRemixClient(http_client=httpx.AsyncClient(transport=slow))
    for _ in range(3):
        waits = [asyncio.create_task(client.wait(f"video_{number}")) for number in range(count)]
        await settled()
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
    assert slow.waiting == 0
    waits = [asyncio.create_task(client.wait(f"video_{number}")) for number in range(100)]
    await settled()
    assert slow.waiting == 100
    slow.answers.set()
    await asyncio.gather(*waits)


async def test_failed_polls_give_their_turns_back() -> None:
    client = AsyncRemixClient(
        http_client=httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(403)))
    )
    for number in range(150):
        with pytest.raises(PermissionDeniedError):
            await client.wait(f"video_{number}")


def test_a_forked_child_has_turns_of_its_own(monkeypatch: pytest.MonkeyPatch, loopback: Loopback) -> None:
    """The child of a process in which all turns are taken, which is simulated: it forks in the middle of its polls."""
    loopback.answer = lambda request: job(request).replace(b'"queued"', b'"failed"')
    client = AsyncRemixClient(base_url=loopback.url)

    async def take_all() -> None:
        for _ in range(100):
            await client._connections.turn(Wait("video_1", PollingPolicy(), Deadline.after(1.0))).__aenter__()

    async def wait_in_child() -> None:
        async with client:
            with pytest.raises(RemixFailedError):
                await client.wait("video_1", timeout=5)

    asyncio.run(take_all())
    monkeypatch.setattr(os, "getpid", lambda: -1)
    asyncio.run(wait_in_child())


def test_a_client_of_one_call_at_a_time_has_one_connection_in_the_place_of_a_pool() -> None:
    options: dict[str, Any] = {"proxies": {}, "verify": ssl.create_default_context(), "limits": ONE_CONNECTION}
    client: Any = OwnClient("https://api.example", **options)
    assert isinstance(client._transport._pool, OneConnection)
    client.close()

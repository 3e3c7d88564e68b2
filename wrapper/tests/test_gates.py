"""The calls of a client share what answers of 429 tell: over real threads and tasks, in virtual time."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest

from deerapi_remix import (
    AsyncRemixClient,
    ConfigurationError,
    Event,
    RateLimitError,
    RemixClient,
    RetryPolicy,
    Video,
    _clock,
    _gates,
)
from deerapi_remix.testing._time import VirtualClock, VirtualTime

from .conftest import Loopback
from .strikes import strikes
from .test_connections import asked_for, in_child, needs_fork

JOB = {"object": "video", "model": "sora-2", "status": "queued", "progress": 0, "created_at": 1}
JOB |= {"size": "1280x720", "seconds": "8", "remixed_from_video_id": "video_1"}


class Limited:
    """Takes so many requests a second, and five at once."""

    def __init__(self, rate: float, retry_after: str | None = "1") -> None:
        self.accepted: list[str] = []
        self.refused = 0
        self._rate = rate
        self._headers = {} if retry_after is None else {"Retry-After": retry_after}
        self._tokens = 5.0
        self._counted: float | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        now = _clock.monotonic()
        since = now if self._counted is None else self._counted
        self._tokens = min(self._tokens + (now - since) * self._rate + 1e-9, 5.0)
        self._counted = now
        if self._tokens < 1:
            self.refused += 1
            return httpx.Response(429, headers=self._headers)
        self._tokens -= 1
        name = request.url.path.split("/")[3]
        self.accepted.append(name)
        return httpx.Response(200, json={**JOB, "id": f"new_{name}"})


Seconds = Callable[[], float]


@pytest.fixture
def time() -> Iterator[Seconds]:
    """Virtual seconds since the test began."""
    virtual = VirtualTime(VirtualClock())
    with virtual.installed():
        began = virtual.monotonic()
        yield lambda: virtual.monotonic() - began


def client_of(answer: Callable[[httpx.Request], Any], **options: object) -> AsyncRemixClient:
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return AsyncRemixClient(base_url="http://127.0.0.1:1", http_client=http, **options)  # type: ignore[arg-type]


async def submit(client: AsyncRemixClient, count: int) -> list[object]:
    """What became of submits that were made at once, in their order."""
    calls = [client.remix(f"video_{number}", prompt="x") for number in range(count)]
    return await asyncio.gather(*calls, return_exceptions=True)


@pytest.mark.parametrize("retry_after", ["1", None])
async def test_a_hundred_submits_at_once_are_all_accepted(time: Seconds, retry_after: str | None) -> None:
    server = Limited(5, retry_after)
    async with client_of(server) as client:
        outcomes = await submit(client, 100)
    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    assert time() <= 22
    assert server.refused <= 30


async def test_submits_go_in_the_order_in_which_they_came(time: Seconds) -> None:
    server = Limited(5)
    async with client_of(server) as client:
        await submit(client, 40)
    assert server.accepted == [f"video_{number}" for number in range(40)]


async def test_who_knows_the_rate_is_never_refused(time: Seconds) -> None:
    server = Limited(5)
    async with client_of(server, retry=RetryPolicy(submits_per_second=5)) as client:
        await submit(client, 40)
    assert server.refused == 0
    assert time() == pytest.approx(39 / 5)


async def test_copies_share_the_gate(time: Seconds) -> None:
    server = Limited(5)
    async with client_of(server) as client:
        copies = [client.with_options(timeout=30 + number) for number in range(20)]
        await asyncio.gather(*(copy.remix("video_1", prompt="x") for copy in copies))
    assert server.refused <= 12


async def test_what_does_not_get_its_turn_in_time_was_not_sent(time: Seconds) -> None:
    server = Limited(5)
    raised: list[int] = []

    async def call(client: AsyncRemixClient, number: int) -> object:
        try:
            return await client.remix(f"video_{number}", prompt="x")
        except RateLimitError as error:
            raised.append(number)
            return error

    async with client_of(server, retry=RetryPolicy(budget=5)) as client:
        outcomes = await asyncio.gather(*(call(client, number) for number in range(100)))
    errors = [outcome for outcome in outcomes if isinstance(outcome, RateLimitError)]
    assert 60 < len(errors) < 80
    assert raised == sorted(raised)
    unsent = [error for error in errors if error.attempts == 0]
    assert len(unsent) >= len(errors) - 1
    assert all(error.retryable and not error.may_have_been_charged for error in unsent)
    assert len(server.accepted) + len(errors) == 100
    assert str(unsent[0]).startswith("remix: nothing was sent: no turn came in time")


async def test_a_hold_that_does_not_fit_in_the_budget_is_told_at_once(time: Seconds) -> None:
    async with client_of(lambda _: httpx.Response(429, headers={"Retry-After": "600"})) as client:
        with pytest.raises(RateLimitError) as refused:
            await client.remix("video_1", prompt="x")
        with pytest.raises(RateLimitError) as unsent:
            await client.remix("video_2", prompt="x")
    assert (refused.value.attempts, refused.value.retry_after) == (1, 600.0)
    assert (unsent.value.attempts, unsent.value.retry_after) == (0, 600.0)
    assert (unsent.value.video_id, unsent.value.status_code) == ("video_2", 429)
    assert unsent.value.message == "no turn came in time, because the server answers others with 429"
    assert time() == 0


async def test_submits_do_not_hold_what_is_free(time: Seconds) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(429, headers={"Retry-After": "600"})
        return httpx.Response(200, json={**JOB, "id": "video_1"})

    async with client_of(answer) as client:
        with pytest.raises(RateLimitError):
            await client.remix("video_1", prompt="x")
        assert (await client.retrieve("video_1")).status == "queued"


async def test_a_cancelled_call_makes_room_for_the_next(time: Seconds) -> None:
    server = Limited(5)
    async with client_of(server) as client:
        tasks = [asyncio.create_task(client.remix(f"video_{number}", prompt="x")) for number in range(30)]
        await _clock.async_sleep(0.5)
        for task in tasks[10:25]:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert sum(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes) == 15
    assert len(server.accepted) == 15
    assert time() < 4


async def test_waiting_at_the_gate_is_told_once(time: Seconds) -> None:
    events: list[Event] = []
    server = Limited(5)
    async with client_of(server, on_event=events.append) as client:
        await submit(client, 20)
    paced = [event for event in events if event.kind == "paced"]
    assert {event.operation for event in paced} == {"remix"}
    assert len({event.video_id for event in paced}) == len(paced)
    assert 10 <= len(paced) <= 16
    assert all(event.attempt == 1 and event.delay is not None for event in paced)


async def test_a_call_that_waits_again_tells_it_again_and_when_its_turn_comes(time: Seconds) -> None:
    events: list[Event] = []
    begun: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        name = request.url.path.split("/")[3]
        begun.append(name)
        if begun.count(name) == 1 and name == "video_1":
            return httpx.Response(503, headers={"Retry-After": "0.25"})
        return httpx.Response(200, json={**JOB, "id": f"new_{name}"})

    async with client_of(answer, on_event=events.append, retry=RetryPolicy(submits_per_second=1)) as client:
        await submit(client, 3)
    assert begun == ["video_0", "video_1", "video_1", "video_2"]
    paced = [event for event in events if event.kind == "paced"]
    assert [(event.video_id, event.attempt) for event in paced] == [("video_1", 1), ("video_2", 1), ("video_1", 2)]
    assert [event.elapsed for event in paced] == pytest.approx([0, 0, 1.25])
    # Until all have gone who are in the line: when video_1 waits again, video_2 does still.
    assert [event.delay for event in paced] == pytest.approx([1, 2, 2])


@pytest.mark.parametrize("twin", ["sync", "async"])
async def test_those_who_wait_go_in_time_though_no_answer_comes(twin: str) -> None:
    sent: list[httpx.Request] = []
    all_sent = threading.Event()

    def take(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        if len(sent) == 6:
            all_sent.set()
        all_sent.wait(10)
        return httpx.Response(200, json={**JOB, "id": "new"})

    async def take_in_a_thread(request: httpx.Request) -> httpx.Response:
        return await asyncio.to_thread(take, request)

    async with client_of(take_in_a_thread) as client:
        if twin == "async":
            calls = [client.remix("video_1", prompt="x") for _ in range(6)]
        else:
            http = httpx.Client(transport=httpx.MockTransport(take))
            plain = RemixClient(base_url="http://127.0.0.1:1", http_client=http)
            calls = [asyncio.to_thread(plain.remix, "video_1", prompt="x") for _ in range(6)]
        async with asyncio.timeout(5):
            await asyncio.gather(*calls)
    assert len(sent) == 6


async def test_an_attempt_is_not_used_up_by_a_429_at_the_pace_of_the_gate(time: Seconds) -> None:
    server = Limited(5)
    async with client_of(server, retry=RetryPolicy(attempts=2)) as client:
        outcomes = await submit(client, 100)
    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []


async def test_polls_of_many_waits_share_the_gate(time: Seconds) -> None:
    server = Limited(3)

    def answer(request: httpx.Request) -> httpx.Response:
        answered = server(request)
        if answered.status_code == 429:
            return answered
        finished = time() > 40
        video = {**JOB, "id": request.url.path.split("/")[3], "status": "completed" if finished else "in_progress"}
        return httpx.Response(200, json=video)

    async with client_of(answer) as client:
        await asyncio.gather(*(client.wait(Video(id=f"video_{number}", status="queued")) for number in range(40)))
    assert server.refused <= 0.1 * (server.refused + len(server.accepted))


def test_threads_share_the_gate(time: Seconds) -> None:
    server = Limited(5)
    http = httpx.Client(transport=httpx.MockTransport(server))
    with RemixClient(base_url="http://127.0.0.1:1", http_client=http) as client:
        threads = [threading.Thread(target=client.remix, args=["video_1"], kwargs={"prompt": "x"}) for _ in range(30)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(server.accepted) == 30
    assert server.refused <= 20


async def test_on_another_event_loop_nothing_waits_at_the_gate(time: Seconds) -> None:
    client = client_of(Limited(5))
    await client.remix("video_1", prompt="x")
    with pytest.raises(ConfigurationError, match="belongs to another event loop") as caught:
        await asyncio.to_thread(lambda: asyncio.run(client.remix("video_2", prompt="x")))
    assert caught.value.video_id == "video_2"


# Nothing is left at the gate


def is_left(client: AsyncRemixClient | RemixClient) -> bool:
    """Whether a call stands at a gate of the client, or is awaited there."""
    gates = client._connections._gates
    return any(gate.head is not None or gate.awaits_answers for gate in (gates.gate(paid=True), gates.gate(paid=False)))


@pytest.mark.parametrize("refused", [0, 1])
def test_a_signal_handler_that_raises_at_any_moment_leaves_no_place_taken(
    refused: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_gates, "_LOCK_IS_LEAKED_AFTER", 0.001)
    clients: list[RemixClient] = []
    answers: list[httpx.Response] = []

    def begin() -> None:
        http = httpx.Client(transport=httpx.MockTransport(lambda _: answers.pop()))
        retry = RetryPolicy(initial_delay=0.001)
        clients.append(RemixClient(base_url="http://127.0.0.1:1", http_client=http, retry=retry))
        accepted = [httpx.Response(200, json={**JOB, "id": "new_1"}) for _ in range(2)]
        answers[:] = [*accepted, *[httpx.Response(429)] * refused]
        clients[-1].remix("video_1", prompt="x")  # One that was refused gives the gate a limit.

    for struck in strikes(lambda: clients[-1].remix("video_1", prompt="x"), before=begin, within="deerapi_remix/"):
        struck.clear()
        assert not is_left(clients[-1])


@pytest.mark.parametrize("known", [None, 5.0])
async def test_a_call_that_is_cancelled_at_any_moment_leaves_no_place_taken(known: float | None, time: Seconds) -> None:
    server = Limited(5)

    async def answer(request: httpx.Request) -> httpx.Response:
        for _ in range(3):
            await asyncio.sleep(0)
        return server(request)

    async with client_of(answer, retry=RetryPolicy(submits_per_second=known)) as client:
        await submit(client, 20)
        steps = 0
        for steps in itertools.count():
            task = asyncio.create_task(client.remix("video_1", prompt="x"))
            for _ in range(steps):
                await asyncio.sleep(0)
            if task.done():
                break
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            assert not is_left(client)
            await _clock.async_sleep(0.3)
    assert steps > 5


@needs_fork
def test_a_forked_child_waits_at_a_gate_of_its_own(loopback: Loopback) -> None:
    loopback.answer = lambda _: b"HTTP/1.1 429 Told\r\nRetry-After: 1000\r\nContent-Length: 0\r\n\r\n"
    with RemixClient(base_url=loopback.url, retry=RetryPolicy(attempts=1)) as client:
        with pytest.raises(RateLimitError) as first:
            client.remix("video_1", prompt="x")
        with pytest.raises(RateLimitError) as second:
            client.remix("video_1", prompt="x")
        loopback.answer = asked_for
        with client._connections._gates.lock:  # As another thread may hold it in the moment of the fork.
            assert in_child(lambda: client.remix("video_1", prompt="x").id) == "video_1"
    assert [error.value.attempts for error in (first, second)] == [1, 0]


async def test_the_first_polls_of_many_jobs_are_not_all_made_at_once(time: Seconds) -> None:
    server = Limited(0)
    async with client_of(server) as client:
        waits = [asyncio.create_task(client.wait(f"video_{number}")) for number in range(100)]
        await _clock.async_sleep(0.5)
        for task in waits:
            task.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
    assert server.refused <= 32

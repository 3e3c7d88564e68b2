"""Virtual time: it passes only while all sleep, and all wake in the order of their times."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deerapi_remix import AsyncRemixClient, RemixClient, WaitTimeoutError
from deerapi_remix.testing import DeerAPIMock, VirtualClock, mock_deerapi
from deerapi_remix.testing import _time as virtual_time
from deerapi_remix.testing._time import VirtualTime

from .conftest import PROMPT


@pytest.fixture
def virtual() -> VirtualTime:
    return VirtualTime(VirtualClock(start=0))


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody goes on without one who is awake."""
    monkeypatch.setattr(virtual_time, "_PATIENCE", 60)
    began = time.monotonic()
    yield
    assert time.monotonic() - began < 60


Sleep = Callable[[float], Awaitable[object]]


@pytest.fixture(params=["task", "thread"])
def sleep(request: pytest.FixtureRequest, virtual: VirtualTime) -> Iterator[Sleep]:
    """Sleeps in this task, or in a thread: always in the same one, for a thread that has slept counts as awake."""
    if request.param == "task":
        yield virtual.async_sleep
        return
    with ThreadPoolExecutor(1) as pool:
        yield lambda seconds: asyncio.get_running_loop().run_in_executor(pool, virtual.sleep, seconds)


async def test_whoever_is_alone_sleeps_no_real_time(patient: None, virtual: VirtualTime, sleep: Sleep) -> None:
    for seconds in (600, 0, 0.5):
        await sleep(seconds)
    assert (virtual.now(), virtual.monotonic()) == (600.5, 1_600.5), "the two do not begin at the same number"


# How long each sleeps, one time after the other, and when they wake. At the same time, whoever fell asleep first.
STEPS = {"a": [5.0, 5, 5], "b": [2.0, 2, 2, 20], "c": [7.0, 4], "d": [5.5]}
WOKEN = ["2 b", "4 b", "5 a", "5.5 d", "6 b", "7 c", "10 a", "11 c", "15 a", "26 b"]


async def test_tasks_wake_in_the_order_of_their_times(patient: None, virtual: VirtualTime) -> None:
    woken: list[str] = []

    async def follow(name: str, steps: list[float]) -> None:
        for seconds in steps:
            await virtual.async_sleep(seconds)
            woken.append(f"{virtual.now():g} {name}")

    await asyncio.gather(*(follow(*each) for each in (STEPS | {"d": [5.0]}).items()))
    assert woken == [each.replace("5.5 d", "5 d") for each in WOKEN]


async def test_threads_and_tasks_wake_in_the_order_of_their_times(
    virtual: VirtualTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(virtual_time, "_PATIENCE", 0.2)
    woken: list[str] = []
    all_here = threading.Barrier(len(STEPS))

    def in_a_thread(name: str) -> None:
        virtual.now()
        all_here.wait(10)
        for seconds in STEPS[name]:
            virtual.sleep(seconds)
            woken.append(f"{virtual.now():g} {name}")

    async def in_a_task(name: str) -> None:
        virtual.now()
        await asyncio.to_thread(all_here.wait, 10)
        for seconds in STEPS[name]:
            await virtual.async_sleep(seconds)
            woken.append(f"{virtual.now():g} {name}")

    with ThreadPoolExecutor(len(STEPS)) as pool:
        asyncio.get_running_loop().set_default_executor(pool)
        await asyncio.gather(*(asyncio.to_thread(in_a_thread, name) for name in "abc"), in_a_task("d"))
    assert woken == WOKEN


async def test_other_tasks_run_before_time_goes_on(patient: None, virtual: VirtualTime) -> None:
    seen: list[float] = []

    async def note() -> None:
        seen.append(virtual.now())

    task = asyncio.create_task(note())
    await virtual.async_sleep(10)
    assert (seen, task.done()) == ([0.0], True)


def test_other_threads_may_run_before_time_goes_on(
    patient: None, virtual: VirtualTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[float] = []
    monkeypatch.setattr(virtual_time, "sleep", lambda seconds: seen.append(virtual.now()))
    virtual.sleep(10)
    assert seen == [0]


async def test_time_stands_still_while_one_who_takes_part_is_awake(patient: None, virtual: VirtualTime) -> None:
    virtual.now()
    sleeper = asyncio.create_task(virtual.async_sleep(10))
    for _ in range(100):
        await asyncio.sleep(0)
    assert (virtual.now(), sleeper.done()) == (0, False)
    await virtual.async_sleep(4)
    assert (virtual.now(), sleeper.done()) == (4, False)
    await virtual.async_sleep(7)
    assert (virtual.now(), sleeper.done()) == (11, True)


async def test_time_goes_on_without_one_who_gives_no_sign(virtual: VirtualTime) -> None:
    virtual.now()
    await asyncio.create_task(virtual.async_sleep(10))
    assert virtual.now() == 10
    await asyncio.to_thread(virtual.sleep, 10)
    assert virtual.now() == 20


async def test_a_task_that_ends_holds_nobody_up(patient: None, virtual: VirtualTime) -> None:
    async def ask(event: asyncio.Event) -> float:
        await event.wait()
        return virtual.now()

    event = asyncio.Event()
    asking = asyncio.create_task(ask(event))
    sleeping = asyncio.create_task(virtual.async_sleep(10))
    event.set()
    await asyncio.wait([asking, sleeping])
    assert asking.result() == 0


async def test_a_cancelled_sleeper_holds_nobody_up(patient: None, virtual: VirtualTime) -> None:
    virtual.now()
    cancelled = asyncio.create_task(virtual.async_sleep(5))
    for _ in range(5):
        await asyncio.sleep(0)
    cancelled.cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    await virtual.async_sleep(10)
    assert (virtual.now(), cancelled.cancelled()) == (10, True)


def test_a_sleeper_of_a_closed_loop_holds_nobody_up(virtual: VirtualTime) -> None:
    async def stay_awake() -> None:
        virtual.now()
        await asyncio.Event().wait()

    loop = asyncio.new_event_loop()
    tasks = [loop.create_task(stay_awake()), loop.create_task(virtual.async_sleep(5))]
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    virtual.sleep(10)
    assert virtual.now() == 10
    for task in tasks:
        task.get_coro().close()


def test_a_thread_does_not_hold_up_the_tasks_that_it_runs(patient: None, virtual: VirtualTime) -> None:
    virtual.now()
    asyncio.run(virtual.async_sleep(5))
    assert virtual.now() == 5


@pytest.mark.parametrize("asynchronous", [False, True])
def test_whoever_sleeps_when_the_mock_ends_is_told(patient: None, virtual: VirtualTime, asynchronous: bool) -> None:
    virtual.now()  # Awake, so that the other one stays asleep.

    def sleep() -> None:
        if asynchronous:
            asyncio.run(virtual.async_sleep(10))
        else:
            virtual.sleep(10)

    with ThreadPoolExecutor(1) as pool:
        sleeper = pool.submit(sleep)
        while not virtual._sleepers:
            pass
        virtual.close()
        with pytest.raises(RuntimeError, match="while a client was waiting"):
            sleeper.result(10)
    with pytest.raises(RuntimeError, match="while a client was waiting"):
        virtual.sleep(1)


async def test_twenty_tasks_remix_side_by_side(deerapi_mock: DeerAPIMock, tmp_path: Path) -> None:
    began = deerapi_mock.clock()
    took: dict[Path, float] = {}

    async def remix(client: AsyncRemixClient, number: int) -> None:
        path = await client.remix_to_file("video_123", tmp_path / f"{number}.mp4", prompt=PROMPT)
        took[path] = deerapi_mock.clock() - began

    async with AsyncRemixClient() as client, asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(remix(client, number))
    assert len(deerapi_mock.sent("remix")) == len(took) == 20
    assert 600 <= min(took.values()) <= max(took.values()) <= 620


def test_twenty_threads_remix_side_by_side(deerapi_mock: DeerAPIMock, tmp_path: Path) -> None:
    def remix(number: int) -> float:
        began = deerapi_mock.clock()
        client.remix_to_file("video_123", tmp_path / f"{number}.mp4", prompt=PROMPT)
        return deerapi_mock.clock() - began

    with RemixClient() as client, ThreadPoolExecutor(20) as pool:
        took = list(pool.map(remix, range(20)))
    assert len(deerapi_mock.sent("remix")) == len(list(tmp_path.iterdir())) == 20
    assert 600 <= min(took) <= max(took) < 900


async def test_a_stuck_job_takes_no_time_from_the_others(deerapi_mock: DeerAPIMock, tmp_path: Path) -> None:
    deerapi_mock.stuck()
    async with AsyncRemixClient() as client:
        done = await asyncio.gather(
            *(client.remix_to_file("video_123", tmp_path / f"{number}.mp4", prompt=PROMPT) for number in range(5)),
            return_exceptions=True,
        )
    assert isinstance(done[0], WaitTimeoutError)
    assert done[1:] == [tmp_path / f"{number}.mp4" for number in range(1, 5)]


async def test_a_timeout_of_asyncio_stays_real(deerapi_mock: DeerAPIMock) -> None:
    async with AsyncRemixClient() as client:
        video = await client.remix("video_123", prompt=PROMPT)
        async with asyncio.timeout(60):
            assert (await client.wait(video)).is_completed


@pytest.mark.parametrize("run", [lambda wait: wait(), lambda wait: asyncio.run(asyncio.to_thread(wait))])
def test_a_client_that_blocks_an_event_loop_waits_all_the_same(run: Callable[[Callable[[], object]], object]) -> None:
    async def block() -> None:
        client = RemixClient()
        client.wait(client.remix("video_123", prompt=PROMPT))

    with mock_deerapi() as deerapi:
        began = deerapi.clock()
        run(lambda: asyncio.run(block()))
        assert deerapi.clock() - began >= 600

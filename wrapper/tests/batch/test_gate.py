"""Who may submit, and who downloads next."""

from __future__ import annotations

import asyncio

from deerapi_remix.batch._gate import Gate, Turns


async def enter(gate: Gate, log: list[str], name: str, leave: asyncio.Event) -> None:
    async with gate:
        log.append(name)
        await leave.wait()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_after_a_start_one_is_let_through_and_one_more_for_each_that_has_ended() -> None:
    async def play() -> list[int]:
        gate, log, seen = Gate(3), list[str](), []
        leaves = [asyncio.Event() for _ in range(8)]
        tasks = [asyncio.create_task(enter(gate, log, str(number), leave)) for number, leave in enumerate(leaves)]
        for leave in leaves:
            await settle()
            seen.append(gate.under_way)
            leave.set()
        await asyncio.gather(*tasks)
        assert log == ["0", "1", "2", "3", "4", "5", "6", "7"]
        return seen

    assert asyncio.run(play()) == [1, 2, 3, 3, 3, 3, 2, 1]


def test_nobody_is_let_through_while_it_is_closed() -> None:
    async def play() -> None:
        gate, log, leave = Gate(1), list[str](), asyncio.Event()
        leave.set()
        gate.close()
        task = asyncio.create_task(enter(gate, log, "a", leave))
        await settle()
        assert (log, gate.under_way) == ([], 0)
        gate.open()
        await task
        assert log == ["a"]

    asyncio.run(play())


def test_who_gives_up_waiting_takes_no_place() -> None:
    async def play() -> None:
        gate, log, leave = Gate(1), list[str](), asyncio.Event()
        first, second, third = (asyncio.create_task(enter(gate, log, name, leave)) for name in "abc")
        await settle()
        second.cancel()
        leave.set()
        await asyncio.gather(first, third)
        assert (log, gate.under_way) == (["a", "c"], 0)

    asyncio.run(play())


def test_who_gives_up_just_as_the_turn_comes_gives_it_on() -> None:
    async def play() -> None:
        gate, log, leave = Gate(1), list[str](), asyncio.Event()
        leave.set()
        gate.close()
        first, second = (asyncio.create_task(enter(gate, log, name, leave)) for name in "ab")
        await settle()
        gate.open()
        first.cancel()
        await second
        assert (log, gate.under_way) == (["b"], 0)

    asyncio.run(play())


def test_a_pace_sets_submits_apart() -> None:
    async def play() -> float:
        gate, leave = Gate(100), asyncio.Event()
        leave.set()
        loop = asyncio.get_running_loop()
        gate.pace(100.0)
        began = loop.time()
        await asyncio.gather(*(enter(gate, [], "", leave) for _ in range(11)))
        return loop.time() - began

    assert 0.095 <= asyncio.run(play()) < 2.0


def test_the_most_urgent_is_next() -> None:
    async def play() -> None:
        turns, log = Turns(1), list[float]()

        async def download(expires_at: float) -> None:
            await turns.take(expires_at)
            log.append(expires_at)
            await asyncio.sleep(0)
            turns.give_back()

        tasks = [asyncio.create_task(download(expires_at)) for expires_at in (5.0, 9.0, 1.0, 7.0)]
        await settle()
        await asyncio.gather(*tasks)
        assert log == [5.0, 1.0, 7.0, 9.0]

    asyncio.run(play())


def test_a_turn_that_nobody_wants_any_more_goes_to_the_next() -> None:
    async def play() -> None:
        turns = Turns(1)
        await turns.take(0.0)
        waiting = [asyncio.create_task(turns.take(urgency)) for urgency in (1.0, 2.0, 3.0)]
        await settle()
        waiting[0].cancel()
        turns.give_back()
        waiting[1].cancel()
        await asyncio.wait_for(waiting[2], 5)

    asyncio.run(play())

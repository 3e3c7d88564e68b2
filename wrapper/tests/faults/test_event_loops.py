"""An async client belongs to one event loop: anywhere else it says so before a byte is sent."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
import trio

from deerapi_remix import AsyncRemixClient, ConfigurationError, DeerAPIError
from deerapi_remix.testing import FakeDeerAPI

from .. import wire
from .observe import tells_of
from .server import FaultServer, fault_server

Call = Callable[[AsyncRemixClient, Path], Coroutine[Any, Any, object]]


async def _follow(client: AsyncRemixClient) -> None:
    async for _ in client.follow("video_123"):
        pass


# On a loop a job is followed by a coroutine, not by a list.
CALLS: dict[str, Call] = wire.CALLS | {"follow": lambda client, _: _follow(client)}
FIRST: dict[str, Call] = {name: CALLS[name] for name in ("wait", "remix")}
Pool = Literal["its own", "handed in"]


@asynccontextmanager
async def client_of(server: FaultServer, pool: Pool) -> AsyncIterator[AsyncRemixClient]:
    """A client that is closed on the loop on which it was made."""
    http = httpx.AsyncClient() if pool == "handed in" else None
    async with AsyncRemixClient(base_url=server.url, http_client=http) as client:
        yield client
    if http is not None:
        await http.aclose()


def is_refused(call: Call, client: AsyncRemixClient, folder: Path, run: Callable[..., object]) -> None:
    with pytest.raises(ConfigurationError, match="loop") as caught:
        run(call, client, folder)
    assert not caught.value.may_have_been_charged
    assert list(folder.iterdir()) == []


def on_asyncio(call: Call, client: AsyncRemixClient, folder: Path) -> None:
    asyncio.run(call(client, folder))


def on_trio(call: Call, client: AsyncRemixClient, folder: Path) -> None:
    trio.run(call, client, folder)


@pytest.mark.parametrize("pool", ["its own", "handed in"])
@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("run", [on_asyncio, on_trio], ids=["asyncio", "trio"])
def test_after_a_first_loop_every_method_refuses_a_second_one(
    run: Callable[..., None], name: str, first: str, pool: Pool, tmp_path: Path
) -> None:
    async def elsewhere(client: AsyncRemixClient) -> None:
        await asyncio.to_thread(is_refused, CALLS[name], client, tmp_path, run)

    async def main() -> None:
        async with client_of(server, pool) as client:
            await FIRST[first](client, tmp_path)
            sent = len(server.heads)
            await elsewhere(client)
            await elsewhere(client.with_options(timeout=5))
            assert len(server.heads) == sent
            await FIRST[first](client, tmp_path)  # Where it belongs it is as good as before.

    with fault_server(FakeDeerAPI(render_seconds=0)) as server:
        asyncio.run(main())


@pytest.mark.parametrize("name", CALLS)
def test_a_client_of_a_loop_that_has_ended_is_refused_by_the_next(name: str, tmp_path: Path) -> None:
    with fault_server(FakeDeerAPI(render_seconds=0)) as server:
        client = AsyncRemixClient(base_url=server.url)

        runner = asyncio.Runner()
        runner.run(client.models())
        sent = len(server.heads)
        is_refused(CALLS[name], client, tmp_path, on_asyncio)
        assert len(server.heads) == sent
        runner.run(client.aclose())
        runner.close()


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("pool", ["its own", "handed in"])
def test_trio_is_refused_from_the_first_call_on(pool: Pool, name: str, tmp_path: Path) -> None:
    with fault_server(FakeDeerAPI(render_seconds=0)) as server:
        client = AsyncRemixClient(base_url=server.url, http_client=httpx.AsyncClient() if pool != "its own" else None)
        is_refused(CALLS[name], client, tmp_path, on_trio)
        assert server.heads == []


# Nobody can close a connection whose loop has ended.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("held", [False, True], ids=["idle", "at work"])
def test_what_a_handed_in_client_knows_of_another_loop_leaves_no_submit_untold(held: bool) -> None:
    """Its connections and locks are of the loop on which the user had it at work before."""
    outcome: list[BaseException | str] = []

    async def submit(http: httpx.AsyncClient) -> None:
        client = AsyncRemixClient(base_url=server.url, http_client=http, timeout=2)
        try:
            outcome.append((await client.remix("video_123", prompt="x")).id)
        except Exception as error:
            outcome.append(error)

    async def use(http: httpx.AsyncClient) -> None:
        headers = {"Authorization": "Bearer any-key"}
        async with http.stream("GET", f"{server.url}/v1/models", headers=headers) as response:
            if held:
                thread = threading.Thread(target=lambda: asyncio.run(submit(http)))
                thread.start()
                await asyncio.to_thread(thread.join)
            await response.aread()

    with fault_server(FakeDeerAPI(render_seconds=0)) as server:
        http = httpx.AsyncClient(limits=httpx.Limits(max_connections=1))
        with asyncio.Runner() as runner:
            runner.run(use(http))
            if not held:
                asyncio.run(submit(http))
            runner.run(http.aclose())
        (end,) = outcome
        jobs = set(server.fake.jobs) - {"video_123"}
        posts = server.posts
    if isinstance(end, BaseException):
        assert isinstance(end, DeerAPIError)
        assert posts == 0 or tells_of(end, jobs)
    else:
        assert jobs == {end}
    gc.collect()

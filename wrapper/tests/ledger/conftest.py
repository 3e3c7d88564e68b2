from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from deerapi_remix import AsyncRemixClient, RemixClient, RetryPolicy
from deerapi_remix.ledger import AsyncLedger, Entry, Ledger
from deerapi_remix.testing import DeerAPIMock

from .postgres import BACKENDS, PostgresServer, postgres

__all__ = ["postgres"]


@pytest.fixture(params=BACKENDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a ledger may be made."""
    return place(request, tmp_path)


def place(request: pytest.FixtureRequest, folder: Path) -> str:
    """A new place for a ledger, in the database that the parameter names."""
    if request.param == "sqlite":
        return f"sqlite:///{folder}/ledger.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.create()


class Twin:
    """A ledger and its client, of either kind: every method waits for its result."""

    def __init__(self, kind: str, url: str, runner: asyncio.Runner) -> None:
        self._runner = runner
        retry = RetryPolicy(attempts=1)
        self._ledger: Ledger | AsyncLedger
        if kind == "sync":
            self._client: Any = RemixClient(retry=retry)
            self._ledger = Ledger(url)
        else:
            self._client = AsyncRemixClient(retry=retry)
            self._ledger = AsyncLedger(url)
        self.remix = partial(self._call, "remix", self._client)
        self.remix_to_file = partial(self._call, "remix_to_file", self._client)
        self.get: Callable[[str], Entry | None] = partial(self._call, "get")
        self.resolve = partial(self._call, "resolve")
        self.forget = partial(self._call, "forget")

    def entries(self, **options: Any) -> list[Entry]:
        if isinstance(self._ledger, Ledger):
            return list(self._ledger.entries(**options))
        ledger = self._ledger

        async def collected() -> list[Entry]:
            return [entry async for entry in ledger.entries(**options)]

        return self._runner.run(collected())

    def state(self, key: str) -> str | None:
        entry = self.get(key)
        return None if entry is None else entry.state

    def close(self) -> None:
        ledger: Any = self._ledger
        for one in (ledger, self._client):
            self._wait(one.close() if hasattr(one, "close") else one.aclose())

    def _call(self, name: str, *arguments: Any, **options: Any) -> Any:
        return self._wait(getattr(self._ledger, name)(*arguments, **options))

    def _wait(self, result: Any) -> Any:
        if not asyncio.iscoroutine(result):
            return result

        async def waited() -> Any:
            return await result

        return self._runner.run(waited())


@pytest.fixture(params=["sync", "async"])
def twin(request: pytest.FixtureRequest, url: str, deerapi_mock: DeerAPIMock) -> Iterator[Twin]:
    """Either ledger in turn, with a client that sends once."""
    with asyncio.Runner() as runner:
        twin = Twin(request.param, url, runner)
        yield twin
        twin.close()

from __future__ import annotations

from collections.abc import Iterator

import pytest
from deerapi_remix import _clock

KEY = "sk-unit-test-key-0123456789"


class Clock:
    """Virtual time: sleeping takes none, and is recorded."""

    def __init__(self) -> None:
        self.time = 1_000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.time

    def now(self) -> float:
        return 1_800_000_000.0 + self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    async def async_sleep(self, seconds: float) -> None:
        self.sleep(seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Replaces all time that the client knows."""
    clock = Clock()
    for name in ("monotonic", "now", "sleep", "async_sleep"):
        monkeypatch.setattr(_clock, name, getattr(clock, name))
    return clock


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A key, and nothing else of the machine's that a client would read."""
    monkeypatch.setenv("DEERAPI_KEY", KEY)
    for name in (
        "DEERAPI_BASE_URL",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
    ):
        monkeypatch.delenv(name, raising=False)
    yield


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"

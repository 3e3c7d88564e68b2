from __future__ import annotations

import pytest

from deerapi_remix.testing import FakeDeerAPI, VirtualClock


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def fake(clock: VirtualClock) -> FakeDeerAPI:
    return FakeDeerAPI(clock=clock, render_seconds=10)

"""The pytest plugin: the fixture `deerapi_mock`.

pytest imports it at every start, so httpx and the rest are imported by the first test that asks for
the fixture.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from deerapi_remix.testing import DeerAPIMock


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "deerapi_mock(**options): what the fixture deerapi_mock hands to mock_deerapi"
    )


@pytest.fixture
def deerapi_mock(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DeerAPIMock]:
    """DeerAPI without network and in virtual time: see `deerapi_remix.testing.mock_deerapi`."""
    from deerapi_remix.testing import mock_deerapi

    # monkeypatch puts back what it finds here, when this fixture has ended. Otherwise a test that
    # sets the key would have that of the mock put back.
    monkeypatch.setenv("DEERAPI_KEY", "")
    marker = request.node.get_closest_marker("deerapi_mock")
    options = {}
    if marker is not None:
        if marker.args:
            raise TypeError("the marker deerapi_mock takes no positional argument")
        options = marker.kwargs
    with mock_deerapi(**options) as deerapi:
        yield deerapi

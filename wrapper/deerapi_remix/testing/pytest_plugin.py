"""The pytest plugin: the fixture `deerapi_mock`.

pytest imports it at every start: httpx and the rest come with the first test that asks for the fixture.
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

    # Undone after this fixture ends: so what the test itself sets is not put back to the key of the mock.
    monkeypatch.setenv("DEERAPI_KEY", "")
    marker = request.node.get_closest_marker("deerapi_mock")
    with mock_deerapi(
        *(marker.args if marker else ()), **(marker.kwargs if marker else {})
    ) as deerapi:
        yield deerapi

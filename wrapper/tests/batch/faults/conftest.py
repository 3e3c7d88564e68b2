"""The table of what happened, and of what must be zero, is that of the ledger's faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from ...ledger.faults.conftest import noticed, pytest_configure, pytest_terminal_summary, tell
from ..conftest import place

__all__ = ["noticed", "pytest_configure", "pytest_terminal_summary", "tell"]


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a batch may be made, in the database that `on` names."""
    return place(request, tmp_path)

from __future__ import annotations

from pathlib import Path

import pytest

from ..ledger.postgres import BACKENDS, PostgresServer, postgres

__all__ = ["postgres"]


@pytest.fixture(params=BACKENDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a batch may be made."""
    return place(request, tmp_path)


def place(request: pytest.FixtureRequest, folder: Path) -> str:
    """A new place for a batch, in the database that the parameter names; the engine has a schema of its own there."""
    if request.param == "sqlite":
        return f"sqlite:///{folder}/batch.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.create_database()

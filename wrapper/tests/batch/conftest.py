from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..ledger.postgres import PostgresServer


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for all tests; each makes a database of its own, since the engine has a schema of its own."""
    if not os.environ.get("POSTGRES"):
        pytest.skip("needs a Postgres server; `make batch-faults` starts one")
    server = PostgresServer()
    yield server
    server.remove()


# `make test` needs no server. `make batch-faults` has one, and has run the others by then.
BACKENDS = ["postgres"] if os.environ.get("POSTGRES") else ["sqlite"]


@pytest.fixture(params=BACKENDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a batch may be made."""
    return place(request, tmp_path)


def place(request: pytest.FixtureRequest, folder: Path) -> str:
    """A new place for a batch, in the database that the parameter names."""
    if request.param == "sqlite":
        return f"sqlite:///{folder}/batch.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.create_database()

"""Whether there are batches in a database, of which nothing is made or changed."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from sqlalchemy import URL, Engine, create_engine, inspect

from deerapi_remix.ledger import LedgerUnavailableError
from deerapi_remix.ledger._database import engine_for

from ._engine import as_ours
from ._schema import batches


def has_batches(url: URL) -> bool:
    """Whether there are tables of batches.

    Raises:
        LedgerUnavailableError: The database cannot be used, or not be made.
    """
    if url.get_backend_name() != "sqlite":
        return _has_table(engine_for(url))
    path = Path(str(url.database))
    if path.exists():
        # To read a file with a log beside it takes a companion file, which would stay.
        has_log = Path(f"{path}-wal").exists()
        address = f"{path.as_uri()}?{'mode=ro' if has_log else 'immutable=1'}"
        return _has_table(create_engine(url, creator=lambda: sqlite3.connect(address, uri=True)))
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise LedgerUnavailableError(
            f"{path} cannot be made: its folder is not there, or not to be written to."
        )
    return False


def _has_table(engine: Engine) -> bool:
    try:
        with as_ours(), engine.connect() as connection:
            return inspect(connection).has_table(batches.name)
    finally:
        engine.dispose()

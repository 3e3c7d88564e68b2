"""Opening a ledger from the command line."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ._exit_codes import MissingExtraError

if TYPE_CHECKING:
    from deerapi_remix.ledger import Ledger

DEFAULT_DATABASE = "sqlite:///deerapi-remix.db"
_SQLITE = "sqlite:///"


@contextlib.contextmanager
def open_ledger(database: str | None) -> Iterator[Ledger]:
    """The ledger at that URL, which is closed at the end.

    Raises:
        ValueError: The URL cannot be that of a ledger.
        MissingExtraError: An extra is not installed.
    """
    try:
        from deerapi_remix.ledger import Ledger

        ledger = Ledger(database or DEFAULT_DATABASE)
    except ImportError as error:
        raise MissingExtraError(str(error)) from None
    with ledger:
        yield ledger


def check_exists(database: str | None, what: str = "ledger") -> None:
    """Refuse to look into a database that is not there: it would be made, and be empty.

    Args:
        database: Its URL. Default: that of the ledger.
        what: What is looked for there.

    Raises:
        FileNotFoundError: There is no such file.
    """
    url = database or DEFAULT_DATABASE
    if url.startswith(_SQLITE):
        path = Path(url.removeprefix(_SQLITE))
        if not path.exists():
            problem = f"there is no {what} at {path}: say where with --database"
            raise FileNotFoundError(errno.ENOENT, problem)

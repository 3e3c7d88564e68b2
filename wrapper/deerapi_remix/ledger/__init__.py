"""Submit once for a key, however often and from wherever: what an idempotency key would do.

Needs the extra `ledger`; Postgres needs the extra `postgres`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._async_ledger import AsyncLedger
    from ._entry import Entry, State
    from ._errors import (
        DuplicateJobError,
        LedgerConflictError,
        LedgerError,
        LedgerUnavailableError,
        OutcomeUnknownError,
        SubmitInProgressError,
    )
    from ._ledger import Ledger

__all__ = [
    "AsyncLedger",
    "DuplicateJobError",
    "Entry",
    "Ledger",
    "LedgerConflictError",
    "LedgerError",
    "LedgerUnavailableError",
    "OutcomeUnknownError",
    "State",
    "SubmitInProgressError",
]

# Errors and entries are known without SQLAlchemy.
_MODULES = ("_entry", "_errors", "_ledger", "_async_ledger")

if not TYPE_CHECKING:  # Type checkers would take every name for a public one.

    def __getattr__(name: str) -> object:
        """Import what is public when it is first asked for."""
        for module in _MODULES if name in __all__ else ():
            if found := getattr(_imported(module), name, None):
                return found
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def _imported(module: str) -> object:
        try:
            return import_module(f"{__name__}.{module}")
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != "sqlalchemy":
                raise
            raise ImportError(
                "The ledger needs SQLAlchemy: pip install 'deerapi-remix[ledger]'"
            ) from error

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})

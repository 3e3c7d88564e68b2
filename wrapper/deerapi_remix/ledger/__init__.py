"""Submit once for a key, however often and from wherever: what an idempotency key would do.

Needs the extra `ledger`; Postgres needs the extra `postgres`.
"""

from typing import TYPE_CHECKING

from deerapi_remix._lazy import find

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
_HINT = "The ledger needs SQLAlchemy: pip install 'deerapi-remix[ledger]'"

if not TYPE_CHECKING:  # Type checkers would take every name for a public one.

    def __getattr__(name: str) -> object:
        """Import what is public when it is first asked for."""
        modules = _MODULES if name in __all__ else ()
        return find(__name__, modules, name, needs="sqlalchemy", hint=_HINT)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})

"""Many remixes from a table, on a durable engine: the ledger owns the money, DBOS the work.

Needs the extra `batch`; Postgres needs the extra `postgres`, too.
"""

from typing import TYPE_CHECKING

from deerapi_remix._lazy import find

if TYPE_CHECKING:
    from ._batch import Batch
    from ._errors import BatchError
    from ._plan import Plan, PlannedRow
    from ._problems import Problem, TableError
    from ._table import Line, read_table
    from ._values import Row, RowState, Status

__all__ = [
    "Batch",
    "BatchError",
    "Line",
    "Plan",
    "PlannedRow",
    "Problem",
    "Row",
    "RowState",
    "Status",
    "TableError",
    "read_table",
]

# What tables and values are is known without the engine.
_MODULES = ("_errors", "_problems", "_table", "_values", "_plan", "_batch")
_HINT = "Batches need DBOS: pip install 'deerapi-remix[batch]'"

if not TYPE_CHECKING:  # Type checkers would take every name for a public one.

    def __getattr__(name: str) -> object:
        """Import what is public when it is first asked for."""
        modules = _MODULES if name in __all__ else ()
        return find(__name__, modules, name, needs="dbos sqlalchemy", hint=_HINT)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})

"""What is wrong with a table, told so that whoever wrote it finds the place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

# A value is shown up to so many characters.
_SHOWN = 60


@attrs.frozen
class Problem:
    """One thing that is wrong.

    Attributes:
        line: Where it is, counted from 1; None if it is about the whole table.
        column: The column, if it is about one.
        value: What stands there, if that helps.
        message: What is wrong with it.
    """

    line: int | None
    column: str | None
    value: str | None
    message: str

    def __str__(self) -> str:
        place = []
        if self.line is not None:
            place.append(f"line {self.line}")
        if self.column is not None:
            place.append(f"column {self.column}")
        if self.value is not None:
            place.append(shown(self.value))
        if not place:
            return self.message
        return f"{', '.join(place)}: {self.message}"

    def to_dict(self) -> dict[str, Any]:
        """The problem as JSON can hold it."""
        return attrs.asdict(self)


class TableError(ValueError):
    """A table cannot be used. Nothing was sent, and nothing was written.

    Attributes:
        problems: All that is wrong with it, in the order of the lines.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line or 0))
        super().__init__("\n".join(map(str, self.problems)))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problems,)


def shown(value: str) -> str:
    """A value in quotes, shortened if it is long."""
    if len(value) > _SHOWN:
        value = f"{value[: _SHOWN - 1]}…"
    return repr(value)

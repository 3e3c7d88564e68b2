"""What a table asks for, checked before anything is written or paid."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import attrs

from deerapi_remix import check_remix
from deerapi_remix.ledger._asked import check_key

from ._problems import Problem, TableError
from ._table import Line
from ._targets import Targets
from ._template import Template

DEFAULT_OUTPUT = "out/{key}.mp4"
_LONGEST_KEY = 200


@attrs.frozen
class PlannedRow:
    """One remix that is asked for.

    Attributes:
        line: Where it stands in its table.
        key: Its name within the batch.
        video_id: The video to remix.
        prompt: What should happen in the new video.
        model: A model ID, or None.
        output: Where its file will be, absolute.
    """

    line: int
    key: str
    video_id: str
    prompt: str
    model: str | None
    output: str

    def content(self) -> tuple[str, str, str | None]:
        """What is paid for."""
        return self.video_id, self.prompt, self.model


@attrs.frozen
class Plan:
    """What adding a table to a batch means.

    Attributes:
        rows: The rows that are new, in the order of the table.
        known: How many rows of the table the batch has already.
        price: What one remix costs, if that was told.
        unused: Columns from which nothing is taken: the name of one may be misspelt.
    """

    rows: tuple[PlannedRow, ...]
    known: int
    price: float | None
    unused: tuple[str, ...] = ()

    @property
    def cost(self) -> float | None:
        """What the new rows cost, if the price is known."""
        if self.price is None:
            return None
        return len(self.rows) * self.price

    def to_dict(self) -> dict[str, Any]:
        """The plan as JSON can hold it."""
        rows = [attrs.asdict(row) for row in self.rows]
        told = {"new": len(rows), "known": self.known, "cost": self.cost}
        return told | {"unused": list(self.unused), "rows": rows}


@attrs.frozen
class Wanted:
    """What holds for all rows of a table.

    Attributes:
        prompt: A template for the prompt of rows, instead of a column of that name.
        model: The model of rows that name none.
        output: A template for the path of the file of rows that name none.
        price: What one remix costs.
        models: The models that are served, if that is known.
    """

    prompt: Template | None
    model: str | None
    output: Template
    price: float | None = None
    models: Collection[str] | None = None


def make_plan(lines: Iterable[Line], wanted: Wanted, known: Mapping[str, PlannedRow]) -> Plan:
    """Check everything that can be checked without paying.

    Args:
        lines: The table.
        wanted: What holds for all rows.
        known: The rows that the batch has already, by their keys.

    Raises:
        TableError: With everything that is wrong.
    """
    return _Planning(wanted, known).plan(lines)


class _Planning:
    def __init__(self, wanted: Wanted, known: Mapping[str, PlannedRow]) -> None:
        self._wanted = wanted
        self._known = known
        self._problems: list[Problem] = []
        self._targets = Targets(wanted.output, [row.output for row in known.values()])
        self._keys: dict[str, int] = {}
        self._occurrences: dict[str, int] = {}

    def plan(self, lines: Iterable[Line]) -> Plan:
        lines = list(lines)
        columns = {column for line in lines for column in line.cells}
        self._check_columns(columns)
        rows = [row for line in lines if (row := self._row(line)) is not None]
        new = [row for row in rows if row.key not in self._known]
        if self._problems:
            raise TableError(self._problems)
        return Plan(tuple(new), len(rows) - len(new), self._wanted.price, self._unused(columns))

    def _check_columns(self, columns: set[str]) -> None:
        """Raise at once where a column is missing: every line would tell the same.

        Raises:
            TableError: It is.
        """
        needed = ["video_id"]
        if self._wanted.prompt is None:
            needed.append("prompt")
        else:
            needed += self._wanted.prompt.columns
        if "output" not in columns:
            needed += [name for name in self._wanted.output.columns if name != "key"]
        there = ", ".join(sorted(columns)) or "none"
        missing = [
            Problem(None, name, None, f"no row has anything in it; columns that have: {there}")
            for name in dict.fromkeys(needed)
            if name not in columns
        ]
        if missing:
            raise TableError(missing)

    def _unused(self, columns: set[str]) -> tuple[str, ...]:
        prompt = self._wanted.prompt
        used = {"video_id", "model", "key", "output", *self._wanted.output.columns}
        used |= {"prompt"} if prompt is None else set(prompt.columns)
        return tuple(sorted(columns - used))

    def _row(self, line: Line) -> PlannedRow | None:
        """The row of a line; None where something is wrong with it."""
        before = len(self._problems)
        video_id = self._cell(line, "video_id")
        prompt = self._prompt(line)
        model = line.cells.get("model", self._wanted.model)
        if len(self._problems) > before:
            return None
        self._check_remix(line, video_id, prompt, model)
        key = self._key(line, video_id, prompt, model)
        if len(self._problems) > before:
            return None
        row = PlannedRow(line.number, key, video_id, prompt, model, "")
        if key in self._known:
            self._check_known(row)
            return row
        try:
            return attrs.evolve(row, output=self._targets.claim(line, key))
        except TableError as error:
            self._problems += error.problems
            return None

    def _cell(self, line: Line, column: str) -> str:
        value = line.cells.get(column, "")
        if not value:
            self._tell(line, column, None, "it is missing or blank")
        return value

    def _prompt(self, line: Line) -> str:
        template = self._wanted.prompt
        if template is None:
            return self._cell(line, "prompt")
        try:
            return template.fill(line.cells)
        except KeyError as error:
            column = error.args[0]
            self._tell(line, column, None, "the prompt names this column, and it is blank")
            return ""

    def _check_remix(self, line: Line, video_id: str, prompt: str, model: str | None) -> None:
        texts = {"video_id": video_id, "prompt": prompt, "model": model}
        for column, value in texts.items():
            # What is not looked at stands in for itself with something that is right.
            checked = {"video_id": "video_1", "prompt": "It snows", column: value}
            try:
                check_remix(checked.pop("video_id"), **checked)
            except ValueError as error:
                self._tell(line, column, value, str(error).removeprefix(f"{column} "))
        if "\0" in f"{prompt}{model}":
            self._tell(line, "prompt", prompt, "it has a NUL character, which cannot be kept")
        models = self._wanted.models
        if model is not None and models is not None and model not in models:
            served = ", ".join(sorted(models)) or "none"
            self._tell(line, "model", model, f"this model is not served; served: {served}")

    def _key(self, line: Line, video_id: str, prompt: str, model: str | None) -> str:
        key = line.cells.get("key") or self._default_key(video_id, prompt, model)
        try:
            check_key(key)
        except ValueError as error:
            self._tell(line, "key", key, str(error).removeprefix("key "))
        if len(key) > _LONGEST_KEY:
            self._tell(line, "key", key, f"it is longer than {_LONGEST_KEY} characters")
        if key in self._keys:
            self._tell(line, "key", key, f"line {self._keys[key]} has the same key")
        self._keys.setdefault(key, line.number)
        return key

    def _default_key(self, video_id: str, prompt: str, model: str | None) -> str:
        """A hash of the content, and which of the rows with that content it is."""
        content = json.dumps([video_id, prompt, model]).encode()
        digest = hashlib.sha256(content).hexdigest()[:16]
        self._occurrences[digest] = self._occurrences.get(digest, 0) + 1
        number = self._occurrences[digest]
        return digest if number == 1 else f"{digest}-{number}"

    def _check_known(self, row: PlannedRow) -> None:
        if problem := problem_of_key(row, self._known[row.key].content()):
            self._problems.append(problem)

    def _tell(self, line: Line, column: str, value: str | None, message: str) -> None:
        self._problems.append(Problem(line.number, column, value, message))


def problem_of_key(row: PlannedRow, stored: tuple[str, str, str | None]) -> Problem | None:
    """What is wrong if the batch has the key of a row, and pays for `stored` by it."""
    pairs = zip(("video_id", "prompt", "model"), stored, row.content(), strict=True)
    others = ", ".join(name for name, old, new in pairs if old != new)
    if not others:
        return None
    return Problem(row.line, "key", row.key, f"the batch has this key with another {others}")

"""Tables as people write them: CSV with a header, or JSON Lines."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import attrs

from ._problems import Problem, TableError

_BYTE_ORDER_MARK = "\ufeff"
# A cell may be as long as a prompt may be; the limit of the module `csv` is 131,072 characters.
_LONGEST_CELL = 1_000_000
# Blanks around what stands in these columns are never meant; in a prompt they may be.
_TIDIED = frozenset({"video_id", "model", "key", "output"})


@attrs.frozen
class Line:
    """One row of a table, as it was written.

    Attributes:
        number: The line on which it begins, counted from 1.
        cells: What stands in each column. Cells that are missing or null are not in it.
    """

    number: int
    cells: Mapping[str, str]


def read_table(source: Path | BinaryIO) -> list[Line]:
    """Read a table, whatever it says. A first character `{` tells that it is JSON Lines.

    Args:
        source: The file, or an open one such as `sys.stdin.buffer`.

    Raises:
        TableError: It is neither CSV nor JSON Lines, with all the lines that are wrong.
        OSError: It cannot be read.
    """
    content = source.read_bytes() if isinstance(source, Path) else source.read()
    text = _decoded(content).removeprefix(_BYTE_ORDER_MARK)
    if not text.strip():
        raise TableError([Problem(None, None, None, "the table is empty")])
    if text.lstrip().startswith("["):
        message = "it is a JSON array: write one object a line, without brackets around them"
        raise TableError([Problem(None, None, None, message)])
    problems: list[Problem] = []
    if text.lstrip().startswith("{"):
        lines = list(_json_lines(text, problems))
    else:
        lines = list(_csv_lines(text, problems))
    if problems:
        raise TableError(problems)
    if not lines:
        raise TableError([Problem(None, None, None, "the table has a header and no rows")])
    return lines


def lines_of(rows: Iterable[Mapping[str, object] | Line]) -> list[Line]:
    """Rows that a program made, numbered from 1; lines of a table stay as they are.

    Raises:
        TableError: A value is neither text nor a number.
    """
    problems: list[Problem] = []
    lines = [
        row if isinstance(row, Line) else Line(number, _cells(row, number, problems))
        for number, row in enumerate(rows, 1)
    ]
    if problems:
        raise TableError(problems)
    return lines


def _decoded(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise TableError(
            [Problem(line, None, None, "it is not UTF-8: save the table in that encoding")]
        ) from None


def _json_lines(text: str, problems: list[Problem]) -> Iterator[Line]:
    # Not `splitlines`: a prompt may hold other characters that end a line in some alphabets.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, object_pairs_hook=_object, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            problems.append(Problem(number, None, None, f"it is not JSON: {error}"))
            continue
        if not isinstance(row, dict):
            problems.append(Problem(number, None, None, "it is no JSON object"))
            continue
        yield Line(number, _cells(row, number, problems))


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """The object, unless a name in it comes twice: nobody could say which value is meant."""
    if twice := _repeated([name for name, _ in pairs]):
        raise ValueError(f"{', '.join(twice)} is there more than once")
    return dict(pairs)


def _repeated(names: list[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)


def _refuse(name: str) -> object:
    """JSON has no NaN, though some programs write it where a value is missing."""
    raise ValueError(f"{name} is no value")


def _cells(row: Mapping[str, object], number: int, problems: list[Problem]) -> dict[str, str]:
    cells: dict[str, str] = {}
    for column, value in row.items():
        if value is None:
            continue
        if isinstance(value, str):
            _put(cells, column, value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            _put(cells, column, str(value))
        else:
            told = json.dumps(value, default=str)
            problems.append(Problem(number, column, told, "it must be text or a number"))
    return cells


def _csv_lines(text: str, problems: list[Problem]) -> Iterator[Line]:
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    number = 1
    try:
        for row in reader:
            if not header and any(cell.strip() for cell in row):
                header = _header(row, number)
            elif header and any(cell.strip() for cell in row):
                yield Line(number, _named(row, header, number, problems))
            number = reader.line_num + 1
    except csv.Error as error:
        problems.append(Problem(number, None, None, f"it is not CSV: {error}"))


def _header(row: list[str], number: int) -> list[str]:
    names = [name.strip() for name in row]
    _check_is_comma_separated(names, number)
    if twice := _repeated(names):
        told = ", ".join(twice) or "(blank)"
        raise TableError([Problem(number, told, None, "this column is there more than once")])
    return names


def _check_is_comma_separated(names: list[str], number: int) -> None:
    """Raise where a program wrote something else and called it CSV.

    Raises:
        TableError: It did.
    """
    header = ",".join(names)
    if "\0" in header:
        message = "it is no text in UTF-8: save the table as CSV in that encoding"
    elif len(names) > 1:
        return
    elif ";" in header or "\t" in header:
        message = "its cells are not separated by commas: save the table with commas"
    else:
        return
    raise TableError([Problem(number, None, header, message)])


def _named(
    row: list[str], header: list[str], number: int, problems: list[Problem]
) -> dict[str, str]:
    if len(row) != len(header):
        message = f"it has {len(row)} cells, and the header has {len(header)}"
        problems.append(Problem(number, None, None, message))
    cells: dict[str, str] = {}
    for name, cell in zip(header, row, strict=False):
        _put(cells, name, cell)
    return cells


def _put(cells: dict[str, str], column: str, value: str) -> None:
    """Keep what stands in a cell, unless it is blank."""
    if column in _TIDIED:
        value = value.strip()
    if value.strip():
        cells[column] = value

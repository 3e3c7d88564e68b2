"""Where the files of a table go: inside one folder, each at a path of its own."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Collection
from pathlib import Path

from ._problems import Problem, TableError
from ._table import Line
from ._template import Template

# A longer name leaves no room for that of the part file in file systems that take 255 bytes.
_LONGEST_NAME = 240


class Targets:
    """The paths that are taken.

    Args:
        output: The template for the path of a row that names none. The folder that it names before
            its first column is the one that no file may leave.
        taken: Paths that rows of earlier tables have.
    """

    def __init__(self, output: Template, taken: Collection[str]) -> None:
        self._output = output
        self._folder = Path(os.path.normpath(output.folder().absolute()))
        self._real_folder = self._folder.resolve()
        # What is taken, and by which line; and the folders of that.
        self._taken: dict[str, int | None] = dict.fromkeys(_folded(Path(path)) for path in taken)
        self._folders = {_folded(folder) for path in taken for folder in Path(path).parents}
        self._complaints: dict[Path, str | None] = {}

    def claim(self, line: Line, key: str) -> str:
        """The absolute path of the file of a row, which no other row can have from here on.

        Raises:
            TableError: Its file cannot be there.
        """
        named = line.cells.get("output")
        path = self._path(line, named, key)
        # Not `Path.resolve`: a link as the last part would be followed, and it is no free place.
        target = Path(os.path.normpath(path))
        problem = self._problem(target)
        if problem is not None:
            raise _error(line, str(path), problem)
        self._take(line, target)
        return str(target)

    def _take(self, line: Line, target: Path) -> None:
        """Let no other row have the path, nor one that is the same in some file systems.

        Raises:
            TableError: Another row has it, or one of them would be a folder of the other.
        """
        name = _folded(target)
        folders = [_folded(folder) for folder in target.parents]
        if name in self._taken:
            problem = f"{self._whose(name)} has the same file (case and accents do not count)"
            raise _error(line, str(target), problem)
        if name in self._folders:
            raise _error(line, str(target), "another row has a file in a folder of that name")
        file = next((folder for folder in folders if folder in self._taken), None)
        if file is not None:
            raise _error(
                line, str(target), f"{self._whose(file)} has a file where a folder is needed"
            )
        self._taken[name] = line.number
        self._folders.update(folders)

    def _whose(self, name: str) -> str:
        number = self._taken[name]
        return "a row of an earlier table" if number is None else f"line {number}"

    def _path(self, line: Line, named: str | None, key: str) -> Path:
        if named is not None:
            if "\0" in named or named.endswith("/"):
                raise _error(line, named, "it is no name of a file")
            return self._folder / named
        try:
            return Path(self._output.fill({**line.cells, "key": key})).absolute()
        except KeyError as error:
            column = error.args[0]
            raise TableError(
                [Problem(line.number, column, None, "the output names it, and it is blank")]
            ) from None

    def _problem(self, target: Path) -> str | None:
        if target == self._folder or not target.is_relative_to(self._folder):
            return f"it is outside of {self._folder}"
        if len(os.fsencode(target.name)) > _LONGEST_NAME:
            return f"its name is longer than {_LONGEST_NAME} bytes"
        if target.parent not in self._complaints:
            self._complaints[target.parent] = self._problem_of_folder(target.parent)
        complaint = self._complaints[target.parent]
        if complaint is not None:
            return complaint
        if os.path.lexists(target):
            return "it is there already"
        return None

    def _problem_of_folder(self, folder: Path) -> str | None:
        if not folder.resolve().is_relative_to(self._real_folder):
            return f"a link leads outside of {self._folder}"
        nearest = folder
        while not os.path.lexists(nearest):
            nearest = nearest.parent
        if not nearest.is_dir():
            return f"{nearest} is no folder"
        if not os.access(nearest, os.W_OK | os.X_OK):
            return f"the folder {nearest} cannot be written to"
        return None


def _folded(path: Path) -> str:
    """One name for all paths that are the same file where neither case nor accents count."""
    return unicodedata.normalize("NFC", str(path)).casefold()


def _error(line: Line, path: str, message: str) -> TableError:
    return TableError([Problem(line.number, "output", path, message)])

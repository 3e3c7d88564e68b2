"""What `batch export` writes: every row of a batch, as JSON Lines or CSV."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ._regular_file import create_locked

# The usual one of a new file, from which the system takes what the user's mask says.
_MODE = 0o666


def save_rows(rows: Sequence[dict[str, Any]], path: Path, *, overwrite: bool) -> None:
    """Write the rows into a file, whole or not at all; as CSV if its name ends so.

    Raises:
        FileExistsError: There is such a file, and it is not to be replaced.
        OSError: The file system does not take it, or it is no regular file. Nothing was written.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "Not a regular file, so it is not replaced", str(path))
    text = _as_csv(rows) if path.suffix.lower() == ".csv" else f"{as_json_lines(rows)}\n"
    os.close(create_locked(path, text.encode(), replaces=overwrite, mode=_MODE))


def as_json_lines(rows: Sequence[dict[str, Any]]) -> str:
    """One line for each row."""
    return "\n".join(map(json.dumps, rows))


def _as_csv(rows: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]) if rows else [])
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()

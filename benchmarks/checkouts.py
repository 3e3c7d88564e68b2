"""The package as another commit has it, or another folder, to be measured beside the installed one."""

import os
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

from .runner import ROOT, WORK

# The last commit whose calls know nothing of each other's answers of 429.
WITHOUT_GATE = "a18e4d5"


def checkout(commit: str) -> Path | None:
    """A folder with the package of that commit; None where git does not have it."""
    folder = WORK / "checkouts" / commit
    if not folder.is_dir():
        packed = subprocess.run(["git", "archive", commit, "generated", "wrapper"], cwd=ROOT, capture_output=True)
        if packed.returncode:
            return None
        with tarfile.open(fileobj=BytesIO(packed.stdout)) as archive:
            archive.extractall(folder, filter="data")
    return folder


def environment(folder: Path | None) -> dict[str, str] | None:
    """The environment of a process that imports the package from this checkout; None for the installed one."""
    if folder is None:
        return None
    return {**os.environ, "PYTHONPATH": f"{folder / 'wrapper'}{os.pathsep}{folder / 'generated'}"}

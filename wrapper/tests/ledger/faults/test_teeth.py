"""Faults that are planted in a copy of the ledger: each must turn its scenario red."""

from __future__ import annotations

import shutil
from pathlib import Path

import attrs
import pytest

import deerapi_remix

from . import scenarios

PACKAGE = Path(deerapi_remix.__file__).parent


@attrs.frozen
class Plant:
    """A fault.

    Attributes:
        name: What is wrong.
        file: Where.
        changes: What stands there, and what is put in its place.
        scenario: What must notice.
        told: What it must tell.
    """

    name: str
    file: str
    changes: list[tuple[str, str]]
    scenario: scenarios.Scenario
    told: str


PLANTS = [
    Plant(
        "the token is not compared",
        "_transitions.py",
        [('entries.c.token == bindparam("compared")', 'bindparam("compared") != ""')],
        scenarios.late_refusal,
        "the third call submitted",
    ),
    Plant(
        "the intent is committed after the POST",
        "_drive.py",
        [
            ("found = submission.begin().result()", "found = None"),
            ("        submission.check_time()\n", ""),
            ("    try:\n        record = ", "    submission.begin().result()\n    try:\n        record = "),
        ],
        scenarios.unbacked,
        "no intent was on record",
    ),
    Plant(
        "commits are not put on the disk",
        "_database.py",
        [("synchronous = FULL", "synchronous = OFF"), (" or level != 2", "")],
        scenarios.settings,
        "wal\n0",
    ),
    Plant(
        "accepted ids are not appended",
        "_transitions.py",
        [("    job = {", "    return\n    job = {")],
        scenarios.late_answer,
        "lost: ",
    ),
    Plant(
        "an accepted id is recorded once or never",
        "_submission.py",
        [("insist=True", "insist=False")],
        scenarios.full_disk,
        "not accepted",
    ),
    Plant(
        "an answer that comes after a decision by hand is dropped",
        "_transitions.py",
        [('_from("submitting", "unknown", "open")', '_from("submitting", "unknown")')],
        scenarios.late_answer_alone,
        "paid twice",
    ),
]


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_a_planted_fault_is_noticed(plant: Plant, tmp_path: Path, noticed: list[str]) -> None:
    copy = tmp_path / "package" / "deerapi_remix"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    file = copy / "ledger" / plant.file
    text = file.read_text()
    for old, new in plant.changes:
        assert old in text, f"{old!r} is not there any more"
        text = text.replace(old, new)
    file.write_text(text)
    problems = list(plant.scenario(f"sqlite:///{tmp_path}/ledger.db", copy.parent))
    assert any(plant.told in problem for problem in problems), problems
    noticed.append(plant.name)

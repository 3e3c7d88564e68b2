"""Tables of the documentation that follow from the code."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture(scope="module")
def tables() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tables", DOCS / "tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_of_errors_are_those_of_the_code(tables: ModuleType) -> None:
    page = (DOCS / "errors.md").read_text()
    assert tables.with_tables(page) == page
    assert page.count("<!-- table: ") == len(tables.TABLES)


def test_the_table_tells_how_a_submit_ends_after_500_and_503(tables: ModuleType) -> None:
    rows = {line.split(" | ")[0].strip("| "): line for line in tables.status_table().splitlines()}
    assert "sent again; in the end: may have been charged" in rows["500 Internal Server Error"]
    assert "sent again; in the end: not charged" in rows["503 Service Unavailable"]

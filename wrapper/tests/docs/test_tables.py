"""Tables of the documentation that follow from the code."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

import deerapi_remix
from deerapi_remix import ledger

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture(scope="module")
def tables() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tables", DOCS / "tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_of_the_pages_are_those_of_the_code(tables: ModuleType) -> None:
    pages = [(DOCS / name).read_text(encoding="utf-8") for name in tables.PAGES]
    assert [tables.with_tables(page) for page in pages] == pages
    assert sum(page.count("<!-- table: ") for page in pages) == len(tables.TABLES)


def test_every_error_and_every_exit_code_has_a_row(tables: ModuleType) -> None:
    errors = {name for module in (deerapi_remix, ledger) for name in module.__all__ if name.endswith("Error")}
    errors -= {"VideoError", "DeerAPIError", "LedgerError"}
    assert {line.split("`")[1] for line in tables.handling_table().splitlines()[2:]} == errors
    codes = [line.split(" ")[1] for line in tables.exit_code_table().splitlines()[2:]]
    assert codes == ["0", "2", "3", "4", "5", "6", "7", "8", "9", "10", "130"]


def test_the_table_tells_how_a_submit_ends_after_500_and_503(tables: ModuleType) -> None:
    rows = {line.split(" | ")[0].strip("| "): line for line in tables.status_table().splitlines()}
    assert "sent again; in the end: may have been charged" in rows["500 Internal Server Error"]
    assert "sent again; in the end: not charged" in rows["503 Service Unavailable"]

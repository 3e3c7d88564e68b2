"""What a stranger reads of a run that failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from .digest import Failure, digest
from .document import UnreadableError, load

SIZE = "retrieveVideo 200 breaks fields_complete: $.size: missing"
SCHEMA = 'remixVideo 200 breaks response_schema_conformance: $: "size" is a required property'


def test_breaches_stand_once_those_of_the_document_first_and_all_else_is_folded() -> None:
    told = digest(
        [
            Failure("tests/test_a.py::test_follows", "assert 1 == 2"),
            Failure("tests/test_a.py::test_walk[a]", f"{SIZE}\n  rule: every field"),
            Failure("tests/test_a.py::test_walk[b]", f"E   {SIZE}"),
            Failure("tests/test_b.py::test_schema", f"{SCHEMA}\n{SIZE}"),
        ]
    )
    assert told.lines == [SCHEMA, SIZE]
    assert told.tests == ["tests/test_b.py::test_schema", "tests/test_a.py::test_walk[a]"]


def test_breaches_that_differ_in_a_value_only_are_of_one_kind() -> None:
    lines = [f"retrieveVideo 200 breaks id_echoed: $.id is 'video_{number}'" for number in range(3)]
    assert digest([Failure("test_x", line) for line in lines]).lines == lines[:1]


def test_where_no_server_breaks_a_rule_each_test_is_told_once() -> None:
    told = digest(
        [
            Failure("tests/test_a.py::test_it_holds[a]", "AssertionError: \n  it does not\nassert False"),
            Failure("tests/test_a.py::test_it_holds[b]", "another"),
            Failure("tests/test_a.py::test_silence", ""),
        ]
    )
    assert told.lines == ["it_holds: it does not", "silence: it says nothing"]


def test_a_document_that_is_no_yaml_is_told_with_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "openapi.yaml"
    path.write_text("openapi: 3.1.0\npaths: [\n")
    with pytest.raises(UnreadableError, match=r"^openapi\.yaml, line 3, column 1: "):
        load(path)

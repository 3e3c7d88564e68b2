"""What the mutation tester plants, and which tests it asks first."""

from __future__ import annotations

from .mutants import CORE, mutants_of, unit_tests_for


def test_a_mutant_is_one_change_of_one_file() -> None:
    path = CORE / "_retry.py"
    text = path.read_text(encoding="utf-8")
    mutants = list(mutants_of(path))
    assert len(mutants) > 20
    for mutant in mutants:
        compile(mutant.text, mutant.file, "exec")
        assert mutant.text != text
        assert mutant.removed != mutant.added, mutant
    assert len({mutant.text for mutant in mutants}) == len(mutants)


def test_the_tests_of_a_file_are_asked_first_and_those_that_read_code_never() -> None:
    tests = unit_tests_for("wrapper/deerapi_remix/_retry.py")
    assert tests[0] == "wrapper/tests/test_retries.py"
    assert not {"wrapper/tests/test_twins.py", "wrapper/tests/test_style.py"} & set(tests)

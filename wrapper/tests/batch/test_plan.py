"""What is found out about a table before anything is written or paid."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from deerapi_remix.batch._plan import DEFAULT_OUTPUT, Plan, PlannedRow, Wanted, make_plan
from deerapi_remix.batch._problems import TableError
from deerapi_remix.batch._table import lines_of
from deerapi_remix.batch._template import Template

ROW = {"video_id": "video_1", "prompt": "It snows"}


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def plan(
    *rows: dict[str, Any],
    known: tuple[PlannedRow, ...] = (),
    prompt: str | None = None,
    output: str = DEFAULT_OUTPUT,
    **options: Any,
) -> Plan:
    template = None if prompt is None else Template(prompt, "the prompt")
    options = {"model": None, **options}
    wanted = Wanted(template, output=Template(output, "the output"), **options)
    return make_plan(lines_of(rows), wanted, {row.key: row for row in known})


def problems(*rows: dict[str, Any], **options: Any) -> list[str]:
    with pytest.raises(TableError) as caught:
        plan(*rows, **options)
    return str(caught.value).split("\n")


def keys(*rows: dict[str, Any]) -> list[str]:
    return [row.key for row in plan(*rows).rows]


def test_the_key_of_a_row_is_a_hash_of_its_content_and_its_occurrence() -> None:
    other = {"video_id": "video_1", "prompt": "It rains"}
    assert keys(ROW, other, ROW) == ["f83341224e8eadc5", "b83a92ff2adf505c", "f83341224e8eadc5-2"]


def test_a_table_in_another_order_has_the_same_keys() -> None:
    other = {"video_id": "video_1", "prompt": "It rains"}
    assert sorted(keys(ROW, other, ROW)) == sorted(keys(other, ROW, ROW))


def test_another_model_is_another_key() -> None:
    assert keys({**ROW, "model": "sora-2"}) != keys(ROW)


def test_rows_that_the_batch_has_already_are_counted_and_not_planned(folder: Path) -> None:
    (row,) = plan(ROW).rows
    (folder / "out").mkdir()
    Path(row.output).touch()  # It was saved.
    again = plan(ROW, {**ROW, "prompt": "It rains"}, known=(row,), price=0.5)
    assert (again.known, [each.prompt for each in again.rows], again.cost) == (1, ["It rains"], 0.5)


def test_a_key_that_the_batch_has_with_another_content_is_refused() -> None:
    (row,) = plan({**ROW, "key": "a"}).rows
    assert problems({**ROW, "key": "a", "prompt": "It rains", "model": "sora-2"}, known=(row,)) == [
        "line 1, column key, 'a': the batch has this key with another prompt, model"
    ]


def test_the_file_of_a_row_follows_the_template(folder: Path) -> None:
    (row,) = plan({**ROW, "key": "a", "set": "x"}, output="films/{set}/{key}.mp4").rows
    assert row.output == f"{folder}/films/x/a.mp4"


def test_a_row_may_name_its_file_within_the_folder_of_the_template(folder: Path) -> None:
    (row,) = plan({**ROW, "output": "a/b.mp4"}).rows
    assert row.output == f"{folder}/out/a/b.mp4"


def test_a_prompt_may_be_made_of_columns() -> None:
    (row,) = plan({"video_id": "video_1", "what": "snow"}, prompt="{{{what}}} falls").rows
    assert row.prompt == "{snow} falls"


def test_the_cost_is_the_number_of_rows_times_the_price() -> None:
    assert plan(ROW, ROW, price=0.4).cost == 0.8
    assert plan(ROW).cost is None


def test_all_problems_are_told_at_once_with_line_column_and_value() -> None:
    assert problems(
        {"video_id": "..", "prompt": "It snows"},
        {"video_id": "video_1"},
        {**ROW, "model": "sora-9"},
        {**ROW, "key": "a"},
        {**ROW, "key": "a"},
        {"prompt": "It snows\0"},
        {"video_id": "video_1", "prompt": "It snows\0"},
        {**ROW, "key": "k" * 201},
        models=["sora-2"],
    ) == [
        "line 1, column video_id, '..': must not be '..': it would name another path",
        "line 2, column prompt: it is missing or blank",
        "line 3, column model, 'sora-9': this model is not served; served: sora-2",
        "line 5, column key, 'a': line 4 has the same key",
        "line 6, column video_id: it is missing or blank",
        "line 7, column prompt, 'It snows\\x00': it has a NUL character, which cannot be kept",
        f"line 8, column key, '{'k' * 59}…': it is longer than 200 characters",
    ]


def test_a_column_that_no_row_has_is_told_once() -> None:
    assert problems({"id": "video_1"}, {"id": "video_2"}, output="{set}.mp4") == [
        "column video_id: no row has anything in it; columns that have: id",
        "column prompt: no row has anything in it; columns that have: id",
        "column set: no row has anything in it; columns that have: id",
    ]


def test_a_blank_cell_that_a_template_names_is_told() -> None:
    blank = {"video_id": "video_1"}
    assert problems({**blank, "what": "snow", "set": "x"}, blank, prompt="{what}", output="{set}.mp4") == [
        "line 2, column what: the prompt names this column, and it is blank"
    ]
    assert problems({**ROW, "set": "x"}, ROW, output="{set}.mp4") == [
        "line 2, column set: the output names it, and it is blank"
    ]


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("../a.mp4", "it is outside of {folder}/out"),
        ("/tmp/a.mp4", "it is outside of {folder}/out"),
        (".", "it is outside of {folder}/out"),
        ("a/", "it is no name of a file"),
        ("a" * 241, "its name is longer than 240 bytes"),
        ("there.mp4", "it is there already"),
        ("dangling.mp4", "it is there already"),
        ("there.mp4/a.mp4", "{folder}/out/there.mp4 is no folder"),
        ("away/a.mp4", "a link leads outside of {folder}/out"),
    ],
)
def test_a_file_that_could_not_be_saved_is_told(folder: Path, named: str, told: str) -> None:
    (folder / "out").mkdir()
    (folder / "out" / "there.mp4").touch()
    (folder / "out" / "away").symlink_to(folder)
    (folder / "out" / "dangling.mp4").symlink_to("nowhere")
    (problem,) = problems({**ROW, "output": named})
    assert problem.startswith("line 1, column output, ")
    assert problem.endswith(f": {told.format(folder=folder)}")


def test_two_rows_cannot_have_the_same_file() -> None:
    (stored,) = plan({**ROW, "key": "a"}).rows
    named = {**ROW, "output": "x/../b.mp4"}
    second, third = problems({**ROW, "output": "b.mp4"}, named, {**ROW, "output": "a.mp4"}, known=(stored,))
    assert second.startswith("line 2, column output, ")
    assert second.endswith(": line 1 has the same file (case and accents do not count)")
    assert third.startswith("line 3, column output, ")
    assert third.endswith(": a row of an earlier table has the same file (case and accents do not count)")


@pytest.mark.parametrize(
    ("first", "second"), [("Bow.mp4", "bow.mp4"), ("caf\u00e9.mp4", "cafe\u0301.mp4"), ("A/x.mp4", "a/X.mp4")]
)
def test_two_rows_cannot_have_files_that_are_the_same_on_other_file_systems(first: str, second: str) -> None:
    (problem,) = problems({**ROW, "output": first}, {**ROW, "output": second})
    assert problem.endswith(": line 1 has the same file (case and accents do not count)")


def test_no_file_is_the_folder_of_another() -> None:
    (stored,) = plan({**ROW, "key": "a"}).rows
    file, folder = {**ROW, "output": "b.mp4"}, {**ROW, "output": "B.mp4/x/c.mp4"}
    (problem,) = problems(file, folder)
    assert problem.endswith(": line 1 has a file where a folder is needed")
    (problem,) = problems(folder, file)
    assert problem.endswith(": another row has a file in a folder of that name")
    (problem,) = problems({**ROW, "output": "a.mp4/c.mp4"}, known=(stored,))
    assert problem.endswith(": a row of an earlier table has a file where a folder is needed")


def test_a_folder_that_cannot_be_written_to_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    (problem,) = problems({**ROW, "key": "a"})
    assert problem.endswith(f": the folder {folder} cannot be written to")


@pytest.mark.parametrize("text", ["{a.b}", "{a[0]}", "{a!r}", "{a:3}", "{}", "{a", "a}"])
def test_a_template_has_columns_in_braces_and_nothing_else(text: str) -> None:
    with pytest.raises(ValueError, match="the prompt"):
        Template(text, "the prompt")

"""Tables as people write them."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from deerapi_remix.batch._problems import TableError
from deerapi_remix.batch._table import lines_of, read_table


def read(content: str | bytes) -> list[tuple[int, dict[str, str]]]:
    data = content.encode() if isinstance(content, str) else content
    return [(line.number, dict(line.cells)) for line in read_table(io.BytesIO(data))]


def problems(content: str | bytes) -> list[str]:
    with pytest.raises(TableError) as caught:
        read(content)
    return str(caught.value).split("\n")


def test_a_csv_table_may_have_its_columns_in_any_order() -> None:
    assert read("prompt,other,video_id\nIt snows,7,video_1\n") == [
        (2, {"prompt": "It snows", "other": "7", "video_id": "video_1"})
    ]


def test_a_byte_order_mark_is_no_part_of_the_first_column() -> None:
    assert read(b"\xef\xbb\xbfvideo_id,prompt\r\nvideo_1,It snows\r\n") == [
        (2, {"video_id": "video_1", "prompt": "It snows"})
    ]


def test_quotes_keep_commas_quotes_and_line_ends_and_lines_are_counted_where_rows_begin() -> None:
    assert read('video_id,prompt\nvideo_1,"It ""snows"",\nhard"\n\nvideo_2,It rains\n') == [
        (2, {"video_id": "video_1", "prompt": 'It "snows",\nhard'}),
        (5, {"video_id": "video_2", "prompt": "It rains"}),
    ]


def test_lines_whose_cells_are_all_blank_are_no_rows() -> None:
    assert read("\n , \nvideo_id,prompt\n  \n,\nvideo_1,It snows\n,\n") == [
        (6, {"video_id": "video_1", "prompt": "It snows"})
    ]


def test_json_that_is_nested_too_deeply_is_told() -> None:
    (problem,) = problems('{"a": ' + "[" * 100_000)
    assert problem.startswith("line 1: it is not JSON: ")


def test_blank_cells_are_missing_and_blanks_stay_in_prompts_only() -> None:
    assert read("video_id,prompt,model\n video_1 ,  It snows, \n") == [
        (2, {"video_id": "video_1", "prompt": "  It snows"})
    ]


def test_json_lines_are_told_by_their_first_character() -> None:
    assert read('\ufeff{"video_id": "video_1", "prompt": "It\\u2028snows", "take": 3, "model": null}\n\n') == [
        (1, {"video_id": "video_1", "prompt": "It\u2028snows", "take": "3"})
    ]


def test_a_file_is_read_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("video_id\nvideo_1\n")
    assert [dict(line.cells) for line in read_table(tmp_path / "rows.csv")] == [{"video_id": "video_1"}]


def test_every_line_of_json_that_is_wrong_is_named() -> None:
    assert problems('{"video_id": ["a"]}\n[1]\n{"video_id": true}\n{broken\n') == [
        "line 1, column video_id, '[\"a\"]': it must be text or a number",
        "line 2: it is no JSON object",
        "line 3, column video_id, 'true': it must be text or a number",
        "line 4: it is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
    ]


def test_rows_with_too_many_or_too_few_cells_are_named() -> None:
    assert problems("video_id,prompt\nvideo_1\nvideo_2,It snows, hard\n") == [
        "line 2: it has 1 cells, and the header has 2",
        "line 3: it has 3 cells, and the header has 2",
    ]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "the table is empty"),
        (" \n", "the table is empty"),
        ("video_id,prompt\n", "the table has a header and no rows"),
        ("video_id,prompt,video_id\na,b,c\n", "line 1, column video_id: this column is there more than once"),
        ('video_id\n"video_1\n', "line 2: it is not CSV: unexpected end of data"),
        (b"video_id\nvideo_\xff\n", "line 2: it is not UTF-8: save the table in that encoding"),
        (
            "video_id,prompt\n".encode("utf-16-be"),
            r"line 1, '\x00v\x00i\x00d\x00e\x00o\x00_\x00i\x00d\x00,\x00p\x00r\x00o\x00m\x00p\x00t\x00': "
            "it is no text in UTF-8: save the table as CSV in that encoding",
        ),
        (
            "video_id;prompt\nvideo_1;It snows\n",
            "line 1, 'video_id;prompt': its cells are not separated by commas: save the table with commas",
        ),
        (
            "video_id\tprompt\n",
            r"line 1, 'video_id\tprompt': its cells are not separated by commas: save the table with commas",
        ),
        ('[{"video_id": "video_1"}]', "it is a JSON array: write one object a line, without brackets around them"),
        ('{"a": NaN}', "line 1: it is not JSON: NaN is no value"),
        ('{"a": 1, "a": 2}', "line 1: it is not JSON: a is there more than once"),
    ],
)
def test_what_is_no_table_is_told(content: str | bytes, told: str) -> None:
    assert problems(content) == [told]


def test_rows_of_a_program_are_numbered_from_1() -> None:
    (line,) = lines_of([{"video_id": "video_1", "take": 2, "model": None}])
    assert (line.number, dict(line.cells)) == (1, {"video_id": "video_1", "take": "2"})


def test_rows_of_a_program_hold_text_and_numbers_only() -> None:
    with pytest.raises(TableError, match=r"^line 1, column prompt, '.+': it must be text or a number"):
        lines_of([{"video_id": "video_1", "prompt": ["It snows"]}])

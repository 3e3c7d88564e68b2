"""What the pages list is complete, and links between files lead somewhere."""

from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt

import deerapi_remix
from deerapi_remix import APIStatusError, RetryPolicy, batch, ledger, testing

from ..faults.matrix import EXPECTED, OPERATIONS
from ..faults.observe import TWINS
from ..wire import Answer, Twin
from .pages import PAGES, PROJECT, tables_of, text_of

ERRORS = [name for name in deerapi_remix.__all__ if name.endswith("Error") and name != "VideoError"]


def test_the_table_of_errors_names_each_error_in_the_order_of_the_tree() -> None:
    table = tables_of("docs/errors.md")[0]
    assert [name for name, _, _ in table[1:]] == ERRORS
    assert len(ERRORS) == 17


STATUSES = {
    "400": "BadRequestError",
    "422": "BadRequestError",
    "401": "AuthenticationError",
    "402": "InsufficientQuotaError",
    "403": "PermissionDeniedError",
    "404": "NotFoundError",
    "409": "ConflictError",
    "429": "RateLimitError",
    "5xx": "InternalServerError",
}


def test_the_table_of_errors_tells_these_statuses() -> None:
    table = tables_of("docs/errors.md")[0]
    meanings = {name: meaning.partition(":")[0] for name, meaning, _ in table[1:]}
    told = {status: name for name, first in meanings.items() for status in re.findall(r"\b(?:4\d\d|5xx)\b", first)}
    assert told == STATUSES


@pytest.mark.parametrize("status", STATUSES)
def test_a_status_raises_what_the_table_says(connect: Twin, status: str) -> None:
    client, _ = connect(Answer(int(status.replace("5xx", "502"))), retry=RetryPolicy(attempts=1))
    with pytest.raises(APIStatusError) as caught:
        client.retrieve("video_123")
    assert caught.typename == STATUSES[status]


def test_the_reference_describes_everything_public() -> None:
    described = re.findall(
        r"^\.\. auto(?:class|data|exception|function):: (\w+)$", text_of("docs/reference.md"), re.MULTILINE
    )
    public = [*deerapi_remix.__all__, *testing.__all__, *ledger.__all__, *batch.__all__]
    assert sorted([*described, "__version__"]) == sorted(public)


def test_the_readme_tells_how_many_faults_are_tried() -> None:
    cells = [expected.get(operation, "-") for expected in EXPECTED.values() for operation in OPERATIONS]
    operations = len(TWINS) * sum(cell != "-" for cell in cells)
    assert f"\n{len(EXPECTED)} faults tried in {operations} operations: 0 duplicates, " in text_of("README.md")


def test_the_readme_tells_what_the_benchmarks_reached_and_which_way_is_better() -> None:
    (told,) = [table[1:] for table in tables_of("README.md") if table[0] == ["what", "reached", "better"]]
    (report,) = [table for table in tables_of("benchmarks/report/README.md") if "reached" in table[0]]
    better = {"≤": "lower", "≥": "higher"}
    reached = {what: [what, number, better[bound[0]]] for what, bound, number, _ in report[1:]}
    assert len(told) >= 3
    assert told == [reached.get(what) for what, _, _ in told]


def anchors_of(page: str) -> set[str]:
    """The anchors that its headings get."""
    tokens = MarkdownIt().parse(text_of(page))
    headings = [tokens[number + 1].content for number, token in enumerate(tokens) if token.type == "heading_open"]
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links_of(page: str) -> list[str]:
    """Where a page points to within the project."""
    targets = [
        str(child.attrs.get("href") or child.attrs.get("src"))
        for token in MarkdownIt().parse(text_of(page))
        for child in token.children or []
        if child.type in ("link_open", "image")
    ]
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


@pytest.mark.parametrize("page", PAGES)
def test_links_to_files_and_headings_lead_somewhere(page: str) -> None:
    for target in links_of(page):
        path, _, anchor = target.partition("#")
        file = (PROJECT / page).parent / path if path else PROJECT / page
        assert file.exists(), target
        if anchor:
            assert anchor in anchors_of(file.resolve().relative_to(PROJECT).as_posix()), target

"""Every operation of the document and every method of the clients has its row wherever there must be one.

The tables are written out by hand, each in the suite that it is for. Here it is only looked up what they lack, in the
text of the files: nothing is imported or run, so that what is missing is known within seconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest

from deerapi_remix import AsyncRemixClient, RemixClient

from .document import ROOT, Document
from .operations import OPERATIONS
from .teeth.faults import StaleFaultError, lines_of

# The public methods of the clients, by whether a call may cost money.
PAID = {"remix", "remix_to_file"}
FREE = {"retrieve", "wait", "follow", "download", "models"}
ABOUT_A_VIDEO = (PAID | FREE) - {"models"}
# What asks the API for nothing.
LOCAL = {"with_options", "close", "aclose", "base_url", "submit_seconds"}

# What a fault can befall: `remix_to_file` by each of its requests, and `follow` as `wait`, whose loop it is.
BEFALLEN = (PAID | FREE) - {"remix_to_file", "follow"} | {"submit", "poll", "content"}

# The file and what has the rows, a qualified name in it or the whole of it; and for what there must be one.
TABLES: dict[str, Iterable[str]] = {
    # What is sent and answered, and what a server has to do.
    "contract_tests/operations.py::OPERATIONS": OPERATIONS,
    "contract_tests/test_document.py::OPERATIONS": OPERATIONS,
    "contract_tests/server/rules.py::_SUCCESS": OPERATIONS,
    "contract_tests/server/walk.py": OPERATIONS,
    "contract_tests/server/test_own_server.py::test_a_refusal_has_its_status_shape_and_code": OPERATIONS,
    "wrapper/deerapi_remix/testing/_routes.py::_ROWS": {operation.method for operation in OPERATIONS.values()},
    # The methods of the clients, and what must hold for each of them.
    "wrapper/tests/wire.py::CALLS": PAID | FREE,
    "wrapper/tests/test_public_api.py::SIGNATURES": PAID | FREE,
    "wrapper/tests/test_arguments.py::ARGUMENTS": ABOUT_A_VIDEO,
    "wrapper/tests/typed_usage.py": PAID | FREE,
    # Whether a job is paid for twice, or lost: the outcomes of every failure, faults on the wire, interruptions.
    "wrapper/tests/wire.py::PAID": PAID,
    "wrapper/tests/faults/observe.py::OPERATIONS": BEFALLEN,
    "wrapper/tests/faults/matrix.py::MATRIX": BEFALLEN,
    "wrapper/tests/faults/test_cancellation.py": PAID,
    "wrapper/tests/faults/test_jobs.py": PAID,
    # What users read.
    "docs": PAID | FREE,
}


def named_in(place: str) -> set[str]:
    """The names that stand in quotes, are called, or head a column in the text of a place."""
    file, _, name = place.partition("::")
    path = ROOT / file
    text = "\n".join(page.read_text(encoding="utf-8") for page in (path.glob("*.md") if path.is_dir() else [path]))
    if name:
        first, last = lines_of(name, text)
        text = "\n".join(text.splitlines()[first:last])
    found = re.findall(r"[\"'](\w+)[\"']|\.(\w+)\(|def (\w+)\(", text)
    columns = re.findall(r'= """\n(.*)\n', text)
    return {word for words in found for word in words} | {word for line in columns for word in line.split()}


def lacking(place: str, names: Iterable[str]) -> list[str]:
    """What a place has no row for."""
    try:
        found = named_in(place)
    except (OSError, StaleFaultError) as error:
        return [f"everything ({error})"]
    return sorted(name for name in names if name not in found)


def test_the_list_of_operations_is_that_of_the_document(document: Document) -> None:
    documented = {node["operationId"]: (method, path) for method, path, node in document.operations()}
    listed = {name: operation.path.format("{video_id}") for name, operation in OPERATIONS.items()}
    lists = f"contract_tests/operations.py lists {listed}, the document has {documented}"
    assert {name: path for name, (_, path) in documented.items()} == listed, lists
    posts = {name for name, (method, _) in documented.items() if method == "POST"}
    assert posts == {name for name, operation in OPERATIONS.items() if operation.paid}, "every POST is paid for"


@pytest.mark.parametrize("client", [RemixClient, AsyncRemixClient])
def test_it_is_known_of_every_method_whether_it_costs_money(client: type) -> None:
    public = {name for name in dir(client) if not name.startswith("_")}
    unknown = public - PAID - FREE - LOCAL
    assert not unknown, f"test_every_operation.py: {', '.join(sorted(unknown))}: may it cost money?"
    assert public >= PAID | FREE
    for operation in OPERATIONS.values():
        assert operation.method in (PAID if operation.paid else FREE), f"{operation.method}: paid is {operation.paid}"


def test_every_table_has_its_rows() -> None:
    missing = {place: lacking(place, names) for place, names in TABLES.items()}
    line = "; ".join(f"{place} lacks {', '.join(names)}" for place, names in missing.items() if names)
    assert not line, line


def test_a_row_that_is_missing_is_told() -> None:
    place = "contract_tests/test_every_operation.py::BEFALLEN"
    assert lacking(place, ["submit", "createVideo"]) == ["createVideo"]
    assert lacking("contract_tests/test_every_operation.py::NO_TABLE", ["x"])[0].startswith("everything (")
    assert lacking("wrapper/tests/no_file.py", ["x"])[0].startswith("everything (")

"""Every operation of the document and every method of the clients has its row wherever there must be one.

The tables are written out by hand, each in the suite that it is for. Here it is only looked up what they lack, in the
text of the files: nothing is imported or run, so that what is missing is known within seconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import pytest

from deerapi_remix import AsyncRemixClient, RemixClient
from deerapi_remix.testing._routes import ROUTES

from .document import ROOT, Document
from .operations import OPERATIONS
from .teeth.faults import StaleFaultError, lines_of

WIRE = "wrapper/tests/wire.py"
# What asks the API for nothing.
LOCAL = {"with_options", "close", "aclose", "base_url", "submit_seconds"}
# The matrix of faults has a column for each request of `remix_to_file`, and one for `wait` and `follow`, its loop.
COLUMNS = {"remix_to_file": {"submit", "poll", "content"}, "follow": {"wait"}}


def named_in(place: str) -> set[str]:
    """The names that begin a text in quotes, after a package or not, are called, or head a column in a place."""
    file, _, name = place.partition("::")
    path = ROOT / file
    text = "\n".join(page.read_text(encoding="utf-8") for page in (path.glob("*.md") if path.is_dir() else [path]))
    if name:
        first, last = lines_of(name, text)
        text = "\n".join(text.splitlines()[first:last])
    found = re.findall(r"[\"'](?:\w+\.)?(\w+)[\"' ]|\.(\w+)\(", text)
    columns = re.findall(r'= """\n(.*)\n', text)
    return {word for words in found for word in words} | {word for line in columns for word in line.split()}


def tables(documented: Mapping[str, str]) -> dict[str, set[str]]:
    """The file and what has the rows, a qualified name in it or the whole of it; and for what there must be one.

    Args:
        documented: The operations of the document, each with its HTTP method.
    """
    operations = {*OPERATIONS, *documented}
    jobs = {name for name in documented if documented[name] == "POST"}
    methods: set[str] = {operation.method for operation in OPERATIONS.values()}
    # Of an operation that is in no table, the name of its method is not known yet.
    methods |= {f"the method of {name}" for name in documented if name not in OPERATIONS}
    public = (named_in(f"{WIRE}::CALLS") & set(dir(RemixClient))) | methods | public_methods(RemixClient)
    paid = named_in(f"{WIRE}::PAID") | {operation.method for operation in OPERATIONS.values() if operation.paid}
    paid |= {f"the method of {name}" for name in jobs if name not in OPERATIONS}
    return {
        # What is sent and answered, and what a server has to do.
        "contract_tests/operations.py::OPERATIONS": operations,
        "contract_tests/test_document.py::OPERATIONS": operations,
        "wrapper/deerapi_remix/contract/_judge.py::_SUCCESS": operations,
        "wrapper/deerapi_remix/contract/_walk.py": operations,
        "workflows.arazzo.yaml": jobs,
        "wrapper/deerapi_remix/_operations.py": methods,
        "wrapper/deerapi_remix/testing/_messages.py::Operation": methods,
        "wrapper/deerapi_remix/testing/_routes.py::_ROWS": methods,
        # The methods of the clients, and what must hold for each of them.
        f"{WIRE}::CALLS": public,
        f"{WIRE}::SIGNATURES": public,
        # Whether a job is paid for twice, or lost: the outcomes of every failure, and faults on the wire.
        f"{WIRE}::PAID": paid,
        "wrapper/tests/faults/matrix.py::MATRIX": {each for name in public for each in COLUMNS.get(name, {name})},
        # What users read.
        "docs": public,
    }


def public_methods(client: type) -> set[str]:
    """What a client can be asked for that asks the API."""
    return {name for name in dir(client) if not name.startswith("_")} - LOCAL


def lacking(place: str, names: Iterable[str]) -> list[str]:
    """What a place has no row for."""
    try:
        found = named_in(place)
    except (OSError, StaleFaultError) as error:
        return [f"everything ({error})"]
    return sorted(name for name in names if name not in found)


def test_every_table_has_its_rows(document: Document) -> None:
    documented = {str(node["operationId"]): method for method, _, node in document.operations()}
    missing = {place: lacking(place, names) for place, names in tables(documented).items()}
    lines = [f"{place} lacks {', '.join(names)}" for place, names in missing.items() if names]
    if lines:
        pytest.fail("\n".join(lines), pytrace=False)


def test_the_list_of_operations_is_that_of_the_document(document: Document) -> None:
    documented = {node["operationId"]: (method, path) for method, path, node in document.operations()}
    listed = {name: operation.path.format("{video_id}") for name, operation in OPERATIONS.items()}
    assert {name: path for name, (_, path) in documented.items()} == listed
    posts = {name for name, (method, _) in documented.items() if method == "POST"}
    assert posts == {name for name, operation in OPERATIONS.items() if operation.paid}, "every POST is paid for"


def test_the_routes_of_the_fake_are_those_of_the_document(document: Document) -> None:
    documented = {node["operationId"]: (method, path) for method, path, node in document.operations()}
    expected = {operation.method: (*documented[name], operation.paid) for name, operation in OPERATIONS.items()}
    assert {name: (route.method, route.path, route.paid) for name, route in ROUTES.items()} == expected


def test_both_clients_can_be_asked_for_the_same() -> None:
    assert public_methods(RemixClient) == public_methods(AsyncRemixClient)


def test_a_row_that_is_missing_is_told() -> None:
    assert lacking(f"{WIRE}::PAID", ["remix", "dream"]) == ["dream"]
    assert lacking(f"{WIRE}::NO_TABLE", ["x"])[0].startswith("everything (")
    assert lacking("wrapper/tests/no_file.py", ["x"])[0].startswith("everything (")
    new = tables({"dreamVideo": "POST"})
    for place in ("CALLS", "PAID"):
        assert "the method of dreamVideo" in lacking(f"{WIRE}::{place}", new[f"{WIRE}::{place}"])
    documented = "contract_tests/test_document.py::OPERATIONS"
    assert lacking(documented, new[documented]) == ["dreamVideo"]

"""The generated client is what the document says: its functions and models, their types, and what they send and read.

What the document says is written out in `test_document.py`.
"""

import asyncio
import difflib
import importlib
import json
import os
import re
import subprocess
import sys
import types
import typing
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

import attrs
import httpx
import pytest

from deerapi_remix_generated import AuthenticatedClient, models
from deerapi_remix_generated.types import Unset

from . import operations
from .document import PATH, ROOT, Node, check, differences, document

PACKAGE = "deerapi_remix_generated"
FOLDER = ROOT / "generated" / PACKAGE
HOST = "https://api.deerapi.com"

# What the generator makes of a type in JSON.
HINTS = {"string": "str", "integer": "int", "null": "None"}
# Models of what has no name in the document: a choice, and an object within a field.
CHOICE = "DownloadVideoContentVariant"
WITHIN = {("FlatError", "data"): "FlatErrorDataType0"}
TAKEN_BY_PYTHON = {"object": "object_", "type": "type_"}
ERROR_STATUSES = (400, 401, 403, 404, 429, 500, 503)

SCHEMAS: dict[str, Node] = document().raw["components"]["schemas"]
# The fields of each model, and those that it requires.
MODELS = {name: document().joined(schema) for name, schema in SCHEMAS.items() if schema.get("type") == "object"}


def name_of(schema: Node) -> str:
    """What a schema that stands elsewhere is called."""
    return str(schema["$ref"]).rpartition("/")[2]


def alternatives(schema: Node) -> list[Node]:
    """A schema of one type for each type that a value may have."""
    if "oneOf" in schema:
        return list(schema["oneOf"])
    if "$ref" in schema and name_of(schema) not in MODELS:
        return alternatives(SCHEMAS[name_of(schema)])
    kinds = schema.get("type", [])
    return [{**schema, "type": kind} for kind in kinds] if isinstance(kinds, list) and kinds else [schema]


def hint_of(schema: Node, place: tuple[str, str]) -> str:
    """The Python type of a value of one type, in a field of a model."""
    if "$ref" in schema:
        return name_of(schema)
    if schema["type"] == "array":
        return f"list[{hint_of(schema['items'], place)}]"
    return HINTS.get(schema["type"]) or WITHIN[place]


def hints_of(name: str) -> dict[str, str]:
    """The Python type of each field of a model."""
    hints = {}
    for field, schema in MODELS[name]["properties"].items():
        may_be = {hint_of(each, (name, field)) for each in alternatives(schema)}
        if field not in MODELS[name].get("required", []):
            may_be.add("Unset")
        hints[field] = " | ".join(sorted(may_be))
    return hints


def value_of(schema: Node, number: int) -> Any:
    """A value that is valid; by its number it is of one type or of another that the schema allows."""
    if "const" in schema:
        return schema["const"]
    kinds = alternatives(schema)
    kind = kinds[number % len(kinds)]
    if "$ref" in kind:
        return instance(name_of(kind), number)
    values = {"string": f"{number}", "integer": number, "null": None}
    return [value_of(kind["items"], number)] if kind["type"] == "array" else values[kind["type"]]


def instance(name: str, number: int) -> dict[str, Any]:
    """A value of a model with every field, no two of which are alike unless they are null."""
    fields = MODELS[name]["properties"].items()
    return {field: value_of(schema, number + 6 * place) for place, (field, schema) in enumerate(fields)}


# With a value of each type that a field may have.
INSTANCES = [(name, instance(name, number)) for name in MODELS for number in (6, 7, 8)]


@attrs.frozen
class Operation:
    """What an operation of the document is in the generated client.

    Attributes:
        module: Where its functions are.
        arguments: Those beyond the client, with their types.
        answers: The status of each success, and the model of it; `File` for a file.
    """

    id: str
    module: str
    arguments: dict[str, str]
    answers: dict[int, str]


def generated(operation_id: str) -> Operation:
    _, _, node = document().operation(operation_id)
    name = re.sub("([A-Z])", r"_\1", operation_id).lower()
    arguments = dict.fromkeys(document().parameters(node, "path"), "str")
    arguments |= dict.fromkeys(document().parameters(node, "query"), f"{CHOICE} | Unset")
    if "requestBody" in node:
        arguments["body"] = name_of(node["requestBody"]["content"]["application/json"]["schema"])
    answers = {}
    for status, answer in node["responses"].items():
        if status.startswith("2"):
            content = answer["content"].get("application/json")
            answers[int(status)] = name_of(content["schema"]) if content else "File"
    return Operation(operation_id, f"{node['tags'][0]}.{name}", arguments, answers)


OPERATIONS = [generated(operation_id) for operation_id in operations.OPERATIONS]


def requests() -> Iterator[tuple[Operation, dict[str, Any], tuple[str, str, bytes]]]:
    """An operation, what its function is given, and the request that it must make."""
    for operation in OPERATIONS:
        method, _, _ = document().operation(operation.id)
        for video_id, fields in operations.OPERATIONS[operation.id].inputs:
            target = operations.OPERATIONS[operation.id].path.format(quote(video_id or "", safe=""))
            arguments: dict[str, Any] = {} if video_id is None else {"video_id": video_id}
            if "body" in operation.arguments:
                yield operation, {**arguments, "body": fields}, (method, target, compact(fields))
            else:
                query = "&".join(f"{name}={value}" for name, value in fields.items())
                yield operation, {**arguments, **fields}, (method, f"{target}?{query}" if query else target, b"")


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


REQUESTS = list(requests())
every_instance = pytest.mark.parametrize(("name", "value"), INSTANCES)
every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.module)


def test_the_copy_of_the_document_is_current() -> None:
    copy = files(PACKAGE).joinpath("openapi.yaml").read_bytes()
    assert copy == PATH.read_bytes(), f"{PACKAGE}/openapi.yaml is not openapi.yaml: run make client"


def test_regenerating_changes_nothing(tmp_path: Path) -> None:
    target = tmp_path / PACKAGE
    tools = Path(sys.executable).parent
    options: list[str | Path] = ["--config", ROOT / "generated/config.yaml", "--meta", "none", "--fail-on-warning"]
    made = subprocess.run(
        [tools / "openapi-python-client", "generate", "--path", PATH, *options, "--output-path", target],
        env={**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"},
        check=False,
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, f"openapi.yaml: the generator refuses it: {made.stdout}{made.stderr}"
    made_now, committed = sources(target), sources(FOLDER)
    check(differences(list(made_now), list(committed), PACKAGE))
    for name, lines in made_now.items():
        changed = difflib.unified_diff(committed[name], lines, "committed", "generated now", n=0, lineterm="")
        check(f"{PACKAGE}/{name}: {line}" for line in changed if line[0] in "+-" and line[:3] not in ("+++", "---"))


def sources(folder: Path) -> dict[str, list[str]]:
    """The lines of every module."""
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8").splitlines()
        for path in sorted(folder.rglob("*.py"))
    }


def test_nothing_but_these_operations() -> None:
    found = {f"{path.parent.name}.{path.stem}" for path in (FOLDER / "api").glob("*/*.py")}
    found = {name for name in found if not name.endswith("__init__")}
    expected = {operation.module for operation in OPERATIONS}
    assert found == expected, f"operations {sorted(found)}, expected {sorted(expected)}"


def test_nothing_but_these_models() -> None:
    check(differences(sorted([*MODELS, CHOICE, *WITHIN.values()]), sorted(models.__all__), "models"))


def test_the_variants_are_these() -> None:
    values = [variant.value for variant in models.DownloadVideoContentVariant]
    check(differences(["spritesheet", "thumbnail", "video"], sorted(values), CHOICE))


def told(hint: Any) -> str:
    """A type as text, its alternatives in alphabetical order."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return " | ".join(sorted(map(told, typing.get_args(hint))))
    if typing.get_origin(hint) is list:
        return f"list[{', '.join(map(told, typing.get_args(hint)))}]"
    return "None" if hint is type(None) else str(hint.__name__)


def attribute(field: str) -> str:
    return TAKEN_BY_PYTHON.get(field, field)


@pytest.mark.parametrize("name", MODELS)
def test_the_model_has_these_fields(name: str) -> None:
    expected = {attribute(field): hint for field, hint in hints_of(name).items()}
    hints = typing.get_type_hints(getattr(models, name), localns=vars(models))
    del hints["additional_properties"]
    check(differences(expected, {field: told(hint) for field, hint in hints.items()}, name))


@pytest.mark.parametrize("name", MODELS)
def test_the_model_requires_these_fields(name: str) -> None:
    fields = attrs.fields(getattr(models, name))
    required = [field.name for field in fields if field.init and field.default is attrs.NOTHING]
    needed = MODELS[name].get("required", [])
    expected = [attribute(field) for field in MODELS[name]["properties"] if field in needed]
    assert required == expected, f"{name} requires {required}, expected {expected}"


@every_instance
def test_the_model_reads_and_writes_every_field_and_extra(name: str, value: dict[str, Any]) -> None:
    written = value | {"x_new": [1]}
    read = getattr(models, name).from_dict(written)
    check(differences(written, read.to_dict(), name))
    assert read.additional_properties == {"x_new": [1]}, f"{name}: extra fields are {read.additional_properties}"


@every_instance
def test_the_model_keeps_every_field_under_its_own_name(name: str, value: dict[str, Any]) -> None:
    read = getattr(models, name).from_dict(value)
    for field, expected in value.items():
        kept = getattr(read, attribute(field))
        if isinstance(expected, dict):
            kept = kept.to_dict()
        elif isinstance(expected, list):
            kept = [entry.to_dict() for entry in kept]
        assert kept == expected, f"{name}.{field} is {kept!r}, expected {expected!r}"


@every_instance
def test_the_model_writes_nothing_for_what_is_unset(name: str, value: dict[str, Any]) -> None:
    needed = {field: value[field] for field in value if field in MODELS[name].get("required", [])}
    read = getattr(models, name).from_dict(needed)
    check(differences(needed, read.to_dict(), name))
    for field in value.keys() - needed.keys():
        kept = getattr(read, attribute(field))
        assert isinstance(kept, Unset), f"{name}.{field} is {kept!r}, expected UNSET"


def module(operation: Operation) -> Any:
    return importlib.import_module(f"{PACKAGE}.api.{operation.module}")


def call(operation: Operation, arguments: dict[str, Any], answer: httpx.Response, *, twin: str) -> tuple[Any, Any]:
    """What the generated function makes of the answer, and the request that it sent."""
    sent: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return answer

    arguments = dict(arguments)
    if "body" in arguments:
        arguments["body"] = getattr(models, operation.arguments["body"])(**arguments["body"])
    if "variant" in arguments:
        arguments["variant"] = models.DownloadVideoContentVariant(arguments["variant"])
    client = AuthenticatedClient(base_url=HOST, token="sk-test")
    transport = httpx.MockTransport(handle)
    if twin == "sync":
        with httpx.Client(base_url=HOST, transport=transport, verify=False) as http:
            result = module(operation).sync_detailed(client=client.set_httpx_client(http), **arguments)
    else:

        async def run() -> Any:
            async with httpx.AsyncClient(base_url=HOST, transport=transport, verify=False) as http:
                return await module(operation).asyncio_detailed(client=client.set_async_httpx_client(http), **arguments)

        result = asyncio.run(run())
    return result.parsed, sent[0]


@pytest.mark.parametrize("function", ["sync_detailed", "asyncio_detailed"])
@every_operation
def test_the_function_takes_these_arguments(operation: Operation, function: str) -> None:
    hints = typing.get_type_hints(getattr(module(operation), function))
    del hints["return"]
    expected = {**operation.arguments, "client": "AuthenticatedClient"}
    check(differences(expected, {name: told(hint) for name, hint in hints.items()}, operation.module))


@pytest.mark.parametrize("twin", ["sync", "async"])
@pytest.mark.parametrize(
    ("operation", "arguments", "expected"), REQUESTS, ids=[target for _, _, (_, target, _) in REQUESTS]
)
def test_the_function_sends_this_request(
    operation: Operation, arguments: dict[str, Any], expected: tuple[str, str, bytes], twin: str
) -> None:
    _, request = call(operation, arguments, httpx.Response(500, json=instance("FlatError", 0)), twin=twin)
    actual = (request.method, request.url.raw_path.decode("ascii"), request.content)
    assert actual == expected, f"{operation.module}: sent {actual}, expected {expected}"
    kind = request.headers.get("Content-Type")
    assert kind == ("application/json" if "body" in arguments else None), f"{operation.module}: content type {kind}"


@pytest.mark.parametrize("twin", ["sync", "async"])
@every_operation
def test_the_function_reads_every_documented_answer(operation: Operation, twin: str) -> None:
    given = next(arguments for asked, arguments, _ in REQUESTS if asked == operation)
    answers = [*operation.answers.items()]
    answers += [(status, name) for status in ERROR_STATUSES for name in ("FlatError", "NestedError")]
    for status, expected in answers:
        where = f"{operation.module} {status}"
        if expected == "File":
            file, _ = call(operation, given, httpx.Response(status, content=b"\0\xff"), twin=twin)
            content = file and file.payload.read()
            assert content == b"\0\xff", f"{where}: {content!r}, expected the bytes that came"
            continue
        written = instance(expected, 0)
        parsed, _ = call(operation, given, httpx.Response(status, json=written), twin=twin)
        assert type(parsed).__name__ == expected, f"{where}: {type(parsed).__name__}, expected {expected}"
        check(differences(written, parsed.to_dict(), where))

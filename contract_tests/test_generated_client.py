"""The generated client: what the document makes, and by literal values what the wrapper relies on."""

import asyncio
import difflib
import importlib
import os
import subprocess
import sys
import types
import typing
from importlib.resources import files
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

from deerapi_remix_generated import AuthenticatedClient, models
from deerapi_remix_generated.types import Unset

from .document import PATH, ROOT, check, differences

PACKAGE = "deerapi_remix_generated"
FOLDER = ROOT / "generated" / PACKAGE
HOST = "https://api.deerapi.com"

# Module: its arguments beyond the client with their types, and the models of its answers.
OPERATIONS: dict[str, tuple[dict[str, str], dict[int, str]]] = {
    "videos.remix_video": ({"video_id": "str", "body": "RemixRequest"}, {200: "RemixJob"}),
    "videos.retrieve_video": ({"video_id": "str"}, {200: "VideoJob"}),
    "videos.download_video_content": (
        {"video_id": "str", "variant": "DownloadVideoContentVariant | Unset"},
        {200: "File", 206: "File"},
    ),
    "models.list_models": ({}, {200: "ModelList"}),
}
ERROR_STATUSES = (400, 401, 403, 404, 429, 500, 503)

# Module, arguments, and the request that they make.
CALLS: list[tuple[str, dict[str, Any], tuple[str, str, bytes]]] = [
    (
        "videos.remix_video",
        {"video_id": "a/b é", "body": {"prompt": "cry", "model": "sora-2"}},
        ("POST", "/v1/videos/a%2Fb%20%C3%A9/remix", b'{"prompt":"cry","model":"sora-2"}'),
    ),
    (
        "videos.remix_video",
        {"video_id": "video_123", "body": {"prompt": "cry"}},
        ("POST", "/v1/videos/video_123/remix", b'{"prompt":"cry"}'),
    ),
    ("videos.retrieve_video", {"video_id": "a/b é"}, ("GET", "/v1/videos/a%2Fb%20%C3%A9", b"")),
    (
        "videos.download_video_content",
        {"video_id": "a/b é", "variant": "thumbnail"},
        ("GET", "/v1/videos/a%2Fb%20%C3%A9/content?variant=thumbnail", b""),
    ),
    ("videos.download_video_content", {"video_id": "video_123"}, ("GET", "/v1/videos/video_123/content", b"")),
    ("models.list_models", {}, ("GET", "/v1/models", b"")),
]

# Model: its required fields by their names in JSON, the optional ones, and their types.
MODELS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "Job": (
        {},
        {
            "id": "Unset | str",
            "object": "Unset | str",
            "model": "Unset | str",
            "status": "Unset | str",
            "progress": "Unset | int",
            "created_at": "Unset | int",
            "size": "Unset | str",
            "seconds": "Unset | str",
        },
    ),
    "RemixRequest": ({"prompt": "str"}, {"model": "Unset | str"}),
    "RemixJob": (
        {
            "id": "str",
            "object": "str",
            "model": "str",
            "status": "str",
            "progress": "int",
            "created_at": "int",
            "size": "str",
            "seconds": "str",
            "remixed_from_video_id": "str",
        },
        {},
    ),
    "VideoJob": (
        {"id": "str", "status": "str"},
        {
            "object": "Unset | str",
            "model": "Unset | str",
            "progress": "Unset | int",
            "created_at": "Unset | int",
            "completed_at": "None | Unset | int",
            "expires_at": "None | Unset | int",
            "error": "None | Unset | VideoJobError",
            "size": "Unset | str",
            "seconds": "Unset | str",
            "remixed_from_video_id": "None | Unset | str",
            "prompt": "None | Unset | str",
        },
    ),
    "VideoJobError": ({"code": "str", "message": "str"}, {}),
    "ModelList": ({"object": "str", "data": "list[ModelCard]"}, {}),
    "ModelCard": ({"id": "str", "object": "str", "created": "int", "owned_by": "str"}, {}),
    "NestedError": ({"error": "ErrorDetails"}, {}),
    "ErrorDetails": ({"message": "str"}, {"type": "None | Unset | str", "code": "None | Unset | int | str"}),
    "FlatError": ({"code": "int | str", "message": "str"}, {"data": "FlatErrorDataType0 | None | Unset"}),
}
OTHER_MODELS = ["DownloadVideoContentVariant", "FlatErrorDataType0"]
TAKEN_BY_PYTHON = {"object": "object_", "type": "type_"}

JOB = {
    "id": "video_456",
    "object": "video",
    "model": "sora-2",
    "status": "queued",
    "progress": 7,
    "created_at": 1758941485,
    "size": "1280x720",
    "seconds": "8",
    "remixed_from_video_id": "video_123",
}
INSTANCES: dict[str, dict[str, Any]] = {
    "Job": {name: value for name, value in JOB.items() if name != "remixed_from_video_id"},
    "RemixRequest": {"prompt": "cry", "model": "sora-2"},
    "RemixJob": JOB,
    "VideoJob": JOB
    | {"completed_at": None, "expires_at": 2, "prompt": None, "error": {"code": "moderation", "message": "Refused"}},
    "VideoJobError": {"code": "moderation", "message": "Refused"},
    "ModelList": {"object": "list", "data": [{"id": "sora-2", "object": "model", "created": 1, "owned_by": "openai"}]},
    "ModelCard": {"id": "sora-2", "object": "model", "created": 1, "owned_by": "openai"},
    "NestedError": {"error": {"message": "No", "type": None, "code": 7}},
    "ErrorDetails": {"message": "No", "type": "api_error", "code": "no"},
    "FlatError": {"code": "no", "message": "No", "data": None},
}


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
    assert found == set(OPERATIONS), f"operations {sorted(found)}, expected {sorted(OPERATIONS)}"


def test_nothing_but_these_models() -> None:
    check(differences(sorted([*MODELS, *OTHER_MODELS]), sorted(models.__all__), "models"))


def test_the_variants_are_these() -> None:
    values = [variant.value for variant in models.DownloadVideoContentVariant]
    check(differences(["spritesheet", "thumbnail", "video"], sorted(values), "DownloadVideoContentVariant"))


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
    required, optional = MODELS[name]
    expected = {attribute(field): hint for field, hint in (required | optional).items()}
    hints = typing.get_type_hints(getattr(models, name), localns=vars(models))
    del hints["additional_properties"]
    check(differences(expected, {field: told(hint) for field, hint in hints.items()}, name))


@pytest.mark.parametrize("name", MODELS)
def test_the_model_requires_these_fields(name: str) -> None:
    fields = attrs.fields(getattr(models, name))
    required = [field.name for field in fields if field.init and field.default is attrs.NOTHING]
    expected = [attribute(field) for field in MODELS[name][0]]
    assert required == expected, f"{name} requires {required}, expected {expected}"


@pytest.mark.parametrize("name", MODELS)
def test_the_model_reads_and_writes_every_field_and_extra(name: str) -> None:
    written = INSTANCES[name] | {"x_new": [1]}
    read = getattr(models, name).from_dict(written)
    check(differences(written, read.to_dict(), name))
    assert read.additional_properties == {"x_new": [1]}, f"{name}: extra fields are {read.additional_properties}"


@pytest.mark.parametrize("name", MODELS)
def test_the_model_keeps_every_field_under_its_own_name(name: str) -> None:
    read = getattr(models, name).from_dict(INSTANCES[name])
    for field, value in INSTANCES[name].items():
        kept = getattr(read, attribute(field))
        if isinstance(value, dict):
            kept = kept.to_dict()
        elif isinstance(value, list):
            kept = [entry.to_dict() for entry in kept]
        assert kept == value, f"{name}.{field} is {kept!r}, expected {value!r}"


@pytest.mark.parametrize("name", [name for name in MODELS if MODELS[name][1]])
def test_the_model_writes_nothing_for_what_is_unset(name: str) -> None:
    needed = {field: value for field, value in INSTANCES[name].items() if field in MODELS[name][0]}
    read = getattr(models, name).from_dict(needed)
    check(differences(needed, read.to_dict(), name))
    for field in MODELS[name][1]:
        kept = getattr(read, attribute(field))
        assert isinstance(kept, Unset), f"{name}.{field} is {kept!r}, expected UNSET"


def module(operation: str) -> Any:
    return importlib.import_module(f"{PACKAGE}.api.{operation}")


def call(operation: str, arguments: dict[str, Any], answer: httpx.Response, *, twin: str) -> tuple[Any, Any]:
    """What the generated function makes of the answer, and the request that it sent."""
    sent: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return answer

    arguments = dict(arguments)
    if "body" in arguments:
        arguments["body"] = models.RemixRequest(**arguments["body"])
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
@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_function_takes_these_arguments(operation: str, function: str) -> None:
    hints = typing.get_type_hints(getattr(module(operation), function))
    del hints["return"]
    expected = {**OPERATIONS[operation][0], "client": "AuthenticatedClient"}
    check(differences(expected, {name: told(hint) for name, hint in hints.items()}, operation))


@pytest.mark.parametrize("twin", ["sync", "async"])
@pytest.mark.parametrize(("operation", "arguments", "expected"), CALLS)
def test_the_function_sends_this_request(
    operation: str, arguments: dict[str, Any], expected: tuple[str, str, bytes], twin: str
) -> None:
    _, request = call(operation, arguments, httpx.Response(500, json=INSTANCES["FlatError"]), twin=twin)
    actual = (request.method, request.url.raw_path.decode("ascii"), request.content)
    assert actual == expected, f"{operation}: sent {actual}, expected {expected}"
    kind = request.headers.get("Content-Type")
    assert kind == ("application/json" if "body" in arguments else None), f"{operation}: content type {kind}"


@pytest.mark.parametrize("twin", ["sync", "async"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_function_reads_every_documented_answer(operation: str, twin: str) -> None:
    given = next(arguments for name, arguments, _ in CALLS if name == operation)
    answers = [*OPERATIONS[operation][1].items()]
    answers += [(status, name) for status in ERROR_STATUSES for name in ("FlatError", "NestedError")]
    for status, expected in answers:
        where = f"{operation} {status}"
        if expected == "File":
            file, _ = call(operation, given, httpx.Response(status, content=b"\0\xff"), twin=twin)
            content = file and file.payload.read()
            assert content == b"\0\xff", f"{where}: {content!r}, expected the bytes that came"
            continue
        written = INSTANCES[expected]
        parsed, _ = call(operation, given, httpx.Response(status, json=written), twin=twin)
        assert type(parsed).__name__ == expected, f"{where}: {type(parsed).__name__}, expected {expected}"
        check(differences(written, parsed.to_dict(), where))

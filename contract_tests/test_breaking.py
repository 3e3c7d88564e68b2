"""The judge of breaking changes, on changes that are known to break clients and changes that are known not to."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from .breaking import RELEASED, breaking_changes, is_announced, main
from .edits import GONE, edited

REMIX = "paths:/v1/videos/{video_id}/remix:post"
RETRIEVE = "paths:/v1/videos/{video_id}:get"
DOWNLOAD = "paths:/v1/videos/{video_id}/content:get"
SCHEMAS = "components:schemas"
JOB = f"{SCHEMAS}:VideoJob:properties"
REQUEST = f"{SCHEMAS}:RemixRequest"

TEXT = {"type": "string"}
SEED = {"name": "seed", "in": "query", "schema": {"type": "integer"}}
BEARER: dict[str, list[str]] = {"bearerAuth": []}

# What is edited, where to which value, and the line that must come of it.
BREAKING: dict[str, tuple[dict[str, Any], str]] = {
    "an operation is gone": ({"paths:/v1/models": GONE}, "listModels: the operation GET /v1/models is gone"),
    "an operation has another method": (
        {f"{REMIX[:-5]}": {"put": {"responses": {}}}},
        "remixVideo: the operation POST /v1/videos/{video_id}/remix is gone",
    ),
    "an operation has another id": (
        {f"{RETRIEVE}:operationId": "getVideo"},
        "retrieveVideo: operationId is now getVideo",
    ),
    "the server is another": (
        {"servers": [{"url": "https://example.com"}]},
        "servers: https://api.deerapi.com is gone",
    ),
    "a status is gone": ({f"{REMIX}:responses:429": GONE}, "remixVideo: status 429 is gone"),
    "a success is new": ({f"{REMIX}:responses:202": {"description": "Later"}}, "remixVideo: status 202 is new"),
    "a redirect is new": (
        {f"{DOWNLOAD}:responses:302": {"description": "There"}},
        "downloadVideoContent: status 302 is new",
    ),
    "another key is asked for": (
        {"components:securitySchemes:bearerAuth": {"type": "apiKey", "in": "header", "name": "X-Key"}},
        "remixVideo: its security is no longer accepted",
    ),
    "a second key is asked for": (
        {
            "components:securitySchemes:other": {"type": "apiKey", "in": "header", "name": "X-Key"},
            f"{RETRIEVE}:security": [{**BEARER, "other": []}],
        },
        "retrieveVideo: its security is no longer accepted",
    ),
    "a parameter is gone": (
        {f"{DOWNLOAD}:parameters": [{"$ref": "#/components/parameters/VideoId"}]},
        "downloadVideoContent: query variant is gone",
    ),
    "a parameter is new and required": (
        {"paths:/v1/models:get:parameters": [SEED | {"required": True}]},
        "listModels: query seed is new and required",
    ),
    "a parameter is now required": (
        {"components:parameters:Variant:required": True},
        "downloadVideoContent: query variant is now required",
    ),
    "a value of a parameter is gone": (
        {"components:parameters:Variant:schema:enum": ["video", "thumbnail"]},
        "downloadVideoContent: query variant: 'spritesheet' is no longer valid",
    ),
    "a parameter has another style": (
        {"components:parameters:VideoId:style": "label"},
        "retrieveVideo: path video_id: style is now label",
    ),
    "a parameter has another type": (
        {"components:parameters:Variant:schema": {"type": "integer"}},
        "downloadVideoContent: query variant: 'video' is no longer valid",
    ),
    "the body has another type": (
        {f"{REMIX}:requestBody:content": {"multipart/form-data": {"schema": TEXT}}},
        "remixVideo: the body is no longer taken as application/json",
    ),
    "the body is no longer taken": (
        {f"{REMIX}:requestBody": GONE},
        "remixVideo: the body is no longer taken as application/json",
    ),
    "an answer has lost its schema": (
        {f"{RETRIEVE}:responses:200:content:application/json:schema": GONE},
        "retrieveVideo 200.status is gone",
    ),
    "a key needs a scope": ({f"{RETRIEVE}:security": [{"bearerAuth": ["read"]}]}, "retrieveVideo: its security is no"),
    "a header of a request is new and required": (
        {"paths:/v1/models:get:parameters": [SEED | {"in": "header", "required": True}]},
        "listModels: header seed is new and required",
    ),
    "a field of the body is now required": ({f"{REQUEST}:required": ["prompt", "model"]}, "remixVideo: body: {"),
    "a field of the body is gone": ({f"{REQUEST}:properties:model": GONE}, "remixVideo: body.model is gone"),
    "a new field of the body is required": (
        {f"{REQUEST}:required": ["prompt", "seed"], f"{REQUEST}:properties:seed": {"type": "integer"}},
        "remixVideo: body: {",
    ),
    "a field of the body has another type": ({f"{REQUEST}:properties:model:type": "integer"}, "remixVideo: body: {"),
    "a field of the body is shorter": ({f"{REQUEST}:properties:prompt:maxLength": 100}, "remixVideo: body: {"),
    "a field of the body has a limit of length": ({f"{REQUEST}:properties:prompt:minLength": 5}, "remixVideo: body: {"),
    "a field of the body has another pattern": (
        {f"{REQUEST}:properties:prompt:pattern": "^[a-z]+$"},
        "remixVideo: body.prompt: pattern is now '^[a-z]+$'",
    ),
    "a field of the body is one of a few": ({f"{REQUEST}:properties:model:enum": ["sora-2"]}, "remixVideo: body: {"),
    "the body takes no other fields": ({f"{REQUEST}:additionalProperties": False}, "remixVideo: body: {"),
    "a field of an answer is gone": ({f"{JOB}:progress": GONE}, "retrieveVideo 200.progress is gone"),
    "a field of an answer has another name": (
        {f"{JOB}:seconds": GONE, f"{JOB}:duration": TEXT},
        "retrieveVideo 200.seconds is gone",
    ),
    "a field of an answer is no longer required": ({f"{SCHEMAS}:VideoJob:required": ["id"]}, "retrieveVideo 200: {"),
    "a field of an answer has another type": ({f"{JOB}:created_at:type": "string"}, "retrieveVideo 200: {"),
    "a field of an answer may be null": ({f"{JOB}:status:type": ["string", "null"]}, "retrieveVideo 200: {"),
    "a field of an answer may be more": ({f"{JOB}:progress:maximum": 1000}, "retrieveVideo 200: {"),
    "a field of an answer may be less": ({f"{JOB}:progress:minimum": GONE}, "retrieveVideo 200: {"),
    "a field of an answer may be anything": ({f"{JOB}:size": {}}, "retrieveVideo 200: {"),
    "a field of an answer has lost its pattern": (
        {f"{SCHEMAS}:Identifier:pattern": GONE},
        "retrieveVideo 200.id: pattern is now None",
    ),
    "a field inside an answer is no longer required": (
        {f"{SCHEMAS}:VideoJobError:required": ["code"]},
        "retrieveVideo 200: {",
    ),
    "a field in a list is gone": (
        {f"{SCHEMAS}:ModelCard:properties:created": GONE},
        "listModels 200.data[].created is gone",
    ),
    "an error has a third shape": ({f"{SCHEMAS}:Error:anyOf:2": TEXT}, "remixVideo 400: ''"),
    "an error has lost a shape": ({f"{SCHEMAS}:Error:anyOf:1": GONE}, "remixVideo 400.code is gone"),
    "a header is gone": (
        {"components:responses:TooManyRequests:headers:Retry-After": GONE},
        "remixVideo 429: header Retry-After is gone",
    ),
    "a header is no longer required": (
        {"components:headers:RequestIdOfFailure:required": False},
        "remixVideo 400: header X-Oneapi-Request-Id is no longer required",
    ),
    "a header may be empty": (
        {"components:headers:RequestId:schema:minLength": GONE},
        "remixVideo 200: header X-Oneapi-Request-Id: '' may come",
    ),
    "a media type is gone": (
        {f"{DOWNLOAD}:responses:200:content:image/webp": GONE},
        "downloadVideoContent 200: media type image/webp is gone",
    ),
    "a media type is new": (
        {f"{DOWNLOAD}:responses:200:content:video/webm": {"schema": TEXT}},
        "downloadVideoContent 200: media type video/webm is new",
    ),
}

HARMLESS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "prose": {f"{REMIX}:summary": "Remix", f"{JOB}:status:description": "Where it is."},
    "a source": {f"{SCHEMAS}:VideoJob:x-source": "A: vendor's page"},
    "an example": {f"{REMIX}:requestBody:content:application/json:example": {"prompt": "laugh"}},
    "a new operation": {"paths:/v1/balance": {"get": {"operationId": "getBalance", "responses": {}}}},
    "a new method": {"paths:/v1/videos/{video_id}:delete": {"operationId": "deleteVideo", "responses": {}}},
    "a new optional parameter": {"paths:/v1/models:get:parameters": [SEED]},
    "a new value of a parameter": {
        "components:parameters:Variant:schema:enum": ["video", "thumbnail", "spritesheet", "gif"]
    },
    "a new optional field of the body": {f"{REQUEST}:properties:seed": {"type": "integer"}},
    "a field of the body no longer required": {f"{REQUEST}:required": []},
    "a field of the body that may be null": {f"{REQUEST}:properties:model:type": ["string", "null"]},
    "a field of the body without its limits": {
        f"{REQUEST}:properties:prompt:minLength": GONE,
        f"{REQUEST}:properties:prompt:pattern": GONE,
    },
    "a new optional header of a request": {"paths:/v1/models:get:parameters": [SEED | {"in": "header"}]},
    "a body that may be left out": {f"{REMIX}:requestBody:required": False},
    "a new type of the body": {f"{REMIX}:requestBody:content:multipart/form-data": {"schema": TEXT}},
    "a new field of an answer": {f"{JOB}:quality": TEXT},
    "a field of an answer now required": {f"{SCHEMAS}:VideoJob:required": ["id", "status", "progress"]},
    "a narrower field of an answer": {f"{JOB}:progress:maximum": 99, f"{JOB}:prompt:type": "string"},
    "a field of an answer written in another way": {
        f"{JOB}:prompt": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        f"{JOB}:id": {"type": "string", "minLength": 1, "pattern": "\\S"},
    },
    "a new error": {f"{REMIX}:responses:409": {"$ref": "#/components/responses/BadRequest"}},
    "a new header": {f"{REMIX}:responses:200:headers:X-Cost": {"schema": TEXT}},
    "a header now required": {"components:headers:RequestId:required": True},
    "a header in other letters": {
        "components:responses:TooManyRequests:headers:Retry-After": GONE,
        "components:responses:TooManyRequests:headers:retry-after": {"$ref": "#/components/headers/RetryAfter"},
    },
    "a second key that does as well": {
        "components:securitySchemes:other": {"type": "apiKey", "in": "header", "name": "X-Key"},
        f"{RETRIEVE}:security": [BEARER, {"other": []}],
    },
    "a security scheme under another name": {
        "components:securitySchemes:key": {"type": "http", "scheme": "bearer"},
        f"{RETRIEVE}:security": [{"key": []}],
    },
    "a second server": {"servers:1": {"url": "https://eu.example.com"}},
}


@pytest.fixture(scope="module")
def released() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(RELEASED.read_text(encoding="utf-8"))
    return document


@pytest.mark.parametrize("name", BREAKING)
def test_a_breaking_change_is_found(name: str, released: dict[str, Any]) -> None:
    edits, expected = BREAKING[name]
    found = breaking_changes(released, edited(released, edits))
    assert any(line.startswith(expected) for line in found), f"breaking.py: {name}: {found}, expected {expected!r}"


@pytest.mark.parametrize("name", HARMLESS)
def test_a_harmless_change_is_let_through(name: str, released: dict[str, Any]) -> None:
    found = breaking_changes(released, edited(released, HARMLESS[name]))
    assert not found, f"breaking.py: {name}: {found}, expected nothing"


def test_this_document_breaks_no_released_client(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0, f"openapi.yaml: {capsys.readouterr().out}"


def test_a_breaking_change_fails_unless_it_is_announced(
    released: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = tmp_path / "new.yaml"
    new.write_text(yaml.safe_dump(edited(released, {"paths:/v1/models": GONE})), encoding="utf-8")
    assert main([str(RELEASED), str(new)]) == 1, "breaking.py: a removed operation passed"
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "listModels: the operation GET /v1/models is gone", f"breaking.py: it printed {told}"


@pytest.mark.parametrize(
    ("version", "changelog", "expected"),
    [
        ("2.0.0", "# Changelog\n\n## [Unreleased]\n\n### Breaking\n\n- No list.\n", True),
        ("10.0.0", "## [Unreleased]\n### Breaking\n## [0.1.0]\n", True),
        ("1.9.0", "## [Unreleased]\n\n### Breaking\n\n- No list.\n", False),
        ("2.0.0", "## [Unreleased]\n\n### Changed\n\n- No list. ### Breaking\n", False),
        ("2.0.0", "## [Unreleased]\n\n## [0.1.0]\n\n### Breaking\n\n- Long ago.\n", False),
        ("2.0.0", "", False),
    ],
)
def test_version_and_changelog_must_both_announce_it(
    version: str, changelog: str, expected: bool, released: dict[str, Any]
) -> None:
    announced = is_announced(released, edited(released, {"info:version": version}), changelog)
    assert announced == expected, f"breaking.py: {version} with {changelog!r} is announced: {announced}"

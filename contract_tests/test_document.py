"""The document itself: valid, whole, and word for word what it was agreed to be.

Every expectation is written out here. A table read from the document could not see the document change.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

from .document import PATH, Document, Node, check, differences

# ---- What the vendor's page of the remix endpoint says

SERVER = "https://api.deerapi.com"
REMIX = ("POST", "/v1/videos/{video_id}/remix")
PAGE_PROMPT = "Extend the scene with the cat taking a bow to the cheering audience"
PAGE_BODY = {"prompt": ("string", True, "cry"), "model": ("string", False, "sora-2")}
PAGE_ANSWER = {
    "id": "string",
    "object": "string",
    "model": "string",
    "status": "string",
    "progress": "integer",
    "created_at": "integer",
    "size": "string",
    "seconds": "string",
    "remixed_from_video_id": "string",
}
PAGE_RETRIED = (429, 500, 503)

# ---- What the document holds, annotations aside

ERRORS = {
    "400": "BadRequest",
    "401": "Unauthorized",
    "403": "Forbidden",
    "404": "NotFound",
    "429": "TooManyRequests",
    "500": "InternalServerError",
    "503": "ServiceUnavailable",
}
STRING = {"type": "string"}
FILLED = {"type": "string", "minLength": 1}
NOT_BLANK = {"type": "string", "minLength": 1, "pattern": r"\S"}
INTEGER = {"type": "integer"}
BINARY = {"type": "string", "format": "binary"}


def ref(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{name}"}


def json_of(schema: str) -> dict[str, Any]:
    return {"application/json": {"schema": ref("schemas", schema)}}


FILES = {
    "video/mp4": {"schema": ref("schemas", "VideoContent")},
    "image/webp": {"schema": ref("schemas", "ThumbnailContent")},
    "image/jpeg": {"schema": ref("schemas", "SpritesheetContent")},
}
REQUEST_ID = {"X-Oneapi-Request-Id": ref("headers", "RequestId")}
FAILURES = {status: ref("responses", name) for status, name in ERRORS.items()}
FETCH = {"operationId": "downloadVideoContent", "parameters": {"video_id": "$response.body#/id"}}
FOLLOW = {"operationId": "retrieveVideo", "parameters": {"video_id": "$response.body#/id"}}
BEARER: list[dict[str, list[str]]] = [{"bearerAuth": []}]

OPERATIONS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "remixVideo": (
        *REMIX,
        {
            "tags": ["videos"],
            "security": BEARER,
            "parameters": [ref("parameters", "SourceVideoId")],
            "requestBody": {"required": True, "content": json_of("RemixRequest")},
            "responses": {
                "200": {
                    "headers": REQUEST_ID,
                    "content": json_of("RemixJob"),
                    "links": {"retrieve": FOLLOW, "content": FETCH},
                },
                **FAILURES,
            },
        },
    ),
    "retrieveVideo": (
        "GET",
        "/v1/videos/{video_id}",
        {
            "tags": ["videos"],
            "security": BEARER,
            "parameters": [ref("parameters", "VideoId")],
            "responses": {
                "200": {"headers": REQUEST_ID, "content": json_of("VideoJob"), "links": {"content": FETCH}},
                **FAILURES,
            },
        },
    ),
    "downloadVideoContent": (
        "GET",
        "/v1/videos/{video_id}/content",
        {
            "tags": ["videos"],
            "security": BEARER,
            "parameters": [ref("parameters", "VideoId"), ref("parameters", "Variant")],
            "responses": {
                "200": {"headers": REQUEST_ID, "content": FILES},
                "206": {"headers": {**REQUEST_ID, "Content-Range": ref("headers", "ContentRange")}, "content": FILES},
                **FAILURES,
            },
        },
    ),
    "listModels": (
        "GET",
        "/v1/models",
        {
            "tags": ["models"],
            "security": BEARER,
            "responses": {"200": {"headers": REQUEST_ID, "content": json_of("ModelList")}, **FAILURES},
        },
    ),
}


def failure(*headers: str) -> dict[str, Any]:
    request_id = {"X-Oneapi-Request-Id": ref("headers", "RequestIdOfFailure")}
    return {
        "headers": {**request_id, **{name: ref("headers", name.replace("-", "")) for name in headers}},
        "content": json_of("Error"),
    }


def job(required: list[str], properties: dict[str, Any]) -> dict[str, Any]:
    fields = {"type": "object", "properties": properties}
    return {"type": "object", "allOf": [ref("schemas", "Job"), fields], "required": required}


COMPONENTS: dict[str, dict[str, Any]] = {
    "securitySchemes": {"bearerAuth": {"type": "http", "scheme": "bearer"}},
    "parameters": {
        "SourceVideoId": {"name": "video_id", "in": "path", "required": True, "schema": ref("schemas", "Identifier")},
        "VideoId": {"name": "video_id", "in": "path", "required": True, "schema": ref("schemas", "Identifier")},
        "Variant": {
            "name": "variant",
            "in": "query",
            "required": False,
            "schema": {"type": "string", "enum": ["video", "thumbnail", "spritesheet"]},
        },
    },
    "headers": {
        "RequestId": {"required": False, "schema": FILLED},
        "RequestIdOfFailure": {"required": True, "schema": FILLED},
        "RetryAfter": {"required": False, "schema": FILLED},
        "ContentRange": {
            "required": True,
            "schema": {"type": "string", "pattern": r"^bytes [0-9]+-[0-9]+/([0-9]+|\*)$"},
        },
    },
    "responses": {
        "BadRequest": failure(),
        "Unauthorized": failure(),
        "Forbidden": failure(),
        "NotFound": failure(),
        "TooManyRequests": failure("Retry-After"),
        "InternalServerError": failure(),
        "ServiceUnavailable": failure("Retry-After"),
    },
    "schemas": {
        "Identifier": NOT_BLANK,
        "RemixRequest": {
            "type": "object",
            "required": ["prompt"],
            "properties": {"prompt": NOT_BLANK, "model": NOT_BLANK},
        },
        "Job": {
            "type": "object",
            "properties": {
                "id": ref("schemas", "Identifier"),
                "object": STRING,
                "model": STRING,
                "status": STRING,
                "progress": {"type": "integer", "minimum": 0, "maximum": 100},
                "created_at": INTEGER,
                "size": STRING,
                "seconds": STRING,
            },
        },
        "RemixJob": job(list(PAGE_ANSWER), {"remixed_from_video_id": STRING}),
        "VideoJob": job(
            ["id", "status"],
            {
                "completed_at": {"type": ["integer", "null"]},
                "expires_at": {"type": ["integer", "null"]},
                "error": {"oneOf": [ref("schemas", "VideoJobError"), {"type": "null"}]},
                "remixed_from_video_id": {"type": ["string", "null"]},
                "prompt": {"type": ["string", "null"]},
            },
        ),
        "VideoJobError": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {"code": STRING, "message": STRING},
        },
        "VideoContent": BINARY,
        "ThumbnailContent": BINARY,
        "SpritesheetContent": BINARY,
        "ModelList": {
            "type": "object",
            "required": ["object", "data"],
            "properties": {"object": STRING, "data": {"type": "array", "items": ref("schemas", "ModelCard")}},
        },
        "ModelCard": {
            "type": "object",
            "required": ["id", "object", "created", "owned_by"],
            "properties": {"id": NOT_BLANK, "object": STRING, "created": INTEGER, "owned_by": STRING},
        },
        "Error": {"anyOf": [ref("schemas", "NestedError"), ref("schemas", "FlatError")]},
        "NestedError": {
            "type": "object",
            "required": ["error"],
            "properties": {"error": ref("schemas", "ErrorDetails")},
        },
        "ErrorDetails": {
            "type": "object",
            "required": ["message"],
            "properties": {
                "message": STRING,
                "type": {"type": ["string", "null"]},
                "code": {"type": ["string", "integer", "null"]},
            },
        },
        "FlatError": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": ["string", "integer"]},
                "message": STRING,
                "data": {"type": ["object", "null"], "const": None},
            },
        },
    },
}

# ---- What OpenAPI 3.1 knows: the keys of every kind of object, and which kind is found under them.
# A list holds a kind once or several times, a set holds it under names of one's own.

LEAF: list[str] = []
GRAMMAR: dict[str, dict[str, Any]] = {
    "document": {
        "info": "info",
        "servers": ["server"],
        "paths": {"path"},
        "webhooks": {"path"},
        "components": "components",
        "tags": ["tag"],
        **dict.fromkeys(("openapi", "jsonSchemaDialect", "security", "externalDocs"), LEAF),
    },
    "info": dict.fromkeys(("title", "summary", "description", "termsOfService", "contact", "license", "version"), LEAF),
    "server": dict.fromkeys(("url", "description", "variables"), LEAF),
    "tag": dict.fromkeys(("name", "description", "externalDocs"), LEAF),
    "components": {
        "schemas": {"schema"},
        "responses": {"response"},
        "parameters": {"parameter"},
        "examples": {"example"},
        "requestBodies": {"request body"},
        "headers": {"header"},
        "securitySchemes": {"security scheme"},
        "links": {"link"},
        "callbacks": LEAF,
        "pathItems": {"path"},
    },
    "path": {
        **dict.fromkeys(("get", "put", "post", "delete", "options", "head", "patch", "trace"), "operation"),
        **dict.fromkeys(("summary", "description", "servers"), LEAF),
        "parameters": ["parameter"],
    },
    "operation": {
        "parameters": ["parameter"],
        "requestBody": "request body",
        "responses": {"response"},
        **dict.fromkeys(
            ("tags", "summary", "description", "externalDocs", "operationId", "callbacks", "deprecated"), LEAF
        ),
        **dict.fromkeys(("security", "servers"), LEAF),
    },
    "parameter": {
        "schema": "schema",
        "examples": {"example"},
        "content": {"media type"},
        **dict.fromkeys(("name", "in", "description", "required", "deprecated", "allowEmptyValue"), LEAF),
        **dict.fromkeys(("style", "explode", "allowReserved", "example"), LEAF),
    },
    "header": {
        "schema": "schema",
        "examples": {"example"},
        "content": {"media type"},
        **dict.fromkeys(("description", "required", "deprecated", "style", "explode", "example"), LEAF),
    },
    "request body": {"description": LEAF, "required": LEAF, "content": {"media type"}},
    "media type": {"schema": "schema", "example": LEAF, "examples": {"example"}, "encoding": LEAF},
    "response": {"description": LEAF, "headers": {"header"}, "content": {"media type"}, "links": {"link"}},
    "example": dict.fromkeys(("summary", "description", "value", "externalValue"), LEAF),
    "link": dict.fromkeys(("operationRef", "operationId", "parameters", "requestBody", "description"), LEAF),
    "security scheme": dict.fromkeys(
        ("type", "description", "name", "in", "scheme", "bearerFormat", "flows", "openIdConnectUrl"), LEAF
    ),
    "schema": {
        **{key: {"schema"} for key in ("properties", "patternProperties", "dependentSchemas", "$defs")},
        **{key: ["schema"] for key in ("allOf", "anyOf", "oneOf", "prefixItems")},
        **dict.fromkeys(("items", "contains", "not", "if", "then", "else", "propertyNames"), "schema"),
        **dict.fromkeys(("type", "enum", "const", "format", "required", "pattern"), LEAF),
        **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "uniqueItems"), LEAF),
        **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"), LEAF),
        **dict.fromkeys(("minProperties", "maxProperties", "additionalProperties", "dependentRequired"), LEAF),
        **dict.fromkeys(("title", "description", "default", "examples", "deprecated"), LEAF),
        **dict.fromkeys(("readOnly", "writeOnly", "contentMediaType", "contentEncoding", "discriminator"), LEAF),
    },
}


def parts(node: Any, kind: str = "document", place: str = "#") -> Iterator[tuple[str, str, Node]]:
    """Kind, place and node of everything that the grammar knows in the document; references are not followed."""
    if not isinstance(node, dict):
        return
    yield kind, place, node
    for key, value in node.items():
        inside = GRAMMAR[kind].get(key, LEAF)
        if isinstance(inside, str):
            yield from parts(value, inside, f"{place}/{key}")
        elif inside and isinstance(inside, set) == isinstance(value, dict):
            (kind_inside,) = inside
            for name, entry in value.items() if isinstance(value, dict) else enumerate(value):
                yield from parts(entry, kind_inside, f"{place}/{key}/{name}")


def of_kind(document: Document, *kinds: str) -> Iterator[tuple[str, Node]]:
    """Place and node of all parts of these kinds that are no references."""
    for kind, place, node in parts(document.raw):
        if kind in kinds and "$ref" not in node:
            yield place, node


def answers(document: Document) -> Iterator[tuple[str, str, Node]]:
    """Operation and status as text, the status, and the answer."""
    for _, _, operation in document.operations():
        for status, answer in operation["responses"].items():
            yield f"{operation.get('operationId')} {status}", str(status), document.resolved(answer)


def examples(node: Node) -> list[Any]:
    """The examples of a media type, parameter or header."""
    named = [example["value"] for example in node.get("examples", {}).values()]
    return [node["example"], *named] if "example" in node else named


def skeleton(node: Any, *, names: bool = False) -> Any:
    """`node` without what does not bind: prose, sources, examples. The keys under `names` are somebody's names."""
    if isinstance(node, list):
        return [skeleton(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    prose = {"description", "summary", "title", "example", "examples", "x-source", "operationId"}
    return {
        key: skeleton(value, names=key in {"properties", "headers", "content", "responses", "links"})
        for key, value in node.items()
        if names or key not in prose
    }


def links_skeleton(node: Any) -> Any:
    """The links of an answer, where the operation is what binds."""
    return {name: {key: link[key] for key in link if key != "description"} for name, link in node.items()}


# ---- The form


class StrictLoader(yaml.SafeLoader):
    """Refuses what YAML otherwise settles in silence: a key given twice, a key that is not a string."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        line = node.start_mark.line + 1
        twice = [key for key, count in Counter(map(str, keys)).items() if count > 1]
        assert not twice, f"line {line}: given twice: {', '.join(twice)}"
        unquoted = [key for key in keys if not isinstance(key, str)]
        assert not unquoted, f"line {line}: not a string, quote it: {', '.join(map(str, unquoted))}"
        return super().construct_mapping(node, deep)


def test_keys_are_strings_and_given_once() -> None:
    yaml.load(PATH.read_text(encoding="utf-8"), StrictLoader)


def test_the_document_is_valid_openapi_3_1(document: Document) -> None:
    assert document.raw["openapi"] == "3.1.0", f"#/openapi is {document.raw['openapi']!r}, expected '3.1.0'"
    errors = OpenAPIV31SpecValidator(document.raw).iter_errors()
    check(f"#/{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in errors)


def test_every_key_is_one_that_openapi_knows(document: Document) -> None:
    check(
        f"{place}: {key} is no key of a {kind}"
        for kind, place, node in parts(document.raw)
        for key in node
        if key not in ({"$ref", "summary", "description"} if "$ref" in node else GRAMMAR[kind])
        and not str(key).startswith("x-")
    )


def test_every_reference_resolves_to_its_kind(document: Document) -> None:
    kinds = {place: kind for kind, place, _ in parts(document.raw)}
    check(
        f"{place}: {node['$ref']} is {kinds.get(node['$ref'], 'nothing')}, not a {kind}"
        for kind, place, node in parts(document.raw)
        if "$ref" in node and kinds.get(node["$ref"]) != kind
    )


def test_every_component_is_used(document: Document) -> None:
    used = {node["$ref"] for _, _, node in parts(document.raw) if "$ref" in node}
    for _, _, operation in document.operations():
        used |= {f"#/components/securitySchemes/{name}" for one in operation.get("security", []) for name in one}
    check(
        f"#/components/{kind}/{name} is used nowhere"
        for kind, entries in document.raw["components"].items()
        for name in entries
        if f"#/components/{kind}/{name}" not in used
    )


# ---- Our own rules


def test_every_operation_has_an_id_of_its_own(document: Document) -> None:
    ids = [(f"{method} {path}", node.get("operationId")) for method, path, node in document.operations()]
    count = Counter(operation_id for _, operation_id in ids)
    check(
        f"{operation}: operationId is {operation_id!r}, {count[operation_id]} times"
        for operation, operation_id in ids
        if not operation_id or count[operation_id] > 1
    )


def test_every_operation_has_a_summary(document: Document) -> None:
    check(f"{place}: there is no summary" for place, node in of_kind(document, "operation") if not node.get("summary"))


def test_every_operation_names_its_security(document: Document) -> None:
    schemes = document.raw["components"].get("securitySchemes", {})
    for place, node in of_kind(document, "operation"):
        names = [name for alternative in node.get("security", []) for name in alternative]
        assert names, f"{place}: it names no security of its own"
        assert all(node["security"]), f"{place}: security is optional"
        check(f"{place}: no security scheme {name}" for name in names if name not in schemes)


def test_every_part_names_its_source(document: Document) -> None:
    kinds = ("info", "operation", "parameter", "header", "response", "schema", "security scheme")
    for place, node in of_kind(document, *kinds):
        # What stands inside an operation or a schema shares its source, unless it says otherwise.
        own = place.count("/") == 3 and place.startswith("#/components/")
        if own or place == "#/info" or "operationId" in node or "x-source" in node:
            source = str(node.get("x-source", ""))
            assert re.match("[ABC]: .", source), f"{place}: x-source is {source!r}, expected a grade A, B or C and why"


def test_every_answer_has_an_example_for_every_media_type(document: Document) -> None:
    for place, _, answer in answers(document):
        assert answer.get("content"), f"{place}: no media type"
        check(f"{place} {kind}: no example" for kind, media in answer["content"].items() if not examples(media))


def test_every_request_body_has_an_example(document: Document) -> None:
    for place, body in of_kind(document, "request body"):
        check(f"{place} {kind}: no example" for kind, media in body["content"].items() if not examples(media))


def test_every_parameter_and_header_has_an_example(document: Document) -> None:
    check(f"{place}: no example" for place, node in of_kind(document, "parameter", "header") if not examples(node))


def test_every_error_shows_both_shapes(document: Document) -> None:
    for place, status, answer in answers(document):
        if status >= "400":
            shown = examples(answer["content"]["application/json"])
            nested = any(isinstance(example.get("error"), dict) for example in shown)
            flat = any("error" not in example and "message" in example for example in shown)
            assert nested, f"{place}: no example with the details inside `error`"
            assert flat, f"{place}: no example with the details at the top"


def test_every_error_requires_a_request_id(document: Document) -> None:
    for place, status, answer in answers(document):
        header = document.resolved(answer.get("headers", {}).get("X-Oneapi-Request-Id", {}))
        assert header, f"{place}: no header X-Oneapi-Request-Id"
        required = header.get("required", False)
        assert required == (status >= "400"), f"{place}: X-Oneapi-Request-Id has required: {required}"


def test_no_answer_has_a_closed_enum(document: Document) -> None:
    def closed(node: Any, place: str) -> Iterator[str]:
        node = document.resolved(node)
        if isinstance(node, dict):
            for key in ("enum", "const"):
                # Null cannot get a further value.
                if node.get(key) is not None:
                    yield f"{place}: {key} would refuse a new value"
            for key, value in node.items():
                yield from closed(value, f"{place}.{key}")
        for entry in node if isinstance(node, list) else []:
            yield from closed(entry, place)

    for place, _, answer in answers(document):
        for media in answer["content"].values():
            check(closed(media["schema"], place))


def test_every_status_is_a_number_of_three_digits(document: Document) -> None:
    check(
        f"{place}: {status!r} is no single status"
        for place, status, _ in answers(document)
        if not re.fullmatch("[1-5][0-9][0-9]", status)
    )


def test_every_link_leads_somewhere(document: Document) -> None:
    for place, _, answer in answers(document):
        for name, link in answer.get("links", {}).items():
            *_, target = document.operation(link["operationId"])
            wanted = set(document.parameters(target, "path"))
            assert set(link["parameters"]) == wanted, f"{place} link {name}: parameters are not {sorted(wanted)}"
            schema = document.resolved(answer["content"]["application/json"]["schema"])
            for expression in link["parameters"].values():
                field = expression.removeprefix("$response.body#/")
                assert field in schema["required"], f"{place} link {name}: {expression} need not be in the answer"


def test_every_path_parameter_is_in_its_path(document: Document) -> None:
    for _, path, operation in document.operations():
        named = set(re.findall(r"\{(.+?)\}", path))
        declared = set(document.parameters(operation, "path"))
        assert declared == named, f"{path}: path parameters {sorted(declared)}, expected {sorted(named)}"


def test_every_example_is_valid(document: Document) -> None:
    for place, node in of_kind(document, "media type", "parameter", "header"):
        for example in examples(node):
            check(document.problems(node["schema"], example, f"{place} example"))
    for place, node in of_kind(document, "schema"):
        for example in node.get("examples", []):
            check(document.problems(node, example, f"{place} example"))


# ---- Word for word


def test_the_server_is_the_vendors(document: Document) -> None:
    urls = [server["url"] for server in document.raw["servers"]]
    assert urls == [SERVER], f"#/servers is {urls}, expected {[SERVER]}"


def test_nothing_but_these_operations(document: Document) -> None:
    expected = {operation_id: f"{method} {path}" for operation_id, (method, path, _) in OPERATIONS.items()}
    actual = {node.get("operationId"): f"{method} {path}" for method, path, node in document.operations()}
    check(differences(expected, actual, "operations"))
    assert "webhooks" not in document.raw, "#/webhooks is not expected"
    assert "security" not in document.raw, "#/security is not expected: it stands on every operation"


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_the_operation_is_word_for_word(document: Document, operation_id: str) -> None:
    method, path, expected = OPERATIONS[operation_id]
    assert path in document.raw["paths"], f"{operation_id}: no path {path}"
    item = document.raw["paths"][path]
    assert list(item) == [method.lower()], f"{operation_id}: {path} has {list(item)}, expected {method.lower()}"
    actual = item[method.lower()]
    bare = skeleton(actual)
    for status, answer in actual["responses"].items():
        if "links" in answer:
            bare["responses"][status]["links"] = links_skeleton(answer["links"])
    check(differences(expected, bare, operation_id))


@pytest.mark.parametrize("kind", COMPONENTS)
def test_nothing_but_these_components(document: Document, kind: str) -> None:
    expected, actual = set(COMPONENTS[kind]), set(document.raw["components"].get(kind, {}))
    assert set(document.raw["components"]) == set(COMPONENTS), f"#/components has {sorted(document.raw['components'])}"
    check(f"#/components/{kind}/{name} is missing" for name in sorted(expected - actual))
    check(f"#/components/{kind}/{name} is not expected" for name in sorted(actual - expected))


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, entries in COMPONENTS.items() for name in entries])
def test_the_component_is_word_for_word(document: Document, kind: str, name: str) -> None:
    actual = document.raw["components"].get(kind, {}).get(name)
    check(differences(COMPONENTS[kind][name], skeleton(actual), f"{kind}.{name}"))


# ---- The remix operation and the vendor's page


@pytest.fixture
def remix(document: Document) -> Node:
    method, path = REMIX
    node: Node = document.raw["paths"].get(path, {}).get(method.lower(), {})
    return node


def test_remix_is_where_the_vendor_has_it(document: Document, remix: Node) -> None:
    found = [(method, path) for method, path, node in document.operations() if node.get("operationId") == "remixVideo"]
    assert found == [REMIX], f"remixVideo is at {found}, the vendor's page has it at {REMIX}"
    assert document.raw["servers"][0]["url"] == SERVER, f"remixVideo: the vendor's base URL is {SERVER}"


def test_remix_takes_the_vendors_bearer_key(document: Document, remix: Node) -> None:
    assert remix["security"] == BEARER, f"remixVideo: security is {remix['security']}, the vendor asks for a bearer key"
    scheme = document.raw["components"]["securitySchemes"]["bearerAuth"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer"), f"remixVideo: the scheme is {scheme}"


def test_remix_takes_the_vendors_path_parameter(document: Document, remix: Node) -> None:
    parameters = document.parameters(remix, "path")
    assert list(parameters) == ["video_id"], f"remixVideo: path parameters {list(parameters)}, the vendor has video_id"
    parameter = parameters["video_id"]
    assert parameter["required"] is True, "remixVideo: the vendor requires video_id"
    kind = document.resolved(parameter["schema"])["type"]
    assert kind == "string", f"remixVideo: video_id is {kind}, the vendor has a string"


def test_remix_takes_the_vendors_body(document: Document, remix: Node) -> None:
    assert list(remix["requestBody"]["content"]) == ["application/json"], "remixVideo: the vendor takes JSON alone"
    schema = document.resolved(remix["requestBody"]["content"]["application/json"]["schema"])
    actual = {
        name: (field.get("type"), name in schema["required"], *field.get("examples", []))
        for name, field in schema["properties"].items()
    }
    check(differences(PAGE_BODY, actual, "remixVideo: body"))


def test_remix_gives_the_vendors_answer(document: Document, remix: Node) -> None:
    schema = document.joined(remix["responses"]["200"]["content"]["application/json"]["schema"])
    actual = {name: document.resolved(field).get("type") for name, field in schema["properties"].items()}
    check(differences(PAGE_ANSWER, actual, "remixVideo: answer"))
    missing = sorted(set(PAGE_ANSWER) - set(schema["required"]))
    assert not missing, f"remixVideo: answer: the vendor requires {', '.join(missing)}"


def test_remix_shows_the_vendors_prompt(remix: Node) -> None:
    example = remix["requestBody"]["content"]["application/json"]["example"]
    assert example["prompt"] == PAGE_PROMPT, f"remixVideo: the example prompts {example['prompt']!r}"


@pytest.mark.parametrize("status", PAGE_RETRIED)
def test_remix_documents_what_the_vendor_asks_to_retry(remix: Node, status: int) -> None:
    assert str(status) in remix["responses"], f"remixVideo: the vendor names status {status}, the document does not"

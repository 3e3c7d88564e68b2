"""The OpenAPI document as a judge of answers."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from attrs import frozen

from deerapi_remix.testing._document import Document, Node, document

if TYPE_CHECKING:
    from ._exchange import Exchange

# A rule and what breaks it, None if nothing does.
Verdict = tuple[str, str | None]

_TYPES = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    type(None): "null",
    list: "array",
}


@frozen
class Operation:
    id: str
    method: str
    path: str
    responses: Mapping[int, Mapping[str, Any]]

    def url(self, video_id: str | None) -> str:
        return self.path.replace("{video_id}", quote(video_id or "", safe=""))


class Contract(Document):
    """The document; header names are in lower case wherever they come in."""

    def __init__(self, raw: Node) -> None:
        super().__init__(raw)
        self.by_id = {
            node["operationId"]: Operation(
                id=node["operationId"],
                method=method,
                path=path,
                responses={
                    int(status): self.resolved(answer)
                    for status, answer in node["responses"].items()
                },
            )
            for method, path, node in self.operations()
        }

    def find(self, method: str, path: str) -> tuple[str, str | None] | None:
        """The operation at a path as it was sent, and the video id in it."""
        for operation in self.by_id.values():
            match = re.fullmatch(operation.path.replace("{video_id}", "([^/]+)"), path)
            if match and method == operation.method:
                return operation.id, unquote(match[1]) if match.groups() else None
        return None

    def answers(self) -> Iterator[tuple[str, int, str]]:
        """Every documented answer: operation, status and media type."""
        for operation in self.by_id.values():
            for status, answer in operation.responses.items():
                for media_type in answer["content"]:
                    yield operation.id, status, media_type

    def examples(self, operation: str, status: int) -> Iterator[Any]:
        """The JSON values that the document gives as examples of an answer."""
        answer = self.by_id[operation].responses[status]
        content = answer["content"].get("application/json", {})
        if "example" in content:
            yield content["example"]
        for example in content.get("examples", {}).values():
            yield example["value"]

    def verdicts(self, exchange: "Exchange") -> Iterator[Verdict]:
        """What the document says about an answer."""
        responses, status = self.by_id[exchange.operation].responses, exchange.status
        if status not in responses:
            documented = ", ".join(map(str, responses))
            yield "status_code_conformance", f"status {status} is not among {documented}"
            return
        answer, media_type = responses[status], essence(exchange.headers)
        yield "status_code_conformance", None
        if media_type not in answer["content"]:
            allowed = ", ".join(answer["content"])
            wrong = f"content type {media_type!r} is not among {allowed}"
            yield "content_type_conformance", wrong
        else:
            yield "content_type_conformance", None
        yield "response_headers_conformance", self._wrong_header(answer, exchange.headers)
        schema = answer["content"].get(media_type, {}).get("schema")
        if schema and media_type == "application/json" and exchange.body_known:
            value, no_json = parsed(exchange.body)
            wrong_value = (
                no_json or _named_twice(exchange.body) or self._mismatch(schema, value, "$")
            )
            yield "response_schema_conformance", wrong_value

    def _wrong_header(self, answer: Mapping[str, Any], headers: Mapping[str, str]) -> str | None:
        for name, reference in answer.get("headers", {}).items():
            header, value = self.resolved(reference), headers.get(name.lower())
            if value is None:
                if header.get("required"):
                    return f"header {name} is missing"
            elif wrong := self._mismatch(header["schema"], value, f"header {name}"):
                return wrong
        return None

    def drift(self, exchange: "Exchange") -> Iterator[str]:
        """Where the fields of a JSON answer are others than those documented, required or not."""
        answer = self.by_id[exchange.operation].responses.get(exchange.status)
        if answer is None or essence(exchange.headers) != "application/json":
            return
        schema = answer["content"].get("application/json", {}).get("schema")
        value, no_json = parsed(exchange.body)
        if schema and not no_json:
            yield from self._drift(schema, value, "$")

    def _drift(self, schema: Mapping[str, Any], value: Any, place: str) -> Iterator[str]:
        schema = self.joined(schema)
        for branches in (schema.get("oneOf"), schema.get("anyOf")):
            if branches:
                resolved = [self.joined(branch) for branch in branches]
                schema = max(resolved, key=lambda branch: _likeness(branch, value))
        types = schema.get("type", [])
        types = [types] if isinstance(types, str) else types
        if types and not _is_one_of(types, value):
            yield f"{place}: {kind(value)}, documented as {' or '.join(types)}"
        elif isinstance(value, dict) and "properties" in schema:
            yield from self._drift_of_fields(schema, value, place)
        elif isinstance(value, list) and "items" in schema:
            for item in value:
                yield from self._drift(schema["items"], item, f"{place}[]")

    def _drift_of_fields(
        self, schema: Mapping[str, Any], value: Mapping[str, Any], place: str
    ) -> Iterator[str]:
        for name, field in schema["properties"].items():
            if name in value:
                yield from self._drift(field, value[name], f"{place}.{name}")
            else:
                required = ", required" if name in schema.get("required", ()) else ""
                yield f"{place}.{name}: missing{required}"
        for name in value:
            if name not in schema["properties"]:
                yield f"{place}.{name}: extra ({kind(value[name])})"

    def _mismatch(self, schema: Mapping[str, Any], value: Any, place: str) -> str | None:
        return next(iter(self.problems(schema, value, place)), None)


def essence(headers: Mapping[str, str]) -> str:
    """The media type of a message, without parameters."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def kind(value: Any) -> str:
    """The JSON type of a value."""
    return _TYPES.get(type(value), "object")


def parsed(body: bytes) -> tuple[Any, str | None]:
    """The value of a JSON text, or what is wrong with the text."""
    try:
        return json.loads(body.decode(), parse_constant=_refuse), None
    except (ValueError, RecursionError) as error:
        return None, f"the body is no JSON: {error}"


def repeated_field(body: bytes) -> str | None:
    """A name that an object in a JSON text has twice: which of the values counts, nobody knows."""
    found: list[str] = []

    def take(pairs: list[tuple[str, Any]]) -> None:
        names = [name for name, _ in pairs]
        found.extend(name for name in set(names) if names.count(name) > 1)

    json.loads(body, object_pairs_hook=take)
    return found[0] if found else None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _named_twice(body: bytes) -> str | None:
    name = repeated_field(body)
    return None if name is None else f"the body names the field {name!r} twice"


def _is_one_of(types: list[str], value: Any) -> bool:
    return kind(value) in types or (kind(value) == "integer" and "number" in types)


def _likeness(schema: Mapping[str, Any], value: Any) -> int:
    if kind(value) != schema.get("type"):
        return -1
    return len(schema.get("properties", {}).keys() & value.keys()) if isinstance(value, dict) else 0


@cache
def contract() -> Contract:
    """The document that the installed client was generated from."""
    return Contract(document())

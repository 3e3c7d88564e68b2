"""The OpenAPI document as a judge of answers."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import quote, unquote

from attrs import frozen

from ..document import Document, Node, load

# A rule and what breaks it, None if nothing does.
Verdict = tuple[str, str | None]

_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null", list: "array"}


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
                responses={int(status): self.resolved(answer) for status, answer in node["responses"].items()},
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
        content = self.by_id[operation].responses[status]["content"].get("application/json", {})
        if "example" in content:
            yield content["example"]
        for example in content.get("examples", {}).values():
            yield example["value"]

    def verdicts(self, operation: str, status: int, headers: Mapping[str, str], body: bytes) -> Iterator[Verdict]:
        """What the document says about an answer."""
        answer = self.by_id[operation].responses.get(status)
        documented = ", ".join(map(str, self.by_id[operation].responses))
        yield "status_code_conformance", None if answer else f"status {status} is not among {documented}"
        if answer is None:
            return
        media_type = essence(headers)
        known = media_type in answer["content"]
        allowed = ", ".join(answer["content"])
        yield "content_type_conformance", None if known else f"content type {media_type!r} is not among {allowed}"
        yield "response_headers_conformance", self._wrong_header(answer, headers)
        if known and media_type == "application/json":
            value, wrong = parsed(body)
            schema = answer["content"][media_type]["schema"]
            yield "response_schema_conformance", wrong or self._mismatch(schema, value, "$")

    def _wrong_header(self, answer: Mapping[str, Any], headers: Mapping[str, str]) -> str | None:
        for name, reference in answer.get("headers", {}).items():
            header, value = self.resolved(reference), headers.get(name.lower())
            if value is None:
                if header.get("required"):
                    return f"header {name} is missing"
            elif wrong := self._mismatch(header["schema"], value, f"header {name}"):
                return wrong
        return None

    def drift(self, operation: str, status: int, headers: Mapping[str, str], body: bytes) -> Iterator[str]:
        """Where the fields of a JSON answer are others than those in the document, required or not."""
        answer = self.by_id[operation].responses.get(status)
        schema = answer["content"].get("application/json", {}).get("schema") if answer else None
        if schema and essence(headers) == "application/json":
            value, wrong = parsed(body)
            if not wrong:
                yield from self._drift(schema, value, "$")

    def _drift(self, schema: Mapping[str, Any], value: Any, place: str) -> Iterator[str]:
        schema = self.joined(schema)
        for branches in (schema.get("oneOf"), schema.get("anyOf")):
            if branches:
                resolved = [self.joined(branch) for branch in branches]
                schema = max(resolved, key=lambda branch: _likeness(branch, value))
        types = schema.get("type", [])
        types = [types] if isinstance(types, str) else types
        if types and kind(value) not in types and not (kind(value) == "integer" and "number" in types):
            yield f"{place}: {kind(value)}, documented as {' or '.join(types)}"
        elif isinstance(value, dict) and "properties" in schema:
            for name, field in schema["properties"].items():
                if name in value:
                    yield from self._drift(field, value[name], f"{place}.{name}")
                else:
                    yield f"{place}.{name}: missing{', required' if name in schema.get('required', ()) else ''}"
            for name in value:
                if name not in schema["properties"]:
                    yield f"{place}.{name}: extra ({kind(value[name])})"
        elif isinstance(value, list) and "items" in schema:
            for item in value:
                yield from self._drift(schema["items"], item, f"{place}[]")

    def _mismatch(self, schema: Mapping[str, Any], value: Any, place: str) -> str | None:
        return next(iter(self.problems(schema, value, place)), None)


def essence(headers: Mapping[str, str]) -> str:
    """The media type of an answer, without parameters."""
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


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _likeness(schema: Mapping[str, Any], value: Any) -> int:
    if kind(value) != schema.get("type"):
        return -1
    return len(schema.get("properties", {}).keys() & value.keys()) if isinstance(value, dict) else 0


@cache
def contract() -> Contract:
    """The contract, `openapi.yaml`."""
    return Contract(load().raw)

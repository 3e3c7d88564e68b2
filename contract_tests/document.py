"""The OpenAPI document, as the contract tests read it."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema_rs import Draft202012Validator, ValidationError

ROOT = Path(__file__).resolve().parents[1]
PATH = ROOT / "openapi.yaml"

Node = Mapping[str, Any]


class Document:
    """One document, whose references are followed where it is read."""

    def __init__(self, path: Path = PATH) -> None:
        self.raw: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        self._validators: dict[int, Draft202012Validator] = {}

    def resolved(self, node: Any) -> Any:
        """`node`, or what it refers to."""
        while isinstance(node, dict) and isinstance(node.get("$ref"), str):
            node = self.at(node["$ref"])
        return node

    def joined(self, schema: Any) -> Any:
        """A schema of an object, with all the fields that its `allOf` joins."""
        node = self.resolved(schema)
        properties: dict[str, Any] = {}
        for part in node.get("allOf", ()):
            properties |= self.joined(part).get("properties", {})
        return {**node, "properties": properties | node.get("properties", {})} if properties else node

    def at(self, reference: str) -> Any:
        """What a reference such as `#/components/schemas/Error` points to; LookupError if nothing."""
        node: Any = self.raw
        for key in reference.removeprefix("#/").split("/"):
            node = node[key.replace("~1", "/").replace("~0", "~")]
        return node

    def operations(self) -> Iterator[tuple[str, str, Node]]:
        """Method, path and node of every operation."""
        for path, item in self.raw["paths"].items():
            for method in ("get", "put", "post", "delete", "options", "head", "patch", "trace"):
                if method in item:
                    yield method.upper(), path, item[method]

    def operation(self, operation_id: str) -> tuple[str, str, Node]:
        """Method, path and node of one operation; LookupError if there is none."""
        for method, path, node in self.operations():
            if node.get("operationId") == operation_id:
                return method, path, node
        raise LookupError(f"{operation_id}: the document has no such operation")

    def parameters(self, operation: Node, place: str) -> dict[str, Node]:
        """The parameters of an operation that belong in `path`, `query` or `header`."""
        found = [self.resolved(parameter) for parameter in operation.get("parameters", [])]
        return {parameter["name"]: parameter for parameter in found if parameter["in"] == place}

    def response(self, operation: Node, status: int) -> Node:
        """A documented answer; LookupError if the status is not documented."""
        node: Node = self.resolved(operation["responses"][str(status)])
        return node

    def errors(self, schema: Node, value: Any) -> list[ValidationError]:
        """How `value` breaks `schema`, a node of this document."""
        # The document lives as long as its validators, so a node's identity is a key.
        validator = self._validators.get(id(schema))
        if validator is None:
            rooted = {"components": self.raw.get("components", {}), **schema}
            validator = self._validators[id(schema)] = Draft202012Validator(rooted, validate_formats=True)
        return list(validator.iter_errors(value))

    def problems(self, schema: Node, value: Any, place: str) -> list[str]:
        """The same as lines: the part of the message, and what is wrong with it."""
        return [f"{place}{pointer(error.instance_path)}: {error.message}" for error in self.errors(schema, value)]


@cache
def document() -> Document:
    """The document of this checkout."""
    return Document()


def pointer(path: Any) -> str:
    """A path into a JSON value, such as `.data[0].id`."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)


def differences(expected: Any, actual: Any, place: str) -> Iterator[str]:
    """Where two trees differ, a line for each place."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key in expected:
            if key not in actual:
                yield f"{place}.{key} is missing, expected {expected[key]!r}"
            else:
                yield from differences(expected[key], actual[key], f"{place}.{key}")
        for key in actual:
            if key not in expected:
                yield f"{place}.{key} is not expected: {actual[key]!r}"
    elif type(expected) is not type(actual) or expected != actual:
        yield f"{place} is {actual!r}, expected {expected!r}"


def check(problems: Any) -> None:
    """Fail with all `problems`, a line each; every line begins with the operation or the part of the document."""
    found = list(problems)
    assert not found, "\n".join(found)

"""The OpenAPI document, and whether a value keeps to a schema in it."""

from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from typing import Any

import yaml
from jsonschema_rs import Draft202012Validator, ValidationError

Node = Mapping[str, Any]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


class Document:
    """One document, whose references are followed where it is read.

    Args:
        raw: The document as it was loaded. It must stay as it is.
    """

    def __init__(self, raw: Node) -> None:
        self.raw = raw
        self._validators: dict[int, Draft202012Validator] = {}

    def resolved(self, node: Any) -> Any:
        """`node`, or what it refers to."""
        while isinstance(node, dict) and isinstance(node.get("$ref"), str):
            node = self.at(node["$ref"])
        return node

    def joined(self, schema: Any) -> Any:
        """The schema of an object, with all the fields that its `allOf` joins."""
        node = self.resolved(schema)
        properties: dict[str, Any] = {}
        for part in node.get("allOf", ()):
            properties |= self.joined(part).get("properties", {})
        if not properties:
            return node
        return {**node, "properties": properties | node.get("properties", {})}

    def at(self, reference: str) -> Any:
        """What a reference such as `#/components/schemas/Error` leads to.

        Raises:
            LookupError: It leads to nothing.
        """
        node: Any = self.raw
        for key in reference.removeprefix("#/").split("/"):
            node = node[key.replace("~1", "/").replace("~0", "~")]
        return node

    def operations(self) -> Iterator[tuple[str, str, Node]]:
        """Method, path and node of every operation."""
        for path, item in self.raw["paths"].items():
            for method in METHODS:
                if method in item:
                    yield method.upper(), path, item[method]

    def operation(self, operation_id: str) -> tuple[str, str, Node]:
        """Method, path and node of one operation.

        Raises:
            LookupError: There is no such operation.
        """
        for method, path, node in self.operations():
            if node.get("operationId") == operation_id:
                return method, path, node
        raise LookupError(f"{operation_id}: the document has no such operation")

    def parameters(self, operation: Node, place: str) -> dict[str, Node]:
        """The parameters of an operation that belong in `path`, `query` or `header`."""
        found = [self.resolved(parameter) for parameter in operation.get("parameters", [])]
        return {parameter["name"]: parameter for parameter in found if parameter["in"] == place}

    def response(self, operation: Node, status: int) -> Node:
        """A documented answer.

        Raises:
            LookupError: The status is not documented.
        """
        node: Node = self.resolved(operation["responses"][str(status)])
        return node

    def errors(self, schema: Node, value: Any) -> list[ValidationError]:
        """How `value` breaks `schema`, which is a node of this document."""
        # The document lives as long as its validators, so a schema in it is known by its identity.
        validator = self._validators.get(id(schema))
        if validator is None:
            # Beside the components, the references in a schema lead where they do in the document.
            rooted = {"components": self.raw.get("components", {}), **schema}
            validator = Draft202012Validator(rooted, validate_formats=True)
            self._validators[id(schema)] = validator
        return list(validator.iter_errors(value))

    def problems(self, schema: Node, value: Any, place: str) -> list[str]:
        """The same as lines: the part of the message, and what is wrong with it."""
        return [
            f"{place}{pointer(error.instance_path)}: {error.message}"
            for error in self.errors(schema, value)
        ]


def pointer(path: Iterable[Any]) -> str:
    """A path into a JSON value, such as `.data[0].id`."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)


def document() -> dict[str, Any]:
    """The document that the installed client was generated from."""
    text = (files("deerapi_remix_generated") / "openapi.yaml").read_text(encoding="utf-8")
    # What is written in C reads it ten times as fast.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loaded: dict[str, Any] = yaml.load(text, loader)  # noqa: S506  # Both are safe.
    return loaded

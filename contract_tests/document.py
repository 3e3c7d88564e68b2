"""The OpenAPI document of this checkout, and how the tests compare and complain."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from deerapi_remix.testing._document import METHODS, Document, Node

__all__ = ["METHODS", "PATH", "ROOT", "Document", "Node", "check", "differences", "document", "load"]

ROOT = Path(__file__).resolve().parents[1]
PATH = ROOT / "openapi.yaml"


class UnreadableError(Exception):
    """A document is no YAML; the message names the file and the line."""


def values_of(text: str) -> dict[str, Any]:
    """The values of a document, read ten times as fast as by what is written in Python."""
    value: dict[str, Any] = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return value


def read(path: Path = PATH) -> dict[str, Any]:
    """The values of a document in a file.

    Raises:
        UnreadableError: It is no YAML.
    """
    try:
        return values_of(path.read_text(encoding="utf-8"))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        told = ", ".join(filter(None, (error.context, error.problem)))
        raise UnreadableError(f"{path.name}{where}: {told}") from None


def load(path: Path = PATH) -> Document:
    """A document from a file."""
    return Document(read(path))


@cache
def document() -> Document:
    """The document of this checkout."""
    return load()


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

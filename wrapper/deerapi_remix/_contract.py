"""The strict reading: how an answer breaks the contract, by the fields of a generated model."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

import attrs


@attrs.frozen
class _Field:
    """What a generated model says of one member of an answer."""

    is_required: bool
    types: tuple[type, ...]
    model: type | None


def breaches(expected: type, content: dict[str, Any], path: str = "") -> Iterator[str]:
    """What is missing, null or of another type in `content`.

    Args:
        expected: The generated model.
        content: The answer, or an object within it.
        path: Where the object is in the answer, for the messages.
    """
    for name, field in _fields(expected).items():
        if name not in content:
            if field.is_required:
                yield f"{path}{name} is missing"
            continue
        value = content[name]
        kind = _kind_in_json(value)
        if kind not in field.types:
            allowed = " or ".join(map(_name_of, field.types))
            yield f"{path}{name} is {_name_of(kind)}, not {allowed}"
        elif field.model is not None and value is not None:
            yield from _nested_breaches(field.model, value, f"{path}{name}")


def _nested_breaches(model: type, value: Any, path: str) -> Iterator[str]:
    entries = value
    if not isinstance(value, list):
        entries = [value]
    for entry in entries:
        if isinstance(entry, dict):
            yield from breaches(model, entry, f"{path}.")
        else:
            yield f"{path} holds {_name_of(type(entry))}, not dict"


def _name_of(kind: type) -> str:
    return "null" if kind is type(None) else kind.__name__


def _kind_in_json(value: object) -> type:
    """The type of a value; to JSON Schema, 1.0 is an integer."""
    if isinstance(value, float) and value.is_integer():
        return int
    return type(value)


@cache
def _fields(expected: type) -> dict[str, _Field]:
    """The fields of a generated model by their names in JSON."""
    module = sys.modules[expected.__module__.rpartition(".")[0]]
    hints = get_type_hints(expected, localns=vars(module))
    del hints["additional_properties"]
    # The generator appends an underscore to names that Python has taken.
    return {name.removesuffix("_"): _field(hint) for name, hint in hints.items()}


def _field(hint: Any) -> _Field:
    options = (hint,)
    if isinstance(hint, types.UnionType):
        options = get_args(hint)
    is_required = True
    kinds: list[type] = []
    model = None
    for option in options:
        if option.__name__ == "Unset":
            is_required = False
            continue
        is_list = get_origin(option) is list
        inside = get_args(option)[0] if is_list else option
        if attrs.has(inside):
            model = inside
        if is_list:
            kinds.append(list)
        else:
            kinds.append(dict if attrs.has(option) else get_origin(option) or option)
    return _Field(is_required, tuple(kinds), model)

"""Edits of a document: other values at places that are named by their keys, parted by colons."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from attrs import frozen

GONE = object()


@frozen
class Renamed:
    """The value stays as it is, under another key."""

    key: str


def edited(document: Mapping[str, Any], edits: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of `document` with `edits`: places, and for each a new value, `GONE`, or `Renamed`.

    Raises:
        LookupError: What holds the place is not there, or there is nothing that could be gone or renamed.
    """
    changed: Any = copy.deepcopy(document)
    for place, value in edits.items():
        *path, last = place.split(":")
        node = changed
        for key in path:
            node = node[int(key) if isinstance(node, list) else key]
        _change(node, last, value)
    assert isinstance(changed, dict)
    return changed


def _change(node: Any, last: str, value: Any) -> None:
    key: Any = int(last) if isinstance(node, list) else last
    if value is GONE:
        del node[key]
    elif isinstance(value, Renamed) and isinstance(node, dict):
        node[value.key] = node.pop(key)
    elif isinstance(node, list) and key == len(node):
        node.append(value)
    else:
        node[key] = value

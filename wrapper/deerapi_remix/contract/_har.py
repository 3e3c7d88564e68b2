"""Reads HAR, the format in which browsers, proxies and test tools keep HTTP traffic."""

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from attrs import frozen

from ._document import essence
from ._settings import UnusableError

_TYPES = {dict: "an object", list: "a list", str: "a text", int: "a whole number"}
Kind = TypeVar("Kind", dict[str, Any], list[Any], str, int)


@frozen
class Node:
    """A JSON object of a recording, and where in it.

    Attributes:
        place: The path to it, such as `log.entries[3].request`.
        value: The object.
    """

    place: str
    value: Mapping[str, Any]

    def get(self, name: str, kind: type[Kind]) -> Kind:
        """A member that must be there.

        Raises:
            UnusableError: It is not, or is of another type.
        """
        found = self.value.get(name)
        if not isinstance(found, kind) or isinstance(found, bool):
            told = "missing" if name not in self.value else f"not {_TYPES[kind]}"
            raise UnusableError(f"{self.place}.{name} is {told}")
        return found

    def node(self, name: str) -> "Node":
        return Node(f"{self.place}.{name}", self.get(name, dict))

    def items(self, name: str) -> list["Node"]:
        """A list of objects."""
        found = self.get(name, list)
        nodes = [Node(f"{self.place}.{name}[{index}]", each) for index, each in enumerate(found)]
        for node in nodes:
            if not isinstance(node.value, dict):
                raise UnusableError(f"{node.place} is not an object")
        return nodes

    def headers(self) -> dict[str, str]:
        """Its headers, names in lower case. One that came twice has both values."""
        found: dict[str, str] = {}
        for node in self.items("headers"):
            name, value = node.get("name", str).lower(), node.get("value", str)
            if name in found and value != found[name]:
                value = f"{found[name]}, {value}"
            found[name] = value
        return {name: value for name, value in found.items() if not name.startswith(":")}


def read_entries(path: Path) -> list[Node]:
    """The entries of a recording, in the order of the file.

    Raises:
        UnusableError: It cannot be read, or is no HAR. The place in the file is named.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
        value = json.loads(text)
    except OSError as error:
        raise UnusableError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise UnusableError(f"{path} is not in UTF-8: byte {error.start}") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise UnusableError(f"{path} is no JSON: {where}: {error.msg}") from None
    except RecursionError:
        raise UnusableError(f"{path} is no HAR: it is nested too deeply") from None
    if not isinstance(value, dict) or not isinstance(value.get("log"), dict):
        raise UnusableError(f"{path} is no HAR: it has no object `log`")
    return Node("log", value["log"]).items("entries")


def span_of(entry: Node) -> tuple[float, float]:
    """When the request was sent and when the answer had come, in seconds since 1970."""
    started = entry.get("startedDateTime", str)
    try:
        moment = datetime.fromisoformat(started)
    except ValueError:
        raise UnusableError(f"{entry.place}.startedDateTime is no time: {started!r}") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    began = moment.timestamp()
    milliseconds = entry.value.get("time")
    # Where nobody knows how long it took, there is -1 or nothing.
    if not isinstance(milliseconds, int | float) or milliseconds < 0:
        return began, began
    return began, began + milliseconds / 1000


def sent_body(request: Node, headers: Mapping[str, str]) -> bytes | None:
    """The body of a request; None if it was not recorded."""
    data = request.value.get("postData")
    announced = headers.get("content-length", "")
    if not isinstance(data, dict) or not isinstance(data.get("text"), str):
        size = request.value.get("bodySize")
        empty = announced == "0" or (not announced and size == 0)
        return b"" if empty and not data else None
    body = _decoded(data, f"{request.place}.postData")
    cut = announced.isdecimal() and int(announced) > len(body)
    return None if cut else body


def answered_body(response: Node, headers: Mapping[str, str]) -> bytes | None:
    """The body of an answer, without the encoding of its transfer; None if it was not recorded.

    Recorders leave out what is large, or keep the beginning of it, and some keep files as a text
    from which the bytes cannot be told.
    """
    content = response.get("content", dict)
    size, text = content.get("size"), content.get("text")
    if not isinstance(text, str) or not text:
        return b"" if size == 0 and headers.get("content-length", "0") == "0" else None
    body = _decoded(content, f"{response.place}.content")
    if _is_text(headers):
        return body
    in_bytes = content.get("encoding") == "base64" or text.isascii()
    cut = isinstance(size, int) and size > len(body)
    return body if in_bytes and not cut else None


def comparable(response: Node, headers: Mapping[str, str]) -> dict[str, str]:
    """Headers of an answer, without a length that says nothing of the recorded body.

    It is that of an encoded body, or what the recorder, too, says has arrived, whatever became of
    the text since.
    """
    size = response.value.get("content", {}).get("size")
    told = dict(headers)
    if "content-encoding" in told or told.get("content-length") == str(size):
        told.pop("content-length", None)
    return told


def _decoded(node: Mapping[str, Any], place: str) -> bytes:
    text: str = node["text"]
    if node.get("encoding") != "base64":
        return text.encode(errors="replace")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise UnusableError(f"{place}.text is not in base64") from None


def _is_text(headers: Mapping[str, str]) -> bool:
    kind = essence(headers)
    return kind.startswith("text/") or kind.endswith("json")

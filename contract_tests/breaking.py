"""Does a new document break clients that were made from the released one?

    python -m contract_tests.breaking [OLD NEW]

Prints a line for each change that does. A client is broken where a request that it may send is no longer valid, where
an answer may come that it was never told of, or where something that it uses is gone. That is judged by structure, and
by instances: values at and around every limit of either schema, each put to both.

Breaking changes are let through where two things say so: `info.version` of the new document has a higher major
number, and CHANGELOG.md has a heading "Breaking" in its topmost section.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deerapi_remix.testing._document import METHODS, Document

from .document import UnreadableError, read

ROOT = Path(__file__).resolve().parents[1]
RELEASED = ROOT / "contract_tests" / "released" / "openapi.yaml"

# Of all that follows from a schema, these alone are not tried out with instances.
BY_COMPARISON = (
    *("pattern", "format", "patternProperties", "minContains", "maxContains"),
    *("contentMediaType", "contentEncoding", "contentSchema"),
)
ANYTHING: tuple[Any, ...] = (None, True, 0, -1, 1, 1.5, 10**12, "", " ", "a", "other", [], ["a"], {}, {"other": 1})

Node = dict[str, Any]


def breaking_changes(old: Node, new: Node) -> list[str]:
    """A line for each breaking change."""
    return list(dict.fromkeys(Comparison(Document(old), Document(new)).changes()))


class Comparison:
    """Two documents, side by side."""

    def __init__(self, old: Document, new: Document) -> None:
        self.old, self.new = old, new

    def changes(self) -> Iterator[str]:
        urls = [server["url"] for server in self.new.raw.get("servers", [])]
        for server in self.old.raw.get("servers", []):
            if server["url"] not in urls:
                yield f"servers: {server['url']} is gone"
        for path, item in self.old.raw["paths"].items():
            for method in (method for method in METHODS if method in item):
                after = self.new.raw["paths"].get(path, {}).get(method)
                name = item[method].get("operationId", f"{method.upper()} {path}")
                if after is None:
                    yield f"{name}: the operation {method.upper()} {path} is gone"
                else:
                    yield from self._operation(name, item[method], after)

    def _operation(self, name: str, old: Node, new: Node) -> Iterator[str]:
        if old.get("operationId") != new.get("operationId"):
            yield f"{name}: operationId is now {new.get('operationId')}"
        accepted = self._security(self.new, new)
        for scheme in self._security(self.old, old):
            if scheme not in accepted:
                yield f"{name}: its security is no longer accepted"
        yield from self._parameters(name, old, new)
        yield from self._request_body(name, old, new)
        answers = new["responses"]
        for status, before in old["responses"].items():
            if status not in answers:
                yield f"{name}: status {status} is gone"
            else:
                yield from self._answer(f"{name} {status}", before, answers[status])
        for status in answers:
            # Clients read errors by their class; what a new success means they cannot know.
            if status not in old["responses"] and not status.startswith(("4", "5")):
                yield f"{name}: status {status} is new"

    @staticmethod
    def _security(document: Document, operation: Node) -> list[Any]:
        """The alternatives, each with what binds of its schemes."""
        schemes = document.raw.get("components", {}).get("securitySchemes", {})
        alternatives = operation.get("security", document.raw.get("security", [])) or [{}]
        binding = ("type", "scheme", "in", "name")
        return [
            sorted((str([schemes.get(name, {}).get(key) for key in binding]), scopes) for name, scopes in one.items())
            for one in alternatives
        ]

    def _parameters(self, name: str, old: Node, new: Node) -> Iterator[str]:
        before, after = self._by_name(self.old, old), self._by_name(self.new, new)
        for key, parameter in before.items():
            place = f"{name}: {' '.join(key)}"
            if key not in after:
                yield f"{place} is gone"
                continue
            for rule in ("style", "explode", "allowReserved"):
                if parameter.get(rule) != after[key].get(rule):
                    yield f"{place}: {rule} is now {after[key].get(rule)}"
            if after[key].get("required") and not parameter.get("required"):
                yield f"{place} is now required"
            yield from self._narrowed(place, parameter["schema"], after[key]["schema"])
        for key, parameter in after.items():
            if key not in before and parameter.get("required"):
                yield f"{name}: {' '.join(key)} is new and required"

    @staticmethod
    def _by_name(document: Document, operation: Node) -> dict[tuple[str, str], Node]:
        found = [document.resolved(parameter) for parameter in operation.get("parameters", [])]
        return {(parameter["in"], parameter["name"]): parameter for parameter in found}

    def _request_body(self, name: str, old: Node, new: Node) -> Iterator[str]:
        before = self.old.resolved(old.get("requestBody", {}))
        after = self.new.resolved(new.get("requestBody", {}))
        if after.get("required") and not before.get("required"):
            yield f"{name}: the body is now required"
        for kind, media in before.get("content", {}).items():
            if kind not in after.get("content", {}):
                yield f"{name}: the body is no longer taken as {kind}"
            else:
                yield from self._narrowed(f"{name}: body", schema_of(media), schema_of(after["content"][kind]))

    def _answer(self, place: str, old: Node, new: Node) -> Iterator[str]:
        before, after = self.old.resolved(old), self.new.resolved(new)
        for name, reference in before.get("headers", {}).items():
            header = self.old.resolved(reference)
            names = {other.lower(): other for other in after.get("headers", {})}
            if name.lower() not in names:
                yield f"{place}: header {name} is gone"
                continue
            other = self.new.resolved(after["headers"][names[name.lower()]])
            if header.get("required") and not other.get("required"):
                yield f"{place}: header {name} is no longer required"
            yield from self._widened(f"{place}: header {name}", header["schema"], other["schema"])
        for kind, media in before.get("content", {}).items():
            if kind not in after.get("content", {}):
                yield f"{place}: media type {kind} is gone"
            else:
                yield from self._widened(place, schema_of(media), schema_of(after["content"][kind]))
        for kind in after.get("content", {}):
            if kind not in before.get("content", {}):
                yield f"{place}: media type {kind} is new"

    def _narrowed(self, place: str, old: Node, new: Node) -> Iterator[str]:
        """What a client may send and the server no longer takes."""
        if inlined(self.old, old) == inlined(self.new, new):
            return
        yield from self._gone(place, old, new)
        for where, key, before, after in self._compared(place, old, new):
            if after is not None:
                yield f"{where}: {key} is now {after!r}, it was {before!r}"
        # Fields that only the new document names, no client sends.
        unknown = names(self.new, new) - names(self.old, old)
        for value in self._told_apart(old, new, valid_by=self.old, without=unknown):
            yield f"{place}: {value!r} is no longer valid"

    def _widened(self, place: str, old: Node, new: Node) -> Iterator[str]:
        """What a server may answer and the client was never told of."""
        if inlined(self.old, old) == inlined(self.new, new):
            return
        yield from self._gone(place, old, new)
        for where, key, before, after in self._compared(place, old, new):
            if before is not None:
                yield f"{where}: {key} is now {after!r}, it was {before!r}"
        for value in self._told_apart(old, new, valid_by=self.new):
            yield f"{place}: {value!r} may come, it was not valid"

    def _gone(self, place: str, old: Node, new: Node) -> Iterator[str]:
        """Fields that are no longer described."""
        after = dict(fields(self.new, new, place))
        for field in dict(fields(self.old, old, place)):
            if field not in after:
                yield f"{field} is gone"

    def _compared(self, place: str, old: Node, new: Node) -> Iterator[tuple[str, str, Any, Any]]:
        before, after = dict(fields(self.old, old, place)), dict(fields(self.new, new, place))
        for where in before.keys() & after.keys():
            for key in BY_COMPARISON:
                if before[where].get(key) != after[where].get(key):
                    yield where, key, before[where].get(key), after[where].get(key)

    def _told_apart(
        self, old: Node, new: Node, *, valid_by: Document, without: frozenset[str] = frozenset()
    ) -> Iterator[Any]:
        """Up to three values, short ones first, that one document allows and the other does not."""
        sides = [(self.old, old), (self.new, new)]
        allows, refuses = sides if valid_by is self.old else sides[::-1]
        values = [value for side in sides for value in instances(*side) if not mentions(value, without)]
        found = [value for value in values if keeps_to(*allows, value) and not keeps_to(*refuses, value)]
        yield from sorted(found, key=lambda value: len(repr(value)))[:3]


def schema_of(media: Node) -> Node:
    """What is said of the values of a media type; nothing is said where it has no schema."""
    schema: Node = media.get("schema", {})
    return schema


def inlined(document: Document, node: Any) -> Any:
    """`node` with what it refers to in the place of every reference."""
    if isinstance(node, list):
        return [inlined(document, entry) for entry in node]
    if not isinstance(node, dict):
        return node
    return {key: inlined(document, value) for key, value in document.resolved(node).items()}


def keeps_to(document: Document, schema: Node, value: Any) -> bool:
    return not document.errors(schema, value)


def branches(document: Document, schema: Node) -> list[Node]:
    """A schema and all that it is composed of, references followed."""
    node = document.resolved(schema)
    inner = [part for key in ("allOf", "anyOf", "oneOf") for part in node.get(key, [])]
    return [node, *(branch for part in inner for branch in branches(document, part))]


def fields(document: Document, schema: Node, place: str) -> Iterator[tuple[str, Node]]:
    """Every value that a schema describes: where it is, and what describes it."""
    for node in branches(document, schema):
        if node.keys() & {"type", "enum", "const", "pattern", "format"}:
            yield place, node
        for name, inside in node.get("properties", {}).items():
            yield from fields(document, inside, f"{place}.{name}")
        if "items" in node:
            yield from fields(document, node["items"], f"{place}[]")


def names(document: Document, schema: Node) -> frozenset[str]:
    """The names of all fields that a schema describes, at any depth."""
    return frozenset(place.rpartition(".")[2].removesuffix("[]") for place, _ in fields(document, schema, ""))


def mentions(value: Any, fields: frozenset[str]) -> bool:
    """Whether any of the fields is in a value, at any depth."""
    if isinstance(value, list):
        return any(mentions(entry, fields) for entry in value)
    return isinstance(value, dict) and any(key in fields or mentions(entry, fields) for key, entry in value.items())


def instances(document: Document, schema: Node) -> list[Any]:
    """Values at and around every limit of a schema, valid or not."""
    values: list[Any] = list(ANYTHING)
    for node in branches(document, schema):
        values += [*node.get("enum", []), *([node["const"]] if "const" in node else [])]
        values += [*node.get("examples", []), *([node["default"]] if "default" in node else [])]
        for key in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"):
            if key in node:
                values += [node[key] - 1, node[key], node[key] + 1, node[key] + 0.5]
        for key in ("minLength", "maxLength"):
            values += ["a" * length for length in around(node, key)]
        if "items" in node:
            inside = instances(document, node["items"])
            values += [[value] for value in inside]
            counts = [count for key in ("minItems", "maxItems") for count in around(node, key)]
            for good in valid(document, node["items"], inside)[:1]:
                values += [[good] * count for count in (2, 3, 100, *counts)]
            values += [inside[:count] for count in counts]
        values += objects(document, node)
    return values


def around(node: Node, key: str) -> list[int]:
    return [max(node[key] + step, 0) for step in (-1, 0, 1)] if key in node else []


def objects(document: Document, node: Node) -> list[Node]:
    """A whole object, the same without each of its fields, and with every value in each of them."""
    inside = {name: instances(document, schema) for name, schema in node.get("properties", {}).items()}
    good = {name: valid(document, node["properties"][name], values)[:1] for name, values in inside.items()}
    whole = {name: values[0] for name, values in good.items() if values}
    found = [whole, whole | {"other": 1}, {name: whole[name] for name in node.get("required", []) if name in whole}]
    for name, values in inside.items():
        found.append({key: value for key, value in whole.items() if key != name})
        found += [whole | {name: value} for value in values]
    return found


def valid(document: Document, schema: Node, values: list[Any]) -> list[Any]:
    return [value for value in values if keeps_to(document, schema, value)]


def is_announced(old: Node, new: Node, changelog: str) -> bool:
    """Whether version and CHANGELOG say that the new document breaks clients."""
    major = [int(document["info"]["version"].partition(".")[0]) for document in (old, new)]
    sections = re.split(r"^## ", changelog, flags=re.MULTILINE)
    return major[1] > major[0] and any(
        re.search(r"^### Breaking\b", section, re.MULTILINE) for section in sections[1:2]
    )


def main(arguments: list[str]) -> int:
    old_path, new_path = map(Path, arguments) if arguments else (RELEASED, ROOT / "openapi.yaml")
    try:
        old, new = read(old_path), read(new_path)
    except UnreadableError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    changelog = ROOT / "CHANGELOG.md"
    announced = is_announced(old, new, changelog.read_text(encoding="utf-8") if changelog.exists() else "")
    found = breaking_changes(old, new)
    if not found:
        verdict = f"Nothing in {new_path.name} breaks clients of the released document."
    elif announced:
        verdict = "These changes are announced: the major version is higher, and CHANGELOG.md says Breaking."
    else:
        verdict = 'They need a higher major number in info.version, and "### Breaking" at the top of CHANGELOG.md.'
    sys.stdout.write("\n".join([*found, verdict, ""]))
    return 1 if found and not announced else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

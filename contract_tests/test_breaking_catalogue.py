"""The kinds of change in oasdiff's catalogue of breaking changes that can befall a schema, each with a harmless twin.

A keyword that narrows a schema breaks who sends, and its loss breaks who reads; the opposite direction is the twin.
Of its 213 rules for errors these are left out, for this document has nothing of the kind: webhooks, sunset dates and
levels of stability, `x-extensible-enum`, `itemSchema`. Those about operations, parameters, statuses, media types,
headers and security are in `test_breaking`.
"""

from __future__ import annotations

from typing import Any

import pytest

from .breaking import breaking_changes
from .edits import edited

TEXT: dict[str, Any] = {"type": "string"}
NUMBER: dict[str, Any] = {"type": "integer"}
LIST: dict[str, Any] = {"type": "array", "items": TEXT}
RECORD: dict[str, Any] = {"type": "object", "properties": {"a": TEXT, "b": TEXT}}
EITHER = {"anyOf": [TEXT, {"type": "integer"}, {"type": "null"}]}

# The rule of the catalogue without its direction; a schema, and the same one narrowed.
NARROWED: dict[str, tuple[Any, Any]] = {
    "max-length-set": (TEXT, TEXT | {"maxLength": 10}),
    "max-length-decreased": (TEXT | {"maxLength": 10}, TEXT | {"maxLength": 5}),
    "min-length-increased": (TEXT | {"minLength": 1}, TEXT | {"minLength": 5}),
    "pattern-added": (TEXT, TEXT | {"pattern": "^[a-z]+$"}),
    "became-enum": (TEXT, TEXT | {"enum": ["a", "b"]}),
    "enum-value-removed": (TEXT | {"enum": ["a", "b"]}, TEXT | {"enum": ["a"]}),
    "const-added": (TEXT, TEXT | {"const": "a"}),
    "max-set": (NUMBER, NUMBER | {"maximum": 100}),
    "max-decreased": (NUMBER | {"maximum": 100}, NUMBER | {"maximum": 50}),
    "min-set": (NUMBER, NUMBER | {"minimum": 10}),
    "min-increased": (NUMBER | {"minimum": 10}, NUMBER | {"minimum": 20}),
    "exclusive-max-set": (NUMBER, NUMBER | {"exclusiveMaximum": 100}),
    "exclusive-max-decreased": (NUMBER | {"exclusiveMaximum": 100}, NUMBER | {"exclusiveMaximum": 50}),
    "exclusive-min-set": (NUMBER, NUMBER | {"exclusiveMinimum": 10}),
    "exclusive-min-increased": (NUMBER | {"exclusiveMinimum": 10}, NUMBER | {"exclusiveMinimum": 20}),
    "multiple-of-set": (NUMBER, NUMBER | {"multipleOf": 2}),
    "multiple-of-changed": (NUMBER | {"multipleOf": 2}, NUMBER | {"multipleOf": 6}),
    "max-items-set": (LIST, LIST | {"maxItems": 5}),
    "max-items-decreased": (LIST | {"maxItems": 5}, LIST | {"maxItems": 3}),
    "min-items-set": (LIST, LIST | {"minItems": 2}),
    "min-items-increased": (LIST | {"minItems": 2}, LIST | {"minItems": 4}),
    "unique-items-set": (LIST, LIST | {"uniqueItems": True}),
    "contains-added": (LIST, LIST | {"contains": {"const": "z"}}),
    "min-contains-set": (LIST | {"contains": {"const": "z"}}, LIST | {"contains": {"const": "z"}, "minContains": 2}),
    "max-contains-set": (LIST | {"contains": {"const": "z"}}, LIST | {"contains": {"const": "z"}, "maxContains": 2}),
    "prefix-items-added": ({"type": "array"}, {"type": "array", "prefixItems": [NUMBER, NUMBER, TEXT]}),
    "unevaluated-items-added": ({"type": "array"}, {"type": "array", "unevaluatedItems": False}),
    "max-properties-set": (RECORD, RECORD | {"maxProperties": 1}),
    "max-properties-decreased": (RECORD | {"maxProperties": 3}, RECORD | {"maxProperties": 1}),
    "min-properties-increased": (RECORD | {"minProperties": 1}, RECORD | {"minProperties": 2}),
    "property-became-required": (RECORD, RECORD | {"required": ["a"]}),
    "additional-properties-refused": (RECORD, RECORD | {"additionalProperties": False}),
    "pattern-property-added": (RECORD, RECORD | {"patternProperties": {"^x": NUMBER}}),
    "property-names-added": (RECORD, RECORD | {"propertyNames": {"maxLength": 3}}),
    "dependent-required-added": (RECORD, RECORD | {"dependentRequired": {"a": ["b"]}}),
    "dependent-schema-added": (RECORD, RECORD | {"dependentSchemas": {"a": {"required": ["b"]}}}),
    "if-then-added": (RECORD, RECORD | {"if": {"required": ["a"]}, "then": {"required": ["b"]}}),
    "else-added": (
        RECORD | {"if": {"required": ["a"]}},
        RECORD | {"if": {"required": ["a"]}, "else": {"required": ["b"]}},
    ),
    "unevaluated-properties-added": (RECORD, RECORD | {"unevaluatedProperties": False}),
    "all-of-added": (RECORD, RECORD | {"allOf": [{"required": ["a"]}]}),
    "any-of-removed": (EITHER, {"anyOf": EITHER["anyOf"][:2]}),
    "one-of-removed": ({"oneOf": EITHER["anyOf"]}, {"oneOf": EITHER["anyOf"][1:]}),
    "became-not-nullable": ({"type": ["string", "null"]}, TEXT),
    "list-of-types-narrowed": ({"type": ["string", "integer"]}, TEXT),
    "type-specialized": ({"type": "number"}, NUMBER),
    "content-media-type-set": (TEXT, TEXT | {"contentMediaType": "application/json"}),
    "content-encoding-set": (TEXT, TEXT | {"contentEncoding": "base64"}),
    "content-schema-set": (
        TEXT | {"contentMediaType": "application/json"},
        TEXT | {"contentMediaType": "application/json", "contentSchema": RECORD},
    ),
    "format-set": (TEXT, TEXT | {"format": "uuid"}),
}
# Neither of the two takes what the other takes, so both directions break.
CHANGED: dict[str, tuple[Any, Any]] = {
    "type-changed": (TEXT, NUMBER),
    "const-changed": (TEXT | {"const": "a"}, TEXT | {"const": "b"}),
    "dependent-required-changed": (
        RECORD | {"dependentRequired": {"a": ["b"]}},
        RECORD | {"dependentRequired": {"b": ["a"]}},
    ),
}
SENT, ANSWERED = "requestBody", "responses:200"


def operation(place: str, schema: Any) -> dict[str, Any]:
    """A document of one operation, which sends or answers a field with that schema."""
    body = {"type": "object", "properties": {"field": schema}}
    other = {"content": {"application/json": {"schema": {"type": "object"}}}}
    node = {"operationId": "ask", "requestBody": other, "responses": {"200": other}}
    content = {"content": {"application/json": {"schema": body}}}
    return {"paths": {"/ask": {"post": edited(node, {place: content})}}}


def changes(place: str, before: Any, after: Any) -> list[str]:
    return breaking_changes(operation(place, before), operation(place, after))


@pytest.mark.parametrize("rule", NARROWED)
def test_what_is_sent_may_not_be_narrowed_and_may_be_widened(rule: str) -> None:
    wide, narrow = NARROWED[rule]
    assert changes(SENT, wide, narrow), f"breaking.py: request {rule} is let through"
    assert changes(SENT, narrow, wide) == [], f"breaking.py: the twin of request {rule} is not harmless"


@pytest.mark.parametrize("rule", NARROWED)
def test_what_is_answered_may_not_be_widened_and_may_be_narrowed(rule: str) -> None:
    wide, narrow = NARROWED[rule]
    assert changes(ANSWERED, narrow, wide), f"breaking.py: response {rule}, the other way round, is let through"
    assert changes(ANSWERED, wide, narrow) == [], f"breaking.py: response {rule} is not harmless"


@pytest.mark.parametrize("place", [SENT, ANSWERED])
@pytest.mark.parametrize("rule", CHANGED)
def test_what_takes_other_values_breaks_both_ways(rule: str, place: str) -> None:
    one, other = CHANGED[rule]
    assert changes(place, one, other), f"breaking.py: {rule} is let through"
    assert changes(place, other, one), f"breaking.py: {rule}, the other way round, is let through"

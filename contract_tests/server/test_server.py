"""Does our own server, the fake, keep every rule? `deerapi-remix contract` puts the same rules to any other."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deerapi_remix.contract._findings import Broken, Findings
from deerapi_remix.contract._rules import BY_SCHEMATHESIS, RULES

from .coverage import coverage
from .servers import VIA, Via, answered, explored, walked

ON_EVERY_ANSWER = [
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "content_length_true",
    "fields_complete",
    "fields_documented",
]
# Where schemathesis can come to know them, they are checked on its requests too.
EXPLORED = [
    *ON_EVERY_ANSWER,
    *sorted(BY_SCHEMATHESIS),
    "id_echoed",
    "parent_echoed",
    "model_echoed",
    "issued_ids_unique",
    "issued_id_retrievable",
    "content_is_mp4",
    "thumbnail_is_webp",
    "spritesheet_is_jpeg",
    "completed_at_set",
    "request_id_on_success",
    "error_says_why",
]
ANSWERED = [*ON_EVERY_ANSWER, "retry_after_on_429", "error_says_why", "range_answer_right"]
WALKED = [rule for rule in RULES if rule not in BY_SCHEMATHESIS | {"retry_after_on_429"}]

VIA_BOTH = pytest.mark.parametrize("via", VIA)


def show(broken: list[Broken]) -> None:
    """Fails with one breach for each operation and status."""
    if broken:
        first = {(each.rule, each.operation, each.status): each for each in reversed(broken)}
        pytest.fail("\n".join(map(str, reversed(first.values()))), pytrace=False)


def assert_kept(findings: Findings, rule: str) -> None:
    show(findings.of(rule))
    assert findings.checked[rule], f"{rule} was never checked"


@VIA_BOTH
@pytest.mark.parametrize("rule", WALKED)
def test_a_walk_finds_the_rule_kept(rule: str, via: Via) -> None:
    assert_kept(walked(via), rule)


@VIA_BOTH
@pytest.mark.parametrize("rule", ANSWERED)
def test_every_documented_answer_keeps_the_rule(rule: str, via: Via) -> None:
    assert_kept(answered(via), rule)


# In process alone; over TCP the test of the command sends them.
@pytest.mark.parametrize("rule", EXPLORED)
def test_made_up_requests_find_the_rule_kept(rule: str) -> None:
    assert_kept(explored(), rule)


def test_made_up_requests_find_no_other_rule_broken() -> None:
    show([each for each in explored().broken if each.rule not in EXPLORED])


@pytest.mark.parametrize(("find", "named"), [(walked, WALKED), (answered, ANSWERED)])
@VIA_BOTH
def test_no_other_rule_is_broken(find: Callable[[Via], Findings], named: list[str], via: Via) -> None:
    show([each for each in find(via).broken if each.rule not in named])


def test_every_documented_answer_is_sent_and_checked() -> None:
    answered("in-process")
    assert coverage.gaps == []

"""The workflows go along the links of the document, and along all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .document import PATH, Document, Node, read
from .operations import OPERATIONS

WORKFLOWS = read(PATH.with_name("workflows.arazzo.yaml"))["workflows"]
# An operation, an output of its answer, and the operation and the parameter that it is handed to.
Handed = tuple[str, str, str, str]


def steps() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Every step, and the steps of its workflow by their names."""
    for workflow in WORKFLOWS:
        named = {step["stepId"]: step for step in workflow["steps"]}
        yield from ((step, named) for step in workflow["steps"])


def handed_on() -> Iterator[Handed]:
    """What steps take from answers to earlier ones."""
    for step, named in steps():
        for parameter in step.get("parameters", []):
            match = re.fullmatch(r"\$steps\.(\w+)\.outputs\.(\w+)", parameter["value"])
            if match:
                earlier = named[match[1]]
                output = earlier["outputs"][match[2]]
                yield earlier["operationId"], output, step["operationId"], parameter["name"]


def links(document: Document) -> Iterator[Handed]:
    for _, _, operation in document.operations():
        for answer in map(document.resolved, operation["responses"].values()):
            for link in answer.get("links", {}).values():
                for name, expression in link["parameters"].items():
                    yield operation["operationId"], expression, link["operationId"], name


def test_steps_hand_on_what_the_links_of_the_document_hand_on(document: Document) -> None:
    assert set(handed_on()) == set(links(document))


def path_parameters(operation: Node, document: Document) -> set[str]:
    return set(document.parameters(operation, "path"))


def test_a_step_gives_every_parameter_that_its_operation_needs(document: Document) -> None:
    for step, _ in steps():
        _, _, operation = document.operation(step["operationId"])
        given = {parameter["name"] for parameter in step.get("parameters", [])}
        assert given == path_parameters(operation, document), step["stepId"]
        assert ("requestBody" in step) == ("requestBody" in operation), step["stepId"]


def test_a_submit_is_sent_again_only_where_the_server_took_no_job() -> None:
    for step, _ in steps():
        if OPERATIONS[step["operationId"]].paid:
            again = [action["criteria"] for action in step["onFailure"] if action["type"] == "retry"]
            assert again == [[{"condition": "$statusCode == 429"}]]


def test_a_poll_ends_with_each_status_that_ends_a_job() -> None:
    for step, _ in steps():
        if step["operationId"] == "retrieveVideo":
            told = " ".join(each["condition"] for each in step["successCriteria"])
            ends = {action["name"]: action["type"] for action in step["onSuccess"]}
            assert ends == {"completed": "goto", "failed": "end"}
            assert all(f"$response.body#/status == '{status}'" in told for status in ends)

"""The supply chain: what is installed is what was locked, and CI can do no more than it must."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).parents[3]
LOCK = (PROJECT / "requirements-dev.txt").read_text()
# None where the tests come from a source distribution.
WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))


def steps(workflow: Path) -> Iterator[dict[str, Any]]:
    for job in yaml.safe_load(workflow.read_text())["jobs"].values():
        yield from job.get("steps", [])


def test_every_requirement_is_pinned_and_hashed() -> None:
    requirements = re.split(r"\n(?! )", LOCK.strip())
    assert len(requirements) > 100
    line = r"[a-z0-9._-]+(\[[a-z0-9,]+\])?==[0-9][0-9a-z.!+]*( ; [^\\\n]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+"
    assert [requirement for requirement in requirements if not re.fullmatch(line, requirement)] == []


def test_the_lock_names_no_address() -> None:
    assert re.findall(r"\S*(?:://|--index|--extra|--find-links|--trusted|@ )\S*", LOCK) == []


# What its jobs may do besides reading the code: a release proves to the index which workflow it is.
PERMITTED: dict[str, tuple[dict[str, str], dict[str, dict[str, str]]]] = {
    "release.yml": ({}, {"build": {"contents": "read"}, "publish": {"id-token": "write"}})
}


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_read_the_code_and_nothing_else(workflow: Path) -> None:
    told = yaml.safe_load(workflow.read_text())
    of_jobs = {name: job["permissions"] for name, job in told["jobs"].items() if "permissions" in job}
    assert (told["permissions"], of_jobs) == PERMITTED.get(workflow.name, ({"contents": "read"}, {}))


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_never_runs_the_code_of_strangers_with_our_secrets(workflow: Path) -> None:
    text = workflow.read_text()
    assert "pull_request_target" not in text
    assert "workflow_run" not in text
    assert "secrets: inherit" not in text
    # Text that others write, such as the title of a pull request, is never part of a script.
    assert [step["run"] for step in steps(workflow) if "${{" in step.get("run", "")] == []


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_uses_actions_of_github_or_pins_them_by_commit(workflow: Path) -> None:
    used = [step["uses"] for step in steps(workflow) if "uses" in step]
    assert len(used) > 0
    assert [action for action in used if not re.fullmatch(r"actions/[a-z-]+@v\d+|[\w./-]+@[0-9a-f]{40}", action)] == []


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_no_checkout_leaves_its_token_behind(workflow: Path) -> None:
    checkouts = [step for step in steps(workflow) if step.get("uses", "").startswith("actions/checkout@")]
    assert len(checkouts) > 0
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_every_job_of_a_workflow_ends(workflow: Path) -> None:
    jobs = yaml.safe_load(workflow.read_text())["jobs"]
    assert [name for name, job in jobs.items() if not 0 < job["timeout-minutes"] <= 60] == []


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_installs_by_hash(workflow: Path) -> None:
    commands = [line for step in steps(workflow) for line in step.get("run", "").splitlines()]
    listed = [line for line in commands if "install -r" in line or "-r requirements" in line]
    assert all("--require-hashes --only-binary=:all:" in line for line in listed)

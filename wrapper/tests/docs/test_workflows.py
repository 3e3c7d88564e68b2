"""What GitHub is to run can be read, and covers what pyproject.toml promises."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
import yaml

from .pages import PROJECT, text_of

WORKFLOWS = [path.relative_to(PROJECT).as_posix() for path in PROJECT.glob(".github/workflows/*.yml")]


def jobs_of(workflow: str) -> dict[str, Any]:
    jobs = yaml.safe_load(text_of(workflow))["jobs"]
    assert isinstance(jobs, dict)
    return jobs


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_every_step_of_a_workflow_runs_or_uses_something(workflow: str) -> None:
    for job in jobs_of(workflow).values():
        assert job["steps"]
        assert all(("run" in step) != ("uses" in step) for step in job["steps"])


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_targets_that_a_workflow_makes_exist(workflow: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    commands = "\n".join(step.get("run", "") for job in jobs_of(workflow).values() for step in job["steps"])
    assert set(re.findall(r"\bmake ([a-z-]+)", commands)) <= targets


def test_the_matrix_covers_three_systems_and_the_promised_pythons() -> None:
    matrix = jobs_of(".github/workflows/check.yml")["test"]["strategy"]["matrix"]
    assert matrix == {
        "os": ["ubuntu-latest", "macos-latest", "windows-latest"],
        "python": ["3.11", "3.12", "3.13", "3.14"],
    }
    classifiers = tomllib.loads(text_of("pyproject.toml"))["project"]["classifiers"]
    named = re.findall(r"Programming Language :: Python :: (3\.\d+)", "\n".join(classifiers))
    assert named == matrix["python"]


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_what_a_workflow_uses_is_pinned_by_its_commit(workflow: str) -> None:
    used = re.findall(r"uses: (\S+)", text_of(workflow))
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action) for action in used), used


def test_the_key_is_known_to_the_step_alone_that_needs_it() -> None:
    jobs = jobs_of(".github/workflows/contract.yml")
    knowing = [step for job in jobs.values() for step in job["steps"] if "secrets.DEERAPI_KEY" in str(step)]
    assert [step["run"] for step in knowing] == [".venv/bin/deerapi-remix contract --junit build/contract/live.xml"]
    assert all("secrets.DEERAPI_KEY }}" not in str(job.get("env")) for job in jobs.values())

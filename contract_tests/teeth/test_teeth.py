"""What is caught and what survives, that only copies are touched, and that every fault is about this tree."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from attrs import evolve

from contract_tests.edits import GONE, Renamed
from contract_tests.teeth.catalogue import FAULTS
from contract_tests.teeth.faults import PROJECT, Code, Edit, Fault, StaleFaultError, Text, Values

SERVICE = "wrapper/deerapi_remix/testing/_service.py"
WALK = "wrapper/deerapi_remix/contract/_walk.py"
RULE = "contract_tests/server/test_server.py::test_a_walk_finds_the_rule_kept[models_listed-in-process]"
SAYS = " breaks models_listed: "
LISTED = '{"object": "list", "data": cards}'
EMPTY = '{"object": "list", "data": []}'
TOP = "import math\n"
ASKS = "    def read_only(self) -> None:\n"
ELSEWHERE = "import sys\nsys.modules[__name__].__file__ = '/elsewhere.py'\n"
# Tells who hangs.
HANG = "import os, pathlib, time\n        pathlib.Path('hangs').write_text(str(os.getpid()))\n        time.sleep(600)\n"

REMIX = "paths:/v1/videos/{video_id}/remix"


def planted(name: str, edit: Edit, says: str = SAYS, file: str = SERVICE) -> Fault:
    return Fault(name, file, edit, RULE, says)


def in_models(name: str, old: str, new: str, says: str = SAYS) -> Fault:
    return planted(name, Code("Service.models", old, new), says)


CAUGHT = in_models("no models", LISTED, EMPTY)
SURVIVORS = {
    planted("a comment", Text(TOP, f"# A comment\n{TOP}")): "1 tests passed",
    planted("no such text", Text("no such text", "")): "cannot be planted: its text stands 0 times",
    planted("text in many places", Text("return", "yield")): "cannot be planted: its text stands ",
    planted("no such function", Code("Service.balance", "x", "")): "planted: 0 things are called Service.balance",
    in_models("no such code", "no such code", ""): "cannot be planted: its code stands 0 times in Service.models",
    in_models("no change", LISTED, LISTED): "cannot be planted: it changes nothing",
    planted("no such value", Values({f"{REMIX}:get": GONE}), file="openapi.yaml"): f"planted: {REMIX}:get: KeyError",
    planted("import", Text(TOP, "import no_such_module\n")): "not collected: ",
    planted("syntax", Text(TOP, "import\n")): "not collected: ",
    planted("late import", Text(ASKS, f"{ASKS}        import no_such_module\n"), file=WALK): (
        "ModuleNotFoundError in its body: "
    ),
    planted("late name", Text(ASKS, f"{ASKS}        no_such_name\n"), file=WALK): (
        "NameError in its body: name 'no_such_name'"
    ),
    in_models("another rule", LISTED, EMPTY, " breaks id_echoed: "): "does not say ' breaks id_echoed: '",
    planted("a module from elsewhere", Text(TOP, f"{TOP}{ELSEWHERE}")): "_service was not imported from the copy",
}
OF_NO_RULE = evolve(CAUGHT, rule=RULE.replace("models", "no_models"))
HANGING = in_models("hangs", "cards = [", f"{HANG}        cards = [")


def start(faults: str, folder: Path) -> subprocess.Popen[str]:
    """The command with another catalogue. In a process of its own: it forks, and there may be threads in this one."""
    catalogue = f"from contract_tests.teeth.test_teeth import *; faults = {faults}"
    code = f"import sys; from contract_tests.teeth.__main__ import main; {catalogue}; sys.exit(main([], faults))"
    environment = os.environ | {"TMPDIR": str(folder)}
    output = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", code], cwd=PROJECT, stdout=output, text=True, env=environment)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("copies")


@pytest.fixture(scope="module")
def told(folder: Path) -> str:
    """What the command prints about the faults above."""
    before = (PROJECT / SERVICE).read_bytes()
    process = start("[CAUGHT, *SURVIVORS]", folder)
    told, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert (PROJECT / SERVICE).read_bytes() == before
    return told


def test_a_fault_is_caught_and_the_line_names_the_rule(told: str) -> None:
    assert re.search("^caught  server    no models: listModels 200 breaks models_listed: ", told, re.MULTILINE)


@pytest.mark.parametrize("fault", SURVIVORS, ids=lambda fault: fault.name)
def test_what_no_rule_notices_survives_and_it_is_said_why(told: str, fault: Fault) -> None:
    about = told.partition(f"survivor: {fault.name} (")[2].partition("survivor: ")[0]
    assert SURVIVORS[fault] in about
    assert RULE in about


def test_the_count_is_told_for_each_group(told: str) -> None:
    assert re.search(f"^server    1/{len(SURVIVORS) - 2} caught$", told, re.MULTILINE)
    assert re.search("^client    0/2 caught$", told, re.MULTILINE)
    assert f"1/{len(SURVIVORS) + 1} faults caught" in told.splitlines()[-1]


def test_no_copy_is_left(told: str, folder: Path) -> None:
    assert told
    assert list(folder.iterdir()) == []


def test_when_all_are_caught_the_command_succeeds(folder: Path) -> None:
    process = start("[CAUGHT]", folder)
    told, _ = process.communicate(timeout=60)
    assert (process.returncode, told.splitlines()[0]) == (0, "control: 1 tests of 1 rules pass without a fault")


def test_when_the_suite_is_red_without_a_fault_nothing_is_planted(folder: Path) -> None:
    process = start("[OF_NO_RULE]", folder)
    told, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert told.startswith("Without a fault the suite must pass, and it does not:\n")
    assert "caught" not in told


def test_an_interrupt_leaves_no_copy_and_no_process(folder: Path) -> None:
    processes = {number: start("[HANGING]", folder) for number in (signal.SIGINT, signal.SIGTERM)}
    deadline = time.monotonic() + 30
    while len(hanging := [path.read_text() for path in folder.glob("teeth-*/*/hangs")]) < 2 or not all(hanging):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    for number, process in processes.items():
        process.send_signal(number)
        told, _ = process.communicate(timeout=30)
        assert (process.returncode, told.splitlines()[-1]) == (130, "Interrupted.")
    assert list(folder.iterdir()) == []
    for child in map(int, hanging):
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_about_this_tree(fault: Fault) -> None:
    text = (PROJECT / fault.file).read_text(encoding="utf-8")
    assert fault.applied_to(text) != text


PYTHON = """
LIMIT = 5


@decorated
def ask(
    wanted,
) -> None:
    return send(wanted)


class Service:
    kind: str = "one"

    def ask(self) -> None:
        return send(
            self.wanted,
            limit=LIMIT,
        )
"""


@pytest.mark.parametrize(
    ("edit", "line"),
    [
        (Code("ask", "send(wanted)", "None"), "    return None\n"),
        (Code("ask", "@decorated", "@other"), "@other\n"),
        (Code("Service.ask", "send(self.wanted, limit=LIMIT)", "None"), "        return None\n"),
        (Code("Service.kind", '"one"', '"two"'), '    kind: str = "two"\n'),
        (Code("LIMIT", "5", "50"), "LIMIT = 50\n"),
    ],
)
def test_code_is_found_by_its_place_whatever_its_layout(edit: Code, line: str) -> None:
    assert line in edit.applied_to(PYTHON)


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (Code("Service.ask", "self.wanted, timeout", ""), "its code stands 0 times in Service.ask"),
        (Code("Service.ask", "self", ""), "its code stands 2 times in Service.ask"),
        (Code("tell", "send", ""), "0 things are called tell"),
        (Text("send", ""), "its text stands 2 times"),
    ],
)
def test_what_is_not_there_once_is_refused(edit: Edit, reason: str) -> None:
    with pytest.raises(StaleFaultError, match=reason):
        edit.applied_to(PYTHON)


DOCUMENT = "list: [1, 2]\nmap: {old: 1, other: 2}\n"


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        ({"list:1": 3}, {"list": [1, 3], "map": {"old": 1, "other": 2}}),
        ({"list:2": 3}, {"list": [1, 2, 3], "map": {"old": 1, "other": 2}}),
        ({"list:0": GONE, "map:new": 3}, {"list": [2], "map": {"old": 1, "other": 2, "new": 3}}),
        ({"map:old": Renamed("new")}, {"list": [1, 2], "map": {"new": 1, "other": 2}}),
    ],
)
def test_values_are_changed_by_their_place(edits: dict[str, Any], expected: dict[str, Any]) -> None:
    assert yaml.safe_load(Values(edits).applied_to(DOCUMENT)) == expected


@pytest.mark.parametrize("edits", [{"map:gone": GONE}, {"map:gone": Renamed("new")}, {"gone:old": 1}, {"list:3": 1}])
def test_a_place_that_is_not_there_is_refused(edits: dict[str, Any]) -> None:
    with pytest.raises(StaleFaultError, match="Error"):
        Values(edits).applied_to(DOCUMENT)


def test_names_are_unique_and_groups_are_large_enough() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    groups = [fault.group for fault in FAULTS]
    assert groups.count("server") >= 40

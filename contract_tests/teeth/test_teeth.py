"""What is caught and what survives, that only copies are touched, and that every fault is about this tree."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from contract_tests.teeth.catalogue import FAULTS
from contract_tests.teeth.faults import PROJECT, Fault, StaleFaultError

SERVICE = "wrapper/deerapi_remix/testing/_service.py"
WALK = "contract_tests/server/walk.py"
RULE = "contract_tests/server/test_server.py::test_a_walk_finds_the_rule_kept[models_listed-in-process]"
SAYS = " breaks models_listed: "
LISTED = '{"object": "list", "data": cards}'
EMPTY = '{"object": "list", "data": []}'
TOP = "import math\n"
ASKS = "    def read_only(self) -> None:\n"
ELSEWHERE = "import sys\nsys.modules[__name__].__file__ = '/elsewhere.py'\n"
# Tells who hangs.
HANG = "import os, pathlib, time\n        pathlib.Path('hangs').write_text(str(os.getpid()))\n        time.sleep(600)\n"

CAUGHT = Fault("no models", SERVICE, LISTED, EMPTY, RULE, SAYS)
SURVIVORS = {
    Fault("a comment", SERVICE, TOP, f"# A comment\n{TOP}", RULE): "1 tests passed",
    Fault("no such text", SERVICE, "no such text", "", RULE): "cannot be planted: its text stands 0 times in ",
    Fault("text in many places", SERVICE, "return", "yield", RULE): "cannot be planted: its text stands ",
    Fault("no change", SERVICE, LISTED, LISTED, RULE): "cannot be planted: it changes nothing",
    Fault("import", SERVICE, TOP, "import no_such_module\n", RULE): "not collected: ",
    Fault("syntax", SERVICE, TOP, "import\n", RULE): "not collected: ",
    Fault(
        "late import", WALK, ASKS, f"{ASKS}        import no_such_module\n", RULE
    ): "ModuleNotFoundError in its body: ",
    Fault("late name", WALK, ASKS, f"{ASKS}        no_such_name\n", RULE): "NameError in its body: name 'no_such_name'",
    Fault("another rule", SERVICE, LISTED, EMPTY, RULE, " breaks id_echoed: "): "does not say ' breaks id_echoed: '",
    Fault(
        "a module from elsewhere", SERVICE, TOP, f"{TOP}{ELSEWHERE}", RULE
    ): "_service was not imported from the copy",
}
HANGING = Fault("hangs", SERVICE, "        cards = [\n", f"        {HANG}        cards = [\n", RULE)


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
    assert re.search(f"^server    1/{len(SURVIVORS) - 1} caught$", told, re.MULTILINE)
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
    process = start('[Fault("x", SERVICE, LISTED, EMPTY, RULE.replace("models", "no_models"))]', folder)
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


def test_a_fault_whose_text_is_gone_is_refused() -> None:
    with pytest.raises(StaleFaultError, match="its text stands 0 times in "):
        CAUGHT.applied_to("something else")


def test_names_are_unique_and_groups_are_large_enough() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    groups = [fault.group for fault in FAULTS]
    assert groups.count("server") >= 40

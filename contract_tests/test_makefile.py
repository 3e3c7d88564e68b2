"""What the Makefile asks for is what was meant."""

from __future__ import annotations

import re
import subprocess
from collections import Counter

from .document import ROOT


def test_the_list_of_targets_fits_a_terminal() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [line for line in listed if len(line) > 80] == []
    assert "clean           remove what the other targets made" in listed
    targets = re.findall(r"^([a-z0-9-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert [line.split()[0] for line in listed if not line.startswith(" ")] == sorted(targets)


def test_a_variable_has_one_meaning() -> None:
    """Whoever sets one for a target would change another target, too."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    names = Counter(re.findall(r"^(?:export )?(\w+) *[:?+]?=", text, re.MULTILINE))
    assert [name for name, count in names.items() if count > 1] == []

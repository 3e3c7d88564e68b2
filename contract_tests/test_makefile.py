"""What the Makefile asks for is what was meant."""

from __future__ import annotations

import re
from collections import Counter

from .document import ROOT


def test_a_variable_has_one_meaning() -> None:
    """Whoever sets one for a target would change another target, too."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    names = Counter(re.findall(r"^(?:export )?(\w+) *[:?+]?=", text, re.MULTILINE))
    assert [name for name, count in names.items() if count > 1] == []

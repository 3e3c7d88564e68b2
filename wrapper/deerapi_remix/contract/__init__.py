"""Does a server keep to the contract? Needs the extra `contract`; `deerapi-remix contract` runs it.

`check` puts questions to a server, and `judge_recording` judges traffic that was recorded; both by
the same rules, `RULES`, and with the same report. The document that the installed client was
generated from is the measure: what it requires is kept or broken. Anything else that is unusual is
drift, and breaks nothing.
"""

from ._check import BROKEN, check
from ._recording import judge_recording
from ._report import Report
from ._rules import RULES
from ._settings import DEFAULT_BASE_URL, Settings, UnusableError

__all__ = [
    "BROKEN",
    "DEFAULT_BASE_URL",
    "RULES",
    "Report",
    "Settings",
    "UnusableError",
    "check",
    "judge_recording",
]

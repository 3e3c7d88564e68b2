"""Writes the tables of the documentation that follow from the code: `python docs/tables.py`.

A test compares what stands in the pages with what this makes.
"""

from __future__ import annotations

import re
from http.client import responses
from pathlib import Path

from deerapi_remix._failures import TABLE, Row
from deerapi_remix.errors import Reason

DOCS = Path(__file__).parent
# What follows from a reason, whatever the status. The words by which it is found stand in `_wording.py`.
REASONS = {
    Reason.NOT_READY: ("the file is not there yet", "asked for again by `remix_to_file`", "as the status says"),
    Reason.UNKNOWN_JOB: ("no such job or video", "tolerated for a while on a new job", "as the status says"),
    Reason.NO_SUCH_MODEL: ("no channel serves the model", "not sent again", "not sent again"),
    Reason.NO_BALANCE: ("the balance is used up", "not sent again", "not sent again"),
    Reason.PASSED_ON: ("a gateway had passed the request on", "sent again", "not sent again: may have been charged"),
    Reason.NOT_SENT: ("the request never left", "sent again", "sent again"),
}


def statuses_of(row: Row) -> str:
    """The statuses of a row as people write them."""
    first, last = row.statuses[0], row.statuses[-1]
    if row is TABLE[-1]:
        return "any other"
    if first == last:
        return f"{first} {responses.get(first, '')}".strip()
    if (first, last) == (303, 304):
        return "303, 304"
    return f"other {first // 100}xx"


def after_a_submit(row: Row) -> str:
    """What becomes of a paid submit."""
    told = "may have been charged" if row.ambiguous else "not charged"
    return f"sent again; in the end: {told}" if row.resends_paid else told


def status_table() -> str:
    """A row for each row of the table in `_failures.py`."""
    lines = ["| status | error | a submit | a free request |", "|---|---|---|---|"]
    for row in TABLE:
        free = "sent again" if row.transient else "final"
        lines.append(f"| {statuses_of(row)} | `{row.error.__name__}` | {after_a_submit(row)} | {free} |")
    return "\n".join(lines)


def reason_table() -> str:
    """A row for each reason."""
    lines = ["| `error.reason` | it means | a free request | a submit |", "|---|---|---|---|"]
    for reason in Reason:
        meaning, free, paid = REASONS[reason]
        lines.append(f"| `{reason}` | {meaning} | {free} | {paid} |")
    return "\n".join(lines)


TABLES = {"statuses": status_table, "reasons": reason_table}


def with_tables(page: str) -> str:
    """`page` with its tables made anew, between their markers."""
    for name, make in TABLES.items():
        pattern = rf"(<!-- table: {name} -->\n).*?(\n<!-- end -->)"
        page = re.sub(pattern, lambda found, made=make: f"{found[1]}{made()}{found[2]}", page, flags=re.DOTALL)
    return page


if __name__ == "__main__":
    page = DOCS / "errors.md"
    page.write_text(with_tables(page.read_text()))

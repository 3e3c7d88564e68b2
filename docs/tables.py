"""Writes the tables of the documentation that follow from the code: `python docs/tables.py`.

A test compares what stands in the pages with what this makes.
"""

from __future__ import annotations

import inspect
import re
from http.client import responses
from pathlib import Path

from deerapi_remix import PollingPolicy, RemixClient, RetryPolicy, cli, errors, ledger
from deerapi_remix._failures import TABLE, Row
from deerapi_remix.cli._exit_codes import ExitCode, exit_code
from deerapi_remix.errors import DeerAPIError, Reason
from deerapi_remix.ledger import _errors as ledger_errors

DOCS = Path(__file__).parent
PAGES = ("errors.md", "production.md")
# What follows from a reason, whatever the status. The words by which it is found stand in `_wording.py`.
REASONS = {
    Reason.NOT_READY: ("the file is not there yet", "asked for again by `remix_to_file`", "as the status says"),
    Reason.UNKNOWN_JOB: ("no such job or video", "tolerated for a while on a new job", "as the status says"),
    Reason.NO_SUCH_MODEL: ("no channel serves the model", "not sent again", "not sent again"),
    Reason.NO_BALANCE: ("the balance is used up", "not sent again", "not sent again"),
    Reason.PASSED_ON: ("a gateway had passed the request on", "sent again", "not sent again: may have been charged"),
    Reason.NOT_SENT: ("the request never left", "sent again", "sent again"),
}
# What to do where the error itself gives no advice.
HANDLING = {
    "ConfigurationError": "Mend the settings; it will be the same each time.",
    "APIConnectionError": "Call again later if it is `retryable`; look at network, proxy and certificates.",
    "APITimeoutError": "Call again later if it is `retryable`; or give `timeout` more seconds.",
    "APIStatusError": "Read `status_code`, `code` and `message`.",
    "ConflictError": "Retrieve the video and look at its state.",
    "RemixFailedError": "Tell who ordered it `video.error`; to submit anew, with another prompt, pays anew.",
    "LedgerConflictError": "Use another key: it is a mistake in your program.",
    "OutcomeUnknownError": "Look at your usage with the vendor, then `resolve` the key.",
    "DuplicateJobError": "Two jobs were paid; `entry.job_ids` has both. Ask how the key came to be resolved.",
    "LedgerUnavailableError": "Mend the database. With a `job_id`, `resolve` the key with it afterwards.",
}
# What a script does on an exit code.
AFTER_EXIT = {
    ExitCode.DONE: "Go on.",
    ExitCode.USAGE: "Change the command.",
    ExitCode.SETUP: "Run `deerapi-remix doctor`, which tells what is not in place.",
    ExitCode.REFUSED: "Read the message; the same command will be refused again.",
    ExitCode.RATE_LIMITED: "Run it again later.",
    ExitCode.SERVER: "Run it again later: with `--output` or `--once` it goes on with its job.",
    ExitCode.UNKNOWN: "Let somebody look at the usage of the account; the message says how to settle it.",
    ExitCode.JOB_FAILED: "Change prompt or source; the next run submits, and pays, anew.",
    ExitCode.DEADLINE: "Run it again: it goes on waiting.",
    ExitCode.FILE: "Mend what the message names, and run it again: it does not pay again.",
    ExitCode.INTERRUPTED: "Run it again: with `--output` or `--once` it goes on, or says that the outcome is unknown.",
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


def described(kind: type) -> dict[str, str]:
    """What the docstring of a class says of each argument or attribute."""
    told = re.findall(r"^ {4}(\w+): (.+(?:\n {8}.+)*)", inspect.getdoc(kind) or "", re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in told}


def time_table() -> str:
    """A row for each setting that bounds a time, with its default."""
    timeout = inspect.signature(RemixClient).parameters["timeout"].default
    rows = [("timeout", timeout, described(RemixClient)["timeout"])]
    for kind, names in ((RetryPolicy, ("attempts", "budget")), (PollingPolicy, ("max_interval", "timeout"))):
        told = described(kind)
        rows += [(f"{kind.__name__}({name}=...)", getattr(kind(), name), told[name]) for name in names]
    lines = ["| setting | default | what it is |", "|---|---|---|"]
    lines += [f"| `{setting}` | {default:g} | {meaning} |" for setting, default, meaning in rows]
    return "\n".join(lines)


def every_error() -> list[type[DeerAPIError]]:
    """The errors of the client and of the ledger, bases first, without those that are only bases."""
    found = []
    for package, tree in ((errors, errors.__doc__), (ledger, ledger_errors.__doc__)):
        names = re.findall(r"^[│├└ ]*(\w+Error)\b", tree or "", re.MULTILINE)
        found += [getattr(package, name) for name in names if name not in ("DeerAPIError", "LedgerError")]
    return found


def handling_table() -> str:
    """A row for each error: what it means, what to do, and how a command ends with it."""
    lines = ["| error | it means | what to do | exit code |", "|---|---|---|---|"]
    for error in every_error():
        name = error.__name__
        meaning = (inspect.getdoc(error) or "").partition("\n")[0]
        handling = error.advice or HANDLING[name]
        lines.append(f"| `{name}` | {meaning} | {handling} | {exit_code(error()):d} |")
    return "\n".join(lines)


def exit_code_table() -> str:
    """A row for each exit code of the command line."""
    told = dict(re.findall(r"^(\d+) +(.+)$", (cli.__doc__ or "").partition("Exit codes:")[2], re.MULTILINE))
    lines = ["| exit code | it means | what to do |", "|---|---|---|"]
    lines += [f"| {code:d} | {told[str(int(code))]} | {AFTER_EXIT[code]} |" for code in ExitCode]
    return "\n".join(lines)


TABLES = {
    "statuses": status_table,
    "reasons": reason_table,
    "times": time_table,
    "handling": handling_table,
    "exit codes": exit_code_table,
}


def with_tables(page: str) -> str:
    """`page` with its tables made anew, between their markers."""
    for name, make in TABLES.items():
        pattern = rf"(<!-- table: {name} -->\n).*?(<!-- end -->)"
        page = re.sub(pattern, lambda found, made=make: f"{found[1]}{made()}\n{found[2]}", page, flags=re.DOTALL)
    return page


if __name__ == "__main__":
    for name in PAGES:
        page = DOCS / name
        page.write_text(with_tables(page.read_text()))

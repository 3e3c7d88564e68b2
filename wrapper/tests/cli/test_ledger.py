"""`remix --once`, and the commands that look at its ledger and settle what is unknown."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from .shell import REMIX, SAVE, UNKNOWN, Cli, Runner, files

ONCE = ("--once", "order-1042")


@pytest.mark.parametrize(("command", "out"), [((*SAVE, *ONCE), "bow.mp4\n"), ((*REMIX, "--no-wait", *ONCE), "{job}\n")])
def test_a_key_submits_once_however_often_it_is_run(run: Runner, command: tuple[str, ...], out: str) -> None:
    first, again = run(*command), run(*command)
    job = run.job
    assert (first.code, first.out) == (again.code, again.out) == (0, out.format(job=job))
    assert first.err.startswith(f"accepted as {job}\n")
    assert again.err.startswith(f"going on with {job}, which an earlier run submitted; nothing is paid again\n")
    assert run.submits == 1
    assert [name for name in files() if name.endswith(".json")] == []


def test_a_run_that_reached_its_deadline_says_to_run_it_again(run: Runner) -> None:
    outcome = run(*SAVE, *ONCE, "--timeout", "4")
    assert outcome.code == 9
    assert outcome.err.endswith(f"Run the same command again: it goes on with {run.job} and pays for no other.\n")
    assert run(*SAVE, *ONCE).code == 0
    assert run.submits == 1


def test_a_lost_answer_is_7_until_it_is_resolved(run: Runner) -> None:
    run.fake.answer_lost()
    lost = run(*SAVE, *ONCE)
    advice = " Once you know: deerapi-remix ledger resolve order-1042 --job ID, or --not-charged.\n"
    assert (lost.code, lost.err.endswith(f"{UNKNOWN} first.{advice}")) == (7, True)
    again = run(*SAVE, *ONCE)
    assert (again.code, again.err.endswith(advice), run.submits) == (7, True, 1)
    # How to settle it is told once, as a command: no Python in a terminal.
    assert (again.err.count("Once you know"), "resolve(" in again.err, ".)" in again.err) == (1, False, False)
    assert run("ledger", "list", "--state", "unknown").out == "order-1042  unknown\n"
    assert run("ledger", "forget", "order-1042").code == 7
    assert run("ledger", "resolve", "order-1042", "--not-charged", "--json").json["state"] == "open"
    assert run(*SAVE, *ONCE).code == 0
    assert run.submits == 2


def test_a_job_that_was_found_is_resolved_to(run: Runner) -> None:
    run.fake.answer_lost()
    run(*SAVE, *ONCE)
    assert "job        video_123\n" in run("ledger", "resolve", "order-1042", "--job", "video_123").out
    assert run(*SAVE, *ONCE).code == 0
    assert run.submits == 1


def test_an_entry_is_shown_and_forgotten(run: Runner) -> None:
    run(*SAVE, *ONCE)
    job = run.job
    shown = run("ledger", "show", "order-1042")
    assert re.match(rf"key        order-1042\nstate      saved\njob        {job}\nstatus     completed\n", shown.out)
    assert "prompt     The cat takes a bow\n" in shown.out
    assert run("ledger", "show", "order-1042", "--json").json["job_id"] == job
    assert run("ledger", "list").out == f"order-1042  saved  {job}\n"
    assert run("ledger", "list", "--json").json["entries"][0]["key"] == "order-1042"
    assert run("ledger", "forget", "order-1042").code == 0
    assert run("ledger", "list") == (0, "", "")


def test_another_remix_for_the_same_key_is_2(run: Runner) -> None:
    run(*REMIX, *ONCE, "--no-wait")
    outcome = run("remix", "video_123", "--prompt", "Another", *ONCE, "--no-wait")
    assert outcome.code == 2
    assert "key 'order-1042' is in use for another remix: it differs in prompt" in outcome.err
    assert run.submits == 1


@pytest.mark.parametrize("command", [("show",), ("resolve", "--not-charged"), ("forget",)])
def test_an_unknown_key_is_2(run: Runner, command: tuple[str, ...]) -> None:
    run(*REMIX, *ONCE, "--no-wait")
    outcome = run("ledger", command[0], "nope", *command[1:])
    assert outcome == (2, "", "Error: the ledger has no key 'nope'. Nothing was sent.\n")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((*REMIX, *ONCE, "--resubmit", "-o", "x"), "--once cannot be combined with --resubmit."),
        ((*REMIX, "--database", "sqlite:///x.db"), "--database needs --once."),
        ((*REMIX, *ONCE, "--database", "mysql://x"), "a ledger is kept in SQLite or Postgres, not in mysql."),
        (("ledger", "resolve", "k"), "say either --job ID or --not-charged."),
        (("ledger", "resolve", "k", "--job", "j", "--not-charged"), "say either --job ID or --not-charged."),
    ],
)
def test_wrong_usage_is_2_and_sends_nothing(run: Runner, arguments: tuple[str, ...], complaint: str) -> None:
    outcome = run(*arguments)
    assert (outcome.code, complaint in outcome.err) == (2, True), outcome.err
    assert (run.fake.requests, files()) == ((), [])


def test_a_ledger_that_is_not_there_is_10_and_is_not_made(call: Cli) -> None:
    outcome = call("ledger", "list", "--database", "sqlite:///no.db")
    assert outcome == (10, "", "Error: there is no ledger at no.db: say where with --database.\n")
    assert files() == []


def test_a_database_that_cannot_be_used_is_10_before_anything_is_paid(run: Runner) -> None:
    Path("broken.db").write_text("no database " * 100)
    outcome = run(*REMIX, *ONCE, "--database", "sqlite:///broken.db")
    assert (outcome.code, run.fake.requests) == (10, ())
    assert "Error: The database of the ledger cannot be used: " in outcome.err


def test_a_missing_extra_is_3_and_is_named(run: Runner) -> None:
    for name in [name for name in sys.modules if name.startswith("deerapi_remix.ledger.")]:
        run.patch.delitem(sys.modules, name)
    run.patch.setitem(sys.modules, "sqlalchemy", None)
    outcome = run(*REMIX, *ONCE, "--json")
    assert (outcome.code, outcome.json["type"]) == (3, "MissingExtra")
    assert outcome.err == "Error: The ledger needs SQLAlchemy: pip install 'deerapi-remix[ledger]'\n"
    assert run.fake.requests == ()

"""`batch`: what is shown, what it costs, and how it ends."""

from __future__ import annotations

import csv
import io
import json
import re
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from deerapi_remix.batch import Batch, Row, RowState, Status
from deerapi_remix.cli._batch_display import BatchLines, _shares
from deerapi_remix.cli._batch_endings import advice, ending
from deerapi_remix.cli._batch_progress import Progress
from deerapi_remix.ledger import LedgerUnavailableError
from deerapi_remix.testing import FakeDeerAPI
from deerapi_remix.testing.asgi import running_server

from .shell import PROGRAM, Cli, Outcome, Terminal, environment, raising

TABLE = "video_id,prompt,key\n" + "".join(f"video_123,Take {number},row-{number}\n" for number in range(3))
ONE_ROW = "video_id,prompt,key\nvideo_123,Take 0,row-0\n"


class Shell:
    """Runs command lines against a server on loopback that renders at once."""

    def __init__(self, call: Cli, fake: FakeDeerAPI) -> None:
        self.call = call
        self.fake = fake

    def __call__(self, *arguments: str, terminal: Terminal | None = None) -> Outcome:
        return self.call("batch", *arguments, terminal=terminal)

    @property
    def posts(self) -> int:
        return sum(request.operation == "remix" for request in self.fake.requests)


@pytest.fixture
def fake_server() -> Iterator[tuple[FakeDeerAPI, str]]:
    fake = FakeDeerAPI(render_seconds=0)
    with running_server(fake) as url:
        yield fake, url


@pytest.fixture
def shell(call: Cli, fake_server: tuple[FakeDeerAPI, str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    fake, url = fake_server
    monkeypatch.setenv("DEERAPI_BASE_URL", url)
    Path("rows.csv").write_text(TABLE)
    return Shell(call, fake)


def status(
    jobs: int = 0, price: float | None = None, paused: str | None = None, workers: int = 1, **counts: int
) -> Status:
    every = dict.fromkeys(("waiting", "submitting", "rendering", "saved", "failed", "unknown"), 0)
    return Status("rows", every | counts, jobs, price, paused, workers)


def test_a_table_is_run_and_saved_and_run_again_for_nothing(shell: Shell) -> None:
    outcome = shell("run", "rows.csv", "--yes", "--price", "0.5")
    assert (outcome.code, outcome.out) == (0, "rows: 3 saved\n")
    assert "3 new rows; 3 x 0.5 = 1.50\n" in outcome.err
    assert "row row-1: accepted as video_" in outcome.err
    assert sorted(path.name for path in Path("out").iterdir()) == ["row-0.mp4", "row-1.mp4", "row-2.mp4"]
    again = shell("run", "rows.csv", "--json")
    assert (again.code, again.json["saved"], again.json["cost"], shell.posts) == (0, 3, 1.5, 3)
    assert "jobs paid  3\ncost       1.50\n" in shell("status", "rows").out


def test_columns_that_nothing_is_taken_from_are_told_before_anything_is_paid(shell: Shell) -> None:
    Path("rows.csv").write_text("video_id,prompt,modle,animal,note\nvideo_123,It snows,sora-2-pro,A cat,\n")
    told = "columns from which nothing is taken: "
    outcome = shell("run", "rows.csv", "--dry-run")
    assert (outcome.code, outcome.out, outcome.err) == (0, "1 new row\n", told + "animal, modle\n")
    assert shell("run", "rows.csv", "--dry-run", "--json").json["unused"] == ["animal", "modle"]
    outcome = shell("run", "rows.csv", "--yes", "--prompt", "{animal} in the snow", "--output", "{modle}.mp4")
    assert outcome.err.startswith(told + "prompt\n")


def test_a_dry_run_checks_everything_and_pays_nothing(shell: Shell) -> None:
    outcome = shell("run", "rows.csv", "--dry-run", "--price", "0.5", "--max-rows", "2")
    assert (outcome.code, outcome.out) == (0, "2 new rows; 2 x 0.5 = 1.00\n")
    assert [row["key"] for row in shell("run", "rows.csv", "--dry-run", "--json").json["rows"]] == [
        *("row-0", "row-1", "row-2")
    ]
    assert len(shell.fake.requests) == 0
    assert [path.name for path in Path().iterdir()] == ["rows.csv"], "a dry run leaves nothing"


def test_a_dry_run_changes_nothing_in_a_database_that_is_there(shell: Shell) -> None:
    """Neither in that of a batch, nor in another."""
    shell("run", "rows.csv", "--yes", "--max-rows", "1")
    connection = sqlite3.connect("other.db")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE others (x)")
    connection.close()
    before = {path.name: path.read_bytes() for path in Path().glob("*.db*")}
    assert shell("run", "rows.csv", "--dry-run").out == "2 new rows, 1 that the batch has already\n"
    Path("out/row-0.mp4").rename("elsewhere.mp4")
    assert shell("run", "rows.csv", "--dry-run", "--database", "sqlite:///other.db").out == "3 new rows\n"
    assert {path.name: path.read_bytes() for path in Path().glob("*.db*")} == before


@pytest.mark.parametrize(
    ("database", "told"),
    [
        ("missing/batch.db", "missing/batch.db cannot be made: its folder is not there, or not to be written to."),
        ("rows.csv", "file is not a database. .*rows.csv is another file: name that of the batch."),
    ],
)
def test_a_database_that_cannot_be_one_is_10_in_a_dry_run_too(shell: Shell, database: str, told: str) -> None:
    outcome = shell("run", "rows.csv", "--dry-run", "--database", f"sqlite:///{database}")
    assert (outcome.code, outcome.out) == (10, "")
    assert re.search(told, outcome.err)


@pytest.mark.parametrize(
    ("table", "name"), [("my röws.csv", "my-r-ws"), ("é.csv", "batch"), (f"{'x' * 70}.csv", "x" * 64)]
)
def test_the_name_of_a_batch_is_told_where_that_of_the_table_cannot_be_one(shell: Shell, table: str, name: str) -> None:
    Path(table).write_text(TABLE)
    assert shell("run", table, "--dry-run").err == f"the name of the batch is {name}\n"
    assert shell("run", "rows.csv", "--dry-run").err == ""


@pytest.mark.parametrize("name", ["", "a/b", "a b", "é", "..", "x" * 65])
def test_a_name_that_cannot_be_one_is_2(shell: Shell, name: str) -> None:
    outcome = shell("run", "rows.csv", "--yes", "--name", name)
    assert (outcome.code, shell.posts, f"Error: {name!r} is no name of a batch: " in outcome.err) == (2, 0, True)


@pytest.mark.parametrize(
    ("error", "code"), [(KeyboardInterrupt(), 130), (LedgerUnavailableError("database or disk is full"), 10)]
)
def test_whoever_is_cut_off_while_rows_are_added_learns_that_some_are_missing(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int
) -> None:
    monkeypatch.setattr("deerapi_remix.batch.Batch.put", raising(error))
    outcome = shell("run", "rows.csv", "--yes")
    assert (outcome.code, shell.posts) == (code, 0)
    assert "not all rows were added: the same command, run again, adds the rest\n" in outcome.err


def test_whoever_adds_rows_that_do_not_go_with_those_of_another_run_is_not_told_to_try_again(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Batch.open("sqlite:///batch.db", "rows") as batch:

        def meanwhile(*_: object, **__: object) -> None:
            batch.add([{"video_id": "video_123", "prompt": "Another", "key": "row-0"}])

        monkeypatch.setattr("deerapi_remix.cli._batch_run.ask_to_pay", meanwhile)
        outcome = shell("run", "rows.csv", "--yes")
    assert (outcome.code, shell.posts) == (2, 0)
    assert outcome.err.splitlines() == [
        "3 new rows",
        "not all rows were added",
        "line 2, column key, 'row-0': the batch has this key with another prompt",
        "Error: The table cannot be used: 1 problem. Nothing was sent.",
    ]


def test_where_no_row_was_to_be_added_none_is_missing(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell("run", "rows.csv", "--yes")
    monkeypatch.setattr("deerapi_remix.batch.Batch.put", raising(LedgerUnavailableError("it is locked")))
    outcome = shell("run", "rows.csv", "--yes")
    assert (outcome.code, outcome.err) == (10, "Error: it is locked.\n")


def test_a_database_that_is_removed_meanwhile_is_10_and_told_at_once(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deerapi_remix.batch._outage.GIVES_UP", 0.5)

    def remove(*_: object) -> None:
        Path("batch.db").unlink(missing_ok=True)

    monkeypatch.setattr("deerapi_remix.cli._batch_display.BatchDisplay.accepted", remove)
    outcome = shell("run", "rows.csv", "--yes", "--rate", "0.5", "--quiet")
    assert (outcome.code, outcome.out) == (10, "")
    assert shell.posts < 3
    told = "batch.db was removed or replaced while the batch ran: what is being paid is not in it. Put it back"
    assert outcome.err.count(told) == 2


def test_what_is_wrong_with_a_table_is_told_line_by_line_and_is_2(shell: Shell) -> None:
    Path("rows.csv").write_text(TABLE + "..,Take 3,row-3\nvideo_123,,row-4\n")
    outcome = shell("run", "rows.csv", "--yes")
    assert (outcome.code, outcome.out, shell.posts) == (2, "", 0)
    assert outcome.err.splitlines() == [
        "line 5, column video_id, '..': must not be '..': it would name another path",
        "line 6, column prompt: it is missing or blank",
        "Error: The table cannot be used: 2 problems. Nothing was sent.",
    ]
    told = shell("run", "rows.csv", "--yes", "--json").json
    assert [problem["line"] for problem in told["problems"]] == [5, 6]


def test_a_model_that_is_not_served_is_2(shell: Shell) -> None:
    outcome = shell("run", "rows.csv", "--yes", "--model", "sora-9")
    assert (outcome.code, shell.posts) == (2, 0)
    assert "line 2, column model, 'sora-9': this model is not served; served: sora-2, sora-2-pro" in outcome.err


def test_somebody_is_asked_before_anything_is_paid(shell: Shell, terminal: Terminal) -> None:
    nobody = shell("run", "rows.csv")
    assert (nobody.code, shell.posts) == (2, 0)
    assert "add --yes to pay for 3 remixes" in nobody.err


@pytest.mark.parametrize(("answer", "code", "posts"), [(True, 0, 3), (False, 130, 0), (None, 130, 0)])
def test_an_answer_decides(
    shell: Shell, terminal: Terminal, monkeypatch: pytest.MonkeyPatch, answer: bool | None, code: int, posts: int
) -> None:
    def confirm(text: str, *, err: bool) -> bool:
        assert (text, err) == ("Pay for 3 remixes?", True)
        if answer is None:  # Ctrl-C, or the end of the input.
            raise typer.Abort
        return answer

    monkeypatch.setattr("typer.confirm", confirm)
    outcome = shell("run", "rows.csv", terminal=terminal)
    assert (outcome.code, shell.posts) == (code, posts), terminal.shown


def test_a_missing_table_or_database_is_10(shell: Shell) -> None:
    missing = shell("run", "none.csv", "--yes")
    assert (missing.code, missing.err) == (10, "Error: none.csv: No such file or directory.\n")
    gone = shell("status", "rows")
    assert (gone.code, "there is no batch at batch.db: say where with --database" in gone.err) == (10, True)


def test_a_refused_key_is_3_before_anything_is_added(shell: Shell) -> None:
    shell.fake.answers("models", 401)
    assert shell("run", "rows.csv", "--yes").code == 3
    assert shell("status", "rows").code == 2


def test_unknown_rows_are_7_and_shown_until_they_are_resolved(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("rows.csv").write_text(ONE_ROW)
    shell.fake.answers("remix", 520)
    outcome = shell("run", "rows.csv", "--yes")
    assert outcome.code == 7
    assert outcome.err.count("row row-0 is unknown: submitted ") == 1
    assert "; prompt: Take 0\n" in outcome.err
    assert "Error: 1 row is unknown: it may have been charged, and is not submitted again." in outcome.err
    assert shell("status", "rows", "--state", "unknown").out.startswith("row row-0 is unknown: submitted ")
    assert shell("retry", "rows").out == ""
    assert shell("resolve", "rows", "row-0").code == 2
    assert shell("resolve", "rows", "row-0", "--not-charged").out == "row-0  waiting\n"
    assert shell("run", "rows.csv").code == 0
    assert shell.posts == 2


def test_a_run_goes_on_where_the_database_is_away_when_unknown_rows_are_looked_up(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str | None] = []
    rows_of = Batch.rows

    def rows(batch: Batch, state: RowState | None = None) -> Iterator[Row]:
        looks.append(state)
        if len(looks) == 1:
            raise LedgerUnavailableError("it is away")
        return rows_of(batch, state)

    monkeypatch.setattr(Batch, "rows", rows)
    shell.fake.answers("remix", 520)
    outcome = shell("run", "rows.csv", "--yes")
    assert (outcome.code, shell.posts) == (7, 3)
    assert outcome.err.count("is unknown: submitted ") == 1


def test_failed_rows_are_8_until_they_are_retried(shell: Shell) -> None:
    Path("rows.csv").write_text(ONE_ROW)
    shell.fake.answers("remix", 422)
    outcome = shell("run", "rows.csv", "--yes")
    assert outcome.code == 8
    assert "Again: deerapi-remix batch retry rows." in outcome.err
    assert shell("status", "rows", "--state", "failed").out.startswith("row-0  failed    remix: 422 ")
    assert shell("retry", "rows", "--yes", "--json").json == {"retried": ["row-0"]}
    assert shell("worker", "rows").code == 0


@pytest.mark.parametrize(("answer", "code", "state"), [(True, 0, "waiting"), (False, 130, "failed")])
def test_somebody_is_asked_before_failed_rows_are_paid_for_again(
    shell: Shell, terminal: Terminal, monkeypatch: pytest.MonkeyPatch, answer: bool, code: int, state: str
) -> None:
    Path("rows.csv").write_text(ONE_ROW)
    shell.fake.answers("remix", 422)
    shell("run", "rows.csv", "--yes", "--price", "0.5")
    nobody = shell("retry", "rows")
    assert nobody.code == 2
    assert "1 failed row; at most 1 x 0.5 = 0.50\n" in nobody.err
    assert "add --yes to pay for 1 failed row again" in nobody.err
    monkeypatch.setattr("typer.confirm", lambda *_, **__: answer)
    assert shell("retry", "rows", "row-0", "row-9", terminal=terminal).code == code
    assert "not among the failed rows, and left alone: row-9" in terminal.shown
    assert json.loads(shell("export", "rows").out)["state"] == state


def test_where_nothing_has_failed_nobody_is_asked(shell: Shell) -> None:
    shell("run", "rows.csv", "--yes")
    assert shell("retry", "rows", "--json").json == {"retried": []}


def test_a_balance_that_is_used_up_is_4_until_it_is_resumed(shell: Shell) -> None:
    shell.fake.answers("remix", 402)
    outcome = shell("run", "rows.csv", "--yes")
    assert (outcome.code, shell.posts) == (4, 1)
    assert "Once that is mended: deerapi-remix batch resume rows, and run it again." in outcome.err
    assert "paused     " in shell("status", "rows").out
    assert "paused" not in shell("resume", "rows").out
    assert shell("run", "rows.csv").code == 0
    assert "paused     by hand\n" in shell("pause", "rows").out


def test_every_row_is_exported(shell: Shell) -> None:
    shell("run", "rows.csv", "--yes")
    lines = [json.loads(line) for line in shell("export", "rows").out.splitlines()]
    assert [(line["key"], line["state"]) for line in lines] == [(f"row-{number}", "saved") for number in range(3)]
    assert shell("export", "rows", "-o", "rows-done.csv").out == "rows-done.csv\n"
    assert list(csv.DictReader(io.StringIO(Path("rows-done.csv").read_text())))[2]["prompt"] == "Take 2"
    shell("export", "rows", "-o", "rows-done.jsonl")
    assert Path("rows-done.jsonl").read_text() == shell("export", "rows", "-o", "-").out
    assert Path("rows-done.jsonl").read_text().splitlines() == list(map(json.dumps, lines))


def test_an_export_replaces_no_file_unless_told_to(shell: Shell) -> None:
    """The table itself has the name that comes to mind first."""
    shell("run", "rows.csv", "--yes")
    refused = shell("export", "rows", "-o", "rows.csv")
    assert (refused.code, Path("rows.csv").read_text()) == (10, TABLE)
    assert "rows.csv exists. Add --overwrite, or choose another --output." in refused.err
    assert shell("export", "rows", "-o", "rows.csv", "--overwrite").code == 0
    assert len(list(csv.DictReader(io.StringIO(Path("rows.csv").read_text())))) == 3
    Path("any.csv").touch()
    assert Path("rows.csv").stat().st_mode == Path("any.csv").stat().st_mode


def test_an_export_is_written_whole_or_not_at_all(shell: Shell) -> None:
    shell("run", "rows.csv", "--yes")
    Path("folder").mkdir()
    for output in ("folder", "missing/rows.csv"):
        refused = shell("export", "rows", "-o", output, "--overwrite")
        assert (refused.code, refused.out) == (10, "")
        assert refused.err.startswith(f"Error: {output}: ")
    assert not list(Path().glob(".*"))


def test_a_table_may_come_from_stdin(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = io.BytesIO(TABLE.encode())

    monkeypatch.setattr("sys.stdin", Stdin())
    assert shell("run", "-", "--yes", "--name", "piped").out == "piped: 3 saved\n"


def test_a_terminal_sees_a_bar(shell: Shell, terminal: Terminal) -> None:
    outcome = shell("run", "rows.csv", "--yes", "--price", "0.5", terminal=terminal)
    assert outcome.code == 0
    assert "rows  3 of 3" in terminal.shown
    assert "━" * 78 in terminal.shown
    assert "cost so far 1.50" in terminal.shown


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_submits_finish_and_the_next_run_goes_on(
    fake_server: tuple[FakeDeerAPI, str], tmp_path: Path, number: int
) -> None:
    fake, url = fake_server
    (tmp_path / "rows.csv").write_text(TABLE)
    fake.stuck()
    command = [*PROGRAM, "batch", "run", "rows.csv", "--yes"]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment(url), stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    while "accepted" not in process.stderr.readline():
        pass
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Interrupted. Run the same command again: it goes on where it was." in err
    posts = sum(request.operation == "remix" for request in fake.requests)
    assert posts <= 3


def test_the_first_that_applies_is_the_exit_code() -> None:
    assert ending(status(paused="no balance", unknown=1, failed=1), interrupted=True) == 4
    assert ending(status(unknown=1, failed=1), interrupted=True) == 7
    assert ending(status(failed=1), interrupted=True) == 8
    assert ending(status(saved=1), interrupted=True) == 130
    assert ending(status(saved=1), interrupted=False) == 0
    assert advice(status(saved=1), interrupted=False) == ""


def test_the_pace_and_what_is_left_follow_from_the_last_two_minutes() -> None:
    now = [0.0]
    progress = Progress(lambda: now[0])
    assert progress.pace() is None
    for seconds, saved in ((0, 0), (1, 5), (100, 100), (200, 200)):
        now[0] = seconds
        progress.saw(status(saved=saved, waiting=300 - saved))
    assert progress.line(status(saved=200, waiting=100, price=2.0, jobs=210, workers=3)) == (
        "60 rows a minute, 1:40 left, cost so far 420.00, 3 workers"
    )


def test_every_state_has_its_share_of_the_bar() -> None:
    assert list(_shares(status(saved=997, failed=1, unknown=1, waiting=1), 20).values()) == [17, 1, 1, 0, 0, 1]
    assert list(_shares(status(), 20).values()) == [20, 0, 0, 0, 0, 0]


def test_lines_come_now_and_then_and_only_with_news(capsys: pytest.CaptureFixture[str]) -> None:
    lines = BatchLines()
    lines.saw(status(waiting=2))
    lines.saw(status(waiting=1, saved=1))
    lines.saw(status(saved=2))
    lines.saw(status(saved=2))
    assert capsys.readouterr().err == "rows: 2 waiting\nrows: 2 saved\n"


def test_a_missing_extra_is_3_and_is_named(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    program = (
        "import sys; sys.modules.update(dict.fromkeys(['dbos']));"
        "from deerapi_remix.cli import main; sys.argv = ['deerapi-remix', 'batch', 'run', 'rows.csv']; main()"
    )
    done = subprocess.run([PROGRAM[0], "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (3, "Error: Batches need DBOS: pip install 'deerapi-remix[batch]'\n")

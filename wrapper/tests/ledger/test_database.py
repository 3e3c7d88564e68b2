"""The database of a ledger: where it may be, and what is refused."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from deerapi_remix import RemixClient
from deerapi_remix.ledger import AsyncLedger, Ledger, LedgerUnavailableError, _database, _schema, _writer
from deerapi_remix.testing import DeerAPIMock

from .postgres import PostgresServer

KEY, PROMPT = "order-1042", "The cat takes a bow"
SECRET = "sk-secret-key-0123456789"


@pytest.fixture
def client(deerapi_mock: DeerAPIMock) -> Iterator[RemixClient]:
    with RemixClient(SECRET) as client:
        yield client


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


def test_the_default_is_a_file_in_the_folder_where_the_ledger_was_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Ledger() as ledger:
        monkeypatch.chdir("/")
        assert ledger.get(KEY) is None
    assert (tmp_path / "deerapi-remix.db").exists()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mysql://host/name", "SQLite or Postgres, not in mysql"),
        ("sqlite://", "is a file"),
        ("sqlite:///:memory:", "is a file"),
        ("sqlite:///a.db?mode=ro", "is a file"),
        ("remixes.db", "cannot be read"),
    ],
)
def test_other_databases_are_refused(url: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Ledger(url)


@pytest.mark.parametrize("kind", [Ledger, AsyncLedger])
def test_the_password_of_a_database_is_not_shown(kind: type[Ledger]) -> None:
    assert repr(kind("postgresql://me:secret@host/name")) == f"{kind.__name__}('postgresql+psycopg://me:***@host/name')"
    # In the last the host is missing, and the password would be a port.
    for url in ("me:secret@host", "postgresql://me:secret/name"):
        with pytest.raises(ValueError, match="cannot be read") as caught:
            kind(url)
        assert "secret" not in repr(caught.value)


def test_the_file_is_readable_for_its_owner_only(path: Path, client: RemixClient) -> None:
    with Ledger(f"sqlite:///{path}") as ledger:
        ledger.remix(client, KEY, "video_123", prompt=PROMPT)
        modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.glob("ledger.db*")}
    assert modes == {"ledger.db": 0o600, "ledger.db-wal": 0o600, "ledger.db-shm": 0o600}


def test_what_is_committed_is_on_the_disk(path: Path) -> None:
    engine = _database.engine_for(_database.checked(f"sqlite:///{path}"))
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar_one() == 2
    engine.dispose()


def test_the_key_of_the_api_is_not_stored(path: Path, client: RemixClient) -> None:
    with Ledger(f"sqlite:///{path}") as ledger:
        ledger.remix(client, KEY, "video_123", prompt=PROMPT)
        stored = b"".join(file.read_bytes() for file in path.parent.glob("ledger.db*"))
    assert PROMPT.encode() in stored
    assert SECRET.encode() not in stored


def test_a_file_of_a_newer_version_is_refused(path: Path, client: RemixClient, deerapi_mock: DeerAPIMock) -> None:
    with Ledger(f"sqlite:///{path}") as ledger:
        ledger.get(KEY)
        execute(path, "UPDATE deerapi_ledger_version SET version = 9")
        with pytest.raises(LedgerUnavailableError, match="version 9, and this deerapi-remix knows version 1"):
            ledger.remix(client, KEY, "video_123", prompt=PROMPT)
    with Ledger(f"sqlite:///{path}") as ledger, pytest.raises(LedgerUnavailableError, match="upgrade it"):
        ledger.get(KEY)
    assert deerapi_mock.requests == ()


def test_an_answer_is_recorded_although_another_process_upgraded_the_file_meanwhile(
    path: Path, deerapi_mock: DeerAPIMock
) -> None:
    def upgrades_meanwhile() -> str:
        execute(path, "UPDATE deerapi_ledger_version SET version = 9")
        return SECRET

    with Ledger(f"sqlite:///{path}") as ledger, RemixClient(upgrades_meanwhile) as client:
        job = ledger.remix(client, KEY, "video_123", prompt=PROMPT).id
    assert execute(path, "SELECT job_id FROM deerapi_ledger_entries") == [(job,)]


def test_a_file_of_an_older_version_is_upgraded(
    path: Path, client: RemixClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Ledger(f"sqlite:///{path}") as ledger:
        job = ledger.remix(client, KEY, "video_123", prompt=PROMPT).id
    monkeypatch.setattr(_schema, "VERSION", 3)
    steps = {n: (f"ALTER TABLE deerapi_ledger_jobs ADD COLUMN extra{n} TEXT",) for n in (1, 2)}
    monkeypatch.setattr(_schema, "UPGRADES", steps)
    with Ledger(f"sqlite:///{path}") as ledger:
        assert ledger.remix(client, KEY, "video_123", prompt=PROMPT).id == job
    assert execute(path, "SELECT version FROM deerapi_ledger_version") == [(3,)]
    assert execute(path, "SELECT job_id, extra1, extra2 FROM deerapi_ledger_jobs") == [(job, None, None)]


def test_a_file_of_another_kind_is_refused(path: Path, client: RemixClient, deerapi_mock: DeerAPIMock) -> None:
    path.write_text("This is no database. " * 100)
    with Ledger(f"sqlite:///{path}") as ledger, pytest.raises(LedgerUnavailableError, match="not a database"):
        ledger.remix(client, KEY, "video_123", prompt=PROMPT)
    assert deerapi_mock.requests == ()


def test_a_folder_that_is_missing_is_told(tmp_path: Path, client: RemixClient, deerapi_mock: DeerAPIMock) -> None:
    with (
        Ledger(f"sqlite:///{tmp_path}/missing/ledger.db") as ledger,
        pytest.raises(LedgerUnavailableError, match="No such"),
    ):
        ledger.remix(client, KEY, "video_123", prompt=PROMPT)
    assert deerapi_mock.requests == ()


def test_file_systems_of_other_machines_are_refused(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "/dev/vda / ext4 rw 0 0\nserver:/share /mnt/with\\040blank nfs4 rw 0 0\n/dev/vdb /mnt/local xfs rw 0 0\n"
    )
    assert _database._remote(Path("/mnt/with blank/ledger.db"), mounts) == "nfs4"
    assert _database._remote(Path("/mnt/local/ledger.db"), mounts) is None
    assert _database._remote(Path("/home/ledger.db"), mounts) is None
    assert _database._remote(Path("/home/ledger.db"), tmp_path / "missing") is None


def test_a_ledger_on_a_file_system_of_another_machine_says_what_to_do(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_database, "_remote", lambda _: "nfs4")
    with Ledger(f"sqlite:///{path}") as ledger, pytest.raises(LedgerUnavailableError, match=r"nfs4.*or Postgres"):
        ledger.get(KEY)


def test_a_closed_ledger_says_so(path: Path, client: RemixClient) -> None:
    ledger = Ledger(f"sqlite:///{path}")
    ledger.close()
    with pytest.raises(LedgerUnavailableError, match="closed"):
        ledger.remix(client, KEY, "video_123", prompt=PROMPT)


def test_a_database_that_loses_commits_in_a_crash_is_refused(
    postgres: PostgresServer, client: RemixClient, deerapi_mock: DeerAPIMock
) -> None:
    with (
        Ledger(postgres.create(synchronous_commit="off")) as ledger,
        pytest.raises(LedgerUnavailableError, match="synchronous_commit is off"),
    ):
        ledger.remix(client, KEY, "video_123", prompt=PROMPT)
    assert deerapi_mock.requests == ()


def test_a_connection_that_is_refused_is_closed(path: Path) -> None:
    """The driver refuses a file of another kind; some versions of SQLAlchemy leave its connection open."""
    path.write_bytes(b"no database, but long enough to be read as one" * 100)
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        _database._set_up_sqlite(connection, None)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.cursor()


def test_a_server_that_is_away_stops_new_submits(
    client: RemixClient, deerapi_mock: DeerAPIMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("psycopg")
    monkeypatch.setattr(_writer, "PERSISTENCE", 0.0)
    with (
        Ledger("postgresql://ledger@127.0.0.1:1/name") as ledger,
        pytest.raises(LedgerUnavailableError, match="refused"),
    ):
        ledger.remix(client, KEY, "video_123", prompt=PROMPT)
    assert deerapi_mock.requests == ()


def test_without_its_extra_the_ledger_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['sqlalchemy'] = None\n"
        "from deerapi_remix.ledger import Entry, SubmitInProgressError\n"
        "try:\n    from deerapi_remix.ledger import Ledger\n"
        "except ImportError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "The ledger needs SQLAlchemy: pip install 'deerapi-remix[ledger]'\n"


def test_the_core_does_not_import_the_ledger() -> None:
    code = "import sys, deerapi_remix; deerapi_remix.RemixClient; print('sqlalchemy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def execute(path: Path, statement: str) -> list[tuple[object, ...]]:
    """Do something behind the back of the ledger."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return list(connection.execute(statement))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_works_with_the_ledger_of_its_parent(url: str, deerapi_mock: DeerAPIMock) -> None:
    ledger = Ledger(url)
    assert ledger.get(KEY) is None
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        with contextlib.suppress(BaseException):
            files = [str(file.readlink()) for file in Path("/proc/self/fd").glob("*") if file.exists()]
            assert not any("ledger.db" in file for file in files)
            with RemixClient(SECRET) as own:
                job = ledger.remix(own, KEY, "video_123", prompt=PROMPT).id
            os.write(writing, job.encode())
            ledger.close()
            code = 0
        os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    entry = ledger.get(KEY)
    assert entry is not None
    assert entry.job_id == os.read(reading, 100).decode()
    assert f"/{child}/" in entry.holder
    ledger.close()
    os.close(reading)
    os.close(writing)

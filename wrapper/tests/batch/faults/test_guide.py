"""What the guide says of many machines, with a Postgres and two workers."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from deerapi_remix.testing import FakeDeerAPI
from deerapi_remix.testing.asgi import running_server

from ...docs.pages import blocks_of
from ...ledger.faults.kit import environment
from ...ledger.postgres import PostgresServer

ROWS = 40
# Instead of the five seconds in which a person changes machines.
SOON = "sleep 3"


def test_one_machine_many_machines_with_postgres(postgres: PostgresServer, tmp_path: Path) -> None:
    (script,) = [block.code for block in blocks_of("docs/batch.md") if "export DATABASE=" in block.code]
    script = script.replace("postgresql://batch@127.0.0.1/remixes", postgres.create_database()).replace("sleep 5", SOON)
    rows = "".join(f"video_123,Take {number}\n" for number in range(ROWS))
    (tmp_path / "rows.csv").write_text(f"video_id,prompt\n{rows}")
    fake = FakeDeerAPI(render_seconds=3)
    with running_server(fake) as url:
        settings = {**environment(), **os.environ, "DEERAPI_BASE_URL": url, "DEERAPI_KEY": "sk-guide"}
        done = subprocess.run(
            ["bash", "-euc", script], cwd=tmp_path, env=settings, capture_output=True, text=True, timeout=300
        )
    assert done.returncode == 0, done.stderr
    assert f"rows       {ROWS}: {ROWS} saved\n" in done.stdout
    assert sum(request.operation == "remix" for request in fake.requests) == ROWS
    assert len(list((tmp_path / "out").glob("*.mp4"))) == ROWS

"""Twenty remixes in a batch that is killed twice and goes on: `make batch-demo`. It pays nothing: it runs on a mock.

What is printed at the end is counted on both sides: the files that were saved, and the jobs that the mock accepted.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deerapi_remix.testing import FakeDeerAPI
from deerapi_remix.testing.asgi import running_server

ROWS = 20
# The worker is killed after so many jobs, and again after so many more.
KILLS = (3, 6)
COMMAND = (sys.executable, "-m", "deerapi_remix", "batch")


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@contextlib.contextmanager
def working(folder: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """The command at work, which is killed at the end if it has not ended."""
    command = [*COMMAND, "run", "rows.csv", "--yes", "--price", "0.4"]
    with subprocess.Popen(  # noqa: S603  # Our own command.
        command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def batch(folder: Path, environment: dict[str, str], *arguments: str) -> Any:
    """What another command of the batch tells."""
    command = [*COMMAND, *arguments, "--json"]
    done = subprocess.run(  # noqa: S603  # Our own command.
        command, cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def settle(folder: Path, environment: dict[str, str], fake: FakeDeerAPI) -> int:
    """Say what became of rows that a kill left unknown, as somebody does who looks at the vendor's list of jobs."""
    unknown = batch(folder, environment, "status", "rows", "--state", "unknown")["rows"]
    for row in unknown:
        found = [name for name, job in fake.jobs.items() if job.prompt == row["prompt"]]
        answer = ["--job", found[0]] if found else ["--not-charged"]
        say(f"row {row['key']} is unknown; the vendor has {found or 'no job'}")
        batch(folder, environment, "resolve", "rows", row["key"], *answer)
    return len(unknown)


def play(folder: Path, fake: FakeDeerAPI, url: str) -> bool:
    """Run the batch, kill it twice, let it finish; whether every row was paid for once and saved."""
    environment = {**os.environ, "DEERAPI_BASE_URL": url, "DEERAPI_KEY": "sk-demo"}
    table = [f"video_123,The cat takes bow number {number},row-{number:02}" for number in range(ROWS)]
    (folder / "rows.csv").write_text("video_id,prompt,key\n" + "\n".join(table) + "\n")
    for kills, jobs in enumerate(KILLS, 1):
        with working(folder, environment) as process:
            lines = (line for line in process.stderr or () if "accepted as" in line)
            for _ in itertools.islice(lines, jobs):
                pass
            process.kill()
        say(f"kill -9, number {kills}: {len(fake.jobs) - 1} jobs were paid by then")
    rounds = 0
    while rounds == 0 or settle(folder, environment, fake):
        rounds += 1
        with working(folder, environment) as process:
            process.communicate()
    status = batch(folder, environment, "status", "rows")
    files = len(list((folder / "out").glob("*.mp4")))
    charges = len(fake.jobs) - 1  # Without the video that they remix.
    say(f"{ROWS} rows, {len(KILLS)} kills: {status['saved']} saved, {files} files, {charges} charges")
    return (status["saved"], files, charges) == (ROWS, ROWS, ROWS)


def main() -> None:
    """Play it on a mock."""
    fake = FakeDeerAPI(render_seconds=2)
    with tempfile.TemporaryDirectory() as name, running_server(fake) as url:
        if not play(Path(name), fake, url):
            raise SystemExit("something was lost, or paid for twice")


if __name__ == "__main__":
    main()

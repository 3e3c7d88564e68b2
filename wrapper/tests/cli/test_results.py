"""What the commands print."""

from __future__ import annotations

import errno
import io
import json
import re
import sys
from pathlib import Path

import pytest

from deerapi_remix import Model, Video, VideoError
from deerapi_remix.cli import _text
from deerapi_remix.testing import FakeDeerAPI
from deerapi_remix.testing.router import mock_router

from ..conftest import Clock
from .shell import REMIX, Cli, Runner, Terminal, files


@pytest.mark.parametrize("command", [REMIX, ("download", "video_123")])
def test_output_saves_the_video_and_prints_its_path_alone(run: Runner, command: tuple[str, ...]) -> None:
    outcome = run(*command, "-o", "bow.mp4")
    assert (outcome.code, outcome.out) == (0, "bow.mp4\n")
    assert Path("bow.mp4").read_bytes()[4:8] == b"ftyp"
    assert files() == ["bow.mp4"]
    Path("bow.mp4").write_text("old")
    assert run(*command, "-o", "bow.mp4", "--overwrite").code == 0
    assert Path("bow.mp4").read_bytes()[4:8] == b"ftyp"


def test_remix_sends_the_prompt_and_the_model(run: Runner) -> None:
    assert run(*REMIX, "--model", "sora-2-pro", "--no-wait").code == 0
    assert run.fake.requests[0].body == {"prompt": "The cat takes a bow", "model": "sora-2-pro"}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--output", "bow.mp4"), {"path": "bow.mp4", "status": "completed", "progress": 100}),
        (("--no-wait",), {"status": "queued"}),
        ((), {"status": "completed"}),
    ],
)
def test_remix_with_json_prints_the_job(run: Runner, options: tuple[str, ...], expected: dict[str, object]) -> None:
    told = run(*REMIX, *options, "--json").json
    assert told == told | expected | {"id": run.job}
    assert "raw" not in told


def test_remix_without_output_waits_and_prints_the_job_and_how_to_save_it(run: Runner) -> None:
    outcome = run(*REMIX)
    job = run.job
    assert outcome.code == 0
    assert outcome.out.splitlines()[:3] == [f"id         {job}", "status     completed", "progress   100%"]
    assert outcome.err.endswith(f"To save the video: deerapi-remix download {job}\n")
    assert files() == []


def test_remix_with_no_wait_prints_the_id_alone(run: Runner) -> None:
    outcome = run(*REMIX, "--no-wait")
    assert (outcome.code, outcome.out) == (0, f"{run.job}\n")
    assert len(run.fake.requests) == 1


def test_status_prints_what_is_known_of_a_job(run: Runner) -> None:
    outcome = run("status", "video_123")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == (
        "id         video_123\n"
        "status     completed\n"
        "progress   100%\n"
        "model      sora-2\n"
        "seconds    4\n"
        "size       1280x720\n"
        "created    2027-01-15 08:16:40 UTC\n"
        "completed  2027-01-15 08:16:40 UTC\n"
        "expires    2027-01-16 08:16:40 UTC\n"
    )
    told = run("status", "video_123", "--json").json
    assert (told["id"], told["status"], told["error"]) == ("video_123", "completed", None)
    assert told["request_id"]


def test_status_of_a_failed_job_is_no_failure(run: Runner, clock: Clock) -> None:
    run.fake.fails()
    job = run(*REMIX, "--no-wait").out.strip()
    clock.time += 60
    outcome = run("status", job)
    assert outcome.code == 0
    assert "error      moderation_blocked: The prompt was refused by the safety system.\n" in outcome.out


def test_wait_prints_the_finished_job(run: Runner) -> None:
    job = run(*REMIX, "--no-wait").out.strip()
    assert run("wait", job).out.startswith(f"id         {job}\nstatus     completed\n")
    assert run("wait", job, "--json").json["status"] == "completed"


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ((), "video_123.mp4"),
        (("--variant", "video"), "video_123.mp4"),
        (("--variant", "thumbnail"), "video_123.webp"),
        (("--variant", "spritesheet"), "video_123.jpg"),
    ],
)
def test_a_download_is_named_after_the_job_and_the_variant(run: Runner, options: tuple[str, ...], name: str) -> None:
    assert run("download", "video_123", *options).out == f"{name}\n"
    assert files() == [name]
    told = run("download", "video_123", *options, "--overwrite", "--json").json
    assert told == {"id": "video_123", "variant": (*options, "video")[1 if options else 0], "path": name}


@pytest.mark.parametrize(
    ("video_id", "name"), [("a/../b", "a_.._b.mp4"), (".hidden", "_.hidden.mp4"), ("C:\\x", "C__x.mp4"), ("é", "é.mp4")]
)
def test_no_id_leads_a_download_out_of_the_folder(video_id: str, name: str) -> None:
    assert _text.default_name(video_id, None) == name


def test_models_prints_a_line_for_each_model_or_one_object(run: Runner) -> None:
    assert run("models") == (0, "sora-2      openai\nsora-2-pro  openai\n", "")
    assert run("models", "--json").json["models"][1] == {
        "id": "sora-2-pro",
        "object": "model",
        "created": 1_759_190_400,
        "owned_by": "openai",
    }


def test_models_prints_nothing_where_none_is_served(call: Cli, clock: Clock) -> None:
    with mock_router(FakeDeerAPI(models=())):
        assert call("models") == (0, "", "no model is served now\n")


def test_the_version_is_that_of_the_package(call: Cli) -> None:
    assert call("--version") == (0, "deerapi-remix 0.1.0\n", "")


def test_the_base_url_comes_from_the_option_before_the_environment(run: Runner) -> None:
    run.patch.setenv("DEERAPI_BASE_URL", "https://example.invalid")
    assert run("models", "--base-url", "https://api.deerapi.com").code == 0


def test_the_table_leaves_out_what_is_unknown_and_control_characters() -> None:
    video = Video(id="v", status="failed\x1b[2J", error=VideoError(code="oops"), created_at=10**30, prompt="a\nb")
    assert _text.video_table(video).splitlines() == [
        "id         v",
        "status     failed\\x1b[2J",
        "prompt     a b",
        f"created    1{'0' * 30}",
        "error      oops",
    ]


def test_a_model_without_an_owner_is_its_id() -> None:
    assert _text.model_table([Model(id="sora-2")]) == "sora-2"


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 bytes"), (999, "999 bytes"), (1_500, "1.5 kB"), (2_000_000, "2.0 MB"), (5_000_000_000_000, "5000.0 GB")],
)
def test_sizes_are_told_in_powers_of_a_thousand(count: int, shown: str) -> None:
    assert _text.size(count) == shown


@pytest.mark.parametrize("command", [REMIX, ("download", "video_123")])
def test_output_to_stdout_writes_the_video_and_nothing_else(run: Runner, command: tuple[str, ...]) -> None:
    written = io.BytesIO()
    run.patch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="utf-8", write_through=True))
    assert run(*command, "--output", "-").code == 0
    assert written.getvalue()[4:8] == b"ftyp"
    assert files() == []


def test_a_video_is_not_written_to_a_terminal_nor_beside_json_and_nothing_is_paid(
    run: Runner, terminal: Terminal
) -> None:
    assert run(*REMIX, "-o", "-", "--json").json["message"].startswith("Invalid value: --json cannot be combined with")
    run.patch.setattr(sys, "stdout", terminal)
    outcome = run(*REMIX, "-o", "-")
    assert outcome.code == 2
    assert "a video is nothing for a terminal: redirect stdout." in outcome.err
    assert run.fake.requests == ()


def test_a_video_that_stdout_does_not_take_says_how_to_go_on(run: Runner) -> None:
    class Gone(io.BytesIO):
        def write(self, _: object) -> int:
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    run.patch.setattr(sys, "stdout", io.TextIOWrapper(Gone(), encoding="utf-8", write_through=True))
    outcome = run(*REMIX, "-o", "-")
    assert outcome.code == 10
    assert outcome.err.endswith(
        f"Error: -: Broken pipe. To go on, without paying again: deerapi-remix download --output - {run.job}\n"
    )


def test_what_a_server_sent_reaches_no_terminal_unescaped(run: Runner) -> None:
    hostile = "video_\u202e\u2028x"
    headers = {"Content-Type": "application/json"}
    body = json.dumps({"id": hostile, "status": "queued\x1b[2J\x9b2J"})
    for options in ((), ("--json",)):
        run.fake.answers("remix", 200, body=body, headers=headers)
        outcome = run(*REMIX, "--no-wait", *options)
        assert outcome.code == 0
        assert re.fullmatch(r"[ -~\n]+", outcome.out + outcome.err)
    assert outcome.json["id"] == hostile

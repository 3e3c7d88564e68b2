"""What the commands print."""

from __future__ import annotations

from pathlib import Path

import pytest

from deerapi_remix import Model, Video, VideoError
from deerapi_remix.cli import _text
from deerapi_remix.testing import FakeDeerAPI
from deerapi_remix.testing.router import mock_router

from ..conftest import Clock
from .shell import REMIX, Cli, files, new_job


def test_remix_with_output_saves_the_video_and_prints_its_path_alone(fake: FakeDeerAPI, call: Cli) -> None:
    outcome = call(*REMIX, "--output", "bow.mp4")
    assert (outcome.code, outcome.out) == (0, "bow.mp4\n")
    assert Path("bow.mp4").read_bytes()[4:8] == b"ftyp"
    assert files() == ["bow.mp4"]


def test_remix_sends_the_prompt_and_the_model(fake: FakeDeerAPI, call: Cli) -> None:
    assert call(*REMIX, "--model", "sora-2-pro", "--no-wait").code == 0
    assert fake.requests[0].body == {"prompt": "The cat takes a bow", "model": "sora-2-pro"}


def test_remix_with_output_and_json_prints_the_job_and_the_path(fake: FakeDeerAPI, call: Cli) -> None:
    told = call(*REMIX, "--output", "bow.mp4", "--json").json
    assert told["path"] == "bow.mp4"
    assert told["id"] == new_job(fake)
    assert told["status"] == "completed"
    assert told["progress"] == 100
    assert "raw" not in told


def test_remix_without_output_waits_and_prints_the_job_and_how_to_save_it(fake: FakeDeerAPI, call: Cli) -> None:
    outcome = call(*REMIX)
    job = new_job(fake)
    assert outcome.code == 0
    assert outcome.out.splitlines()[:3] == [f"id         {job}", "status     completed", "progress   100%"]
    assert outcome.err.endswith(f"To save the video: deerapi-remix download {job}\n")
    assert files() == []


def test_remix_with_no_wait_prints_the_id_alone(fake: FakeDeerAPI, call: Cli) -> None:
    outcome = call(*REMIX, "--no-wait")
    assert (outcome.code, outcome.out) == (0, f"{new_job(fake)}\n")
    assert len(fake.requests) == 1


def test_remix_with_no_wait_and_json_prints_the_job(fake: FakeDeerAPI, call: Cli) -> None:
    told = call(*REMIX, "--no-wait", "--json").json
    assert (told["id"], told["status"]) == (new_job(fake), "queued")


def test_status_prints_what_is_known_of_a_job(fake: FakeDeerAPI, call: Cli) -> None:
    outcome = call("status", "video_123")
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


def test_status_of_a_failed_job_is_no_failure(fake: FakeDeerAPI, call: Cli, clock: Clock) -> None:
    fake.fails()
    job = call(*REMIX, "--no-wait").out.strip()
    clock.time += 60
    outcome = call("status", job)
    assert outcome.code == 0
    assert "error      moderation_blocked: The prompt was refused by the safety system.\n" in outcome.out


def test_status_with_json_prints_the_job(fake: FakeDeerAPI, call: Cli) -> None:
    told = call("status", "video_123", "--json").json
    assert (told["id"], told["status"], told["error"]) == ("video_123", "completed", None)
    assert told["request_id"]


def test_wait_prints_the_finished_job(fake: FakeDeerAPI, call: Cli) -> None:
    job = call(*REMIX, "--no-wait").out.strip()
    outcome = call("wait", job)
    assert outcome.code == 0
    assert outcome.out.startswith(f"id         {job}\nstatus     completed\n")


def test_wait_with_json_prints_the_finished_job(fake: FakeDeerAPI, call: Cli) -> None:
    job = call(*REMIX, "--no-wait").out.strip()
    assert call("wait", job, "--json").json["status"] == "completed"


def test_download_prints_the_path(fake: FakeDeerAPI, call: Cli) -> None:
    outcome = call("download", "video_123", "-o", "bow.mp4")
    assert (outcome.code, outcome.out) == (0, "bow.mp4\n")
    assert Path("bow.mp4").read_bytes()[4:8] == b"ftyp"


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ((), "video_123.mp4"),
        (("--variant", "video"), "video_123.mp4"),
        (("--variant", "thumbnail"), "video_123.webp"),
        (("--variant", "spritesheet"), "video_123.jpg"),
    ],
)
def test_a_download_is_named_after_the_job_and_the_variant(
    fake: FakeDeerAPI, call: Cli, options: tuple[str, ...], name: str
) -> None:
    assert call("download", "video_123", *options).out == f"{name}\n"
    assert files() == [name]


@pytest.mark.parametrize(
    ("video_id", "name"), [("a/../b", "a_.._b.mp4"), (".hidden", "_.hidden.mp4"), ("C:\\x", "C__x.mp4"), ("é", "é.mp4")]
)
def test_no_id_leads_a_download_out_of_the_folder(video_id: str, name: str) -> None:
    assert _text.default_name(video_id, None) == name


def test_download_with_json_prints_job_variant_and_path(fake: FakeDeerAPI, call: Cli) -> None:
    assert call("download", "video_123", "--variant", "thumbnail", "--json").json == {
        "id": "video_123",
        "variant": "thumbnail",
        "path": "video_123.webp",
    }


def test_overwrite_replaces_the_target(fake: FakeDeerAPI, call: Cli) -> None:
    Path("bow.mp4").write_text("old")
    assert call("download", "video_123", "-o", "bow.mp4", "--overwrite").code == 0
    assert call(*REMIX, "-o", "bow.mp4", "--overwrite").code == 0
    assert Path("bow.mp4").read_bytes()[4:8] == b"ftyp"


def test_models_prints_a_line_for_each_model(fake: FakeDeerAPI, call: Cli) -> None:
    outcome = call("models")
    assert outcome == (0, "sora-2      openai\nsora-2-pro  openai\n", "")


def test_models_with_json_prints_one_object(fake: FakeDeerAPI, call: Cli) -> None:
    assert call("models", "--json").json["models"][1] == {
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


def test_the_base_url_comes_from_the_option_before_the_environment(
    fake: FakeDeerAPI, call: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEERAPI_BASE_URL", "https://example.invalid")
    assert call("models", "--base-url", "https://api.deerapi.com").code == 0


def test_the_table_leaves_out_what_is_unknown_and_control_characters() -> None:
    video = Video(id="v", status="failed\x1b[2J", error=VideoError(code="oops"), created_at=10**30, prompt="a\nb")
    assert _text.video_table(video).splitlines() == [
        "id         v",
        "status     failed[2J",
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

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from deerapi_remix.contract import Settings, UnusableError, check
from deerapi_remix.contract._check import BROKEN, CODES, INTERRUPTED
from deerapi_remix.contract._walk import READ_ONLY_REQUESTS
from deerapi_remix.testing import FakeDeerAPI, VirtualClock
from deerapi_remix.testing.asgi import create_app, running_server

from ..server.altered import Alter, Altered, Wire
from ..server.in_process import InProcess

KEY = "sk-live-key-never-shown"
UNUSABLE = 2


def main(environment: dict[str, str], *, out: Callable[[str], None], **options: Any) -> int:
    """The exit code; `out` takes all lines."""
    try:
        report = check(Settings.of(environment), tell=out, **options)
    except UnusableError as error:
        out(str(error))
        return UNUSABLE
    for line in report.lines():
        out(line)
    return report.code


def is_job(wire: Wire) -> bool:
    return (wire.operation, wire.status) == ("retrieve", 200)


class Live:
    """The fake as a live API, without a socket, on a clock that the pauses move."""

    def __init__(self, render_seconds: float = 30.0) -> None:
        self.clock = VirtualClock()
        self.fake = FakeDeerAPI(clock=self.clock, render_seconds=render_seconds, api_keys=[KEY])
        self.alter: Alter = lambda wire: None
        self.forward: Callable[[httpx.Request], object] = lambda request: None
        self.pause: Callable[[float], None] = self.clock.advance
        self.lines: list[str] = []

    def run(self, **settings: str) -> int:
        inner = InProcess(create_app(self.fake, validate_answers=False))
        environment = {"DEERAPI_KEY": KEY, "DEERAPI_BASE_URL": "http://127.0.0.1", "LIVE_VIDEO_ID": "video_123"}
        return main(
            environment | settings,
            pause=self.pause,
            out=self.lines.append,
            transport=Altered(inner, self.alter, self.forward),
        )

    @property
    def report(self) -> str:
        return "\n".join(self.lines)

    @property
    def methods(self) -> list[str]:
        return [request.method for request in self.fake.requests]


@pytest.fixture
def live() -> Live:
    return Live()


def test_read_only_sends_as_many_requests_as_it_says_and_only_get() -> None:
    fake = FakeDeerAPI(api_keys=[KEY])
    lines: list[str] = []
    with running_server(fake) as base_url:
        code = main({"DEERAPI_KEY": KEY, "DEERAPI_BASE_URL": base_url, "LIVE_VIDEO_ID": "video_123"}, out=lines.append)
    said = re.search("at most ([0-9]+) GET", lines[1])
    assert said is not None
    assert (code, {request.method for request in fake.requests}) == (0, {"GET"})
    assert len(fake.requests) == int(said[1]) == READ_ONLY_REQUESTS
    assert list(fake.jobs) == ["video_123"]


def test_a_request_that_is_answered_with_a_redirect_is_not_sent_elsewhere(live: Live) -> None:
    def redirect(wire: Wire) -> None:
        wire.status, wire.headers["location"] = 307, "http://127.0.0.1/v1/videos/video_123/remix"

    live.alter = redirect
    assert live.run() == BROKEN
    assert live.methods == ["GET"]


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"LIVE_VIDEO_ID": " "}, "LIVE_VIDEO_ID"),
        ({"LIVE_MODE": "everything"}, "LIVE_MODE"),
        ({"LIVE_MAX_REMIXES": "-1"}, "LIVE_MAX_REMIXES"),
        ({"DEERAPI_BASE_URL": "http://api.example.com"}, "DEERAPI_BASE_URL"),
        ({"DEERAPI_KEY": "two words"}, "DEERAPI_KEY"),
    ],
)
def test_an_unusable_setting_is_named_and_nothing_is_sent(live: Live, settings: dict[str, str], named: str) -> None:
    assert live.run(**settings) == UNUSABLE
    assert named in live.report
    assert "two words" not in live.report
    assert live.methods == []


def test_full_mode_submits_once_and_says_what_the_cap_left_unchecked(live: Live) -> None:
    assert live.run(LIVE_MODE="full") == 0
    assert live.methods.count("POST") == 1
    assert "-       unknown_source_refused        not checked: no POST is left for it" in live.lines
    assert "-       missing_prompt_refused        not checked: no POST is left for it" in live.lines
    (locked,) = [line for line in live.lines if line.startswith("ok      missing_key_refused")]
    assert locked.endswith("(in part: no POST is left for it)")


def test_full_mode_follows_the_job_to_its_file(live: Live) -> None:
    live.run(LIVE_MODE="full")
    (job,) = [job for job in live.fake.jobs.values() if job.remixed_from_video_id]
    asked = [(request.operation, request.status) for request in live.fake.requests if request.video_id == job.id]
    assert asked[0] == ("download", 400)
    assert asked[-1] == ("download", 200)
    assert f"Accepted, and paid for: {job.id}" in live.lines


@pytest.mark.parametrize("cap", [1, 2, 3, 20])
def test_every_post_counts_refused_ones_too(live: Live, cap: int) -> None:
    assert live.run(LIVE_MODE="full", LIVE_MAX_REMIXES=str(cap)) == 0
    assert live.methods.count("POST") == cap
    assert "no POST is left" in live.report


def test_below_a_generous_cap_everything_is_checked(live: Live) -> None:
    assert live.run(LIVE_MODE="full", LIVE_MAX_REMIXES="99") == 0
    assert live.methods.count("POST") < 99
    assert "no POST is left" not in live.report


def test_a_server_that_lets_anyone_in_is_not_sent_more_than_the_cap(live: Live) -> None:
    live.forward = lambda request: request.headers.update({"authorization": f"Bearer {KEY}"})
    assert live.run(LIVE_MODE="full", LIVE_MAX_REMIXES="3") == BROKEN
    assert live.methods.count("POST") == 3
    assert "breaks missing_key_refused" in live.report


def test_without_a_cap_made_up_requests_are_sent_too() -> None:
    fake = FakeDeerAPI(render_seconds=0, api_keys=[KEY])
    lines: list[str] = []
    with running_server(fake) as base_url:
        settings = {"DEERAPI_KEY": KEY, "DEERAPI_BASE_URL": base_url, "LIVE_VIDEO_ID": "video_123"}
        code = main(settings | {"LIVE_MODE": "full", "LIVE_MAX_REMIXES": "0"}, out=lines.append)
    assert code == 0
    assert len(fake.requests) > 200
    assert any("negative_data_rejection" in line and line.startswith("ok") for line in lines)


def test_the_model_that_is_set_is_asked_for(live: Live) -> None:
    live.run(LIVE_MODE="full", LIVE_MODEL="sora-2-pro")
    (sent,) = [request.body["model"] for request in live.fake.requests if request.method == "POST"]
    assert sent == "sora-2-pro"


def code_of(name: str) -> int:
    return next(code for error, code in CODES.items() if error.__name__ == f"{name}Error")


def test_a_wrong_key_is_no_breach(live: Live) -> None:
    assert live.run(DEERAPI_KEY="sk-other") == code_of("WrongKey")
    assert live.methods == ["GET"]


def test_a_model_that_is_not_listed_is_no_breach_and_costs_nothing(live: Live) -> None:
    assert live.run(LIVE_MODE="full", LIVE_MODEL="sora-1") == code_of("NoSuchModel")
    assert "POST" not in live.methods


def test_a_model_that_is_listed_and_not_served_is_no_breach(live: Live) -> None:
    live.fake.answers("remix", 503, body={"error": {"message": "No available channel", "code": "model_not_available"}})
    assert live.run(LIVE_MODE="full") == code_of("NoSuchModel")
    assert live.methods.count("POST") == 1


def test_a_server_that_fails_where_it_must_refuse_breaks_the_contract_and_the_run_goes_on(live: Live) -> None:
    def fails(wire: Wire) -> None:
        if wire.status in (400, 404):
            wire.answer({"code": "x", "message": "x", "data": None}, 500)

    live.alter = fails
    assert live.run(LIVE_MODE="full", LIVE_MAX_REMIXES="99") == BROKEN
    told = live.lines[-1]
    for rule in ("unknown_id_refused", "unknown_variant_refused", "unknown_source_refused", "malformed_body_refused"):
        assert rule in told


def test_an_empty_list_of_models_is_no_breach() -> None:
    live = Live()
    live.alter = lambda wire: wire.edit(data=[]) if wire.operation == "models" and wire.status == 200 else None
    assert live.run() == code_of("NoSuchModel")


@pytest.mark.parametrize("status", [404, 400])
def test_an_unknown_source_video_is_no_breach(live: Live, status: int) -> None:
    body = {"code": "task_not_exist", "message": "task_not_exist", "data": None}
    live.fake.answers("retrieve", status, body=body)
    assert live.run() == code_of("SourceMissing")


def test_a_source_video_that_is_not_completed_is_no_breach(live: Live) -> None:
    live.alter = lambda wire: wire.edit(status="in_progress") if wire.operation == "retrieve" else None
    assert live.run() == code_of("SourceMissing")


@pytest.mark.parametrize(("status", "body"), [(429, None), (500, None), (503, None), (502, "<html>Bad gateway</html>")])
def test_a_server_that_fails_is_no_breach(live: Live, status: int, body: str | None) -> None:
    live.fake.answers("models", status, body=body, headers={"content-type": "text/html"} if body else None)
    assert live.run() == code_of("Unavailable")
    assert f"listModels was answered {status}" in live.report


def test_a_server_that_cannot_be_reached_is_no_breach() -> None:
    with running_server(FakeDeerAPI()) as base_url:
        pass
    lines: list[str] = []
    settings = {"DEERAPI_KEY": KEY, "DEERAPI_BASE_URL": base_url, "LIVE_VIDEO_ID": "video_123"}
    assert main(settings, out=lines.append) == code_of("Unavailable")
    assert "ConnectError" in lines[-1]


def test_a_used_up_balance_is_no_breach(live: Live) -> None:
    live.fake.answers("remix", 403)
    assert live.run(LIVE_MODE="full") == code_of("Refused")
    assert "insufficient_user_quota" in live.report


def test_a_job_that_fails_is_no_breach(live: Live) -> None:
    live.fake.fails()
    assert live.run(LIVE_MODE="full") == code_of("JobFailed")
    assert "moderation_blocked" in live.report


def test_a_job_that_never_ends_breaks_a_rule_by_name(live: Live) -> None:
    live.fake.stuck()
    assert live.run(LIVE_MODE="full") == BROKEN
    assert "breaks job_completes: the status is still 'in_progress'" in live.report


def test_a_poll_that_fails_does_not_give_up_a_paid_job(live: Live) -> None:
    waits: list[float] = []

    def pause(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            live.fake.answers("retrieve", 503, times=3)
        live.clock.advance(seconds)

    live.pause = pause
    assert live.run(LIVE_MODE="full") == 0


def test_an_interrupted_run_still_tells_the_job(live: Live) -> None:
    def pause(seconds: float) -> None:
        raise KeyboardInterrupt

    live.pause = pause
    assert live.run(LIVE_MODE="full") == INTERRUPTED
    assert "Accepted, and paid for: video_" in live.report


def test_an_error_without_a_request_id_is_a_breach(live: Live) -> None:
    live.alter = lambda wire: wire.headers.pop("x-oneapi-request-id", None)
    assert live.run() == BROKEN
    broken = "breaks response_headers_conformance: header X-Oneapi-Request-Id is missing"
    assert f"retrieveVideo 404 {broken}" in live.report
    assert "request_id_on_success: header x-oneapi-request-id is missing" in live.report


def test_a_breach_names_operation_rule_and_place_and_how_to_see_it_again(live: Live) -> None:
    live.alter = lambda wire: wire.edit(id=5) if is_job(wire) else None
    assert live.run() == BROKEN
    assert 'retrieveVideo 200 breaks response_schema_conformance: $.id: 5 is not of type "string"' in live.report
    command = 'curl -sS -i -H "Authorization: Bearer $DEERAPI_KEY" "$DEERAPI_BASE_URL"/v1/videos/video_123'
    assert f"  reproduce: {command}" in live.lines


def test_the_key_is_never_shown_even_if_the_server_echoes_it(live: Live) -> None:
    live.fake.answers("models", 403, body={"code": KEY, "message": f"key {KEY} is used up", "data": None})
    assert live.run() == code_of("Refused")
    assert "key *** is used up" in live.report
    assert KEY not in live.report


def test_drift_is_listed_per_operation_and_breaks_nothing(live: Live) -> None:
    def drift(wire: Wire) -> None:
        if is_job(wire):
            wire.edit(usage={"seconds": 4}, completed_at=..., expires_at=None)

    live.alter = drift
    assert live.run() == 0
    start = live.lines.index("  retrieveVideo 200")
    assert live.lines[start + 1 : start + 5] == [
        "    completed_at_set: $.completed_at is None, the status is 'completed'",
        "    expires_after_completion: $.expires_at is not set on completion",
        "    $.completed_at: missing",
        "    $.usage: extra (object)",
    ]


def test_a_field_of_another_type_is_a_breach_and_listed_as_drift(live: Live) -> None:
    live.alter = lambda wire: wire.edit(progress="100%") if is_job(wire) else None
    assert live.run() == BROKEN
    assert "    $.progress: string, documented as integer" in live.lines


def plain_gateway(live: Live) -> None:
    """No Range, no announced length, fewer and other fields, flat errors, 404 where others say 400."""
    live.forward = lambda request: request.headers.pop("range", None)

    def alter(wire: Wire) -> None:
        if wire.status >= 400:
            error = wire.json.get("error") or wire.json
            wire.answer(
                {"code": error["code"], "message": error["message"]},
                404 if wire.operation == "remix" and wire.status == 400 else wire.status,
            )
        elif is_job(wire):
            missing = dict.fromkeys(("prompt", "error", "completed_at", "expires_at", "object"), ...)
            wire.edit(task_id=wire.json["id"], metadata={}, **missing)
        wire.headers.pop("content-length")
        wire.headers.pop("accept-ranges", None)
        wire.headers.pop("etag", None)

    live.alter = alter


def eager_gateway(live: Live) -> None:
    """Jobs are in progress at once, nothing but what is required is told, errors are nested, no previews."""

    def alter(wire: Wire) -> None:
        wire.headers["content-type"] = wire.headers["content-type"].replace("json", "JSON; charset=utf-8")
        if wire.status >= 400 and "error" not in wire.json:
            wire.answer({"error": {"message": wire.json["message"]}})
        elif wire.operation == "remix" and wire.status == 200:
            wire.edit(status="in_progress", progress=1)
        elif is_job(wire):
            told = wire.json
            wire.answer({"id": told["id"], "status": told["status"].replace("queued", "in_progress")})
        elif wire.headers["content-type"].startswith("image/"):
            wire.answer({"error": {"message": "no preview"}}, 404)
        if wire.status < 400:
            wire.headers.pop("x-oneapi-request-id")

    live.alter = alter


def instant_gateway(live: Live) -> None:
    """Jobs are completed when they are accepted; some lists and times are unusual."""
    live.fake = FakeDeerAPI(clock=live.clock, render_seconds=0, api_keys=[KEY])

    def alter(wire: Wire) -> None:
        if wire.operation == "models" and wire.status == 200:
            wire.answer({"object": "list", "data": wire.json["data"] * 2, "success": True})
        if wire.operation == "download":
            wire.headers["etag"] = f'W/"{len(wire.body)}"'

    live.alter = alter


HONEST = [plain_gateway, eager_gateway, instant_gateway]


@pytest.mark.parametrize("variant", HONEST)
@pytest.mark.parametrize("mode", ["read-only", "full"])
def test_any_honest_server_passes(live: Live, variant: Callable[[Live], None], mode: str) -> None:
    variant(live)
    assert live.run(LIVE_MODE=mode, LIVE_MAX_REMIXES="99") == 0, live.report

"""What a user of the mock can settle: statuses by header, failing jobs by chance, the state over HTTP."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import httpx
import pytest

from deerapi_remix.testing import FakeDeerAPI, VirtualClock
from deerapi_remix.testing.asgi import create_app
from deerapi_remix.testing.playground import with_playground

REMIX = "/v1/videos/video_123/remix"


def served(fake: FakeDeerAPI, base_url: str = "http://127.0.0.1:8000") -> httpx.AsyncClient:
    app = with_playground(create_app(fake), fake)
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url=base_url, headers={"Authorization": "Bearer sk-secret"}
    )


async def submit(fake: FakeDeerAPI, *prefer: str) -> httpx.Response:
    async with served(fake) as http:
        return await http.post(REMIX, json={"prompt": "cry"}, headers=[("Prefer", value) for value in prefer])


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503, 418, 599])
async def test_a_preferred_status_is_answered_and_nothing_is_done(fake: FakeDeerAPI, status: int) -> None:
    answer = await submit(fake, f"code={status}")
    assert (answer.status_code, answer.headers["preference-applied"]) == (status, f"code={status}")
    assert answer.json()["error"]["message"].endswith(f"(request id: {answer.headers['x-oneapi-request-id']})")
    assert list(fake.jobs) == ["video_123"]
    assert [request.status for request in fake.requests] == [status]


@pytest.mark.parametrize(("status", "retry_after"), [(429, "1"), (503, "1"), (500, None)])
async def test_a_preferred_status_says_when_to_come_back_where_that_fits(
    fake: FakeDeerAPI, status: int, retry_after: str | None
) -> None:
    assert (await submit(fake, f"code={status}")).headers.get("retry-after") == retry_after


@pytest.mark.parametrize(
    "prefer",
    [
        ('code="429"',),
        ("Code = 429",),
        ("respond-async, code=429; why=test",),
        ('note="a, b; code=500", code=429',),
        ("respond-async", "code=429"),
        ("code=429", "respond-async"),
        ("code=429, code=500",),
    ],
)
async def test_a_preference_is_read_as_its_standard_says(fake: FakeDeerAPI, prefer: tuple[str, ...]) -> None:
    assert (await submit(fake, *prefer)).status_code == 429


@pytest.mark.parametrize(
    "prefer", ["code=200", "code=4290", "code=abc", "code", "code=", 'code="429', "status=429", "", "code=x, code=429"]
)
async def test_a_preference_that_cannot_be_met_is_passed_over(fake: FakeDeerAPI, prefer: str) -> None:
    answer = await submit(fake, prefer)
    assert (answer.status_code, "preference-applied" in answer.headers) == (200, False)
    assert len(fake.jobs) == 2


async def test_a_preference_lets_nobody_in(fake: FakeDeerAPI) -> None:
    async with served(fake) as http:
        answer = await http.get("/v1/models", headers={"Authorization": "", "Prefer": "code=429"})
    assert answer.status_code == 401


async def test_a_preference_leaves_a_scripted_fault_for_the_next_request(fake: FakeDeerAPI) -> None:
    fake.answers("remix", 500)
    assert [(await submit(fake, "code=429")).status_code, (await submit(fake)).status_code] == [429, 500]


def fates(fake: FakeDeerAPI, clock: VirtualClock) -> list[str]:
    """How the jobs ended, in the order of their submits."""
    clock.advance(10)
    return [job.status for job in fake.jobs.values() if job.prompt == "cry"]


@pytest.mark.parametrize(("fail_rate", "fate"), [(0.0, "completed"), (1.0, "failed")])
async def test_all_or_no_jobs_fail_at_the_ends_of_the_scale(clock: VirtualClock, fail_rate: float, fate: str) -> None:
    fake = FakeDeerAPI(clock=clock, render_seconds=10, fail_rate=fail_rate)
    for _ in range(20):
        await submit(fake)
    assert fates(fake, clock) == [fate] * 20


async def test_a_job_that_fails_by_chance_says_why(clock: VirtualClock) -> None:
    fake = FakeDeerAPI(clock=clock, render_seconds=0, fail_rate=1)
    await submit(fake)
    assert [job.error for job in fake.jobs.values() if job.prompt] == [
        {"code": "generation_failed", "message": "The video could not be generated."}
    ]


async def test_a_seed_lets_the_same_jobs_fail_again_and_after_a_reset(clock: VirtualClock) -> None:
    fake = FakeDeerAPI(clock=clock, render_seconds=10, fail_rate=0.3, seed=7)
    for _ in range(3):
        for _ in range(10):
            await submit(fake)
        assert [fate[0] for fate in fates(fake, clock)] == list("cfcfccfcfc"), "c completed, f failed"
        fake.reset()


async def test_a_scripted_fault_moves_no_other_job(clock: VirtualClock) -> None:
    fake = FakeDeerAPI(clock=clock, render_seconds=10, fail_rate=0.3, seed=7)
    fake.fails()
    for _ in range(10):
        await submit(fake)
    assert [fate[0] for fate in fates(fake, clock)] == list("ffcfccfcfc")


async def test_a_job_that_is_scripted_to_be_stuck_does_not_fail(clock: VirtualClock) -> None:
    fake = FakeDeerAPI(clock=clock, render_seconds=10, fail_rate=1)
    fake.stuck()
    await submit(fake)
    assert fates(fake, clock) == ["in_progress"]


@pytest.mark.parametrize("fail_rate", [-0.1, 1.1, float("nan")])
def test_a_fail_rate_is_a_share(fail_rate: float) -> None:
    with pytest.raises(ValueError, match="fail_rate must be a share, from 0 to 1"):
        FakeDeerAPI(fail_rate=fail_rate)


def test_the_command_line_sets_the_share_that_fails_and_the_seed() -> None:
    options = ["--port", "0", "--quiet", "--render-seconds", "0", "--fail-rate", "0.3", "--seed", "7"]
    command = [sys.executable, "-c", "from deerapi_remix.cli import main; main()", "mock", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        with httpx.Client(base_url=server.stdout.readline().strip(), trust_env=False) as http:
            for _ in range(10):
                http.post(REMIX, json={"prompt": "cry"}, headers={"Authorization": "Bearer any"})
            jobs = http.get("/_mock/state").json()["jobs"]
        server.terminate()
    assert [job["status"][0] for job in jobs if job["prompt"]] == list("cfcfccfcfc"), "c completed, f failed"


async def test_the_state_tells_jobs_and_requests_to_the_api(fake: FakeDeerAPI, clock: VirtualClock) -> None:
    job = (await submit(fake)).json()
    clock.advance(5)
    async with served(fake) as http:
        await http.get("/v1/videos/video_404?x=1")
        state = (await http.get("/_mock/state")).json()
    assert [(each["id"], each["status"], each["progress"], each["prompt"]) for each in state["jobs"]] == [
        ("video_123", "completed", 100, None),
        (job["id"], "in_progress", 50, "cry"),
    ]
    seen = [{name: each[name] for name in each if name != "request_id"} for each in state["requests"]]
    assert seen == [
        {"operation": "remix", "method": "POST", "path": REMIX, "query": {}, "body": {"prompt": "cry"}, "status": 200},
        {
            "operation": "retrieve",
            "method": "GET",
            "path": "/v1/videos/video_404",
            "query": {"x": "1"},
            "body": None,
            "status": 404,
        },
    ]


async def test_the_state_holds_no_headers_and_thus_no_cookies_of_other_servers(fake: FakeDeerAPI) -> None:
    async with served(fake) as http:
        await http.get("/v1/models", headers={"Cookie": "session=of-another-server"})
        state = await http.get("/_mock/state")
    assert len(state.json()["requests"]) == 1
    assert "of-another-server" not in state.text
    assert "sk-secret" not in state.text


async def test_the_state_is_json_whatever_was_sent(fake: FakeDeerAPI) -> None:
    async with served(fake) as http:
        await http.post(REMIX, content=b'{"prompt": 1e999}', headers={"Content-Type": "application/json"})
        (request,) = (await http.get("/_mock/state")).json()["requests"]
    assert (request["status"], request["body"]) == (400, {"prompt": "Infinity"})


async def test_a_reset_forgets_all_but_the_source(fake: FakeDeerAPI) -> None:
    await submit(fake)
    async with served(fake) as http:
        assert (await http.post("/_mock/reset")).status_code == 204
        state = (await http.get("/_mock/state")).json()
    assert ([job["id"] for job in state["jobs"]], state["requests"]) == (["video_123"], [])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/_mock/reset", 405), ("POST", "/_mock/state", 405), ("POST", "/", 405), ("GET", "/_mock/x", 404)],
)
async def test_other_requests_for_the_controls_are_refused_in_json_and_not_recorded(
    fake: FakeDeerAPI, method: str, path: str, status: int
) -> None:
    async with served(fake) as http:
        answer = await http.request(method, path)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])
    assert fake.requests == ()


@pytest.mark.parametrize("path", ["/_mock", "/v1/models/", "/v2", "/index.html", "/_mockery"])
async def test_every_other_path_is_of_the_api(fake: FakeDeerAPI, path: str) -> None:
    async with served(fake) as http:
        answer = await http.get(path)
    assert answer.json()["error"]["message"].startswith(f"Invalid URL (GET {path})")
    assert [request.path for request in fake.requests] == [path]


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://127.0.0.1:9000", "https://127.0.0.1:8000", "http://localhost:8000"],
)
async def test_a_page_of_another_origin_cannot_reset(fake: FakeDeerAPI, origin: str) -> None:
    await submit(fake)
    async with served(fake) as http:
        answer = await http.post("/_mock/reset", headers={"Origin": origin})
    assert (answer.status_code, len(fake.jobs)) == (403, 2)


@pytest.mark.parametrize("path", ["/", "/_mock/state", "/_mock/openapi.json"])
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.", "127.0.0.1:x", ""]
)
async def test_a_name_that_a_stranger_may_have_given_this_machine_reaches_nothing(
    fake: FakeDeerAPI, path: str, host: str
) -> None:
    async with served(fake) as http:
        answer = await http.get(path, headers={"Host": host})
    assert (answer.status_code, list(answer.json())) == (403, ["error"])


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "[::1]:8000", "[::1]", "localhost:8000", "localhost", "mock:80"])
async def test_an_address_or_a_name_without_a_dot_reaches_the_controls(fake: FakeDeerAPI, host: str) -> None:
    await submit(fake)
    async with served(fake, f"http://{host}") as http:
        answer = await http.post("/_mock/reset", headers={"Host": host, "Origin": f"http://{host}"})
    assert (answer.status_code, len(fake.jobs)) == (204, 1)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/_mock/state"), ("GET", "/_mock/x"), ("OPTIONS", "/_mock/reset")]
)
async def test_no_answer_lets_another_origin_read_or_frame_it(fake: FakeDeerAPI, method: str, path: str) -> None:
    async with served(fake) as http:
        answer = await http.request(method, path)
    headers: dict[str, Any] = dict(answer.headers)
    assert not [name for name in headers if name.startswith("access-control-")]
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


async def test_the_app_of_the_api_alone_has_no_controls(fake: FakeDeerAPI) -> None:
    transport = httpx.ASGITransport(create_app(fake))
    async with httpx.AsyncClient(transport=transport, base_url="http://fake") as http:
        assert [(await http.get(path)).status_code for path in ("/", "/_mock/state")] == [404, 404]

"""Faults by chance, limits of how much may be asked, and how much is kept."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest
from attrs import evolve

from deerapi_remix import RemixClient, WaitTimeoutError
from deerapi_remix.testing import Chaos, FakeDeerAPI, VirtualClock, mock_deerapi
from deerapi_remix.testing.asgi import create_app

from .conftest import CONTENT, KEY, PROMPT, REMIX, SOURCE, mock_process, remix, send, value

# Of the first ten with the seed 7 and the share 0.3: who is struck by which fault.
STRUCK = {"fail_rate": ".x.x..x.x.", "stuck": "...xx.x...", "answer_lost": "xxx...x...", "truncated": "x....xxx.."}


def fates(fake: FakeDeerAPI, clock: VirtualClock) -> str:
    """How the jobs ended, in the order of their submits: c completed, f failed, i in progress."""
    clock.advance(10)
    return "".join(job.status[0] for job in fake.jobs.values() if job.prompt)


def struck(fake: FakeDeerAPI, clock: VirtualClock, kind: str) -> str:
    """Ten submits or downloads, and which of them the fault befalls."""
    if kind == "truncated":
        return "".join(".x"[send(fake, "GET", CONTENT).cut_at is not None] for _ in range(10))
    answers = [remix(fake) for _ in range(10)]
    if kind == "answer_lost":
        return "".join(".x"[answer.lost] for answer in answers)
    return fates(fake, clock).replace("c", ".").replace("f", "x").replace("i", "x")


@pytest.mark.parametrize("kind", STRUCK)
@pytest.mark.parametrize("others", [0.0, 0.5])
def test_a_seed_strikes_the_same_again_and_after_a_reset_whatever_else_may_happen(
    clock: VirtualClock, kind: str, others: float
) -> None:
    # A job that fails is not stuck.
    shares: dict[str, Any] = dict.fromkeys(STRUCK, others) | {"fail_rate": 0.0, kind: 0.3}
    fake = FakeDeerAPI(clock=clock, render_seconds=10, seed=7, chaos=Chaos(**shares))
    if kind == "fail_rate":
        fake.chaos = evolve(fake.chaos, stuck=0.0)
    for _ in range(2):
        assert struck(fake, clock, kind) == STRUCK[kind]
        fake.reset()


@pytest.mark.parametrize("kind", STRUCK)
@pytest.mark.parametrize(("share", "mark"), [(0.0, "."), (1.0, "x")])
def test_none_or_all_are_struck_at_the_ends_of_the_scale(clock: VirtualClock, kind: str, share: Any, mark: str) -> None:
    fake = FakeDeerAPI(clock=clock, render_seconds=10, chaos=evolve(Chaos(), **{kind: share}))
    assert struck(fake, clock, kind) == mark * 10


def test_a_job_that_fails_by_chance_says_why() -> None:
    fake = FakeDeerAPI(render_seconds=0, fail_rate=1)
    failed = value(remix(fake))["id"]
    assert fake.jobs[failed].error == {"code": "generation_failed", "message": "The video could not be generated."}


def test_a_scripted_fault_takes_the_place_of_one_by_chance_and_moves_no_other(clock: VirtualClock) -> None:
    fake = FakeDeerAPI(clock=clock, render_seconds=10, fail_rate=0.3, seed=7)
    fake.fails()
    fake.stuck()
    for _ in range(10):
        remix(fake)
    assert fates(fake, clock) == "ficfccfcfc"


def test_a_lost_submit_made_a_job(clock: VirtualClock) -> None:
    fake = FakeDeerAPI(clock=clock, chaos=Chaos(answer_lost=1))
    remix(fake)
    assert (len(fake.jobs), fake.requests[0].status) == (2, None)


def test_the_command_line_sets_shares_seed_and_key() -> None:
    options = [
        "--quiet",
        "--fail-rate",
        "0.3",
        "--seed",
        "7",
        "--stuck",
        "0.2",
        "--truncated",
        "1",
        "--key",
        "sk-secret",
    ]
    with mock_process(*options) as (http, _):
        for _ in range(10):
            http.post(REMIX, json={"prompt": PROMPT})
        state = http.get("/_mock/state").json()
        assert "".join(".x"[job["status"] == "failed"] for job in state["jobs"][1:]) == STRUCK["fail_rate"]
        assert http.get("/_mock/chaos").json()["stuck"] == 0.2
        assert not state["any_key"]
        assert http.get("/v1/models", headers={"Authorization": "Bearer sk-other"}).status_code == 401
        with pytest.raises(httpx.RemoteProtocolError):
            http.get(CONTENT)


def test_beyond_the_rate_is_429_until_there_is_a_token_again(clock: VirtualClock) -> None:
    fake = FakeDeerAPI(clock=clock, chaos=Chaos(rate=2))
    assert [remix(fake).status for _ in range(3)] == [200, 200, 429]
    refused = remix(fake)
    assert (refused.headers["retry-after"], value(refused)["error"]["code"]) == ("1", "rate_limit_exceeded")
    assert len(fake.jobs) == 3
    clock.advance(0.5)
    assert [remix(fake).status for _ in range(2)] == [200, 429]
    clock.advance(60)
    assert [remix(fake).status for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize(("rate", "retry_after"), [(0.1, "10"), (5, "1")])
def test_whoever_is_over_the_rate_is_told_when_there_will_be_room(
    clock: VirtualClock, rate: float, retry_after: str
) -> None:
    fake = FakeDeerAPI(clock=clock, chaos=Chaos(rate=rate))
    for _ in range(5):
        remix(fake)
    assert remix(fake).headers["retry-after"] == retry_after
    clock.advance(float(retry_after))
    assert remix(fake).status == 200


def test_each_key_has_a_rate_of_its_own_for_submits_and_for_free_requests(fake: FakeDeerAPI) -> None:
    fake.chaos = Chaos(rate=1)
    for key in ("Bearer sk-a", "Bearer sk-b"):
        for method, path in (("POST", REMIX), ("GET", f"/v1/videos/{SOURCE}")):
            body = {"prompt": PROMPT}
            assert [send(fake, method, path, body, Authorization=key).status for _ in range(2)] == [200, 429]
    assert send(fake, "GET", "/v1/models", Authorization="").status == 401


def test_a_burst_within_the_fixture_is_paced_in_virtual_time() -> None:
    with mock_deerapi(chaos=Chaos(rate=1)) as deerapi:
        client = RemixClient()
        for _ in range(3):
            client.remix(SOURCE, prompt=PROMPT)
        assert len(deerapi.jobs) == 4
        assert deerapi.clock.elapsed >= 2


def test_a_seed_strikes_within_the_fixture() -> None:
    with mock_deerapi(chaos=Chaos(stuck=1), seed=1):
        client = RemixClient()
        video = client.remix(SOURCE, prompt=PROMPT)
        with pytest.raises(WaitTimeoutError):
            client.wait(video)


async def statuses(fake: FakeDeerAPI, *keys: str) -> Counter[int]:
    app = httpx.ASGITransport(create_app(fake))
    async with httpx.AsyncClient(transport=app, base_url="http://fake") as http:
        calls = [http.get("/v1/models", headers={"Authorization": f"Bearer {key}"}) for key in keys]
        return Counter(answer.status_code for answer in await asyncio.gather(*calls))


async def test_more_calls_at_once_than_the_limit_of_a_key_are_429(fake: FakeDeerAPI) -> None:
    fake.chaos = Chaos(concurrency=2, latency=0.05)
    assert await statuses(fake, *["sk-a"] * 5, "sk-b") == {200: 3, 429: 3}
    assert await statuses(fake, *["sk-a"] * 2) == {200: 2}, "nothing stays taken"


async def test_a_call_that_is_given_up_leaves_no_place_taken(fake: FakeDeerAPI) -> None:
    fake.chaos = Chaos(concurrency=1, latency=60)
    app = httpx.ASGITransport(create_app(fake))
    async with httpx.AsyncClient(transport=app, base_url="http://fake", headers=KEY) as http:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await http.get("/v1/models")
        fake.chaos = Chaos(concurrency=1)
        assert (await http.get("/v1/models")).status_code == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [("fail_rate", -0.1), ("stuck", 1.1), ("answer_lost", float("nan")), ("rate", 0), ("concurrency", 0)],
)
def test_a_roughness_that_cannot_be_is_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be"):
        Chaos(**{name: value})  # type: ignore[arg-type]


def test_the_requests_that_are_kept_are_the_latest() -> None:
    fake = FakeDeerAPI(kept=3)
    for number in range(5):
        send(fake, "GET", f"/v1/videos/{number}")
    assert [request.video_id for request in fake.requests] == ["2", "3", "4"]


def test_for_a_new_job_the_one_that_ended_first_is_forgotten(clock: VirtualClock) -> None:
    fake = FakeDeerAPI(clock=clock, render_seconds=10, kept=3)
    ids = [value(remix(fake))["id"] for _ in range(2)]
    full = remix(fake)
    assert (full.status, len(fake.jobs)) == (429, 3), "what is being rendered is kept"
    clock.advance(10)
    ids.append(value(remix(fake))["id"])
    assert list(fake.jobs) == [SOURCE, *ids[1:]]


def test_without_a_bound_everything_is_kept(fake: FakeDeerAPI) -> None:
    for _ in range(11_000):
        send(fake, "GET", "/")
    assert len(fake.requests) == 11_000


async def test_a_request_that_is_far_too_long_is_413(fake: FakeDeerAPI) -> None:
    app = httpx.ASGITransport(create_app(fake))
    async with httpx.AsyncClient(transport=app, base_url="http://fake", headers=KEY) as http:
        answers = [await http.post(REMIX, json={"prompt": "x" * size}) for size in (99_000, 100_000)]
    assert [answer.status_code for answer in answers] == [200, 413]
    assert answers[1].json()["error"]["code"] == "request_too_large"

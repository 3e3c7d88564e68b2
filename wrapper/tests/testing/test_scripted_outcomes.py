"""Each scripted outcome, through httpx and the mocked router."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from deerapi_remix.testing import FakeDeerAPI, VirtualClock
from deerapi_remix.testing._content import content
from deerapi_remix.testing.router import mock_router

from .conftest import CONTENT, KEY, PROMPT, REMIX, SOURCE

BASE = "https://api.deerapi.com"
VIDEO = content("video").data


@pytest.fixture(autouse=True)
def routed(fake: FakeDeerAPI) -> Iterator[None]:
    with mock_router(fake):
        yield


def remix(**body: str) -> httpx.Response:
    return httpx.post(f"{BASE}{REMIX}", json=body or {"prompt": PROMPT}, headers=KEY)


def get(path: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{BASE}{path}", headers={**KEY, **headers})


def test_a_sync_client_talks_to_the_fake(fake: FakeDeerAPI, clock: VirtualClock) -> None:
    video_id = remix().json()["id"]
    clock.advance(10)
    assert get(f"/v1/videos/{video_id}").json()["status"] == "completed"
    assert get(f"/v1/videos/{video_id}/content").content == VIDEO


async def test_an_async_client_talks_to_the_fake() -> None:
    async with httpx.AsyncClient(headers=KEY, base_url=BASE) as http:
        assert (await http.post(REMIX, json={"prompt": PROMPT})).json()["status"] == "queued"
        assert (await http.get(CONTENT)).content == VIDEO


@pytest.mark.parametrize("segment", ["a%2Fb", "a%3Fb", "%C3%A9", "a%0Ab"])
def test_an_id_stays_one_segment(fake: FakeDeerAPI, segment: str) -> None:
    get(f"/v1/videos/{segment}")
    assert fake.requests[0].path == f"/v1/videos/{segment}"


@pytest.mark.parametrize(
    "url", ["https://example.org/v1/models", "http://api.deerapi.com/v1/models", f"{BASE}:1/v1/models"]
)
def test_other_hosts_are_not_mocked(url: str) -> None:
    with pytest.raises(AssertionError, match="not mocked"):
        httpx.get(url)


def test_a_base_url_may_have_a_path() -> None:
    fake = FakeDeerAPI()
    with mock_router(fake, "https://gateway.example/deer/"):
        assert httpx.get("https://gateway.example/deer/v1/models", headers=KEY).status_code == 200
    assert fake.requests[0].path == "/v1/models"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "invalid_request"),
        (401, "invalid_token"),
        (403, "insufficient_user_quota"),
        (404, "not_found"),
        (429, "rate_limit_exceeded"),
        (500, "internal_error"),
        (503, "service_unavailable"),
    ],
)
def test_a_forced_error_comes_with_the_usual_body(fake: FakeDeerAPI, status: int, code: str) -> None:
    fake.answers("remix", status)
    answer = remix()
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["message"].endswith(f"(request id: {answer.headers['x-oneapi-request-id']})")
    assert list(fake.jobs) == [SOURCE]
    assert remix().status_code == 200


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        (None, None, ""),
        ({"a": [1]}, "application/json", '{"a": [1]}'),
        ([], "application/json", "[]"),
        ("é", "text/plain; charset=utf-8", "é"),
        (b"\0", "application/octet-stream", "\0"),
        (b"", None, ""),
    ],
)
def test_a_forced_answer_may_have_any_body(fake: FakeDeerAPI, body: Any, content_type: str | None, text: str) -> None:
    fake.answers("retrieve", 200, body=body)
    answer = get(f"/v1/videos/{SOURCE}")
    assert (answer.headers.get("content-type"), answer.text) == (content_type, text)


def test_forced_headers_win_over_the_usual_ones(fake: FakeDeerAPI) -> None:
    fake.answers("models", 302, headers={"Location": "https://example.org", "X-Oneapi-Request-Id": "abc"})
    answer = get("/v1/models")
    assert (answer.headers["location"], answer.headers["x-oneapi-request-id"]) == ("https://example.org", "abc")


def test_outcomes_come_in_order_as_often_as_scripted_and_hit_their_own_operation(fake: FakeDeerAPI) -> None:
    fake.rate_limited(times=2)
    fake.answers("remix", 500)
    fake.rate_limited("retrieve")
    assert [remix().status_code for _ in range(4)] == [429, 429, 500, 200]
    assert [request.status for request in fake.requests] == [429, 429, 500, 200]
    assert get(f"/v1/videos/{SOURCE}").status_code == 429


@pytest.mark.parametrize("times", [0, -1])
def test_an_outcome_that_hits_nothing_is_refused(fake: FakeDeerAPI, times: int) -> None:
    with pytest.raises(ValueError, match="times must be at least 1"):
        fake.rate_limited(times=times)


@pytest.mark.parametrize(
    ("given", "sent"),
    [({}, "1"), ({"retry_after": 2.5}, "2.5"), ({"retry_after": 30}, "30"), ({"retry_after": "soon"}, "soon")],
)
def test_a_rate_limit_says_when_to_come_back(fake: FakeDeerAPI, given: dict[str, Any], sent: str) -> None:
    fake.rate_limited(**given)
    assert remix().headers["retry-after"] == sent


def test_any_429_says_when_to_come_back(fake: FakeDeerAPI) -> None:
    fake.answers("models", 429, body={"error": {"message": "no"}})
    assert get("/v1/models").headers["retry-after"] == "1"


def test_a_failing_job_fails_halfway_and_says_why(fake: FakeDeerAPI, clock: VirtualClock) -> None:
    fake.fails(code="blocked", message="No cats.")
    failing, fine = remix().json()["id"], remix().json()["id"]
    clock.advance(4)
    assert get(f"/v1/videos/{failing}").json()["status"] == "in_progress"
    clock.advance(6)
    job = get(f"/v1/videos/{failing}").json()
    assert (job["status"], job["progress"], job["completed_at"]) == ("failed", 50, None)
    assert job["error"] == {"code": "blocked", "message": "No cats."}
    content = get(f"/v1/videos/{failing}/content")
    assert (content.status_code, content.json()["message"]) == (400, "Task failed: No cats.")
    assert fake.jobs[fine].status == "completed"


def test_a_refused_submit_leaves_the_failure_to_the_next(fake: FakeDeerAPI, clock: VirtualClock) -> None:
    fake.fails()
    assert remix(model="sora-2").status_code == 400
    video_id = remix().json()["id"]
    clock.advance(10)
    assert fake.jobs[video_id].status == "failed"


def test_a_stuck_job_never_finishes(fake: FakeDeerAPI, clock: VirtualClock) -> None:
    fake.stuck()
    video_id = remix().json()["id"]
    clock.advance(1_000_000)
    assert (fake.jobs[video_id].status, fake.jobs[video_id].progress) == ("in_progress", 50)


async def test_a_lost_answer_took_effect(fake: FakeDeerAPI, clock: VirtualClock) -> None:
    fake.answer_lost(times=2)
    with pytest.raises(httpx.ReadTimeout):
        remix()
    async with httpx.AsyncClient(headers=KEY) as http:
        with pytest.raises(httpx.ReadTimeout):
            await http.post(f"{BASE}{REMIX}", json={"prompt": PROMPT})
    clock.advance(10)
    assert [job.status for job in fake.jobs.values()] == ["completed"] * 3
    assert [request.status for request in fake.requests] == [None, None]


def test_a_cut_body_breaks_off_and_can_be_resumed(fake: FakeDeerAPI) -> None:
    fake.truncated()
    chunks: list[bytes] = []
    with httpx.stream("GET", f"{BASE}{CONTENT}", headers=KEY) as answer, pytest.raises(httpx.RemoteProtocolError):
        chunks.extend(answer.iter_raw())
    received = b"".join(chunks)
    assert received == VIDEO[: len(VIDEO) // 2]
    assert answer.headers["content-length"] == str(len(VIDEO))
    part = get(CONTENT, **{"Range": f"bytes={len(received)}-", "If-Range": answer.headers["etag"]})
    assert received + part.content == VIDEO


async def test_a_cut_body_breaks_off_in_an_async_client(fake: FakeDeerAPI) -> None:
    fake.truncated(at=10)
    async with httpx.AsyncClient(headers=KEY) as http:
        with pytest.raises(httpx.RemoteProtocolError, match=f"10 of {len(VIDEO)} bytes"):
            await http.get(f"{BASE}{CONTENT}")


def test_a_cut_behind_the_end_cuts_nothing(fake: FakeDeerAPI) -> None:
    fake.truncated(at=len(VIDEO))
    assert get(CONTENT).content == VIDEO


def test_a_cut_before_the_start_is_refused(fake: FakeDeerAPI) -> None:
    with pytest.raises(ValueError, match="negative"):
        fake.truncated(at=-1)

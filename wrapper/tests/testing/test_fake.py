"""The fake itself: what it answers, and what it keeps."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from deerapi_remix.testing import FakeDeerAPI, VirtualClock
from deerapi_remix.testing._routes import ROUTES
from deerapi_remix.testing.fake import Operation, Request

from ..fresh import loaded_by
from .conftest import KEY, PROMPT, REMIX, SOURCE, remix, send, value


def accepted(fake: FakeDeerAPI, source: str = "video_123") -> str:
    answer = remix(fake, source)
    assert answer.status == 200
    return str(value(answer)["id"])


def state(fake: FakeDeerAPI, video_id: str) -> dict[str, Any]:
    told: dict[str, Any] = value(send(fake, "GET", f"/v1/videos/{video_id}"))
    return told


def test_an_accepted_remix_answers_the_nine_documented_fields(fake: FakeDeerAPI) -> None:
    job = value(remix(fake))
    assert re.fullmatch(r"video_[0-9a-f]{32}", job.pop("id"))
    assert job == {
        "object": "video",
        "model": "sora-2",
        "status": "queued",
        "progress": 0,
        "created_at": 1758941485,
        "size": "1280x720",
        "seconds": "4",
        "remixed_from_video_id": "video_123",
    }


def test_a_job_moves_with_the_clock(fake: FakeDeerAPI, clock: VirtualClock) -> None:
    video_id = accepted(fake)
    seen = []
    for seconds in (0.9, 0.1, 4, 4.99, 0.01):
        clock.advance(seconds)
        job = state(fake, video_id)
        seen.append((job["status"], job["progress"], job["completed_at"], job["expires_at"]))
    assert seen == [
        ("queued", 0, None, None),
        ("in_progress", 10, None, None),
        ("in_progress", 50, None, None),
        ("in_progress", 99, None, None),
        ("completed", 100, 1758941495, 1758941495 + 86400),
    ]


def test_many_small_steps_of_the_clock_reach_the_end(fake: FakeDeerAPI, clock: VirtualClock) -> None:
    video_id = accepted(fake)
    for _ in range(100):
        clock.advance(0.1)
    assert fake.jobs[video_id].status == "completed"


def test_progress_does_not_fall_when_the_clock_is_set_back() -> None:
    times = [100.0]
    fake = FakeDeerAPI(clock=lambda: times[-1], render_seconds=10)
    video_id = accepted(fake)
    times.append(106.0)
    assert state(fake, video_id)["progress"] == 60
    times.append(101.0)
    assert state(fake, video_id)["progress"] == 60


def test_zero_render_seconds_complete_a_job_at_once() -> None:
    assert value(remix(FakeDeerAPI(render_seconds=0)))["status"] == "completed"


def test_retrieve_tells_the_prompt_and_the_source_of_a_remix(fake: FakeDeerAPI) -> None:
    jobs = [state(fake, accepted(fake)), state(fake, SOURCE)]
    assert [(job["status"], job["model"], job["prompt"], job["remixed_from_video_id"]) for job in jobs] == [
        ("queued", "sora-2", PROMPT, SOURCE),
        ("completed", "sora-2", None, None),
    ]


def test_a_completed_remix_can_be_remixed_with_its_own_model(fake: FakeDeerAPI, clock: VirtualClock) -> None:
    first = value(remix(fake, model="sora-2-pro"))["id"]
    clock.advance(10)
    second = value(remix(fake, first))
    assert (second["model"], second["remixed_from_video_id"]) == ("sora-2-pro", first)


def test_the_models_are_listed(fake: FakeDeerAPI) -> None:
    models = value(send(fake, "GET", "/v1/models"))
    assert [card["id"] for card in models["data"]] == ["sora-2", "sora-2-pro"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "the body must be a JSON object"),
        (b"[" * 100_000, "the body must be a JSON object"),
        ({"model": "sora-2"}, "prompt is required"),
        ({"prompt": ""}, "prompt must be a string that is not blank"),
        ({"prompt": PROMPT, "model": " "}, "model must be a string that is not blank"),
    ],
)
def test_a_malformed_remix_is_refused_and_the_field_is_named(fake: FakeDeerAPI, body: object, message: str) -> None:
    answer = send(fake, "POST", REMIX, body)
    error = value(answer)["error"]
    assert answer.status == 400
    assert error["message"] == f"{message} (request id: {answer.headers['x-oneapi-request-id']})"
    assert list(fake.jobs) == ["video_123"]


def test_what_cannot_be_done_is_refused_in_the_shape_of_the_part_that_refuses_it(fake: FakeDeerAPI) -> None:
    unfinished = accepted(fake)
    not_yet = {"code": "task_not_completed", "message": "Task is not completed yet", "data": None}
    unknown = {"code": "task_not_exist", "message": "task_not_exist", "data": None}
    answers = [remix(fake, "video_0"), remix(fake, unfinished), send(fake, "GET", f"/v1/videos/{unfinished}/content")]
    assert [(answer.status, value(answer)) for answer in answers] == [(400, unknown), (400, not_yet), (400, not_yet)]
    nested = [
        remix(fake, model="sora-1"),
        send(fake, "GET", "/v1/videos/video_0"),
        send(fake, "GET", "/v1/videos/video_0/content"),
    ]
    assert [(answer.status, value(answer)["error"]["code"]) for answer in nested] == [
        (503, "model_not_available"),
        (404, "not_found"),
        (404, "not_found"),
    ]


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "sk-secret", "Basic abc", "Bearer a b", "Bearer é"])
def test_a_missing_or_malformed_key_is_401(fake: FakeDeerAPI, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = fake.handle(Request("GET", "/v1/models", headers=headers))
    assert (answer.status, value(answer)["error"]["code"]) == (401, "invalid_token")


def test_with_api_keys_only_those_are_valid() -> None:
    fake = FakeDeerAPI(api_keys={"sk-other"})
    assert send(fake, "GET", "/v1/models").status == 401
    assert send(fake, "GET", "/v1/models", Authorization="Bearer sk-other").status == 200


@pytest.mark.parametrize(
    ("segment", "video_id"),
    [
        ("a%2Fb", "a/b"),
        ("%C3%A9", "é"),
        ("a%3Fb", "a?b"),
        ("%252F", "%2F"),
        ("a+b", "a+b"),
        ("a%0Ab", "a\nb"),
        ("%2E%2E", ".."),
    ],
)
def test_an_id_is_one_segment_decoded_once(fake: FakeDeerAPI, segment: str, video_id: str) -> None:
    fake.add_video(video_id)
    assert state(fake, segment)["id"] == video_id
    assert fake.requests[-1].video_id == video_id
    assert send(fake, "GET", f"/v1/videos/{segment}/content").status == 200


def test_a_recorded_request_holds_what_was_sent_but_not_the_key(fake: FakeDeerAPI) -> None:
    answer = remix(fake, model="sora-2")
    (request,) = fake.requests
    assert (request.operation, request.method, request.path) == ("remix", "POST", REMIX)
    assert request.video_id == "video_123"
    assert request.body == {"prompt": PROMPT, "model": "sora-2"}
    assert request.headers["authorization"] == "Bearer ***"
    assert (request.status, request.request_id) == (200, answer.headers["x-oneapi-request-id"])
    assert "sk-secret" not in repr(fake.requests)


def test_a_malformed_key_is_masked_too(fake: FakeDeerAPI) -> None:
    send(fake, "GET", "/v1/models?variant=video", Authorization="sk-secret word")
    assert "sk-secret" not in repr(fake.requests)
    assert fake.requests[0].query == {"variant": "video"}


def test_every_answer_has_a_request_id_of_its_own(fake: FakeDeerAPI) -> None:
    fake.answers("models", 204)
    answers = [send(fake, "GET", path) for path in ("/v1/models", "/v1/models", "/", "/v1/videos/video_0")]
    assert len({answer.headers["x-oneapi-request-id"] for answer in answers}) == 4


def test_reset_forgets_everything_but_the_source_video(fake: FakeDeerAPI) -> None:
    accepted(fake)
    fake.rate_limited()
    fake.reset()
    assert (list(fake.jobs), fake.requests) == (["video_123"], ())
    assert remix(fake).status == 200


def test_threads_share_a_fake(fake: FakeDeerAPI) -> None:
    fake.rate_limited(times=20)
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: remix(fake).status, range(200)))
    assert (statuses.count(200), statuses.count(429)) == (180, 20)
    assert (len(fake.jobs), len(fake.requests)) == (181, 200)


def test_a_check_of_answers_turns_a_violation_into_500(fake: FakeDeerAPI, caplog: pytest.LogCaptureFixture) -> None:
    request = Request("GET", "/v1/models", headers=KEY)
    answer = fake.handle(request, check_answer=lambda call, answer: "models 200: broken")
    assert answer.status == 500
    assert value(answer)["error"]["message"].startswith("models 200: broken")
    assert "models 200: broken" in caplog.text


@pytest.mark.parametrize("seconds", [-1, float("inf"), float("nan")])
def test_render_seconds_must_be_a_finite_number(seconds: float) -> None:
    with pytest.raises(ValueError, match="render_seconds"):
        FakeDeerAPI(render_seconds=seconds)


@pytest.mark.parametrize("seconds", [-1, float("nan")])
def test_the_virtual_clock_does_not_go_back(seconds: float) -> None:
    with pytest.raises(ValueError, match="negative"):
        VirtualClock().advance(seconds)


def test_an_unknown_operation_cannot_be_scripted(fake: FakeDeerAPI) -> None:
    operation: Operation = "submit"  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    with pytest.raises(ValueError, match=f"must be one of {', '.join(ROUTES)}, not 'submit'"):
        fake.answers(operation, 500)


def test_importing_the_fake_needs_no_extra() -> None:
    assert not loaded_by("import deerapi_remix.testing") & {"starlette", "uvicorn", "respx", "yaml"}

"""What only the owner of a server can check, who knows its clock, its models, its jobs and their files."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import httpx
import pytest
from attrs import frozen

from deerapi_remix.contract._api import Api
from deerapi_remix.contract._document import contract
from deerapi_remix.contract._exchange import Exchange
from deerapi_remix.contract._findings import Findings
from deerapi_remix.contract._judge import refused

from ..operations import OPERATIONS, WITH_AN_ID
from .servers import KEY, SOURCE, VIA, Served, Via, served
from .test_server import show

RENDER_SECONDS = 10
PROMPT = {"prompt": "The cat takes a bow"}
operations = pytest.mark.parametrize("operation", OPERATIONS)


@frozen
class Owned:
    """A server, and requests to it whose answers are judged by all rules for single answers."""

    server: Served
    api: Api

    def call(self, operation: str, video_id: str | None = SOURCE, **request: Any) -> Exchange:
        exchange = self.api.call(operation, video_id, **request)
        show(self.api.findings.broken)
        return exchange

    def remix(self, video_id: str = SOURCE, **fields: str) -> str:
        """The id of a new job."""
        exchange = self.call("remixVideo", video_id, body=PROMPT | fields)
        assert exchange.status == 200, said(exchange, "a valid remix is refused")
        return str(exchange.value["id"])

    def send(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Sends what the document does not provide for."""
        headers = {"authorization": f"Bearer {KEY}", **request.pop("headers", {})}
        return self.server.http.request(method, path, headers=headers, **request)


@pytest.fixture
def own() -> Iterator[Owned]:
    with served("in-process", RENDER_SECONDS) as server:
        yield Owned(server, Api(server.http, KEY, Findings(contract(), strict=True)))


def said(exchange: Exchange, problem: str) -> str:
    return f"{exchange.operation} {exchange.status}: {problem}\n  reproduce: {exchange.curl}"


def test_a_job_is_dated_by_the_clock_and_takes_its_time(own: Owned) -> None:
    began = int(own.server.clock())
    video_id = own.remix()
    for elapsed in range(RENDER_SECONDS + 3):
        job = own.call("retrieveVideo", video_id)
        done = elapsed >= RENDER_SECONDS
        expected = (began, began + RENDER_SECONDS if done else None, done)
        told = (job.value["created_at"], job.value["completed_at"], job.value["status"] == "completed")
        assert told == expected, said(job, f"after {elapsed} s created_at, completed_at and completion are {told}")
        own.server.clock.advance(1)


def test_a_job_is_queued_then_in_progress_and_its_progress_rises(own: Owned) -> None:
    video_id = own.remix()
    seen = []
    for _ in range(RENDER_SECONDS + 1):
        job = own.call("retrieveVideo", video_id)
        seen.append((job.value["status"], job.value["progress"]))
        own.server.clock.advance(1)
    rising = [("queued", 0), *(("in_progress", 10 * second) for second in range(1, 10)), ("completed", 100)]
    after = own.call("retrieveVideo", video_id)
    assert seen == rising, said(after, f"status and progress, second by second, were {seen}")


NOTHING = {"completed_at": None, "expires_at": None, "error": None}
FAILURE = {"code": "too_dark", "message": "Nothing can be seen"}


@pytest.mark.parametrize(
    ("elapsed", "fails", "fields"),
    [
        (0.5, False, {"status": "queued", "progress": 0}),
        (4.5, False, {"status": "in_progress", "progress": 45}),
        (10.5, False, {"status": "completed", "progress": 100, "completed_at": 10, "expires_at": 86_410}),
        (4.5, True, {"status": "in_progress", "progress": 45}),
        (10.5, True, {"status": "failed", "progress": 50, "error": FAILURE}),
    ],
)
def test_a_job_is_told_in_full(own: Owned, elapsed: float, fails: bool, fields: dict[str, Any]) -> None:
    began = int(own.server.clock())
    if fails:
        own.server.fake.fails(**FAILURE)
    video_id = own.remix(model="sora-2-pro")
    own.server.clock.advance(elapsed)
    job = own.call("retrieveVideo", video_id)
    times: dict[str, Any] = {name: began + fields[name] for name in ("completed_at", "expires_at") if name in fields}
    due: dict[str, Any] = {
        "id": video_id,
        "object": "video",
        "model": "sora-2-pro",
        "created_at": began,
        "size": "1280x720",
    }
    due |= {"seconds": "4", "remixed_from_video_id": SOURCE, **PROMPT, **NOTHING, **fields, **times}
    assert job.value == due, said(job, f"after {elapsed} s the job is told otherwise")


def test_the_models_are_told_in_full(own: Owned) -> None:
    models = own.call("listModels", None)
    card = {"object": "model", "created": 1_759_190_400, "owned_by": "openai"}
    due = {"object": "list", "data": [{"id": "sora-2", **card}, {"id": "sora-2-pro", **card}]}
    assert models.value == due, said(models, "the models are told otherwise")


def test_every_model_is_listed_and_each_can_be_asked_for(own: Owned) -> None:
    models = own.call("listModels", None)
    listed = [card["id"] for card in models.value["data"]]
    assert listed == ["sora-2", "sora-2-pro"], said(models, f"the models are {listed}")
    for model in listed:
        own.remix(model=model)


@pytest.mark.parametrize("model", ["sora-2", "sora-2-pro"])
def test_without_a_model_it_is_that_of_the_source(own: Owned, model: str) -> None:
    own.server.fake.add_video("video_of_a_model", model=model)
    job = own.call("remixVideo", "video_of_a_model", body=PROMPT)
    assert job.value["model"] == model, said(job, f"$.model is {job.value['model']!r}, that of the source {model!r}")


def test_a_remix_leaves_its_source_as_it_was(own: Owned) -> None:
    before = own.call("retrieveVideo").value
    own.remix(model="sora-2-pro")
    own.server.clock.advance(RENDER_SECONDS)
    after = own.call("retrieveVideo")
    assert after.value == before, said(after, f"the source was {before}, is {after.value}")


@pytest.mark.parametrize("video_id", ["a b", "a/b", "a%2Fb", "a%252Fb", "a?b", "a#b", "é🦌", "a+b", "VIDEO_123"])
def test_an_id_is_opaque(own: Owned, video_id: str) -> None:
    unknown = own.call("retrieveVideo", video_id)
    assert refused(unknown), said(unknown, f"the video {video_id!r} is not there")
    own.server.fake.add_video(video_id)
    for operation in WITH_AN_ID:
        exchange = own.call(operation, video_id, body=dict(OPERATIONS[operation].fields) or None)
        assert exchange.status == 200, said(exchange, f"the video {video_id!r} is there")


@pytest.mark.parametrize("prompt", ["x", " x ", "é", "🦌" * 5000, 'a"b\\c\n\t\0', "\u202ex", "0", "null"])
def test_a_prompt_is_taken_as_it_is(own: Owned, prompt: str) -> None:
    job = own.call("retrieveVideo", own.remix(prompt=prompt))
    assert job.value["prompt"] == prompt, said(job, f"$.prompt is {job.value['prompt'][:99]!r}, was {prompt[:99]!r}")


@pytest.mark.parametrize("name", ["prompt", "model"])
@pytest.mark.parametrize(
    "value", ["", " ", "\t\n", " \n\u3000", "\u00a0", "\u3000", "\ufeff", None, 5, True, ["x"], {"x": "x"}]
)
def test_a_field_that_is_blank_or_no_text_is_refused_and_makes_no_job(own: Owned, name: str, value: object) -> None:
    exchange = own.call("remixVideo", body=PROMPT | {name: value})
    assert exchange.status == 400, said(exchange, f"{name} is {value!r}, and 400 is due")
    assert list(own.server.fake.jobs) == [SOURCE], said(exchange, "there is a new job")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"null",
        b'"prompt"',
        b"5",
        b'["prompt"]',
        b'{"prompt": NaN}',
        b"[" * 9000,
        b'{"prompt": "\\ud800"}',
    ],
)
def test_a_body_that_is_no_json_object_is_refused(own: Owned, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = own.send("POST", "/v1/videos/video_123/remix", content=body, headers=headers)
    assert answer.status_code == 400, f"remixVideo {answer.status_code}: the body is {body[:40]!r}, and 400 is due"


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", None])
def test_a_body_that_is_not_announced_as_json_is_refused(own: Owned, content_type: str | None) -> None:
    headers = {"content-type": content_type} if content_type else {}
    answer = own.send("POST", "/v1/videos/video_123/remix", content=b'{"prompt": "x"}', headers=headers)
    assert answer.status_code == 400, f"remixVideo {answer.status_code}: Content-Type {content_type}, and 400 is due"


@operations
@pytest.mark.parametrize(
    "authorization", ["", KEY, f"Basic {KEY}", "Bearer", "Bearer ", f"Bearer {KEY}x", f"Bearer {KEY[:-1]}"]
)
def test_nothing_but_the_whole_key_lets_in(own: Owned, operation: str, authorization: str) -> None:
    route = contract().by_id[operation]
    headers = {"authorization": authorization}
    answer = own.send(route.method, route.url(SOURCE), json=OPERATIONS[operation].fields, headers=headers)
    assert answer.status_code == 401, f"{operation} {answer.status_code}: Authorization {authorization!r}, 401 is due"
    assert list(own.server.fake.jobs) == [SOURCE], f"{operation}: there is a new job"


def test_what_is_refused_makes_no_job(own: Owned) -> None:
    unfinished = own.remix()
    for source, model in (("video_unknown", "sora-2"), (unfinished, "sora-2"), (SOURCE, "sora-1")):
        exchange = own.call("remixVideo", source, body=PROMPT | {"model": model})
        assert exchange.status >= 400, said(exchange, "it is accepted")
        assert list(own.server.fake.jobs) == [SOURCE, unfinished], said(exchange, "there is a new job")


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/video", "/v1/videos/", "/v1/videos//remix", "/v1/videos/a/b", "/v1/models/", "/v2/models"]
)
def test_a_path_outside_the_document_is_404(own: Owned, path: str) -> None:
    answer = own.send("GET", path)
    told = (answer.status_code, "error" in answer.json())
    assert told == (404, True), f"GET {path} {answer.status_code}: 404 is due, and why"


@operations
def test_a_method_outside_the_document_is_405_and_the_right_one_is_told(own: Owned, operation: str) -> None:
    route = contract().by_id[operation]
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - {route.method}:
        answer = own.send(method, route.url(SOURCE), json=OPERATIONS[operation].fields)
        told = (answer.status_code, answer.headers.get("allow"), bool(answer.headers.get("x-oneapi-request-id")))
        assert told == (405, route.method, True), f"{method} {operation}: status, Allow and request ID are {told}"


def test_a_refusal_has_its_status_shape_and_code(own: Owned) -> None:
    own.server.fake.fails()
    failed = own.remix()
    own.server.clock.advance(RENDER_SECONDS)
    unfinished = own.remix()
    refusals = [
        (own.call("listModels", None, key="wrong"), 401, "new_api_error", "invalid_token"),
        (own.call("retrieveVideo", "video_unknown"), 404, "invalid_request_error", "not_found"),
        (own.call("downloadVideoContent", "video_unknown"), 404, "invalid_request_error", "not_found"),
        (own.call("downloadVideoContent", query={"variant": "x"}), 400, "invalid_request_error", "invalid_request"),
        (own.call("remixVideo", body={}), 400, "invalid_request_error", "invalid_request"),
        (own.call("remixVideo", body=PROMPT | {"model": "sora-1"}), 503, "new_api_error", "model_not_available"),
        (own.call("remixVideo", "video_unknown", body=PROMPT), 400, None, "task_not_exist"),
        (own.call("remixVideo", unfinished, body=PROMPT), 400, None, "task_not_completed"),
        (own.call("downloadVideoContent", unfinished), 400, None, "task_not_completed"),
        (own.call("remixVideo", failed, body=PROMPT), 400, None, "task_failed"),
        (own.call("downloadVideoContent", failed), 400, None, "task_failed"),
    ]
    for exchange, *due in refusals:
        told = [exchange.status, exchange.error.get("type"), exchange.error.get("code")]
        assert told == due, said(exchange, f"status, type and code are {told}, expected {due}")
        assert ("error" in exchange.value) == (due[1] is not None), said(exchange, "it has the other shape")


def same_bytes(found: bytes, due: bytes) -> bool:
    """Outside of the assert: where CI is set, pytest makes a full diff of what is compared in it, for minutes."""
    return found == due


@pytest.mark.parametrize("via", VIA)
def test_a_file_of_many_chunks_arrives_in_order(via: Via) -> None:
    body = b"".join(number.to_bytes(4) for number in range(100_000))
    with served(via) as server:
        server.fake.answers("download", 200, body=body)
        answer = server.http.get("/v1/videos/video_123/content", headers={"authorization": f"Bearer {KEY}"})
    assert answer.headers["content-length"] == str(len(body)), "downloadVideoContent: another length is announced"
    assert same_bytes(answer.content, body), (
        f"downloadVideoContent: {len(answer.content)} bytes of {len(body)}, or in disorder"
    )


@pytest.mark.parametrize("video_id", [SOURCE, "video_unknown"])
def test_a_message_names_the_request_id_of_its_header(own: Owned, video_id: str) -> None:
    exchange = own.call("remixVideo", video_id, body={})
    ending = f"(request id: {exchange.headers['x-oneapi-request-id']})"
    assert exchange.error["message"].endswith(ending), said(exchange, f"the message is {exchange.error['message']!r}")


@pytest.mark.parametrize("variant", [None, "video", "thumbnail", "spritesheet"])
def test_a_file_comes_whole_and_in_parts(own: Owned, variant: str | None) -> None:
    query = {"variant": variant} if variant else {}
    whole = own.call("downloadVideoContent", query=query)
    size, tag = len(whole.body), whole.headers.get("etag", "")
    assert whole.headers.get("content-length") == str(size), said(whole, "the length is not announced")
    assert whole.headers.get("accept-ranges") == "bytes", said(whole, "parts are not offered")
    assert tag.startswith('"'), said(whole, f"the tag is {tag!r}, a strong one is due")
    for asked, part in {
        "bytes=0-0": range(1),
        "bytes=0-": range(size),
        f"bytes={size - 1}-": range(size - 1, size),
        "bytes=100-199": range(100, 200),
        f"bytes=100-{size + 99}": range(100, size),
        "bytes=-1": range(size - 1, size),
        f"bytes=-{size + 1}": range(size),
    }.items():
        for condition in ({}, {"if-range": tag}):
            answer = own.call("downloadVideoContent", query=query, headers={"range": asked} | condition)
            told = (answer.status, answer.headers.get("content-range"), answer.headers.get("content-length"))
            due = (206, f"bytes {part.start}-{part.stop - 1}/{size}", str(len(part)))
            assert told == due, said(answer, f"status, Content-Range and Content-Length are {told}")
            assert same_bytes(answer.body, whole.body[part.start : part.stop]), said(
                answer, "it is another part of the file"
            )
            assert answer.headers.get("etag") == tag, said(answer, f"the tag was {tag}")


@pytest.mark.parametrize("asked", ["bytes=5-4", "bytes=-", "bytes=a-b", "items=0-1", "bytes 0-1", "0-1"])
def test_a_range_that_means_nothing_is_ignored(own: Owned, asked: str) -> None:
    whole = own.call("downloadVideoContent")
    answer = own.call("downloadVideoContent", headers={"range": asked})
    assert answer.status == 200, said(answer, "the whole file is due")
    assert same_bytes(answer.body, whole.body), said(answer, "the whole file is due")


def test_a_range_beyond_the_end_is_refused_with_the_size(own: Owned) -> None:
    size = len(own.call("downloadVideoContent").body)
    for asked in (f"bytes={size}-", f"bytes={size + 5}-{size + 9}", "bytes=-0"):
        answer = own.send("GET", "/v1/videos/video_123/content", headers={"range": asked})
        told = (answer.status_code, answer.headers.get("content-range"))
        assert told == (416, f"bytes */{size}"), f"downloadVideoContent, {asked}: status and Content-Range are {told}"


def test_files_are_those_that_the_server_has(own: Owned) -> None:
    names = {"video": "video.mp4", "thumbnail": "thumbnail.webp", "spritesheet": "spritesheet.jpg"}
    for variant, name in names.items():
        answer = own.call("downloadVideoContent", query={"variant": variant})
        stored = (files("deerapi_remix.testing") / "assets" / name).read_bytes()
        assert same_bytes(answer.body, stored), said(answer, f"it is another file than {name}")

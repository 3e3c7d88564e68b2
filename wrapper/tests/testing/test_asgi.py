"""The fake behind ASGI: in process, and over TCP."""

from __future__ import annotations

import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from deerapi_remix.testing import FakeDeerAPI, VirtualClock
from deerapi_remix.testing._content import content
from deerapi_remix.testing._contract import Contract, contract
from deerapi_remix.testing._messages import RecordedRequest, json_answer
from deerapi_remix.testing._service import Service
from deerapi_remix.testing.asgi import ConnectionBrokenError, create_app, running_server, serve

from .conftest import CONTENT, KEY, PROMPT, REMIX, SOURCE

VIDEO = content("video").data


@asynccontextmanager
async def in_process(fake: FakeDeerAPI, *, validate_answers: bool = True) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(fake, validate_answers=validate_answers))
    async with httpx.AsyncClient(transport=transport, base_url="http://fake", headers=KEY) as http:
        yield http


@asynccontextmanager
async def over_tcp(fake: FakeDeerAPI) -> AsyncIterator[httpx.AsyncClient]:
    with running_server(fake) as base_url:
        async with httpx.AsyncClient(base_url=base_url, headers=KEY, timeout=5) as http:
            yield http


@pytest.fixture(params=[in_process, over_tcp])
async def http(fake: FakeDeerAPI, request: pytest.FixtureRequest) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the app, either way."""
    async with request.param(fake) as http:
        yield http


async def test_a_job_is_submitted_rendered_and_downloaded(http: httpx.AsyncClient, clock: VirtualClock) -> None:
    job = (await http.post(REMIX, json={"prompt": PROMPT})).json()
    clock.advance(10)
    assert (await http.get(f"/v1/videos/{job['id']}")).json()["status"] == "completed"
    assert (await http.get(f"/v1/videos/{job['id']}/content")).content == VIDEO


@pytest.mark.parametrize(
    ("segment", "video_id"), [("a%2Fb", "a/b"), ("a%3Fb", "a?b"), ("%C3%A9", "é"), ("a%0Ab", "a\nb")]
)
async def test_an_id_stays_one_segment(fake: FakeDeerAPI, http: httpx.AsyncClient, segment: str, video_id: str) -> None:
    await http.get(f"/v1/videos/{segment}?x=1")
    (request,) = fake.requests
    assert (request.operation, request.video_id, request.query) == ("retrieve", video_id, {"x": "1"})


@pytest.mark.parametrize("method", ["HEAD", "DELETE", "OPTIONS"])
async def test_another_method_is_405(http: httpx.AsyncClient, method: str) -> None:
    answer = await http.request(method, CONTENT)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


@pytest.mark.parametrize(
    ("body", "named"), [({"prompt": 5}, "prompt"), ({"model": "sora-2"}, "prompt"), (["prompt"], "JSON object")]
)
async def test_an_invalid_request_is_refused_and_the_field_is_named(
    fake: FakeDeerAPI, body: object, named: str
) -> None:
    async with in_process(fake) as http:
        answer = await http.post(REMIX, json=body)
    assert answer.status_code == 400
    assert named in answer.json()["error"]["message"]
    assert list(fake.jobs) == [SOURCE]


async def test_a_blank_id_is_refused_by_the_document(fake: FakeDeerAPI) -> None:
    async with in_process(fake) as http:
        answer = await http.get("/v1/videos/%20")
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith('retrieve: video_id: " " does not match ')


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake answers without the list of models."""
    monkeypatch.setattr(Service, "models", lambda _, call: json_answer(call.request_id, 200, {"object": "list"}))


async def test_an_answer_that_breaks_the_contract_is_500_and_says_how(
    fake: FakeDeerAPI, broken: None, caplog: pytest.LogCaptureFixture
) -> None:
    async with in_process(fake) as http:
        answer = await http.get("/v1/models")
    rule = 'models 200: $: "data" is a required property (required)'
    assert answer.status_code == 500
    assert answer.json()["error"]["message"].startswith(rule)
    assert rule in caplog.text


async def test_answers_are_not_checked_when_that_is_off(fake: FakeDeerAPI, broken: None) -> None:
    async with in_process(fake, validate_answers=False) as http:
        assert (await http.get("/v1/models")).json() == {"object": "list"}


async def test_an_unsatisfiable_range_is_outside_the_document_and_no_violation(fake: FakeDeerAPI) -> None:
    async with in_process(fake) as http:
        assert (await http.get(CONTENT, headers={"Range": f"bytes={len(VIDEO)}-"})).status_code == 416


async def test_a_scripted_answer_is_not_checked(fake: FakeDeerAPI) -> None:
    fake.answers("models", 520, body="<html>", headers={"Content-Type": "text/html"})
    async with in_process(fake) as http:
        answer = await http.get("/v1/models")
    assert (answer.status_code, answer.text, answer.headers["content-type"]) == (520, "<html>", "text/html")


def recorded(operation: Any, **changes: Any) -> RecordedRequest:
    usual: dict[str, Any] = {"method": "", "path": "", "video_id": SOURCE, "query": {}, "headers": {}, "body": None}
    return RecordedRequest(operation, request_id="1", **{**usual, **changes})


def test_a_request_problem_names_a_required_parameter() -> None:
    parameter = {"name": "token", "in": "query", "required": True, "schema": {"type": "string"}}
    document = {"components": {}, "paths": {"/v1/models": {"get": {"parameters": [parameter]}}}}
    assert Contract(document).request_problem(recorded("models")) == "models: query parameter token is required"


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (recorded("download", query={"variant": "x"}), "download: variant: "),
        (recorded("remix", body={"prompt": ["x"]}), "remix: $.prompt: "),
    ],
)
def test_a_request_problem_names_the_place(call: RecordedRequest, problem: str) -> None:
    assert (contract().request_problem(call) or "").startswith(problem)


@pytest.mark.parametrize(
    ("status", "body", "headers", "problem"),
    [
        (200, {"object": "list", "data": [{"id": 5}]}, {}, "models 200: $.data[0]"),
        (418, {}, {}, "models 418: the status is not documented"),
        (200, {}, {"content-type": "text/html"}, "models 200: content type 'text/html' is not documented"),
        (401, {"code": "x", "message": "x"}, {"x-oneapi-request-id": ""}, "models 401: header X-Oneapi-Request-Id: "),
    ],
)
def test_an_answer_problem_names_operation_status_and_place(
    status: int, body: object, headers: dict[str, str], problem: str
) -> None:
    answer = json_answer("1", status, body, headers)
    assert (contract().answer_problem(recorded("models"), answer) or "").startswith(problem)


def test_an_answer_without_a_required_header_is_a_problem() -> None:
    answer = json_answer("1", 401, {"code": "x", "message": "x"})
    del answer.headers["x-oneapi-request-id"]  # type: ignore[attr-defined]
    problem = contract().answer_problem(recorded("models"), answer)
    assert problem == "models 401: header X-Oneapi-Request-Id is required"


def test_a_request_outside_the_document_has_no_contract() -> None:
    with pytest.raises(ValueError, match="outside the document"):
        contract().request_problem(recorded(None))


async def test_a_lost_answer_raises_in_process_after_it_took_effect(fake: FakeDeerAPI) -> None:
    fake.answer_lost()
    async with in_process(fake) as http:
        with pytest.raises(ConnectionBrokenError, match="lost"):
            await http.post(REMIX, json={"prompt": PROMPT})
    assert len(fake.jobs) == 2


async def test_a_lost_answer_over_tcp_is_silence(fake: FakeDeerAPI) -> None:
    fake.answer_lost()
    async with over_tcp(fake) as http:
        with pytest.raises(httpx.ReadTimeout):
            await http.post(REMIX, json={"prompt": PROMPT}, timeout=httpx.Timeout(5, read=0.05))
    assert (len(fake.jobs), fake.requests[0].status) == (2, None)


async def test_a_cut_body_raises_in_process(fake: FakeDeerAPI) -> None:
    fake.truncated(at=1000)
    async with in_process(fake) as http:
        with pytest.raises(ConnectionBrokenError, match=f"1000 of {len(VIDEO)} bytes"):
            await http.get(CONTENT)


def test_a_cut_body_over_tcp_breaks_the_connection(fake: FakeDeerAPI) -> None:
    fake.truncated(at=1000)
    with running_server(fake) as base_url, httpx.Client(base_url=base_url, headers=KEY) as http:
        chunks: list[bytes] = []
        with http.stream("GET", CONTENT) as answer, pytest.raises(httpx.RemoteProtocolError):
            chunks.extend(answer.iter_raw())
        received = b"".join(chunks)
        assert (answer.headers["content-length"], received) == (str(len(VIDEO)), VIDEO[:1000])
        part = http.get(CONTENT, headers={"Range": "bytes=1000-", "If-Range": answer.headers["etag"]})
    assert received + part.content == VIDEO


def test_a_stopped_server_leaves_no_thread_and_no_port(fake: FakeDeerAPI) -> None:
    before = threading.active_count()
    with running_server(fake) as base_url:
        httpx.get(f"{base_url}/v1/models", trust_env=False)
    url = httpx.URL(base_url)
    assert threading.active_count() == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((url.host, url.port or 0))


def test_a_server_stops_while_a_client_waits_for_a_lost_answer(fake: FakeDeerAPI) -> None:
    fake.answer_lost("models")
    with running_server(fake) as base_url:
        url = httpx.URL(base_url)
        client = socket.create_connection((url.host, url.port or 0))
        client.sendall(b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer key\r\n\r\n")
        while not fake.requests:
            pass
    client.close()


def test_serve_listens_on_loopback_and_tells_where(fake: FakeDeerAPI, capfd: pytest.CaptureFixture[str]) -> None:
    seen: list[str] = []

    def on_ready(base_url: str) -> None:
        seen.append(base_url)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        serve(fake, port=0, on_ready=on_ready)
    (base_url,) = seen
    assert httpx.URL(base_url).host == "127.0.0.1"


def test_serve_refuses_a_port_that_is_taken(fake: FakeDeerAPI) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match=r"[Aa]ddress"):
        serve(fake, port=taken.getsockname()[1])


async def test_a_server_answers_to_loopback_names_only(fake: FakeDeerAPI) -> None:
    async with over_tcp(fake) as http:
        answer = await http.get("/v1/models", headers={"Host": "evil.example"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "host_not_allowed")
    assert fake.requests == ()

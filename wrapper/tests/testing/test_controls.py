"""What a user of the mock can settle: statuses by header, the state and the roughness over HTTP, and for whom."""

from __future__ import annotations

import httpx
import pytest

from deerapi_remix.testing import FakeDeerAPI, VirtualClock
from deerapi_remix.testing._hosts import HostGuard
from deerapi_remix.testing.asgi import create_app
from deerapi_remix.testing.playground import with_playground

from .conftest import KEY, PROMPT, REMIX, SOURCE, remix, send, served, value


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503, 418, 599])
def test_a_preferred_status_is_answered_and_nothing_is_done(fake: FakeDeerAPI, status: int) -> None:
    answer = send(fake, "POST", REMIX, {"prompt": PROMPT}, Prefer=f"code={status}")
    assert (answer.status, answer.headers["preference-applied"]) == (status, f"code={status}")
    assert value(answer)["error"]["message"].endswith(f"(request id: {answer.headers['x-oneapi-request-id']})")
    assert list(fake.jobs) == [SOURCE]
    assert [request.status for request in fake.requests] == [status]


@pytest.mark.parametrize(("status", "retry_after"), [(429, "1"), (503, "1"), (500, None)])
def test_a_preferred_status_says_when_to_come_back_where_that_fits(
    fake: FakeDeerAPI, status: int, retry_after: str | None
) -> None:
    assert send(fake, "GET", "/v1/models", Prefer=f"code={status}").headers.get("retry-after") == retry_after


@pytest.mark.parametrize(
    ("prefer", "status"),
    [
        *(
            (prefer, 429)
            for prefer in (
                'code="429"',
                "Code = 429",
                "respond-async, code=429; why=test",
                'note="a, b; code=500", code=429',
                "code=429, respond-async",
                "code=429, code=500",
            )
        ),
        *(
            (prefer, 200)
            for prefer in (
                "code=200",
                "code=4290",
                "code=abc",
                "code",
                "code=",
                'code="429',
                "status=429",
                "",
                "code=x, code=429",
            )
        ),
    ],
)
def test_a_preference_is_read_as_its_standard_says_and_passed_over_where_it_cannot_be_met(
    fake: FakeDeerAPI, prefer: str, status: int
) -> None:
    answer = send(fake, "GET", "/v1/models", Prefer=prefer)
    assert (answer.status, "preference-applied" in answer.headers) == (status, status == 429)


async def test_a_preference_may_come_in_a_line_of_its_own(fake: FakeDeerAPI) -> None:
    async with served(fake) as http:
        answer = await http.get("/v1/models", headers=[("Prefer", "respond-async"), ("Prefer", "code=429")])
    assert answer.status_code == 429


def test_a_preference_lets_nobody_in(fake: FakeDeerAPI) -> None:
    assert send(fake, "GET", "/v1/models", Authorization="", Prefer="code=429").status == 401


def test_a_preference_leaves_a_scripted_fault_for_the_next_request(fake: FakeDeerAPI) -> None:
    fake.answers("models", 500)
    assert send(fake, "GET", "/v1/models", Prefer="code=429").status == 429
    assert send(fake, "GET", "/v1/models").status == 500


async def test_the_state_tells_jobs_and_requests_to_the_api(fake: FakeDeerAPI, clock: VirtualClock) -> None:
    job = value(remix(fake))
    clock.advance(5)
    async with served(fake) as http:
        await http.get("/v1/videos/video_404?x=1")
        state = (await http.get("/_mock/state")).json()
        latest = (await http.get("/_mock/state?latest=1")).json()
    assert [(each["id"], each["status"], each["progress"], each["prompt"]) for each in state["jobs"]] == [
        (SOURCE, "completed", 100, None),
        (job["id"], "in_progress", 50, PROMPT),
    ]
    seen = [tuple(each[name] for name in each if name != "request_id") for each in state["requests"]]
    assert seen == [
        ("remix", "POST", REMIX, {}, {"prompt": PROMPT}, 200),
        ("retrieve", "GET", "/v1/videos/video_404", {"x": "1"}, None, 404),
    ]
    assert state["count"] == latest["count"] == {"jobs": 2, "rendering": 1, "requests": 2}
    assert (latest["jobs"], latest["requests"]) == (state["jobs"][1:], state["requests"][1:])


async def test_the_state_holds_no_headers_and_thus_no_cookies_of_other_servers(fake: FakeDeerAPI) -> None:
    send(fake, "GET", "/v1/models", Cookie="session=of-another-server")
    async with served(fake) as http:
        state = await http.get("/_mock/state")
    assert len(state.json()["requests"]) == 1
    assert "of-another-server" not in state.text
    assert "sk-secret" not in state.text


async def test_the_state_is_json_whatever_was_sent(fake: FakeDeerAPI) -> None:
    send(fake, "POST", REMIX, b'{"prompt": 1e999}')
    async with served(fake) as http:
        (request,) = (await http.get("/_mock/state")).json()["requests"]
    assert (request["status"], request["body"]) == (400, {"prompt": "Infinity"})


async def test_a_reset_forgets_all_but_the_source(fake: FakeDeerAPI) -> None:
    remix(fake)
    async with served(fake) as http:
        assert (await http.post("/_mock/reset")).status_code == 204
    assert (list(fake.jobs), fake.requests) == ([SOURCE], ())


async def test_the_roughness_is_told_and_changed(fake: FakeDeerAPI) -> None:
    async with served(fake) as http:
        assert (await http.get("/_mock/chaos")).json() == {
            "rate": None,
            "concurrency": None,
            "latency": 0.0,
            "fail_rate": 0.0,
            "stuck": 0.0,
            "answer_lost": 0.0,
            "truncated": 0.0,
        }
        await http.post("/_mock/chaos", json={"rate": 5, "answer_lost": 0.1})
        changed = (await http.post("/_mock/chaos", json={"rate": None, "stuck": 1})).json()
    assert (changed["rate"], changed["answer_lost"], changed["stuck"]) == (None, 0.1, 1)
    assert (fake.chaos.answer_lost, fake.chaos.stuck) == (0.1, 1)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ('{"rate": 0}', "rate must be a number above 0"),
        ('{"rate": "5"}', "rate must be a number above 0"),
        ('{"rate": true}', "rate must be a number above 0"),
        ('{"concurrency": 0.5}', "concurrency must be a whole number above 0"),
        ('{"latency": -1}', "latency must be a number of seconds"),
        ('{"stuck": 1.1}', "stuck must be a share"),
        ('{"truncated": NaN}', "truncated must be a share"),
        ('{"answer_losst": 0.1}', "answer_losst"),
        ("[0.1]", "JSON object"),
        ("", "JSON object"),
    ],
)
async def test_a_roughness_that_cannot_be_is_refused_and_changes_nothing(
    fake: FakeDeerAPI, body: str, named: str
) -> None:
    async with served(fake) as http:
        answer = await http.post("/_mock/chaos", content=body)
        assert (await http.get("/_mock/chaos")).json()["rate"] is None
    assert answer.status_code == 400
    assert named in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/_mock/reset", 405),
        ("POST", "/_mock/state", 405),
        ("DELETE", "/_mock/chaos", 405),
        ("POST", "/", 405),
        ("GET", "/_mock/x", 404),
        ("GET", "/_mock/state?latest=-1", 400),
    ],
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


@pytest.mark.parametrize("path", ["/_mock/reset", "/_mock/chaos"])
@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://127.0.0.1:9000", "https://127.0.0.1:8000", "http://localhost:8000"],
)
async def test_a_page_of_another_origin_changes_nothing(fake: FakeDeerAPI, path: str, origin: str) -> None:
    remix(fake)
    async with served(fake) as http:
        answer = await http.post(path, json={"rate": 1}, headers={"Origin": origin})
    assert (answer.status_code, len(fake.jobs), fake.chaos.rate) == (403, 2, None)


async def answered(
    fake: FakeDeerAPI, path: str, *hosts: str, listening: str = "127.0.0.1", allow: tuple[str, ...] = ()
) -> int:
    """The status with which a server answers a request for these hosts."""
    app = HostGuard(with_playground(create_app(fake), fake), listening, allow)
    request = httpx.Request("GET", f"http://x{path}", headers=[*KEY.items(), *(("Host", host) for host in hosts)])
    if not hosts:
        del request.headers["Host"]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as http:
        return (await http.send(request)).status_code


PATHS = pytest.mark.parametrize("path", ["/", "/_mock/state", "/_mock/openapi.json", "/v1/models"])


@PATHS
@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "127.0.0.1.evil.example",
        "localhost.",
        "127.0.0.1:x",
        "",
        "mock",
        "192.168.1.5:8000",
        "[fe80::1]",
        "user@localhost",
        "2130706433",
    ],
)
async def test_a_name_that_a_stranger_may_have_given_this_machine_reaches_nothing(
    fake: FakeDeerAPI, path: str, host: str
) -> None:
    assert await answered(fake, path, host) == 403
    assert fake.requests == ()


@pytest.mark.parametrize("hosts", [(), ("localhost", "evil.example")])
async def test_a_request_names_one_host(fake: FakeDeerAPI, hosts: tuple[str, ...]) -> None:
    assert await answered(fake, "/v1/models", *hosts) == 403


@PATHS
@pytest.mark.parametrize(
    "host", ["127.0.0.1:8000", "127.1.2.3", "[::1]:8000", "[::1]", "LOCALHOST:8000", "a.localhost"]
)
async def test_a_loopback_name_reaches_the_mock(fake: FakeDeerAPI, path: str, host: str) -> None:
    assert await answered(fake, path, host) == 200


@pytest.mark.parametrize(
    ("host", "status"), [("mock:8000", 200), ("192.168.1.5", 200), ("[fe80::1]", 200), ("evil.example", 403)]
)
async def test_a_mock_for_other_machines_answers_to_addresses_and_to_names_without_a_dot(
    fake: FakeDeerAPI, host: str, status: int
) -> None:
    assert await answered(fake, "/v1/models", host, listening="0.0.0.0") == status


@pytest.mark.parametrize(("host", "status"), [("Mock.internal:8000", 200), ("other.internal", 403)])
async def test_an_allowed_name_reaches_the_mock(fake: FakeDeerAPI, host: str, status: int) -> None:
    assert await answered(fake, "/v1/models", host, allow=("mock.Internal",)) == status


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "[::1]:8000", "localhost"])
async def test_the_page_itself_may_change_what_it_shows(fake: FakeDeerAPI, host: str) -> None:
    async with served(fake, f"http://{host}") as http:
        answer = await http.post("/_mock/reset", headers={"Host": host, "Origin": f"http://{host}"})
    assert answer.status_code == 204


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/_mock/state"), ("GET", "/_mock/x"), ("OPTIONS", "/_mock/reset")]
)
async def test_no_answer_lets_another_origin_read_or_frame_it(fake: FakeDeerAPI, method: str, path: str) -> None:
    async with served(fake) as http:
        headers = dict((await http.request(method, path)).headers)
    assert not [name for name in headers if name.startswith("access-control-")]
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


async def test_the_app_of_the_api_alone_has_no_controls(fake: FakeDeerAPI) -> None:
    transport = httpx.ASGITransport(create_app(fake))
    async with httpx.AsyncClient(transport=transport, base_url="http://fake") as http:
        assert [(await http.get(path)).status_code for path in ("/", "/_mock/state")] == [404, 404]

"""What is sent: the request that arrives at the server, whatever the user's own httpx client would have sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from deerapi_remix import APIStatusError, RetryPolicy

from .conftest import KEY, Clock
from .wire import Answer, Twin

JOB = {
    "id": "video_456",
    "object": "video",
    "model": "sora-2",
    "status": "completed",
    "progress": 100,
    "created_at": 1758941485,
    "size": "1280x720",
    "seconds": "8",
    "remixed_from_video_id": "video_123",
}
ACCEPTED = Answer(200, JOB)
ASKED = Answer(200, JOB | {"id": "video_123"})
FILE = Answer(200, b"\0\0\0\x08moov", {"Content-Type": "video/mp4", "Content-Length": "8"})
MODELS = Answer(200, {"object": "list", "data": []})

# An id goes into exactly one segment of the path, escaped.
HOSTILE_IDS = {
    "video_123": "video_123",
    "a/b": "a%2Fb",
    "/": "%2F",
    "../models": "..%2Fmodels",
    "..\\models": "..%5Cmodels",
    "...": "...",
    ".a": ".a",
    "%2F": "%252F",
    "%2e%2e": "%252e%252e",
    "a%20b": "a%2520b",
    "%": "%25",
    "a?b": "a%3Fb",
    "a#b": "a%23b",
    "a b": "a%20b",
    " a ": "%20a%20",
    "a+b": "a%2Bb",
    "a&b=c;d": "a%26b%3Dc%3Bd",
    "a:b@c": "a%3Ab%40c",
    "https://evil.example/": "https%3A%2F%2Fevil.example%2F",
    "{video_id}": "%7Bvideo_id%7D",
    "é": "%C3%A9",
    "e\u0301": "e%CC%81",
    "🐈": "%F0%9F%90%88",
    "\u202eid": "%E2%80%AEid",
    "a~b-c_d.e": "a~b-c_d.e",
}

# Sent as they are.
PROMPTS = [
    "The cat takes a bow",
    "first line\nsecond line\r\n\tthird",
    "  spaces around  \n",
    'quotes " and \\ and / and {braces}',
    "é 猫 🐈 e\u0301 \u202e \ufeff",
    "nul \0 and bell \a",
    "x" * 100_000,
]


@pytest.mark.parametrize(("video_id", "segment"), HOSTILE_IDS.items())
def test_remix_escapes_the_id_into_one_segment(connect: Twin, video_id: str, segment: str) -> None:
    client, wire = connect(ACCEPTED)
    client.remix(video_id, prompt="x")
    assert wire.sent == [("POST", f"/v1/videos/{segment}/remix")]


@pytest.mark.parametrize(("video_id", "segment"), HOSTILE_IDS.items())
def test_retrieve_escapes_the_id_into_one_segment(connect: Twin, video_id: str, segment: str) -> None:
    client, wire = connect(Answer(200, {"id": video_id, "status": "queued"}))
    client.retrieve(video_id)
    assert wire.sent == [("GET", f"/v1/videos/{segment}")]


@pytest.mark.parametrize(("video_id", "segment"), HOSTILE_IDS.items())
def test_wait_escapes_the_id_into_one_segment(connect: Twin, clock: Clock, video_id: str, segment: str) -> None:
    client, wire = connect(Answer(200, {"id": video_id, "status": "completed"}))
    client.wait(video_id)
    assert wire.sent == [("GET", f"/v1/videos/{segment}")]


@pytest.mark.parametrize(("video_id", "segment"), HOSTILE_IDS.items())
def test_download_escapes_the_id_into_one_segment(connect: Twin, tmp_path: Path, video_id: str, segment: str) -> None:
    client, wire = connect(FILE)
    client.download(video_id, tmp_path / "bow.mp4")
    assert wire.sent == [("GET", f"/v1/videos/{segment}/content")]


@respx.mock
def test_the_request_on_the_socket_is_the_documented_one(connect: Twin) -> None:
    respx.route().mock(return_value=httpx.Response(200, json=JOB))
    client = connect.own()
    client.remix("a/b é", prompt="The cat\ntakes a bow", model="sora-2")
    client.close()
    request = respx.calls.last.request
    assert request.method == "POST"
    assert str(request.url) == "https://api.deerapi.com/v1/videos/a%2Fb%20%C3%A9/remix"
    assert request.content == b'{"prompt":"The cat\\ntakes a bow","model":"sora-2"}'
    assert request.headers.get_list("Authorization") == [f"Bearer {KEY}"]
    assert request.headers.get_list("Accept-Encoding") == ["identity"]
    assert request.headers.get_list("Content-Type") == ["application/json"]
    assert request.headers.get_list("Content-Length") == ["50"]


def test_models_asks_for_the_list(connect: Twin) -> None:
    client, wire = connect(MODELS)
    client.models()
    assert wire.sent == [("GET", "/v1/models")]


def test_download_without_a_variant_sends_no_query(connect: Twin, tmp_path: Path) -> None:
    client, wire = connect(FILE)
    client.download("video_123", tmp_path / "bow.mp4")
    assert wire.sent == [("GET", "/v1/videos/video_123/content")]


@pytest.mark.parametrize("variant", ["video", "thumbnail", "spritesheet"])
def test_download_sends_the_variant_as_the_query(connect: Twin, tmp_path: Path, variant: str) -> None:
    client, wire = connect(FILE)
    client.download("video_123", tmp_path / "bow.mp4", variant=variant)
    assert wire.sent == [("GET", f"/v1/videos/video_123/content?variant={variant}")]


def test_remix_to_file_submits_once_and_goes_on_with_the_new_id(connect: Twin, clock: Clock, tmp_path: Path) -> None:
    client, wire = connect(Answer(200, JOB | {"status": "queued"}), ACCEPTED, FILE)
    client.remix_to_file("video_123", tmp_path / "bow.mp4", prompt="x")
    assert wire.sent == [
        ("POST", "/v1/videos/video_123/remix"),
        ("GET", "/v1/videos/video_456"),
        ("GET", "/v1/videos/video_456/content"),
    ]


def test_remix_without_a_model_sends_the_prompt_alone(connect: Twin) -> None:
    client, wire = connect(ACCEPTED)
    client.remix("video_123", prompt="x")
    assert json.loads(wire.requests[0].content) == {"prompt": "x"}


def test_remix_with_a_model_sends_prompt_and_model(connect: Twin) -> None:
    client, wire = connect(ACCEPTED)
    client.remix("video_123", prompt="x", model="sora-2-pro")
    assert json.loads(wire.requests[0].content) == {"prompt": "x", "model": "sora-2-pro"}


def test_remix_to_file_sends_prompt_and_model(connect: Twin, clock: Clock, tmp_path: Path) -> None:
    client, wire = connect(ACCEPTED, FILE)
    client.remix_to_file("video_123", tmp_path / "bow.mp4", prompt="x", model="sora-2-pro")
    assert json.loads(wire.requests[0].content) == {"prompt": "x", "model": "sora-2-pro"}


@pytest.mark.parametrize("prompt", PROMPTS, ids=range(len(PROMPTS)))
def test_a_prompt_is_sent_as_it_is(connect: Twin, prompt: str) -> None:
    client, wire = connect(ACCEPTED)
    client.remix("video_123", prompt=prompt)
    assert json.loads(wire.requests[0].content) == {"prompt": prompt}


def test_a_request_for_information_has_no_body(connect: Twin) -> None:
    client, wire = connect(ASKED)
    client.retrieve("video_123")
    assert wire.requests[0].content == b""


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        (None, "https://api.deerapi.com/v1/videos/a%2Fb/remix"),
        ("https://gateway.example", "https://gateway.example/v1/videos/a%2Fb/remix"),
        ("https://gateway.example/", "https://gateway.example/v1/videos/a%2Fb/remix"),
        ("https://gateway.example/deer", "https://gateway.example/deer/v1/videos/a%2Fb/remix"),
        ("https://gateway.example/deer/api/", "https://gateway.example/deer/api/v1/videos/a%2Fb/remix"),
        ("https://gateway.example:8443/x", "https://gateway.example:8443/x/v1/videos/a%2Fb/remix"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/v1/videos/a%2Fb/remix"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x/v1/videos/a%2Fb/remix"),
    ],
)
def test_the_path_of_the_base_url_comes_before_that_of_the_operation(
    connect: Twin, base_url: str | None, url: str
) -> None:
    client, wire = connect(ACCEPTED, base_url=base_url)
    client.remix("a/b", prompt="x")
    assert str(wire.requests[0].url) == url


# A client that was handed in keeps its settings, but never decides where a request goes, as whom, and for how long.

OTHERS_SETTINGS: dict[str, Any] = {
    "base_url": "https://other.example/prefix",
    "auth": ("user", "password"),
    "headers": {
        "Authorization": "Bearer other-key",
        "Accept-Encoding": "gzip, br",
        "Content-Type": "text/plain",
        "X-Team": "videos",
    },
    "timeout": 1.0,
    "follow_redirects": True,
}


def test_our_url_wins_over_the_base_url_of_a_client_handed_in(connect: Twin) -> None:
    client, wire = connect(ACCEPTED, http=OTHERS_SETTINGS)
    client.remix("video_123", prompt="x")
    assert str(wire.requests[0].url) == "https://api.deerapi.com/v1/videos/video_123/remix"


def test_our_key_wins_over_the_authorization_of_a_client_handed_in(connect: Twin) -> None:
    client, wire = connect(ACCEPTED, http=OTHERS_SETTINGS)
    client.remix("video_123", prompt="x")
    assert wire.requests[0].headers.get_list("Authorization") == [f"Bearer {KEY}"]


def test_our_headers_win_over_those_of_a_client_handed_in(connect: Twin) -> None:
    client, wire = connect(ACCEPTED, http=OTHERS_SETTINGS)
    client.remix("video_123", prompt="x")
    headers = wire.requests[0].headers
    assert (headers.get_list("Accept-Encoding"), headers.get_list("Content-Type")) == (
        ["identity"],
        ["application/json"],
    )


def test_other_headers_of_a_client_handed_in_are_kept(connect: Twin) -> None:
    client, wire = connect(ACCEPTED, http=OTHERS_SETTINGS)
    client.remix("video_123", prompt="x")
    assert wire.requests[0].headers["X-Team"] == "videos"


def test_our_timeout_wins_over_that_of_a_client_handed_in(connect: Twin) -> None:
    client, wire = connect(ACCEPTED, http=OTHERS_SETTINGS)
    client.remix("video_123", prompt="x")
    assert wire.requests[0].extensions["timeout"] == {"connect": 60.0, "read": 60.0, "write": 60.0, "pool": 60.0}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_client_handed_in_can_make_a_submit_follow_a_redirect(connect: Twin, status: int) -> None:
    client, wire = connect(Answer(status, b"", {"Location": "https://elsewhere.example/"}), http=OTHERS_SETTINGS)
    with pytest.raises(APIStatusError) as caught:
        client.remix("video_123", prompt="x")
    assert (caught.value.status_code, len(wire.requests)) == (status, 1)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_request_for_information_follows_no_redirect(connect: Twin, status: int) -> None:
    client, wire = connect(Answer(status, b"", {"Location": "https://elsewhere.example/"}), http=OTHERS_SETTINGS)
    with pytest.raises(APIStatusError):
        client.retrieve("video_123")
    assert len(wire.requests) == 1


def test_a_password_in_netrc_is_not_sent(connect: Twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine api.deerapi.com login user password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    client, wire = connect(ACCEPTED, http={"trust_env": True})
    client.remix("video_123", prompt="x")
    assert wire.requests[0].headers["Authorization"] == f"Bearer {KEY}"


def test_a_timeout_can_be_told_for_each_operation_of_the_socket(connect: Twin) -> None:
    client, wire = connect(ACCEPTED, timeout=httpx.Timeout(5.0, read=90.0))
    client.remix("video_123", prompt="x")
    assert wire.requests[0].extensions["timeout"] == {"connect": 5.0, "read": 90.0, "write": 5.0, "pool": 5.0}


def test_with_options_changes_the_timeout_of_the_copy(connect: Twin) -> None:
    client, wire = connect(ACCEPTED)
    client.with_options(timeout=5).remix("video_123", prompt="x")
    assert wire.requests[0].extensions["timeout"] == {"connect": 5, "read": 5, "write": 5, "pool": 5}


def test_with_options_leaves_the_timeout_of_the_client(connect: Twin) -> None:
    client, wire = connect(ACCEPTED)
    client.with_options(timeout=5)
    client.remix("video_123", prompt="x")
    assert wire.requests[0].extensions["timeout"]["read"] == 60.0


def test_no_deadline_clips_the_timeout_of_a_submit(connect: Twin, clock: Clock, tmp_path: Path) -> None:
    client, wire = connect(ACCEPTED, FILE)
    client.remix_to_file("video_123", tmp_path / "bow.mp4", prompt="x", timeout=3)
    assert wire.requests[0].extensions["timeout"] == {"connect": 60.0, "read": 60.0, "write": 60.0, "pool": 60.0}


def test_an_answer_to_a_submit_that_comes_whole_counts_however_late(connect: Twin, clock: Clock) -> None:
    def slow(_: httpx.Request) -> Answer:
        clock.time += 230
        return ACCEPTED

    client, _ = connect(slow, retry=RetryPolicy(budget=0))
    assert client.remix("video_123", prompt="x").id == "video_456"


# A key may be a function.


def test_a_function_is_asked_for_the_key_before_every_request(connect: Twin) -> None:
    keys = iter(["sk-first-key", "sk-second-key"])
    client, wire = connect(ASKED, api_key=lambda: next(keys))
    client.retrieve("video_123")
    client.retrieve("video_123")
    assert [request.headers["Authorization"] for request in wire.requests] == [
        "Bearer sk-first-key",
        "Bearer sk-second-key",
    ]


def test_a_function_is_asked_for_the_key_before_every_resend(connect: Twin, clock: Clock) -> None:
    keys = iter(["sk-first-key", "sk-second-key"])
    client, wire = connect(Answer(503), ACCEPTED, api_key=lambda: next(keys))
    client.remix("video_123", prompt="x")
    assert [request.headers["Authorization"] for request in wire.requests] == [
        "Bearer sk-first-key",
        "Bearer sk-second-key",
    ]


def test_a_function_is_asked_for_the_key_before_every_poll(connect: Twin, clock: Clock) -> None:
    keys = iter(["sk-first-key", "sk-second-key"])
    client, wire = connect(Answer(200, JOB | {"status": "queued"}), ACCEPTED, api_key=lambda: next(keys))
    client.wait("video_456")
    assert [request.headers["Authorization"] for request in wire.requests] == [
        "Bearer sk-first-key",
        "Bearer sk-second-key",
    ]


def test_a_function_is_not_asked_for_the_key_before_it_is_needed(connect: Twin) -> None:
    asked: list[str] = []

    def ask() -> str:
        asked.append(KEY)
        return KEY

    connect(ACCEPTED, api_key=ask)
    assert asked == []


@pytest.mark.parametrize(
    "own",
    [
        ValueError("vault"),
        TimeoutError("vault"),
        KeyError("vault"),
        OSError("vault"),
        httpx.ConnectError("vault"),
        httpx.ReadTimeout("vault"),
        httpx.InvalidURL("vault"),
        KeyboardInterrupt(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_the_function_raises_passes_unchanged_and_nothing_is_sent(connect: Twin, own: BaseException) -> None:
    def ask() -> str:
        raise own

    client, wire = connect(ACCEPTED, api_key=ask)
    with pytest.raises(type(own)) as caught:
        client.remix("video_123", prompt="x")
    assert caught.value is own
    assert wire.requests == []


def test_what_the_function_raises_during_a_wait_passes_unchanged(connect: Twin, clock: Clock) -> None:
    own = httpx.ConnectError("vault")

    def ask() -> str:
        raise own

    client, wire = connect(ACCEPTED, api_key=ask)
    with pytest.raises(httpx.ConnectError) as caught:
        client.wait("video_456")
    assert caught.value is own
    assert wire.requests == []


def test_a_resend_is_the_same_request(connect: Twin, clock: Clock) -> None:
    client, wire = connect(Answer(503), ACCEPTED)
    client.remix("video_123", prompt="x", model="sora-2")
    first, second = wire.requests
    assert (first.method, first.url, first.content, first.headers) == (
        second.method,
        second.url,
        second.content,
        second.headers,
    )

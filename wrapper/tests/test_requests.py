"""What is sent: the request that arrives at the server, whatever the user's own httpx client would have sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from deerapi_remix import APIStatusError, RetryPolicy

from .conftest import KEY, Clock
from .wire import FULL, Answer, Twin, failure, takes

pytestmark = pytest.mark.usefixtures("clock")

JOB = FULL | {"status": "completed", "progress": 100}
ACCEPTED = Answer(200, JOB)
ASKED = Answer(200, JOB | {"id": "video_123"})
FILE = Answer(200, b"\0\0\0\x08moov", {"Content-Type": "video/mp4", "Content-Length": "8"})


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


@pytest.mark.parametrize("variant", ["video", "thumbnail", "spritesheet"])
def test_download_sends_the_variant_as_the_query(connect: Twin, tmp_path: Path, variant: str) -> None:
    kind = "video/mp4" if variant == "video" else "image/webp"
    client, wire = connect(Answer(200, b"file", {"Content-Type": kind, "Content-Length": "4"}))
    client.download("video_123", tmp_path / "bow.mp4", variant=variant)
    assert wire.sent == [("GET", f"/v1/videos/video_123/content?variant={variant}")]


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


def test_url_key_timeout_and_our_headers_win_over_those_of_a_client_handed_in(connect: Twin) -> None:
    client, wire = connect(ACCEPTED, http=OTHERS_SETTINGS)
    client.remix("video_123", prompt="x")
    request = wire.requests[0]
    assert str(request.url) == "https://api.deerapi.com/v1/videos/video_123/remix"
    assert request.extensions["timeout"] == {"connect": 60.0, "read": 60.0, "write": 60.0, "pool": 60.0}
    names = ("Authorization", "Accept-Encoding", "Content-Type", "X-Team")
    assert [request.headers.get_list(name) for name in names] == [
        [f"Bearer {KEY}"],
        ["identity"],
        ["application/json"],
        ["videos"],
    ]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_client_handed_in_can_make_us_follow_a_redirect(connect: Twin, status: int) -> None:
    client, wire = connect(Answer(status, b"", {"Location": "https://elsewhere.example/"}), http=OTHERS_SETTINGS)
    assert failure(APIStatusError, client.remix, "video_123", prompt="x").status_code == status
    assert failure(APIStatusError, client.retrieve, "video_123").status_code == status
    assert len(wire.requests) == 2


def test_a_password_in_netrc_is_not_sent(connect: Twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine api.deerapi.com login user password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    client, wire = connect(ACCEPTED, http={"trust_env": True})
    client.remix("video_123", prompt="x")
    assert wire.requests[0].headers["Authorization"] == f"Bearer {KEY}"


def test_an_answer_to_a_submit_that_comes_whole_counts_however_late(connect: Twin, clock: Clock) -> None:
    client, _ = connect(takes(clock, 230, ACCEPTED), retry=RetryPolicy(budget=0))
    assert client.remix("video_123", prompt="x").id == "video_456"


# A key may be a function.


def test_a_function_is_asked_for_the_key_before_every_request_resend_and_poll_and_not_earlier(connect: Twin) -> None:
    keys = (f"sk-key-number-{number}" for number in range(9))
    asked: list[str] = []

    def ask() -> str:
        asked.append(next(keys))
        return asked[-1]

    client, wire = connect(ASKED, Answer(503), ACCEPTED, Answer(200, FULL), ACCEPTED, api_key=ask)
    assert asked == []
    client.retrieve("video_123")
    client.remix("video_123", prompt="x")
    client.wait("video_456")
    assert len(asked) == 5
    assert [request.headers["Authorization"] for request in wire.requests] == [f"Bearer {key}" for key in asked]


@pytest.mark.parametrize(
    "own",
    [
        *(ValueError("vault"), TimeoutError("vault"), KeyError("vault"), OSError("vault"), KeyboardInterrupt()),
        *(httpx.ConnectError("vault"), httpx.ReadTimeout("vault"), httpx.InvalidURL("vault")),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_the_function_raises_passes_unchanged_and_nothing_is_sent(connect: Twin, own: BaseException) -> None:
    def ask() -> str:
        raise own

    client, wire = connect(ACCEPTED, api_key=ask)
    assert failure(type(own), client.remix, "video_123", prompt="x") is own
    assert failure(type(own), client.wait, "video_456") is own
    assert wire.requests == []


def test_a_resend_is_the_same_request(connect: Twin) -> None:
    client, wire = connect(Answer(503), ACCEPTED)
    client.remix("video_123", prompt="x", model="sora-2")
    first, second = wire.requests
    assert (first.method, first.url, first.content, first.headers) == (
        second.method,
        second.url,
        second.content,
        second.headers,
    )

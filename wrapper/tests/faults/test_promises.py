"""Which fault over a real socket holds the client to which promise; and the promises that no single fault can show."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from deerapi_remix import (
    APIConnectionError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    InternalServerError,
    PollingPolicy,
    RateLimitError,
    RemixClient,
    RemixFailedError,
    RetryPolicy,
    Video,
    WaitTimeoutError,
)
from deerapi_remix.testing import FakeDeerAPI

from .conftest import Own
from .matrix import EXPECTED
from .server import Peer, fault_server
from .server import http as as_bytes
from .steps import FLAT, HTML, NESTED, PAGE, answers, drift, error

# Faults of the matrix, or tests of this folder, by the promise that they are about.
PROMISES = """
Answers that drift
    an answer with a usable id is returned: id-alone fields-null fields-of-wrong-types type-html-of-json
    an id is found in every known place: id-in-data id-as-task-id
    what is wrong is told once: test_drift_is_told_once
    an answer about another video is no answer: id-of-another
    a strict client raises, and keeps the id: test_a_strict_client_keeps_the_id
    an answer without a usable id is an error: id-null id-blank null-200 list-200 error-200 page-200 200-without-body
    any 2xx that carries a video counts as accepted: 201 202 206-whole
    accepted ids are logged: test_an_accepted_id_is_logged
    a paid id is never thrown away: cut-in-body cut-before-last-byte answer-of-2-MB gzip-cut event-stream
Errors
    every status has its error: 400 401 402 403-quota 404 409 422 429 500 599 600
    every error carries the id: test_every_operation_ends_as_the_table_says
    errors of httpx are the cause: hung-up-after-request stalled
    code and message are read from every shape: test_code_and_message_are_read_from_every_shape
    none shows the key: key-in-error key-in-page key-in-request-id key-in-first-line key-in-header-line key-in-type
    the body is cut to 2,000 characters: test_of_an_error_64_kb_are_read_and_2000_characters_shown
    a status other than 2xx decides alone: 400-cut 400-stalled 400-chunk-garbage 500-stalled 500-huge 500-gzip-bomb
    a lost answer is ambiguous: hung-up-unread reset-after-request stalled cut-in-headers tls-reset-after-request
    408 and other 5xx are ambiguous: 408 501 502-page 504-page 520-page 524-page 530-page 599
    a 2xx that cannot be read is ambiguous: page-200 nesting-deep coding-unknown gzip-bomb
Retries
    a submit that never left is sent again: refused connect-stalled tls-stalled tls-hung-up tls-reset
    a submit that found no connection never left: test_a_submit_that_found_no_connection_was_not_sent
    a submit that a proxy refused never left: test_a_submit_that_a_proxy_refused_was_not_sent
    429, 500 and 503 are sent again: 429 500 503 429-always 500-always
    a lost answer to a submit is not asked for again: hung-up-always stalled-always cut-in-body-always 502-page-always
    500 and 503 can be final: test_a_submit_can_be_final_at_500_and_503
    a bad certificate is final: tls-expired tls-wrong-host tls-unknown-authority tls-self-signed
    redirects of a submit are final: redirect-to-same-path redirect-301 redirect-303 redirect-308 redirect-to-other-port
    Retry-After is kept: test_retry_after_is_kept
    Retry-After that does not fit raises at once: 429-retry-after-long 429-retry-after-absurd
    Retry-After that is nonsense is ignored: 429-retry-after-0 429-retry-after-past 429-retry-after-negative
    no deadline clips a submit: test_no_deadline_clips_a_submit
    new bytes reset the attempts: in-pieces-of-10-kB
    a body that is cut is a failed attempt: cut-in-body cut-in-body-always
    every failed attempt is logged: test_every_failed_attempt_is_logged
Waiting
    a failed poll does not end the wait: hung-up-after-request stalled page-200 429 500 502-page
    a final one does: 400 401 403-quota
    a job just accepted may be unknown: 404 404-always 400-task-not-exist
    429 delays the next poll: 429-retry-after-long
    a hint is followed within bounds: poll-hint-absurd poll-hint-nonsense
    a finished video is not polled: test_a_finished_video_is_not_polled
    unknown statuses go on: status-NOT_START status-processing-always
    all names of an end are known: status-SUCCESS status-failed status-cancelled status-expired
    the user hears of news only: test_the_user_hears_of_news_only
    at the deadline the last error is the cause: test_at_the_deadline_the_last_error_is_the_cause
Download
    the type is checked: type-json type-text type-missing type-binary type-in-capitals page-200
    the length is checked: length-too-long length-astronomic empty empty-in-chunks
    without a length the boxes are: length-missing length-missing-and-cut
    a cut file is resumed: cut-in-body cut-206-cut redirect-then-cut
    or begun anew: cut-untagged cut-weakly-tagged cut-then-200 cut-then-416
    two files are never joined: cut-then-another-file cut-206-of-another cut-206-untagged cut-206-elsewhere
    a part that does not fit is refused: cut-206-of-other-total cut-206-of-no-total cut-206-rangeless cut-206-multipart
    a part that was not asked for is refused: 206-unasked
    redirects are followed: redirect-to-same-path redirect-relative redirect-to-other-port redirect-to-other-host
    the key stays with the API: redirect-to-other-port redirect-to-other-host redirect-to-other-scheme
    a target that exists costs nothing: test_a_target_that_exists_costs_nothing
    a target that appears meanwhile is kept: test_a_target_that_appears_meanwhile_is_kept
    memory stays flat: test_a_large_file_is_not_held_in_memory
    what else is raised tells of the job: test_what_a_callback_raises_tells_of_the_job
    past the deadline the wait is over: trickled-for-seconds test_a_file_that_trickles_ends_at_the_deadline
    a file that is not there yet is asked for again: not-completed-once not-completed-always not-completed-as-200
Keys and hosts
    a redirect from https to http is refused: redirect-to-http
    a redirect elsewhere than http is refused: redirect-to-file
    a redirect with the key in it is refused: redirect-with-key
    redirects end: redirect-loop redirect-without-location
"""

LITTLE = RetryPolicy(attempts=3, initial_delay=0.01, max_delay=0.01)
OFTEN = PollingPolicy(initial_interval=0.02, max_interval=0.05, timeout=10)


def test_every_promise_names_faults_and_tests_that_exist() -> None:
    sources = [path.read_text() for path in Path(__file__).parent.glob("test_*.py")]
    tests = {name for source in sources for name in re.findall(r"def (test_\w+)", source)}
    named = {line: line.partition(": ")[2].split() for line in PROMISES.splitlines() if line.startswith(" ")}

    assert [line for line, names in named.items() if not names] == []
    assert {name for names in named.values() for name in names} - tests - set(EXPECTED) == set()


def test_drift_is_told_once(own: Own, caplog: pytest.LogCaptureFixture) -> None:
    with fault_server(FakeDeerAPI(), *[drift(lambda video: {**video, "size": None})] * 3) as server:
        client = own(base_url=server.url)
        for _ in range(3):
            client.retrieve("video_123")

    assert len([line for line in caplog.messages if "size is null" in line]) == 1


def test_a_strict_client_keeps_the_id(own: Own) -> None:
    with fault_server(FakeDeerAPI(), drift(lambda video: {"id": video["id"]})) as server:
        client = own(base_url=server.url, strict=True)
        with pytest.raises(APIResponseValidationError) as caught:
            client.remix("video_123", prompt="The cat takes a bow")

    assert caught.value.video_id in server.fake.jobs
    assert caught.value.may_have_been_charged


def test_an_accepted_id_is_logged(own: Own, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "deerapi_remix")
    with fault_server(FakeDeerAPI()) as server:
        video = own(base_url=server.url).remix("video_123", prompt="The cat takes a bow")

    assert [record.levelname for record in caplog.records if video.id in record.getMessage()] == ["INFO"]


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (NESTED, "some_code", "no (request id: 2026)"),
        (FLAT, "server_busy", "try again later"),
        ({"error": "plain"}, None, "plain"),
        (HTML, None, "Bad gateway"),
        (b"overloaded", None, "overloaded"),
        (b"", None, "Bad Request"),
    ],
)
def test_code_and_message_are_read_from_every_shape(own: Own, body: object, code: str | None, message: str) -> None:
    step = answers(400, body, PAGE if body is HTML else None)
    with fault_server(FakeDeerAPI(), step) as server, pytest.raises(APIStatusError) as caught:
        own(base_url=server.url).retrieve("video_123")

    assert (caught.value.code, caught.value.message) == (code, message)


def test_a_submit_that_found_no_connection_was_not_sent() -> None:
    limits = httpx.Limits(max_connections=1)
    with (
        fault_server(FakeDeerAPI()) as server,
        httpx.Client(limits=limits) as http,
        http.stream("GET", f"{server.url}/v1/models"),  # Holds the only connection.
        pytest.raises(APITimeoutError) as caught,
    ):
        RemixClient(base_url=server.url, http_client=http, timeout=0.1, retry=LITTLE).remix("video_123", prompt="A bow")

    assert (caught.value.may_have_been_charged, caught.value.retryable, caught.value.attempts) == (False, True, 3)
    assert server.posts == 0


def test_a_submit_that_a_proxy_refused_was_not_sent() -> None:
    def refuse(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        peer.close()

    with fault_server(FakeDeerAPI(), *[refuse] * 3) as proxy, httpx.Client(proxy=proxy.url) as http:
        client = RemixClient(base_url="https://127.0.0.1:9", http_client=http, retry=LITTLE)
        with pytest.raises(APIConnectionError) as caught:
            client.remix("video_123", prompt="The cat takes a bow")

    assert (caught.value.may_have_been_charged, caught.value.attempts) == (False, 3)


@pytest.mark.parametrize("status", [500, 503])
def test_a_submit_can_be_final_at_500_and_503(own: Own, status: int) -> None:
    with fault_server(FakeDeerAPI(), error(status)) as server:
        client = own(base_url=server.url, retry=RetryPolicy(resend_paid=False))
        with pytest.raises(InternalServerError):
            client.remix("video_123", prompt="The cat takes a bow")

    assert server.posts == 1


def test_retry_after_is_kept(own: Own) -> None:
    with fault_server(FakeDeerAPI(), error(429, retry_after="1")) as server:
        client = own(base_url=server.url, retry=LITTLE)
        client.remix("video_123", prompt="The cat takes a bow")

    first, second = (moment for peer in server.peers for moment in peer.times)
    assert 0.95 < second - first < 3


def test_no_deadline_clips_a_submit(own: Own, tmp_path: Path) -> None:
    def late(peer: Peer) -> None:
        answer = peer.exchange()
        peer.pause(0.5)
        peer.send(as_bytes(answer))

    with fault_server(FakeDeerAPI(), late) as server, pytest.raises(WaitTimeoutError) as caught:
        own(base_url=server.url).remix_to_file("video_123", tmp_path / "bow.mp4", prompt="A bow", timeout=0.1)

    assert caught.value.video_id in server.fake.jobs
    assert server.posts == 1


def test_every_failed_attempt_is_logged(own: Own, caplog: pytest.LogCaptureFixture) -> None:
    with fault_server(FakeDeerAPI(), *[error(429)] * 9) as server:
        client = own(base_url=server.url, retry=LITTLE)
        with pytest.raises(RateLimitError):
            client.remix("video_123", prompt="The cat takes a bow")

    told = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(told) == 3
    assert all("remix" in line and "429" in line for line in told)


def test_a_finished_video_is_not_polled(own: Own) -> None:
    with fault_server(FakeDeerAPI()) as server:
        client = own(base_url=server.url)
        assert client.wait(Video(id="video_123", status="completed")).is_completed
        with pytest.raises(RemixFailedError):
            client.wait(Video(id="video_123", status="failed"))

    assert server.heads == []


def test_the_user_hears_of_news_only(own: Own) -> None:
    def at(progress: int) -> Any:
        return drift(lambda video: {**video, "status": "in_progress", "progress": progress})

    heard: list[tuple[str, int | None]] = []
    with fault_server(FakeDeerAPI(), at(10), at(10), error(502), at(60)) as server:
        client = own(base_url=server.url, polling=OFTEN)
        client.wait("video_123", on_update=lambda video: heard.append((video.status, video.progress)))

    assert heard == [("in_progress", 10), ("in_progress", 60), ("completed", 100)]


def test_at_the_deadline_the_last_error_is_the_cause(own: Own) -> None:
    with fault_server(FakeDeerAPI(), *[error(502)] * 99) as server:
        client = own(base_url=server.url, polling=PollingPolicy(0.4, 0.8))
        with pytest.raises(WaitTimeoutError) as caught:
            client.wait("video_123", timeout=1.0)

    assert isinstance(caught.value.__cause__, InternalServerError)


def test_a_target_that_exists_costs_nothing(own: Own, tmp_path: Path) -> None:
    target = tmp_path / "bow.mp4"
    target.write_bytes(b"mine")
    with fault_server(FakeDeerAPI()) as server, pytest.raises(FileExistsError):
        own(base_url=server.url).remix_to_file("video_123", target, prompt="The cat takes a bow")

    assert server.peers == []
    assert target.read_bytes() == b"mine"


def test_a_target_that_appears_meanwhile_is_kept(own: Own, tmp_path: Path) -> None:
    target = tmp_path / "bow.mp4"

    def appears(peer: Peer) -> None:
        target.write_bytes(b"another's")
        peer.answer()

    fake = FakeDeerAPI(render_seconds=0)
    with fault_server(fake, Peer.answer, appears) as server, pytest.raises(FileExistsError) as caught:
        own(base_url=server.url).remix_to_file("video_123", target, prompt="The cat takes a bow")

    job = (set(server.fake.jobs) - {"video_123"}).pop()
    assert job in "".join(caught.value.__notes__)
    assert [path.name for path in tmp_path.iterdir()] == ["bow.mp4"]
    assert target.read_bytes() == b"another's"


def test_what_a_callback_raises_tells_of_the_job(own: Own, tmp_path: Path) -> None:
    def broken(*_: object) -> None:
        raise LookupError("the user's own")

    callbacks: list[dict[str, Any]] = [{"on_update": broken}, {"on_progress": broken}]

    with fault_server(FakeDeerAPI(render_seconds=0)) as server:
        client = own(base_url=server.url)
        for number, callback in enumerate(callbacks):
            with pytest.raises(LookupError) as caught:
                client.remix_to_file("video_123", tmp_path / f"{number}.mp4", prompt="A bow", **callback)
            assert any(job in "".join(caught.value.__notes__) for job in server.fake.jobs)

    assert list(tmp_path.iterdir()) == []

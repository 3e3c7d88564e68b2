"""Which fault over a real socket holds the client to which promise; and the promises that no single fault can show."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from deerapi_remix import APIConnectionError, APITimeoutError, RemixClient, RetryPolicy
from deerapi_remix.testing import FakeDeerAPI

from .matrix import EXPECTED
from .server import Peer, fault_server

# Faults of the matrix, or tests of this folder, by the promise that they are about.
PROMISES = """
Answers that drift
    an answer with a usable id is returned: id-alone fields-null fields-of-wrong-types type-html-of-json
    an id is found in every known place: id-in-data id-as-task-id id-in-data-task-id envelope envelope-below-id
    the number of a database is no id beside a text: id-of-database-beside-task-id
    an id that cannot be sent back is none: id-with-newline id-with-nul id-with-lone-surrogate id-dot id-dot-dot
    an answer about another job is drift, and ends a wait when told twice: id-of-another id-of-another-failed-twice
    an error without a status ends a wait when told three times: error-without-status-twice error-without-status-always
    an answer without a usable id is an error: id-null id-blank null-200 list-200 error-200 page-200 200-without-body
    any 2xx that carries a video counts as accepted: 201 202 206-whole
    a job is a job under any status: job-in-302 job-in-400 job-in-429 job-in-502 job-in-503 job-in-502-enveloped
    a paid id is never thrown away: cut-in-body cut-before-last-byte answer-of-2-MB gzip-cut event-stream
Errors
    every status has its error: 400 401 402 403 403-quota 404 409 422 429 500 599 600
    every error carries the id: test_every_operation_ends_as_the_table_says
    errors of httpx are the cause: hung-up-after-request stalled
    none shows the key: key-in-error key-in-page key-in-request-id key-in-first-line key-in-header-line key-in-type
    the body is cut to 2,000 characters: test_of_an_error_64_kb_are_read_and_2000_characters_shown
    a status other than 2xx decides alone: 400-cut 400-stalled 400-chunk-garbage 500-stalled 500-huge 500-gzip-bomb
    a lost answer is ambiguous: hung-up-unread reset-after-request stalled cut-in-headers tls-reset-after-request
    303, 304 and what is no status are ambiguous: 303 304 600 999 199-and-closed
    408 and other 5xx are ambiguous: 408 501 502-page 504-page 520-page 524-page 530-page 599
    a 2xx that cannot be read is ambiguous: page-200 nesting-deep coding-unknown gzip-bomb
Retries
    a submit that never left is sent again: refused connect-stalled tls-stalled tls-hung-up tls-reset
    a submit that found no connection never left: test_a_submit_that_found_no_connection_was_not_sent
    a submit that a proxy refused never left: test_a_submit_that_a_proxy_refused_was_not_sent
    429, 500 and 503 are sent again: 429 500 503 429-always 500-always 503-page 503-envoy-overflow
    but not what was passed on: 500-do_request_failed 500-server-disconnected 503-envoy-remote-reset
    nor what time does not mend: 503-model_not_found 503-insufficient_user_quota 429-insufficient_quota
    after a 500 a job may exist, whatever follows: 500-always 500-then-400 500-then-429-for-long
    whatever leaves a submit tells of it: test_no_interruption_leaves_a_paid_call_untold_or_a_client_that_hangs
    a hook that raises, too: test_a_hook_that_raises_leaves_no_paid_call_untold
    another event loop is refused: test_after_a_first_loop_every_method_refuses_a_second_one
    a lost answer to a submit is not asked for again: hung-up-always stalled-always cut-in-body-always 502-page-always
    a bad certificate is final: tls-expired tls-wrong-host tls-unknown-authority tls-self-signed
    redirects of a submit are final: redirect-to-same-path redirect-301 redirect-303 redirect-308 redirect-to-other-port
    Retry-After that does not fit raises at once: 429-retry-after-long 429-retry-after-absurd
    Retry-After that is nonsense is ignored: 429-retry-after-0 429-retry-after-past 429-retry-after-negative
    new bytes reset the attempts: in-pieces-of-10-kB
    a body that is cut is a failed attempt: cut-in-body cut-in-body-always
Waiting
    a failed poll does not end the wait: hung-up-after-request stalled page-200 429 500 502-page
    a final one does: 400 401 403-quota
    a job just accepted, or known by its id alone, may be unknown: 404 404-always 400-task-not-exist
    429 delays the next poll: 429-retry-after-long
    a hint is followed within bounds: poll-hint-absurd poll-hint-nonsense
    unknown statuses go on: status-NOT_START status-processing-always
    all names of an end are known: status-SUCCESS status-Done status-failed status-time-out status-failed:-moderation
Download
    the type is checked: type-json type-text type-missing type-binary type-in-capitals page-200 video-for-a-thumbnail
    whatever the type says, text is no video: json-as-video json-without-type page-as-video xml-in-chunks
    the length is checked: length-too-long length-astronomic empty empty-in-chunks
    without a length the format is: length-missing length-missing-and-cut mp4-cut-at-box webp-cut jpeg-cut
    a cut file is resumed: cut-in-body cut-206-cut redirect-then-cut cut-dated
    or begun anew: cut-untagged cut-weakly-tagged cut-then-200 cut-then-416 cut-dated-too-late cut-dated-without-date
    two files are never joined: cut-then-another-file cut-206-of-another cut-206-untagged cut-206-elsewhere
    a part that does not fit is refused: cut-206-of-other-total cut-206-of-no-total cut-206-rangeless cut-206-multipart
    a part that was not asked for is refused: 206-unasked
    redirects are followed: redirect-to-same-path redirect-relative redirect-to-other-port redirect-to-other-host
    the key stays with the API: redirect-to-other-port redirect-to-other-host redirect-to-other-scheme
    memory stays flat: test_a_large_file_is_not_held_in_memory
    past the deadline the wait is over: trickled-for-seconds test_a_file_that_trickles_ends_at_the_deadline
    a file that is not there yet is asked for again: not-completed-once not-completed-as-200 202-json
Keys and hosts
    a redirect from https to http is refused: redirect-to-http
    a redirect elsewhere than http is refused: redirect-to-file
    a redirect with the key in it is refused: redirect-with-key
    redirects end: redirect-loop redirect-without-location
"""

LITTLE = RetryPolicy(attempts=3, initial_delay=0.01, max_delay=0.01)


def test_every_promise_names_faults_and_tests_that_exist() -> None:
    sources = [path.read_text() for path in Path(__file__).parent.glob("test_*.py")]
    tests = {name for source in sources for name in re.findall(r"def (test_\w+)", source)}
    named = {line: line.partition(": ")[2].split() for line in PROMISES.splitlines() if line.startswith(" ")}

    assert [line for line, names in named.items() if not names] == []
    assert {name for names in named.values() for name in names} - tests - set(EXPECTED) == set()


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

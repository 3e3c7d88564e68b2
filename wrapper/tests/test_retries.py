"""What happens after a failure: whether it may have cost money, and whether and when the request is sent again."""

from __future__ import annotations

import email.utils
import math
import random
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from deerapi_remix import DeerAPIError, RateLimitError, RemixClient, RetryPolicy

from .conftest import Clock
from .wire import CALLS, PAID, Answer, Pieces, Step, Twin, failure, takes

pytestmark = pytest.mark.usefixtures("clock")

ACCEPTED = Answer(200, {"id": "video_456", "status": "queued"})
Call = Callable[[RemixClient, Path], object]


class Jitter:
    """Takes the place of chance, which decides on a share of each bound."""

    share = 1.0


@pytest.fixture
def jitter(monkeypatch: pytest.MonkeyPatch) -> Jitter:
    """Delays are as long as they can be."""
    jitter = Jitter()
    monkeypatch.setattr(random, "random", lambda: jitter.share)
    monkeypatch.setattr(random, "uniform", lambda low, high: low + (high - low) * jitter.share)
    return jitter


def caused(error: Exception, cause: BaseException) -> Exception:
    """`error` as httpx raises it: with the error of the layer below as its cause."""
    error.__cause__ = cause
    return error


def cut(status: int, error: Exception) -> Answer:
    """An answer whose body breaks off."""
    return Answer(status, Pieces(b'{"object": "vid', error), {"Content-Type": "application/json"})


CONNECTION, TIMEOUT, STATUS, SERVER = "APIConnectionError", "APITimeoutError", "APIStatusError", "InternalServerError"
UNREADABLE = "APIResponseValidationError"

# What happens, the error, and for a paid and a free request each: may have been charged, retryable, times sent.
Outcome = tuple[bool, bool, int]
RESENT: Outcome = (False, True, 4)
LOST: Outcome = (True, False, 1)
FINAL: Outcome = (False, False, 1)
# Resent, as the vendor says, though a gateway may have taken the job.
IN_DOUBT: Outcome = (True, False, 4)


def statuses(*which: int, kind: str, paid: Outcome, free: Outcome) -> list[tuple[str, Step, str, Outcome, Outcome]]:
    """A row of the table for each status."""
    return [(str(status), Answer(status), kind, paid, free) for status in which]


REFUSED = httpx.ConnectError("[Errno 111] Connection refused")
VERSION = caused(httpx.ConnectError("wrong version"), ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER]"))
EXPIRED = caused(OSError(), ssl.SSLCertVerificationError(1, "expired"))
GONE = httpx.RemoteProtocolError("Server disconnected without sending a response.")

OUTCOMES: list[tuple[str, Step, str, Outcome, Outcome]] = [
    ("connection refused", REFUSED, CONNECTION, RESENT, RESENT),
    ("no such host", httpx.ConnectError("[Errno -2] Name or service not known"), CONNECTION, RESENT, RESENT),
    ("TLS fails", VERSION, CONNECTION, RESENT, RESENT),
    ("bad certificate", caused(httpx.ConnectError("verify failed"), EXPIRED), CONNECTION, FINAL, FINAL),
    ("connect timeout", httpx.ConnectTimeout("timed out"), TIMEOUT, RESENT, RESENT),
    ("pool timeout", httpx.PoolTimeout(""), TIMEOUT, RESENT, RESENT),
    ("proxy refuses CONNECT", httpx.ProxyError("407 Proxy Authentication Required"), CONNECTION, RESENT, RESENT),
    ("read timeout", httpx.ReadTimeout("timed out"), TIMEOUT, LOST, RESENT),
    ("write timeout", httpx.WriteTimeout("timed out"), TIMEOUT, LOST, RESENT),
    ("read error", httpx.ReadError("[Errno 104] Connection reset by peer"), CONNECTION, LOST, RESENT),
    ("write error", httpx.WriteError("[Errno 32] Broken pipe"), CONNECTION, LOST, RESENT),
    ("close error", httpx.CloseError(""), CONNECTION, LOST, RESENT),
    ("server hangs up", GONE, CONNECTION, LOST, RESENT),
    ("protocol broken by us", httpx.LocalProtocolError("Too much data"), CONNECTION, LOST, RESENT),
    ("scheme not supported", httpx.UnsupportedProtocol("no"), CONNECTION, FINAL, FINAL),
    ("200 cut off", cut(200, httpx.RemoteProtocolError("incomplete body")), CONNECTION, LOST, RESENT),
    ("200 reset", cut(200, httpx.ReadError("reset")), CONNECTION, LOST, RESENT),
    ("200 stalls", cut(200, httpx.ReadTimeout("timed out")), TIMEOUT, LOST, RESENT),
    ("201 cut off", cut(201, httpx.RemoteProtocolError("incomplete body")), CONNECTION, LOST, RESENT),
    ("200 that is no JSON", Answer(200, b"<html>"), UNREADABLE, LOST, FINAL),
    ("200 without an id", Answer(200, {}), UNREADABLE, LOST, FINAL),
    ("204", Answer(204), UNREADABLE, LOST, FINAL),
    *statuses(300, 301, 302, *range(305, 309), 399, kind=STATUS, paid=FINAL, free=FINAL),
    # The submit was done, or nobody knows.
    *statuses(303, 304, 600, 666, 999, 1_000, kind=STATUS, paid=LOST, free=FINAL),
    *statuses(400, 422, kind="BadRequestError", paid=FINAL, free=FINAL),
    *statuses(401, kind="AuthenticationError", paid=FINAL, free=FINAL),
    *statuses(403, kind="PermissionDeniedError", paid=FINAL, free=FINAL),
    *statuses(404, kind="NotFoundError", paid=FINAL, free=FINAL),
    *statuses(409, kind="ConflictError", paid=FINAL, free=FINAL),
    *statuses(402, kind="InsufficientQuotaError", paid=FINAL, free=FINAL),
    *statuses(405, 410, 413, 418, 423, 425, 451, 499, kind=STATUS, paid=FINAL, free=FINAL),
    *statuses(408, kind=STATUS, paid=LOST, free=RESENT),
    *statuses(429, kind="RateLimitError", paid=RESENT, free=RESENT),
    *statuses(500, kind=SERVER, paid=IN_DOUBT, free=RESENT),
    *statuses(503, kind=SERVER, paid=RESENT, free=RESENT),
    *statuses(501, 502, 504, 505, 511, *range(520, 531), 598, 599, kind=SERVER, paid=LOST, free=RESENT),
]


def observe(connect: Twin, step: Step, call: Call, path: Path = Path(), **options: Any) -> tuple[str, Outcome]:
    """How a call fails if `step` is all that ever happens."""
    client, wire = connect(step, **options)
    error = failure(DeerAPIError, call, client, path)
    assert error.attempts == len(wire.requests)
    return type(error).__name__, (error.may_have_been_charged, error.retryable, len(wire.requests))


def submit(client: RemixClient, _: Path) -> object:
    return client.remix("video_123", prompt="x")


def ask(client: RemixClient, _: Path) -> object:
    return client.retrieve("video_123")


@pytest.mark.parametrize(("what", "step", "kind", "paid", "free"), OUTCOMES, ids=[each[0] for each in OUTCOMES])
def test_a_submit_is_resent_only_where_it_cannot_have_been_charged_and_what_is_free_wherever_it_may_help(
    connect: Twin, target: Path, what: str, step: Step, kind: str, paid: Outcome, free: Outcome
) -> None:
    for call in PAID:
        assert observe(connect, step, CALLS[call], target.parent) == (kind, paid), call
    assert observe(connect, step, ask) == (kind, free)


def test_remix_is_not_resent_after_a_read_timeout(connect: Twin) -> None:
    client, wire = connect(httpx.ReadTimeout("timed out"), ACCEPTED)
    error = failure(DeerAPIError, client.remix, "video_123", prompt="x")
    assert (error.may_have_been_charged, len(wire.requests)) == (True, 1)


def test_remix_stops_resending_once_an_answer_is_lost(connect: Twin) -> None:
    client, wire = connect(Answer(503), httpx.ConnectError("refused"), httpx.ReadError("reset"), ACCEPTED)
    error = failure(DeerAPIError, client.remix, "video_123", prompt="x")
    assert (error.may_have_been_charged, error.attempts, len(wire.requests)) == (True, 3, 3)


def test_a_failure_that_tells_of_a_job_is_not_resent(connect: Twin) -> None:
    client, wire = connect(Answer(500, {"id": "video_456", "status": "queued"}), ACCEPTED)
    error = failure(DeerAPIError, client.remix, "video_123", prompt="x")
    assert (error.job_id, error.retryable, len(wire.requests)) == ("video_456", False, 1)


# What gateways and proxies say once a request has reached what is behind them, or may have.
PASSED_ON = (
    "upstream connect error or disconnect/reset before headers. reset reason: protocol error",
    "upstream_reset_before_response_started{connection_termination}",
    "net/http: request canceled (Client.Timeout exceeded while awaiting headers)",
    "http2: server sent GOAWAY and closed the connection; LastStreamID=1",
    "http: server closed idle connection",
    "stream error: stream ID 1; INTERNAL_ERROR; received from peer",
    "read tcp 10.0.0.1:1->10.0.0.2:443: use of closed network connection",
    "invalid character '<' looking for beginning of value",
    "json: cannot unmarshal string into Go value",
    "socket hang up",
    "read ECONNRESET",
    "Headers Timeout Error",
    "Unexpected end of JSON input",
    "Expecting value: line 1 column 1 (char 0)",
    "peer closed connection without sending complete message body (received 5 bytes, expected 10)",
    "('Connection broken: IncompleteRead(10 bytes read, 5 more expected)', IncompleteRead(10 bytes read))",
    "litellm.Timeout: APITimeoutError - Request timed out.",
    "The read operation timed out",
    "Connection prematurely closed BEFORE response",
    "Operation timed out after 30000 milliseconds with 0 bytes received",
    "rpc error: code = DeadlineExceeded desc = stream terminated by RST_STREAM",
    "error decoding response body",
    "upstream.example failed to respond",
    "The upstream server is timing out",
    "An invalid response was received from the upstream server",
    "Provider returned error",
    "Bad gateway",
    "failed to insert task",
    "terminated",
)
# What they say where the request went no further.
NOT_PASSED_ON = (
    "no healthy upstream",
    "upstream connect error or disconnect/reset before headers. reset reason: connection failure",
    "dial tcp 10.0.0.2:443: connect: connection refused",
    "dial tcp: lookup upstream: no such host",
    "net/http: TLS handshake timeout",
    "failure to get a peer from the ring-balancer",
    "Backend unavailable, connection timeout",
    "No server is available to handle this request.",
    "The server is overloaded, try again later",
    "Service Unavailable",
)


@pytest.mark.parametrize("status", [500, 503])
@pytest.mark.parametrize("message", PASSED_ON)
def test_a_submit_is_not_resent_after_words_of_a_gateway_that_passed_it_on(
    connect: Twin, status: int, message: str
) -> None:
    structured = Answer(status, {"error": {"message": message, "type": "api_error", "code": str(status)}})
    for answer in (structured, Answer(status, message.encode())):
        assert observe(connect, answer, submit)[1] == LOST


@pytest.mark.parametrize("message", NOT_PASSED_ON)
def test_a_submit_is_resent_after_words_of_a_gateway_that_did_not_pass_it_on(connect: Twin, message: str) -> None:
    assert observe(connect, Answer(503, {"error": {"message": message}}), submit)[1] == RESENT


@pytest.mark.parametrize("place", ["code", "type"])
@pytest.mark.parametrize("name", ["insert_task_failed", "fail_to_fetch_task", "DO_REQUEST_FAILED", "ECONNRESET"])
def test_code_and_type_tell_that_a_submit_was_passed_on(connect: Twin, place: str, name: str) -> None:
    answer = Answer(500, {"error": {"message": "internal error", place: name}})
    assert observe(connect, answer, submit)[1] == LOST


# The vendor's advice to resend after 500 and 503 is the one place where a second job is thinkable.


@pytest.mark.parametrize(
    ("step", "kind", "paid"),
    [
        (Answer(500), SERVER, LOST),
        (Answer(503), SERVER, (False, True, 1)),
        (Answer(429), "RateLimitError", RESENT),
        (REFUSED, CONNECTION, RESENT),
        (httpx.ConnectTimeout("timed out"), TIMEOUT, RESENT),
        (httpx.PoolTimeout("timed out"), TIMEOUT, RESENT),
    ],
    ids=["500", "503", "429", "refused", "connect timeout", "pool timeout"],
)
def test_resend_paid_false_stops_a_submit_at_500_and_503_and_nothing_else(
    connect: Twin, step: Step, kind: str, paid: Outcome
) -> None:
    policy = RetryPolicy(resend_paid=False)
    assert observe(connect, step, submit, retry=policy) == (kind, paid)
    assert observe(connect, step, ask, retry=policy) == (kind, RESENT)


# A status that has arrived decides alone.

BROKEN_BODIES: dict[str, tuple[Pieces, dict[str, str]]] = {
    "cut off": (Pieces(b'{"error": {"mess', httpx.RemoteProtocolError("incomplete body")), {}),
    "reset": (Pieces(httpx.ReadError("reset")), {}),
    "stalled": (Pieces(b"<ht", httpx.ReadTimeout("timed out")), {}),
    "too long": (Pieces(*[b"x" * 65536] * 100), {}),
    "not gzip": (Pieces(b"not gzip"), {"Content-Encoding": "gzip"}),
    "unknown coding": (Pieces(b"\x1b\x03\x00"), {"Content-Encoding": "br"}),
    "not UTF-8": (Pieces(b"\xff\xfe\x00"), {"Content-Type": "application/json"}),
    "nested too deeply": (Pieces(b"[" * 60_000), {"Content-Type": "application/json"}),
    "malformed length": (Pieces(b""), {"Content-Length": "many"}),
}


@pytest.mark.parametrize(("pieces", "headers"), BROKEN_BODIES.values(), ids=BROKEN_BODIES)
@pytest.mark.parametrize(
    ("status", "kind", "paid"),
    [
        *[(302, STATUS, FINAL), (400, "BadRequestError", FINAL), (403, "PermissionDeniedError", FINAL)],
        *[(429, "RateLimitError", RESENT), (500, SERVER, IN_DOUBT), (502, SERVER, LOST), (503, SERVER, RESENT)],
    ],
)
def test_a_status_decides_even_if_its_body_is_broken(
    connect: Twin, pieces: Pieces, headers: dict[str, str], status: int, kind: str, paid: Outcome
) -> None:
    assert observe(connect, Answer(status, pieces, headers), submit) == (kind, paid)


def test_a_redirect_of_a_download_does_not_decide_for_the_host_behind_it(connect: Twin, tmp_path: Path) -> None:
    moved = Answer(302, b"", {"Location": "https://cdn.example/bow.mp4"})
    file = Answer(200, b"\0\0\0\x08moov", {"Content-Type": "video/mp4", "Content-Length": "8"})
    client, wire = connect(moved, httpx.ConnectError("refused"), moved, file)
    client.download("video_456", tmp_path / "bow.mp4")
    assert [request.url.host for request in wire.requests] == [
        "api.deerapi.com",
        "cdn.example",
        "api.deerapi.com",
        "cdn.example",
    ]


# Counts


@pytest.mark.parametrize("attempts", [1, 2, 4, 7])
def test_a_request_is_sent_as_often_as_the_policy_says(connect: Twin, attempts: int) -> None:
    policy = RetryPolicy(attempts=attempts)
    assert observe(connect, Answer(503), submit, retry=policy)[1] == (False, True, attempts)


@pytest.mark.parametrize("failures", [0, 1, 2, 3])
def test_a_submit_succeeds_once_the_server_recovers(connect: Twin, clock: Clock, failures: int) -> None:
    client, wire = connect(*[Answer(503)] * failures, ACCEPTED)
    assert client.remix("video_123", prompt="x").id == "video_456"
    assert (len(wire.requests), len(clock.slept)) == (failures + 1, failures)


def test_nothing_is_slept_after_the_last_attempt(connect: Twin, clock: Clock) -> None:
    observe(connect, Answer(503), submit)
    assert len(clock.slept) == 3


def test_with_options_changes_the_policy_of_the_copy_only(connect: Twin) -> None:
    client, wire = connect(Answer(503))
    for each, count in ((client.with_options(retry=RetryPolicy(attempts=2)), 2), (client, 2 + 4)):
        with pytest.raises(DeerAPIError):
            each.retrieve("video_456")
        assert len(wire.requests) == count


def test_models_is_resent_like_everything_free(connect: Twin) -> None:
    assert observe(connect, Answer(502), lambda client, _: client.models())[1] == (False, True, 4)


# Backoff: exponential, with full jitter


@pytest.mark.parametrize(
    ("options", "bounds"),
    [
        ({}, [0.5, 1.0, 2.0]),
        ({"attempts": 9, "max_delay": 6.0}, [0.5, 1.0, 2.0, 4.0, 6.0, 6.0, 6.0, 6.0]),
        ({"initial_delay": 3.0}, [3.0, 6.0, 8.0]),
        ({"initial_delay": 0}, [0.0, 0.0, 0.0]),
    ],
)
def test_the_bound_of_the_delay_doubles_from_initial_delay_up_to_max_delay(
    connect: Twin, clock: Clock, jitter: Jitter, options: dict[str, Any], bounds: list[float]
) -> None:
    observe(connect, Answer(503), submit, retry=RetryPolicy(**options))
    assert clock.slept == bounds


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_what_chance_says_is_slept(connect: Twin, clock: Clock, jitter: Jitter, share: float) -> None:
    jitter.share = share
    observe(connect, Answer(503), submit)
    assert clock.slept == [0.5 * share, 1.0 * share, 2.0 * share]


def test_delays_differ(connect: Twin, clock: Clock) -> None:
    observe(connect, Answer(503), submit, retry=RetryPolicy(attempts=50, initial_delay=1.0, max_delay=1.0))
    assert len(set(clock.slept)) > 40
    assert all(0 <= delay <= 1 for delay in clock.slept)


def test_a_thousand_attempts_overflow_nothing(connect: Twin, jitter: Jitter) -> None:
    policy = RetryPolicy(attempts=1200, budget=math.inf)
    assert observe(connect, Answer(503), submit, retry=policy)[1] == (False, True, 1200)


# Retry-After


def date(seconds: float) -> str:
    """The time of the virtual clock so many seconds after it starts, as an HTTP date."""
    return email.utils.formatdate(1_800_001_000 + seconds, usegmt=True)


@pytest.mark.parametrize(
    ("headers", "delay"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after": "7"}, 7.0),
        ({"Retry-After": " 7 "}, 7.0),
        ({"Retry-After": "0.25"}, 0.25),
        ({"Retry-After": "60"}, 60.0),
        ({"Retry-After": date(7)}, 7.0),
        ({"Retry-After": date(60)}, 60.0),
        ({"Retry-After": "Fri, 15 Jan 2027 08:16:47 +0000"}, 7.0),
        ({"Retry-After": "Friday, 15-Jan-27 08:16:47 GMT"}, 7.0),
        ({"Retry-After": "Fri Jan 15 08:16:47 2027"}, 7.0),
        ({"Retry-After": "Sun, 06 Nov 1994 08:49:44 GMT", "Date": "Sun, 06 Nov 1994 08:49:37 GMT"}, 7.0),
        ({"Retry-After": date(1_000_007), "Date": date(1_000_000)}, 7.0),
        ({"Retry-After": date(7), "Date": "yesterday"}, 7.0),
    ],
    ids=ascii,
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_replaces_the_backoff(
    connect: Twin, clock: Clock, jitter: Jitter, headers: dict[str, str], delay: float, status: int
) -> None:
    client, wire = connect(Answer(status, b"", headers), ACCEPTED)
    client.remix("video_123", prompt="x")
    assert (clock.slept, len(wire.requests)) == ([delay], 2)


NONSENSE = [
    *(
        "",
        "0",
        "0.0",
        "-5",
        "+5",
        "soon",
        "5 seconds",
        "5s",
        "1e3",
        "0x10",
        "5, 5",
        "nan",
        "inf",
        "Infinity",
        "9" * 400,
    ),
    *(date(0), date(-3600), "Sun, 06 Nov 1994 08:49:37 GMT", "Thu, 01 Jan 0001 00:00:00 GMT"),
    *("Fri, 99 Foo 2027 99:99:99 GMT", "1 Jan 99999 00:00:00 GMT", "1 Jan 2030 00:00:00 +9999"),
    "2030-01-01T00:00:00Z",
]
IN_THE_PAST = [{"Retry-After": date(7), "Date": date(7)}, {"Retry-After": date(7), "Date": date(3600)}]


@pytest.mark.parametrize(
    "headers",
    [{}, *({"Retry-After": value} for value in NONSENSE), *IN_THE_PAST],
    ids=lambda headers: ascii(headers)[:60],
)
def test_a_retry_after_of_zero_or_the_past_or_nonsense_means_backoff(
    connect: Twin, clock: Clock, jitter: Jitter, headers: dict[str, str]
) -> None:
    client, _ = connect(Answer(429, b"", headers), ACCEPTED)
    client.remix("video_123", prompt="x")
    assert clock.slept == [0.5]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("61", 61.0),
        ("60.5", 60.5),
        ("3600", 3600.0),
        ("31536000", 31536000.0),
        ("9" * 30, 1e30),
        (date(61), 61.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 251602299799.0),
    ],
)
def test_a_retry_after_beyond_the_budget_raises_at_once(
    connect: Twin, clock: Clock, value: str, seconds: float
) -> None:
    client, wire = connect(Answer(429, b"", {"Retry-After": value}))
    error = failure(RateLimitError, client.remix, "video_123", prompt="x")
    assert (error.retry_after, clock.slept, len(wire.requests)) == (seconds, [], 1)


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system has one time zone")
def test_a_date_without_a_time_zone_is_none_of_this_machine(
    connect: Twin, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    date = email.utils.formatdate(1_800_001_020)
    assert date.endswith(" -0000")
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        client, _ = connect(Answer(429, b"", {"Retry-After": date}), ACCEPTED)
        client.remix("video_123", prompt="x")
    time.tzset()
    assert clock.slept == [20.0]


def test_a_retry_after_beyond_max_delay_is_followed(connect: Twin, clock: Clock) -> None:
    client, _ = connect(Answer(429, b"", {"Retry-After": "30"}), ACCEPTED)
    client.remix("video_123", prompt="x")
    assert clock.slept == [30.0]


def test_an_error_that_is_final_still_tells_retry_after(connect: Twin, clock: Clock) -> None:
    client, wire = connect(Answer(403, b"", {"Retry-After": "30"}))
    error = failure(DeerAPIError, client.remix, "video_123", prompt="x")
    assert (getattr(error, "retry_after", None), clock.slept, len(wire.requests)) == (30.0, [], 1)


def test_retry_after_does_not_make_a_lost_submit_resendable(connect: Twin) -> None:
    assert observe(connect, Answer(504, b"", {"Retry-After": "1"}), submit)[1] == LOST


# The budget


def test_the_budget_bounds_what_retry_after_asks_in_all(connect: Twin, clock: Clock) -> None:
    policy = RetryPolicy(attempts=10, budget=10)
    answer = Answer(429, b"", {"Retry-After": "4"})
    assert observe(connect, answer, submit, retry=policy)[1] == (False, True, 3)
    assert clock.slept == [4.0, 4.0]


def test_the_time_that_attempts_take_counts_against_the_budget(connect: Twin, clock: Clock, jitter: Jitter) -> None:
    policy = RetryPolicy(attempts=10, budget=60)
    assert observe(connect, takes(clock, 25, Answer(503)), submit, retry=policy)[1] == (False, True, 3)
    assert clock.slept == [0.5, 1.0]


def test_a_delay_that_does_not_fit_into_the_budget_is_not_slept(connect: Twin, clock: Clock, jitter: Jitter) -> None:
    policy = RetryPolicy(attempts=10, budget=1.4)
    assert observe(connect, Answer(503), submit, retry=policy)[1] == (False, True, 2)
    assert clock.slept == [0.5]


def test_without_a_budget_nothing_is_resent(connect: Twin, jitter: Jitter) -> None:
    assert observe(connect, Answer(503), submit, retry=RetryPolicy(budget=0))[1] == (False, True, 1)


def test_each_call_has_a_budget_of_its_own(connect: Twin, clock: Clock, jitter: Jitter) -> None:
    client, wire = connect(Answer(503), ACCEPTED, Answer(503), ACCEPTED, retry=RetryPolicy(budget=1))
    client.remix("video_123", prompt="x")
    clock.time += 3600
    client.remix("video_123", prompt="x")
    assert len(wire.requests) == 4


def test_the_budget_never_ends_an_attempt_that_has_started(connect: Twin, clock: Clock, jitter: Jitter) -> None:
    client, wire = connect(Answer(503), takes(clock, 60, ACCEPTED), retry=RetryPolicy(budget=1))
    assert client.remix("video_123", prompt="x").id == "video_456"
    assert len(wire.requests) == 2


def test_an_endless_budget_sleeps_no_longer_than_a_clock_can(connect: Twin, clock: Clock) -> None:
    client, _ = connect(Answer(429, b"", {"Retry-After": "9" * 30}), ACCEPTED, retry=RetryPolicy(budget=math.inf))
    client.remix("video_123", prompt="x")
    assert clock.slept == [1e9]

"""What happens after a failure: whether it may have cost money, and whether and when the request is sent again."""

from __future__ import annotations

import email.utils
import math
import ssl
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from deerapi_remix import DeerAPIError, RateLimitError, RemixClient, RetryPolicy, _retry

from .conftest import Clock
from .wire import Answer, Pieces, Step, Twin

ACCEPTED = Answer(200, {"id": "video_456", "status": "queued"})


class Jitter:
    """Takes the place of chance: remembers what it was asked for, and answers with a share of the upper bound."""

    def __init__(self, share: float) -> None:
        self.share = share
        self.bounds: list[tuple[float, float]] = []

    def uniform(self, low: float, high: float) -> float:
        self.bounds.append((low, high))
        return low + (high - low) * self.share


@pytest.fixture
def jitter(monkeypatch: pytest.MonkeyPatch) -> Jitter:
    """Delays are as long as they can be."""
    jitter = Jitter(1.0)
    monkeypatch.setattr(_retry, "random", types.SimpleNamespace(uniform=jitter.uniform))
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

OUTCOMES: list[tuple[str, Step, str, Outcome, Outcome]] = [
    ("connection refused", httpx.ConnectError("[Errno 111] Connection refused"), CONNECTION, RESENT, RESENT),
    ("no such host", httpx.ConnectError("[Errno -2] Name or service not known"), CONNECTION, RESENT, RESENT),
    (
        "TLS fails",
        caused(httpx.ConnectError("wrong version"), ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER]")),
        CONNECTION,
        RESENT,
        RESENT,
    ),
    (
        "bad certificate",
        caused(httpx.ConnectError("verify failed"), caused(OSError(), ssl.SSLCertVerificationError(1, "expired"))),
        CONNECTION,
        FINAL,
        FINAL,
    ),
    ("connect timeout", httpx.ConnectTimeout("timed out"), TIMEOUT, RESENT, RESENT),
    ("pool timeout", httpx.PoolTimeout(""), TIMEOUT, RESENT, RESENT),
    ("proxy refuses CONNECT", httpx.ProxyError("407 Proxy Authentication Required"), CONNECTION, RESENT, RESENT),
    ("read timeout", httpx.ReadTimeout("timed out"), TIMEOUT, LOST, RESENT),
    ("write timeout", httpx.WriteTimeout("timed out"), TIMEOUT, LOST, RESENT),
    ("read error", httpx.ReadError("[Errno 104] Connection reset by peer"), CONNECTION, LOST, RESENT),
    ("write error", httpx.WriteError("[Errno 32] Broken pipe"), CONNECTION, LOST, RESENT),
    ("close error", httpx.CloseError(""), CONNECTION, LOST, RESENT),
    (
        "server hangs up",
        httpx.RemoteProtocolError("Server disconnected without sending a response."),
        CONNECTION,
        LOST,
        RESENT,
    ),
    ("protocol broken by us", httpx.LocalProtocolError("Too much data"), CONNECTION, LOST, RESENT),
    ("scheme not supported", httpx.UnsupportedProtocol("no"), CONNECTION, FINAL, FINAL),
    ("200 cut off", cut(200, httpx.RemoteProtocolError("incomplete body")), CONNECTION, LOST, RESENT),
    ("200 reset", cut(200, httpx.ReadError("reset")), CONNECTION, LOST, RESENT),
    ("200 stalls", cut(200, httpx.ReadTimeout("timed out")), TIMEOUT, LOST, RESENT),
    ("201 cut off", cut(201, httpx.RemoteProtocolError("incomplete body")), CONNECTION, LOST, RESENT),
    ("200 that is no JSON", Answer(200, b"<html>"), UNREADABLE, LOST, FINAL),
    ("200 without an id", Answer(200, {}), UNREADABLE, LOST, FINAL),
    ("204", Answer(204), UNREADABLE, LOST, FINAL),
    *[(str(status), Answer(status), STATUS, FINAL, FINAL) for status in (300, 301, 302, 303, 304, 305, 306, 307, 308)],
    ("400", Answer(400), "BadRequestError", FINAL, FINAL),
    ("401", Answer(401), "AuthenticationError", FINAL, FINAL),
    ("402", Answer(402), STATUS, FINAL, FINAL),
    ("403", Answer(403), "PermissionDeniedError", FINAL, FINAL),
    ("404", Answer(404), "NotFoundError", FINAL, FINAL),
    ("405", Answer(405), STATUS, FINAL, FINAL),
    ("408", Answer(408), STATUS, LOST, RESENT),
    ("409", Answer(409), "ConflictError", FINAL, FINAL),
    ("410", Answer(410), STATUS, FINAL, FINAL),
    ("413", Answer(413), STATUS, FINAL, FINAL),
    ("418", Answer(418), STATUS, FINAL, FINAL),
    ("422", Answer(422), "BadRequestError", FINAL, FINAL),
    ("423", Answer(423), STATUS, FINAL, FINAL),
    ("425", Answer(425), STATUS, FINAL, FINAL),
    ("429", Answer(429), "RateLimitError", RESENT, RESENT),
    ("451", Answer(451), STATUS, FINAL, FINAL),
    ("499", Answer(499), STATUS, FINAL, FINAL),
    ("500", Answer(500), SERVER, RESENT, RESENT),
    ("501", Answer(501), SERVER, LOST, RESENT),
    ("502", Answer(502), SERVER, LOST, RESENT),
    ("503", Answer(503), SERVER, RESENT, RESENT),
    ("504", Answer(504), SERVER, LOST, RESENT),
    ("505", Answer(505), SERVER, LOST, RESENT),
    ("511", Answer(511), SERVER, LOST, RESENT),
    *[(str(status), Answer(status), SERVER, LOST, RESENT) for status in range(520, 531)],
    ("598", Answer(598), SERVER, LOST, RESENT),
    ("599", Answer(599), SERVER, LOST, RESENT),
    ("600", Answer(600), STATUS, FINAL, FINAL),
    ("999", Answer(999), STATUS, FINAL, FINAL),
]
WHAT = [outcome[0] for outcome in OUTCOMES]


def observe(connect: Twin, step: Step, call: Callable[[RemixClient], object], **options: Any) -> tuple[str, Outcome]:
    """How a call fails if `step` is all that ever happens."""
    client, wire = connect(step, **options)
    with pytest.raises(DeerAPIError) as caught:
        call(client)
    error = caught.value
    assert error.attempts == len(wire.requests)
    return type(error).__name__, (error.may_have_been_charged, error.retryable, len(wire.requests))


def submit(client: RemixClient) -> object:
    return client.remix("video_123", prompt="x")


def ask(client: RemixClient) -> object:
    return client.retrieve("video_123")


@pytest.mark.parametrize(("what", "step", "kind", "paid", "free"), OUTCOMES, ids=WHAT)
def test_a_submit_is_resent_only_where_it_cannot_have_been_charged(
    connect: Twin, clock: Clock, what: str, step: Step, kind: str, paid: Outcome, free: Outcome
) -> None:
    assert observe(connect, step, submit) == (kind, paid)


@pytest.mark.parametrize(("what", "step", "kind", "paid", "free"), OUTCOMES, ids=WHAT)
def test_what_is_free_is_resent_wherever_it_may_help(
    connect: Twin, clock: Clock, what: str, step: Step, kind: str, paid: Outcome, free: Outcome
) -> None:
    assert observe(connect, step, ask) == (kind, free)


@pytest.mark.parametrize(("what", "step", "kind", "paid", "free"), OUTCOMES, ids=WHAT)
def test_the_submit_of_remix_to_file_follows_the_same_rules(
    connect: Twin, clock: Clock, tmp_path: Path, what: str, step: Step, kind: str, paid: Outcome, free: Outcome
) -> None:
    path = tmp_path / "bow.mp4"
    assert observe(connect, step, lambda client: client.remix_to_file("video_123", path, prompt="x")) == (kind, paid)


def test_remix_is_not_resent_after_a_read_timeout(connect: Twin, clock: Clock) -> None:
    client, wire = connect(httpx.ReadTimeout("timed out"), ACCEPTED)
    with pytest.raises(DeerAPIError) as caught:
        client.remix("video_123", prompt="x")
    assert (caught.value.may_have_been_charged, len(wire.requests)) == (True, 1)


def test_remix_stops_resending_once_an_answer_is_lost(connect: Twin, clock: Clock) -> None:
    client, wire = connect(Answer(503), httpx.ConnectError("refused"), httpx.ReadError("reset"), ACCEPTED)
    with pytest.raises(DeerAPIError) as caught:
        client.remix("video_123", prompt="x")
    assert (caught.value.may_have_been_charged, caught.value.attempts, len(wire.requests)) == (True, 3, 3)


# The vendor's advice to resend after 500 and 503 is the one place where a second job is thinkable.


@pytest.mark.parametrize("status", [500, 503])
def test_resend_paid_false_stops_a_submit_at_500_and_503(connect: Twin, clock: Clock, status: int) -> None:
    assert observe(connect, Answer(status), submit, retry=RetryPolicy(resend_paid=False)) == (
        "InternalServerError",
        (False, True, 1),
    )


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        (Answer(429), "RateLimitError"),
        (httpx.ConnectError("refused"), "APIConnectionError"),
        (httpx.ConnectTimeout("timed out"), "APITimeoutError"),
        (httpx.PoolTimeout("timed out"), "APITimeoutError"),
    ],
    ids=["429", "refused", "connect timeout", "pool timeout"],
)
def test_resend_paid_false_still_resends_a_submit_that_cannot_have_been_charged(
    connect: Twin, clock: Clock, step: Step, kind: str
) -> None:
    assert observe(connect, step, submit, retry=RetryPolicy(resend_paid=False)) == (kind, (False, True, 4))


@pytest.mark.parametrize("status", [500, 503])
def test_resend_paid_false_still_resends_what_is_free(connect: Twin, clock: Clock, status: int) -> None:
    assert observe(connect, Answer(status), ask, retry=RetryPolicy(resend_paid=False)) == (
        "InternalServerError",
        (False, True, 4),
    )


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
    "a video": (Pieces(b'{"id":"video_456","status":"queued"}'), {"Content-Type": "application/json"}),
    "malformed length": (Pieces(b""), {"Content-Length": "many"}),
}


@pytest.mark.parametrize(("pieces", "headers"), BROKEN_BODIES.values(), ids=BROKEN_BODIES)
@pytest.mark.parametrize(
    ("status", "kind", "paid"),
    [
        (302, "APIStatusError", FINAL),
        (400, "BadRequestError", FINAL),
        (403, "PermissionDeniedError", FINAL),
        (429, "RateLimitError", RESENT),
        (500, "InternalServerError", RESENT),
        (502, "InternalServerError", LOST),
        (503, "InternalServerError", RESENT),
    ],
)
def test_a_status_decides_even_if_its_body_is_broken(
    connect: Twin, clock: Clock, pieces: Pieces, headers: dict[str, str], status: int, kind: str, paid: Outcome
) -> None:
    assert observe(connect, Answer(status, pieces, headers), submit) == (kind, paid)


def test_a_redirect_of_a_download_does_not_decide_for_the_host_behind_it(
    connect: Twin, clock: Clock, tmp_path: Path
) -> None:
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
def test_a_request_is_sent_as_often_as_the_policy_says(connect: Twin, clock: Clock, attempts: int) -> None:
    policy = RetryPolicy(attempts=attempts)
    assert observe(connect, Answer(503), submit, retry=policy)[1] == (False, True, attempts)


@pytest.mark.parametrize("failures", [1, 2, 3])
def test_a_submit_succeeds_once_the_server_recovers(connect: Twin, clock: Clock, failures: int) -> None:
    client, wire = connect(*[Answer(503)] * failures, ACCEPTED)
    assert client.remix("video_123", prompt="x").id == "video_456"
    assert len(wire.requests) == failures + 1


def test_nothing_is_slept_when_nothing_fails(connect: Twin, clock: Clock) -> None:
    client, _ = connect(ACCEPTED)
    client.remix("video_123", prompt="x")
    assert clock.slept == []


def test_nothing_is_slept_after_the_last_attempt(connect: Twin, clock: Clock) -> None:
    observe(connect, Answer(503), submit)
    assert len(clock.slept) == 3


def test_with_options_changes_the_policy_of_the_copy_only(connect: Twin, clock: Clock) -> None:
    client, wire = connect(Answer(503))
    for each, count in ((client.with_options(retry=RetryPolicy(attempts=2)), 2), (client, 2 + 4)):
        with pytest.raises(DeerAPIError):
            each.retrieve("video_456")
        assert len(wire.requests) == count


def test_models_is_resent_like_everything_free(connect: Twin, clock: Clock) -> None:
    assert observe(connect, Answer(502), lambda client: client.models())[1] == (False, True, 4)


# Backoff: exponential, with full jitter


def test_the_bound_of_the_delay_doubles(connect: Twin, clock: Clock, jitter: Jitter) -> None:
    observe(connect, Answer(503), submit)
    assert jitter.bounds == [(0, 0.5), (0, 1.0), (0, 2.0)]


def test_the_bound_of_the_delay_ends_at_max_delay(connect: Twin, clock: Clock, jitter: Jitter) -> None:
    observe(connect, Answer(503), submit, retry=RetryPolicy(attempts=9, max_delay=6.0))
    assert jitter.bounds == [(0, bound) for bound in (0.5, 1.0, 2.0, 4.0, 6.0, 6.0, 6.0, 6.0)]


def test_the_bound_of_the_delay_starts_at_initial_delay(connect: Twin, clock: Clock, jitter: Jitter) -> None:
    observe(connect, Answer(503), submit, retry=RetryPolicy(initial_delay=3.0))
    assert jitter.bounds == [(0, 3.0), (0, 6.0), (0, 8.0)]


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_what_chance_says_is_slept(connect: Twin, clock: Clock, jitter: Jitter, share: float) -> None:
    jitter.share = share
    observe(connect, Answer(503), submit)
    assert clock.slept == [0.5 * share, 1.0 * share, 2.0 * share]


def test_delays_differ(connect: Twin, clock: Clock) -> None:
    observe(connect, Answer(503), submit, retry=RetryPolicy(attempts=50, initial_delay=1.0, max_delay=1.0))
    assert len(set(clock.slept)) > 40
    assert all(0 <= delay <= 1 for delay in clock.slept)


def test_a_thousand_attempts_overflow_nothing(connect: Twin, clock: Clock, jitter: Jitter) -> None:
    policy = RetryPolicy(attempts=1200, budget=math.inf)
    assert observe(connect, Answer(503), submit, retry=policy)[1] == (False, True, 1200)


def test_no_delay_at_all_can_be_asked_for(connect: Twin, clock: Clock) -> None:
    observe(connect, Answer(503), submit, retry=RetryPolicy(initial_delay=0))
    assert clock.slept == [0.0, 0.0, 0.0]


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
    assert (clock.slept, jitter.bounds, len(wire.requests)) == ([delay], [], 2)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Retry-After": ""},
        {"Retry-After": "0"},
        {"Retry-After": "0.0"},
        {"Retry-After": "-5"},
        {"Retry-After": "+5"},
        {"Retry-After": "soon"},
        {"Retry-After": "5 seconds"},
        {"Retry-After": "5s"},
        {"Retry-After": "1e3"},
        {"Retry-After": "0x10"},
        {"Retry-After": "5, 5"},
        {"Retry-After": "nan"},
        {"Retry-After": "inf"},
        {"Retry-After": "Infinity"},
        {"Retry-After": "9" * 400},
        {"Retry-After": date(0)},
        {"Retry-After": date(-3600)},
        {"Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"},
        {"Retry-After": "Thu, 01 Jan 0001 00:00:00 GMT"},
        {"Retry-After": "Fri, 99 Foo 2027 99:99:99 GMT"},
        {"Retry-After": "1 Jan 99999 00:00:00 GMT"},
        {"Retry-After": "1 Jan 2030 00:00:00 +9999"},
        {"Retry-After": "2030-01-01T00:00:00Z"},
        {"Retry-After": date(7), "Date": date(7)},
        {"Retry-After": date(7), "Date": date(3600)},
    ],
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
    with pytest.raises(RateLimitError) as caught:
        client.remix("video_123", prompt="x")
    assert (caught.value.retry_after, clock.slept, len(wire.requests)) == (seconds, [], 1)


def test_a_retry_after_beyond_max_delay_is_followed(connect: Twin, clock: Clock) -> None:
    client, _ = connect(Answer(429, b"", {"Retry-After": "30"}), ACCEPTED)
    client.remix("video_123", prompt="x")
    assert clock.slept == [30.0]


def test_an_error_that_is_final_still_tells_retry_after(connect: Twin, clock: Clock) -> None:
    client, wire = connect(Answer(403, b"", {"Retry-After": "30"}))
    with pytest.raises(DeerAPIError) as caught:
        client.remix("video_123", prompt="x")
    assert (getattr(caught.value, "retry_after", None), clock.slept, len(wire.requests)) == (30.0, [], 1)


def test_retry_after_does_not_make_a_lost_submit_resendable(connect: Twin, clock: Clock) -> None:
    assert observe(connect, Answer(504, b"", {"Retry-After": "1"}), submit)[1] == LOST


# The budget


def slow(clock: Clock, seconds: float, answer: Answer) -> Step:
    def step(_: httpx.Request) -> Answer:
        clock.time += seconds
        return answer

    return step


def test_the_budget_bounds_what_retry_after_asks_in_all(connect: Twin, clock: Clock) -> None:
    policy = RetryPolicy(attempts=10, budget=10)
    answer = Answer(429, b"", {"Retry-After": "4"})
    assert observe(connect, answer, submit, retry=policy)[1] == (False, True, 3)
    assert clock.slept == [4.0, 4.0]


def test_the_time_that_attempts_take_counts_against_the_budget(connect: Twin, clock: Clock, jitter: Jitter) -> None:
    policy = RetryPolicy(attempts=10, budget=60)
    assert observe(connect, slow(clock, 25, Answer(503)), submit, retry=policy)[1] == (False, True, 3)
    assert clock.slept == [0.5, 1.0]


def test_a_delay_that_does_not_fit_into_the_budget_is_not_slept(connect: Twin, clock: Clock, jitter: Jitter) -> None:
    policy = RetryPolicy(attempts=10, budget=1.4)
    assert observe(connect, Answer(503), submit, retry=policy)[1] == (False, True, 2)
    assert clock.slept == [0.5]


def test_without_a_budget_nothing_is_resent(connect: Twin, clock: Clock, jitter: Jitter) -> None:
    assert observe(connect, Answer(503), submit, retry=RetryPolicy(budget=0))[1] == (False, True, 1)


def test_each_call_has_a_budget_of_its_own(connect: Twin, clock: Clock, jitter: Jitter) -> None:
    client, wire = connect(Answer(503), ACCEPTED, Answer(503), ACCEPTED, retry=RetryPolicy(budget=1))
    client.remix("video_123", prompt="x")
    clock.time += 3600
    client.remix("video_123", prompt="x")
    assert len(wire.requests) == 4


def test_the_budget_never_ends_an_attempt_that_has_started(connect: Twin, clock: Clock, jitter: Jitter) -> None:
    client, wire = connect(Answer(503), slow(clock, 60, ACCEPTED), retry=RetryPolicy(budget=1))
    assert client.remix("video_123", prompt="x").id == "video_456"
    assert len(wire.requests) == 2


def test_an_endless_budget_sleeps_no_longer_than_a_clock_can(connect: Twin, clock: Clock) -> None:
    client, _ = connect(Answer(429, b"", {"Retry-After": "9" * 30}), ACCEPTED, retry=RetryPolicy(budget=math.inf))
    client.remix("video_123", prompt="x")
    assert clock.slept == [1e9]

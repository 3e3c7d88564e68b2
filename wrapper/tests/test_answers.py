"""How answers are read: strictly against the contract, tolerantly for the caller, never so that a paid id is lost."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from typing import Any

import httpx
import pytest

from deerapi_remix import APIConnectionError, APIResponseValidationError, DeerAPIError, Event, Model, Video, VideoError

from .conftest import Log
from .wire import FULL, Answer, Pieces, Step, Twin, failure

pytestmark = pytest.mark.usefixtures("clock")

JSON = {"Content-Type": "application/json"}
MANY_DIGITS = "1" * 5000


def with_field(name: str, raw: str) -> Answer:
    """The full answer with one field replaced by raw JSON."""
    body = json.dumps({**FULL, name: "@"}).replace('"@"', raw)
    return Answer(200, body.encode(), JSON)


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in FULL.items() if name not in names}


# What a video is read from


def test_a_full_answer_is_read_field_by_field(connect: Twin) -> None:
    body = FULL | {
        "status": "failed",
        "progress": 47,
        "completed_at": 1758941612,
        "expires_at": 1759028012,
        "error": {"code": "moderation_blocked", "message": "The prompt was refused."},
        "prompt": "The cat takes a bow",
    }
    client, _ = connect(Answer(200, body, {"X-Oneapi-Request-Id": "req-1"}))
    video = client.remix("video_123", prompt="x")
    assert video == Video(
        id="video_456",
        status="failed",
        object="video",
        model="sora-2",
        progress=47,
        created_at=1758941485,
        size="1280x720",
        seconds="8",
        remixed_from_video_id="video_123",
        completed_at=1758941612,
        expires_at=1759028012,
        error=VideoError(code="moderation_blocked", message="The prompt was refused."),
        prompt="The cat takes a bow",
    )


def test_a_full_answer_breaks_no_contract(connect: Twin, log: Log) -> None:
    client, _ = connect(Answer(200, FULL))
    client.remix("video_123", prompt="x")
    assert log.warnings == []


@pytest.mark.parametrize(
    ("body", "video"),
    [
        ({"id": "video_456", "status": "queued"}, Video("video_456", "queued")),
        (dict.fromkeys(FULL) | {"id": "video_456"}, Video("video_456", "unknown")),
    ],
    ids=["minimal", "nulls"],
)
def test_what_an_answer_does_not_tell_is_none(connect: Twin, body: object, video: Video) -> None:
    client, _ = connect(Answer(200, body))
    assert client.remix("video_123", prompt="x") == video


def test_raw_is_the_answer_as_it_came(connect: Twin) -> None:
    body = {"id": "video_456", "usage": {"tokens": [1, None, "x"]}, "metadata": None, "progress": "47%"}
    client, _ = connect(Answer(200, body))
    assert client.remix("video_123", prompt="x").raw == body


def test_raw_and_request_id_are_not_compared_and_raw_is_not_shown() -> None:
    one, other = Video("v", "queued", raw={"secret": 1}, request_id="req-1"), Video("v", "queued", request_id="req-2")
    assert (one == other, "secret" in repr(one)) == (True, False)


@pytest.mark.parametrize("name", ["X-Oneapi-Request-Id", "X-Request-Id", "request-id"])
def test_a_video_knows_the_request_id_of_its_answer(connect: Twin, name: str) -> None:
    client, _ = connect(Answer(200, FULL, {name: "req-1"}))
    assert client.remix("video_123", prompt="x").request_id == "req-1"


@pytest.mark.parametrize("status", [200, 201, 202, 203, 206, 226, 299])
def test_any_2xx_that_carries_a_video_counts_as_accepted(connect: Twin, status: int) -> None:
    client, wire = connect(Answer(status, FULL))
    assert client.remix("video_123", prompt="x").id == "video_456"
    assert len(wire.requests) == 1


@pytest.mark.parametrize("raw", ["null", '""', '"  "', "5", "true", "[]", '{"a":1}'])
def test_a_status_that_is_no_text_is_unknown(connect: Twin, raw: str) -> None:
    client, _ = connect(with_field("status", raw))
    assert client.remix("video_123", prompt="x").status == "unknown"


def test_a_status_is_kept_as_the_server_wrote_it(connect: Twin) -> None:
    client, _ = connect(with_field("status", '"NOT_START"'))
    assert client.remix("video_123", prompt="x").status == "NOT_START"


# Field, what came as JSON, what the video says, and the problem that is told (None: it keeps the contract).
DRIFTS: list[tuple[str, str, object, str | None]] = [
    ("progress", "47", 47, None),
    ("progress", "47.0", 47, None),
    ("progress", '"47%"', 47, "progress is str, not int"),
    ("progress", '" 47 % "', 47, "progress is str, not int"),
    ("progress", '"47"', 47, "progress is str, not int"),
    ("progress", '"47.9%"', 47, "progress is str, not int"),
    ("progress", '"most"', None, "progress is str, not int"),
    ("progress", '""', None, "progress is str, not int"),
    ("progress", '"nan%"', None, "progress is str, not int"),
    ("progress", '"inf"', None, "progress is str, not int"),
    ("progress", f'"{MANY_DIGITS}%"', None, "progress is str, not int"),
    ("progress", "47.9", 47, "progress is float, not int"),
    ("progress", "-1", -1, None),
    ("progress", "NaN", None, "progress is float, not int"),
    ("progress", "Infinity", None, "progress is float, not int"),
    ("progress", "-Infinity", None, "progress is float, not int"),
    ("progress", "1e400", None, "progress is float, not int"),
    ("progress", MANY_DIGITS, None, "progress is float, not int"),
    ("progress", "-" + MANY_DIGITS, None, "progress is float, not int"),
    ("progress", "1" + "0" * 30, 10**30, None),
    ("progress", "9" * 350, None, None),
    ("progress", "true", None, "progress is bool, not int"),
    ("progress", "null", None, "progress is null, not int"),
    ("progress", "[47]", None, "progress is list, not int"),
    ("progress", '{"percent":47}', None, "progress is dict, not int"),
    ("created_at", '"1758941485"', 1758941485, "created_at is str, not int"),
    ("created_at", "1758941485.9", 1758941485, "created_at is float, not int"),
    ("created_at", "null", None, "created_at is null, not int"),
    ("created_at", '"2025-09-27T02:51:25Z"', None, "created_at is str, not int"),
    ("created_at", MANY_DIGITS, None, "created_at is float, not int"),
    ("seconds", "8", "8", "seconds is int, not str"),
    ("seconds", "8.5", "8.5", "seconds is float, not str"),
    ("seconds", "NaN", None, "seconds is float, not str"),
    ("seconds", MANY_DIGITS, None, "seconds is float, not str"),
    ("seconds", "true", None, "seconds is bool, not str"),
    ("seconds", "null", None, "seconds is null, not str"),
    ("seconds", '"  "', None, None),
    ("size", "null", None, "size is null, not str"),
    ("size", "[1280,720]", None, "size is list, not str"),
    ("size", '{"width":1280}', None, "size is dict, not str"),
    ("object", "null", None, "object is null, not str"),
    ("model", "2", "2", "model is int, not str"),
    ("model", "false", None, "model is bool, not str"),
    ("remixed_from_video_id", "123", "123", "remixed_from_video_id is int, not str"),
    ("remixed_from_video_id", "null", None, "remixed_from_video_id is null, not str"),
]


@pytest.mark.parametrize(("name", "raw", "value", "problem"), DRIFTS, ids=[f"{d[0]}={d[1][:20]}" for d in DRIFTS])
def test_a_field_that_drifts_is_read_as_far_as_it_goes_and_named_in_the_log(
    connect: Twin, log: Log, name: str, raw: str, value: object, problem: str | None
) -> None:
    client, wire = connect(with_field(name, raw))
    video = client.remix("video_123", prompt="x")
    assert (video.id, getattr(video, name), len(wire.requests)) == ("video_456", value, 1)
    told = f"remix: the answer breaks the contract: {problem}; request id None"
    assert log.warnings == ([] if problem is None else [told])


@pytest.mark.parametrize(
    ("body", "video_id"),
    [
        ({"id": "video_456"}, "video_456"),
        ({"id": "video_456", "task_id": "other", "data": {"id": "another"}}, "video_456"),
        ({"id": 456}, "456"),
        ({"id": 0}, "0"),
        ({"id": 10**30}, "1" + "0" * 30),
        ({"task_id": "task_456"}, "task_456"),
        ({"task_id": 456}, "456"),
        ({"id": "", "task_id": "task_456"}, "task_456"),
        ({"id": "  ", "task_id": "task_456"}, "task_456"),
        ({"id": None, "task_id": "task_456"}, "task_456"),
        ({"id": True, "task_id": "task_456"}, "task_456"),
        ({"id": 4.5, "task_id": "task_456"}, "task_456"),
        ({"id": ["video_456"], "task_id": "task_456"}, "task_456"),
        ({"code": "success", "data": {"id": "video_456"}}, "video_456"),
        ({"code": "success", "data": {"task_id": "task_456"}}, "task_456"),
        ({"id": "", "task_id": None, "data": {"id": " ", "task_id": 456}}, "456"),
        ({"id": "id with spaces/é"}, "id with spaces/é"),
        # Text goes before numbers: that of a gateway's database is no use.
        ({"id": 4711, "task_id": "task_a"}, "task_a"),
        ({"id": 4711, "data": {"id": "task_a"}}, "task_a"),
        ({"id": 4711, "task_id": 4712, "data": {"id": 4713, "task_id": "task_a"}}, "task_a"),
        ({"id": 4711, "task_id": 4712}, "4711"),
        ({"id": "..", "task_id": 4712}, "4712"),
        ({"data": {"id": 4711, "task_id": "task_a"}}, "task_a"),
    ],
    ids=lambda value: json.dumps(value)[:60],
)
def test_a_usable_id_is_found_wherever_it_is(connect: Twin, body: object, video_id: str) -> None:
    client, wire = connect(Answer(202, body))
    assert client.remix("video_123", prompt="x").id == video_id
    assert len(wire.requests) == 1


@pytest.mark.parametrize("outer", [{}, {"id": None}, {"id": 4.5}, {"task_id": ""}], ids=str)
def test_a_video_within_data_is_read_from_there(connect: Twin, outer: dict[str, Any]) -> None:
    client, _ = connect(Answer(200, {"code": "success", **outer, "data": FULL | {"status": "queued"}}))
    video = client.remix("video_123", prompt="x")
    assert (video.id, video.status, video.seconds) == ("video_456", "queued", "8")


# What is no video. A submit that was answered so may have been charged; nothing is sent again.

NO_VIDEO: dict[str, Answer] = {
    "null": Answer(200, None),
    "list": Answer(200, [FULL]),
    "empty list": Answer(200, []),
    "pairs": Answer(200, [["id", "video_456"], ["status", "queued"]]),
    "string": Answer(200, "video_456"),
    "number": Answer(200, 456),
    "boolean": Answer(200, True),
    "empty object": Answer(200, {}),
    "no id": Answer(200, {"status": "queued"}),
    "null id": Answer(200, {"id": None}),
    "blank id": Answer(200, {"id": " \t"}),
    "boolean id": Answer(200, {"id": True}),
    "fraction as id": Answer(200, {"id": 4.5}),
    "list as id": Answer(200, {"id": ["video_456"]}),
    "object as id": Answer(200, {"id": {"id": "video_456"}}),
    "id of 5000 digits": Answer(200, f'{{"id":{MANY_DIGITS}}}'.encode(), JSON),
    "data is a list": Answer(200, {"data": [{"id": "video_456"}]}),
    "data is text": Answer(200, {"data": "video_456"}),
    "nothing": Answer(200, b"", JSON),
    "204": Answer(204),
    "spaces": Answer(200, b"   ", JSON),
    "page": Answer(200, b"<!DOCTYPE html><html><title>Welcome</title></html>", {"Content-Type": "text/html"}),
    "prose": Answer(200, b"ok", {"Content-Type": "text/plain"}),
    "broken": Answer(200, b'{"status": "queued"', JSON),
    "garbage": Answer(200, b"\xff\xfe\xfd\x00\x80", JSON),
    "not UTF-8 in place of the id": Answer(200, b'{"id": "\xff"}', JSON),
    "nested too deeply": Answer(200, b"[" * 100_000, JSON),
    "objects nested too deeply": Answer(200, b'{"a":' * 100_000, JSON),
    "too long": Answer(200, b"[" + b"0," * 600_000 + b"0]", JSON),
    "endless": Answer(200, Pieces(*[b" " * 65536] * 200), JSON),
    "claims to be gzip": Answer(200, b"video_456", JSON | {"Content-Encoding": "gzip"}),
}


@pytest.mark.parametrize("answer", NO_VIDEO.values(), ids=NO_VIDEO)
def test_an_answer_without_a_usable_id_may_hide_a_charge_and_nothing_is_sent_again(
    connect: Twin, answer: Answer
) -> None:
    client, wire = connect(answer)
    paid = failure(DeerAPIError, client.remix, "video_123", prompt="x")
    assert (type(paid), paid.may_have_been_charged, paid.retryable) == (APIResponseValidationError, True, False)
    assert paid.job_id is None
    free = failure(DeerAPIError, client.retrieve, "video_456")
    assert (type(free), free.may_have_been_charged, free.retryable) == (APIResponseValidationError, False, False)
    assert len(wire.requests) == 2


def test_an_unusable_answer_is_told_with_body_and_request_id(connect: Twin) -> None:
    client, _ = connect(Answer(200, {"status": "queued"}, {"X-Oneapi-Request-Id": "req-1"}))
    error = failure(APIResponseValidationError, client.remix, "video_123", prompt="x")
    assert (error.body, error.request_id, error.video_id, error.video) == (
        '{"status": "queued"}',
        "req-1",
        "video_123",
        None,
    )


def test_a_page_in_place_of_an_answer_is_shown_in_the_body(connect: Twin) -> None:
    client, _ = connect(NO_VIDEO["page"])
    error = failure(APIResponseValidationError, client.retrieve, "video_456")
    assert error.body == "<!DOCTYPE html><html><title>Welcome</title></html>"


@pytest.mark.parametrize("body", [b"x" * 5000, "é".encode() * 5000], ids=["ascii", "é"])
def test_the_body_of_an_unusable_answer_is_cut_at_2000_characters(connect: Twin, body: bytes) -> None:
    client, _ = connect(Answer(200, body, JSON))
    error = failure(APIResponseValidationError, client.retrieve, "video_456")
    assert error.body == body.decode()[:2000]


def test_an_answer_that_hides_an_error_shows_its_message(connect: Twin) -> None:
    client, _ = connect(Answer(200, {"error": {"message": "upstream is busy", "code": "busy"}}))
    with pytest.raises(APIResponseValidationError, match="upstream is busy"):
        client.remix("video_123", prompt="x")


def test_a_retrieve_by_number_may_be_answered_by_a_number(connect: Twin) -> None:
    client, _ = connect(Answer(200, {"id": 456, "status": "queued"}))
    assert client.retrieve("456").id == "456"


# Odd, but readable


READABLE: dict[str, Answer] = {
    "byte order mark": Answer(200, b"\xef\xbb\xbf" + json.dumps(FULL).encode(), JSON),
    "spaces around": Answer(200, b"\r\n " + json.dumps(FULL).encode() + b"\n\n", JSON),
    "in pieces": Answer(200, Pieces(*[bytes([byte]) for byte in json.dumps(FULL).encode()]), JSON),
    "no content type": Answer(200, json.dumps(FULL).encode()),
    "content type of another case": Answer(
        200, json.dumps(FULL).encode(), {"Content-Type": "Application/JSON; charset=utf-8"}
    ),
    "padded to 1 MB": Answer(200, json.dumps(FULL).encode().ljust(1024 * 1024), JSON),
    "gzip": Answer(200, gzip.compress(json.dumps(FULL).encode()), JSON | {"Content-Encoding": "gzip"}),
    "plain, though it claims to be gzip": Answer(200, json.dumps(FULL).encode(), JSON | {"Content-Encoding": "gzip"}),
    "x-gzip": Answer(200, gzip.compress(json.dumps(FULL).encode()), JSON | {"Content-Encoding": "X-GZIP"}),
    "deflate": Answer(200, zlib.compress(json.dumps(FULL).encode()), JSON | {"Content-Encoding": "deflate"}),
    "lone surrogate": Answer(200, json.dumps(FULL | {"note": "\ud83d"}).encode(), JSON),
    "a key twice": Answer(200, b'{"id":"other",' + json.dumps(FULL).encode()[1:], JSON),
    "nested deeply in a field not known": Answer(
        200, json.dumps(FULL).encode()[:-1] + b',"x":' + b"[" * 60 + b"]" * 60 + b"}", JSON
    ),
}


@pytest.mark.parametrize("answer", READABLE.values(), ids=READABLE)
def test_an_odd_answer_that_can_be_read_is_read(connect: Twin, log: Log, answer: Answer) -> None:
    client, _ = connect(answer)
    video = client.remix("video_123", prompt="x")
    assert (video.id, video.seconds, log.warnings) == ("video_456", "8", [])


def test_a_number_of_5000_digits_does_not_hide_the_id_behind_it(connect: Twin) -> None:
    client, _ = connect(Answer(200, f'{{"created_at":{MANY_DIGITS},"id":"video_456"}}'.encode(), JSON))
    assert client.remix("video_123", prompt="x").id == "video_456"


@pytest.mark.parametrize(
    "kind", ["text/html", "text/plain; charset=utf-8", "application/octet-stream", "application/problem+json", "json"]
)
def test_a_video_of_another_content_type_is_read_and_told(connect: Twin, log: Log, kind: str) -> None:
    client, _ = connect(Answer(200, FULL, {"Content-Type": kind}))
    assert client.remix("video_123", prompt="x").id == "video_456"
    assert log.warnings == [
        f"remix: the answer breaks the contract: the content type is {kind.partition(';')[0]}; request id None"
    ]


# A paid id is never thrown away: it is read even from what cannot be read.

RESET = httpx.ReadError("[Errno 104] Connection reset by peer")
CUT = httpx.RemoteProtocolError("peer closed connection without sending complete message body")
BOMB = gzip.compress(b'{"id":"video_456","pad":"' + b"0" * 3_000_000 + b'"}')

SALVAGED: dict[str, Answer] = {
    "cut after the id": Answer(200, Pieces(b'{"id":"video_456",', RESET)),
    "cut in the next key": Answer(200, Pieces(b'{"id":"video_456","sta', CUT)),
    "cut in a value": Answer(200, Pieces(b'{"object":"video","id":"video_456","status":"que', CUT)),
    "cut before the last brace": Answer(200, Pieces(json.dumps(FULL).encode()[:-1], RESET)),
    "reset after the last byte": Answer(200, Pieces(json.dumps(FULL).encode(), RESET)),
    "cut in pieces": Answer(200, Pieces(b'{"id":"vid', b'eo_456",', b'"progr', RESET)),
    "cut and indented": Answer(200, Pieces(b'{\n  "id": "video_456",\n  "object": "vi', CUT)),
    "cut behind a long prompt and the id": Answer(
        200, Pieces(json.dumps({"prompt": "a, b" * 5_000, "id": "video_456", "status": "queued"}).encode()[:-3], CUT)
    ),
    "timed out": Answer(201, Pieces(b'{"id":"video_456",', httpx.ReadTimeout("timed out"))),
    "within data": Answer(200, Pieces(b'{"code":"ok","data":{"id":"video_456","status":"q', CUT)),
    "task_id": Answer(202, Pieces(b'{"task_id":"video_456","status":"q', CUT)),
    "closed early without a word": Answer(200, b'{"id":"video_456","status":"queu', JSON),
    "the id comes last": Answer(200, b'{"status":"queued","id":"video_456"', JSON),
    "not UTF-8 elsewhere": Answer(200, b'{"id":"video_456","prompt":"\xff"}', JSON),
    "garbage after the answer": Answer(200, b'{"id":"video_456","status":"queued"}<html>', JSON),
    "zeros behind it": Answer(200, b'{"id":"video_456"}\n\0', JSON),
    "as an event": Answer(200, b'data: {"id":"video_456"}\n\n', JSON),
    "something else behind it": Answer(200, b'{"id":"video_456"}{"x":1}', JSON),
    "an event with a name": Answer(200, b'event: job\ndata: {"id":"video_456"}\n\n', JSON),
    "the number of a row beside it": Answer(200, Pieces(b'{"id":4711,"task_id":"video_456","status":"q', CUT)),
    "two answers": Answer(200, b'{"id":"video_456","status":"queued"}{"id":"video_789"}', JSON),
    "the second event": Answer(200, b'data: {"type":"ping"}\n\ndata: {"id":"video_456","status":"queued"}\n\n', JSON),
    "the second event, with names": Answer(
        200, b'event: ping\ndata: {}\n\nevent: job\nid: 2\ndata: {"id":"video_456"}\n\ndata: done\n\n', JSON
    ),
    "an event of several lines": Answer(
        200, b'data: {\ndata:   "id": "video_456",\ndata:   "status": "queued"}\n\n', JSON
    ),
    "an event that was cut": Answer(200, Pieces(b'data: {"a":1}\n\ndata: {"id":"video_456","status":"que', CUT)),
    "a later line": Answer(200, b'{"message":"accepted"}\n{"progress":0}\n{"task_id":"video_456"}\n', JSON),
    "a line that was cut": Answer(200, Pieces(b'{"message":"accepted"}\n{"id":"video_456","sta', RESET)),
    "a job behind the id of an event": Answer(200, b'{"id":"evt_1"}\n{"id":"video_456","status":"queued"}\n', JSON),
    "events of one job": Answer(
        200, b'data: {"id":"video_456","status":"queued"}\n\ndata: {"id":"video_456","status":"running"}\n\n', JSON
    ),
    "nested too deeply": Answer(200, b'{"id":"video_456","x":' + b"[" * 100_000, JSON),
    "longer than 1 MB": Answer(200, b'{"id":"video_456","pad":"' + b"0" * 2_000_000 + b'"}', JSON),
    "inflates beyond 1 MB": Answer(200, BOMB, JSON | {"Content-Encoding": "gzip"}),
    "gzip that was cut": Answer(
        200, gzip.compress(json.dumps(FULL).encode())[:-12], JSON | {"Content-Encoding": "gzip"}
    ),
    "gzip that broke off": Answer(
        200, Pieces(gzip.compress(json.dumps(FULL).encode())[:-12], RESET), JSON | {"Content-Encoding": "gzip"}
    ),
}


@pytest.mark.parametrize("answer", SALVAGED.values(), ids=SALVAGED)
def test_the_id_of_a_paid_job_is_salvaged_from_a_garbled_answer(connect: Twin, log: Log, answer: Answer) -> None:
    client, wire = connect(answer)
    error = failure(DeerAPIError, client.remix, "video_123", prompt="x")
    assert error.video is not None
    assert (error.job_id, error.video_id, error.video.id) == ("video_456", "video_456", "video_456")
    assert (error.may_have_been_charged, error.retryable, len(wire.requests)) == (True, False, 1)
    assert log.infos == ["remix: accepted as video_456, request id None"]


GARBLED_JOBS: dict[str, Pieces] = {
    "cut": Pieces(json.dumps(FULL).encode()[:-30], CUT),
    "cut in the status": Pieces(b'{"id":"video_456","object":"video","status":"que', CUT),
    "longer than 64 kB": Pieces(json.dumps(FULL | {"pad": "0" * 100_000}).encode()),
    "as an event": Pieces(b'data: {"id":"video_456","status":"queued"}\n\n'),
    "the second event": Pieces(b'data: {"id":"req_1","error":null}\n\ndata: {"id":"video_456","status":"queued"}\n\n'),
    "something behind it": Pieces(b'{"id":"video_456","status":"queued"}\n<!-- proxy -->'),
    "without a status": Pieces(b'{"id":"video_456","object":"video","status":null}'),
}


@pytest.mark.parametrize("status", [302, 400, 429, 500, 502, 503])
@pytest.mark.parametrize("body", GARBLED_JOBS.values(), ids=GARBLED_JOBS)
def test_a_garbled_job_in_an_answer_of_any_status_is_a_job(connect: Twin, status: int, body: Pieces) -> None:
    client, wire = connect(Answer(status, body))
    error = failure(DeerAPIError, client.remix, "video_123", prompt="x")
    assert (error.job_id, error.may_have_been_charged, error.retryable) == ("video_456", True, False)
    assert len(wire.requests) == 1


@pytest.mark.parametrize("body", [b'{"id":"req_1","error":{"message":"busy"}', b'[{"id":"a","status":"queued"}]'])
def test_an_id_alone_makes_no_job_of_an_error(connect: Twin, body: bytes) -> None:
    client, wire = connect(Answer(503, body), Answer(200, FULL))
    assert client.remix("video_123", prompt="x").id == "video_456"
    assert len(wire.requests) == 2


@pytest.mark.parametrize(
    "body",
    [
        b'{"id":"video_4',
        b'{"id":45',
        b'{"id":456',
        b'{"error":{"id":"video_789","message":"no',
        b'{"remixed_from_video_id":"video_123","status":"q',
        b'{"metadata":{"id":"video_789"},"sta',
        b'{"prompt":"say \\"id\\":\\"video_789\\", please',
        b'{"id":"video_\xff\xff","status":"queued"}',
        b'[{"id":"video_789"},',
        b'{"id":4711,"task_id":"video_4',
        b'{"data":{"id":4711,"status":"queued","task_id":"vid',
        b'{"id":4711}\n{"task_id":"video_4',
        b'data: {"id":"video_789","status":"completed"}\n\ndata: {"id":"video_456","status":"queued"}\n\n',
        b'{"id":"video_789"}\n{"id":"video_456"}\n',
        b'{"x":1}\n[{"id":"video_789"}]',
    ],
)
def test_what_may_not_be_the_whole_id_is_not_taken_for_it(connect: Twin, body: bytes) -> None:
    client, _ = connect(Answer(200, Pieces(body, CUT)))
    error = failure(APIConnectionError, client.remix, "video_123", prompt="x")
    assert (error.video_id, error.video) == ("video_123", None)


def test_a_gzip_bomb_is_not_inflated(connect: Twin) -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    client, _ = connect(Answer(200, bomb, JSON | {"Content-Encoding": "gzip"}))
    tracemalloc.start()
    try:
        with pytest.raises(APIResponseValidationError, match="longer than 1048576 bytes"):
            client.remix("video_123", prompt="x")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16_000_000


def test_a_long_answer_is_read_no_further_than_1_mb(connect: Twin) -> None:
    pulled: list[int] = []

    class Long(Pieces):
        def __iter__(self) -> Any:
            for _ in range(100):
                pulled.append(65536)
                yield b" " * 65536

    client, _ = connect(Answer(200, Long(), JSON))
    with pytest.raises(APIResponseValidationError):
        client.retrieve("video_456")
    assert sum(pulled) <= 1024 * 1024 + 65536


# The contract


def test_everything_that_is_missing_is_named_in_one_line(connect: Twin, log: Log) -> None:
    client, _ = connect(Answer(200, {"id": "video_456"}, {"X-Oneapi-Request-Id": "req-1"}))
    client.remix("video_123", prompt="x")
    assert log.warnings == [
        "remix: the answer breaks the contract: object is missing, model is missing, status is missing, "
        "progress is missing, created_at is missing, size is missing, seconds is missing, "
        "remixed_from_video_id is missing; request id req-1"
    ]


OPTIONAL = ["completed_at", "expires_at", "error", "remixed_from_video_id", "prompt"]
REASON = "error.code is int, not str, error.message is missing"

# What is asked for, the answer, and the problem that is told.
BROKEN: list[tuple[str, dict[str, Any], str | None]] = [
    *[("remix", without(name), f"{name} is missing") for name in FULL if name != "id"],
    ("remix", without("id") | {"task_id": "video_456"}, "id is missing"),
    ("remix", FULL | {"id": 456}, "id is int, not str"),
    ("remix", FULL | {"progress": "47%"}, "progress is str, not int"),
    ("remix", FULL | {"progress": 1.5}, "progress is float, not int"),
    ("remix", FULL | {"progress": 1.0}, None),
    ("remix", FULL | {"progress": True}, "progress is bool, not int"),
    ("remix", FULL | {"size": None}, "size is null, not str"),
    ("remix", FULL | {"size": ["1280x720"]}, "size is list, not str"),
    ("remix", FULL | {"more": 1}, None),
    ("retrieve", {"id": "video_456", "status": "queued"}, None),
    ("retrieve", {"id": "video_456"}, "status is missing"),
    ("retrieve", FULL | {"completed_at": "now"}, "completed_at is str, not int or null"),
    ("retrieve", FULL | {"error": "busy"}, "error is str, not null or dict"),
    ("retrieve", FULL | {"error": ["busy"]}, "error is list, not null or dict"),
    ("retrieve", FULL | {"error": {"code": "c", "message": None}}, "error.message is null, not str"),
    ("retrieve", FULL | {"error": {"code": "c", "message": "m", "more": 1}}, None),
    ("retrieve", FULL | {"id": "video_789"}, "id is 'video_789', not 'video_456'"),
    ("models", {"object": "list", "data": []}, None),
    ("models", {"data": []}, "object is missing"),
    ("models", {"object": "list", "data": ["sora-2"]}, "data holds str, not dict"),
    ("models", {"object": "list", "data": [{"object": "model", "created": 1, "owned_by": "x"}]}, "data.id is missing"),
    ("retrieve", FULL | dict.fromkeys(OPTIONAL), None),
    ("retrieve", FULL | {"error": {"code": 5}}, REASON),
]


@pytest.mark.parametrize(("operation", "body", "problem"), BROKEN, ids=[f"{each[0]}: {each[2]}" for each in BROKEN])
def test_what_breaks_the_contract_is_named(
    connect: Twin, log: Log, operation: str, body: object, problem: str | None
) -> None:
    client, _ = connect(Answer(200, body))
    if operation == "remix":
        client.remix("video_123", prompt="x")
    elif operation == "retrieve":
        client.retrieve("video_456")
    else:
        client.models()
    told = f"{operation}: the answer breaks the contract: {problem}; request id None"
    assert log.warnings == ([] if problem is None else [told])


def test_the_same_problems_are_told_once_for_a_client_and_its_copies(connect: Twin, log: Log) -> None:
    one, same, other = (Answer(200, FULL | drift) for drift in ({"progress": "1%"}, {"progress": "2%"}, {"seconds": 8}))
    client, _ = connect(one, same, same, other)
    counts = []
    for asking in (client, client, client.with_options(timeout=5), client):
        asking.retrieve("video_456")
        counts.append(len(log.warnings))
    another, _ = connect(one)
    another.retrieve("video_456")
    assert [*counts, len(log.warnings)] == [1, 1, 1, 2, 3]


def test_a_warning_never_shows_values(connect: Twin, log: Log) -> None:
    body = {
        "id": "video_456",
        "status": 5,
        "progress": "secret",
        "size": ["secret"],
        "secret": "secret",
        "error": "secret",
    }
    client, _ = connect(Answer(200, body))
    client.retrieve("video_456")
    assert "secret" not in log.text


# A strict client


@pytest.mark.parametrize(
    "body",
    [without("seconds"), FULL | {"progress": "47%"}, FULL | {"size": None}, FULL | {"id": 456}],
    ids=["missing", "another type", "null", "number as id"],
)
def test_a_strict_client_raises_where_the_contract_is_broken_and_tells_the_video(connect: Twin, body: Any) -> None:
    client, wire = connect(Answer(200, body, {"X-Oneapi-Request-Id": "req-1"}), strict=True)
    error = failure(APIResponseValidationError, client.remix, "video_123", prompt="x")
    assert error.video is not None
    assert (error.video_id, error.video.id, error.request_id, error.may_have_been_charged, len(wire.requests)) == (
        str(body["id"]),
        str(body["id"]),
        "req-1",
        True,
        1,
    )


def test_a_strict_client_names_the_problem_and_shows_the_body(connect: Twin) -> None:
    client, _ = connect(Answer(200, {"id": "video_456"}), Answer(200, FULL, {"Content-Type": "text/html"}), strict=True)
    with pytest.raises(APIResponseValidationError, match="status is missing") as caught:
        client.retrieve("video_456")
    assert caught.value.body == '{"id": "video_456"}'
    with pytest.raises(APIResponseValidationError, match="text/html"):
        client.retrieve("video_456")


def test_a_strict_client_returns_what_keeps_the_contract(connect: Twin) -> None:
    client, _ = connect(Answer(200, FULL | {"extra": 1}), strict=True)
    assert client.remix("video_123", prompt="x").id == "video_456"


def test_a_strict_client_logs_the_accepted_id_before_it_raises(connect: Twin, log: Log) -> None:
    client, _ = connect(Answer(200, {"id": "video_456"}), strict=True)
    with pytest.raises(APIResponseValidationError):
        client.remix("video_123", prompt="x")
    assert "remix: accepted as video_456, request id None" in log.infos


# The list of models

CARD = {"id": "sora-2", "object": "model", "created": 1759190400, "owned_by": "openai"}
SORA = Model("sora-2", "model", 1759190400, "openai")


@pytest.mark.parametrize(
    ("body", "models", "told"),
    [
        ({"object": "list", "data": [CARD]}, (SORA,), None),
        ({"object": "list", "data": []}, (), None),
        (
            {"object": "list", "data": [CARD, CARD | {"id": "b", "extra": 1}]},
            (SORA, Model("b", "model", 1759190400, "openai")),
            None,
        ),
        ({"data": [CARD]}, (SORA,), "object is missing"),
        ({"object": "list", "data": [{"id": "sora-2"}]}, (Model("sora-2"),), "data.object is missing"),
        ({"object": "list", "data": [CARD | {"created": "1759190400"}]}, (SORA,), "data.created is str, not int"),
        (
            {"object": "list", "data": [CARD | {"owned_by": None}]},
            (Model("sora-2", "model", 1759190400),),
            "data.owned_by is null, not str",
        ),
        ({"object": "list", "data": [CARD, None]}, (SORA,), "data holds null, not dict"),
        ({"object": "list", "data": ["sora-2", CARD]}, (SORA,), "data holds str, not dict"),
        ({"object": "list", "data": [CARD | {"id": ""}, CARD]}, (SORA,), None),
        ({"object": "list", "data": [CARD | {"id": True}, CARD]}, (SORA,), "data.id is bool, not str"),
    ],
    ids=range(11),
)
def test_models_are_read_as_far_as_they_go(
    connect: Twin, log: Log, body: object, models: tuple[Model, ...], told: str | None
) -> None:
    client, wire = connect(Answer(200, body))
    assert client.models() == models
    assert [told in message for message in log.warnings if told is not None] == ([] if told is None else [True])
    assert (told is None) == (log.warnings == [])
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    "body",
    [None, [], [CARD], "sora-2", 5, {}, {"data": None}, {"data": "sora-2"}, {"data": {"0": CARD}}, {"models": [CARD]}],
    ids=ascii,
)
def test_an_answer_without_a_list_of_models_is_an_error(connect: Twin, body: object) -> None:
    client, wire = connect(Answer(200, body))
    error = failure(APIResponseValidationError, client.models)
    assert (error.may_have_been_charged, error.retryable, len(wire.requests)) == (False, False, 1)


def test_a_strict_client_raises_where_a_model_breaks_the_contract(connect: Twin) -> None:
    client, _ = connect(Answer(200, {"object": "list", "data": [{"id": "sora-2"}]}), strict=True)
    with pytest.raises(APIResponseValidationError, match=r"data\.created is missing"):
        client.models()


def test_the_same_problem_of_many_models_is_named_once(connect: Twin, log: Log) -> None:
    client, _ = connect(Answer(200, {"object": "list", "data": [CARD | {"created": None}] * 3}))
    client.models()
    assert log.warnings == ["models: the answer breaks the contract: data.created is null, not int; request id None"]


def test_an_answer_that_a_hook_has_read_already_is_read_all_the_same(connect: Twin) -> None:
    """As instrumentation does."""

    def read(response: httpx.Response) -> None:
        response.read()

    async def aread(response: httpx.Response) -> None:
        await response.aread()

    packed: Step = Answer(200, gzip.compress(json.dumps(FULL).encode()), JSON | {"Content-Encoding": "gzip"})
    hook = read if connect.kind == "sync" else aread
    client, _ = connect(packed, http={"event_hooks": {"response": [hook]}})
    assert client.remix("video_123", prompt="x").id == "video_456"


# For JSON


def test_a_video_is_ready_for_json_without_what_came(connect: Twin) -> None:
    client, _ = connect(Answer(200, FULL | {"error": {"code": "c", "message": "m"}, "usage": {"seconds": 8}}))
    fields = client.retrieve("video_456").to_dict()
    assert json.loads(json.dumps(fields)) == fields
    assert fields == FULL | {
        "completed_at": None,
        "expires_at": None,
        "error": {"code": "c", "message": "m"},
        "prompt": None,
        "request_id": None,
    }


@pytest.mark.parametrize(
    ("value", "fields"),
    [
        (SORA, {"id": "sora-2", "object": "model", "created": 1759190400, "owned_by": "openai"}),
        (VideoError("c", None), {"code": "c", "message": None}),
    ],
    ids=["Model", "VideoError"],
)
def test_other_values_are_ready_for_json(value: Model | VideoError, fields: dict[str, Any]) -> None:
    assert value.to_dict() == fields
    assert json.loads(json.dumps(value.to_dict())) == fields


def test_an_event_is_ready_for_json() -> None:
    fields = Event("retry", "remix", 1, status_code=503, delay=0.5, video_id="video_123", elapsed=2.0).to_dict()
    assert json.loads(json.dumps(fields)) == fields
    assert (fields["kind"], fields["delay"], fields["request_id"]) == ("retry", 0.5, None)


def test_an_error_of_a_video_that_is_ready_for_json_is_none_where_there_is_none() -> None:
    assert Video("v", "queued").to_dict()["error"] is None

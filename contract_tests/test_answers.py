"""What the client makes of answers: all of a valid one, of any other a typed error or a warning, and never a lost id.

The expectations are written out. Where the document decides whether an answer is valid, it is asked.
"""

import json
import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest

import deerapi_remix
from deerapi_remix import DeerAPIError, Model, Video, VideoError, _clock

from . import generation
from .clients import KEY, REQUEST_ID, Answer, Outcome, Twin
from .document import Document
from .test_requests import refused_by_design

# Operation of the document: method of the client, and what it is called with.
CALLS: dict[str, tuple[str, tuple[str, ...], dict[str, str]]] = {
    "remixVideo": ("remix", ("video_123",), {"prompt": "cry"}),
    "retrieveVideo": ("retrieve", ("video_123",), {}),
    "downloadVideoContent": ("download", ("video_123", "file"), {}),
    "listModels": ("models", (), {}),
}
operations = pytest.mark.parametrize("operation_id", CALLS)
jobs = pytest.mark.parametrize("operation_id", ["remixVideo", "retrieveVideo"])
SCHEMAS = {"remixVideo": "RemixJob", "retrieveVideo": "VideoJob"}

TEXTS = ("object", "model", "size", "seconds", "remixed_from_video_id", "prompt")
NUMBERS = ("progress", "created_at", "completed_at", "expires_at")
REQUIRED = {
    "remixVideo": ("object", "model", "status", "progress", "created_at", "size", "seconds", "remixed_from_video_id"),
    "retrieveVideo": ("status",),
}
NULLABLE = {
    "remixVideo": (),
    "retrieveVideo": ("completed_at", "expires_at", "error", "remixed_from_video_id", "prompt"),
}
JOB: dict[str, Any] = {
    "id": "video_123",
    "object": "video",
    "model": "sora-2",
    "status": "in_progress",
    "progress": 47,
    "created_at": 1758941485,
    "size": "1280x720",
    "seconds": "8",
    "remixed_from_video_id": "video_007",
}
FULL_JOB = JOB | {
    "completed_at": 1758941612,
    "expires_at": 1759028012,
    "error": {"code": "moderation_blocked", "message": "The prompt was refused."},
    "prompt": "cry",
}
FILE = b"\0\0\0\x10ftypisom\0\0\x02\0\0\0\0\x0cmdat\xff\x00\r\n"

# Status: the error, whether it may be called again, and whether a submit may have been charged.
STATUSES: dict[int, tuple[str, bool, bool]] = {
    400: ("BadRequestError", False, False),
    401: ("AuthenticationError", False, False),
    403: ("PermissionDeniedError", False, False),
    404: ("NotFoundError", False, False),
    429: ("RateLimitError", True, False),
    500: ("InternalServerError", True, False),
    503: ("InternalServerError", True, False),
}
UNDOCUMENTED: dict[int, tuple[str, bool, bool]] = {
    300: ("APIStatusError", False, False),
    301: ("APIStatusError", False, False),
    304: ("APIStatusError", False, False),
    307: ("APIStatusError", False, False),
    402: ("APIStatusError", False, False),
    405: ("APIStatusError", False, False),
    408: ("APIStatusError", True, True),
    409: ("ConflictError", False, False),
    410: ("APIStatusError", False, False),
    413: ("APIStatusError", False, False),
    418: ("APIStatusError", False, False),
    422: ("BadRequestError", False, False),
    451: ("APIStatusError", False, False),
    501: ("InternalServerError", True, True),
    502: ("InternalServerError", True, True),
    504: ("InternalServerError", True, True),
    520: ("InternalServerError", True, True),
    524: ("InternalServerError", True, True),
    530: ("InternalServerError", True, True),
}
BROKEN_BODIES: dict[str, bytes] = {
    "empty": b"",
    "HTML": b"<html><head><title>Bad Gateway</title></head><body>nginx</body></html>",
    "text": b"upstream connect error",
    "cut": b'{"status": "que',
    "null": b"null",
    "list": b"[1]",
    "pairs": b'[["id", "video_456"]]',
    "string": b'"video_456"',
    "number": b"17",
    "true": b"true",
    "no UTF-8": b"\xff\xfe\x00\x80",
    "deep": b"[" * 100_000,
    "no fields": b"{}",
    "without id": b'{"status": "queued"}',
    "null id": b'{"id": null, "status": "queued"}',
    "blank id": b'{"id": " ", "status": "queued"}',
    "true id": b'{"id": true, "status": "queued"}',
    "list id": b'{"id": ["video_456"], "status": "queued"}',
    "error in 200": b'{"error": {"message": "no", "code": "no", "type": "no"}}',
}


@pytest.fixture(autouse=True)
def no_long_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that would sleep for long fails at once."""

    def sleep(seconds: float) -> None:
        assert seconds <= 1, f"the client sleeps for {seconds} seconds"

    async def async_sleep(seconds: float) -> None:
        sleep(seconds)

    monkeypatch.setattr(_clock, "sleep", sleep)
    monkeypatch.setattr(_clock, "async_sleep", async_sleep)


def ask(
    twin: Twin, operation_id: str, folder: Path, *answers: Answer | type[httpx.HTTPError], **options: Any
) -> Outcome:
    """Do an operation on its usual arguments."""
    method, arguments, fields = CALLS[operation_id]
    places = [folder / argument if argument == "file" else argument for argument in arguments]
    return twin.call(method, *places, answers=answers, **fields, **options)


def expect_error(outcome: Outcome, name: str, where: str) -> Any:
    """The error of an outcome, which is exactly of this kind."""
    found = type(outcome.error).__name__ if outcome.error else "no error"
    assert isinstance(outcome.error, DeerAPIError), f"{where}: {found}, expected {name}: {outcome}"
    assert type(outcome.error) is getattr(deerapi_remix, name), f"{where}: {found}, expected {name}: {outcome}"
    return outcome.error


def expect(where: str, **facts: tuple[Any, Any]) -> None:
    """Each fact is what was found and what was expected."""
    for name, (found, expected) in facts.items():
        assert found == expected, f"{where}: {name} is {found!r}, expected {expected!r}"


def warnings(caplog: pytest.LogCaptureFixture) -> str:
    """What the client warned of since the last look."""
    lines = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    caplog.clear()
    return "\n".join(lines)


def filled(value: Any) -> str | None:
    """A text that says something, as it is."""
    return value if isinstance(value, str) and value.strip() else None


def expect_video(video: Any, answer: dict[str, Any], where: str) -> None:
    """Every field of a valid answer, by value."""
    assert isinstance(video, Video), f"{where}: {video!r}, expected a Video"
    error = answer.get("error")
    known = error and VideoError(code=filled(error["code"]), message=filled(error["message"]))
    expect(
        where,
        id=(video.id, answer["id"]),
        status=(video.status, filled(answer["status"]) or "unknown"),
        error=(video.error, known),
        raw=(video.raw, answer),
        request_id=(video.request_id, REQUEST_ID),
        **{name: (getattr(video, name), filled(answer.get(name))) for name in TEXTS},
        **{name: (getattr(video, name), answer.get(name)) for name in NUMBERS},
    )


def shown(document: Document, operation_id: str, status: int) -> Iterator[tuple[str, Any]]:
    """Media type and value of every example of an answer."""
    for kind, media in document.response(document.operation(operation_id)[2], status)["content"].items():
        for example in [{"value": media["example"]}] if "example" in media else media["examples"].values():
            yield kind, example["value"]


# ---- Valid answers


@jobs
@pytest.mark.parametrize("using", ["tolerant", "strict"])
def test_a_valid_job_comes_back_whole(
    operation_id: str, using: str, twin: Twin, document: Document, caplog: pytest.LogCaptureFixture
) -> None:
    method, _, fields = CALLS[operation_id]
    examples = [value for _, value in shown(document, operation_id, 200)]
    generated = generation.instances(SCHEMAS[operation_id], 30)
    by_hand = [
        FULL_JOB | {"usage": {"cost": 1.5, "parts": [None, True]}},
        JOB | {"task_id": "other", "data": {"id": "x"}},
    ]
    for answer in [*examples, *by_hand, *generated]:
        if refused_by_design(answer["id"], is_id=True):
            continue  # No such id can be asked for; what a submit makes of it is tested below.
        asked = answer["id"] if operation_id == "retrieveVideo" else "video_123"
        outcome = twin.call(method, asked, answers=[Answer(200, answer)], using=using, **fields)
        where = f"{operation_id} 200, {json.dumps(answer)[:300]}"
        assert outcome.error is None, f"{where}: {outcome}"
        expect_video(outcome.value, answer, where)
        assert not (told := warnings(caplog)), f"{where}: warned although it is valid: {told}"


def test_an_id_that_cannot_be_asked_for_is_kept_all_the_same(twin: Twin) -> None:
    for video_id in ("..", "a\nb", "\x7f"):
        outcome = twin.call("remix", "video_123", prompt="cry", answers=[Answer(200, JOB | {"id": video_id})])
        expect("remixVideo 200", id=(getattr(outcome.value, "id", outcome), video_id))


@pytest.mark.parametrize("using", ["tolerant", "strict"])
def test_a_valid_list_comes_back_whole(
    using: str, twin: Twin, document: Document, caplog: pytest.LogCaptureFixture
) -> None:
    examples = [value for _, value in shown(document, "listModels", 200)]
    for answer in [*examples, *generation.instances("ModelList", 30)]:
        outcome = twin.call("models", answers=[Answer(200, answer)], using=using)
        cards = answer["data"]
        expected = tuple(
            Model(card["id"], filled(card["object"]), card["created"], filled(card["owned_by"])) for card in cards
        )
        where = f"listModels 200, {json.dumps(answer)[:300]}"
        expect(where, models=(outcome.value, expected), error=(outcome.error, None))
        assert not (told := warnings(caplog)), f"{where}: warned although it is valid: {told}"


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8", None])
@jobs
def test_json_is_known_by_its_type(
    operation_id: str, kind: str | None, twin: Twin, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    outcome = ask(twin, operation_id, tmp_path, Answer(200, JOB, kind=kind), using="strict")
    expect_video(outcome.value, JOB, f"{operation_id} 200 {kind}: {outcome}")


@pytest.mark.parametrize("status", [201, 202, 203, 206, 299])
@jobs
def test_any_2xx_that_carries_a_video_counts(operation_id: str, status: int, twin: Twin, tmp_path: Path) -> None:
    outcome = ask(twin, operation_id, tmp_path, Answer(status, JOB))
    expect_video(outcome.value, JOB, f"{operation_id} {status}: {outcome}")


# ---- Errors


def expect_failure(
    outcome: Outcome, operation_id: str, status: int, code: Any, message: str | None, expected: tuple[str, bool, bool]
) -> Any:
    """The error for a status, with everything that the answer tells."""
    name, again, charged = expected
    where = f"{operation_id} {status}"
    error = expect_error(outcome, name, where)
    paid = operation_id == "remixVideo"
    expect(
        where,
        status_code=(error.status_code, status),
        code=(error.code, code),
        message=(error.message, message),
        request_id=(error.request_id, REQUEST_ID),
        video_id=(error.video_id, None if operation_id == "listModels" else "video_123"),
        may_have_been_charged=(error.may_have_been_charged, paid and charged),
        retryable=(error.retryable, again and not (paid and charged)),
        attempts=(error.attempts, 1),
        requests=(len(outcome.requests), 1),
    )
    return error


@operations
@pytest.mark.parametrize("status", STATUSES)
def test_a_documented_error_is_read_whole(
    operation_id: str, status: int, twin: Twin, document: Document, tmp_path: Path
) -> None:
    phrase = HTTPStatus(status).phrase
    nested = [value["error"] | {"whole": value} for value in generation.instances("NestedError", 30)[::3]]
    flat = [{**value, "whole": value} for value in generation.instances("FlatError", 30)[::3] if "error" not in value]
    examples = [value.get("error", value) | {"whole": value} for _, value in shown(document, operation_id, status)]
    for told in [*examples, *nested, *flat]:
        outcome = ask(twin, operation_id, tmp_path, Answer(status, told["whole"]))
        code = told.get("code")
        known = filled(code) if isinstance(code, str) or code is None else str(code)
        error = expect_failure(
            outcome, operation_id, status, known, filled(told["message"]) or phrase, STATUSES[status]
        )
        expect(f"{operation_id} {status}", body=(error.body, json.dumps(told["whole"])[:2000]))
        assert not list(tmp_path.iterdir()), f"{operation_id} {status}: it left {list(tmp_path.iterdir())}"


@operations
def test_an_undocumented_status_is_a_typed_error(operation_id: str, twin: Twin, tmp_path: Path) -> None:
    for status in UNDOCUMENTED:
        headers = {"Location": "https://api.deerapi.com/elsewhere"} if status in (301, 307) else {}
        if headers and operation_id == "downloadVideoContent":
            continue  # A file may be elsewhere.
        phrase = HTTPStatus(status).phrase if status < 520 else "Unknown Status"
        outcome = ask(twin, operation_id, tmp_path, Answer(status, {"code": 7, "message": "no"}, headers=headers))
        expect_failure(outcome, operation_id, status, "7", "no", UNDOCUMENTED[status])
        outcome = ask(twin, operation_id, tmp_path, Answer(status, b"", kind=None, headers=headers))
        expect_failure(outcome, operation_id, status, None, phrase, UNDOCUMENTED[status])


@operations
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503, 502])
def test_the_status_decides_whatever_the_body(operation_id: str, status: int, twin: Twin, tmp_path: Path) -> None:
    for name, body in BROKEN_BODIES.items():
        outcome = ask(twin, operation_id, tmp_path, Answer(status, body))
        where = f"{operation_id} {status} with {name}"
        error = expect_error(outcome, (STATUSES | UNDOCUMENTED)[status][0], where)
        shown_body = body.decode("utf-8", "replace")[:2000]
        expect(where, status_code=(error.status_code, status), body=(error.body, shown_body))
        expect(where, request_id=(error.request_id, REQUEST_ID))


@operations
def test_the_status_decides_even_if_the_body_breaks_off(operation_id: str, twin: Twin, tmp_path: Path) -> None:
    outcome = ask(twin, operation_id, tmp_path, Answer(404, b'{"error"', cut=httpx.ReadError))
    expect_error(outcome, "NotFoundError", f"{operation_id} 404, cut")


@pytest.mark.parametrize("name", ["X-Oneapi-Request-Id", "x-request-id", "Request-Id"])
@operations
def test_the_request_id_is_found_in_every_known_header(
    operation_id: str, name: str, twin: Twin, tmp_path: Path
) -> None:
    answer = Answer(404, {"code": "no", "message": "no (request id: other)"})
    answer.headers[name] = answer.headers.pop("X-Oneapi-Request-Id")
    error = expect_error(ask(twin, operation_id, tmp_path, answer), "NotFoundError", operation_id)
    expect(f"{operation_id} 404, {name}", request_id=(error.request_id, REQUEST_ID))


@operations
def test_the_request_id_is_found_in_the_message(operation_id: str, twin: Twin, tmp_path: Path) -> None:
    answer = Answer(404, {"error": {"message": f"no (request id: {REQUEST_ID})"}})
    del answer.headers["X-Oneapi-Request-Id"]
    error = expect_error(ask(twin, operation_id, tmp_path, answer), "NotFoundError", operation_id)
    expect(f"{operation_id} 404", request_id=(error.request_id, REQUEST_ID))


@operations
@pytest.mark.parametrize("status", [400, 429, 503])
def test_retry_after_is_read(operation_id: str, status: int, twin: Twin, tmp_path: Path) -> None:
    answer = Answer(status, {"code": "no", "message": "no"}, headers={"Retry-After": "120"})
    error = expect_error(ask(twin, operation_id, tmp_path, answer), STATUSES[status][0], operation_id)
    expect(f"{operation_id} {status}", retry_after=(error.retry_after, 120.0))


@operations
@pytest.mark.parametrize("status", [401, 502])
def test_a_key_that_the_server_echoes_goes_no_further(
    operation_id: str, status: int, twin: Twin, tmp_path: Path
) -> None:
    answer = Answer(status, {"code": KEY, "message": f"Invalid token {KEY}"}, headers={"X-Oneapi-Request-Id": KEY})
    error = ask(twin, operation_id, tmp_path, answer).error
    assert isinstance(error, DeerAPIError), f"{operation_id} {status}: {error!r}"
    for place, text in {"message": str(error), "repr": repr(error), **vars(error)}.items():
        assert KEY not in str(text), f"{operation_id} {status}: the key is in the {place} of the error"


# ---- Answers that break the contract


@jobs
def test_a_2xx_without_a_usable_id_is_a_typed_error(operation_id: str, twin: Twin, tmp_path: Path) -> None:
    for body in BROKEN_BODIES:
        outcome = ask(twin, operation_id, tmp_path, Answer(200, BROKEN_BODIES[body]))
        where = f"{operation_id} 200 with {body}"
        error = expect_error(outcome, "APIResponseValidationError", where)
        expect(
            where,
            may_have_been_charged=(error.may_have_been_charged, operation_id == "remixVideo"),
            retryable=(error.retryable, False),
            request_id=(error.request_id, REQUEST_ID),
            video_id=(error.video_id, "video_123"),
            body=(error.body, BROKEN_BODIES[body].decode("utf-8", "replace")[:2000]),
        )


def test_a_2xx_without_a_list_of_models_is_a_typed_error(twin: Twin) -> None:
    for body in BROKEN_BODIES:
        outcome = twin.call("models", answers=[Answer(200, BROKEN_BODIES[body])])
        expect_error(outcome, "APIResponseValidationError", f"listModels 200 with {body}")


@jobs
@pytest.mark.parametrize(
    "answer",
    [
        {"id": "video_123"},
        {"id": None, "task_id": "video_123"},
        {"task_id": "video_123"},
        {"data": {"id": "video_123"}},
        {"data": {"task_id": "video_123"}, "id": " "},
    ],
    ids=str,
)
def test_an_id_is_found_wherever_it_may_be(
    operation_id: str, answer: dict[str, Any], twin: Twin, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    where = f"{operation_id} 200, {answer}"
    outcome = ask(twin, operation_id, tmp_path, Answer(200, answer), using="fresh")
    found = (getattr(outcome.value, name, outcome) for name in ("id", "status", "raw"))
    expect(where, found=(tuple(found), ("video_123", "unknown", answer)))
    assert "status is missing" in (told := warnings(caplog)), f"{where}: warned of {told!r}"
    error = expect_error(
        ask(twin, operation_id, tmp_path, Answer(200, answer), using="strict"), "APIResponseValidationError", where
    )
    expect(where, video_id=(error.video_id, "video_123"))


def test_a_numeric_id_is_usable(twin: Twin) -> None:
    outcome = twin.call("remix", "video_123", prompt="cry", answers=[Answer(200, JOB | {"id": 4711})])
    expect("remixVideo 200", id=(getattr(outcome.value, "id", outcome), "4711"))


@pytest.mark.parametrize("body", [b'{"id": "video_456", "status": "que', b'{"data": {"task_id": "video_456", "st'])
def test_the_id_of_a_garbled_submit_is_kept(body: bytes, twin: Twin) -> None:
    cut = Answer(200, body, cut=httpx.ReadError)
    for answer, name in ((Answer(200, body), "APIResponseValidationError"), (cut, "APIConnectionError")):
        outcome = twin.call("remix", "video_123", prompt="cry", answers=[answer])
        error = expect_error(outcome, name, "remixVideo 200, garbled")
        expect(
            "remixVideo 200, garbled",
            video_id=(error.video_id, "video_456"),
            may_have_been_charged=(error.may_have_been_charged, True),
            requests=(len(outcome.requests), 1),
        )


def test_an_answer_about_another_video_is_no_answer(twin: Twin) -> None:
    outcome = twin.call("retrieve", "video_123", answers=[Answer(200, JOB | {"id": "video_456"})])
    error = expect_error(outcome, "APIResponseValidationError", "retrieveVideo 200, another id")
    expect("retrieveVideo 200, another id", video_id=(error.video_id, "video_123"))


def drifts(operation_id: str) -> Iterator[tuple[str, dict[str, Any], str | None]]:
    """Every field of a job dropped, nulled and retyped: the answer, and the warning that names it."""
    whole = FULL_JOB if operation_id == "retrieveVideo" else JOB
    for name in whole:
        if name == "id":
            continue
        dropped = {key: value for key, value in whole.items() if key != name}
        yield f"{name} dropped", dropped, f"{name} is missing" if name in REQUIRED[operation_id] else None
        null = None if name in NULLABLE[operation_id] else f"{name} is null"
        yield f"{name} null", whole | {name: None}, null
        yield f"{name} list", whole | {name: ["x"]}, f"{name} is list"
        yield f"{name} bool", whole | {name: True}, f"{name} is bool"
        other = "12" if name in NUMBERS else 12
        yield f"{name} retyped", whole | {name: other}, f"{name} is {type(other).__name__}"


@jobs
def test_a_drift_is_read_with_a_warning_that_names_it(
    operation_id: str, twin: Twin, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for drift, answer, expected in drifts(operation_id):
        caplog.clear()
        where = f"{operation_id} 200, {drift}"
        outcome = ask(twin, operation_id, tmp_path, Answer(200, answer), using="fresh")
        assert isinstance(outcome.value, Video), f"{where}: {outcome}, expected a Video"
        name = drift.partition(" ")[0]
        intact = [field for field in (*TEXTS, *NUMBERS, "status") if field != name]
        expect(where, id=(outcome.value.id, "video_123"), raw=(outcome.value.raw, answer))
        expect(where, **{field: (getattr(outcome.value, field), answer.get(field)) for field in intact})
        told = warnings(caplog)
        assert (expected in told) if expected else not told, f"{where}: warned of {told!r}, expected {expected!r}"
        strict = ask(twin, operation_id, tmp_path, Answer(200, answer), using="strict")
        if expected is None:
            assert strict.error is None, f"{where}: {strict}, expected no error"
            continue
        error = expect_error(strict, "APIResponseValidationError", where)
        expect(where, video_id=(error.video_id, "video_123"), video=(error.video, outcome.value))
        assert expected in str(error), f"{where}: {error} does not name {expected!r}"


@pytest.mark.parametrize("name", ["id", "object", "created", "owned_by"])
def test_a_drift_in_a_model_is_read_with_a_warning_that_names_it(
    name: str, twin: Twin, caplog: pytest.LogCaptureFixture
) -> None:
    card = {"id": "sora-2", "object": "model", "created": 1, "owned_by": "openai"}
    cut = {key: value for key, value in card.items() if key != name}
    for drifted, expected in (
        (cut, f"data.{name} is missing"),
        (card | {name: None}, f"data.{name} is null"),
        (card | {name: [1]}, f"data.{name} is list"),
    ):
        answer = Answer(200, {"object": "list", "data": [card, drifted]})
        outcome = twin.call("models", answers=[answer], using="fresh")
        where = f"listModels 200, {expected}"
        whole = Model("sora-2", "model", 1, "openai")
        found = outcome.value
        expect(
            where,
            models=((outcome.error, found and found[0], found and len(found)), (None, whole, 1 if name == "id" else 2)),
        )
        assert expected in (told := warnings(caplog)), f"{where}: warned of {told!r}"
        expect_error(twin.call("models", answers=[answer], using="strict"), "APIResponseValidationError", where)


def usable(answer: Any) -> str | None:
    """The id in an answer of any shape, as the design has it."""
    data = answer.get("data") if isinstance(answer, dict) else None
    for source in (answer, data):
        for name in ("id", "task_id"):
            value = source.get(name) if isinstance(source, dict) else None
            if (isinstance(value, str) and value.strip()) or (isinstance(value, int) and not isinstance(value, bool)):
                return str(value)
    return None


@jobs
def test_a_generated_invalid_job_is_a_warning_or_a_typed_error(
    operation_id: str, twin: Twin, document: Document, caplog: pytest.LogCaptureFixture
) -> None:
    method, _, fields = CALLS[operation_id]
    schema = document.raw["components"]["schemas"][SCHEMAS[operation_id]]
    invalid = generation.instances(SCHEMAS[operation_id], 50, valid=False)
    # Most lose the id with the rest; these keep it.
    kept = [value | {"id": "video_123"} for value in invalid if isinstance(value, dict) and usable(value) is None]
    seen = {"read": 0, "refused": 0}
    for answer in [*invalid, *kept]:
        video_id = usable(answer)
        unaskable = video_id is None or refused_by_design(video_id, is_id=True)
        asked = video_id if operation_id == "retrieveVideo" and not unaskable else "video_123"
        where = f"{operation_id} 200, {json.dumps(answer)[:300]}"
        # The limits of a value are the document's alone: a client has no reason to refuse them.
        broken = [
            error for error in document.errors(schema, answer) if error.kind.name in ("type", "required", "oneOf")
        ]
        outcomes = {
            using: twin.call(method, asked, answers=[Answer(200, answer)], using=using, **fields)
            for using in ("strict", "fresh")
        }
        told = warnings(caplog)
        if video_id is None or (operation_id == "retrieveVideo" and video_id != asked):
            for outcome in outcomes.values():
                expect_error(outcome, "APIResponseValidationError", where)
            seen["refused"] += 1
            continue
        seen["read"] += 1
        video = outcomes["fresh"].value
        assert isinstance(video, Video), f"{where}: {outcomes['fresh']}, expected a Video"
        expect(where, id=(video.id, video_id), raw=(video.raw, answer))
        if broken:
            assert "breaks the contract" in told, f"{where}: no warning"
            error = expect_error(outcomes["strict"], "APIResponseValidationError", where)
            expect(where, video_id=(error.video_id, video_id))
    assert min(seen.values()) > 5, f"{operation_id}: too few of a kind, {seen}"


def test_a_generated_invalid_list_is_a_warning_or_a_typed_error(
    twin: Twin, document: Document, caplog: pytest.LogCaptureFixture
) -> None:
    schema = document.raw["components"]["schemas"]["ModelList"]
    seen = {"read": 0, "refused": 0}
    for answer in generation.instances("ModelList", 50, valid=False):
        where = f"listModels 200, {json.dumps(answer)[:300]}"
        readable = isinstance(answer, dict) and isinstance(answer.get("data"), list)
        outcome = twin.call("models", answers=[Answer(200, answer)], using="fresh")
        told = warnings(caplog)
        seen["read" if readable else "refused"] += 1
        if not readable:
            expect_error(outcome, "APIResponseValidationError", where)
            continue
        assert isinstance(outcome.value, tuple), f"{where}: {outcome}, expected models"
        ids = [str(card["id"]) for card in answer["data"] if isinstance(card, dict) and filled(card.get("id"))]
        known = [model.id for model in outcome.value]
        assert [one for one in known if one in ids] == ids, f"{where}: models {known}, expected {ids}"
        if any(error.kind.name in ("type", "required") for error in document.errors(schema, answer)):
            assert "breaks the contract" in told, f"{where}: no warning"
    assert min(seen.values()) > 5, f"listModels: too few of a kind, {seen}"


@operations
def test_a_generated_invalid_error_is_a_typed_error(operation_id: str, twin: Twin, tmp_path: Path) -> None:
    for answer in generation.instances("NestedError", 30, valid=False):
        outcome = ask(twin, operation_id, tmp_path, Answer(403, answer))
        error = expect_error(outcome, "PermissionDeniedError", f"{operation_id} 403, {json.dumps(answer)[:300]}")
        expect(f"{operation_id} 403", status_code=(error.status_code, 403), request_id=(error.request_id, REQUEST_ID))


@jobs
@pytest.mark.parametrize("kind", ["text/html", "text/plain; charset=utf-8", "application/octet-stream", "video/mp4"])
def test_a_wrong_content_type_is_read_with_a_warning(
    operation_id: str, kind: str, twin: Twin, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    where = f"{operation_id} 200 {kind}"
    outcome = ask(twin, operation_id, tmp_path, Answer(200, JOB, kind=kind), using="fresh")
    expect_video(outcome.value, JOB, f"{where}: {outcome}")
    assert "content type" in (told := warnings(caplog)), f"{where}: warned of {told!r}"
    strict = ask(twin, operation_id, tmp_path, Answer(200, JOB, kind=kind), using="strict")
    error = expect_error(strict, "APIResponseValidationError", where)
    expect(where, video_id=(error.video_id, "video_123"))


def test_a_wrong_content_type_of_the_list_is_read_with_a_warning(twin: Twin, caplog: pytest.LogCaptureFixture) -> None:
    answer = Answer(200, {"object": "list", "data": []}, kind="text/plain")
    outcome = twin.call("models", answers=[answer], using="fresh")
    expect("listModels 200 text/plain", models=(outcome.value, ()), error=(outcome.error, None))
    assert "content type" in (told := warnings(caplog)), f"listModels 200 text/plain: warned of {told!r}"


# ---- Files


@pytest.mark.parametrize(
    ("variant", "kind"),
    [(None, "video/mp4"), ("video", "video/mp4"), ("thumbnail", "image/webp"), ("spritesheet", "image/jpeg")],
)
def test_a_file_comes_back_whole(
    variant: str | None, kind: str, twin: Twin, tmp_path: Path, document: Document
) -> None:
    documented = document.response(document.operation("downloadVideoContent")[2], 200)["content"]
    assert kind in documented, f"downloadVideoContent 200: {kind} is not documented"
    for content in (FILE, bytes(range(256)) * 1000, b"x"):
        target = tmp_path / str(len(content))
        outcome = twin.call("download", "video_123", target, variant=variant, answers=[Answer(200, content, kind=kind)])
        where = f"downloadVideoContent 200 {kind}"
        expect(where, error=(outcome.error, None), path=(outcome.value, target))
        expect(where, content=(target.read_bytes(), content))
    assert len(list(tmp_path.iterdir())) == 3, f"downloadVideoContent: it left {list(tmp_path.iterdir())}"


@pytest.mark.parametrize("kind", ["video/mp4", "image/webp", "image/jpeg"])
def test_the_rest_of_a_file_joins_its_beginning(kind: str, twin: Twin, tmp_path: Path, document: Document) -> None:
    documented = document.response(document.operation("downloadVideoContent")[2], 206)
    assert kind in documented["content"], f"downloadVideoContent 206: {kind} is not documented"
    tag = {"ETag": '"one"', "Content-Length": str(len(FILE))}
    begun = Answer(200, FILE[:9], kind=kind, headers=tag, cut=httpx.ReadError)
    part = {"ETag": '"one"', "Content-Range": f"bytes 9-{len(FILE) - 1}/{len(FILE)}"}
    rest = Answer(206, FILE[9:], kind=kind, headers=part)
    outcome = ask(twin, "downloadVideoContent", tmp_path, begun, rest, using="patient")
    where = f"downloadVideoContent 206 {kind}"
    expect(where, error=(outcome.error, None), requests=(len(outcome.requests), 2))
    expect(where, content=((tmp_path / "file").read_bytes(), FILE))
    asked = outcome.requests[1].headers
    expect(where, range=(asked.get("Range"), "bytes=9-"), condition=(asked.get("If-Range"), '"one"'))


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Answer(200, {"id": "video_123", "status": "queued"}), id="JSON"),
        pytest.param(Answer(200, b"<html></html>", kind="text/html"), id="HTML"),
        pytest.param(Answer(200, b"no", kind="text/plain"), id="text"),
        pytest.param(Answer(200, b"", kind="video/mp4"), id="empty"),
        pytest.param(Answer(200, FILE, kind="video/mp4", headers={"Content-Length": "99"}), id="short"),
        pytest.param(Answer(200, FILE, kind="video/mp4", headers={"Content-Encoding": "gzip"}), id="coded"),
        pytest.param(Answer(206, FILE, kind="video/mp4", headers={"Content-Range": "bytes 0-27/99"}), id="part"),
        pytest.param(Answer(202, FILE, kind="video/mp4"), id="accepted"),
        pytest.param(Answer(204, b"", kind=None), id="no content"),
    ],
)
def test_what_is_not_the_file_is_a_download_error(answer: Answer, twin: Twin, tmp_path: Path) -> None:
    where = f"downloadVideoContent {answer.status} {answer.headers}"
    error = expect_error(ask(twin, "downloadVideoContent", tmp_path, answer), "DownloadError", where)
    expect(where, path=(error.path, tmp_path / "file"), video_id=(error.video_id, "video_123"))
    assert not list(tmp_path.iterdir()), f"{where}: it left {list(tmp_path.iterdir())}"


# ---- What is sent again

ONCE = [300, 400, 401, 402, 403, 404, 405, 409, 410, 413, 418, 422, 451]
AMBIGUOUS = [408, 501, 502, 504, 520, 524, 530]
AGAIN = [429, 500, 503]
NEVER_SENT = [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout]
LOST = [httpx.ReadTimeout, httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError]


@operations
def test_a_status_is_resent_where_it_may_be(operation_id: str, twin: Twin, tmp_path: Path) -> None:
    paid = operation_id == "remixVideo"
    for status in [*ONCE, *AMBIGUOUS, *AGAIN]:
        again = status in AGAIN or (status in AMBIGUOUS and not paid)
        outcome = ask(twin, operation_id, tmp_path, Answer(status, {"code": "no", "message": "no"}), using="patient")
        where = f"{operation_id} {status}"
        error = expect_error(outcome, (STATUSES | UNDOCUMENTED)[status][0], where)
        expect(where, requests=(len(outcome.requests), 3 if again else 1), attempts=(error.attempts, 3 if again else 1))


@operations
def test_a_lost_request_is_resent_where_it_may_be(operation_id: str, twin: Twin, tmp_path: Path) -> None:
    for error in [*NEVER_SENT, *LOST]:
        outcome = ask(twin, operation_id, tmp_path, error, using="patient")
        where = f"{operation_id} {error.__name__}"
        timeout = issubclass(error, httpx.TimeoutException)
        found = expect_error(outcome, "APITimeoutError" if timeout else "APIConnectionError", where)
        charged = operation_id == "remixVideo" and error in LOST
        expect(
            where,
            requests=(len(outcome.requests), 1 if charged else 3),
            may_have_been_charged=(found.may_have_been_charged, charged),
            retryable=(found.retryable, not charged),
            cause=(type(found.__cause__), error),
            video_id=(found.video_id, None if operation_id == "listModels" else "video_123"),
        )


@operations
@pytest.mark.parametrize("status", [429, 500, 503])
def test_the_answer_after_a_failure_counts(operation_id: str, status: int, twin: Twin, tmp_path: Path) -> None:
    answers = {
        "downloadVideoContent": Answer(200, FILE, kind="video/mp4"),
        "listModels": Answer(200, {"object": "list", "data": []}),
    }
    good = answers.get(operation_id, Answer(200, JOB))
    outcome = ask(twin, operation_id, tmp_path, Answer(status, b""), good, using="patient")
    expect(f"{operation_id} {status}, then 200", error=(outcome.error, None), requests=(len(outcome.requests), 2))


@pytest.mark.parametrize("body", ["empty", "HTML", "without id"])
def test_an_accepted_submit_is_never_resent(body: str, twin: Twin, tmp_path: Path) -> None:
    outcome = ask(twin, "remixVideo", tmp_path, Answer(200, BROKEN_BODIES[body]), using="patient")
    expect(f"remixVideo 200 with {body}", requests=(len(outcome.requests), 1))


@pytest.mark.parametrize(("status", "times"), [(429, 3), (500, 1), (503, 1)])
def test_a_thrifty_client_resends_no_submit_that_a_server_may_have_taken(
    status: int, times: int, twin: Twin, tmp_path: Path
) -> None:
    outcome = ask(twin, "remixVideo", tmp_path, Answer(status, b""), using="thrifty")
    expect(f"remixVideo {status}", requests=(len(outcome.requests), times))


@operations
def test_nothing_is_resent_before_the_server_allows_it(operation_id: str, twin: Twin, tmp_path: Path) -> None:
    outcome = ask(twin, operation_id, tmp_path, Answer(429, b"", headers={"Retry-After": "3600"}), using="patient")
    error = expect_error(outcome, "RateLimitError", operation_id)
    expect(f"{operation_id} 429", requests=(len(outcome.requests), 1), retry_after=(error.retry_after, 3600.0))


# ---- The whole of a job

WORDS = {
    "completed": ["completed", "succeeded", "success", "COMPLETED"],
    "failed": ["failed", "failure", "error", "cancelled", "canceled", "expired", "FAILED"],
    "going on": ["queued", "in_progress", "processing", "unknown", "NOT_START"],
}


@pytest.mark.parametrize("end", WORDS)
def test_waiting_ends_when_the_job_does(end: str, twin: Twin) -> None:
    for status in WORDS[end]:
        answers = [
            Answer(200, FULL_JOB | {"status": status}),
            Answer(200, FULL_JOB | {"status": "completed", "progress": 100}),
        ]
        outcome = twin.call("wait", "video_123", answers=answers)
        where = f"retrieveVideo 200, status {status}"
        expect(where, requests=(len(outcome.requests), 2 if end == "going on" else 1))
        if end == "failed":
            error = expect_error(outcome, "RemixFailedError", where)
            known = VideoError("moderation_blocked", "The prompt was refused.")
            expect(where, error=(error.video.error, known), video_id=(error.video_id, "video_123"))
            assert re.search(r"refused.*moderation_blocked", str(error)), f"{where}: {error} does not say why"
        else:
            expect(where, completed=(getattr(outcome.value, "is_completed", outcome), True))


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_waiting_outlasts_a_failed_poll(status: int, twin: Twin) -> None:
    outcome = twin.call("wait", "video_123", answers=[Answer(status, b""), Answer(200, JOB | {"status": "completed"})])
    expect(f"retrieveVideo {status}", error=(outcome.error, None), requests=(len(outcome.requests), 2))


@pytest.mark.parametrize("status", [400, 401, 403])
def test_waiting_ends_where_polling_cannot_help(status: int, twin: Twin) -> None:
    outcome = twin.call("wait", "video_123", answers=[Answer(status, b"")])
    error = expect_error(outcome, STATUSES[status][0], f"retrieveVideo {status}")
    expect(f"retrieveVideo {status}", requests=(len(outcome.requests), 1), video_id=(error.video_id, "video_123"))


def test_waiting_ends_at_its_deadline_with_the_last_video(twin: Twin) -> None:
    outcome = twin.call("wait", "video_123", timeout=0.02, answers=[Answer(200, JOB)])
    error = expect_error(outcome, "WaitTimeoutError", "retrieveVideo 200")
    expect("retrieveVideo 200", video_id=(error.video_id, "video_123"), progress=(error.video.progress, 47))


@pytest.mark.parametrize("step", ["poll", "download"])
def test_every_error_after_the_submit_names_the_job(step: str, twin: Twin, tmp_path: Path) -> None:
    job = JOB | {"id": "video_456"}
    answers = {"poll": [Answer(200, job)], "download": [Answer(200, job), Answer(200, job | {"status": "completed"})]}
    outcome = twin.call(
        "remix_to_file", "video_123", tmp_path / "file", prompt="cry", answers=[*answers[step], Answer(401, b"")]
    )
    error = expect_error(outcome, "AuthenticationError", f"remixVideo, then 401 at the {step}")
    found = (error.video and error.video.id, error.video_id)
    expect(f"remixVideo, then 401 at the {step}", video=(found, ("video_456", "video_456")))
    assert not list(tmp_path.iterdir()), f"remixVideo, then 401 at the {step}: it left {list(tmp_path.iterdir())}"

"""What the client makes of answers: all of a valid one, of any other a typed error or a warning, and never a lost id.

The expectations are written out. Where the document decides whether an answer is valid, it is asked.
"""

import json
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest

import deerapi_remix
from deerapi_remix import DeerAPIError, Model, Video, VideoError

from . import generation
from .clients import REQUEST_ID, Answer, Outcome, Twin
from .document import Document, check
from .operations import OPERATIONS
from .test_requests import refused_by_design

operations = pytest.mark.parametrize("operation_id", OPERATIONS)
# Those that answer a job.
SCHEMAS = {name: str(one.schema) for name, one in OPERATIONS.items() if one.schema not in (None, "ModelList")}
jobs = pytest.mark.parametrize("operation_id", SCHEMAS)

TEXTS = ("object", "model", "size", "seconds", "remixed_from_video_id", "prompt")
NUMBERS = ("progress", "created_at", "completed_at", "expires_at")
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
CARD: dict[str, Any] = {"id": "sora-2-pro", "object": "model", "created": 1758941485, "owned_by": "openai"}
FILES = {
    "video/mp4": b"\0\0\0\x10ftypisom\0\0\x02\0\0\0\0\x0cmdat\xff\x00\r\n",
    "image/webp": b"RIFF\x0c\0\0\0WEBPVP8 \0\0\0\0",
    "image/jpeg": b"\xff\xd8\xff\xe0\0\x10JFIF\0\xff\xd9",
}

# Status: the error, whether it may be called again, and whether a submit may have been charged.
STATUSES: dict[int, tuple[str, bool, bool]] = {
    400: ("BadRequestError", False, False),
    401: ("AuthenticationError", False, False),
    403: ("PermissionDeniedError", False, False),
    404: ("NotFoundError", False, False),
    429: ("RateLimitError", True, False),
    500: ("InternalServerError", True, True),
    503: ("InternalServerError", True, False),
}
# The codes among the examples that say more than the status does.
CODES: dict[str, tuple[str, bool, bool]] = {
    "insufficient_user_quota": ("InsufficientQuotaError", False, False),
    "model_not_available": ("InternalServerError", False, False),
}


def ask(
    twin: Twin, operation_id: str, folder: Path, *answers: Answer | type[httpx.HTTPError], **options: Any
) -> Outcome:
    """Do an operation on its usual arguments."""
    operation = OPERATIONS[operation_id]
    arguments: list[Any] = [*operation.arguments("video_123")]
    if operation_id == "downloadVideoContent":
        arguments.append(folder / "file")
    return twin.call(operation.method, *arguments, answers=answers, **operation.fields, **options)


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


def check_valid(document: Document, schema: str, answers: Iterable[Any]) -> None:
    """What was written by hand is what the document allows."""
    for answer in answers:
        check(document.problems(document.raw["components"]["schemas"][schema], answer, schema))


@jobs
@pytest.mark.parametrize("using", ["tolerant", "strict"])
def test_a_valid_job_comes_back_whole(
    operation_id: str, using: str, twin: Twin, document: Document, caplog: pytest.LogCaptureFixture
) -> None:
    operation = OPERATIONS[operation_id]
    examples = [value for _, value in shown(document, operation_id, 200)]
    generated = generation.instances(SCHEMAS[operation_id], 30)
    by_hand = [
        FULL_JOB | {"usage": {"cost": 1.5, "parts": [None, True]}},
        JOB | {"task_id": "other", "data": {"id": "x"}},
    ]
    check_valid(document, SCHEMAS[operation_id], by_hand)
    for answer in [*examples, *by_hand, *generated]:
        if refused_by_design(answer["id"], is_id=True):
            continue  # No such id can be asked for; what a submit makes of it is tested below.
        asked = answer["id"] if operation_id == "retrieveVideo" else "video_123"
        arguments = operation.arguments(asked)
        outcome = twin.call(
            operation.method, *arguments, answers=[Answer(200, answer)], using=using, **operation.fields
        )
        where = f"{operation_id} 200, {json.dumps(answer)[:300]}"
        assert outcome.error is None, f"{where}: {outcome}"
        expect_video(outcome.value, answer, where)
        assert not (told := warnings(caplog)), f"{where}: warned although it is valid: {told}"


@pytest.mark.parametrize("using", ["tolerant", "strict"])
def test_a_valid_list_comes_back_whole(
    using: str, twin: Twin, document: Document, caplog: pytest.LogCaptureFixture
) -> None:
    examples = [value for _, value in shown(document, "listModels", 200)]
    by_hand = [{"object": "list", "data": data} for data in ([], [CARD, CARD | {"id": "sora-2", "extra": {"a": 1}}])]
    check_valid(document, "ModelList", by_hand)
    for answer in [*examples, *by_hand, *generation.instances("ModelList", 30)]:
        outcome = twin.call("models", answers=[Answer(200, answer)], using=using)
        cards = answer["data"]
        expected = tuple(
            Model(card["id"], filled(card["object"]), card["created"], filled(card["owned_by"])) for card in cards
        )
        where = f"listModels 200, {json.dumps(answer)[:300]}"
        expect(where, models=(outcome.value, expected), error=(outcome.error, None))
        assert not (told := warnings(caplog)), f"{where}: warned although it is valid: {told}"


# ---- Errors


def expect_failure(
    outcome: Outcome, operation_id: str, status: int, code: Any, message: str | None, expected: tuple[str, bool, bool]
) -> Any:
    """The error for a status, with everything that the answer tells."""
    name, again, charged = expected
    where = f"{operation_id} {status}"
    error = expect_error(outcome, name, where)
    operation = OPERATIONS[operation_id]
    charged = operation.paid and charged
    expect(
        where,
        status_code=(error.status_code, status),
        code=(error.code, code),
        message=(error.message, message),
        request_id=(error.request_id, REQUEST_ID),
        video_id=(error.video_id, "video_123" if operation.takes_an_id else None),
        may_have_been_charged=(error.may_have_been_charged, charged),
        retryable=(error.retryable, again and not charged),
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
        if told not in examples and getattr(outcome.error, "reason", None) is not None:
            continue  # A generated string may have words that mean more than the status.
        code = told.get("code")
        known = filled(code) if isinstance(code, str) or code is None else str(code)
        error = expect_failure(
            outcome,
            operation_id,
            status,
            known,
            filled(told["message"]) or phrase,
            CODES.get(str(known), STATUSES[status]),
        )
        expect(f"{operation_id} {status}", body=(error.body, json.dumps(told["whole"])[:2000]))
        assert not list(tmp_path.iterdir()), f"{operation_id} {status}: it left {list(tmp_path.iterdir())}"


# ---- Answers that break the contract


def usable(answer: Any) -> str | None:
    """The id in an answer of any shape, as the design has it."""
    places = (answer, answer.get("data")) if isinstance(answer, dict) else ()
    values = [place.get(name) for place in places if isinstance(place, dict) for name in ("id", "task_id")]
    strings = [value for value in values if isinstance(value, str)]
    numbers = [str(value) for value in values if isinstance(value, int) and not isinstance(value, bool)]
    return next((value for value in strings + numbers if not refused_by_design(value, is_id=True)), None)


# A value of each type that JSON has; no field allows all of them.
OF_EACH_TYPE = [None, True, 7, 1.5, "text", ["text"], {"name": "text"}]


def spoiled(valid: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The answer without each of its fields in turn, and with each other type of value in it."""
    for name in valid:
        yield {other: value for other, value in valid.items() if other != name}
        for value in OF_EACH_TYPE:
            yield valid | {name: value}


def drifted(document: Document, schema: str, answer: Any) -> bool:
    """Whether an answer lacks something, or has a value of another type.

    The limits of a value are the document's alone: a client has no reason to refuse them.
    """
    errors = document.errors(document.raw["components"]["schemas"][schema], answer)
    return any(error.kind.name in ("type", "required", "oneOf") for error in errors)


def expect_warning_or_error(
    operation_id: str, answer: Any, twin: Twin, document: Document, caplog: pytest.LogCaptureFixture
) -> None:
    """What clients make of an invalid job, strict and tolerant ones."""
    operation = OPERATIONS[operation_id]
    video_id = usable(answer)
    asked = video_id if operation_id == "retrieveVideo" and video_id is not None else "video_123"
    where = f"{operation_id} 200, {json.dumps(answer)[:300]}"
    outcomes = {
        using: twin.call(
            operation.method,
            *operation.arguments(asked),
            answers=[Answer(200, answer)],
            using=using,
            **operation.fields,
        )
        for using in ("strict", "fresh")
    }
    told = warnings(caplog)
    if video_id is None:
        for outcome in outcomes.values():
            expect_error(outcome, "APIResponseValidationError", where)
        return
    video = outcomes["fresh"].value
    assert isinstance(video, Video), f"{where}: {outcomes['fresh']}, expected a Video"
    expect(where, id=(video.id, video_id), raw=(video.raw, answer))
    if drifted(document, SCHEMAS[operation_id], answer):
        assert "breaks the contract" in told, f"{where}: no warning"
        error = expect_error(outcomes["strict"], "APIResponseValidationError", where)
        expect(where, video_id=(error.video_id, video_id))


@jobs
def test_a_job_with_one_wrong_field_is_a_warning_or_a_typed_error(
    operation_id: str, twin: Twin, document: Document, caplog: pytest.LogCaptureFixture
) -> None:
    errors = [FULL_JOB | {"error": error} for error in spoiled(FULL_JOB["error"])]
    wrong = [answer for answer in [*spoiled(FULL_JOB), *errors] if drifted(document, SCHEMAS[operation_id], answer)]
    assert len(wrong) > 40
    for answer in wrong:
        expect_warning_or_error(operation_id, answer, twin, document, caplog)


@jobs
def test_a_generated_invalid_job_is_a_warning_or_a_typed_error(
    operation_id: str, twin: Twin, document: Document, caplog: pytest.LogCaptureFixture
) -> None:
    invalid = generation.instances(SCHEMAS[operation_id], 50, valid=False)
    # Most lose the id with the rest; these keep it.
    kept = [value | {"id": "video_123"} for value in invalid if isinstance(value, dict) and usable(value) is None]
    for answer in [*invalid, *kept]:
        expect_warning_or_error(operation_id, answer, twin, document, caplog)


def expect_models_or_error(answer: Any, twin: Twin, document: Document, caplog: pytest.LogCaptureFixture) -> None:
    """What a tolerant client makes of an invalid list."""
    where = f"listModels 200, {json.dumps(answer)[:300]}"
    outcome = twin.call("models", answers=[Answer(200, answer)], using="fresh")
    told = warnings(caplog)
    if not isinstance(answer, dict) or not isinstance(answer.get("data"), list):
        expect_error(outcome, "APIResponseValidationError", where)
        return
    assert isinstance(outcome.value, tuple), f"{where}: {outcome}, expected models"
    ids = [str(card["id"]) for card in answer["data"] if isinstance(card, dict) and filled(card.get("id"))]
    known = [model.id for model in outcome.value]
    assert [one for one in known if one in ids] == ids, f"{where}: models {known}, expected {ids}"
    if drifted(document, "ModelList", answer):
        assert "breaks the contract" in told, f"{where}: no warning"


def test_a_list_with_one_wrong_field_is_a_warning_or_a_typed_error(
    twin: Twin, document: Document, caplog: pytest.LogCaptureFixture
) -> None:
    cards = [{"object": "list", "data": [CARD, card]} for card in spoiled(CARD)]
    lists = spoiled({"object": "list", "data": [CARD]})
    wrong = [answer for answer in [*lists, *cards, *OF_EACH_TYPE] if drifted(document, "ModelList", answer)]
    assert len(wrong) > 25
    for answer in wrong:
        expect_models_or_error(answer, twin, document, caplog)


def test_a_generated_invalid_list_is_a_warning_or_a_typed_error(
    twin: Twin, document: Document, caplog: pytest.LogCaptureFixture
) -> None:
    for answer in generation.instances("ModelList", 50, valid=False):
        expect_models_or_error(answer, twin, document, caplog)


@operations
def test_a_generated_invalid_error_is_a_typed_error(operation_id: str, twin: Twin, tmp_path: Path) -> None:
    for answer in generation.instances("NestedError", 30, valid=False):
        outcome = ask(twin, operation_id, tmp_path, Answer(403, answer))
        error = expect_error(outcome, "PermissionDeniedError", f"{operation_id} 403, {json.dumps(answer)[:300]}")
        expect(f"{operation_id} 403", status_code=(error.status_code, 403), request_id=(error.request_id, REQUEST_ID))


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
    for content in (FILES[kind], bytes(range(256)) * 1000, b"x"):
        target = tmp_path / str(len(content))
        outcome = twin.call("download", "video_123", target, variant=variant, answers=[Answer(200, content, kind=kind)])
        where = f"downloadVideoContent 200 {kind}"
        expect(where, error=(outcome.error, None), path=(outcome.value, target))
        expect(where, content=(target.read_bytes(), content))
    assert len(list(tmp_path.iterdir())) == 3, f"downloadVideoContent: it left {list(tmp_path.iterdir())}"


@pytest.mark.parametrize(
    ("variant", "kind"), [(None, "video/mp4"), ("thumbnail", "image/webp"), ("spritesheet", "image/jpeg")]
)
def test_the_rest_of_a_file_joins_its_beginning(
    variant: str | None, kind: str, twin: Twin, tmp_path: Path, document: Document
) -> None:
    file = FILES[kind]
    documented = document.response(document.operation("downloadVideoContent")[2], 206)
    assert kind in documented["content"], f"downloadVideoContent 206: {kind} is not documented"
    tag = {"ETag": '"one"', "Content-Length": str(len(file))}
    begun = Answer(200, file[:9], kind=kind, headers=tag, cut=httpx.ReadError)
    part = {"ETag": '"one"', "Content-Range": f"bytes 9-{len(file) - 1}/{len(file)}"}
    rest = Answer(206, file[9:], kind=kind, headers=part)
    outcome = ask(twin, "downloadVideoContent", tmp_path, begun, rest, using="patient", variant=variant)
    where = f"downloadVideoContent 206 {kind}"
    expect(where, error=(outcome.error, None), requests=(len(outcome.requests), 2))
    expect(where, content=((tmp_path / "file").read_bytes(), file))
    asked = outcome.requests[1].headers
    expect(where, range=(asked.get("Range"), "bytes=9-"), condition=(asked.get("If-Range"), '"one"'))

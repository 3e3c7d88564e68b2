"""The rules, each with a name, and what every single answer must keep to.

`judge` is about one answer. Rules about several answers are checked where those are collected, in `walk` and `explore`.
"""

import re
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

from .document import Contract, Verdict, essence
from .exchange import Exchange
from .media import jpeg_problem, mp4_problem, webp_problem

RULES = {
    # Every answer against the document.
    "status_code_conformance": "the status is documented for the operation",
    "content_type_conformance": "the content type is documented for the status",
    "response_headers_conformance": "documented headers are there if required, and valid",
    "response_schema_conformance": "a JSON answer is valid against its schema",
    "content_length_true": "exactly as many bytes arrive as were announced",
    # Who may call, and about what.
    "valid_request_accepted": "a valid request with a valid key is answered with success",
    "missing_key_refused": "without a key the answer is 401, on every operation",
    "wrong_key_refused": "with a wrong key the answer is 401, on every operation",
    "near_key_refused": "a key made of the right one, cut, longer or in other letters, is answered 401",
    "unknown_id_refused": "an unknown video, or a blank id, is refused",
    "unknown_variant_refused": "a variant that the document does not name is refused",
    "unknown_source_refused": "a remix of an unknown video is refused",
    "unfinished_source_refused": "a remix of a video that is not completed is refused",
    "unknown_model_refused": "a remix with a model that is not served is refused",
    "missing_prompt_refused": "a remix without a prompt is refused",
    "invalid_prompt_refused": "a remix with a prompt that is no text, empty or blank is refused",
    "invalid_model_refused": "a remix with a model that is no text, empty or blank is refused",
    "malformed_body_refused": "a remix whose body is no JSON object, or no JSON at all, is refused",
    "other_content_type_refused": "a remix whose body is announced as anything but JSON is refused",
    "repeated_field_refused": "a remix whose body names a field twice is refused",
    # What was asked for is what is answered.
    "id_echoed": "a retrieved job has the id that was asked for",
    "parent_echoed": "a remix names the source video",
    "model_echoed": "a remix names the model that was asked for",
    "prompt_echoed": "where a job tells its prompt, it is the one that was sent",
    # Jobs.
    "issued_ids_unique": "every accepted job has an id of its own",
    "issued_id_retrievable": "every accepted job can be retrieved",
    "job_completes": "a job ends within the bound",
    "job_facts_stable": "what a job says of itself on acceptance stays so",
    "progress_never_falls": "progress never falls",
    "progress_complete": "progress is 100 on completion",
    "status_never_goes_back": "a job never goes back to an earlier status",
    "status_is_known": "the status is one of the four documented",
    "completed_at_set": "a completed job tells when it was completed, another does not",
    "completed_after_created": "a job is completed after it was created",
    "expires_after_completion": "a file expires after the completion of its job",
    "failure_explained": "a failed job says why, another has no error",
    "object_is_named": "objects name their documented kind: video, list, model",
    "times_are_unix_seconds": "times are Unix seconds",
    "size_is_width_by_height": "the size is width by height, such as 1280x720",
    "seconds_is_a_number": "the length is a number of seconds, as a string",
    # Files.
    "content_too_early_refused": "the file of an unfinished job is refused",
    "failed_job_has_no_file": "the file of a failed job is refused",
    "content_is_mp4": "the file of a video is a whole MP4",
    "thumbnail_is_webp": "the thumbnail is a whole WebP picture",
    "spritesheet_is_jpeg": "the spritesheet is a whole JPEG picture",
    "previews_served": "thumbnail and spritesheet are served",
    "default_variant_is_video": "`variant=video` is what comes without a variant",
    "range_answer_right": "a part is the part that was asked for, and says so; the whole file is allowed instead",
    "if_range_respected": "a part is sent only if the tag in `If-Range` is that of the file",
    "etag_stable": "a file keeps its tag from one request to the next",
    # Beside the answer.
    "fields_complete": "every documented field is there, required or not",
    "fields_documented": "every field is documented",
    "request_id_on_success": "a success carries a request ID",
    "request_ids_unique": "every answer has a request ID of its own",
    "retry_after_on_429": "a 429 says when to come back, in seconds or as a date",
    "error_says_why": "an error has a message",
    "models_listed": "models are listed, each once",
    # Judged by schemathesis, on requests that it makes up.
    "not_a_server_error": "no request makes the server fail",
    "positive_data_acceptance": "valid requests are accepted, or refused for the state they meet",
    "negative_data_rejection": "invalid requests are refused",
    "ignored_auth": "requests without a key, or with a made-up one, are refused",
    "unsupported_method": "methods outside the document are refused with 405",
    "allow_header_conformance": "a 405 lists the documented methods",
}

# Not asked for by the document. They hold for our own fake; on any other server a breach is drift.
BEYOND_THE_DOCUMENT = {
    "unfinished_source_refused",
    "unknown_model_refused",
    "repeated_field_refused",
    "fields_complete",
    "fields_documented",
    "job_facts_stable",
    "progress_complete",
    "status_is_known",
    "completed_at_set",
    "expires_after_completion",
    "failure_explained",
    "object_is_named",
    "size_is_width_by_height",
    "seconds_is_a_number",
    "previews_served",
    "if_range_respected",
    "etag_stable",
    "request_id_on_success",
    "request_ids_unique",
    "retry_after_on_429",
    "error_says_why",
    "models_listed",
    "not_a_server_error",
    "positive_data_acceptance",
    "negative_data_rejection",
    "unsupported_method",
    "allow_header_conformance",
}

# They need a job to be submitted.
ABOUT_REMIXES = {
    "unknown_source_refused",
    "unfinished_source_refused",
    "unknown_model_refused",
    "missing_prompt_refused",
    "invalid_prompt_refused",
    "invalid_model_refused",
    "malformed_body_refused",
    "other_content_type_refused",
    "repeated_field_refused",
    "parent_echoed",
    "model_echoed",
    "prompt_echoed",
    "issued_ids_unique",
    "issued_id_retrievable",
    "job_completes",
    "job_facts_stable",
    "progress_never_falls",
    "status_never_goes_back",
    "content_too_early_refused",
    "failed_job_has_no_file",
}

# They need requests that are made up.
BY_SCHEMATHESIS = {
    "not_a_server_error",
    "positive_data_acceptance",
    "negative_data_rejection",
    "ignored_auth",
    "unsupported_method",
    "allow_header_conformance",
}

REQUEST_ID = "x-oneapi-request-id"
DONE = ("completed", "failed")

_ORDER = {"queued": 0, "in_progress": 1, "completed": 2, "failed": 2}
_CONTENT_RANGE = re.compile(r"bytes ([0-9]+)-([0-9]+)/([0-9]+|\*)")
_FILES = {
    "video": ("content_is_mp4", "video/mp4", mp4_problem),
    "thumbnail": ("thumbnail_is_webp", "image/webp", webp_problem),
    "spritesheet": ("spritesheet_is_jpeg", "image/jpeg", jpeg_problem),
}


def judge(contract: Contract, exchange: Exchange) -> Iterator[Verdict]:
    """Every rule that one answer can show to be kept or broken."""
    announced = exchange.headers.get("content-length")
    wrong = exchange.broken_off
    if not wrong and announced is not None and announced != str(len(exchange.body)):
        wrong = f"Content-Length is {announced}, and {len(exchange.body)} bytes arrived"
    yield "content_length_true", wrong
    yield from contract.verdicts(exchange.operation, exchange.status, exchange.headers, exchange.body)
    lines = list(contract.drift(exchange.operation, exchange.status, exchange.headers, exchange.body))
    for rule, mark in (("fields_complete", ": missing"), ("fields_documented", ": extra")):
        yield rule, next((line for line in lines if mark in line), None)
    if exchange.status == 429:
        yield "retry_after_on_429", _unreadable_retry_after(exchange.headers.get("retry-after"))
    if exchange.status >= 400:
        message = exchange.error.get("message")
        yield "error_says_why", None if isinstance(message, str) and message.strip() else f"message is {message!r}"
    elif exchange.status in (200, 206):
        missing = None if exchange.headers.get(REQUEST_ID, "").strip() else f"header {REQUEST_ID} is missing"
        yield "request_id_on_success", missing
        yield from _SUCCESS[exchange.operation](exchange)


def _unreadable_retry_after(value: str | None) -> str | None:
    if value is None:
        return "header Retry-After is missing"
    try:
        if not value.isdecimal():
            parsedate_to_datetime(value)
    except ValueError:
        return f"Retry-After is {value!r}, neither seconds nor a date"
    return None


def _remix(exchange: Exchange) -> Iterator[Verdict]:
    job = exchange.value
    yield differs("parent_echoed", job, "remixed_from_video_id", exchange.video_id)
    if model := exchange.sent.get("model"):
        yield differs("model_echoed", job, "model", model)
    yield from _job(job)


def _retrieve(exchange: Exchange) -> Iterator[Verdict]:
    yield differs("id_echoed", exchange.value, "id", exchange.video_id)
    yield from _job(exchange.value)
    status, completed = exchange.value.get("status"), exchange.value.get("completed_at")
    right = (status == "completed") == (completed is not None)
    yield "completed_at_set", None if right else f"$.completed_at is {completed!r}, the status is {status!r}"
    if status == "completed" and exchange.value.get("expires_at") is None:
        yield "expires_after_completion", "$.expires_at is not set on completion"


def _job(job: Any) -> Iterator[Verdict]:
    """What a job says of itself; a field that is missing or null is left to the schema, unless a rule is about it."""
    status, created, completed = job.get("status"), job.get("created_at"), job.get("completed_at")
    expires, progress, error = job.get("expires_at"), job.get("progress"), job.get("error")
    yield "status_is_known", None if status in _ORDER else f"$.status is {status!r}"
    yield "object_is_named", None if job.get("object") == "video" else f"$.object is {job.get('object')!r}"
    for name in ("created_at", "completed_at", "expires_at"):
        if isinstance(job.get(name), int):
            yield _unix_seconds(f"$.{name}", job[name])
    if isinstance(size := job.get("size"), str):
        right = re.fullmatch("[1-9][0-9]*x[1-9][0-9]*", size)
        yield "size_is_width_by_height", None if right else f"$.size is {size!r}"
    if isinstance(seconds := job.get("seconds"), str):
        right = re.fullmatch("[0-9]+([.][0-9]+)?", seconds)
        yield "seconds_is_a_number", None if right else f"$.seconds is {seconds!r}"
    if status == "completed":
        yield "progress_complete", None if progress == 100 else f"$.progress is {progress!r} on completion"
    if isinstance(completed, int) and isinstance(created, int):
        late = f"$.completed_at is {completed}, $.created_at is {created}"
        yield "completed_after_created", None if completed >= created else late
    if isinstance(completed, int) and isinstance(expires, int):
        late = f"$.expires_at is {expires}, $.completed_at is {completed}"
        yield "expires_after_completion", None if expires > completed else late
    explained = isinstance(error, dict) and bool(error.get("code")) and bool(error.get("message"))
    right_error = explained if status == "failed" else error is None
    yield "failure_explained", None if right_error else f"$.error is {error!r}, the status is {status!r}"


def _unix_seconds(place: str, time: int, earliest: int = 1_500_000_000) -> Verdict:
    plausible = earliest <= time < 10_000_000_000
    return "times_are_unix_seconds", None if plausible else f"{place} is {time}"


def _models(exchange: Exchange) -> Iterator[Verdict]:
    cards = model_cards(exchange)
    ids = [card.get("id") for card in cards]
    wrong = None if ids else "$.data is empty"
    yield "models_listed", wrong or (None if len(ids) == len(set(map(str, ids))) else f"a model is listed twice: {ids}")
    named = exchange.value.get("object") == "list" and all(card.get("object") == "model" for card in cards)
    yield "object_is_named", None if named else "$.object is not 'list', or one of $.data is not a 'model'"
    for position, card in enumerate(cards):
        if isinstance(card.get("created"), int):
            # Gateways are known to list models of no known age, as 0.
            yield _unix_seconds(f"$.data[{position}].created", card["created"], earliest=0)


def _download(exchange: Exchange) -> Iterator[Verdict]:
    if (variant := exchange.query.get("variant", "video")) not in _FILES:
        return
    rule, media_type, problem = _FILES[variant]
    wrong = None if essence(exchange.headers) == media_type else f"{variant} is served as {essence(exchange.headers)}"
    if exchange.status == 200:
        yield rule, wrong or problem(exchange.body)
        return
    yield rule, wrong
    asked, told = exchange.sent_headers.get("range"), exchange.headers.get("content-range", "")
    match = _CONTENT_RANGE.fullmatch(told)
    if asked is None:
        yield "range_answer_right", "206, and no Range was asked for"
    elif not match:
        yield "range_answer_right", f"Content-Range is {told!r}"
    elif int(match[2]) - int(match[1]) + 1 != len(exchange.body):
        yield "range_answer_right", f"Content-Range is {told!r}, and {len(exchange.body)} bytes arrived"
    else:
        yield "range_answer_right", None


_SUCCESS = {"remixVideo": _remix, "retrieveVideo": _retrieve, "downloadVideoContent": _download, "listModels": _models}


def differs(rule: str, job: Any, name: str, expected: object) -> Verdict:
    """Whether a field of a job has the value that it must have."""
    return rule, None if job.get(name) == expected else f"$.{name} is {job.get(name)!r}, expected {expected!r}"


def steps_back(before: str | None, after: str | None) -> bool:
    """Whether a job went back to an earlier status, or left a final one; unknown statuses have no place."""
    if before in DONE:
        return after != before
    return before in _ORDER and after in _ORDER and _ORDER[after] < _ORDER[before]


def model_cards(exchange: Exchange) -> list[Any]:
    """The models in a list of them, as far as they are objects."""
    data = exchange.value.get("data")
    return [card for card in data if isinstance(card, dict)] if isinstance(data, list) else []

"""What every single answer must keep to; `_history` is about several answers."""

import re
from collections.abc import Iterator, Sequence
from email.utils import parsedate_to_datetime
from typing import Any

from ._document import Contract, Verdict, essence
from ._exchange import Exchange
from ._media import jpeg_problem, mp4_problem, webp_problem

REQUEST_ID = "x-oneapi-request-id"
DONE = ("completed", "failed")

_ORDER = {"queued": 0, "in_progress": 1, "completed": 2, "failed": 2}
_CONTENT_RANGE = re.compile(r"bytes ([0-9]+)-([0-9]+)/([0-9]+|\*)")
_FIRST_BYTE = re.compile(r"bytes=([0-9]+)-[0-9]*")
_SIZE = re.compile("[1-9][0-9]*x[1-9][0-9]*")
_NUMBER = re.compile("[0-9]+([.][0-9]+)?")
_FILES = {
    "video": ("content_is_mp4", "video/mp4", mp4_problem),
    "thumbnail": ("thumbnail_is_webp", "image/webp", webp_problem),
    "spritesheet": ("spritesheet_is_jpeg", "image/jpeg", jpeg_problem),
}


def judge(contract: Contract, exchange: Exchange, drift: Sequence[str]) -> Iterator[Verdict]:
    """Every rule that one answer can show to be kept or broken.

    Args:
        contract: The document.
        exchange: A request and its answer.
        drift: Where the fields of the answer are others than those documented.
    """
    if exchange.body_known:
        yield "content_length_true", exchange.broken_off or _other_length(exchange)
    yield from contract.verdicts(exchange)
    if exchange.status == 429:
        yield "retry_after_on_429", _unreadable_retry_after(exchange.headers.get("retry-after"))
    if exchange.status in (200, 206):
        told = exchange.headers.get(REQUEST_ID, "").strip()
        yield "request_id_on_success", unless(told, f"header {REQUEST_ID} is missing")
    if exchange.body_known:
        yield from _judge_body(exchange, drift)


def _judge_body(exchange: Exchange, drift: Sequence[str]) -> Iterator[Verdict]:
    for rule, mark in (("fields_complete", ": missing"), ("fields_documented", ": extra")):
        yield rule, next((line for line in drift if mark in line), None)
    if exchange.status >= 400:
        message = exchange.error.get("message")
        says = isinstance(message, str) and message.strip()
        yield "error_says_why", unless(says, f"message is {message!r}")
    elif exchange.status in (200, 206):
        yield from _SUCCESS[exchange.operation](exchange)


def _other_length(exchange: Exchange) -> str | None:
    announced, arrived = exchange.headers.get("content-length"), len(exchange.body)
    same = announced is None or announced == str(arrived)
    return unless(same, f"Content-Length is {announced}, and {arrived} bytes arrived")


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
    job = exchange.value
    yield differs("id_echoed", job, "id", exchange.video_id)
    yield from _job(job)
    status, completed = job.get("status"), job.get("completed_at")
    right = (status == "completed") == (completed is not None)
    wrong = f"$.completed_at is {completed!r}, the status is {status!r}"
    yield "completed_at_set", unless(right, wrong)
    if status == "completed" and job.get("expires_at") is None:
        yield "expires_after_completion", "$.expires_at is not set on completion"


def _job(job: Any) -> Iterator[Verdict]:
    """What a job says of itself.

    A field that is missing or null is left to the schema, unless a rule is about it.
    """
    status, kind, error = job.get("status"), job.get("object"), job.get("error")
    yield "status_is_known", unless(status in _ORDER, f"$.status is {status!r}")
    yield "object_is_named", unless(kind == "video", f"$.object is {kind!r}")
    if isinstance(size := job.get("size"), str):
        yield "size_is_width_by_height", unless(_SIZE.fullmatch(size), f"$.size is {size!r}")
    if isinstance(seconds := job.get("seconds"), str):
        wrong = f"$.seconds is {seconds!r}"
        yield "seconds_is_a_number", unless(_NUMBER.fullmatch(seconds), wrong)
    if status == "completed":
        progress = job.get("progress")
        wrong = f"$.progress is {progress!r} on completion"
        yield "progress_complete", unless(progress == 100, wrong)
    explained = isinstance(error, dict) and bool(error.get("code")) and bool(error.get("message"))
    right = explained if status == "failed" else error is None
    yield "failure_explained", unless(right, f"$.error is {error!r}, the status is {status!r}")
    yield from _times(job)


def _times(job: Any) -> Iterator[Verdict]:
    for name in ("created_at", "completed_at", "expires_at"):
        if isinstance(job.get(name), int):
            yield _unix_seconds(f"$.{name}", job[name])
    created, completed, expires = map(job.get, ("created_at", "completed_at", "expires_at"))
    if isinstance(completed, int) and isinstance(created, int):
        early = f"$.completed_at is {completed}, $.created_at is {created}"
        yield "completed_after_created", unless(completed >= created, early)
    if isinstance(completed, int) and isinstance(expires, int):
        early = f"$.expires_at is {expires}, $.completed_at is {completed}"
        yield "expires_after_completion", unless(expires > completed, early)


def _unix_seconds(place: str, time: int, earliest: int = 1_500_000_000) -> Verdict:
    plausible = earliest <= time < 10_000_000_000
    return "times_are_unix_seconds", unless(plausible, f"{place} is {time}")


def _models(exchange: Exchange) -> Iterator[Verdict]:
    cards = model_cards(exchange)
    ids = [card.get("id") for card in cards]
    if not ids:
        yield "models_listed", "$.data is empty"
    else:
        unique = len(ids) == len(set(map(str, ids)))
        yield "models_listed", unless(unique, f"a model is listed twice: {ids}")
    named = exchange.value.get("object") == "list"
    named = named and all(card.get("object") == "model" for card in cards)
    wrong = "$.object is not 'list', or one of $.data is not a 'model'"
    yield "object_is_named", unless(named, wrong)
    for position, card in enumerate(cards):
        if isinstance(card.get("created"), int):
            # Gateways are known to list models of no known age, as 0.
            yield _unix_seconds(f"$.data[{position}].created", card["created"], earliest=0)


def _download(exchange: Exchange) -> Iterator[Verdict]:
    variant = exchange.query.get("variant", "video")
    if variant not in _FILES:
        return
    rule, media_type, problem = _FILES[variant]
    served = essence(exchange.headers)
    wrong = unless(served == media_type, f"{variant} is served as {served}")
    if exchange.status == 200:
        yield rule, wrong or problem(exchange.body)
    else:
        yield rule, wrong
        yield "range_answer_right", _wrong_part(exchange)


def _wrong_part(exchange: Exchange) -> str | None:
    asked, told = exchange.sent_headers.get("range"), exchange.headers.get("content-range", "")
    if asked is None:
        return "206, and no Range was asked for"
    match = _CONTENT_RANGE.fullmatch(told)
    if match is None:
        return f"Content-Range is {told!r}"
    first = _FIRST_BYTE.fullmatch(asked)
    if first is not None and first[1] != match[1]:
        return f"Content-Range is {told!r}, and Range was {asked!r}"
    right = int(match[2]) - int(match[1]) + 1 == len(exchange.body)
    return unless(right, f"Content-Range is {told!r}, and {len(exchange.body)} bytes arrived")


_SUCCESS = {
    "remixVideo": _remix,
    "retrieveVideo": _retrieve,
    "downloadVideoContent": _download,
    "listModels": _models,
}


def unless(holds: object, problem: str) -> str | None:
    """The problem, unless what must be true is true."""
    return None if holds else problem


def differs(rule: str, job: Any, name: str, expected: object) -> Verdict:
    """Whether a field of a job has the value that it must have."""
    same = job.get(name) == expected
    return rule, unless(same, f"$.{name} is {job.get(name)!r}, expected {expected!r}")


def refused(exchange: Exchange) -> bool:
    """Whether a request was refused for what it asks.

    Which statuses are documented is a rule of its own.
    """
    return 400 <= exchange.status < 500 and exchange.status not in (401, 429)


def steps_back(before: str | None, after: str | None) -> bool:
    """Whether a job went back to an earlier status, or left a final one.

    Unknown statuses have no place in the order.
    """
    if before in DONE:
        return after != before
    return before in _ORDER and after in _ORDER and _ORDER[after] < _ORDER[before]


def model_cards(exchange: Exchange) -> list[Any]:
    """The models in a list of them, as far as they are objects."""
    data = exchange.value.get("data")
    if not isinstance(data, list):
        return []
    return [card for card in data if isinstance(card, dict)]

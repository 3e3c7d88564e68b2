"""What answers must have to do with those that came before them."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import define, field

from ._exchange import Exchange
from ._judge import DONE, REQUEST_ID, differs, refused, steps_back, unless

# A rule, what breaks it if anything does, and the answer that shows it.
Shown = tuple[str, str | None, Exchange]

UNFINISHED = ("queued", "in_progress")
# What is told of a job when it is accepted, and does not change.
_FACTS = ("created_at", "size", "seconds", "model")
# For so many seconds a job that was just accepted may be unknown to the server that is asked.
_GRACE = 30.0
_ASKED = re.compile(r"bytes=([0-9]*)-([0-9]*)")


@define
class _Job:
    """What was seen of one job or video.

    Attributes:
        told: The answers that told its status, in order; the first is the one that accepted it,
            if that was seen.
        submit: The answer that accepted it.
        early: Answers that gave its file, or a remix of it, before it was known to be finished.
    """

    told: list[Exchange] = field(factory=list)
    submit: Exchange | None = None
    early: list[Exchange] = field(factory=list)

    def before(self, now: Exchange) -> Exchange | None:
        """The last answer about it that had ended before this request was sent."""
        ended = (each for each in reversed(self.told) if each.span[1] <= now.span[0])
        return next(ended, None)


class History:
    """Takes every answer in the order in which the requests were sent.

    Args:
        strict: Whether a job must tell again what it was asked for; otherwise it may leave it out.
    """

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self._request_ids: set[str] = set()
        self._jobs: defaultdict[str, _Job] = defaultdict(_Job)
        self._files: dict[tuple[str | None, str], Exchange] = {}

    def take(self, exchange: Exchange) -> Iterator[Shown]:
        """What an answer shows beside the earlier ones."""
        if request_id := exchange.headers.get(REQUEST_ID):
            again = f"{request_id} came before" if request_id in self._request_ids else None
            yield "request_ids_unique", again, exchange
            self._request_ids.add(request_id)
        match exchange.operation:
            case "remixVideo":
                yield from self._remix(exchange)
            case "retrieveVideo":
                yield from self._retrieve(exchange)
            case "downloadVideoContent":
                yield from self._download(exchange)
        if exchange.method == "POST":
            yield from self._accepted(exchange)

    def _remix(self, now: Exchange) -> Iterator[Shown]:
        source = self._jobs[now.video_id or ""]
        if _unfinished(source.before(now)):
            if now.succeeded:
                source.early.append(now)
            elif refused(now):
                yield "unfinished_source_refused", None, now

    def _accepted(self, now: Exchange) -> Iterator[Shown]:
        """A job that was submitted has an id of its own."""
        job_id = now.value.get("id")
        if not now.succeeded or not isinstance(job_id, str):
            return
        job = self._jobs[job_id]
        known = job.submit is not None or job_id == now.video_id
        yield "issued_ids_unique", f"$.id is {job_id!r}, as before" if known else None, now
        if not known:
            job.submit = now
            job.told.insert(0, now)

    def _retrieve(self, now: Exchange) -> Iterator[Shown]:
        job = self._jobs[now.video_id or ""]
        if now.status in (400, 404) and _should_be_known(job, now):
            yield "issued_id_retrievable", f"the answer is {now.status}", now
        if not now.succeeded or not now.value:
            return
        if _unfinished(now):
            yield from _given_too_early(job, now)
        if job.submit is not None:
            yield "issued_id_retrievable", None, now
            yield from self._as_asked(job.submit, now)
        if job.told:
            yield from _same_facts(job.told[0].value, now)
        before = job.before(now)
        if before is not None:
            yield from _no_step_back(before, now)
            if before.operation == "retrieveVideo" and before.value.get("status") in DONE:
                yield "job_facts_stable", _changed(before.value, now.value), now
        job.told.append(now)
        if now.value.get("status") in DONE:
            job.early.clear()
            if job.submit is not None:
                yield "job_completes", None, now

    def _as_asked(self, submit: Exchange, now: Exchange) -> Iterator[Shown]:
        """A job tells the video, the model and the prompt that were sent."""
        expected = {
            "parent_echoed": ("remixed_from_video_id", submit.video_id),
            "model_echoed": ("model", submit.sent.get("model")),
            "prompt_echoed": ("prompt", submit.sent.get("prompt")),
        }
        for rule, (name, sent) in expected.items():
            if sent is not None and (self._strict or now.value.get(name) is not None):
                yield (*differs(rule, now.value, name, sent), now)

    def _download(self, now: Exchange) -> Iterator[Shown]:
        job = self._jobs[now.video_id or ""]
        before = job.before(now)
        failed = before is not None and before.value.get("status") == "failed"
        if failed and (now.succeeded or refused(now)):
            wrong = unless(not now.succeeded, f"the answer is {now.status}")
            yield "failed_job_has_no_file", wrong, now
        if _unfinished(before):
            if now.succeeded:
                job.early.append(now)
            elif refused(now):
                yield "content_too_early_refused", None, now
        if now.status not in (200, 206) or not now.body_known:
            return
        key = (now.video_id, now.query.get("variant", "video"))
        whole = self._files.get(key)
        if whole is not None:
            yield from _same_file(whole, now)
        elif now.status == 200 and now.broken_off is None:
            self._files[key] = now


def _should_be_known(job: _Job, now: Exchange) -> bool:
    return job.submit is not None and now.span[0] - job.submit.span[1] > _GRACE


def _unfinished(exchange: Exchange | None) -> bool:
    return exchange is not None and exchange.value.get("status") in UNFINISHED


def _given_too_early(job: _Job, now: Exchange) -> Iterator[Shown]:
    """What was given before this answer, which tells that the job is still not finished."""
    status = now.value["status"]
    for early in job.early:
        if early.span[1] > now.span[0]:
            continue
        rule = "content_too_early_refused"
        if early.operation == "remixVideo":
            rule = "unfinished_source_refused"
        yield rule, f"the answer is {early.status}, and the job is {status} afterwards", early
    job.early.clear()


def _same_facts(first: Mapping[str, Any], now: Exchange) -> Iterator[Shown]:
    for name in _FACTS:
        if now.value.get(name) is not None and first.get(name) is not None:
            yield (*differs("job_facts_stable", now.value, name, first[name]), now)


def _no_step_back(before: Exchange, now: Exchange) -> Iterator[Shown]:
    was, is_now = before.value.get("progress"), now.value.get("progress")
    if isinstance(was, int) and isinstance(is_now, int):
        fell = f"$.progress was {was}, is {is_now}" if is_now < was else None
        yield "progress_never_falls", fell, now
    earlier, later = before.value.get("status"), now.value.get("status")
    back = f"$.status was {earlier!r}, is {later!r}" if steps_back(earlier, later) else None
    yield "status_never_goes_back", back, now


def _changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> str | None:
    """What changed in a job that had ended."""
    names = [name for name in {**before, **now} if before.get(name, ...) != now.get(name, ...)]
    told = (f"$.{name} was {before.get(name)!r}, is {now.get(name)!r}" for name in names)
    return f"the job had ended, and {', '.join(told)}" if names else None


def _same_file(whole: Exchange, now: Exchange) -> Iterator[Shown]:
    """Whether an answer has the bytes and the tag of the file that came whole before."""
    wrong = _wrong_bytes(whole, now)
    if "range" in now.sent_headers:
        yield "range_answer_right", wrong, now
    if ("variant" in now.query) != ("variant" in whole.query):
        yield "default_variant_is_video", wrong, now
    before, tag = whole.headers.get("etag"), now.headers.get("etag")
    if before and tag:
        moved = None if before == tag else f"the tag was {before}, is {tag}"
        yield "etag_stable", moved, now
    wanted = now.sent_headers.get("if-range")
    if before and wanted and wanted.startswith('"') and wanted != before:
        of_another = "206, and the tag in If-Range is that of another file"
        yield "if_range_respected", of_another if now.status == 206 else None, now


def _wrong_bytes(whole: Exchange, now: Exchange) -> str | None:
    size = len(whole.body)
    if now.status == 200:
        same = now.body == whole.body
        return None if same else "the answer is 200, and its bytes are not those of the whole"
    part = asked_part(now.sent_headers.get("range", ""), size)
    if part is None:
        return None
    told = now.headers.get("content-range", "")
    expected = f"bytes {part.start}-{part.stop - 1}/"
    if told not in (f"{expected}{size}", f"{expected}*"):
        return f"Content-Range is {told!r}, expected '{expected}{size}'"
    if now.body != whole.body[part]:
        span = f"{part.start} to {part.stop - 1}"
        return f"the bytes of the part are not the bytes {span} of the whole"
    return None


def asked_part(header: str, size: int) -> slice | None:
    """The part of a file of that size which a header `Range` asks for; None if it is no part."""
    match = _ASKED.fullmatch(header)
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        return slice(max(size - int(last), 0), size)
    return slice(int(first), min(int(last or size), size - 1) + 1)

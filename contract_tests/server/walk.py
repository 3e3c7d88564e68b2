"""The questions put to a server, one after the other, and what its answers must have to do with each other."""

import secrets
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from attrs import frozen

from .api import (
    Api,
    CapReachedError,
    JobFailedError,
    NoSuchModelError,
    RefusedError,
    SourceMissingError,
    UnavailableError,
    WrongKeyError,
    names_no_model,
    why,
)
from .exchange import Exchange, Key
from .rules import DONE, REQUEST_ID, differs, model_cards, steps_back

# `read_only` sends no more requests than this, and only GET.
READ_ONLY_REQUESTS = 24

PROMPT = "The cat takes a bow"
OTHER_PROMPT = 'Line one\nLine two: "quoted", \\ and ünïcødé 🦌'

_NO_POST = "no POST is left for it"

# What the document forbids in a request, each once: the rule, the body, and the headers where they are not the usual.
# A body of bytes is sent as it is.
FORBIDDEN: list[tuple[str, Any, Mapping[str, str]]] = [
    ("missing_prompt_refused", {}, {}),
    *(("invalid_prompt_refused", {"prompt": value}, {}) for value in (5, None, True, ["x"], {"x": "x"}, "", " \n")),
    *(("invalid_model_refused", {"prompt": PROMPT, "model": value}, {}) for value in (5, None, ["x"], "", " ")),
    *(("malformed_body_refused", text, {}) for text in (b"", b'{"prompt": "x"', b"prompt=x", b"\xff", b"[]", b"5")),
    *(
        ("other_content_type_refused", {"prompt": PROMPT}, {"content-type": kind})
        for kind in ("text/plain", "application/x-www-form-urlencoded")
    ),
    ("repeated_field_refused", b'{"prompt": "x", "prompt": 5, "prompt": "x"}', {}),
]


@frozen
class Patience:
    """How a job is followed: `pause` between polls, at most `polls` of them, the first `grace` may not know the job."""

    pause: Callable[[], None]
    polls: int
    grace: int = 0


class Walk:
    """One walk about one completed video.

    Args:
        api: Sends and judges.
        video_id: A completed video.
        model: The model to ask for; by default the one of the video, if it is served.
        tell: Told of every accepted job, and of how far it has come.
    """

    def __init__(
        self, api: Api, video_id: str, *, model: str | None = None, tell: Callable[[str], None] = lambda line: None
    ) -> None:
        self._api = api
        self._tell = tell
        self._findings = api.findings
        self._source = video_id
        self._wanted = model
        self._model: str | None = None
        self._request_ids: set[str] = set()
        self._issued: set[str] = set()
        self._remixed = video_id

    def read_only(self) -> None:
        """Asks everything that is free of charge: models, the video, its files, and what must be refused."""
        models = [card.get("id") for card in model_cards(self._accepted("listModels"))]
        source = self._accepted("retrieveVideo", self._source)
        if source.value.get("status") != "completed":
            raise SourceMissingError(source, f"the source video is not completed, but {source.value.get('status')!r}")
        self._model = self._wanted or next((model for model in models if model == source.value.get("model")), None)
        self._files()
        unknown = f"video_{secrets.token_hex(16)}"
        for operation in ("retrieveVideo", "downloadVideoContent"):
            self._refused("unknown_id_refused", self._call(operation, unknown))
            self._refused("unknown_id_refused", self._call(operation, " "))
        variant = self._call("downloadVideoContent", self._source, query={"variant": "no-such-variant"})
        self._refused("unknown_variant_refused", variant)
        for operation, video_id in (
            ("listModels", None),
            ("retrieveVideo", self._source),
            ("downloadVideoContent", self._source),
        ):
            self._locked(operation, video_id)
        near: tuple[Key, ...] = ("cut", "longer", "in other letters")
        for key in near:
            self._unlocked("near_key_refused", "listModels", key=key)
        if self._wanted and self._wanted not in models:
            raise NoSuchModelError(None, f"the model {self._wanted!r} is not among those served: {_listed(models)}")
        if not models:
            raise NoSuchModelError(None, "the list of models is empty")

    def remix(self, patience: Patience) -> None:
        """Submits one valid job, follows it to its end and fetches its file."""
        job = self._submit(self._source, PROMPT, self._model)
        video_id = job.value["id"]
        self._too_early(job)
        self._follow(job, patience)
        self._accepted("downloadVideoContent", video_id)
        self._remixed = video_id

    def refusals(self, patience: Patience) -> None:
        """Submits what must be refused, and a remix of a remix, as far as the cap on POST requests goes."""
        steps: list[tuple[tuple[str, ...], Callable[[], None]]] = [
            (("missing_key_refused", "wrong_key_refused"), lambda: self._locked("remixVideo", self._source)),
            (("unknown_source_refused",), self._unknown_source),
            (("unknown_model_refused",), self._unknown_model),
            *(((rule,), partial(self._forbidden, rule, body, headers)) for rule, body, headers in FORBIDDEN),
            (("issued_ids_unique", "unfinished_source_refused"), lambda: self._remix_of_a_remix(patience)),
        ]
        for rules, step in steps:
            try:
                step()
            except CapReachedError:
                for rule in rules:
                    self._findings.skip(rule, _NO_POST)

    def _call(
        self,
        operation: str,
        video_id: str | None = None,
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        key: Key = "valid",
    ) -> Exchange:
        exchange = self._api.call(operation, video_id, body=body, query=query, headers=headers, key=key)
        if request_id := exchange.headers.get(REQUEST_ID):
            again = f"{request_id} came before" if request_id in self._request_ids else None
            self._findings.add("request_ids_unique", again, exchange)
            self._request_ids.add(request_id)
        return exchange

    def _accepted(self, operation: str, video_id: str | None = None, **request: Any) -> Exchange:
        """A valid request: stops, with a reason, if it is not answered with success."""
        exchange = self._call(operation, video_id, **request)
        code = exchange.error.get("code")
        if 200 <= exchange.status < 300:
            self._findings.add("valid_request_accepted", None, exchange)
            return exchange
        said = f"{operation} was answered {exchange.status}: {why(exchange)}"
        if self._findings.strict:
            self._findings.add("valid_request_accepted", said, exchange)
        unknown = exchange.status == 404 or code == "task_not_exist"
        if exchange.status == 401:
            raise WrongKeyError(exchange, said)
        if names_no_model(exchange):
            raise NoSuchModelError(exchange, said)
        if video_id == self._source and unknown:
            raise SourceMissingError(exchange, said)
        if exchange.status == 429 or exchange.status >= 500:
            raise UnavailableError(exchange, said)
        raise RefusedError(exchange, said)

    def _refused(self, rule: str, exchange: Exchange) -> None:
        self._findings.add(rule, None if refused(exchange) else f"the answer is {exchange.status}", exchange)

    def _locked(self, operation: str, video_id: str | None) -> None:
        body = {"prompt": PROMPT} if operation == "remixVideo" else None
        keys: tuple[tuple[str, Key], ...] = (("missing_key_refused", "none"), ("wrong_key_refused", "wrong"))
        for rule, key in keys:
            self._unlocked(rule, operation, video_id, body=body, key=key)

    def _unlocked(self, rule: str, operation: str, video_id: str | None = None, **request: Any) -> None:
        exchange = self._call(operation, video_id, **request)
        wrong = None if exchange.status == 401 else f"the answer is {exchange.status}"
        self._findings.add(rule, wrong, exchange)

    def _files(self) -> None:
        whole = self._accepted("downloadVideoContent", self._source)
        size, tag = len(whole.body), whole.headers.get("etag")
        first, last = size // 3, size // 2
        self._part(whole, slice(first, last + 1), {"range": f"bytes={first}-{last}"})
        tail = max(size - 1000, 0)
        self._part(whole, slice(tail, size), {"range": f"bytes={tail}-"}, {"variant": "video"})
        self._part(whole, slice(tail, size), {"range": f"bytes=-{size - tail}"})
        if tag and not tag.startswith("W/"):
            self._part(whole, slice(first, last + 1), {"range": f"bytes={first}-{last}", "if-range": tag})
        other = {"range": f"bytes={first}-{last}", "if-range": '"the-tag-of-another-file"'}
        exchange = self._part(whole, slice(first, last + 1), other)
        ignored = "206, and the tag in If-Range is that of another file" if exchange.status == 206 else None
        self._findings.add("if_range_respected", ignored, exchange)
        for variant in ("thumbnail", "spritesheet"):
            preview = self._call("downloadVideoContent", self._source, query={"variant": variant})
            served = preview.status == 200
            self._findings.add("previews_served", None if served else f"the answer is {preview.status}", preview)

    def _part(
        self, whole: Exchange, part: slice, headers: Mapping[str, str], query: Mapping[str, str] | None = None
    ) -> Exchange:
        exchange = self._call("downloadVideoContent", self._source, headers=headers, query=query)
        size = len(whole.body)
        wrong = None
        if exchange.status == 206:
            expected = f"bytes {part.start}-{part.stop - 1}/"
            told = exchange.headers.get("content-range", "")
            if told not in (f"{expected}{size}", f"{expected}*"):
                wrong = f"Content-Range is {told!r}, expected '{expected}{size}'"
            elif exchange.body != whole.body[part]:
                wrong = f"the bytes of the part are not the bytes {part.start} to {part.stop - 1} of the whole"
        elif exchange.status != 200:
            wrong = f"the answer is {exchange.status}"
        elif exchange.body != whole.body:
            wrong = "the answer is 200, and its bytes are not those of the whole"
        self._findings.add("range_answer_right", wrong, exchange)
        if query and exchange.status in (200, 206):
            self._findings.add("default_variant_is_video", wrong, exchange)
        tags = (whole.headers.get("etag"), exchange.headers.get("etag"))
        if all(tags):
            moved = None if tags[0] == tags[1] else f"the tag was {tags[0]}, is {tags[1]}"
            self._findings.add("etag_stable", moved, exchange)
        return exchange

    def _submit(self, source: str, prompt: str, model: str | None) -> Exchange:
        body = {"prompt": prompt} | ({"model": model} if model else {})
        job = self._accepted("remixVideo", source, body=body)
        video_id = job.value.get("id")
        if not isinstance(video_id, str) or not video_id.strip():
            raise RefusedError(job, f"the accepted job has no usable id: {video_id!r}")
        self._tell(f"Accepted, and paid for: {video_id}")
        again = f"$.id is {video_id!r}, as before" if video_id in {*self._issued, source} else None
        self._findings.add("issued_ids_unique", again, job)
        self._issued.add(video_id)
        return job

    def _too_early(self, job: Exchange) -> None:
        """Asks for the file of a job that was just accepted."""
        early = self._call("downloadVideoContent", job.value["id"])
        if refused(early):
            self._findings.add("content_too_early_refused", None, early)
            return
        after = self._call("retrieveVideo", job.value["id"])
        if after.value.get("status") in ("queued", "in_progress"):
            wrong = f"the answer is {early.status}, and the job is {after.value['status']} afterwards"
            self._findings.add("content_too_early_refused", wrong, early)
        else:
            self._findings.skip("content_too_early_refused", "the job was completed too soon to ask")

    def _follow(self, job: Exchange, patience: Patience) -> None:
        """Polls a job to its end."""
        before, last = job.value, job
        for poll in range(patience.polls):
            try:
                now = self._call("retrieveVideo", job.value["id"])
            except UnavailableError:
                # The job is paid, so what can pass is waited out; the number of polls is bounded.
                patience.pause()
                continue
            if now.status != 200:
                if poll >= patience.grace:
                    self._findings.add("issued_id_retrievable", f"the answer is {now.status}", now)
                    raise RefusedError(now, f"the accepted job cannot be retrieved: {now.status}, {why(now)}")
            else:
                last = now
                self._findings.add("issued_id_retrievable", None, now)
                self._compare(job, before, now)
                before = now.value
                self._tell(f"  {before.get('status')} {before.get('progress', '')}".rstrip())
                if before.get("status") in DONE:
                    break
            patience.pause()
        status = before.get("status")
        done = status in DONE
        bound = f"the status is still {status!r} after {patience.polls} polls"
        self._findings.add("job_completes", None if done else bound, last)
        if not done:
            raise RefusedError(last, f"the job did not end: {bound}")
        again = self._call("retrieveVideo", job.value["id"])
        self._compare(job, before, again)
        if status == "failed":
            self._refused("failed_job_has_no_file", self._call("downloadVideoContent", job.value["id"]))
            raise JobFailedError(last, f"the job failed: {why(last)}")

    def _compare(self, job: Exchange, before: Mapping[str, Any], now: Exchange) -> None:
        """Checks a retrieved job against what was asked for, and against what it was before."""
        add, value = self._findings.add, now.value
        expected = {
            "parent_echoed": ("remixed_from_video_id", job.video_id),
            "model_echoed": ("model", job.sent.get("model")),
            "prompt_echoed": ("prompt", job.sent.get("prompt")),
        }
        for rule, (name, sent) in expected.items():
            if sent is not None and (self._findings.strict or value.get(name) is not None):
                add(*differs(rule, value, name, sent), now)
        for name in ("created_at", "size", "seconds", "model"):
            if value.get(name) is not None and job.value.get(name) is not None:
                add(*differs("job_facts_stable", value, name, job.value[name]), now)
        if before.get("status") in DONE:
            add("job_facts_stable", None if value == before else f"the job ended as {before}, and is {value} now", now)
        was, is_now = before.get("progress"), value.get("progress")
        if isinstance(was, int) and isinstance(is_now, int):
            add("progress_never_falls", None if is_now >= was else f"$.progress was {was}, is {is_now}", now)
        earlier, later = before.get("status"), value.get("status")
        back = f"$.status was {earlier!r}, is {later!r}" if steps_back(earlier, later) else None
        add("status_never_goes_back", back, now)

    def _unknown_source(self) -> None:
        unknown = f"video_{secrets.token_hex(16)}"
        self._refused("unknown_source_refused", self._call("remixVideo", unknown, body={"prompt": PROMPT}))

    def _forbidden(self, rule: str, body: Any, headers: Mapping[str, str]) -> None:
        try:
            exchange = self._call("remixVideo", self._source, body=body, headers=headers)
        except UnavailableError as failure:
            if failure.exchange is None:
                raise
            exchange = failure.exchange  # The request made the server fail.
        self._refused(rule, exchange)

    def _remix_of_a_remix(self, patience: Patience) -> None:
        """A source, a prompt and a model that are not those of the first job."""
        job = self._submit(self._remixed, OTHER_PROMPT, None)
        if job.value.get("status") in ("queued", "in_progress"):
            try:
                answer = self._call("remixVideo", job.value["id"], body={"prompt": PROMPT})
                self._refused("unfinished_source_refused", answer)
            except CapReachedError:
                self._findings.skip("unfinished_source_refused", _NO_POST)
        self._follow(job, patience)

    def _unknown_model(self) -> None:
        body = {"prompt": PROMPT, "model": f"no-such-model-{secrets.token_hex(4)}"}
        try:
            answer = self._call("remixVideo", self._source, body=body)
        except NoSuchModelError as refusal:
            if refusal.exchange:
                self._findings.add("unknown_model_refused", None, refusal.exchange)
            return
        wrong = None if refused(answer) or names_no_model(answer) else f"the answer is {answer.status}"
        self._findings.add("unknown_model_refused", wrong, answer)


def refused(exchange: Exchange) -> bool:
    """Whether a request was refused for what it asks; which statuses are documented is a rule of its own."""
    return 400 <= exchange.status < 500 and exchange.status not in (401, 429)


def _listed(names: list[Any]) -> str:
    return ", ".join(map(str, names[:20])) or "none"

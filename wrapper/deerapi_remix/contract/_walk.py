"""The questions put to a server, one after the other."""

import secrets
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ._api import Api, CapReachedError, NoSuchModelError, SourceMissingError, names_no_model
from ._asker import Asker
from ._exchange import Key
from ._history import UNFINISHED
from ._jobs import Jobs, Patience
from ._judge import model_cards, refused, unless

# `read_only` sends no more requests than this, and only GET.
READ_ONLY_REQUESTS = 24

PROMPT = "The cat takes a bow"
# With all that must arrive as it was sent: blanks around it, quotes, and letters beyond ASCII.
OTHER_PROMPT = ' Line one\nLine two: "quoted", \\ and ünïcødé 🦌 '

_NO_POST = "no POST is left for it"
_NEAR_KEYS: tuple[Key, ...] = ("cut", "longer", "in other letters")
_NO_TEXTS = (5, None, True, ["x"], {"x": "x"}, "", " \n")
_NO_MODELS = (5, None, ["x"], "", " ")
_NO_BODIES = (b"", b'{"prompt": "x"', b"prompt=x", b"\xff", b"[]", b"5")
_OTHER_TYPES = ("text/plain", "application/x-www-form-urlencoded")

# What the document forbids in a request, each once: the rule that refuses it, the body, and the
# headers where they are not the usual. A body of bytes is sent as it is.
FORBIDDEN: list[tuple[str, Any, Mapping[str, str]]] = [
    ("missing_prompt_refused", {}, {}),
    *(("invalid_prompt_refused", {"prompt": value}, {}) for value in _NO_TEXTS),
    *(("invalid_model_refused", {"prompt": PROMPT, "model": value}, {}) for value in _NO_MODELS),
    *(("malformed_body_refused", text, {}) for text in _NO_BODIES),
    *(
        ("other_content_type_refused", {"prompt": PROMPT}, {"content-type": kind})
        for kind in _OTHER_TYPES
    ),
    ("repeated_field_refused", b'{"prompt": "x", "prompt": 5, "prompt": "x"}', {}),
]


def _tell_nobody(line: str) -> None:
    """Takes a line that nobody wants to read."""


class Walk:
    """One walk about one completed video.

    Args:
        api: Sends and judges.
        video_id: A completed video.
        model: The model to ask for; by default the one of the video, if it is served.
        tell: Told of every accepted job, and of how far it has come.
    """

    def __init__(
        self,
        api: Api,
        video_id: str,
        *,
        model: str | None = None,
        tell: Callable[[str], None] = _tell_nobody,
    ) -> None:
        self._api = api
        self._asker = Asker(api, video_id)
        self._jobs = Jobs(self._asker, tell)
        self._source = video_id
        self._wanted = model
        self._model: str | None = None
        self._remixed = video_id

    def read_only(self) -> None:
        """Asks everything that is free of charge.

        That is: models, the video, its files, and what must be refused.
        """
        listed = self._asker.accepted("listModels")
        models = [card.get("id") for card in model_cards(listed)]
        source = self._asker.accepted("retrieveVideo", self._source)
        status, model = source.value.get("status"), source.value.get("model")
        if status != "completed":
            wrong = f"the source video is not completed, but {status!r}"
            raise SourceMissingError(source, wrong)
        self._model = self._wanted or (model if model in models else None)
        self._files()
        self._free_refusals()
        if self._wanted and self._wanted not in models:
            served = ", ".join(map(str, models[:20])) or "none"
            wrong = f"the model {self._wanted!r} is not among those served: {served}"
            raise NoSuchModelError(None, wrong)
        if not models:
            raise NoSuchModelError(None, "the list of models is empty")

    def remix(self, patience: Patience) -> None:
        """Submits one valid job, follows it to its end and fetches its file."""
        job = self._jobs.submit(self._source, PROMPT, self._model)
        self._jobs.ask_too_early(job)
        self._jobs.follow(job, patience)
        self._asker.accepted("downloadVideoContent", job.value["id"])
        self._remixed = job.value["id"]

    def refusals(self, patience: Patience) -> None:
        """Submits what must be refused, and a remix of a remix, as far as the cap on POST goes."""
        steps: list[tuple[tuple[str, ...], Callable[[], None]]] = [
            (("missing_key_refused", "wrong_key_refused"), self._locked_remix),
            (("unknown_source_refused",), self._unknown_source),
            (("unknown_model_refused",), self._unknown_model),
            *(
                ((rule,), partial(self._forbidden, body, headers))
                for rule, body, headers in FORBIDDEN
            ),
            (
                ("issued_ids_unique", "unfinished_source_refused"),
                partial(self._remix_of_a_remix, patience),
            ),
        ]
        for rules, step in steps:
            try:
                step()
            except CapReachedError:
                for rule in rules:
                    self._api.findings.skip(rule, _NO_POST)

    def _files(self) -> None:
        """Asks for the file of the video, whole and in parts, and for its pictures."""
        whole = self._asker.accepted("downloadVideoContent", self._source)
        size, tag = len(whole.body), whole.headers.get("etag")
        middle = {"range": f"bytes={size // 3}-{size // 2}"}
        tail = max(size - 1000, 0)
        self._part(middle)
        self._part({"range": f"bytes={tail}-"}, {"variant": "video"})
        self._part({"range": f"bytes=-{size - tail}"})
        if tag and not tag.startswith("W/"):
            self._part(middle | {"if-range": tag})
        self._part(middle | {"if-range": '"the-tag-of-another-file"'})
        for variant in ("thumbnail", "spritesheet"):
            query = {"variant": variant}
            preview = self._api.call("downloadVideoContent", self._source, query=query)
            wrong = unless(preview.status == 200, f"the answer is {preview.status}")
            self._api.findings.add("previews_served", wrong, preview)

    def _part(self, headers: Mapping[str, str], query: Mapping[str, str] | None = None) -> None:
        """Asks for a part of the file; whether it is the right one is compared with the whole."""
        exchange = self._api.call(
            "downloadVideoContent", self._source, headers=headers, query=query
        )
        if exchange.status not in (200, 206):
            wrong = f"the answer is {exchange.status}"
            self._api.findings.add("range_answer_right", wrong, exchange)

    def _free_refusals(self) -> None:
        call = self._asker.provoke
        unknown = f"video_{secrets.token_hex(16)}"
        for operation in ("retrieveVideo", "downloadVideoContent"):
            self._refuses_unknown("unknown_id_refused", operation, unknown)
            call(operation, " ")
        call("downloadVideoContent", self._source, query={"variant": "no-such-variant"})
        keys: tuple[Key, ...] = ("none", "wrong")
        for key in keys:
            call("listModels", key=key)
            call("retrieveVideo", self._source, key=key)
            call("downloadVideoContent", self._source, key=key)
        for key in _NEAR_KEYS:
            call("listModels", key=key)

    def _refuses_unknown(self, rule: str, operation: str, video_id: str, **request: Any) -> None:
        exchange = self._asker.provoke(operation, video_id, **request)
        wrong = unless(refused(exchange), f"the answer is {exchange.status}")
        self._api.findings.add(rule, wrong, exchange)

    def _locked_remix(self) -> None:
        keys: tuple[Key, ...] = ("none", "wrong")
        for key in keys:
            self._asker.provoke("remixVideo", self._source, body={"prompt": PROMPT}, key=key)

    def _unknown_source(self) -> None:
        unknown = f"video_{secrets.token_hex(16)}"
        body = {"prompt": PROMPT}
        self._refuses_unknown("unknown_source_refused", "remixVideo", unknown, body=body)

    def _forbidden(self, body: Any, headers: Mapping[str, str]) -> None:
        self._asker.provoke("remixVideo", self._source, body=body, headers=headers)

    def _remix_of_a_remix(self, patience: Patience) -> None:
        """A source, a prompt and a model that are not those of the first job."""
        job = self._jobs.submit(self._remixed, OTHER_PROMPT, None)
        if job.value.get("status") in UNFINISHED:
            try:
                self._asker.provoke("remixVideo", job.value["id"], body={"prompt": PROMPT})
            except CapReachedError:
                self._api.findings.skip("unfinished_source_refused", _NO_POST)
        self._jobs.follow(job, patience)

    def _unknown_model(self) -> None:
        body = {"prompt": PROMPT, "model": f"no-such-model-{secrets.token_hex(4)}"}
        findings = self._api.findings
        try:
            answer = self._asker.provoke("remixVideo", self._source, body=body)
        except NoSuchModelError as refusal:
            if refusal.exchange:
                findings.add("unknown_model_refused", None, refusal.exchange)
            return
        right = refused(answer) or names_no_model(answer)
        wrong = unless(right, f"the answer is {answer.status}")
        findings.add("unknown_model_refused", wrong, answer)

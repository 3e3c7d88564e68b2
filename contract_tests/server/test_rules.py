"""Every rule fails when it is broken. A server is made to break it on the way to the suite."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import httpx
import pytest

from deerapi_remix.contract._api import Api
from deerapi_remix.contract._document import contract
from deerapi_remix.contract._exchange import WRONG_KEY, Exchange, Key, without_key
from deerapi_remix.contract._explore import explore
from deerapi_remix.contract._findings import Findings
from deerapi_remix.contract._jobs import Patience
from deerapi_remix.contract._judge import judge
from deerapi_remix.contract._media import jpeg_problem, mp4_problem, webp_problem
from deerapi_remix.contract._rules import BY_SCHEMATHESIS, RULES
from deerapi_remix.testing import FakeDeerAPI, VirtualClock
from deerapi_remix.testing.asgi import create_app

from .altered import Alter, Altered, Wire
from .coverage import Coverage
from .in_process import InProcess
from .servers import KEY, SOURCE, walk_through


def on(operation: str, change: Callable[[Wire], object], status: int = 200, when: str = "") -> Alter:
    """Changes the answers of one operation with one status; of jobs, only those with the status `when`."""

    def alter(wire: Wire) -> None:
        if (wire.operation, wire.status) == (operation, status) and (not when or wire.json["status"] == when):
            change(wire)

    return alter


def edited(operation: str, when: str = "", **fields: Any) -> Alter:
    return on(operation, lambda wire: wire.edit(**fields), when=when)


def let_in(wire: Wire) -> None:
    if wire.status == 401:
        wire.answer({"object": "list", "data": []}, 200)


def found(wire: Wire) -> None:
    wire.answer({"id": wire.request.url.path.rsplit("/", 1)[-1], "status": "completed"}, 200)


def accepted(wire: Wire) -> None:
    job = {"object": "video", "model": "sora-2", "status": "queued", "progress": 0, "created_at": 1758941485}
    wire.answer({"id": "video_1", **job, "size": "1x1", "seconds": "4", "remixed_from_video_id": SOURCE}, 200)


def falling(wire: Wire) -> None:
    if wire.json["progress"]:
        wire.edit(progress=101 - wire.json["progress"])


def whole(wire: Wire) -> None:
    wire.status = 200
    wire.replace(wire.body, "video/mp4")


def shifted(wire: Wire) -> None:
    wire.body = wire.body[1:] + wire.body[:1]


def variant(name: str, body: bytes) -> Alter:
    def replaced(wire: Wire) -> None:
        if wire.request.url.params.get("variant") == name:
            wire.replace(body)

    return on("download", replaced)


def missing(wire: Wire) -> None:
    if wire.headers["content-type"].startswith("image/"):
        wire.answer({"code": "not_found", "message": "no preview", "data": None}, 404)


def truncated(wire: Wire) -> None:
    if wire.headers["content-type"] == "video/mp4":
        wire.replace(wire.body[:-1])


def swapped(wire: Wire) -> None:
    if wire.request.url.params.get("variant") == "video":
        wire.body = bytes(len(wire.body))


def in_milliseconds(wire: Wire) -> None:
    wire.edit(data=[card | {"created": card["created"] * 1000} for card in wire.json["data"]])


def again(wire: Wire) -> None:
    wire.edit(id="video_always_the_same")


def without_id(wire: Wire) -> None:
    wire.headers.pop("x-oneapi-request-id")


def stripped(wire: Wire) -> None:
    if wire.json["prompt"]:
        wire.edit(prompt=wire.json["prompt"].strip())


class Backwards:
    """A completed job is in progress again when it is asked for once more."""

    def __init__(self) -> None:
        self.completed: set[str] = set()

    def __call__(self, wire: Wire) -> None:
        if wire.operation != "retrieve" or wire.status != 200 or wire.json["id"] == SOURCE:
            return
        if wire.json["id"] in self.completed:
            wire.edit(status="in_progress")
        if wire.json["status"] == "completed":
            self.completed.add(wire.json["id"])


class Tags:
    """Every answer has a tag of its own."""

    count = 0

    def __call__(self, wire: Wire) -> None:
        if wire.operation == "download":
            self.count += 1
            wire.headers["etag"] = f'"{self.count}"'


MP4 = b"\0\0\0\x08ftyp\0\0\0\x08moov"

FAULTS: list[tuple[str, Alter]] = [
    ("status_code_conformance", on("retrieve", lambda wire: setattr(wire, "status", 203))),
    ("content_type_conformance", on("models", lambda wire: wire.headers.update({"content-type": "text/html"}))),
    ("response_headers_conformance", on("retrieve", without_id, 404)),
    ("response_headers_conformance", on("models", lambda wire: wire.headers.update({"x-oneapi-request-id": ""}))),
    ("response_schema_conformance", edited("remix", size=...)),
    ("response_schema_conformance", edited("retrieve", created_at=None)),
    ("response_schema_conformance", edited("retrieve", progress="47%")),
    ("response_schema_conformance", on("models", lambda wire: wire.replace(b'{"object": "list", "data": [}'))),
    ("response_schema_conformance", on("retrieve", lambda wire: wire.replace(wire.body[:-1] + b', "status": "x"}'))),
    ("response_schema_conformance", on("retrieve", lambda wire: wire.answer({"detail": "no"}), 404)),
    ("content_length_true", on("download", lambda wire: setattr(wire, "body", wire.body[:-1]))),
    ("valid_request_accepted", on("remix", lambda wire: wire.answer({"code": "x", "message": "x"}, 400))),
    ("valid_request_accepted", on("models", lambda wire: wire.answer({"code": "x", "message": "x"}, 500))),
    ("missing_key_refused", let_in),
    ("wrong_key_refused", let_in),
    ("near_key_refused", on("models", let_in, 401)),
    ("unknown_id_refused", on("retrieve", found, 404)),
    ("unknown_id_refused", on("download", lambda wire: wire.answer({"code": "x", "message": "x"}, 500), 404)),
    ("unknown_source_refused", on("remix", accepted, 400)),
    ("unfinished_source_refused", on("remix", accepted, 400)),
    ("unknown_model_refused", on("remix", accepted, 503)),
    ("missing_prompt_refused", on("remix", accepted, 400)),
    *(
        (rule, on("remix", accepted, 400))
        for rule in (
            "invalid_prompt_refused",
            "invalid_model_refused",
            "malformed_body_refused",
            "other_content_type_refused",
            "repeated_field_refused",
        )
    ),
    ("malformed_body_refused", on("remix", lambda wire: wire.answer({"code": "x", "message": "x"}, 500), 400)),
    ("unknown_variant_refused", on("download", whole, 400)),
    ("id_echoed", edited("retrieve", id="video_other")),
    ("parent_echoed", edited("remix", remixed_from_video_id="video_other")),
    ("parent_echoed", on("remix", lambda wire: wire.edit(remixed_from_video_id=SOURCE))),
    ("model_echoed", edited("remix", model="sora-2")),
    ("model_echoed", edited("retrieve", model="sora-2")),
    ("prompt_echoed", edited("retrieve", prompt="another")),
    ("prompt_echoed", on("retrieve", stripped)),
    ("issued_ids_unique", on("remix", again)),
    ("issued_id_retrievable", on("remix", again)),
    ("job_completes", edited("retrieve", "completed", status="in_progress", completed_at=None)),
    ("job_facts_stable", edited("retrieve", "completed", size="640x480")),
    ("job_facts_stable", edited("retrieve", "in_progress", created_at=1758941486)),
    ("progress_never_falls", on("retrieve", falling, when="in_progress")),
    ("progress_complete", edited("retrieve", "completed", progress=99)),
    ("status_never_goes_back", Backwards()),
    ("status_is_known", edited("retrieve", "in_progress", status="processing")),
    ("completed_at_set", edited("retrieve", "completed", completed_at=None)),
    ("completed_at_set", edited("retrieve", "in_progress", completed_at=1758941490)),
    ("completed_after_created", edited("retrieve", "completed", completed_at=1758941484)),
    ("expires_after_completion", edited("retrieve", "completed", expires_at=1758941485)),
    ("expires_after_completion", edited("retrieve", "completed", expires_at=None)),
    ("failure_explained", edited("retrieve", "failed", error=None)),
    ("failure_explained", edited("retrieve", "completed", error={"code": "x", "message": "x"})),
    ("object_is_named", edited("remix", object="job")),
    ("object_is_named", edited("models", object="models")),
    ("times_are_unix_seconds", edited("remix", created_at=1758941485000)),
    ("times_are_unix_seconds", on("models", in_milliseconds)),
    ("size_is_width_by_height", edited("remix", size="720p")),
    ("seconds_is_a_number", edited("remix", seconds="eight")),
    ("content_too_early_refused", on("download", whole, 400)),
    ("failed_job_has_no_file", on("download", whole, 400)),
    ("content_is_mp4", on("download", truncated)),
    ("content_is_mp4", on("download", lambda wire: wire.headers.update({"content-type": "image/webp"}))),
    ("thumbnail_is_webp", variant("thumbnail", b"RIFF\0\0\0\0WEBP-")),
    ("spritesheet_is_jpeg", variant("spritesheet", b"\xff\xd8\xff\xe0")),
    ("previews_served", on("download", missing)),
    ("default_variant_is_video", on("download", swapped, 206)),
    ("range_answer_right", on("download", shifted, 206)),
    ("range_answer_right", on("download", lambda wire: wire.headers.update({"content-range": "bytes 0-1/2"}), 206)),
    ("range_answer_right", on("download", lambda wire: setattr(wire, "status", 200), 206)),
    ("range_answer_right", on("download", lambda wire: setattr(wire, "status", 206))),
    ("etag_stable", Tags()),
    ("fields_complete", edited("retrieve", expires_at=...)),
    ("fields_documented", edited("retrieve", task_id="x")),
    ("request_id_on_success", on("models", without_id)),
    ("request_ids_unique", lambda wire: wire.headers.update({"x-oneapi-request-id": "1"})),
    ("error_says_why", on("retrieve", lambda wire: wire.answer({"code": "x", "message": ""}), 404)),
    ("models_listed", edited("models", data=[])),
    ("models_listed", on("models", lambda wire: wire.edit(data=wire.json["data"] * 2))),
]
# Ours tells in full what it was asked for; others need not.
FAULTS_OF_OURS: list[tuple[str, Alter]] = [
    ("parent_echoed", edited("retrieve", remixed_from_video_id=None)),
    ("prompt_echoed", edited("retrieve", prompt=None)),
]


class Noting(Findings):
    """Findings that know which rules were checked on the answers to which operation."""

    def __init__(self) -> None:
        super().__init__(contract(), strict=True)
        self.noted: set[tuple[str, str]] = set()

    def add(self, rule: str, problem: str | None, exchange: Exchange) -> None:
        self.noted.add((exchange.operation, rule))
        super().add(rule, problem, exchange)


def findings_of(alter: Alter, forward: Callable[[httpx.Request], object] = lambda request: None) -> Noting:
    clock = VirtualClock()
    fake = FakeDeerAPI(clock=clock, render_seconds=4, api_keys=[KEY])
    inner = InProcess(create_app(fake, validate_answers=False))
    findings = Noting()
    with httpx.Client(transport=Altered(inner, alter, forward), base_url="http://127.0.0.1") as http:
        walk_through(Api(http, KEY, findings), fake, Patience(lambda: clock.advance(1), polls=8))
    return findings


@pytest.mark.parametrize(
    ("rule", "alter"), [*FAULTS, *FAULTS_OF_OURS], ids=[rule for rule, _ in [*FAULTS, *FAULTS_OF_OURS]]
)
def test_a_rule_that_is_broken_is_named(rule: str, alter: Alter) -> None:
    assert rule in {broken.rule for broken in findings_of(alter).broken}


def test_a_part_of_another_file_breaks_if_range() -> None:
    def forget(request: httpx.Request) -> None:
        request.headers.pop("if-range", None)

    assert {broken.rule for broken in findings_of(lambda wire: None, forget).broken} == {"if_range_respected"}


def test_every_rule_of_a_walk_has_a_fault() -> None:
    planted = {rule for rule, _ in FAULTS} | {"if_range_respected", "retry_after_on_429"}
    assert planted == RULES.keys() - BY_SCHEMATHESIS


@pytest.mark.parametrize("value", [None, "soon", "-1"])
def test_a_429_that_does_not_say_when_to_come_back_breaks_its_rule(value: str | None) -> None:
    headers = {"x-oneapi-request-id": "1", "content-type": "application/json"}
    body = b'{"code": "x", "message": "x", "data": null}'
    answer = Exchange("listModels", None, "GET", "/v1/models", "valid", {}, b"", 429, headers, body)
    if value is not None:
        headers["retry-after"] = value
    broken = {rule for rule, problem in judge(contract(), answer, []) if problem}
    assert broken == {"retry_after_on_429"}


def test_a_date_says_when_to_come_back() -> None:
    headers = {"x-oneapi-request-id": "1", "content-type": "application/json"}
    headers["retry-after"] = "Wed, 21 Oct 2026 07:28:00 GMT"
    body = b'{"code": "x", "message": "x", "data": null}'
    answer = Exchange("listModels", None, "GET", "/v1/models", "valid", {}, b"", 429, headers, body)
    assert [rule for rule, problem in judge(contract(), answer, []) if problem] == []


def test_requests_that_are_made_up_find_what_no_walk_asks_for() -> None:
    """Ids with odd characters, unknown variants and extra methods are the business of schemathesis."""
    fake = FakeDeerAPI(render_seconds=0, api_keys=[KEY])
    app = create_app(fake, validate_answers=False)

    async def lenient(scope: Any, receive: Any, send: Any) -> None:
        scope["query_string"] = b""
        if scope["method"] == "DELETE":
            scope["method"] = "GET"
        await app(scope, receive, send)

    findings = Findings(contract(), strict=True)
    explore(findings, KEY, SOURCE, "http://127.0.0.1", app=lenient, only=["retrieveVideo", "downloadVideoContent"])
    broken = {each.rule: each for each in findings.broken}
    assert {"negative_data_rejection", "unsupported_method"} <= broken.keys()
    assert broken["unsupported_method"].curl.startswith("curl -sS -i -X DELETE ")
    assert KEY not in "".join(map(str, findings.broken))


def test_a_command_sends_the_same_request_again_and_holds_no_key() -> None:
    headers = {"content-type": "application/json", "user-agent": "x"}
    body = b'{"prompt": "it\'s"}'
    sent = Exchange("remixVideo", "a b", "POST", "/v1/videos/a%20b/remix", "valid", headers, body, 200, {}, b"")
    assert sent.curl == (
        "curl -sS -i -X POST -H \"Authorization: Bearer $DEERAPI_KEY\" -H 'content-type: application/json' "
        '--data-binary \'{"prompt": "it\'"\'"\'s"}\' "$DEERAPI_BASE_URL"/v1/videos/a%20b/remix'
    )
    shown = {"wrong": WRONG_KEY, "cut": "${DEERAPI_KEY%?}", "longer": "${DEERAPI_KEY}x", "none": None}
    for key, text in shown.items():
        refused = Exchange("listModels", None, "GET", "/v1/models", cast(Key, key), {}, b"", 401, {}, b"")
        header = f' -H "Authorization: Bearer {text}"' if text else ""
        assert refused.curl == f'curl -sS -i{header} "$DEERAPI_BASE_URL"/v1/models'


@pytest.mark.parametrize("echoed", [KEY, KEY[:-1], f"{KEY}x", KEY.swapcase()])
def test_neither_the_key_nor_what_was_made_of_it_is_shown(echoed: str) -> None:
    assert KEY[:-1].lower() not in without_key(f"no {echoed} is known", KEY).lower()


def test_a_key_of_a_few_letters_is_not_taken_out_of_words() -> None:
    assert without_key("many bytes", "any") == "many bytes"


# What the document demands of a request, and the rule that asks for the opposite.
DEMANDS = {
    "any key": "missing_key_refused",
    "a valid key": "wrong_key_refused",
    "video_id": "unknown_id_refused",
    "variant.enum": "unknown_variant_refused",
    "variant.type": "unknown_variant_refused",
    "content type": "other_content_type_refused",
    "body.type": "malformed_body_refused",
    "body.required": "missing_prompt_refused",
    **dict.fromkeys((f"body.prompt.{key}" for key in ("type", "minLength", "pattern")), "invalid_prompt_refused"),
    **dict.fromkeys((f"body.model.{key}" for key in ("type", "minLength", "pattern")), "invalid_model_refused"),
}
# Where the rule is another.
DEMANDS_OF_ONE = {("remixVideo", "video_id"): "unknown_source_refused"}
ANNOTATIONS = {"description", "examples", "x-source", "properties"}


def demands() -> Iterator[tuple[str, str]]:
    """Every keyword of every schema of a request, and what else a request must have, for each operation."""
    for _, _, operation in contract().operations():
        yield from ((operation["operationId"], demand) for demand in demands_of(operation))


def demands_of(operation: Mapping[str, Any]) -> Iterator[str]:
    document = contract()
    for _ in operation["security"]:
        yield from ("any key", "a valid key")
    yield from document.parameters(operation, "path")
    for parameter, node in document.parameters(operation, "query").items():
        yield from (f"{parameter}.{key}" for key in node["schema"].keys() - ANNOTATIONS)
    for media in operation.get("requestBody", {}).get("content", {}).values():
        yield "content type"
        body = document.joined(media["schema"])
        yield from (f"body.{key}" for key in body.keys() - ANNOTATIONS)
        for field, schema in body["properties"].items():
            yield from (f"body.{field}.{key}" for key in schema.keys() - ANNOTATIONS)


def test_everything_that_the_document_demands_of_a_request_is_asked_the_other_way_round() -> None:
    made = list(demands())
    assert {demand for _, demand in made} == set(DEMANDS)
    noted = findings_of(lambda wire: None).noted
    rules = {each: DEMANDS_OF_ONE.get(each, DEMANDS[each[1]]) for each in made}
    assert [each for each, rule in rules.items() if (each[0], rule) not in noted] == []


@pytest.mark.parametrize(
    ("problem", "data"),
    [
        (mp4_problem, b""),
        (mp4_problem, MP4),
        (mp4_problem, MP4 + b"\0\0\0\x09mdat"),
        (mp4_problem, MP4 + b"\0\0\0\x01mdat"),
        (mp4_problem, MP4[8:] + b"\0\0\0\x08mdat"),
        (webp_problem, b"RIFF\x05\0\0\0WEBP"),
        (webp_problem, b"<html>"),
        (jpeg_problem, b"\xff\xd8\xff"),
        (jpeg_problem, b"<html>"),
    ],
)
def test_a_damaged_file_is_told_from_a_whole_one(problem: Callable[[bytes], str | None], data: bytes) -> None:
    assert problem(data)


@pytest.mark.parametrize("size", [b"\0\0\0\x08mdat", b"\0\0\0\0mdat12", b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x12-2"])
def test_a_box_may_tell_its_size_in_three_ways(size: bytes) -> None:
    assert mp4_problem(MP4 + size) is None


def test_a_documented_answer_that_is_not_sent_or_not_checked_is_a_gap() -> None:
    coverage = Coverage(contract())
    for answer in contract().answers():
        coverage.record(*answer)
    assert coverage.gaps == []
    documented = ("listModels", 200, "application/json")
    coverage.checked[documented] = 0
    assert coverage.gaps == ["listModels 200 application/json: sent, never checked"]
    coverage.sent[documented] = 0
    assert coverage.gaps == ["listModels 200 application/json: documented, never sent"]
    assert '<failure message="documented, never sent" />' in coverage.junit()
    assert "- listModels 200 application/json: documented, never sent" in coverage.markdown()


def test_an_answer_outside_the_document_is_a_row_and_no_gap() -> None:
    coverage = Coverage(contract())
    for answer in [*contract().answers(), ("listModels", 418, "")]:
        coverage.record(*answer)
    assert coverage.gaps == []
    assert coverage.table().splitlines()[-1].split() == ["listModels", "418", "(none)", "no", "1", "1"]

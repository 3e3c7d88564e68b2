"""What the client sends, judged against the document: valid input for every operation, then what is nasty.

Valid input is written by hand and generated. It is sent once; every rule then looks at all of it.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from itertools import starmap
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl, unquote

import attrs
import httpx
import pytest
from schemathesis import Case

from . import generation
from .clients import HOST, KEY, Answer, Outcome, Twin
from .document import Document, check
from .operations import OPERATIONS, WITH_AN_ID

COUNT = 50

operations = pytest.mark.parametrize("operation_id", OPERATIONS)
with_an_id = pytest.mark.parametrize("operation_id", WITH_AN_ID)

# What is answered where a picture is asked for.
PICTURES = {
    "thumbnail": ("image/webp", b"RIFF\x04\0\0\0WEBP"),
    "spritesheet": ("image/jpeg", b"\xff\xd8\xff\xe0\xff\xd9"),
}

# Headers that carry no meaning of the API's.
TRANSPORT_HEADERS = {"host", "accept", "accept-encoding", "connection", "user-agent", "content-length"}

HOSTILE_IDS = {
    "a/b": "a%2Fb",
    "/": "%2F",
    "../models": "..%2Fmodels",
    "...": "...",
    "..\\": "..%5C",
    "..\\models": "..%5Cmodels",
    ".a": ".a",
    "%2F": "%252F",
    "%2e%2e": "%252e%252e",
    "a%20b": "a%2520b",
    "%": "%25",
    "a?b": "a%3Fb",
    "a#b": "a%23b",
    "a b": "a%20b",
    " a ": "%20a%20",
    "a+b": "a%2Bb",
    "a&b=c;d,e": "a%26b%3Dc%3Bd%2Ce",
    "a:b@c": "a%3Ab%40c",
    "https://evil.example/": "https%3A%2F%2Fevil.example%2F",
    "{video_id}": "%7Bvideo_id%7D",
    "é": "%C3%A9",
    "e\u0301": "e%CC%81",
    "🐈": "%F0%9F%90%88",
    "\u202eid": "%E2%80%AEid",
    "a~b-c_d.e": "a~b-c_d.e",
    "x" * 2000: "x" * 2000,
}
PROMPTS = [
    "cry",
    "Extend the scene with the cat taking a bow to the cheering audience",
    "first line\nsecond line\r\n\tthird",
    "  spaces around  \n",
    'quotes " and \\ and / and {braces} and %s and $prompt',
    "é 猫 🐈 e\u0301 \u202e \ufeff \u2028",
    "nul \0 and bell \a",
    "null",
    "<script>alert(1)</script>",
    "x" * 200_000,
    "猫" * 50_000,
]


def refused_by_design(value: str, *, is_id: bool) -> bool:
    """Whether the client takes no such id, or no such prompt or model, whatever the document says."""
    controls = any(unicodedata.category(character) == "Cc" for character in value)
    surrogates = any("\ud800" <= character <= "\udfff" for character in value)
    return not value.strip() or surrogates or (is_id and (value in (".", "..") or controls))


@attrs.frozen
class Input:
    """What the client is asked for; `case` is what schemathesis generated."""

    video_id: str | None
    fields: Mapping[str, str]
    case: Case[Any] | None = None

    def __str__(self) -> str:
        return f"video_id {self.video_id!r}, {self.fields!r}"

    @property
    def refused(self) -> bool:
        texts = [value for name, value in self.fields.items() if name != "variant"]
        by_id = self.video_id is not None and refused_by_design(self.video_id, is_id=True)
        return by_id or any(refused_by_design(text, is_id=False) for text in texts)


@attrs.frozen
class Sent:
    """An input, and what became of it."""

    asked: Input
    outcome: Outcome

    @property
    def request(self) -> httpx.Request:
        return self.outcome.requests[0]

    def __str__(self) -> str:
        return str(self.asked)


def generated(operation_id: str) -> list[Input]:
    found = []
    named = {name for _, fields in OPERATIONS[operation_id].inputs for name in fields}
    for case in generation.requests(operation_id, COUNT):
        video_id = case.path_parameters.get("video_id")
        body = case.body if isinstance(case.body, dict) else {}
        # Of a body the client sends what the document names; further fields cannot be asked for.
        fields = {name: value for name, value in body.items() if name in named}
        texts = {name: str(value) for name, value in {**fields, **case.query}.items()}
        found.append(Input(None if video_id is None else unquote(str(video_id)), texts, case))
    return found


def ask(twin: Twin, operation_id: str, folder: Path, video_id: str | None, fields: Mapping[str, str]) -> Outcome:
    """Have the client do an operation, on an answer that fits."""
    operation = OPERATIONS[operation_id]
    arguments: list[Any] = [] if video_id is None else [video_id]
    body, options = operation.answer, dict[str, Any](fields)
    if operation_id == "retrieveVideo":
        body = {**body, "id": video_id}
    if operation_id == "downloadVideoContent":
        arguments.append(folder / "file")
        options["overwrite"] = True
    kind, body = PICTURES.get(fields.get("variant", ""), (operation.content_type, body))
    answer = Answer(200, body, kind=kind)
    return twin.call(operation.method, *arguments, answers=[answer], **options)


class Sending:
    """Every generated input of an operation that is not refused by design, sent once, when it is first looked at."""

    _sent: ClassVar[dict[tuple[str, str], list[Sent]]] = {}

    def __init__(self, twin: Twin, operation_id: str, folder: Path) -> None:
        self._twin, self._operation_id, self._folder = twin, operation_id, folder

    def __iter__(self) -> Iterator[Sent]:
        """Those of which a request came; no rule is kept by a client that sends nothing."""
        found = [one for one in self.all() if one.outcome.requests]
        assert found, f"{self._operation_id}: no request was sent: {self.all()[0].outcome}"
        return iter(found)

    def all(self) -> list[Sent]:
        key = (self._twin.name, self._operation_id)
        if key not in self._sent:
            valid = [one for one in generated(self._operation_id) if not one.refused]
            asked = [*starmap(Input, OPERATIONS[self._operation_id].inputs), *valid]
            self._sent[key] = [Sent(one, self._send(one)) for one in asked]
        return self._sent[key]

    def _send(self, one: Input) -> Outcome:
        return ask(self._twin, self._operation_id, self._folder, one.video_id, one.fields)


@pytest.fixture
def sent(twin: Twin, operation_id: str, tmp_path: Path) -> Sending:
    return Sending(twin, operation_id, tmp_path)


# ---- Valid input


@operations
def test_every_valid_input_is_sent_once(operation_id: str, sent: Sending) -> None:
    check(
        f"{operation_id}: {len(one.outcome.requests)} requests, {one.outcome} for {one}"
        for one in sent.all()
        if len(one.outcome.requests) != 1 or one.outcome.error
    )


@operations
def test_the_method_is_the_documented_one(operation_id: str, sent: Sending, document: Document) -> None:
    method, _, _ = document.operation(operation_id)
    check(f"{operation_id}: method {one.request.method}, not {method}" for one in sent if one.request.method != method)


@operations
def test_the_host_is_that_of_the_document(operation_id: str, sent: Sending, document: Document) -> None:
    server = document.raw["servers"][0]["url"]
    assert server == HOST, f"#/servers is {server}, the client is told {HOST}"
    check(
        f"{operation_id}: sent to {one.request.url}"
        for one in sent
        if f"{one.request.url.scheme}://{one.request.url.netloc.decode()}" != server
    )


@operations
def test_the_path_is_the_documented_one(operation_id: str, sent: Sending, document: Document) -> None:
    _, template, _ = document.operation(operation_id)
    pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template))
    for one in sent:
        path = one.request.url.raw_path.decode("ascii").partition("?")[0]
        match = re.fullmatch(pattern, path)
        assert match, f"{operation_id}: path {path} is no {template}, for {one}"
        found = unquote(match["video_id"], errors="strict") if "video_id" in match.groupdict() else None
        assert found == one.asked.video_id, f"{operation_id}: path {path} names {found!r}, for {one}"


@operations
def test_the_path_parameter_is_valid(operation_id: str, sent: Sending, document: Document) -> None:
    for name, parameter in document.parameters(document.operation(operation_id)[2], "path").items():
        for one in sent:
            check(document.problems(parameter["schema"], one.asked.video_id, f"{operation_id}: {name}"))


@operations
def test_the_query_is_declared_and_what_was_asked(operation_id: str, sent: Sending, document: Document) -> None:
    declared = document.parameters(document.operation(operation_id)[2], "query")
    for one in sent:
        query = dict(parse_qsl(one.request.url.query.decode("ascii"), keep_blank_values=True, strict_parsing=False))
        asked = {name: value for name, value in one.asked.fields.items() if name in declared}
        assert query == asked, f"{operation_id}: query {query}, expected {asked}, for {one}"
        for name, value in query.items():
            check(document.problems(declared[name]["schema"], value, f"{operation_id}: query {name}"))


@operations
def test_no_header_is_undeclared(operation_id: str, sent: Sending, document: Document) -> None:
    *_, operation = document.operation(operation_id)
    allowed = TRANSPORT_HEADERS | {name.lower() for name in document.parameters(operation, "header")}
    allowed |= {"authorization"} | ({"content-type"} if "requestBody" in operation else set())
    for one in sent:
        undeclared = sorted(set(one.request.headers) - allowed)
        assert not undeclared, f"{operation_id}: undeclared headers {', '.join(undeclared)}"
        assert len(set(one.request.headers)) == len(one.request.headers.raw), f"{operation_id}: a header comes twice"


@operations
def test_the_key_is_sent_as_documented(operation_id: str, sent: Sending, document: Document) -> None:
    *_, operation = document.operation(operation_id)
    (scheme,) = operation["security"][0]
    described = document.raw["components"]["securitySchemes"][scheme]
    assert (described["type"], described["scheme"]) == ("http", "bearer"), f"{operation_id}: {scheme} is {described}"
    for one in sent:
        found = one.request.headers.get_list("Authorization")
        assert found == [f"Bearer {KEY}"], f"{operation_id}: Authorization is {found}"
        assert KEY not in str(one.request.url), f"{operation_id}: the key is in the URL"


@operations
def test_the_body_is_valid_and_what_was_asked(operation_id: str, sent: Sending, document: Document) -> None:
    *_, operation = document.operation(operation_id)
    for one in sent:
        if "requestBody" not in operation:
            assert one.request.content == b"", f"{operation_id}: body {one.request.content!r}, expected none"
            continue
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        body = json.loads(one.request.content)
        check(document.problems(schema, body, f"{operation_id}: body"))
        undeclared = sorted(set(body) - set(document.resolved(schema)["properties"]))
        assert not undeclared, f"{operation_id}: body has undeclared {', '.join(undeclared)}"
        assert body == one.asked.fields, f"{operation_id}: body {body!r}, for {one}"


@operations
def test_the_content_type_is_documented(operation_id: str, sent: Sending, document: Document) -> None:
    documented = list(document.operation(operation_id)[2].get("requestBody", {}).get("content", {}))
    for one in sent:
        found = one.request.headers.get_list("Content-Type")
        assert found == documented, f"{operation_id}: content type {found}, expected {documented}"


@operations
def test_the_request_is_the_one_that_schemathesis_makes(operation_id: str, sent: Sending) -> None:
    for one in sent:
        if (case := one.asked.case) is None:
            continue
        arguments = case.as_transport_kwargs(base_url=HOST)
        if isinstance(case.body, dict):
            arguments["json"] = {name: value for name, value in case.body.items() if name in one.asked.fields}
        expected = httpx.Request(
            arguments["method"], arguments["url"], params=arguments["params"] or None, json=arguments.get("json")
        )
        assert one.request.method == expected.method, f"{operation_id}: {one.request.method}, not {expected.method}"
        found, wanted = (unquote(str(each.url), errors="strict") for each in (one.request, expected))
        assert found == wanted, f"{operation_id}: URL {one.request.url}, schemathesis makes {expected.url}"
        if expected.content:
            found_body, wanted_body = json.loads(one.request.content), json.loads(expected.content)
            assert found_body == wanted_body, f"{operation_id}: {found_body!r}, schemathesis makes {wanted_body!r}"


@operations
def test_generated_input_is_refused_where_the_design_says_so(operation_id: str, twin: Twin, tmp_path: Path) -> None:
    for one in generated(operation_id):
        if one.refused:
            outcome = ask(twin, operation_id, tmp_path, one.video_id, one.fields)
            assert isinstance(outcome.error, ValueError), f"{operation_id}: {outcome} for {one}"
            assert not outcome.requests, f"{operation_id}: sent although refused, {one}"


# ---- Input by hand


@with_an_id
def test_a_hostile_id_stays_one_segment(operation_id: str, twin: Twin, tmp_path: Path) -> None:
    for video_id, segment in HOSTILE_IDS.items():
        outcome = ask(twin, operation_id, tmp_path, video_id, OPERATIONS[operation_id].fields)
        found = [request.url.raw_path.decode("ascii") for request in outcome.requests]
        expected = OPERATIONS[operation_id].path.format(segment)
        assert found == [expected], f"{operation_id}: {found}, expected {expected}; {outcome}"


@pytest.mark.parametrize("model", [None, "sora-2", "sora-2-pro", "a/b é\n"], ids=ascii)
def test_a_prompt_arrives_as_it_is_with_and_without_a_model(
    model: str | None, twin: Twin, tmp_path: Path, document: Document
) -> None:
    for prompt in PROMPTS:
        expected = {"prompt": prompt} if model is None else {"prompt": prompt, "model": model}
        outcome = ask(twin, "remixVideo", tmp_path, "video_123", expected)
        assert len(outcome.requests) == 1, f"remixVideo: {len(outcome.requests)} requests; {outcome}"
        body = json.loads(outcome.requests[0].content)
        assert body == expected, f"remixVideo: body {str(body)[:200]}, expected {str(expected)[:200]}"
        check(document.problems(document.raw["components"]["schemas"]["RemixRequest"], body, "remixVideo: body"))


def test_waiting_polls_the_documented_operation(twin: Twin, document: Document) -> None:
    job = {"id": "a/b", "status": "queued"}
    outcome = twin.call("wait", "a/b", answers=[Answer(200, job), Answer(200, job | {"status": "completed"})])
    method, path, _ = document.operation("retrieveVideo")
    expected = (method, path.replace("{video_id}", "a%2Fb"))
    found = [(request.method, request.url.raw_path.decode("ascii")) for request in outcome.requests]
    assert found == [expected, expected], f"retrieveVideo: {found}, expected {expected} twice; {outcome}"


def test_remix_to_file_sends_the_three_operations_in_turn(twin: Twin, tmp_path: Path, document: Document) -> None:
    job = {"id": "new/1", "status": "queued"}
    file = Answer(200, b"\0\0\0\x08moov", kind="video/mp4")
    answers = [Answer(200, job), Answer(200, job | {"status": "completed"}), file]
    outcome = twin.call("remix_to_file", "old/1", tmp_path / "file", prompt="cry", answers=answers)
    ids = {"remixVideo": "old%2F1", "retrieveVideo": "new%2F1", "downloadVideoContent": "new%2F1"}
    expected = []
    for operation_id, video_id in ids.items():
        method, path, _ = document.operation(operation_id)
        expected.append((method, path.replace("{video_id}", video_id)))
    found = [(request.method, request.url.raw_path.decode("ascii")) for request in outcome.requests]
    assert found == expected, f"remixVideo: {found}, expected {expected}; {outcome}"

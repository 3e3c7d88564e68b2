"""Faults in the document: what breaks released clients, what is not the vendor's, and what drifts unseen."""

from __future__ import annotations

from typing import Any

from contract_tests.edits import GONE, Renamed
from contract_tests.teeth.faults import Edit, Fault, Text, Values

_PATHS = "paths:/v1/videos/{video_id}"
_REMIX = f"{_PATHS}/remix:post"
_RETRIEVE = f"{_PATHS}:get"
_DOWNLOAD = f"{_PATHS}/content:get"
_LIST = "paths:/v1/models:get"
_REMIXED = f"{_REMIX}:responses:200"
_PART = f"{_DOWNLOAD}:responses:206"
_JSON = "content:application/json"

_PARAMETERS = "components:parameters"
_HEADERS = "components:headers"
_RESPONSES = "components:responses"
_SCHEMAS = "components:schemas"
_REQUEST = f"{_SCHEMAS}:RemixRequest"
_ACCEPTED = f"{_SCHEMAS}:RemixJob"
_JOB = f"{_SCHEMAS}:VideoJob"
_FIELDS = "allOf:1:properties"
_TEXT = {"type": "string"}
_KEY_HEADER = {"type": "apiKey", "in": "header", "name": "X-Api-Key"}
_NEW_HEADER = {"name": "Idempotency-Key", "in": "header", "required": True, "schema": _TEXT, "example": "one"}

# What is wrong, the rule that must notice, and the edit: other values by place, or another text.
Row = tuple[str, str, dict[str, Any] | Text]


def _faults(tests: str, *rows: Row) -> list[Fault]:
    found = []
    for name, rule, change in rows:
        edit: Edit = Values(change) if isinstance(change, dict) else change
        found.append(Fault(f"document: {name}", "openapi.yaml", edit, f"contract_tests/test_{tests}.py::test_{rule}"))
    return found


def _operation(operation_id: str) -> str:
    return f"the_operation_is_word_for_word[{operation_id}]"


def _component(kind: str, name: str) -> str:
    return f"the_component_is_word_for_word[{kind}-{name}]"


_BREAKING: dict[str, dict[str, Any]] = {
    "remix at another path": {f"{_PATHS}/remix": Renamed("/v1/videos/{video_id}/remixes")},
    "remix with another method": {_REMIX: Renamed("put")},
    "an operation has another id": {f"{_LIST}:operationId": "getModels"},
    "the server is another": {"servers:0:url": "https://api.deerapi.com/v2"},
    "a model is required": {f"{_REQUEST}:required": ["prompt", "model"]},
    "a prompt has a length": {f"{_REQUEST}:properties:prompt:maxLength": 4000},
    "a model is one of a few": {f"{_REQUEST}:properties:model:enum": ["sora-2", "sora-2-pro"]},
    "no further fields are taken": {f"{_REQUEST}:additionalProperties": False},
    "a variant is gone": {f"{_PARAMETERS}:Variant:schema:enum": ["video", "thumbnail"]},
    "a variant is required": {f"{_PARAMETERS}:Variant:required": True},
    "a new header is required": {f"{_REMIX}:parameters:1": _NEW_HEADER},
    "ids are numbers": {f"{_SCHEMAS}:Identifier:not": {"pattern": "[^0-9]"}},
    "a poll need not have its status": {f"{_JOB}:required": ["id"]},
    "a job need not have its source": {f"{_ACCEPTED}:required:8": GONE},
    "a field of a poll is renamed": {f"{_JOB}:{_FIELDS}:expires_at": Renamed("expired_at")},
    "a poll loses its error": {f"{_JOB}:{_FIELDS}:error": GONE},
    "a time may be text": {f"{_JOB}:{_FIELDS}:completed_at:type": ["integer", "string", "null"]},
    "the job's error may be text": {f"{_JOB}:{_FIELDS}:error:oneOf:2": _TEXT},
    "ids may be empty": {f"{_SCHEMAS}:Identifier:minLength": GONE, f"{_SCHEMAS}:Identifier:pattern": GONE},
    "the request ID of a failure is no promise": {f"{_HEADERS}:RequestIdOfFailure:required": False},
    "the range of a part may be anything": {f"{_HEADERS}:ContentRange:schema:pattern": GONE},
    "a code of an error may be missing": {f"{_SCHEMAS}:FlatError:required": ["message"]},
    "a third shape of errors": {f"{_SCHEMAS}:Error:anyOf:2": _TEXT},
    "a remix answers 202": {_REMIXED: Renamed("202")},
    "another key is asked for": {"components:securitySchemes:bearerAuth": _KEY_HEADER},
    "a picture has another type": {f"{_DOWNLOAD}:responses:200:content:image/webp": Renamed("image/png")},
}
_BREAKS = "this_document_breaks_no_released_client"

_WORDING = _faults(
    "document",
    ("an operation of one's own", "nothing_but_these_operations", {"paths:/v1/balance": {"get": {"responses": {}}}}),
    ("a schema of one's own", "nothing_but_these_components", {f"{_SCHEMAS}:Seed": {"type": "integer"}}),
    ("a field of one's own", "remix_takes_the_vendors_body", {f"{_REQUEST}:properties:seed": {"type": "integer"}}),
    (
        "a field of the answer of one's own",
        "remix_gives_the_vendors_answer",
        {f"{_ACCEPTED}:{_FIELDS}:cost": {"type": "number"}},
    ),
    ("a prompt is optional", "remix_takes_the_vendors_body", {f"{_REQUEST}:required": []}),
    ("a prompt may be blank", _component("schemas", "RemixRequest"), {f"{_REQUEST}:properties:prompt:pattern": GONE}),
    (
        "a prompt may be null",
        _component("schemas", "RemixRequest"),
        {f"{_REQUEST}:properties:prompt:type": ["string", "null"]},
    ),
    ("a variant more", _component("parameters", "Variant"), {f"{_PARAMETERS}:Variant:schema:enum:3": "gif"}),
    ("progress may be beyond 100", _component("schemas", "Job"), {f"{_SCHEMAS}:Job:properties:progress:maximum": GONE}),
    ("a poll has a field of one's own", _component("schemas", "VideoJob"), {f"{_JOB}:{_FIELDS}:eta": _TEXT}),
    ("an operation is deprecated", _operation("listModels"), {f"{_LIST}:deprecated": True}),
    ("a path parameter is optional", "the_document_is_valid_openapi_3_1", {f"{_PARAMETERS}:VideoId:required": False}),
    ("the security of an operation is gone", "every_operation_names_its_security", {f"{_REMIX}:security": GONE}),
    ("the security of an operation is optional", "every_operation_names_its_security", {f"{_REMIX}:security:1": {}}),
    (
        "the scheme of the key is basic",
        "remix_takes_the_vendors_bearer_key",
        {"components:securitySchemes:bearerAuth:scheme": "basic"},
    ),
    ("the server is a test system", "the_server_is_the_vendors", {"servers:0:url": "http://localhost:8000"}),
    ("the body is optional", _operation("remixVideo"), {f"{_REMIX}:requestBody:required": False}),
    (
        "the body is a form",
        "remix_takes_the_vendors_body",
        {f"{_REMIX}:requestBody:{_JSON}": Renamed("application/x-www-form-urlencoded")},
    ),
    (
        "a file has another type",
        _operation("downloadVideoContent"),
        {f"{_PART}:content:video/mp4": Renamed("video/webm")},
    ),
    (
        "Retry-After is gone from 503",
        _component("responses", "ServiceUnavailable"),
        {f"{_RESPONSES}:ServiceUnavailable:headers:Retry-After": GONE},
    ),
)

_EXAMPLE = f"{_REMIXED}:{_JSON}:example"
_LINKED = f"{_REMIXED}:links:content"
_KNOWN = "every_key_is_one_that_openapi_knows"
_ONCE = "keys_are_strings_and_given_once"
_SOURCE = "every_part_names_its_source"
_VALID = "every_example_is_valid"
_LIST_ID = '      operationId: "listModels"\n'

_FORM = _faults(
    "document",
    ("a key is misspelt", _KNOWN, {f"{_REQUEST}:required": Renamed("requred")}),
    ("a key is misspelt in a parameter", _KNOWN, {f"{_PARAMETERS}:Variant:required": Renamed("requird")}),
    ("a key of OpenAPI 3.0", _KNOWN, {f"{_JOB}:{_FIELDS}:prompt:nullable": True}),
    ("a key is given twice", _ONCE, Text(_LIST_ID, _LIST_ID * 2)),
    ("a status is not quoted", _ONCE, Text('        "206":\n', "        206:\n")),
    ("another version of OpenAPI", "the_document_is_valid_openapi_3_1", {"openapi": "3.0.3"}),
    (
        "an operationId is given twice",
        "every_operation_has_an_id_of_its_own",
        {f"{_LIST}:operationId": "retrieveVideo"},
    ),
    ("an operationId is missing", "every_operation_has_an_id_of_its_own", {f"{_LIST}:operationId": GONE}),
    ("a summary is missing", "every_operation_has_a_summary", {f"{_LIST}:summary": GONE}),
    ("a source is missing", _SOURCE, {f"{_LIST}:x-source": GONE}),
    ("a source of a schema is missing", _SOURCE, {f"{_SCHEMAS}:Error:x-source": GONE}),
    ("a source has no grade", _SOURCE, {f"{_SCHEMAS}:Error:x-source": "both shapes are seen"}),
    (
        "a reference leads nowhere",
        "every_reference_resolves_to_its_kind",
        {f"{_RESPONSES}:TooManyRequests:headers:Retry-After:$ref": "#/components/headers/Retry"},
    ),
    ("a component is used nowhere", "every_component_is_used", {f"{_JOB}:{_FIELDS}:error:oneOf:0": _TEXT}),
    ("a link leads to no operation", "every_link_leads_somewhere", {f"{_LINKED}:operationId": "fetchVideo"}),
    (
        "a link takes a field that is not there",
        "every_link_leads_somewhere",
        {f"{_LINKED}:parameters:video_id": "$response.body#/video_id"},
    ),
    ("an example of a job is out of date", _VALID, {f"{_EXAMPLE}:progress": "0%"}),
    ("an example lacks a field", _VALID, {f"{_EXAMPLE}:size": GONE}),
    ("an example of a parameter is out of date", _VALID, {f"{_PARAMETERS}:Variant:example": "original"}),
    ("an example of a field is out of date", _VALID, {f"{_REQUEST}:properties:prompt:examples": [" "]}),
    (
        "an example is missing",
        "every_answer_has_an_example_for_every_media_type",
        {f"{_PART}:content:video/mp4:example": GONE},
    ),
    (
        "an example of a header is missing",
        "every_parameter_and_header_has_an_example",
        {f"{_HEADERS}:ContentRange:example": GONE},
    ),
    (
        "the example of the body is missing",
        "every_request_body_has_an_example",
        {f"{_REMIX}:requestBody:{_JSON}:example": GONE},
    ),
    (
        "one shape of an error is not shown",
        "every_error_shows_both_shapes",
        {f"{_RESPONSES}:BadRequest:{_JSON}:examples:flat": GONE},
    ),
    (
        "the example is not the vendor's",
        "remix_shows_the_vendors_prompt",
        {f"{_REMIX}:requestBody:{_JSON}:example:prompt": "The cat bows"},
    ),
    (
        "an answer has a closed enum",
        "no_answer_has_a_closed_enum",
        {f"{_SCHEMAS}:Job:properties:status:enum": ["queued", "in_progress", "completed", "failed"]},
    ),
    (
        "a status is a default",
        "every_status_is_a_number_of_three_digits",
        {f"{_DOWNLOAD}:responses:default": {"$ref": "#/components/responses/BadRequest"}},
    ),
    (
        "the request ID of a failure is another header",
        "every_error_requires_a_request_id",
        {f"{_RESPONSES}:Unauthorized:headers:X-Oneapi-Request-Id": Renamed("X-Request-Id")},
    ),
    ("a path parameter has another name", "every_path_parameter_is_in_its_path", {f"{_PARAMETERS}:VideoId:name": "id"}),
)

_STALE = "regenerating_changes_nothing"
_SEED = {"description": "For the same video again.", "type": "integer"}

_DRIFT = [
    *_faults(
        "generated_client",
        ("the copy in the client is stale", "the_copy_of_the_document_is_current", {"info:version": "1.0.9"}),
        ("the client is stale", _STALE, {f"{_LIST}:summary": "List every model that is served now"}),
        ("the client has a field less", _STALE, {f"{_REQUEST}:properties:seed": _SEED}),
    ),
    *_faults(
        "requests",
        ("the method is not the client's", "the_method_is_the_documented_one", {_REMIX: Renamed("put")}),
        ("the path is not the client's", "the_path_is_the_documented_one", {_PATHS: Renamed("/v1/jobs/{video_id}")}),
        (
            "the query is not the client's",
            "the_query_is_declared_and_what_was_asked",
            {f"{_PARAMETERS}:Variant:name": "format"},
        ),
        (
            "the body is not the client's",
            "a_prompt_arrives_as_it_is_with_and_without_a_model",
            {f"{_REQUEST}:required:1": "seconds"},
        ),
    ),
    *_faults(
        "answers",
        (
            "the answer is not the client's",
            "a_valid_list_comes_back_whole",
            {f"{_SCHEMAS}:ModelCard:properties:created:type": "string"},
        ),
        ("a status is not the client's", "the_rest_of_a_file_joins_its_beginning", {_PART: Renamed("207")}),
    ),
]

FAULTS = [
    *_faults("breaking", *((f"breaking: {name}", _BREAKS, edits) for name, edits in _BREAKING.items())),
    *_WORDING,
    *_FORM,
    *_DRIFT,
]

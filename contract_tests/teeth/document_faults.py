"""Faults in the document: what breaks released clients, what is not the vendor's, and what drifts unseen."""

# ruff: noqa: E501  # A table: one fault a line, with the text that it replaces.

from __future__ import annotations

from contract_tests.teeth.faults import Fault


def _document(name: str, old: str, new: str, rule: str, tests: str = "document") -> Fault:
    return Fault(f"document: {name}", "openapi.yaml", old, new, f"contract_tests/test_{tests}.py::test_{rule}")


def _operation(operation_id: str) -> str:
    return f"the_operation_is_word_for_word[{operation_id}]"


def _component(kind: str, name: str) -> str:
    return f"the_component_is_word_for_word[{kind}-{name}]"


# Anchors: the first lines of a part, which stand once where the line that is edited stands often.
_REMIX = '  "/v1/videos/{video_id}/remix":\n    post:\n'
_REMIX_SECURITY = 'vendor\'s page of the remix endpoint"\n      tags: ["videos"]\n'
_JOB = '  "/v1/videos/{video_id}":\n    get:\n'
_VIDEO_ID = '    VideoId:\n      name: "video_id"\n      in: "path"\n      required: true\n'
_VARIANTS = 'enum: ["video", "thumbnail", "spritesheet"]'
_FAILED_ID = 'log it"\n      required: true\n'
_PROMPT = 'description: "What should happen in the new video."\n          type: "string"\n          minLength: 1\n          pattern: "\\\\S"\n'
_POLL_FIELDS = 'required: ["id", "status"]\n'
_IDENTIFIER = 'use in a path"\n      type: "string"\n'
_LINKS = 'description: "Fetch its file, once it is completed"\n              parameters:\n                video_id: "$response.body#/'

_BREAKS = "this_document_breaks_no_released_client"


def _breaking(name: str, old: str, new: str) -> Fault:
    return _document(f"breaking: {name}", old, new, _BREAKS, "breaking")


_BREAKING = [
    _breaking("remix at another path", _REMIX, _REMIX.replace("remix", "remixes")),
    _breaking("remix with another method", _REMIX, _REMIX.replace("post", "put")),
    _breaking("an operation has another id", 'operationId: "listModels"', 'operationId: "getModels"'),
    _breaking("the server is another", 'url: "https://api.deerapi.com"', 'url: "https://api.deerapi.com/v2"'),
    _breaking("a model is required", 'required: ["prompt"]', 'required: ["prompt", "model"]'),
    _breaking("a prompt has a length", _PROMPT, f"{_PROMPT}          maxLength: 4000\n"),
    _breaking("a model is one of a few", 'the server chooses."\n          type: "string"\n', 'the server chooses."\n          type: "string"\n          enum: ["sora-2", "sora-2-pro"]\n'),
    _breaking("no further fields are taken", 'required: ["prompt"]\n', 'required: ["prompt"]\n      additionalProperties: false\n'),
    _breaking("a variant is gone", _VARIANTS, 'enum: ["video", "thumbnail"]'),
    _breaking("a variant is required", 'in: "query"\n      required: false', 'in: "query"\n      required: true'),
    _breaking("a new header is required", "        - $ref: \"#/components/parameters/SourceVideoId\"\n", "        - $ref: \"#/components/parameters/SourceVideoId\"\n        - name: \"Idempotency-Key\"\n          in: \"header\"\n          required: true\n          schema:\n            type: \"string\"\n          example: \"one\"\n"),
    _breaking("ids are numbers", '    Identifier:\n', '    Identifier:\n      not:\n        pattern: "[^0-9]"\n'),
    _breaking("a poll need not have its status", _POLL_FIELDS, 'required: ["id"]\n'),
    _breaking("a job need not have its source", '        - "remixed_from_video_id"\n      properties', "      properties"),
    _breaking("a field of a poll is renamed", "        expires_at:\n          description", "        expired_at:\n          description"),
    _breaking("a poll loses its error", 'error:\n          description: "Why the job failed."\n          oneOf:\n            - $ref: "#/components/schemas/VideoJobError"\n            - type: "null"\n        size', "size"),
    _breaking("a time may be text", 'Unix seconds."\n          type: ["integer", "null"]\n        expires_at', 'Unix seconds."\n          type: ["integer", "string", "null"]\n        expires_at'),
    _breaking("the job's error may be text", '            - $ref: "#/components/schemas/VideoJobError"\n', '            - $ref: "#/components/schemas/VideoJobError"\n            - type: "string"\n'),
    _breaking("ids may be empty", _IDENTIFIER + "      minLength: 1\n      pattern: \"\\\\S\"\n", _IDENTIFIER),
    _breaking("the request ID of a failure is no promise", _FAILED_ID, _FAILED_ID.replace("true", "false")),
    _breaking("the range of a part may be anything", '        pattern: "^bytes [0-9]+-[0-9]+/([0-9]+|\\\\*)$"\n', ""),
    _breaking("a code of an error may be missing", '      required: ["code", "message"]\n      properties:\n        code:\n          description: "For programs."\n          type: ["string", "integer"]', '      required: ["message"]\n      properties:\n        code:\n          description: "For programs."\n          type: ["string", "integer"]'),
    _breaking("a third shape of errors", '        - $ref: "#/components/schemas/FlatError"\n', '        - $ref: "#/components/schemas/FlatError"\n        - type: "string"\n'),
    _breaking("a remix answers 202", '        "200":\n          description: "The job was accepted"', '        "202":\n          description: "The job was accepted"'),
    _breaking("another key is asked for", '      type: "http"\n      scheme: "bearer"\n', '      type: "apiKey"\n      in: "header"\n      name: "X-Api-Key"\n'),
    _breaking("a picture has another type", '            "image/webp":\n              schema:\n                $ref: "#/components/schemas/ThumbnailContent"\n              example: "RIFF', '            "image/png":\n              schema:\n                $ref: "#/components/schemas/ThumbnailContent"\n              example: "RIFF'),
]  # fmt: skip

_WORDING = [
    _document("an operation of one's own", '  "/v1/models":\n', '  "/v1/balance":\n    get:\n      operationId: "getBalance"\n      responses: {}\n  "/v1/models":\n', "nothing_but_these_operations"),
    _document("a schema of one's own", "  schemas:\n    Identifier:", "  schemas:\n    Seed:\n      type: \"integer\"\n    Identifier:", "nothing_but_these_components"),
    _document("a field of one's own", '        model:\n          description: "A model ID', '        seed:\n          type: "integer"\n        model:\n          description: "A model ID', "remix_takes_the_vendors_body"),
    _document("a field of the answer of one's own", '        seconds:\n          description: "Length of the video in seconds, as a string."\n          type: "string"\n        remixed_from_video_id:\n          description: "The source video."\n', '        cost:\n          type: "number"\n        seconds:\n          description: "Length of the video in seconds, as a string."\n          type: "string"\n        remixed_from_video_id:\n          description: "The source video."\n', "remix_gives_the_vendors_answer"),
    _document("a prompt is optional", 'required: ["prompt"]', "required: []", "remix_takes_the_vendors_body"),
    _document("a prompt may be blank", _PROMPT, _PROMPT.replace('          pattern: "\\\\S"\n', ""), _component("schemas", "RemixRequest")),
    _document("a prompt may be null", _PROMPT, _PROMPT.replace('"string"', '["string", "null"]'), _component("schemas", "RemixRequest")),
    _document("a variant more", _VARIANTS, 'enum: ["video", "thumbnail", "spritesheet", "gif"]', _component("parameters", "Variant")),
    _document("progress may be beyond 100", '          maximum: 100\n        created_at:\n          description: "When the job was accepted, in Unix seconds."\n          type: "integer"\n        size', '        created_at:\n          description: "When the job was accepted, in Unix seconds."\n          type: "integer"\n        size', _component("schemas", "RemixJob")),
    _document("a poll has a field of one's own", '        completed_at:\n          description', '        eta:\n          type: "number"\n        completed_at:\n          description', _component("schemas", "VideoJob")),
    _document("an operation is deprecated", '  "/v1/models":\n    get:\n      operationId: "listModels"\n', '  "/v1/models":\n    get:\n      operationId: "listModels"\n      deprecated: true\n', _operation("listModels")),
    _document("a path parameter is optional", _VIDEO_ID, _VIDEO_ID.replace("true", "false"), "the_document_is_valid_openapi_3_1"),
    _document("the security of an operation is gone", _REMIX_SECURITY + "      security:\n        - bearerAuth: []\n", _REMIX_SECURITY, "every_operation_names_its_security"),
    _document("the security of an operation is optional", _REMIX_SECURITY + "      security:\n", _REMIX_SECURITY + "      security:\n        - {}\n", "every_operation_names_its_security"),
    _document("the scheme of the key is basic", 'scheme: "bearer"', 'scheme: "basic"', "remix_takes_the_vendors_bearer_key"),
    _document("the server is a test system", 'url: "https://api.deerapi.com"', 'url: "http://localhost:8000"', "the_server_is_the_vendors"),
    _document("the body is optional", "      requestBody:\n        required: true\n", "      requestBody:\n        required: false\n", _operation("remixVideo")),
    _document("the body is a form", '        content:\n          "application/json":\n            schema:\n              $ref: "#/components/schemas/RemixRequest"\n', '        content:\n          "application/x-www-form-urlencoded":\n            schema:\n              $ref: "#/components/schemas/RemixRequest"\n', "remix_takes_the_vendors_body"),
    _document("a file has another type", '            "video/mp4":\n              schema:\n                $ref: "#/components/schemas/VideoContent"\n              example: "mdat', '            "video/webm":\n              schema:\n                $ref: "#/components/schemas/VideoContent"\n              example: "mdat', _operation("downloadVideoContent")),
    _document("Retry-After is gone from 503", "        Retry-After:\n          $ref: \"#/components/headers/RetryAfter\"\n      content:\n        \"application/json\":\n          schema:\n            $ref: \"#/components/schemas/Error\"\n          examples:\n            nested:\n              summary: \"No channel", "      content:\n        \"application/json\":\n          schema:\n            $ref: \"#/components/schemas/Error\"\n          examples:\n            nested:\n              summary: \"No channel", _component("responses", "ServiceUnavailable")),
]  # fmt: skip

_FORM = [
    _document("a key is misspelt", 'required: ["prompt"]', 'requred: ["prompt"]', "every_key_is_one_that_openapi_knows"),
    _document("a key is misspelt in a parameter", 'in: "query"\n      required: false', 'in: "query"\n      requird: false', "every_key_is_one_that_openapi_knows"),
    _document("a key of OpenAPI 3.0", 'description: "The prompt of the job."\n          type: ["string", "null"]', 'description: "The prompt of the job."\n          nullable: true\n          type: ["string", "null"]', "every_key_is_one_that_openapi_knows"),
    _document("a key is given twice", '      operationId: "listModels"\n', '      operationId: "listModels"\n      operationId: "listModels"\n', "keys_are_strings_and_given_once"),
    _document("a status is not quoted", '        "206":\n', "        206:\n", "keys_are_strings_and_given_once"),
    _document("another version of OpenAPI", 'openapi: "3.1.0"', 'openapi: "3.0.3"', "the_document_is_valid_openapi_3_1"),
    _document("an operationId is given twice", 'operationId: "listModels"', 'operationId: "retrieveVideo"', "every_operation_has_an_id_of_its_own"),
    _document("an operationId is missing", '      operationId: "listModels"\n', "", "every_operation_has_an_id_of_its_own"),
    _document("a summary is missing", '      summary: "List the models that are served now"\n', "", "every_operation_has_a_summary"),
    _document("a source is missing", '      x-source: "B: the usual list format; A for the advice"\n', "", "every_part_names_its_source"),
    _document("a source of a schema is missing", '      x-source: "C: both shapes are seen"\n', "", "every_part_names_its_source"),
    _document("a source has no grade", 'x-source: "C: both shapes are seen"', 'x-source: "both shapes are seen"', "every_part_names_its_source"),
    _document("a reference leads nowhere", 'headers:\n        X-Oneapi-Request-Id:\n          $ref: "#/components/headers/RequestIdOfFailure"\n        Retry-After:\n          $ref: "#/components/headers/RetryAfter"\n      content:\n        "application/json":\n          schema:\n            $ref: "#/components/schemas/Error"\n          examples:\n            nested:\n              summary: "Rate', 'headers:\n        X-Oneapi-Request-Id:\n          $ref: "#/components/headers/RequestIdOfFailure"\n        Retry-After:\n          $ref: "#/components/headers/Retry"\n      content:\n        "application/json":\n          schema:\n            $ref: "#/components/schemas/Error"\n          examples:\n            nested:\n              summary: "Rate', "every_reference_resolves_to_its_kind"),
    _document("a component is used nowhere", '            - $ref: "#/components/schemas/VideoJobError"\n', '            - type: "object"\n', "every_component_is_used"),
    _document("a link leads to no operation", 'operationId: "downloadVideoContent"\n              description: "Fetch its file', 'operationId: "fetchVideo"\n              description: "Fetch its file', "every_link_leads_somewhere"),
    _document("a link takes a field that is not there", _LINKS + 'id"', _LINKS + 'video_id"', "every_link_leads_somewhere"),
    _document("an example of a job is out of date", 'status: "queued"\n                progress: 0\n', 'status: "queued"\n                progress: "0%"\n', "every_example_is_valid"),
    _document("an example lacks a field", '                size: "1280x720"\n                seconds: "8"\n                remixed_from_video_id: "video_123"\n          links', '                seconds: "8"\n                remixed_from_video_id: "video_123"\n          links', "every_example_is_valid"),
    _document("an example of a parameter is out of date", 'example: "video"\n', 'example: "original"\n', "every_example_is_valid"),
    _document("an example of a field is out of date", 'examples: ["cry"]', 'examples: [" "]', "every_example_is_valid"),
    _document("an example is missing", '              example: "mdat\\0\\0\\x02\\xA1"\n', "", "every_answer_has_an_example_for_every_media_type"),
    _document("an example of a header is missing", '      example: "bytes 1024-16383/16384"\n', "", "every_parameter_and_header_has_an_example"),
    _document("the example of the body is missing", '            example:\n              prompt: "Extend the scene with the cat taking a bow to the cheering audience"\n              model: "sora-2"\n', "", "every_request_body_has_an_example"),
    _document("one shape of an error is not shown", '            flat:\n              summary: "The source video is not known"\n              value:\n                code: "task_not_exist"\n                message: "task_not_exist"\n                data: null\n', "", "every_error_shows_both_shapes"),
    _document("the example is not the vendor's", "taking a bow to the cheering audience", "bowing to the audience", "remix_shows_the_vendors_prompt"),
    _document("an answer has a closed enum", '        status:\n          description: "`queued`, `in_progress`, `completed` or `failed`; more may come."\n          type: "string"\n        progress:\n          description: "Percentage rendered."\n          type: "integer"\n          minimum: 0\n          maximum: 100\n        created_at:\n          description: "When the job was accepted, in Unix seconds."\n          type: "integer"\n        size', '        status:\n          description: "`queued`, `in_progress`, `completed` or `failed`; more may come."\n          type: "string"\n          enum: ["queued", "in_progress", "completed", "failed"]\n        progress:\n          description: "Percentage rendered."\n          type: "integer"\n          minimum: 0\n          maximum: 100\n        created_at:\n          description: "When the job was accepted, in Unix seconds."\n          type: "integer"\n        size', "no_answer_has_a_closed_enum"),
    _document("a status is a default", '        "206":\n', '        "default":\n          $ref: "#/components/responses/BadRequest"\n        "206":\n', "every_status_is_a_number_of_three_digits"),
    _document("the request ID of a failure is another header", '      x-source: "A: a bearer key is required; C for the body"\n      headers:\n        X-Oneapi-Request-Id:', '      x-source: "A: a bearer key is required; C for the body"\n      headers:\n        X-Request-Id:', "every_error_requires_a_request_id"),
    _document("a path parameter has another name", '    VideoId:\n      name: "video_id"', '    VideoId:\n      name: "id"', "every_path_parameter_is_in_its_path"),
]  # fmt: skip

_DRIFT = [
    _document("the copy in the client is stale", 'version: "1.0.0"', 'version: "1.0.1"', "the_copy_of_the_document_is_current", "generated_client"),
    _document("the client is stale", 'summary: "List the models that are served now"', 'summary: "List every model that is served now"', "regenerating_changes_nothing", "generated_client"),
    _document("the client has a field less", '        model:\n          description: "A model ID', '        seed:\n          description: "For the same video again."\n          type: "integer"\n        model:\n          description: "A model ID', "regenerating_changes_nothing", "generated_client"),
    _document("the method is not the client's", _REMIX, _REMIX.replace("post", "put"), "the_method_is_the_documented_one", "requests"),
    _document("the path is not the client's", _JOB, _JOB.replace("videos", "jobs"), "the_path_is_the_documented_one", "requests"),
    _document("the query is not the client's", 'name: "variant"', 'name: "format"', "every_valid_input_is_sent_once", "requests"),
    _document("the body is not the client's", 'required: ["prompt"]', 'required: ["prompt", "seconds"]', "a_prompt_arrives_as_it_is_with_and_without_a_model", "requests"),
    _document("the answer is not the client's", 'model was added, in Unix seconds."\n          type: "integer"', 'model was added, in Unix seconds."\n          type: "string"', "a_valid_list_comes_back_whole", "answers"),
    _document("a status is not the client's", '        "206":\n', '        "207":\n', "the_rest_of_a_file_joins_its_beginning", "answers"),
]  # fmt: skip

FAULTS = [*_BREAKING, *_WORDING, *_FORM, *_DRIFT]

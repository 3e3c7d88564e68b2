"""Faults in the server, by place: in each response, in who is let in, in the jobs, in their files and in HTTP."""

from __future__ import annotations

from contract_tests.teeth.faults import Fault, in_code
from deerapi_remix.contract._rules import BY_SCHEMATHESIS, RULES

_TESTS = "contract_tests/server/"
# The rule, or the test of what only the owner of a server can see; what is wrong; the code, and the code in its
# place, where … stands for the code as it was.
Row = tuple[str, str, str, str]


def _faults(place: str, *rows: Row) -> list[Fault]:
    at = f"wrapper/deerapi_remix/testing/{place}"
    return [in_code(at, name, old, new.replace("…", old), *_noticed_by(rule)) for rule, name, old, new in rows]


def _noticed_by(rule: str) -> tuple[str, str]:
    """The test that must go red, and what it must say."""
    if rule not in RULES:
        return f"{_TESTS}test_own_server.py::test_{rule}", ""
    found_by = f"a_walk_finds_the_rule_kept[{rule}-in-process]"
    if rule in BY_SCHEMATHESIS:
        found_by = f"made_up_requests_find_the_rule_kept[{rule}]"
    if rule == "retry_after_on_429":
        found_by = f"every_documented_answer_keeps_the_rule[{rule}-in-process]"
    return f"{_TESTS}test_server.py::test_{found_by}", f" breaks {rule}: "


_SCHEMA = "response_schema_conformance"
_STATUS = "status_code_conformance"
_TYPE = "content_type_conformance"
_HEADERS = "response_headers_conformance"
_IN_PARTS = "a_file_comes_whole_and_in_parts"
_REFUSAL = "a_refusal_has_its_status_shape_and_code"
_METHODS = "a_method_outside_the_document_is_405_and_the_right_one_is_told"
_IN_FULL = "a_job_is_told_in_full"
_NO_OBJECT = "a_body_that_is_no_json_object_is_refused"
_RISES = "a_job_is_queued_then_in_progress_and_its_progress_rises"
_DATED = "a_job_is_dated_by_the_clock_and_takes_its_time"

_ACCEPTED = "{name: job[name] for name in _FIELDS_OF_AN_ACCEPTED_JOB}"
_RETRIEVED = "asdict(job)"
_LISTED = '{"object": "list", "data": cards}'
_CARD = '"created": 1_759_190_400, "owned_by": "openai"}'
_NESTED = 'json_answer(request_id, status, {"error": details}, headers)'
_FLAT = '{"code": code, "message": message, "data": None}'
_ANSWERED = "return Answer(status, usual | _with_lower_case_names(headers or {}), body)"
_KNOWN = "self._api_keys is None or key in self._api_keys"
_LOCKED = "if key is None or not known:"
_CHECKED = "if wrong is not None:"
_MODEL_CHECK = "if model not in self._models:"
_PART_DONE = "int(part * 100)"
_IF_COMPLETED = 'if status == "completed":'
_WHOLE = "200, file.data, file.media_type, headers)"
_PART = "206, file.data[part.start : part.stop], file.media_type, headers)"
_RANGE = 'f"bytes {part.start}-{part.stop - 1}/{size}"'
_JSON_ONLY = 'if call.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":'
_ANY_RANGE = 'if not match or headers.get("if-range", etag) != etag:'
_VARIANT = 'content(call.query.get("variant", "video"))'

_SERVICE = [
    *_faults(
        "_service.py::_FIELDS_OF_AN_ACCEPTED_JOB",
        (_SCHEMA, "remix: a field is missing", '"size",', ""),
        (_SCHEMA, "remix: the parent is missing", '"remixed_from_video_id",', ""),
    ),
    *_faults(
        "_service.py::Service.remix",
        (_STATUS, "remix: accepted with 201", "200, {name: job[name]", "201, {name: job[name]"),
        (
            _SCHEMA,
            "remix: a field has another name",
            "{name: job[name] for",
            '{name.replace("remixed_from", "parent"): job[name] for',
        ),
        (_SCHEMA, "remix: a time is text", _ACCEPTED, '… | {"created_at": "2026-01-01T00:00:00Z"}'),
        (_SCHEMA, "remix: the length is a number", _ACCEPTED, '… | {"seconds": 4}'),
        (_SCHEMA, "remix: the size is null", _ACCEPTED, '… | {"size": None}'),
        (_SCHEMA, "remix: progress is a boolean", _ACCEPTED, '… | {"progress": False}'),
        ("object_is_named", "remix: another kind of object", _ACCEPTED, '… | {"object": "video.remix"}'),
        ("status_is_known", "remix: a status of another API", _ACCEPTED, '… | {"status": "pending"}'),
        ("size_is_width_by_height", "remix: the size is a name", _ACCEPTED, '… | {"size": "720p"}'),
        ("seconds_is_a_number", "remix: the length has a unit", _ACCEPTED, '… | {"seconds": "4s"}'),
        ("fields_documented", "remix: a field outside the document", _ACCEPTED, '… | {"task_id": job["id"]}'),
        (
            _REFUSAL,
            "unknown source: refused in the other shape",
            'flat_error(call.request_id, "task_not_exist", "task_not_exist")',
            "_not_found(call)",
        ),
        (_STATUS, "an unserved model is 502", "call.request_id, 503,", "call.request_id, 502,"),
        (
            "unknown_source_refused",
            "unknown source: remixed",
            'return flat_error(call.request_id, "task_not_exist", "task_not_exist")',
            'source = self._renderings["video_123"].at(self.now())',
        ),
        (
            "unfinished_source_refused",
            "unfinished source: remixed",
            'if source.status != "completed":',
            "if source.error:",
        ),
        ("unknown_model_refused", "model: any will do", _MODEL_CHECK, "if not model:"),
        (
            "valid_request_accepted",
            "model: one that is listed is refused",
            _MODEL_CHECK,
            "if model not in self._models[:1]:",
        ),
        ("model_echoed", "model: ignored", "model=model,", "model=source.model,"),
        (
            "without_a_model_it_is_that_of_the_source",
            "model: another by default",
            'call.body.get("model", source.model)',
            'call.body.get("model", self._models[0])',
        ),
        (
            "prompt_echoed",
            "prompt: white space is lost",
            'prompt=call.body["prompt"],',
            'prompt=" ".join(call.body["prompt"].split()),',
        ),
        (
            "a_prompt_is_taken_as_it_is",
            "prompt: cut",
            'prompt=call.body["prompt"],',
            'prompt=call.body["prompt"][:1000],',
        ),
        ("parent_echoed", "parent: null", "source=source.id,", "source=None,"),
        ("parent_echoed", "parent: always the same", "source=source.id,", 'source="video_123",'),
        ("issued_ids_unique", "id: issued twice", "{secrets.token_hex(16)}", "1"),
        ("issued_id_retrievable", "id: issued and not kept", "self._renderings[rendering.id] = rendering", ""),
        (
            "what_is_refused_makes_no_job",
            "a refused remix makes a job",
            _MODEL_CHECK,
            "self._renderings[model] = Rendering(model, model, 0.0, 0.0)\n        …",
        ),
        (
            "a_remix_leaves_its_source_as_it_was",
            "a remix changes its source",
            "self._renderings[rendering.id] = rendering",
            '…\n        self.add_completed(source.id, call.body.get("model", source.model))',
        ),
    ),
    *_faults(
        "_service.py::Service.retrieve",
        (_SCHEMA, "retrieve: the job is wrapped", _RETRIEVED, '{"data": …}'),
        (_SCHEMA, "retrieve: a list of one job", _RETRIEVED, "[…]"),
        (
            _SCHEMA,
            "retrieve: the status has another name",
            _RETRIEVED,
            '{"state" if name == "status" else name: value for name, value in ….items()}',
        ),
        (
            "fields_complete",
            "retrieve: an optional field is missing",
            _RETRIEVED,
            '{name: value for name, value in ….items() if name != "expires_at"}',
        ),
        (_SCHEMA, "retrieve: the id is a number", _RETRIEVED, '… | {"id": 123}'),
        (_SCHEMA, "retrieve: the status is null", _RETRIEVED, '… | {"status": None}'),
        (_SCHEMA, "retrieve: progress is text", _RETRIEVED, '… | {"progress": f"{job.progress}%"}'),
        (_SCHEMA, "retrieve: progress is a fraction", _RETRIEVED, '… | {"progress": job.progress / 101}'),
        (_SCHEMA, "retrieve: a time is null", _RETRIEVED, '… | {"created_at": None}'),
        (_SCHEMA, "retrieve: the error is text", _RETRIEVED, '… | {"error": job.error and job.error["message"]}'),
        (
            _SCHEMA,
            "retrieve: the error has no code",
            _RETRIEVED,
            '… | {"error": job.error and {"message": job.error["message"]}}',
        ),
        (
            "times_are_unix_seconds",
            "retrieve: a time is in milliseconds",
            _RETRIEVED,
            '… | {"created_at": job.created_at * 1000}',
        ),
        (
            "times_are_unix_seconds",
            "retrieve: a time is zero",
            _RETRIEVED,
            '… | {"completed_at": job.completed_at and 0}',
        ),
        ("fields_documented", "retrieve: a field outside the document", _RETRIEVED, '… | {"task_id": job.id}'),
    ),
    *_faults(
        "_service.py::Service.models",
        (_SCHEMA, "models: the list has another name", _LISTED, '{"object": "list", "models": cards}'),
        (_SCHEMA, "models: a bare array", _LISTED, "cards"),
        (_SCHEMA, "models: names instead of cards", _LISTED, '{"object": "list", "data": list(self._models)}'),
        (_SCHEMA, "models: null instead of a list", _LISTED, '{"object": "list", "data": None}'),
        ("models_listed", "models: none", _LISTED, '{"object": "list", "data": []}'),
        ("models_listed", "models: each twice", _LISTED, '{"object": "list", "data": cards * 2}'),
        ("object_is_named", "models: another kind of object", _LISTED, '{"object": "models", "data": cards}'),
        (_SCHEMA, "models: a card without its owner", _CARD, '"created": 1_759_190_400}'),
        (_SCHEMA, "models: a time is text", _CARD, '"created": "1759190400", "owned_by": "openai"}'),
        (_SCHEMA, "models: an owner is null", _CARD, '"created": 1_759_190_400, "owned_by": None}'),
        ("the_models_are_told_in_full", "models: an owner without a name", '"owned_by": "openai"', '"owned_by": ""'),
        ("the_models_are_told_in_full", "models: a time in milliseconds", "1_759_190_400", "…_000"),
        (
            "every_model_is_listed_and_each_can_be_asked_for",
            "model: one is not listed",
            "for model in self._models",
            "…[1:]",
        ),
    ),
    *_faults(
        "_service.py::_not_completed", (_REFUSAL, "flat error: another code", '"task_not_completed",', '"task_failed",')
    ),
    *_faults(
        "_service.py::_not_found", (_STATUS, "an unknown id is 410", "call.request_id, 404,", "call.request_id, 410,")
    ),
    *_faults(
        "_service.py::Service._job",
        (
            "unknown_id_refused",
            "unknown id: another job is told",
            'self._renderings.get(call.video_id or "")',
            'self._renderings.get(call.video_id or "", self._renderings["video_123"])',
        ),
    ),
    *_faults(
        "_service.py::Service.download",
        (
            "unknown_id_refused",
            "unknown id: a file is served",
            "if job is None:\n            return _not_found(call)",
            'job = job or self._renderings["video_123"].at(self.now())',
        ),
        ("content_too_early_refused", "file: served too early", 'if job.status != "completed":', "if job.error:"),
        (
            "failed_job_has_no_file",
            "file: served for a failed job",
            'if job.status != "completed":',
            'if job.status not in ("completed", "failed"):',
        ),
        ("valid_request_accepted", "file: never served", 'if job.status != "completed":', 'if job.id != "video_123":'),
        ("content_is_mp4", "file: cut", _WHOLE, "200, file.data[:-1], file.media_type, headers)"),
        ("content_is_mp4", "file: empty", _WHOLE, '200, b"", file.media_type, headers)'),
        ("content_is_mp4", "file: other bytes", _WHOLE, "200, file.data[::-1], file.media_type, headers)"),
        ("thumbnail_is_webp", "variant: ignored", _VARIANT, 'content("video")'),
        ("content_is_mp4", "variant: another by default", _VARIANT, 'content(call.query.get("variant", "thumbnail"))'),
        (
            "files_are_those_that_the_server_has",
            "file: its last byte differs",
            _WHOLE,
            '200, file.data[:-1] + b"?", file.media_type, headers)',
        ),
        ("range_answer_right", "part: one byte late", "[part.start : part.stop]", "[part.start + 1 : part.stop + 1]"),
        ("range_answer_right", "part: the whole file", "[part.start : part.stop]", ""),
        (
            "range_answer_right",
            "part: another than it says",
            _RANGE,
            'f"bytes {part.start + 1}-{part.stop - 1}/{size}"',
        ),
        ("range_answer_right", "part: of another size", _RANGE, 'f"bytes {part.start}-{part.stop - 1}/{size + 1}"'),
        (_HEADERS, "part: says its place in other words", _RANGE, 'f"bytes={part.start}-{part.stop - 1}/{size}"'),
        (_STATUS, "part: sent with 207", _PART, "207, file.data[part.start : part.stop], file.media_type, headers)"),
        (
            "range_answer_right",
            "part: sent as the whole",
            _PART,
            "200, file.data[part.start : part.stop], file.media_type, headers)",
        ),
        (_IN_PARTS, "part: never sent", "if part is None:", "if True:"),
        ("a_range_beyond_the_end_is_refused_with_the_size", "part: of nothing", "if not part:", "if False:"),
        ("etag_stable", "tag: another each time", '"etag": file.etag}', '"etag": f\'"{call.request_id}"\'}'),
        (_IN_PARTS, "tag: missing", '"accept-ranges": "bytes", "etag": file.etag', '"accept-ranges": "bytes"'),
    ),
    *_faults(
        "_service.py::remix_problem",
        (
            "missing_prompt_refused",
            "prompt: not needed",
            'if "prompt" not in call.body:\n        return "prompt is required"',
            'call.body.setdefault("prompt", "-")',
        ),
        (_NO_OBJECT, "JSON of another kind is a 500", "if not isinstance(call.body, dict):", "if call.body is None:"),
        ("a_body_that_is_not_announced_as_json_is_refused", "any content type will do", _JSON_ONLY, "if False:"),
        (
            "other_content_type_refused",
            "a form will do",
            '.lower() != "application/json":',
            '.lower() not in ("application/json", "application/x-www-form-urlencoded"):',
        ),
        (
            "malformed_body_refused",
            "no body will do",
            "if not isinstance(call.body, dict):",
            'if call.body is None:\n        call.body = {"prompt": "-"}\n    …',
        ),
    ),
    *_faults(
        "_service.py::variant_problem",
        ("previews_served", "variant: only the video", "not in VARIANTS:", '!= "video":'),
    ),
]

_JOBS = [
    *_faults("_jobs.py::_KEPT", (_IN_FULL, "expires_at: an hour later", "86_400", "3_600")),
    *_faults(
        "_jobs.py::Rendering.at",
        (_IN_FULL, "retrieve: another length", 'seconds="4"', 'seconds="8"'),
        ("parent_echoed", "parent: the job itself", "video_id=self.source,", "video_id=self.source and self.id,"),
        ("id_echoed", "id: another is told", "id=self.id,", 'id=f"{self.id}_1",'),
        ("id_echoed", "id: in capitals", "id=self.id,", "id=self.id.upper(),"),
        ("progress_complete", "progress: stays at 0", _PART_DONE, "0"),
        ("progress_complete", "progress: ends at 99", _PART_DONE, "int(part * 99)"),
        (_SCHEMA, "progress: beyond 100", _PART_DONE, "int(part * 101)"),
        ("progress_never_falls", "progress: counts down", _PART_DONE, "… if part == 1 else int(100 - part * 100)"),
        (_RISES, "progress: jumps from 0 to 100", _PART_DONE, "int(part) * 100"),
        (_IN_FULL, "progress: of a failed job", _PART_DONE, '100 if status == "failed" else …'),
        (_IN_FULL, "progress: of a queued job", "progress = 0", "pass"),
        ("completed_at_set", "completed_at: missing on completion", _IF_COMPLETED, 'if status == "failed":'),
        ("completed_at_set", "completed_at: set from the beginning", _IF_COMPLETED, "if True:"),
        (
            "completed_after_created",
            "completed_at: before created_at",
            "int(self.started + self.duration)",
            "int(self.started - 1)",
        ),
        (_DATED, "completed_at: when it was created", "int(self.started + self.duration)", "int(self.started)"),
        (_DATED, "created_at: in another time zone", "created_at=int(self.started)", "… - 7200"),
        ("job_facts_stable", "created_at: moves", "created_at=int(self.started)", "created_at=int(now)"),
        ("expires_after_completion", "expires_at: on completion", "completed_at + _KEPT", "completed_at"),
        ("expires_after_completion", "expires_at: never told", "completed_at + _KEPT", "None"),
        ("failure_explained", "failed job: no error", "error = self.fate.error", "pass"),
        (
            "failure_explained",
            "error: on every job",
            'if status == "failed":',
            'error = {"code": "0", "message": "ok"}\n        if False:',
        ),
        (
            _IN_FULL,
            "failed job: always the same error",
            "error = self.fate.error",
            'error = {"code": "internal", "message": "It failed"}',
        ),
    ),
    *_faults(
        "_jobs.py::Rendering._part",
        ("job_completes", "job: never ends", "if self.fate.error or self.fate.stuck:", "if self.source:"),
    ),
    *_faults(
        "_jobs.py::Rendering._status",
        ("status_is_known", "job: ends under another name", 'return "completed"', 'return "succeeded"'),
        (_RISES, "status: never in progress", 'return "in_progress"', 'return "queued"'),
        ("status_never_goes_back", "status: queued again", "if part >= 0.1:", "if 0.1 <= part < 0.5:"),
        ("status_is_known", "status: in another spelling", 'return "in_progress"', 'return "in-progress"'),
        (_IN_FULL, "failed job: completed", 'return "failed"', 'return "completed"'),
    ),
]

_CONTENT = [
    *_faults(
        "_content.py::VARIANTS",
        ("content_is_mp4", "file: a picture", '"video.mp4"', '"thumbnail.webp"'),
        (_TYPE, "file: of no type", '"video/mp4"', '"application/octet-stream"'),
        (_TYPE, "thumbnail: a PNG", '"image/webp"', '"image/png"'),
        (
            "thumbnail_is_webp",
            "thumbnail: as JPEG",
            '"image/webp", "thumbnail.webp"',
            '"image/jpeg", "spritesheet.jpg"',
        ),
        ("spritesheet_is_jpeg", "spritesheet: the thumbnail", "spritesheet.jpg", "thumbnail.webp"),
    ),
    *_faults(
        "_content.py::requested_range",
        (
            "range_answer_right",
            "part: one byte short",
            "range(int(first), min(int(last) + 1, size))",
            "range(int(first), min(int(last), size))",
        ),
        (
            "range_answer_right",
            "part: the end is the beginning",
            "range(max(size - int(suffix), 0), size)",
            "range(int(suffix))",
        ),
        (_IN_PARTS, "part: not with a tag", '"if-range", etag) != etag', '"if-range")'),
        (_IN_PARTS, "part: none but at the beginning", "if not match or", "… not match[2] or"),
        ("if_range_respected", "If-Range: ignored", _ANY_RANGE, "if not match:"),
    ),
    *_faults("_content.py::content", (_IN_PARTS, "tag: weak", "f'\"{hashlib", "f'W/\"{hashlib")),
]

_MESSAGES = [
    *_faults("_messages.py::_ERRORS", (_REFUSAL, "nested error: another code", '"invalid_token"', '"unauthorized"')),
    *_faults(
        "_messages.py::nested_error",
        (
            _SCHEMA,
            "nested error: the details are text",
            _NESTED,
            'json_answer(request_id, status, {"error": details["message"]}, headers)',
        ),
        (
            _SCHEMA,
            "nested error: another name",
            _NESTED,
            'json_answer(request_id, status, {"detail": details}, headers)',
        ),
        (_SCHEMA, "nested error: a list", _NESTED, 'json_answer(request_id, status, {"errors": [details]}, headers)'),
        (
            _TYPE,
            "nested error: HTML",
            _NESTED,
            'answer(request_id, status, b"<html>Bad Gateway</html>", "text/html", headers)',
        ),
        (
            _SCHEMA,
            "nested error: an empty body",
            _NESTED,
            'answer(request_id, status, b"", "application/json", headers)',
        ),
        (_SCHEMA, "nested error: null", _NESTED, "json_answer(request_id, status, None, headers)"),
        (
            _TYPE,
            "nested error: JSON as plain text",
            _NESTED,
            'answer(request_id, status, json.dumps({"error": details}).encode(), "text/plain", headers)',
        ),
        (
            _SCHEMA,
            "nested error: JSON cut off",
            _NESTED,
            'answer(request_id, status, json.dumps({"error": details}).encode()[:-1], "application/json", headers)',
        ),
        (
            _SCHEMA,
            "nested error: no message",
            '"message": f"{message or usual_message} (request id: {request_id})",',
            "",
        ),
        ("fields_complete", "nested error: no type", '"type": usual_type,', ""),
        (
            "a_message_names_the_request_id_of_its_header",
            "a message names another request ID",
            "(request id: {request_id})",
            "(request id: 1)",
        ),
    ),
    *_faults(
        "_messages.py::flat_error",
        (_SCHEMA, "flat error: no code", _FLAT, '{"message": message, "data": None}'),
        (_SCHEMA, "flat error: the message is null", _FLAT, '{"code": code, "message": None, "data": None}'),
        (_SCHEMA, "flat error: the data is an object", _FLAT, '{"code": code, "message": message, "data": {}}'),
        ("error_says_why", "flat error: the message is empty", _FLAT, '{"code": code, "message": "", "data": None}'),
        (_STATUS, "a flat error is 409", "(request_id, 400, {", "(request_id, 409, {"),
    ),
    *_faults(
        "_messages.py::answer",
        (_TYPE, "a success has no content type", "if content_type:", "if content_type and status != 200:"),
        (
            "request_id_on_success",
            "headers: no request ID on success",
            _ANSWERED,
            "if status == 200:\n        del usual[REQUEST_ID]\n    …",
        ),
        (
            _HEADERS,
            "headers: no request ID on failure",
            _ANSWERED,
            "if status >= 400:\n        del usual[REQUEST_ID]\n    …",
        ),
        (
            _HEADERS,
            "headers: no request ID on 401",
            _ANSWERED,
            "if status == 401:\n        del usual[REQUEST_ID]\n    …",
        ),
        (_HEADERS, "headers: an empty request ID", _ANSWERED, 'usual[REQUEST_ID] = ""\n    …'),
        ("request_ids_unique", "headers: the same request ID on all", _ANSWERED, 'usual[REQUEST_ID] = "1"\n    …'),
        (
            "content_length_true",
            "headers: a longer body announced",
            _ANSWERED,
            'usual["content-length"] = str(len(body) + 1)\n    …',
        ),
        ("retry_after_on_429", "headers: no Retry-After on 429", _ANSWERED, 'usual.pop("retry-after", None)\n    …'),
        (
            "retry_after_on_429",
            "headers: Retry-After in words",
            _ANSWERED,
            'if status == 429:\n        usual["retry-after"] = "soon"\n    …',
        ),
        (_IN_PARTS, "file: of unknown length", ', "content-length": str(len(body))}', "}"),
    ),
    *_faults(
        "_messages.py::_BEARER",
        (
            "nothing_but_the_whole_key_lets_in",
            "key: any scheme will do",
            're.compile(r"bearer +([!-~]+)"',
            're.compile(r"[a-z]+ +([!-~]+)"',
        ),
    ),
    *_faults(
        "_messages.py::json_value",
        (
            _NO_OBJECT,
            "JSON cut off is a 500",
            "except (ValueError, RecursionError):",
            "except (UnicodeError, RecursionError):",
        ),
        (
            "repeated_field_refused",
            "a field may come twice",
            "parse_constant=_refuse, object_pairs_hook=_without_repeats",
            "parse_constant=_refuse",
        ),
        (_NO_OBJECT, "deep JSON is a 500", "except (ValueError, RecursionError):", "except ValueError:"),
    ),
]

_ROUTES = [
    *_faults(
        "_routes.py::_video_id",
        ("an_id_is_opaque", "id: decoded twice", "unquote(match[1])", "unquote(…)"),
        ("an_id_is_opaque", "id: not decoded", "unquote(match[1])", "match[1]"),
    ),
    *_faults(
        "_routes.py::Route.match",
        ("a_path_outside_the_document_is_404", "any path will do", "fullmatch(path)", "match(path)"),
    ),
    *_faults("_routes.py::route_of", (_METHODS, "any method will do", "route.method == method and", "")),
]

_FAKE = [
    *_faults(
        "fake.py::FakeDeerAPI._refusal",
        *(
            (
                "missing_key_refused",
                f"key: none is needed for {operation}",
                _LOCKED,
                f'if call.operation != "{operation}" and (key is None or not known):',
            )
            for operation in ("remix", "retrieve", "download", "models")
        ),
        ("ignored_auth", "key: never asked for", _LOCKED, "if False:"),
        ("wrong_key_refused", "key: a wrong one is 403", "call.request_id, 401)", "call.request_id, 403)"),
        ("missing_key_refused", "key: none will do", _LOCKED, "if key is not None and not known:"),
        ("wrong_key_refused", "key: any will do", _LOCKED, "if key is None:"),
        ("wrong_key_refused", "key: any with its prefix", _LOCKED, 'if key is None or not key.startswith("sk-"):'),
        ("valid_request_accepted", "key: a valid one is refused", _LOCKED, "if key is not None:"),
        (
            "nothing_but_the_whole_key_lets_in",
            "key: the beginning of one will do",
            _KNOWN,
            "key is not None and any(whole.startswith(key) for whole in self._api_keys or [key])",
        ),
        (
            "near_key_refused",
            "key: in any letters will do",
            _KNOWN,
            "key is not None and key.lower() in [whole.lower() for whole in self._api_keys or [key]]",
        ),
        (
            "near_key_refused",
            "key: with anything behind it will do",
            _KNOWN,
            "key is not None and any(key.startswith(whole) for whole in self._api_keys or [key])",
        ),
    ),
    *_faults(
        "fake.py::FakeDeerAPI._reply",
        (
            "a_field_that_is_blank_or_no_text_is_refused_and_makes_no_job",
            "prompt: anything will do",
            _CHECKED,
            "if False:",
        ),
        (
            "invalid_model_refused",
            "model: may be blank",
            _CHECKED,
            'if wrong is not None and "model must" not in wrong:',
        ),
        (
            "invalid_prompt_refused",
            "prompt: may be blank",
            _CHECKED,
            'if wrong is not None and "prompt must" not in wrong:',
        ),
        (
            "unknown_variant_refused",
            "variant: any is the video",
            _CHECKED,
            'if "variant" in str(wrong):\n            call = evolve(call, query={})\n        elif wrong is not None:',
        ),
        (
            "not_a_server_error",
            "variant: an unknown one is a 500",
            _CHECKED,
            'if wrong is not None and "variant" not in wrong:',
        ),
        (
            "negative_data_rejection",
            "variant: any will do",
            _CHECKED,
            'if "variant" in str(wrong):\n            wrong, call = None, evolve(call, query={})\n        …',
        ),
    ),
    *_faults(
        "fake.py::_no_such_operation",
        (
            "allow_header_conformance",
            "405: another method is told",
            'headers={"allow": methods}',
            'headers={"allow": "PUT"}',
        ),
        (_METHODS, "405: without Allow", ', headers={"allow": methods})', ")"),
        ("unsupported_method", "405: as 404", "call.request_id, 405,", "call.request_id, 404,"),
    ),
]

_ASGI = [
    *_faults(
        "asgi.py::_deliver",
        (
            "content_length_true",
            "file: cut on the way",
            "answer.body[: answer.cut_at]",
            "answer.body[: answer.cut_at or 1000]",
        ),
        (
            "a_file_of_many_chunks_arrives_in_order",
            "file: a byte of each chunk is lost",
            "body[end - _CHUNK : end]",
            "body[end - _CHUNK : end - 1]",
        ),
    )
]

FAULTS = [*_SERVICE, *_JOBS, *_CONTENT, *_MESSAGES, *_ROUTES, *_FAKE, *_ASGI]

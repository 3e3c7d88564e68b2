"""Faults in the server: in each response, in who is let in, in the jobs, in their files and in HTTP."""

from __future__ import annotations

from contract_tests.teeth.faults import Fault

_SERVER = "wrapper/deerapi_remix/testing/"
_ASGI = f"{_SERVER}asgi.py"
_CONTENT = f"{_SERVER}_content.py"
_FAKE = f"{_SERVER}fake.py"
_JOBS = f"{_SERVER}_jobs.py"
_MESSAGES = f"{_SERVER}_messages.py"
_SERVICE = f"{_SERVER}_service.py"

_TESTS = "contract_tests/server/"
_WALK = "test_a_walk_finds_the_rule_kept"
_ANSWERS = "test_every_documented_answer_keeps_the_rule"
_MADE_UP = "test_made_up_requests_find_the_rule_kept"

_SCHEMA = "response_schema_conformance"
_STATUS = "status_code_conformance"
_TYPE = "content_type_conformance"
_HEADERS = "response_headers_conformance"


def _rule(rule: str, name: str, file: str, old: str, new: str, *, found_by: str = _WALK) -> Fault:
    """A fault that breaks a rule of `contract_tests.server.rules`, which the failure must name."""
    test = f"{_TESTS}test_server.py::{found_by}[{rule}-in-process]"
    return Fault(name, file, old, new, test, says=f" breaks {rule}: ")


def _own(test: str, name: str, file: str, old: str, new: str) -> Fault:
    """A fault that only the owner of a server can see."""
    return Fault(name, file, old, new, f"{_TESTS}test_own_server.py::test_{test}")


def _remix(rule: str, name: str, fields: str) -> Fault:
    """A remix is accepted with other fields."""
    job = "{name: job[name] for name in _FIELDS_OF_AN_ACCEPTED_JOB}"
    return _rule(rule, f"remix: {name}", _SERVICE, job, f"{job} | {{{fields}}}")


def _retrieve(rule: str, name: str, fields: str) -> Fault:
    """A job is told with other fields."""
    return _rule(rule, f"retrieve: {name}", _SERVICE, "200, asdict(job))", f"200, asdict(job) | {{{fields}}})")


def _models(rule: str, name: str, answer: str) -> Fault:
    return _rule(rule, f"models: {name}", _SERVICE, '{"object": "list", "data": cards}', answer)


def _card(name: str, fields: str) -> Fault:
    usual = '"created": 1_759_190_400, "owned_by": "openai"}'
    return _rule(_SCHEMA, f"models: {name}", _SERVICE, usual, f"{fields}}}")


def _nested(rule: str, name: str, answer: str) -> Fault:
    """The gateway refuses a request in another way."""
    usual = 'json_answer(request_id, status, {"error": details}, headers)'
    return _rule(rule, f"nested error: {name}", _MESSAGES, usual, answer)


def _flat(rule: str, name: str, answer: str) -> Fault:
    """The keeper of the jobs refuses a request in another way."""
    return _rule(rule, f"flat error: {name}", _MESSAGES, '{"code": code, "message": message, "data": None}', answer)


def _header(rule: str, name: str, lines: str, *, found_by: str = _WALK) -> Fault:
    """Every answer goes out with other headers."""
    usual = "    return Answer(status, usual | _with_lower_case_names(headers or {}), body)"
    return _rule(rule, f"headers: {name}", _MESSAGES, usual, f"{lines}\n{usual}", found_by=found_by)


_RESPONSES = [
    _rule(_SCHEMA, "remix: a field is missing", _SERVICE, '    "size",\n', ""),
    _rule(_SCHEMA, "remix: the parent is missing", _SERVICE, '    "remixed_from_video_id",\n', ""),
    _rule(_STATUS, "remix: accepted with 201", _SERVICE, "200, {name: job[name]", "201, {name: job[name]"),
    _rule(
        _SCHEMA,
        "remix: a field has another name",
        _SERVICE,
        "{name: job[name] for",
        '{name.replace("remixed_from", "parent"): job[name] for',
    ),
    _remix(_SCHEMA, "a time is text", '"created_at": "2026-01-01T00:00:00Z"'),
    _remix(_SCHEMA, "the length is a number", '"seconds": 4'),
    _remix(_SCHEMA, "the size is null", '"size": None'),
    _remix(_SCHEMA, "progress is a boolean", '"progress": False'),
    _remix("object_is_named", "another kind of object", '"object": "video.remix"'),
    _remix("status_is_known", "a status of another API", '"status": "pending"'),
    _remix("size_is_width_by_height", "the size is a name", '"size": "720p"'),
    _remix("seconds_is_a_number", "the length has a unit", '"seconds": "4s"'),
    _remix("fields_documented", "a field outside the document", '"task_id": job["id"]'),
    _rule(_SCHEMA, "retrieve: the job is wrapped", _SERVICE, "200, asdict(job))", '200, {"data": asdict(job)})'),
    _rule(_SCHEMA, "retrieve: a list of one job", _SERVICE, "200, asdict(job))", "200, [asdict(job)])"),
    _rule(
        _SCHEMA,
        "retrieve: the status has another name",
        _SERVICE,
        "200, asdict(job))",
        '200, {"state" if name == "status" else name: value for name, value in asdict(job).items()})',
    ),
    _rule(
        "fields_complete",
        "retrieve: an optional field is missing",
        _SERVICE,
        "200, asdict(job))",
        '200, {name: value for name, value in asdict(job).items() if name != "expires_at"})',
    ),
    _retrieve(_SCHEMA, "the id is a number", '"id": 123'),
    _retrieve(_SCHEMA, "the status is null", '"status": None'),
    _retrieve(_SCHEMA, "progress is text", '"progress": f"{job.progress}%"'),
    _retrieve(_SCHEMA, "progress is a fraction", '"progress": job.progress / 101'),
    _retrieve(_SCHEMA, "a time is null", '"created_at": None'),
    _retrieve(_SCHEMA, "the error is text", '"error": job.error and job.error["message"]'),
    _retrieve(_SCHEMA, "the error has no code", '"error": job.error and {"message": job.error["message"]}'),
    _retrieve("times_are_unix_seconds", "a time is in milliseconds", '"created_at": job.created_at * 1000'),
    _retrieve("times_are_unix_seconds", "a time is zero", '"completed_at": job.completed_at and 0'),
    _retrieve("fields_documented", "a field outside the document", '"task_id": job.id'),
    _models(_SCHEMA, "the list has another name", '{"object": "list", "models": cards}'),
    _models(_SCHEMA, "a bare array", "cards"),
    _models(_SCHEMA, "names instead of cards", '{"object": "list", "data": list(self._models)}'),
    _models(_SCHEMA, "null instead of a list", '{"object": "list", "data": None}'),
    _models("models_listed", "none", '{"object": "list", "data": []}'),
    _models("models_listed", "each twice", '{"object": "list", "data": cards * 2}'),
    _models("object_is_named", "another kind of object", '{"object": "models", "data": cards}'),
    _card("a card without its owner", '"created": 1_759_190_400'),
    _card("a time is text", '"created": "1759190400", "owned_by": "openai"'),
    _card("an owner is null", '"created": 1_759_190_400, "owned_by": None'),
    _own(
        "the_models_are_told_in_full",
        "models: an owner without a name",
        _SERVICE,
        '"owned_by": "openai"',
        '"owned_by": ""',
    ),
    _own(
        "the_models_are_told_in_full", "models: a time in milliseconds", _SERVICE, "1_759_190_400", "1_759_190_400_000"
    ),
    _own("a_job_is_told_in_full", "retrieve: another length", _JOBS, 'seconds="4"', 'seconds="8"'),
    _own(
        "a_refusal_has_its_status_shape_and_code",
        "nested error: another code",
        _MESSAGES,
        '"invalid_token"',
        '"unauthorized"',
    ),
    _own(
        "a_refusal_has_its_status_shape_and_code",
        "flat error: another code",
        _SERVICE,
        '"task_not_completed", ',
        '"task_failed", ',
    ),
    _own(
        "a_refusal_has_its_status_shape_and_code",
        "unknown source: refused in the other shape",
        _SERVICE,
        'flat_error(call.request_id, "task_not_exist", "task_not_exist")',
        "_not_found(call)",
    ),
    _nested(_SCHEMA, "the details are text", 'json_answer(request_id, status, {"error": details["message"]}, headers)'),
    _nested(_SCHEMA, "another name", 'json_answer(request_id, status, {"detail": details}, headers)'),
    _nested(_SCHEMA, "a list", 'json_answer(request_id, status, {"errors": [details]}, headers)'),
    _nested(_TYPE, "HTML", 'answer(request_id, status, b"<html>Bad Gateway</html>", "text/html", headers)'),
    _nested(_SCHEMA, "an empty body", 'answer(request_id, status, b"", "application/json", headers)'),
    _nested(_SCHEMA, "null", "json_answer(request_id, status, None, headers)"),
    _nested(
        _TYPE,
        "JSON as plain text",
        'answer(request_id, status, json.dumps({"error": details}).encode(), "text/plain", headers)',
    ),
    _nested(
        _SCHEMA,
        "JSON cut off",
        'answer(request_id, status, json.dumps({"error": details}).encode()[:-1], "application/json", headers)',
    ),
    _rule(
        _SCHEMA,
        "nested error: no message",
        _MESSAGES,
        '        "message": f"{message or usual_message} (request id: {request_id})",\n',
        "",
    ),
    _rule("fields_complete", "nested error: no type", _MESSAGES, '        "type": usual_type,\n', ""),
    _flat(_SCHEMA, "no code", '{"message": message, "data": None}'),
    _flat(_SCHEMA, "the message is null", '{"code": code, "message": None, "data": None}'),
    _flat(_SCHEMA, "the data is an object", '{"code": code, "message": message, "data": {}}'),
    _flat("error_says_why", "the message is empty", '{"code": code, "message": "", "data": None}'),
    _rule(_STATUS, "an unknown id is 410", _SERVICE, "call.request_id, 404,", "call.request_id, 410,"),
    _rule(_STATUS, "an unserved model is 502", _SERVICE, "call.request_id, 503,", "call.request_id, 502,"),
    _rule(_STATUS, "a flat error is 409", _MESSAGES, "(request_id, 400, {", "(request_id, 409, {"),
    _rule(_TYPE, "a success has no content type", _MESSAGES, "if content_type:", "if content_type and status != 200:"),
    _header(
        "request_id_on_success", "no request ID on success", "    if status == 200:\n        del usual[REQUEST_ID]"
    ),
    _header(_HEADERS, "no request ID on failure", "    if status >= 400:\n        del usual[REQUEST_ID]"),
    _header(_HEADERS, "no request ID on 401", "    if status == 401:\n        del usual[REQUEST_ID]"),
    _header(_HEADERS, "an empty request ID", '    usual[REQUEST_ID] = ""'),
    _header("request_ids_unique", "the same request ID on all", '    usual[REQUEST_ID] = "1"'),
    _header("content_length_true", "a longer body announced", '    usual["content-length"] = str(len(body) + 1)'),
    _header("retry_after_on_429", "no Retry-After on 429", '    usual.pop("retry-after", None)', found_by=_ANSWERS),
    _header(
        "retry_after_on_429",
        "Retry-After in words",
        '    if status == 429:\n        usual["retry-after"] = "soon"',
        found_by=_ANSWERS,
    ),
    _own(
        "a_message_names_the_request_id_of_its_header",
        "a message names another request ID",
        _MESSAGES,
        "(request id: {request_id})",
        "(request id: 1)",
    ),
]

_UNLOCKED = "elif not self._lets_in(request):"
_KEY = "key is not None and (self._api_keys is None or key in self._api_keys)"

_ACCESS = [
    *(
        _rule(
            "missing_key_refused",
            f"key: none is needed for {operation}",
            _FAKE,
            _UNLOCKED,
            f'elif call.operation != "{operation}" and not self._lets_in(request):',
        )
        for operation in ("remix", "retrieve", "download", "models")
    ),
    _rule("ignored_auth", "key: never asked for", _FAKE, _UNLOCKED, "elif False:", found_by=_MADE_UP),
    _rule("missing_key_refused", "key: none will do", _FAKE, _KEY, "key is None or key in (self._api_keys or ())"),
    _rule("wrong_key_refused", "key: any will do", _FAKE, _KEY, "key is not None"),
    _rule("wrong_key_refused", "key: any with its prefix", _FAKE, _KEY, 'key is not None and key.startswith("sk-")'),
    _rule("wrong_key_refused", "key: a wrong one is 403", _FAKE, "call.request_id, 401)", "call.request_id, 403)"),
    _rule("valid_request_accepted", "key: a valid one is refused", _FAKE, _KEY, "key is None"),
    _own(
        "nothing_but_the_whole_key_lets_in",
        "key: the beginning of one will do",
        _FAKE,
        _KEY,
        "key is not None and any(known.startswith(key) for known in self._api_keys or [key])",
    ),
    _own(
        "nothing_but_the_whole_key_lets_in",
        "key: any scheme will do",
        _MESSAGES,
        're.compile(r"bearer +([!-~]+)"',
        're.compile(r"[a-z]+ +([!-~]+)"',
    ),
]

_CHECKED = "wrong = problem(call) or (check_request(call) if check_request else None)"
_MODEL_CHECK = "if model not in self._models:"
_IN_PROGRESS = '"in_progress" if part >= 0.1 else "queued"'

_SUBMITS = [
    _rule(
        "unknown_id_refused",
        "unknown id: another job is told",
        _SERVICE,
        'self._renderings.get(call.video_id or "")',
        'self._renderings.get(call.video_id or "", self._renderings["video_123"])',
    ),
    _rule(
        "unknown_id_refused",
        "unknown id: a file is served",
        _SERVICE,
        "        if job is None:\n            return _not_found(call)\n",
        '        job = job or self._renderings["video_123"].at(self.now())\n',
    ),
    _rule(
        "unknown_source_refused",
        "unknown source: remixed",
        _SERVICE,
        'return flat_error(call.request_id, "task_not_exist", "task_not_exist")',
        'source = self._renderings["video_123"].at(self.now())',
    ),
    _rule(
        "unfinished_source_refused",
        "unfinished source: remixed",
        _SERVICE,
        'if source.status != "completed":',
        "if source.error:",
    ),
    _rule("unknown_model_refused", "model: any will do", _SERVICE, _MODEL_CHECK, "if not model:"),
    _rule(
        "valid_request_accepted",
        "model: one that is listed is refused",
        _SERVICE,
        _MODEL_CHECK,
        "if model not in self._models[:1]:",
    ),
    _rule("model_echoed", "model: ignored", _SERVICE, "            model=model,", "            model=source.model,"),
    _own(
        "without_a_model_it_is_that_of_the_source",
        "model: another by default",
        _SERVICE,
        'call.body.get("model", source.model)',
        'call.body.get("model", self._models[0])',
    ),
    _own(
        "every_model_is_listed_and_each_can_be_asked_for",
        "model: one is not listed",
        _SERVICE,
        "for model in self._models\n",
        "for model in self._models[1:]\n",
    ),
    _rule(
        "missing_prompt_refused",
        "prompt: not needed",
        _SERVICE,
        'if "prompt" not in call.body:\n        return "prompt is required"',
        'call.body.setdefault("prompt", "-")',
    ),
    _own(
        "a_field_that_is_blank_or_no_text_is_refused_and_makes_no_job",
        "prompt: anything will do",
        _FAKE,
        _CHECKED,
        "wrong = None",
    ),
    _rule(
        "invalid_prompt_refused",
        "prompt: may be blank",
        _FAKE,
        _CHECKED,
        f'{_CHECKED}\n        wrong = None if "prompt must" in str(wrong) else wrong',
    ),
    _rule(
        "prompt_echoed",
        "prompt: white space is lost",
        _SERVICE,
        'prompt=call.body["prompt"],',
        'prompt=" ".join(call.body["prompt"].split()),',
    ),
    _own(
        "a_prompt_is_taken_as_it_is",
        "prompt: cut",
        _SERVICE,
        'prompt=call.body["prompt"],',
        'prompt=call.body["prompt"][:1000],',
    ),
    _rule("parent_echoed", "parent: null", _SERVICE, "source=source.id,", "source=None,"),
    _rule("parent_echoed", "parent: always the same", _SERVICE, "source=source.id,", 'source="video_123",'),
    _rule(
        "parent_echoed", "parent: the job itself", _JOBS, "video_id=self.source,", "video_id=self.source and self.id,"
    ),
    _rule("id_echoed", "id: another is told", _JOBS, "            id=self.id,", '            id=f"{self.id}_1",'),
    _rule("id_echoed", "id: in capitals", _JOBS, "            id=self.id,", "            id=self.id.upper(),"),
    _rule("issued_ids_unique", "id: issued twice", _SERVICE, "{secrets.token_hex(16)}", "1"),
    _rule(
        "issued_id_retrievable",
        "id: issued and not kept",
        _SERVICE,
        "        self._renderings[rendering.id] = rendering\n",
        "",
    ),
    _own("an_id_is_opaque", "id: decoded twice", _MESSAGES, "unquote(match[1])", "unquote(unquote(match[1]))"),
    _own("an_id_is_opaque", "id: not decoded", _MESSAGES, "unquote(match[1])", "match[1]"),
    _own(
        "what_is_refused_makes_no_job",
        "a refused remix makes a job",
        _SERVICE,
        _MODEL_CHECK,
        f"self._renderings[model] = Rendering(model, model, 0.0, 0.0)\n        {_MODEL_CHECK}",
    ),
    _own(
        "a_remix_leaves_its_source_as_it_was",
        "a remix changes its source",
        _SERVICE,
        "        self._renderings[rendering.id] = rendering\n",
        "        self._renderings[rendering.id] = rendering\n"
        '        self.add_completed(source.id, call.body.get("model", source.model))\n',
    ),
]

_JOB_STATES = [
    _rule("job_completes", "job: never ends", _JOBS, "if self.error or self.stuck:", "if self.source:"),
    _rule("status_is_known", "job: ends under another name", _JOBS, '"completed" if part', '"succeeded" if part'),
    _rule("progress_complete", "progress: stays at 0", _JOBS, "int(part * 100)", "0"),
    _rule("progress_complete", "progress: ends at 99", _JOBS, "int(part * 100)", "int(part * 99)"),
    _rule(_SCHEMA, "progress: beyond 100", _JOBS, "int(part * 100)", "int(part * 101)"),
    _rule(
        "progress_never_falls",
        "progress: counts down",
        _JOBS,
        "int(part * 100)",
        "int(part * 100) if part == 1 else int(100 - part * 100)",
    ),
    _own(
        "a_job_is_queued_then_in_progress_and_its_progress_rises",
        "progress: jumps from 0 to 100",
        _JOBS,
        "int(part * 100)",
        "int(part) * 100",
    ),
    _own(
        "a_job_is_queued_then_in_progress_and_its_progress_rises",
        "status: never in progress",
        _JOBS,
        _IN_PROGRESS,
        '"queued"',
    ),
    _rule(
        "status_never_goes_back",
        "status: queued again",
        _JOBS,
        _IN_PROGRESS,
        '"in_progress" if 0.1 <= part < 0.5 else "queued"',
    ),
    _rule("status_is_known", "status: in another spelling", _JOBS, _IN_PROGRESS, '"in-progress" if part else "queued"'),
    _rule(
        "completed_at_set",
        "completed_at: missing on completion",
        _JOBS,
        'if status == "completed" else None',
        'if status == "failed" else None',
    ),
    _rule("completed_at_set", "completed_at: set from the beginning", _JOBS, ' if status == "completed" else None', ""),
    _rule(
        "completed_after_created",
        "completed_at: before created_at",
        _JOBS,
        "int(self.started + self.duration)",
        "int(self.started - 1)",
    ),
    _own(
        "a_job_is_dated_by_the_clock_and_takes_its_time",
        "completed_at: when it was created",
        _JOBS,
        "int(self.started + self.duration)",
        "int(self.started)",
    ),
    _own("a_job_is_told_in_full", "expires_at: an hour later", _JOBS, "86_400", "3_600"),
    _own(
        "a_job_is_told_in_full",
        "progress: of a failed job",
        _JOBS,
        "int(part * 100)",
        "100 if failed else int(part * 100)",
    ),
    _own("a_job_is_told_in_full", "progress: of a queued job", _JOBS, '0 if status == "queued" else int', "int"),
    _own(
        "a_job_is_dated_by_the_clock_and_takes_its_time",
        "created_at: in another time zone",
        _JOBS,
        "created_at=int(self.started)",
        "created_at=int(self.started) - 7200",
    ),
    _rule("job_facts_stable", "created_at: moves", _JOBS, "created_at=int(self.started)", "created_at=int(now)"),
    _rule("expires_after_completion", "expires_at: on completion", _JOBS, "ended + 86_400", "ended"),
    _rule("expires_after_completion", "expires_at: never told", _JOBS, "ended + 86_400 if", "None if"),
    _rule("failure_explained", "failed job: no error", _JOBS, "error=self.error if failed else None", "error=None"),
    _rule(
        "failure_explained",
        "error: on every job",
        _JOBS,
        "self.error if failed else None",
        '{"code": "0", "message": "ok"}',
    ),
    _own("a_job_is_told_in_full", "failed job: completed", _JOBS, '"failed" if failed else ', ""),
    _own(
        "a_job_is_told_in_full",
        "failed job: always the same error",
        _JOBS,
        "error=self.error if failed else None",
        'error={"code": "internal", "message": "It failed"} if failed else None',
    ),
    _rule(
        "content_too_early_refused",
        "file: served too early",
        _SERVICE,
        'if job.status != "completed":',
        "if job.error:",
    ),
    _rule(
        "failed_job_has_no_file",
        "file: served for a failed job",
        _SERVICE,
        'if job.status != "completed":',
        'if job.status not in ("completed", "failed"):',
    ),
    _rule(
        "valid_request_accepted",
        "file: never served",
        _SERVICE,
        'if job.status != "completed":',
        'if job.id != "video_123":',
    ),
]

_WHOLE = "200, file.data, file.media_type, headers)"
_PART = "206, file.data[part.start : part.stop], file.media_type, headers)"
_RANGE = 'f"bytes {part.start}-{part.stop - 1}/{size}"'
_OPEN = "range(first, size if last is None else min(last + 1, size))"

_FILES = [
    _rule("content_is_mp4", "file: cut", _SERVICE, _WHOLE, _WHOLE.replace("file.data", "file.data[:-1]")),
    _rule("content_is_mp4", "file: empty", _SERVICE, _WHOLE, _WHOLE.replace("file.data", 'b""')),
    _rule("content_is_mp4", "file: other bytes", _SERVICE, _WHOLE, _WHOLE.replace("file.data", "file.data[::-1]")),
    _rule("content_is_mp4", "file: a picture", _CONTENT, '"video.mp4"', '"thumbnail.webp"'),
    _rule(
        "content_length_true",
        "file: cut on the way",
        _ASGI,
        "answer.body[: answer.cut_at]",
        "answer.body[: answer.cut_at or 1000]",
    ),
    _own(
        "a_file_of_many_chunks_arrives_in_order",
        "file: a byte of each chunk is lost",
        _ASGI,
        "body[end - _CHUNK : end]",
        "body[end - _CHUNK : end - 1]",
    ),
    _rule(_TYPE, "file: of no type", _CONTENT, '"video/mp4"', '"application/octet-stream"'),
    _rule(_TYPE, "thumbnail: a PNG", _CONTENT, '"image/webp"', '"image/png"'),
    _rule(
        "thumbnail_is_webp",
        "thumbnail: as JPEG",
        _CONTENT,
        '"image/webp", "thumbnail.webp"',
        '"image/jpeg", "spritesheet.jpg"',
    ),
    _rule("spritesheet_is_jpeg", "spritesheet: the thumbnail", _CONTENT, "spritesheet.jpg", "thumbnail.webp"),
    _rule(
        "thumbnail_is_webp",
        "variant: ignored",
        _SERVICE,
        'content(call.query.get("variant", "video"))',
        'content("video")',
    ),
    _rule(
        "content_is_mp4",
        "variant: another by default",
        _SERVICE,
        'content(call.query.get("variant", "video"))',
        'content(call.query.get("variant", "thumbnail"))',
    ),
    _rule("previews_served", "variant: only the video", _SERVICE, "not in VARIANTS:", '!= "video":'),
    _own(
        "files_are_those_that_the_server_has",
        "file: its last byte differs",
        _SERVICE,
        _WHOLE,
        _WHOLE.replace("file.data", 'file.data[:-1] + b"?"'),
    ),
    _rule(
        "range_answer_right",
        "part: one byte late",
        _SERVICE,
        "[part.start : part.stop]",
        "[part.start + 1 : part.stop + 1]",
    ),
    _rule("range_answer_right", "part: one byte short", _CONTENT, _OPEN, _OPEN.replace("last + 1", "last")),
    _rule("range_answer_right", "part: the whole file", _SERVICE, "[part.start : part.stop]", ""),
    _rule(
        "range_answer_right",
        "part: another than it says",
        _SERVICE,
        _RANGE,
        _RANGE.replace("part.start}", "part.start + 1}"),
    ),
    _rule("range_answer_right", "part: of another size", _SERVICE, _RANGE, _RANGE.replace("/{size}", "/{size + 1}")),
    _rule(_HEADERS, "part: says its place in other words", _SERVICE, _RANGE, _RANGE.replace("bytes ", "bytes=")),
    _rule(_STATUS, "part: sent with 207", _SERVICE, _PART, _PART.replace("206", "207")),
    _rule("range_answer_right", "part: sent as the whole", _SERVICE, _PART, _PART.replace("206", "200")),
    _rule(
        "range_answer_right",
        "part: the end is the beginning",
        _CONTENT,
        "range(max(size - (suffix or 0), 0), size)",
        "range(suffix or 0)",
    ),
    _own("a_file_comes_whole_and_in_parts", "part: never sent", _SERVICE, "if part is None:", "if True:"),
    _own(
        "a_file_comes_whole_and_in_parts", "part: not with a tag", _CONTENT, '"if-range", etag) != etag', '"if-range")'
    ),
    _own(
        "a_file_comes_whole_and_in_parts",
        "part: none but at the beginning",
        _CONTENT,
        "if not match or",
        "if not match or not match[2] or",
    ),
    _own("a_range_beyond_the_end_is_refused_with_the_size", "part: of nothing", _SERVICE, "if not part:", "if False:"),
    _rule(
        "if_range_respected",
        "If-Range: ignored",
        _CONTENT,
        'if not match or headers.get("if-range", etag) != etag:',
        "if not match:",
    ),
    _rule("etag_stable", "tag: another each time", _SERVICE, '"etag": file.etag}', '"etag": f\'"{call.request_id}"\'}'),
    _own(
        "a_file_comes_whole_and_in_parts",
        "tag: missing",
        _SERVICE,
        '"accept-ranges": "bytes", "etag": file.etag',
        '"accept-ranges": "bytes"',
    ),
    _own("a_file_comes_whole_and_in_parts", "tag: weak", _CONTENT, "f'\"{hashlib", "f'W/\"{hashlib"),
    _own(
        "a_file_comes_whole_and_in_parts",
        "file: of unknown length",
        _MESSAGES,
        ', "content-length": str(len(body))}',
        "}",
    ),
]

_HTTP = [
    _rule(
        "allow_header_conformance",
        "405: another method is told",
        _FAKE,
        'headers={"allow": method}',
        'headers={"allow": "PUT"}',
        found_by=_MADE_UP,
    ),
    _own(
        "a_method_outside_the_document_is_405_and_the_right_one_is_told",
        "405: without Allow",
        _FAKE,
        ', headers={"allow": method})',
        ")",
    ),
    _rule(
        "unsupported_method", "405: as 404", _FAKE, "call.request_id, 405,", "call.request_id, 404,", found_by=_MADE_UP
    ),
    _own(
        "a_method_outside_the_document_is_405_and_the_right_one_is_told",
        "any method will do",
        _MESSAGES,
        "operation=operation if operation and request.method == ROUTES[operation][0] else None,",
        "operation=operation,",
    ),
    _own(
        "a_path_outside_the_document_is_404",
        "any path will do",
        _MESSAGES,
        "pattern.fullmatch(path)",
        "pattern.match(path)",
    ),
    _own(
        "a_body_that_is_no_json_object_is_refused",
        "JSON cut off is a 500",
        _MESSAGES,
        "except (ValueError, RecursionError):",
        "except (UnicodeError, RecursionError):",
    ),
    _own(
        "a_body_that_is_no_json_object_is_refused",
        "deep JSON is a 500",
        _MESSAGES,
        "except (ValueError, RecursionError):",
        "except ValueError:",
    ),
    _own(
        "a_body_that_is_no_json_object_is_refused",
        "JSON of another kind is a 500",
        _SERVICE,
        "if not isinstance(call.body, dict):",
        "if call.body is None:",
    ),
    _own(
        "a_body_that_is_not_announced_as_json_is_refused",
        "any content type will do",
        _SERVICE,
        'if call.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":',
        "if False:",
    ),
    _rule(
        "not_a_server_error",
        "variant: an unknown one is a 500",
        _FAKE,
        _CHECKED,
        f'{_CHECKED}\n        wrong = None if "variant" in str(wrong) else wrong',
        found_by=_MADE_UP,
    ),
    _rule(
        "negative_data_rejection",
        "variant: any will do",
        _FAKE,
        _CHECKED,
        f'{_CHECKED}\n        if "variant" in str(wrong):\n            wrong, call = None, evolve(call, query={{}})',
        found_by=_MADE_UP,
    ),
]

FAULTS = [*_RESPONSES, *_ACCESS, *_SUBMITS, *_JOB_STATES, *_FILES, *_HTTP]

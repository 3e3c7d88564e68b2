"""Faults in the client, by place: what is generated, sent and read, resent, awaited, kept secret and saved."""

from __future__ import annotations

from contract_tests.teeth.faults import Fault, in_code

# The suite that must notice, and its test if only one may; what is wrong; the code, and the code in its place, where
# … stands for the code as it was.
Row = tuple[str, str, str, str]


def _generated(place: str, *rows: Row) -> list[Fault]:
    """Faults in the generated client, which the contract tests must notice."""
    at = f"generated/deerapi_remix_generated/{place}"
    return [
        in_code(at, f"generated: {name}", old, new.replace("…", old), _test("contract_tests", rule))
        for rule, name, old, new in rows
    ]


def _contract(place: str, *rows: Row) -> list[Fault]:
    """Faults in the wrapper that break the contract."""
    return _in_wrapper("contract_tests", place, rows)


def _wrapper(place: str, *rows: Row) -> list[Fault]:
    """Faults in the wrapper that its own tests must notice."""
    return _in_wrapper("wrapper/tests", place, rows)


def _in_wrapper(folder: str, place: str, rows: tuple[Row, ...]) -> list[Fault]:
    at = f"wrapper/deerapi_remix/{place}"
    return [in_code(at, name, old, new.replace("…", old), _test(folder, rule)) for rule, name, old, new in rows]


def _test(folder: str, rule: str) -> str:
    suite, _, test = rule.partition("::")
    return f"{folder}/test_{suite}.py" + (f"::test_{test}" if test else "")


_SENDS = "generated_client::the_function_sends_this_request"
_READS = "generated_client::the_function_reads_every_documented_answer"
_TYPES = "generated_client::the_model_has_these_fields"
_REQUIRES = "generated_client::the_model_requires_these_fields"
_WRITES = "generated_client::the_model_reads_and_writes_every_field_and_extra"
_VARIANTS = "generated_client::the_variants_are_these"
_PATH = "requests::the_path_is_the_documented_one"
_QUERY = "requests::the_query_is_declared_and_what_was_asked"
_BODY = "requests::the_body_is_valid_and_what_was_asked"
_SEGMENT = "requests::a_hostile_id_stays_one_segment"
_PROMPT = "requests::a_prompt_arrives_as_it_is_with_and_without_a_model"
_RESPX = "other_libraries::a_connection_that_respx_lets_fail_is_tried_again"
_UNKNOWN_TRANSPORT = "other_libraries::a_transport_that_is_not_known_proves_nothing_when_it_says_that_nothing_was_sent"

_GENERATED = [
    *_generated(
        "api/videos/remix_video.py::_get_kwargs",
        (_SENDS, "remix with another method", '"method": "post"', '"method": "put"'),
        (_PATH, "remix at another path", "{video_id}/remix", "{video_id}/remixes"),
        (_SEGMENT, "remix escapes no slash", 'safe=""', 'safe="/"'),
        (_SENDS, "remix escapes nothing", 'quote(str(video_id), safe="")', "video_id"),
        (
            "requests::the_content_type_is_documented",
            "remix of another content type",
            '"application/json"',
            '"text/json"',
        ),
        (_SENDS, "remix with a form for a body", '_kwargs["json"]', '_kwargs["data"]'),
        (_SENDS, "remix without a body", '_kwargs["json"] = body.to_dict()', ""),
        (
            "requests::no_header_is_undeclared",
            "remix with a header of its own",
            'headers["Content-Type"]',
            'headers["X-Client"] = …',
        ),
    ),
    *_generated(
        "api/videos/remix_video.py::_parse_response",
        (_READS, "remix answered with 201", "response.status_code == 200", "response.status_code == 201"),
    ),
    *_generated(
        "api/videos/retrieve_video.py::_get_kwargs",
        (_PATH, "retrieve at an older path", '"/v1/videos/{video_id}"', '"/v1/video/{video_id}"'),
        (_SEGMENT, "retrieve escapes twice", "quote(str(video_id)", "quote(quote(str(video_id))"),
        (_SEGMENT, "retrieve escapes as in a form", 'quote(str(video_id), safe="")', '….replace("%20", "+")'),
    ),
    *_generated(
        "api/videos/retrieve_video.py::_parse_response",
        (_READS, "retrieve reads the answer of a remix", "response_200 = VideoJob", "response_200 = FlatError"),
    ),
    *_generated(
        "api/videos/download_video_content.py::_get_kwargs",
        (_PATH, "download of the wrong part", "{video_id}/content", "{video_id}/file"),
        (_QUERY, "download with another query", 'params["variant"]', 'params["kind"]'),
        (_QUERY, "download without its query", '"params": params,', ""),
        (_SENDS, "download with an empty query", "json_variant: str | Unset = UNSET", 'json_variant: str | Unset = ""'),
    ),
    *_generated(
        "api/models/list_models.py::_get_kwargs",
        (_PATH, "models of another version", '"/v1/models"', '"/v2/models"'),
        ("requests::the_method_is_the_documented_one", "models by POST", '"method": "get"', '"method": "post"'),
    ),
    *_generated(
        "models/download_video_content_variant.py::DownloadVideoContentVariant",
        (_VARIANTS, "a variant of another name", '"spritesheet"', '"sprite_sheet"'),
        (_VARIANTS, "a variant is gone", 'THUMBNAIL = "thumbnail"', ""),
    ),
    *_generated(
        "models/remix_request.py::RemixRequest.to_dict",
        (_BODY, "the prompt under another name", '"prompt": prompt', '"text": prompt'),
        (_PROMPT, "the prompt is cut", "prompt = self.prompt", "prompt = self.prompt[:4000]"),
        (_BODY, "the model is lost", 'field_dict["model"] = model', "pass"),
        (
            "generated_client::the_model_writes_nothing_for_what_is_unset",
            "the model is null",
            "model is not UNSET",
            "True",
        ),
    ),
    *_generated("models/remix_request.py::RemixRequest.model", (_REQUIRES, "the model is required", " = UNSET", "")),
    *_generated(
        "models/remix_job.py::RemixJob.from_dict",
        (_WRITES, "a job names its length otherwise", 'seconds = d.pop("seconds")', 'seconds = d.pop("duration")'),
        (_WRITES, "a job mixes up two fields", "size=size, seconds=seconds,", "size=seconds, seconds=size,"),
        (
            _WRITES,
            "a job drops what it does not know",
            "remix_job.additional_properties = d",
            "remix_job.additional_properties = {}",
        ),
    ),
    *_generated("models/remix_job.py::RemixJob.seconds", (_TYPES, "a job has its length as a number", "str", "int")),
    *_generated(
        "models/remix_job.py::RemixJob.remixed_from_video_id",
        (_REQUIRES, "a job need not have a source", ": str", ': str = ""'),
    ),
    *_generated(
        "models/video_job.py::VideoJob.status", (_REQUIRES, "a poll may lack its status", ": str", ': str = ""')
    ),
    *_generated("models/video_job.py::VideoJob.size", (_TYPES, "a poll must have its size", "str | Unset", "str")),
    *_generated(
        "models/video_job.py::VideoJob.completed_at",
        (_TYPES, "a poll has a time of another type", "int | None", "str | None"),
    ),
    *_generated(
        "models/video_job.py::VideoJob.error",
        (_TYPES, "a poll cannot have null for an error", "None | Unset | VideoJobError", "Unset | VideoJobError"),
    ),
    *_generated(
        "models/error_details.py::ErrorDetails.code", (_TYPES, "an error has its code as text alone", "int | ", "")
    ),
    *_generated(
        "models/model_list.py::ModelList.from_dict",
        (_WRITES, "the list has another name for its models", 'd.pop("data")', 'd.pop("models")'),
    ),
    *_generated(
        "client.py::AuthenticatedClient",
        (
            "generated_client::regenerating_changes_nothing",
            "edited by hand",
            "class AuthenticatedClient:",
            "…\n    # By hand.",
        ),
    ),
]

_DESIGN = "arguments::a_bad_argument_is_refused_before_anything_is_sent_and_leaves_no_file"

_SENDING = [
    *_contract(
        "_exchange.py::Exchange.request",
        (
            "requests::no_header_is_undeclared",
            "the key in another header too",
            "self._request = request",
            '…\n        request.headers["X-Api-Key"] = "x"',
        ),
    ),
    *_contract(
        "_key.py::Key.sign",
        (
            "requests::the_key_is_sent_as_documented",
            "the key is not sent",
            'headers["Authorization"] = header',
            'headers.setdefault("authorization", "x")',
        ),
    ),
    *_contract(
        "_key.py::Key.header",
        ("requests::the_key_is_sent_as_documented", "the key under another scheme", 'f"Bearer {str', 'f"Token {str'),
    ),
    *_contract(
        "_operations.py::remix",
        (_PROMPT, "the prompt loses its spaces", "RemixRequest(prompt=prompt,", "RemixRequest(prompt=prompt.strip(),"),
        (
            _PROMPT,
            "the prompt is normalised",
            "prompt=prompt, model=UNSET",
            'prompt=__import__("unicodedata").normalize("NFC", prompt), model=UNSET',
        ),
        (_PROMPT, "the model is not sent", "UNSET if model is None else model", "UNSET"),
        (_PROMPT, "a model is always sent", "UNSET if model is None", '"sora-2" if model is None'),
    ),
    *_contract(
        "_operations.py::download",
        (_QUERY, "the variant is not sent", "UNSET if variant is None else contract", "UNSET if variant else contract"),
        (
            _QUERY,
            "the variant is always sent",
            "wanted = UNSET if variant is None else contract.DownloadVideoContentVariant(variant)",
            'wanted = contract.DownloadVideoContentVariant(variant or "video")',
        ),
    ),
    *_wrapper(
        "_reading.py::problem_of_id",
        (_DESIGN, "an id may name another path", 'value in (".", "..")', 'value == "."'),
        (_DESIGN, "an id may have a line break", "_CONTROL_CHARACTERS.search(value)", "False"),
    ),
    *_wrapper(
        "_reading.py::problem_of_text", (_DESIGN, "an id may be blank", "if not value.strip():", "if not value:")
    ),
    *_wrapper(
        "config.py::_check_text",
        (
            "arguments",
            "an id may be a number",
            'raise TypeError(f"{name} must be a string, not {type(value).__name__}")',
            "value = str(value)",
        ),
    ),
    *_wrapper(
        "_key.py::Key.__init__",
        (
            "requests",
            "the key is asked for once",
            "self._ask: Callable[[], object] = source",
            "key = source()\n            self._ask: Callable[[], object] = lambda: key",
        ),
        ("config", "the key comes from another variable", '"DEERAPI_KEY", ""', '"OPENAI_API_KEY", ""'),
    ),
    *_wrapper("_key.py::Key.header", ("config", "the key with its line break", "str(key).strip()", "key")),
    *_wrapper(
        "_key.py::_key_problem", ("secrets", "a malformed key is sent", "not _VISIBLE.fullmatch(stripped)", "False")
    ),
    *_wrapper(
        "_key.py::Key.__repr__", ("secrets", "the key is in a repr", 'return "Key(***)"', "return self.header()")
    ),
    *_wrapper(
        "config.py::check_base_url",
        (
            "config",
            "the base URL loses its path",
            'return str(url).rstrip("/")',
            'return str(url.join("/")).rstrip("/")',
        ),
        ("config", "the base URL keeps its slash", 'str(url).rstrip("/")', "str(url)"),
        (
            "config",
            "the key goes out without encryption",
            'url.scheme == "http" and is_loopback(host)',
            'url.scheme == "http"',
        ),
    ),
    *_wrapper(
        "config.py::DEFAULT_BASE_URL",
        ("config", "another host by default", '"https://api.deerapi.com"', '"https://api.deerapi.ai"'),
    ),
    *_wrapper(
        "_connections.py::Connections._options",
        ("connections", "a proxy between this machine and itself", "{} if is_loopback(self._host) else ", ""),
    ),
    *_wrapper(
        "_exchange.py::Exchange.request",
        ("requests", "the timeout is that of a client handed in", "extensions=extensions,", ""),
    ),
    *_wrapper(
        "_transport.py::AsyncSeam.request",
        (
            "requests",
            "the password of a client handed in replaces the key",
            "request, auth=None, follow",
            "request, follow",
        ),
        ("requests", "a redirect of a submit is followed", "follow_redirects=False", "follow_redirects=True"),
    ),
    *_wrapper(
        "_connections.py::SyncConnections.give_back",
        (
            "connections",
            "a client handed in is closed",
            "if http is self._handed_in:\n            return",
            "if http is self._handed_in:\n            http.close()",
        ),
    ),
    *_wrapper(
        "_sync_loops.py::SyncLoops.close",
        ("connections", "a copy closes its original", "if not self._is_copy:", "if True:"),
    ),
    *_wrapper(
        "_exchange.py::Exchange._headers",
        ("requests", "compression is asked for", '{"Accept-Encoding": "identity"}', "{}"),
    ),
    *_wrapper(
        "async_client.py::AsyncRemixClient.remix_to_file",
        ("remix_to_file", "remix_to_file forgets the model", "model=model", "model=None"),
    ),
    *_wrapper(
        "client.py::RemixClient.remix_to_file",
        ("remix_to_file", "the source is polled in place of the new job", "Wait(video,", "Wait(video_id,"),
        (
            "remix_to_file",
            "the download has a deadline of its own",
            "transfer, deadline)",
            "transfer, deadline_of_wait(1e6, self._settings.polling))",
        ),
        ("remix_to_file", "the accepted job is not told at once", "updates.tell(video) waiting =", "waiting ="),
    ),
]

_JOB = "answers::a_valid_job_comes_back_whole"
_LIST = "answers::a_valid_list_comes_back_whole"
_BAD_JOB = "answers::a_job_with_one_wrong_field_is_a_warning_or_a_typed_error"

_READING = [
    *_contract(
        "_reading.py::read_video",
        (
            _JOB,
            "what is not known is dropped",
            "raw=answer,",
            "raw={name: value for name, value in answer.items() if name in fields},",
        ),
    ),
    *_contract(
        "_operations.py::_read_models",
        (_LIST, "the list of models is cut", "map(read_model, cards)", "map(read_model, cards[:1])"),
    ),
    *_contract(
        "_reading.py::read_model",
        (_LIST, "a model loses its owner", "Model(**fields)", 'Model(**{**fields, "owned_by": None})'),
    ),
    *_contract("_calls.py::Run.succeeded", (_BAD_JOB, "drift is not warned of", "if reading.problems:", "if False:")),
    *_contract(
        "_calls.py::Run._judge",
        (_BAD_JOB, "a strict client takes everything", "if self._settings.strict:", "if False:"),
        (_BAD_JOB, "every client is strict", "if self._settings.strict:", "if True:"),
    ),
    *_contract(
        "_contract.py::breaches",
        (_BAD_JOB, "null is no drift", "kind not in field.types:", "kind not in field.types and value is not None:"),
    ),
    *_wrapper(
        "_reading.py::ID_FIELDS", ("answers", "the task counts before the video", '"id", "task_id"', '"task_id", "id"')
    ),
    *_wrapper(
        "_reading.py::named_in",
        (
            "answers",
            "the inner id counts before the outer",
            '[answer, answer.get("data")]',
            '[answer.get("data"), answer]',
        ),
        ("answers", "an id inside data is not seen", '[answer, answer.get("data")]', "[answer]"),
        ("answers", "an id that is a number is refused", "return strings + whole_numbers", "return strings"),
        ("answers", "true is an id", " and not isinstance(value, bool)", ""),
    ),
    *_wrapper(
        "_reading.py::ids_in",
        ("gateways", "an id that cannot be sent back is kept", " if problem_of_id(value) is None", ""),
    ),
    *_wrapper(
        "_operations.py::_read_video",
        ("gateways", "the id of another job is taken over", "asked_for or ids[0]", "ids[0]"),
        ("gateways", "another id is no drift", "if video_id not in ids:", "if False:"),
    ),
    *_wrapper(
        "_operations.py::_problems",
        ("answers", "a wrong content type is no drift", 'not in (None, "application/json")', "is None"),
    ),
    *_wrapper(
        "_submission.py::_job_in",
        ("answers", "the id of a garbled submit is lost", "rest = salvage(answer.text())", "rest = None"),
    ),
    *_wrapper(
        "_salvage.py::_is_sound",
        ("answers", "a row counts as the job whose id was cut", " and not _has_lost_its_id(answer, broken)", ""),
    ),
    *_wrapper(
        "_salvage.py::salvage",
        (
            "answers",
            "the first event counts before that of a job",
            "candidates = jobs or with_ids",
            "candidates = with_ids",
        ),
        (
            "answers",
            "one of several jobs is taken for the new one",
            "if len({usable_id(answer) for answer in candidates}) != 1:",
            "if not candidates:",
        ),
    ),
    *_wrapper(
        "_salvage.py::_objects", ("answers", "a later event is not looked at", "range(_OBJECTS_LOOKED_AT)", "range(1)")
    ),
    *_wrapper(
        "_reading.py::members_of",
        ("answers", "a field inside data is not read", "return {**data, **members}", "return members"),
    ),
    *_wrapper("_reading.py::number", ("answers", "progress with a percent sign is not read", '.removesuffix("%")', "")),
    *_wrapper(
        "_reading.py::read_video_error",
        ("gateways", "an error that is text is not read", "return VideoError(message=value)", "return None"),
    ),
    *_wrapper(
        "_reading.py::_tolerant",
        ("answers", "a field of another type is handed on", "read(answer.get(name))", "answer.get(name)"),
    ),
    *_wrapper(
        "_reading.py::read_video", ("answers", "a missing status raises", "if tells_status(answer):", "if answer:")
    ),
    *_wrapper(
        "models.py::Video.is_completed",
        ("waiting", "an unknown status is a success", "in _COMPLETED", 'not in {*_FAILED, "queued", "inprogress"}'),
    ),
    *_wrapper("models.py::_FAILED", ("waiting", "a cancelled job is waited for", '"cancelled",', "")),
    *_wrapper(
        "models.py::_COMPLETED",
        ("waiting", "an expired job is a success", '"completed",', '"completed", "expired",'),
        ("waiting", "a job that is done is waited for", ', "done"', ""),
    ),
    *_wrapper("models.py::_first_word", ("waiting", "a status in capitals is not known", ".lower()", "")),
    *_wrapper("_reading.py::read_model", ("answers", "one bad model spoils the list", 'if fields["id"] else None', "")),
    *_wrapper(
        "_journal.py::Journal.drifted", ("answers", "drift is warned of again and again", "self._drifts.add(drift)", "")
    ),
    *_wrapper(
        "_contract.py::breaches",
        (
            "answers",
            "drift inside an error is not seen",
            "elif field.model is not None and value is not None:",
            "elif field.model is not None and isinstance(value, list):",
        ),
    ),
    *_wrapper(
        "_answer.py::Answer.is_success",
        ("answers", "only 200 is a success", "200 <= self.status <= 299", "self.status == 200"),
        ("retries", "a redirect is a success", "200 <= self.status <= 299", "200 <= self.status <= 399"),
    ),
    *_wrapper(
        "_submission.py::Submission.accepted",
        ("events_and_logs", "an accepted id is not logged", "self._journal.accepted(event)", ""),
    ),
]

_SHAPES = "errors"

_FAILING = [
    *_contract(
        "_failures.py::TABLE",
        (
            "answers::a_documented_error_is_read_whole",
            "a wrong key is a matter of permission",
            "errors.AuthenticationError",
            "errors.PermissionDeniedError",
        ),
        (
            "answers::a_documented_error_is_read_whole",
            "500 is not charged",
            "Row(_one(500), errors.InternalServerError, ambiguous=True,",
            "Row(_one(500), errors.InternalServerError,",
        ),
    ),
    *_wrapper(
        "_exchange.py::Guard.__exit__",
        ("secrets", "the key stays in an error whose judging was interrupted", "self._exchange.mask.error(raised)", ""),
    ),
    *_wrapper(
        "_exchange.py::Exchange.chunk",
        (
            "answers",
            "a long answer is read to its end",
            "if self.answer is not None and self.answer.is_full:",
            "if False:",
        ),
    ),
    *_contract(
        "_exchange.py::Exchange.finish",
        (
            "answers::a_documented_error_is_read_whole",
            "a status is swallowed",
            "if not answer.is_success:",
            "if not answer.is_success and answer.status != 404:",
        ),
    ),
    *_wrapper(
        "_failures.py::TABLE",
        ("errors", "422 is no bad request", "Row(_one(422), errors.BadRequestError),", ""),
        ("errors", "402 is no matter of the balance", "Row(_one(402), errors.InsufficientQuotaError),", ""),
        ("errors", "a proxy's 5xx is of no class", "Row(range(500, 600),", "Row(range(500, 512),"),
    ),
    *_wrapper(
        "_exchange.py::Exchange.judge",
        (
            "retries",
            "a cut error body hides its status",
            "if self.answer is None or self.answer.is_success:",
            "if True:",
        ),
        (
            "errors",
            "the cause of an error is lost",
            "raise self._broken_off(error) from error",
            "raise self._broken_off(error) from None",
        ),
    ),
    *_wrapper(
        "_transport_errors.py::_OF_HTTP", ("retries", "an error of httpx leaks", '"HTTPError",', '"TimeoutException",')
    ),
    *_wrapper(
        "_failures.py::_TIMEOUTS", ("retries", "a timeout is no timeout", '"TimeoutException"', '"ConnectTimeout"')
    ),
    *_wrapper(
        "_answer.py::_REQUEST_ID_HEADERS",
        (_SHAPES, "the request ID is not read from the usual header", '"x-oneapi-request-id",', ""),
        (_SHAPES, "the request ID is not read from an older header", '"request-id",', ""),
    ),
    *_wrapper(
        "_messages.py::request_id_of",
        (_SHAPES, "the request ID is not read from the message", "return in_body[1]", "return None"),
    ),
    *_wrapper(
        "_messages.py::ServerMessage.read",
        (
            _SHAPES,
            "a flat error is not read",
            "error if isinstance(error, dict) else answer",
            "error if isinstance(error, dict) else {}",
        ),
        (_SHAPES, "a nested error is not read", "error if isinstance(error, dict) else answer", "answer"),
        (
            _SHAPES,
            "an error that is text alone is not read",
            "error if isinstance(error, str) else _message_in(source)",
            "_message_in(source)",
        ),
        (
            _SHAPES,
            "a code that is a number is not read",
            'code=text(source.get("code"))',
            'code=source.get("code") if isinstance(source.get("code"), str) else None',
        ),
    ),
    *_wrapper(
        "_messages.py::_prose", (_SHAPES, "the title of a page is not read", "if title is not None:", "if False:")
    ),
    *_wrapper(
        "_failures.py::bad_status", (_SHAPES, "the body of an error is kept whole", "body=body[:2_000]", "body=body")
    ),
    *_wrapper(
        "_calls.py::Run.failed",
        ("errors", "the id is in no error", "error.video_id = error.video_id or self.call.video_id", ""),
        ("retries", "attempts are not counted in an error", "error.attempts = self._number", ""),
    ),
    *_wrapper(
        "errors.py::APITimeoutError",
        (
            "public_api",
            "a timeout is not caught as TimeoutError",
            "APIConnectionError, TimeoutError",
            "APIConnectionError",
        ),
    ),
    *_wrapper(
        "errors.py::DeerAPIError.__str__",
        (
            "errors",
            "nothing says that a job may have been charged",
            "CHARGED if self.may_have_been_charged else self.advice",
            "self.advice",
        ),
    ),
    *_wrapper(
        "_mask.py::_remover", ("secrets", "a key that is echoed is in the error", 'value.replace(key, "***")', "value")
    ),
    *_wrapper(
        "_mask.py::_spelled",
        ("secrets", "a key that is echoed as in a URL is shown", "|%{in_url}", ""),
        ("secrets", "a key that is echoed as in HTML is shown", "|&(?:{in_html})", ""),
        ("secrets", "a key that is echoed in UTF-16 is shown", '"\\0{0,3}".join', '"".join'),
    ),
    *_wrapper(
        "_mask.py::_in_base64", ("secrets", "a header that is echoed in base64 is shown", "range(3)", "range(1)")
    ),
    *_wrapper(
        "_mask.py::KeyMask.error",
        (
            "secrets",
            "the key is in the cause",
            "error.args = tuple(self.value(argument) for argument in error.args)",
            "",
        ),
    ),
    *_wrapper(
        "_journal.py::Journal.accepted",
        ("events_and_logs", "an accepted job is logged without its id", "accepted as %(video_id)s", "accepted"),
    ),
    *_wrapper(
        "_journal.py::Journal.emit",
        ("events_and_logs", "what on_event raises ends the call", "except Exception:", "except ZeroDivisionError:"),
    ),
]

_ROW_500 = "Row(_one(500), errors.InternalServerError, ambiguous=True, transient=True, resends_paid=True)"
_ROW_503 = "Row(_one(503), errors.InternalServerError, transient=True, resends_paid=True)"
_ROW_5XX = "Row(range(500, 600), errors.InternalServerError, ambiguous=True, transient=True)"

_RESENDING = [
    *_wrapper(
        "_failures.py::TABLE",
        (
            "retries",
            "429 is not resent",
            "errors.RateLimitError, transient=True, resends_paid=True",
            "errors.RateLimitError",
        ),
        (
            "retries",
            "500 is not resent",
            _ROW_500,
            "Row(_one(500), errors.InternalServerError, ambiguous=True, transient=True)",
        ),
        ("retries", "503 is not resent", _ROW_503, "Row(_one(503), errors.InternalServerError, transient=True)"),
        (
            "retries",
            "a paid submit is resent after 502",
            _ROW_5XX,
            "Row(_one(502), errors.InternalServerError, ambiguous=True, transient=True, resends_paid=True), …",
        ),
        (
            "retries",
            "a paid submit is resent after 504",
            _ROW_5XX,
            "Row(_one(504), errors.InternalServerError, ambiguous=True, transient=True, resends_paid=True), …",
        ),
        (
            "retries",
            "a paid submit is resent after 408",
            "Row(_one(408), errors.APIStatusError, ambiguous=True, transient=True)",
            "Row(_one(408), errors.APIStatusError, transient=True, resends_paid=True)",
        ),
        (
            "retries",
            "a status of a CDN was not charged",
            _ROW_5XX,
            "Row(range(520, 600), errors.InternalServerError, transient=True), …",
        ),
        (
            "retries",
            "what says done was not charged",
            "Row(range(303, 305), errors.APIStatusError, ambiguous=True),",
            "",
        ),
        (
            "retries",
            "a nonsense status was not charged",
            "Row(range(1000), errors.APIStatusError, ambiguous=True),",
            "Row(range(1000), errors.APIStatusError),",
        ),
        (
            "retries",
            "400 is resent",
            "Row(_one(400), errors.BadRequestError)",
            "Row(_one(400), errors.BadRequestError, transient=True, resends_paid=True)",
        ),
    ),
    *_wrapper(
        "_failures.py::_NEVER_SENT",
        ("retries", "a paid submit is resent after a lost answer", '"UnsupportedProtocol"', '"ReadTimeout"'),
        ("retries", "a paid submit is resent after a cut connection", '"UnsupportedProtocol"', '"RemoteProtocolError"'),
        ("retries", "a submit that was never sent may have been charged", '"ConnectTimeout",', ""),
    ),
    *_wrapper(
        "_exchange.py::Exchange.judge",
        ("connections", "a socket that fails after a status hides it", " or not is_of_socket(error)", " or True"),
    ),
    *_wrapper(
        "_transport_errors.py::is_of_socket",
        ("connections", "a time limit is lost after a status", " and not isinstance(error, TimeoutError)", ""),
    ),
    *_wrapper(
        "_waits.py::Wait.failed",
        ("waiting", "an error about another job ends a wait", " and self.video_id in named_in(content)", ""),
        ("waiting", "a job that failed is polled on as an error", "if is_end or", "if"),
    ),
    *_wrapper(
        "_transport_errors.py::is_to_be_believed",
        (_UNKNOWN_TRANSPORT, "any transport proves that nothing was sent", "modules = list", "return True\n    …"),
        (_RESPX, "a mock of respx proves nothing", "(cause.__module__, cause.__name__)", "()"),
        ("retries", "a mock of httpx proves nothing", " or not _MOCKS.isdisjoint(modules)", ""),
    ),
    *_wrapper(
        "_failures.py::is_resent",
        (
            "retries",
            "a paid submit is resent whatever happened",
            "if not paid or not isinstance(error, errors.APIStatusError):",
            "if True:",
        ),
        ("retries", "a submit that was passed on is resent", " and error.reason is not Reason.PASSED_ON", ""),
        ("retries", "a job that is told with a failure is paid for again", "error.job_id is not None or ", ""),
        ("gateways", "a model that is not served is asked for again", " or error.reason in TIME_DOES_NOT_MEND", ""),
    ),
    *_wrapper(
        "_failures.py::no_answer",
        ("retries", "nothing may have been charged", "may_have_been_charged=ambiguous", "may_have_been_charged=False"),
        ("retries", "a lost submit may be called again", "not is_final and not ambiguous", "not is_final"),
        ("retries", "a bad certificate is tried again", " or _has_bad_certificate(error)", ""),
    ),
    *_wrapper(
        "_failures.py::bad_status",
        (
            "retries",
            "a 503 that was passed on was not charged",
            "row.ambiguous or (answer.status == 503 and reason is Reason.PASSED_ON)",
            "row.ambiguous",
        ),
    ),
    *_wrapper(
        "_failures.py::unreadable",
        (
            "answers",
            "an unreadable submit was not charged",
            "may_have_been_charged=paid",
            "may_have_been_charged=False",
        ),
        ("answers", "an unreadable submit may be called again", "may_have_been_charged=paid,", "… retryable=True,"),
    ),
    *_wrapper("_operations.py::remix", ("retries", "a submit is free of charge", "paid=True,", "")),
    *_wrapper(
        "_operations.py::retrieve", ("retries", "a retrieval is paid for", "video_id, )", "video_id, paid=True)")
    ),
    *_wrapper(
        "_retry.py::delay_after",
        ("retries", "a thrifty client resends after 503", "status in (500, 503)", "status in (500,)"),
        ("retries", "Retry-After is ignored", "if retry_after is not None:", "if False:"),
        ("retries", "one attempt too many", "attempts >= policy.attempts", "attempts > policy.attempts"),
    ),
    *_wrapper(
        "_retry.py::backoff",
        ("retries", "the backoff does not grow", "2.0**doublings", "2.0"),
        ("retries", "the backoff has no bound", "min(policy.max_delay, ", "max(0.0, "),
        ("retries", "the backoff has no jitter", "draw * min", "min"),
    ),
    *_wrapper(
        "_retry_after.py::retry_after",
        ("retries", "Retry-After as a date is ignored", "date = http_date(value)", "date = None"),
        ("retries", "Retry-After counts by our own clock", "if sent is None:", "if True:"),
    ),
    *_wrapper(
        "_calls.py::Run._delay_after",
        (
            "retries",
            "a delay beyond the budget is slept",
            "delay is None or not self._allowance.permits(delay)",
            "delay is None",
        ),
    ),
    *_wrapper(
        "_calls.py::Allowance.renew",
        (
            "retries",
            "the budget has no end",
            "Deadline.after(self.policy.budget).or_earlier(self._latest)",
            "self._latest",
        ),
    ),
    *_wrapper("config.py::RetryPolicy.attempts", ("config", "one attempt more by default", "default=4", "default=5")),
    *_wrapper(
        "_submission.py::Submission.tell",
        (
            "events_and_logs",
            "an interrupted submit is not told",
            "self._journal.interrupted(exchange.attempt.call)",
            "pass",
        ),
        (
            "remix_to_file",
            "the user's own error does not name the job",
            'error.add_note( f"The job was',
            'str( f"The job was',
        ),
    ),
    *_wrapper(
        "_async_loops.py::AsyncLoops._run",
        (
            "retries",
            "the asynchronous client does not sleep",
            "await _clock.async_sleep(delay)",
            "await asyncio.sleep(0)",
        ),
        ("retries", "the asynchronous client resends nothing", "if delay is None:", "if delay is not None:"),
    ),
    *_wrapper(
        "_sync_loops.py::SyncLoops._run",
        ("retries", "the synchronous client resends nothing", "if delay is None:", "if delay is not None:"),
    ),
]

_WAITING = [
    *_wrapper(
        "_waits.py::Wait.ends_with",
        ("waiting", "a failed poll ends the wait", "error.retryable or ", ""),
        ("waiting", "an unreadable poll ends the wait", " or _is_unreadable(error)", ""),
        ("waiting", "a refused poll is repeated", "error.retryable or", "True or …"),
        ("waiting", "Retry-After does not delay a poll", 'getattr(error, "retry_after", None)', "None"),
    ),
    *_wrapper(
        "_waits.py::_is_unreadable", ("waiting", "a strict wait takes everything", " and error.video is None", "")
    ),
    *_wrapper("_waits.py::GRACE_OF_A_NEW_JOB", ("waiting", "a job just accepted must be known", "30.0", "0.0")),
    *_wrapper(
        "_waits.py::GRACE_OF_AN_ID", ("waiting", "an id that was handed in must be known at once", "10.0", "0.0")
    ),
    *_wrapper(
        "_waits.py::Wait._may_be_unknown_yet",
        ("waiting", "an old job may be unknown", "self._schedule.has_answers or", ""),
        (
            "waiting",
            "any 400 of a new job is tolerated",
            "return is_unknown(error)",
            'return is_unknown(error) or getattr(error, "status_code", 0) == 400',
        ),
    ),
    *_wrapper(
        "_sync_loops.py::Following.__next__",
        (
            "waiting",
            "waiting does not sleep",
            "_clock.sleep(self._waiting.delay())",
            "_clock.sleep(min(self._waiting.delay(), 0.5))",
        ),
    ),
    *_wrapper(
        "_polling.py::PollSchedule.delay",
        ("waiting", "waiting sleeps beyond its deadline", "return min(interval, left)", "return interval"),
        ("waiting", "a hint of the server's is ignored", "if self._hint is not Hint.NONE:", "if False:"),
        ("waiting", "no last look before the deadline", "interval = left - self._policy.initial_interval", "pass"),
    ),
    *_wrapper(
        "_waits.py::Wait.check_time",
        ("waiting", "a wait ends before its first poll", "if not self.deadline.has_passed():", "if False:"),
        ("waiting", "waiting has no deadline", "not self.deadline.has_passed()", "self.polls < 200"),
        ("waiting", "the deadline forgets the last error", "from self._last_error", "from None"),
    ),
    *_wrapper(
        "_deadline.py::deadline_of_wait",
        ("waiting", "the policy's timeout is ignored", "timeout = policy.timeout", "timeout = 600.0"),
        ("waiting", "a timeout of zero is the policy's", "if timeout is None:", "if not timeout:"),
    ),
    *_wrapper(
        "_deadline.py::TimeLimit.of_sockets",
        ("waiting", "a poll outlives the deadline", "if left >= longest:", "if left != 0:"),
    ),
    *_wrapper(
        "_waits.py::Wait._known",
        ("waiting", "the deadline forgets the last video", '"video": self.video,', '"video": None,'),
    ),
    *_wrapper(
        "_waits.py::Wait.result",
        (
            "waiting",
            "a failed job is returned",
            "self.video.is_completed and not self._verdict.has_failed",
            "self.video.is_finished",
        ),
    ),
    *_wrapper(
        "_waits.py::Wait.__init__",
        (
            "waiting",
            "a finished video is polled once more",
            "self.video is not None and self.video.is_finished",
            "False",
        ),
    ),
    *_wrapper(
        "_answer.py::Answer.poll_after", ("waiting", "a poll hint is in seconds", "milliseconds / 1000", "milliseconds")
    ),
    *_wrapper(
        "_polling.py::PollSchedule.answered",
        ("waiting", "a poll hint may be absurd", "self._within_bounds(poll_after)", "poll_after"),
        ("waiting", "a poll hint is ignored", "if poll_after is not None:", "if False:"),
    ),
    *_wrapper("_polling.py::_LONGEST_RETRY_AFTER", ("waiting", "a refusal silences a wait for days", "3600.0", "1e6")),
    *_wrapper(
        "_polling.py::PollSchedule._predict",
        ("waiting", "polls do not follow the progress", "if first < second < third:", "if False:"),
        ("waiting", "one jump of the progress is believed", "if first < second < third:", "if first < third:"),
    ),
    *_wrapper(
        "_polling.py::PollSchedule._interval",
        ("waiting", "polls never slow down", "min(-ahead / 2, self._policy.max_interval / 2)", "0.0"),
    ),
    *_wrapper("_polling.py::_ENDS_OF_STRANGERS_BELIEVED", ("waiting", "one stray answer ends a wait", "2", "1")),
    *_wrapper("_polling.py::_FAILURES_BELIEVED", ("waiting", "an error without a status is waited out", "3", "3000")),
    *_wrapper(
        "_waits.py::Updates.tell",
        ("waiting", "on_update is called for every poll", "if state == self._last:", "if False:"),
        (
            "waiting",
            "on_update misses a change of the status",
            "(video.status, video.progress)",
            '("", video.progress)',
        ),
    ),
    *_wrapper(
        "_waits.py::Updates.__init__",
        (
            "waiting",
            "on_update misses the first video",
            "self._last: tuple[str, int | None] | None = None",
            'self._last: tuple[str, int | None] | None = ("queued", 0)',
        ),
    ),
    *_wrapper(
        "_calls.py::Run._tell_attempt",
        ("events_and_logs", "no poll is told as an event", "if self._waiting is not None:", "if False:"),
    ),
]

_SAVING = [
    *_wrapper(
        "_download.py::Transfer._problem_of",
        ("download", "any content type is a file", "if kind and not _ACCEPTED_TYPES.fullmatch(kind):", "if False:"),
        ("download", "a file must tell its type", "if kind and not _ACCEPTED_TYPES", "if not _ACCEPTED_TYPES"),
        ("download", "a compressed file is saved", 'if coding not in ("identity", ""):', "if False:"),
        ("download", "202 is a file", "if status not in (200, 206):", "if status > 206:"),
        ("download", "a picture may come for a video", "if self._is_other_kind(kind):", "if False:"),
        ("download", "a part is taken for the whole", "if status == 206 and", "if False and"),
    ),
    *_wrapper("_download.py::_ACCEPTED_TYPES", ("requests", "a picture is no file", "(video|image)/.+", "(video)/.+")),
    *_wrapper(
        "_download.py::Transfer.end",
        ("download", "a short file is whole", "self.received != self.expected", "self.received > self.expected"),
        ("download", "a long file is whole", "self.received != self.expected", "self.received < self.expected"),
        ("download", "an empty file is a file", "if self.received == 0 and not self.expected:", "if False:"),
        (
            "download",
            "a file without a length is taken as it is",
            "not self._is_framed and not is_whole(self.part)",
            "False",
        ),
        ("gateways", "a page is saved as a video", "self._check_kind(answer)", ""),
    ),
    *_wrapper(
        "_media.py::kind_of", ("gateways", "an AVIF is a video", "head[8:12] in _PICTURE_BRANDS", "head[8:12] in ()")
    ),
    *_wrapper(
        "_media.py::_boxes",
        ("media", "large boxes are not read", "if length == 1:", "if False:"),
        ("media", "a box may be of any size", " or 0 < length < 8", ""),
    ),
    *_wrapper(
        "_media.py::_is_whole_mp4",
        (
            "download",
            "a video cut between boxes is whole",
            'b"moov" in names and bool(names & {b"mdat", b"moof"})',
            "True",
        ),
        ("gateways", "an AVIF needs what a video has", "if part.read(8, 4) in _PICTURE_BRANDS:", "if False:"),
    ),
    *_wrapper(
        "_download.py::Transfer.request_headers",
        ("download", "a cut file is not continued", "if self.received == 0 or self._validator is None:", "if True:"),
        ("download", "a cut file is continued without a condition", ', "If-Range": self._validator.value', ""),
        ("download", "a cut file is continued a byte late", "bytes={self.received}-", "bytes={self.received + 1}-"),
    ),
    *_wrapper(
        "_download.py::Transfer.begin",
        (
            "download",
            "a part without a total is taken for the end",
            "self._is_framed = self.expected is not None return True",
            "return True",
        ),
    ),
    *_wrapper(
        "_failures.py::bad_status",
        ("connections", "an answer that nobody read shows nothing", "answer.is_unread", "False"),
    ),
    *_wrapper(
        "_wording.py::_was_passed_on",
        ("gateways", "the code of a gateway counts in its field alone", ", body[:_SEARCHED]", ""),
    ),
    *_wrapper(
        "_polling.py::_ENDS_OF_NOBODY_BELIEVED", ("waiting", "an end without an id is believed at once", "3", "1")
    ),
    *_wrapper(
        "_sync_loops.py::SyncLoops._poll",
        (
            "waiting",
            "on_update misses an end without an id",
            "return waiting.video if waiting.is_over else None",
            "return None",
        ),
    ),
    *_wrapper(
        "_download.py::_Validator.of",
        ("download", "a weak tag vouches for bytes", "tag.startswith('\"') and", "True and"),
    ),
    *_wrapper(
        "_download.py::Transfer.forget",
        ("download", "the whole file is appended to its beginning", "self.part.clear()", ""),
    ),
    *_wrapper(
        "_download.py::Transfer._continues",
        (
            "download",
            "a part of another file is joined",
            "if headers.get(validator.header) != validator.value:",
            "if False:",
        ),
        ("download", "a part from elsewhere is joined", " or int(found[1]) != self.received", ""),
        ("download", "a part of a file of another length is joined", "return total == self.expected", "return True"),
    ),
    *_wrapper(
        "_file_exchange.py::FileExchange.finish",
        ("download", "no such range ends the download", "answer.status == 416", "answer.status == 417"),
    ),
    *_wrapper(
        "_file_calls.py::FileRun._delay_after",
        ("download", "new bytes do not count", "if self._transfer.advanced:", "if False:"),
        (
            "remix_to_file",
            "a file that is late is given up",
            "self._must_come and self._is_not_there_yet(error)",
            "False",
        ),
    ),
    *_wrapper(
        "_part_file.py::PartFile._refuse_to_clobber",
        ("part_file", "an existing file is replaced", "if not self._overwrite:", "if False:"),
    ),
    *_wrapper(
        "_part_file.py::PartFile.publish",
        ("part_file", "a file that appears meanwhile is replaced", "if self._overwrite:", "if True:"),
    ),
    *_wrapper(
        "_sync_jobs.py::SyncJobs.download",
        ("part_file", "overwrite is ignored", "PartFile(path, overwrite=overwrite)", "PartFile(path, overwrite=False)"),
    ),
    *_wrapper(
        "_part_file.py::PartFile._remove",
        ("part_file", "a half file is left behind", "self.path.unlink(missing_ok=True)", ""),
    ),
    *_wrapper(
        "_part_file.py::PartFile.__init__",
        (
            "part_file",
            "a half file has the name of the whole",
            "folder / _part_name(self.target.name)",
            "self._absolute",
        ),
    ),
    *_wrapper(
        "_async_loops.py::AsyncLoops._save",
        (
            "part_file",
            "a file is published before it is on the disk",
            "await asyncio.to_thread(transfer.part.sync)",
            "",
        ),
    ),
    *_wrapper(
        "_part_file.py::PartFile.publish",
        ("part_file", "a file is its owner's alone", "self._file.close()", "…\n        self.path.chmod(0o600)"),
    ),
    *_wrapper(
        "_download.py::Transfer.write",
        ("download", "progress is not told", "if self._on_progress is not None:", "if False:"),
    ),
    *_wrapper(
        "_calls.py::Run.failed",
        ("download", "what on_progress raises is a failed attempt", "if error is exchange.users_error:", "if False:"),
    ),
    *_wrapper(
        "_redirects.py::redirect",
        ("download", "the key goes to another host", "if _origin(target) == _origin(api):", "if True:"),
        ("download", "the key stays behind at home", "if _origin(target) == _origin(api):", "if False:"),
        (
            "download",
            "a redirect has the headers of a client handed in",
            "headers=headers,",
            "headers={**original.headers, **headers},",
        ),
        ("download", "redirects go on for long", "followed >= REDIRECT_LIMIT", "followed >= 50"),
        ("secrets", "a key in a redirect is sent on", "if mask.text(location) != location:", "if False:"),
    ),
    *_wrapper(
        "_redirects.py::_origin", ("download", "the key goes to another port", "url.host, url.port", "url.host, None")
    ),
    *_wrapper(
        "_redirects.py::_is_unsafe",
        (
            "download",
            "a redirect may lead out of https",
            'if source.scheme == "https" and target.scheme == "http":',
            "if False:",
        ),
    ),
    *_wrapper(
        "_file_exchange.py::FileExchange._redirected",
        (
            "download",
            "a redirect forgets where the file was cut",
            "headers=self._headers()",
            "headers=super()._headers()",
        ),
    ),
    *_wrapper(
        "_file_exchange.py::FileExchange.opened",
        ("download", "downloads are not followed", "if response.has_redirect_location and", "if False and"),
    ),
    *_wrapper(
        "_calls.py::Run.begin",
        (
            "remix_to_file",
            "the submit is clipped by the deadline",
            "NEVER if self.call.paid else self._deadline",
            "self._deadline",
        ),
    ),
    *_wrapper(
        "_calls.py::Run._latest_start",
        ("remix_to_file", "a submit is resent after the deadline", "return self._deadline", "return NEVER"),
    ),
    *_wrapper(
        "_submission.py::_name_job",
        ("remix_to_file", "an error after the submit does not name the job", "error.video = error.video or job", ""),
    ),
    *_wrapper(
        "async_client.py::AsyncRemixClient.remix_to_file",
        (
            "remix_to_file",
            "the job is paid for before the target is checked",
            "with PartFile(path, overwrite=overwrite) as part:",
            "await self._submit(call, submission, deadline)\n            …",
        ),
    ),
]

FAULTS = [*_GENERATED, *_SENDING, *_READING, *_FAILING, *_RESENDING, *_WAITING, *_SAVING]

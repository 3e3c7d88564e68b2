"""Faults in the client: what is generated, what is sent and read, what is resent, awaited, kept secret and saved."""

# ruff: noqa: E501  # A table: one fault a line, with the text that it replaces.

from __future__ import annotations

from contract_tests.teeth.faults import Fault, Text

_GENERATED = "generated/deerapi_remix_generated/"
_WRAPPER = "wrapper/deerapi_remix/"


def _generated(name: str, file: str, old: str, new: str, rule: str, tests: str = "generated_client") -> Fault:
    return Fault(
        f"generated: {name}", f"{_GENERATED}{file}.py", Text(old, new), f"contract_tests/test_{tests}.py::test_{rule}"
    )


def _wrapper(name: str, file: str, old: str, new: str, tests: str, rule: str) -> Fault:
    return Fault(name, f"{_WRAPPER}{file}.py", Text(old, new), f"contract_tests/test_{tests}.py::test_{rule}")


_REMIX, _RETRIEVE = "api/videos/remix_video", "api/videos/retrieve_video"
_CONTENT, _LIST = "api/videos/download_video_content", "api/models/list_models"
_SENDS = "the_function_sends_this_request"
_TYPES = "the_model_has_these_fields"
_REQUIRES = "the_model_requires_these_fields"
_WRITES = "the_model_reads_and_writes_every_field_and_extra"

_GENERATED_FAULTS = [
    _generated("remix with another method", _REMIX, '"method": "post"', '"method": "put"', _SENDS),
    _generated("remix at another path", _REMIX, "{video_id}/remix", "{video_id}/remixes", "the_path_is_the_documented_one", "requests"),
    _generated("remix escapes no slash", _REMIX, 'safe=""', 'safe="/"', "a_hostile_id_stays_one_segment", "requests"),
    _generated("remix escapes nothing", _REMIX, 'quote(str(video_id), safe="")', "video_id", _SENDS),
    _generated("remix of another content type", _REMIX, '"application/json"', '"text/json"', "the_content_type_is_documented", "requests"),
    _generated("remix with a form for a body", _REMIX, '_kwargs["json"]', '_kwargs["data"]', _SENDS),
    _generated("remix without a body", _REMIX, '    _kwargs["json"] = body.to_dict()\n', "", _SENDS),
    _generated("remix with a header of its own", _REMIX, 'headers["Content-Type"]', 'headers["X-Client"] = headers["Content-Type"]', "no_header_is_undeclared", "requests"),
    _generated("remix answered with 201", _REMIX, "response.status_code == 200", "response.status_code == 201", "the_function_reads_every_documented_answer"),
    _generated("retrieve at an older path", _RETRIEVE, '"/v1/videos/{video_id}"', '"/v1/video/{video_id}"', "the_path_is_the_documented_one", "requests"),
    _generated("retrieve escapes twice", _RETRIEVE, "quote(str(video_id)", "quote(quote(str(video_id))", "a_hostile_id_stays_one_segment", "requests"),
    _generated("retrieve escapes as in a form", _RETRIEVE, 'quote(str(video_id), safe="")', 'quote(str(video_id), safe="").replace("%20", "+")', "a_hostile_id_stays_one_segment", "requests"),
    _generated("retrieve reads the answer of a remix", _RETRIEVE, "response_200 = VideoJob", "response_200 = FlatError", "the_function_reads_every_documented_answer"),
    _generated("download of the wrong part", _CONTENT, "{video_id}/content", "{video_id}/file", "the_path_is_the_documented_one", "requests"),
    _generated("download with another query", _CONTENT, 'params["variant"]', 'params["kind"]', "the_query_is_declared_and_what_was_asked", "requests"),
    _generated("download without its query", _CONTENT, '        "params": params,\n', "", "the_query_is_declared_and_what_was_asked", "requests"),
    _generated("download with an empty query", _CONTENT, "json_variant: str | Unset = UNSET", 'json_variant: str | Unset = ""', _SENDS),
    _generated("models of another version", _LIST, '"/v1/models"', '"/v2/models"', "the_path_is_the_documented_one", "requests"),
    _generated("models by POST", _LIST, '"method": "get"', '"method": "post"', "the_method_is_the_documented_one", "requests"),
    _generated("a variant of another name", "models/download_video_content_variant", '"spritesheet"', '"sprite_sheet"', "the_variants_are_these"),
    _generated("a variant is gone", "models/download_video_content_variant", '    THUMBNAIL = "thumbnail"\n', "", "the_variants_are_these"),
    _generated("the prompt under another name", "models/remix_request", '"prompt": prompt', '"text": prompt', "the_body_is_valid_and_what_was_asked", "requests"),
    _generated("the prompt is cut", "models/remix_request", "prompt = self.prompt", "prompt = self.prompt[:4000]", "a_prompt_arrives_as_it_is_with_and_without_a_model", "requests"),
    _generated("the model is lost", "models/remix_request", '            field_dict["model"] = model\n', "            pass\n", "the_body_is_valid_and_what_was_asked", "requests"),
    _generated("the model is null", "models/remix_request", "model is not UNSET", "True", "the_model_writes_nothing_for_what_is_unset"),
    _generated("the model is required", "models/remix_request", "    model: str | Unset = UNSET\n", "    model: str | Unset\n", _REQUIRES),
    _generated("a job names its length otherwise", "models/remix_job", 'seconds = d.pop("seconds")', 'seconds = d.pop("duration")', _WRITES),
    _generated("a job mixes up two fields", "models/remix_job", "            size=size,\n            seconds=seconds,", "            size=seconds,\n            seconds=size,", _WRITES),
    _generated("a job has its length as a number", "models/remix_job", "    seconds: str\n", "    seconds: int\n", _TYPES),
    _generated("a job need not have a source", "models/remix_job", "    remixed_from_video_id: str\n", '    remixed_from_video_id: str = ""\n', _REQUIRES),
    _generated("a job drops what it does not know", "models/remix_job", "remix_job.additional_properties = d", "remix_job.additional_properties = {}", _WRITES),
    _generated("a poll may lack its status", "models/video_job", "    status: str\n", '    status: str = ""\n', _REQUIRES),
    _generated("a poll must have its size", "models/video_job", "    size: str | Unset = UNSET\n", "    size: str = UNSET\n", _TYPES),
    _generated("a poll has a time of another type", "models/video_job", "    completed_at: int | None | Unset = UNSET\n", "    completed_at: str | None | Unset = UNSET\n", _TYPES),
    _generated("a poll cannot have null for an error", "models/video_job", "    error: None | Unset | VideoJobError = UNSET\n", "    error: Unset | VideoJobError = UNSET\n", _TYPES),
    _generated("an error has its code as text alone", "models/error_details", "    code: int | None | str | Unset = UNSET\n", "    code: None | str | Unset = UNSET\n", _TYPES),
    _generated("the list has another name for its models", "models/model_list", 'd.pop("data")', 'd.pop("models")', _WRITES),
    _generated("edited by hand", "client", "class AuthenticatedClient:\n", "class AuthenticatedClient:\n    # Kept for compatibility.\n", "regenerating_changes_nothing"),
]  # fmt: skip

_ONE = "a_status_is_resent_where_it_may_be"
_LOST = "a_lost_request_is_resent_where_it_may_be"
_TYPED = "an_undocumented_status_is_a_typed_error"
_SHAPES = "code_and_message_are_read_from_every_shape"
_DRIFT = "a_drift_is_read_with_a_warning_that_names_it"
_FIELD = "a_field_is_read_from_what_can_be_its_value"

_SENDING = [
    _wrapper("the key is not sent", "_exchange", '        request.headers["Authorization"] = self._settings.key.header()\n', "", "requests", "the_key_is_sent_as_documented"),
    _wrapper("the key under another scheme", "config", 'f"Bearer {str', 'f"Token {str', "requests", "the_key_is_sent_as_documented"),
    _wrapper("the key in another header", "_exchange", '        request.headers["Authorization"] = self._settings.key.header()\n', '        request.headers["X-Api-Key"] = self._settings.key.header()\n', "requests", "no_header_is_undeclared"),
    _wrapper("the key with its line break", "config", 'f"Bearer {str(key).strip()}"', 'f"Bearer {key}"', "behaviour", "key_and_host_come_from_our_variables_alone"),
    _wrapper("the key is asked for once", "config", "source if callable(source) else lambda: source", "(lambda key=source(): key) if callable(source) else lambda: source", "behaviour", "a_function_is_asked_for_the_key_before_every_request"),
    _wrapper("the key comes from another variable", "config", '"DEERAPI_KEY", ""', '"OPENAI_API_KEY", ""', "behaviour", "key_and_host_come_from_our_variables_alone"),
    _wrapper("a malformed key is sent", "config", 'not re.fullmatch("[!-~]+", stripped)', "False", "behaviour", "an_unusable_key_is_refused_and_not_shown"),
    _wrapper("the base URL loses its path", "config", 'return str(url).rstrip("/")', 'return str(url.join("/")).rstrip("/")', "behaviour", "a_path_is_joined_to_the_base_url"),
    _wrapper("the base URL keeps its slash", "config", 'str(url).rstrip("/")', "str(url)", "behaviour", "a_path_is_joined_to_the_base_url"),
    _wrapper("another host by default", "config", '"https://api.deerapi.com"', '"https://api.deerapi.ai"', "behaviour", "a_path_is_joined_to_the_base_url"),
    _wrapper("the key goes out without encryption", "config", 'url.scheme == "http" and is_loopback(url.host)', 'url.scheme == "http"', "behaviour", "an_unusable_base_url_is_refused_and_not_shown"),
    _wrapper("a proxy between this machine and itself", "_settings", '"trust_env": not is_loopback(httpx.URL(self._base_url).host)', '"trust_env": True', "behaviour", "a_loopback_address_is_reached_without_the_proxy_of_the_environment"),
    _wrapper("the timeout is that of a client handed in", "_exchange", "timeout=self._timeout(), **arguments", "**arguments", "behaviour", "the_settings_of_a_client_handed_in_change_no_request"),
    _wrapper("the password of a client handed in replaces the key", "_transport", "await self._http.send(request, auth=None", "await self._http.send(request", "behaviour", "the_settings_of_a_client_handed_in_change_no_request"),
    _wrapper("a redirect of a submit is followed", "_transport", "await self._http.send(request, auth=None, follow_redirects=False", "await self._http.send(request, auth=None, follow_redirects=True", "behaviour", "the_settings_of_a_client_handed_in_change_no_request"),
    _wrapper("a client handed in is closed", "_settings", "if self._handed_in is None and", "if", "behaviour", "a_client_handed_in_is_left_open_and_one_of_ours_closed"),
    _wrapper("a copy closes its original", "client", "() if self._is_copy else self._connections", "self._connections", "behaviour", "a_client_handed_in_is_left_open_and_one_of_ours_closed"),
    _wrapper("compression is asked for", "_exchange", '**self._range, "Accept-Encoding": "identity"}\n        with', "**self._range}\n        with", "behaviour", "no_answer_is_asked_to_be_compressed"),
    _wrapper("the prompt loses its spaces", "_operations", "RemixRequest(prompt=prompt,", "RemixRequest(prompt=prompt.strip(),", "requests", "a_prompt_arrives_as_it_is_with_and_without_a_model"),
    _wrapper("the prompt is normalised", "_operations", "RemixRequest(prompt=prompt,", 'RemixRequest(prompt=unicodedata.normalize("NFC", prompt),', "requests", "a_prompt_arrives_as_it_is_with_and_without_a_model"),
    _wrapper("the model is not sent", "_operations", "model=UNSET if model is None else model", "model=UNSET", "requests", "a_prompt_arrives_as_it_is_with_and_without_a_model"),
    _wrapper("a model is always sent", "_operations", "model=UNSET if model is None", 'model="sora-2" if model is None', "requests", "a_prompt_arrives_as_it_is_with_and_without_a_model"),
    _wrapper("remix_to_file forgets the model", "async_client", "prompt=prompt, model=model)\n        check_callback", "prompt=prompt, model=None)\n        check_callback", "files", "remix_to_file_brings_the_new_video"),
    _wrapper("the variant is not sent", "_operations", "UNSET if variant is None else contract", "UNSET if variant else contract", "requests", "a_variant_is_asked_for_by_its_name"),
    _wrapper("the variant is always sent", "_operations", "wanted = UNSET if variant is None else contract.DownloadVideoContentVariant(variant)", 'wanted = contract.DownloadVideoContentVariant(variant or "video")', "requests", "a_variant_is_asked_for_by_its_name"),
    _wrapper("an id may name another path", "_operations", 'video_id in (".", "..")', 'video_id == "."', "requests", "an_unusable_id_is_refused_before_anything_is_sent"),
    _wrapper("an id may be blank", "_operations", "if not value.strip():", "if not value:", "requests", "an_unusable_id_is_refused_before_anything_is_sent"),
    _wrapper("an id may be a number", "_operations", "raise TypeError(f\"{name} must be a string, not {type(value).__name__}\")", "value = str(value)", "behaviour", "an_argument_of_another_type_is_refused_before_anything_is_sent"),
    _wrapper("the source is polled in place of the new job", "client", "waiting = Wait(video, self", "waiting = Wait(video_id, self", "files", "remix_to_file_brings_the_new_video"),
]  # fmt: skip

_READING = [
    _wrapper("what is not known is dropped", "models", '"raw": answer,', '"raw": {name: value for name, value in answer.items() if name in Video.__slots__},', "answers", "a_valid_job_comes_back_whole"),
    _wrapper("the task counts before the video", "models", '("id", "task_id")', '("task_id", "id")', "behaviour", "the_first_usable_id_counts"),
    _wrapper("the inner id counts before the outer", "models", "for each in (answer, data)", "for each in (data, answer)", "behaviour", "the_first_usable_id_counts"),
    _wrapper("an id inside data is not seen", "models", "for each in (answer, data)", "for each in (answer,)", "answers", "an_id_is_found_wherever_it_may_be"),
    _wrapper("an id that is a number is refused", "models", "isinstance(value, str | int) and (found", "isinstance(value, str) and (found", "answers", "a_numeric_id_is_usable"),
    _wrapper("true is an id", "models", "int | float) and not isinstance(value, bool)", "int | float)", "answers", "a_2xx_without_a_usable_id_is_a_typed_error"),
    _wrapper("another video is accepted", "_operations", "asked_for is not None and video_id != asked_for", "False", "answers", "an_answer_about_another_video_is_no_answer"),
    _wrapper("the id of a garbled submit is lost", "_exchange", "found = salvage_id(self._text()) if", "found = None if", "answers", "the_id_of_a_garbled_submit_is_kept"),
    _wrapper("a field inside data is not read", "models", "if isinstance(data, dict) and usable_id", "if False and usable_id", "behaviour", "an_answer_inside_data_is_read_like_one_outside"),
    _wrapper("progress with a percent sign is not read", "models", '.removesuffix("%")', "", "behaviour", "progress_is_read_from_what_can_be_a_number"),
    _wrapper("an error that is text is not read", "models", "return VideoError(message=error) if isinstance(error, str) and error.strip() else None", "return None", "behaviour", _FIELD),
    _wrapper("a field of another type is handed on", "models", "name: read(answer.get(name))", "name: answer.get(name)", "behaviour", _FIELD),
    _wrapper("a missing status raises", "models", 'status = told.get("status")', 'status = told["status"]', "answers", "an_id_is_found_wherever_it_may_be"),
    _wrapper("an unknown status is a success", "models", "return self.status.strip().lower() in _COMPLETED", 'return self.status.strip().lower() not in {*_FAILED, "queued", "in_progress"}', "answers", "waiting_ends_when_the_job_does"),
    _wrapper("a cancelled job is waited for", "models", '"cancelled", "canceled", ', '"canceled", ', "answers", "waiting_ends_when_the_job_does"),
    _wrapper("an expired job is a success", "models", '{"completed", "succeeded", "success"}', '{"completed", "succeeded", "success", "expired"}', "answers", "waiting_ends_when_the_job_does"),
    _wrapper("a status in capitals is not known", "models", "return self.status.strip().lower() in _FAILED", "return self.status in _FAILED", "answers", "waiting_ends_when_the_job_does"),
    _wrapper("the list of models is cut", "_operations", "for card in cards if", "for card in cards[:1] if", "answers", "a_valid_list_comes_back_whole"),
    _wrapper("a model loses its owner", "models", '_tolerant(Model, card) if', '_tolerant(Model, {**card, "owned_by": None}) if', "answers", "a_valid_list_comes_back_whole"),
    _wrapper("one bad model spoils the list", "models", 'return Model(**known) if known.get("id") else None', "return Model(**known)", "answers", "a_drift_in_a_model_is_read_with_a_warning_that_names_it"),
    _wrapper("drift is not warned of", "_operations", "    if problems:\n        settings", "    if False:\n        settings", "answers", _DRIFT),
    _wrapper("drift is warned of again and again", "_journal", "            self._drifts.add(drift)\n", "", "behaviour", "a_drift_is_warned_of_once_for_each_client_and_set_of_problems"),
    _wrapper("a strict client takes everything", "_operations", "if problems and settings.strict:", "if False:", "answers", _DRIFT),
    _wrapper("every client is strict", "_operations", "if problems and settings.strict:", "if problems:", "answers", _DRIFT),
    _wrapper("null is no drift", "_operations", "        if kind not in allowed:", "        if kind not in allowed and value is not None:", "answers", _DRIFT),
    _wrapper("drift inside an error is not seen", "_operations", "elif nested is not None and value is not None:", "elif nested is not None and isinstance(value, list):", "behaviour", "a_drift_inside_an_error_is_warned_of"),
    _wrapper("a wrong content type is no drift", "_operations", 'if kind != "application/json":', "if False:", "answers", "a_wrong_content_type_is_read_with_a_warning"),
    _wrapper("only 200 is a success", "_exchange", "200 <= self.status <= 299", "self.status == 200", "answers", "any_2xx_that_carries_a_video_counts"),
    _wrapper("a redirect is a success", "_exchange", "200 <= self.status <= 299", "200 <= self.status <= 399", "answers", _TYPED),
    _wrapper("an accepted id is not logged", "_operations", "    if exchange.call.paid:\n        settings.journal.accepted(video.id, video.request_id)\n", "", "behaviour", "an_accepted_id_is_logged"),
    _wrapper("an answer without an end is read for ever", "_exchange", "or len(self._body) > self._limit", "", "behaviour", "an_endless_answer_is_given_up"),
]  # fmt: skip

_FAILING = [
    _wrapper("a wrong key is a matter of permission", "_failures", "401: errors.AuthenticationError", "401: errors.PermissionDeniedError", "answers", "a_documented_error_is_read_whole"),
    _wrapper("422 is no bad request", "_failures", " 422: errors.BadRequestError,", "", "answers", _TYPED),
    _wrapper("a proxy's 5xx is of no class", "_failures", "errors.InternalServerError if 500 <= status <= 599", "errors.InternalServerError if 500 <= status <= 511", "answers", _TYPED),
    _wrapper("a status is swallowed", "_exchange", "        if not self._succeeded:\n            raise _failures.bad_status", "        if not self._succeeded and self.status != 404:\n            raise _failures.bad_status", "answers", "a_documented_error_is_read_whole"),
    _wrapper("a cut error body hides its status", "_exchange", "if self.status is not None and not self._succeeded:\n                return", "if False:\n                return", "answers", "the_status_decides_even_if_the_body_breaks_off"),
    _wrapper("an error of httpx leaks", "_exchange", "_BROKEN as error", "(httpx.TransportError if self.call.paid else httpx.TimeoutException) as error", "answers", _LOST),
    _wrapper("a timeout is no timeout", "_failures", "errors.APITimeoutError if isinstance(error, httpx.TimeoutException)", "errors.APITimeoutError if isinstance(error, httpx.ConnectTimeout)", "answers", _LOST),
    _wrapper("the cause of an error is lost", "_exchange", "raise self._about_job(failure) from error", "raise self._about_job(failure) from None", "answers", _LOST),
    _wrapper("the request ID is not read from the usual header", "_failures", '("x-oneapi-request-id", "x-request-id", ', '("x-request-id", ', "answers", "the_request_id_is_found_in_every_known_header"),
    _wrapper("the request ID is not read from an older header", "_failures", ', "request-id")', ")", "answers", "the_request_id_is_found_in_every_known_header"),
    _wrapper("the request ID is not read from the message", "_failures", "in_text[1] if in_text else None]", "None]", "answers", "the_request_id_is_found_in_the_message"),
    _wrapper("a flat error is not read", "_failures", 'if isinstance(error, str) else answer\n', "if isinstance(error, str) else None\n", "behaviour", _SHAPES),
    _wrapper("a nested error is not read", "_failures", "source = error if isinstance(error, dict) else", "source = answer if isinstance(error, dict) else", "behaviour", _SHAPES),
    _wrapper("an error that is text alone is not read", "_failures", '{**answer, "message": error} if isinstance(error, str) else', "", "behaviour", _SHAPES),
    _wrapper("the title of a page is not read", "_failures", "found[1] if found else body", "body", "behaviour", _SHAPES),
    _wrapper("a code that is a number is not read", "_failures", 'text(source.get("code")), text', 'source.get("type"), text', "behaviour", _SHAPES),
    _wrapper("the body of an error is kept whole", "_failures", "body[:2_000]", "body", "answers", "the_status_decides_whatever_the_body"),
    _wrapper("the id is in no error", "_calls", "        error.video_id = error.video_id or self.call.video_id\n", "", "answers", _LOST),
    _wrapper("attempts are not counted in an error", "_calls", "        error.attempts = self._attempt\n", "", "answers", _ONE),
    _wrapper("a timeout is not caught as TimeoutError", "errors", "APITimeoutError(APIConnectionError, TimeoutError)", "APITimeoutError(APIConnectionError)", "behaviour", "an_error_is_caught_by_these_classes"),
    _wrapper("nothing says that a job may have been charged", "errors", "_CHARGED if self.may_have_been_charged else self.advice", "self.advice", "behaviour", "an_error_says_what_there_is_to_know"),
    _wrapper("a key that is echoed is in the error", "_exchange", 'return self._without_key(value)', "return value", "answers", "a_key_that_the_server_echoes_goes_no_further"),
    _wrapper("the key is in a repr", "config", 'return "Key(***)"', "return self.header()", "behaviour", "no_record_or_repr_tells_key_prompt_or_body"),
    _wrapper("an accepted job is logged without its id", "_journal", "remix: accepted as %(video_id)s, request id", "remix: accepted, request id", "behaviour", "an_accepted_id_is_logged"),
    _wrapper("what on_event raises ends the call", "_journal", "        except Exception:\n", "        except ZeroDivisionError:\n", "behaviour", "what_on_event_raises_goes_no_further"),
]  # fmt: skip

_RESENDING = [
    _wrapper("429 is not resent", "_failures", "transient = status in (408, 429)", "transient = status in (408,)", "answers", _ONE),
    _wrapper("500 is not resent", "_failures", "status not in (500, 503))", "status != 503)", "answers", _ONE),
    _wrapper("503 is not resent", "_failures", "status not in (500, 503))", "status != 500)", "answers", _ONE),
    _wrapper("a paid submit is resent after 502", "_failures", "status not in (500, 503))", "status not in (500, 502, 503))", "answers", _ONE),
    _wrapper("a paid submit is resent after 504", "_failures", "status not in (500, 503))", "status not in (500, 503, 504))", "answers", _ONE),
    _wrapper("a paid submit is resent after 408", "_failures", "ambiguous = status == 408 or", "ambiguous =", "answers", _ONE),
    _wrapper("a paid submit is resent after a status of a CDN", "_failures", "ambiguous = status == 408 or (500 <= status <= 599", "ambiguous = status == 408 or (500 <= status <= 511", "answers", _ONE),
    _wrapper("a paid submit is resent after a lost answer", "_failures", "httpx.ProxyError, httpx.UnsupportedProtocol)", "httpx.ProxyError, httpx.ReadTimeout)", "answers", _LOST),
    _wrapper("a paid submit is resent after a cut connection", "_failures", "httpx.ProxyError, httpx.UnsupportedProtocol)", "httpx.ProxyError, httpx.RemoteProtocolError)", "answers", _LOST),
    _wrapper("a paid submit is resent whatever happened", "_failures", "transient and not (paid and ambiguous)", "transient", "answers", _ONE),
    _wrapper("a submit is free of charge", "_operations", "video_id, paid=True, body=body", "video_id, body=body", "answers", _LOST),
    _wrapper("a retrieval is paid for", "_operations", "partial(_read_video, contract.VideoJob, video_id), video_id)", "partial(_read_video, contract.VideoJob, video_id), video_id, paid=True)", "answers", _LOST),
    _wrapper("a submit that was never sent may have been charged", "_failures", "(httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout,", "(httpx.ConnectError, httpx.PoolTimeout,", "answers", _LOST),
    _wrapper("an unreadable submit was not charged", "_failures", "verdict = _verdict(paid=paid, ambiguous=True", "verdict = _verdict(paid=paid, ambiguous=False", "answers", "a_2xx_without_a_usable_id_is_a_typed_error"),
    _wrapper("an unreadable submit is resent", "_failures", "ambiguous=True, transient=False", "ambiguous=False, transient=True", "answers", "an_accepted_submit_is_never_resent"),
    _wrapper("nothing may have been charged", "_failures", "\"may_have_been_charged\": paid and ambiguous", "\"may_have_been_charged\": False", "answers", _LOST),
    _wrapper("400 is resent", "_failures", "transient = status in (408, 429)", "transient = status in (400, 408, 429)", "answers", _ONE),
    _wrapper("a thrifty client resends after 503", "_retry", "status in (500, 503)", "status in (500,)", "answers", "a_thrifty_client_resends_no_submit_that_a_server_may_have_taken"),
    _wrapper("a bad certificate is tried again", "_failures", "or _bad_certificate(error)\n", "\n", "behaviour", "a_bad_certificate_is_final"),
    _wrapper("Retry-After is ignored", "_retry", "if retry_after is not None:", "if False:", "behaviour", "retry_after_replaces_the_backoff_where_it_makes_sense"),
    _wrapper("Retry-After as a date is ignored", "_failures", "elif (date := _date(value)) is not None:", "elif (date := None) is not None:", "behaviour", "retry_after_replaces_the_backoff_where_it_makes_sense"),
    _wrapper("Retry-After counts by our own clock", "_failures", "_clock.now() if sent is None else sent", "_clock.now()", "behaviour", "a_date_in_retry_after_counts_by_the_clock_of_the_server"),
    _wrapper("Retry-After is shortened to the budget", "_calls", "        if delay is None or _clock.monotonic() + delay > self._budget_ends:\n            return None\n", "        if delay is None:\n            return None\n        delay = min(delay, max(self._budget_ends - _clock.monotonic(), 0.0))\n", "behaviour", "nothing_is_slept_where_retry_after_is_beyond_the_budget"),
    _wrapper("the backoff does not grow", "_retry", "2.0 ** min(attempts - 1, 60)", "2.0", "behaviour", "the_delay_doubles_up_to_its_bound"),
    _wrapper("the backoff has no bound", "_retry", "bound = min(policy.max_delay, ", "bound = max(0.0, ", "behaviour", "the_delay_doubles_up_to_its_bound"),
    _wrapper("the backoff has no jitter", "_retry", "random.uniform(0, bound)", "bound", "behaviour", "the_delay_doubles_up_to_its_bound"),
    _wrapper("one attempt too many", "_retry", "attempts >= policy.attempts", "attempts > policy.attempts", "answers", _ONE),
    _wrapper("one attempt more by default", "config", "attempts: int = attrs.field(default=4", "attempts: int = attrs.field(default=5", "behaviour", "the_defaults_are_these"),
    _wrapper("the budget has no end", "_calls", "min(_clock.monotonic() + self._policy.budget, latest)", "latest", "behaviour", "the_budget_bounds_all_attempts_together"),
    _wrapper("an interrupted submit is not told", "_exchange", "                self._settings.journal.interrupted(self.call.video_id)\n", "                pass\n", "behaviour", "an_interrupted_submit_is_warned_of"),
    _wrapper("the asynchronous client does not sleep", "async_client", "            await _clock.async_sleep(delay)\n", "            await asyncio.sleep(0)\n", "behaviour", "the_delay_doubles_up_to_its_bound"),
    _wrapper("the asynchronous client resends nothing", "async_client", "                delay = run.failed(error)\n                if delay is None:\n", "                delay = run.failed(error)\n                if delay is not None:\n", "answers", _ONE),
    _wrapper("the synchronous client resends nothing", "client", "                delay = run.failed(error)\n                if delay is None:\n", "                delay = run.failed(error)\n                if delay is not None:\n", "answers", _ONE),
]  # fmt: skip

_WAITING = [
    _wrapper("a failed poll ends the wait", "_polling", "return unreadable or error.retryable or", "return unreadable or", "answers", "waiting_outlasts_a_failed_poll"),
    _wrapper("an unreadable poll ends the wait", "_polling", "return unreadable or error.retryable or", "return error.retryable or", "behaviour", "a_failed_poll_is_not_sent_again_at_once"),
    _wrapper("a refused poll is repeated", "_polling", "return unreadable or error.retryable or", "return True or error.retryable or", "answers", "waiting_ends_where_polling_cannot_help"),
    _wrapper("a strict wait takes everything", "_polling", "APIResponseValidationError) and error.video is None", "APIResponseValidationError)", "behaviour", "a_strict_wait_ends_where_the_contract_is_broken"),
    _wrapper("a job just accepted must be known", "_polling", "GRACE = 30.0", "GRACE = 0.0", "behaviour", "a_job_just_accepted_may_be_unknown_for_half_a_minute"),
    _wrapper("an old job may be unknown", "_polling", "self.video is not None and not self._readings and", "self.video is not None and", "behaviour", "a_job_just_accepted_may_be_unknown_for_half_a_minute"),
    _wrapper("any 400 of a new job is tolerated", "_polling", 'isinstance(error, errors.BadRequestError) and "not exist" in told', "isinstance(error, errors.BadRequestError)", "behaviour", "another_refusal_of_a_new_job_is_final"),
    _wrapper("waiting does not sleep", "client", "            _clock.sleep(waiting.delay())\n", "            _clock.sleep(min(waiting.delay(), 0.5))\n", "behaviour", "an_unfinished_video_is_polled_after_a_pause_and_an_id_at_once"),
    _wrapper("waiting sleeps beyond its deadline", "_polling", "return min(interval, left)", "return interval", "behaviour", "waiting_ends_exactly_at_the_deadline"),
    _wrapper("waiting has no deadline", "_polling", "        if not self.left:\n", "        if self.deadline + 60 <= _clock.monotonic():\n", "behaviour", "waiting_ends_exactly_at_the_deadline"),
    _wrapper("the policy's timeout is ignored", "_polling", "policy.timeout if timeout is None else timeout", "600.0 if timeout is None else timeout", "behaviour", "waiting_ends_exactly_at_the_deadline"),
    _wrapper("a timeout of zero is the policy's", "_polling", "policy.timeout if timeout is None else timeout", "timeout or policy.timeout", "behaviour", "no_poll_starts_without_time_or_goes_on_beyond_it"),
    _wrapper("a poll outlives the deadline", "_exchange", "if left is None or left >= self._settings.patience:", "if left != 0:", "behaviour", "no_poll_starts_without_time_or_goes_on_beyond_it"),
    _wrapper("the deadline forgets the last error", "_polling", "**self._known()) from self._error", "**self._known()) from None", "behaviour", "a_deadline_without_an_answer_tells_the_last_error"),
    _wrapper("the deadline forgets the last video", "_polling", 'return {"video": self.video, "video_id"', 'return {"video": None, "video_id"', "behaviour", "waiting_ends_exactly_at_the_deadline"),
    _wrapper("a failed job is returned", "_polling", "if self.video.is_completed:\n            return", "if self.video.is_finished:\n            return", "answers", "waiting_ends_when_the_job_does"),
    _wrapper("a finished video is polled once more", "client", "while not (waiting.video and waiting.video.is_finished):", "while not (waiting.polls and waiting.video and waiting.video.is_finished):", "behaviour", "a_finished_video_is_not_polled"),
    _wrapper("a poll hint is ignored", "_polling", "self._asked = None if after is None or after < 0 else self._clamp(after / 1000)", "self._asked = None", "behaviour", "a_poll_hint_is_followed_within_the_policy"),
    _wrapper("a poll hint is in seconds", "_polling", "self._clamp(after / 1000)", "self._clamp(after)", "behaviour", "a_poll_hint_is_followed_within_the_policy"),
    _wrapper("a poll hint may be absurd", "_polling", "self._clamp(after / 1000)", "after / 1000", "behaviour", "a_poll_hint_is_followed_within_the_policy"),
    _wrapper("Retry-After does not delay a poll", "_polling", 'min(getattr(error, "retry_after", None) or 0.0, 3600.0)', "0.0", "behaviour", "retry_after_delays_the_next_poll"),
    _wrapper("polls do not follow the progress", "_polling", "if len(told) == 3 and told[0] < told[1] < told[2]:", "if False:", "behaviour", "the_pause_is_half_of_what_is_left_by_the_progress"),
    _wrapper("one jump of the progress is believed", "_polling", "if len(told) == 3 and told[0] < told[1] < told[2]:", "if len(told) == 3 and told[0] < told[2]:", "behaviour", "the_pause_is_half_of_what_is_left_by_the_progress"),
    _wrapper("polls never slow down", "_polling", "min(-ahead / 2, self._policy.max_interval / 2)", "0.0", "behaviour", "the_pause_is_half_the_longest_without_progress"),
    _wrapper("no last look before the deadline", "_polling", "interval = left - self._policy.initial_interval", "pass", "behaviour", "the_last_poll_leaves_time_for_its_answer_before_the_deadline"),
    _wrapper("on_update is called for every poll", "_polling", "if video and (last is None or (last.status, last.progress) != (video.status, video.progress)):", "if video:", "behaviour", "on_update_is_called_when_status_or_progress_change"),
    _wrapper("on_update misses a change of the status", "_polling", "(last.status, last.progress) != (video.status, video.progress)", "last.progress != video.progress", "behaviour", "on_update_is_called_when_status_or_progress_change"),
    _wrapper("on_update misses the first video", "_polling", "(last is None or (last.status", "(last is not None and (last.status", "behaviour", "on_update_is_called_when_status_or_progress_change"),
    _wrapper("no poll is told as an event", "_calls", "        if self.waiting:\n            self", "        if False:\n            self", "behaviour", "events_tell_every_step"),
]  # fmt: skip

_SAVING = [
    _wrapper("any content type is a file", "_download", "if kind and not _ACCEPTED_TYPES.fullmatch(kind):", "if False:", "files", "what_is_of_another_type_is_no_file"),
    _wrapper("a picture is no file", "_download", '(r"(video|image)/.+', '(r"(video)/.+', "files", "a_file_is_known_by_its_type"),
    _wrapper("a file must tell its type", "_download", "if kind and not _ACCEPTED_TYPES", "if not _ACCEPTED_TYPES", "files", "a_file_is_known_by_its_type"),
    _wrapper("a compressed file is saved", "_download", 'elif coding not in ("identity", ""):', "elif False:", "answers", "what_is_not_the_file_is_a_download_error"),
    _wrapper("a short file is whole", "_download", "if self.expected is not None and self.received != self.expected:", "if self.expected is not None and self.received > self.expected:", "files", "a_file_of_another_length_is_no_file"),
    _wrapper("a long file is whole", "_download", "if self.expected is not None and self.received != self.expected:", "if self.expected is not None and self.received < self.expected:", "files", "a_file_of_another_length_is_no_file"),
    _wrapper("an empty file is a file", "_download", "if self.received == 0 and not self.expected:", "if False:", "files", "an_empty_answer_without_a_length_is_no_file"),
    _wrapper("a file without a length is taken as it is", "_download", "if not self._framed and not self.part.looks_whole():", "if False:", "files", "without_a_length_the_boxes_of_an_mp4_tell_whether_it_is_whole"),
    _wrapper("large boxes are not read", "_download", 'header[8:16] if header[:4] == b"\\0\\0\\0\\1" else header[:4]', "header[:4]", "files", "a_large_box_and_one_that_reaches_to_the_end_are_read"),
    _wrapper("202 is a file", "_download", "elif status != 200:", "elif status > 202:", "files", "another_success_is_no_file"),
    _wrapper("a part is taken for the whole", "_download", "if not (self.received and self._tag):", "if False:", "files", "another_success_is_no_file"),
    _wrapper("a cut file is not continued", "_download", "if self.received and self._tag else {}", "if False else {}", "files", "a_cut_file_is_continued_where_its_tag_is_strong"),
    _wrapper("a cut file is continued without a condition", "_download", ', "If-Range": self._tag}', "}", "files", "a_cut_file_is_continued_where_its_tag_is_strong"),
    _wrapper("a cut file is continued a byte late", "_download", 'f"bytes={self.received}-"', 'f"bytes={self.received + 1}-"', "files", "a_cut_file_is_continued_where_its_tag_is_strong"),
    _wrapper("a weak tag vouches for bytes", "_download", "tag.startswith('\"') and", "True and", "files", "a_cut_file_is_begun_again_where_its_tag_is_not_strong"),
    _wrapper("the whole file is appended to its beginning", "_download", "        self.part.clear()\n", "", "files", "the_whole_file_in_place_of_its_rest_replaces_the_beginning"),
    _wrapper("a part of another file is joined", "_download", ' or headers.get("etag") != self._tag', "", "files", "parts_of_different_files_are_never_joined"),
    _wrapper("a part from elsewhere is joined", "_download", "or int(found[1]) != self.received or", "or", "files", "parts_of_different_files_are_never_joined"),
    _wrapper("a part of a file of another length is joined", "_download", "return total == self.expected", "return True", "files", "parts_of_different_files_are_never_joined"),
    _wrapper("no such range ends the download", "_exchange", "if self.status == 416 and", "if self.status == 417 and", "files", "parts_of_different_files_are_never_joined"),
    _wrapper("new bytes do not count", "_calls", "            if self.transfer.advanced:", "            if False:", "files", "new_bytes_count_attempts_from_the_beginning"),
    _wrapper("an existing file is replaced", "_download", "if not self._overwrite and os.path.lexists(self._absolute):", "if False:", "files", "an_existing_target_is_refused_before_anything_is_sent"),
    _wrapper("a file that appears meanwhile is replaced", "_download", "(os.replace if self._overwrite else os.link)(", "os.replace(", "files", "a_target_that_appears_meanwhile_is_not_replaced"),
    _wrapper("overwrite is ignored", "client", "with PartFile(path, overwrite=overwrite) as part:\n            return", "with PartFile(path, overwrite=False) as part:\n            return", "files", "an_existing_target_is_replaced_once_the_new_file_is_whole"),
    _wrapper("a half file is left behind", "_download", "        self.path.unlink(missing_ok=True)\n", "", "files", "a_file_of_another_length_is_no_file"),
    _wrapper("a half file has the name of the whole", "_download", 'self.path = self._absolute.with_name(f".{stem}{ending}")', "self.path = self._absolute", "files", "the_target_is_there_only_when_it_is_whole_and_on_the_disk"),
    _wrapper("a file is published before it is on the disk", "async_client", "        await asyncio.to_thread(transfer.part.sync)\n", "", "files", "the_target_is_there_only_when_it_is_whole_and_on_the_disk"),
    _wrapper("a file is its owner's alone", "_download", '(f".{stem}{ending}")\n', '(f".{stem}{ending}")\n        os.umask(0o077)\n', "files", "the_file_has_the_usual_permissions"),
    _wrapper("progress is not told", "_download", "        if self._on_progress is not None:\n", "        if False:\n", "files", "progress_is_told_as_bytes_come"),
    _wrapper("what on_progress raises is a failed attempt", "_calls", "        if error is self._exchange.foreign:\n            return None\n", "", "files", "what_on_progress_raises_passes_unchanged_and_ends_the_download"),
    _wrapper("the key goes to another host", "_exchange", "if _origin(target) == _origin(httpx.URL(self._settings.base_url)) and self._request is not None:", "if self._request is not None:", "files", "a_download_is_followed_and_the_key_stays_at_home"),
    _wrapper("the key goes to another port", "_exchange", "return url.scheme, url.host, url.port or", 'return url.scheme, url.host, url.port and None or', "files", "a_download_is_followed_and_the_key_stays_at_home"),
    _wrapper("a redirect has the headers of a client handed in", "_exchange", "request = httpx.Request(\"GET\", target, headers=headers", "headers = {**(self._request.headers if self._request else {}), **headers}\n        request = httpx.Request(\"GET\", target, headers=headers", "files", "a_download_is_followed_and_the_key_stays_at_home"),
    _wrapper("the key stays behind at home", "_exchange", "if _origin(target) == _origin(httpx.URL(self._settings.base_url)) and", "if False and", "files", "a_download_is_followed_and_the_key_stays_at_home"),
    _wrapper("a redirect may lead out of https", "_exchange", ' or downgrade or', " or", "files", "a_download_is_not_followed_to_where_it_is_not_safe"),
    _wrapper("a key in a redirect is sent on", "_exchange", 'if self._redacted(response.headers["Location"]) != response.headers["Location"]:', "if False:", "files", "a_key_in_a_redirect_goes_nowhere"),
    _wrapper("redirects go on for long", "_exchange", "REDIRECT_LIMIT = 5", "REDIRECT_LIMIT = 50", "files", "redirects_in_circles_end"),
    _wrapper("a redirect forgets where the file was cut", "_exchange", 'headers = {**self._range, "Accept-Encoding": "identity"}\n        #', 'headers = {"Accept-Encoding": "identity"}\n        #', "files", "the_rest_is_asked_for_beyond_a_redirect"),
    _wrapper("downloads are not followed", "_exchange", "if response.has_redirect_location:", "if False:", "files", "a_download_is_followed_and_the_key_stays_at_home"),
    _wrapper("the submit is clipped by the deadline", "_calls", "math.inf if self.call.paid else self._ends", "self._ends", "files", "no_deadline_clips_the_submit"),
    _wrapper("a submit is resent after the deadline", "_calls", "latest = math.inf if self.transfer else self._ends", "latest = math.inf", "files", "a_submit_is_not_sent_again_after_the_deadline"),
    _wrapper("the download has a deadline of its own", "client", "Transfer(part, on_progress), deadline)", "Transfer(part, on_progress), deadline + 60)", "files", "a_file_that_is_not_there_yet_is_asked_for_until_the_deadline"),
    _wrapper("a file that is late is given up", "_calls", "if self._until_ready and is_not_ready(error):", "if False:", "files", "a_file_that_is_not_there_yet_is_asked_for_until_the_deadline"),
    _wrapper("an error after the submit does not name the job", "_polling", "            error.video = error.video or self.video\n            error.video_id = self.video_id\n", "", "answers", "every_error_after_the_submit_names_the_job"),
    _wrapper("the user's own error does not name the job", "_polling", "error.add_note(", "str(", "files", "what_is_not_the_clients_own_error_gets_a_note_of_the_job"),
    _wrapper("the accepted job is not told at once", "client", "                waiting.report()\n                self._follow", "                self._follow", "files", "remix_to_file_brings_the_new_video"),
    _wrapper("the job is paid for before the target is checked", "async_client", "        with PartFile(path, overwrite=overwrite) as part:\n            video = await self._run(Run(self._settings, call, deadline=deadline))\n", "        video = await self._run(Run(self._settings, call, deadline=deadline))\n        with PartFile(path, overwrite=overwrite) as part:\n", "files", "an_unusable_target_is_refused_before_anything_is_paid"),
]  # fmt: skip

FAULTS = [*_GENERATED_FAULTS, *_SENDING, *_READING, *_FAILING, *_RESENDING, *_WAITING, *_SAVING]

"""Faults in what judges a server: a breach that nobody is told of, a harmless answer called one, a secret shown."""

from __future__ import annotations

from contract_tests.teeth.faults import Fault, in_code

# The place; what is wrong; the code, and the code in its place; the test that must notice.
Row = tuple[str, str, str, str, str]


def _fault(place: str, name: str, old: str, new: str, rule: str) -> Fault:
    return in_code(f"wrapper/deerapi_remix/contract/{place}", f"kit: {name}", old, new, f"contract_tests/{rule}")


def _blind(place: str, rule: str, old: str, new: str, number: str = "") -> Fault:
    """A rule that no longer notices what breaks it."""
    test = f"server/test_rules.py::test_a_rule_that_is_broken_is_named[{rule}{number}]"
    return _fault(place, f"blind to {rule}{number and ' ' + number}", old, new, test)


_FILES = "server/test_rules.py::test_a_damaged_file_is_told_from_a_whole_one"
_DEMANDS = "server/test_rules.py::test_everything_that_the_document_demands_of_a_request_is_asked_the_other_way_round"
_LATER = "server/test_rules.py::test_a_429_that_does_not_say_when_to_come_back_breaks_its_rule"
_DATE = "server/test_rules.py::test_a_date_says_when_to_come_back"
_RECORDER = "kit/test_har.py::test_what_a_recorder_leaves_out_or_changes_is_no_breach"
_SECRETS = "kit/test_har.py::test_no_key_of_a_recording_is_printed"
_ELSEWHERE = "kit/test_har.py::test_other_hosts_and_paths_are_counted_and_left_out"
_SETTINGS = "kit/test_check.py::test_an_unusable_setting_is_named_and_nothing_is_sent"

_BLIND = [
    _blind("_judge.py::_other_length", "content_length_true", "announced == str(arrived)", "True"),
    _blind("_judge.py::_job", "status_is_known", "status in _ORDER", "status"),
    _blind("_judge.py::_job", "size_is_width_by_height", "_SIZE.fullmatch(size)", "size"),
    _blind("_judge.py::_job", "seconds_is_a_number", "_NUMBER.fullmatch(seconds)", "seconds"),
    _blind("_judge.py::_job", "progress_complete", "progress == 100", "progress"),
    _blind("_judge.py::_job", "failure_explained", "explained if status", "True if status", "0"),
    _blind("_judge.py::_job", "failure_explained", "else error is None", "else True", "1"),
    _blind("_judge.py::_job", "object_is_named", 'kind == "video"', "kind", "0"),
    _blind("_judge.py::_models", "object_is_named", 'exchange.value.get("object") == "list"', "True", "1"),
    _blind("_judge.py::_retrieve", "completed_at_set", "unless(right, wrong)", "None", "0"),
    _blind("_judge.py::_retrieve", "expires_after_completion", 'job.get("expires_at") is None', "False", "1"),
    _blind("_judge.py::_times", "completed_after_created", "completed >= created", "completed"),
    _blind("_judge.py::_times", "expires_after_completion", "expires > completed", "expires", "0"),
    _blind("_judge.py::_unix_seconds", "times_are_unix_seconds", "earliest <= time < 10_000_000_000", "time >= 0", "0"),
    _blind("_judge.py::_models", "models_listed", "len(ids) == len(set(map(str, ids)))", "True", "1"),
    _blind("_judge.py::_download", "content_is_mp4", "wrong or problem(exchange.body)", "wrong", "_0"),
    _blind("_judge.py::_download", "content_is_mp4", "served == media_type", "served", "_1"),
    _blind("_judge.py::steps_back", "status_never_goes_back", "return after != before", "return False"),
    _blind("_history.py::History._accepted", "issued_ids_unique", " if known else None", " if False else None"),
    _blind("_history.py::History._as_asked", "prompt_echoed", 'submit.sent.get("prompt")', "None", "0"),
    _blind("_history.py::History._download", "failed_job_has_no_file", "not now.succeeded", "True"),
    _blind("_history.py::_no_step_back", "progress_never_falls", "is_now < was", "False"),
    _blind("_history.py::_same_facts", "job_facts_stable", "in _FACTS:", "in ():", "1"),
    _blind("_history.py::_same_file", "etag_stable", "before == tag", "True"),
    _blind("_history.py::_wrong_bytes", "range_answer_right", "now.body != whole.body[part]", "False", "0"),
    _blind("_history.py::_given_too_early", "content_too_early_refused", "for early in job.early:", "for early in ():"),
    _blind("_document.py::_named_twice", "response_schema_conformance", "None if name is None", "None if True", "4"),
    _blind("_forbidden.py::_rule_of_body", "other_content_type_refused", "media_type not in content", "False"),
    _blind("_forbidden.py::_rule_of_body", "repeated_field_refused", "exchange.repeats_a_field", "False"),
    _blind("_walk.py::_NEAR_KEYS", "near_key_refused", '("cut", "longer", "in other letters")', "()"),
    _fault(
        "_walk.py::Walk._free_refusals",
        "no key is needed for files, and nobody tries",
        'call("downloadVideoContent", self._source, key=key)',
        "pass",
        _DEMANDS,
    ),
    _fault("_media.py::mp4_problem", "a video without pictures is whole", '(b"moov", b"mdat")', '(b"moov",)', _FILES),
    _fault("_media.py::webp_problem", "a picture that is cut is whole", "size == len(data)", "size", _FILES),
    _fault(
        "_judge.py::_unreadable_retry_after", "any word says when", "except ValueError:", "except KeyError:", _LATER
    ),
    _fault(
        "_judge.py::_unreadable_retry_after", "no date says when", "parsedate_to_datetime(value)", "int(value)", _DATE
    ),
    _fault(
        "_walk.py::FORBIDDEN",
        "nobody leaves the prompt out",
        '("missing_prompt_refused", {}, {}),',
        "",
        "server/test_rules.py::test_everything_that_the_document_demands_of_a_request_is_asked_the_other_way_round",
    ),
]

_RECORDINGS = [
    _fault("_har.py::comparable", "a compressed length is compared", '"content-encoding" in told or', "", _RECORDER),
    _fault("_har.py::answered_body", "a file that was cut is judged", "and not cut", "", _RECORDER),
    _fault(
        "_recording.py::_with_keys",
        "a recorder that leaves keys out is a breach",
        'key="valid")',
        'key="none")',
        _RECORDER,
    ),
    _fault(
        "_recording.py::_Secrets.masked", "keys of a recording are shown", "without_key(text, secret)", "text", _SECRETS
    ),
    _fault(
        "_recording.py::_Secrets.collect",
        "a key in a query is shown",
        "named = parse_qsl(query)",
        "named = []",
        _SECRETS,
    ),
    _fault(
        "_recording.py::_Server.exchange",
        "another host is judged",
        "if origin != self.origin:",
        "if False:",
        _ELSEWHERE,
    ),
    _fault(
        "_recording.py::judge_recording",
        "entries are judged in the order of the file",
        "sorted(_with_keys(exchanges), key=lambda each: each.span[0])",
        "_with_keys(exchanges)",
        "kit/test_har.py::test_entries_are_judged_in_the_order_in_which_they_were_sent",
    ),
    _fault(
        "_history.py::_Job.before",
        "polls that overlap are compared",
        "each.span[1] <= now.span[0]",
        "True",
        "kit/test_har.py::test_polls_that_overlap_are_not_compared",
    ),
    _fault(
        "_findings.py::Findings.judge",
        "a gateway's failure is the server's",
        "if failed_on_the_way and not self.strict:",
        "if False:",
        "kit/test_har.py::test_a_failure_that_only_a_gateway_gives_is_none_of_the_server",
    ),
]

_RUNS = [
    _fault(
        "_check.py::_code",
        "an interrupt is a success",
        "return INTERRUPTED",
        "return 0",
        "kit/test_check.py::test_an_interrupted_run_still_tells_the_job",
    ),
    _fault(
        "_settings.py::_check_key_and_host",
        "the key goes out in clear text",
        "RemixClient(key,",
        "len(key), dict(",
        _SETTINGS,
    ),
    _fault(
        "_settings.py::Settings.of",
        "a mode that nobody knows is taken",
        "if mode not in _MODES:",
        "if False:",
        _SETTINGS,
    ),
    _fault(
        "_settings.py::Settings.of",
        "reading costs money",
        'full=mode == "full",',
        "full=True,",
        "kit/test_check.py::test_read_only_sends_as_many_requests_as_it_says_and_only_get",
    ),
    _fault(
        "_settings.py::Settings.of",
        "there is no cap",
        "int(remixes) or None",
        "None",
        "kit/test_check.py::test_full_mode_submits_once_and_says_what_the_cap_left_unchecked",
    ),
    _fault(
        "_check.py::_code",
        "a broken contract is 0",
        "return BROKEN",
        "return 0",
        "kit/test_check.py::test_an_error_without_a_request_id_is_a_breach",
    ),
    _fault(
        "_exchange.py::without_key",
        "a key that is echoed is shown",
        'text if kind == "wrong" else text.replace(key, "***")',
        "text",
        "kit/test_check.py::test_the_key_is_never_shown_even_if_the_server_echoes_it",
    ),
    _fault(
        "_jobs.py::Jobs.follow",
        "a job without an end is no breach",
        'api.findings.add("job_completes", bound, last)',
        "pass",
        "kit/test_check.py::test_a_job_that_never_ends_breaks_a_rule_by_name",
    ),
]

FAULTS = [*_BLIND, *_RECORDINGS, *_RUNS]

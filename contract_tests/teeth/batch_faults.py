"""Faults of batches: a row paid twice, a job lost, a table that is not checked."""

from __future__ import annotations

from contract_tests.teeth.faults import Fault, in_code

_PACKAGE = "wrapper/deerapi_remix/batch"
_TESTS = "wrapper/tests/batch"


def _fault(place: str, name: str, old: str, new: str, rule: str) -> Fault:
    return in_code(f"{_PACKAGE}/{place}", name, old, new, f"{_TESTS}/{rule}")


_WORK, _ROWS, _GATE = "_row_work.py::RowWork", "test_row_work.py", "test_gate.py"

FAULTS = [
    _fault(
        f"{_WORK}.work",
        "an unknown row is worked on again for ever",
        "found is None or found.state in ENDED",
        "found is None",
        f"{_ROWS}::test_a_lost_answer_is_unknown_and_never_submitted_again",
    ),
    _fault(
        f"{_WORK}._advance",
        "the entry of another remix is taken for that of the row",
        "record = Submission(self._store, asked).earlier(record)",
        "pass",
        f"{_ROWS}::test_a_key_that_is_in_use_otherwise_fails_the_row",
    ),
    _fault(
        f"{_WORK}.work",
        "a job whose record failed is forgotten",
        "job_id = error.job_id",
        "pass",
        f"{_ROWS}::test_a_job_that_could_not_be_recorded_is_told_as_soon_as_the_database_is_back",
    ),
    _fault(
        f"{_WORK}._submit",
        "the target is looked at after the row is paid",
        "saving.check(None)",
        "pass",
        f"{_ROWS}::test_a_target_that_is_there_fails_the_row_before_it_is_paid",
    ),
    _fault(
        f"{_WORK}._submit",
        "the next row is let through before a pause",
        "self._on_pause(told(error))",
        "pass",
        "test_batch.py::test_a_balance_that_is_used_up_pauses_the_batch_until_it_is_resumed",
    ),
    _fault(
        "_row_work.py::RowWork._advance",
        "what a killed worker left of a file stays",
        "await asyncio.to_thread(_remove_parts, saving.path)",
        "pass",
        f"{_ROWS}::test_a_row_whose_job_was_accepted_before_is_followed_and_not_submitted",
    ),
    _fault(
        "_verdict.py::concerns_all",
        "a refused key fails every row",
        "ConfigurationError | AuthenticationError | InsufficientQuotaError",
        "ConfigurationError | InsufficientQuotaError",
        f"{_ROWS}::test_what_every_row_would_meet_pauses_the_batch_and_the_row_goes_back",
    ),
    _fault(
        "_verdict.py::concerns_all",
        "a balance that is used up under another status fails every row",
        "return error.reason is Reason.NO_BALANCE",
        "return False",
        f"{_ROWS}::test_what_every_row_would_meet_pauses_the_batch_and_the_row_goes_back",
    ),
    _fault(
        "_verdict.py::_of_api",
        "a poll that fails gives a paid job up",
        "if accepted and tries < _FOLLOWED:",
        "if False:",
        f"{_ROWS}::test_a_poll_or_download_that_fails_is_tried_later_and_pays_nothing",
    ),
    _fault(
        "_verdict.py::_of_api",
        "a job that the server forgot is asked for for ever",
        "if accepted and tries < _FOLLOWED:",
        "if accepted:",
        f"{_ROWS}::test_a_job_that_the_server_forgot_fails_in_the_end",
    ),
    _fault(
        "_gate.py::Gate._leave",
        "all submits are let through at once after a start",
        "self._limit = min(self._limit + 1, self._most)",
        "self._limit = self._most",
        f"{_GATE}::test_after_a_start_one_is_let_through_and_one_more_for_each_that_has_ended",
    ),
    _fault(
        "_gate.py::Gate._let_in",
        "a pause lets rows through",
        "while self._waiting and self._open.is_set() and",
        "while self._waiting and",
        f"{_GATE}::test_nobody_is_let_through_while_it_is_closed",
    ),
    _fault(
        "_workers.py::strays",
        "the rows of a worker that is gone are nobody's",
        "not_(or_(is_queued, is_theirs))",
        'not_(or_(is_queued, flows.c.status == "PENDING"))',
        "test_batch.py::test_the_rows_of_a_worker_that_is_gone_are_taken_over",
    ),
    _fault(
        "_settling.py::retry",
        "unknown rows are tried again with the failed ones",
        'if found is None or found.state != "failed":',
        "if found is None:",
        "test_batch.py::test_an_unknown_row_is_resolved_by_its_job",
    ),
    _fault(
        "_batch.py::Batch.run",
        "a batch goes on at another address",
        "if base_url != client.base_url:",
        "if False:",
        "test_batch.py::test_the_jobs_of_a_batch_are_at_one_address",
    ),
    _fault(
        "_plan.py::_Planning._default_key",
        "rows with the same content have one key",
        "return digest if number == 1 else",
        "return digest if True else",
        "test_plan.py::test_the_key_of_a_row_is_a_hash_of_its_content_and_its_occurrence",
    ),
    _fault(
        "_targets.py::Targets._problem",
        "a file may leave its folder",
        "if target == self._folder or not target.is_relative_to(self._folder):",
        "if target == self._folder:",
        "test_plan.py::test_a_file_that_could_not_be_saved_is_told",
    ),
    _fault(
        "_lookups.py::Lookups._look",
        "a row that cannot be looked up is waited for by one alone",
        "for _, answer in asked:",
        "for _, answer in asked[:1]:",
        "test_lookups.py::test_what_else_goes_wrong_is_told_to_all_who_wait",
    ),
    _fault(
        "_outage.py::Outage.check_place",
        "a batch pays on into a file that was removed",
        "if self._found() != self._file:",
        "if False:",
        "test_outage.py::test_a_worker_whose_database_is_of_no_use_submits_no_more_and_ends_with_words",
    ),
    _fault(
        "_workers.py::live",
        "a dead worker lives on where the clock was set back",
        "workers.c.seen_at.between(now(connection) - LEASE, now(connection) + LEASE)",
        "workers.c.seen_at > now(connection) - LEASE",
        "test_outage.py::test_a_worker_that_told_of_itself_before_the_clock_was_set_is_not_taken_for_alive",
    ),
    _fault(
        "_adding.py::add",
        "rows that another run added meanwhile are taken for those of a table",
        "_check(planned, known, _saved_as(connection, batch, planned))",
        "pass",
        "test_batch.py::test_two_tables_that_are_checked_before_either_is_added_are_not_mixed_up",
    ),
    in_code(
        f"{_PACKAGE}/_batch.py::Batch._known",
        "a dry run leaves a database",
        "if not has_batches(self._url):",
        "if False:",
        "wrapper/tests/cli/test_batch.py::test_a_dry_run_checks_everything_and_pays_nothing",
    ),
]

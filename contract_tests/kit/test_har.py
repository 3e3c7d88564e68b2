"""Recorded traffic is judged by the same rules."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deerapi_remix.contract import BROKEN, Report, UnusableError, judge_recording
from deerapi_remix.contract._api import Api
from deerapi_remix.contract._document import contract
from deerapi_remix.contract._findings import Findings
from deerapi_remix.contract._jobs import Patience

from ..server.altered import Alter
from ..server.servers import walk_through
from ..server.test_rules import FAULTS
from .recorder import BASE_URL, KEY, Entry, Recording, altered, write
from .test_command import UNUSABLE, run

# Only who asks can know these: that an id, a model or a key is not one that the server knows, that a request is valid,
# and that it has waited long enough.
OF_THE_ASKER = {
    *("unknown_id_refused", "unknown_source_refused", "unknown_model_refused", "wrong_key_refused"),
    *("near_key_refused", "valid_request_accepted", "previews_served", "job_completes"),
    "issued_id_retrievable",
}
SEEN_IN_A_RECORDING = [(rule, alter) for rule, alter in FAULTS if rule not in OF_THE_ASKER]


def judged(folder: Path, entries: list[Entry], base_url: str = BASE_URL) -> Report:
    return judge_recording(write(folder, entries), base_url)


def broken(report: Report) -> set[str]:
    return {each.rule for each in report.findings.broken}


def conclusion(report: Report) -> str:
    return "\n".join(report.conclusion)


@pytest.fixture
def job() -> list[Entry]:
    """The entries of a whole job, which keeps the contract."""
    with Recording() as recording:
        return recording.job()


@pytest.fixture(scope="module")
def walk() -> list[Entry]:
    """The entries of everything that the kit asks."""
    with Recording() as recording:
        del recording.http.headers["authorization"]
        api = Api(recording.http, KEY, Findings(contract(), strict=True))
        walk_through(api, recording.fake, Patience(lambda: recording.clock.advance(1), polls=8))
        return recording.entries


def test_a_whole_job_is_judged_in_time_and_keeps_the_contract(tmp_path: Path, job: list[Entry]) -> None:
    path = write(tmp_path, job)
    began = time.perf_counter()
    done = run("--har", str(path))
    assert time.perf_counter() - began < 10
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-2:] == [
        "Judged: 11 of 11 entries. Nothing was sent.",
        "The contract is kept, as far as the recording tells.",
    ]


def test_everything_that_the_kit_asks_keeps_the_contract_as_a_recording_too(tmp_path: Path, walk: list[Entry]) -> None:
    report = judged(tmp_path, walk)
    assert broken(report) == set()
    assert report.findings.drifted == set()


@pytest.mark.parametrize(("rule", "alter"), SEEN_IN_A_RECORDING, ids=[rule for rule, _ in SEEN_IN_A_RECORDING])
def test_a_fault_in_a_recording_is_named(tmp_path: Path, walk: list[Entry], rule: str, alter: Alter) -> None:
    report = judged(tmp_path, altered(walk, alter))
    assert rule in broken(report) | report.findings.drifted


def test_other_hosts_and_paths_are_counted_and_left_out(tmp_path: Path, job: list[Entry]) -> None:
    def elsewhere(url: str, method: str = "GET") -> Entry:
        entry: Entry = json.loads(json.dumps(job[0]))
        entry["request"] |= {"url": url, "method": method}
        entry["response"] = {"status": 200}
        return entry

    others = [
        elsewhere("https://cdn.example/v1/models"),
        elsewhere("http://api.deerapi.com/v1/models"),
        elsewhere("data:image/png;base64,AAAA"),
        elsewhere(f"{BASE_URL}/v1/chat/completions", "POST"),
        elsewhere(f"{BASE_URL}/v1/models", "OPTIONS"),
    ]
    report = judged(tmp_path, [*others, *job])
    assert report.code == 0
    assert report.conclusion[0] == (
        "Judged: 11 of 16 entries. Nothing was sent. Left out: 3 to other hosts (cdn.example, api.deerapi.com, data:); "
        "2 to other paths or methods of the host."
    )


def test_a_recording_without_an_answer_of_the_server_is_2(tmp_path: Path, job: list[Entry]) -> None:
    done = run("--har", str(write(tmp_path, job)), "--base-url", "https://gateway.example/deer")
    assert (done.returncode, done.stdout) == (UNUSABLE, "")
    assert "of 11 entries 11 to other hosts (api.deerapi.com). Is it another --base-url?" in done.stderr


def test_a_base_url_with_a_path_is_that_of_a_gateway(tmp_path: Path, job: list[Entry]) -> None:
    for entry in job:
        entry["request"]["url"] = entry["request"]["url"].replace(BASE_URL, "http://gateway.internal:8080/deer")
    report = judged(tmp_path, job, "http://gateway.internal:8080/deer/")
    assert (report.code, conclusion(report).splitlines()[0]) == (0, "Judged: 11 of 11 entries. Nothing was sent.")


def header(headers: list[dict[str, str]], name: str, value: str) -> None:
    headers.append({"name": name, "value": value})


def test_no_key_of_a_recording_is_printed(tmp_path: Path, job: list[Entry]) -> None:
    secrets = {
        "authorization": "Bearer another-key-1234",
        "x-api-key": "third-key-1234",
        "cookie": "session=fourth-key-1234; b=c",
    }
    for entry in job:
        for name, value in secrets.items():
            header(entry["request"]["headers"], name, value)
        entry["request"]["url"] += "?access_token=fifth%2Dkey-1234&apikey=seventh-key-1234"
        entry["response"]["status"] = 418
        text = f"no {KEY} or another-key-1234, third-key-1234, fourth-key-1234, fifth-key-1234, sk-sixth-key-1234"
        entry["response"]["content"] = {"size": len(text), "text": text}
        # A request id that comes again is told.
        entry["response"]["headers"] = [{"name": "x-oneapi-request-id", "value": text}]
    path = write(tmp_path, job)
    for options in ([], ["--json"], ["--junit", str(tmp_path / "junit.xml")]):
        done = run("--har", str(path), *options, GITHUB_ACTIONS="true")
        assert done.returncode == BROKEN
        assert "-key-1234" not in done.stdout + done.stderr
        assert KEY not in done.stdout + done.stderr
        assert "Authorization: Bearer $DEERAPI_KEY" in done.stdout
        assert "request_ids_unique: no *** or ***, ***, ***, ***, *** came before" in done.stdout
    assert "-key-1234" not in (tmp_path / "junit.xml").read_text()


LOG = '{"log": {"entries": [%s]}}'
ENTRY = '{"startedDateTime": "2026-01-01T00:00:00Z", "request": %s, "response": %s}'
ASKED = '{"method": "GET", "url": "https://api.deerapi.com/v1/models", "headers": []}'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no JSON: line 1, column 1"),
        ('{"log":\n {"entries": [}}', "is no JSON: line 2, column 15"),
        ("[]", "is no HAR: it has no object `log`"),
        ('{"log": {}}', "log.entries is missing"),
        ('{"log": {"entries": {}}}', "log.entries is not a list"),
        (LOG % "5", "log.entries[0] is not an object"),
        (LOG % "{}", "log.entries[0].request is missing"),
        (LOG % ENTRY % ('{"method": "GET"}', "{}"), "log.entries[0].request.url is missing"),
        (LOG % ENTRY % (ASKED, "{}"), "log.entries[0].response.status is missing"),
        (LOG % ENTRY % (ASKED, '{"status": "200"}'), "log.entries[0].response.status is not a whole number"),
        (LOG % ENTRY % (ASKED, '{"status": 200}'), "log.entries[0].response.headers is missing"),
        (LOG % ENTRY % (ASKED, '{"status": 200, "headers": [{}]}'), "log.entries[0].response.headers[0].name is"),
        (LOG % ENTRY % (ASKED, '{"status": 200, "headers": []}'), "log.entries[0].response.content is missing"),
        (
            LOG % ENTRY % (ASKED, '{"status": 200, "headers": [], "content": {"text": "?", "encoding": "base64"}}'),
            "log.entries[0].response.content.text is not in base64",
        ),
        (
            (LOG % ENTRY % (ASKED, '{"status": 200, "headers": [], "content": {}}')).replace("2026-01-01T", "today "),
            "log.entries[0].startedDateTime is no time",
        ),
    ],
)
def test_what_is_no_recording_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "traffic.har"
    path.write_text(text)
    with pytest.raises(UnusableError) as caught:
        judge_recording(path, BASE_URL)
    assert said in str(caught.value)


def test_a_file_that_is_not_there_or_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnusableError, match="cannot be read: No such file"):
        judge_recording(tmp_path / "none.har", BASE_URL)
    (tmp_path / "binary.har").write_bytes(b'{"log": "\xff"}')
    with pytest.raises(UnusableError, match="is not in UTF-8: byte 9"):
        judge_recording(tmp_path / "binary.har", BASE_URL)


def test_har_does_not_go_with_what_is_for_sending(tmp_path: Path) -> None:
    done = run("--har", str(tmp_path / "x.har"), "--full")
    assert done.returncode == UNUSABLE
    assert "--har sends nothing" in done.stderr


def of_a_browser(entry: Entry) -> None:
    """Without the key, in HTTP/2, compressed on the way, and the answer as a text."""
    entry["request"]["headers"] = [
        {"name": ":method", "value": "GET"},
        *(each for each in entry["request"]["headers"] if each["name"] != "authorization"),
    ]
    entry["response"]["headers"] += [{"name": "content-encoding", "value": "gzip"}]
    entry["response"]["content"]["compression"] = 5
    for each in entry["response"]["headers"]:
        each["name"] = each["name"].title()
        if each["name"] == "Content-Length":
            each["value"] = "77"


def without_bodies(entry: Entry) -> None:
    del entry["response"]["content"]["text"]
    entry["request"].pop("postData", None)
    entry["request"]["bodySize"] = -1


def with_files_cut(entry: Entry) -> None:
    content = entry["response"]["content"]
    if content.get("encoding") == "base64":
        content["text"] = base64.b64encode(base64.b64decode(content["text"])[:1000]).decode()


def with_files_as_text(entry: Entry) -> None:
    content = entry["response"]["content"]
    if content.pop("encoding", None) == "base64":
        content["text"] = base64.b64decode(content["text"]).decode(errors="replace")


def without_times(entry: Entry) -> None:
    entry["time"] = -1
    entry["startedDateTime"] = entry["startedDateTime"].replace("+00:00", "0Z")


@pytest.mark.parametrize("change", [of_a_browser, without_bodies, with_files_cut, with_files_as_text, without_times])
def test_what_a_recorder_leaves_out_or_changes_is_no_breach(
    tmp_path: Path, job: list[Entry], change: Callable[[Entry], None]
) -> None:
    for entry in job:
        change(entry)
    report = judged(tmp_path, job)
    assert (report.code, [each.line for each in report.breaches]) == (0, [])


def test_bodies_that_were_not_recorded_are_told(tmp_path: Path, job: list[Entry]) -> None:
    without_bodies(job[1])
    assert "Not recorded, or not whole: the bodies of 1 answers." in conclusion(judged(tmp_path, job))


def test_without_any_key_whether_one_is_asked_for_is_not_judged(tmp_path: Path, job: list[Entry]) -> None:
    keyless = {"name": "authorization", "value": f"Bearer {KEY}"}
    for entry in job[1:]:
        entry["request"]["headers"].remove(keyless)
    assert broken(judged(tmp_path, job)) == {"missing_key_refused"}
    job[0]["request"]["headers"].remove(keyless)
    report = judged(tmp_path, job)
    assert broken(report) == set()
    assert "No request in it has a key" in conclusion(report)


def test_what_no_server_answered_is_left_out(tmp_path: Path, job: list[Entry]) -> None:
    job[0]["response"]["status"] = 0
    job[1]["response"]["status"] = 304
    job[3]["_fromCache"] = "disk"
    report = judged(tmp_path, job)
    assert report.code == 0
    assert "Left out: 1 without an answer; 2 answered by a cache." in report.conclusion[0]


def test_a_failure_that_only_a_gateway_gives_is_none_of_the_server(tmp_path: Path, job: list[Entry]) -> None:
    job[3]["response"] |= {"status": 502, "content": {"size": 6, "text": "<html>"}}
    assert judged(tmp_path, job).code == 0


def test_polls_that_overlap_are_not_compared(tmp_path: Path, job: list[Entry]) -> None:
    """The first one to be sent was answered last, and tells of a later state."""
    first, second = job[4], job[5]
    first["response"], second["response"] = second["response"], first["response"]
    assert "progress_never_falls" in broken(judged(tmp_path, job))
    first["time"] = 60_000
    assert judged(tmp_path, job).code == 0


def test_entries_are_judged_in_the_order_in_which_they_were_sent(tmp_path: Path, job: list[Entry]) -> None:
    in_order, reversed_ = judged(tmp_path, job), judged(tmp_path, job[::-1])
    assert (reversed_.code, reversed_.findings.checked) == (0, in_order.findings.checked)


@pytest.mark.parametrize("after", [0, 60])
def test_a_job_that_is_lost_after_half_a_minute_is_a_breach(tmp_path: Path, after: int) -> None:
    with Recording() as recording:
        answer = recording.http.post("/v1/videos/video_123/remix", json={"prompt": "x"})
        recording.clock.advance(after)
        recording.fake.answers("retrieve", 404)
        recording.http.get(f"/v1/videos/{answer.json()['id']}")
    found = broken(judged(tmp_path, recording.entries))
    assert found == ({"issued_id_retrievable"} if after else set())

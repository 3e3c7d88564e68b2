"""What the client promises about files: there whole or not at all, the right one, and no job is paid for in vain.

Time is virtual. After a call the folder holds the file or, where it failed, what it held before.
"""

import errno
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from deerapi_remix import APIConnectionError, PollingPolicy, RetryPolicy

from .clients import KEY, Answer, Outcome
from .scripted import Chance, Clock, Pieces, Scripted, Step
from .test_answers import FILE, JOB, expect, expect_error

Script = Callable[..., Scripted]

DOWNLOAD = "downloadVideoContent"
CONTENT = "https://api.deerapi.com/v1/videos/video_123/content"
NEW = JOB | {"id": "video_456"}
DONE = NEW | {"status": "completed", "progress": 100}
SIZE = len(FILE)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where the file should be."""
    return tmp_path / "file.mp4"


def whole(
    *, tag: str | None = '"one"', length: bool = True, cut_after: int | None = None, body: bytes = FILE
) -> Answer:
    """The whole file, or its beginning where the connection is lost."""
    answer = Answer(200, body[:cut_after], kind="video/mp4", cut=None if cut_after is None else httpx.ReadError)
    answer.headers |= {"Content-Length": str(len(body))} | ({"ETag": tag} if tag else {})
    if not length:
        del answer.headers["Content-Length"]
    return answer


def rest(start: int, *, told: str | None = None, tag: str | None = '"one"', end: int = SIZE, **options: Any) -> Answer:
    """The file from `start` on."""
    headers = {"Content-Range": told or f"bytes {start}-{SIZE - 1}/{SIZE}"} | ({"ETag": tag} if tag else {})
    answer = Answer(206, FILE[start:end], kind="video/mp4", headers=headers, **options)
    answer.headers["Content-Length"] = str(SIZE - start)
    return answer


def fetch(client: Scripted, target: Path, **options: Any) -> Outcome:
    return client("download", "video_123", target, **options)


def ranges(outcome: Outcome) -> list[tuple[str | None, str | None]]:
    return [(request.headers.get("Range"), request.headers.get("If-Range")) for request in outcome.requests]


def expect_in_folder(target: Path, content: bytes | None, where: str) -> None:
    """The target alone, or nothing at all."""
    names = sorted(path.name for path in target.parent.iterdir())
    expect(where, folder=(names, [] if content is None else [target.name]))
    expect(where, content=(target.read_bytes() if names else None, content))


def expect_file(outcome: Outcome, target: Path, where: str, content: bytes = FILE) -> None:
    expect(f"{DOWNLOAD} {where}", error=(outcome.error, None), value=(outcome.value, target))
    expect_in_folder(target, content, f"{DOWNLOAD} {where}")


def expect_no_file(outcome: Outcome, target: Path, name: str, where: str) -> Any:
    error = expect_error(outcome, name, f"{DOWNLOAD} {where}")
    expect_in_folder(target, None, f"{DOWNLOAD} {where}")
    return error


# ---- What is taken for a file


@pytest.mark.parametrize(
    "kind",
    [
        "video/mp4",
        "Video/MP4; codecs=avc1",
        "video/quicktime",
        "image/webp",
        "application/octet-stream",
        "binary/octet-stream",
        None,
    ],
)
def test_a_file_is_known_by_its_type(kind: str | None, script: Script, target: Path) -> None:
    expect_file(fetch(script(Answer(200, FILE, kind=kind)), target), target, f"200 {kind}")


@pytest.mark.parametrize(
    "kind", ["application/json", "text/html; charset=utf-8", "text/plain", "audio/mpeg", "application/xml"]
)
def test_what_is_of_another_type_is_no_file(kind: str, script: Script, target: Path, clock: Clock) -> None:
    outcome = fetch(script(Answer(200, b'{"code": "no", "message": "not today"}', kind=kind)), target)
    error = expect_no_file(outcome, target, "DownloadError", f"200 {kind}")
    expect(f"{DOWNLOAD} 200 {kind}", requests=(len(outcome.requests), 1), retryable=(error.retryable, False))
    for part in (kind.partition(";")[0], "not today"):
        assert part in str(error), f"{DOWNLOAD} 200 {kind}: {error} does not say {part!r}"


@pytest.mark.parametrize(
    ("answer", "received", "expected"),
    [
        pytest.param(Answer(200, FILE, kind="video/mp4", headers={"Content-Length": "9"}), SIZE, 9, id="longer"),
        pytest.param(Answer(200, FILE, kind="video/mp4", headers={"Content-Length": "99"}), SIZE, 99, id="shorter"),
        pytest.param(Answer(200, b"", kind="video/mp4"), 0, 0, id="empty"),
    ],
)
def test_a_file_of_another_length_is_no_file(
    answer: Answer, received: int, expected: int, script: Script, target: Path, clock: Clock
) -> None:
    error = expect_no_file(fetch(script(answer), target), target, "DownloadError", "200")
    expect(f"{DOWNLOAD} 200", received=(error.received, received), expected=(error.expected, expected))


def test_a_file_of_which_nothing_comes_is_asked_for_again(script: Script, target: Path, clock: Clock) -> None:
    nothing = Answer(200, b"", kind="video/mp4", headers={"Content-Length": str(SIZE)})
    expect_file(fetch(script(nothing, whole()), target), target, "200 without a byte, then whole")


def test_an_empty_answer_without_a_length_is_no_file(script: Script, target: Path, clock: Clock) -> None:
    answer = Answer(200, b"", kind="video/mp4", headers={"Transfer-Encoding": "chunked"})
    del answer.headers["Content-Length"]
    expect_no_file(fetch(script(answer), target), target, "DownloadError", "200, empty")


@pytest.mark.parametrize("cut_after", [4, 9, 15, 20, SIZE - 1])
def test_without_a_length_the_boxes_of_an_mp4_tell_whether_it_is_whole(
    cut_after: int, script: Script, target: Path, clock: Clock
) -> None:
    broken = whole(length=False, body=FILE[:cut_after], tag=None)
    outcome = fetch(script(broken), target)
    error = expect_no_file(outcome, target, "DownloadError", f"200 without a length, {cut_after} bytes")
    expect(f"{DOWNLOAD} 200 without a length", requests=(len(outcome.requests), 5), retryable=(error.retryable, True))
    expect_file(fetch(script(broken, whole(length=False)), target), target, "200 without a length, whole")


def test_a_large_box_and_one_that_reaches_to_the_end_are_read(script: Script, target: Path) -> None:
    large = b"\0\0\0\1mdat" + (20).to_bytes(8, "big") + b"1234"
    open_end = b"\0\0\0\0mdat" + b"12345"
    for body in (FILE + large, FILE + open_end, FILE + large + open_end):
        outcome = fetch(script(whole(length=False, body=body)), target, overwrite=True)
        expect_file(outcome, target, f"200 without a length, {body!r}", body)


def test_without_a_length_what_is_no_mp4_is_taken_as_it_is(script: Script, target: Path) -> None:
    picture = b"RIFF\x24\x01\0\0WEBPVP8 "
    expect_file(fetch(script(whole(length=False, body=picture)), target), target, "200 without a length, WebP", picture)


def test_a_box_that_cannot_be_is_the_end_of_no_file(script: Script, target: Path, clock: Clock) -> None:
    for size in (2, 7):
        broken = whole(length=False, body=FILE + size.to_bytes(4, "big") + b"free12345"[: size - 4], tag=None)
        expect_no_file(fetch(script(broken), target), target, "DownloadError", f"200 with a box of {size} bytes")


def test_a_chunked_file_needs_no_length(script: Script, target: Path) -> None:
    answer = whole(length=False, body=FILE[:-1])
    answer.headers["Transfer-Encoding"] = "chunked"
    expect_file(fetch(script(answer), target), target, "200, chunked", FILE[:-1])


def test_another_success_is_no_file(script: Script, target: Path, clock: Clock) -> None:
    part = {"Content-Range": f"bytes 0-{SIZE - 1}/{SIZE}"}
    for status, headers in ((202, {}), (206, {}), (206, part)):
        outcome = fetch(script(Answer(status, FILE, kind="video/mp4", headers=headers)), target)
        expect_no_file(outcome, target, "DownloadError", f"{status} {headers}")
        expect(f"{DOWNLOAD} {status} {headers}", requests=(len(outcome.requests), 1))


# ---- A connection that is cut


def test_a_cut_file_is_continued_where_its_tag_is_strong(script: Script, target: Path, clock: Clock) -> None:
    told: list[Any] = []
    client = script(whole(cut_after=9), rest(9, cut=httpx.ReadError, end=20), Answer(503), rest(20))
    outcome = fetch(client, target, on_progress=lambda *step: told.append(step))
    expect_file(outcome, target, "200, cut twice")
    asked = [(None, None), ("bytes=9-", '"one"'), ("bytes=20-", '"one"'), ("bytes=20-", '"one"')]
    expect(DOWNLOAD, asked=(ranges(outcome), asked), told=(told, [(9, SIZE), (20, SIZE), (SIZE, SIZE)]))


def test_the_rest_tells_the_length_that_the_beginning_did_not(script: Script, target: Path, clock: Clock) -> None:
    begun = whole(length=False, cut_after=9)
    begun.headers["Transfer-Encoding"] = "chunked"
    outcome = fetch(script(begun, rest(9, end=20, cut=httpx.ReadError), rest(20)), target)
    expect_file(outcome, target, "200 without a length, cut twice")
    asked = [(None, None), ("bytes=9-", '"one"'), ("bytes=20-", '"one"')]
    expect(DOWNLOAD, asked=(ranges(outcome), asked))


@pytest.mark.parametrize("tag", [None, 'W/"one"', "one"])
def test_a_cut_file_is_begun_again_where_its_tag_is_not_strong(
    tag: str | None, script: Script, target: Path, clock: Clock
) -> None:
    outcome = fetch(script(whole(cut_after=9, tag=tag), whole(tag=tag)), target)
    expect_file(outcome, target, f"200, cut, tag {tag}")
    expect(DOWNLOAD, asked=(ranges(outcome), [(None, None)] * 2))


def test_the_whole_file_in_place_of_its_rest_replaces_the_beginning(script: Script, target: Path, clock: Clock) -> None:
    other = b"\0\0\0\x10ftypisom\0\0\x03\0another one"
    outcome = fetch(script(whole(cut_after=20), whole(tag='"two"', body=other)), target)
    expect_file(outcome, target, "200, cut, then another 200", other)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(rest(9, tag='"two"'), id="another tag"),
        pytest.param(rest(9, tag=None), id="no tag"),
        pytest.param(rest(10), id="further on"),
        pytest.param(rest(0), id="from the beginning"),
        pytest.param(rest(9, told=f"bytes 9-{SIZE - 1}/{SIZE + 1}"), id="another total"),
        pytest.param(rest(9, told="bytes 9-/*"), id="nonsense"),
        pytest.param(rest(9, told="items 9-27/28"), id="another unit"),
        pytest.param(Answer(416), id="no such range"),
    ],
)
def test_parts_of_different_files_are_never_joined(answer: Answer, script: Script, target: Path, clock: Clock) -> None:
    outcome = fetch(script(whole(cut_after=9), answer, whole(tag='"two"')), target)
    where = f"200, cut, then {answer.status} {answer.headers.get('Content-Range')} {answer.headers.get('ETag')}"
    expect_file(outcome, target, where)
    expect(f"{DOWNLOAD} {where}", asked=(ranges(outcome), [(None, None), ("bytes=9-", '"one"'), (None, None)]))


def test_new_bytes_count_attempts_from_the_beginning(script: Script, target: Path, clock: Clock) -> None:
    parts = [rest(start, end=start + 1, cut=httpx.ReadError) for start in range(1, SIZE - 1)]
    outcome = fetch(script(whole(cut_after=1), *parts, rest(SIZE - 1), retry=RetryPolicy(attempts=2, budget=9)), target)
    expect_file(outcome, target, "200, a byte at a time")


def test_no_new_bytes_count_attempts_to_the_end(script: Script, target: Path, clock: Clock) -> None:
    outcome = fetch(script(whole(cut_after=9, tag=None)), target)
    error = expect_error(outcome, "APIConnectionError", f"{DOWNLOAD} 200, cut at the same byte")
    # The first attempt brought bytes; the count begins after it.
    expect(DOWNLOAD, requests=(len(outcome.requests), 5), retryable=(error.retryable, True))
    expect_in_folder(target, None, DOWNLOAD)


@pytest.mark.parametrize(
    "step", [Answer(503), Answer(429), Answer(502), httpx.ReadTimeout("no"), httpx.ConnectError("no")]
)
def test_a_failed_download_is_asked_for_again(step: Step, script: Script, target: Path, clock: Clock) -> None:
    outcome = fetch(script(step, whole()), target)
    expect_file(outcome, target, f"{step}, then 200")
    expect(DOWNLOAD, requests=(len(outcome.requests), 2), slept=(len(clock.slept), 1))


# ---- The file on disk


def test_an_existing_target_is_refused_before_anything_is_sent(script: Script, target: Path) -> None:
    target.write_bytes(b"mine")
    for outcome in (
        fetch(script(whole()), target),
        script(Answer(200, NEW))("remix_to_file", "video_123", target, prompt="cry"),
    ):
        expect(DOWNLOAD, error=(type(outcome.error), FileExistsError), requests=(len(outcome.requests), 0))
    expect_in_folder(target, b"mine", DOWNLOAD)


@pytest.mark.parametrize("place", ["missing/file.mp4", "."])
def test_an_unusable_target_is_refused_before_anything_is_paid(place: str, script: Script, tmp_path: Path) -> None:
    for method, options in (("download", {}), ("remix_to_file", {"prompt": "cry"})):
        outcome = script(Answer(200, NEW))(method, "video_123", tmp_path / place, **options)
        assert isinstance(outcome.error, OSError), f"{method} to {place}: {outcome}, expected an OSError"
        expect(f"{method} to {place}", requests=(len(outcome.requests), 0), left=(list(tmp_path.iterdir()), []))


def test_an_existing_target_is_replaced_once_the_new_file_is_whole(script: Script, target: Path, clock: Clock) -> None:
    target.write_bytes(b"mine")
    fetch(script(Answer(200, b"{}")), target, overwrite=True)
    fetch(script(whole(cut_after=9)), target, overwrite=True)
    expect_in_folder(target, b"mine", f"{DOWNLOAD}, failed")
    expect_file(fetch(script(whole()), target, overwrite=True), target, "with overwrite")


@pytest.mark.parametrize("links", [True, False])
def test_a_target_that_appears_meanwhile_is_not_replaced(
    links: bool, script: Script, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not links:
        monkeypatch.setattr(os, "link", no_links)

    def appear(_: httpx.Request) -> Answer:
        target.write_bytes(b"mine")
        return whole()

    outcome = fetch(script(appear), target)
    expect(DOWNLOAD, error=(type(outcome.error), FileExistsError))
    expect_in_folder(target, b"mine", DOWNLOAD)


def no_links(*_: object) -> None:
    raise OSError(errno.EPERM, "no hard links here")


def test_a_file_system_without_links_will_do(script: Script, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", no_links)
    expect_file(fetch(script(whole()), target), target, "without hard links")


def test_what_the_file_system_refuses_passes_unchanged(
    script: Script, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = OSError(errno.EIO, "broken")

    def refuse(*_: object) -> None:
        raise refusal

    for name in ("link", "fsync"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, refuse)
            outcome = fetch(script(whole()), target)
        expect(f"{DOWNLOAD}, {name} fails", error=(outcome.error, refusal), requests=(len(outcome.requests), 1))
        expect_in_folder(target, None, f"{DOWNLOAD}, {name} fails")


def test_a_name_may_be_as_long_as_the_file_system_has_it(script: Script, tmp_path: Path) -> None:
    for name in ("n" * 255, "é" * 127, "n" * 234):
        target = tmp_path / name
        expect_file(fetch(script(whole()), target), target, f"to a name of {len(name)} characters")
        target.unlink()


def test_the_target_is_there_only_when_it_is_whole_and_on_the_disk(
    script: Script, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    fsync = os.fsync

    def look() -> None:
        seen.append([path.name for path in target.parent.iterdir()])

    def sync(handle: int) -> None:
        seen.append(("synced", os.fstat(handle).st_size, target.exists()))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", sync)
    answer = Pieces(200, FILE[:9], look, FILE[9:], look, kind="video/mp4")
    expect_file(fetch(script(answer), target), target, "200")
    *looks, synced = seen
    for names in looks:
        matches = [re.fullmatch(r"\.file\.mp4\.\w+\.part", name) for name in names]
        assert [bool(match) for match in matches] == [True], f"{DOWNLOAD}: while it comes, there are {names}"
    expect(DOWNLOAD, seen=(len(looks), 2), synced=(synced, ("synced", SIZE, False)))


def test_the_file_has_the_usual_permissions(script: Script, target: Path) -> None:
    mask = os.umask(0o022)
    try:
        fetch(script(whole()), target)
    finally:
        os.umask(mask)
    expect(DOWNLOAD, mode=(oct(stat.S_IMODE(target.stat().st_mode)), "0o644"))


def test_what_on_progress_raises_passes_unchanged_and_ends_the_download(
    script: Script, target: Path, clock: Clock
) -> None:
    for error in (
        OSError(errno.ENOSPC, "full"),
        LookupError("theirs"),
        TimeoutError("theirs"),
        httpx.ReadError("theirs"),
        APIConnectionError("theirs", retryable=True),
    ):

        def fail(*_: object, error: Exception = error) -> None:
            raise error

        outcome = fetch(script(whole()), target, on_progress=fail)
        expect(DOWNLOAD, error=(outcome.error, error), requests=(len(outcome.requests), 1))
        expect_in_folder(target, None, DOWNLOAD)


def test_progress_is_told_as_bytes_come(script: Script, target: Path) -> None:
    told: list[Any] = []
    answer = Pieces(200, FILE[:9], FILE[9:20], FILE[20:], kind="video/mp4")
    fetch(script(answer), target, on_progress=lambda *step: told.append(step))
    expect(DOWNLOAD, told=(told, [(9, SIZE), (20, SIZE), (SIZE, SIZE)]))


def test_events_tell_beginning_and_end_of_a_file(script: Script, target: Path) -> None:
    events: list[Any] = []
    fetch(script(whole(), on_event=events.append), target)
    kinds = [(event.kind, event.operation, event.status_code, event.video_id) for event in events]
    begin_and_end = [("download", "download", 200, "video_123")] * 2
    expect(DOWNLOAD, events=(kinds, [*begin_and_end, ("attempt", "download", 200, "video_123")]))


# ---- Redirects


def there(location: str) -> Answer:
    return Answer(302, headers={"Location": location})


@pytest.mark.parametrize(
    ("location", "url", "key"),
    [
        ("https://cdn.example/a?b=c", "https://cdn.example/a?b=c", None),
        ("//cdn.example/a", "https://cdn.example/a", None),
        ("https://api.deerapi.com:8443/a", "https://api.deerapi.com:8443/a", None),
        ("https://api.deerapi.com.evil.example/a", "https://api.deerapi.com.evil.example/a", None),
        ("https://other.api.deerapi.com/a", "https://other.api.deerapi.com/a", None),
        ("https://api.deerapi.com/a", "https://api.deerapi.com/a", f"Bearer {KEY}"),
        ("https://api.deerapi.com:443/a", "https://api.deerapi.com/a", f"Bearer {KEY}"),
        ("/a", "https://api.deerapi.com/a", f"Bearer {KEY}"),
    ],
)
def test_a_download_is_followed_and_the_key_stays_at_home(
    location: str, url: str, key: str | None, script: Script, target: Path
) -> None:
    client = script(there(location), whole(), http={"headers": {"Authorization": f"Bearer {KEY}"}})
    outcome = fetch(client, target)
    expect_file(outcome, target, f"302 to {location}")
    second = outcome.requests[1]
    expect(
        f"{DOWNLOAD} 302 to {location}",
        method=(second.method, "GET"),
        url=(str(second.url), url),
        key=(second.headers.get("Authorization"), key),
        coding=(second.headers.get("Accept-Encoding"), "identity"),
    )
    assert KEY not in str([*second.headers.items()]) or key, f"{DOWNLOAD} 302 to {location}: the key is sent along"


@pytest.mark.parametrize(
    "location", ["http://api.deerapi.com/a", "http://cdn.example/a", "ftp://cdn.example/a", "file:///etc/passwd"]
)
def test_a_download_is_not_followed_to_where_it_is_not_safe(location: str, script: Script, target: Path) -> None:
    outcome = fetch(script(there(location), whole()), target)
    expect_no_file(outcome, target, "DownloadError", f"302 to {location}")
    expect(f"{DOWNLOAD} 302 to {location}", requests=(len(outcome.requests), 1))


def test_a_key_in_a_redirect_goes_nowhere(script: Script, target: Path) -> None:
    outcome = fetch(script(there(f"https://cdn.example/a?key={KEY}"), whole()), target)
    error = expect_no_file(outcome, target, "DownloadError", "302 with the key")
    expect(f"{DOWNLOAD} 302 with the key", requests=(len(outcome.requests), 1), told=(KEY in str(error), False))


def test_redirects_in_circles_end(script: Script, target: Path) -> None:
    outcome = fetch(script(there("/a")), target)
    expect_no_file(outcome, target, "DownloadError", "302 in circles")
    expect(f"{DOWNLOAD} 302 in circles", requests=(len(outcome.requests), 6))


def test_the_rest_is_asked_for_beyond_a_redirect(script: Script, target: Path, clock: Clock) -> None:
    far = there("https://cdn.example/a")
    outcome = fetch(script(far, whole(cut_after=9), far, rest(9)), target)
    expect_file(outcome, target, "302, cut, 302, 206")
    asked = [(None, None), (None, None), ("bytes=9-", '"one"'), ("bytes=9-", '"one"')]
    hosts = [request.url.host for request in outcome.requests]
    expect(DOWNLOAD, asked=(ranges(outcome), asked), hosts=(hosts, ["api.deerapi.com", "cdn.example"] * 2))


@pytest.mark.parametrize("method", ["retrieve", "remix", "models"])
def test_nothing_but_a_download_follows_a_redirect(method: str, script: Script, clock: Clock) -> None:
    arguments = () if method == "models" else ("video_123",)
    options = {"prompt": "cry"} if method == "remix" else {}
    for status in (301, 302, 303, 307, 308):
        answer = Answer(status, headers={"Location": "https://api.deerapi.com/elsewhere"})
        outcome = script(answer, Answer(200, JOB))(method, *arguments, **options)
        expect_error(outcome, "APIStatusError", f"{method} {status}")
        expect(f"{method} {status}", requests=(len(outcome.requests), 1))


# ---- All three steps at once


def go(client: Scripted, target: Path, **options: Any) -> Outcome:
    return client("remix_to_file", "video_123", target, prompt="cry", **options)


def test_remix_to_file_brings_the_new_video(script: Script, target: Path, clock: Clock) -> None:
    seen: list[tuple[str, str, int]] = []
    client = script(Answer(200, NEW), Answer(200, NEW), Answer(200, DONE), whole())
    outcome = go(
        client, target, model="sora-2", on_update=lambda video: seen.append((video.id, video.status, len(clock.slept)))
    )
    expect_file(outcome, target, "of the new job")
    # The accepted job before any pause, and what is news.
    expect("remix_to_file", seen=(seen, [("video_456", "in_progress", 0), ("video_456", "completed", 2)]))
    assert b'"model":"sora-2"' in outcome.requests[0].content.replace(b" ", b""), "remix_to_file: the model is not sent"
    expect(
        "remix_to_file",
        paths=(
            [request.url.path.rpartition("videos/")[2] for request in outcome.requests],
            ["video_123/remix", "video_456", "video_456", "video_456/content"],
        ),
    )


def test_a_job_that_is_completed_at_once_is_fetched_at_once(script: Script, target: Path, clock: Clock) -> None:
    outcome = go(script(Answer(200, DONE), whole()), target)
    expect_file(outcome, target, "completed at once")
    expect("remix_to_file", requests=(len(outcome.requests), 2), slept=(clock.slept, []))


def test_no_deadline_clips_the_submit(script: Script, target: Path, clock: Clock) -> None:
    client = script(Answer(200, NEW))
    outcome = go(client, target, timeout=5)
    expect_error(outcome, "WaitTimeoutError", "remix_to_file, timeout 5")
    submit, poll = (each["read"] for each in client.timeouts[:2])
    expect("remix_to_file, timeout 5", submit=(submit, 60.0), poll=(poll is not None and poll <= 5, True))

    def slow(_: httpx.Request) -> Answer:
        clock.time += 50
        return Answer(200, NEW)

    error = expect_error(go(script(slow), target, timeout=5), "WaitTimeoutError", "remix_to_file, slow submit")
    expect("remix_to_file, slow submit", video=(error.video and error.video.id, "video_456"))


def test_a_submit_is_not_sent_again_after_the_deadline(script: Script, target: Path, clock: Clock) -> None:
    def slow(_: httpx.Request) -> Answer:
        clock.time += 10
        return Answer(503)

    outcome = go(script(slow), target, timeout=5)
    expect_error(outcome, "InternalServerError", "remixVideo 503 after the deadline")
    expect("remixVideo 503 after the deadline", requests=(len(outcome.requests), 1))


@pytest.mark.parametrize("step", ["wait", "download"])
def test_one_deadline_ends_everything(step: str, script: Script, target: Path, clock: Clock) -> None:
    steps = [Answer(200, NEW)] if step == "wait" else [Answer(200, NEW), Answer(200, DONE), Answer(503)]
    began = clock.time
    outcome = go(script(*steps), target, timeout=33)
    error = expect_error(
        outcome, "WaitTimeoutError" if step == "wait" else type(outcome.error).__name__, f"remix_to_file, {step}"
    )
    expect(
        f"remix_to_file, {step}", video=(error.video and error.video.id, "video_456"), id=(error.video_id, "video_456")
    )
    assert clock.time - began <= 33.001, f"remix_to_file, {step}: it ends after {clock.time - began} s"


def test_a_file_that_is_not_there_yet_is_asked_for_until_the_deadline(
    script: Script, target: Path, clock: Clock
) -> None:
    early = Answer(400, {"code": "fail", "message": "Task is not completed yet"})
    steps = (Answer(200, NEW), Answer(200, DONE), *[early] * 9)
    expect_file(go(script(*steps, whole()), target), target, "400 not completed yet, nine times")
    target.unlink()
    began = clock.time
    error = expect_no_file(go(script(*steps), target, timeout=60), target, "WaitTimeoutError", "400 not completed yet")
    cause = type(error.__cause__).__name__
    expect("remix_to_file, timeout 60", took=(round(clock.time - began, 6), 60.0))
    expect("remix_to_file", video=(error.video and error.video.id, "video_456"), cause=(cause, "BadRequestError"))
    outcome = fetch(script(early), target)
    expect_no_file(outcome, target, "BadRequestError", "400 not completed yet, without waiting")
    expect(DOWNLOAD, requests=(len(outcome.requests), 1))


def test_what_is_not_the_clients_own_error_gets_a_note_of_the_job(script: Script, target: Path, clock: Clock) -> None:
    def fail(*_: object) -> None:
        raise LookupError("theirs")

    steps = (Answer(200, NEW), Answer(200, DONE), whole())
    for callback in ("on_update", "on_progress"):
        error = go(script(*steps), target, **{callback: fail}).error
        notes = " ".join(getattr(error, "__notes__", []))
        expect(
            f"remix_to_file, {callback} raises", error=(type(error), LookupError), named=("video_456" in notes, True)
        )
        expect_in_folder(target, None, f"remix_to_file, {callback} raises")


def test_a_failed_job_brings_no_file(script: Script, target: Path, clock: Clock) -> None:
    outcome = go(script(Answer(200, NEW), Answer(200, NEW | {"status": "failed"})), target)
    error = expect_no_file(outcome, target, "RemixFailedError", "of a failed job")
    expect("remix_to_file", video=(error.video and error.video.status, "failed"), requests=(len(outcome.requests), 2))


def test_a_refused_submit_is_followed_by_nothing(script: Script, target: Path, clock: Clock) -> None:
    outcome = go(script(Answer(403)), target)
    error = expect_no_file(outcome, target, "PermissionDeniedError", "of a refused submit")
    expect(
        "remix_to_file",
        video=(error.video, None),
        id=(error.video_id, "video_123"),
        requests=(len(outcome.requests), 1),
    )


def test_the_pause_before_a_late_file_is_that_of_the_policy(
    script: Script, target: Path, clock: Clock, chance: Chance
) -> None:
    early = Answer(400, {"code": "fail", "message": "Task is not completed yet"})
    polling = PollingPolicy(initial_interval=3, max_interval=9)
    go(script(Answer(200, DONE), early, early, whole(), polling=polling), target)
    expect("remix_to_file", slept=(clock.slept, [3, 3]))

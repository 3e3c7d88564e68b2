"""Processes that are killed, interrupted, suspended or short of room: a rerun takes no piece for a whole file."""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deerapi_remix import RemixClient, WaitTimeoutError, _clock
from deerapi_remix.testing import FakeDeerAPI, VirtualClock
from deerapi_remix.testing.fake import Request

from ..conftest import Clock
from .processes_kit import LIBRARY, STOPS_AT, Gate, Programs
from .server import FaultServer, Peer, fault_server

DOWNLOAD = ("download", "video_123")
REMIX_TO_FILE = ("remix_to_file", "video_123")
PROMPT = "The cat takes a bow"


@pytest.fixture(scope="module")
def video() -> bytes:
    """The file that the server has."""
    asked = Request("GET", "/v1/videos/video_123/content", headers={"authorization": "Bearer any-key"})
    return FakeDeerAPI().handle(asked).body


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with fault_server(FakeDeerAPI(render_seconds=0)) as server:
        yield server


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    started = Programs(tmp_path)
    yield started
    started.abandon()


def names(folder: Path) -> list[str]:
    """What is in the folder, with a star for what is random."""
    return sorted(re.sub("[0-9a-f]{16}", "*", path.name) for path in folder.iterdir())


def whole(path: Path, video: bytes) -> bool:
    return path.read_bytes() == video


def job_of(server: FaultServer) -> str:
    """The id of the one job that was submitted."""
    (video_id,) = set(server.fake.jobs) - {"video_123"}
    return video_id


# Killed


@pytest.mark.parametrize(
    ("share", "number"), [(0, signal.SIGKILL), (0.5, signal.SIGKILL), (0.5, signal.SIGTERM), (0.9999, signal.SIGKILL)]
)
@pytest.mark.parametrize("arguments", [DOWNLOAD, REMIX_TO_FILE])
def test_a_download_that_is_killed_leaves_no_target(
    server: FaultServer,
    programs: Programs,
    tmp_path: Path,
    video: bytes,
    arguments: tuple[str, ...],
    share: float,
    number: signal.Signals,
) -> None:
    gate = Gate(share)
    server.script(*[Peer.answer] * (arguments == REMIX_TO_FILE), gate)
    program = programs.start(LIBRARY, server.url, *arguments)
    gate.reached()
    assert program.send(number).end()[0] == -number
    assert names(tmp_path) == [".bow.mp4.*.part"]

    video_id = "video_123" if arguments == DOWNLOAD else job_of(server)
    assert programs.run(LIBRARY, server.url, "download", video_id)[:2] == (0, "bow.mp4\n")
    assert whole(tmp_path / "bow.mp4", video)
    assert server.posts == (arguments == REMIX_TO_FILE)


@pytest.mark.parametrize(
    ("moment", "left"),
    [
        ("fsync:", [".bow.mp4.*.part"]),
        ("link:.part", [".bow.mp4.*.part"]),
        ("unlink:.part", [".bow.mp4.*.part", "bow.mp4"]),
    ],
)
def test_whoever_is_killed_while_publishing_has_the_whole_file_or_none(
    server: FaultServer, programs: Programs, tmp_path: Path, video: bytes, moment: str, left: list[str]
) -> None:
    program = programs.start(STOPS_AT + LIBRARY, server.url, moment, *DOWNLOAD)
    program.says("about to")
    assert program.send(signal.SIGKILL).end()[0] == -signal.SIGKILL
    assert names(tmp_path) == left

    code, _, told = programs.run(LIBRARY, server.url, *DOWNLOAD)
    assert (code, "FileExistsError" in told) == ((1, True) if moment == "unlink:.part" else (0, False))
    assert whole(tmp_path / "bow.mp4", video)


def test_whoever_is_killed_while_replacing_a_file_leaves_the_old_one(
    server: FaultServer, programs: Programs, tmp_path: Path, video: bytes
) -> None:
    (tmp_path / "bow.mp4").write_bytes(b"old")
    program = programs.start(STOPS_AT + LIBRARY, server.url, "replace:.part", *DOWNLOAD, "overwrite")
    program.says("about to")
    program.send(signal.SIGKILL).end()
    assert (tmp_path / "bow.mp4").read_bytes() == b"old"

    assert programs.run(LIBRARY, server.url, *DOWNLOAD, "overwrite")[0] == 0
    assert whole(tmp_path / "bow.mp4", video)


@pytest.mark.parametrize("share", [0, 0.5])
def test_ctrl_c_in_a_download_removes_the_piece_and_names_the_job(
    server: FaultServer, programs: Programs, tmp_path: Path, share: float
) -> None:
    gate = Gate(share)
    server.script(Peer.answer, gate)
    program = programs.start(LIBRARY, server.url, *REMIX_TO_FILE)
    gate.reached()
    code, _, told = program.send(signal.SIGINT).end()
    assert code == -signal.SIGINT
    assert f"The job was accepted as {job_of(server)}: wait for it and download it, do not submit it again." in told
    assert names(tmp_path) == []


INTERRUPTED = "remix of video_123: interrupted while it was sent; the job may have been accepted and charged"
CHARGED = "The job may have been accepted and charged: look at your usage with the vendor before you submit it again."


@pytest.mark.parametrize(
    ("share", "says"),
    [(0, [INTERRUPTED, CHARGED]), (0.9, ["The job was accepted as {job}: wait for it and download it"])],
)
def test_ctrl_c_while_the_answer_to_a_submit_is_awaited_is_told(
    server: FaultServer, programs: Programs, tmp_path: Path, share: float, says: list[str]
) -> None:
    gate = Gate(share)
    server.script(gate)
    program = programs.start(LIBRARY, server.url, *REMIX_TO_FILE)
    gate.reached()
    program.awaits_more(gate.port)
    _, _, told = program.send(signal.SIGINT).end()
    assert [line for line in says if line.format(job=job_of(server)) not in told] == []
    assert (server.posts, names(tmp_path)) == (1, [])


# No room

FEW_BYTES = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
FULL_AT_THE_END = "import errno, os\ndef _full(_): raise OSError(errno.ENOSPC, 'No space left')\nos.fsync = _full\n"


@pytest.mark.parametrize(("trouble", "named"), [(FEW_BYTES, "Errno 27"), (FULL_AT_THE_END, "Errno 28")])
def test_a_disk_that_fills_up_leaves_no_piece_and_names_the_job(
    server: FaultServer, programs: Programs, tmp_path: Path, video: bytes, trouble: str, named: str
) -> None:
    code, _, told = programs.run(trouble + LIBRARY, server.url, *REMIX_TO_FILE)
    assert code == 1
    assert f"OSError: [{named}]" in told
    assert f"The job was accepted as {job_of(server)}" in told
    assert names(tmp_path) == []

    assert programs.run(LIBRARY, server.url, "download", job_of(server))[0] == 0
    assert whole(tmp_path / "bow.mp4", video)
    assert server.posts == 1


def test_a_disk_that_fills_up_leaves_the_old_file(server: FaultServer, programs: Programs, tmp_path: Path) -> None:
    (tmp_path / "bow.mp4").write_bytes(b"old")
    assert programs.run(FEW_BYTES + LIBRARY, server.url, *DOWNLOAD, "overwrite")[0] == 1
    assert names(tmp_path) == ["bow.mp4"]
    assert (tmp_path / "bow.mp4").read_bytes() == b"old"


# Folders


def test_a_folder_that_cannot_be_written_to_is_found_before_anything_is_paid(
    server: FaultServer, programs: Programs, tmp_path: Path
) -> None:
    # To root, who may write anywhere, this happens as another user: once all is imported and opened.
    program = """
import os
from deerapi_remix import RemixClient
with RemixClient() as client:
    os.chmod(".", 0o555)
    if os.geteuid() == 0:
        os.seteuid(65534)
    client.remix_to_file("video_123", "bow.mp4", prompt="The cat takes a bow")
"""
    code, _, told = programs.run(program, server.url)
    tmp_path.chmod(0o755)
    assert code == 1
    assert "PermissionError" in told
    assert (server.posts, names(tmp_path)) == (0, [])


@pytest.mark.parametrize(
    ("folder", "error"), [("file", NotADirectoryError), ("gone", FileNotFoundError), ("bow.mp4", IsADirectoryError)]
)
def test_a_folder_that_is_none_is_found_before_anything_is_paid(
    server: FaultServer, tmp_path: Path, folder: str, error: type[OSError]
) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "bow.mp4").mkdir()
    target = tmp_path / "bow.mp4" if folder == "bow.mp4" else tmp_path / folder / "bow.mp4"
    with RemixClient(base_url=server.url) as client, pytest.raises(error):
        client.remix_to_file("video_123", target, prompt=PROMPT)
    assert server.posts == 0


def move_away(folder: Path) -> None:
    folder.rename(folder.with_name("moved"))


@pytest.mark.parametrize("overwrite", [True, False])
@pytest.mark.parametrize("lose", [shutil.rmtree, move_away])
def test_a_folder_that_goes_while_the_job_renders_loses_no_job(
    server: FaultServer, tmp_path: Path, video: bytes, lose: Callable[[Path], None], overwrite: bool
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with RemixClient(base_url=server.url) as client:
        with pytest.raises(FileNotFoundError) as caught:
            client.remix_to_file(
                "video_123", folder / "bow.mp4", prompt=PROMPT, overwrite=overwrite, on_update=lambda _: lose(folder)
            )
        assert job_of(server) in caught.value.__notes__[0]
        assert list(tmp_path.rglob("bow.mp4")) == []

        folder.mkdir()
        client.download(job_of(server), folder / "bow.mp4")
    assert whole(folder / "bow.mp4", video)
    assert server.posts == 1


# Two at a time


@pytest.mark.parametrize("share", [0.5, 0.9999])
def test_of_two_processes_with_one_target_one_wins(
    server: FaultServer, programs: Programs, tmp_path: Path, video: bytes, share: float
) -> None:
    gates = Gate(share), Gate(share)
    server.script(*gates)
    both = [programs.start(LIBRARY, server.url, *DOWNLOAD) for _ in gates]
    for gate in gates:
        gate.reached()
    for gate in gates:
        gate.open()
    ends = sorted((code, told.splitlines()[-1:]) for code, _, told in (program.end() for program in both))
    assert [code for code, _ in ends] == [0, 1]
    assert ends[1][1][0].startswith("FileExistsError: [Errno 17]")
    assert names(tmp_path) == ["bow.mp4"]
    assert whole(tmp_path / "bow.mp4", video)


def test_two_processes_that_may_overwrite_both_leave_a_whole_file(
    server: FaultServer, programs: Programs, tmp_path: Path, video: bytes
) -> None:
    gates = Gate(0.5), Gate(0.5)
    server.script(*gates)
    both = [programs.start(LIBRARY, server.url, *DOWNLOAD, "overwrite") for _ in gates]
    for gate in gates:
        gate.reached()
        gate.open()
    assert [program.end()[0] for program in both] == [0, 0]
    assert names(tmp_path) == ["bow.mp4"]
    assert whole(tmp_path / "bow.mp4", video)


def test_a_target_that_another_process_takes_meanwhile_is_left_alone(
    server: FaultServer, programs: Programs, tmp_path: Path
) -> None:
    gate = Gate(0.5)
    server.script(Peer.answer, gate)
    program = programs.start(LIBRARY, server.url, *REMIX_TO_FILE)
    gate.reached()
    (tmp_path / "bow.mp4").write_bytes(b"another's")
    gate.open()
    code, _, told = program.end()
    assert code == 1
    assert "FileExistsError" in told
    assert job_of(server) in told
    assert (tmp_path / "bow.mp4").read_bytes() == b"another's"
    assert names(tmp_path) == ["bow.mp4"]


# Time


@pytest.mark.parametrize("jump", [-864_000.0, 864_000.0])
def test_a_wall_clock_that_jumps_moves_no_deadline(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, jump: float
) -> None:
    wall = [1_800_000_000.0]

    def now() -> float:
        wall[0] += jump
        return wall[0]

    monkeypatch.setattr(_clock, "now", now)
    monkeypatch.setattr("time.time", now)
    rendering = VirtualClock()
    fake = FakeDeerAPI(clock=rendering, render_seconds=60)
    fake.rate_limited("retrieve", retry_after="Fri, 15 Jan 2027 08:00:00 GMT")
    with fault_server(fake) as server, RemixClient(base_url=server.url) as client:
        with pytest.raises(WaitTimeoutError) as caught:
            client.remix_to_file("video_123", tmp_path / "bow.mp4", prompt=PROMPT, timeout=100)
        assert clock.time == 1_100.0
        rendering.advance(60)
        assert caught.value.video is not None
        assert client.wait(caught.value.video, timeout=10).is_completed
    assert names(tmp_path) == []


@pytest.mark.parametrize("connection", ["kept", "lost"])
@pytest.mark.parametrize(("stage", "share"), [("poll", 0), ("poll", 0.5), ("download", 0.3), ("download", 0.9)])
def test_a_process_that_is_suspended_goes_on_with_its_job(
    programs: Programs, tmp_path: Path, video: bytes, stage: str, share: float, connection: str
) -> None:
    gate = Gate(share)
    program = """
import sys
from deerapi_remix import PollingPolicy, RemixClient
with RemixClient(polling=PollingPolicy(0.1, 0.1)) as client:
    print(client.download(client.wait("video_123"), "bow.mp4"))
"""
    with fault_server(FakeDeerAPI(), *[Peer.answer] * (stage == "download"), gate) as server:
        suspended = programs.start(program, server.url)
        gate.reached()
        suspended.stop()
        if connection == "lost":
            gate.drop()
        else:
            gate.open()
        suspended.send(signal.SIGCONT)
        assert suspended.end()[:2] == (0, "bow.mp4\n")
        asked = [head for head in server.heads if "/content" in head and "Range" in head]
    assert whole(tmp_path / "bow.mp4", video)
    assert names(tmp_path) == ["bow.mp4"]
    assert len(asked) == (stage == "download" and connection == "lost")

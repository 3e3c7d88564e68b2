"""The command line, cut off at every stage and run again: one submit, unless a second one is asked for."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest

from deerapi_remix import RemixClient
from deerapi_remix.testing import FakeDeerAPI
from deerapi_remix.testing.fake import Request

from .processes_kit import CLI, STOPS_AT, Gate, Program, Programs
from .server import FaultServer, Peer, fault_server, message

REMIX = ("remix", "video_123", "--prompt", "The cat takes a bow", "--output", "bow.mp4")
UNKNOWN = (
    "Error: Interrupted while the remix was submitted. The job may have been accepted and charged. Do not simply run "
    "this again: look at your usage with the vendor first."
)


# Says so when the id of the job is to be written into the job file. What happens then is to be added.
AT_THE_ID = """
import errno, os, sys
_write = os.write
def _stop(descriptor, content):
    if b'"job_id": "' in bytes(content):
        os.write = _write
        print("about to keep the id", file=sys.stderr, flush=True)
        _then()
    return _write(descriptor, content)
os.write = _stop
def _then():
"""


@attrs.frozen
class Scene:
    """A server whose jobs are completed when they are accepted, and one folder in which the command is run."""

    server: FaultServer
    programs: Programs
    folder: Path
    video: bytes

    def start(self, *extra: str, prelude: str = "", before: str = "") -> Program:
        arguments = (*([before] if before else []), *REMIX, *extra)
        return self.programs.start(prelude + CLI, self.server.url, *arguments)

    def run(self, *extra: str, prelude: str = "") -> tuple[int, str, str]:
        return self.start(*extra, prelude=prelude).end()

    def stopped(self, stage: str) -> Program:
        """The command, stopped at that stage."""
        if ":" in stage:
            program = self.start(prelude=STOPS_AT, before=stage)
            program.says("about to")
            return program
        if stage == "keeping the id":
            program = self.start(prelude=AT_THE_ID + "    sys.stdin.readline()\n")
            program.says("about to")
            return program
        if stage == "waiting":
            self.server.script(_queued)
            program = self.start()
            program.says("accepted as ")
            return program
        gate = Gate({"submitted": 0, "answered": 0.9, "downloading": 0.5}[stage])
        self.server.script(*([Peer.answer] if stage == "downloading" else []), gate)
        program = self.start()
        gate.reached()
        return program

    @property
    def job(self) -> str:
        """The id of the one job that was submitted."""
        (video_id,) = set(self.server.fake.jobs) - {"video_123"}
        return video_id

    @property
    def saved(self) -> bool:
        return (self.folder / "bow.mp4").read_bytes() == self.video

    @property
    def left(self) -> set[str]:
        """What is in the folder, with a star for what is random."""
        return {re.sub(r"^\.[0-9a-f]{8}\.json$|[0-9a-f]{16}", "*", path.name) for path in self.folder.iterdir()}


def _queued(peer: Peer) -> None:
    """Accept a job, and say that it is not completed yet."""
    job = json.loads(peer.exchange().body)
    peer.send(message(200, {**job, "status": "queued", "progress": 0}))


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    fake = FakeDeerAPI(render_seconds=0)
    asked = Request("GET", "/v1/videos/video_123/content", headers={"authorization": "Bearer any-key"})
    video = fake.handle(asked).body
    programs = Programs(tmp_path)
    with fault_server(fake) as server:
        yield Scene(server, programs, tmp_path, video)
        programs.abandon()


@pytest.mark.parametrize("stage", ["waiting", "downloading"])
def test_a_command_that_was_killed_goes_on_with_its_job_when_run_again(scene: Scene, stage: str) -> None:
    assert scene.stopped(stage).send(signal.SIGKILL).end()[0] == -signal.SIGKILL
    assert scene.left == {".bow.mp4.job.json", ".bow.mp4.*.part"}

    code, out, told = scene.run()
    assert (code, out) == (0, "bow.mp4\n")
    assert told.startswith(f"going on with {scene.job}, which an earlier run submitted; nothing is paid again\n")
    assert scene.saved
    assert scene.left == {"bow.mp4", ".bow.mp4.*.part"}
    assert scene.server.posts == 1


@pytest.mark.parametrize("stage", ["link:.part", "replace:.bow.mp4"])
def test_a_command_that_was_killed_while_publishing_saves_the_file_when_run_again(scene: Scene, stage: str) -> None:
    overwrite = ["--overwrite"] if stage.startswith("replace") else []
    program = scene.start(*overwrite, prelude=STOPS_AT, before=stage)
    program.says("about to")
    program.send(signal.SIGKILL).end()
    assert scene.left == {".bow.mp4.job.json", ".bow.mp4.*.part"}

    assert scene.run(*overwrite)[0] == 0
    assert scene.saved
    assert scene.server.posts == 1


def test_a_command_that_was_killed_after_publishing_pays_and_overwrites_nothing_when_run_again(scene: Scene) -> None:
    scene.stopped("unlink:.part").send(signal.SIGKILL).end()
    assert scene.saved

    code, _, told = scene.run()
    assert code == 10
    assert scene.job in told
    assert scene.saved
    assert scene.server.posts == 1


@pytest.mark.parametrize("stage", ["submitted", "answered", "keeping the id"])
def test_a_command_that_was_killed_before_it_knew_its_job_is_not_run_again_unasked(scene: Scene, stage: str) -> None:
    scene.stopped(stage).send(signal.SIGKILL).end()
    first = scene.job
    for _ in range(2):
        code, out, told = scene.run()
        assert (code, out) == (7, "")
        assert "run this again with --resubmit" in told
        assert told.endswith("Nothing was sent now.\n")
    assert "bow.mp4" not in scene.left
    assert scene.server.posts == 1

    assert scene.run("--resubmit")[0] == 0
    assert scene.saved
    assert scene.server.posts == 2
    assert first in scene.server.fake.jobs


def test_ctrl_c_before_the_request_has_left_counts_as_unknown(scene: Scene) -> None:
    begun = threading.Event()

    def shakes_no_hand(peer: Peer) -> None:
        peer.wait()
        begun.set()
        peer.stall()

    scene.server.script(shakes_no_hand)
    secure = scene.server.url.replace("http:", "https:")
    program = scene.start("--base-url", secure)
    assert begun.wait(60)
    code, _, told = program.send(signal.SIGINT).end()
    assert (code, told) == (130, f"{UNKNOWN} If no job was charged, run it again with --resubmit.\n")
    assert scene.left == {".bow.mp4.job.json"}

    assert scene.run("--base-url", secure)[0] == 7
    assert scene.server.posts == 0


def test_ctrl_c_while_the_answer_is_awaited_counts_as_unknown(scene: Scene) -> None:
    code, _, told = scene.stopped("submitted").send(signal.SIGINT).end()
    assert (code, told) == (130, f"{UNKNOWN} If no job was charged, run it again with --resubmit.\n")
    assert scene.left == {".bow.mp4.job.json"}

    assert scene.run()[0] == 7
    assert scene.server.posts == 1


def test_ctrl_c_after_the_id_has_come_keeps_the_job(scene: Scene) -> None:
    # The server cannot tell when the client has taken in what it sent: when it goes for more.
    waits = """
import socket, sys
_receive, _calls = socket.socket.recv, []
def _told(self, *arguments):
    _calls.append(arguments)
    if len(_calls) == 2:
        print("about to receive more", file=sys.stderr, flush=True)
    return _receive(self, *arguments)
socket.socket.recv = _told
"""
    scene.server.script(Gate(0.9))
    program = scene.start(prelude=waits)
    program.says("about to")
    code, _, told = program.send(signal.SIGINT).end()
    assert code == 130
    again = f"Run the same command again: it goes on with {scene.job} and pays for no other.\n"
    assert told.endswith(f"Interrupted. The job goes on. {again}")
    assert scene.run()[0] == 0
    assert scene.server.posts == 1


def test_ctrl_c_in_a_pause_between_two_attempts_submits_nothing_and_keeps_nothing(scene: Scene) -> None:
    scene.server.fake.rate_limited(retry_after=30)
    program = scene.start()
    program.says("trying again in 30.0 s")
    code, _, told = program.send(signal.SIGINT).end()
    assert (code, told) == (130, "Error: Interrupted. No job was accepted.\n")
    assert scene.left == set()

    assert scene.run()[0] == 0
    assert scene.saved


@pytest.mark.parametrize(
    ("stage", "number", "advice"),
    [
        ("waiting", signal.SIGINT, "The job goes on. "),
        ("waiting", signal.SIGTERM, "The job goes on. "),
        ("waiting", signal.SIGHUP, "The job goes on. "),
        ("downloading", signal.SIGINT, ""),
        ("downloading", signal.SIGTERM, ""),
        ("downloading", signal.SIGHUP, ""),
        ("link:.part", signal.SIGINT, ""),
    ],
)
def test_a_signal_to_end_says_how_to_go_on_with_a_job_that_is_known(
    scene: Scene, stage: str, number: signal.Signals, advice: str
) -> None:
    program = scene.stopped(stage)
    code, out, told = program.send(number).end()
    assert (code, out) == (130, "")
    last = f"Error: Interrupted. {advice}Run the same command again: it goes on with {scene.job} and pays for no other."
    assert told.splitlines()[-1] == last
    assert scene.left == {".bow.mp4.job.json"}

    assert scene.run()[:2] == (0, "bow.mp4\n")
    assert scene.saved
    assert scene.left == {"bow.mp4"}
    assert scene.server.posts == 1


def test_ctrl_c_pressed_again_and_again_loses_no_job(scene: Scene) -> None:
    program = scene.stopped("downloading")
    for _ in range(5):
        program.send(signal.SIGINT)
    assert program.end()[0] in (130, -signal.SIGINT)
    assert "bow.mp4" not in scene.left

    assert scene.run()[0] == 0
    assert scene.saved
    assert scene.server.posts == 1


def test_a_disk_that_fills_up_in_the_download_loses_no_job(scene: Scene) -> None:
    full = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
    code, _, told = scene.run(prelude=full)
    assert code == 10
    assert told.endswith(
        "Error: bow.mp4: File too large. "
        f"Run the same command again: it goes on with {scene.job} and pays for no other.\n"
    )
    assert scene.left == {".bow.mp4.job.json"}

    assert scene.run()[0] == 0
    assert scene.saved
    assert scene.server.posts == 1


def test_a_job_file_that_cannot_be_updated_does_not_end_the_job(scene: Scene) -> None:
    code, _, told = scene.run(prelude=AT_THE_ID + '    raise OSError(errno.ENOSPC, "No space left on device")\n')
    assert code == 0
    assert ".bow.mp4.job.json could not be updated: No space left on device\n" in told
    assert f"accepted as {scene.job}\n" in told
    assert scene.saved


def test_a_folder_that_goes_in_the_download_loses_no_job(scene: Scene) -> None:
    (scene.folder / "out").mkdir()
    gate = Gate(0.5)
    scene.server.script(Peer.answer, gate)
    program = scene.programs.start(CLI, scene.server.url, *REMIX[:-1], "out/bow.mp4")
    gate.reached()
    shutil.rmtree(scene.folder / "out")
    gate.open()
    code, _, told = program.end()
    assert code == 10
    assert told.endswith(f"without paying again: deerapi-remix download --output out/bow.mp4 {scene.job}\n")
    assert scene.left == set()


def test_a_command_that_is_run_again_while_it_submits_is_told_so_and_submits_nothing(scene: Scene) -> None:
    gate = Gate(0)
    scene.server.script(gate)
    first = scene.start()
    gate.reached()
    for options in ((), ("--resubmit",), ("--overwrite", "--resubmit")):
        code, _, told = scene.run(*options)
        assert code == 7
        assert re.search(r"bow.mp4: another run is still at it; it began to submit this remix at 20\S+ UTC\.", told)
        assert "was cut off" not in told
    gate.open()
    assert first.end()[0] == 0
    assert scene.saved
    assert scene.left == {"bow.mp4"}
    assert scene.server.posts == 1


def test_a_command_that_was_stopped_is_still_at_it_and_one_that_was_killed_was_cut_off(scene: Scene) -> None:
    first = scene.stopped("submitted")
    first.stop()
    assert "is still at it" in scene.run("--resubmit")[2]
    first.send(signal.SIGKILL).end()
    assert "was cut off" in scene.run()[2]
    assert scene.server.posts == 1


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path.name)


def _huge(path: Path) -> None:
    path.touch()
    os.truncate(path, 2**40)


def _foreign(path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    path.write_text("{}")
    os.chown(path, 12345, 12345)


def _device(path: Path) -> None:
    try:
        os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("only root can make a device")


# What has the name of the job file, and what is said about it.
IN_THE_WAY: dict[str, tuple[Callable[[Path], object], str]] = {
    "FIFO": (os.mkfifo, "is a FIFO, not a job file"),
    "socket": (_socket, "is a socket, not a job file"),
    "device": (_device, "is a device, not a job file"),
    "folder": (Path.mkdir, "is a folder, not a job file"),
    "dangling link": (lambda path: path.symlink_to("nowhere"), "is a symbolic link, not a job file"),
    "looping link": (lambda path: path.symlink_to(path.name), "is a symbolic link, not a job file"),
    "link to zeros": (lambda path: path.symlink_to("/dev/zero"), "is a symbolic link, not a job file"),
    "huge": (_huge, "has 1099511627776 bytes, so it is not a job file"),
    "foreign": (_foreign, "belongs to another user"),
}


@pytest.mark.parametrize("kind", IN_THE_WAY)
def test_what_is_no_job_file_is_neither_opened_nor_replaced(
    scene: Scene, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(scene.folder)
    make, problem = IN_THE_WAY[kind]
    path = Path(".bow.mp4.job.json")
    make(path)
    before = path.lstat()
    for options in ((), ("--resubmit",), ("--overwrite",)):
        code, out, told = scene.run(*options)
        assert (code, out) == (10, "")
        assert told == (
            f"Error: bow.mp4: .bow.mp4.job.json {problem}. Nothing was sent. Remove it, or choose another --output.\n"
        )
    assert os.path.samestat(before, path.lstat())
    assert scene.left == {".bow.mp4.job.json"}
    assert scene.server.posts == 0


def test_a_job_file_of_an_earlier_version_is_gone_on_with(scene: Scene) -> None:
    with RemixClient("any-key", base_url=scene.server.url) as client:
        job = client.remix("video_123", prompt="The cat takes a bow")
    told = {
        "video_id": "video_123",
        "prompt": "The cat takes a bow",
        "model": None,
        "base_url": scene.server.url,
        "begun": "2020-01-01T00:00:00+00:00",
        "job_id": job.id,
    }
    (scene.folder / ".bow.mp4.job.json").write_text(json.dumps(told))
    assert scene.run()[0] == 0
    assert scene.saved
    assert (scene.left, scene.server.posts) == ({"bow.mp4"}, 1)


def test_a_disk_without_any_room_is_found_before_anything_is_paid(scene: Scene) -> None:
    full = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
    code, _, told = scene.run(prelude=full)
    assert code == 10
    assert told.endswith("File too large. Nothing was sent.\n")
    assert (scene.server.posts, scene.left) == (0, set())


def test_a_command_that_is_run_again_while_it_downloads_shares_the_job(scene: Scene) -> None:
    gates = Gate(0.5), Gate(0.5)
    scene.server.script(Peer.answer, gates[0], Peer.answer, gates[1])
    first = scene.start()
    gates[0].reached()
    second = scene.start()
    gates[1].reached()
    for gate in gates:
        gate.open()
    assert sorted([first.end()[0], second.end()[0]]) == [0, 10]
    assert scene.saved
    assert scene.server.posts == 1


@pytest.mark.parametrize("connection", ["kept", "lost"])
def test_a_command_that_is_suspended_goes_on(scene: Scene, connection: str) -> None:
    gate = Gate(0.5)
    scene.server.script(Peer.answer, gate)
    program = scene.start()
    gate.reached()
    program.stop()
    if connection == "lost":
        gate.drop()
    else:
        gate.open()
    assert program.send(signal.SIGCONT).end()[:2] == (0, "bow.mp4\n")
    assert scene.saved
    assert scene.left == {"bow.mp4"}
    assert scene.server.posts == 1

"""The command line, cut off at every stage and run again: one submit, unless a second one is asked for."""

from __future__ import annotations

import json
import re
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from deerapi_remix.testing import FakeDeerAPI
from deerapi_remix.testing.fake import Request

from .processes_kit import CLI, STOPS_AT, Gate, Program, Programs
from .server import FaultServer, Peer, fault_server, message

REMIX = ("remix", "video_123", "--prompt", "The cat takes a bow", "--output", "bow.mp4")
UNKNOWN = (
    "Error: Interrupted while the remix was submitted. The job may have been accepted and charged. Do not simply run "
    "this again: look at your usage with the vendor first."
)


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


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("stage", ["waiting", "downloading"])
def test_a_command_that_was_killed_goes_on_with_its_job_when_run_again(
    scene: Scene, stage: str, number: signal.Signals
) -> None:
    assert scene.stopped(stage).send(number).end()[0] == -number
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


@pytest.mark.parametrize("stage", ["submitted", "answered", "replace:.json"])
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


def test_ctrl_c_after_the_id_has_come_names_the_job(scene: Scene) -> None:
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
    assert f"The job was accepted as {scene.job}: wait for it, do not submit it again." in told

    scene.run()
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
    ("stage", "advice"),
    [
        ("waiting", "The job goes on. To go on, without paying again: deerapi-remix wait {job} && "),
        ("downloading", "To go on, without paying again: "),
        ("link:.part", "To go on, without paying again: "),
    ],
)
def test_ctrl_c_on_a_job_that_is_known_says_how_to_go_on(scene: Scene, stage: str, advice: str) -> None:
    program = scene.stopped(stage)
    code, out, told = program.send(signal.SIGINT).end()
    assert (code, out) == (130, "")
    last = f"Error: Interrupted. {advice}deerapi-remix download --output bow.mp4 {{job}}"
    assert told.splitlines()[-1] == last.format(job=scene.job)
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
        "Error: bow.mp4: File too large. To go on, without paying again: "
        f"deerapi-remix download --output bow.mp4 {scene.job}\n"
    )
    assert scene.left == {".bow.mp4.job.json"}

    assert scene.run()[0] == 0
    assert scene.saved
    assert scene.server.posts == 1


def test_a_job_file_that_cannot_be_updated_does_not_end_the_job(scene: Scene) -> None:
    full = """
import errno, os
_replace = os.replace
def _full(source, target):
    if ".job.json" in str(target):
        raise OSError(errno.ENOSPC, "No space left on device")
    _replace(source, target)
os.replace = _full
"""
    code, _, told = scene.run(prelude=full)
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


def test_a_command_that_is_run_twice_at_once_submits_once(scene: Scene) -> None:
    gate = Gate(0)
    scene.server.script(gate)
    first = scene.start()
    gate.reached()
    assert scene.run()[0] == 7
    gate.open()
    assert first.end()[0] == 0
    assert scene.saved
    assert scene.left == {"bow.mp4"}
    assert scene.server.posts == 1


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

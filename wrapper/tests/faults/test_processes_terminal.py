"""The command line on a terminal that goes away, and with streams that are closed, full or not read by anybody."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import attrs
import pytest

from deerapi_remix.testing import FakeDeerAPI
from deerapi_remix.testing.asgi import running_server

from .processes_kit import CLI, PATIENCE

REMIX = ("remix", "video_123", "--prompt", "The cat takes a bow")
JOB_FILE = ".bow.mp4.job.json"


@attrs.define
class Scene:
    """A mock API that renders as slowly as is said, and a folder to work in."""

    fake: FakeDeerAPI
    folder: Path
    environment: dict[str, str]

    def run(self, redirections: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command whose streams a shell has redirected."""
        shell = f'exec "$@" {redirections}'
        return subprocess.run(
            ["sh", "-c", shell, "sh", sys.executable, "-c", CLI, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    @property
    def job(self) -> str:
        (job,) = set(self.fake.jobs) - {"video_123"}
        return job

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


@pytest.fixture
def scene(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Scene]:
    """Its jobs are completed at once, or after the seconds that a test asks for."""
    fake = FakeDeerAPI(render_seconds=getattr(request, "param", 0))
    with running_server(fake) as base_url:
        environment = {**os.environ, "DEERAPI_KEY": "any", "DEERAPI_BASE_URL": base_url, "TERM": "xterm-256color"}
        yield Scene(fake, tmp_path, environment)


class OnTerminal:
    """A command in a session of its own, whose controlling terminal can be closed."""

    def __init__(self, scene: Scene, *arguments: str, hangup: signal.Handlers, out: Path | None = None) -> None:
        self._master, terminal = pty.openpty()
        self.shown = b""

        def take_terminal() -> None:
            fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
            signal.signal(signal.SIGHUP, hangup)

        stdout = terminal if out is None else os.open(out, os.O_WRONLY | os.O_CREAT)
        self.process = subprocess.Popen(
            [sys.executable, "-c", CLI, *arguments],
            cwd=scene.folder,
            env=scene.environment,
            stdin=terminal,
            stdout=stdout,
            stderr=terminal,
            start_new_session=True,
            preexec_fn=take_terminal,
        )
        for descriptor in {stdout, terminal}:
            os.close(descriptor)
        self._watch = threading.Timer(PATIENCE, self.process.kill)
        self._watch.start()

    def shows(self, text: bytes) -> None:
        """Wait until the terminal shows it."""
        while text not in self.shown:
            self.shown += os.read(self._master, 4096)

    def hang_up(self) -> None:
        os.close(self._master)

    def end(self) -> int:
        code = self.process.wait()
        self._watch.cancel()
        with suppress(OSError):
            os.close(self._master)
        return code


def test_a_terminal_that_is_closed_ends_a_command_as_ctrl_c_does(scene: Scene) -> None:
    scene.fake.stuck()
    command = OnTerminal(scene, *REMIX, "-o", "bow.mp4", hangup=signal.SIG_DFL)
    command.shows(b"accepted as ")
    command.shows(b"%")
    command.hang_up()
    assert command.end() == 130
    assert scene.files == [JOB_FILE]
    assert json.loads((scene.folder / JOB_FILE).read_text())["job_id"] == scene.job


def test_a_job_without_an_output_is_written_down_when_its_terminal_is_closed(scene: Scene) -> None:
    scene.fake.stuck()
    command = OnTerminal(scene, *REMIX, hangup=signal.SIG_DFL)
    command.shows(b"accepted as ")
    command.hang_up()
    assert command.end() == 130
    assert scene.files == [f".{scene.job}.mp4.job.json"]


@pytest.mark.parametrize("scene", [4], indirect=True)
@pytest.mark.parametrize(("redirected", "code"), [(True, 0), (False, 10)])
def test_a_terminal_that_goes_away_does_not_end_a_run_that_ignores_it(
    scene: Scene, redirected: bool, code: int
) -> None:
    out = scene.folder.parent / "out" if redirected else None
    command = OnTerminal(scene, *REMIX, "-o", "bow.mp4", hangup=signal.SIG_IGN, out=out)
    command.shows(b"accepted as ")
    command.hang_up()
    assert command.end() == code
    assert scene.files == ["bow.mp4"]
    assert out is None or out.read_text() == "bow.mp4\n"


# Where the streams go, and whether anybody reads the id there.
STREAMS = {
    "stdout closed": (">&-", True),
    "stdout full": (">/dev/full", True),
    "both closed": (">&- 2>&-", False),
    "all closed": ("<&- >&- 2>&-", False),
    "both full": (">/dev/full 2>/dev/full", False),
    "closed and full": (">&- 2>/dev/full", False),
}


@pytest.mark.parametrize("options", [("--no-wait", "--quiet"), ("--json",)])
@pytest.mark.parametrize("streams", STREAMS)
def test_a_paid_id_is_told_somewhere_or_written_down(scene: Scene, streams: str, options: tuple[str, ...]) -> None:
    redirections, is_read = STREAMS[streams]
    done = scene.run(redirections, *REMIX, *options)
    assert done.returncode == 10
    assert done.stdout == ""
    if is_read:
        assert scene.job in done.stderr
        assert scene.files == []
    else:
        job_file = f".{scene.job}.mp4.job.json"
        assert scene.files == [job_file]
        assert json.loads((scene.folder / job_file).read_text())["job_id"] == scene.job
        assert scene.run("", "download", scene.job).returncode == 0
        assert scene.files == [f"{scene.job}.mp4"]


@pytest.mark.parametrize("redirections", ["2>&-", "2>/dev/full", "<&- 2>&-"])
def test_a_command_that_cannot_show_anything_saves_the_video(scene: Scene, redirections: str) -> None:
    done = scene.run(redirections, *REMIX, "-o", "bow.mp4")
    assert (done.returncode, done.stdout) == (0, "bow.mp4\n")
    assert scene.files == ["bow.mp4"]


def test_a_video_goes_through_a_pipe(scene: Scene) -> None:
    done = scene.run("| wc -c", *REMIX, "-o", "-", "--quiet")
    assert int(done.stdout) > 40_000
    assert (scene.files, done.stderr) == ([], "")


def test_a_module_runs_as_the_command_does(scene: Scene) -> None:
    command = [sys.executable, "-m", "deerapi_remix", "models"]
    done = subprocess.run(command, env=scene.environment, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (0, "sora-2      openai\nsora-2-pro  openai\n")


@pytest.mark.parametrize(
    ("variables", "prompt"),
    [({"LC_ALL": "C"}, "Ça va"), ({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, "A bow")],
)
def test_a_system_that_has_no_locale_is_served(scene: Scene, variables: dict[str, str], prompt: str) -> None:
    scene.environment |= variables
    command = OnTerminal(scene, *REMIX[:-1], prompt, "-o", "bow.mp4", hangup=signal.SIG_DFL)
    command.shows(b"bow.mp4\r\n")
    assert command.end() == 0
    assert command.shown.isascii() or "PYTHONUTF8" not in variables
    assert scene.fake.requests[0].body == {"prompt": prompt}

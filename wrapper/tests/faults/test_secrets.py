"""The key in nothing that a run leaves behind, while real sockets fail and a server echoes it."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import logging
import os
import pickle
import re
import ssl
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
from rich.traceback import Traceback

import deerapi_remix
import deerapi_remix_generated
from deerapi_remix import AsyncRemixClient, DeerAPIError, DownloadError, Event, PollingPolicy, RetryPolicy
from deerapi_remix.cli import _run as cli
from deerapi_remix.testing import FakeDeerAPI

from ..conftest import KEY
from ..wire import CALLS, Twin
from .server import FaultServer, Peer, Step, fault_server, http, message

OURS = tuple(str(Path(package.__path__[0])) for package in (deerapi_remix, deerapi_remix_generated))
SPELLINGS = {
    "plain": KEY,
    "backwards": KEY[::-1],
    "in JSON": "".join(f"\\u{ord(character):04x}" for character in KEY),
    "in base64": base64.b64encode(KEY.encode()).decode()[:-4],
    "in base64 after Bearer": base64.b64encode(f"Bearer {KEY}".encode()).decode()[12:-4],
    "in hexadecimal": KEY.encode().hex(),
}


def found_in(text: str) -> list[str]:
    """The spellings of the key in `text`."""
    return [name for name, spelling in SPELLINGS.items() if spelling in text]


def causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def locals_of_our_frames(error: BaseException) -> Iterator[str]:
    """What the standard library would show of the local variables in our frames."""
    for each in causes(error):
        for frame in traceback.TracebackException.from_exception(each, capture_locals=True).stack:
            if frame.filename.startswith(OURS):
                yield repr(frame.locals)


def shown_by_rich(error: BaseException) -> Iterator[str]:
    """What rich, which looks into objects, would show of the local variables in our frames."""
    kind, trace = type(error), error.__traceback__
    told = Traceback.extract(kind, error, trace, show_locals=True, locals_max_length=999, locals_max_string=99_999)
    for stack in told.stacks:
        for frame in stack.frames:
            if frame.filename.startswith(OURS):
                yield from (f"{name} = {value}" for name, value in (frame.locals or {}).items())


def reachable(value: object, seen: dict[int, object]) -> Iterator[str]:
    """The repr of every object that attributes and containers lead to; functions keep what they know to themselves."""
    if id(value) in seen or isinstance(value, type):
        return
    seen[id(value)] = value
    if not isinstance(value, dict | list | tuple | set):
        yield repr(value)
    inside: list[object] = []
    if isinstance(value, dict):
        inside = [*value.keys(), *value.values()]
    elif isinstance(value, list | tuple | set | frozenset):
        inside = list(value)
    elif type(value).__module__.partition(".")[0] in ("deerapi_remix", "deerapi_remix_generated"):
        names = {name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())}
        inside = [getattr(value, name, None) for name in {*names, *getattr(value, "__dict__", {})}]
    for each in inside:
        yield from reachable(each, seen)


class Remains:
    """Everything that a run leaves behind in its own process.

    Attributes:
        texts: All of it.
        told_in_headers: Whether the server tells the key in its headers, which httpcore logs as they are.
    """

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.told_in_headers = False

    def log(self, record: logging.LogRecord) -> bool:
        line = f"{record.name}: {record.getMessage()}"
        if not (self.told_in_headers and line.startswith("httpcore.http11: receive_response_headers.")):
            self.texts += [line, repr(vars(record))]
        return True

    def event(self, event: Event) -> None:
        self.texts += [repr(event), pickle.dumps(event).decode("latin-1")]

    def error(self, error: BaseException) -> None:
        self.texts += traceback.format_exception(error)
        self.texts += locals_of_our_frames(error)
        for each in causes(error):
            self.texts += [str(each), repr(each), repr(vars(each)), *getattr(each, "__notes__", [])]
            self.texts += reachable(each.args, {})
        if isinstance(error, DeerAPIError):
            self.texts += reachable(vars(error), {})
            self.texts.append(pickle.dumps(error).decode("latin-1"))

    def folder(self, folder: Path) -> None:
        self.texts += [f"{path.name}: {path.read_bytes().decode('latin-1')}" for path in folder.rglob("*.*")]

    def assert_clean(self) -> None:
        assert len(self.texts) > 0
        assert [(found, text) for text in self.texts if (found := found_in(text))] == []


@pytest.fixture
def remains(caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder) -> Iterator[Remains]:
    """Collects what every logger tells at its lowest level, and every warning."""
    remains = Remains()
    caplog.set_level(1)
    for name in ("asyncio", "deerapi_remix", "h11", "hpack", "httpcore", "httpx", "urllib3"):
        caplog.set_level(1, name)
    caplog.handler.addFilter(remains.log)
    yield remains
    caplog.handler.removeFilter(remains.log)
    remains.texts += [str(warning.message) for warning in recwarn]


# Faults


def answers(status: int, body: bytes | object, **headers: str) -> Step:
    def step(peer: Peer) -> None:
        peer.request()
        peer.send(message(status, body, {name.replace("_", "-"): value for name, value in headers.items()}))

    return step


def sends(data: bytes) -> Step:
    def step(peer: Peer) -> None:
        peer.request()
        peer.send(data)
        peer.close()

    return step


def lost(peer: Peer) -> None:
    peer.exchange()
    peer.reset()


def stalled(peer: Peer) -> None:
    peer.exchange()
    peer.stall()


TOLD = {"error": {"message": f"the key {KEY} is not good", "code": KEY, "param": [f"Bearer {KEY}"]}, KEY: KEY}

# What a server does that tells nothing of the key.
SILENT: dict[str, Step] = {
    "reset before reading": Peer.reset,
    "reset after reading": lost,
    "never answers": stalled,
    "hangs up": sends(b""),
    "refuses": answers(401, {"error": {"message": "not you"}}),
    "fails": answers(500, b"<html>oops</html>"),
    "answers nonsense": answers(200, b"nonsense", content_type="text/plain"),
    "breaks the protocol": sends(b"HTTP/9 what\r\n\r\n"),
}

# What a server does that tells the key.
ECHOES: dict[str, Step] = {
    "refuses": answers(401, TOLD),
    "refuses in plain text": answers(400, f"Authorization: Bearer {KEY}".encode(), content_type="text/plain"),
    "refuses in HTML": answers(403, f"<title>Bad key {KEY}</title>".encode(), content_type="text/html"),
    "refuses in escaped JSON": answers(401, f'{{"error": {{"message": "{SPELLINGS["in JSON"]}"}}}}'.encode()),
    "refuses in gzip": answers(401, gzip.compress(json.dumps(TOLD).encode()), content_encoding="gzip"),
    "refuses at length": answers(400, f"{'x' * 1990} {KEY}".encode(), content_type="text/plain"),
    "fails and tells when to come again": answers(503, TOLD, retry_after=f"{KEY}"),
    "names the key as request ID": answers(403, TOLD, x_oneapi_request_id=KEY, x_request_id=KEY),
    "answers nonsense": answers(200, f"nonsense {KEY}".encode(), content_type="text/plain"),
    "answers without an id": answers(200, TOLD),
    "answers with the key as id": answers(200, {"id": KEY, "status": KEY, "prompt": KEY}),
    "breaks off": sends(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n" + json.dumps(TOLD).encode()),
    "breaks the protocol": sends(f"HTTP/1.1 200 OK\r\nAuthorization Bearer {KEY}\r\n\r\n".encode()),
    "breaks the protocol at once": sends(f"{KEY} is not HTTP\r\n\r\n".encode()),
}

TOLD_IN_HEADERS = {
    "fails and tells when to come again",
    "names the key as request ID",
    "breaks the protocol",
    "breaks the protocol at once",
}


def run(connect: Twin, step: Step, call: str, folder: Path, remains: Remains) -> DeerAPIError | None:
    """Do something while the server misbehaves; the error. A call may end well."""
    with fault_server(FakeDeerAPI(render_seconds=60), *[step] * 20) as server:
        client = connect.own(
            base_url=server.url,
            timeout=0.2,
            retry=RetryPolicy(attempts=2, initial_delay=0.01),
            polling=PollingPolicy(initial_interval=0.05, max_interval=0.05, timeout=0.2),
            on_event=remains.event,
        )
        try:
            result = CALLS[call](client, folder)
        except DeerAPIError as error:
            return error
        else:
            remains.texts += [*reachable(result, {}), pickle.dumps(result).decode("latin-1")]
            return None
        finally:
            remains.texts += reachable(getattr(client, "_client", client), {})
            remains.folder(folder)
            client.close()
            assert all(f"authorization: bearer {KEY}" in head.lower() for head in server.heads)
            assert len(server.heads) > 0 or step is Peer.reset


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", SILENT)
def test_no_fault_leaves_the_key_behind(connect: Twin, name: str, call: str, tmp_path: Path, remains: Remains) -> None:
    error = run(connect, SILENT[name], call, tmp_path, remains)
    assert error is not None
    remains.error(error)
    remains.texts += shown_by_rich(error)
    remains.assert_clean()


@pytest.mark.parametrize("call", ["remix", "wait", "download", "remix_to_file"])
@pytest.mark.parametrize("name", ECHOES)
def test_no_echo_of_a_server_leaves_the_key_behind(
    connect: Twin, name: str, call: str, tmp_path: Path, remains: Remains
) -> None:
    remains.told_in_headers = name in TOLD_IN_HEADERS
    error = run(connect, ECHOES[name], call, tmp_path, remains)
    if error is not None:
        remains.error(error)
        remains.texts += shown_by_rich(error)
    remains.assert_clean()


def test_a_whole_job_leaves_the_key_nowhere(connect: Twin, tmp_path: Path, remains: Remains) -> None:
    with fault_server(FakeDeerAPI(render_seconds=0.05)) as server:
        polling = PollingPolicy(initial_interval=0.01, max_interval=0.02)
        client = connect.own(base_url=server.url, on_event=remains.event, polling=polling)
        video = client.remix("video_123", prompt="x")
        remains.texts += reachable(client.models(), {})
        client.download(client.wait(video), tmp_path / "bow.mp4")
        client.remix_to_file("video_123", tmp_path / "encore.mp4", prompt="x")
        remains.texts += reachable(client, {})
        remains.texts += reachable(getattr(client, "_client", client), {})
        client.close()
        remains.texts += [repr(server.fake.requests), repr(server.fake.jobs), pickle.dumps(video).decode("latin-1")]
        remains.folder(tmp_path)
    assert len(server.heads) >= 7
    assert any(text.startswith("httpcore.http11: ") for text in remains.texts)
    assert any(text.startswith("httpx: ") for text in remains.texts)
    assert any(text.startswith("deerapi_remix: ") for text in remains.texts)
    assert any(text.startswith("bow.mp4: ") for text in remains.texts)
    remains.assert_clean()


def test_a_loop_that_debugs_tells_nothing_of_the_key(remains: Remains, tmp_path: Path) -> None:
    async def main() -> None:
        asyncio.get_running_loop().slow_callback_duration = 0  # Every step is told of.
        async with AsyncRemixClient(base_url=server.url) as client:
            with pytest.raises(DeerAPIError) as caught:
                await client.download("video_123", tmp_path / "bow.mp4")
        remains.error(caught.value)

    with fault_server(FakeDeerAPI(), ECHOES["refuses"]) as server:
        asyncio.run(main(), debug=True)
    assert any(text.startswith("asyncio: Executing") for text in remains.texts)
    remains.assert_clean()


# Redirects


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def serving(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def redirects(location: str, status: int = 302) -> Step:
    return answers(status, b"", location=location, connection="close")


def bytes_at(server: FaultServer) -> str:
    return b"".join(bytes(peer.received) for peer in server.peers).decode("latin-1")


def sends_a_file(peer: Peer) -> None:
    peer.request()
    peer.send(message(200, b"a whole video", {"content-type": "video/mp4", "connection": "close"}))


def talkative(connect: Twin, verify: ssl.SSLContext) -> Any:
    """An httpx client that would carry secrets of its own everywhere."""
    kind = httpx.Client if connect.kind == "sync" else httpx.AsyncClient
    return kind(
        headers={"Authorization": f"Bearer {KEY}", "X-Api-Key": KEY},
        cookies={"session": KEY},
        params={"key": KEY},
        auth=("user", KEY),
        follow_redirects=True,
        verify=verify,
    )


@pytest.mark.parametrize("client_is", ["its own", "handed in"])
@pytest.mark.parametrize(
    ("host", "secure"),
    [("127.0.0.1", False), ("localhost", False), ("localhost", True)],
    ids=["another port", "another host", "another scheme"],
)
def test_a_redirect_takes_the_key_to_no_other_origin(
    connect: Twin,
    client_is: str,
    host: str,
    secure: bool,
    tmp_path: Path,
    serving: ssl.SSLContext,
    trusting: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ssl, "create_default_context", lambda *_, **__: trusting)
    fake = FakeDeerAPI()
    with (
        fault_server(fake, *[sends_a_file] * 2, tls=serving if secure else None) as other,
        fault_server(fake) as server,
    ):
        location = f"http{'s' if secure else ''}://{host}:{other.port}/file?signed=1"
        server.script(redirects(location), redirects("/v1/again"), redirects(location))
        http_client = talkative(connect, trusting) if client_is == "handed in" else None
        client = connect.own(base_url=server.url, http_client=http_client)
        client.download("video_123", tmp_path / "bow.mp4")
        client.download("video_123", tmp_path / "encore.mp4")
        client.close()
    assert [f"authorization: bearer {KEY}" in head.lower() for head in server.heads] == [True, True, True]
    assert [head.splitlines()[0] for head in other.heads] == ["GET /file?signed=1 HTTP/1.1"] * 2
    received = bytes_at(other)
    assert found_in(received) == []
    assert not re.search("(?i)authorization|cookie|api-key|user:", received)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_submit_that_is_redirected_takes_the_key_nowhere(connect: Twin, status: int) -> None:
    fake = FakeDeerAPI()
    with fault_server(fake) as other, fault_server(fake, redirects(other.url, status)) as server:
        client = connect.own(base_url=server.url)
        with pytest.raises(DeerAPIError):
            client.remix("video_123", prompt="x")
        client.close()
    assert server.posts == 1
    assert other.peers == []


def test_a_redirect_from_https_to_http_is_refused_before_a_byte_is_sent(
    connect: Twin, serving: ssl.SSLContext, trusting: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssl, "create_default_context", lambda *_, **__: trusting)
    fake = FakeDeerAPI()
    with fault_server(fake, sends_a_file) as other, fault_server(fake, tls=serving) as server:
        server.script(redirects(f"http://localhost:{other.port}/file"))
        client = connect.own(base_url=server.url)
        with pytest.raises(DownloadError, match="a redirect from https to http"):
            client.download("video_123", tmp_path / "bow.mp4")
        client.close()
    assert len(server.heads) == 1
    assert other.peers == []


# Files


def test_neither_part_file_nor_job_file_holds_the_key(tmp_path: Path, remains: Remains) -> None:
    reached, over = threading.Event(), threading.Event()

    def half(peer: Peer) -> None:
        answer = http(peer.exchange())
        peer.send(answer[:-10])
        reached.set()
        over.wait(20)
        peer.send(answer[-10:])

    with fault_server(FakeDeerAPI(render_seconds=0), Peer.answer, half) as server:
        run = start(server, "remix", "video_123", "--prompt", "x", "--output", str(tmp_path / "bow.mp4"))
        assert reached.wait(20)
        found = sorted(path.name for path in tmp_path.iterdir())
        remains.folder(tmp_path)
        over.set()
        remains.texts += run.communicate(timeout=20)
    assert [re.sub("[0-9a-f]{16}", "*", name) for name in found] == [".bow.mp4.*.part", ".bow.mp4.job.json"]
    assert run.returncode == 0
    remains.folder(tmp_path)
    remains.assert_clean()


# The command line


def start(server: FaultServer, *arguments: str, **options: Any) -> subprocess.Popen[str]:
    """A command at work, with the key in its environment unless `options` say otherwise."""
    told = {
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "env": environment(server),
    }
    command = [sys.executable, "-X", "dev", "-c", "from deerapi_remix.cli import main; main()", *arguments]
    return subprocess.Popen(command, text=True, **{**told, **options})


def environment(server: FaultServer) -> dict[str, str]:
    return {**os.environ, "DEERAPI_KEY": KEY, "DEERAPI_BASE_URL": server.url, "PYTHONDEVMODE": "1"}


COMMANDS = [
    ("models",),
    ("status", "video_123"),
    ("wait", "video_123", "--timeout", "1"),
    ("download", "video_123", "--output", "bow.mp4"),
    ("remix", "video_123", "--prompt", "x", "--no-wait"),
    ("remix", "video_123", "--prompt", "x", "--output", "bow.mp4", "--timeout", "1"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_shows_a_key_that_the_server_echoes(
    command: tuple[str, ...], tmp_path: Path, remains: Remains
) -> None:
    with fault_server(FakeDeerAPI(render_seconds=60)) as server:
        for echo, options in (("refuses", ["--json"]), ("answers without an id", [])):
            server.script(*[ECHOES[echo]] * 20)
            run = start(server, *command, *options, cwd=tmp_path)
            remains.texts += run.communicate(timeout=30)
            assert run.returncode not in (0, 1)
            remains.folder(tmp_path)
            for left in tmp_path.iterdir():
                left.unlink()  # The next run would go on with its job.
    assert len(server.heads) >= 2
    remains.assert_clean()


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="this system tells processes in another way")
def test_the_list_of_processes_does_not_show_the_key(remains: Remains, tmp_path: Path) -> None:
    reached, over = threading.Event(), threading.Event()

    def waits(peer: Peer) -> None:
        answer = http(peer.exchange())
        reached.set()
        over.wait(20)
        peer.send(answer)

    with fault_server(FakeDeerAPI(), waits) as server:
        run = start(server, "remix", "video_123", "--prompt", "x", "--no-wait")
        assert reached.wait(20)
        remains.texts += [
            Path(f"/proc/{run.pid}/{name}").read_text().replace("\0", " ") for name in ("cmdline", "comm", "status")
        ]
        over.set()
        remains.texts += run.communicate(timeout=20)
    assert any("remix video_123 --prompt x" in text for text in remains.texts)
    remains.assert_clean()


# The key of the mock is not among them: whoever starts a mock makes one up.
@pytest.mark.parametrize("command", ["models", "status", "wait", "download", "remix", "doctor"])
def test_no_command_takes_the_key_as_an_argument(
    command: str, remains: Remains, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run([command, "--help"]) == 0
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    assert "--help" in options
    assert not {option for option in options if re.search("key|token|auth|secret|header|password", option)}
    for option in (f"--api-key={KEY}", f"--key={KEY}", f"--token={KEY}"):
        assert cli.run([command, option]) == 2
    remains.texts += capsys.readouterr()
    remains.assert_clean()


@pytest.mark.skipif(sys.platform == "win32", reason="this system has no pseudo-terminals")
def test_a_key_that_is_typed_is_not_shown(remains: Remains) -> None:
    ours, theirs = os.openpty()
    with fault_server(FakeDeerAPI()) as server, open(ours, "r+b", buffering=0) as terminal:  # noqa: PTH123
        typing = environment(server)
        del typing["DEERAPI_KEY"]
        run = start(server, "models", "--quiet", stdin=theirs, stderr=theirs, env=typing, start_new_session=True)
        os.close(theirs)
        shown = b""
        while b"(not shown): " not in shown:
            shown += terminal.read(1000)
        terminal.write(f"{KEY}\n".encode())
        out, _ = run.communicate(timeout=20)
        with suppress(OSError):  # What Linux says when the other end is closed.
            while more := terminal.read(1000):
                shown += more
    assert run.returncode == 0
    assert [f"authorization: bearer {KEY}" in head.lower() for head in server.heads] == [True]
    remains.texts += [out, shown.decode()]
    remains.assert_clean()

"""A forked child never gets its parent's answers, nor does it take anything from its parent."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import ssl
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
import trustme

from deerapi_remix import AsyncRemixClient, RemixClient
from deerapi_remix.testing import FakeDeerAPI

from .server import FaultServer, Peer, fault_server, http

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@contextmanager
def forking() -> Iterator[None]:
    """Allow it although the server has threads: they are of no use to the child."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


class Child:
    """A forked process at work, and what it says."""

    def __init__(self, work: Callable[[], str]) -> None:
        self._read, write = os.pipe()
        with forking():
            self.pid = os.fork()
        if self.pid == 0:
            try:
                said = work()
            except BaseException as error:
                said = f"{type(error).__name__}: {error}"
            os.write(write, said.encode())
            os.close(write)
            os._exit(0)
        os.close(write)

    def said(self) -> str:
        """What it said; it has ended."""
        with os.fdopen(self._read) as stream:
            said = stream.read()
        _, status = os.waitpid(self.pid, 0)
        return said if status == 0 else f"{said} (ended with {status})"


@pytest.fixture
def fake() -> FakeDeerAPI:
    fake = FakeDeerAPI(render_seconds=0)
    for number in range(40):
        fake.add_video(f"parent_{number}")
        fake.add_video(f"child_{number}")
    return fake


@pytest.fixture
def server(fake: FakeDeerAPI) -> Iterator[FaultServer]:
    with fault_server(fake) as server:
        yield server


def asks(client: RemixClient, who: str) -> str:
    """Ask for 40 videos; which ones came."""
    return " ".join(client.retrieve(f"{who}_{number}").id for number in range(40))


CHILD = " ".join(f"child_{number}" for number in range(40))
PARENT = " ".join(f"parent_{number}" for number in range(40))


def test_parent_and_child_at_work_at_the_same_time_get_their_own_answers(server: FaultServer) -> None:
    with RemixClient(base_url=server.url) as client:
        client.retrieve("video_123")
        children = [Child(lambda: asks(client, "child")) for _ in range(3)]
        assert asks(client, "parent") == PARENT
        assert [child.said() for child in children] == [CHILD] * 3
        assert asks(client, "parent") == PARENT
    assert len(server.peers) == 4


def test_a_fork_in_the_middle_of_an_answer_leaves_it_to_the_parent(server: FaultServer) -> None:
    halfway = threading.Event()
    forked = threading.Event()

    def slow(peer: Peer) -> None:
        answer = http(peer.exchange())
        peer.send(answer[:-10])
        halfway.set()
        forked.wait(10)
        peer.send(answer[-10:])

    with RemixClient(base_url=server.url) as client:
        client.retrieve("video_123")
        server.script(slow)
        answers: list[str] = []
        thread = threading.Thread(target=lambda: answers.append(client.retrieve("parent_1").id))
        thread.start()
        assert halfway.wait(10)
        child = Child(lambda: asks(client, "child"))
        assert child.said() == CHILD
        forked.set()
        thread.join(10)
        assert answers == ["parent_1"]
    assert len(server.peers) == 2


def test_a_child_does_not_use_the_tls_session_of_its_parent(fake: FakeDeerAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    monkeypatch.setattr(ssl, "create_default_context", lambda *_, **__: trusting)
    with fault_server(fake, tls=context) as server:
        with RemixClient(base_url=server.url) as client:
            client.retrieve("video_123")
            child = Child(lambda: asks(client, "child"))
            assert asks(client, "parent") == PARENT
            assert child.said() == CHILD
            assert asks(client, "parent") == PARENT
        assert len(server.peers) == 2


def test_a_grandchild_opens_a_connection_of_its_own_too(server: FaultServer) -> None:
    with RemixClient(base_url=server.url) as client:
        client.retrieve("video_123")

        def child() -> str:
            own = asks(client, "child")
            grandchild = Child(lambda: asks(client, "parent")).said()
            return "\n".join([own, grandchild, asks(client, "child")])

        assert Child(child).said() == "\n".join([CHILD, PARENT, CHILD])
    assert len(server.peers) == 3


def test_a_paid_job_of_a_child_is_its_own(server: FaultServer, tmp_path: Path) -> None:
    with RemixClient(base_url=server.url) as client:
        client.retrieve("video_123")

        def work(who: str) -> str:
            path = client.remix_to_file(f"{who}_1", tmp_path / f"{who}.mp4", prompt=who)
            return path.name

        child = Child(lambda: work("child"))
        assert work("parent") == "parent.mp4"
        assert child.said() == "child.mp4"
    jobs = [job for job in server.fake.jobs.values() if job.remixed_from_video_id]
    assert sorted((job.remixed_from_video_id, job.prompt) for job in jobs) == [
        ("child_1", "child"),
        ("parent_1", "parent"),
    ]
    assert server.posts == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["child.mp4", "parent.mp4"]


def test_a_child_at_work_does_not_disturb_the_loop_of_its_parent(server: FaultServer) -> None:
    async def several(who: str) -> str:
        videos = await asyncio.gather(*(client.retrieve(f"{who}_{number}") for number in range(40)))
        return " ".join(video.id for video in videos)

    with asyncio.Runner() as runner:
        client = AsyncRemixClient(base_url=server.url)
        runner.run(client.retrieve("video_123"))
        child = Child(lambda: asyncio.run(several("child")))
        assert runner.run(several("parent")) == PARENT
        assert child.said() == CHILD
        assert runner.run(several("parent")) == PARENT
        runner.run(client.aclose())


def test_children_of_multiprocessing_get_their_own_answers(server: FaultServer) -> None:
    context = multiprocessing.get_context("fork")

    def work(pipe: Connection) -> None:
        pipe.send(asks(client, "child"))
        client.close()

    with RemixClient(base_url=server.url) as client:
        client.retrieve("video_123")
        ours, theirs = context.Pipe()
        processes = [context.Process(target=work, args=(theirs,)) for _ in range(3)]
        with forking():
            for process in processes:
                process.start()
        assert asks(client, "parent") == PARENT
        assert [ours.recv() for _ in processes] == [CHILD] * 3
        for process in processes:
            process.join(10)
            assert process.exitcode == 0
            process.close()
        ours.close()
        theirs.close()
        assert asks(client, "parent") == PARENT
    assert len(server.peers) == 4


PROGRAM = """
import os
import sys

from deerapi_remix import RemixClient

client = RemixClient(base_url=sys.argv[1])
client.retrieve("video_123")
for work in (client.close, client.models, repr):
    if not (child := os.fork()):
        work(*([client] if work is repr else []))
        sys.exit()
    assert os.waitpid(child, 0)[1] == 0
    print(client.retrieve("parent_1").id, flush=True)
client.close()
"""


def test_children_that_close_use_or_drop_the_client_and_end_leave_their_parent_its_connection(
    server: FaultServer,
) -> None:
    command = [sys.executable, "-c", PROGRAM, server.url]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.stdout, ended.stderr) == ("parent_1\n" * 3, "")
    assert [len(peer.heads) for peer in server.peers] == [4, 1]

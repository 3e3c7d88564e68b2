"""Eight threads share a client while the server misbehaves, and while the client is closed under them."""

from __future__ import annotations

import gc
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from deerapi_remix import (
    APIConnectionError,
    ConfigurationError,
    DeerAPIError,
    Event,
    PollingPolicy,
    RemixClient,
    RetryPolicy,
    Video,
)
from deerapi_remix.testing import FakeDeerAPI

from .server import Peer, Step, fault_server, http, message

THREADS = 8
JOBS_EACH = 6


def refuses(status: int) -> Step:
    def step(peer: Peer) -> None:
        peer.request()
        peer.send(message(status, {"error": {"message": "told"}}))

    return step


def loses_the_answer(peer: Peer) -> None:
    peer.exchange()
    peer.reset()


def cuts_the_answer(peer: Peer) -> None:
    answer = http(peer.exchange())
    peer.send(answer[: len(answer) // 2])
    peer.close()


def hangs_up_afterwards(peer: Peer) -> None:
    peer.answer()
    peer.close()


def trickles(peer: Peer) -> None:
    answer = http(peer.exchange())
    peer.send(answer[:-3])
    peer.trickle(answer[-3:], 0.001)


FAULTS: list[Step] = [
    Peer.answer,
    Peer.answer,
    Peer.answer,
    refuses(429),
    refuses(500),
    refuses(502),
    refuses(503),
    loses_the_answer,
    cuts_the_answer,
    hangs_up_afterwards,
    trickles,
]


def whole_jobs(client: RemixClient, thread: int, folder: Path) -> list[Video | DeerAPIError]:
    """Do jobs one after the other, and tell how each submit ended. What belongs to another thread is a failure."""
    ends: list[Video | DeerAPIError] = []
    for number in range(JOBS_EACH):
        source = f"video_of_{thread}"
        try:
            video = client.remix(source, prompt=f"{thread} {number}")
        except DeerAPIError as error:
            ends.append(error)
            continue
        ends.append(video)
        assert video.remixed_from_video_id == source
        finished = client.wait(video, timeout=20)
        assert (finished.id, finished.prompt) == (video.id, f"{thread} {number}")
        with suppress(DeerAPIError):
            client.download(video, folder / f"{thread} {number}.mp4")
    return ends


@pytest.mark.parametrize("copies", [False, True], ids=["one client", "copies of it"])
@pytest.mark.parametrize("seed", range(3))
def test_threads_that_share_a_client_get_their_own_answers_under_faults(
    seed: int, copies: bool, tmp_path: Path
) -> None:
    chance = random.Random(seed)
    sent: Counter[str] = Counter()

    def count(event: Event) -> None:
        if event.kind == "attempt":
            sent[event.operation] += 1

    fake = FakeDeerAPI(render_seconds=0.05)
    for thread in range(THREADS):
        fake.add_video(f"video_of_{thread}")
    with fault_server(fake, *chance.choices(FAULTS, k=1_000)) as server:
        client = RemixClient(
            base_url=server.url,
            timeout=5,
            retry=RetryPolicy(attempts=4, initial_delay=0.01),
            polling=PollingPolicy(initial_interval=0.01, max_interval=0.03),
            on_event=count,
        )

        def work(thread: int) -> list[Video | DeerAPIError]:
            start.wait(10)
            shared = client.with_options(timeout=4 + thread) if copies else client
            return whole_jobs(shared, thread, tmp_path)

        start = threading.Barrier(THREADS)
        with client, ThreadPoolExecutor(THREADS) as pool:
            ends = [end for found in pool.map(work, range(THREADS), timeout=60) for end in found]

    videos = [end if isinstance(end, Video) else end.video for end in ends]
    known = [video.id for video in videos if video is not None]
    unknown = [end for end in ends if isinstance(end, DeerAPIError) and end.may_have_been_charged and end.video is None]
    jobs = {video_id for video_id in fake.jobs if not video_id.startswith("video_of_") and video_id != "video_123"}
    assert len(ends) == THREADS * JOBS_EACH
    assert len(known) == len(set(known))
    # Every job that exists is known to the thread that paid for it, or it was told that there may be one.
    assert set(known) <= jobs
    assert len(jobs) - len(known) <= len(unknown)
    assert server.posts == sent["remix"]
    assert {path.suffix for path in tmp_path.iterdir()} == {".mp4"}
    assert len({path.stat().st_size for path in tmp_path.iterdir()}) == 1  # Whole, each of them.


# Closing


CALLS: dict[str, Callable[[RemixClient, Path], object]] = {
    "submits": lambda client, _: client.remix("video_123", prompt="x"),
    "polls": lambda client, _: client.retrieve("video_123"),
    "downloads": lambda client, folder: client.download("video_123", folder / "bow.mp4", overwrite=True),
}


# httpcore leaves a connection that is being made while its pool is closed to the garbage collector.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("call", CALLS)
def test_a_client_that_is_closed_under_threads_at_work_ends_them_with_a_clear_error(call: str, tmp_path: Path) -> None:
    started = threading.Barrier(THREADS + 1)

    def work(_: int) -> tuple[type[DeerAPIError], bool]:
        CALLS[call](client, tmp_path)
        started.wait(10)
        while True:
            try:
                CALLS[call](client, tmp_path)
            except DeerAPIError as error:
                return type(error), error.may_have_been_charged
            except RuntimeError as error:  # httpx's word for a call that begins at that very moment.
                if str(error) != "Cannot send a request, as the client has been closed.":
                    raise
                return ConfigurationError, False

    with fault_server(FakeDeerAPI(render_seconds=0)) as server, ThreadPoolExecutor(THREADS) as pool:
        client = RemixClient(base_url=server.url, timeout=2, retry=RetryPolicy(attempts=3, initial_delay=0.01))
        ends = [pool.submit(work, thread) for thread in range(THREADS)]
        started.wait(10)
        time.sleep(0.05)
        client.close()
        errors = {end.result(20) for end in ends}

    lost = (APIConnectionError, call == "submits")
    assert errors <= {(ConfigurationError, False), lost}
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []
    gc.collect()


@pytest.mark.parametrize("call", CALLS)
def test_closing_ends_a_call_that_waits_for_the_server_within_its_timeout(call: str, tmp_path: Path) -> None:
    reached = threading.Event()

    def never_answers(peer: Peer) -> None:
        peer.exchange()
        reached.set()
        peer.stall()

    with fault_server(FakeDeerAPI(render_seconds=0), never_answers) as server, ThreadPoolExecutor(1) as pool:
        client = RemixClient(base_url=server.url, timeout=1, retry=RetryPolicy(attempts=30, initial_delay=0))
        end = pool.submit(CALLS[call], client, tmp_path)
        assert reached.wait(60)
        started = time.monotonic()
        client.close()
        error = end.exception(60)
        elapsed = time.monotonic() - started

    assert isinstance(error, ConfigurationError | APIConnectionError)
    assert elapsed < 10
    assert server.posts == (1 if call == "submits" else 0)
    assert list(tmp_path.iterdir()) == []


def test_a_thread_that_sleeps_between_polls_finds_the_client_closed(tmp_path: Path) -> None:
    polled = threading.Event()
    with fault_server(FakeDeerAPI(render_seconds=60)) as server, ThreadPoolExecutor(1) as pool:
        client = RemixClient(
            base_url=server.url,
            polling=PollingPolicy(initial_interval=0.1, max_interval=0.1),
            on_event=lambda event: polled.set() if event.kind == "poll" else None,
        )
        end = pool.submit(client.remix_to_file, "video_123", tmp_path / "bow.mp4", prompt="x")
        assert polled.wait(10)
        client.close()
        error = end.exception(10)
        (job,) = (video_id for video_id in server.fake.jobs if video_id != "video_123")

    assert isinstance(error, ConfigurationError)
    assert error.video_id == job
    assert list(tmp_path.iterdir()) == []

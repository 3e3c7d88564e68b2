"""The fake in place of the network, in virtual time: `mock_deerapi`."""

import os
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any
from unittest.mock import patch

from deerapi_remix.testing._chaos import Chaos
from deerapi_remix.testing._crash import Crash, Point, ProcessCrash
from deerapi_remix.testing._endpoint import Endpoint
from deerapi_remix.testing._messages import Answer, Operation, RecordedRequest, Request
from deerapi_remix.testing._network import Gate
from deerapi_remix.testing._routes import check_operation, route_of
from deerapi_remix.testing._time import VirtualClock, VirtualTime
from deerapi_remix.testing.fake import FakeDeerAPI

_active = threading.Lock()


class DeerAPIMock(FakeDeerAPI):
    """What `mock_deerapi` gives.

    Attributes:
        clock: The time of clients and jobs. They move it on by waiting, and `clock.advance(60)`
            does as well.
    """

    def __init__(self, clock: VirtualClock, **options: Any) -> None:
        super().__init__(clock=clock, **options)
        self.clock = clock

    def sent(self, operation: Operation) -> Sequence[RecordedRequest]:
        """The requests for one operation, in order.

        Their `body` is the JSON that was sent, `status` what came back.
        """
        check_operation(operation)
        return tuple(request for request in self.requests if request.operation == operation)

    @contextmanager
    def crash(self, at: Point) -> Iterator[None]:
        """Let the process die, as far as DeerAPI and the ledger can tell, at a point of a submit.

            with deerapi_mock.crash("in_post"):
                handle_order("order-1042")
            handle_order("order-1042")  # The worker that takes over.

        From that point on nothing in the block has an effect: no request is answered, and no ledger
        records anything. The block ends there, and what the process held in a ledger is free. Only
        Python's own clean-up still runs, such as `finally`, which it would not where a process is
        killed.

        Args:
            at: `before_intent` or `after_intent` (of the ledger), `in_post` (the job is accepted,
                and the answer never read), `after_answer`, or `before_record` (of the ledger).

        Raises:
            AssertionError: The block ended, and the point was never reached.
        """
        crash = Crash(at)
        with crash.in_ledger(), patch.object(self, "handle", partial(_handle, crash, self.handle)):
            try:
                yield
            except ProcessCrash:
                return
        if not crash.happened:
            raise AssertionError(f"the block ended, and never came to {at}")


@contextmanager
def mock_deerapi(
    *,
    render_seconds: float = 600.0,
    models: Sequence[str] = ("sora-2", "sora-2-pro"),
    api_keys: Collection[str] | None = None,
    base_url: str | None = None,
    allow_hosts: Collection[str] = (),
    chaos: Chaos = Chaos(),  # noqa: B008  # Frozen.
    seed: int | None = None,
) -> Iterator[DeerAPIMock]:
    """Put a fake in the place of DeerAPI, for this whole process.

    A test that uses it never pays, and never waits:

        with mock_deerapi() as deerapi:
            deerapi.rate_limited()
            path = RemixClient().remix_to_file("video_123", tmp_path / "bow.mp4", prompt="A bow")
        assert [request.body["prompt"] for request in deerapi.sent("remix")] == ["A bow", "A bow"]

    It goes for every client, `RemixClient` and `AsyncRemixClient`, whoever made it and when, with a
    key of any kind. Meanwhile `DEERAPI_KEY` holds a harmless key. In pytest, the fixture
    `deerapi_mock` does the same.

    **Time.** All that a client waits for passes at once, on the clock that the jobs render by.
    Clients that wait at the same time, in tasks or in threads, do so side by side, as they would in
    real time. `time.sleep`, `asyncio.sleep` and `asyncio.timeout` of your own stay real.

    **Network.** The fake answers clients made with httpx at `https://api.deerapi.com`, at
    `DEERAPI_BASE_URL` and at `base_url`. What is meant for this machine passes: loopback addresses,
    Unix sockets, and the hosts in `allow_hosts`, but no proxy that the environment names.
    Everything else raises `NetworkBlockedError`, and no name of another host is looked up. That
    goes for all Python code of this process, not for other processes, for libraries with a network
    stack of their own (libcurl, uvloop), or for connections that are open already.

    Args:
        render_seconds: How long a job takes.
        models: The models that are served.
        api_keys: The keys that are valid; by default any that is well-formed. The first one becomes
            `DEERAPI_KEY`.
        base_url: Where the fake answers, too: what your service hands to its clients.
        allow_hosts: Names and addresses of other machines that your tests need, such as that of a
            database.
        chaos: Faults by chance, and a limit of how much may be asked in a second.
        seed: The same seed lets the same faults happen by chance.

    Raises:
        RuntimeError: It is active already. There is one network and one time, so there can be only
            one.
    """
    if not _active.acquire(blocking=False):
        raise RuntimeError(
            "mock_deerapi is active already: use what it gave, it goes for the whole process"
        )
    try:
        deerapi = DeerAPIMock(
            VirtualClock(time.time()),
            render_seconds=render_seconds,
            models=models,
            api_keys=api_keys,
            chaos=chaos,
            seed=seed,
        )
        with (
            _harmless_key(next(iter(api_keys or ()), "sk-mock")),
            Gate(partial(_endpoints, deerapi, base_url), allow_hosts).closed(),
            VirtualTime(deerapi.clock).installed(),
        ):
            yield deerapi
    finally:
        _active.release()


def _handle(
    crash: Crash, handle: Callable[..., Answer], request: Request, **options: Any
) -> Answer:
    """Answer a request of a process that dies at a point."""
    route = route_of(request.method, request.path)
    if crash.happened:
        crash.die()
    if route is None or not route.paid:
        return handle(request, **options)
    crash.passes("after_intent")
    answer = handle(request, **options)
    crash.passes("in_post")
    return answer


def _endpoints(fake: FakeDeerAPI, base_url: str | None) -> list[Endpoint]:
    """Where the fake answers at this moment, for tests set the environment, too."""
    bases = ("https://api.deerapi.com", os.environ.get("DEERAPI_BASE_URL", "").strip(), base_url)
    return [Endpoint(fake, base) for base in bases if base]


@contextmanager
def _harmless_key(key: str) -> Iterator[None]:
    before = os.environ.get("DEERAPI_KEY")
    os.environ["DEERAPI_KEY"] = key
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("DEERAPI_KEY", None)
        else:
            os.environ["DEERAPI_KEY"] = before

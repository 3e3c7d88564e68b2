"""Thousands of interruptions at random points of a paid call, over real sockets: whatever leaves it tells of the job.

`FAULTS_SEED` draws others. Each case is drawn from the seed and its number alone, so that it can be had again.
"""

from __future__ import annotations

import asyncio
import gc
import math
import os
import random
import ssl
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Literal

import attrs
import pytest

from deerapi_remix import AsyncRemixClient, PollingPolicy, RemixClient, RetryPolicy
from deerapi_remix.testing import FakeDeerAPI

from .conftest import DRAWN
from .interruptions import ERRORS, TOLD_TO_NOBODY, CancelledAt, Hung, StrikeAtStep, at_most, strike_after
from .observe import tells_of
from .server import FaultServer, fault_server
from .steps import TRUSTING

CASES = 10_000 if os.environ.get("FAULTS") == "long" else 400
SEED = int(os.environ.get("FAULTS_SEED", "2026"))
TIMEOUT = 2.0
# What a call may take, in seconds: the timeout of the client, and what a busy machine adds.
PATIENCE = TIMEOUT + 6.0
# Closing waits for nobody.
AT_ONCE = 1.0
OPTIONS: dict[str, Any] = {
    "timeout": TIMEOUT,
    "retry": RetryPolicy(attempts=2, initial_delay=0.01),
    "polling": PollingPolicy(initial_interval=0.005, max_interval=0.01),
}
KnownAs = Literal["untold", "duplicate", "hung", "descriptors lost"]
Twin = Literal["sync", "async"]
Operation = Literal["remix", "remix_to_file"]
How = Literal["step", "signal", "cancel"]
OPERATIONS: tuple[Operation, ...] = ("remix", "remix_to_file")
# No call waits more often, whatever it waits for.
MOST_WAITS = 60

pytestmark = TOLD_TO_NOBODY


@attrs.frozen
class Case:
    """One interruption, and what it strikes.

    Attributes:
        how: At a step of the work, when a signal comes, or by a cancellation at a wait of the task.
        share: How much of the work is done by then, from 0 to 1.
    """

    number: int
    operation: Operation
    how: How
    error: type[BaseException]
    share: float


def case_of(number: int, twin: Twin) -> Case:
    """The case of that number: the same every time."""
    chance = random.Random(f"{SEED} {number} {twin}")
    hows: tuple[How, ...] = ("step", "step", "step", "signal")
    how = chance.choice(hows if twin == "sync" else (*hows, "cancel"))
    return Case(number, chance.choice(OPERATIONS), how, chance.choice(ERRORS), chance.random())


@attrs.frozen
class Length:
    """How long an undisturbed call is."""

    steps: int
    seconds: float


@attrs.define
class Call:
    """A call that is interrupted, and what becomes of it.

    Attributes:
        cancelled_at: The wait at which its task is cancelled, counted from 1.
        error: What left it.
        troubles: What it left behind.
    """

    operation: Operation
    folder: Path
    strike: AbstractContextManager[Any]
    cancelled_at: int | None = None
    error: BaseException | None = None
    troubles: list[tuple[KnownAs, str]] = attrs.field(factory=list)

    def sync(self, url: str) -> None:
        """Make it, then use and close the client."""
        client = RemixClient(base_url=url, **OPTIONS)
        with self._bounded("the call", PATIENCE):
            try:
                with self.strike:
                    self._begin(client)
            except Hung:
                raise
            except BaseException as error:
                self.error = error
        with self._bounded("the call after it", PATIENCE):
            client.models()
        with self._bounded("closing", AT_ONCE):
            client.close()

    def asynchronous(self, url: str) -> None:
        """Make it, then use and close the client, all on one loop."""

        async def main() -> None:
            client = AsyncRemixClient(base_url=url, **OPTIONS)
            try:
                with self.strike:
                    work = self._begin(client)
                    await (CancelledAt(work, self.cancelled_at) if self.cancelled_at else work)
            except BaseException as error:
                self.error = error
            task = asyncio.current_task()
            while task is not None and task.uncancel():
                pass
            with self._bounded("the call after it", PATIENCE):
                await client.models()
            with self._bounded("closing", AT_ONCE):
                await client.aclose()

        with self._bounded("the loop", 4 * PATIENCE):
            try:
                asyncio.run(main())
            except Hung:
                raise
            except BaseException as error:
                # What a signal raised in the loop itself: the call was cancelled then, and has told what it knew.
                self.error = self.error or error

    def _begin(self, client: Any) -> Any:
        if self.operation == "remix":
            return client.remix("video_123", prompt="x")
        return client.remix_to_file("video_123", self.folder / "bow.mp4", prompt="x")

    @contextmanager
    def _bounded(self, what: str, seconds: float) -> Iterator[None]:
        try:
            with at_most(seconds):
                yield
        except (Hung, Exception) as error:
            where = "".join(traceback.format_tb(error.__traceback__)[-2:])
            self.troubles.append(("hung", f"{what}: {error!r} {where}"))


class Bench:
    """Strikes one of the twins."""

    def __init__(self, twin: Twin, folder: Path) -> None:
        self._twin = twin
        self._folder = folder
        self._lengths = {operation: self._measure(operation) for operation in OPERATIONS}

    def _measure(self, operation: Operation) -> Length:
        counter = StrikeAtStep(math.inf, KeyboardInterrupt())
        for _ in range(2):  # The first call imports what it needs.
            counter = StrikeAtStep(math.inf, KeyboardInterrupt())
            assert self._make(Call(operation, self._folder, counter)) == []
        began = time.monotonic()
        self._make(Call(operation, self._folder, nullcontext()))
        return Length(counter.steps, time.monotonic() - began)

    def strike(self, case: Case) -> list[tuple[KnownAs, str]]:
        """The troubles that a case leaves."""
        length = self._lengths[case.operation]
        error = case.error(f"case {case.number}")
        strike: AbstractContextManager[Any] = nullcontext()
        nth = None
        if case.how == "step":
            strike = StrikeAtStep(1 + int(length.steps * case.share), error)
        elif case.how == "signal":
            seconds = max(length.seconds * case.share, 1e-5)
            strike = strike_after(seconds, error, spares_the_loop=self._twin == "async")
        else:
            nth = 1 + int(MOST_WAITS * case.share)
        return self._make(Call(case.operation, self._folder, strike, nth))

    def _make(self, call: Call) -> list[tuple[KnownAs, str]]:
        before = _open_descriptors()
        with fault_server(FakeDeerAPI(render_seconds=0)) as server:
            (call.sync if self._twin == "sync" else call.asynchronous)(server.url)
            _take_all_in(server)
            jobs = set(server.fake.jobs) - {"video_123"}
            posts = server.posts
        if call.error is not None and posts and not tells_of(call.error, jobs):
            call.troubles.append(("untold", repr(call.error)))
        if posts > 1:
            call.troubles.append(("duplicate", f"{posts} submits"))
        for path in self._folder.iterdir():
            path.unlink()
        _forget_frames(call.error)
        if (lost := _descriptors_beyond(before)) > 0:
            call.troubles.append(("descriptors lost", str(lost)))
        return call.troubles


def _open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _descriptors_beyond(before: int) -> int:
    """How many more descriptors are open than before, once the threads of the server had the time to close theirs."""
    until = time.monotonic() + PATIENCE
    gc.collect()
    while (more := _open_descriptors() - before) > 0 and time.monotonic() < until:
        time.sleep(0.01)
        gc.collect()
    return more


def _forget_frames(error: BaseException | None) -> None:
    """Whoever keeps an exception keeps the local variables of its frames, sockets included."""
    rest = [error]
    while rest:
        each = rest.pop()
        if each is not None and each.__traceback__ is not None:
            each.__traceback__ = None
            rest += [each.__cause__, each.__context__, *getattr(each, "exceptions", ())]


def _take_all_in(server: FaultServer) -> None:
    """Wait until the server has read all that was sent: until the clients have hung up, and it has seen it."""
    until = time.monotonic() + AT_ONCE
    while time.monotonic() < until and any(not peer.is_over for peer in server.peers):
        time.sleep(0.0005)


@pytest.fixture
def _quickly(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Certificates are not read for each client, and what is there already is no garbage."""
    monkeypatch.setattr(ssl, "create_default_context", lambda **_: TRUSTING)
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("_quickly")
@pytest.mark.parametrize("twin", ["sync", "async"])
def test_no_interruption_leaves_a_paid_call_untold_or_a_client_that_hangs(
    twin: Twin, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    bench = Bench(twin, tmp_path)
    troubles: dict[Case, list[tuple[KnownAs, str]]] = {}
    for number in range(CASES):
        case = case_of(number, twin)
        if found := bench.strike(case):
            troubles[case] = found
    count = Counter(kind for found in troubles.values() for kind, _ in found)
    kinds: tuple[KnownAs, ...] = ("untold", "duplicate", "hung", "descriptors lost")
    told = ", ".join(f"{count[kind]} {kind}" for kind in kinds)
    request.config.stash[DRAWN].append(f"{CASES} interruptions of the {twin} twin, seed {SEED}: {told}")
    assert not troubles, list(troubles.items())[:10]

"""Whole jobs under random faults: whatever happens, none is lost, none is paid for twice, and no half file is left.

`FAULTS=long` runs 5,200 of them, else there are two hundred; `FAULTS_SEED` draws others. They are drawn evenly: a
search for small examples, as property tests make it, comes back to the same few faults and hardly meets the others.
"""

from __future__ import annotations

import asyncio
import math
import os
import random
import re
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

import attrs
import pytest

from deerapi_remix import (
    AsyncRemixClient,
    ConfigurationError,
    DeerAPIError,
    PollingPolicy,
    RemixClient,
    RemixFailedError,
    RetryPolicy,
    Video,
    _clock,
)
from deerapi_remix.testing import VirtualClock

from ..conftest import KEY, Clock
from ..wire import Plain
from .conftest import DRAWN
from .interruptions import ERRORS, TOLD_TO_NOBODY, StrikeAtStep
from .jobs_faults import (
    AFTERWARDS,
    DOWNLOAD,
    ENDINGS,
    FRAMINGS,
    HOW,
    POLL,
    REST,
    SAID_TO_FAIL,
    SHAPES,
    SOURCE,
    SUBMIT,
    RecordingFake,
    Scene,
    Trouble,
    broken_download,
    broken_submit,
    drifting_submit,
    files,
)
from .jobs_sockets import async_http_client, http_client
from .observe import Eavesdropper, eavesdropping, tells_of
from .server import fault_server

JOBS = 2_600 if os.environ.get("FAULTS") == "long" else 100
SEED = int(os.environ.get("FAULTS_SEED", "2026"))
ATTEMPTS = 4
TIMEOUT = BUDGET = 60.0
# A piece of a trickle that is under way when the time is up.
SLACK = 15.0
# About as many steps as our own code takes for a job without faults.
STEPS = 1_500
OLD = b"what was there before"

pytestmark = TOLD_TO_NOBODY


@attrs.frozen
class Plan:
    """All that is decided about a job before it begins."""

    connects: list[str]
    submits: list[Trouble]
    polls: list[Trouble]
    downloads: list[Trouble]
    at_once: bool
    timeout: float
    render_seconds: float
    resend_paid: bool
    strict: bool
    overwrite: bool
    fails: bool
    mishap: str
    interruption: tuple[int, type[BaseException]] | None

    @property
    def faults(self) -> int:
        return len(self.connects) + len(self.submits) + len(self.polls) + len(self.downloads)

    @property
    def posts_allowed(self) -> int:
        """By the rules of resending, which look at nothing but what befell each submit."""
        allowed = 1
        attempts = 0
        was_refused = is_held = False
        for fault in self.submits:
            # What went at the pace of the gate, and is refused all the same, has cost time and no attempt.
            is_refused = fault.name.startswith("429")
            attempts += not (is_refused and is_held and not was_refused)
            is_final = fault.again == "never" or (fault.again == "resend_paid" and not self.resend_paid)
            if is_final or attempts == ATTEMPTS:
                break
            allowed += 1
            was_refused = is_refused
            is_held = is_held or is_refused
        return allowed


RESENDABLE = [fault for fault in SUBMIT if fault.again != "never"]


def plan_of(number: int, twin: str) -> Plan:
    """The job of that number: the same every time, and unlike the others."""
    chance = random.Random(f"{SEED} {number} {twin}")
    pick = chance.choice
    submits = [pick(RESENDABLE) for _ in range(pick((0, 0, 0, 1, 2, ATTEMPTS)))]
    if pick((True, True, False)):
        submits.append(_submit_fault(chance))
    downloads = [fault for _ in range(pick((0, 1, 1, 2, 4))) for fault in _download_faults(chance)]
    mishap = pick(("on_update raises", "on_progress raises", "target taken", "another loop", *["none"] * 5))
    return Plan(
        connects=[pick(("accepted", "accepted", "refused", "timeout")) for _ in range(pick((0, 0, 1, 2, 5)))],
        submits=submits,
        polls=[trouble for _ in range(pick((0, 0, 1, 2, 5))) for trouble in pick(POLL)],
        downloads=downloads,
        at_once=pick((True, False)),
        timeout=pick((20.0, 120.0, 900.0)),
        render_seconds=pick((0.0, 5.0, 40.0)),
        resend_paid=pick((True, True, False)),
        strict=pick((True, False, False)),
        overwrite=pick((True, False)),
        fails=pick((True, False, False, False, False, False)),
        mishap=mishap,
        interruption=None if mishap == "another loop" else pick(((chance.randint(1, STEPS), pick(ERRORS)), None)),
    )


def _submit_fault(chance: random.Random) -> Trouble:
    pick = chance.choice
    shape, framing = pick(SHAPES), pick(FRAMINGS)
    return pick(
        (
            pick(SUBMIT),
            drifting_submit(shape, framing),
            broken_submit(shape, framing, chance.randint(0, 100), pick(ENDINGS)),
        )
    )


def _download_faults(chance: random.Random) -> Sequence[Trouble]:
    pick, percent = chance.choice, chance.randint(0, 100)
    broken = broken_download(pick(HOW), percent, pick(("close", "reset", "silence")), pick(AFTERWARDS))
    resumed = broken_download(pick(("with length", "weak tag")), percent, "close", pick(AFTERWARDS)), pick(REST)
    return pick((pick(DOWNLOAD), (broken,), resumed))


class Mishap(Exception):  # noqa: N818
    """The user's own."""


# What may leave a call. Anything else is a mistake.
_MAY_LEAVE: tuple[type[BaseException], ...] = (DeerAPIError, OSError, Mishap, *ERRORS)


class Job:
    """One job as its user lives it, and what must hold after every step."""

    def __init__(
        self,
        plan: Plan,
        scene: Scene,
        client: RemixClient,
        folder: Path,
        log: Eavesdropper,
        use_elsewhere: Callable[[], None],
    ) -> None:
        self._plan = plan
        self._use_elsewhere = use_elsewhere
        self._scene = scene
        self._client = client
        self._folder = folder
        self._log = log
        self.target = folder / "bow.mp4"
        self._others: set[str] = set()
        self._done: set[str] = set()
        self._calls = 0
        if plan.overwrite:
            self._put_another()

    def live(self) -> None:
        """Submit, wait and download; after a failure go on by the id."""
        video_id = self._submit_all() if self._plan.at_once else self._submit()
        if self._plan.mishap == "another loop":
            posts = self._scene.posts
            self._use_elsewhere()
            assert self._scene.posts == posts, "a submit went out on another loop"
        if video_id is not None:
            posts = self._scene.posts
            self._go_on(video_id)
            assert self._scene.posts == posts, "a job whose id is known was paid for again"

    def _submit(self) -> str | None:
        def submit() -> str:
            return self._client.remix(SOURCE, prompt="The cat takes a bow").id

        result = self._step(submit, BUDGET + TIMEOUT)
        return self._after_submit(result)

    def _submit_all(self) -> str | None:
        accepted: list[str] = []

        def on_update(video: Video) -> None:
            accepted.append(video.id)
            self._meddle("on_update raises")
            self._take_target()

        def submit() -> str:
            path = self._client.remix_to_file(
                SOURCE,
                self.target,
                prompt="The cat takes a bow",
                timeout=self._plan.timeout,
                overwrite=self._plan.overwrite,
                on_update=on_update,
                on_progress=lambda *_: self._meddle("on_progress raises"),
            )
            assert path == self.target
            self._check_saved()
            return accepted[0]

        # No deadline clips a submit that has started.
        return self._after_submit(self._step(submit, self._plan.timeout + TIMEOUT))

    def _after_submit(self, result: str | BaseException) -> str | None:
        posts = self._scene.posts
        assert posts <= self._plan.posts_allowed, f"{posts} submits, {self._plan.posts_allowed} allowed"
        known = {result} if isinstance(result, str) else ids_in(result) - {SOURCE}
        assert known <= self._scene.issued, "an id that the server never issued"
        interrupted = isinstance(result, ERRORS)
        assert interrupted or self._scene.told <= known, f"lost: {self._scene.told - known}"
        unseen = self._scene.charged(resent=isinstance(result, str)) - known
        if unseen:
            assert isinstance(result, BaseException)
            # The number of a row may be all that came of an answer that was cut before the id.
            assert tells_of(result, known | {"4711"}), "a job was paid for, and nothing is told of it"
        if posts == 0 and isinstance(result, DeerAPIError):
            assert not result.may_have_been_charged, "nothing arrived, and the error says that a job may be charged"
        if isinstance(result, DeerAPIError):
            assert not (result.retryable and (unseen or known)), "to call again would pay again"
        assert len(known) <= 1
        return next(iter(known), None)

    def _go_on(self, video_id: str) -> None:
        # Every round that fails uses up a fault; the job may be rendering for two more, and the target be taken.
        for _ in range(self._plan.faults + 5):
            if self._saved():
                return
            end = self._step(lambda: self._wait(video_id), self._plan.timeout)
            if isinstance(end, RemixFailedError):
                if self._plan.fails:
                    return
                assert self._said_to_fail()
            if isinstance(end, BaseException):
                self._names(end, video_id)
                continue
            saved = self._step(lambda: self._download(video_id), (self._plan.faults + 1) * (BUDGET + TIMEOUT))
            if isinstance(saved, FileExistsError):
                self.target = self._folder / "another.mp4"
            elif isinstance(saved, BaseException):
                self._names(saved, video_id)
        raise AssertionError("the job is known, and its file never comes")

    def _wait(self, video_id: str) -> str:
        def on_update(_: Video) -> None:
            self._meddle("on_update raises")

        video = self._client.wait(video_id, timeout=self._plan.timeout, on_update=on_update)
        assert video.id == video_id
        assert video.is_completed
        return video.id

    def _download(self, video_id: str) -> str:
        self._take_target()
        path = self._client.download(
            video_id,
            self.target,
            overwrite=self._plan.overwrite,
            on_progress=lambda *_: self._meddle("on_progress raises"),
        )
        assert path == self.target
        self._check_saved()
        return video_id

    def _step(self, call: Callable[[], str], seconds: float) -> str | BaseException:
        """One call: its result or what it raised, in time, with nothing left behind and nothing given away."""
        began = self._scene.clock.time
        self._calls += 1
        result: str | BaseException
        nth, error = self._plan.interruption or (math.inf, KeyboardInterrupt)
        try:
            with StrikeAtStep(nth if self._calls == 1 else math.inf, error("struck"), watched=("deerapi_remix/",)):
                result = call()
        except AssertionError:
            raise
        except _MAY_LEAVE as error:
            result = error
            shown = "".join([*traceback.format_exception(error), repr(error), repr(vars(error))])
            assert KEY not in shown, "an error gives the key away"
        took = self._scene.clock.time - began
        assert took <= seconds + SLACK, f"a call took {took} s, {seconds} s were allowed"
        assert self._log.heard == [], "the log gives the key away"
        self._check_files()
        return result

    def _names(self, error: BaseException, video_id: str) -> None:
        assert video_id in ids_in(error) or isinstance(error, Mishap | OSError)
        if isinstance(error, DeerAPIError):
            assert error.video_id == video_id
            assert not error.may_have_been_charged

    def _said_to_fail(self) -> bool:
        return any(trouble.name in SAID_TO_FAIL for trouble in self._plan.polls)

    def _meddle(self, mishap: str) -> None:
        if self._plan.mishap == mishap and mishap not in self._done:
            self._done.add(mishap)
            raise Mishap

    def _take_target(self) -> None:
        """Another process takes the name while the job renders."""
        if self._plan.mishap == "target taken" and not self._others:
            self._put_another()

    def _put_another(self) -> None:
        self.target.write_bytes(OLD)
        self._others.add(self.target.name)

    def _saved(self) -> bool:
        return self.target.exists() and self.target.read_bytes() in files(self._scene.version)

    def _check_saved(self) -> None:
        assert self._saved(), "what was saved is no file that the server ever had"

    def _check_files(self) -> None:
        left = sorted(path.name for path in self._folder.iterdir())
        assert set(left) <= {"bow.mp4", "another.mp4"}, f"left behind: {left}"
        for name in left:
            content = (self._folder / name).read_bytes()
            was_there = name in self._others and content == OLD
            if name in self._others and not self._plan.overwrite:
                assert was_there, f"{name} was another's"
            assert was_there or content in files(self._scene.version), f"{name} is not whole"


def ids_in(error: BaseException) -> set[str]:
    """The ids of jobs that an exception tells its catcher."""
    told = list(getattr(error, "__notes__", []))
    if isinstance(error, DeerAPIError):
        told += [error.video_id or "", error.job_id or "", error.video.id if error.video else ""]
    return set(re.findall(r"video_[0-9a-f]{32}|video_123", " ".join(told)))


@contextmanager
def virtual_time() -> Iterator[Clock]:
    clock = Clock(VirtualClock(1_800_001_000.0))
    with closing(clock), patch.multiple(_clock, **clock.functions):
        yield clock


def live(plan: Plan, *, asynchronous: bool) -> None:
    with (
        virtual_time() as clock,
        eavesdropping(KEY) as log,
        tempfile.TemporaryDirectory() as folder,
        asyncio.Runner() as runner,
    ):
        fake = RecordingFake(clock=clock.now, render_seconds=plan.render_seconds)
        if plan.fails:
            fake.fails()
        scene = Scene(
            clock, fake, connects=plan.connects, submits=plan.submits, polls=plan.polls, downloads=plan.downloads
        )
        options: dict[str, Any] = {
            "timeout": TIMEOUT,
            "retry": RetryPolicy(attempts=ATTEMPTS, budget=BUDGET, resend_paid=plan.resend_paid),
            "polling": PollingPolicy(timeout=plan.timeout),
            "strict": plan.strict,
        }
        with fault_server(fake, *[scene.step] * 500) as server:
            close: Callable[[], None]
            client: RemixClient
            use_elsewhere: Callable[[], None] = lambda: None  # noqa: E731  # Threads may share a client.
            if asynchronous:
                pool = async_http_client(scene)
                twin = AsyncRemixClient(KEY, base_url=server.url, http_client=pool, **options)
                client = cast(RemixClient, Plain(twin, runner))
                close = partial(runner.run, pool.aclose())
                use_elsewhere = partial(use_on_another_loop, twin)
            else:
                http = http_client(scene)
                client = RemixClient(KEY, base_url=server.url, http_client=http, **options)
                close = http.close
            try:
                Job(plan, scene, client, Path(folder), log, use_elsewhere).live()
            finally:
                close()


def use_on_another_loop(client: AsyncRemixClient) -> None:
    with pytest.raises(ConfigurationError):
        asyncio.run(client.remix(SOURCE, prompt="The cat takes a bow"))


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_no_job_is_lost_or_paid_for_twice(asynchronous: bool, request: pytest.FixtureRequest) -> None:
    twin = "async" if asynchronous else "sync"
    request.config.stash[DRAWN].append(f"{JOBS} random jobs of the {twin} twin, seed {SEED}")
    for number in range(JOBS):
        plan = plan_of(number, twin)
        try:
            live(plan, asynchronous=asynchronous)
        except Exception as error:
            error.add_note(f"Job {number} of seed {SEED}: {plan}")
            error.add_note(f"Fails still: {simplest(plan, asynchronous=asynchronous)}")
            raise


def simplest(plan: Plan, *, asynchronous: bool) -> Plan:
    """What is left of a plan that fails when every fault is gone that it fails without."""
    for name in ("connects", "submits", "polls", "downloads"):
        for position in reversed(range(len(getattr(plan, name)))):
            faults = getattr(plan, name)
            simpler = attrs.evolve(plan, **{name: faults[:position] + faults[position + 1 :]})
            try:
                live(simpler, asynchronous=asynchronous)
            except Exception:
                plan = simpler
    return plan

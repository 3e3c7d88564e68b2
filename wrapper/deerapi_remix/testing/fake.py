"""The fake: one API in plain Python and without I/O, with faults on request."""

import logging
import math
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence

from attrs import evolve

from deerapi_remix.testing._chaos import Chance, Chaos
from deerapi_remix.testing._jobs import Job
from deerapi_remix.testing._limits import Limits
from deerapi_remix.testing._messages import (
    Answer,
    Operation,
    RecordedRequest,
    Request,
    bearer_key,
    nested_error,
    new_request_id,
)
from deerapi_remix.testing._prefer import as_preferred, preferred_status
from deerapi_remix.testing._routes import ROUTES, Route, allowed_methods, read
from deerapi_remix.testing._script import NOTHING, Script
from deerapi_remix.testing._service import Service

__all__ = ["Answer", "Chaos", "FakeDeerAPI", "Job", "Operation", "RecordedRequest", "Request"]

CheckRequest = Callable[[RecordedRequest], str | None]
CheckAnswer = Callable[[RecordedRequest, Answer], str | None]

_log = logging.getLogger("deerapi_remix.testing")


class FakeDeerAPI(Script):
    """A small DeerAPI: a completed video `video_123` to remix, jobs that render by the clock.

    Faults on request wait in line for their operation: each hits one request, in the order in which
    they were scripted. Those that need a successful request (a failing job, a lost answer, ...) let
    others pass. A request with the header `Prefer: code=429` is answered with that status, and
    nothing is done. Threads may share a fake.

    Args:
        clock: Unix time in seconds; a `VirtualClock` moves when told to.
        render_seconds: How long a job takes; 0 completes it at once.
        models: The models that are served.
        api_keys: The keys that are valid; by default any that is well-formed.
        fail_rate: The share of jobs that fail halfway; short for `Chaos(fail_rate=...)`.
        seed: The same seed lets the same faults happen by chance; by default they differ.
        chaos: Faults by chance, and limits of how much may be asked.
        kept: How many requests and how many jobs are kept; the oldest are forgotten, but no job
            that is still rendered. By default everything is kept.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        render_seconds: float = 5.0,
        models: Sequence[str] = ("sora-2", "sora-2-pro"),
        api_keys: Collection[str] | None = None,
        fail_rate: float = 0.0,
        seed: int | None = None,
        chaos: Chaos = Chaos(),  # noqa: B008  # Frozen.
        kept: int | None = None,
    ) -> None:
        if not 0 <= render_seconds < math.inf:
            raise ValueError("render_seconds must be a number of seconds, zero or more")
        super().__init__()
        self.chaos = chaos
        if fail_rate != 0:
            self.chaos = evolve(chaos, fail_rate=fail_rate)
        self._api_keys = api_keys
        self.takes_any_key = api_keys is None
        self._chance = Chance(seed)
        self._limits = Limits()
        self._service = Service(
            clock, render_seconds, models, lambda: self._chance.fate(self.chaos), kept
        )
        self._requests: deque[RecordedRequest] = deque(maxlen=kept)
        self.reset()

    def reset(self) -> None:
        """Forgets all but `video_123`; what happens by chance begins anew with the seed."""
        with self._lock:
            self._forget_the_script()
            self._requests.clear()
            self._limits.clear()
            self._chance.restart()
            self._service.clear()
            self.add_video("video_123")

    def add_video(self, video_id: str, *, model: str = "sora-2") -> None:
        """Adds a completed video."""
        with self._lock:
            self._service.add_completed(video_id, model)

    @property
    def jobs(self) -> Mapping[str, Job]:
        """Every video by its id, as it stands now."""
        with self._lock:
            return self._service.jobs()

    @property
    def requests(self) -> Sequence[RecordedRequest]:
        """Every request so far, refused ones included."""
        with self._lock:
            return tuple(self._requests)

    def handle(
        self,
        request: Request,
        *,
        check_request: CheckRequest | None = None,
        check_answer: CheckAnswer | None = None,
        at_once: int = 1,
    ) -> Answer:
        """Answers one request.

        Args:
            request: What came over the wire.
            check_request: Says what else is wrong with a request; it is refused with 400.
            check_answer: Says what is wrong with an answer of the fake's own (not a scripted one);
                it becomes a 500.
            at_once: How many requests of this key a server works on now, this one included.
        """
        with self._lock:
            call = read(request, new_request_id())
            if call.operation is None:
                reply = _no_such_operation(call)
            else:
                route = ROUTES[call.operation]
                reply = self._refusal(request, route, call, at_once) or self._reply(
                    route, call, check_request, check_answer
                )
            if not reply.lost:
                call = evolve(call, status=reply.status)
            self._requests.append(call)
            return reply

    def _refusal(
        self, request: Request, route: Route, call: RecordedRequest, at_once: int
    ) -> Answer | None:
        """The answer to a request that is not let in."""
        key = bearer_key(request)
        known = self._api_keys is None or key in self._api_keys
        if key is None or not known:
            return nested_error(call.request_id, 401)
        if status := preferred_status(request.headers):
            return as_preferred(call.request_id, status)
        return self._limits.refusal(
            key, call, self.chaos, paid=route.paid, at_once=at_once, now=self._service.now()
        )

    def _reply(
        self,
        route: Route,
        call: RecordedRequest,
        check_request: CheckRequest | None,
        check_answer: CheckAnswer | None,
    ) -> Answer:
        """The answer to a request that is let in."""
        scripted = self._first_in_line(route.operation)
        if scripted.instead:
            self._lines[route.operation].popleft()
            return scripted.instead(call.request_id)
        wrong = route.problem(call)
        if wrong is None and check_request is not None:
            wrong = check_request(call)
        if wrong is not None:
            usual = nested_error(call.request_id, 400, wrong)
        else:
            usual = route.perform(self._service, call, scripted.fate)
        if check_answer is not None and (wrong := check_answer(call, usual)):
            _log.error("The fake broke the contract: %s", wrong)
            return nested_error(call.request_id, 500, wrong, code="contract_broken")
        usual = evolve(usual, delay=self.chaos.latency)
        if usual.status >= 300:
            return usual
        delivered = self._chance.delivered(route.operation, usual, self.chaos)
        if scripted is NOTHING:
            return delivered
        self._lines[route.operation].popleft()
        return scripted.deliver(usual)


def _no_such_operation(call: RecordedRequest) -> Answer:
    what = f"{call.method} {call.path}"
    methods = ", ".join(allowed_methods(call.path))
    if not methods:
        return nested_error(call.request_id, 404, f"Invalid URL ({what})")
    return nested_error(
        call.request_id, 405, f"Invalid method ({what})", headers={"allow": methods}
    )

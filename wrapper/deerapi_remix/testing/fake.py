"""The fake: one API in plain Python and without I/O, with faults on request."""

import logging
import math
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence

from attrs import evolve, frozen

from deerapi_remix.testing._jobs import Job
from deerapi_remix.testing._messages import (
    ROUTES,
    Answer,
    Operation,
    RecordedRequest,
    Request,
    allowed_method,
    answer,
    bearer_key,
    json_answer,
    nested_error,
    read,
)
from deerapi_remix.testing._prefer import as_preferred, preferred_status
from deerapi_remix.testing._service import Service, problem

__all__ = ["Answer", "FakeDeerAPI", "Job", "Operation", "RecordedRequest", "Request"]

CheckRequest = Callable[[RecordedRequest], str | None]
CheckAnswer = Callable[[RecordedRequest, Answer], str | None]

_log = logging.getLogger("deerapi_remix.testing")


@frozen
class _Scripted:
    """What befalls one request: an answer instead of the usual, or something on top of it."""

    instead: Callable[[str], Answer] | None = None
    error: Mapping[str, str] | None = None
    stuck: bool = False
    deliver: Callable[[Answer], Answer] = lambda usual: usual


_NOTHING = _Scripted()


class FakeDeerAPI:
    """A small DeerAPI: a completed video `video_123` to remix, jobs that render by the clock, and faults on request.

    Faults wait in line for their operation: each hits one request, in the order in which they were scripted. Those
    that need a successful request (a failing job, a lost answer, ...) let others pass. A request with the header
    `Prefer: code=429` is answered with that status, and nothing is done. Threads may share a fake.

    Args:
        clock: Unix time in seconds; a `VirtualClock` moves when told to.
        render_seconds: How long a job takes; 0 completes it at once.
        models: The models that are served.
        api_keys: The keys that are valid; by default any that is well-formed.
        fail_rate: The share of jobs that fail halfway, from 0 to 1.
        seed: The same seed lets the same jobs fail, in the order of their submits; by default it differs every time.
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
    ) -> None:
        if not 0 <= render_seconds < math.inf:
            raise ValueError("render_seconds must be a number of seconds, zero or more")
        if not 0 <= fail_rate <= 1:
            raise ValueError("fail_rate must be a share, from 0 to 1")
        self._api_keys = api_keys
        self._service = Service(clock, render_seconds, models, fail_rate, seed)
        # Reentrant, because a check or a clock may look at the fake.
        self._lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        """Forgets all jobs, requests and scripted faults; only `video_123` is left, and the seed begins anew."""
        with self._lock:
            self._requests: list[RecordedRequest] = []
            self._script: dict[Operation, deque[_Scripted]] = {
                operation: deque() for operation in ROUTES
            }
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

    def answers(
        self,
        operation: Operation,
        status: int,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        times: int = 1,
    ) -> None:
        """Answers without doing anything.

        Args:
            operation: `remix`, `retrieve`, `download` or `models`.
            status: The status to answer with.
            body: Text or bytes are sent as they are, other values as JSON; by default what goes with the status.
            headers: Go on top of the usual ones.
            times: How many requests get this answer.
        """

        def forced(request_id: str) -> Answer:
            if body is None and status >= 400:
                return nested_error(request_id, status, headers=headers)
            if isinstance(body, str):
                return answer(
                    request_id, status, body.encode(), "text/plain; charset=utf-8", headers
                )
            if body is None or isinstance(body, bytes):
                return answer(
                    request_id,
                    status,
                    body or b"",
                    "application/octet-stream" if body else None,
                    headers,
                )
            return json_answer(request_id, status, body, headers)

        self._next(operation, _Scripted(instead=forced), times)

    def rate_limited(
        self, operation: Operation = "remix", *, retry_after: float | str = 1, times: int = 1
    ) -> None:
        """Answers 429 with `Retry-After`: seconds, or text such as an HTTP date."""
        value = retry_after if isinstance(retry_after, str) else f"{retry_after:g}"
        self.answers(operation, 429, headers={"retry-after": value}, times=times)

    def fails(
        self,
        *,
        code: str = "moderation_blocked",
        message: str = "The prompt was refused by the safety system.",
    ) -> None:
        """Lets the next accepted job fail halfway."""
        self._next("remix", _Scripted(error={"code": code, "message": message}))

    def stuck(self) -> None:
        """Lets the next accepted job stay halfway for ever."""
        self._next("remix", _Scripted(stuck=True))

    def answer_lost(self, operation: Operation = "remix", *, times: int = 1) -> None:
        """Does what is asked, and the answer never arrives."""
        self._next(operation, _Scripted(deliver=lambda usual: evolve(usual, lost=True)), times)

    def truncated(
        self, operation: Operation = "download", *, at: int | None = None, times: int = 1
    ) -> None:
        """Breaks the connection after `at` bytes of the body (half of them by default), announced in full."""
        if at is not None and at < 0:
            raise ValueError("at must not be negative")

        def cut(usual: Answer) -> Answer:
            position = len(usual.body) // 2 if at is None else at
            return evolve(usual, cut_at=position) if position < len(usual.body) else usual

        self._next(operation, _Scripted(deliver=cut), times)

    def _next(self, operation: Operation, scripted: _Scripted, times: int = 1) -> None:
        check_operation(operation)
        if times < 1:
            raise ValueError("times must be at least 1")
        with self._lock:
            self._script[operation].extend([scripted] * times)

    def handle(
        self,
        request: Request,
        *,
        check_request: CheckRequest | None = None,
        check_answer: CheckAnswer | None = None,
    ) -> Answer:
        """Answers one request.

        Args:
            request: What came over the wire.
            check_request: Says what else is wrong with a request; it is refused with 400.
            check_answer: Says what is wrong with an answer of the fake's own (not a scripted one); it becomes a 500.
        """
        with self._lock:
            call = read(
                request, f"{time.strftime('%Y%m%d%H%M%S', time.gmtime())}{secrets.token_hex(9)}"
            )
            if call.operation is None:
                reply = _no_such_operation(call)
            elif not self._lets_in(request):
                reply = nested_error(call.request_id, 401)
            elif status := preferred_status(request.headers):
                reply = as_preferred(call.request_id, status)
            else:
                reply = self._reply(call.operation, call, check_request, check_answer)
            self._requests.append(evolve(call, status=None if reply.lost else reply.status))
            return reply

    def _lets_in(self, request: Request) -> bool:
        key = bearer_key(request)
        return key is not None and (self._api_keys is None or key in self._api_keys)

    def _reply(
        self,
        operation: Operation,
        call: RecordedRequest,
        check_request: CheckRequest | None,
        check_answer: CheckAnswer | None,
    ) -> Answer:
        script = self._script[operation]
        scripted = script[0] if script else _NOTHING
        if scripted.instead:
            script.popleft()
            return scripted.instead(call.request_id)
        wrong = problem(call) or (check_request(call) if check_request else None)
        usual = (
            nested_error(call.request_id, 400, wrong)
            if wrong
            else self._perform(operation, call, scripted)
        )
        if check_answer and (wrong := check_answer(call, usual)):
            _log.error("The fake broke the contract: %s", wrong)
            return nested_error(call.request_id, 500, wrong, code="contract_broken")
        if scripted is _NOTHING or usual.status >= 300:
            return usual
        script.popleft()
        return scripted.deliver(usual)

    def _perform(self, operation: Operation, call: RecordedRequest, scripted: _Scripted) -> Answer:
        match operation:
            case "remix":
                return self._service.remix(call, error=scripted.error, stuck=scripted.stuck)
            case "retrieve":
                return self._service.retrieve(call)
            case "download":
                return self._service.download(call)
            case "models":
                return self._service.models(call)


def check_operation(operation: str) -> None:
    """Raise ValueError if there is no such operation."""
    if operation not in ROUTES:
        raise ValueError(f"operation must be one of {', '.join(ROUTES)}, not {operation!r}")


def _no_such_operation(call: RecordedRequest) -> Answer:
    what = f"{call.method} {call.path}"
    if method := allowed_method(call.path):
        return nested_error(
            call.request_id, 405, f"Invalid method ({what})", headers={"allow": method}
        )
    return nested_error(call.request_id, 404, f"Invalid URL ({what})")

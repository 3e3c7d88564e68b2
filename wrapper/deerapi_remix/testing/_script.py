"""What a test scripts: faults that wait in line, each for one request."""

import threading
from collections import deque
from collections.abc import Callable, Mapping

from attrs import evolve, frozen

from deerapi_remix.testing._chaos import cut
from deerapi_remix.testing._jobs import FINE, Fate
from deerapi_remix.testing._messages import Answer, Operation, answer, json_answer, nested_error
from deerapi_remix.testing._routes import ROUTES, check_operation


def _as_it_is(usual: Answer) -> Answer:
    return usual


@frozen
class Scripted:
    """What befalls one request.

    Attributes:
        instead: Makes an answer from a request ID; nothing is done then.
        fate: What goes wrong with the job that the request makes.
        deliver: Makes of the usual answer the one that is sent.
    """

    instead: Callable[[str], Answer] | None = None
    fate: Fate = FINE
    deliver: Callable[[Answer], Answer] = _as_it_is


NOTHING = Scripted()


class Script:
    """Keeps what is scripted, in one line for each operation. Threads may share it."""

    def __init__(self) -> None:
        # Reentrant, because a check or a clock may look at the fake that this is part of.
        self._lock = threading.RLock()
        self._lines: dict[Operation, deque[Scripted]] = {}
        self._forget_the_script()

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
            body: Text or bytes are sent as they are, other values as JSON; by default what goes
                with the status.
            headers: Go on top of the usual ones.
            times: How many requests get this answer.
        """
        forced = Scripted(instead=lambda request_id: _forced(request_id, status, body, headers))
        self._script(operation, forced, times)

    def rate_limited(
        self, operation: Operation = "remix", *, retry_after: float | str = 1, times: int = 1
    ) -> None:
        """Answers 429 with `Retry-After`: seconds, or text such as an HTTP date."""
        if not isinstance(retry_after, str):
            retry_after = f"{retry_after:g}"
        self.answers(operation, 429, headers={"retry-after": retry_after}, times=times)

    def fails(
        self,
        *,
        code: str = "moderation_blocked",
        message: str = "The prompt was refused by the safety system.",
    ) -> None:
        """Lets the next accepted job fail halfway."""
        self._script("remix", Scripted(fate=Fate(error={"code": code, "message": message})))

    def stuck(self) -> None:
        """Lets the next accepted job stay halfway for ever."""
        self._script("remix", Scripted(fate=Fate(stuck=True)))

    def answer_lost(self, operation: Operation = "remix", *, times: int = 1) -> None:
        """Does what is asked, and the answer never arrives."""
        lost = Scripted(deliver=lambda usual: evolve(usual, lost=True))
        self._script(operation, lost, times)

    def truncated(
        self, operation: Operation = "download", *, at: int | None = None, times: int = 1
    ) -> None:
        """Breaks the connection after `at` bytes of the body, by default after half of them.

        The length of the whole body is announced all the same.
        """
        if at is not None and at < 0:
            raise ValueError("at must not be negative")
        self._script(operation, Scripted(deliver=lambda usual: cut(usual, at)), times)

    def _script(self, operation: Operation, scripted: Scripted, times: int = 1) -> None:
        check_operation(operation)
        if times < 1:
            raise ValueError("times must be at least 1")
        with self._lock:
            self._lines[operation].extend([scripted] * times)

    def _first_in_line(self, operation: Operation) -> Scripted:
        """What waits for the next request; it goes on waiting."""
        line = self._lines[operation]
        if not line:
            return NOTHING
        return line[0]

    def _forget_the_script(self) -> None:
        with self._lock:
            self._lines = {operation: deque() for operation in ROUTES}


def _forced(
    request_id: str, status: int, body: object, headers: Mapping[str, str] | None
) -> Answer:
    if body is None and status >= 400:
        return nested_error(request_id, status, headers=headers)
    if body is None or body == b"":
        return answer(request_id, status, b"", None, headers)
    if isinstance(body, bytes):
        return answer(request_id, status, body, "application/octet-stream", headers)
    if isinstance(body, str):
        return answer(request_id, status, body.encode(), "text/plain; charset=utf-8", headers)
    return json_answer(request_id, status, body, headers)

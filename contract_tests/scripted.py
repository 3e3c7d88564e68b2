"""Both clients on a script: each request gets the next step, and time passes only where somebody sleeps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx

from deerapi_remix import AsyncRemixClient, RemixClient

from .clients import KEY, Answer, Outcome


class Clock:
    """Virtual time, which a test may also let pass by itself."""

    def __init__(self) -> None:
        self.time = 1_000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.time

    def now(self) -> float:
        return 1_800_000_000.0 + self.time

    def sleep(self, seconds: float) -> None:
        assert len(self.slept) < 5_000, "the client sleeps again and again"
        self.slept.append(seconds)
        self.time += seconds

    async def async_sleep(self, seconds: float) -> None:
        self.sleep(seconds)


class Chance:
    """The upper end of every range that is drawn from, and the ranges."""

    def __init__(self) -> None:
        self.drawn: list[tuple[float, float]] = []

    def uniform(self, low: float, high: float) -> float:
        self.drawn.append((low, high))
        return high


class Pieces(Answer):
    """An answer whose body comes in pieces; what is called between them is a step of the test's own."""

    def __init__(self, status: int, *pieces: bytes | Callable[[], None], **options: Any) -> None:
        super().__init__(status, b"".join(piece for piece in pieces if isinstance(piece, bytes)), **options)
        self.pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            if isinstance(piece, bytes):
                yield piece
            else:
                piece()
        if self.cut:
            raise self.cut("cut on purpose")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk


Step = Answer | BaseException | Callable[[httpx.Request], Answer]


class Scripted(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A client of one kind, called in one way; after the last step that step is repeated."""

    def __init__(
        self, runner: asyncio.Runner | None, *steps: Step, http: dict[str, Any] | None, **options: Any
    ) -> None:
        self._runner = runner
        self._steps = steps
        self._requests: list[httpx.Request] = []
        # Of every request as it was sent; the client shortens them while the answer comes.
        self.timeouts: list[dict[str, float | None]] = []
        options = {"api_key": KEY, **options}
        self.http: Any
        self.client: Any
        if runner:
            self.http = httpx.AsyncClient(transport=self, **(http or {}))
            self.client = AsyncRemixClient(http_client=self.http, **options)
        else:
            self.http = httpx.Client(transport=self, **(http or {}))
            self.client = RemixClient(http_client=self.http, **options)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert len(self._requests) < 5_000, "the client sends requests without an end"
        step = self._steps[min(len(self._requests), len(self._steps) - 1)]
        self._requests.append(request)
        self.timeouts.append(dict(request.extensions["timeout"]))
        if isinstance(step, BaseException):
            raise step
        answer = step if isinstance(step, Answer) else step(request)
        return httpx.Response(answer.status, headers=answer.headers, stream=answer)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)

    def __call__(self, method: str, *arguments: Any, **options: Any) -> Outcome:
        """Call a method; what came of it, with the requests that it sent."""
        outcome = Outcome()
        before = len(self._requests)
        try:
            outcome.value = self.run(getattr(self.client, method), *arguments, **options)
        except Exception as error:
            outcome.error = error
        outcome.requests = self._requests[before:]
        return outcome

    def run(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """Call a function of either kind; whatever it raises passes."""
        result = function(*arguments, **options)
        return self._runner.run(result) if self._runner and asyncio.iscoroutine(result) else result

    def close(self) -> None:
        """Close the client, in the way of its kind."""
        self.run(self.client.aclose if self._runner else self.client.close)

"""Both clients, called in one way, with everything they send caught before it reaches a socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

import httpx
import respx

from deerapi_remix import AsyncRemixClient, PollingPolicy, RemixClient, RetryPolicy

KEY = "sk-contract-test-0123456789"
HOST = "https://api.deerapi.com"
TWINS = ("sync", "async")

ONCE = RetryPolicy(attempts=1)
# The delays are there, and take no time.
AGAIN = RetryPolicy(attempts=3, initial_delay=0.0, max_delay=0.0)
POLLING = PollingPolicy(initial_interval=0.001, max_interval=0.001, timeout=2.0)

REQUEST_ID = "202511221530451234567890AbCdEfGh"


class Answer(httpx.SyncByteStream, httpx.AsyncByteStream):
    """What a server answers: bytes, or a value as JSON; `cut` is raised where the body breaks off."""

    def __init__(
        self,
        status: int,
        body: Any = b"",
        *,
        kind: str | None = "application/json",
        headers: dict[str, str] | None = None,
        cut: type[httpx.HTTPError] | None = None,
    ) -> None:
        self.status = status
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.headers = {"X-Oneapi-Request-Id": REQUEST_ID, "Content-Length": str(len(self.body))}
        self.headers |= {"Content-Type": kind} if kind else {}
        self.headers |= headers or {}
        self.cut = cut

    def __iter__(self) -> Iterator[bytes]:
        yield self.body
        if self.cut:
            raise self.cut("cut on purpose")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk


class Outcome:
    """What came of a call: a value or an error, and the requests that were sent for it."""

    def __init__(self) -> None:
        self.value: Any = None
        self.error: Exception | None = None
        self.requests: list[httpx.Request] = []

    def __repr__(self) -> str:
        return repr(self.value) if self.error is None else f"{type(self.error).__name__}: {self.error}"


class Twin:
    """One of the twins, made once: an SSL context for each call would take longer than all the rest.

    As long as it is open, no httpx client reaches a socket.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._runner = asyncio.Runner() if name == "async" else None
        kind = AsyncRemixClient if self._runner else RemixClient
        self.tolerant = kind(KEY, base_url=HOST, retry=ONCE, polling=POLLING)
        self.strict = kind(KEY, base_url=HOST, retry=ONCE, polling=POLLING, strict=True)
        self.patient = self.tolerant.with_options(retry=AGAIN)
        self._router = respx.mock(assert_all_called=False)
        self._route = self._router.route()
        self._router.start()
        self._http = httpx.AsyncClient() if self._runner else httpx.Client()

    @property
    def fresh(self) -> Any:
        """A client that has not warned of anything yet: each warns once of the same thing."""
        kind: Any = AsyncRemixClient if self._runner else RemixClient
        return kind(KEY, base_url=HOST, retry=ONCE, http_client=self._http)

    def close(self) -> None:
        self._router.stop()
        for client in (self.tolerant, self.strict, self._http):
            if isinstance(client, RemixClient | httpx.Client):
                client.close()
            elif self._runner:
                self._runner.run(client.aclose())
        if self._runner:
            self._runner.close()

    def call(
        self,
        method: str,
        *arguments: Any,
        answers: Sequence[Answer | type[httpx.HTTPError]],
        using: str = "tolerant",
        **options: Any,
    ) -> Outcome:
        """Call a method while the network gives `answers`, the last one for ever."""
        outcome = Outcome()

        def handle(request: httpx.Request) -> httpx.Response:
            answer = answers[min(len(outcome.requests), len(answers) - 1)]
            outcome.requests.append(request)
            if isinstance(answer, type):
                raise answer("broken on purpose")
            return httpx.Response(answer.status, headers=answer.headers, stream=answer)

        self._router.reset()
        self._route.side_effect = handle
        function: Callable[..., Any] = getattr(getattr(self, using), method)
        try:
            result = function(*arguments, **options)
            outcome.value = self._runner.run(result) if self._runner else result
        except Exception as error:
            outcome.error = error
        return outcome

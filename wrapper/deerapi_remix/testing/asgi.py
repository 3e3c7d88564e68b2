"""The fake as an ASGI app, and as a server on a port."""

import asyncio
import logging
import socket
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any, cast

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import LOGGING_CONFIG

from deerapi_remix.testing._contract import contract
from deerapi_remix.testing._hosts import HostGuard
from deerapi_remix.testing._messages import Answer, Request, nested_error, new_request_id
from deerapi_remix.testing.fake import FakeDeerAPI
from deerapi_remix.testing.playground import PREFIX, with_playground

__all__ = ["ConnectionBrokenError", "create_app", "running_server", "serve"]

_CHUNK = 65_536
# Longer than a client waits for an answer.
_SILENCE = 600.0
# A request holds a prompt, which is no longer than this by far. What is kept of requests and jobs
# is bounded by their number, so each of them is bounded as well.
_LONGEST_BODY = 100_000


class ConnectionBrokenError(ConnectionError):
    """A fault breaks the connection. In process this is how it shows; a server hangs up."""


def create_app(
    fake: FakeDeerAPI | None = None, *, validate_answers: bool = True, silence: float = 0.0
) -> Starlette:
    """Puts the fake behind ASGI; requests are checked against the OpenAPI document.

    Args:
        fake: The fake to serve, by default a new one.
        validate_answers: Whether answers are checked too. One that breaks the contract becomes a
            500 that says how; scripted ones are not checked.
        silence: Seconds for which a lost answer leaves the client waiting, if it stays that long,
            before the app raises `ConnectionBrokenError`. In process, where nobody hangs up, leave
            it at zero.
    """
    app = Starlette()
    # The fake finds the route itself, by the path as it was sent.
    app.router.default = _Adapter(fake or FakeDeerAPI(), validate_answers, silence)
    return app


class _Adapter:
    def __init__(self, fake: FakeDeerAPI, validate_answers: bool, silence: float) -> None:
        self._fake = fake
        self._check_request = contract().request_problem
        self._check_answer = None
        if validate_answers:
            self._check_answer = contract().answer_problem
        self._silence = silence
        # How many requests are under way, by what they say about who sends them.
        self._under_way: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sender = Headers(scope=scope).get("authorization", "")
        self._under_way[sender] += 1
        try:
            body = await _body(receive)
            answer = self._answer(scope, body, self._under_way[sender])
            await asyncio.sleep(answer.delay)
            if answer.lost:
                await self._keep_silent(receive)
            else:
                await _deliver(answer, send)
        finally:
            self._under_way[sender] -= 1
            if not self._under_way[sender]:
                del self._under_way[sender]

    def _answer(self, scope: Scope, body: bytes, at_once: int) -> Answer:
        if len(body) > _LONGEST_BODY:
            return nested_error(new_request_id(), 413)
        headers = Headers(scope=scope)
        request = Request(
            method=scope["method"],
            path=scope["raw_path"].partition(b"?")[0].decode("latin-1"),
            query=scope["query_string"].decode("latin-1"),
            headers={name: ", ".join(headers.getlist(name)) for name in headers},
            body=body,
        )
        return self._fake.handle(
            request,
            check_request=self._check_request,
            check_answer=self._check_answer,
            at_once=at_once,
        )

    async def _keep_silent(self, receive: Receive) -> None:
        try:
            async with asyncio.timeout(self._silence):
                while (await receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            raise ConnectionBrokenError("the answer was lost, as scripted") from None


async def _body(receive: Receive) -> bytes:
    """The body, no more than a little beyond the longest that is taken."""
    body, more = b"", True
    while more and len(body) <= _LONGEST_BODY:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _deliver(answer: Answer, send: Send) -> None:
    lines = [
        (name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": lines})
    body = answer.body[: answer.cut_at]
    for end in range(_CHUNK, len(body) + _CHUNK, _CHUNK):
        chunk = body[end - _CHUNK : end]
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    if answer.cut_at is not None:
        raise ConnectionBrokenError(
            f"the body was cut after {answer.cut_at} of {len(answer.body)} bytes, as scripted"
        )
    await send({"type": "http.response.body", "body": b"", "more_body": False})


class _Server(uvicorn.Server):
    def __init__(self, app: ASGIApp, on_ready: Callable[[], None], **logging: Any) -> None:
        config = uvicorn.Config(
            app,
            http="h11",
            ws="none",
            loop="asyncio",
            lifespan="off",
            proxy_headers=False,
            # Longer than clients keep an idle connection, so that none is closed under a request.
            timeout_keep_alive=75,
            # Clients that still wait for a lost answer do not hold up the end.
            timeout_graceful_shutdown=1,
            **logging,
        )
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()


def _log_config() -> dict[str, Any]:
    """What uvicorn logs, without its greeting and without the many requests of the playground."""
    usual = LOGGING_CONFIG["loggers"]
    access = {**usual["uvicorn.access"], "filters": ["api"]}
    return {
        **LOGGING_CONFIG,
        "filters": {"api": {"()": lambda: _of_the_api}},
        "loggers": {**usual, "uvicorn.error": {"level": "WARNING"}, "uvicorn.access": access},
    }


def _of_the_api(record: logging.LogRecord) -> bool:
    path = cast("tuple[str, ...]", record.args)[2]
    return not path.startswith(PREFIX)


def _listen(host: str, port: int) -> tuple[socket.socket, str]:
    family, shown = socket.AF_INET, host
    if ":" in host:
        family, shown = socket.AF_INET6, f"[{host}]"
    listener = socket.create_server((host, port), family=family)
    # Without it an answer waits for the delayed ACK of the client. asyncio sets it only where the
    # protocol was given to the socket.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener, f"http://{shown}:{listener.getsockname()[1]}"


def serve(
    fake: FakeDeerAPI,
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    allow_hosts: Collection[str] = (),
    on_ready: Callable[[str], None] = lambda base_url: None,
    validate_answers: bool = True,
) -> None:
    """Serves the fake and its playground until it is interrupted.

    It writes a line to stdout for each request to the API.

    Args:
        fake: The fake to serve.
        host: The address to listen on; the default is reachable from this machine only.
        port: The port to listen on; 0 takes a free one.
        allow_hosts: Names by which it may be asked, beside `localhost`, loopback addresses and
            `host`.
        on_ready: Called with the base URL once connections are accepted.
        validate_answers: As in `create_app`.

    Raises:
        OSError: The address cannot be used.
    """
    listener, base_url = _listen(host, port)
    api = create_app(fake, validate_answers=validate_answers, silence=_SILENCE)
    app = HostGuard(with_playground(api, fake), host, allow_hosts)
    with listener:
        server = _Server(app, lambda: on_ready(base_url), log_config=_log_config())
        server.run(sockets=[listener])


@contextmanager
def running_server(fake: FakeDeerAPI, *, validate_answers: bool = True) -> Iterator[str]:
    """Serves the fake on a free port of this machine, in a thread, and gives the base URL."""
    listener, base_url = _listen("127.0.0.1", 0)
    ready = threading.Event()
    api = create_app(fake, validate_answers=validate_answers, silence=_SILENCE)
    app = HostGuard(api, "127.0.0.1")
    server = _Server(app, ready.set, log_config=None, log_level="critical", access_log=False)

    def run() -> None:
        try:
            server.run(sockets=[listener])
        finally:
            ready.set()

    thread = threading.Thread(target=run, name="FakeDeerAPI", daemon=True)
    with listener:
        thread.start()
        try:
            ready.wait()
            yield base_url
        finally:
            server.should_exit = True
            thread.join()

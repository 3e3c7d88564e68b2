"""The fake as an ASGI app, and as a server on a port."""

import asyncio
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import LOGGING_CONFIG

from deerapi_remix.testing._contract import contract
from deerapi_remix.testing.fake import FakeDeerAPI, Request
from deerapi_remix.testing.playground import PREFIX, with_playground

__all__ = ["ConnectionBrokenError", "create_app", "running_server", "serve"]

_CHUNK = 65_536
# Longer than a client waits for an answer.
_SILENCE = 600.0


class ConnectionBrokenError(ConnectionError):
    """A fault was scripted that breaks the connection. In process this is how it shows; a server hangs up."""


def create_app(
    fake: FakeDeerAPI | None = None, *, validate_answers: bool = True, silence: float = 0.0
) -> Starlette:
    """Puts the fake behind ASGI; requests are checked against the OpenAPI document.

    Args:
        fake: The fake to serve, by default a new one.
        validate_answers: Whether answers are checked too. One that breaks the contract becomes a 500 that says how;
            scripted ones are not checked.
        silence: Seconds for which a lost answer leaves the client waiting, if it stays that long, before the app
            raises `ConnectionBrokenError`. In process, where nobody hangs up, leave it at zero.
    """
    app = Starlette()
    # The fake finds the route itself, by the path as it was sent.
    app.router.default = _Adapter(fake or FakeDeerAPI(), validate_answers, silence)
    return app


class _Adapter:
    def __init__(self, fake: FakeDeerAPI, validate_answers: bool, silence: float) -> None:
        self._fake = fake
        self._check_request = contract().request_problem
        self._check_answer = contract().answer_problem if validate_answers else None
        self._silence = silence

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        answer = self._fake.handle(
            Request(
                method=scope["method"],
                path=scope["raw_path"].partition(b"?")[0].decode("latin-1"),
                query=scope["query_string"].decode("latin-1"),
                headers={name: ", ".join(headers.getlist(name)) for name in headers},
                body=await _body(receive),
            ),
            check_request=self._check_request,
            check_answer=self._check_answer,
        )
        if answer.lost:
            await self._keep_silent(receive)
            return
        lines = [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in answer.headers.items()
        ]
        await send({"type": "http.response.start", "status": answer.status, "headers": lines})
        body = answer.body[: answer.cut_at]
        for end in range(_CHUNK, len(body) + _CHUNK, _CHUNK):
            await send(
                {"type": "http.response.body", "body": body[end - _CHUNK : end], "more_body": True}
            )
        if answer.cut_at is not None:
            raise ConnectionBrokenError(
                f"the body was cut after {answer.cut_at} of {len(answer.body)} bytes, as scripted"
            )
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _keep_silent(self, receive: Receive) -> None:
        try:
            async with asyncio.timeout(self._silence):
                while (await receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            raise ConnectionBrokenError("the answer was lost, as scripted") from None


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


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
    listener = socket.create_server(
        (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET
    )
    # asyncio sees to this only where the protocol is given, and an answer would wait for the client's delayed ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    shown = f"[{host}]" if ":" in host else host
    return listener, f"http://{shown}:{listener.getsockname()[1]}"


def serve(
    fake: FakeDeerAPI,
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    on_ready: Callable[[str], None] = lambda base_url: None,
    validate_answers: bool = True,
) -> None:
    """Serves the fake and its playground until it is interrupted, with a line on stdout for each request to the API.

    Args:
        fake: The fake to serve.
        host: The address to listen on; the default is reachable from this machine only.
        port: The port to listen on; 0 takes a free one.
        on_ready: Called with the base URL once connections are accepted.
        validate_answers: As in `create_app`.

    Raises:
        OSError: The address cannot be used.
    """
    listener, base_url = _listen(host, port)
    app = with_playground(
        create_app(fake, validate_answers=validate_answers, silence=_SILENCE), fake
    )
    with listener:
        server = _Server(app, lambda: on_ready(base_url), log_config=_log_config())
        server.run(sockets=[listener])


@contextmanager
def running_server(fake: FakeDeerAPI, *, validate_answers: bool = True) -> Iterator[str]:
    """Serves the fake on a free port of this machine, in a thread, and gives the base URL."""
    listener, base_url = _listen("127.0.0.1", 0)
    ready = threading.Event()
    app = create_app(fake, validate_answers=validate_answers, silence=_SILENCE)
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

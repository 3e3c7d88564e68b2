"""An ASGI app behind a sync httpx client, without a socket."""

import asyncio
import logging
from typing import Any

import httpx

_log = logging.getLogger(__name__)


def as_served(app: Any) -> Any:
    """The app as a server runs it: what it raises is logged there, after Starlette has answered with 500."""

    async def served(scope: Any, receive: Any, send: Any) -> None:
        try:
            await app(scope, receive, send)
        except ConnectionError:
            raise
        except Exception:
            _log.exception("the app failed")

    return served


class InProcess(httpx.BaseTransport):
    def __init__(self, app: Any) -> None:
        self._inner = httpx.ASGITransport(app)
        self._runner = asyncio.Runner()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._runner.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        try:
            answer = await self._inner.handle_async_request(request)
            body = await answer.aread()
        except ConnectionError as error:
            raise httpx.RemoteProtocolError(str(error), request=request) from error
        # As a stream, or httpx would announce a length where the app does not.
        return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(body))

    def close(self) -> None:
        self._runner.close()

"""An ASGI app behind a sync httpx client, without a socket."""

import asyncio
from typing import Any

import httpx


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

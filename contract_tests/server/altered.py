"""A server whose answers, or the requests that reach it, are changed on the way."""

import json
from collections.abc import Callable
from typing import Any

import httpx
from attrs import define

from deerapi_remix.contract._document import contract

from ..operations import OPERATIONS


@define
class Wire:
    """A request and its answer; changes to the answer reach the client."""

    request: httpx.Request
    status: int
    headers: dict[str, str]
    body: bytes
    operation: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def answer(self, value: Any, status: int | None = None) -> None:
        """Answers with a JSON value instead, whose length is announced."""
        self.status = status or self.status
        self.replace(json.dumps(value).encode(), "application/json")

    def replace(self, body: bytes, content_type: str | None = None) -> None:
        """Answers with other bytes, whose length is announced."""
        self.body = body
        self.headers["content-length"] = str(len(body))
        if content_type:
            self.headers["content-type"] = content_type

    def edit(self, **fields: Any) -> None:
        """Sets fields of a JSON answer; `...` removes one."""
        value = {name: old for name, old in self.json.items() if fields.get(name) is not ...}
        self.answer(value | {name: new for name, new in fields.items() if new is not ...})


# What it returns is of no meaning.
Alter = Callable[[Wire], object]


class Altered(httpx.BaseTransport):
    """Passes requests on to `inner`, and answers through `alter`; `forward` may change a request before."""

    def __init__(
        self,
        inner: httpx.BaseTransport,
        alter: Alter,
        forward: Callable[[httpx.Request], object] = lambda request: None,
    ) -> None:
        self._inner = inner
        self._alter = alter
        self._forward = forward

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._forward(request)
        response = self._inner.handle_request(request)
        body = response.read()
        path = request.url.raw_path.decode("ascii").partition("?")[0]
        found = contract().find(request.method, path)
        operation = OPERATIONS[found[0]].method if found else ""
        headers = {name.lower(): value for name, value in response.headers.items()}
        wire = Wire(request, response.status_code, headers, body, operation)
        self._alter(wire)
        return httpx.Response(wire.status, headers=wire.headers, stream=httpx.ByteStream(wire.body))

    def close(self) -> None:
        self._inner.close()

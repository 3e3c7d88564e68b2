"""What the tests put in the place of the network, the same for both twins."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

import httpx
import pytest

from deerapi_remix import AsyncRemixClient, RemixClient
from deerapi_remix.testing._time import VirtualTime

E = TypeVar("E", bound=BaseException)
# A job as the contract has it, and other whole answers.
FULL: dict[str, Any] = {
    "id": "video_456",
    "object": "video",
    "model": "sora-2",
    "status": "queued",
    "progress": 0,
    "created_at": 1758941485,
    "size": "1280x720",
    "seconds": "8",
    "remixed_from_video_id": "video_123",
}


class Pieces(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that comes in pieces, as from a socket. One that is an exception breaks it off."""

    def __init__(self, *pieces: bytes | BaseException) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, BaseException):
                raise piece
            yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece


class Answer:
    """What a server answers. A body of neither bytes nor pieces is sent as JSON."""

    def __init__(self, status: int, body: object = b"", headers: Mapping[str, str | bytes] | None = None) -> None:
        self.status = status
        self.headers: dict[str, Any] = dict(headers or {})
        if isinstance(body, Pieces):
            self.body = body
        elif isinstance(body, bytes):
            self.body = Pieces(body)
        else:
            self.body = Pieces(json.dumps(body).encode())
            self.headers.setdefault("Content-Type", "application/json")

    def response(self) -> httpx.Response:
        return httpx.Response(self.status, headers=self.headers, stream=self.body)


MODELS = Answer(200, {"object": "list", "data": []})

Step = Answer | BaseException | Callable[[httpx.Request], Answer]


class Wire(httpx.MockTransport):
    """Answers requests with one step of a script each, and with the last step from then on."""

    def __init__(self, *script: Step) -> None:
        super().__init__(self._answer)
        self._script = script
        self.requests: list[httpx.Request] = []

    @property
    def sent(self) -> list[tuple[str, str]]:
        """Method and raw target of every request."""
        return [(request.method, request.url.raw_path.decode("ascii")) for request in self.requests]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        step = self._script[min(len(self.requests), len(self._script) - 1)]
        self.requests.append(request)
        if isinstance(step, BaseException):
            raise step
        return (step if isinstance(step, Answer) else step(request)).response()


# Each method that asks the API for something, called as usual; a file goes into the folder. A new method is a row.
CALLS: dict[str, Callable[[Any, Path], Any]] = {
    "remix": lambda client, folder: client.remix("video_123", prompt="x"),
    "retrieve": lambda client, folder: client.retrieve("video_123"),
    "wait": lambda client, folder: client.wait("video_123"),
    "follow": lambda client, folder: list(client.follow("video_123")),
    "download": lambda client, folder: client.download("video_123", folder / "bow.mp4"),
    "remix_to_file": lambda client, folder: client.remix_to_file("video_123", folder / "bow.mp4", prompt="x"),
    "models": lambda client, folder: client.models(),
}
# What each of them takes and returns.
VIDEO, UPDATE, PROGRESS = "Video", "OnUpdate | None", "OnProgress | None"
ACCEPTED = "OnAccepted | None"
SIGNATURES = {
    "remix": f"(self, video_id: str, *, prompt: str, model: str | None = None, "
    f"on_accepted: {ACCEPTED} = None) -> {VIDEO}",
    "retrieve": f"(self, video_id: str) -> {VIDEO}",
    "wait": f"(self, video: Video | str, *, timeout: float | None = None, on_update: {UPDATE} = None) -> {VIDEO}",
    "follow": "(self, video: Video | str, *, timeout: float | None = None) -> Iterator[Video]",
    "download": "(self, video: Video | str, path: str | os.PathLike[str], *, variant: str | None = None, "
    f"overwrite: bool = False, on_progress: {PROGRESS} = None) -> Path",
    "remix_to_file": "(self, video_id: str, path: str | os.PathLike[str], *, prompt: str, model: str | None = None, "
    "timeout: float | None = None, overwrite: bool = False, "
    f"on_accepted: {ACCEPTED} = None, on_update: {UPDATE} = None, on_progress: {PROGRESS} = None) -> Path",
    "models": "(self) -> tuple[Model, ...]",
}
# Those of them that cost money.
PAID = ("remix", "remix_to_file")
# Those of them that name no video in what they ask for.
ABOUT_NO_VIDEO = ("models",)


class Plain:
    """An `AsyncRemixClient` that is called the way a `RemixClient` is."""

    def __init__(self, client: AsyncRemixClient, runner: asyncio.Runner) -> None:
        self._client = client
        self._runner = runner

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, {"close": "aclose"}.get(name, name))

        def call(*args: Any, **kwargs: Any) -> Any:
            result = method(*args, **kwargs)
            if isinstance(result, AsyncRemixClient):
                return Plain(result, self._runner)
            if isinstance(result, AsyncIterator):
                return self._every(result)
            return self._runner.run(result) if inspect.iscoroutine(result) else result

        return call

    def _every(self, values: AsyncIterator[Any]) -> Iterator[Any]:
        """What comes from an asynchronous iterator, as it is asked for."""
        end = object()

        async def following() -> Any:
            return await anext(values, end)

        while (value := self._runner.run(following())) is not end:
            yield value


class Twin:
    """Makes clients of one of the twins."""

    def __init__(self, kind: str, runner: asyncio.Runner) -> None:
        self.kind = kind
        self._runner = runner

    def __call__(
        self, *script: Step, http: Mapping[str, Any] | None = None, **options: Any
    ) -> tuple[RemixClient, Wire]:
        """A client, and the wire that its requests go to. `http` are settings of the httpx client handed in."""
        wire = Wire(*script)
        make = httpx.Client if self.kind == "sync" else httpx.AsyncClient
        return self.own(http_client=make(transport=wire, **(http or {})), **options), wire

    def own(self, **options: Any) -> RemixClient:
        """A client with these options and nothing else."""
        if self.kind == "sync":
            return RemixClient(**options)
        return cast(RemixClient, Plain(AsyncRemixClient(**options), self._runner))


def failure(kind: type[E] | tuple[type[E], ...], call: Callable[..., object], *arguments: Any, **options: Any) -> E:
    """The error that a call ends with."""
    with pytest.raises(kind) as caught:
        call(*arguments, **options)
    return caught.value


def takes(clock: VirtualTime, seconds: float, step: Answer | BaseException) -> Callable[[httpx.Request], Answer]:
    """The step, after so much virtual time."""

    def answer(_: httpx.Request) -> Answer:
        clock.time += seconds
        if isinstance(step, BaseException):
            raise step
        return step

    return answer


def write_by(monkeypatch: pytest.MonkeyPatch, write: Callable[[Any, memoryview], int]) -> None:
    """Let `write` take what is written to any new file."""
    opened = Path.open

    class File:
        def __init__(self, file: Any) -> None:
            self._file = file

        def write(self, chunk: memoryview) -> int:
            return write(self._file, chunk)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._file, name)

    def opening(path: Path, mode: str = "r", *args: Any, **options: Any) -> Any:
        file = opened(path, mode, *args, **options)
        return File(file) if "x" in mode else file

    monkeypatch.setattr(Path, "open", opening)

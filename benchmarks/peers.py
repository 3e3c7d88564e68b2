"""The same two calls, as each of the peers makes them. Everything is as it comes, but for timeouts of 60 s.

Each is imported where it is used: most processes measure one of them.
"""

import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from importlib import import_module
from typing import Any

import httpx

from deerapi_remix import AsyncRemixClient, RemixClient
from deerapi_remix_generated import AuthenticatedClient
from deerapi_remix_generated.api.videos import remix_video, retrieve_video
from deerapi_remix_generated.models import RemixRequest

from .runner import KEY

ID = "video_123"
PROMPT = "Extend the scene with the cat taking a bow to the cheering audience"
TIMEOUT = 60.0
# As many as our client and httpx have; the openai SDK has 1,000 where not told otherwise.
CONNECTIONS = 100
_HEADERS = {"Authorization": f"Bearer {KEY}"}
_RETRIEVE = f"/v1/videos/{ID}"
_REMIX = f"{_RETRIEVE}/remix"

Calls = dict[str, Callable[[], Any]]
AsyncCall = Callable[[], Awaitable[Any]]

OURS = "deerapi-remix"


@contextmanager
def ours(url: str) -> Iterator[Calls]:
    """This package."""
    with RemixClient(KEY, base_url=url) as client:
        yield {"retrieve": lambda: client.retrieve(ID), "remix": lambda: client.remix(ID, prompt=PROMPT)}


@contextmanager
def generated(url: str) -> Iterator[Calls]:
    """The generated client on its own."""
    with AuthenticatedClient(base_url=url, token=KEY, timeout=httpx.Timeout(TIMEOUT)) as client:
        body = RemixRequest(prompt=PROMPT)
        yield {
            "retrieve": lambda: retrieve_video.sync_detailed(ID, client=client),
            "remix": lambda: remix_video.sync_detailed(ID, client=client, body=body),
        }


def _httpx(module: str) -> Callable[[str], AbstractContextManager[Calls]]:
    @contextmanager
    def peer(url: str) -> Iterator[Calls]:
        with import_module(module).Client(base_url=url, headers=_HEADERS, timeout=TIMEOUT) as client:

            def retrieve() -> Any:
                return client.get(_RETRIEVE).raise_for_status().json()

            def remix() -> Any:
                return client.post(_REMIX, json={"prompt": PROMPT}).raise_for_status().json()

            yield {"retrieve": retrieve, "remix": remix}

    return peer


@contextmanager
def openai_sdk(url: str) -> Iterator[Calls]:
    """The SDK that users move from."""
    import openai

    with openai.OpenAI(api_key=KEY, base_url=f"{url}/v1", timeout=TIMEOUT) as client:
        yield {"retrieve": lambda: client.videos.retrieve(ID), "remix": lambda: client.videos.remix(ID, prompt=PROMPT)}


@contextmanager
def raw_socket(url: str) -> Iterator[Calls]:
    """The floor: bytes over a socket, and JSON."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        common = f"Host: {host}:{port}\r\nAuthorization: Bearer {KEY}\r\n"

        def exchange(request: bytes) -> Any:
            connection.sendall(request)
            answer = connection.recv(65536)
            head, _, body = answer.partition(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split()[0])
            while len(body) < length:
                body += connection.recv(65536)
            return json.loads(body)

        def retrieve() -> Any:
            return exchange(f"GET {_RETRIEVE} HTTP/1.1\r\n{common}\r\n".encode())

        def remix() -> Any:
            body = json.dumps({"prompt": PROMPT})
            kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            return exchange(f"POST {_REMIX} HTTP/1.1\r\n{common}{kind}\r\n{body}".encode())

        yield {"retrieve": retrieve, "remix": remix}


SYNC: dict[str, Callable[[str], AbstractContextManager[Calls]]] = {
    OURS: ours,
    "httpx": _httpx("httpx"),
    "httpx2": _httpx("httpx2"),
    "generated client": generated,
    "openai SDK": openai_sdk,
    "raw socket": raw_socket,
}


@asynccontextmanager
async def async_ours(url: str) -> AsyncIterator[AsyncCall]:
    """This package."""
    async with AsyncRemixClient(KEY, base_url=url) as client:
        yield lambda: client.retrieve(ID)


@asynccontextmanager
async def async_ours_on_aiohttp(url: str) -> AsyncIterator[AsyncCall]:
    """This package with another transport, as the documentation of connections has it."""
    from httpx_aiohttp import AiohttpTransport  # pyright: ignore[reportMissingImports]

    async with httpx.AsyncClient(transport=AiohttpTransport()) as http:
        client = AsyncRemixClient(KEY, base_url=url, http_client=http)
        yield lambda: client.retrieve(ID)


@asynccontextmanager
async def async_generated(url: str) -> AsyncIterator[AsyncCall]:
    """The generated client on its own."""
    async with AuthenticatedClient(base_url=url, token=KEY, timeout=httpx.Timeout(TIMEOUT)) as client:
        yield lambda: retrieve_video.asyncio_detailed(ID, client=client)


def _async_httpx(module: str) -> Callable[[str], AbstractAsyncContextManager[AsyncCall]]:
    @asynccontextmanager
    async def peer(url: str) -> AsyncIterator[AsyncCall]:
        async with import_module(module).AsyncClient(base_url=url, headers=_HEADERS, timeout=TIMEOUT) as client:

            async def retrieve() -> Any:
                return (await client.get(_RETRIEVE)).raise_for_status().json()

            yield retrieve

    return peer


@asynccontextmanager
async def async_openai_told(url: str) -> AsyncIterator[AsyncCall]:
    """The SDK that users move from, with as many connections as ours."""
    import httpx2
    import openai

    limits = httpx2.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    http = openai.DefaultAsyncHttpxClient(limits=limits)
    async with openai.AsyncOpenAI(api_key=KEY, base_url=f"{url}/v1", timeout=TIMEOUT, http_client=http) as client:
        yield lambda: client.videos.retrieve(ID)


@asynccontextmanager
async def async_openai(url: str) -> AsyncIterator[AsyncCall]:
    """The SDK that users move from, with its 1,000 connections."""
    import openai

    async with openai.AsyncOpenAI(api_key=KEY, base_url=f"{url}/v1", timeout=TIMEOUT) as client:
        yield lambda: client.videos.retrieve(ID)


@asynccontextmanager
async def async_aiohttp(url: str) -> AsyncIterator[AsyncCall]:
    """The limit in Python: another client, whose parser is written in C."""
    import aiohttp  # pyright: ignore[reportMissingImports]

    async with aiohttp.ClientSession(url, headers=_HEADERS, timeout=aiohttp.ClientTimeout(TIMEOUT)) as session:

        async def retrieve() -> Any:
            async with session.get(_RETRIEVE, raise_for_status=True) as answer:
                return json.loads(await answer.read())

        yield retrieve


ASYNC: dict[str, Callable[[str], AbstractAsyncContextManager[AsyncCall]]] = {
    OURS: async_ours,
    f"{OURS} on aiohttp": async_ours_on_aiohttp,
    "httpx": _async_httpx("httpx"),
    "httpx2": _async_httpx("httpx2"),
    "generated client": async_generated,
    "openai SDK": async_openai,
    f"openai SDK, {CONNECTIONS} connections": async_openai_told,
    "aiohttp": async_aiohttp,
}

"""While the mock is active, nothing leaves this machine."""

import importlib
import importlib.util
import ipaddress
import socket
from asyncio.proactor_events import BaseProactorEventLoop
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx

from deerapi_remix.testing._endpoint import Body, Endpoint
from deerapi_remix.testing._messages import Answer
from deerapi_remix.testing._routes import allowed_methods

# The methods of a socket that name a peer, and where its address stands among their arguments.
_TALKING = {"connect": 0, "connect_ex": 0, "sendto": -1}
if hasattr(socket.socket, "sendmsg"):  # Windows has none.
    _TALKING["sendmsg"] = 3
_RESOLVING = ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr")
_INTERNET = (socket.AF_INET, socket.AF_INET6)

_ADVICE = (
    "While mock_deerapi is active nothing leaves this machine. It answers clients made with httpx "
    "at https://api.deerapi.com, at DEERAPI_BASE_URL and at its own base_url (for other clients "
    "there is `deerapi-remix mock`); a host that your tests need may be named in its allow_hosts; "
    "all else needs a mock of its own."
)

# What httpx and its successor httpx2 send by; each has responses and exceptions of its own.
_CORES = ("httpcore", "httpcore2")

_Send = Callable[..., Any]
_AsyncSend = Callable[..., Awaitable[Any]]


class NetworkBlockedError(AssertionError):
    """Something tried to leave this machine while `mock_deerapi` was active.

    Nothing was sent.
    """


class Gate:
    """Lets the fake answer what is for it, and lets through what stays on this machine.

    Args:
        endpoints: Tells where the fake answers now.
        allow_hosts: Hosts that count as this machine.
    """

    def __init__(
        self, endpoints: Callable[[], Collection[Endpoint]], allow_hosts: Collection[str]
    ) -> None:
        self._endpoints = endpoints
        self._names = {name.lower() for name in (*allow_hosts, socket.gethostname())}
        # The addresses that these names were resolved to.
        self._addresses: set[str] = set()
        self._proxies = set(_local_proxies())

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Stand between this process and every other machine.

        HTTP is caught in the pools and connections of httpcore and httpcore2, so that transports,
        hooks and instrumentation of httpx and httpx2 do their work as usual. All else is caught at
        the socket.
        """
        with ExitStack() as patches:

            def replace(
                owner: Any, name: str, make: Callable[..., Any], *arguments: object
            ) -> None:
                patches.enter_context(
                    patch.object(owner, name, make(getattr(owner, name), *arguments))
                )

            for core in _cores():
                # Clients of our own have a connection in the place of a pool.
                for name in ("ConnectionPool", "HTTPConnection"):
                    sync, asynchronous = getattr(core, name), getattr(core, f"Async{name}")
                    replace(sync, "handle_request", self._pool, core)
                    replace(asynchronous, "handle_async_request", self._async_pool, core)
            for name, place in _TALKING.items():
                replace(socket.socket, name, self._talking, place)
            # On Windows event loops connect without the methods of the socket.
            replace(BaseProactorEventLoop, "sock_connect", self._connecting)
            for name in _RESOLVING:
                replace(socket, name, self._resolving)
            replace(socket, "getnameinfo", self._naming)
            yield

    def _pool(self, send: _Send, core: Any) -> _Send:
        def handle_request(pool: Any, request: Any) -> Any:
            answer = self._answer(pool, request, core)
            if answer is None:
                return send(pool, request)
            return answer(b"".join(request.stream))

        return handle_request

    def _async_pool(self, send: _AsyncSend, core: Any) -> _AsyncSend:
        async def handle_async_request(pool: Any, request: Any) -> Any:
            answer = self._answer(pool, request, core)
            if answer is None:
                return await send(pool, request)
            return answer(b"".join([chunk async for chunk in request.stream]))

        return handle_async_request

    def _answer(self, pool: Any, request: Any, core: Any) -> Callable[[bytes], Any] | None:
        """What makes the answer to a request from its body; None if the request may pass."""
        method, target = request.method.decode("ascii"), request.url
        scheme, host = target.scheme.decode("ascii"), target.host.decode("ascii")
        url = httpx.URL(scheme=scheme, host=host, port=target.port, raw_path=target.target)
        for endpoint in self._endpoints():
            path = endpoint.path(url)
            if path is None:
                continue
            if method not in allowed_methods(path):
                raise NetworkBlockedError(
                    f"{method} {url} was not sent: the fake serves no such operation."
                )
            headers = httpx.Headers(request.headers)
            return partial(_answered, core, partial(endpoint.answer, method, path, url, headers))
        leads_to_a_unix_socket = getattr(pool, "_uds", None) is not None
        if not leads_to_a_unix_socket and not self._is_here(host):
            raise NetworkBlockedError(f"{method} {url} was not sent. {_ADVICE}")
        return None

    def _talking(self, original: Callable[..., Any], place: int) -> Callable[..., Any]:
        def talk(sock: socket.socket, *arguments: Any) -> Any:
            for peer in arguments[place:][:1]:
                self._check_peer(sock, peer)
            return original(sock, *arguments)

        return talk

    def _connecting(
        self, original: Callable[..., Awaitable[None]]
    ) -> Callable[..., Awaitable[None]]:
        async def sock_connect(loop: object, sock: socket.socket, address: object) -> None:
            self._check_peer(sock, address)
            await original(loop, sock, address)

        return sock_connect

    def _resolving(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def resolve(host: Any, *arguments: Any, **options: Any) -> Any:
            self._check(host)
            found = original(host, *arguments, **options)
            if _name(host) in self._names:
                self._addresses.update(_addresses(found))
            return found

        return resolve

    def _naming(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def getnameinfo(address: tuple[Any, ...], flags: int) -> Any:
            self._check(address[0])
            return original(address, flags)

        return getnameinfo

    def _check_peer(self, sock: socket.socket, address: object) -> None:
        if sock.family in _INTERNET and isinstance(address, tuple):
            try:
                self._check(*address[:2])
            except NetworkBlockedError:
                # `socket.create_connection` closes its socket for an OSError only.
                if sock.type == socket.SOCK_STREAM:
                    sock.close()
                raise

    def _check(self, host: object, port: object = None) -> None:
        if not self._is_here(host):
            where = _name(host)
            if port is not None:
                where = f"{where}:{port}"
            raise NetworkBlockedError(f"No connection to {where} was made. {_ADVICE}")
        if port in self._proxies:
            raise NetworkBlockedError(
                f"No connection to the proxy at port {port} was made: it leads away. {_ADVICE}"
            )

    def _is_here(self, host: object) -> bool:
        name = _name(host)
        return name in self._names or name in self._addresses or _is_loopback(name)


def _cores() -> list[Any]:
    """The libraries that are installed; one may stand for both names."""
    installed = [name for name in _CORES if importlib.util.find_spec(name) is not None]
    return list({id(core): core for core in map(importlib.import_module, installed)}.values())


def _answered(core: Any, answer_to: Callable[[bytes], Answer], body: bytes) -> Any:
    answer = answer_to(body)
    if answer.lost:
        raise core.ReadTimeout("The answer was lost, as scripted")
    return core.Response(
        answer.status,
        headers=httpx.Headers(answer.headers).raw,
        content=Body(answer, core.RemoteProtocolError),
    )


def _name(host: object) -> str:
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    return str(host or "").lower()


def _is_loopback(name: str) -> bool:
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name in ("", "localhost")
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_unspecified


def _addresses(found: Any) -> Iterator[str]:
    """The addresses in what one of the resolving functions returns."""
    if isinstance(found, str):  # gethostbyname
        yield found
    elif isinstance(found, tuple):  # gethostbyname_ex, gethostbyaddr
        yield from found[2]
    else:  # getaddrinfo
        yield from (address[0] for *_, address in found)


def _local_proxies() -> Iterator[int]:
    """The ports of this machine at which the environment names a proxy: they lead away from it."""
    for kind, proxy in getproxies().items():
        if kind == "no":
            continue
        if "://" not in proxy:
            proxy = f"//{proxy}"
        address = urlsplit(proxy)
        if _is_loopback(_name(address.hostname)):
            yield address.port or 80

"""Real sockets whose timeouts pass in virtual time: as soon as the server says that nothing more will come."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import httpcore
import httpx

from .jobs_faults import Scene

_TICK = 0.01
# How often a silent connection is read before time passes. On a busy machine a tick may be over before asyncio hands
# over what has arrived.
_LOOKS = 5
# Real time that a server may take to answer on the busiest machine, in ticks.
_HANGS = 3_000
# Nobody listens there.
_CLOSED_PORT = 1
_CONTEXT = httpx.create_ssl_context()


class _Socket(httpcore.NetworkStream):
    def __init__(self, real: httpcore.NetworkStream, scene: Scene) -> None:
        self._real = real
        self._scene = scene
        self._port = real.get_extra_info("client_addr")[1]

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._real.write(buffer, timeout)

    def close(self) -> None:
        self._real.close()

    def get_extra_info(self, info: str) -> Any:
        return self._real.get_extra_info(info)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        for _ in range(_HANGS):
            silent = self._port in self._scene.silent  # Before the look: what was sent by then has arrived.
            try:
                data = self._real.read(max_bytes, _TICK)
            except httpcore.ReadTimeout:
                if silent:
                    _pass(self._scene, timeout)
                    raise
            else:
                self._scene.taken.set()
                return data
        raise AssertionError("the client waits for a server that waits for it")


class _AsyncSocket(httpcore.AsyncNetworkStream):
    def __init__(self, real: httpcore.AsyncNetworkStream, scene: Scene) -> None:
        self._real = real
        self._scene = scene
        self._port = real.get_extra_info("client_addr")[1]

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._real.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._real.aclose()

    def get_extra_info(self, info: str) -> Any:
        return self._real.get_extra_info(info)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        looks = 0
        for _ in range(_HANGS):
            looks += self._port in self._scene.silent
            try:
                data = await self._real.read(max_bytes, _TICK)
            except httpcore.ReadTimeout:
                if looks == _LOOKS:
                    _pass(self._scene, timeout)
                    raise
            else:
                self._scene.taken.set()
                return data
        raise AssertionError("the client waits for a server that waits for it")


def _pass(scene: Scene, timeout: float | None) -> None:
    assert timeout is not None, "a read without a timeout"
    scene.clock.time += timeout


def _port(scene: Scene, port: int, timeout: float | None) -> int:
    """Where the next connection goes, if anywhere."""
    fate = scene.connects.popleft() if scene.connects else "accepted"
    if fate == "timeout":
        _pass(scene, timeout)
        raise httpcore.ConnectTimeout("timed out")
    return _CLOSED_PORT if fate == "refused" else port


class _Network(httpcore.NetworkBackend):
    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        real = httpcore.SyncBackend().connect_tcp(host, _port(self._scene, port, timeout))
        return _Socket(real, self._scene)


class _AsyncNetwork(httpcore.AsyncNetworkBackend):
    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        network = cast(httpcore.AsyncNetworkBackend, httpcore.AnyIOBackend())
        return _AsyncSocket(await network.connect_tcp(host, _port(self._scene, port, timeout)), self._scene)


def http_client(scene: Scene) -> httpx.Client:
    transport = httpx.HTTPTransport(verify=_CONTEXT)
    transport._pool = httpcore.ConnectionPool(network_backend=_Network(scene))
    return httpx.Client(transport=transport, trust_env=False)


def async_http_client(scene: Scene) -> httpx.AsyncClient:
    transport = httpx.AsyncHTTPTransport(verify=_CONTEXT)
    transport._pool = httpcore.AsyncConnectionPool(network_backend=_AsyncNetwork(scene))
    return httpx.AsyncClient(transport=transport, trust_env=False)

"""The httpx clients behind a client and its copies: which one a call may use, and for how long."""

from __future__ import annotations

import asyncio
import os
import weakref
from collections import deque
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from typing import Any, ClassVar, Generic, TypeVar

import attrs
import httpx

from ._call import Call
from ._environment import proxies, proxy_problem, tls_context
from ._exchange import Exchange
from ._gates import AnyBell, AsyncBell, Bell, Gates
from ._own_clients import OwnAsyncClient, OwnClient
from ._pools import ALL_KEPT_ALIVE, MOST_CONNECTIONS, NO_KEEPALIVE, ONE_CONNECTION, SmallPools, Turn
from ._private_httpx import close_without_locks, release_after_interruption, without_locks
from ._waits import Wait
from .config import is_loopback
from .errors import ConfigurationError, DeerAPIError

Http = TypeVar("Http", bound=httpx.Client | httpx.AsyncClient)


class Connections(Generic[Http]):
    """What both kinds of connections have in common.

    A forked child that used its parent's connections would read its parent's answers, so each
    process has its own. Over the network a paid submit goes out on a connection of its own, not
    on one that the server closes at that moment, or on which it still sends something else.
    """

    kind: ClassVar[type[Any]]
    kind_of_bell: ClassVar[type[AnyBell]]

    def __init__(self, base_url: str, handed_in: Http | None) -> None:
        if handed_in is not None and not self._is_usable(handed_in):
            raise TypeError(
                f"http_client must be an httpx.{self.kind.__name__}, not {type(handed_in).__name__}"
            )
        self._base_url = base_url
        self._is_remote = base_url.startswith("https")
        self._host = httpx.URL(base_url).host
        self._handed_in: Http | None = handed_in
        self._born_in = os.getpid()
        self._process = os.getpid()
        self._is_closed = False
        self._gates = Gates(self.kind_of_bell)
        self._start()

    def _is_usable(self, handed_in: object) -> bool:
        """Whether it is a client of httpx, or of httpx2, which is never imported here."""
        if isinstance(handed_in, self.kind):
            return True
        return any(
            base.__module__.partition(".")[0] == "httpx2" and base.__name__ == self.kind.__name__
            for base in type(handed_in).__mro__
        )

    def _start(self) -> None:
        """Make what must not be shared with another process."""
        raise NotImplementedError

    def check(self, video_id: str | None) -> None:
        """Raise ConfigurationError, which is about that video, if this process may not send."""
        if self._handed_in is not None and self._born_in != os.getpid():
            message = "http_client was made before this process was forked; make one in the child."
            raise ConfigurationError(message, video_id=video_id)
        if self._process != os.getpid():
            self._process = os.getpid()
            self._gates = Gates(self.kind_of_bell)
            self._start()
        if self._is_closed or (self._handed_in is not None and self._handed_in.is_closed):
            raise ConfigurationError("This client is closed; make a new one.", video_id=video_id)

    def gates(self, call: Call[Any]) -> Gates:
        """Where a call waits until it may go."""
        self.check(call.video_id)
        return self._gates

    def _goes_alone(self, paid: bool) -> bool:
        """Whether a request goes out on a connection of its own."""
        return paid and self._is_remote

    def _options(self) -> dict[str, Any]:
        """What every httpx client of our own is made with."""
        # Proxies from the environment are not for this machine.
        through = {} if is_loopback(self._host) else proxies(self._host)
        return {"base_url": self._base_url, "proxies": through, "verify": tls_context()}


class SyncConnections(Connections[httpx.Client]):
    """One httpx client of one connection for each call under way.

    Threads share nothing but the list of those that are free. So an exception that strikes in the
    middle of httpcore, whose lock may then stay taken for ever, spoils only the client of its own
    call, and that is not used again.
    """

    kind = httpx.Client
    kind_of_bell = Bell

    def _start(self) -> None:
        self._free: deque[httpx.Client] = deque()
        self._free_for_submits: deque[httpx.Client] = deque()
        if self._handed_in is None:
            self._client_options = self._options()
            self._free.append(self._make(paid=False))

    def _make(self, *, paid: bool) -> httpx.Client:
        limits = NO_KEEPALIVE if self._goes_alone(paid) else ONE_CONNECTION
        try:
            return without_locks(OwnClient(limits=limits, **self._client_options))
        except (ImportError, ValueError, httpx.InvalidURL) as error:
            raise proxy_problem(error) from error

    def lent(self, exchange: Exchange) -> AbstractContextManager[httpx.Client]:
        """The client for one exchange."""
        self.check(exchange.attempt.call.video_id)
        return _Loan(self, exchange)

    def take(self, *, paid: bool) -> httpx.Client:
        """A client that nobody else uses, unless it was handed in."""
        if self._handed_in is not None:
            return self._handed_in
        try:
            return self._place(paid).pop()
        except IndexError:
            return self._make(paid=paid)

    def give_back(self, http: httpx.Client, *, paid: bool) -> None:
        """The exchange has ended, well or with an error of ours."""
        if http is self._handed_in:
            return
        if self._is_closed:
            http.close()
        else:
            self._place(paid).append(http)

    def discard(self, http: httpx.Client, exchange: Exchange) -> None:
        """An exception that is not ours has struck somewhere in the exchange."""
        if http is not self._handed_in:
            close_without_locks(http)
        elif exchange.extensions is not None:
            release_after_interruption(http, exchange.extensions)

    def turn(self, waiting: Wait) -> AbstractContextManager[None]:
        """What a poll is made within. Threads need no turns."""
        return nullcontext()

    def close(self) -> None:
        """Close what is ours and not in use; what is in use is closed when it is given back."""
        self._is_closed = True
        if self._process == os.getpid():
            for free in (self._free, self._free_for_submits):
                while free:
                    free.pop().close()

    def _place(self, paid: bool) -> deque[httpx.Client]:
        return self._free_for_submits if self._goes_alone(paid) else self._free


@attrs.define
class _Loan(AbstractContextManager[httpx.Client]):
    _connections: SyncConnections
    _exchange: Exchange
    _http: httpx.Client | None = None

    def __enter__(self) -> httpx.Client:
        self._http = self._connections.take(paid=self._exchange.attempt.call.paid)
        return self._http

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        http, self._http = self._http, None
        if http is None:
            return
        if kind is None or issubclass(kind, DeerAPIError):
            self._connections.give_back(http, paid=self._exchange.attempt.call.paid)
        else:
            self._connections.discard(http, self._exchange)


class AsyncConnections(Connections[httpx.AsyncClient]):
    """Two httpx clients that belong to one event loop, and the turns of the polls."""

    kind = httpx.AsyncClient
    kind_of_bell = AsyncBell

    def _start(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._places = asyncio.Semaphore(MOST_CONNECTIONS)
        if self._handed_in is not None:
            self._shared = self._alone = self._handed_in
            return
        options = self._options()
        try:
            self._alone = OwnAsyncClient(limits=NO_KEEPALIVE, **options)
            pools = SmallPools(options["verify"])
            self._shared = OwnAsyncClient(limits=ALL_KEPT_ALIVE, transport=pools, **options)
        except (ImportError, ValueError, httpx.InvalidURL) as error:
            raise proxy_problem(error) from error

    def lent(self, exchange: Exchange) -> AbstractContextManager[httpx.AsyncClient]:
        """The client for one exchange."""
        self.check(exchange.attempt.call.video_id)
        is_alone = self._goes_alone(exchange.attempt.call.paid)
        return nullcontext(self._alone if is_alone else self._shared)

    def turn(self, waiting: Wait) -> AbstractAsyncContextManager[None]:
        """What a poll is made within, so that not all are made at once."""
        return Turn(self._places, waiting.deadline)

    def check(self, video_id: str | None) -> None:
        """Raise ConfigurationError on another event loop than the first one, or on none, too."""
        super().check(video_id)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            message = "AsyncRemixClient needs asyncio; no event loop of asyncio is running."
            raise ConfigurationError(message, video_id=video_id) from None
        if self._loop is None:
            self._loop = loop
            if self._handed_in is not None:
                self._loop = _LOOPS.setdefault(self._handed_in, loop)
        if self._loop is not loop:
            raise ConfigurationError(
                "This client belongs to another event loop, in which its connections were made;"
                " make one in each loop, that is for each asyncio.run().",
                video_id=video_id,
            )

    async def aclose(self) -> None:
        """Close what is ours. With its event loop, its connections are gone."""
        self._is_closed = True
        is_ours = self._handed_in is None and self._process == os.getpid()
        # Without an event loop of asyncio, as under trio, there is nothing that can be closed.
        if is_ours and self._loop in (None, asyncio._get_running_loop()):
            await self._shared.aclose()
            await self._alone.aclose()


# In which event loop each client that was handed in was first used.
_LOOPS: weakref.WeakKeyDictionary[httpx.AsyncClient, asyncio.AbstractEventLoop] = (
    weakref.WeakKeyDictionary()
)

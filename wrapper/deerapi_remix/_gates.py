"""The gates of a client: where its calls wait for their turn, and what wakes them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from ._limits import BURST_OF_SUBMITS, BURST_OF_THE_REST
from ._pace import Gate

# Seconds.
_LOCK_IS_LEAKED_AFTER = 1.0


class AnyBell(Protocol):
    """Wakes one call, in the way of its twin."""

    def ring(self) -> None:
        """Wake whoever waits, or else whoever waits next."""


class Bell:
    """Wakes one thread."""

    def __init__(self) -> None:
        # Not an event: an exception of a signal may strike in it, and leave its lock taken.
        self._silent = threading.Lock()
        self._silent.acquire()

    def ring(self) -> None:
        """Wake the thread."""
        if self._silent.locked():
            self._silent.release()

    def wait(self, seconds: float) -> None:
        """Wait until it is rung, for at most so many seconds."""
        self._silent.acquire(timeout=min(seconds, threading.TIMEOUT_MAX))


class AsyncBell:
    """Wakes one task."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake the task."""
        self._rung.set()

    async def wait(self, seconds: float) -> None:
        """Wait until it is rung, for at most so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        self._rung.clear()


class BriefLock:
    """A lock that is held for microseconds, and that nothing can leave taken for ever.

    An exception of a signal may strike when the lock has just been taken, or before it is given
    back. Whoever finds it taken for longer than anybody needs it goes on as if it were its own.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self._lock.acquire(timeout=_LOCK_IS_LEAKED_AFTER)

    def __exit__(self, *_: object) -> None:
        # It is free already where somebody else took it for leaked.
        with suppress(RuntimeError):
            self._lock.release()


class Gates:
    """The gates of a client and its copies: submits have one, and all that is free has another.

    Attributes:
        make_bell: Makes what wakes one call.
        lock: Is held while a gate decides, and never while anybody waits.
    """

    def __init__(self, make_bell: Callable[[], AnyBell]) -> None:
        self.make_bell = make_bell
        self.lock = BriefLock()
        self._of_submits = Gate(BURST_OF_SUBMITS)
        self._of_the_rest = Gate(BURST_OF_THE_REST)

    def gate(self, *, paid: bool) -> Gate:
        """The gate of what costs money, or of the rest: servers limit them apart."""
        return self._of_submits if paid else self._of_the_rest

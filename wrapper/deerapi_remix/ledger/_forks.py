"""No connection is open while a process forks.

A forked child that has connections of its parent would drop its locks in SQLite, and say goodbye to
Postgres in its name, at the latest when it ends.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Generator
from typing import Protocol
from weakref import WeakSet

Holding = Generator[None, None, None]


class Held(Protocol):
    """What has connections."""

    def held(self) -> Holding:
        """Close them, and open no others until this is closed."""
        raise NotImplementedError


_watched: WeakSet[Held] = WeakSet()
# Two threads that fork at the same time do so one after the other.
_forking = threading.Lock()


class _Here(threading.local):
    """What this thread holds while it forks, each as a generator.

    A generator gives back what it has taken wherever an exception of a signal handler strikes.
    """

    def __init__(self) -> None:
        self.holds: list[Holding] = []


_here = _Here()


def watch(one: Held) -> None:
    """Hold it whenever this process forks."""
    _watched.add(one)


def _alone() -> Holding:
    with _forking:
        yield


def _before() -> None:
    _begin(_alone())
    for one in list(_watched):
        _begin(one.held())


def _begin(holding: Holding) -> None:
    _here.holds.append(holding)
    next(holding)


def _after() -> None:
    while _here.holds:
        _here.holds.pop().close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after)
    # The interpreter goes on after what a hook raises: where an exception of a signal handler
    # struck the first, the second does what is left.
    os.register_at_fork(after_in_parent=_after, after_in_child=_after)

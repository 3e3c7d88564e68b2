"""No connection is open while a process forks.

A forked child that has connections of its parent would drop its locks in SQLite, and say goodbye to
Postgres in its name, at the latest when it ends.
"""

from __future__ import annotations

import os
import threading
from typing import Protocol
from weakref import WeakSet


class Held(Protocol):
    """What has connections."""

    def hold(self) -> None:
        """Close them, and open no others."""

    def let_go(self) -> None:
        """Open others if need be."""


_watched: WeakSet[Held] = WeakSet()
_held: list[Held] = []
# Two threads that fork at the same time do so one after the other.
_forking = threading.Lock()


def watch(one: Held) -> None:
    """Hold it whenever this process forks."""
    _watched.add(one)


def _before() -> None:
    _forking.acquire()
    for one in list(_watched):
        one.hold()
        _held.append(one)


def _after() -> None:
    while _held:
        _held.pop().let_go()
    _forking.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after)

"""Exceptions that strike a call at any moment, as those of signal handlers do."""

from __future__ import annotations

import gc
import inspect
import itertools
import sys
from collections.abc import Callable, Iterator
from types import FrameType


class TimeLimit(Exception):  # noqa: N818  # As task queues raise it, an ordinary exception.
    """What a signal handler raises."""


Struck = list[TimeLimit]


def strikes(
    call: Callable[[], object], *, before: Callable[[], object] = lambda: None, within: str = ""
) -> Iterator[Struck]:
    """Make a call again and again, struck a moment later each time, until it ends before that.

    Args:
        call: What is struck.
        before: What is done before each call, and not struck.
        within: Only code is struck whose file has this in its path.

    Returns:
        What was raised. As long as it is kept, so is whatever the call held.
    """
    kept: Struck = []
    for number in itertools.count():
        before()
        if not _is_struck(number, call, within, kept):
            assert number > 5, "it is over too soon to be struck"
            return
        yield kept


def _is_struck(number: int, call: Callable[[], object], within: str, kept: Struck) -> bool:
    """Whether `call` still ran when it was to be struck: the nth time that a signal handler could run in it."""
    left = itertools.count(-number)

    def strike(frame: FrameType, event: str, _argument: object) -> None:
        # Handlers run where a function begins, and after a call of a function in C. What is raised here where a
        # generator goes on would end it without its `finally`, as no handler does.
        goes_on = event == "call" and frame.f_code.co_flags & (inspect.CO_GENERATOR | inspect.CO_COROUTINE)
        if event not in ("call", "c_return") or goes_on or within not in frame.f_code.co_filename:
            return
        if next(left) == 0:
            raise TimeLimit

    before = sys.getprofile()
    gc.disable()  # What it calls could be struck, too.
    sys.setprofile(strike)
    try:
        call()
    except TimeLimit as error:
        kept.append(error)
        return True
    finally:
        sys.setprofile(before)
        gc.enable()
    return False

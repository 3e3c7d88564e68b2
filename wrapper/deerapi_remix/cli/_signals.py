"""SIGTERM and SIGHUP end a command as Ctrl-C does: it tidies up and tells how to go on."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

# A system without one of them, such as Windows, does without.
_SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextlib.contextmanager
def ending_as_ctrl_c_does() -> Iterator[None]:
    """Raise KeyboardInterrupt in the main thread when one of the signals comes.

    A signal that is ignored already, as `nohup` has it, stays ignored.
    """
    handled = [number for number in _SIGNALS if signal.getsignal(number) is signal.SIG_DFL]

    def interrupt(number: int, frame: FrameType | None) -> None:
        # A terminal that is closed sends SIGHUP more than once. A second signal must not cut off
        # what the first one set going.
        for each in handled:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in handled:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number in handled:
            signal.signal(number, signal.SIG_DFL)

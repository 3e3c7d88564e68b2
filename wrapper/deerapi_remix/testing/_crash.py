"""The death of a process at a named point of a submit, for tests of what comes after it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from typing import Any, Literal, get_args
from unittest.mock import patch

Point = Literal["before_intent", "after_intent", "in_post", "after_answer", "before_record"]

_POINTS: tuple[Point, ...] = get_args(Point)
# Points at which the ledger is at work; at the others a request is under way.
_IN_LEDGER = {"before_intent", "after_answer", "before_record"}


class ProcessCrash(BaseException):  # It is no error, but the end of everything.
    """Stands for the death of the process: nobody is to catch it."""


class Crash:
    """A process that dies once, at one point.

    From then on nothing that it does has an effect: its requests are not answered, and its ledger
    records nothing. What it held is free, as it is when a real process has gone.

    Args:
        at: The point.
    """

    def __init__(self, at: Point) -> None:
        if at not in _POINTS:
            raise ValueError(f"at must be one of {', '.join(_POINTS)}, not {at!r}")
        self._at = at
        self.happened = False

    def die(self) -> None:
        """Die here."""
        self.happened = True
        raise ProcessCrash(f"the process died, as scripted: {self._at}")

    def passes(self, point: Point) -> None:
        """Die if this is the point, or if the process is dead already."""
        if self.happened or point == self._at:
            self.die()

    @contextmanager
    def in_ledger(self) -> Iterator[None]:
        """Let the ledgers of this process die with it, if there can be any."""
        with ExitStack() as patches:
            if find_spec("sqlalchemy") is not None:
                from deerapi_remix.ledger import _holder
                from deerapi_remix.ledger._outcome import Outcome
                from deerapi_remix.ledger._store import Store

                gone = f"{_holder.current()}-crashed"
                patches.enter_context(patch.object(_holder, "current", lambda: gone))
                patches.enter_context(
                    patch.object(Store, "write", self._writing(Store.write, Outcome))
                )
            elif self._at in _IN_LEDGER:
                raise ModuleNotFoundError(f"{self._at} is in the ledger, which is not installed")
            yield

    def _writing(self, write: Callable[..., Any], outcome: Callable[[], Any]) -> Callable[..., Any]:
        """What a ledger does in the place of a write; the first is the intent."""
        written = 0

        def lost() -> Any:
            end = outcome()
            end.set_exception(ProcessCrash(f"the process died, as scripted: {self._at}"))
            return end

        def write_or_die(store: Any, work: Any, **options: Any) -> Any:
            nonlocal written
            if self.happened:
                return lost()
            written += 1
            if written == 1:
                self.passes("before_intent")
                return write(store, work, **options)
            self.passes("after_answer")
            if self._at == "before_record":
                self.happened = True
                return lost()
            return write(store, work, **options)

        return write_or_die

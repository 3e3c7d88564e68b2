"""The attempts of one download, and what follows from each."""

from __future__ import annotations

from . import _clock
from ._call import Attempt, Call
from ._calls import Run
from ._deadline import NEVER, Deadline, TimeLimit
from ._download import Transfer
from ._exchange import Exchange
from ._failures import is_unknown
from ._file_exchange import FileExchange
from ._settings import Settings
from ._waits import GRACE_OF_A_NEW_JOB
from .errors import APIStatusError, DeerAPIError, Reason, WaitTimeoutError


class FileRun(Run[None]):
    """The attempts of one download.

    With a deadline the job is known to be completed, so the file must come: it is asked for again
    until then. New bytes renew attempts and budget.
    """

    def __init__(
        self,
        settings: Settings,
        call: Call[None],
        transfer: Transfer,
        deadline: Deadline | None = None,
    ) -> None:
        self._transfer = transfer
        self._must_come = deadline is not None
        self._last_error: DeerAPIError | None = None
        super().__init__(settings, call, deadline=deadline)

    def _latest_start(self) -> Deadline:
        """`begin` gives up at the deadline, with an error of its own."""
        return NEVER

    def begin(self) -> Exchange:
        """The next attempt; WaitTimeoutError if the time for the file is up."""
        if self._deadline.has_passed():
            message = "download: the deadline passed before the file was there"
            raise WaitTimeoutError(message) from self._last_error
        return super().begin()

    def pause(self) -> float:
        """For how many seconds to wait until the next attempt may begin, or `begin` gives up."""
        if self._deadline.has_passed():
            return 0.0
        return min(super().pause(), self._deadline.left())

    def _make_exchange(self, attempt: Attempt, limit: TimeLimit) -> Exchange:
        return FileExchange(self._settings, attempt, limit, self._transfer)

    def _delay_after(self, error: DeerAPIError) -> float | None:
        self._last_error = error
        if self._transfer.advanced:
            self._allowance.renew()
        left = self._deadline.left()
        if self._must_come and self._is_not_there_yet(error):
            self._allowance.renew()  # Not a failure: the server works, and so does the job.
            return min(self._settings.polling.initial_interval, left)
        if left == 0 and error.retryable:
            return 0.0
        delay = super()._delay_after(error)
        if delay is None:
            return None
        return min(delay, left)

    def _is_not_there_yet(self, error: DeerAPIError) -> bool:
        if error.reason is Reason.NOT_READY:
            return True
        if isinstance(error, APIStatusError) and error.status_code == 425:
            return True
        if _clock.monotonic() - self._started >= GRACE_OF_A_NEW_JOB:
            return False
        return is_unknown(error)

"""What is known of one paid job, so that whatever leaves its call can tell it."""

from __future__ import annotations

from contextlib import suppress

from ._answer import UnreadableAnswerError
from ._exchange import Exchange
from ._journal import Journal
from ._reading import ids_in, read_job, tells_of_job
from ._salvage import salvage
from .config import check_callbacks
from .errors import CHARGED, DeerAPIError
from .models import OnAccepted, Video


class Submission:
    """One paid job, from the first attempt to submit it until the call ends.

    Attributes:
        job: The job, once an answer gave its id.
        told: What has left the call, or is about to, and tells what is known. Whoever handles
            exceptions looks here before it calls `tell`, because a signal can strike in any
            call, but not in a comparison.
    """

    def __init__(self, journal: Journal, on_accepted: OnAccepted | None) -> None:
        check_callbacks(on_accepted=on_accepted)
        self.job: Video | None = None
        self.told: BaseException | None = None
        self._journal = journal
        self._on_accepted = on_accepted
        self._exchange: Exchange | None = None
        self._may_be_charged = False

    def begin(self, exchange: Exchange) -> None:
        """Another attempt is made. Until it has ended, nobody knows what became of it."""
        self._exchange = exchange

    def accepted(self, job: Video, exchange: Exchange) -> None:
        """The id of the job is known: keep it, then tell everybody, each once."""
        self.job = job
        try:
            event = exchange.attempt.event("accepted", exchange.answer, job_id=job.id)
            self._journal.accepted(event)
        finally:  # Whatever strikes in a log handler or a hook, the id is handed over.
            self._exchange = None
            if self._on_accepted is not None:
                self._on_accepted(job)

    def failed(self, error: DeerAPIError) -> None:
        """An attempt ended with `error`. One that was ambiguous makes all that follow so."""
        self._may_be_charged = self._may_be_charged or error.may_have_been_charged
        exchange = self._exchange
        job = self.job or _job_in(exchange)
        if job is None:
            self._exchange = None  # Not earlier: a signal can strike while the job is looked for.
            return
        error.may_have_been_charged = True
        _name_job(error, job)
        if exchange is not None:
            self.accepted(job, exchange)

    def tell(self, error: BaseException) -> None:
        """Let `error`, which leaves the call, say what is known: by attributes, or by a note."""
        exchange = self._exchange
        job = self.job or _job_in(exchange)
        in_doubt = self._may_be_charged or (exchange is not None and exchange.is_sent)
        if isinstance(error, DeerAPIError):
            if job is not None:
                _name_job(error, job)
            elif in_doubt:
                error.may_have_been_charged = True
                error.retryable = False
        elif job is not None:
            error.add_note(
                f"The job was accepted as {job.id}: wait for it and download it,"
                " do not submit it again."
            )
        elif in_doubt:
            error.add_note(CHARGED)
        self.told = error
        if exchange is None:
            return
        if job is not None:
            self.accepted(job, exchange)
        elif in_doubt:
            self._journal.interrupted(exchange.attempt.call)


def _name_job(error: DeerAPIError, job: Video) -> None:
    error.job_id = job.id
    error.video = error.video or job
    error.video_id = job.id
    error.retryable = False  # To call again would pay again.


def _job_in(exchange: Exchange | None) -> Video | None:
    """The job that the answer to a submit tells of, whatever its status and state.

    Of a 2xx that broke off, the id is enough: it may be all that is left of a paid job. Of any
    other status the id may be that of a request, so there has to be the state of the job, too, or
    the name of its kind.
    """
    if exchange is None or exchange.answer is None:
        return None
    answer = exchange.answer
    with suppress(UnreadableAnswerError):
        job = read_job(answer.json(), answer.request_id)
        if job is not None:
            return job
    rest = salvage(answer.text())
    if rest is None:
        return None
    if not answer.is_success and not tells_of_job(rest):
        return None
    return Video(id=ids_in(rest)[0], status="unknown")

"""Submits jobs and follows them to their end. What their answers must tell, `_history` checks."""

from collections.abc import Callable

from attrs import frozen

from ._api import JobFailedError, RefusedError, UnavailableError, why
from ._asker import Asker
from ._exchange import Exchange
from ._history import UNFINISHED
from ._judge import DONE


@frozen
class Patience:
    """How a job is followed.

    Attributes:
        pause: Waits between two polls.
        polls: How many are made at most.
        grace: For how many of the first ones the job may be unknown.
    """

    pause: Callable[[], None]
    polls: int
    grace: int = 0


@frozen
class Jobs:
    """The jobs of one walk.

    Attributes:
        asker: Sends.
        tell: Told of every accepted job, and of how far it has come.
    """

    asker: Asker
    tell: Callable[[str], None]

    def submit(self, source: str, prompt: str, model: str | None) -> Exchange:
        """The answer to a valid remix, which has the id of a job."""
        body = {"prompt": prompt} | ({"model": model} if model else {})
        job = self.asker.accepted("remixVideo", source, body=body)
        video_id = job.value.get("id")
        if not isinstance(video_id, str) or not video_id.strip():
            raise RefusedError(job, f"the accepted job has no usable id: {video_id!r}")
        self.tell(f"Accepted, and paid for: {video_id}")
        return job

    def ask_too_early(self, job: Exchange) -> None:
        """Asks for the file of a job that was just accepted."""
        api, video_id = self.asker.api, job.value["id"]
        early = self.asker.provoke("downloadVideoContent", video_id)
        if not early.succeeded:
            return
        after = api.call("retrieveVideo", video_id)
        if after.value.get("status") not in UNFINISHED:
            api.findings.skip("content_too_early_refused", "the job was completed too soon to ask")

    def follow(self, job: Exchange, patience: Patience) -> None:
        """Polls a job to its end.

        Raises:
            RefusedError: It does not come to an end, or cannot be retrieved.
            JobFailedError: It failed.
        """
        api, video_id = self.asker.api, job.value["id"]
        last = self._poll(job, patience)
        status = last.value.get("status")
        if status not in DONE:
            bound = f"the status is still {status!r} after {patience.polls} polls"
            api.findings.add("job_completes", bound, last)
            raise RefusedError(last, f"the job did not end: {bound}")
        api.call("retrieveVideo", video_id)
        if status == "failed":
            self.asker.provoke("downloadVideoContent", video_id)
            raise JobFailedError(last, f"the job failed: {why(last)}")

    def _poll(self, job: Exchange, patience: Patience) -> Exchange:
        """The last answer that told of the job."""
        api, last = self.asker.api, job
        for poll in range(patience.polls):
            try:
                now = api.call("retrieveVideo", job.value["id"])
            except UnavailableError:
                # The job is paid, so what can pass is waited out; the number of polls is bounded.
                patience.pause()
                continue
            if now.status == 200:
                last = now
                progress = now.value.get("progress", "")
                self.tell(f"  {now.value.get('status')} {progress}".rstrip())
                if now.value.get("status") in DONE:
                    break
            elif poll >= patience.grace:
                api.findings.add("issued_id_retrievable", f"the answer is {now.status}", now)
                lost = f"the accepted job cannot be retrieved: {now.status}, {why(now)}"
                raise RefusedError(now, lost)
            patience.pause()
        return last

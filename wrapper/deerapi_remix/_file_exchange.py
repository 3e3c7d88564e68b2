"""One attempt whose answer goes into a file: the rest of a file, redirects, refusals."""

from __future__ import annotations

import httpx

from ._answer import ERROR_LIMIT
from ._call import Attempt
from ._deadline import TimeLimit
from ._download import Transfer
from ._exchange import Exchange
from ._redirects import RedirectRefusedError, redirect
from ._settings import Settings
from .errors import DownloadError


class FileExchange(Exchange):
    """One attempt whose answer goes into a file."""

    def __init__(
        self, settings: Settings, attempt: Attempt, limit: TimeLimit, transfer: Transfer
    ) -> None:
        super().__init__(settings, attempt, limit)
        self._transfer = transfer
        self._range = transfer.request_headers()
        self._redirects = 0
        self._refusal: DownloadError | None = None

    def _headers(self) -> dict[str, str]:
        return {**super()._headers(), **self._range}

    def opened(self, response: httpx.Response) -> httpx.Request | None:
        """Take in status and headers; the next request, if the answer is a redirect to follow."""
        if response.has_redirect_location and self._request is not None:
            try:
                return self._redirected(response, self._request)
            except RedirectRefusedError as refused:
                self._refusal = self._transfer.error(str(refused))
        self._take(response, ERROR_LIMIT)
        self._begin()
        self._read_on(response)
        return None

    def _redirected(self, response: httpx.Response, original: httpx.Request) -> httpx.Request:
        request = redirect(
            response,
            followed=self._redirects,
            api=httpx.URL(self._settings.base_url),
            original=original,
            headers=self._headers(),
            timeout=self._timeout(),
            mask=self.mask,
        )
        self._redirects += 1
        return request

    def _begin(self) -> None:
        answer = self.known_answer()
        if not answer.is_success:
            return
        try:
            if self._transfer.begin(answer.status, answer.headers):
                self._body = self._transfer
                self.limit.file_begins()
            self._settings.journal.emit(self.attempt.event("download", answer))
        except DownloadError as error:
            self._refusal = error

    def chunk(self, chunk: bytes | None) -> bool:
        """Take in bytes of the body, None at its end; whether more are wanted."""
        return super().chunk(chunk) and self._refusal is None

    def finish(self) -> None:
        """Raise what went wrong; return if the file came whole."""
        if self._refusal is not None:
            raise self._refusal
        answer = self.known_answer()
        if answer.status == 416 and self._range:
            self._transfer.forget()
            problem = "the server does not have the rest of the file"
            raise self._transfer.error(problem, retryable=True)
        super().finish()
        self._transfer.end(answer)
        self._settings.journal.emit(self.attempt.event("download", answer))

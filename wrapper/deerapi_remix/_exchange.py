"""The order of events of one attempt, shared by both twins. Moves no bytes itself."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Protocol

import httpx

from . import _failures
from ._answer import Answer
from ._call import Attempt
from ._deadline import TimeLimit
from ._mask import KeyMask
from ._settings import Settings
from ._transport_errors import is_about, is_http_error, is_of_socket, is_of_transport, is_unmocked
from .errors import APIResponseValidationError, DeerAPIError

_RAISED_BY_HOOKS = frozenset({"HTTPStatusError"})
_NO_KEY = KeyMask("")


class Body(Protocol):
    """Where the bytes of a body go: into memory, or into a file."""

    def write(self, chunk: bytes) -> None:
        """Take in what came."""


class Guard:
    """Turns what the transport raises in its context into our errors."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        if error is None:
            return None
        try:
            self._exchange.judge(error)
        except DeerAPIError:
            raise
        except BaseException as raised:
            # A signal may have struck while an error was judged that quotes the key.
            self._exchange.mask.error(raised)
            raise
        return True


class Exchange:
    """One attempt whose answer goes into memory.

    Attributes:
        attempt: What is attempted, and since when.
        limit: How long it may take.
        answer: What came back, once status and headers have.
        mask: Takes the key out of what came.
        users_error: What the user's disk or `on_progress` raised, whatever its type.
    """

    def __init__(self, settings: Settings, attempt: Attempt, limit: TimeLimit) -> None:
        self.attempt = attempt
        self.limit = limit
        self.answer: Answer | None = None
        self.mask = _NO_KEY
        self.users_error: Exception | None = None
        self._settings = settings
        self._request: httpx.Request | None = None
        self._body: Body | None = None
        self._has_begun = False
        self._cause: Exception | None = None

    # What is sent

    def request(self, http: Any, arguments: dict[str, Any]) -> httpx.Request:
        """The request of a generated function, bound for our base URL with our key and timeout.

        Args:
            http: The httpx client that is to send it.
            arguments: What the generated function hands to an httpx client.
        """
        url = self._settings.base_url + arguments.pop("url")
        headers = {**arguments.pop("headers", {}), **self._headers()}
        with self.guard():
            extensions = {"timeout": self._timeout().as_dict()}
            request: httpx.Request = http.build_request(
                url=url, headers=headers, extensions=extensions, **arguments
            )
        self.mask = self._settings.key.sign(request.headers)
        self._request = request
        return request

    @property
    def is_sent(self) -> bool:
        """Whether the request may be on its way."""
        return self._request is not None

    @property
    def extensions(self) -> dict[str, Any] | None:
        """Those of the request, which are passed on to the transport as they are."""
        return self._request.extensions if self._request is not None else None

    def _headers(self) -> dict[str, str]:
        return {"Accept-Encoding": "identity"}

    def _timeout(self) -> httpx.Timeout:
        return self.limit.of_sockets(self._settings.timeout, self._settings.longest_operation)

    # What comes back

    def guard(self) -> Guard:
        """Turn what the transport raises into our errors."""
        return Guard(self)

    def judge(self, error: BaseException) -> None:
        """Raise what an error means, if it means anything beside the answer that has come."""
        if not isinstance(error, Exception):
            raise error
        if is_unmocked(error):
            self._request = None  # Nothing was sent.
        if not is_of_transport(error):
            # A socket of a transport of the user's may fail after a status, which decides alone.
            if self.answer is None or self.answer.is_success or not is_of_socket(error):
                raise error
            self.mask.error(error)
            self._cause = error
            return
        if is_http_error(error, _RAISED_BY_HOOKS) and self.answer is None:
            self._take_from_hook(error)
        # A status other than 2xx decides alone, whatever happened to its body.
        if self.answer is None or self.answer.is_success:
            self.mask.error(error)
            raise self._broken_off(error) from error

    def _broken_off(self, error: Exception) -> DeerAPIError:
        call = self.attempt.call
        host = ""
        if self._request is not None:
            host = self._request.url.netloc.decode("ascii")
        # Once an answer has begun, or where a hook raised an error of a request of its own, the
        # error proves nothing about ours.
        is_ours = self.answer is None and is_about(error, self._request)
        return _failures.no_answer(
            call.operation, error, sent=self.is_sent, paid=call.paid, host=host, is_ours=is_ours
        )

    def opened(self, response: httpx.Response) -> httpx.Request | None:
        """Take in status and headers; the next request, if the answer is a redirect to follow."""
        self._take(response)
        self._read_on(response)
        return None

    def _take(self, response: httpx.Response, limit: int | None = None) -> None:
        self.answer = Answer(
            response.status_code,
            response.headers.items(),
            self.mask,
            is_decoded=response.is_stream_consumed,
            is_unread=response.is_closed and not response.is_stream_consumed,
            limit=limit,
        )
        self._body = self.answer

    def _read_on(self, response: httpx.Response) -> None:
        if response.is_stream_consumed:  # A transport or hook of the user's has read it.
            self.chunk(response.content)
        # A body that is late must not take a whole timeout more.
        timeouts = response.request.extensions.setdefault("timeout", {})
        timeouts["read"] = self._timeout().read

    def _take_from_hook(self, error: Any) -> None:
        """Take in the answer of an error that a hook of the user's has raised."""
        response: httpx.Response = error.response
        self._take(response)
        if response.is_stream_consumed and self.answer is not None:
            self.answer.write(response.content)

    def chunk(self, chunk: bytes | None) -> bool:
        """Take in bytes of the body, None at its end; whether more are wanted."""
        if chunk is None or self._body is None:
            return False
        try:
            self._body.write(chunk)
        except Exception as error:  # Raised once the exchange has ended, outside the guard.
            self.users_error = error
            return False
        finally:
            del chunk  # A traceback may show the locals of this frame, and chunks may hold the key.
        if self.answer is not None and self.answer.is_full:
            return False
        # A body that comes in one piece counts, however late.
        if self._has_begun and self.limit.left() == 0:
            raise httpx.ReadTimeout("the answer takes longer than there is time for")
        self._has_begun = True
        return True

    # What it means

    def finish(self) -> None:
        """Raise what went wrong; return if a 2xx came whole."""
        if self.users_error is not None:
            raise self.users_error
        answer = self.known_answer()
        if not answer.is_success:
            call = self.attempt.call
            raise _failures.bad_status(call.operation, answer, paid=call.paid) from self._cause

    def known_answer(self) -> Answer:
        """The answer of an exchange that has ended without an error."""
        if self.answer is None:
            raise RuntimeError("The transport returned without an answer and without an error.")
        return self.answer

    def unreadable(self, problem: str) -> APIResponseValidationError:
        """The error for a 2xx that is no use, or that breaks the contract."""
        call = self.attempt.call
        return _failures.unreadable(call.operation, problem, self.known_answer(), paid=call.paid)

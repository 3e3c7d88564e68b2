"""What is asked for, and every decision about one attempt at it. Moves no bytes itself."""

import json
import math
import re
import ssl
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Generic, TypeVar

import attrs
import httpx

from . import _clock, _failures
from ._download import Transfer
from ._settings import Settings
from .errors import DeerAPIError
from .models import Event, EventKind, Video, salvage_id

ERROR_BODY_LIMIT = 64 * 1024
ANSWER_LIMIT = 1024 * 1024
REDIRECT_LIMIT = 5
# What httpx raises, and what it lets through: IDNs that are none, and on asyncio alerts of TLS.
_BROKEN = (
    httpx.HTTPError,
    httpx.StreamError,
    httpx.InvalidURL,
    httpx.CookieConflict,
    UnicodeError,
    ssl.SSLError,
)

T = TypeVar("T")
Read = Callable[["Exchange", Settings], T]


@attrs.frozen
class Call(Generic[T]):
    """What is asked for.

    Attributes:
        operation: Its name in errors, logs and events.
        send: Has the generated function build the request and hand it to a seam. Awaitable with an `AsyncSeam`.
        read: Makes the result from what came back.
        video_id: The video it is about.
        paid: Whether it costs money.
    """

    operation: str
    send: Callable[[Any], Any]
    read: Read[T]
    video_id: str | None = None
    paid: bool = False


@attrs.define(repr=False, eq=False)  # A traceback may show one, and what came may hold the key.
class Exchange:
    """One attempt.

    Attributes:
        call: What is asked for.
        started: When it began, on the monotonic clock.
        status: The HTTP status, once one has arrived.
        headers: The headers of the answer, by their names in lower case.
        request_id: The ID of the answer.
        foreign: What the disk or `on_progress` raised: the user's own, whatever its type.
    """

    _settings: Settings
    call: Call[Any]
    _transfer: Transfer | None
    _attempt: int
    _until: float
    _deadline: float
    status: int | None = None
    request_id: str | None = None
    headers: dict[str, str] = attrs.field(factory=dict)
    started: float = attrs.field(factory=lambda: _clock.monotonic())
    foreign: Exception | None = None
    _raised: Exception | None = None
    _request: httpx.Request | None = None
    _without_key: Callable[[str], str] = str
    _range: dict[str, str] = attrs.field(factory=dict)
    _redirects: int = 0
    _body: bytearray = attrs.field(
        factory=bytearray, repr=False
    )  # Rich looks into objects, whatever their repr.
    _into_file: bool = False
    _decoded_already: bool = False

    # What is sent

    def request(
        self, http: httpx.Client | httpx.AsyncClient, arguments: dict[str, Any]
    ) -> httpx.Request:
        """The request that a generated function asked for, on its way to our base URL with our key and timeout."""
        url = self._settings.base_url + arguments.pop("url")
        self._range = self._transfer.request_headers() if self._transfer else {}
        headers = {**arguments.pop("headers", {}), **self._range, "Accept-Encoding": "identity"}
        with self.guard():
            request = http.build_request(
                url=url, headers=headers, timeout=self._timeout(), **arguments
            )
        request.headers["Authorization"] = self._settings.key.header()
        self._without_key = _remover(
            request.headers.get("Authorization", "").removeprefix("Bearer ")
        )
        self._request = request
        return request

    def _timeout(self) -> httpx.Timeout:
        left = self.left()
        if left is None or left >= self._settings.patience:
            return self._settings.timeout
        limits = self._settings.timeout.as_dict()
        return httpx.Timeout(
            **{name: min(max(left, 0.001), limit or math.inf) for name, limit in limits.items()}
        )

    # What comes back

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Turn what httpx raises into our errors, and tell of a paid submit that something else interrupts."""
        try:
            yield
        except _BROKEN as error:
            if (
                isinstance(error, httpx.HTTPStatusError) and self.status is None
            ):  # Raised by a hook of the user's.
                self._take(error.response)
                self._body += error.response.content if error.response.is_stream_consumed else b""
            if self.status is not None and not self._succeeded:
                return  # A status other than 2xx decides alone, whatever happened to its body.
            self._redact(error)
            sent = self._request is not None
            failure = _failures.no_answer(
                self.call.operation, error, sent=sent, paid=self.call.paid
            )
            raise self._about_job(failure) from error
        except BaseException as error:
            if self.call.paid and self._request is not None:
                self._settings.journal.interrupted(self.call.video_id)
                if found := self._salvaged():
                    error.add_note(
                        f"The job was accepted as {found.id}: wait for it, do not submit it again."
                    )
            raise

    def opened(self, response: httpx.Response) -> httpx.Request | None:
        """Take in status and headers; the next request, if the answer is a redirect to follow."""
        self._take(response)
        if self._transfer is not None:
            try:
                if response.has_redirect_location:
                    self.status = None
                    return self._redirect(self._transfer, response)
                if self._succeeded:
                    self._into_file = self._transfer.begin(response.status_code, self.headers)
                    self._settings.journal.emit(self.event("download", self.started))
            except DeerAPIError as error:
                self._raised = error
        if (
            response.is_stream_consumed
        ):  # A transport or hook of the user's has read it, and decoded it.
            self.chunk(response.content)
        # A late body must not take a whole timeout more.
        response.request.extensions.setdefault("timeout", {})["read"] = self._timeout().read
        return None

    def _take(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.headers = {name: self._redacted(value) for name, value in response.headers.items()}
        self.request_id = _failures.request_id(self.headers)
        self._decoded_already = response.is_stream_consumed

    def chunk(self, chunk: bytes | None) -> bool:
        """Take in bytes of the body, None at its end; whether more are wanted."""
        if chunk is None:
            return False
        begun = (
            self._into_file or len(self._body) > 0
        )  # What comes in one piece counts, however late.
        if self._transfer is not None and self._into_file:
            try:
                self._transfer.write(chunk)
            except Exception as error:  # Raised outside the guard.
                self._raised = self.foreign = error
        else:
            self._body += chunk
        del chunk  # A traceback may show the locals of this frame, and a server may echo the key.
        if self._raised is not None or len(self._body) > self._limit:
            return False
        if begun and self.left() == 0:
            raise httpx.ReadTimeout("the answer takes longer than there is time for")
        return True

    def left(self) -> float | None:
        """Seconds that the exchange may take as a whole; None for a file without a deadline, once it arrives."""
        until = self._deadline if self._into_file else self._until
        return None if until == math.inf else max(until - _clock.monotonic(), 0.0)

    def _redirect(self, transfer: Transfer, response: httpx.Response) -> httpx.Request:
        if self._redacted(response.headers["Location"]) != response.headers["Location"]:
            raise transfer.error("a redirect to a URL that holds the key is refused")
        source = response.request.url
        target = source.join(response.headers["Location"])
        self._redirects += 1
        if self._redirects > REDIRECT_LIMIT:
            raise transfer.error(f"more than {REDIRECT_LIMIT} redirects")
        downgrade = source.scheme == "https" and target.scheme == "http"
        if target.scheme not in ("http", "https") or downgrade or (target.port or 0) > 65535:
            raise transfer.error(
                f"a redirect from {source.scheme} to {target.scheme}, port {target.port}, is refused"
            )
        headers = {**self._range, "Accept-Encoding": "identity"}
        # Not built by the client: its headers, cookies and parameters are for the API.
        request = httpx.Request(
            "GET", target, headers=headers, extensions={"timeout": self._timeout().as_dict()}
        )
        if (
            _origin(target) == _origin(httpx.URL(self._settings.base_url))
            and self._request is not None
        ):
            request.headers["Authorization"] = self._request.headers["Authorization"]
        return request

    def event(self, kind: EventKind, since: float, delay: float | None = None) -> Event:
        """What is known of this attempt."""
        call, elapsed = self.call, _clock.monotonic() - since
        return Event(
            kind,
            call.operation,
            self._attempt,
            self.status,
            delay,
            self.request_id,
            call.video_id,
            elapsed,
        )

    # What it means

    def finish(self) -> None:
        """Raise what went wrong; return if a 2xx came whole."""
        if self._raised is not None:
            raise self._raised
        if self.status == 416 and self._transfer is not None and self._range:
            self._transfer.forget()
            raise self._transfer.error(
                "the server does not have the rest of the file", retryable=True
            )
        if not self._succeeded:
            raise _failures.bad_status(self.call.operation, self.status or 0, **self._came())
        if self._transfer is not None:
            self._transfer.end(_failures.read_failure(self._text())[1])
            self._settings.journal.emit(self.event("download", self.started))

    def answer(self) -> Any:
        """The JSON of a 2xx; APIResponseValidationError if it has none."""
        problem = f"the answer is longer than {self._limit} bytes"
        if len(self._content()) <= self._limit:  # Not a local, for it may hold the key.
            with suppress(ValueError, RecursionError):
                cut = self._redacted if _MAY_HOLD_KEY.search(self._text()) else lambda found: found
                return cut(
                    _JSON.decode(
                        self._content().decode(
                            json.detect_encoding(self._content()), "surrogatepass"
                        )
                    )
                )
            problem = "the answer is not JSON"
        raise self.unreadable(problem)

    def unreadable(self, problem: str, video: Video | None = None) -> DeerAPIError:
        """The error for a 2xx that is no use, or that was read as `video` but breaks the contract."""
        return self._about_job(
            _failures.unreadable(self.call.operation, problem, **self._came()), video
        )

    @property
    def _succeeded(self) -> bool:
        return self.status is not None and 200 <= self.status <= 299

    @property
    def _limit(self) -> int:
        return ANSWER_LIMIT if self._succeeded and self._transfer is None else ERROR_BODY_LIMIT

    def _content(self) -> bytes:
        coding = self.headers.get("content-encoding", "").strip().lower()
        if not self._decoded_already and coding in ("gzip", "x-gzip", "deflate"):
            with suppress(zlib.error):  # It was not asked for, and may not even be what it says.
                return zlib.decompressobj(wbits=47).decompress(self._body, self._limit + 1)
        return bytes(self._body)

    def _text(self) -> str:
        return str(self._redacted(self._content().decode("utf-8-sig", "replace")))

    def _came(self) -> dict[str, Any]:
        return {"headers": self.headers, "body": self._text(), "paid": self.call.paid}

    def _salvaged(self) -> Video | None:
        """What is left of an answer to a submit, if its id is: it may be all that is left of a paid job."""
        found = salvage_id(self._text()) if self.call.paid and self._succeeded else None
        if found:
            self._settings.journal.accepted(found, self.request_id)
        return Video(id=found, status="unknown") if found else None

    def _about_job(self, error: DeerAPIError, video: Video | None = None) -> DeerAPIError:
        if video := video or self._salvaged():
            error.video, error.video_id = video, video.id
        return error

    def _redacted(self, value: Any) -> Any:
        """`value` without the key, should the server echo it."""
        if isinstance(value, str):
            return self._without_key(value)
        if isinstance(value, dict):
            return {self._redacted(name): self._redacted(item) for name, item in value.items()}
        return [self._redacted(item) for item in value] if isinstance(value, list) else value

    def _redact(self, error: BaseException, depth: int = 4) -> None:
        """Take the key out of `error` and its causes: they quote a server that breaks the protocol."""
        error.args = tuple(self._redacted(arg) for arg in error.args)
        for inner in (
            error.__cause__,
            *error.args,
        ):  # httpcore keeps the error of h11 as an argument.
            if isinstance(inner, BaseException) and depth:
                self._redact(inner, depth - 1)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)


def _remover(secret: str) -> Callable[[str], str]:
    """What takes `secret` out of a text. Made once for an exchange: an answer has many texts."""

    def without(value: str) -> str:
        if "\\" in value:  # JSON can spell a character in three ways.
            spelled = (
                rf"(?:{re.escape(one)}|\\{re.escape(one)}|(?i:\\u{ord(one):04x}))" for one in secret
            )
            value = re.sub("".join(spelled), "***", value)
        return value.replace(secret, "***")

    return without if len(secret) > 5 else str  # A shorter one would be found in ordinary words.


def _integer(digits: str) -> float:
    # Python reads no more than 4,300 digits, and no field needs as many.
    return int(digits) if len(digits) < 400 else math.inf


_JSON = json.JSONDecoder(parse_int=_integer)
# The key was taken out of this text, or it may be spelled otherwise: escaped, or in UTF-16. To look into every value
# of every answer takes 3 % of the time of a call.
_MAY_HOLD_KEY = re.compile(r"\*\*\*|\\|\0")

"""Sends requests of the document to a server, and has every answer judged."""

import json
import time
from collections.abc import Mapping
from typing import Any

import httpx

from ._document import essence
from ._exchange import Exchange, Key, keys
from ._findings import Findings

# Seconds for one answer, however it trickles in.
_LONGEST_ANSWER = 600.0


class StoppedError(Exception):
    """There is no point in going on."""

    def __init__(self, exchange: Exchange | None, reason: str) -> None:
        super().__init__(reason)
        self.exchange = exchange


class UnavailableError(StoppedError):
    """The server cannot be reached, or fails, or asks to come back later."""


class WrongKeyError(StoppedError):
    """The key is refused."""


class NoSuchModelError(StoppedError):
    """The model is not served, or none is."""


class SourceMissingError(StoppedError):
    """The source video is unknown, or not completed."""


class JobFailedError(StoppedError):
    """The job came to an end without a file."""


class RefusedError(StoppedError):
    """A valid request is refused for another reason, or its answer is of no use."""


class CapReachedError(Exception):
    """No further POST may be sent."""


class Api:
    """Every request goes through here: it is counted, capped and judged.

    Args:
        http: Sends; its base URL is the server's.
        key: A valid key.
        findings: Take up the verdicts.
        posts: How many POST requests may be sent; None for any number.
    """

    def __init__(
        self, http: httpx.Client, key: str, findings: Findings, *, posts: int | None = None
    ) -> None:
        self._http = http
        self._key = key
        self.findings = findings
        self.sent = {"GET": 0, "POST": 0}
        self._posts = posts

    def call(
        self,
        operation: str,
        video_id: str | None = None,
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        key: Key = "valid",
    ) -> Exchange:
        """Sends one request, once; a body of bytes as it is, any other as JSON.

        Raises:
            CapReachedError: It is a POST, and no further one may be sent.
            UnavailableError: No answer came; or, unless findings are strict, one that asks to come
                back later.
        """
        route = self.findings.contract.by_id[operation]
        self._check_cap(route.method)
        sent_headers, sent_body = _message(body, headers or {})
        known = keys(self._key)
        secret = {"authorization": f"Bearer {known[key]}"} if key in known else {}
        request = self._http.build_request(
            route.method,
            route.url(video_id),
            params=query,
            headers=sent_headers | secret,
            content=sent_body or None,
        )
        self.sent[route.method] += 1
        status, answered, content, broken_off = self._answer(request)
        exchange = Exchange(
            operation=operation,
            video_id=video_id,
            method=route.method,
            target=self._target_of(request.url),
            key=key,
            sent_headers=sent_headers,
            sent_body=sent_body,
            status=status,
            headers=answered,
            body=content,
            broken_off=broken_off,
        )
        self.findings.judge(exchange)
        if exchange.asks_for_later and not self.findings.strict:
            raise _failure(exchange)
        return exchange

    def _check_cap(self, method: str) -> None:
        if method == "POST" and self._posts is not None and self.sent["POST"] >= self._posts:
            raise CapReachedError

    def _target_of(self, url: httpx.URL) -> str:
        """Path and query, as they stand below the base URL."""
        base = self._http.base_url.raw_path.decode().rstrip("/")
        return url.raw_path.decode("ascii").removeprefix(base)

    def _answer(self, request: httpx.Request) -> tuple[int, Mapping[str, str], bytes, str | None]:
        deadline = time.monotonic() + _LONGEST_ANSWER
        what = f"{request.method} {request.url.path}"
        try:
            response = self._http.send(request, stream=True)
        except (httpx.TransportError, OSError) as error:
            raise UnavailableError(None, f"{what}: {type(error).__name__}: {error}") from None
        chunks: list[bytes] = []
        broken_off = None
        try:
            for chunk in response.iter_raw():
                chunks.append(chunk)
                if time.monotonic() > deadline:
                    raise UnavailableError(
                        None, f"{what}: the answer was not whole after {_LONGEST_ANSWER:.0f} s"
                    )
        except httpx.TimeoutException as error:
            raise UnavailableError(None, f"{what}: {type(error).__name__}: {error}") from None
        except httpx.TransportError as error:
            broken_off = f"the connection broke after {sum(map(len, chunks))} bytes: {error}"
        finally:
            response.close()
        answered = {name.lower(): value for name, value in response.headers.items()}
        return response.status_code, answered, b"".join(chunks), broken_off


def _message(body: Any, headers: Mapping[str, str]) -> tuple[dict[str, str], bytes]:
    """Headers and body of a request; a body of bytes as it is, any other as JSON."""
    told = {"accept-encoding": "identity"}
    content = b""
    if body is not None:
        told["content-type"] = "application/json"
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return {**told, **headers}, content


def _failure(exchange: Exchange) -> StoppedError:
    """The error for an answer that leaves nothing to ask."""
    said = f"{exchange.operation} was answered {exchange.status}"
    if names_no_model(exchange):
        return NoSuchModelError(exchange, f"{said}: {why(exchange)}")
    return UnavailableError(exchange, f"{said} {essence(exchange.headers)}: {why(exchange)}")


def names_no_model(exchange: Exchange) -> bool:
    """Whether a remix was refused because its model is not served."""
    return exchange.operation == "remixVideo" and str(exchange.error.get("code")).startswith(
        "model_not_"
    )


def why(exchange: Exchange) -> str:
    """Code and message of a failure, for people."""
    code, message = exchange.error.get("code"), exchange.error.get("message")
    return ", ".join(str(each)[:200] for each in (code, message) if each) or "no reason given"

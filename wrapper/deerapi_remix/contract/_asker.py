"""Asks for what must be granted, and stops with a reason where it is not; and for the opposite."""

from typing import Any

from ._api import (
    Api,
    NoSuchModelError,
    RefusedError,
    SourceMissingError,
    StoppedError,
    UnavailableError,
    WrongKeyError,
    names_no_model,
    why,
)
from ._exchange import Exchange


class Asker:
    """Sends requests that must be granted, or must be refused.

    Args:
        api: Sends and judges.
        source: The completed video that everything is about.
    """

    def __init__(self, api: Api, source: str) -> None:
        self.api = api
        self.source = source

    def accepted(self, operation: str, video_id: str | None = None, **request: Any) -> Exchange:
        """Sends a valid request.

        Raises:
            StoppedError: It is not answered with success; the class tells why.
        """
        exchange = self.api.call(operation, video_id, **request)
        findings = self.api.findings
        if exchange.succeeded:
            findings.add("valid_request_accepted", None, exchange)
            return exchange
        said = f"{operation} was answered {exchange.status}: {why(exchange)}"
        if findings.strict:
            findings.add("valid_request_accepted", said, exchange)
        raise self._reason(exchange)(exchange, said)

    def provoke(self, operation: str, video_id: str | None = None, **request: Any) -> Exchange:
        """Sends what must be refused. That the server fails with 500 is no reason to stop."""
        try:
            return self.api.call(operation, video_id, **request)
        except UnavailableError as failure:
            if failure.exchange is None or failure.exchange.status != 500:
                raise
            return failure.exchange

    def _reason(self, exchange: Exchange) -> type[StoppedError]:
        unknown = exchange.status == 404 or exchange.error.get("code") == "task_not_exist"
        if exchange.status == 401:
            return WrongKeyError
        if names_no_model(exchange):
            return NoSuchModelError
        if exchange.video_id == self.source and unknown:
            return SourceMissingError
        if exchange.asks_for_later:
            return UnavailableError
        return RefusedError

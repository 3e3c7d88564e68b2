"""Requests that schemathesis makes up.

They are the document's examples, edge cases, random ones, and chains along its links.
"""

import contextlib
import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import schemathesis
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder

from ._api import UnavailableError
from ._document import contract
from ._exchange import Exchange, Key
from ._findings import Findings

_CONFIG = Path(__file__).with_name("schemathesis.toml")


def explore(
    findings: Findings,
    key: str,
    video_id: str,
    base_url: str,
    *,
    app: Any = None,
    only: list[str] | None = None,
) -> list[Exchange]:
    """Sends some hundred requests, the same ones on every run, and has every answer judged.

    Args:
        findings: Take up the verdicts, schemathesis's own and ours.
        key: A valid key.
        video_id: A completed video.
        base_url: Where the server is.
        app: An ASGI app to call instead, in process.
        only: The operations to call, by default all.
    """
    settings = tomllib.loads(_CONFIG.read_text(encoding="utf-8"))
    settings["dictionaries"]["ids"]["values"].append(video_id)
    schema = schemathesis.openapi.from_dict(
        dict(contract().raw), config=schemathesis.Config.from_dict(settings)
    )
    schema.app = app
    schema.config.update(
        base_url=base_url, headers={"Authorization": f"Bearer {key}"}, request_timeout=60
    )
    base_path = urlsplit(base_url).path.rstrip("/")
    exchanges: list[Exchange] = []
    asked = schema.include(operation_id=only) if only else schema
    with _past_proxies():
        for event in from_schema(asked).execute():
            exchanges += _take_up_event(event, findings, key, base_path)
    return exchanges


@contextlib.contextmanager
def _past_proxies() -> Iterator[None]:
    """A server on this machine is not behind a proxy."""
    before = os.environ.get("NO_PROXY")
    os.environ["NO_PROXY"] = ",".join(filter(None, (before, "localhost,127.0.0.1,::1")))
    try:
        yield
    finally:
        if before is None:
            del os.environ["NO_PROXY"]
        else:
            os.environ["NO_PROXY"] = before


def _take_up_event(event: object, findings: Findings, key: str, base_path: str) -> list[Exchange]:
    match event:
        case events.NonFatalError(value=error) | events.FatalError(exception=error):
            why = f"made-up requests: {type(error).__name__}: {_one_line(str(error))}"
            raise UnavailableError(None, why) from error
        case (
            events.ScenarioFinished(recorder=recorder)
            | events.FuzzScenarioFinished(recorder=recorder)
        ):
            return _take_up(recorder, findings, key, base_path)
    return []


def _take_up(
    recorder: ScenarioRecorder, findings: Findings, key: str, base_path: str
) -> list[Exchange]:
    seen: dict[str, Exchange] = {}
    for case_id, interaction in recorder.interactions.items():
        request, response = interaction.request, interaction.response
        if response is None:
            continue
        url = urlsplit(request.uri)
        path = url.path.removeprefix(base_path)
        operation, video_id = findings.contract.find(request.method, path) or (None, None)
        exchange = Exchange(
            operation=operation or recorder.label,
            video_id=video_id,
            method=request.method,
            target=path + (f"?{url.query}" if url.query else ""),
            key=_kind_of_key(_first(request.headers).get("authorization"), key),
            sent_headers={
                name: value
                for name, value in _first(request.headers).items()
                if name != "authorization"
            },
            sent_body=request.body or b"",
            status=response.status_code,
            headers=_first(response.headers),
            body=response.content,
        )
        seen[case_id] = exchange
        if operation:
            findings.judge(exchange)
    for case_id, checks in recorder.checks.items():
        for check in checks:
            findings.checked[check.name] += 1
            if check.failure_info:
                failure = check.failure_info.failure
                findings.add(
                    check.name,
                    _one_line(failure.message or failure.title),
                    seen[failure.case_id or case_id],
                )
    return [exchange for exchange in seen.values() if exchange.operation in findings.contract.by_id]


def _first(headers: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {name.lower(): values[0] for name, values in headers.items()}


def _kind_of_key(authorization: str | None, key: str) -> Key:
    if authorization is None:
        return "none"
    return "valid" if authorization == f"Bearer {key}" else "wrong"


def _one_line(message: str) -> str:
    return " ".join(message.split())

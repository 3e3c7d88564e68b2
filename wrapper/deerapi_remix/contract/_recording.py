"""Judges recorded traffic by the rules for answers. Nothing is sent."""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx
from attrs import define, evolve, field, frozen

from . import _har
from ._check import BROKEN
from ._document import contract
from ._exchange import Exchange, without_key
from ._findings import Findings
from ._har import Node
from ._report import Report
from ._settings import UnusableError

_SECRET_NAME = re.compile("key|token|secret|auth|cookie|sig|pass|credential|session", re.IGNORECASE)
# What looks like a key of this kind of API, wherever it stands.
_KEY = re.compile(r"\bsk-[\w-]{6,}")
_PORTS = {"http": 80, "https": 443}
_AUTHORIZATION = "authorization"
# The words before a key, which are no secret.
_SCHEMES = {"Bearer", "bearer", "Basic", "basic"}
_FROM_A_CACHE = ("_fromCache", "fromCache")
Origin = tuple[str, str, int]


@define
class _Left:
    """What was left out, and why."""

    other_hosts: Counter[str] = field(factory=Counter)
    other_paths: int = 0
    unanswered: int = 0
    from_a_cache: int = 0

    def told(self) -> list[str]:
        hosts = ", ".join(name for name, _ in self.other_hosts.most_common(5))
        counts = {
            f"to other hosts ({hosts})": sum(self.other_hosts.values()),
            "to other paths or methods of the host": self.other_paths,
            "without an answer": self.unanswered,
            "answered by a cache": self.from_a_cache,
        }
        return [f"{count} {what}" for what, count in counts.items() if count]


@define
class _Secrets:
    """Everything in a recording that may be a key."""

    known: set[str] = field(factory=set)

    def collect(self, url: str, *headers: Mapping[str, str]) -> None:
        query = urlsplit(url).query
        named = parse_qsl(query)
        # As it was sent, too: that is how it is shown.
        named += [(name, value) for name, _, value in map(_parted, query.split("&"))]
        for each in headers:
            named += each.items()
        for name, value in named:
            if _SECRET_NAME.search(name):
                self.known |= {value, *re.split("[ =;,]+", value)} - _SCHEMES

    def masked(self, text: str) -> str:
        # The longest first: one may be part of another.
        for secret in sorted(self.known, key=len, reverse=True):
            text = without_key(text, secret)
        return _KEY.sub("***", text)


def _parted(pair: str) -> tuple[str, str, str]:
    return pair.partition("=")


def judge_recording(path: Path, base_url: str, key: str | None = None) -> Report:
    """Judges what a server answered in a recording.

    Args:
        path: A file in the format HAR.
        base_url: The server. What was sent elsewhere is counted and left out.
        key: A key to keep out of the report, beside those in the recording.

    Raises:
        UnusableError: The file is no HAR, or has nothing of this server.
    """
    server = _Server.at(base_url)
    entries = _har.read_entries(path)
    left, secrets = _Left(), _Secrets({key} if key else set())
    exchanges = []
    for entry in entries:
        exchange = server.exchange(entry, left, secrets)
        if exchange is not None:
            exchanges.append(exchange)
    told = "; ".join(left.told())
    if not exchanges:
        nothing = f"{path} has no answer of {base_url}"
        of_all = f": of {len(entries)} entries {told}" if told else ""
        raise UnusableError(f"{nothing}{of_all}. Is it another --base-url?")
    findings = Findings(contract(), strict=False)
    for exchange in sorted(_with_keys(exchanges), key=lambda each: each.span[0]):
        if exchange.succeeded:
            findings.add("valid_request_accepted", None, exchange)
        findings.judge(exchange)
    return Report(
        subject=str(path),
        findings=findings,
        code=BROKEN if findings.broken else 0,
        conclusion=_conclusion(findings, exchanges, len(entries), told),
        unasked=_unasked,
        mask=secrets.masked,
    )


def _split(url: str) -> tuple[Origin, str]:
    """Scheme, host and port of a URL; and its path with the query, as they were sent."""
    try:
        parts = httpx.URL(url)
    except (httpx.InvalidURL, TypeError, ValueError):
        raise UnusableError(f"this is no URL: {url!r}") from None
    if parts.scheme not in _PORTS or not parts.host:
        raise UnusableError(f"this is no URL of http or https: {url!r}")
    port = parts.port or _PORTS[parts.scheme]
    return (parts.scheme, parts.host.lower(), port), parts.raw_path.decode("ascii")


@frozen
class _Server:
    """The server that is judged."""

    origin: Origin
    path: str

    @classmethod
    def at(cls, base_url: str) -> "_Server":
        origin, path = _split(base_url)
        return cls(origin, path.rstrip("/"))

    def exchange(self, entry: Node, left: _Left, secrets: _Secrets) -> Exchange | None:
        """What an entry tells; None, which is counted, if it has no answer of this server."""
        request = entry.node("request")
        url, method = request.get("url", str), request.get("method", str).upper()
        try:
            origin, target = _split(url)
        except UnusableError:
            left.other_hosts[f"{urlsplit(url).scheme}:"] += 1
            return None
        if origin != self.origin:
            left.other_hosts[origin[1]] += 1
            return None
        path = target.partition("?")[0]
        found = contract().find(method, path.removeprefix(self.path))
        if found is None or not path.startswith(self.path):
            left.other_paths += 1
            return None
        response = entry.node("response")
        status = response.get("status", int)
        if not 100 <= status <= 599:
            left.unanswered += 1
            return None
        if status == 304 or any(entry.value.get(name) for name in _FROM_A_CACHE):
            left.from_a_cache += 1
            return None
        secrets.collect(url, request.headers(), response.headers())
        return _read(entry, found, target.removeprefix(self.path))


def _read(entry: Node, found: tuple[str, str | None], target: str) -> Exchange:
    request, response = entry.node("request"), entry.node("response")
    sent_headers, headers = _sent_headers(request), response.headers()
    sent, body = _har.sent_body(request, sent_headers), _har.answered_body(response, headers)
    return Exchange(
        operation=found[0],
        video_id=found[1],
        method=request.get("method", str).upper(),
        target=target,
        key="valid" if _AUTHORIZATION in sent_headers else "none",
        sent_headers=sent_headers,
        sent_body=sent or b"",
        status=response.get("status", int),
        headers=_har.comparable(response, headers),
        body=body or b"",
        span=_har.span_of(entry),
        sent_body_known=sent is not None,
        body_known=body is not None,
    )


def _sent_headers(request: Node) -> dict[str, str]:
    headers = request.headers()
    data = request.value.get("postData")
    if isinstance(data, dict) and isinstance(data.get("mimeType"), str):
        headers.setdefault("content-type", data["mimeType"])
    return headers


def _with_keys(exchanges: list[Exchange]) -> list[Exchange]:
    """The same, with a key each if no request has one: then the recorder left them out."""
    if any(each.key == "valid" for each in exchanges):
        return exchanges
    return [evolve(each, key="valid") for each in exchanges]


def _conclusion(
    findings: Findings, exchanges: list[Exchange], entries: int, left_out: str
) -> list[str]:
    judged = f"Judged: {len(exchanges)} of {entries} entries. Nothing was sent."
    lines = [f"{judged} Left out: {left_out}." if left_out else judged]
    unknown = sum(not each.body_known for each in exchanges)
    if unknown:
        lines.append(f"Not recorded, or not whole: the bodies of {unknown} answers.")
    if not any(each.key == "valid" for each in exchanges):
        lines.append("No request in it has a key, so whether one is asked for was not judged.")
    if findings.broken:
        lines.append(findings.conclusion)
    else:
        lines.append("The contract is kept, as far as the recording tells.")
    return lines


def _unasked(rule: str) -> str:
    return "the recording gave no occasion"

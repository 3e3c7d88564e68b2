"""One request and its answer, as the rules see them."""

import json
import shlex
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import parse_qsl

from attrs import field, frozen

from ._document import parsed, repeated_field

Key = Literal["valid", "wrong", "none", "cut", "longer", "in other letters"]

# Not a secret: a key that no server knows.
WRONG_KEY = "sk-wrong-key-of-the-contract-suite"
_SHORTEST_SECRET = 6

# What a shell makes of the key, so that a command can be shown without it.
_IN_SHELL = {
    "valid": "$DEERAPI_KEY",
    "wrong": WRONG_KEY,
    "cut": "${DEERAPI_KEY%?}",
    "longer": "${DEERAPI_KEY}x",
    "in other letters": "$(echo $DEERAPI_KEY | tr a-zA-Z A-Za-z)",
}

# The headers that change what is asked for.
_SHOWN = ("content-type", "range", "if-range")


@frozen
class Exchange:
    """Header names are in lower case; the key is not kept.

    Attributes:
        broken_off: What broke the connection within the answer, if anything did.
        span: When the request was sent and when the answer had come, in seconds. Requests that are
            sent one after the other need no times: then it is the same for all of them.
        sent_body_known: Whether the body of the request was seen; recordings may lack it.
        body_known: Whether the body of the answer was seen.
    """

    operation: str
    video_id: str | None
    method: str
    target: str
    key: Key
    sent_headers: Mapping[str, str]
    sent_body: bytes
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    broken_off: str | None = None
    span: tuple[float, float] = (0.0, 0.0)
    sent_body_known: bool = True
    body_known: bool = True

    @property
    def succeeded(self) -> bool:
        return 200 <= self.status < 300

    @property
    def asks_for_later(self) -> bool:
        """Whether the server fails, or asks to come back later."""
        return self.status == 429 or self.status >= 500

    @property
    def query(self) -> Mapping[str, str]:
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    @property
    def sent(self) -> Mapping[str, Any]:
        """The JSON object that was sent, empty if it was something else."""
        value, _ = parsed(self.sent_body)
        return value if isinstance(value, dict) else {}

    @property
    def repeats_a_field(self) -> bool:
        """Whether an object in the body that was sent names a field twice."""
        return repeated_field(self.sent_body) is not None

    @property
    def value(self) -> Mapping[str, Any]:
        """The JSON object that was answered, empty if it was something else."""
        value, _ = parsed(self.body)
        return value if isinstance(value, dict) else {}

    @property
    def error(self) -> Mapping[str, Any]:
        """`code` and `message` of a failure, in either shape."""
        nested = self.value.get("error")
        return nested if isinstance(nested, dict) else self.value

    @property
    def curl(self) -> str:
        """A command that sends the request again; the shell fills in base URL and key."""
        parts = ["curl -sS -i"] if self.method == "GET" else [f"curl -sS -i -X {self.method}"]
        if self.key in _IN_SHELL:
            parts.append(f'-H "Authorization: Bearer {_IN_SHELL[self.key]}"')
        parts += [
            f"-H {shlex.quote(f'{n}: {self.sent_headers[n]}')}"
            for n in _SHOWN
            if n in self.sent_headers
        ]
        if self.sent_body:
            parts.append(f"--data-binary {shlex.quote(_shown(self.sent_body))}")
        parts.append(f'"$DEERAPI_BASE_URL"{shlex.quote(self.target)}')
        return " ".join(parts)


def keys(valid: str) -> dict[str, str]:
    """What is sent as each kind of key."""
    made_of_it = {"cut": valid[:-1], "longer": f"{valid}x", "in other letters": valid.swapcase()}
    return {"valid": valid, "wrong": WRONG_KEY, **made_of_it}


def without_key(text: str, valid: str) -> str:
    """`text` without the key and what was made of it, should a server echo it.

    A key of few characters is no secret, and would be found in ordinary words.
    """
    if len(valid) < _SHORTEST_SECRET:
        return text
    for kind, key in keys(valid).items():
        text = text if kind == "wrong" else text.replace(key, "***")
    return text


def _shown(body: bytes) -> str:
    value, wrong = parsed(body)
    return body.decode(errors="replace") if wrong else json.dumps(value)

"""One request and its answer, as the rules see them."""

import json
import shlex
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import parse_qsl

from attrs import field, frozen

from .document import parsed

Key = Literal["valid", "wrong", "none"]

# Not a secret: a key that no server knows.
WRONG_KEY = "sk-wrong-key-of-the-contract-suite"

# The headers that change what is asked for.
_SHOWN = ("content-type", "range", "if-range")


@frozen
class Exchange:
    """Header names are in lower case; the key is not kept."""

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

    @property
    def query(self) -> Mapping[str, str]:
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    @property
    def sent(self) -> Mapping[str, Any]:
        """The JSON object that was sent, empty if it was something else."""
        value, _ = parsed(self.sent_body)
        return value if isinstance(value, dict) else {}

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
        if self.key == "valid":
            parts.append('-H "Authorization: Bearer $DEERAPI_KEY"')
        elif self.key == "wrong":
            parts.append(f"-H 'Authorization: Bearer {WRONG_KEY}'")
        parts += [f"-H {shlex.quote(f'{n}: {self.sent_headers[n]}')}" for n in _SHOWN if n in self.sent_headers]
        if self.sent_body:
            parts.append(f"--data-binary {shlex.quote(_shown(self.sent_body))}")
        parts.append(f'"$DEERAPI_BASE_URL"{shlex.quote(self.target)}')
        return " ".join(parts)


def _shown(body: bytes) -> str:
    value, wrong = parsed(body)
    return body.decode(errors="replace") if wrong else json.dumps(value)

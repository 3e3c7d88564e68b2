"""Is everything in place for a remix? Asks the server what costs nothing, and tells what to do about the rest."""

from __future__ import annotations

import email.utils
import os
import platform
import re
import sys
from collections.abc import Iterator
from importlib.resources import files
from time import monotonic
from time import time as now

import attrs
import httpx
import typer

from deerapi_remix import (
    AuthenticationError,
    ConfigurationError,
    DeerAPIError,
    PermissionDeniedError,
    RemixClient,
    RetryPolicy,
    __version__,
)
from deerapi_remix._key import Key
from deerapi_remix.config import check_base_url, is_loopback

from ._failures import ExitCode, exit_code, explained
from ._text import clean

_PATIENCE = 10.0
# Seconds by which clocks that are set well may differ, with what an answer takes.
_TOLERANCE = 60
_SHOWN = 5


@attrs.frozen
class Check:
    """What was found out about one thing.

    Attributes:
        name: The thing.
        ok: Whether it is in place; None if that could not be found out.
        message: What was found, and what to do if it is not in place.
        exit_code: The one that goes with it.
    """

    name: str
    ok: bool | None
    message: str = attrs.field(converter=clean)
    exit_code: ExitCode = ExitCode.DONE

    def __str__(self) -> str:
        return f"{_mark(self.ok)}  {self.name:<9} {self.message}"


def examine(base_url: str | None) -> Iterator[Check]:
    """Check one thing after the other. The key is sent nowhere unless the base URL is usable."""
    key = _key()
    yield key
    address, date = _address(base_url)
    yield address
    if key.ok and address.ok:
        yield from _account(base_url)
    else:
        yield Check("access", None, "not checked: see above")
        yield Check("models", None, "not checked: see above")
    yield _clock(date)
    yield _versions()


def _key() -> Check:
    try:
        Key(None).header()
    except ConfigurationError as error:
        return Check("key", False, explained(error), ExitCode.SETUP)
    return Check("key", True, "DEERAPI_KEY is set")


def _address(base_url: str | None) -> tuple[Check, str | None]:
    """Whether anything answers, and what time it is there."""
    try:
        url = check_base_url(base_url)
    except ConfigurationError as error:
        return Check("base URL", False, explained(error), ExitCode.SETUP), None
    begun = monotonic()
    try:
        http = httpx.Client(timeout=_PATIENCE, trust_env=not is_loopback(httpx.URL(url).host))
        with http, http.stream("GET", f"{url}/v1/models") as response:
            took = f"{monotonic() - begun:.2f} s"
            return Check("base URL", True, f"{url} answers, in {took}"), response.headers.get(
                "Date"
            )
    except (httpx.HTTPError, httpx.InvalidURL, ImportError, OSError, ValueError) as error:
        reason = f"{type(error).__name__}: {error}".rstrip(": ")
        advice = "Check the network, the proxies in the environment, and the base URL."
        return Check(
            "base URL", False, f"{url} does not answer: {reason}. {advice}", ExitCode.SERVER
        ), None


def _account(base_url: str | None) -> Iterator[Check]:
    try:
        with RemixClient(
            base_url=base_url, timeout=_PATIENCE, retry=RetryPolicy(attempts=1)
        ) as client:
            served = [model.id for model in client.models()]
    except (AuthenticationError, PermissionDeniedError) as error:
        yield Check("access", False, explained(error), exit_code(error))
        yield Check("models", None, "not checked: see above")
    except DeerAPIError as error:
        yield Check("access", None, "not known: see below")
        yield Check("models", False, explained(error), exit_code(error))
    else:
        yield Check("access", True, "the key is accepted")
        yield _models(served)


def _models(served: list[str]) -> Check:
    fitting = [model for model in served if "sora" in model.lower()]
    if not fitting:
        problem = f"none of the {len(served)} models served is a Sora model, and a remix needs one"
        return Check(
            "models", False, f"{problem}. Ask the vendor what the key is for.", ExitCode.SERVER
        )
    more = [f"{len(fitting) - _SHOWN} more"] if len(fitting) > _SHOWN else []
    others = (
        f"; and {len(served) - len(fitting)} that are not Sora's"
        if len(served) > len(fitting)
        else ""
    )
    return Check("models", True, f"{', '.join(fitting[:_SHOWN] + more)}{others}")


def _clock(date: str | None) -> Check:
    try:
        ahead = now() - email.utils.parsedate_to_datetime(date or "").timestamp()
    except (ValueError, OverflowError):
        return Check("clock", None, "not checked: no answer told the time")
    if abs(ahead) <= _TOLERANCE:
        return Check("clock", True, f"within {_TOLERANCE} s of the server's")
    problem = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the server's"
    return Check(
        "clock", False, f"{problem}. Set it: certificates are checked by it.", ExitCode.SETUP
    )


def _versions() -> Check:
    document = (files("deerapi_remix_generated") / "openapi.yaml").read_text(encoding="utf-8")
    found = re.search(r'^info:\n(?:  .*\n)*?  version: "?([^"\n]+)', document, re.MULTILINE)
    versions = {
        "deerapi-remix": __version__,
        "document": found[1] if found else "unknown",
        "httpx": httpx.__version__,
        "Python": platform.python_version(),
    }
    return Check(
        "versions", True, ", ".join(f"{name} {version}" for name, version in versions.items())
    )


def _mark(ok: bool | None) -> str:
    sign, word, color = {
        True: ("✓", "ok  ", "green"),
        False: ("✗", "FAIL", "red"),
        None: ("-", "-   ", "yellow"),
    }[ok]
    terminal = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    if not terminal or "utf" not in (sys.stdout.encoding or "").lower():
        return word
    return sign if os.environ.get("NO_COLOR") else typer.style(sign, fg=color, bold=True)

"""What `doctor` checks, one thing after the other, and what it says about each."""

from __future__ import annotations

import email.utils
import platform
import re
from collections.abc import Iterator
from importlib.resources import files
from time import monotonic
from time import time as now

import attrs
import httpx

from deerapi_remix import (
    APIConnectionError,
    AuthenticationError,
    ConfigurationError,
    DeerAPIError,
    PermissionDeniedError,
    RemixClient,
    RetryPolicy,
    __version__,
)

from ._address import address
from ._complaints import explained
from ._exit_codes import ExitCode, exit_code
from ._model_names import remember
from ._text import clean

_PATIENCE = 10.0
# Seconds by which clocks that are set well may differ, with what an answer takes.
_TOLERANCE = 60
_SHOWN = 5
# With it a client can be made where there is no key. It is no secret, and every server refuses it.
_NO_KEY = "no-key"
_SEE_ABOVE = "not checked: see above"


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


def examine(base_url: str | None) -> Iterator[Check]:
    """Check one thing after the other. The key is sent nowhere unless the base URL is usable."""
    key = _key()
    yield key
    try:
        url = address(base_url)
    except ConfigurationError as error:
        yield Check("base URL", False, explained(error), ExitCode.SETUP)
        yield from _not_checked()
        yield _clock(None)
    else:
        begun = monotonic()
        answer = _ask(url, has_key=bool(key.ok))
        yield _address(url, answer, monotonic() - begun)
        yield from _account(url, answer, has_key=bool(key.ok))
        yield _clock(_date(url, answer))
    yield _versions()


def _key() -> Check:
    try:
        # Nothing is sent, so any base URL will do.
        RemixClient(base_url="http://127.0.0.1").close()
    except ConfigurationError as error:
        return Check("key", False, explained(error), ExitCode.SETUP)
    return Check("key", True, "DEERAPI_KEY is set")


def _ask(url: str, *, has_key: bool) -> list[str] | DeerAPIError:
    """The models that are served, or what came instead."""
    key = None if has_key else _NO_KEY
    try:
        with RemixClient(
            key, base_url=url, timeout=_PATIENCE, retry=RetryPolicy(attempts=1)
        ) as client:
            return [model.id for model in client.models()]
    except DeerAPIError as error:
        return error


def _address(url: str, answer: list[str] | DeerAPIError, seconds: float) -> Check:
    match answer:
        case ConfigurationError():
            return Check("base URL", False, explained(answer), ExitCode.SETUP)
        case APIConnectionError():
            problem = f"{url} does not answer: {answer.args[0]}".rstrip(".")
            advice = "Check the network, the proxies in the environment, and the base URL."
            return Check("base URL", False, f"{problem}. {advice}", ExitCode.SERVER)
    before, version, _ = f"{url}/".partition("/v1/")
    if version and isinstance(answer, DeerAPIError):
        problem = f"{url} answers, but /v1 is added to it, so that {url}/v1/models was asked for"
        superfluous = url.removeprefix(before)
        return Check("base URL", False, f"{problem}. Leave {superfluous} out.", ExitCode.SETUP)
    return Check("base URL", True, f"{url} answers, in {seconds:.2f} s")


def _account(url: str, answer: list[str] | DeerAPIError, *, has_key: bool) -> Iterator[Check]:
    match answer:
        case APIConnectionError() | ConfigurationError():
            yield from _not_checked()
        case _ if not has_key:
            yield from _not_checked()
        case AuthenticationError() | PermissionDeniedError():
            yield Check("access", False, explained(answer), exit_code(answer))
            yield Check("models", None, _SEE_ABOVE)
        case DeerAPIError():
            yield Check("access", None, "not known: see below")
            yield Check("models", False, explained(answer), exit_code(answer))
        case _:
            remember(answer, url)
            yield Check("access", True, "the key is accepted")
            yield _models(answer)


def _not_checked() -> Iterator[Check]:
    yield Check("access", None, _SEE_ABOVE)
    yield Check("models", None, _SEE_ABOVE)


def _models(served: list[str]) -> Check:
    fitting = [model for model in served if "sora" in model.lower()]
    if not fitting:
        problem = f"none of the {len(served)} models served is a Sora model, and a remix needs one"
        advice = "Ask the vendor what the key is for."
        return Check("models", False, f"{problem}. {advice}", ExitCode.SERVER)
    shown = fitting[:_SHOWN]
    if len(fitting) > _SHOWN:
        shown.append(f"{len(fitting) - _SHOWN} more")
    told = ", ".join(shown)
    if len(served) > len(fitting):
        told = f"{told}; and {len(served) - len(fitting)} that are not Sora's"
    return Check("models", True, told)


def _date(url: str, answer: list[str] | DeerAPIError) -> str | None:
    """What time it is where the server is. Asked without the key."""
    if isinstance(answer, APIConnectionError | ConfigurationError):
        return None
    try:
        # Plain http is for this machine only, which is not behind a proxy.
        http = httpx.Client(timeout=_PATIENCE, trust_env=url.startswith("https:"))
        with http, http.stream("GET", f"{url}/v1/models") as response:
            return str(response.headers.get("Date"))
    except (httpx.HTTPError, httpx.InvalidURL, ImportError, OSError, ValueError):
        return None


def _clock(date: str | None) -> Check:
    try:
        ahead = now() - email.utils.parsedate_to_datetime(date or "").timestamp()
    except (ValueError, OverflowError):
        return Check("clock", None, "not checked: no answer told the time")
    if abs(ahead) <= _TOLERANCE:
        return Check("clock", True, f"within {_TOLERANCE} s of the server's")
    direction = "behind"
    if ahead > 0:
        direction = "ahead of"
    problem = f"{abs(ahead):.0f} s {direction} the server's"
    advice = "Set it: certificates are checked by it."
    return Check("clock", False, f"{problem}. {advice}", ExitCode.SETUP)


def _versions() -> Check:
    document = (files("deerapi_remix_generated") / "openapi.yaml").read_text(encoding="utf-8")
    found = re.search(r'^info:\n(?:  .*\n)*?  version: "?([^"\n]+)', document, re.MULTILINE)
    of_document = "unknown"
    if found is not None:
        of_document = found[1]
    versions = {
        "deerapi-remix": __version__,
        "document": of_document,
        "httpx": httpx.__version__,
        "Python": platform.python_version(),
    }
    told = ", ".join(f"{name} {version}" for name, version in versions.items())
    return Check("versions", True, told)

"""One run against one server, and the report of it."""

import sys
import time
from collections.abc import Callable, Mapping

import httpx

from ..server.api import (
    Api,
    JobFailedError,
    NoSuchModelError,
    RefusedError,
    SourceMissingError,
    StoppedError,
    UnavailableError,
    WrongKeyError,
)
from ..server.document import contract
from ..server.exchange import without_key
from ..server.explore import explore
from ..server.findings import Findings
from ..server.rules import ABOUT_REMIXES, BY_SCHEMATHESIS, RULES
from ..server.walk import READ_ONLY_REQUESTS, Patience, Walk
from .settings import Settings, UnusableError

BROKEN, UNUSABLE, INTERRUPTED = 1, 2, 130
CODES: Mapping[type[StoppedError], int] = {
    WrongKeyError: 3,
    NoSuchModelError: 4,
    SourceMissingError: 5,
    UnavailableError: 6,
    RefusedError: 7,
    JobFailedError: 8,
}

# A job may take 20 minutes; one that was just accepted may be unknown for half a minute.
_INTERVAL = 5.0
_POLLS = 240
_GRACE = 6

Print = Callable[[str], None]


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(
    environment: Mapping[str, str],
    *,
    pause: Callable[[float], None] = time.sleep,
    out: Print = _print,
    transport: httpx.BaseTransport | None = None,
) -> int:
    """Runs the checks and prints the report.

    Args:
        environment: The settings.
        pause: Waits for so many seconds.
        out: Takes the lines of the report.
        transport: Goes in place of the network.

    Returns:
        The exit code.
    """
    try:
        settings = Settings.of(environment)
    except UnusableError as error:
        out(f"Not started, nothing was sent: {error}. All settings: python -m contract_tests.live --help")
        return UNUSABLE

    def say(line: str = "") -> None:
        out(without_key(line, settings.key))

    say(f"The contract, live, against {settings.base_url}")
    say(_plan(settings))
    say()
    findings = Findings(contract(), strict=False)
    loopback = httpx.URL(settings.base_url).host in ("localhost", "127.0.0.1", "::1")
    with httpx.Client(base_url=settings.base_url, timeout=60, trust_env=not loopback, transport=transport) as http:
        api = Api(http, settings.key, findings, posts=settings.max_posts)
        stop: StoppedError | None = None
        interrupted = False
        try:
            _ask(settings, api, Patience(lambda: pause(_INTERVAL), _POLLS, _GRACE), say)
        except StoppedError as error:
            stop = error
        except KeyboardInterrupt:
            interrupted = True
    _report(findings, settings, stop is not None or interrupted, say)
    sent = f"Sent: {api.sent['GET']} GET, {api.sent['POST']} POST."
    if interrupted:
        say(f"{sent} Interrupted.")
        return INTERRUPTED
    if stop:
        say(f"{sent} Stopped early: {stop}")
        if stop.exchange:
            say(f"  reproduce: {stop.exchange.curl}")
    if findings.broken:
        rules = ", ".join(dict.fromkeys(each.rule for each in findings.broken))
        say(f"{'' if stop else f'{sent} '}THE CONTRACT IS BROKEN: {rules}")
        return BROKEN
    if stop:
        return CODES[type(stop)]
    say(f"{sent} The contract is kept, as far as it was checked.")
    return 0


def _plan(settings: Settings) -> str:
    if not settings.full:
        return f"Read-only, free of charge: at most {READ_ONLY_REQUESTS} GET requests will be sent, nothing else."
    cap = settings.max_posts
    # Each job that is followed is polled, and asked for a few more times before and after.
    reads = READ_ONLY_REQUESTS + (1 if cap == 1 else 2) * (_POLLS + 4)
    posts = "as many POST as there are checks" if cap is None else f"at most {cap} POST, refused ones included"
    made_up = ", and then some hundred requests that are made up" if cap is None else ""
    return (
        f"FULL MODE, WHICH COSTS MONEY: {posts},\n"
        f"and at most {reads} GET, most of them polls of an accepted job, {_INTERVAL:.0f} s apart{made_up}."
    )


def _ask(settings: Settings, api: Api, patience: Patience, say: Print) -> None:
    walk = Walk(api, settings.video_id, model=settings.model, tell=say)
    walk.read_only()
    if not settings.full:
        return
    walk.remix(patience)
    walk.refusals(patience)
    if settings.max_posts is None:
        made_up = explore(api.findings, settings.key, settings.video_id, settings.base_url)
        say(f"Sent {len(made_up)} requests that are made up.")


def _report(findings: Findings, settings: Settings, stopped: bool, say: Callable[..., None]) -> None:
    broken = {each.rule for each in findings.broken}
    for rule, meaning in RULES.items():
        if not findings.checked[rule]:
            said = f"not checked: {findings.unchecked.get(rule) or _reason(rule, settings, stopped)}"
            say(f"-       {rule:30}{said}")
            continue
        verdict = "BROKEN" if rule in broken else "drift" if rule in findings.drifted else "ok"
        part = f" (in part: {findings.unchecked[rule]})" if rule in findings.unchecked else ""
        say(f"{verdict:8}{rule:30}{meaning}{part}")
    say()
    if findings.drift:
        say("Drift: what the document does not say, or does not require. It breaks nothing by itself.")
        for where, lines in findings.drift.items():
            say(f"  {where}")
            for line, count in lines.items():
                say(f"    {line}" + (f"  ({count} times)" if count > 1 else ""))
        say()
    for each in dict.fromkeys(findings.broken):
        say(str(each))
    if findings.broken:
        say()


def _reason(rule: str, settings: Settings, stopped: bool) -> str:
    if rule in BY_SCHEMATHESIS and settings.max_posts is not None:
        return "needs LIVE_MODE=full and LIVE_MAX_REMIXES=0"
    if rule in ABOUT_REMIXES and not settings.full:
        return "needs LIVE_MODE=full"
    return "the run ended too early" if stopped else "no answer gave occasion"

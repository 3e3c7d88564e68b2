"""One run against one server."""

import time
from collections.abc import Callable

import httpx

from ._api import (
    Api,
    JobFailedError,
    NoSuchModelError,
    RefusedError,
    SourceMissingError,
    StoppedError,
    UnavailableError,
    WrongKeyError,
)
from ._document import contract
from ._exchange import without_key
from ._findings import Findings
from ._jobs import Patience
from ._report import Report, printable
from ._rules import ABOUT_REMIXES, BY_SCHEMATHESIS, OF_A_WRONG_KEY
from ._settings import Settings
from ._walk import READ_ONLY_REQUESTS, Walk

BROKEN, INTERRUPTED = 1, 130
CODES: dict[type[StoppedError], int] = {
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

_ANY_KEY = "this mock takes any key; with `mock --key KEY` it would not"

Tell = Callable[[str], None]


def check(
    settings: Settings,
    *,
    tell: Tell,
    pause: Callable[[float], None] = time.sleep,
    transport: httpx.BaseTransport | None = None,
) -> Report:
    """Puts the questions to a server and judges the answers.

    Args:
        settings: Where to ask, and how far to go.
        tell: Takes a line about what is going to be sent, or how far a job has come.
        pause: Waits for so many seconds.
        transport: Goes in place of the network.
    """

    def say(line: str) -> None:
        tell(printable(without_key(line, settings.key)))

    say(f"The contract, live, against {settings.base_url}")
    say(_plan(settings))
    findings = Findings(contract(), strict=False)
    end: BaseException | None = None
    with httpx.Client(
        base_url=settings.base_url,
        timeout=60,
        trust_env=not settings.on_this_machine,
        transport=transport,
    ) as http:
        api = Api(http, settings.key, findings, posts=settings.max_posts)
        try:
            _ask(settings, api, Patience(lambda: pause(_INTERVAL), _POLLS, _GRACE), say)
        except (StoppedError, KeyboardInterrupt) as error:
            end = error
        wrong_key_let_in = any(each.rule in OF_A_WRONG_KEY for each in findings.broken)
        if wrong_key_let_in and settings.on_this_machine and _is_a_mock_for_any_key(http):
            for rule in OF_A_WRONG_KEY:
                findings.leave_out(rule, _ANY_KEY)
    return Report(
        subject=settings.base_url,
        findings=findings,
        code=_code(findings, end),
        conclusion=_conclusion(api, end, settings.base_url),
        unasked=lambda rule: _unasked(rule, settings, stopped=end is not None),
        mask=lambda text: without_key(text, settings.key),
    )


def _is_a_mock_for_any_key(http: httpx.Client) -> bool:
    """Whether our own mock is asked, and was not told which key is valid."""
    try:
        state = http.get("/_mock/state").json()
    except (httpx.HTTPError, ValueError):
        return False
    return isinstance(state, dict) and state.get("any_key") is True


def _plan(settings: Settings) -> str:
    if not settings.full:
        requests = f"at most {READ_ONLY_REQUESTS} GET requests will be sent, nothing else."
        return f"Read-only, free of charge: {requests}"
    cap = settings.max_posts
    # Each job that is followed is polled, and asked for a few more times before and after.
    reads = READ_ONLY_REQUESTS + (1 if cap == 1 else 2) * (_POLLS + 4)
    posts, made_up = f"at most {cap} POST, refused ones included", ""
    if cap is None:
        posts = "as many POST as there are checks"
        made_up = ", and then some hundred requests that are made up"
    return (
        f"FULL MODE, WHICH COSTS MONEY: {posts}, and at most {reads} GET, "
        f"most of them polls of an accepted job, {_INTERVAL:.0f} s apart{made_up}."
    )


def _ask(settings: Settings, api: Api, patience: Patience, say: Tell) -> None:
    walk = Walk(api, settings.video_id, model=settings.model, tell=say)
    walk.read_only()
    if not settings.full:
        return
    walk.remix(patience)
    walk.refusals(patience)
    if settings.max_posts is None:
        from ._explore import explore  # It takes seconds to import.

        made_up = explore(api.findings, settings.key, settings.video_id, settings.base_url)
        say(f"Sent {len(made_up)} requests that are made up.")


def _code(findings: Findings, end: BaseException | None) -> int:
    if isinstance(end, KeyboardInterrupt):
        return INTERRUPTED
    if findings.broken:
        return BROKEN
    if isinstance(end, StoppedError):
        return CODES[type(end)]
    return 0


def _conclusion(api: Api, end: BaseException | None, base_url: str) -> list[str]:
    lines = []
    sent = f"Sent: {api.sent['GET']} GET, {api.sent['POST']} POST."
    if isinstance(end, StoppedError):
        lines.append(f"{sent} Stopped early: {end}")
        if end.exchange:
            lines.append(f"  reproduce: {end.exchange.curl}")
        if "/v1/" in f"{base_url}/":
            lines.append("  The base URL should end before /v1: every path begins so.")
    elif end is not None:
        lines.append(f"{sent} Interrupted.")
    else:
        lines.append(sent)
    if api.findings.broken:
        lines.append(api.findings.conclusion)
    elif end is None:
        lines.append("The contract is kept, as far as it was checked.")
    return lines


def _unasked(rule: str, settings: Settings, *, stopped: bool) -> str:
    if rule in BY_SCHEMATHESIS and settings.max_posts is not None:
        return "needs --full --max-remixes 0"
    if rule in ABOUT_REMIXES and not settings.full:
        return "needs --full"
    return "the run ended too early" if stopped else "no answer gave occasion"

"""The command `doctor`: is everything in place for a remix? Nothing that it sends costs."""

from __future__ import annotations

import sys
from typing import Annotated

import attrs
import typer

from ._exit_codes import ExitCode
from ._help import examples
from ._options import BaseUrl, Json
from ._streams import has_colors, is_dumb, is_terminal
from ._work import Work

EXAMPLES = examples("doctor", "doctor --quiet", "doctor --json")

OnlyFailures = Annotated[bool, typer.Option("--quiet", "-q", help="Show nothing but failures.")]
_WORDS = {True: "ok  ", False: "FAIL", None: "-   "}
_SIGNS = {True: "✓", False: "✗", None: "-"}
_COLORS = {True: "green", False: "red", None: None}


def doctor(as_json: Json = False, quiet: OnlyFailures = False, base_url: BaseUrl = None) -> None:
    """Check that everything is in place for a remix. It sends nothing that costs.

    Key, base URL, access, models, clock and versions, a line for each with
    what to do. The exit code is that of the first failure.
    """
    from ._checks import examine  # It brings httpx, and the help does without.

    work = Work(as_json=as_json, quiet=quiet, base_url=base_url)
    checks = []
    with work.running():
        for check in examine(base_url):
            checks.append(check)
            if not as_json and (check.ok is False or not quiet):
                work.result(f"{_mark(check.ok)}  {check.name:<9} {check.message}", {})
        code = next((check.exit_code for check in checks if check.ok is False), ExitCode.DONE)
        if as_json:
            told = [attrs.asdict(check) for check in checks]
            work.result("", {"exit_code": code, "checks": told})
        raise typer.Exit(code)


def _mark(ok: bool | None) -> str:
    encoding = (getattr(sys.stdout, "encoding", None) or "").lower()
    if not is_terminal(sys.stdout) or is_dumb() or "utf" not in encoding:
        return _WORDS[ok]
    sign = _SIGNS[ok]
    if has_colors(sys.stdout):
        return typer.style(sign, fg=_COLORS[ok], bold=True)
    return sign

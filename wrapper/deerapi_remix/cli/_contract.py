"""The command `contract`: does a server keep to the contract?

Exit codes:

0    the contract is kept, as far as it was checked
1    the contract is broken
2    a setting, recording or extra is missing or unusable; nothing was sent
3    the key is refused
4    no such model is served
5    the source video is unknown, or not completed
6    the server cannot be reached, fails, or asks to come back later
7    a valid request was refused for another reason, such as the balance
8    the job failed, so there was no file to check
10   the JUnit report could not be written
130  interrupted
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._complaints import complain
from ._help import examples
from ._key import key_from_terminal
from ._options import BaseUrl, Json
from ._streams import tell
from ._work import Work

if TYPE_CHECKING:
    from deerapi_remix.contract import Report

EXIT_CODES = (__doc__ or "").partition("Exit codes:")[2].strip()
EXAMPLES = "\n\n".join(
    (
        examples(
            "contract --video-id video_123",
            "contract --video-id video_123 --full --junit contract.xml",
            "contract --har traffic.har",
        ),
        f"Exit codes:\n\n{EXIT_CODES}",
    )
)
_UNUSABLE = 2

SourceId = Annotated[
    str | None,
    typer.Option(
        "--video-id",
        metavar="ID",
        help="A completed video that the key may read and remix. Default: LIVE_VIDEO_ID.",
    ),
]
Full = Annotated[
    bool, typer.Option("--full", help="Also submit remixes, WHICH COST MONEY, and follow one.")
]
MaxRemixes = Annotated[
    int | None,
    typer.Option(
        "--max-remixes",
        metavar="N",
        min=0,
        help="With --full: how many POST at most, refused ones included. Default: 1; 0 is any "
        "number, for mocks and staging: then some hundred requests are made up, too.",
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model", metavar="ID", help="For the remixes. Default: that of the video, if served."
    ),
]
JUnit = Annotated[
    Path | None,
    typer.Option("--junit", metavar="FILE", help="Write a report with a test for each rule."),
]
OnlyBreaches = Annotated[
    bool, typer.Option("--quiet", "-q", help="Show nothing but breaches and the conclusion.")
]


Recording = Annotated[
    Path | None,
    typer.Option(
        "--har", metavar="FILE", help="Judge recorded traffic in the format HAR, and send nothing."
    ),
]


def contract(
    video_id: SourceId = None,
    full: Full = False,
    max_remixes: MaxRemixes = None,
    model: Model = None,
    har: Recording = None,
    junit: JUnit = None,
    as_json: Json = False,
    quiet: OnlyBreaches = False,
    base_url: BaseUrl = None,
) -> None:
    """Check whether a server keeps to the contract. It reads, free of charge, unless told --full.

    It says beforehand how many requests it will send at most; with --har it
    sends none. What the document requires is kept or broken; anything else
    that is unusual is reported as drift, and breaks nothing. On GitHub each
    kind of breach is annotated.
    """
    given = {
        "DEERAPI_BASE_URL": base_url,
        "LIVE_VIDEO_ID": video_id,
        "LIVE_MODE": "full" if full else None,
        "LIVE_MAX_REMIXES": None if max_remixes is None else str(max_remixes),
        "LIVE_MODEL": model,
    }
    if har is not None and (full or max_remixes is not None or video_id or model):
        raise typer.BadParameter("--har sends nothing: it goes with --base-url and reports only.")
    settings = os.environ | {name: value for name, value in given.items() if value}
    # It has exit codes of its own, so only what happens to its files is told as elsewhere.
    work = Work(as_json=as_json, quiet=quiet, base_url=base_url)
    with work.running():
        report = _judge(work, settings, har, quiet=quiet)
        _tell(work, report, quiet=quiet)
        if junit is not None:
            junit.parent.mkdir(parents=True, exist_ok=True)
            junit.write_text(report.junit(), encoding="utf-8")
        raise typer.Exit(report.code)


def _judge(work: Work, settings: dict[str, str], har: Path | None, *, quiet: bool) -> Report:
    try:
        from deerapi_remix.contract import UnusableError
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package.startswith("deerapi_remix"):
            raise
        needs = f"The contract kit needs {package}: pip install 'deerapi-remix[contract]'"
        raise _unusable("MissingExtraError", needs, work) from None
    try:
        return _ask(settings, quiet=quiet) if har is None else _read(settings, har)
    except UnusableError as error:
        raise _unusable("UnusableError", f"{error}. Nothing was sent.", work) from None


def _ask(settings: dict[str, str], *, quiet: bool) -> Report:
    from deerapi_remix.contract import Settings, check

    key = key_from_terminal()
    if key is not None:
        settings = settings | {"DEERAPI_KEY": key}
    return check(Settings.of(settings), tell=_tell_nobody if quiet else _tell_progress)


def _read(settings: dict[str, str], har: Path) -> Report:
    from deerapi_remix.contract import DEFAULT_BASE_URL, judge_recording

    base_url = settings.get("DEERAPI_BASE_URL", "").strip() or DEFAULT_BASE_URL
    return judge_recording(har, base_url, settings.get("DEERAPI_KEY", "").strip() or None)


def _tell(work: Work, report: Report, *, quiet: bool) -> None:
    work.result("\n".join(report.lines(only_breaches=quiet)), report.to_dict())
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in report.annotations():
            tell(line)


def _unusable(kind: str, message: str, work: Work) -> typer.Exit:
    complain(_UNUSABLE, kind, message, as_json=work.as_json)
    return typer.Exit(_UNUSABLE)


def _tell_progress(line: str) -> None:
    tell(line)


def _tell_nobody(line: str) -> None:
    """Takes a line that nobody wants to read."""

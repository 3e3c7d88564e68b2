"""All commands."""

from __future__ import annotations

from typing import Annotated

import typer

from deerapi_remix import __version__

from . import __doc__ as _manual
from . import _batch, _contract, _doctor, _jobs, _ledger, _mock, _models, _remix
from ._help import Command, Group, examples

_EXIT_CODES = (_manual or "").partition("Exit codes:")[2].strip()

_EXAMPLES = examples(
    "doctor",
    'remix video_123 --prompt "The cat takes a bow" -o bow.mp4',
    "download video_456",
    "remix --help",
)

app = typer.Typer(
    name="deerapi-remix",
    cls=Group,
    help="Remix Sora videos through DeerAPI. A remix is a paid job: submit it, wait for it, "
    "download it.\n\n"
    "The key comes from DEERAPI_KEY, or is asked for on a terminal. `doctor` tells what is not in "
    "place yet, `mock` serves an API to try everything on for nothing, and --install-completion "
    "has the Tab key complete commands, options and models.",
    epilog=f"{_EXAMPLES}\n\nExit codes:\n\n{_EXIT_CODES}",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"deerapi-remix {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


app.command(cls=Command, epilog=_remix.EXAMPLES)(_remix.remix)
app.command(cls=Command, epilog=_jobs.STATUS_EXAMPLES)(_jobs.status)
app.command(cls=Command, epilog=_jobs.WAIT_EXAMPLES)(_jobs.wait)
app.command(cls=Command, epilog=_jobs.DOWNLOAD_EXAMPLES)(_jobs.download)
app.command(cls=Command, epilog=_models.EXAMPLES)(_models.models)
app.command(cls=Command, epilog=_doctor.EXAMPLES)(_doctor.doctor)
app.add_typer(_ledger.app)
app.add_typer(_batch.app)
app.command(cls=Command, epilog=_mock.EXAMPLES)(_mock.mock)
app.command(cls=Command, epilog=_contract.EXAMPLES)(_contract.contract)

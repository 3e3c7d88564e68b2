"""The commands."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import attrs
import typer

from deerapi_remix import __version__

from . import __doc__ as _manual
from ._failures import ExitCode
from ._help import Command, Group, examples
from ._job_file import JobFile, Remix
from ._mock import serve_mock
from ._options import (
    BaseUrl,
    JobId,
    Json,
    ModelId,
    NoWait,
    Output,
    Overwrite,
    Prompt,
    Quiet,
    Resubmit,
    Target,
    Timeout,
    VideoId,
)
from ._remix import remix_to_file
from ._text import default_name, model_table, video_fields
from ._work import Work

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
    help="Remix Sora videos through DeerAPI. A remix is a paid job: submit it, wait for it, download it.\n\n"
    "The key comes from DEERAPI_KEY, or is asked for on a terminal. `doctor` tells what is not in place yet, "
    "`mock` serves an API to try everything on for nothing, and --install-completion has the Tab key complete "
    "commands and options.",
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


@app.command(
    cls=Command,
    epilog=examples(
        'remix video_123 --prompt "A bow" --output bow.mp4',
        'remix video_123 --prompt "A bow" -o bow.mp4 --timeout 3600',
        'remix video_123 --prompt "A bow" --model sora-2-pro --no-wait',
    ),
)
def remix(
    video_id: VideoId,
    prompt: Prompt,
    model: ModelId = None,
    output: Target = None,
    overwrite: Overwrite = False,
    resubmit: Resubmit = False,
    timeout: Timeout = None,
    no_wait: NoWait = False,
    as_json: Json = False,
    quiet: Quiet = False,
    base_url: BaseUrl = None,
) -> None:
    """Submit a paid job that makes a new video from a completed one, and wait.

    With --output the video is saved and its path printed. Run the same
    command again if it was cut off: it goes on with its job, and pays for no
    other. Without --output the finished job is printed, for
    `deerapi-remix download`.
    """
    if no_wait and (output is not None or timeout is not None):
        raise typer.BadParameter("--no-wait goes neither with --output nor with --timeout.")
    if output is None and (overwrite or resubmit):
        raise typer.BadParameter(f"{'--overwrite' if overwrite else '--resubmit'} needs --output.")
    work = Work(as_json=as_json, quiet=quiet, base_url=base_url)
    with work.running(), work.client() as client:
        if output is not None:
            asked = Remix(video_id, prompt, model, work.base_url)
            path = remix_to_file(
                work, client, asked, output, timeout=timeout, overwrite=overwrite, resubmit=resubmit
            )
            assert work.job is not None  # noqa: S101  # It was seen when it was accepted.
            work.result(str(path), {**video_fields(work.job), "path": str(path)})
            return
        work.submits()
        video = client.remix(video_id, prompt=prompt, model=model)
        work.saw(video)
        if no_wait:
            work.result(video.id, video_fields(video))
            return
        work.finished(client.wait(video, timeout=timeout, on_update=work.saw))


@app.command(cls=Command, epilog=examples("status video_456", "status video_456 --json"))
def status(
    job_id: JobId, as_json: Json = False, quiet: Quiet = False, base_url: BaseUrl = None
) -> None:
    """Print how far a job has come."""
    work = Work(as_json=as_json, quiet=quiet, base_url=base_url)
    with work.running(), work.client() as client:
        work.shows(client.retrieve(job_id))


@app.command(cls=Command, epilog=examples("wait video_456", "wait video_456 --timeout 3600"))
def wait(
    job_id: JobId,
    timeout: Timeout = None,
    as_json: Json = False,
    quiet: Quiet = False,
    base_url: BaseUrl = None,
) -> None:
    """Wait until a job is finished, and print it."""
    work = Work(as_json=as_json, quiet=quiet, base_url=base_url)
    work.job_id = job_id
    with work.running(), work.client() as client:
        work.finished(client.wait(job_id, timeout=timeout, on_update=work.saw))


@app.command(
    cls=Command,
    epilog=examples("download video_456 -o bow.mp4", "download video_456 --variant thumbnail"),
)
def download(
    job_id: JobId,
    output: Output = None,
    variant: Annotated[
        str | None,
        typer.Option(
            "--variant",
            metavar="KIND",
            help="video (the default), thumbnail or spritesheet.",
            autocompletion=lambda: ["video", "thumbnail", "spritesheet"],
        ),
    ] = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
    base_url: BaseUrl = None,
) -> None:
    """Save the video of a completed job, and print its path."""
    target = Path(default_name(job_id, variant)) if output is None else output
    work = Work(as_json=as_json, quiet=quiet, base_url=base_url)
    work.job_id = job_id
    work.saves(target, overwrite=overwrite, variant=variant)
    with work.running(), work.client() as client:
        path = client.download(
            job_id, target, variant=variant, overwrite=overwrite, on_progress=work.display.received
        )
        if variant in (None, "video"):
            with contextlib.suppress(OSError):
                JobFile(target).saved(job_id)
        work.result(str(path), {"id": job_id, "variant": variant or "video", "path": str(path)})


@app.command(cls=Command, epilog=examples("models", "models --json"))
def models(as_json: Json = False, quiet: Quiet = False, base_url: BaseUrl = None) -> None:
    """List the models that are served now."""
    work = Work(as_json=as_json, quiet=quiet, base_url=base_url)
    with work.running(), work.client() as client:
        served = client.models()
        work.result(model_table(served), {"models": [attrs.asdict(model) for model in served]})
        if not served:
            work.display.note("no model is served now")


@app.command(cls=Command, epilog=examples("doctor", "doctor --quiet", "doctor --json"))
def doctor(
    as_json: Json = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Show nothing but failures.")
    ] = False,
    base_url: BaseUrl = None,
) -> None:
    """Check that everything is in place for a remix. It sends nothing that costs.

    Key, base URL, access, models, clock and versions, a line for each with
    what to do. The exit code is that of the first failure.
    """
    from ._doctor import examine  # It brings httpx, and the help does without.

    work = Work(as_json=as_json, quiet=quiet, base_url=base_url)
    checks = []
    with work.running():
        for check in examine(base_url):
            checks.append(check)
            if not as_json and (check.ok is False or not quiet):
                work.result(str(check), {})
        code = next((check.exit_code for check in checks if check.ok is False), ExitCode.DONE)
        if as_json:
            work.result(
                "", {"exit_code": code, "checks": [attrs.asdict(check) for check in checks]}
            )
        raise typer.Exit(code)


@app.command(cls=Command, epilog=examples("mock", "mock --port 0 --render-seconds 60"))
def mock(
    host: Annotated[
        str, typer.Option("--host", metavar="HOST", help="Where to listen.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", metavar="PORT", min=0, max=65535, help="0 takes a free one.")
    ] = 8000,
    render_seconds: Annotated[
        float,
        typer.Option("--render-seconds", metavar="SECONDS", min=0, help="How long a job takes."),
    ] = 5.0,
    fail_rate: Annotated[
        float,
        typer.Option(
            "--fail-rate", metavar="SHARE", min=0, max=1, help="The share of jobs that fail."
        ),
    ] = 0.0,
    seed: Annotated[
        int | None,
        typer.Option("--seed", metavar="NUMBER", help="Lets the same jobs fail every time."),
    ] = None,
    as_json: Json = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Show neither hints nor a line for each request.")
    ] = False,
) -> None:
    """Serve a mock of the API on this machine until Ctrl-C. It costs nothing and takes any key.

    At its address a browser finds a page to try it on, and curl the state of
    the mock: GET /_mock/state and POST /_mock/reset. A request with the header
    `Prefer: code=429` is answered with that status.
    """
    serve_mock(
        host,
        port,
        as_json=as_json,
        quiet=quiet,
        render_seconds=render_seconds,
        fail_rate=fail_rate,
        seed=seed,
    )

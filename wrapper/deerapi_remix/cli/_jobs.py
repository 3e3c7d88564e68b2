"""The commands for a job that exists: `status`, `wait`, `download`."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from ._help import examples
from ._job_file import JobFile
from ._next_command import SaveTo
from ._option_rules import check_options
from ._options import BaseUrl, JobId, Json, Output, Overwrite, Quiet, Timeout
from ._stdout import STDOUT, check_stdout_takes_video, save_to_stdout
from ._text import default_name
from ._work import Work

STATUS_EXAMPLES = examples("status video_456", "status video_456 --json")
WAIT_EXAMPLES = examples("wait video_456", "wait video_456 --timeout 3600")
DOWNLOAD_EXAMPLES = examples(
    "download video_456 -o bow.mp4", "download video_456 --variant thumbnail"
)


def _variants() -> list[str]:
    return ["video", "thumbnail", "spritesheet"]


Variant = Annotated[
    str | None,
    typer.Option(
        "--variant",
        metavar="KIND",
        help="video (the default), thumbnail or spritesheet.",
        autocompletion=_variants,
    ),
]


def status(
    job_id: JobId, as_json: Json = False, quiet: Quiet = False, base_url: BaseUrl = None
) -> None:
    """Print how far a job has come."""
    work = Work(as_json=as_json, quiet=quiet, base_url=base_url)
    with work.running(), work.client() as client:
        work.shows(client.retrieve(job_id))


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


def download(
    job_id: JobId,
    output: Output = None,
    variant: Variant = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
    base_url: BaseUrl = None,
) -> None:
    """Save the video of a completed job, and print its path."""
    check_options(output=output, json=as_json)
    work = Work(as_json=as_json, quiet=quiet, base_url=base_url)
    work.job_id = job_id
    if output is None:
        output = Path(default_name(job_id, variant))
    work.save_to = SaveTo(output, overwrite, variant)
    with work.running():
        if output == STDOUT:
            check_stdout_takes_video()
        with work.client() as client:
            if output == STDOUT:
                save_to_stdout(work, client, job_id, variant)
                return
            path = client.download(
                job_id,
                output,
                variant=variant,
                overwrite=overwrite,
                on_progress=work.display.received,
            )
        if variant in (None, "video"):
            with contextlib.suppress(OSError):
                JobFile(output).saved(job_id)
        work.result(str(path), {"id": job_id, "variant": variant or "video", "path": str(path)})

"""The command `remix`: paid for once, however often it is run and wherever it was cut off."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ._direct import Direct
from ._help import examples
from ._next_command import SaveTo
from ._once import Once
from ._open_ledger import open_ledger
from ._option_rules import check_options
from ._options import (
    BaseUrl,
    Database,
    Json,
    ModelId,
    NoWait,
    Overwrite,
    Prompt,
    Quiet,
    Resubmit,
    Target,
    Timeout,
    VideoId,
)
from ._options import Once as OnceKey
from ._stdout import STDOUT, check_stdout_takes_video, save_to_stdout
from ._text import escaped
from ._work import Work

if TYPE_CHECKING:
    from deerapi_remix import RemixClient, Video

EXAMPLES = examples(
    'remix video_123 --prompt "A bow" --output bow.mp4',
    'remix video_123 --prompt "A bow" -o bow.mp4 --timeout 3600',
    'remix video_123 --prompt "A bow" --model sora-2-pro --no-wait',
)


class _Way(Protocol):
    """How a remix is paid for once: by a job file, or by a ledger."""

    def submit(self) -> Video: ...

    def save(self, save_to: SaveTo, timeout: float | None) -> Path: ...


def remix(
    video_id: VideoId,
    prompt: Prompt,
    model: ModelId = None,
    output: Target = None,
    overwrite: Overwrite = False,
    resubmit: Resubmit = False,
    once: OnceKey = None,
    database: Database = None,
    timeout: Timeout = None,
    no_wait: NoWait = False,
    as_json: Json = False,
    quiet: Quiet = False,
    base_url: BaseUrl = None,
) -> None:
    """Submit a paid job that makes a new video from a completed one, and wait.

    With --output the video is saved and its path printed. A command that was
    cut off can be run again: it goes on with its job, and pays for no other.
    """
    check_options(
        output=output,
        overwrite=overwrite,
        resubmit=resubmit,
        once=once,
        database=database,
        timeout=timeout,
        no_wait=no_wait,
        json=as_json,
    )
    work = Work(as_json=as_json, quiet=quiet, base_url=base_url)
    if output is not None:
        work.save_to = SaveTo(output, overwrite)
    with work.running(), contextlib.ExitStack() as stack:
        client = stack.enter_context(work.client())
        work.will_submit(video_id, prompt, model)
        way: _Way = Direct(work, client, resubmit=resubmit)
        if once is not None:
            way = Once(work, client, stack.enter_context(open_ledger(database)), once)
        _deliver(work, client, way, timeout=timeout, no_wait=no_wait)


def _deliver(
    work: Work, client: RemixClient, way: _Way, *, timeout: float | None, no_wait: bool
) -> None:
    """Submit, and go as far as was asked for."""
    save_to = work.save_to
    to_stdout = save_to is not None and save_to.target == STDOUT
    if save_to is not None and not to_stdout:
        work.saved(way.save(save_to, timeout))
        return
    if to_stdout:
        check_stdout_takes_video()
    video = way.submit()
    if no_wait:
        work.result(escaped(video.id), video.to_dict())
        return
    video = client.wait(video, timeout=timeout, on_update=work.saw)
    if to_stdout:
        save_to_stdout(work, client, video)
    else:
        work.finished(video)

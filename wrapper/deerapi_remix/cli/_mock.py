"""The command `mock`: the mock server in a terminal."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from ._exit_codes import MissingExtraError
from ._help import examples
from ._options import Json
from ._work import Work

EXAMPLES = examples(
    "mock",
    "mock --port 0 --render-seconds 60",
    "mock --rate 5 --concurrency 4 --latency 0.3",
    "mock --answer-lost 0.1 --stuck 0.1 --truncated 0.2 --seed 7",
)

# So many requests and jobs are kept: a mock may run for days.
_KEPT = 10_000


def _share(name: str, help_text: str) -> Any:
    return typer.Option(name, metavar="SHARE", min=0, max=1, help=help_text)


Host = Annotated[str, typer.Option("--host", metavar="HOST", help="Where to listen.")]
Port = Annotated[
    int, typer.Option("--port", metavar="PORT", min=0, max=65535, help="0 takes a free one.")
]
RenderSeconds = Annotated[
    float, typer.Option("--render-seconds", metavar="SECONDS", min=0, help="How long a job takes.")
]
FailRate = Annotated[float, _share("--fail-rate", "The share of jobs that fail.")]
Stuck = Annotated[float, _share("--stuck", "The share of jobs that never end.")]
AnswerLost = Annotated[
    float, _share("--answer-lost", "The share of submits that are accepted, but not answered.")
]
Truncated = Annotated[float, _share("--truncated", "The share of downloads that break off.")]
Rate = Annotated[
    float | None,
    typer.Option(
        "--rate", metavar="NUMBER", help="Submits a second, and other requests; 429 beyond."
    ),
]
Concurrency = Annotated[
    int | None,
    typer.Option("--concurrency", metavar="NUMBER", help="Requests at once; 429 beyond."),
]
Latency = Annotated[
    float, typer.Option("--latency", metavar="SECONDS", min=0, help="How long an answer takes.")
]
ValidKeys = Annotated[
    list[str] | None,
    typer.Option("--key", metavar="KEY", help="A key that is valid. Default: any is."),
]
AllowHosts = Annotated[
    list[str] | None,
    typer.Option("--allow-host", metavar="NAME", help="Another name by which it may be asked."),
]
Seed = Annotated[
    int | None,
    typer.Option("--seed", metavar="NUMBER", help="Lets the same faults happen every time."),
]
MockQuiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Show neither hints nor a line for each request.")
]


def mock(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    render_seconds: RenderSeconds = 5.0,
    fail_rate: FailRate = 0.0,
    stuck: Stuck = 0.0,
    answer_lost: AnswerLost = 0.0,
    truncated: Truncated = 0.0,
    rate: Rate = None,
    concurrency: Concurrency = None,
    latency: Latency = 0.0,
    seed: Seed = None,
    key: ValidKeys = None,
    allow_host: AllowHosts = None,
    as_json: Json = False,
    quiet: MockQuiet = False,
) -> None:
    """Serve a mock of the API on this machine until Ctrl-C. It costs nothing and takes any key.

    At its address a browser finds a page to try it on, and curl the state of
    the mock: GET /_mock/state, POST /_mock/reset, and GET or POST
    /_mock/chaos for how rough it is. A request with the header
    `Prefer: code=429` is answered with that status.
    """
    chaos = {
        "fail_rate": fail_rate,
        "stuck": stuck,
        "answer_lost": answer_lost,
        "truncated": truncated,
        "rate": rate,
        "concurrency": concurrency,
        "latency": latency,
    }
    behaviour = {"render_seconds": render_seconds, "seed": seed, "api_keys": key, "kept": _KEPT}
    work = Work(as_json=as_json, quiet=quiet, base_url=None)
    with work.running(), contextlib.suppress(KeyboardInterrupt):
        _serve(work, host, port, chaos, behaviour, allow_hosts=allow_host or [], quiet=quiet)


def _serve(
    work: Work,
    host: str,
    port: int,
    chaos: dict[str, Any],
    behaviour: dict[str, Any],
    *,
    allow_hosts: list[str],
    quiet: bool,
) -> None:
    try:
        from deerapi_remix.testing import Chaos, FakeDeerAPI
        from deerapi_remix.testing.asgi import serve
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package.startswith("deerapi_remix"):
            raise
        message = f"The mock needs {package}: pip install 'deerapi-remix[mock]'"
        raise MissingExtraError(message) from None
    fake = FakeDeerAPI(chaos=Chaos(**chaos), **behaviour)
    results = sys.stdout

    def ready(base_url: str) -> None:
        with contextlib.redirect_stdout(results):
            _introduce(work, base_url)

    with contextlib.ExitStack() as stack:
        # The server writes a line for each request to stdout, which is for results.
        log = sys.stderr
        if quiet:
            log = stack.enter_context(Path(os.devnull).open("w"))
        stack.enter_context(contextlib.redirect_stdout(log))
        stack.enter_context(_another_port(host, port))
        serve(fake, host, port, allow_hosts=allow_hosts, on_ready=ready)


@contextlib.contextmanager
def _another_port(host: str, port: int) -> Iterator[None]:
    """Says what to do about a port that is taken."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        advice = f"Port {port} of {host} is in use: --port takes another, --port 0 a free one"
        raise OSError(error.errno, advice) from None


def _introduce(work: Work, base_url: str) -> None:
    work.result(base_url, {"base_url": base_url})
    work.display.note("Open it in a browser, or try it in another terminal; Ctrl-C ends it:")
    work.display.note(
        f"DEERAPI_BASE_URL={base_url} DEERAPI_KEY=any deerapi-remix remix video_123 "
        '--prompt "The cat takes a bow"'
    )

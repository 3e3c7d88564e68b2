"""The mock server in a terminal."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Any

import typer

from ._failures import ExitCode, complain
from ._work import Work


def serve_mock(host: str, port: int, *, as_json: bool, quiet: bool, **behaviour: Any) -> None:
    """Serve a fake with this behaviour until Ctrl-C."""
    try:
        from deerapi_remix.testing import FakeDeerAPI
        from deerapi_remix.testing.asgi import serve
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("deerapi_remix"):
            raise
        message = "the mock needs an extra. Run: pip install 'deerapi-remix[mock]'"
        complain(ExitCode.SETUP, "MissingExtra", message, as_json=as_json)
        raise typer.Exit(ExitCode.SETUP) from None
    work = Work(as_json=as_json, quiet=quiet, base_url=None)

    def ready(base_url: str) -> None:
        with contextlib.redirect_stdout(results):
            work.result(base_url, {"base_url": base_url})
        work.display.note(
            f"Open {base_url} in a browser, or try it in another terminal; Ctrl-C ends it:"
        )
        work.display.note(
            f'DEERAPI_BASE_URL={base_url} DEERAPI_KEY=any deerapi-remix remix video_123 --prompt "The cat takes a bow"'
        )

    results = sys.stdout
    with work.running(), contextlib.suppress(KeyboardInterrupt), contextlib.ExitStack() as stack:
        # The server writes a line for each request to stdout, which is for results.
        log = stack.enter_context(Path(os.devnull).open("w")) if quiet else sys.stderr
        stack.enter_context(contextlib.redirect_stdout(log))
        serve(FakeDeerAPI(**behaviour), host, port, on_ready=ready)

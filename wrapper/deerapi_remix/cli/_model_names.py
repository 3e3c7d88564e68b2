"""The names of the models, for completion.

A shell that completes cannot wait for a server, so the names are kept from the last time that they
were listed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import typer

# Seconds after which the list is asked for anew.
_FRESH = 3600.0
# Seconds between two attempts to do so.
_PAUSE = 60.0


def remember(names: Iterable[str], base_url: str | None) -> None:
    """Keep the names, if there is a place for them."""
    file = _file(base_url)
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps(list(names)), encoding="utf-8")
        draft.replace(file)


def complete_model(ctx: typer.Context, incomplete: str) -> list[str]:
    """The names that begin so. If the list is old, another process asks for a new one."""
    base_url = ctx.params.get("base_url")
    file = _file(base_url)
    if _age(file) > _FRESH:
        _ask_for(base_url, file)
    try:
        names = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return []
    return [str(name) for name in names if str(name).startswith(incomplete)]


def _file(base_url: str | None) -> Path:
    folder = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111  # It never raises.
    server = base_url or os.environ.get("DEERAPI_BASE_URL", "")
    name = hashlib.sha256(server.strip().encode(errors="replace")).hexdigest()[:16]
    return Path(folder) / "deerapi-remix" / f"models-{name}.json"


def _age(file: Path) -> float:
    try:
        return time.time() - file.stat().st_mtime
    except OSError:
        return float("inf")


def _ask_for(base_url: str | None, file: Path) -> None:
    asked = file.with_suffix(".asked")
    if not os.environ.get("DEERAPI_KEY") or _age(asked) < _PAUSE:
        return
    command = [sys.executable, "-m", "deerapi_remix", "models", "--quiet"]
    if base_url is not None:
        command += ["--base-url", base_url]
    # It must not take itself for a completion, too.
    variables = {
        name: value for name, value in os.environ.items() if not name.endswith("_COMPLETE")
    }
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        asked.touch()
        subprocess.Popen(  # noqa: S603  # This program itself.
            command,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

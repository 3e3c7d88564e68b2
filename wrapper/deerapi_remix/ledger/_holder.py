"""Who holds a submit: a process, told apart from another that later gets the same number.

On Linux it can be told whether a process of the same machine still runs. Elsewhere, and for
processes of other machines, nobody is taken for gone before the time of the submit is up.
"""

import os
import socket
from functools import cache
from pathlib import Path

_PROC = Path("/proc")
# Of the fields that follow the name of the program in /proc/PID/stat, counted from 0.
_STATE, _START = 0, 19


def current() -> str:
    """This process, as `host/scope/pid/start`."""
    return _describe(os.getpid())


def is_gone(holder: str) -> bool:
    """Whether it is certain that the process `holder` runs no more."""
    host, scope, pid, start = holder.split("/")
    here = _scope()
    if not here or (host, scope) != (socket.gethostname(), here):
        return False
    return _start_of(int(pid)) != start


@cache
def _describe(pid: int) -> str:
    return f"{socket.gethostname()}/{_scope()}/{pid}/{_start_of(pid) or 0}"


def _scope() -> str:
    """Where process numbers are unique: one boot of a machine, one container. Empty if unknown."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        namespace = (_PROC / "self/ns/pid").stat().st_ino
    except OSError:
        return ""
    return f"{boot}.{namespace}"


def _start_of(pid: int) -> str | None:
    """When a process began, in ticks since the boot; None if it does not run."""
    try:
        told = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The name of the program stands in parentheses and may hold anything.
    fields = told.rpartition(")")[2].split()
    if fields[_STATE] in "ZX":  # It has ended, and its parent has not noticed yet.
        return None
    return fields[_START]

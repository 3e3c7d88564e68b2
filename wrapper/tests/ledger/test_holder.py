"""Processes that hold a submit, and that are gone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deerapi_remix.ledger import _holder

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux can tell")


def test_this_process_is_not_gone() -> None:
    host, scope, pid, start = _holder.current().split("/")
    assert int(pid) == os.getpid()
    assert "" not in (host, scope, start)
    assert not _holder.is_gone(_holder.current())


@pytest.mark.parametrize("reaped", [True, False])
def test_a_process_that_has_ended_is_gone_also_before_its_parent_notices(reaped: bool) -> None:
    code = "from deerapi_remix.ledger import _holder; print(_holder.current())"
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    holder = child.stdout.read().strip()
    if reaped:
        child.wait()
    else:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert _holder.is_gone(holder)
    child.wait()
    child.stdout.close()


def test_another_process_with_the_same_number_is_another() -> None:
    host, scope, pid, start = _holder.current().split("/")
    assert _holder.is_gone(f"{host}/{scope}/{pid}/{int(start) - 1}")


@pytest.mark.parametrize("place", [0, 1])
def test_nothing_is_known_of_processes_of_other_machines_and_containers(place: int) -> None:
    parts = _holder.current().split("/")
    parts[place] = "elsewhere"
    parts[2] = "4194305"
    assert not _holder.is_gone("/".join(parts))


def test_where_nothing_can_be_told_nobody_is_gone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(_holder, "_PROC", tmp_path)
    _holder._describe.cache_clear()
    try:
        assert _holder.current().endswith(f"//{os.getpid()}/0")
        assert not _holder.is_gone(_holder.current())
    finally:
        monkeypatch.undo()
        _holder._describe.cache_clear()

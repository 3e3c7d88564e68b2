"""Workers that are killed at any moment."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from ...ledger.faults.kit import LONG, Run
from ...ledger.faults.vendor import Vendor
from .kit import Play, answering, on


@on("sqlite", "postgres")
def test_nothing_is_paid_twice_and_nothing_lost_whoever_is_killed(
    url: str, tmp_path: Path, tell: Callable[[Run], None]
) -> None:
    seed = int(os.environ.get("SEED", "2026"))
    print("SEED", seed)  # noqa: T201  # To run it again.
    rows, kills = (2500, 30) if LONG else (80, 3)
    kind = url.partition(":")[0]
    vendor = Vendor(url, answering(seconds=0.2, seed=seed), render=1.0)
    with closing(Play(url, tmp_path, rows=rows)) as play, vendor.running() as address:
        play.kill_at_random(address, vendor, kills, 1 if kind == "sqlite" else 3, random.Random(seed))
        tell(play.judge(f"{kind}: kill -9 of workers (seed {seed})", vendor))

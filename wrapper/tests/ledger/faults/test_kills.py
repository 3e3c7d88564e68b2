"""Processes that are killed at any moment."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from pathlib import Path

from .kit import LONG, Herd, Run

SLOTS = 4


def test_nothing_is_paid_twice_and_nothing_lost_whoever_is_killed(
    url: str, tmp_path: Path, tell: Callable[[Run], None]
) -> None:
    seed = int(os.environ.get("SEED", "2026"))
    print("SEED", seed)  # noqa: T201  # To run it again.
    keys, kills = (2000, 40) if LONG else (200, 4)
    chance = random.Random(seed)

    def behaviour(_: str) -> int:
        time.sleep(chance.uniform(0.0, 0.1))
        return chance.choices((200, 429, 400), (90, 5, 5))[0]

    herd = Herd(url, tmp_path, keys=keys, slots=SLOTS, seed=seed)
    kind = url.partition(":")[0]
    tell(herd.run(f"{kind}: kill -9 of 1 to 4 processes (seed {seed})", kills=kills, behaviour=behaviour))

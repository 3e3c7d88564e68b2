"""A program that submits once for a key, and says how that ended."""

from __future__ import annotations

import json
import logging
import os
import resource
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from deerapi_remix import DeerAPIError, RemixClient, RetryPolicy
from deerapi_remix.ledger import Ledger


def main() -> None:
    logging.disable()
    told = json.loads(sys.argv[1])
    file = told.get("full_after")
    if before := told.get("full_before"):
        fill(Path(before))

    def key() -> str:
        if file is not None:  # The intent is committed, and nothing else will be for a while.
            empty = fill(Path(file))
            threading.Timer(told["full_for"], empty).start()
        return "sk-program"

    if told.get("as_nobody") and os.geteuid() == 0:
        with Ledger(told["warm"]) as warm:  # So that everything is imported that this one may read.
            warm.get("warm")
        os.seteuid(65534)

    retry = RetryPolicy(attempts=1)
    with RemixClient(key, base_url=told["vendor"], retry=retry) as client, Ledger(told["ledger"]) as ledger:
        try:
            video = ledger.remix(client, told["key"], "video_123", prompt=told["key"])
        except DeerAPIError as error:
            json.dump({"error": type(error).__name__, "job": error.job_id, "told": str(error)}, sys.stdout)
        else:
            json.dump({"error": None, "job": video.id, "told": ""}, sys.stdout)


def fill(file: Path) -> Callable[[], None]:
    """Let no file of this process grow, as on a full disk, until what is returned is called."""
    log = file.with_name(f"{file.name}-wal")  # What is committed goes there.
    size = log.stat().st_size if log.exists() else 0
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    return partial(resource.setrlimit, resource.RLIMIT_FSIZE, (hard, hard))


if __name__ == "__main__":
    main()

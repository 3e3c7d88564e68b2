"""A program that submits for many keys until the outcome of each is known. It may be killed at any moment."""

from __future__ import annotations

import json
import logging
import random
import sys
import threading
import time
from collections import deque
from pathlib import Path

from deerapi_remix import BadRequestError, RateLimitError, RemixClient
from deerapi_remix.ledger import Ledger, LedgerUnavailableError, OutcomeUnknownError, SubmitInProgressError

_AGAIN = (SubmitInProgressError, LedgerUnavailableError, BadRequestError, RateLimitError)


def main() -> None:
    logging.disable()
    told = json.loads(sys.argv[1])
    keys = [f"key-{number}" for number in range(told["keys"])]
    random.Random(told["seed"]).shuffle(keys)
    left = deque(keys)
    returned = Path(told["returned"]).open("a", buffering=1)  # noqa: SIM115  # Every line counts as soon as it is written.
    client = RemixClient("sk-worker", base_url=told["vendor"])
    ledger = Ledger(told["ledger"])

    def work() -> None:
        while True:
            try:
                key = left.popleft()
            except IndexError:
                return
            try:
                video = ledger.remix(client, key, "video_123", prompt=key)
            except _AGAIN:
                left.append(key)
                time.sleep(0.02)
            except OutcomeUnknownError:
                pass
            else:
                returned.write(f"{key} {video.id}\n")

    sys.stdout.write("ready\n")
    sys.stdout.flush()
    threads = [threading.Thread(target=work) for _ in range(told["slots"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ledger.close()


if __name__ == "__main__":
    main()

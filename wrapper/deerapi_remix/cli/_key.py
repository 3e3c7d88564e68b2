"""The key, where the environment has none.

It is never an argument: other users of the machine can see those.
"""

from __future__ import annotations

import getpass
import os
import sys

from ._streams import is_terminal, tell


def key_from_terminal() -> str | None:
    """What is typed, unseen; None if DEERAPI_KEY is set, or if there is nobody to ask."""
    if os.environ.get("DEERAPI_KEY", "").strip():
        return None
    if not is_terminal(sys.stdin) or not is_terminal(sys.stderr):
        return None
    try:
        return getpass.getpass("DEERAPI_KEY is not set. Key (not shown): ")
    except (EOFError, KeyboardInterrupt) as error:
        tell("")  # The cursor is still behind the prompt.
        if isinstance(error, EOFError):
            return None
        raise

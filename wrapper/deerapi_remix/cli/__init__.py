"""The command line, `deerapi-remix`. Results go to stdout, progress and errors to stderr.

Exit codes:

0    done
2    wrong usage: an argument or option is not acceptable; nothing was sent
3    setup: no usable key or base URL, refused key (401), an extra is missing
4    refused: another 4xx, such as 403 for a balance that is used up
5    rate limited: 429, also after trying again
6    the server or the connection failed, also after trying again
7    unknown: a paid submit got no clear answer, and may have been charged
8    the job failed: it ended without a video
9    the deadline passed; the job goes on
10   no file: not downloaded or not written; or the mock's port is taken
130  interrupted by Ctrl-C; during a submit, its outcome is unknown
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit."""
    try:
        try:
            from ._run import run
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in ("typer", "rich"):
                raise
            sys.stderr.write(
                "Error: the command line needs an extra. Run: pip install 'deerapi-remix[cli]'\n"
            )
            sys.exit(3)
        sys.exit(run(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)

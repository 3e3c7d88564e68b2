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
130  ended by Ctrl-C, SIGTERM or SIGHUP; during a submit, outcome unknown
"""

from __future__ import annotations

import sys

from ._signals import ending_as_ctrl_c_does

# What to install for a command; `cli` for all others.
EXTRAS = {"mock": "cli,mock", "ledger": "cli,ledger", "batch": "batch", "contract": "contract"}


def main() -> None:
    """Run the command line and exit."""
    try:
        with ending_as_ctrl_c_does():
            sys.exit(_run_arguments())
    except KeyboardInterrupt:
        sys.exit(130)


def _run_arguments() -> int:
    try:
        import rich  # noqa: F401  # It is used late, and told missing at once.

        from ._run import run
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in ("typer", "rich"):
            raise
        extra = EXTRAS.get(sys.argv[1] if len(sys.argv) > 1 else "", "cli")
        sys.stderr.write(
            f"Error: The command line needs {package}: pip install 'deerapi-remix[{extra}]'\n"
        )
        return 3
    return run(sys.argv[1:])

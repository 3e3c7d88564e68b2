"""The command line, as `python -m deerapi_remix`."""

from deerapi_remix.cli import main

main()

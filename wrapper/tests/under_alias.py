"""Runs pytest with httpx2 in the place of httpx: `python -m wrapper.tests.under_alias TESTS…`."""

import sys

import httpx2

httpx2.alias_httpx()  # Before anything imports httpx.

import pytest  # noqa: E402

# These plugins replace parts of httpx that have moved in httpx2.
WITHOUT = ["-p", "no:pytest_httpx", "-p", "no:respx", "-W", "ignore::pytest.PytestAssertRewriteWarning"]

if __name__ == "__main__":
    sys.exit(pytest.main([*WITHOUT, *sys.argv[1:]]))

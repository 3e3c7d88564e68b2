"""The two clients are one design: the asynchronous one follows from the synchronous one by substitutions."""

from __future__ import annotations

import inspect
import re

import pytest

from deerapi_remix import AsyncRemixClient, RemixClient

from .twins import PACKAGE, PAIRS, RUFF, SUBSTITUTIONS, derived


@pytest.mark.skipif(not RUFF.exists(), reason="make lowest and make newest install no formatter")
def test_the_asynchronous_client_follows_from_the_synchronous_one() -> None:
    for ours, twin in PAIRS:
        written = (PACKAGE / twin).read_text()
        assert derived((PACKAGE / ours).read_text(), written) == written, "run make twins"


def test_every_substitution_is_needed() -> None:
    source = "".join((PACKAGE / ours).read_text() for ours, _ in PAIRS)
    for pattern, replacement in SUBSTITUTIONS:
        source, count = re.subn(pattern, replacement, source, flags=re.MULTILINE)
        assert count, pattern


# The public methods; `close` has another name in the twin.
SIGNED = [name for name, member in inspect.getmembers(RemixClient, callable) if not name.startswith("_")]


@pytest.mark.parametrize("name", ["__init__", *(name for name in SIGNED if name != "close")])
def test_both_clients_have_the_same_signatures(name: str) -> None:
    ours = inspect.signature(getattr(RemixClient, name))
    twin = inspect.signature(getattr(AsyncRemixClient, name))
    expected = str(ours).replace("-> 'Iterator", "-> 'AsyncIterator")
    assert expected == str(twin)


def test_both_clients_have_the_same_public_names() -> None:
    ours = {name for name in dir(RemixClient) if not name.startswith("_")}
    twin = {name for name in dir(AsyncRemixClient) if not name.startswith("_")}
    assert ours - {"close"} == twin - {"aclose"}

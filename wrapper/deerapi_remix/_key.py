"""The API key, kept where nothing shows it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, MutableMapping
from functools import lru_cache

from ._mask import KeyMask
from .config import check_callbacks
from .errors import ConfigurationError

_VISIBLE = re.compile("[!-~]+")


class Key:
    """The API key, kept where no repr, `vars()`, pickle or traceback shows it: in a closure."""

    def __init__(self, source: str | Callable[[], str] | None) -> None:
        if source is None:
            source = os.environ.get("DEERAPI_KEY", "")
        if callable(source):
            check_callbacks(api_key=source)
            self._ask: Callable[[], object] = source
        else:
            self._ask = lambda: source
        self._mask_of = lru_cache(maxsize=2)(KeyMask)  # To make one takes longer than to use it.

    def header(self) -> str:
        """The value of the authorization header; ConfigurationError if there is no usable key."""
        key = self._ask()
        if problem := _key_problem(key):
            del key  # A traceback may show the locals of this frame.
            raise ConfigurationError(f"{problem} Set DEERAPI_KEY or pass api_key.")
        return f"Bearer {str(key).strip()}"

    def sign(self, headers: MutableMapping[str, str]) -> KeyMask:
        """Put the key into the headers of a request; what takes it out of the answer."""
        header = self.header()
        headers["Authorization"] = header
        mask = self._mask_of(header.removeprefix("Bearer "))
        del header  # A traceback may show the locals of this frame.
        return mask

    def __repr__(self) -> str:
        return "Key(***)"


def _key_problem(key: object) -> str | None:
    if not isinstance(key, str):
        return f"The API key must be a string, not {type(key).__name__}."
    stripped = key.strip()
    if not stripped:
        return "There is no API key."
    if stripped.lower().startswith("bearer "):
        return 'The API key must be given without "Bearer ".'
    if not _VISIBLE.fullmatch(stripped):
        return (
            "The API key has characters that no key has: whitespace, control or non-ASCII"
            " characters."
        )
    return None

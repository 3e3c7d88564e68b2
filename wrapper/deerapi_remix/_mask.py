"""Takes the key out of what came, should a server echo it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

# A shorter key would be found in ordinary words.
_SHORTEST = 6
# httpcore keeps the error of h11 as an argument of its own, and that may hold another.
_NESTED_ERRORS = 4


class KeyMask:
    """Replaces one key by `***` in texts, in values from JSON, and in errors."""

    def __init__(self, key: str) -> None:
        # The key lives in a closure: no repr, `vars()` or pickle of this object shows it.
        self._without_key = _remover(key) if len(key) >= _SHORTEST else _unchanged

    def text(self, value: str) -> str:
        """`value` without the key."""
        return self._without_key(value)

    def value(self, value: Any) -> Any:
        """A value from JSON without the key, however deep it lies."""
        if isinstance(value, str):
            return self._without_key(value)
        if isinstance(value, dict):
            return {self.value(name): self.value(member) for name, member in value.items()}
        if isinstance(value, list):
            return [self.value(member) for member in value]
        return value

    def error(self, error: BaseException, depth: int = _NESTED_ERRORS) -> None:
        """Take the key out of `error` and its causes: they quote a server that breaks HTTP."""
        error.args = tuple(self.value(argument) for argument in error.args)
        for inner in (error.__cause__, error.__context__, *error.args):
            if isinstance(inner, BaseException) and depth > 0:
                self.error(inner, depth - 1)


def _unchanged(value: str) -> str:
    return value


def _remover(key: str) -> Callable[[str], str]:
    escaped_key: re.Pattern[str] | None = None

    def without_key(value: str) -> str:
        nonlocal escaped_key
        if "\\" in value:
            if escaped_key is None:
                escaped_key = _in_json(key)
            value = escaped_key.sub("***", value)
        return value.replace(key, "***")

    return without_key


def _in_json(key: str) -> re.Pattern[str]:
    """`key` in JSON, which can spell a character plainly, behind a backslash, or by its number."""
    characters = []
    for character in key:
        plain = re.escape(character)
        characters.append(rf"(?:{plain}|\\{plain}|(?i:\\u{ord(character):04x}))")
    return re.compile("".join(characters))

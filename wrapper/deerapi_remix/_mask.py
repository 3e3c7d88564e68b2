"""Takes the key out of what came, should a server echo it."""

from __future__ import annotations

import base64
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
    encoded = _in_base64(key)
    spelled: re.Pattern[str] | None = None

    def without_key(value: str) -> str:
        nonlocal spelled
        if len(value) < len(key):
            return value
        if any(map(value.__contains__, _SIGNS)):
            if spelled is None:
                spelled = _spelled(key)
            value = spelled.sub("***", value)
        for part in encoded:
            if part in value:
                value = re.sub(_AROUND.format(re.escape(part)), "***", value)
        return value.replace(key, "***")

    return without_key


# One of these stands in whatever is spelled in JSON, UTF-16, a URL or HTML.
_SIGNS = ("\\", "\0", "%", "&")
_NAMES_IN_HTML = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}
# In base64 the first and the last letter of the key share characters with what is beside it.
_AROUND = "[A-Za-z0-9+/_-]{{0,1}}{}[A-Za-z0-9+/_=-]{{0,2}}"


def _spelled(key: str) -> re.Pattern[str]:
    """`key` as it is spelled in JSON, also within JSON, in a URL, in HTML and in UTF-16.

    Each may spell a character plainly or by its number, and JSON also behind a backslash. The
    choices begin with different characters: so `re` finds quickly where none of them can be.
    """
    characters = []
    for character in key:
        plain, number = re.escape(character), ord(character)
        digits = "".join(f"[{digit}{digit.upper()}]" for digit in f"{number:02x}")
        in_html = f"#0{{0,6}}{number};|#[xX]0{{0,6}}{digits};"
        if character in _NAMES_IN_HTML:
            in_html += f"|{_NAMES_IN_HTML[character]};"
        in_json = f"{plain}|u00{digits}|x{digits}|u0026(?:{in_html})"
        in_url = f"(?:25){{0,2}}{digits}"
        characters.append(rf"(?:{plain}|\\\\{{0,7}}(?:{in_json})|%{in_url}|&(?:{in_html}))")
    return re.compile("\0{0,3}".join(characters))


def _in_base64(key: str) -> list[str]:
    """What base64 makes of `key`, wherever in a text it stands: behind `Bearer`, or a name.

    Three bytes become four characters, so there are three ways; both alphabets count.
    """
    found: set[str] = set()
    for before in range(3):
        bits = 8 * before
        encoded = base64.b64encode(bytes(before) + key.encode()).decode()
        part = encoded[-(-bits // 6) : (bits + 8 * len(key)) // 6]
        found.update((part, part.replace("+", "-").replace("/", "_")))
    return sorted(found)

"""How far the key is looked for in what came: each spelling at its limit, and one step beyond it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from deerapi_remix._mask import KeyMask

KEY = "sk-<&>\"'/+zK9"
NAMES = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}


def spelled(spell: Callable[[str], str], key: str = KEY) -> str:
    return "".join(map(spell, key))


def in_html(character: str) -> str:
    return f"&{NAMES[character]};" if character in NAMES else character


# How a character is spelled, so that the key is found.
FOUND: dict[str, Callable[[str], str]] = {
    "plainly": str,
    "in JSON": lambda each: f"\\u{ord(each):04x}",
    "in JSON, in capitals": lambda each: f"\\u{ord(each):04X}",
    "in Python": lambda each: f"\\x{ord(each):02x}",
    "behind a backslash": lambda each: f"\\{each}",
    "behind eight backslashes": lambda each: "\\" * 8 + f"u{ord(each):04x}",
    "in a URL": lambda each: f"%{ord(each):02x}",
    "in a URL, in capitals": lambda each: f"%{ord(each):02X}",
    "in a URL within a URL within a URL": lambda each: f"%2525{ord(each):02x}",
    "in HTML by name": in_html,
    "in HTML by number": lambda each: f"&#{ord(each)};",
    "in HTML with six zeros": lambda each: f"&#000000{ord(each)};",
    "in HTML by digits": lambda each: f"&#x{ord(each):x};",
    "in HTML by capital digits": lambda each: f"&#X000000{ord(each):X};",
    "in HTML within JSON": lambda each: f"\\u0026#{ord(each)};",
    "in HTML by name within JSON": lambda each: in_html(each).replace("&", "\\u0026"),
    "with a zero behind each": lambda each: f"{each}\0",
    "with three zeros behind each": lambda each: f"{each}\0\0\0",
    "each in another way": lambda each: {"s": "%73", "k": "&#107;", "z": "\\u007a"}.get(each, each),
}
# And so that it is not, for no server spells so.
NOT_FOUND: dict[str, Callable[[str], str]] = {
    "behind nine backslashes": lambda each: "\\" * 9 + f"u{ord(each):04x}",
    "in a URL, four deep": lambda each: f"%252525{ord(each):02x}",
    "in HTML with seven zeros": lambda each: f"&#0000000{ord(each)};",
    "with four zeros behind each": lambda each: f"{each}\0\0\0\0",
    "in other letters": str.swapcase,
}


@pytest.mark.parametrize("spell", FOUND.values(), ids=FOUND)
def test_the_key_is_found_spelled(spell: Callable[[str], str]) -> None:
    told = KeyMask(KEY).text(f"before {spelled(spell)} behind").replace("\0", "")
    assert told == "before *** behind"


@pytest.mark.parametrize("spell", NOT_FOUND.values(), ids=NOT_FOUND)
def test_the_key_is_not_looked_for_spelled(spell: Callable[[str], str]) -> None:
    assert KeyMask(KEY).text(spelled(spell)) == spelled(spell)


@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "Bearer "])
@pytest.mark.parametrize("behind", ["", "x", "xy", "xyz"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode], ids=["plain", "for URLs"])
@pytest.mark.parametrize("key", ["sk-0123456789abcdef", "sk-???>>>~~~???"])
def test_the_key_is_found_in_base64(before: str, behind: str, encode: Callable[[bytes], bytes], key: str) -> None:
    encoded = encode(f"{before}{key}{behind}".encode()).decode()
    told = KeyMask(key).text(f"({encoded})")
    assert "***" in told
    assert len(told) <= 6 + -(-len(before) // 3) * 4 + -(-len(behind) // 3) * 4


@pytest.mark.parametrize(("key", "told"), [("sk-12", "a sk-12 b"), ("sk-123", "a *** b")])
def test_a_key_that_might_be_a_word_is_not_looked_for(key: str, told: str) -> None:
    assert KeyMask(key).text(f"a {key} b") == told
    assert KeyMask(key).text(key[:-1]) == key[:-1]


VALUES: list[tuple[Any, Any]] = [
    (KEY, "***"),
    ({KEY: [KEY, {"a": KEY}]}, {"***": ["***", {"a": "***"}]}),
    ([1, None, 1.5, True, "x"], [1, None, 1.5, True, "x"]),
]


@pytest.mark.parametrize(("value", "told"), VALUES, ids=range(len(VALUES)))
def test_the_key_is_taken_out_of_values(value: Any, told: Any) -> None:
    assert KeyMask(KEY).value(value) == told


def chain(length: int, link: str) -> list[BaseException]:
    errors: list[BaseException] = [ValueError(f"{number} {KEY}") for number in range(length)]
    for outer, inner in pairwise(errors):
        if link == "args":
            outer.args = (*outer.args, inner)
        else:
            setattr(outer, link, inner)
    return errors


@pytest.mark.parametrize("link", ["args", "__cause__", "__context__"])
def test_the_key_is_taken_out_of_an_error_and_four_below_it(link: str) -> None:
    errors = chain(6, link)
    KeyMask(KEY).error(errors[0])
    assert [error.args[0] for error in errors] == [*(f"{number} ***" for number in range(5)), f"5 {KEY}"]

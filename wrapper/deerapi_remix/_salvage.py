"""What is left of an answer that broke off, or came in a form that nobody asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any

from ._reading import ID_FIELDS, members_of, tells_of_job, usable_id

# How far into a broken answer its id is looked for, in characters, and behind how many of its last
# commas: the work grows with the square.
_SEARCHED = 4096
_LATE_COMMAS = 16
# How many objects of a stream are looked at.
_OBJECTS_LOOKED_AT = 100
_BEFORE_OBJECT = re.compile(r"[^{\[<]*(?=\{)")
# Of a stream of events. No string of JSON holds the end of a line.
_FIELD_OF_EVENT = re.compile(r"^data:", re.MULTILINE)


def salvage(broken: str) -> Mapping[str, Any] | None:
    """What came whole of an answer that broke off, if the id of a video is in it.

    It may be a stream of events or lines. Those that tell of a job count before those that have
    only an id. Where they name several, nobody knows which of them is that of the new job.
    """
    with_ids = [answer for answer in _objects(broken) if usable_id(answer) is not None]
    jobs = [answer for answer in with_ids if tells_of_job(answer)]
    candidates = jobs or with_ids
    if len({usable_id(answer) for answer in candidates}) != 1:
        return None
    return candidates[0]


def _objects(stream: str) -> Iterator[Mapping[str, Any]]:
    """Each object of a stream; of the one that broke off, what tells an id."""
    text = _FIELD_OF_EVENT.sub("", stream)
    end = 0
    for _ in range(_OBJECTS_LOOKED_AT):
        # Objects in a list or a page are none of the stream.
        between = _BEFORE_OBJECT.match(text, end)
        if between is None:
            return
        start = between.end()
        try:
            answer, end = json.JSONDecoder().raw_decode(text, start)
        except (ValueError, RecursionError):
            yield from islice(_completed(text[start:]), 1)
            return
        if _is_sound(answer, text[start:]):
            yield answer


def _completed(start: str) -> Iterator[Mapping[str, Any]]:
    """What an object that broke off may have been, if that tells an id, the longest first."""
    for candidate in _completions(start):
        with suppress(ValueError, RecursionError):
            answer = json.JSONDecoder().raw_decode(candidate)[0]
            if usable_id(answer) is not None and _is_sound(answer, start):
                yield answer


def _is_sound(answer: Mapping[str, Any], broken: str) -> bool:
    """Whether the id of `answer` is the one that the server sent, if it has one."""
    # Bytes that were no UTF-8 are not the server's id.
    return "\ufffd" not in (usable_id(answer) or "") and not _has_lost_its_id(answer, broken)


def _has_lost_its_id(answer: Mapping[str, Any], broken: str) -> bool:
    """Whether a number stands for the id although another id was cut behind it.

    The number is then that of a database row, and the id that would have counted is gone.
    """
    members = members_of(answer)
    ids = [members[name] for name in ID_FIELDS if name in members]
    if any(isinstance(value, str) for value in ids):
        return False
    return any(name not in members and f'"{name}"' in broken for name in ID_FIELDS)


def _completions(start: str) -> Iterator[str]:
    """Texts that begin with JSON if `start` was cut behind a whole member, the longest first.

    The id may lie one object deep. Where it does not, the last brace is one too many, and not read.
    """
    # A number that comes last may have lost digits, and so may not be completed by a bracket.
    if start.rstrip().endswith(('"', "}")):
        yield start + "}}"
    commas = [found.start() for found in re.finditer(",", start)]
    # The id may stand behind a long member, such as the prompt, or before one.
    late = commas[-_LATE_COMMAS:]
    early = [comma for comma in commas[:-_LATE_COMMAS] if comma < _SEARCHED]
    for comma in reversed(early + late):
        yield start[:comma] + "}}"

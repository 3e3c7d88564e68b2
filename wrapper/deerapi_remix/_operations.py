"""The four operations: which generated functions send them, and how their answers are read.

The only file that imports the generated package. What an answer must hold is taken from the generated models: their
fields and annotations are the strict reading, `models.py` has the tolerant one.
"""

import re
import types
from collections.abc import Iterator
from functools import cache, partial
from typing import Any, cast, get_args, get_origin, get_type_hints

import attrs
import httpx

import deerapi_remix_generated.models as contract
from deerapi_remix_generated import AuthenticatedClient
from deerapi_remix_generated.api.models import list_models
from deerapi_remix_generated.api.videos import download_video_content, remix_video, retrieve_video
from deerapi_remix_generated.types import UNSET, Unset

from ._exchange import Call, Exchange, Read, T
from ._settings import Settings
from ._transport import Seam
from .models import Model, Video, read_model, read_video, usable_id

# What can be asked for


def remix(video_id: str, *, prompt: str, model: str | None) -> Call[Video]:
    """Submit a paid job."""
    check_id(video_id)
    _check_text("prompt", prompt)
    if model is not None:
        _check_text("model", model)
    body = contract.RemixRequest(prompt=prompt, model=UNSET if model is None else model)
    return _call(
        "remix",
        remix_video,
        partial(_read_video, contract.RemixJob, None),
        video_id,
        paid=True,
        body=body,
    )


def retrieve(video_id: str) -> Call[Video]:
    """Ask how far a job has come."""
    check_id(video_id)
    return _call(
        "retrieve", retrieve_video, partial(_read_video, contract.VideoJob, video_id), video_id
    )


def download(video_id: str, variant: str | None) -> Call[None]:
    """Ask for the file of a job."""
    check_id(video_id)
    variants = list(contract.DownloadVideoContentVariant)
    if variant is not None and variant not in variants:
        raise ValueError(f"variant must be one of {', '.join(variants)}, not {variant!r}")
    wanted = UNSET if variant is None else contract.DownloadVideoContentVariant(variant)
    return _call("download", download_video_content, lambda *_: None, video_id, variant=wanted)


def models() -> Call[tuple[Model, ...]]:
    """Ask which models are served."""
    return _call("models", list_models, _read_models)


def _call(
    operation: str, module: Any, read: Read[T], *ids: str, paid: bool = False, **arguments: Any
) -> Call[T]:
    def send(seam: object) -> Any:
        client = AuthenticatedClient(base_url="", token="")
        if isinstance(seam, Seam):
            return module.sync_detailed(
                *ids, client=client.set_httpx_client(cast(httpx.Client, seam)), **arguments
            )
        seen = client.set_async_httpx_client(cast(httpx.AsyncClient, seam))
        return module.asyncio_detailed(*ids, client=seen, **arguments)

    return Call(operation, send, read, ids[0] if ids else None, paid)


# What is refused before anything is sent


def id_of(video: object) -> str:
    """The id of a video that was handed in as such or by its id."""
    return check_id(video.id if isinstance(video, Video) else video)


def check_id(value: object) -> str:
    """`value`, or TypeError or ValueError if it cannot be one segment of a path."""
    video_id = _check_text("video_id", value)
    if video_id in (".", ".."):
        raise ValueError(f"video_id must not be {video_id!r}: it would name another path")
    if re.search(r"[\0-\x1f\x7f-\x9f]", video_id):
        raise ValueError("video_id must not have control characters")
    return video_id


def _check_text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a string, not {type(value).__name__}")
    if not value.strip():
        raise ValueError(f"{name} must not be blank")
    if re.search(r"[\ud800-\udfff]", value):
        raise ValueError(f"{name} must not have lone surrogates: they cannot be sent as UTF-8")
    return value


# How answers are read


def _read_video(
    expected: type, asked_for: str | None, exchange: Exchange, settings: Settings
) -> Video:
    answer = exchange.answer()
    video_id = usable_id(answer)
    if video_id is None:
        raise exchange.unreadable("the answer holds no usable id")
    if asked_for is not None and video_id != asked_for:
        raise exchange.unreadable(f"the answer is about another video, {video_id!r}")
    video = read_video(answer, video_id, exchange.request_id)
    if exchange.call.paid:
        settings.journal.accepted(video.id, video.request_id)
    _judge(expected, answer, exchange, settings, video)
    return video


def _read_models(exchange: Exchange, settings: Settings) -> tuple[Model, ...]:
    answer = exchange.answer()
    cards = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(cards, list):
        raise exchange.unreadable("the answer holds no list of models")
    _judge(contract.ModelList, answer, exchange, settings, None)
    return tuple(model for card in cards if (model := read_model(card)))


def _judge(
    expected: type,
    answer: dict[str, Any],
    exchange: Exchange,
    settings: Settings,
    video: Video | None,
) -> None:
    """Warn of an answer that breaks the contract, or raise if the client is strict."""
    problems = list(dict.fromkeys(_problems(expected, answer)))
    kind = (
        exchange.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    )
    if kind != "application/json":
        problems.append(f"the content type is {kind or 'empty'}")
    if problems and settings.strict:
        raise exchange.unreadable(f"the answer breaks the contract: {', '.join(problems)}", video)
    if problems:
        settings.journal.drifted(exchange.call.operation, problems, exchange.request_id)


def _problems(expected: type, answer: dict[str, Any], path: str = "") -> Iterator[str]:
    """What is missing, null or of another type in `answer`, by the generated model `expected`."""
    for name, (required, allowed, nested) in _fields(expected).items():
        if name not in answer:
            if required:
                yield f"{path}{name} is missing"
            continue
        value = answer[name]
        # To JSON Schema, 1.0 is an integer.
        kind = int if type(value) is float and value.is_integer() else type(value)
        if kind not in allowed:
            found = "null" if value is None else kind.__name__
            yield f"{path}{name} is {found}, not {' or '.join(one.__name__ for one in allowed)}"
        elif nested is not None and value is not None:
            for entry in value if isinstance(value, list) else [value]:
                if isinstance(entry, dict):
                    yield from _problems(nested, entry, f"{path}{name}.")
                else:
                    yield f"{path}{name} holds {type(entry).__name__}, not dict"


@cache
def _fields(expected: type) -> dict[str, tuple[bool, tuple[type, ...], type | None]]:
    """Of every field of a generated model by its name in JSON: required? possible types, and the model inside."""
    fields = {}
    hints = get_type_hints(expected, localns=vars(contract))
    del hints["additional_properties"]
    for name, hint in hints.items():
        options = get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
        inside = [
            get_args(option)[0] if get_origin(option) is list else option for option in options
        ]
        nested = next((option for option in inside if attrs.has(option)), None)
        kinds = [dict if attrs.has(option) else get_origin(option) or option for option in options]
        allowed = tuple(kind for kind in kinds if kind is not Unset)
        # The generator appends an underscore to names that Python has taken.
        fields[name.removesuffix("_")] = (Unset not in options, allowed, nested)
    return fields

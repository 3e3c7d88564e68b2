"""The operations: which generated functions send them, and how their answers are read.

The only file that imports the generated package. What an answer must hold is taken from the
generated models: their fields and annotations are the strict reading, `_reading.py` has the
tolerant one.
"""

from __future__ import annotations

from functools import partial
from typing import Any, cast

import httpx

import deerapi_remix_generated.models as contract
from deerapi_remix_generated import AuthenticatedClient
from deerapi_remix_generated.api.models import list_models
from deerapi_remix_generated.api.videos import download_video_content, remix_video, retrieve_video
from deerapi_remix_generated.types import UNSET

from ._answer import Answer, UnreadableAnswerError
from ._call import Call, Reading
from ._contract import breaches
from ._media import Kind
from ._reading import ids_in, read_model, read_video
from ._transport import Seam
from .config import check_id, check_remix
from .models import Model, Video

# What can be asked for


def remix(video_id: str, *, prompt: str, model: str | None) -> Call[Video]:
    """Submit a paid job."""
    check_remix(video_id, prompt=prompt, model=model)
    body = contract.RemixRequest(prompt=prompt, model=UNSET if model is None else model)
    return Call(
        "remix",
        partial(_send, remix_video, video_id, body=body),
        partial(_read_video, contract.RemixJob, None),
        video_id,
        paid=True,
    )


def retrieve(video_id: str) -> Call[Video]:
    """Ask how far a job has come."""
    check_id(video_id)
    return Call(
        "retrieve",
        partial(_send, retrieve_video, video_id),
        partial(_read_video, contract.VideoJob, video_id),
        video_id,
    )


def download(video_id: str, variant: str | None) -> Call[None]:
    """Ask for the file of a job."""
    check_id(video_id)
    variants = list(contract.DownloadVideoContentVariant)
    if variant is not None and variant not in variants:
        raise ValueError(f"variant must be one of {', '.join(variants)}, not {variant!r}")
    wanted = UNSET if variant is None else contract.DownloadVideoContentVariant(variant)
    return Call(
        "download",
        partial(_send, download_video_content, video_id, variant=wanted),
        _read_nothing,
        video_id,
    )


def models() -> Call[tuple[Model, ...]]:
    """Ask which models are served."""
    return Call("models", partial(_send, list_models), _read_models)


def kind_of_variant(variant: str | None) -> Kind:
    """Which kind of file a variant is."""
    return Kind.VIDEO if variant in (None, "video") else Kind.PICTURE


def _send(module: Any, *arguments: Any, **named: Any) -> Any:
    """Have a generated function build a request and hand it to the seam, which comes last."""
    *ids, seam = arguments
    client = AuthenticatedClient(base_url="", token="")
    if isinstance(seam, Seam):
        client.set_httpx_client(cast(httpx.Client, seam))
        return module.sync_detailed(*ids, client=client, **named)
    client.set_async_httpx_client(cast(httpx.AsyncClient, seam))
    return module.asyncio_detailed(*ids, client=client, **named)


def id_of(video: object) -> str:
    """The id of a video that was handed in as such or by its id."""
    return check_id(video.id if isinstance(video, Video) else video)


# How answers are read


def _read_video(expected: type, asked_for: str | None, answer: Answer) -> Reading[Video]:
    """A video, under the id that was asked for where one was.

    The id that was asked for is the one that works: a gateway may name the job otherwise.
    """
    content = answer.json()
    ids = ids_in(content)
    if not ids:
        raise UnreadableAnswerError("the answer holds no usable id")
    problems = _problems(expected, answer, content)
    video_id = asked_for or ids[0]
    if video_id not in ids:
        problems.append(f"id is {ids[0]!r}, not {video_id!r}")
    return Reading(read_video(content, video_id, answer.request_id), tuple(problems))


def _problems(expected: type, answer: Answer, content: dict[str, Any]) -> list[str]:
    """How an answer breaks the contract, each way named once."""
    problems = list(dict.fromkeys(breaches(expected, content)))
    if answer.content_type not in (None, "application/json"):
        problems.append(f"the content type is {answer.content_type or 'empty'}")
    return problems


def _read_models(answer: Answer) -> Reading[tuple[Model, ...]]:
    content = answer.json()
    cards = content.get("data") if isinstance(content, dict) else None
    if not isinstance(cards, list):
        raise UnreadableAnswerError("the answer holds no list of models")
    models = [model for model in map(read_model, cards) if model is not None]
    return Reading(tuple(models), tuple(_problems(contract.ModelList, answer, content)))


def _read_nothing(answer: Answer) -> Reading[None]:
    """The file of a job is on the disk, and there is nothing else to read."""
    return Reading(None)

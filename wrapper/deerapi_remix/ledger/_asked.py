"""What a caller of a ledger wants."""

from __future__ import annotations

import re
from typing import Any

import attrs

from deerapi_remix import AsyncRemixClient, RemixClient, check_remix

_REFUSED = re.compile(r"[\0-\x1f\x7f-\x9f\ud800-\udfff]")


def check_key(key: object) -> str:
    """`key`, or TypeError or ValueError if it cannot be one."""
    if not isinstance(key, str):
        raise TypeError(f"key must be a string, not {type(key).__name__}")
    if not key.strip() or _REFUSED.search(key):
        raise ValueError("key must not be blank, nor have control characters or lone surrogates")
    return key


def check_decision(job_id: object, *, not_charged: bool) -> None:
    """Check what somebody says of a submit: that there is this job, or that nothing was charged.

    Raises:
        TypeError, ValueError: It is neither or both, or the job cannot be one.
    """
    if (job_id is None) is not not_charged:
        raise ValueError("say either job_id=... or not_charged=True")
    if job_id is None:
        return
    if not isinstance(job_id, str):
        raise TypeError(f"job_id must be a string, not {type(job_id).__name__}")
    try:
        # What is not looked at stands in for itself with something that is right.
        check_remix(job_id, prompt="It snows")
    except ValueError as error:
        raise ValueError(str(error).replace("video_id", "job_id", 1)) from None


@attrs.frozen
class Asked:
    """What a caller wants.

    Attributes:
        key: The caller's name for it.
        video_id: The source video.
        prompt: What should happen in the new video.
        model: A model ID, or None.
        base_url: Where the client sends it.
        path: Where the file is to be, absolute; None if no file was asked for.
        seconds: How long the client may be at the submit.
    """

    key: str
    video_id: str
    prompt: str
    model: str | None
    base_url: str
    path: str | None
    seconds: float

    def columns(self) -> dict[str, Any]:
        """What an entry keeps of it."""
        names = ("video_id", "prompt", "model", "base_url", "path")
        return {name: getattr(self, name) for name in names}


def ask(
    client: RemixClient | AsyncRemixClient,
    key: object,
    video_id: str,
    *,
    prompt: str,
    model: str | None,
    path: str | None = None,
) -> Asked:
    """What a caller wants, checked before anything is written or sent.

    Raises:
        ValueError, TypeError: An argument is unusable.
    """
    key = check_key(key)
    check_remix(video_id, prompt=prompt, model=model)
    if "\0" in f"{prompt}{model}":
        raise ValueError("prompt and model must not have NUL characters: Postgres cannot keep them")
    return Asked(key, video_id, prompt, model, client.base_url, path, client.submit_seconds)

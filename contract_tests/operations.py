"""Each operation of the document as the tests call it, written out by hand.

Tests that are about every operation go through this table. `test_every_operation` tells what it lacks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from attrs import field, frozen

Method = Literal["remix", "retrieve", "download", "models"]


@frozen
class Operation:
    """One operation.

    Attributes:
        method: The method of the clients that asks for it, which is also what the fake calls it.
        path: Where it is, with `{}` for the id in it.
        answer: The body of a valid answer.
        content_type: The type of that body.
        fields: What a request cannot do without.
        paid: Whether a call may cost money.
        schema: The component of the document that describes the answer; None for a file.
    """

    method: Method
    path: str
    answer: Any
    content_type: str = "application/json"
    fields: Mapping[str, str] = field(factory=dict)
    paid: bool = False
    schema: str | None = None

    @property
    def takes_an_id(self) -> bool:
        return "{}" in self.path


OPERATIONS: dict[str, Operation] = {
    "remixVideo": Operation(
        "remix",
        "/v1/videos/{}/remix",
        {"id": "video_456", "status": "queued"},
        fields={"prompt": "cry"},
        paid=True,
        schema="RemixJob",
    ),
    "retrieveVideo": Operation("retrieve", "/v1/videos/{}", {"id": "video_123", "status": "queued"}, schema="VideoJob"),
    "downloadVideoContent": Operation("download", "/v1/videos/{}/content", b"\0\0\0\x08moov", "video/mp4"),
    "listModels": Operation("models", "/v1/models", {"object": "list", "data": []}, schema="ModelList"),
}
WITH_AN_ID = [name for name, operation in OPERATIONS.items() if operation.takes_an_id]

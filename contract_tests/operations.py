"""Each operation of the document as the tests call it, written out by hand.

Tests that are about every operation go through this table. `test_every_operation` tells what it lacks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import field, frozen

from deerapi_remix.testing.fake import Operation as Method

# The id, where there is one in the path, and the fields of a request.
Asked = tuple[str | None, Mapping[str, str]]


@frozen
class Operation:
    """One operation.

    Attributes:
        method: The method of the clients that asks for it, which is also what the fake calls it.
        path: Where it is, with `{}` for the id in it.
        answer: The body of a valid answer.
        inputs: What may be asked for: each field present and left out, with ids that need to be escaped and ids that
            do not.
        content_type: The type of that body.
        fields: What a request cannot do without.
        paid: Whether a call may cost money.
        schema: The component of the document that describes the answer; None for a file.
    """

    method: Method
    path: str
    answer: Any
    inputs: Sequence[Asked]
    content_type: str = "application/json"
    fields: Mapping[str, str] = field(factory=dict)
    paid: bool = False
    schema: str | None = None

    @property
    def takes_an_id(self) -> bool:
        return "{}" in self.path

    def arguments(self, video_id: str) -> list[str]:
        """The id as an argument, if the operation takes one."""
        return [video_id] if self.takes_an_id else []


OPERATIONS: dict[str, Operation] = {
    "remixVideo": Operation(
        "remix",
        "/v1/videos/{}/remix",
        {"id": "video_456", "status": "queued"},
        [("video_123", {"prompt": "cry"}), ("a/b?c", {"prompt": "Extend the scene", "model": "sora-2-pro"})],
        fields={"prompt": "cry"},
        paid=True,
        schema="RemixJob",
    ),
    "retrieveVideo": Operation(
        "retrieve",
        "/v1/videos/{}",
        {"id": "video_123", "status": "queued"},
        [("video_123", {}), ("a/b?c", {}), ("é 猫%", {})],
        schema="VideoJob",
    ),
    "downloadVideoContent": Operation(
        "download",
        "/v1/videos/{}/content",
        b"\0\0\0\x08moov",
        [
            ("video_123", {}),
            ("a/b?c", {"variant": "video"}),
            ("video_123", {"variant": "thumbnail"}),
            ("video_123", {"variant": "spritesheet"}),
        ],
        "video/mp4",
    ),
    "listModels": Operation("models", "/v1/models", {"object": "list", "data": []}, [(None, {})], schema="ModelList"),
}
WITH_AN_ID = [name for name, operation in OPERATIONS.items() if operation.takes_an_id]

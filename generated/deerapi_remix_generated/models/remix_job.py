from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="RemixJob")


@_attrs_define
class RemixJob:
    """An accepted remix job.

    Attributes:
        id (str): Identifies a video; opaque.
        object_ (str): The kind of object, `video`.
        model (str): The model that renders the job.
        status (str): `queued`, `in_progress`, `completed` or `failed`; more may come.
        progress (int): Percentage rendered.
        created_at (int): When the job was accepted, in Unix seconds.
        size (str): Width and height in pixels, such as `1280x720`.
        seconds (str): Length of the video in seconds, as a string.
        remixed_from_video_id (str): The source video.
    """

    id: str
    object_: str
    model: str
    status: str
    progress: int
    created_at: int
    size: str
    seconds: str
    remixed_from_video_id: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        object_ = self.object_

        model = self.model

        status = self.status

        progress = self.progress

        created_at = self.created_at

        size = self.size

        seconds = self.seconds

        remixed_from_video_id = self.remixed_from_video_id

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "object": object_,
                "model": model,
                "status": status,
                "progress": progress,
                "created_at": created_at,
                "size": size,
                "seconds": seconds,
                "remixed_from_video_id": remixed_from_video_id,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        id = d.pop("id")

        object_ = d.pop("object")

        model = d.pop("model")

        status = d.pop("status")

        progress = d.pop("progress")

        created_at = d.pop("created_at")

        size = d.pop("size")

        seconds = d.pop("seconds")

        remixed_from_video_id = d.pop("remixed_from_video_id")

        remix_job = cls(
            id=id,
            object_=object_,
            model=model,
            status=status,
            progress=progress,
            created_at=created_at,
            size=size,
            seconds=seconds,
            remixed_from_video_id=remixed_from_video_id,
        )

        remix_job.additional_properties = d
        return remix_job

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties

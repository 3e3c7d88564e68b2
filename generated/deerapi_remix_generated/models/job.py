from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="Job")


@_attrs_define
class Job:
    """What an accepted job and a polled one tell alike.

    Attributes:
        id (str | Unset): Identifies a video; opaque.
        object_ (str | Unset): The kind of object, `video`.
        model (str | Unset): The model that renders the job.
        status (str | Unset): `queued`, `in_progress`, `completed` or `failed`; more may come.
        progress (int | Unset): Percentage rendered.
        created_at (int | Unset): When the job was accepted, in Unix seconds.
        size (str | Unset): Width and height in pixels, such as `1280x720`.
        seconds (str | Unset): Length of the video in seconds, as a string.
    """

    id: str | Unset = UNSET
    object_: str | Unset = UNSET
    model: str | Unset = UNSET
    status: str | Unset = UNSET
    progress: int | Unset = UNSET
    created_at: int | Unset = UNSET
    size: str | Unset = UNSET
    seconds: str | Unset = UNSET
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

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if id is not UNSET:
            field_dict["id"] = id
        if object_ is not UNSET:
            field_dict["object"] = object_
        if model is not UNSET:
            field_dict["model"] = model
        if status is not UNSET:
            field_dict["status"] = status
        if progress is not UNSET:
            field_dict["progress"] = progress
        if created_at is not UNSET:
            field_dict["created_at"] = created_at
        if size is not UNSET:
            field_dict["size"] = size
        if seconds is not UNSET:
            field_dict["seconds"] = seconds

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        id = d.pop("id", UNSET)

        object_ = d.pop("object", UNSET)

        model = d.pop("model", UNSET)

        status = d.pop("status", UNSET)

        progress = d.pop("progress", UNSET)

        created_at = d.pop("created_at", UNSET)

        size = d.pop("size", UNSET)

        seconds = d.pop("seconds", UNSET)

        job = cls(
            id=id,
            object_=object_,
            model=model,
            status=status,
            progress=progress,
            created_at=created_at,
            size=size,
            seconds=seconds,
        )

        job.additional_properties = d
        return job

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

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.video_job_error import VideoJobError


T = TypeVar("T", bound="VideoJob")


@_attrs_define
class VideoJob:
    """A video job as it stands.

    Attributes:
        id (str): Identifies a video; opaque.
        status (str): `queued`, `in_progress`, `completed` or `failed`; more may come.
        object_ (str | Unset): The kind of object, `video`.
        model (str | Unset): The model that renders the job.
        progress (int | Unset): Percentage rendered.
        created_at (int | Unset): When the job was accepted, in Unix seconds.
        size (str | Unset): Width and height in pixels, such as `1280x720`.
        seconds (str | Unset): Length of the video in seconds, as a string.
        completed_at (int | None | Unset): When the job was completed, in Unix seconds.
        expires_at (int | None | Unset): When the file will be deleted, in Unix seconds.
        error (None | Unset | VideoJobError): Why the job failed.
        remixed_from_video_id (None | str | Unset): The source video, if the job is a remix.
        prompt (None | str | Unset): The prompt of the job.
    """

    id: str
    status: str
    object_: str | Unset = UNSET
    model: str | Unset = UNSET
    progress: int | Unset = UNSET
    created_at: int | Unset = UNSET
    size: str | Unset = UNSET
    seconds: str | Unset = UNSET
    completed_at: int | None | Unset = UNSET
    expires_at: int | None | Unset = UNSET
    error: None | Unset | VideoJobError = UNSET
    remixed_from_video_id: None | str | Unset = UNSET
    prompt: None | str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.video_job_error import VideoJobError  # noqa: PLC0415

        id = self.id

        status = self.status

        object_ = self.object_

        model = self.model

        progress = self.progress

        created_at = self.created_at

        size = self.size

        seconds = self.seconds

        completed_at: int | None | Unset
        if isinstance(self.completed_at, Unset):
            completed_at = UNSET
        else:
            completed_at = self.completed_at

        expires_at: int | None | Unset
        if isinstance(self.expires_at, Unset):
            expires_at = UNSET
        else:
            expires_at = self.expires_at

        error: dict[str, Any] | None | Unset
        if isinstance(self.error, Unset):
            error = UNSET
        elif isinstance(self.error, VideoJobError):
            error = self.error.to_dict()
        else:
            error = self.error

        remixed_from_video_id: None | str | Unset
        if isinstance(self.remixed_from_video_id, Unset):
            remixed_from_video_id = UNSET
        else:
            remixed_from_video_id = self.remixed_from_video_id

        prompt: None | str | Unset
        if isinstance(self.prompt, Unset):
            prompt = UNSET
        else:
            prompt = self.prompt

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "status": status,
            }
        )
        if object_ is not UNSET:
            field_dict["object"] = object_
        if model is not UNSET:
            field_dict["model"] = model
        if progress is not UNSET:
            field_dict["progress"] = progress
        if created_at is not UNSET:
            field_dict["created_at"] = created_at
        if size is not UNSET:
            field_dict["size"] = size
        if seconds is not UNSET:
            field_dict["seconds"] = seconds
        if completed_at is not UNSET:
            field_dict["completed_at"] = completed_at
        if expires_at is not UNSET:
            field_dict["expires_at"] = expires_at
        if error is not UNSET:
            field_dict["error"] = error
        if remixed_from_video_id is not UNSET:
            field_dict["remixed_from_video_id"] = remixed_from_video_id
        if prompt is not UNSET:
            field_dict["prompt"] = prompt

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.video_job_error import VideoJobError  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        status = d.pop("status")

        object_ = d.pop("object", UNSET)

        model = d.pop("model", UNSET)

        progress = d.pop("progress", UNSET)

        created_at = d.pop("created_at", UNSET)

        size = d.pop("size", UNSET)

        seconds = d.pop("seconds", UNSET)

        def _parse_completed_at(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        completed_at = _parse_completed_at(d.pop("completed_at", UNSET))

        def _parse_expires_at(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        expires_at = _parse_expires_at(d.pop("expires_at", UNSET))

        def _parse_error(data: object) -> None | Unset | VideoJobError:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                error_type_0 = VideoJobError.from_dict(data)

                return error_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Unset | VideoJobError, data)

        error = _parse_error(d.pop("error", UNSET))

        def _parse_remixed_from_video_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        remixed_from_video_id = _parse_remixed_from_video_id(d.pop("remixed_from_video_id", UNSET))

        def _parse_prompt(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        prompt = _parse_prompt(d.pop("prompt", UNSET))

        video_job = cls(
            id=id,
            status=status,
            object_=object_,
            model=model,
            progress=progress,
            created_at=created_at,
            size=size,
            seconds=seconds,
            completed_at=completed_at,
            expires_at=expires_at,
            error=error,
            remixed_from_video_id=remixed_from_video_id,
            prompt=prompt,
        )

        video_job.additional_properties = d
        return video_job

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

"""Contains all the data models used in inputs/outputs"""

from .download_video_content_variant import DownloadVideoContentVariant
from .error_details import ErrorDetails
from .flat_error import FlatError
from .flat_error_data_type_0 import FlatErrorDataType0
from .job import Job
from .model_card import ModelCard
from .model_list import ModelList
from .nested_error import NestedError
from .remix_job import RemixJob
from .remix_request import RemixRequest
from .video_job import VideoJob
from .video_job_error import VideoJobError

__all__ = (
    "DownloadVideoContentVariant",
    "ErrorDetails",
    "FlatError",
    "FlatErrorDataType0",
    "Job",
    "ModelCard",
    "ModelList",
    "NestedError",
    "RemixJob",
    "RemixRequest",
    "VideoJob",
    "VideoJobError",
)

"""Remix Sora videos through DeerAPI: a paid job is never lost, and never paid for twice."""

from .async_client import AsyncRemixClient
from .client import RemixClient
from .config import PollingPolicy, RetryPolicy
from .errors import (
    APIConnectionError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ConflictError,
    DeerAPIError,
    DownloadError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RemixFailedError,
    WaitTimeoutError,
)
from .models import Event, Model, Video, VideoError

__all__ = [
    "APIConnectionError",
    "APIResponseValidationError",
    "APIStatusError",
    "APITimeoutError",
    "AsyncRemixClient",
    "AuthenticationError",
    "BadRequestError",
    "ConfigurationError",
    "ConflictError",
    "DeerAPIError",
    "DownloadError",
    "Event",
    "InternalServerError",
    "Model",
    "NotFoundError",
    "PermissionDeniedError",
    "PollingPolicy",
    "RateLimitError",
    "RemixClient",
    "RemixFailedError",
    "RetryPolicy",
    "Video",
    "VideoError",
    "WaitTimeoutError",
    "__version__",
]

__version__ = "0.1.0"

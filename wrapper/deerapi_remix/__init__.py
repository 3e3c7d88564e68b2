"""Remix Sora videos through DeerAPI: a paid job is never lost, and never paid for twice."""

from .async_client import AsyncRemixClient
from .client import RemixClient
from .config import PollingPolicy, RetryPolicy

# fmt: off
# isort: off
from .errors import (
    DeerAPIError, ConfigurationError, APIConnectionError, APITimeoutError, APIStatusError, BadRequestError,
    AuthenticationError, PermissionDeniedError, NotFoundError, ConflictError, RateLimitError, InternalServerError,
    APIResponseValidationError, RemixFailedError, WaitTimeoutError, DownloadError,
)
# isort: on
# fmt: on
from .models import Event, Model, Video, VideoError

# fmt: off
__all__ = [  # noqa: RUF022  # Clients, policies and values; then the errors in the order of their tree.
    "AsyncRemixClient", "RemixClient", "PollingPolicy", "RetryPolicy", "Event", "Model", "Video", "VideoError",
    "DeerAPIError", "ConfigurationError", "APIConnectionError", "APITimeoutError",
    "APIStatusError", "BadRequestError", "AuthenticationError", "PermissionDeniedError", "NotFoundError",
    "ConflictError", "RateLimitError", "InternalServerError",
    "APIResponseValidationError", "RemixFailedError", "WaitTimeoutError", "DownloadError", "__version__",
]
# fmt: on

__version__ = "0.1.0"

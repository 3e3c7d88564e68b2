"""Remix Sora videos through DeerAPI: a paid job is never lost, and never paid for twice."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .async_client import AsyncRemixClient
    from .client import RemixClient
    from .config import PollingPolicy, RetryPolicy, check_base_url, check_remix
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
        InsufficientQuotaError,
        InternalServerError,
        NotFoundError,
        PermissionDeniedError,
        RateLimitError,
        Reason,
        RemixFailedError,
        WaitTimeoutError,
    )
    from .models import Event, Model, Video, VideoError

# Clients, policies and values; then the errors in the order of their tree.
__all__ = [  # noqa: RUF022
    "AsyncRemixClient",
    "RemixClient",
    "PollingPolicy",
    "RetryPolicy",
    "check_base_url",
    "check_remix",
    "Event",
    "Model",
    "Video",
    "VideoError",
    "Reason",
    "DeerAPIError",
    "ConfigurationError",
    "APIConnectionError",
    "APITimeoutError",
    "APIStatusError",
    "BadRequestError",
    "AuthenticationError",
    "PermissionDeniedError",
    "InsufficientQuotaError",
    "NotFoundError",
    "ConflictError",
    "RateLimitError",
    "InternalServerError",
    "APIResponseValidationError",
    "RemixFailedError",
    "WaitTimeoutError",
    "DownloadError",
    "__version__",
]

__version__ = "0.1.0"

# The modules that have them, the cheapest to import first.
_MODULES = ("errors", "models", "config", "client", "async_client")

if not TYPE_CHECKING:  # Type checkers would take every name for a public one.

    def __getattr__(name: str) -> object:
        """Import what is public when it is first asked for.

        Errors need no httpx, and `RemixClient` not its twin.
        """
        if name in _MODULES:
            return import_module(f"{__name__}.{name}")
        if name in __all__:
            for module in _MODULES:
                found = getattr(import_module(f"{__name__}.{module}"), name, None)
                if found is not None:
                    return found
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__, *_MODULES})

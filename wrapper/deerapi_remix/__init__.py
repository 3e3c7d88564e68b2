"""Remix Sora videos through DeerAPI: a paid job is never lost, and never paid for twice."""

from importlib import import_module
from typing import TYPE_CHECKING

# fmt: off
# isort: off
if TYPE_CHECKING:
    from .async_client import AsyncRemixClient
    from .client import RemixClient
    from .config import PollingPolicy, RetryPolicy
    from .errors import (
        DeerAPIError, ConfigurationError, APIConnectionError, APITimeoutError, APIStatusError, BadRequestError,
        AuthenticationError, PermissionDeniedError, NotFoundError, ConflictError, RateLimitError, InternalServerError,
        APIResponseValidationError, RemixFailedError, WaitTimeoutError, DownloadError,
    )
    from .models import Event, Model, Video, VideoError
# isort: on

__all__ = [  # noqa: RUF022  # Clients, policies and values; then the errors in the order of their tree.
    "AsyncRemixClient", "RemixClient", "PollingPolicy", "RetryPolicy", "Event", "Model", "Video", "VideoError",
    "DeerAPIError", "ConfigurationError", "APIConnectionError", "APITimeoutError",
    "APIStatusError", "BadRequestError", "AuthenticationError", "PermissionDeniedError", "NotFoundError",
    "ConflictError", "RateLimitError", "InternalServerError",
    "APIResponseValidationError", "RemixFailedError", "WaitTimeoutError", "DownloadError", "__version__",
]
# fmt: on

__version__ = "0.1.0"

# The modules that have them, the cheapest to import first.
_MODULES = ("errors", "models", "config", "client", "async_client")

if not TYPE_CHECKING:  # Type checkers would take every name for a public one.

    def __getattr__(name: str) -> object:
        """Import what is public when it is first asked for: errors take no httpx, and `RemixClient` not its twin."""
        if name in _MODULES:
            return import_module(f"{__name__}.{name}")
        for module in _MODULES if name in __all__ else ():
            if found := getattr(import_module(f"{__name__}.{module}"), name, None):
                return found
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__, *_MODULES})

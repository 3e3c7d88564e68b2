"""A client library for accessing DeerAPI Sora 2 Remix"""

from .client import AuthenticatedClient, Client

__all__ = (
    "AuthenticatedClient",
    "Client",
)

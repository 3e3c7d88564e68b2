"""A fake of the API for tests: `FakeDeerAPI` behind a mocked httpx, an ASGI app or a port on loopback.

`router.mock_router` needs the extra `testing`, `asgi.create_app` and `asgi.running_server` need the extra `mock`.
"""

from deerapi_remix.testing._jobs import VirtualClock
from deerapi_remix.testing.fake import FakeDeerAPI

__all__ = ["FakeDeerAPI", "VirtualClock"]

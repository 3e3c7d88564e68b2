"""A fake of the API for tests.

`mock_deerapi` puts it in the place of DeerAPI for this process, without network and in virtual time: what most tests
want. In pytest the fixture `deerapi_mock` does so with nothing to import, and `@pytest.mark.deerapi_mock(...)` sets its
options.

`FakeDeerAPI` alone goes behind a mocked httpx, an ASGI app or a port on loopback. `router.mock_router` needs the extra
`testing`, `asgi.create_app` and `asgi.running_server` need the extra `mock`.
"""

from deerapi_remix.testing._jobs import VirtualClock
from deerapi_remix.testing._mock import DeerAPIMock, mock_deerapi
from deerapi_remix.testing._network import NetworkBlockedError
from deerapi_remix.testing.fake import FakeDeerAPI

__all__ = ["DeerAPIMock", "FakeDeerAPI", "NetworkBlockedError", "VirtualClock", "mock_deerapi"]

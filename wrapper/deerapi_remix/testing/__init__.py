"""A fake of the API for tests.

`mock_deerapi` puts it in the place of DeerAPI for this process, without network and in virtual
time: what most tests want. In pytest the fixture `deerapi_mock` does so with nothing to import, and
`@pytest.mark.deerapi_mock(...)` sets its options.

`FakeDeerAPI` alone goes behind a mocked httpx, an ASGI app or a port on loopback.
`router.mock_router` needs the extra `testing`, `asgi.create_app` and `asgi.running_server` need the
extra `mock`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deerapi_remix.testing._chaos import Chaos
    from deerapi_remix.testing._mock import DeerAPIMock, mock_deerapi
    from deerapi_remix.testing._network import NetworkBlockedError
    from deerapi_remix.testing._time import VirtualClock
    from deerapi_remix.testing.fake import FakeDeerAPI

__all__ = [
    "Chaos",
    "DeerAPIMock",
    "FakeDeerAPI",
    "NetworkBlockedError",
    "VirtualClock",
    "mock_deerapi",
]

_HOMES = {
    "Chaos": "_chaos",
    "DeerAPIMock": "_mock",
    "FakeDeerAPI": "fake",
    "NetworkBlockedError": "_network",
    "VirtualClock": "_time",
    "mock_deerapi": "_mock",
}

if not TYPE_CHECKING:  # Type checkers would take every name for a public one.

    def __getattr__(name: str) -> object:
        """Import what is public when it is first asked for.

        The pytest plugin is loaded by every suite on the machine, and it goes through here.
        """
        if name in _HOMES:
            return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})

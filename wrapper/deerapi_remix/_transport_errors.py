"""Which exceptions come from the transport, and which are the user's own."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Any

from .config import TRUSTED_TRANSPORTS

# httpx and its successor, which is never imported here: a client of either may be handed in. So
# their exceptions are told by name.
_HTTP_LIBRARIES = frozenset({"httpx", "httpx2"})
_OF_HTTP = frozenset({"HTTPError", "StreamError", "InvalidURL", "CookieConflict"})
# What they let through: IDNs that are none, and on asyncio alerts of TLS.
_LET_THROUGH = (UnicodeError, ssl.SSLError)
# Packages that move bytes. What they raise without a type of their own, such as the RuntimeError
# of an event loop that is closed, is an error of the transport; the same from a hook is not.
_PACKAGES = frozenset(
    {
        "httpx",
        "httpx2",
        "httpcore",
        "httpcore2",
        "h11",
        "h2",
        "hpack",
        "anyio",
        "asyncio",
        "ssl",
        "socket",
        "selectors",
    }
)
# What libraries that mock requests raise for one that was not mocked: nothing was sent, and
# nothing would be in another attempt. By name, for none of them is imported here.
_UNMOCKED = frozenset(
    {
        ("respx.models", "AllMockedAssertionError"),
        ("vcr.errors", "CannotOverwriteExistingCassetteException"),
        ("vcr.errors", "UnhandledHTTPRequestError"),
        ("deerapi_remix.testing._network", "NetworkBlockedError"),
    }
)

# What raises, in a test, the error that the test has told it to raise: nothing is ever sent.
_MOCKS = frozenset(
    {"httpx._transports.mock", "httpx2._transports.mock", "pytest_httpx._httpx_mock"}
)
_RAISED_BY_RESPX = ("respx.models", "SideEffectError")
# Where we ourselves say that no connection was free.
_OUR_POOLS = "deerapi_remix._pools"


def is_http_error(error: BaseException, names: frozenset[str]) -> bool:
    """Whether `error` is one of these exceptions of httpx or httpx2, or of a subclass."""
    for kind in type(error).__mro__:
        if kind.__name__ in names and _package(kind.__module__) in _HTTP_LIBRARIES:
            return True
    return False


def is_of_transport(error: Exception) -> bool:
    """Whether `error` was raised by the transport, not by a hook or signal handler of the user's.

    An exception of a class that a user has defined is the user's, wherever it was raised.
    """
    if isinstance(error, _LET_THROUGH) or is_http_error(error, _OF_HTTP):
        return True
    package = _package(type(error).__module__)
    if package not in _PACKAGES and package != "builtins":
        return False
    return _package_that_raised(error) in _PACKAGES


def is_of_socket(error: Exception) -> bool:
    """Whether `error` may be that of a socket. A TimeoutError is rather a signal handler's."""
    return isinstance(error, OSError) and not isinstance(error, TimeoutError)


def is_about(error: Any, request: object) -> bool:
    """Whether httpx raised `error` for this request, and not a hook for one of its own."""
    try:
        return error.request is request
    except (AttributeError, RuntimeError):  # It names no request.
        return False


def is_unmocked(error: BaseException) -> bool:
    """Whether a library that mocks requests says that this one was not mocked."""
    if any((kind.__module__, kind.__name__) in _UNMOCKED for kind in type(error).__mro__):
        return True
    # pytest-httpx raises the base class of all timeouts, which httpx itself never does.
    if type(error).__name__ != "TimeoutException":
        return False
    return _package_that_raised(error) == "pytest_httpx"


def is_to_be_believed(error: BaseException) -> bool:
    """Whether the word of the transport that raised `error` counts, when it says "not sent".

    Others give the same names to connections that died under the request (httpx-aiohttp does), or
    raise them without a cause, which proves nothing.
    """
    cause = type(error.__cause__)
    if _package(cause.__module__) in TRUSTED_TRANSPORTS:
        return True
    if (cause.__module__, cause.__name__) == _RAISED_BY_RESPX:
        return True
    modules = list(_modules_that_passed(error))
    return modules[-1:] == [_OUR_POOLS] or not _MOCKS.isdisjoint(modules)


def _package_that_raised(error: BaseException) -> str:
    """The package of the innermost frame of a traceback."""
    *_, innermost = ("", *_modules_that_passed(error))
    return _package(innermost)


def _modules_that_passed(error: BaseException) -> Iterator[str]:
    """The modules of the frames that `error` went through, the innermost last."""
    traceback = error.__traceback__
    while traceback is not None:
        yield str(traceback.tb_frame.f_globals.get("__name__"))
        traceback = traceback.tb_next


def _package(module: str) -> str:
    return module.partition(".")[0]

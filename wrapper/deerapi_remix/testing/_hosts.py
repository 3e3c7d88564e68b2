"""Whose name for this machine a server answers to.

A page from anywhere can have its name resolve to this machine (DNS rebinding). A browser takes what
is served here for that page's own then, but it sends that name as `Host`.
"""

import ipaddress
import re
from collections.abc import Collection

from starlette.types import ASGIApp, Receive, Scope, Send

from deerapi_remix.testing._messages import nested_error, new_request_id

_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([^\[\]:/@\s]+))(?::[0-9]+)?", re.IGNORECASE)

_REFUSAL = (
    "Not for this name of the machine: use 127.0.0.1 or localhost, "
    "or start the mock with --allow-host NAME"
)


class HostGuard:
    """Lets a request through if its `Host` is a loopback name, or one that is allowed.

    Args:
        app: What answers the requests that are let through.
        listening: The address at which the server listens. If it can be reached from other
            machines, addresses and names without a dot are allowed as well: no page from elsewhere
            has such a name.
        allow_hosts: Other names, without a port.
    """

    def __init__(self, app: ASGIApp, listening: str, allow_hosts: Collection[str] = ()) -> None:
        self._app = app
        self._open = not is_loopback(listening)
        self._allowed = {name.lower() for name in (listening, *allow_hosts)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403 to a request for another host."""
        if self._lets_in(scope):
            await self._app(scope, receive, send)
        else:
            await _refuse(send)

    def _lets_in(self, scope: Scope) -> bool:
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1:
            return False
        match = _HOST.fullmatch(hosts[0])
        if match is None:
            return False
        name = (match[1] or match[2]).lower()
        if name in self._allowed or is_loopback(name):
            return True
        return self._open and (_is_address(name) or "." not in name)


def is_loopback(name: str) -> bool:
    """Whether a name or address means this machine, wherever it is asked."""
    if _is_address(name):
        return ipaddress.ip_address(name).is_loopback
    return name == "localhost" or name.endswith(".localhost")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


async def _refuse(send: Send) -> None:
    answer = nested_error(new_request_id(), 403, _REFUSAL, code="host_not_allowed")
    headers = [(name.encode(), value.encode()) for name, value in answer.headers.items()]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})

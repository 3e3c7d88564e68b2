"""What `deerapi-remix mock` serves beside the API: at `/` a page to try it on, below `/_mock/` the mock's controls."""

import json
import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from attrs import asdict
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from deerapi_remix.testing._contract import document
from deerapi_remix.testing.fake import FakeDeerAPI

__all__ = ["PREFIX", "with_playground"]

PREFIX = "/_mock/"


def _swagger_ui() -> Path:
    # For its files alone: to import the package would need Flask.
    spec = find_spec("flask_swagger_ui")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("No module named 'flask_swagger_ui'", name="flask_swagger_ui")
    return Path(spec.origin).parent / "dist"


_OURS, _THEIRS = Path(__file__).parent, _swagger_ui()
_FILES = {
    "/": _OURS / "index.html",
    f"{PREFIX}playground.css": _OURS / "playground.css",
    f"{PREFIX}playground.js": _OURS / "playground.js",
    f"{PREFIX}swagger-ui.css": _THEIRS / "swagger-ui.css",
    f"{PREFIX}swagger-ui-bundle.js": _THEIRS / "swagger-ui-bundle.js",
    f"{PREFIX}favicon-32x32.png": _THEIRS / "favicon-32x32.png",
}
# Not guessed: machines differ in what they hold a `.js` for.
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".png": "image/png"}

# Nothing from elsewhere, nothing inline, in nobody's frame. Swagger UI draws its icons from `data:`, a video is
# fetched with a key and played from `blob:`.
_SAFE = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data: blob:; media-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}

# A page whose name is made to resolve to this machine is of the same origin as what is served here, but it cannot
# send another name than its own: one with a dot.
_NO_FOREIGN_NAME = re.compile(r"(\[[0-9a-f:.]+\]|[0-9.]+|[^.:]+)(:[0-9]+)?", re.IGNORECASE)


def with_playground(api: ASGIApp, fake: FakeDeerAPI) -> ASGIApp:
    """Puts the playground around the API.

    `GET /` is the page, `GET /_mock/state` tells jobs and requests, `POST /_mock/reset` forgets them; every other path
    is the API's. No page of another origin can read or reset anything, by whatever name it reaches this machine.

    Args:
        api: The API that `create_app` makes.
        fake: The fake behind it.
    """
    own = _own(fake)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        ours = scope["path"] == "/" or scope["path"].startswith(PREFIX)
        await (own if ours else api)(scope, receive, send)

    return app


def _own(fake: FakeDeerAPI) -> Starlette:
    async def file(request: Request) -> Response:
        path = _FILES[request.url.path]
        return FileResponse(path, media_type=_TYPES[path.suffix])

    async def openapi(request: Request) -> Response:
        return JSONResponse(document() | {"servers": [{"url": "/", "description": "This mock"}]})

    async def state(request: Request) -> Response:
        return JSONResponse(_state(fake))

    async def reset(request: Request) -> Response:
        fake.reset()
        return Response(status_code=204)

    return Starlette(
        routes=[
            *(Route(path, file) for path in _FILES),
            Route(f"{PREFIX}openapi.json", openapi),
            Route(f"{PREFIX}state", state),
            Route(f"{PREFIX}reset", reset, methods=["POST"]),
        ],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=_guarded)],
        exception_handlers={HTTPException: _refused},
    )


def _state(fake: FakeDeerAPI) -> Any:
    jobs = [asdict(job) for job in fake.jobs.values()]
    # Without headers: a browser sends the cookies of every other server on this machine.
    requests = [
        {
            "operation": request.operation,
            "method": request.method,
            "path": request.path,
            "query": request.query,
            "body": request.body,
            "status": request.status,
            "request_id": request.request_id,
        }
        for request in fake.requests
    ]
    # A body may hold a number beyond all bounds (1e999), for which JSON has no name.
    return json.loads(json.dumps({"jobs": jobs, "requests": requests}), parse_constant=str)


async def _guarded(request: Request, answer: RequestResponseEndpoint) -> Response:
    host = request.headers.get("host", "")
    if not _NO_FOREIGN_NAME.fullmatch(host):
        response = _error(403, "Use the address of this machine, or a name without a dot")
    elif request.headers.get("origin") not in (None, f"{request.url.scheme}://{host}"):
        response = _error(403, "Not for pages of another origin")
    else:
        response = await answer(request)
    response.headers.update(_SAFE)
    return response


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # It is registered for these alone.
    return _error(error.status_code, error.detail, error.headers)


def _error(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"error": {"message": message}}, status, headers)

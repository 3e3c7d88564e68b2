"""What `deerapi-remix mock` serves beside the API.

At `/` stands a page to try the API on; below `/_mock/` are the controls of the mock.
"""

import json
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from attrs import asdict, evolve
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from deerapi_remix.testing._document import document
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
# Written out, because machines differ in what they take a `.js` for.
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".png": "image/png"}

# The page loads nothing from elsewhere, runs nothing inline, and stands in nobody's frame.
# Swagger UI draws its icons from `data:`; a video is fetched with a key and played from `blob:`.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data: blob:; media-src blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SAFE = {
    "content-security-policy": _POLICY,
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}


def with_playground(api: ASGIApp, fake: FakeDeerAPI) -> ASGIApp:
    """Puts the playground around the API.

    `GET /` is the page. `GET /_mock/state` tells jobs and requests, `POST /_mock/reset` forgets
    them; `GET /_mock/chaos` tells how rough the mock is, and `POST /_mock/chaos` changes it. Every
    other path is the API's. No page of another origin can read or change anything.

    Args:
        api: The API that `create_app` makes.
        fake: The fake behind it.
    """
    own = _own(fake)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/" or scope["path"].startswith(PREFIX):
            await own(scope, receive, send)
        else:
            await api(scope, receive, send)

    return app


def _own(fake: FakeDeerAPI) -> Starlette:
    async def file(request: Request) -> Response:
        path = _FILES[request.url.path]
        return FileResponse(path, media_type=_TYPES[path.suffix])

    async def openapi(request: Request) -> Response:
        return JSONResponse(document() | {"servers": [{"url": "/", "description": "This mock"}]})

    async def state(request: Request) -> Response:
        return JSONResponse(_state(fake, _latest(request)))

    async def reset(request: Request) -> Response:
        fake.reset()
        return Response(status_code=204)

    async def chaos(request: Request) -> Response:
        if request.method == "POST":
            _change_chaos(fake, await request.body())
        return JSONResponse(asdict(fake.chaos))

    return Starlette(
        routes=[
            *(Route(path, file) for path in _FILES),
            Route(f"{PREFIX}openapi.json", openapi),
            Route(f"{PREFIX}state", state),
            Route(f"{PREFIX}reset", reset, methods=["POST"]),
            Route(f"{PREFIX}chaos", chaos, methods=["GET", "POST"]),
        ],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=_guarded)],
        exception_handlers={HTTPException: _refused},
    )


def _latest(request: Request) -> int:
    """How many jobs and requests are asked for; 0 for all of them."""
    text = request.query_params.get("latest", "0")
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise HTTPException(400, "latest must be a number")
    return int(text)


def _state(fake: FakeDeerAPI, latest: int) -> Any:
    jobs = list(fake.jobs.values())
    # Without headers, because a browser sends the cookies of every other server on this machine.
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
        for request in fake.requests[-latest:]
    ]
    state = {
        "any_key": fake.takes_any_key,
        "jobs": [asdict(job) for job in jobs[-latest:]],
        "requests": requests,
        "count": {
            "jobs": len(jobs),
            "rendering": sum(not job.is_finished for job in jobs),
            "requests": len(fake.requests),
        },
    }
    # A body may hold a number beyond all bounds (1e999), for which JSON has no name.
    return json.loads(json.dumps(state), parse_constant=str)


def _change_chaos(fake: FakeDeerAPI, body: bytes) -> None:
    try:
        changes = json.loads(body)
        fake.chaos = evolve(fake.chaos, **changes)
    except (ValueError, TypeError, RecursionError) as error:
        raise HTTPException(400, f"Send what to change as a JSON object: {error}") from None


async def _guarded(request: Request, answer: RequestResponseEndpoint) -> Response:
    own_origin = f"{request.url.scheme}://{request.headers.get('host', '')}"
    if request.headers.get("origin") in (None, own_origin):
        response = await answer(request)
    else:
        response = _error(403, "Not for pages of another origin")
    response.headers.update(_SAFE)
    return response


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # It is registered for these alone.
    return _error(error.status_code, error.detail, error.headers)


def _error(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"error": {"message": message}}, status, headers)

"""The operations of the fake: where each is found, and what performs it. A new one is a row."""

import re
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import parse_qsl, unquote

from attrs import Factory, field, frozen

from deerapi_remix.testing._jobs import Fate
from deerapi_remix.testing._messages import (
    Answer,
    Operation,
    RecordedRequest,
    Request,
    bearer_key,
    json_value,
)
from deerapi_remix.testing._service import Service, remix_problem, variant_problem


def _pattern(route: "Route") -> re.Pattern[str]:
    return re.compile(route.path.replace("{video_id}", "([^/]+)"))


@frozen
class Route:
    """One operation.

    Attributes:
        path: As it stands in the OpenAPI document.
        perform: Does what a request asks for. The fate is that of the job that it may make.
        problem: Says what is wrong with a request, if anything.
        paid: Whether a gateway would charge for it.
    """

    operation: Operation
    method: str
    path: str
    perform: Callable[[Service, RecordedRequest, Fate], Answer]
    problem: Callable[[RecordedRequest], str | None] = lambda call: None
    paid: bool = False
    _pattern: re.Pattern[str] = field(init=False, default=Factory(_pattern, takes_self=True))

    def match(self, path: str) -> re.Match[str] | None:
        """The match of a path that is still percent-encoded; its first group is the id."""
        return self._pattern.fullmatch(path)


_ROWS = (
    Route(
        "remix",
        "POST",
        "/v1/videos/{video_id}/remix",
        lambda service, call, fate: service.remix(call, fate),
        problem=remix_problem,
        paid=True,
    ),
    Route(
        "retrieve", "GET", "/v1/videos/{video_id}", lambda service, call, _: service.retrieve(call)
    ),
    Route(
        "download",
        "GET",
        "/v1/videos/{video_id}/content",
        lambda service, call, _: service.download(call),
        problem=variant_problem,
    ),
    Route("models", "GET", "/v1/models", lambda service, call, _: service.models(call)),
)

ROUTES: Mapping[Operation, Route] = {route.operation: route for route in _ROWS}


def allowed_methods(path: str) -> Sequence[str]:
    """The methods of the operations at a path; none if there is no operation."""
    return [route.method for route in ROUTES.values() if route.match(path)]


def check_operation(operation: str) -> None:
    """Raise ValueError if there is no such operation."""
    if operation not in ROUTES:
        raise ValueError(f"operation must be one of {', '.join(ROUTES)}, not {operation!r}")


def read(request: Request, request_id: str) -> RecordedRequest:
    """What a request asks for, as far as it can be told."""
    route = route_of(request.method, request.path)
    operation = video_id = None
    if route is not None:
        operation, video_id = route.operation, _video_id(route, request.path)
    return RecordedRequest(
        operation=operation,
        method=request.method,
        path=request.path,
        video_id=video_id,
        query=dict(parse_qsl(request.query, keep_blank_values=True)),
        headers=_without_key(request),
        body=json_value(request.body),
        request_id=request_id,
    )


def route_of(method: str, path: str) -> Route | None:
    """The operation that a request is for."""
    for route in ROUTES.values():
        if route.method == method and route.match(path):
            return route
    return None


def _video_id(route: Route, path: str) -> str | None:
    """The id in a path. It is one segment of the path, decoded once."""
    match = route.match(path)
    if match is None or not match.groups():
        return None
    return unquote(match[1])


def _without_key(request: Request) -> Mapping[str, str]:
    headers = dict(request.headers)
    if "authorization" in headers:
        headers["authorization"] = "***"
    if bearer_key(request):
        headers["authorization"] = "Bearer ***"
    return headers

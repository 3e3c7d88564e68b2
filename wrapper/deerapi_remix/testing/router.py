"""The fake in place of the network, for any httpx client in this process."""

from functools import partial

import httpx
import respx

from deerapi_remix.testing._endpoint import Body, Endpoint
from deerapi_remix.testing.fake import FakeDeerAPI

__all__ = ["mock_router"]


def mock_router(fake: FakeDeerAPI, base_url: str = "https://api.deerapi.com") -> respx.MockRouter:
    """A respx router on which the fake answers at `base_url`; every other request is an error.

    It works for sync and async clients that use httpx's own transport, also those made elsewhere:

        with mock_router(FakeDeerAPI(render_seconds=0)):
            video = RemixClient("key").remix("video_123", prompt="The cat takes a bow")

    Time stays real, and so does whatever does not use httpx. `deerapi_remix.testing.mock_deerapi`
    sees to both.

    Args:
        fake: The fake that answers.
        base_url: Where it answers.
    """
    router = respx.MockRouter(assert_all_called=False)
    router.route().mock(side_effect=partial(_answered, Endpoint(fake, base_url)))
    return router


def _answered(endpoint: Endpoint, request: httpx.Request) -> httpx.Response | None:
    """What the fake answers; None to a request for somewhere else."""
    path = endpoint.path(request.url)
    if path is None:
        return None
    answer = endpoint.answer(request.method, path, request.url, request.headers, request.content)
    if answer.lost:
        raise httpx.ReadTimeout("The answer was lost, as scripted", request=request)
    body = Body(answer, httpx.RemoteProtocolError)
    return httpx.Response(answer.status, headers=answer.headers, stream=body)

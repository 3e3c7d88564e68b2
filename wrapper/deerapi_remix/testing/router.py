"""The fake in place of the network, for any httpx client in this process."""

from collections.abc import AsyncIterator, Iterator

import httpx
import respx

from deerapi_remix.testing.fake import Answer, FakeDeerAPI, Request

__all__ = ["mock_router"]


def mock_router(fake: FakeDeerAPI, base_url: str = "https://api.deerapi.com") -> respx.MockRouter:
    """A respx router on which the fake answers at `base_url`; every other request is an error.

    It works for sync and async clients that use httpx's own transport, also those made elsewhere:

        with mock_router(FakeDeerAPI(render_seconds=0)):
            video = RemixClient("key").remix("video_123", prompt="The cat takes a bow")

    Args:
        fake: The fake that answers.
        base_url: Where it answers.
    """
    base = httpx.URL(base_url)
    prefix = base.raw_path.decode("ascii").rstrip("/")

    def side_effect(request: httpx.Request) -> httpx.Response | None:
        url = request.url
        path = url.raw_path.partition(b"?")[0].decode("ascii")
        if (url.scheme, url.host, url.port) != (base.scheme, base.host, base.port) or not path.startswith(f"{prefix}/"):
            return None
        answer = fake.handle(
            Request(
                method=request.method,
                path=path.removeprefix(prefix),
                query=url.query.decode("ascii"),
                headers=request.headers,
                body=request.content,
            )
        )
        if answer.lost:
            raise httpx.ReadTimeout("The answer was lost, as scripted", request=request)
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer))

    router = respx.MockRouter(assert_all_called=False)
    router.route().mock(side_effect=side_effect)
    return router


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        yield self._answer.body[: self._answer.cut_at]
        if self._answer.cut_at is not None:
            raise httpx.RemoteProtocolError(
                f"peer closed connection after {self._answer.cut_at} of {len(self._answer.body)} bytes, as scripted"
            )

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk

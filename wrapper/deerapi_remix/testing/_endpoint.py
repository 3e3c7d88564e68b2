"""The fake at a base URL, for httpx."""

from collections.abc import AsyncIterator, Iterator

import httpx

from deerapi_remix.testing.fake import Answer, FakeDeerAPI, Request


class Endpoint:
    """Where the fake answers.

    Args:
        fake: The fake that answers.
        base_url: Where it answers.
    """

    def __init__(self, fake: FakeDeerAPI, base_url: str) -> None:
        self._fake = fake
        base = httpx.URL(base_url)
        self._origin = _origin(base)
        self._prefix = base.raw_path.decode("ascii").rstrip("/")

    def path(self, url: httpx.URL) -> str | None:
        """The path of `url` below the base URL, still percent-encoded.

        None if the URL is somewhere else.
        """
        path = url.raw_path.partition(b"?")[0].decode("ascii")
        if _origin(url) == self._origin and path.startswith(f"{self._prefix}/"):
            return path.removeprefix(self._prefix)
        return None

    def answer(self, request: httpx.Request) -> httpx.Response | None:
        """What the fake answers; None to a request for somewhere else.

        The body must have been read.
        """
        path = self.path(request.url)
        if path is None:
            return None
        return self.answer_at(path, request)

    def answer_at(self, path: str, request: httpx.Request) -> httpx.Response:
        """What the fake answers at a path below the base URL."""
        query = request.url.query.decode("ascii")
        answer = self._fake.handle(
            Request(request.method, path, query, request.headers, request.content)
        )
        if answer.lost:
            raise httpx.ReadTimeout("The answer was lost, as scripted", request=request)
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer))


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        body, cut_at = self._answer.body, self._answer.cut_at
        yield body[:cut_at]
        if cut_at is not None:
            raise httpx.RemoteProtocolError(
                f"peer closed connection after {cut_at} of {len(body)} bytes, as scripted"
            )

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk

"""The fake at a base URL."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping

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

    def answer(
        self, method: str, path: str, url: httpx.URL, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """What the fake answers at a path below the base URL."""
        query = url.query.decode("ascii")
        return self._fake.handle(Request(method, path, query, headers, body))


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The body of an answer on its way to a client.

    Args:
        answer: The answer.
        broken: Makes the exception of a connection that breaks in the middle of it.
    """

    def __init__(self, answer: Answer, broken: Callable[[str], Exception]) -> None:
        self._answer = answer
        self._broken = broken

    def __iter__(self) -> Iterator[bytes]:
        body, cut_at = self._answer.body, self._answer.cut_at
        yield body[:cut_at]
        if cut_at is not None:
            raise self._broken(
                f"peer closed connection after {cut_at} of {len(body)} bytes, as scripted"
            )

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk

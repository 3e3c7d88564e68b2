"""A service that remixes videos in the background for its users.

    POST /remixes {"video_id": "video_123", "prompt": "..."}    202, and where to look: /remixes/1
    GET /remixes/1                                              {"state": "rendering", "reason": null}
    GET /remixes/1/video                                        the file, once the state is "done"

A remix is written down before it is paid for, and its job as soon as there is one. So a restart loses nothing, and pays
for nothing twice. Run it with `uvicorn --factory examples.remix_service:create_app`.
"""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from deerapi_remix import AsyncRemixClient, BadRequestError, DeerAPIError, NotFoundError, RemixFailedError

log = logging.getLogger(__name__)


class Remixes:
    """Remixes and their states: submitting, then refused, unknown or rendering; rendering, then done or failed."""

    def __init__(self, client: AsyncRemixClient, folder: Path) -> None:
        self._client = client
        self._folder = folder
        self._following: set[asyncio.Task[None]] = set()
        self._table = sqlite3.connect(folder / "remixes.sqlite", isolation_level=None)
        self._table.execute(
            "CREATE TABLE IF NOT EXISTS remixes (id INTEGER PRIMARY KEY, state TEXT, job TEXT, reason TEXT)"
        )

    async def submit(self, video_id: str, prompt: str) -> int:
        number = self._table.execute("INSERT INTO remixes (state) VALUES ('submitting')").lastrowid or 0
        try:
            video = await self._client.remix(video_id, prompt=prompt)
        except (DeerAPIError, TypeError, ValueError) as error:
            self._note(number, "unknown" if getattr(error, "may_have_been_charged", False) else "refused", str(error))
            raise
        self._table.execute("UPDATE remixes SET state = 'rendering', job = ? WHERE id = ?", (video.id, number))
        self._go_on(number, video.id)
        return number

    def look_up(self, number: int) -> dict[str, str | None] | None:
        row = self._table.execute("SELECT state, reason FROM remixes WHERE id = ?", (number,)).fetchone()
        return row and {"state": row[0], "reason": row[1]}

    def file(self, number: int) -> Path:
        return self._folder / f"{number}.mp4"

    def take_up(self) -> None:
        """Go on with what an earlier process has left unfinished."""
        # Whether these were charged only the vendor's usage page tells: someone has to look before they are sent again.
        self._table.execute("UPDATE remixes SET state = 'unknown' WHERE state = 'submitting'")
        for number, job in self._table.execute("SELECT id, job FROM remixes WHERE state = 'rendering'").fetchall():
            self._go_on(number, job)

    async def close(self) -> None:
        for task in self._following:
            task.cancel()
        await asyncio.gather(*self._following, return_exceptions=True)
        self._table.close()

    def _go_on(self, number: int, job: str) -> None:
        task = asyncio.create_task(self._follow(number, job))
        self._following.add(task)  # The event loop alone would not keep it alive.
        task.add_done_callback(self._following.discard)

    async def _follow(self, number: int, job: str) -> None:
        try:
            await self._client.wait(job)
            await self._client.download(job, self.file(number), overwrite=True)
        except RemixFailedError as error:
            self._note(number, "failed", str(error))
        except (DeerAPIError, OSError) as error:
            log.warning("remix %d is left for the next start: %s", number, error)
        else:
            self._note(number, "done")

    def _note(self, number: int, state: str, reason: str | None = None) -> None:
        self._table.execute("UPDATE remixes SET state = ?, reason = ? WHERE id = ?", (state, reason, number))


async def submit(request: Request) -> Response:
    try:
        asked = await request.json()
        number = await request.app.state.remixes.submit(asked["video_id"], asked["prompt"])
    except DeerAPIError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise HTTPException(422, f"video_id and prompt are needed: {error}") from error
    return JSONResponse({"id": number}, 202, {"Location": f"/remixes/{number}"})


async def show(request: Request) -> Response:
    found = request.app.state.remixes.look_up(request.path_params["number"])
    return JSONResponse(found) if found else Response(status_code=404)


async def video(request: Request) -> Response:
    number, remixes = request.path_params["number"], request.app.state.remixes
    found = remixes.look_up(number)
    if found is None or found["state"] != "done":
        return Response(status_code=404)
    return FileResponse(remixes.file(number), media_type="video/mp4")


async def explain(request: Request, error: Exception) -> Response:
    """What went wrong with DeerAPI, in terms of this service."""
    log.error("%s: %s", type(error).__name__, error)
    if getattr(error, "may_have_been_charged", False):
        return JSONResponse({"error": "It may have been accepted: do not send it again, we look into it."}, 502)
    if isinstance(error, BadRequestError | NotFoundError):
        return JSONResponse({"error": error.message}, 422)
    if getattr(error, "retryable", False):
        wait = getattr(error, "retry_after", None) or 30
        return JSONResponse({"error": "Try again later."}, 503, {"Retry-After": f"{wait:.0f}"})
    return JSONResponse({"error": "Remixing is out of order."}, 500)


def create_app(folder: Path = Path("remixes")) -> Starlette:
    folder.mkdir(exist_ok=True)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with AsyncRemixClient() as client:
            app.state.remixes = Remixes(client, folder)
            app.state.remixes.take_up()
            yield
            await app.state.remixes.close()

    routes = [
        Route("/remixes", submit, methods=["POST"]),
        Route("/remixes/{number:int}", show),
        Route("/remixes/{number:int}/video", video),
    ]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers={DeerAPIError: explain})

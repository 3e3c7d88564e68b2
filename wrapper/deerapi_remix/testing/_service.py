"""What the API does with a request that it lets in, when nothing goes wrong."""

import math
import re
import secrets
from collections.abc import Callable, Sequence

from attrs import asdict

from deerapi_remix.testing._content import VARIANTS, content, requested_range
from deerapi_remix.testing._jobs import FINE, Fate, Job, Rendering
from deerapi_remix.testing._messages import (
    Answer,
    RecordedRequest,
    answer,
    flat_error,
    json_answer,
    nested_error,
)

# What `\S` means in the document (ECMA 262); Python's own idea of white space is another.
_NOT_BLANK = re.compile(
    "[^\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]"
)

_FIELDS_OF_AN_ACCEPTED_JOB = (
    "id",
    "object",
    "model",
    "status",
    "progress",
    "created_at",
    "size",
    "seconds",
    "remixed_from_video_id",
)


def variant_problem(call: RecordedRequest) -> str | None:
    """What is wrong with a request for a file, if anything."""
    if call.query.get("variant", "video") not in VARIANTS:
        return f"variant must be one of {', '.join(VARIANTS)}"
    return None


def remix_problem(call: RecordedRequest) -> str | None:
    """What is wrong with a request for a remix, if anything."""
    if call.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return "Content-Type must be application/json"
    if not isinstance(call.body, dict):
        return "the body must be a JSON object"
    if "prompt" not in call.body:
        return "prompt is required"
    for name in ("prompt", "model"):
        value = call.body.get(name, "-")
        if not isinstance(value, str) or not _NOT_BLANK.search(value):
            return f"{name} must be a string that is not blank"
    return None


class Service:
    """Keeps the jobs; not safe for threads.

    Args:
        clock: Unix time in seconds.
        render_seconds: How long a job takes.
        models: The models that are served.
        draw_fate: Says what goes wrong with the next job.
        kept: How many jobs are kept at most; None for all.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        render_seconds: float,
        models: Sequence[str],
        draw_fate: Callable[[], Fate],
        kept: int | None,
    ) -> None:
        self._clock = clock
        self._latest = -math.inf
        self._render_seconds = render_seconds
        self._models = tuple(models)
        self._draw_fate = draw_fate
        self._kept = kept
        self._renderings: dict[str, Rendering] = {}

    def now(self) -> float:
        """The time. The real clock may be set back, and progress must not fall."""
        self._latest = max(self._latest, self._clock())
        return self._latest

    def clear(self) -> None:
        """Forget every job."""
        self._renderings.clear()

    def add_completed(self, video_id: str, model: str) -> None:
        """Add a completed video."""
        self._renderings[video_id] = Rendering(
            id=video_id, model=model, started=self.now(), duration=0
        )

    def jobs(self) -> dict[str, Job]:
        """Every video by its id."""
        now = self.now()
        return {video_id: rendering.at(now) for video_id, rendering in self._renderings.items()}

    def _job(self, call: RecordedRequest) -> Job | None:
        rendering = self._renderings.get(call.video_id or "")
        if rendering is None:
            return None
        return rendering.at(self.now())

    def remix(self, call: RecordedRequest, fate: Fate) -> Answer:
        """Accept a job; a fate that was scripted takes the place of one by chance."""
        source = self._job(call)
        if source is None:
            return flat_error(call.request_id, "task_not_exist", "task_not_exist")
        if source.status != "completed":
            return _not_completed(call, source)
        model = call.body.get("model", source.model)
        if model not in self._models:
            message = f"No available channel for model {model}"
            return nested_error(call.request_id, 503, message, code="model_not_available")
        if not self._has_room():
            return nested_error(call.request_id, 429, "Too many jobs are being rendered")
        # Drawn for every job, so that what befalls one does not move the others.
        drawn = self._draw_fate()
        if fate == FINE:
            fate = drawn
        rendering = Rendering(
            id=f"video_{secrets.token_hex(16)}",
            model=model,
            started=self.now(),
            duration=self._render_seconds,
            source=source.id,
            prompt=call.body["prompt"],
            fate=fate,
        )
        self._renderings[rendering.id] = rendering
        job = asdict(rendering.at(rendering.started))
        return json_answer(
            call.request_id, 200, {name: job[name] for name in _FIELDS_OF_AN_ACCEPTED_JOB}
        )

    def _has_room(self) -> bool:
        """Whether one more job can be kept. The remix that ended first is forgotten for it."""
        if self._kept is None or len(self._renderings) < self._kept:
            return True
        now = self.now()
        for rendering in self._renderings.values():
            if rendering.source is not None and rendering.at(now).is_finished:
                del self._renderings[rendering.id]
                return True
        return False

    def retrieve(self, call: RecordedRequest) -> Answer:
        """Tell how a job stands."""
        job = self._job(call)
        if job is None:
            return _not_found(call)
        return json_answer(call.request_id, 200, asdict(job))

    def download(self, call: RecordedRequest) -> Answer:
        """Serve a file, or the part of it that is asked for."""
        job = self._job(call)
        if job is None:
            return _not_found(call)
        if job.status != "completed":
            return _not_completed(call, job)
        file = content(call.query.get("variant", "video"))
        size = len(file.data)
        headers = {"accept-ranges": "bytes", "etag": file.etag}
        part = requested_range(call.headers, file.etag, size)
        if part is None:
            return answer(call.request_id, 200, file.data, file.media_type, headers)
        if not part:
            headers["content-range"] = f"bytes */{size}"
            return nested_error(call.request_id, 416, headers=headers)
        headers["content-range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
        return answer(
            call.request_id, 206, file.data[part.start : part.stop], file.media_type, headers
        )

    def models(self, call: RecordedRequest) -> Answer:
        """List the models."""
        cards = [
            {"id": model, "object": "model", "created": 1_759_190_400, "owned_by": "openai"}
            for model in self._models
        ]
        return json_answer(call.request_id, 200, {"object": "list", "data": cards})


def _not_found(call: RecordedRequest) -> Answer:
    return nested_error(call.request_id, 404, f"Video {call.video_id} was not found")


def _not_completed(call: RecordedRequest, job: Job) -> Answer:
    if job.error:
        return flat_error(call.request_id, "task_failed", f"Task failed: {job.error['message']}")
    return flat_error(call.request_id, "task_not_completed", "Task is not completed yet")

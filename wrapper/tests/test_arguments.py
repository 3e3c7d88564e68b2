"""What is refused before anything is sent: every bad argument is a plain ValueError or TypeError."""

from __future__ import annotations

import functools
import inspect
import math
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

from deerapi_remix import AsyncRemixClient, Event, Model, PollingPolicy, RemixClient, RetryPolicy, Video, VideoError

from .wire import CALLS, Answer, Twin, failure

pytestmark = pytest.mark.usefixtures("clock")

NEVER = AssertionError("a request was sent")
Bad = list[tuple[Any, type[Exception]]]


def bad(error: type[Exception], *values: Any) -> Bad:
    return [(value, error) for value in values]


BLANK = bad(ValueError, "", "   ", "\t\n", "\u3000")
BAD_IDS = [
    *BLANK,
    *bad(ValueError, ".", "..", "a\0b", "a\nb", "a\r\nb", "video_123\n", "a\x1bb", "a\x7fb", "a\x80b", "a\x85b"),
    *bad(ValueError, "a\x9fb", "a\ud800b", "\udfff"),
    *bad(TypeError, None, 5, 1.5, True, b"video_123", ["video_123"], {"id": "video_123"}, Path("video_123")),
]
BAD_TEXTS = [*BLANK, *bad(ValueError, "the cat \ud83d bows", "\udc31"), *bad(TypeError, 5, True, b"x", ["x"])]
BAD_VARIANTS = bad(
    ValueError, "", " ", "mp4", "poster", "VIDEO", "Video", "video ", "video&a=b", "\ud800", 5, True, b"video"
)
BAD_SECONDS = [
    *bad(ValueError, -1, -0.001, -math.inf, math.nan),
    *bad(TypeError, True, False, "5", b"5", [5], 5j, (1, 2, 3, 4)),
]


async def coroutine_function(*_: object) -> None:
    """Would never run: nobody awaits what it returns."""


class CoroutineCallable:
    async def __call__(self, *_: object) -> None:
        """Would never run either."""

    async def method(self, *_: object) -> None:
        """Nor would this."""


BAD_CALLBACKS: Bad = bad(
    TypeError,
    *(coroutine_function, functools.partial(coroutine_function, 1), CoroutineCallable(), CoroutineCallable().method),
    *("print", 5, [print]),
)
FINISHED = Video("v", "completed")

# What each argument refuses, in every method that has it.
REFUSED_ARGUMENTS: dict[str, Bad] = {
    "video_id": [*BAD_IDS, (FINISHED, TypeError)],
    "video": [*BAD_IDS, *((Video(value, "queued"), error) for value, error in BAD_IDS if error is ValueError)],
    "prompt": [*BAD_TEXTS, (None, TypeError)],
    "model": BAD_TEXTS,
    "variant": BAD_VARIANTS,
    "path": bad(TypeError, None, 7, 1.5, b"bow.mp4", ["bow.mp4"]),
    "timeout": BAD_SECONDS,
    "on_accepted": BAD_CALLBACKS,
    "on_update": BAD_CALLBACKS,
    "on_progress": BAD_CALLBACKS,
}
# What is taken as true or false, whatever it is.
UNCHECKED = {"overwrite"}
ARGUMENTS = [
    (method, name) for method in CALLS for name in list(inspect.signature(getattr(RemixClient, method)).parameters)[1:]
]
# What is refused although there is nothing to be done.
FOR_NOTHING = [("wait", "timeout", BAD_SECONDS), ("wait", "on_update", BAD_CALLBACKS)]


def test_every_argument_of_every_method_is_tried() -> None:
    assert {name for _, name in ARGUMENTS} == REFUSED_ARGUMENTS.keys() | UNCHECKED


@pytest.mark.parametrize(
    ("method", "arguments", "expected"),
    [
        *(
            pytest.param(method, {name: value}, error, id=f"{name} of {method} {number}")
            for method, name in ARGUMENTS
            for number, (value, error) in enumerate(REFUSED_ARGUMENTS.get(name, []))
        ),
        *(
            pytest.param(method, {"video": FINISHED, name: value}, error, id=f"{name} of a finished {method} {number}")
            for method, name, values in FOR_NOTHING
            for number, (value, error) in enumerate(values)
        ),
    ],
)
def test_a_bad_argument_is_refused_before_anything_is_sent_and_leaves_no_file(
    connect: Twin, tmp_path: Path, method: str, arguments: dict[str, Any], expected: type[Exception]
) -> None:
    client, wire = connect(NEVER)
    good = {"video_id": "v", "video": "v", "prompt": "x", "path": tmp_path / "bow.mp4"}
    needed = {name: value for name, value in good.items() if (method, name) in ARGUMENTS}
    assert type(failure(expected, getattr(client, method), **{**needed, **arguments})) is expected
    assert (wire.requests, list(tmp_path.iterdir())) == ([], [])


def test_arguments_after_the_id_are_keyword_only(connect: Twin) -> None:
    client, wire = connect(NEVER)
    positional: Any = client.remix
    with pytest.raises(TypeError):
        positional("video_123", "The cat takes a bow")
    assert wire.requests == []


@pytest.mark.parametrize("character", ["\0", "\n", "\x1b", "\x85"], ids=ascii)
def test_control_characters_are_refused_in_ids_only(connect: Twin, character: str) -> None:
    client, wire = connect(Answer(200, {"id": "video_456"}))
    client.remix("video_123", prompt=f"a{character}b", model=f"a{character}b")
    assert len(wire.requests) == 1


# The client's own. `None` means the default of `with_options`, and nothing for a client.

BAD_TIMEOUTS = [*BAD_SECONDS, *bad(ValueError, 0, 0.0)]
BAD_RETRIES = bad(TypeError, PollingPolicy(), RetryPolicy, 4, 0, False, "", "often", {"attempts": 4}, object())
BAD_POLLINGS = bad(TypeError, RetryPolicy(), PollingPolicy, 15.0, 0, False, "", "patient", {}, object())
COPIED: dict[str, Bad] = {"timeout": BAD_TIMEOUTS, "retry": BAD_RETRIES, "polling": BAD_POLLINGS}
SETTINGS: dict[str, Bad] = {
    **{name: [*values, *bad(TypeError, None)] for name, values in COPIED.items()},
    "strict": bad(TypeError, 0, 1, None, "yes"),
    "on_event": BAD_CALLBACKS,
}


def cases(table: dict[str, Bad]) -> list[Any]:
    return [
        pytest.param(name, value, error, id=f"{name} {number}")
        for name, values in table.items()
        for number, (value, error) in enumerate(values)
    ]


@pytest.mark.parametrize(("name", "value", "expected"), cases(SETTINGS))
def test_a_client_refuses_bad_settings(connect: Twin, name: str, value: Any, expected: type[Exception]) -> None:
    error = failure(expected, connect, NEVER, **{name: value})
    assert (type(error), str(error).startswith(f"{name} must")) == (expected, True)


@pytest.mark.parametrize(("name", "value", "expected"), cases(COPIED))
def test_with_options_refuses_what_a_client_refuses(
    connect: Twin, name: str, value: Any, expected: type[Exception]
) -> None:
    client, _ = connect(NEVER)
    error = failure(expected, client.with_options, **{name: value})
    assert (type(error), str(error).startswith(f"{name} must")) == (expected, True)


def test_the_policies_are_not_taken_for_each_other(connect: Twin) -> None:
    assert str(failure(TypeError, connect, retry=PollingPolicy())) == "retry must be a RetryPolicy, not PollingPolicy"
    assert str(failure(TypeError, connect, polling=RetryPolicy())) == (
        "polling must be a PollingPolicy, not RetryPolicy"
    )


def test_a_key_function_must_be_plain() -> None:
    with pytest.raises(TypeError, match="api_key must be a plain function"):
        RemixClient(coroutine_function)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(("make", "kind"), [(RemixClient, httpx.Client), (AsyncRemixClient, httpx.AsyncClient)])
def test_a_client_takes_an_httpx_client_of_its_kind_only(make: Any, kind: Any) -> None:
    other = httpx.AsyncClient() if make is RemixClient else httpx.Client()
    wrong: list[Any] = [other, kind, object(), "http", 0]
    for handed_in in wrong:
        with pytest.raises(TypeError, match=rf"http_client must be an httpx\.{kind.__name__}, not \w+"):
            make(http_client=handed_in)


@pytest.mark.parametrize("make", [RemixClient, AsyncRemixClient])
def test_a_client_takes_the_key_alone_as_a_positional_argument(make: Any) -> None:
    with pytest.raises(TypeError):
        make("sk-some-key", "https://gateway.example")


# Policies

REFUSED: list[tuple[type, str, Bad]] = [
    (RetryPolicy, "attempts", [*bad(ValueError, 0, -1), *bad(TypeError, 1.5, 2.0, True, "4", None)]),
    (RetryPolicy, "initial_delay", [*bad(ValueError, -0.1, math.nan, math.inf), *bad(TypeError, "1", True, None)]),
    (RetryPolicy, "max_delay", [*bad(ValueError, -1, math.nan, math.inf), *bad(TypeError, None, True)]),
    (RetryPolicy, "budget", [*bad(ValueError, -1, math.nan), *bad(TypeError, True, "60", None)]),
    (RetryPolicy, "resend_paid", bad(TypeError, "yes", 1, None)),
    (
        PollingPolicy,
        "initial_interval",
        [*bad(ValueError, 0, -1, math.nan, math.inf, 15.1), *bad(TypeError, "2", True)],
    ),
    (PollingPolicy, "max_interval", [*bad(ValueError, 1.9, math.inf, math.nan), *bad(TypeError, None)]),
    (PollingPolicy, "timeout", [*bad(ValueError, -1, math.nan), *bad(TypeError, "900", False, None)]),
]


@pytest.mark.parametrize(
    ("policy", "name", "value", "expected"),
    [(policy, name, value, error) for policy, name, values in REFUSED for value, error in values],
)
def test_a_policy_is_checked_on_creation(policy: Any, name: str, value: Any, expected: type[Exception]) -> None:
    assert type(failure(expected, policy, **{name: value})) is expected


@pytest.mark.parametrize(
    ("policy", "name", "values"),
    [
        (RetryPolicy, "attempts", [1]),
        (RetryPolicy, "initial_delay", [0]),
        (RetryPolicy, "max_delay", [0]),
        (RetryPolicy, "budget", [0, 1, math.inf]),
        (PollingPolicy, "timeout", [0, math.inf]),
        (PollingPolicy, "initial_interval", [15]),
        (PollingPolicy, "max_interval", [2]),
    ],
)
def test_a_policy_takes_the_values_at_its_bounds(policy: Any, name: str, values: list[float]) -> None:
    assert [getattr(policy(**{name: value}), name) for value in values] == values


@pytest.mark.parametrize(
    ("value", "name"),
    [
        *((RetryPolicy(), name) for name in ("attempts", "initial_delay", "max_delay", "budget", "resend_paid")),
        *((PollingPolicy(), name) for name in ("initial_interval", "max_interval", "timeout")),
        (Video("video_123", "queued"), "status"),
        (VideoError("code", "message"), "code"),
        (Model("sora-2"), "id"),
        (Event("attempt", "remix", 1), "kind"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_are_frozen(value: object, name: str) -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(value, name, None)

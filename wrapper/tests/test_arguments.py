"""What is refused before anything is sent: every bad argument is a plain ValueError or TypeError."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

from deerapi_remix import AsyncRemixClient, Event, Model, PollingPolicy, RemixClient, RetryPolicy, Video, VideoError

from .conftest import Clock
from .wire import Answer, Twin

NEVER = AssertionError("a request was sent")

BAD_IDS: list[tuple[Any, type[Exception]]] = [
    ("", ValueError),
    ("   ", ValueError),
    ("\t\n", ValueError),
    ("\u3000", ValueError),
    (".", ValueError),
    ("..", ValueError),
    ("a\0b", ValueError),
    ("a\nb", ValueError),
    ("a\r\nb", ValueError),
    ("video_123\n", ValueError),
    ("a\x1bb", ValueError),
    ("a\x7fb", ValueError),
    ("a\x80b", ValueError),
    ("a\x85b", ValueError),
    ("a\x9fb", ValueError),
    ("a\ud800b", ValueError),
    ("\udfff", ValueError),
    (None, TypeError),
    (5, TypeError),
    (1.5, TypeError),
    (True, TypeError),
    (b"video_123", TypeError),
    (["video_123"], TypeError),
    ({"id": "video_123"}, TypeError),
    (Path("video_123"), TypeError),
]

BAD_PROMPTS: list[tuple[Any, type[Exception]]] = [
    ("", ValueError),
    (" \r\n\t", ValueError),
    ("the cat \ud83d bows", ValueError),
    ("\udc31", ValueError),
    (None, TypeError),
    (5, TypeError),
    (True, TypeError),
    (b"x", TypeError),
    (["x"], TypeError),
]

BAD_MODELS = [case for case in BAD_PROMPTS if case[0] is not None]

BAD_VARIANTS: list[tuple[Any, type[Exception]]] = [
    ("", ValueError),
    (" ", ValueError),
    ("mp4", ValueError),
    ("VIDEO", ValueError),
    ("video ", ValueError),
    ("video&a=b", ValueError),
    ("\ud800", ValueError),
    (5, ValueError),
    (True, ValueError),
    (b"video", ValueError),
]

BAD_SECONDS: list[tuple[Any, type[Exception]]] = [
    (-1, ValueError),
    (-0.001, ValueError),
    (-math.inf, ValueError),
    (math.nan, ValueError),
    (True, TypeError),
    (False, TypeError),
    ("5", TypeError),
    (b"5", TypeError),
    ([5], TypeError),
    (5j, TypeError),
]


async def coroutine_function(*_: object) -> None:
    """Would never run: nobody awaits what it returns."""


class CoroutineCallable:
    async def __call__(self, *_: object) -> None:
        """Would never run either."""

    async def method(self, *_: object) -> None:
        """Nor would this."""


BAD_CALLBACKS: list[Any] = [
    coroutine_function,
    functools.partial(coroutine_function, 1),
    CoroutineCallable(),
    CoroutineCallable().method,
    "print",
    5,
    [print],
]

Method = Callable[[RemixClient, Any, Path], object]

TAKES_AN_ID: dict[str, Method] = {
    "remix": lambda client, video_id, path: client.remix(video_id, prompt="x"),
    "retrieve": lambda client, video_id, path: client.retrieve(video_id),
    "wait": lambda client, video_id, path: client.wait(video_id),
    "download": lambda client, video_id, path: client.download(video_id, path),
    "remix_to_file": lambda client, video_id, path: client.remix_to_file(video_id, path, prompt="x"),
}
TAKES_A_PROMPT: dict[str, Method] = {
    "remix": lambda client, prompt, path: client.remix("video_123", prompt=prompt),
    "remix_to_file": lambda client, prompt, path: client.remix_to_file("video_123", path, prompt=prompt),
}
TAKES_A_MODEL: dict[str, Method] = {
    "remix": lambda client, model, path: client.remix("video_123", prompt="x", model=model),
    "remix_to_file": lambda client, model, path: client.remix_to_file("video_123", path, prompt="x", model=model),
}
TAKES_A_TIMEOUT: dict[str, Method] = {
    "wait": lambda client, timeout, path: client.wait("video_123", timeout=timeout),
    "wait for a finished video": lambda client, timeout, path: client.wait(Video("v", "completed"), timeout=timeout),
    "remix_to_file": lambda client, timeout, path: client.remix_to_file("v", path, prompt="x", timeout=timeout),
}
TAKES_A_CALLBACK: dict[str, Method] = {
    "wait, on_update": lambda client, call, path: client.wait("video_123", on_update=call),
    "wait for a finished video, on_update": lambda client, call, path: client.wait(
        Video("v", "completed"), on_update=call
    ),
    "download, on_progress": lambda client, call, path: client.download("video_123", path, on_progress=call),
    "remix_to_file, on_update": lambda client, call, path: client.remix_to_file("v", path, prompt="x", on_update=call),
    "remix_to_file, on_progress": lambda client, call, path: client.remix_to_file(
        "v", path, prompt="x", on_progress=call
    ),
}


def assert_refused(connect: Twin, method: Method, bad: Any, expected: type[Exception], folder: Path) -> None:
    """The call raises exactly `expected`, sends nothing and leaves no file."""
    client, wire = connect(NEVER)
    with pytest.raises(expected) as caught:
        method(client, bad, folder / "bow.mp4")
    assert type(caught.value) is expected
    assert wire.requests == []
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("method", TAKES_AN_ID.values(), ids=TAKES_AN_ID)
@pytest.mark.parametrize(("video_id", "expected"), BAD_IDS, ids=lambda value: ascii(value))
def test_a_bad_id_is_refused_before_anything_is_sent(
    connect: Twin, clock: Clock, tmp_path: Path, method: Method, video_id: Any, expected: type[Exception]
) -> None:
    assert_refused(connect, method, video_id, expected, tmp_path)


@pytest.mark.parametrize("method", [TAKES_AN_ID["wait"], TAKES_AN_ID["download"]], ids=["wait", "download"])
@pytest.mark.parametrize("video_id", ["", "..", "a\nb", "\ud800"], ids=ascii)
def test_a_video_with_a_bad_id_is_refused_before_anything_is_sent(
    connect: Twin, clock: Clock, tmp_path: Path, method: Method, video_id: str
) -> None:
    assert_refused(connect, method, Video(video_id, "queued"), ValueError, tmp_path)


@pytest.mark.parametrize("method", [TAKES_AN_ID["remix"], TAKES_AN_ID["retrieve"]], ids=["remix", "retrieve"])
def test_a_video_where_an_id_is_wanted_is_refused(connect: Twin, tmp_path: Path, method: Method) -> None:
    assert_refused(connect, method, Video("video_123", "completed"), TypeError, tmp_path)


@pytest.mark.parametrize("method", TAKES_A_PROMPT.values(), ids=TAKES_A_PROMPT)
@pytest.mark.parametrize(("prompt", "expected"), BAD_PROMPTS, ids=lambda value: ascii(value))
def test_a_bad_prompt_is_refused_before_anything_is_sent(
    connect: Twin, clock: Clock, tmp_path: Path, method: Method, prompt: Any, expected: type[Exception]
) -> None:
    assert_refused(connect, method, prompt, expected, tmp_path)


@pytest.mark.parametrize("method", TAKES_A_MODEL.values(), ids=TAKES_A_MODEL)
@pytest.mark.parametrize(("model", "expected"), BAD_MODELS, ids=lambda value: ascii(value))
def test_a_bad_model_is_refused_before_anything_is_sent(
    connect: Twin, clock: Clock, tmp_path: Path, method: Method, model: Any, expected: type[Exception]
) -> None:
    assert_refused(connect, method, model, expected, tmp_path)


@pytest.mark.parametrize(("variant", "expected"), BAD_VARIANTS, ids=lambda value: ascii(value))
def test_a_bad_variant_is_refused_before_anything_is_sent(
    connect: Twin, tmp_path: Path, variant: Any, expected: type[Exception]
) -> None:
    def download(client: RemixClient, variant: Any, path: Path) -> object:
        return client.download("video_123", path, variant=variant)

    assert_refused(connect, download, variant, expected, tmp_path)


@pytest.mark.parametrize("method", TAKES_A_TIMEOUT.values(), ids=TAKES_A_TIMEOUT)
@pytest.mark.parametrize(("timeout", "expected"), BAD_SECONDS, ids=lambda value: ascii(value))
def test_a_bad_deadline_is_refused_before_anything_is_sent(
    connect: Twin, clock: Clock, tmp_path: Path, method: Method, timeout: Any, expected: type[Exception]
) -> None:
    assert_refused(connect, method, timeout, expected, tmp_path)


@pytest.mark.parametrize("method", TAKES_A_CALLBACK.values(), ids=TAKES_A_CALLBACK)
@pytest.mark.parametrize("callback", BAD_CALLBACKS, ids=range(len(BAD_CALLBACKS)))
def test_a_callback_that_is_no_plain_function_is_refused_before_anything_is_sent(
    connect: Twin, clock: Clock, tmp_path: Path, method: Method, callback: Any
) -> None:
    assert_refused(connect, method, callback, TypeError, tmp_path)


@pytest.mark.parametrize("path", [None, 5, 1.5, ["bow.mp4"]], ids=ascii)
def test_remix_to_file_refuses_what_is_no_path_before_anything_is_sent(connect: Twin, path: Any) -> None:
    client, wire = connect(NEVER)
    with pytest.raises(TypeError):
        client.remix_to_file("video_123", path, prompt="x")
    assert wire.requests == []


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


# The client's own


@pytest.mark.parametrize(("timeout", "expected"), [*BAD_SECONDS, (0, ValueError), (0.0, ValueError)], ids=ascii)
def test_a_client_refuses_a_bad_timeout(connect: Twin, timeout: Any, expected: type[Exception]) -> None:
    with pytest.raises(expected) as caught:
        connect(NEVER, timeout=timeout)
    assert type(caught.value) is expected


@pytest.mark.parametrize(("timeout", "expected"), [*BAD_SECONDS, (0, ValueError)], ids=ascii)
def test_with_options_refuses_a_bad_timeout(connect: Twin, timeout: Any, expected: type[Exception]) -> None:
    client, _ = connect(NEVER)
    with pytest.raises(expected) as caught:
        client.with_options(timeout=timeout)
    assert type(caught.value) is expected


@pytest.mark.parametrize("name", ["timeout", "retry", "polling"])
def test_a_client_refuses_none_where_it_means_nothing(connect: Twin, name: str) -> None:
    with pytest.raises(TypeError, match=name):
        connect(NEVER, **{name: None})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("retry", PollingPolicy()),
        ("retry", 4),
        ("retry", False),
        ("retry", {"attempts": 4}),
        ("polling", RetryPolicy()),
        ("polling", 15.0),
        ("polling", 0),
    ],
)
def test_a_client_refuses_what_is_no_policy(connect: Twin, name: str, value: Any) -> None:
    with pytest.raises(TypeError, match=name):
        connect(NEVER, **{name: value})


@pytest.mark.parametrize("name", ["retry", "polling"])
@pytest.mark.parametrize("value", [0, False, "", "patient"], ids=ascii)
def test_with_options_refuses_what_is_no_policy(connect: Twin, name: str, value: Any) -> None:
    client, _ = connect(NEVER)
    with pytest.raises(TypeError, match=name):
        client.with_options(**{name: value})


@pytest.mark.parametrize("callback", BAD_CALLBACKS, ids=range(len(BAD_CALLBACKS)))
def test_a_client_refuses_on_event_that_is_no_plain_function(connect: Twin, callback: Any) -> None:
    with pytest.raises(TypeError, match="on_event"):
        connect(NEVER, on_event=callback)


def test_a_client_refuses_the_httpx_client_of_the_other_twin(connect: Twin) -> None:
    other: Any = httpx.AsyncClient if connect.kind == "sync" else httpx.Client
    with pytest.raises(TypeError, match="http_client"):
        connect.own(http_client=other(transport=httpx.MockTransport(lambda _: httpx.Response(200))))


@pytest.mark.parametrize("make", [RemixClient, AsyncRemixClient])
def test_a_client_takes_the_key_alone_as_a_positional_argument(make: Any) -> None:
    with pytest.raises(TypeError):
        make("sk-some-key", "https://gateway.example")


# Policies


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("attempts", 0, ValueError),
        ("attempts", -1, ValueError),
        ("attempts", 1.5, TypeError),
        ("attempts", True, TypeError),
        ("attempts", "4", TypeError),
        ("attempts", None, TypeError),
        ("initial_delay", -0.1, ValueError),
        ("initial_delay", math.nan, ValueError),
        ("initial_delay", math.inf, ValueError),
        ("initial_delay", "1", TypeError),
        ("initial_delay", True, TypeError),
        ("max_delay", -1, ValueError),
        ("max_delay", math.nan, ValueError),
        ("max_delay", math.inf, ValueError),
        ("max_delay", None, TypeError),
        ("budget", -1, ValueError),
        ("budget", math.nan, ValueError),
        ("budget", True, TypeError),
        ("budget", "60", TypeError),
        ("resend_paid", "yes", TypeError),
        ("resend_paid", 1, TypeError),
        ("resend_paid", None, TypeError),
    ],
)
def test_a_retry_policy_is_checked_on_creation(name: str, value: Any, expected: type[Exception]) -> None:
    with pytest.raises(expected) as caught:
        RetryPolicy(**{name: value})
    assert type(caught.value) is expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"initial_interval": 0}, ValueError),
        ({"initial_interval": -1}, ValueError),
        ({"initial_interval": math.nan}, ValueError),
        ({"initial_interval": "2"}, TypeError),
        ({"initial_interval": True}, TypeError),
        ({"initial_interval": 16.0}, ValueError),
        ({"max_interval": 1.0}, ValueError),
        ({"max_interval": math.inf}, ValueError),
        ({"max_interval": math.nan}, ValueError),
        ({"max_interval": None}, TypeError),
        ({"timeout": -1}, ValueError),
        ({"timeout": math.nan}, ValueError),
        ({"timeout": "900"}, TypeError),
        ({"timeout": False}, TypeError),
        ({"timeout": None}, TypeError),
    ],
)
def test_a_polling_policy_is_checked_on_creation(values: dict[str, Any], expected: type[Exception]) -> None:
    with pytest.raises(expected) as caught:
        PollingPolicy(**values)
    assert type(caught.value) is expected


def test_a_retry_policy_has_the_documented_defaults() -> None:
    assert RetryPolicy() == RetryPolicy(attempts=4, initial_delay=0.5, max_delay=8.0, budget=60.0, resend_paid=True)


@pytest.mark.parametrize("budget", [0, 1, math.inf])
def test_a_budget_can_be_nothing_and_without_end(budget: float) -> None:
    assert RetryPolicy(budget=budget).budget == budget


def test_a_wait_can_be_without_end() -> None:
    assert PollingPolicy(timeout=math.inf).timeout == math.inf


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (RetryPolicy(), "attempts"),
        (PollingPolicy(), "timeout"),
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

"""What a user reads where something goes wrong: the whole sentence of each kind of failure."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from functools import partial
from http.client import responses
from math import nan
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from deerapi_remix import DeerAPIError, PollingPolicy, RemixClient, RetryPolicy

from .wire import Answer, Pieces, Step, Twin, failure

pytestmark = pytest.mark.usefixtures("clock")

ONCE = RetryPolicy(attempts=1)
Call = Callable[[RemixClient, Path], object]


def remix(client: RemixClient, _: Path) -> object:
    return client.remix("video_1", prompt="x")


def models(client: RemixClient, _: Path) -> object:
    return client.models()


def wait(client: RemixClient, _: Path) -> object:
    return client.wait("video_1", timeout=10)


def download(client: RemixClient, target: Path) -> object:
    return client.download("video_1", target)


def thumbnail(client: RemixClient, target: Path) -> object:
    return client.download("video_1", target, variant="thumbnail")


def remix_to_file(client: RemixClient, target: Path) -> object:
    return client.remix_to_file("video_1", target, prompt="x")


def said(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


def job(status: str, **more: Any) -> Answer:
    return Answer(200, {"id": "video_1", "status": status, **more})


def file(body: bytes, kind: str = "binary/octet-stream", **headers: str) -> Answer:
    return Answer(
        200, body, {"Content-Type": kind} | {name.replace("_", "-"): value for name, value in headers.items()}
    )


MP4 = b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x08moov\0\0\0\x08mdat"
PNG = b"\x89PNG\r\n\x1a\n" + b"IEND\xae\x42\x60\x82"

# Which video, and how often it was asked for.
ONE, TWO = "(video: video_1, attempts: 1).", "(video: video_1, attempts: 2)."
# What to do.
CHARGED = "The job may have been accepted and charged: look at your usage with the vendor before you submit it again."
AGAIN = "The video can be downloaded again free of charge."
GOES_ON = "The job goes on: wait for it again with this id."
CHANGE = "Change the request; sending it again as it is will not help."
TOP_UP = "Top up the balance of the account."
NOT_YET = "The file is not there yet: wait for the job, then download it."

SUBMITS: dict[str, tuple[Step, str]] = {
    "302": (Answer(302), f"remix: 302 Found {ONE}"),
    "304": (Answer(304), f"remix: 304 Not Modified {ONE} {CHARGED}"),
    "400": (
        Answer(400, said("invalid_request", "the prompt is too long")),
        f"remix: 400 Bad Request: the prompt is too long [invalid_request] {ONE} {CHANGE}",
    ),
    "401": (Answer(401), f"remix: 401 Unauthorized {ONE} Check DEERAPI_KEY or api_key."),
    "402": (Answer(402), f"remix: 402 Payment Required {ONE} {TOP_UP}"),
    "403": (
        Answer(403),
        f"remix: 403 Forbidden {ONE} Check the balance of the account and what the key is allowed to do.",
    ),
    "403 for want of money": (
        Answer(403, said("insufficient_user_quota", "balance too low")),
        f"remix: 403 Forbidden: balance too low [insufficient_user_quota] {ONE} {TOP_UP}",
    ),
    "404": (
        Answer(404, said("task_not_exist", "no such task")),
        f"remix: 404 Not Found: no such task [task_not_exist] {ONE} Check the video id and the base URL.",
    ),
    "408": (Answer(408), f"remix: 408 Request Timeout {ONE} {CHARGED}"),
    "409": (Answer(409), f"remix: 409 Conflict {ONE}"),
    "418": (Answer(418), f"remix: 418 I'm a Teapot {ONE}"),
    "422": (
        Answer(422, {"detail": [{"loc": ["body", "prompt"], "msg": "too long"}]}),
        f"remix: 422 {responses[422]}: body.prompt: too long {ONE} {CHANGE}",
    ),
    "429": (
        Answer(429, b"", {"Retry-After": "7"}),
        f"remix: 429 Too Many Requests {ONE} Call again later, or less often.",
    ),
    "429 for want of money": (
        Answer(429, said("insufficient_quota", "pay first")),
        f"remix: 429 Too Many Requests: pay first [insufficient_quota] {ONE} {TOP_UP}",
    ),
    "500": (Answer(500), f"remix: 500 Internal Server Error {ONE} {CHARGED}"),
    "502": (Answer(502, b"<html><title>502 Bad Gateway</title></html>"), f"remix: 502 Bad Gateway {ONE} {CHARGED}"),
    "503": (
        Answer(503, b"", {"X-Request-Id": "req-1"}),
        "remix: 503 Service Unavailable (video: video_1, request id: req-1, attempts: 1)."
        " Call again later; if it goes on, send the request id to the vendor's support.",
    ),
    "503 for a model": (
        Answer(503, said("model_not_found", "No channel")),
        f"remix: 503 Service Unavailable: No channel [model_not_found] {ONE}"
        " Take a model from models(): this one is not served now.",
    ),
    "503 passed on": (
        Answer(503, b"upstream request timeout"),
        f"remix: 503 Service Unavailable: upstream request timeout {ONE} {CHARGED}",
    ),
    "no JSON": (Answer(200, b"oops"), f"remix: the answer is not JSON {ONE} {CHARGED}"),
    "too long": (
        Answer(200, b"{}".ljust(1024 * 1024 + 1)),
        f"remix: the answer is longer than 1048576 bytes {ONE} {CHARGED}",
    ),
    "no id": (Answer(200, {"status": "queued"}), f"remix: the answer holds no usable id {ONE} {CHARGED}"),
    "refused": (
        httpx.ConnectError("refused"),
        f"remix: the request was not sent to api.deerapi.com: ConnectError: refused {ONE}",
    ),
    "not in time": (
        httpx.ReadTimeout("timed out"),
        f"remix: no whole answer came: ReadTimeout: timed out {ONE} {CHARGED}",
    ),
    "no connection in time": (
        httpx.ConnectTimeout("timed out"),
        f"remix: the request was not sent to api.deerapi.com: ConnectTimeout: timed out {ONE}",
    ),
    "cut off": (
        Answer(200, Pieces(b'{"i', httpx.ReadError("reset"))),
        f"remix: no whole answer came: ReadError: reset {ONE} {CHARGED}",
    ),
}
OTHERS: dict[str, tuple[Call, list[Step], str]] = {
    "no such path": (
        models,
        [Answer(404)],
        "models: 404 Not Found (attempts: 1). Check the base URL, which is https://api.deerapi.com.",
    ),
    "no list of models": (
        models,
        [Answer(200, {"data": None})],
        "models: the answer holds no list of models (attempts: 1). Send the request id to the vendor's support.",
    ),
    "models not in time": (
        models,
        [httpx.ReadTimeout("timed out")],
        "models: no whole answer came: ReadTimeout: timed out (attempts: 1).",
    ),
    "failed": (
        wait,
        [job("failed", error={"code": "moderation", "message": "no bows"})],
        f"The job ended as 'failed': no bows [moderation] {ONE}",
    ),
    "failed without a reason": (wait, [job("Failed")], f"The job ended as 'Failed': the server gives no reason {ONE}"),
    "failed with a code alone": (
        wait,
        [job("failed", error={"code": "moderation"})],
        f"The job ended as 'failed': the server gives no reason [moderation] {ONE}",
    ),
    "deadline": (wait, [job("queued")], f"The deadline passed; the job is 'queued' {TWO} {GOES_ON}"),
    "deadline with an error": (
        wait,
        [job("queued", error={"message": "busy"})],
        f"The deadline passed; the job is 'queued' (busy) {TWO} {GOES_ON}",
    ),
    "deadline with a code": (
        wait,
        [job("queued", error={"code": "busy"})],
        f"The deadline passed; the job is 'queued' {TWO} {GOES_ON}",
    ),
    "never seen": (wait, [Answer(503)], f"The deadline passed; the job was never seen {TWO} {GOES_ON}"),
    "no file in time": (
        remix_to_file,
        [job("completed"), Answer(409, said("x", "Task is not completed yet"))],
        f"download: the deadline passed before the file was there (video: video_1). {GOES_ON}",
    ),
    "the file of another kind": (
        download,
        [file(PNG)],
        f"download: the server sent a picture instead of a video {ONE} {AGAIN}",
    ),
    "a picture as it says": (
        download,
        [file(PNG, "image/png")],
        f"download: the server sent image/png although a video was asked for {ONE} {AGAIN}",
    ),
    "a video for a picture": (
        thumbnail,
        [file(MP4)],
        f"download: the server sent a video instead of a picture {ONE} {AGAIN}",
    ),
    "a video as it says for a picture": (
        thumbnail,
        [file(MP4, "video/mp4")],
        f"download: the server sent video/mp4 although a picture was asked for {ONE} {AGAIN}",
    ),
    "text for a picture": (
        thumbnail,
        [Answer(200, said("c", "no picture"))],
        f"download: the server sent application/json instead of a picture: no picture {ONE} {AGAIN}",
    ),
    "JSON": (
        download,
        [Answer(200, said("c", "the video expired"))],
        f"download: the server sent application/json instead of a video: the video expired {ONE} {AGAIN}",
    ),
    "text in disguise": (
        download,
        [file(b'{"message": "the video expired"}')],
        f"download: the server sent text, such as JSON or a page, instead of a video: the video expired {ONE} {AGAIN}",
    ),
    "a page": (
        download,
        [Answer(200, b"<html><title>Login</title></html>", {"Content-Type": "text/html"})],
        f"download: the server sent text/html instead of a video {ONE} {AGAIN}",
    ),
    "compressed": (
        download,
        [file(MP4, content_encoding="br")],
        f"download: the server sent the file in the coding br, which was not asked for {ONE} {AGAIN}",
    ),
    "a part of nothing": (
        download,
        [Answer(206, MP4, {"Content-Type": "video/mp4"})],
        f"download: the server sent a part although the whole file was asked for {ONE} {AGAIN}",
    ),
    "another 2xx": (download, [Answer(204)], f"download: the server answered 204 without a file {ONE} {AGAIN}"),
    "accepted": (download, [Answer(202)], f"download: the server answered 202 without a file {ONE} {NOT_YET}"),
    "not yet": (
        download,
        [Answer(400, said("x", "Task is not completed yet"))],
        f"download: 400 Bad Request: Task is not completed yet [x] {ONE} {NOT_YET}",
    ),
    "empty": (download, [file(b"")], f"download: the file is empty {ONE} {AGAIN}"),
    "too short": (
        download,
        [file(MP4, content_length="99")],
        f"download: 32 bytes came where 99 were announced {TWO} {AGAIN}",
    ),
    "more than announced": (
        download,
        [file(MP4, content_length="9")],
        f"download: 32 bytes came where 9 were announced {ONE} {AGAIN}",
    ),
    "cut": (download, [file(MP4[:30])], f"download: the file ends too early, after 30 bytes {TWO} {AGAIN}"),
    "a cut picture": (thumbnail, [file(PNG[:-1])], f"download: the file ends too early, after 15 bytes {TWO} {AGAIN}"),
    "gone": (download, [Answer(410)], f"download: 410 Gone {ONE}"),
    "redirected to nonsense": (
        download,
        [Answer(302, b"", {"Location": "ftp://a/b"})],
        f"download: a redirect from https to ftp is refused {ONE} {AGAIN}",
    ),
}


@pytest.mark.parametrize(("step", "sentence"), SUBMITS.values(), ids=SUBMITS)
def test_a_submit_that_fails_reads(connect: Twin, target: Path, step: Step, sentence: str) -> None:
    client, _ = connect(step, retry=ONCE)
    assert str(failure(DeerAPIError, remix, client, target)) == sentence


@pytest.mark.parametrize(("call", "steps", "sentence"), OTHERS.values(), ids=OTHERS)
def test_whatever_else_fails_reads(connect: Twin, target: Path, call: Call, steps: list[Step], sentence: str) -> None:
    client, _ = connect(*steps, retry=ONCE)
    assert str(failure(DeerAPIError, call, client, target)) == sentence


# What is refused before anything is sent


def client(**options: Any) -> RemixClient:
    return RemixClient("sk-key", **options)


LONE = "must not have lone surrogates: they cannot be sent as UTF-8"
VARIANTS = "variant must be one of spritesheet, thumbnail, video, not"
BASE_URL = "The base URL must not have user info, a query, a fragment or blanks."
HTTPS = "The base URL must be https, or http to a loopback address: the key is sent to it."
REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "id of another type": (lambda: client().retrieve(cast("Any", 5)), "video_id must be a string, not int"),
    "blank id": (lambda: client().retrieve(" "), "video_id must not be blank"),
    "id that is a folder": (lambda: client().retrieve(".."), "video_id must not be '..': it would name another path"),
    "id with a newline": (lambda: client().retrieve("a\n"), "video_id must not have control characters"),
    "long id": (lambda: client().retrieve("a" * 4097), "video_id must not be longer than 4096 characters"),
    "id with half a character": (lambda: client().retrieve("\ud83d"), f"video_id {LONE}"),
    "blank prompt": (lambda: client().remix("v", prompt=""), "prompt must not be blank"),
    "prompt with half a character": (lambda: client().remix("v", prompt="\udfff"), f"prompt {LONE}"),
    "prompt of another type": (
        lambda: client().remix("v", prompt=cast("Any", b"x")),
        "prompt must be a string, not bytes",
    ),
    "blank model": (lambda: client().remix("v", prompt="x", model=" "), "model must not be blank"),
    "variant": (lambda: client().download("v", "x.mp4", variant=cast("Any", "mp4")), f"{VARIANTS} 'mp4'"),
    "no function": (
        lambda: client().wait("v", on_update=cast("Any", "print")),
        "on_update must be a plain function, not str 'print'",
    ),
    "timeout below zero": (lambda: client().wait("v", timeout=-1), "timeout must not be negative or NaN, not -1"),
    "timeout that is none": (lambda: client().wait("v", timeout=nan), "timeout must not be negative or NaN, not nan"),
    "timeout of another type": (
        lambda: client().wait("v", timeout=cast("Any", "5")),
        "timeout must be a number of seconds, not str",
    ),
    "timeout of zero": (lambda: client(timeout=0), "timeout must be above 0 seconds"),
    "attempts of another type": (lambda: RetryPolicy(attempts=cast("Any", True)), "attempts must be an int, not bool"),
    "rate of another type": (
        lambda: RetryPolicy(submits_per_second=cast("Any", "5")),
        "submits_per_second must be a number or None, not str",
    ),
    "rate of zero": (lambda: RetryPolicy(submits_per_second=0), "submits_per_second must be above 0 and finite, not 0"),
    "interval of zero": (
        lambda: PollingPolicy(initial_interval=0),
        "initial_interval must be above 0 and at most max_interval, not 0",
    ),
    "long interval": (
        lambda: PollingPolicy(initial_interval=16),
        "initial_interval must be above 0 and at most max_interval, not 16",
    ),
    "base URL of another type": (lambda: client(base_url=5), "The base URL must be a string, not int."),
    "no URL": (lambda: client(base_url="https://[::1"), "The base URL cannot be parsed as a URL."),
    **{f"base URL with {mark!r}": (partial(client, base_url=f"https://a.example{mark}x"), BASE_URL) for mark in "@?# "},
    "no host": (lambda: client(base_url="api.example"), "api.example is no base URL: it needs https:// and a host."),
    "port": (
        lambda: client(base_url="https://a.example:65536"),
        "The base URL https://a.example:65536 has an impossible port.",
    ),
    "http": (lambda: client(base_url="http://a.example"), HTTPS),
    "ftp to this machine": (lambda: client(base_url="ftp://localhost"), HTTPS),
}


@pytest.mark.parametrize(("call", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_reads(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    assert str(caught.value) == sentence


# Targets, and the whole error of the operating system; the path is the target's but for the folders.
TARGETS = {
    "there": (False, FileExistsError(errno.EEXIST, "File exists", "there")),
    "folder": (True, IsADirectoryError(errno.EISDIR, "Is a directory", "folder")),
    "new/": (True, IsADirectoryError(errno.EISDIR, "Is a directory", "new/")),
    "odd": (True, FileExistsError(errno.EEXIST, "Not a regular file, so it is not replaced", "odd")),
    "none/x.mp4": (False, FileNotFoundError(errno.ENOENT, "No such file or directory", "none")),
    "there/x.mp4": (False, NotADirectoryError(errno.ENOTDIR, "Not a directory", "there")),
}


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_that_cannot_be_reads(connect: Twin, tmp_path: Path, name: str) -> None:
    (tmp_path / "there").touch()
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "odd")
    overwrite, expected = TARGETS[name]
    client, _ = connect(Answer(200))
    error = failure(type(expected), client.download, "v", f"{tmp_path}/{name}", overwrite=overwrite)
    path = str(tmp_path / expected.filename)
    assert (error.errno, error.strerror, error.filename) == (expected.errno, expected.strerror, path)
